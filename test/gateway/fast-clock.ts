import { systemClock, type Clock } from '../../src/clock.js';

/** How often a second passes on it in a second. */
const PACE = 10;

/** A clock that goes ten times as fast as the machine's from `start` on: in every process that has it from there. */
export function fastClock(start: number): Clock {
  return {
    now: () => Math.round(start + (Date.now() - start) * PACE),
    sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / PACE, signal),
  };
}
