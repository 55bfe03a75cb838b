import { isFinished, ACTIVITY_STATUSES, type Activity } from './activity/activity.js';
import {
  ActivityFailedError,
  ServiceError,
  TransportError,
  UsageError,
  WaitTimeoutError,
} from './activity/errors.js';
import type { ActivityService } from './activity/service.js';
import { systemClock, type Clock } from './clock.js';
import { unlessAborted } from './http/abort.js';
import { LONGEST_TIMER } from './http/timeouts.js';

/** Durations are milliseconds. */
export interface WaitOptions {
  /** The shortest pause between two reads, and the first. 1 or more; default 1,000. */
  readonly minDelay?: number | undefined;
  /** The longest pause between two reads; `minDelay` to 24 days, default 30,000. */
  readonly maxDelay?: number | undefined;
  /** How long to wait in all; `Infinity` for ever, 0 to look once. Default one hour. */
  readonly timeout?: number | undefined;
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
}

const DEFAULTS = { minDelay: 1_000, maxDelay: 30_000, timeout: 3_600_000 };

/** The last read comes so long before the deadline, that it may be answered in time; in short waits less. */
const LAST_READ = 500;
const LAST_READ_SHARE = 1 / 20;

/**
 * The activity as it changes: yields it when it is first read, and then each time something of it is not as it was.
 * The finished activity (COMPLETE, with errors or without, or ERROR) is yielded last and also returned.
 *
 * The first read is made at once. The pauses between reads are random, at least `minDelay`, at most `maxDelay`, and
 * their range doubles each time; the last read is made a little before the time is over: a twentieth of it, half a second
 * at most. Reads never overlap.
 * No answer, 429 and 5xx do not end the wait; a `Retry-After` makes the pause longer. Any other error does end it.
 * @throws WaitTimeoutError when the activity has not finished in time; it goes on, and can be waited for again
 * @throws TransportError `ABORTED`
 * @throws UsageError `OPTION_INVALID` for delays that make no sense
 */
export async function* watchActivity(
  service: ActivityService,
  id: string,
  options: WaitOptions = {},
): AsyncGenerator<Activity, Activity> {
  const { minDelay, maxDelay, timeout } = checkDelays(options);
  const { clock = systemClock, random = Math.random, signal } = options;
  const start = clock.now();
  const deadline = start + timeout;
  const margin = Math.min(LAST_READ, Math.floor(timeout * LAST_READ_SHARE));
  let last: Activity | undefined;
  let trouble: TransportError | ServiceError | undefined;

  for (let pauses = 0, final = timeout === 0; ; pauses++) {
    const read = await readOnce();
    if (read instanceof Error) {
      trouble = read;
    } else {
      trouble = undefined;
      if (JSON.stringify(read) !== JSON.stringify(last)) {
        last = read;
        options.onStatus?.(read);
        if (!isKnown(read)) options.onUnknownStatus?.(read);
        yield read;
      }
      if (isFinished(read)) return read;
    }

    const now = clock.now();
    if (final || now >= deadline) throw expired(id, last, now - start, trouble);
    const span = Math.min(maxDelay, minDelay * 2 ** pauses) - minDelay;
    const asked = trouble instanceof ServiceError ? (trouble.retryAfter ?? 0) * 1000 : 0;
    const delay = Math.min(LONGEST_TIMER, Math.max(asked, minDelay + Math.floor(random() * (span + 1))));
    const lastRead = deadline - margin > now ? deadline - margin : deadline;
    final = now + delay >= lastRead;
    const pause = final ? lastRead - now : delay;
    await unlessAborted(signal, () => clock.sleep(pause, signal), aborted);
  }

  function aborted(): TransportError {
    return new TransportError('ABORTED', `waiting for activity ${id} was aborted; the activity goes on`, {
      sent: 'no',
    });
  }

  async function readOnce(): Promise<Activity | TransportError | ServiceError> {
    try {
      return await unlessAborted(signal, () => service.get(id, { signal }), aborted);
    } catch (error) {
      if (isPassing(error)) return error;
      throw error;
    }
  }
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
  const watch = watchActivity(service, id, options);
  let step = await watch.next();
  while (step.done !== true) step = await watch.next();
  const activity = step.value;
  if (activity.status === 'ERROR') throw failed(activity, id);
  return activity;
}

function checkDelays(options: WaitOptions) {
  const { minDelay = DEFAULTS.minDelay, timeout = DEFAULTS.timeout } = options;
  const { maxDelay = Math.max(DEFAULTS.maxDelay, minDelay) } = options;
  refuseUnless(minDelay >= 1 && minDelay <= LONGEST_TIMER, 'minDelay', minDelay, `1 to ${LONGEST_TIMER}`);
  refuseUnless(
    maxDelay >= minDelay && maxDelay <= LONGEST_TIMER,
    'maxDelay',
    maxDelay,
    `minDelay to ${LONGEST_TIMER}`,
  );
  refuseUnless(timeout >= 0, 'timeout', timeout, '0 or more');
  return { minDelay, maxDelay, timeout };
}

function refuseUnless(holds: boolean, field: string, value: number, range: string) {
  if (holds) return;
  throw new UsageError('OPTION_INVALID', `${field}: must be ${range} milliseconds, got ${value}`);
}

function isKnown(activity: Activity): boolean {
  return ACTIVITY_STATUSES.some((status) => status === activity.status);
}

/** True for what another read may not meet again. */
function isPassing(error: unknown): error is TransportError | ServiceError {
  if (error instanceof TransportError) {
    return error.code !== 'ABORTED' && error.code !== 'RESPONSE_TOO_LARGE';
  }
  if (!(error instanceof ServiceError)) return false;
  return error.status >= 500 || error.status === 429 || error.code === 'RATE_LIMITED';
}

function expired(
  id: string,
  last: Activity | undefined,
  waited: number,
  trouble: TransportError | ServiceError | undefined,
): WaitTimeoutError {
  const seconds = Math.round(waited / 100) / 10;
  const seen = last === undefined ? 'it could not be read' : `its status is ${last.status ?? 'not told'}`;
  const reason = trouble === undefined ? '' : ` (the last read failed: ${trouble.message})`;
  return new WaitTimeoutError(
    `activity ${id} has not finished after ${seconds} s; ${seen}${reason}. It goes on: wait for it again by its id`,
    { activityId: id, lastStatus: last?.status, waited },
  );
}

const ERRORS_SHOWN = 3;

function failed(activity: Activity, id: string): ActivityFailedError {
  const shown = activity.errors.slice(0, ERRORS_SHOWN).map(({ lineNumber, emailAddress, message }) =>
    [lineNumber === undefined ? undefined : `line ${lineNumber}`, emailAddress, message]
      .filter((part) => part !== undefined && part !== '')
      .join(', ')
      .slice(0, 200),
  );
  const more = activity.errorCount - shown.length;
  const list = [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  return new ActivityFailedError(
    `activity ${id} ended with status ERROR: ${list === '' ? 'the service gave no reason' : list}`,
    id,
  );
}
