import { systemClock, type Clock } from '../clock.js';
import { inTurns, usedUp, type Limiter } from '../http/limiter.js';
import type { Buckets, Limits } from './store.js';

/** How many calls are let go, over all processes. */
export interface SharedLimiterOptions extends Partial<Limits> {
  /** Default the machine's. */
  readonly clock?: Clock | undefined;
}

/**
 * A limiter for all processes that use the store: their calls for `key` keep within the limits together. Default 4 in a
 * second and 10,000 in a day. In one process calls go in the order in which they were asked for.
 */
export function sharedLimiter(buckets: Buckets, key: string, options: SharedLimiterOptions = {}): Limiter {
  const { perSecond = 4, perDay = 10_000, clock = systemClock } = options;

  async function letGo(signal: AbortSignal | undefined) {
    while (signal?.aborted !== true) {
      const now = Math.floor(clock.now());
      const taken = await buckets.take(key, now, { perSecond, perDay });
      if (taken.go) return;
      if (taken.used === 'day') throw usedUp(perDay, taken.retryAt);
      await clock.sleep(taken.retryAt - now, signal);
    }
  }

  return inTurns(letGo);
}
