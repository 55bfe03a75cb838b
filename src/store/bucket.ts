import { CALL_WINDOW, DAY, nextMidnight } from '../http/quota.js';
import { checkName, checkWhole } from './arguments.js';
import type { Limits, Taken } from './store.js';

/** A time so far ahead was taken from a clock that has been set back since; less can be a caller who was held up. */
const SET_BACK = 60_000;

/** The calls of one key, as far as they still count. */
export interface Bucket {
  /** Days since 1970. */
  readonly day: number;
  /** Calls of that day. */
  readonly calls: number;
  /** When the last calls were made, the earliest first: as many as a second may have. */
  readonly recent: readonly number[];
}

export const EMPTY_BUCKET: Bucket = { day: 0, calls: 0, recent: [] };

/** @throws UsageError `OPTION_INVALID` */
export function checkTake(key: string, now: number, { perSecond, perDay }: Limits): void {
  checkName('key', key);
  checkWhole('now', now);
  checkWhole('perSecond', perSecond, 1);
  if (perDay !== Infinity) checkWhole('perDay', perDay, 1);
}

/**
 * Whether a call may be made now, and the bucket after it. The clocks of two processes may be a little apart, and one may
 * be set back: a call is never forgotten for that, but one that lies a minute or more ahead is taken for made now.
 */
export function takeFrom(bucket: Bucket, now: number, limits: Limits): { taken: Taken; bucket: Bucket } {
  const recent = bucket.recent.map((at) => (at >= now + SET_BACK ? now : at)).sort((a, b) => a - b);
  const today = Math.floor(now / DAY);
  // Around midnight one process may still be in the day that is over for another. It counts to the later one.
  const sameDay = today === bucket.day || today === bucket.day - 1;
  const day = sameDay ? bucket.day : today;
  const calls = sameDay ? bucket.calls : 0;
  const left = { day, calls, recent };

  if (calls >= limits.perDay) {
    return { taken: { go: false, used: 'day', retryAt: nextMidnight(day * DAY) }, bucket: left };
  }
  const earliest = recent.at(-limits.perSecond) ?? -Infinity;
  if (earliest > now - CALL_WINDOW) {
    return { taken: { go: false, used: 'second', retryAt: earliest + CALL_WINDOW }, bucket: left };
  }
  const made = [...recent, now].sort((a, b) => a - b).slice(-limits.perSecond);
  return { taken: { go: true }, bucket: { day, calls: calls + 1, recent: made } };
}
