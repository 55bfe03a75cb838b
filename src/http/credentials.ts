import { UsageError } from '../activity/errors.js';

/** How a caller shows who it is: one of the three ways the ws API knew. */
export type Credentials =
  | {
      /** HTTP Basic (RFC 7617): user name `<apiKey>%<user>`, the percent sign as it is. */
      readonly scheme: 'basic';
      readonly apiKey: string;
      readonly user: string;
      readonly password: string;
    }
  /** OAuth 2 token in the header `Authorization: Bearer` (RFC 6750 section 2.1). */
  | { readonly scheme: 'bearer'; readonly token: string }
  /** OAuth 2 token in the query, `?access_token=` (RFC 6750 section 2.3). */
  | { readonly scheme: 'access_token'; readonly token: string }
  | ApiKeyCredentials;

/** Of v2: the API key in the query, `?api_key=`, and the OAuth 2 token in the header `Authorization: Bearer`. */
export interface ApiKeyCredentials {
  readonly scheme: 'api_key';
  readonly apiKey: string;
  readonly token: string;
}

/**
 * Puts the credentials on a request that is about to be sent.
 * @throws UsageError as `checkCredentials` does.
 */
export function applyCredentials(
  credentials: Credentials,
  request: { url: URL; headers: Record<string, string> },
): void {
  checkCredentials(credentials);
  switch (credentials.scheme) {
    case 'basic': {
      const { apiKey, user, password } = credentials;
      const encoded = Buffer.from(`${apiKey}%${user}:${password}`, 'utf8').toString('base64');
      request.headers.authorization = `Basic ${encoded}`;
      break;
    }
    case 'bearer':
      request.headers.authorization = `Bearer ${credentials.token}`;
      break;
    case 'access_token':
      setParameter(request.url, 'access_token', credentials.token);
      break;
    case 'api_key':
      setParameter(request.url, 'api_key', credentials.apiKey);
      request.headers.authorization = `Bearer ${credentials.token}`;
  }
}

/** Not through searchParams: that would spell the service's own parameters anew. */
function setParameter(url: URL, name: string, value: string): void {
  const others = url.search
    .slice(1)
    .split('&')
    .filter((parameter) => parameter !== '' && parameter.split('=', 1)[0] !== name);
  url.search = [...others, `${name}=${encodeURIComponent(value)}`].join('&');
}

/**
 * Nothing, when the credentials can be sent.
 * @throws UsageError `CREDENTIALS_REQUIRED` for what is no object; `OPTION_INVALID` naming the field, never its value.
 */
export function checkCredentials(credentials: Credentials): void {
  const given: unknown = credentials;
  if (typeof given !== 'object' || given === null) {
    throw new UsageError(
      'CREDENTIALS_REQUIRED',
      "credentials: must be { scheme: 'basic', apiKey, user, password }, { scheme: 'bearer', token }, " +
        "{ scheme: 'access_token', token } or { scheme: 'api_key', apiKey, token }",
    );
  }
  switch (credentials.scheme) {
    case 'basic':
      // The first % ends the API key, the first colon the user name.
      refuse(
        'apiKey',
        credentials.apiKey,
        /[%:\p{Cc}\p{Cs}]/u,
        'a percent sign, a colon or a control character',
      );
      refuse('user', credentials.user, /[:\p{Cc}\p{Cs}]/u, 'a colon or a control character');
      refuse(
        'password',
        credentials.password,
        /[\p{Cc}\p{Cs}]/u,
        'a control character (perhaps the line end of a file)',
      );
      break;
    case 'api_key':
      refuse('apiKey', credentials.apiKey, UNFIT_TOKEN, UNFIT_TOKEN_WORDS);
      refuse('token', credentials.token, UNFIT_TOKEN, UNFIT_TOKEN_WORDS);
      break;
    case 'bearer':
    case 'access_token':
      refuse('token', credentials.token, UNFIT_TOKEN, UNFIT_TOKEN_WORDS);
      break;
    default:
      // Callers without types get here.
      throw new UsageError(
        'OPTION_INVALID',
        "credentials.scheme: must be 'basic', 'bearer', 'access_token' or 'api_key'",
      );
  }
}

const UNFIT_TOKEN = /^$|[^!-~]/;
const UNFIT_TOKEN_WORDS = 'a blank, a line end or a character beyond ASCII, or is empty';

function refuse(field: string, value: unknown, forbidden: RegExp, what: string): void {
  if (typeof value !== 'string') throw new UsageError('OPTION_INVALID', `credentials.${field}: must be text`);
  if (forbidden.test(value)) throw new UsageError('OPTION_INVALID', `credentials.${field}: has ${what}`);
}

/**
 * What must not appear in any text: the credentials' secret parts, in every spelling they are sent in.
 * Longest first, so that replacing one leaves no piece of another.
 */
export function secretsOf(credentials: Credentials | undefined): string[] {
  if (credentials === undefined) return [];
  const plain = [
    ...('token' in credentials ? [credentials.token] : [credentials.password]),
    ...('apiKey' in credentials ? [credentials.apiKey] : []),
  ];
  const request = { url: new URL('http://localhost'), headers: {} as Record<string, string> };
  applyCredentials(credentials, request);
  const sent = (request.headers.authorization ?? '').replace(/^\S+ /, '');
  const spelled = plain.flatMap(spellingsOf);
  return [...new Set([sent, ...spelled])]
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length);
}

/** As it is, and as URLs, forms and JSON spell it; what pages make of it, `redact` knows. */
function spellingsOf(secret: string): string[] {
  const inQuery = new URL('http://localhost');
  setParameter(inQuery, '', secret);
  const inForm = new URLSearchParams({ '': secret }).toString();
  return [
    secret,
    encodeURIComponent(secret),
    inQuery.search.slice(2),
    inForm.slice(1),
    JSON.stringify(secret).slice(1, -1),
  ];
}

/**
 * Server side: the credentials a request presents, or undefined when it presents none that can be read.
 *
 * Quirk: `blanksInAuthorization`: clients wrote two blanks after `Basic`, the scheme in any case, and user names without
 * an API key (`apiKey` is then empty; test/fixtures/ws/requests/justphp-add). Old ones encoded passwords as Latin-1.
 */
export function readCredentials(request: Request): Credentials | undefined {
  const header = /^\s*(basic|bearer)\s+(\S+)\s*$/i.exec(request.headers.get('authorization') ?? '');
  if (header?.[1] !== undefined && header[2] !== undefined) {
    return header[1].toLowerCase() === 'basic'
      ? readBasic(header[2])
      : { scheme: 'bearer', token: header[2] };
  }
  const token = new URL(request.url).searchParams.get('access_token');
  return token === null || token === '' ? undefined : { scheme: 'access_token', token };
}

function readBasic(base64: string): Credentials | undefined {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, '')) return undefined;
  const text = decodeText(bytes);
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  const name = text.slice(0, colon);
  const percent = name.indexOf('%');
  return {
    scheme: 'basic',
    apiKey: percent === -1 ? '' : name.slice(0, percent),
    user: name.slice(percent + 1),
    password: text.slice(colon + 1),
  };
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}
