import type { Exchange } from '../http/transport.js';
import type { Activity } from '../activity/activity.js';
import { showDuration } from './duration.js';
import { plainText } from './terminal.js';

const STAGES = ['PENDING', 'QUEUED', 'RUNNING', 'COMPLETE'];

/** `■■□□`: how far an activity has come; a status the service invented has come nowhere we know of. */
export function stageBar(status: string | undefined): string {
  const stage = STAGES.indexOf(status ?? '') + 1;
  return '■'.repeat(stage) + '□'.repeat(STAGES.length - stage);
}

/** `a07e1ffaxjxffmvj6qd ■■■□ RUNNING, 12 s`. */
export function activityLine(activity: Activity, waited: number): string {
  const status = activity.status === undefined ? 'status not told' : plainText(activity.status);
  return `${plainText(activity.id)} ${stageBar(activity.status)} ${status}, ${showDuration(waited)}`;
}

/** `[#####-----] 50 %  2.0 of 4.0 MB`, or the bytes alone where the whole is not known. */
export function transferLine(bytes: number, whole: number | undefined): string {
  if (whole === undefined || whole === 0) return showBytes(bytes);
  const share = Math.min(1, bytes / whole);
  const filled = Math.floor(share * 20);
  const bar = '#'.repeat(filled) + '-'.repeat(20 - filled);
  return `[${bar}] ${Math.floor(share * 100)} %  ${showBytes(bytes)} of ${showBytes(whole)}`;
}

/** A transfer as `transferLine` shows it, with its rate and, where the whole is known, the time that is left. */
export function readingLine(bytes: number, whole: number | undefined, milliseconds: number): string {
  const line = transferLine(bytes, whole);
  // In the first moments there is no rate worth telling.
  if (milliseconds < 500 || bytes === 0) return line;
  const rate = `${line}, ${showBytes(Math.round((bytes / milliseconds) * 1000))}/s`;
  if (whole === undefined || bytes >= whole) return rate;
  return `${rate}, ${showDuration(((whole - bytes) / bytes) * milliseconds)} left`;
}

/** `812 bytes`, `34.1 kB`, `2.0 MB`, `1.2 GB`. */
export function showBytes(bytes: number): string {
  if (bytes < 1000) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  if (bytes < 1_000_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`;
  return `${(bytes / 1_000_000_000).toFixed(1)} GB`;
}

/** A call to the service, in a line: `POST https://…/activities (text/csv, 1,234 bytes): 201 after 0.3 s`. */
export function exchangeLine({ method, place, sent, status, error, milliseconds }: Exchange): string {
  const bytes = sent?.length === undefined ? '' : `, ${sent.length.toLocaleString('en-US')} bytes`;
  const body = sent === undefined ? '' : ` (${sent.contentType.split(';', 1)[0] ?? ''}${bytes})`;
  const why = error instanceof Error ? error.message : String(error);
  const end = status === undefined ? `no answer (${why})` : String(status);
  return `${method} ${place}${body}: ${end} after ${(milliseconds / 1000).toFixed(1)} s`;
}
