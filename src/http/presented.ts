import { readCredentials, type Credentials } from './credentials.js';
import { digestResponse, isSame, parseDigest, type Nonces } from './digest.js';
import { readOAuth, verifyOAuth, type OAuthParameter, type SignedRequest } from './oauth1.js';

/** HTTP Digest (RFC 2617): the password itself is not sent. */
export interface DigestCredentials {
  readonly scheme: 'digest';
  readonly apiKey: string;
  readonly user: string;
  /** Whether the answer was made with this password, for this request, from a nonce that was given out. */
  verify(password: string): boolean;
}

/** A request signed by OAuth 1.0a (RFC 5849). */
export interface OAuthCredentials {
  readonly scheme: 'oauth1';
  readonly consumerKey: string;
  readonly token: string | undefined;
  /** Whether the request was signed with these secrets. */
  verify(secrets: { readonly consumerSecret: string; readonly tokenSecret: string }): boolean;
}

/** What a server finds in a request: credentials, or the proof that the caller has them. */
export type PresentedCredentials = Credentials | DigestCredentials | OAuthCredentials;

export interface PresentedOptions {
  /** Of the urlencoded body, which OAuth signs and may stand in. */
  readonly form?: readonly OAuthParameter[] | undefined;
  /** Those that were given out for Digest; none: Digest is not taken. */
  readonly nonces?: Nonces | undefined;
  /** Default false. */
  readonly oauth1?: boolean | undefined;
}

/**
 * Server side: what a request shows of who sends it; undefined when that is nothing that can be read.
 *
 * Where nothing is known to verify a Digest answer or a signature against, it may be taken at its word: that is for the
 * caller to say.
 */
export function readPresented(
  request: Request,
  options: PresentedOptions = {},
): PresentedCredentials | undefined {
  const authorization = request.headers.get('authorization') ?? undefined;
  if (options.nonces !== undefined && authorization !== undefined) {
    const digest = readDigest(request, authorization, options.nonces);
    if (digest !== undefined) return digest;
  }
  const credentials = readCredentials(request);
  if (credentials !== undefined || options.oauth1 !== true) return credentials;
  const signed: SignedRequest = {
    method: request.method,
    url: new URL(request.url),
    authorization,
    form: options.form ?? [],
  };
  const answer = readOAuth(signed);
  if (answer === undefined) return undefined;
  const { consumerKey, token } = answer;
  return { scheme: 'oauth1', consumerKey, token, verify: (secrets) => verifyOAuth(answer, signed, secrets) };
}

function readDigest(request: Request, authorization: string, nonces: Nonces): DigestCredentials | undefined {
  const answer = parseDigest(authorization);
  if (answer === undefined) return undefined;
  const percent = answer.username.indexOf('%');
  return {
    scheme: 'digest',
    apiKey: percent === -1 ? '' : answer.username.slice(0, percent),
    user: answer.username.slice(percent + 1),
    verify: (password) => {
      const expected = digestResponse(answer, request.method, password);
      return (
        expected !== undefined &&
        isSame(expected, answer.response) &&
        nonces.made(answer.nonce) &&
        leadsTo(answer.uri, new URL(request.url))
      );
    },
  };
}

/** Whether the URI that was signed is the one asked for: as a path, or whole. */
function leadsTo(uri: string, url: URL): boolean {
  try {
    const asked = new URL(uri, url);
    return asked.pathname === url.pathname && asked.search === url.search;
  } catch {
    return false;
  }
}
