import { UsageError } from '../activity/errors.js';
import { LONGEST_TIMER } from '../http/timeouts.js';

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNITS;

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/;

/** Whether the text reads as a duration: `30m`, `1.5h`, `90`. */
export function isDuration(text: string): boolean {
  return DURATION.test(text);
}

/**
 * Milliseconds of `500ms`, `90s`, `30m`, `1.5h`, `1d`; a bare number is seconds.
 * @throws UsageError `OPTION_INVALID` for anything else, for 0, and for more than 24 days.
 */
export function parseDuration(option: string, text: string): number {
  const match = DURATION.exec(text);
  const milliseconds = Number(match?.[1]) * UNITS[(match?.[2] ?? 's') as Unit];
  if (match !== null && milliseconds >= 1 && milliseconds <= LONGEST_TIMER) return milliseconds;
  throw new UsageError(
    'OPTION_INVALID',
    `${option}: must be a time such as 90s, 30m or 2h (at most 24d), got "${text}"`,
  );
}

/** A duration as people say it, `3 s`, `2 min 05 s`, `1 h 10 min`. */
export function showDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${pad(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

function pad(n: number): string {
  return String(n).padStart(2, '0');
}
