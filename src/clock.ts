/** Time as a parameter, so that a test can drive it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Resolves after `milliseconds`.
   * @throws the signal's reason, at once, when it aborts.
   */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(asError(signal.reason));
        return;
      }
      const stop = () => {
        clearTimeout(timer);
        reject(asError(signal?.reason));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, milliseconds);
      signal?.addEventListener('abort', stop, { once: true });
    }),
};

/**
 * A clock that never goes back, and on which every sleep takes as long as it should: what ends by it ends, though somebody
 * sets the given clock back meanwhile.
 */
export function steadyClock(clock: Clock): Clock {
  let ahead = 0;
  let last = -Infinity;
  function now(): number {
    ahead = Math.max(ahead, last - clock.now());
    last = clock.now() + ahead;
    return last;
  }
  return {
    now,
    async sleep(milliseconds, signal) {
      const end = now() + milliseconds;
      await clock.sleep(milliseconds, signal);
      last = Math.max(last, end);
    },
  };
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
