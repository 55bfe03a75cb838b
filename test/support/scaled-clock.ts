import { systemClock, type Clock } from '../../src/clock.js';

/**
 * The machine's clock, on which so many times as much time passes since `base`: the same in each process that knows both,
 * and never back.
 */
export function scaledClock(base: number, speed: number): Clock {
  return {
    now: () => base + (Date.now() - base) * speed,
    sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / speed, signal),
  };
}
