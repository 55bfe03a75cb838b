import { CtctError, DecodeError, ServiceError, UsageError, type ErrorCode } from '../activity/errors.js';
import type { HttpResponse } from '../http/transport.js';

/** How much of an error answer is read. */
const MOST_DETAIL = 64 * 1024;

/**
 * The error that an answer other than success means. Its body is plain text where the service was kind.
 *
 * Quirk: too many calls were answered 403, not 429, by the gateway in front of the service, with a `mashery` code in the
 * body or the headers (test/fixtures/ws/answers).
 * @param redact takes the caller's secrets out of what the service says, which may echo the request.
 */
export async function decodeFault(
  response: HttpResponse,
  what: string,
  redact: (text: string) => string,
): Promise<ServiceError> {
  const { status, headers } = response;
  const text = redact(await bodyText(response));
  const detail = readable(text);
  const code = codeOf(status, `${text} ${headers.get('x-mashery-error-code') ?? ''}`);
  const said = detail === '' ? '' : `: ${detail.length > 300 ? `${detail.slice(0, 299)}…` : detail}`;
  return new ServiceError(code, `${what}: ${status} ${MEANINGS[code]}${said}`, {
    status,
    detail,
    retryAfter: retryAfter(headers),
  });
}

const MEANINGS: Partial<Record<ErrorCode, string>> = {
  UNAUTHORIZED: 'the service does not accept these credentials for this user',
  NOT_FOUND: 'not found',
  RATE_LIMITED: 'too many calls',
  SERVICE_FAILED: 'the service failed',
  SERVICE_REFUSED: 'the service refused',
};

function codeOf(status: number, said: string): ErrorCode {
  if (status === 429 || (status === 403 && /over[._ ]?(?:qps|rate)|over its quer/i.test(said)))
    return 'RATE_LIMITED';
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 404 || status === 410) return 'NOT_FOUND';
  return status >= 500 ? 'SERVICE_FAILED' : 'SERVICE_REFUSED';
}

async function bodyText(response: HttpResponse): Promise<string> {
  try {
    return new TextDecoder().decode(await response.bytes(MOST_DETAIL));
  } catch {
    // The status says enough; a body that is too long or breaks off adds nothing.
    return '';
  }
}

function readable(text: string): string {
  if (/^\s*(?:<!doctype html|<html)/i.test(text)) {
    const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1]?.trim() ?? '';
    return `an HTML page${title === '' ? '' : ` titled "${title.slice(0, 100)}"`}; this looks like a proxy or a login page`;
  }
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 2000);
}

/** Seconds, from Retry-After as seconds or as a date (RFC 9110 section 10.2.3), the server's own clock being the measure. */
function retryAfter(headers: Headers): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  if (/^[0-9]{1,9}$/.test(value)) return Number(value);
  const at = Date.parse(value);
  const now = Date.parse(headers.get('date') ?? '');
  if (Number.isNaN(at)) return undefined;
  return Math.max(0, Math.ceil((at - (Number.isNaN(now) ? Date.now() : now)) / 1000));
}

/**
 * The answer that tells a client of this error: plain text with the reason, as the service gave it.
 * Errors of no known kind are a 500 that gives nothing away.
 */
export function encodeFault(error: unknown): Response {
  const { status, text, retryAfter: seconds } = answerFor(error);
  return new Response(`${text}\n`, {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      ...(seconds === undefined ? {} : { 'retry-after': String(seconds) }),
    },
  });
}

function answerFor(error: unknown): { status: number; text: string; retryAfter?: number | undefined } {
  if (error instanceof ServiceError) {
    return { status: error.status, text: error.detail || error.message, retryAfter: error.retryAfter };
  }
  if (error instanceof UsageError || error instanceof DecodeError) {
    return { status: error.code === 'BODY_TOO_LARGE' ? 413 : 400, text: error.message };
  }
  if (error instanceof CtctError) return { status: 502, text: error.message };
  return { status: 500, text: 'The request could not be answered.' };
}
