import { ACTIVITY_STATUSES, hasFailed, isFinished, type Activity } from './activity/activity.js';
import {
  ActivityFailedError,
  ServiceError,
  TransportError,
  UsageError,
  WaitTimeoutError,
} from './activity/errors.js';
import type { Warning } from './activity/request.js';
import type { ActivityService } from './activity/service.js';
import { shown } from './activity/shown.js';
import { steadyClock, systemClock, type Clock } from './clock.js';
import { unlessAborted } from './http/abort.js';
import { askedPause } from './http/passing.js';
import { LONGEST_TIMER } from './http/timeouts.js';
import { listReader, readEach, type Round, type Trouble } from './wait-round.js';

/** Durations are milliseconds. */
export interface WaitOptions {
  /** The shortest pause between two reads, and the first. 1 or more; default 1,000. */
  readonly minDelay?: number | undefined;
  /** The longest pause between two reads; `minDelay` to 24 days, default 30,000. */
  readonly maxDelay?: number | undefined;
  /** How long to wait in all; `Infinity` for ever, 0 to look once. Default one hour. */
  readonly timeout?: number | undefined;
  /**
   * For how long, from the start, an activity that was never seen may be unknown to the service (404): one that was only
   * just created may not be there for all its servers yet. 0 or more; default 30,000.
   */
  readonly notFoundGrace?: number | undefined;
  /**
   * How long an activity may stay UNCONFIRMED, which ends only when a person confirms it; `Infinity` for as long as
   * `timeout` allows. 0 or more; default 10 minutes.
   */
  readonly unconfirmedTimeout?: number | undefined;
  /** Ends the wait at once, in the midst of a pause or of a read. */
  readonly signal?: AbortSignal | undefined;
  /** Default the machine's own. */
  readonly clock?: Clock | undefined;
  /** A number from 0 up to, but not including, 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Called with the activity whenever it was read and is not as it was before, the first time included. */
  readonly onStatus?: ((activity: Activity) => void) | undefined;
  /** Called likewise, when its status is missing or none of the known six; the wait goes on. */
  readonly onUnknownStatus?: ((activity: Activity) => void) | undefined;
  /** Called with each failure of a read that does not end the wait. */
  readonly onTrouble?: ((error: TransportError | ServiceError) => void) | undefined;
  /** Told when the service has refused three reads in a row with 403; the wait goes on. */
  readonly onWarning?: ((warning: Warning) => void) | undefined;
}

const DEFAULTS = {
  minDelay: 1_000,
  maxDelay: 30_000,
  timeout: 3_600_000,
  notFoundGrace: 30_000,
  unconfirmedTimeout: 600_000,
};

/** The last read comes so long before the deadline, that it may be answered in time; in short waits less. */
const LAST_READ = 500;
const LAST_READ_SHARE = 1 / 20;

/** Refusals in a row that are worth a warning. */
const REFUSALS = 3;

/**
 * The activity as it changes: yields it when it is first read, and then each time something of it is not as it was.
 * The finished activity (COMPLETE, with errors or without, or ERROR) is yielded last and also returned.
 *
 * The first read is made at once. The pauses between reads are random, at least `minDelay`, at most `maxDelay`, and
 * their range doubles each time; the last read is made a little before the time is over: a twentieth of it, half a second
 * at most. Reads never overlap.
 * No answer, 429 and 5xx do not end the wait; a `Retry-After` makes the pause longer. Neither does a 404 at the beginning.
 * Any other error does end it.
 * @throws WaitTimeoutError when the activity has not finished in time, or waits for too long for a person to confirm it;
 * it goes on, and can be waited for again
 * @throws TransportError `ABORTED`
 * @throws UsageError `OPTION_INVALID` for delays that make no sense
 */
export async function* watchActivity(
  service: ActivityService,
  id: string,
  options: WaitOptions = {},
): AsyncGenerator<Activity, Activity> {
  const read = (ids: readonly string[]) => readEach(service, ids, options.signal);
  // Of one id, one activity.
  const [finished] = (yield* watch([id], read, options)) as [Activity];
  return finished;
}

/**
 * The activities as they change, each as `watchActivity` has it. Returns them all, in the order of `ids`, once every one
 * has finished.
 *
 * They are read together, by one call of `list` a round: what is not among the newest there is read by itself, and so is
 * each that has finished, since a list may leave out what its errors were.
 * @throws as `watchActivity`; what is thrown ends the wait for all of them
 */
export async function* watchActivities(
  service: ActivityService,
  ids: Iterable<string>,
  options: WaitOptions = {},
): AsyncGenerator<Activity, Activity[]> {
  const unique = [...new Set(checkIds(ids))];
  const read =
    unique.length > 1
      ? listReader(service, options.signal)
      : (some: readonly string[]) => readEach(service, some, options.signal);
  return yield* watch(unique, read, options);
}

/**
 * The activity once it is COMPLETE, with errors in its rows or without; see `watchActivity` for how it is watched.
 * @throws ActivityFailedError when it ended with ERROR
 * @throws WaitTimeoutError when it has not finished in time; it goes on, and can be waited for again
 */
export async function waitForActivity(
  service: ActivityService,
  id: string,
  options: WaitOptions = {},
): Promise<Activity> {
  const activity = await lastOf(watchActivity(service, id, options));
  if (hasFailed(activity)) throw failed(activity, id);
  return activity;
}

/**
 * The activities, in the order of `ids`, once all have finished; see `watchActivities` for how they are watched. One that
 * ended with ERROR is among them: look at each `status`.
 * @throws WaitTimeoutError when some have not finished in time; its `activityIds` are theirs
 */
export async function waitForActivities(
  service: ActivityService,
  ids: Iterable<string>,
  options: WaitOptions = {},
): Promise<Activity[]> {
  return lastOf(watchActivities(service, ids, options));
}

async function lastOf<T>(watching: AsyncGenerator<unknown, T>): Promise<T> {
  let step = await watching.next();
  while (step.done !== true) step = await watching.next();
  return step.value;
}

async function* watch(
  ids: readonly string[],
  read: (ids: readonly string[]) => Promise<Round>,
  options: WaitOptions,
): AsyncGenerator<Activity, Activity[]> {
  const { minDelay, maxDelay, timeout, notFoundGrace, unconfirmedTimeout } = checkDelays(options);
  const { clock: told = systemClock, random = Math.random, signal } = options;
  const clock = steadyClock(told);
  const start = clock.now();
  const deadline = start + timeout;
  const margin = Math.min(LAST_READ, Math.floor(timeout * LAST_READ_SHARE));
  const seen = new Seen(ids);
  let refusals = 0;

  for (let pauses = 0, final = timeout === 0; seen.open.size > 0; pauses++) {
    const round = await unlessAborted(signal, () => read([...seen.open]), aborted);
    const time = clock.now();
    seen.begin();
    for (const [id, outcome] of round) {
      if (outcome instanceof Error) {
        const waited = seen.activity(id) !== undefined || final || time - start >= notFoundGrace;
        if (outcome.code === 'NOT_FOUND' && waited) throw outcome;
        seen.failed(outcome);
        options.onTrouble?.(outcome);
      } else if (seen.read(outcome, id, time)) {
        options.onStatus?.(outcome);
        if (!isKnown(outcome)) options.onUnknownStatus?.(outcome);
        yield outcome;
      }
    }
    if (seen.open.size === 0) break;

    const { trouble } = seen;
    refusals = trouble instanceof ServiceError && trouble.status === 403 ? refusals + 1 : 0;
    if (refusals === REFUSALS) options.onWarning?.(refusedReads(trouble));

    const now = clock.now();
    const confirmBy = seen.unconfirmedSince() + unconfirmedTimeout;
    if (now >= confirmBy) throw seen.unconfirmed(now - start);
    if (final || now >= deadline) throw seen.expired(now - start);
    const span = Math.min(maxDelay, minDelay * 2 ** pauses) - minDelay;
    const asked = trouble === undefined ? 0 : askedPause(trouble, told.now());
    const delay = Math.min(LONGEST_TIMER, Math.max(asked, minDelay + Math.floor(random() * (span + 1))));
    const lastRead = deadline - margin > now ? deadline - margin : deadline;
    const pause = Math.min(delay, lastRead - now, confirmBy - now);
    final = now + pause >= lastRead;
    await unlessAborted(signal, () => clock.sleep(pause, signal), aborted);
  }
  return seen.all();

  function aborted(): TransportError {
    const [which, goes] =
      ids.length === 1 ? [`activity ${ids.join()}`, 'it goes'] : [`${ids.length} activities`, 'they go'];
    return new TransportError('ABORTED', `waiting for ${which} was aborted; ${goes} on`, { sent: 'no' });
  }
}

/** What a wait has seen so far. */
class Seen {
  readonly #ids: readonly string[];
  /** The ids of those that have not finished. */
  readonly open: Set<string>;
  readonly #last = new Map<string, Activity>();
  readonly #unconfirmed = new Map<string, number>();
  readonly #tally: Record<string, number> = {};
  /** Why one of the reads of this round failed. */
  trouble: Trouble | undefined;

  constructor(ids: readonly string[]) {
    this.#ids = ids;
    this.open = new Set(ids);
  }

  /** A round of reads begins. */
  begin(): void {
    this.trouble = undefined;
  }

  failed(trouble: Trouble): void {
    this.trouble = trouble;
    this.#count(trouble.code);
  }

  /** True when something is not as it was. */
  read(activity: Activity, id: string, time: number): boolean {
    this.#count(activity.status ?? 'none');
    const changed = JSON.stringify(activity) !== JSON.stringify(this.#last.get(id));
    this.#last.set(id, activity);
    if (isFinished(activity)) this.open.delete(id);
    if (activity.status !== 'UNCONFIRMED') this.#unconfirmed.delete(id);
    else if (!this.#unconfirmed.has(id)) this.#unconfirmed.set(id, time);
    return changed;
  }

  activity(id: string): Activity | undefined {
    return this.#last.get(id);
  }

  /** Those that were ever read, in the order of the ids. */
  all(ids: Iterable<string> = this.#ids): Activity[] {
    return Array.from(ids, (id) => this.#last.get(id)).filter((activity) => activity !== undefined);
  }

  /** Since when all that have not finished are UNCONFIRMED; Infinity when they are not. */
  unconfirmedSince(): number {
    return Math.max(...Array.from(this.open, (id) => this.#unconfirmed.get(id) ?? Infinity));
  }

  unconfirmed(waited: number): WaitTimeoutError {
    const [it, waits] = this.open.size === 1 ? ['it', 'it waits'] : ['them', 'they wait'];
    const what = `${this.#names()} not been confirmed after ${inSeconds(waited)}: ${waits} for a person`;
    const hint = `Confirm ${it}, by the mail that the service sent or in the account; then wait for ${it} again by its id`;
    return this.#error(what, hint, waited);
  }

  expired(waited: number): WaitTimeoutError {
    const [id = '', ...others] = this.open;
    const last = this.#last.get(id);
    const status = last === undefined ? 'it could not be read' : `its status is ${last.status ?? 'not told'}`;
    const seen = others.length > 0 ? this.#statuses() : status;
    const reason = this.trouble === undefined ? '' : ` (the last read failed: ${this.trouble.message})`;
    const hint =
      others.length > 0
        ? 'They go on: wait for them again by their ids'
        : 'It goes on: wait for it again by its id';
    return this.#error(
      `${this.#names()} not finished after ${inSeconds(waited)}; ${seen}${reason}`,
      hint,
      waited,
    );
  }

  /** `activity a07e1… has`, `2 of 5 activities have`. */
  #names(): string {
    if (this.#ids.length === 1) return `activity ${this.#ids.join()} has`;
    const { size } = this.open;
    return `${size} of ${this.#ids.length} activities ${size === 1 ? 'has' : 'have'}`;
  }

  #statuses(): string {
    const shown = Array.from(this.open)
      .slice(0, SHOWN)
      .map((id) => `${id} ${this.#last.get(id)?.status ?? 'not read'}`);
    const more = this.open.size - shown.length;
    return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
  }

  #error(what: string, hint: string, waited: number): WaitTimeoutError {
    const [activityId = ''] = this.open;
    return new WaitTimeoutError(`${what}. ${hint}`, {
      activityId,
      lastStatus: this.#last.get(activityId)?.status,
      waited,
      activityIds: [...this.open],
      lastActivities: this.all(this.open),
      tally: this.#tally,
      hint,
    });
  }

  #count(what: string) {
    this.#tally[what] = (this.#tally[what] ?? 0) + 1;
  }
}

/** A text is iterable too, and its characters are no ids. */
function checkIds(ids: Iterable<string>): Iterable<string> {
  const given: unknown = ids;
  if (typeof given === 'object' && given !== null && Symbol.iterator in given) return ids;
  throw new UsageError(
    'OPTION_INVALID',
    `ids: must be several, such as ['a07e1ffaxjxffmvj6qd'], got ${shown(ids)}`,
  );
}

function checkDelays(options: WaitOptions) {
  const { minDelay = DEFAULTS.minDelay, timeout = DEFAULTS.timeout } = options;
  const { maxDelay = Math.max(DEFAULTS.maxDelay, minDelay) } = options;
  const { notFoundGrace = DEFAULTS.notFoundGrace, unconfirmedTimeout = DEFAULTS.unconfirmedTimeout } =
    options;
  refuseUnless(minDelay >= 1 && minDelay <= LONGEST_TIMER, 'minDelay', minDelay, `1 to ${LONGEST_TIMER}`);
  refuseUnless(
    maxDelay >= minDelay && maxDelay <= LONGEST_TIMER,
    'maxDelay',
    maxDelay,
    `minDelay to ${LONGEST_TIMER}`,
  );
  for (const [field, value] of Object.entries({ timeout, notFoundGrace, unconfirmedTimeout })) {
    refuseUnless(value >= 0, field, value, '0 or more');
  }
  return { minDelay, maxDelay, timeout, notFoundGrace, unconfirmedTimeout };
}

function refuseUnless(holds: boolean, field: string, value: number, range: string) {
  if (holds) return;
  throw new UsageError('OPTION_INVALID', `${field}: must be ${range} milliseconds, got ${value}`);
}

function isKnown(activity: Activity): boolean {
  return isFinished(activity) || ACTIVITY_STATUSES.some((status) => status === activity.status);
}

function refusedReads(trouble: Trouble | undefined): Warning {
  return {
    code: 'READS_REFUSED',
    message: `the service has refused ${REFUSALS} reads in a row: ${trouble?.message ?? ''}; waiting on`,
  };
}

function inSeconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}

/** Errors, or activities, that a message names. */
const SHOWN = 3;

function failed(activity: Activity, id: string): ActivityFailedError {
  const shown = activity.errors.slice(0, SHOWN).map(({ lineNumber, emailAddress, message }) =>
    [lineNumber === undefined ? undefined : `line ${lineNumber}`, emailAddress, message]
      .filter((part) => part !== undefined && part !== '')
      .join(', ')
      .slice(0, 200),
  );
  const more = activity.errorCount - shown.length;
  const list = [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  return new ActivityFailedError(
    `activity ${id} ended with status ${activity.status ?? 'ERROR'}: ${list === '' ? 'the service gave no reason' : list}`,
    id,
  );
}
