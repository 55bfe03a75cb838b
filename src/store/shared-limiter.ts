import { systemClock, type Clock } from '../clock.js';
import { aSecondAtATime, inTurns, NOTHING, usedUp, type Limiter } from '../http/limiter.js';
import type { Buckets, Limits } from './store.js';

/** How many calls are let go, over all processes. */
export interface SharedLimiterOptions extends Partial<Limits> {
  /** Default the machine's. */
  readonly clock?: Clock | undefined;
}

/**
 * A limiter for all processes that use the store: their calls for `key` keep within the limits together. Default 4 in a
 * second and 10,000 in a day. In one process calls go in the order in which they were asked for, and no second has more of
 * them than that as they leave, however late the store answers.
 */
export function sharedLimiter(
  buckets: Buckets,
  key: string,
  options: SharedLimiterOptions = {},
): Required<Limiter> {
  const { perSecond = 4, perDay = 10_000, clock = systemClock } = options;
  /** The store counts by when it was asked. */
  const second = aSecondAtATime(perSecond, clock);

  async function letGo(signal: AbortSignal | undefined) {
    while (signal?.aborted !== true) {
      const now = Math.floor(clock.now());
      const taken = await buckets.take(key, now, { perSecond, perDay });
      if (taken.go) return second(signal);
      if (taken.used === 'day') throw usedUp(perDay, taken.retryAt);
      await clock.sleep(taken.retryAt - now, signal);
    }
    return NOTHING;
  }

  return inTurns(letGo);
}
