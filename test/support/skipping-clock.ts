import type { Clock } from '../../src/clock.js';

/** A clock on which nobody waits: whoever sleeps is woken at once, and the time is then what it asked for. */
export interface SkippingClock extends Clock {
  /** When the time comes to `time`, `act` is run, before anybody who sleeps longer is woken. */
  at(time: number, act: () => Promise<void>): void;
  /** Runs all that is left, each at its time. */
  finish(): Promise<void>;
}

interface Event {
  readonly time: number;
  readonly act: () => Promise<void>;
}

export function createSkippingClock(start: number): SkippingClock {
  let now = start;
  let passing = Promise.resolve();
  const events = new Set<Event>();

  const next = (until: number): Event | undefined =>
    [...events].filter(({ time }) => time <= until).sort((a, b) => a.time - b.time)[0];

  async function passTo(time: number) {
    for (let event = next(time); event !== undefined; event = next(time)) {
      events.delete(event);
      now = Math.max(now, event.time);
      await event.act();
    }
    if (time !== Infinity) now = Math.max(now, time);
  }

  /** One after another, so that the time never goes back. */
  function pass(time: number): Promise<void> {
    passing = passing.then(() => passTo(time));
    return passing;
  }

  return {
    now: () => now,
    async sleep(milliseconds, signal) {
      signal?.throwIfAborted();
      const due = now + Math.max(0, milliseconds);
      await new Promise(setImmediate);
      await pass(due);
      signal?.throwIfAborted();
    },
    at(time, act) {
      events.add({ time, act });
    },
    finish: () => pass(Infinity),
  };
}
