import type { Clock } from '../clock.js';
import { LONGEST_TIMER } from '../http/timeouts.js';

/** Sleeps that end at their time, when somebody rings, or when all is to stop; none of them fails. */
export class Alarm {
  readonly #clock: Clock;
  #ringing: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#ringing?.abort();
  }

  /** @param time milliseconds since 1970; Infinity: until it rings. */
  async until(time: number, signal: AbortSignal): Promise<void> {
    const left = time - this.#clock.now();
    if (left <= 0 || signal.aborted) return;
    const ringing = (this.#ringing = new AbortController());
    const stop = () => {
      ringing.abort();
    };
    signal.addEventListener('abort', stop, { once: true });
    await this.#clock.sleep(Math.min(left, LONGEST_TIMER), ringing.signal).catch(() => undefined);
    signal.removeEventListener('abort', stop);
    if (this.#ringing === ringing) this.#ringing = undefined;
  }
}

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;

/** Milliseconds to wait after so many failures in a row: twice as long each time, from half of that to all of it. */
export function growingPause(failures: number, random: () => number): number {
  const most = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.max(0, failures - 1));
  return Math.ceil((most * (1 + random())) / 2);
}

/** What runs at once at most `most` times; the others wait for their turn. */
export function atMost(most: number): <T>(act: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (act) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await act();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
