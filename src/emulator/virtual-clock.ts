import { UsageError } from '../activity/errors.js';
import type { Clock } from '../clock.js';

/** A clock that stands still until it is told to go on. */
export interface VirtualClock extends Clock {
  /**
   * Moves the time on by milliseconds, or by a text such as `'500ms'`, `'30s'`, `'5m'`, `'2h'`, `'1d'`. Whoever sleeps
   * is woken at the time it asked for, in order of time, and may go to sleep again before the clock goes on: code that
   * polls without real I/O runs its whole course within one `advance`. Wait for the promise.
   * @throws UsageError `OPTION_INVALID` when the time is negative or no time.
   */
  advance(time: number | string): Promise<void>;
}

interface Sleeper {
  readonly due: number;
  wake(): void;
}

/** Turns of the event loop that woken code gets before the clock goes on. */
const TURNS = 10;

/** A clock for tests. `now` is where it starts; default 2008-04-29T19:30:00.000Z, the day of the document's samples. */
export function createVirtualClock(options: { readonly now?: number | string | Date } = {}): VirtualClock {
  let now = instant(options.now ?? '2008-04-29T19:30:00.000Z');
  const sleepers = new Set<Sleeper>();

  const earliest = (until: number): Sleeper | undefined => {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers) {
      if (sleeper.due <= until && (first === undefined || sleeper.due < first.due)) first = sleeper;
    }
    return first;
  };

  return {
    now: () => now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const stop = () => {
          sleepers.delete(sleeper);
          const reason: unknown = signal?.reason;
          reject(reason instanceof Error ? reason : new Error(String(reason)));
        };
        const sleeper: Sleeper = {
          due: now + Math.max(0, milliseconds),
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', stop);
            resolve();
          },
        };
        if (signal?.aborted === true) {
          stop();
        } else if (milliseconds > 0) {
          sleepers.add(sleeper);
          signal?.addEventListener('abort', stop, { once: true });
        } else {
          resolve();
        }
      }),
    advance: async (time) => {
      const target = now + duration(time);
      for (let next = earliest(target); next !== undefined; next = earliest(target)) {
        now = Math.max(now, next.due);
        next.wake();
        for (let turn = 0; turn < TURNS; turn++) await new Promise(setImmediate);
      }
      now = Math.max(now, target);
    },
  };
}

function instant(time: number | string | Date): number {
  const milliseconds = new Date(time).getTime();
  if (Number.isNaN(milliseconds)) {
    throw new UsageError(
      'OPTION_INVALID',
      `now: ${String(time)} is no time; give one like 2008-04-29T19:30:00Z`,
    );
  }
  return milliseconds;
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function duration(time: number | string): number {
  const text = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)$/.exec(String(time));
  const milliseconds =
    typeof time === 'number' ? time : Number(text?.[1]) * UNITS[text?.[2] as keyof typeof UNITS];
  if (milliseconds >= 0 && Number.isFinite(milliseconds)) return milliseconds;
  throw new UsageError(
    'OPTION_INVALID',
    `advance: ${JSON.stringify(time)} is no time to go on by; give milliseconds, or a text such as 500ms, 30s, 5m, 2h, 1d`,
  );
}
