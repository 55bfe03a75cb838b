import type { Credentials } from '../http/credentials.js';
import { redact } from '../http/failures.js';

/** Takes what nobody may read out of the texts of one request. */
export type Redaction = (text: string) => string;

const HIDDEN = '***';

/** The parts of credentials that are secret, whatever their scheme. */
const SECRET_FIELDS: readonly string[] = [
  'apiKey',
  'password',
  'token',
  'accessToken',
  'tokenSecret',
  'consumerKey',
  'consumerSecret',
  'signature',
  'response',
];

/** Names of headers and parameters whose values are secret as a whole. */
const SECRET_NAME = /auth|cookie|token|secret|password|passwd|signature|api[-_]?key|^key$/i;

/** An address, wherever it stands. */
const ADDRESS = /[^\s@<>"'=,;:&()[\]]+@[^\s@<>"'=,;:&()[\]]+\.[^\s@<>"'=,;:&()[\]]+/g;

/** What stands in place of an address. */
export const SOMEBODY = 'somebody@example.com';

/** A redaction that knows the secrets a request came with, in each spelling they may have elsewhere in it. */
export function redactionOf(credentials: Credentials | undefined): Redaction {
  const secrets = Object.entries(credentials ?? {}).flatMap(([name, value]): string[] =>
    SECRET_FIELDS.includes(name) && typeof value === 'string' && value !== ''
      ? [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]
      : [],
  );
  if (secrets.length === 0) return (text) => text;
  // Most texts hold none, and looking is much cheaper than replacing. Percent-encoding has more spellings than one.
  const mayHold = (text: string) => text.includes('%') || secrets.some((secret) => text.includes(secret));
  return (text) => (mayHold(text) ? redact(text, secrets) : text);
}

/** The text without addresses. */
export function withoutAddresses(text: string): string {
  return text.includes('@') ? text.replace(ADDRESS, SOMEBODY) : text;
}

/** The headers by name, those that hold a secret without it: of `Authorization` the scheme stays. */
export function redactedHeaders(headers: Headers, hide: Redaction): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, value] of headers) {
    shown[name] = SECRET_NAME.test(name) ? hiddenHeader(name, value) : hide(value);
  }
  return shown;
}

function hiddenHeader(name: string, value: string): string {
  const scheme = /authorization$/i.test(name) ? /^\s*([a-z0-9]+)\s/i.exec(value)?.[1] : undefined;
  return scheme === undefined ? HIDDEN : `${scheme} ${HIDDEN}`;
}

/** True for parameters whose value is secret whatever it is: `access_token`, `oauth_signature`, `api_key`. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** The URL as it came, except for secrets, and for addresses unless they are to be kept. */
export function redactedUrl(url: string, hide: Redaction, keepAddresses: boolean): string {
  const mark = url.indexOf('?');
  if (mark === -1) return hide(url);
  const query = url
    .slice(mark + 1)
    .split('&')
    .map((parameter) => {
      const equals = parameter.indexOf('=');
      if (equals === -1) return hide(parameter);
      const name = parameter.slice(0, equals);
      const value = parameter.slice(equals + 1);
      if (isSecretName(name)) return `${name}=${HIDDEN}`;
      return /@|%40/i.test(value) && !keepAddresses ? `${name}=${SOMEBODY}` : hide(parameter);
    });
  return `${hide(url.slice(0, mark))}?${query.join('&')}`;
}

/** The value of a form's parameter, as far as it may be known. */
export function redactedValue(name: string, value: string, hide: Redaction, keepAddresses: boolean): string {
  if (isSecretName(name)) return HIDDEN;
  const shown = hide(value);
  return keepAddresses ? shown : withoutAddresses(shown);
}
