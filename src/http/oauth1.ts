import { createHmac } from 'node:crypto';
import { isSame } from './digest.js';

export type OAuthParameter = readonly [name: string, value: string];

/** What a request that may be signed says, wherever it says it. */
export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  /** The value of the Authorization header, where it is OAuth's. */
  readonly authorization: string | undefined;
  /** Of a urlencoded body, in any order; none of any other. */
  readonly form: readonly OAuthParameter[];
}

/** The parts of an OAuth signature that a server looks at. */
export interface OAuthAnswer {
  readonly consumerKey: string;
  readonly token: string | undefined;
  readonly signatureMethod: string;
  readonly signature: string;
  /** All parameters that are signed: of the header without realm, of the query and of the form, decoded. */
  readonly parameters: readonly OAuthParameter[];
}

/**
 * What a request signs itself with, in the header, the query or the form; undefined where it does not.
 * @see RFC 5849 section 3.5
 */
export function readOAuth(request: SignedRequest): OAuthAnswer | undefined {
  const parameters = [
    ...headerParameters(request.authorization),
    ...new URLSearchParams(request.url.search),
    ...request.form,
  ];
  const get = (name: string) => parameters.find(([key]) => key === name)?.[1];
  const token = get('oauth_token');
  const [consumerKey, signature] = [get('oauth_consumer_key'), get('oauth_signature')];
  if (consumerKey === undefined || signature === undefined) return undefined;
  return {
    consumerKey,
    token: token === '' ? undefined : token,
    signatureMethod: get('oauth_signature_method') ?? '',
    signature,
    parameters,
  };
}

/**
 * Whether the signature was made with these secrets, by HMAC-SHA1 or PLAINTEXT. The scheme may be either, since a server
 * behind another does not know by which it was reached; and a form may be left out, as one client did. Timestamps and
 * nonces are not looked at.
 */
export function verifyOAuth(
  answer: OAuthAnswer,
  request: SignedRequest,
  secrets: { readonly consumerSecret: string; readonly tokenSecret: string },
): boolean {
  const key = `${percentEncode(secrets.consumerSecret)}&${percentEncode(secrets.tokenSecret)}`;
  if (answer.signatureMethod === 'PLAINTEXT') return isSame(answer.signature, key);
  if (answer.signatureMethod !== 'HMAC-SHA1') return false;
  const bare = answer.parameters.filter((parameter) => !request.form.includes(parameter));
  const expected = ['https:', 'http:'].flatMap((scheme) =>
    [answer.parameters, bare].map((parameters) =>
      createHmac('sha1', key)
        .update(signatureBase(request, scheme, parameters))
        .digest('base64'),
    ),
  );
  return expected.some((signature) => isSame(signature, answer.signature));
}

/** The text that is signed. @see RFC 5849 section 3.4.1 */
export function signatureBase(
  { method, url }: Pick<SignedRequest, 'method' | 'url'>,
  scheme: string,
  parameters: readonly OAuthParameter[],
): string {
  const defaultPort = scheme === 'https:' ? '443' : '80';
  const host = url.port === defaultPort ? url.hostname : url.host;
  const sorted = parameters
    .filter(([name]) => name !== 'oauth_signature')
    .map(([name, value]) => [percentEncode(name), percentEncode(value)] as const)
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  return [method.toUpperCase(), `${scheme}//${host}${url.pathname}`, sorted].map(percentEncode).join('&');
}

function headerParameters(authorization: string | undefined): OAuthParameter[] {
  const scheme = /^\s*oauth\s+/i.exec(authorization ?? '');
  if (authorization === undefined || scheme === null) return [];
  return authorization
    .slice(scheme[0].length)
    .split(',')
    .flatMap((piece): OAuthParameter[] => {
      const match = /^\s*([^=\s]+)\s*=\s*"?([^"]*)"?\s*$/.exec(piece);
      const name = percentDecode(match?.[1] ?? '');
      return name === '' || name === 'realm' ? [] : [[name, percentDecode(match?.[2] ?? '')]];
    });
}

/** @see RFC 5849 section 3.6 */
function percentEncode(text: string): string {
  return encodeURIComponent(text.replace(/\p{Cs}/gu, '\uFFFD')).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
