import { ServiceError, TransportError } from '../activity/errors.js';

/** True for what another try of the same request may not meet again: no (whole) answer, too many calls, 5xx. */
export function isPassing(error: unknown): error is TransportError | ServiceError {
  if (error instanceof TransportError) {
    return error.code !== 'ABORTED' && error.code !== 'RESPONSE_TOO_LARGE';
  }
  if (!(error instanceof ServiceError)) return false;
  return error.status >= 500 || error.status === 429 || error.code === 'RATE_LIMITED';
}

/** Milliseconds that the service asked to wait for, from `now` in milliseconds since 1970 on; 0 where it did not. */
export function askedPause(error: unknown, now: number): number {
  if (error instanceof ServiceError && error.retryAfter !== undefined) return error.retryAfter * 1000;
  const at = error instanceof ServiceError || error instanceof TransportError ? error.retryAt : undefined;
  return at === undefined ? 0 : Math.max(0, at.getTime() - now);
}
