import { UsageError } from '../activity/errors.js';
import { systemClock, type Clock } from '../clock.js';
import { LONGEST_TIMER } from '../http/timeouts.js';
import { timeSpan } from './time-span.js';

/** A clock that stands still, or goes on by itself, as it is told. */
export interface VirtualClock extends Clock {
  /** True when time passes by itself. */
  readonly running: boolean;
  /**
   * Moves the time on by milliseconds, or by a text such as `'500ms'`, `'30s'`, `'5m'`, `'2h'`, `'1d'`. Whoever sleeps
   * is woken at the time it asked for, in order of time, and may go to sleep again before the clock goes on: code that
   * polls without real I/O runs its whole course within one `advance`. Wait for the promise.
   * @throws UsageError `OPTION_INVALID` when the time is negative or no time, or leads beyond the year 9999.
   */
  advance(time: number | string): Promise<void>;
  /**
   * Sets the time. Onwards it does as `advance` does; back it wakes nobody.
   * @throws UsageError `OPTION_INVALID` when it is no time.
   */
  set(time: number | string | Date): Promise<void>;
  /** Lets time pass by itself from now on, as fast as on the machine's clock. */
  run(): void;
  /** Has it stand still again. */
  freeze(): void;
}

/** Where a virtual clock starts. */
export interface VirtualClockOptions {
  /** Where it starts; default 2008-04-29T19:30:00.000Z, the day of the document's samples. */
  readonly now?: number | string | Date | undefined;
  /** Whether time passes by itself; default false. */
  readonly running?: boolean | undefined;
  /** What tells how much time passes while it runs; default the machine's own clock. */
  readonly source?: Clock | undefined;
}

interface Sleeper {
  readonly due: number;
  wake(): void;
}

/** Turns of the event loop that woken code gets before the clock goes on. */
const TURNS = 10;

/** A clock for tests, and for whoever wants to see tomorrow. */
export function createVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  const source = options.source ?? systemClock;
  /** The time it was when it was last told anything; what passed on the source since counts while it runs. */
  let told = instant(options.now ?? '2008-04-29T19:30:00.000Z');
  let since: number | undefined;
  const sleepers = new Set<Sleeper>();
  let alarm: AbortController | undefined;

  const now = () => (since === undefined ? told : told + Math.max(0, source.now() - since));

  const tell = (time: number, running = since !== undefined) => {
    told = time;
    since = running ? source.now() : undefined;
  };

  const earliest = (until: number): Sleeper | undefined => {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers) {
      if (sleeper.due <= until && (first === undefined || sleeper.due < first.due)) first = sleeper;
    }
    return first;
  };

  /** While time passes by itself, somebody must wake the next sleeper. */
  const setAlarm = () => {
    alarm?.abort();
    const next = since === undefined ? undefined : earliest(Infinity);
    if (next === undefined) return;
    alarm = new AbortController();
    source.sleep(Math.min(next.due - now(), LONGEST_TIMER), alarm.signal).then(
      () => {
        for (let due = earliest(now()); due !== undefined; due = earliest(now())) due.wake();
        setAlarm();
      },
      () => undefined,
    );
  };

  const moveTo = async (target: number) => {
    for (let next = earliest(target); next !== undefined; next = earliest(target)) {
      tell(Math.max(now(), next.due));
      next.wake();
      for (let turn = 0; turn < TURNS; turn++) await new Promise(setImmediate);
    }
    tell(Math.max(now(), target));
    setAlarm();
  };

  const clock: VirtualClock = {
    get running() {
      return since !== undefined;
    },
    now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const stop = () => {
          sleepers.delete(sleeper);
          setAlarm();
          const reason: unknown = signal?.reason;
          reject(reason instanceof Error ? reason : new Error(String(reason)));
        };
        const sleeper: Sleeper = {
          due: now() + Math.max(0, milliseconds),
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
          setAlarm();
        } else {
          resolve();
        }
      }),
    advance: async (time) => moveTo(instant(now() + timeSpan(time, 'advance'), 'advance')),
    set: async (time) => {
      const target = instant(time);
      if (target >= now()) return moveTo(target);
      tell(target);
      setAlarm();
    },
    run: () => {
      tell(now(), true);
      setAlarm();
    },
    freeze: () => {
      tell(now(), false);
      setAlarm();
    },
  };
  if (options.running === true) clock.run();
  return clock;
}

/** Years that take more than four digits have no place in the records. */
const FIRST = Date.parse('0000-01-01T00:00:00.000Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

function instant(time: number | string | Date, what = 'now'): number {
  const milliseconds = typeof time === 'number' ? time : new Date(time).getTime();
  if (milliseconds >= FIRST && milliseconds <= LAST) return milliseconds;
  throw new UsageError(
    'OPTION_INVALID',
    Number.isNaN(milliseconds)
      ? `${what}: ${String(time)} is no time; give one like 2008-04-29T19:30:00Z`
      : `${what}: the time must be one of the years 0000 to 9999`,
  );
}
