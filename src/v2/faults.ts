import type { ServiceError } from '../activity/errors.js';
import { answerTo, readFault } from '../http/fault.js';
import type { HttpResponse } from '../http/transport.js';
import { isObject } from './json.js';
import { JSON_MEDIA_TYPE } from './names.js';

/** One error as v2 wrote it. */
export interface V2Fault {
  readonly error_key: string;
  readonly error_message: string;
}

/**
 * The error that an answer other than success means.
 * @param redact takes the caller's secrets out of what the service says, which may echo the request.
 * @param now milliseconds since 1970
 */
export function decodeFault(
  response: HttpResponse,
  what: string,
  redact: (text: string) => string,
  now: number,
): Promise<ServiceError> {
  return readFault(response, { what, redact, now, words: faultText });
}

/**
 * What a body says: the messages, each with its key where that says more than the status.
 *
 * Quirk: there was an array of errors, or a single one by itself (test/fixtures/v2/answers/unauthorized-bare-object).
 */
function faultText(body: string): string {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return body;
  }
  const faults = (Array.isArray(value) ? value : [value]).filter(isObject);
  const words = faults.map((fault) => {
    const { error_key: key, error_message: message } = fault;
    const said = typeof message === 'string' ? message : '';
    if (typeof key !== 'string' || key.startsWith(STATUS_KEY) || said.startsWith(key)) return said;
    return said === '' ? key : `${key}: ${said}`;
  });
  return words.filter((text) => text !== '').join('; ') || body;
}

/** What keys begin with that say no more than the status. */
const STATUS_KEY = 'http.status.';

const KEYS: Readonly<Record<number, string>> = {
  400: 'bad_request',
  401: 'unauthorized',
  404: 'not_found',
  405: 'method_not_allowed',
  406: 'not_acceptable',
  413: 'request_entity_too_large',
  415: 'unsupported_media_type',
  429: 'too_many_requests',
};

/** The answer that tells a client of this error. */
export function encodeFault(error: unknown): Response {
  const { status, text, retryAfter } = answerTo(error);
  const own = /^(?:json|query|mashery)\.[a-z._]*[a-z]/.exec(text)?.[0];
  const key =
    own ?? `${STATUS_KEY}${KEYS[status] ?? (status < 500 ? 'bad_request' : 'internal_server_error')}`;
  const faults: readonly V2Fault[] = [{ error_key: key, error_message: text }];
  return new Response(JSON.stringify(faults), {
    status,
    headers: {
      'content-type': JSON_MEDIA_TYPE,
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    },
  });
}
