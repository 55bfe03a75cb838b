import { TransportError } from '../activity/errors.js';
import { systemClock, type Clock } from '../clock.js';
import { unlessAborted } from '../http/abort.js';
import type { Limiter } from '../http/limiter.js';
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
  let tail: Promise<void> = Promise.resolve();

  async function letGo(signal: AbortSignal | undefined) {
    while (signal?.aborted !== true) {
      const now = Math.floor(clock.now());
      const taken = await buckets.take(key, now, { perSecond, perDay });
      if (taken.go) return;
      if (taken.used === 'day') throw usedUp(perDay, new Date(taken.retryAt));
      await clock.sleep(taken.retryAt - now, signal);
    }
  }

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

function usedUp(perDay: number, retryAt: Date): TransportError {
  return new TransportError(
    'RATE_LIMITED',
    `the ${perDay} calls of this day are used up; more can be made from ${retryAt.toISOString()} on`,
    { sent: 'no', retryAt },
  );
}
