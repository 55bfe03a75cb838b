import { retryAfterOf } from './retry-after.js';

/** The gateway's two limits on an API key: calls in a second, and calls in a day. */
export type Quota = 'second' | 'day';

export const DAY = 24 * 60 * 60 * 1000;

/**
 * Milliseconds in which the calls of a second are let go. A little longer than a second: calls draw together on their way,
 * and the gateway counts them as they arrive.
 */
export const CALL_WINDOW = 1_050;

/** Whether an answer of this status may be the gateway's refusal. */
export function mayNameQuota(status: number): boolean {
  return status === 403 || status === 429;
}

/**
 * Which limit of the gateway's an answer says is used up; undefined when it speaks of none.
 *
 * Quirk: the gateway refused with 403, not 429, and named the limit by a `mashery` code in the body
 * (test/fixtures/ws/answers/over-queries-per-second) or in a header (test/fixtures/ws/answers/over-daily-limit-in-header).
 * @param text the body, or its beginning
 */
export function exceededQuota(status: number, headers: Headers, text: string): Quota | undefined {
  if (!mayNameQuota(status)) return undefined;
  const said = `${text} ${headers.get('x-mashery-error-code') ?? ''}`;
  if (/over[._ ]?qps|over its queries/i.test(said)) return 'second';
  return /over[._ ]?rate/i.test(said) ? 'day' : undefined;
}

/**
 * When the calls of a day can be made again, in milliseconds since 1970: as the answer says it, else at the next midnight
 * UTC, when the gateway began to count anew.
 *
 * Quirk: the gateway told the time in a header of its own (test/fixtures/ws/answers/over-daily-limit-until).
 */
export function quotaReset(headers: Headers, now: number): number {
  const asked = retryAfterOf(headers, now);
  if (asked !== undefined) return now + asked;
  const named = Date.parse(
    headers.get('x-packagekey-quota-reset') ?? headers.get('x-plan-quota-reset') ?? '',
  );
  return named > now ? named : nextMidnight(now);
}

/** The next midnight UTC, in milliseconds since 1970. */
export function nextMidnight(now: number): number {
  return (Math.floor(now / DAY) + 1) * DAY;
}
