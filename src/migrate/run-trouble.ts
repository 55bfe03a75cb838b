import type { CtctError } from '../activity/errors.js';
import {
  ActivityFailedError,
  AmbiguousCreateError,
  DecodeError,
  ServiceError,
  WaitTimeoutError,
} from '../activity/errors.js';
import { askedPause, isPassing } from '../http/passing.js';

/**
 * What a failure means for the account in whose work it happened. `wait`: the same may go well later. `hold`: nothing more
 * is done for the account until somebody has done something about it. `giveUp`: it goes on at the service, longer than
 * anybody wants to wait now.
 */
export type Trouble = 'wait' | 'hold' | 'giveUp';

/** @param kind of the job; those but `part` change nothing in the account, and may be done as often as one likes. */
export function troubleOf(error: CtctError, kind: 'before' | 'part' | 'after'): Trouble {
  // Calls are counted in the store, which somebody else may be writing to.
  if (isPassing(error) || error.code === 'STORE_BUSY') return 'wait';
  if (kind !== 'part' && (error instanceof AmbiguousCreateError || error instanceof ActivityFailedError)) {
    return 'wait';
  }
  // What comes in place of a document is mostly the page of a proxy.
  if (error instanceof DecodeError) return 'wait';
  return error instanceof WaitTimeoutError ? 'giveUp' : 'hold';
}

/** Whether somebody has to look, and say `--retry`, before the part that was refused, or failed, with this is sent again. */
export function needsRetry(code: string): boolean {
  return PERSONS.includes(code);
}

/** What is of the request. All others go away when what is wrong around it is put right. */
const PERSONS: readonly string[] = [
  'SERVICE_REFUSED',
  'NOT_FOUND',
  'CREATE_AMBIGUOUS',
  'ACTIVITY_FAILED',
] satisfies readonly CtctError['code'][];

/** Whether what was refused with this goes well another time, though nobody does anything about it. */
export function passes(code: string): boolean {
  return PASSING.includes(code);
}

const PASSING: readonly string[] = [
  'REQUEST_NOT_SENT',
  'RESPONSE_LOST',
  'TIMED_OUT',
  'RATE_LIMITED',
  'SERVICE_FAILED',
  'DOCUMENT_UNEXPECTED',
  'STORE_BUSY',
] satisfies readonly CtctError['code'][];

/** The code under which a refusal is written down. */
export function refusalCode(error: CtctError): CtctError['code'] {
  // An account that may not do this is let in by the same people as one that may do nothing.
  return error instanceof ServiceError && error.status === 403 ? 'UNAUTHORIZED' : error.code;
}

const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 300_000;

/** Milliseconds until the next try, after so many failures in a row, 1 or more: longer each time, and never less than was asked for. */
export function pauseAfter(failures: number, error: CtctError, now: number, random: () => number): number {
  const range = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1));
  return Math.ceil(Math.max(askedPause(error, now), (range * (1 + random())) / 2));
}

/** From how many milliseconds on a pause that was asked for is the time to wait, and not a service in trouble. */
const LONG_PAUSE = 60_000;

/** When calls can be made again, where those of the day are used up; undefined for any other trouble. */
export function quotaEnd(error: CtctError, now: number): number | undefined {
  if (error.code !== 'RATE_LIMITED') return undefined;
  const pause = askedPause(error, now);
  return pause >= LONG_PAUSE ? now + pause : undefined;
}
