import { TransportError, UsageError } from '../activity/errors.js';
import { systemClock, type Clock } from '../clock.js';
import { unlessAborted } from './abort.js';
import { CALL_WINDOW, DAY, nextMidnight } from './quota.js';

/** Keeps calls within the limits of an API key. One may be shared by all clients that use the key. */
export interface Limiter {
  /**
   * Resolves when a call may be made, in the order in which they were asked for.
   * @throws TransportError `RATE_LIMITED` when the calls of this day are used up: its `retryAt` says when they can be
   * made again; `ABORTED` at once when the signal aborts, and then no call is counted.
   */
  take(signal?: AbortSignal): Promise<void>;
  /**
   * As `take`, for a call that leaves only when it has a connection: tell it by what this resolves to, once for each call,
   * also one that failed before. Until then the call takes up room.
   */
  begin?(signal?: AbortSignal): Promise<() => void>;
}

/** How many calls are let go. */
export interface LimiterOptions {
  /** Calls within any second: a whole number from 1. Default 4, which the service allowed. */
  readonly perSecond?: number | undefined;
  /** Calls within a day, which ends at midnight UTC: a whole number from 1, or Infinity. Default 10,000. */
  readonly perDay?: number | undefined;
  /** Default the machine's. */
  readonly clock?: Clock | undefined;
}

/**
 * A limiter for this process; processes do not know of each other's calls.
 * @throws UsageError `OPTION_INVALID` for limits that are no whole numbers from 1.
 */
export function createLimiter(options: LimiterOptions = {}): Required<Limiter> {
  const { perSecond = 4, perDay = 10_000, clock = systemClock } = options;
  checkLimit('perSecond', perSecond);
  if (perDay !== Infinity) checkLimit('perDay', perDay);
  const second = aSecondAtATime(perSecond, clock);
  let day = -1;
  let calls = 0;

  async function letGo(signal: AbortSignal | undefined) {
    if (signal?.aborted === true) return NOTHING;
    const today = Math.floor(clock.now() / DAY);
    if (today !== day) calls = 0;
    day = today;
    if (calls >= perDay) throw usedUp(perDay, nextMidnight(clock.now()));
    const left = await second(signal);
    calls++;
    return left;
  }

  return inTurns(letGo);
}

/** Lets a call go: tells when it has left by calling what it resolves to. */
type LetGo = (signal: AbortSignal | undefined) => Promise<() => void>;

export const NOTHING = () => undefined;

/**
 * Lets calls go so that no second has more of them than that as they leave. To be asked for one at a time; a call that is
 * aborted before it is let go does not count.
 */
export function aSecondAtATime(perSecond: number, clock: Clock): LetGo {
  /** When the last calls left, the earliest first: as many as a second may have. */
  const gone: number[] = [];
  /** Calls that were let go, and have not left. */
  let leaving = 0;
  let oneHasLeft: () => void = NOTHING;
  return async (signal) => {
    if (leaving >= perSecond) {
      const room = () => new Promise<void>((resolve) => (oneHasLeft = resolve));
      await unlessAborted(signal, room, aborted);
    }
    const oldest = gone.at(leaving - perSecond) ?? -Infinity;
    const pause = oldest + CALL_WINDOW - clock.now();
    // More than that would be a clock that was set back.
    if (pause > 0) await clock.sleep(Math.min(pause, CALL_WINDOW), signal);
    // Not every clock heeds signals.
    signal?.throwIfAborted();
    leaving++;
    return once(() => {
      leaving--;
      gone.push(clock.now());
      if (gone.length > perSecond) gone.shift();
      oneHasLeft();
    });
  };
}

/** Lets calls go one after the other, in the order in which they were asked for: each when its `letGo` is done. */
export function inTurns(letGo: LetGo): Required<Limiter> {
  let tail: Promise<unknown> = Promise.resolve();
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = tail.then(act);
    tail = turn.catch(NOTHING);
    return turn;
  }
  return {
    take(signal) {
      const turn = inTurn(async () => {
        (await letGo(signal))();
      });
      return unlessAborted(signal, () => turn, aborted);
    },
    begin(signal) {
      const turn = inTurn(() => letGo(signal));
      return unlessAborted(signal, () => turn, aborted).catch((error: unknown) => {
        // Should its turn come all the same, nobody makes use of it.
        turn.then((left) => {
          left();
        }, NOTHING);
        throw error;
      });
    },
  };
}

function aborted(): TransportError {
  return new TransportError('ABORTED', 'the call was aborted before its turn came', { sent: 'no' });
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    act();
  };
}

function checkLimit(field: string, value: number) {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new UsageError('OPTION_INVALID', `${field}: must be a whole number from 1, got ${value}`);
}

/** The refusal of a call more than the day allows; `reset`, in milliseconds since 1970, is when the next day begins. */
export function usedUp(perDay: number, reset: number): TransportError {
  const retryAt = new Date(reset);
  return new TransportError(
    'RATE_LIMITED',
    `the ${perDay} calls of this day are used up; more can be made from ${retryAt.toISOString()} on`,
    { sent: 'no', retryAt },
  );
}
