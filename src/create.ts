import type { Activity } from './activity/activity.js';
import {
  AmbiguousCreateError,
  CtctError,
  ServiceError,
  TransportError,
  UsageError,
} from './activity/errors.js';
import type { ActivityRequest, Warning } from './activity/request.js';
import { steadyClock, type Clock } from './clock.js';
import {
  attemptOf,
  KINDS,
  look,
  MOST_READ,
  note,
  notedIn,
  type CreationAttempt,
  type Kind,
  type Looked,
  type Noted,
  type Search,
  type SearchContext,
} from './create-search.js';
import { unlessAborted } from './http/abort.js';
import { isPassing } from './http/passing.js';
import { LONGEST_TIMER } from './http/timeouts.js';

export type { CreationAttempt };

/** What a client does when the answer to a creation is lost. */
export interface ReconcileOptions {
  /**
   * Milliseconds that the new activity is looked for, the service having as long to list it. Default 120,000; 0 to look
   * once.
   */
  readonly quietPeriod?: number | undefined;
  /**
   * Send an upload (adding or removing contacts) once more, when no new activity is listed in that time. Default false:
   * an upload that runs twice leaves the lists as one does, but people may be mailed twice. An export is always sent once
   * more, clearing lists never is.
   */
  readonly repeatUploads?: boolean | undefined;
}

/** Keeps a creation from being made twice across a crash. Not asked where nothing is reconciled. */
export interface CreationMemory {
  /** What `keep` was given by a process that then was no more; undefined: this creation was never sent. */
  readonly kept: CreationAttempt | undefined;
  /** Called before each sending, and durable once it resolves; nothing is sent before, nor when it rejects. */
  keep(attempt: CreationAttempt): Promise<void>;
  /** Called when what was kept made nothing for sure, so that nobody need look for it. */
  forget?(): void;
}

export interface CreateContext extends SearchContext {
  /**
   * Outlives the process: with an attempt in it, the activity is looked for first, as after a lost answer. Default: none.
   */
  readonly memory?: CreationMemory | undefined;
  readonly clock: Clock;
  /** Numbers from 0 to below 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** `false`: just one attempt, and whatever it throws. */
  readonly reconcile?: ReconcileOptions | false | undefined;
  /** Of the client; without it, creations do not wait for each other. */
  readonly turns?: CreateTurns | undefined;
  /** Milliseconds since 1970 by the service's own clock, by which it dates activities; undefined while it is not known. */
  readonly serviceNow?: (() => number | undefined) | undefined;
  /** Whether `attempt` may be called again, its data being there still. Default true. */
  readonly repeatable?: boolean | undefined;
  /** Told when an answer is lost, and what came of it. */
  readonly onWarning?: ((warning: Warning) => void) | undefined;
}

/** The creations of one client: those of a kind go one after another, and what came of them is remembered. */
export class CreateTurns {
  readonly #tails = new Map<Kind, Promise<void>>();
  readonly #made = new Set<string>();

  /** Lets `act` run once those of its kind that came before have ended. */
  async take<T>(kind: Kind, signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(kind) ?? Promise.resolve();
    let end: () => void = () => undefined;
    const mine = new Promise<void>((resolve) => {
      end = resolve;
    });
    const tail = before.then(() => mine);
    this.#tails.set(kind, tail);
    try {
      await unlessAborted(
        signal,
        () => before,
        () => aborted('before it was its turn', 'no'),
      );
      return await act();
    } finally {
      end();
      if (this.#tails.get(kind) === tail) this.#tails.delete(kind);
    }
  }

  /** Remembers an activity: it is nobody else's answer. */
  made(activity: Activity): Activity {
    this.#made.add(activity.id);
    const [oldest] = this.#made;
    if (oldest !== undefined && this.#made.size > MOST_MADE) this.#made.delete(oldest);
    return activity;
  }

  has(id: string): boolean {
    return this.#made.has(id);
  }
}

const MOST_MADE = 1_000;
/** Milliseconds between the looks: at first, and at most. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;
/**
 * The activity that `attempt` creates, created once: when the answer is lost, the activity is looked for among those the
 * service lists, and taken for the answer when it is recognised, or is the only new one of its kind and time.
 *
 * This costs one call of `list` beforehand, to note what exists already. After a failure that leaves open whether the
 * service acted, it lists again, at once and then for `quietPeriod`. If nothing new shows, an export is sent once more, an
 * upload only where `repeatUploads` says so, and lists are never cleared a second time.
 *
 * What it cannot tell: when this creation did not arrive, and another client makes just one of the same kind within those
 * seconds, that one is taken for the answer. So one account had better be written to by one client at a time.
 *
 * With a `memory` all this outlives the process: what another one kept counts as a first attempt whose answer was lost.
 * @throws AmbiguousCreateError when it cannot be told whether, or which, activity was created: several may be it
 * (`candidates`), or none showed up and nothing was sent again
 * @throws AmbiguousCreateError for an `objection`, and nothing is sent then
 * @throws TransportError with `sent: 'no'`, or what `list` throws, when the activities cannot be noted; nothing is sent then
 * @throws what `attempt` throws, where that is a plain no
 * @throws with a `memory`, the trouble by which the activity could not be looked for, or not sent once more: to be called
 * again with what was kept
 */
export async function createOnce(
  request: Pick<ActivityRequest, 'activityType'>,
  attempt: () => Promise<Activity>,
  context: CreateContext,
): Promise<Activity> {
  if (context.reconcile === false) return attempt();
  const { quietPeriod = 120_000, repeatUploads = false } = context.reconcile ?? {};
  checkReconcile({ quietPeriod });
  const kind = KINDS[request.activityType];
  const turns = context.turns ?? new CreateTurns();
  const repeated = context.repeatable !== false && (kind === 'export' || (repeatUploads && kind !== 'clear'));

  return turns.take(kind, context.signal, async () => {
    const kept = context.memory?.kept;
    const noted = kept === undefined ? await noteUnsent(context) : notedIn(kept);
    if (noted.objection !== undefined) throw objected(noted.objection);
    const from = kept === undefined ? context.serviceNow?.() : (kept.from ?? undefined);
    const search = { kind, noted, turns, quietPeriod, from };
    // Another process sent it.
    const lost = kept === undefined ? await sent(search, plainNo) : endedBefore();
    if (!(lost instanceof CtctError)) return turns.made(lost);
    const found = await lookFor(search, lost, context);
    if (found !== undefined) return turns.made(found);
    if (!repeated || lost instanceof AmbiguousCreateError) throw noneFound(search, lost);

    warn(context, `${lost.message}; no new activity was listed, and so the creation is sent once more`);
    const again = await sent(search, (error) =>
      context.memory !== undefined && isPassing(error) ? error : secondFailed(error),
    );
    if (!(again instanceof CtctError)) return turns.made(again);
    const late = await lookFor(search, again, context);
    if (late !== undefined) return turns.made(late);
    throw noneFound(search, again);
  });

  /** Both attempts are kept with what there was before the first: whichever was taken is new then. */
  async function sent(search: Search, refused: (error: unknown) => unknown): Promise<Activity | CtctError> {
    await context.memory?.keep(attemptOf(search));
    return tried(refused);
  }

  function plainNo(error: unknown): unknown {
    if (error instanceof CtctError && whyMaybeCreated(error) === undefined) context.memory?.forget?.();
    return error;
  }

  /** What the attempt made, or the failure that leaves open whether it made anything. */
  async function tried(refused: (error: unknown) => unknown): Promise<Activity | CtctError> {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof CtctError && whyMaybeCreated(error) !== undefined && error.code !== 'ABORTED') {
        return error;
      }
      throw refused(error);
    }
  }
}

/**
 * Why it is not known whether a creation that failed has been done all the same; undefined when it has not. A service
 * that fails (500), or a proxy that lost it (502, 504), may have taken the request; one that is busy (429, 503) has not.
 */
export function whyMaybeCreated(error: unknown): string | undefined {
  if (error instanceof AmbiguousCreateError) return error.message;
  if (error instanceof TransportError && error.sent !== 'no') {
    return `since only the answer is missing: ${error.message}`;
  }
  if (error instanceof ServiceError && error.status >= 500 && error.status !== 503) {
    return `though the answer says no: ${error.message}`;
  }
  return undefined;
}

/** @throws UsageError `OPTION_INVALID` for a quiet period that is none. */
export function checkReconcile(options: ReconcileOptions | false | undefined): void {
  const quietPeriod = options === false ? undefined : options?.quietPeriod;
  if (quietPeriod === undefined || (quietPeriod >= 0 && quietPeriod <= LONGEST_TIMER)) return;
  throw new UsageError(
    'OPTION_INVALID',
    `reconcile.quietPeriod: must be milliseconds from 0 to ${LONGEST_TIMER}, got ${String(quietPeriod)}`,
  );
}

async function noteUnsent(context: CreateContext): Promise<Noted> {
  try {
    return await note(context);
  } catch (error) {
    throw unsent(error);
  }
}

/** Whatever became of the listing, nothing has been created; an error that could be read otherwise is told as such. */
function unsent(error: unknown): unknown {
  if (!(error instanceof CtctError) || whyMaybeCreated(error) === undefined) return error;
  return new TransportError(
    error instanceof TransportError ? error.code : 'REQUEST_NOT_SENT',
    `the creation was not sent, since the activities that exist could not be listed first: ${error.message}`,
    { sent: 'no', cause: error },
  );
}

/**
 * The activity that the lost answer was about; undefined when none is listed within the quiet period.
 * @throws AmbiguousCreateError when several may be it, or it could not be looked for
 * @throws what the last listing threw, where there is a memory by which it can be looked for later
 */
async function lookFor(
  search: Search,
  lost: CtctError,
  context: CreateContext,
): Promise<Activity | undefined> {
  const { signal, random = Math.random } = context;
  const clock = steadyClock(context.clock);
  warn(context, `${lost.message}; looking whether the activity is there all the same`);
  const until = context.serviceNow?.();
  const end = clock.now() + search.quietPeriod;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
    const looked = await look(search, until, context);
    if (looked instanceof CtctError && looked.code === 'ABORTED') {
      throw aborted('while it was looked for', 'maybe');
    }
    if (!(looked instanceof CtctError)) {
      const found = judge(looked, lost);
      if (found !== undefined) {
        warn(context, `found it: activity ${found.id} was created`);
        return found;
      }
    }
    const left = end - clock.now();
    if (left <= 0) {
      if (looked instanceof CtctError) {
        throw context.memory === undefined ? couldNotLook(lost, looked.message) : looked;
      }
      if (looked.cut) throw couldNotLook(lost, `more than ${MOST_READ}, not the newest first`);
      return undefined;
    }
    const jittered = Math.floor((pause * (1 + random())) / 2);
    await unlessAborted(
      signal,
      () => clock.sleep(Math.min(left, jittered), signal),
      () => aborted('while it was looked for', 'maybe'),
    );
  }
}

function judge({ recognised, fitting, doubtful }: Looked, lost: CtctError): Activity | undefined {
  const [ours] = recognised;
  if (ours !== undefined) return ours;
  const [found] = fitting;
  if (found !== undefined && fitting.length + doubtful.length === 1) return found;
  const ids = [...fitting, ...doubtful].map(({ id }) => id);
  if (ids.length === 0) return undefined;
  const shown = ids.slice(0, 10).join(', ');
  throw new AmbiguousCreateError(
    `${lost.message}; ${ids.length === 1 ? 'a new activity' : `each of ${ids.length} new activities`} may be what was ` +
      `created, or not: ${shown}. Look at ${ids.length === 1 ? 'it' : 'them'} before you send it again`,
    ids,
    { cause: lost },
  );
}

function noneFound({ quietPeriod }: Search, lost: CtctError): AmbiguousCreateError {
  const likely =
    lost instanceof AmbiguousCreateError
      ? 'although the service said yes'
      : 'so that most likely none was created';
  return new AmbiguousCreateError(
    `${lost.message}; the activities were listed for ${quietPeriod / 1000} s, and no new one showed, ${likely}. ` +
      'Look once more before you send it again',
    [],
    { cause: lost },
  );
}

function couldNotLook(lost: CtctError, trouble: string): AmbiguousCreateError {
  return new AmbiguousCreateError(
    `${lost.message}; and the activities could not be listed to look for it (${trouble}). ` +
      'Look for it before you send it again',
    [],
    { cause: lost },
  );
}

function objected({ id, reason }: NonNullable<Noted['objection']>): AmbiguousCreateError {
  return new AmbiguousCreateError(`nothing was sent: ${reason}`, [id]);
}

function endedBefore(): TransportError {
  const text = 'the creation was sent by a process that ended before the answer came';
  return new TransportError('RESPONSE_LOST', text, { sent: 'maybe' });
}

/** The first of two attempts may still have been taken, whatever became of the second. */
function secondFailed(error: unknown): unknown {
  if (!(error instanceof CtctError) || error.code === 'ABORTED') return error;
  return new AmbiguousCreateError(
    `the answer to the creation was lost, no new activity was listed, and sending it once more failed: ${error.message}. ` +
      'Look once more before you send it again',
    [],
    { cause: error },
  );
}

function aborted(when: string, sent: 'no' | 'maybe'): TransportError {
  return new TransportError('ABORTED', `the creation was aborted ${when}`, { sent });
}

function warn(context: CreateContext, message: string) {
  context.onWarning?.({ code: 'ANSWER_LOST', message });
}
