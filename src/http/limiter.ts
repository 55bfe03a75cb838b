import { TransportError, UsageError } from '../activity/errors.js';
import { systemClock, type Clock } from '../clock.js';
import { unlessAborted } from './abort.js';
import { CALL_WINDOW, DAY, nextMidnight } from './quota.js';

/** Keeps calls within the limits of an API key. One may be shared by all clients that use the key. */
export interface Limiter {
  /**
   * Resolves when a call may be made, in the order in which they were asked for.
   * @throws TransportError `RATE_LIMITED` when the calls of this day are used up: its `retryAt` says when they can be
   * made again; `ABORTED` at once when the signal aborts, and then no call is counted.
   */
  take(signal?: AbortSignal): Promise<void>;
}

/** How many calls are let go. */
export interface LimiterOptions {
  /** Calls within any second: a whole number from 1. Default 4, which the service allowed. */
  readonly perSecond?: number | undefined;
  /** Calls within a day, which ends at midnight UTC: a whole number from 1, or Infinity. Default 10,000. */
  readonly perDay?: number | undefined;
  /** Default the machine's. */
  readonly clock?: Clock | undefined;
}

/**
 * A limiter for this process; processes do not know of each other's calls.
 * @throws UsageError `OPTION_INVALID` for limits that are no whole numbers from 1.
 */
export function createLimiter(options: LimiterOptions = {}): Limiter {
  const { perSecond = 4, perDay = 10_000, clock = systemClock } = options;
  checkLimit('perSecond', perSecond);
  if (perDay !== Infinity) checkLimit('perDay', perDay);
  /** When the last calls were let go, the oldest first: as many as a second may have. */
  const recent: number[] = [];
  let day = -1;
  let calls = 0;

  async function letGo(signal: AbortSignal | undefined) {
    if (signal?.aborted === true) return;
    const today = Math.floor(clock.now() / DAY);
    if (today !== day) calls = 0;
    day = today;
    if (calls >= perDay) throw usedUp(perDay, nextMidnight(clock.now()));
    const oldest = recent.length < perSecond ? -Infinity : (recent[0] ?? -Infinity);
    const pause = oldest + CALL_WINDOW - clock.now();
    // More than that would be a clock that was set back.
    if (pause > 0) await clock.sleep(Math.min(pause, CALL_WINDOW), signal);
    // Not every clock heeds signals.
    signal?.throwIfAborted();
    if (recent.length === perSecond) recent.shift();
    recent.push(clock.now());
    calls++;
  }

  return inTurns(letGo);
}

/** Lets calls go one after the other, in the order in which they were asked for: each when its `letGo` is done. */
export function inTurns(letGo: (signal: AbortSignal | undefined) => Promise<void>): Limiter {
  let tail: Promise<void> = Promise.resolve();
  return {
    take(signal) {
      const turn = tail.then(() => letGo(signal));
      tail = turn.catch(() => undefined);
      return unlessAborted(
        signal,
        () => turn,
        () => new TransportError('ABORTED', 'the call was aborted before its turn came', { sent: 'no' }),
      );
    },
  };
}

function checkLimit(field: string, value: number) {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new UsageError('OPTION_INVALID', `${field}: must be a whole number from 1, got ${value}`);
}

/** The refusal of a call more than the day allows; `reset`, in milliseconds since 1970, is when the next day begins. */
export function usedUp(perDay: number, reset: number): TransportError {
  const retryAt = new Date(reset);
  return new TransportError(
    'RATE_LIMITED',
    `the ${perDay} calls of this day are used up; more can be made from ${retryAt.toISOString()} on`,
    { sent: 'no', retryAt },
  );
}
