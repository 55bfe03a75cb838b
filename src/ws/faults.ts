import type { ServiceError } from '../activity/errors.js';
import { answerTo, readFault } from '../http/fault.js';
import type { HttpResponse } from '../http/transport.js';

/**
 * The error that an answer other than success means. Its body is plain text where the service was kind.
 * @param redact takes the caller's secrets out of what the service says, which may echo the request.
 * @param now milliseconds since 1970
 */
export function decodeFault(
  response: HttpResponse,
  what: string,
  redact: (text: string) => string,
  now: number,
): Promise<ServiceError> {
  return readFault(response, { what, redact, now });
}

/** The answer that tells a client of this error: plain text with the reason, as the service gave it. */
export function encodeFault(error: unknown): Response {
  const { status, text, retryAfter } = answerTo(error);
  return new Response(`${text}\n`, {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    },
  });
}
