import { ServiceError, TransportError, UsageError } from '../activity/errors.js';
import { systemClock, type Clock } from '../clock.js';
import type { RequestBody } from '../format/body.js';
import { sharedDispatcher, telling } from './agents.js';
import { applyCredentials, checkCredentials, secretsOf, type Credentials } from './credentials.js';
import { exchange, type Answer } from './exchange.js';
import { redact } from './failures.js';
import { tooLarge, withBytes } from './kept.js';
import { createLimiter, type Limiter } from './limiter.js';
import { isLoopback, isSameOrigin, placeOf, resolveLink } from './origin.js';
import { checkRetry, createRetrier, type RetryPolicy } from './retry.js';
import { checkTimeouts, type Timeouts } from './timeouts.js';

export type { Timeouts } from './timeouts.js';

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** Absolute, of the transport's origin. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody | undefined;
  /**
   * Reads the whole body of a success before it is returned, up to so many bytes; one that breaks off is then a failed
   * try like others. Default: the answer is returned once its head is there.
   */
  readonly whole?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An answer whose body is still to be read. */
export interface HttpResponse {
  /** Any status but that of a redirect; judging it is the caller's. */
  readonly status: number;
  readonly headers: Headers;
  /** Where the answer came from, after redirects; without credentials. */
  readonly url: URL;
  /** Can be iterated once. Whoever does not, or not to its end, calls `cancel`. */
  readonly body: AsyncIterable<Uint8Array>;
  /**
   * The whole body.
   * @param limit bytes, counted after decompression; default `MOST_DOCUMENT`
   * @throws TransportError `RESPONSE_TOO_LARGE` beyond the limit; `RESPONSE_LOST` when the body breaks off
   */
  bytes(limit?: number): Promise<Uint8Array>;
  /** Lets go of the connection and of everything else the call holds. May be called at any time, more than once. */
  cancel(): Promise<void>;
}

/**
 * The answer to one request, once its head is there. A request that fails is sent again where that is safe and may help,
 * and answers that say to come back later are waited for; see `RetryPolicy`.
 * @throws UsageError `FOREIGN_ORIGIN` before anything is sent, when the URL is of another origin than the transport's
 * @throws TransportError `REQUEST_NOT_SENT`, `RESPONSE_LOST`, `TIMED_OUT`, `ABORTED`, `RATE_LIMITED`; its `sent` says
 * whether the service may have acted on the request
 * @throws ServiceError `REDIRECTED` for a POST that is redirected, for a GET that is redirected elsewhere, or in circles
 */
export type Transport = (request: HttpRequest) => Promise<HttpResponse>;

/** One request and the head of its answer, for those who watch. */
export interface Exchange {
  readonly method: string;
  /** Origin and path; no query, where tokens may stand. */
  readonly place: string;
  /** The Content-Type of the request's body, and its length where that is known. */
  readonly sent: { readonly contentType: string; readonly length: number | undefined } | undefined;
  /** Undefined where no answer came. */
  readonly status: number | undefined;
  /** Why no answer came. */
  readonly error: unknown;
  readonly milliseconds: number;
}

export interface TransportOptions {
  /** The only origin that is ever called; see `parseBaseUrl`. */
  readonly base: URL;
  readonly credentials?: Credentials | undefined;
  /** Used in place of `globalThis.fetch`, which is otherwise looked up anew for each call. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /**
   * An undici dispatcher (a ProxyAgent, a MockAgent, an Agent with a CA of its own), used in place of the package's.
   * Without it, whatever but a plain Agent was set by `setGlobalDispatcher` is respected.
   */
  readonly dispatcher?: unknown;
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** How calls that fail are repeated; `false`: not at all. */
  readonly retry?: Partial<RetryPolicy> | false | undefined;
  /**
   * Keeps to the service's limits; `false`: nothing does. Default `createLimiter()` of this transport's own, 4 calls a
   * second and 10,000 a day; none where `base` is this machine or `fetch` is the caller's.
   */
  readonly limiter?: Limiter | false | undefined;
  /** Drives the pauses of retries and limiter, and the total timeout. Default the machine's. */
  readonly clock?: Clock | undefined;
  /** Numbers from 0 to below 1, for the pauses of retries. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Told of each request that was sent, or could not be, and its answer; of redirects and repeated calls each. */
  readonly onExchange?: ((exchange: Exchange) => void) | undefined;
  /** The User-Agent header. Default `ctct-activities`. */
  readonly userAgent?: string | undefined;
}

/** Bytes of a document at most, a page of a feed say. */
export const MOST_DOCUMENT = 64 * 1024 * 1024;
const MOST_REDIRECTS = 3;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/**
 * A way to send requests to one origin. The credentials are put on here, hop by hop, and so never leave that origin.
 *
 * When the environment has `CTCT_OFFLINE=1`, every host but this machine is refused (UsageError `OFFLINE`).
 * @throws UsageError `OPTION_INVALID` for timeouts, retries, credentials or a user agent that cannot be used
 */
export function createTransport(options: TransportOptions): Transport {
  const { base, credentials } = options;
  const timeouts = checkTimeouts(options.timeouts);
  if (credentials !== undefined) checkCredentials(credentials);
  const userAgent = options.userAgent ?? 'ctct-activities';
  if (!/^[ -~]+$/.test(userAgent)) {
    throw new UsageError('OPTION_INVALID', 'userAgent: must be one line of ASCII text');
  }
  const secrets = secretsOf(credentials);
  const { clock = systemClock, random = Math.random } = options;
  const retry = createRetrier(checkRetry(options.retry), clock, random);
  const unlimited = isLoopback(base.hostname) || options.fetch !== undefined;
  const limiter = options.limiter ?? (unlimited ? false : createLimiter({ clock }));

  async function send(request: HttpRequest, url: URL, deadline: number): Promise<Answer> {
    const { method, body, signal } = request;
    const headers: Record<string, string> = { 'user-agent': userAgent, 'accept-encoding': 'identity' };
    for (const [name, value] of Object.entries(request.headers ?? {})) headers[name.toLowerCase()] = value;
    if (body !== undefined) headers['content-type'] = body.contentType;
    const signed = { url: new URL(url.href), headers };
    if (credentials !== undefined) applyCredentials(credentials, signed);
    const shared =
      options.dispatcher === undefined && options.fetch === undefined
        ? await sharedDispatcher(method, timeouts.connect)
        : undefined;
    const hasLeft = limiter === false ? undefined : await turn(limiter, signal);
    const call = callOf(request, url);
    const left = deadline - clock.now();
    if (left <= 0) {
      hasLeft?.();
      const problem = `${call} took longer than ${timeouts.total} ms before it was its turn`;
      throw new TransportError('TIMED_OUT', problem, { sent: 'no' });
    }
    // Of other ways nobody can tell when a request leaves.
    if (shared === undefined) hasLeft?.();
    const own = shared === undefined || hasLeft === undefined ? shared : telling(shared, hasLeft);
    const carrier = { fetch: options.fetch ?? globalThis.fetch, dispatcher: options.dispatcher ?? own };
    const began = clock.now();
    const told = (status: number | undefined, error?: unknown) => {
      const sent = body && { contentType: body.contentType, length: body.length };
      const milliseconds = clock.now() - began;
      options.onExchange?.({ method, place: placeOf(url), sent, status, error, milliseconds });
    };
    try {
      const answer = await exchange(
        { method, ...signed, body, signal, call, secrets, left },
        carrier,
        timeouts,
      );
      told(answer.status);
      return answer;
    } catch (error) {
      told(undefined, error);
      throw error;
    } finally {
      hasLeft?.();
    }
  }

  async function attempt(request: HttpRequest, deadline: number): Promise<HttpResponse> {
    let url = ownUrl(request.url, base);
    for (let redirects = 0; ; redirects++) {
      refuseOffline(url);
      const answer = await send(request, url, deadline);
      if (!isRedirect(answer, request.method)) {
        const response = responseOf(answer, url);
        if (request.whole === undefined || answer.status >= 300) return response;
        return withBytes(response, await response.bytes(request.whole));
      }
      await answer.cancel();
      url = nextHop(request, answer, url, { base, redirects, secrets });
    }
  }

  return (request) => {
    const deadline = timeouts.total === 0 ? Infinity : clock.now() + timeouts.total;
    return retry(request, () => attempt(request, deadline), deadline);
  };
}

/** Resolves when it is the call's turn, to what is told when the call has left. */
async function turn(limiter: Limiter, signal: AbortSignal | undefined): Promise<(() => void) | undefined> {
  if (limiter.begin !== undefined) return limiter.begin(signal);
  await limiter.take(signal);
  return undefined;
}

function ownUrl(url: URL, base: URL): URL {
  if (!isSameOrigin(url, base)) {
    throw new UsageError(
      'FOREIGN_ORIGIN',
      `${placeOf(url)} is not at ${base.origin}, the only place this client talks to`,
    );
  }
  const own = new URL(url.href);
  own.username = '';
  own.password = '';
  own.hash = '';
  return own;
}

function refuseOffline(url: URL) {
  if (process.env.CTCT_OFFLINE !== '1' || isLoopback(url.hostname)) return;
  throw new UsageError(
    'OFFLINE',
    `CTCT_OFFLINE=1 is set, so that ${url.host} is not called; unset it, or use an emulator on this machine`,
  );
}

/** A GET whose redirect names no place is an answer like others; a POST that was redirected is never a success. */
function isRedirect(answer: Answer, method: HttpRequest['method']): boolean {
  return REDIRECTS.includes(answer.status) && (method === 'POST' || answer.headers.has('location'));
}

/** Where a redirect leads, when it may be followed. */
function nextHop(
  request: HttpRequest,
  answer: Answer,
  from: URL,
  { base, redirects, secrets }: { base: URL; redirects: number; secrets: readonly string[] },
): URL {
  const { status } = answer;
  const location = answer.headers.get('location') ?? '';
  const refused = (why: string, place: string) =>
    new ServiceError(
      'REDIRECTED',
      `${callOf(request, from)} was redirected (${status}) to ${place}: ${why}`,
      {
        status,
        detail: place,
      },
    );
  // Portals lead to a place that names the one asked for, in its path even.
  const place = URL.canParse(location, from.href)
    ? redact(placeOf(new URL(location, from.href)), secrets)
    : 'what is no URL';
  if (request.method === 'POST') {
    throw refused('a POST is not sent a second time; if this is the right address, set it as baseUrl', place);
  }
  if (redirects === MOST_REDIRECTS) throw refused(`more than ${MOST_REDIRECTS} redirects`, place);
  try {
    return resolveLink(location, from, base, secrets);
  } catch {
    throw refused(`the credentials stay at ${base.origin}`, place);
  }
}

function responseOf(answer: Answer, url: URL): HttpResponse {
  return {
    ...answer,
    url,
    async bytes(limit = MOST_DOCUMENT) {
      const chunks: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of answer.body) {
        length += chunk.length;
        if (length > limit) throw tooLarge(placeOf(url), limit);
        chunks.push(chunk);
      }
      return Buffer.concat(chunks, length);
    },
  };
}

function callOf(request: HttpRequest, url: URL): string {
  return `${request.method} ${placeOf(url)}`;
}
