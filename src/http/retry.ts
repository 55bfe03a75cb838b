import { TransportError, UsageError } from '../activity/errors.js';
import type { Clock } from '../clock.js';
import { unlessAborted } from './abort.js';
import { mayPass } from './failures.js';
import { withBytes } from './kept.js';
import { exceededQuota, mayNameQuota } from './quota.js';
import { retryAfterOf } from './retry-after.js';
import { LONGEST_TIMER } from './timeouts.js';
import type { HttpRequest, HttpResponse } from './transport.js';

/** How calls that fail are repeated. Durations are milliseconds. */
export interface RetryPolicy {
  /** Tries in all, the first included: 1 to 100. Default 3. */
  readonly attempts: number;
  /**
   * The pause before the second try is random, from 0 to this; the range doubles with each further try. Ten times as much
   * where the service refused because of too many calls. Default 100.
   */
  readonly minDelay: number;
  /** The range grows no further than this. Default 20,000. */
  readonly maxDelay: number;
  /**
   * A `Retry-After` is never shortened; one that asks for more than this is not waited for, and the call fails at once
   * with an error that has `retryAt`. Default 60,000.
   */
  readonly maxRetryAfter: number;
  /**
   * What a client may spend on repeats: each costs 5, after a time-out 10; each success gives 1 back. So a service that is
   * down is soon called no more often than it is asked for. Default 500; Infinity sets no limit.
   */
  readonly budget: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 3,
  minDelay: 100,
  maxDelay: 20_000,
  maxRetryAfter: 60_000,
  budget: 500,
};

/** As many times longer are the pauses where there were too many calls. */
const THROTTLED = 10;
const COST = 5;
const COST_OF_TIMEOUT = 10;

/** Statuses after which the same GET may be answered. */
const PASSING: readonly number[] = [408, 429, 500, 502, 503, 504];
/** Statuses of a POST that was not taken at all. A service that fails (500) or a proxy (502, 504) may have taken it. */
const NOT_TAKEN: readonly number[] = [429, 503];

/** How an attempt ended: with an answer, whatever it says (`text` where it may be a refusal), or with an error. */
type Outcome =
  | { readonly response: HttpResponse; readonly text: string; readonly error?: undefined }
  | { readonly error: unknown; readonly response?: undefined };

/** How much of a refusal is read. */
const MOST_TEXT = 65_536;

/** Why and how another attempt should be made. */
interface Repeat {
  readonly throttled: boolean;
  /** Milliseconds that the service asked to wait for. */
  readonly asked: number;
  readonly cost: number;
}

/**
 * The first answer that is worth having, else the last one, or the last error. `deadline` is by the clock.
 * @throws TransportError `ABORTED` at once, when the signal aborts during a pause; else what the last attempt threw
 */
export type Retrier = (
  request: Pick<HttpRequest, 'method' | 'body' | 'signal'>,
  attempt: () => Promise<HttpResponse>,
  deadline: number,
) => Promise<HttpResponse>;

/**
 * Repeats attempts that failed and may go better. A GET is repeated after lost connections, time-outs, statuses 408, 429,
 * 500, 502, 503, 504 and when there were too many calls in a second. A POST is repeated only where the service surely has
 * not taken it: no connection came about, 429, 503, too many calls in a second; and only with a body that can be sent
 * again.
 */
export function createRetrier(policy: RetryPolicy, clock: Clock, random: () => number): Retrier {
  const { attempts, minDelay, maxDelay, maxRetryAfter, budget } = policy;
  let tokens = budget;

  return async (request, attempt, deadline) => {
    for (let tries = 1; ; tries++) {
      const outcome = await outcomeOf(attempt);
      const repeat = repeatOf(request, outcome, clock.now());
      if (repeat === undefined) {
        if (outcome.response !== undefined) tokens = Math.min(budget, tokens + 1);
        return settled(outcome);
      }
      const first = repeat.throttled ? minDelay * THROTTLED : minDelay;
      const range = Math.min(maxDelay, first * 2 ** (tries - 1));
      const pause = repeat.asked + Math.floor(random() * (range + 1));
      const late = repeat.asked > maxRetryAfter || clock.now() + pause >= deadline;
      if (tries >= attempts || tokens < repeat.cost || late) return settled(outcome);
      tokens -= repeat.cost;
      await outcome.response?.cancel();
      await unlessAborted(request.signal, () => clock.sleep(pause, request.signal), aborted);
    }
  };
}

async function outcomeOf(attempt: () => Promise<HttpResponse>): Promise<Outcome> {
  try {
    const response = await attempt();
    if (!mayNameQuota(response.status)) return { response, text: '' };
    // The status says enough; words that are too many or break off add nothing.
    const bytes = await response.bytes(MOST_TEXT).catch(() => new Uint8Array());
    return { response: withBytes(response, bytes), text: new TextDecoder().decode(bytes) };
  } catch (error) {
    return { error };
  }
}

function settled(outcome: Outcome): HttpResponse {
  if (outcome.response === undefined) throw outcome.error;
  return outcome.response;
}

function aborted(): TransportError {
  return new TransportError('ABORTED', 'the call was aborted before it was tried again', { sent: 'no' });
}

function repeatOf(
  { method, body }: Pick<HttpRequest, 'method' | 'body'>,
  outcome: Outcome,
  now: number,
): Repeat | undefined {
  if (body?.replayable === false) return undefined;
  if (outcome.response === undefined) {
    const { error } = outcome;
    if (!(error instanceof TransportError) || !mayPass(error)) return undefined;
    if (method === 'POST' && error.sent !== 'no') return undefined;
    return { throttled: false, asked: 0, cost: error.code === 'TIMED_OUT' ? COST_OF_TIMEOUT : COST };
  }
  const { status, headers } = outcome.response;
  const quota = exceededQuota(status, headers, outcome.text);
  if (quota === 'day') return undefined;
  if (quota === undefined && !(method === 'GET' ? PASSING : NOT_TAKEN).includes(status)) return undefined;
  return {
    throttled: quota !== undefined || status === 429,
    asked: retryAfterOf(headers, now) ?? 0,
    cost: COST,
  };
}

/** The least and the most that each may be. */
const RANGES: readonly (readonly [keyof RetryPolicy, number, number])[] = [
  ['attempts', 1, 100],
  ['minDelay', 0, LONGEST_TIMER],
  ['maxDelay', 0, LONGEST_TIMER],
  ['maxRetryAfter', 0, LONGEST_TIMER],
  ['budget', 0, Infinity],
];

/**
 * The whole policy, defaults filled in; `false` is one attempt.
 * @throws UsageError `OPTION_INVALID` for values outside the ranges that `RetryPolicy` gives
 */
export function checkRetry(retry: Partial<RetryPolicy> | false | undefined): RetryPolicy {
  if (retry === false) return { ...DEFAULT_RETRY, attempts: 1 };
  const policy: { -readonly [name in keyof RetryPolicy]: number } = { ...DEFAULT_RETRY };
  for (const [name, least, most] of RANGES) {
    const value = retry?.[name];
    if (value === undefined) continue;
    if (!(value >= least && value <= most)) {
      throw new UsageError('OPTION_INVALID', `retry.${name}: must be ${least} to ${most}, got ${value}`);
    }
    policy[name] = value;
  }
  return policy;
}
