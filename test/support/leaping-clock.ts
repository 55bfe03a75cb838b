import type { Clock } from '../../src/clock.js';

/** A clock on which every sleep is over at once, and took as long as it should; it tells how long each was. */
export interface LeapingClock extends Clock {
  readonly sleeps: number[];
  /** Moves the time on, or back. */
  pass(milliseconds: number): void;
}

export function leapingClock(start: number = Date.UTC(2008, 3, 29, 19, 30)): LeapingClock {
  let now = start;
  const sleeps: number[] = [];
  return {
    sleeps,
    now: () => now,
    pass: (milliseconds) => {
      now += milliseconds;
    },
    sleep: async (milliseconds, signal) => {
      await Promise.resolve();
      signal?.throwIfAborted();
      sleeps.push(milliseconds);
      now += milliseconds;
    },
  };
}
