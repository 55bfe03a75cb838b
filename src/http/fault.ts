import {
  CtctError,
  DecodeError,
  ServiceError,
  UnsupportedError,
  UsageError,
  type ErrorCode,
} from '../activity/errors.js';
import { describePage } from './html-page.js';
import { exceededQuota, quotaReset } from './quota.js';
import { retryAfterOf } from './retry-after.js';
import type { HttpResponse } from './transport.js';

/** How much of an error answer is read. */
const MOST_DETAIL = 64 * 1024;

export interface FaultOptions {
  /** What was asked for, as the message begins. */
  readonly what: string;
  /** Takes the caller's secrets out of what the service says, which may echo the request. */
  readonly redact: (text: string) => string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What a body says, in words; default: the body itself. An HTML page and control characters are dealt with here. */
  readonly words?: (text: string) => string;
}

/** The error that an answer other than success means. */
export async function readFault(response: HttpResponse, options: FaultOptions): Promise<ServiceError> {
  const { what, redact, now, words = (text: string) => text } = options;
  const { status, headers } = response;
  const text = await bodyText(response);
  const detail = describePage(redact(text)) ?? oneLine(words(redact(text)));
  const quota = exceededQuota(status, headers, text);
  const code = status === 429 || quota !== undefined ? 'RATE_LIMITED' : codeOf(status);
  const asked = retryAfterOf(headers, now);
  const free = quota === 'day' ? quotaReset(headers, now) : asked === undefined ? undefined : now + asked;
  const retryAt = free === undefined ? undefined : new Date(free);
  const until =
    quota === 'day' && retryAt !== undefined ? ` for this day, until ${retryAt.toISOString()}` : '';
  const said = detail === '' ? '' : `: ${detail.length > 300 ? `${detail.slice(0, 299)}…` : detail}`;
  return new ServiceError(code, `${what}: ${status} ${meaningOf(code, status)}${until}${said}`, {
    status,
    detail,
    retryAfter: asked === undefined ? undefined : Math.ceil(asked / 1000),
    retryAt,
  });
}

const MEANINGS = {
  UNAUTHORIZED: 'the service does not accept these credentials for this user',
  NOT_FOUND: 'not found',
  RATE_LIMITED: 'too many calls',
  SERVICE_FAILED: 'the service failed',
  SERVICE_REFUSED: 'the service refused',
} as const satisfies Partial<Record<ErrorCode, string>>;

type Code = keyof typeof MEANINGS;

function meaningOf(code: Code, status: number): string {
  return status === 407 ? 'a proxy on the way asks who you are' : MEANINGS[code];
}

function codeOf(status: number): Code {
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

function oneLine(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 2000);
}

/**
 * What a server answers to an error: the reason, as the service gave it. Errors of no known kind are a 500 that gives
 * nothing away.
 * @returns `retryAfter` in seconds
 */
export function answerTo(error: unknown): {
  readonly status: number;
  readonly text: string;
  readonly retryAfter?: number | undefined;
} {
  if (error instanceof ServiceError) {
    return { status: error.status, text: error.detail || error.message, retryAfter: error.retryAfter };
  }
  if (error instanceof UsageError || error instanceof DecodeError || error instanceof UnsupportedError) {
    return { status: error.code === 'BODY_TOO_LARGE' ? 413 : 400, text: error.message };
  }
  if (error instanceof CtctError) return { status: 502, text: error.message };
  return { status: 500, text: 'The request could not be answered.' };
}
