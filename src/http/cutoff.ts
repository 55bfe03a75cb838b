import { TransportError } from '../activity/errors.js';
import type { Timeouts } from './timeouts.js';

/** A timer that can be started over and stopped, and never keeps the process alive. */
export interface Timer {
  start(): void;
  stop(): void;
}

/** What may end a call before its answer is complete: the caller's signal, and the timeouts. */
export interface Cutoff {
  /** Aborts when the call is to end; its reason is the TransportError to end it with. */
  readonly signal: AbortSignal;
  /** Runs while the head of the answer is waited for. */
  readonly headers: Timer;
  /** Runs while the next bytes of the answer are waited for. */
  readonly bodyIdle: Timer;
  /** Says that from now on the service may have the request. */
  requestGoesOut(): void;
  /** Ends the call for the caller; `outcome` follows `GET https://…` in the message. */
  abort(outcome: string): void;
  /** What the call ended with, once `signal` has aborted. */
  error(): TransportError;
  /** Stops all timers, and no longer listens to the caller's signal. */
  release(): void;
}

/**
 * @param call such as `GET https://…`, for messages
 * @param left milliseconds after which the call must be over; Infinity for no limit
 */
export function startCutoff(
  call: string,
  timeouts: Timeouts,
  left: number,
  signal: AbortSignal | undefined,
): Cutoff {
  const controller = new AbortController();
  let sent: TransportError['sent'] = 'no';

  function cut(code: 'ABORTED' | 'TIMED_OUT', outcome: string) {
    controller.abort(new TransportError(code, `${call} ${outcome}`, { sent }));
  }
  const abort = (outcome: string) => {
    cut('ABORTED', outcome);
  };
  const abortedByCaller = () => {
    abort('was aborted');
  };
  const headers = timer(timeouts.headers, () => {
    cut('TIMED_OUT', `got no answer within ${timeouts.headers} ms`);
  });
  const bodyIdle = timer(timeouts.bodyIdle, () => {
    cut('TIMED_OUT', `was answered in part: nothing more came for ${timeouts.bodyIdle} ms`);
  });
  const total = timer(left === Infinity ? 0 : Math.max(1, left), () => {
    cut('TIMED_OUT', `took longer than ${timeouts.total} ms`);
  });

  total.start();
  if (signal?.aborted === true) abortedByCaller();
  else signal?.addEventListener('abort', abortedByCaller, { once: true });

  return {
    signal: controller.signal,
    headers,
    bodyIdle,
    requestGoesOut() {
      sent = 'maybe';
    },
    abort,
    error: () => controller.signal.reason as TransportError,
    release() {
      for (const running of [headers, bodyIdle, total]) running.stop();
      signal?.removeEventListener('abort', abortedByCaller);
    },
  };
}

/** A timer that calls `expired` when `milliseconds` pass after a `start`; one of 0 milliseconds never does. */
function timer(milliseconds: number, expired: () => void): Timer {
  let handle: NodeJS.Timeout | undefined;
  return {
    start() {
      clearTimeout(handle);
      if (milliseconds > 0) handle = setTimeout(expired, milliseconds).unref();
    },
    stop() {
      clearTimeout(handle);
    },
  };
}
