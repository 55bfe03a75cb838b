import { TransportError, UsageError, type CtctError } from '../activity/errors.js';
import type { RequestBody } from '../format/body.js';
import { unlessAborted } from './abort.js';
import { startCutoff, type Cutoff } from './cutoff.js';
import { failureOf } from './failures.js';
import type { Timeouts } from './timeouts.js';
import { isSmall, openUpload } from './upload.js';

/** One request, ready to be sent as it is. */
export interface Outgoing {
  readonly method: 'GET' | 'POST';
  /** With the credentials, where they belong into the query. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RequestBody | undefined;
  readonly signal: AbortSignal | undefined;
  /** The request as messages name it: `GET https://…`, without query. */
  readonly call: string;
  /** Texts that must not appear in an error. */
  readonly secrets: readonly string[];
  /** Milliseconds after which the whole call must be over; Infinity for no limit. */
  readonly left: number;
}

/** What carries a request. */
export interface Carrier {
  readonly fetch: typeof globalThis.fetch;
  readonly dispatcher: unknown;
}

/** An answer whose body is still to be read, once, or cancelled. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AsyncIterable<Uint8Array>;
  cancel(): Promise<void>;
}

/**
 * Sends one request and returns the head of its answer; no redirect is followed.
 * @throws TransportError `REQUEST_NOT_SENT`, `RESPONSE_LOST`, `TIMED_OUT` or `ABORTED`; whatever error of this package
 * the body's source throws. The iteration of the answer's body throws the same.
 */
export async function exchange(outgoing: Outgoing, carrier: Carrier, timeouts: Timeouts): Promise<Answer> {
  const { call, secrets } = outgoing;
  const cutoff = startCutoff(call, timeouts, outgoing.left, outgoing.signal);
  let waiting = false;
  let answered = false;
  const upload =
    outgoing.body === undefined
      ? undefined
      : openUpload(outgoing.body, call, () => {
          if (waiting) cutoff.headers.start();
        });

  function finish() {
    cutoff.release();
    upload?.release();
  }
  function failure(error: unknown): CtctError {
    if (cutoff.signal.aborted) return cutoff.error();
    return upload?.failure() ?? failureOf(error, call, answered, secrets);
  }

  try {
    const response = await unlessAborted(
      cutoff.signal,
      async () => {
        const body = isSmall(outgoing.body) ? await upload?.bytes() : upload?.stream;
        cutoff.signal.throwIfAborted();
        cutoff.requestGoesOut();
        waiting = true;
        cutoff.headers.start();
        const late = await carrier.fetch(
          outgoing.url.href,
          requestInit(outgoing, body, carrier, cutoff.signal),
        );
        // A fetch that heeds no signal may answer when nobody waits any more.
        if (cutoff.signal.aborted) await late.body?.cancel();
        return late;
      },
      () => cutoff.error(),
    );
    waiting = false;
    answered = true;
    cutoff.headers.stop();
    return answerOf(response, call, cutoff, failure, finish);
  } catch (error) {
    finish();
    throw failure(error);
  }
}

function answerOf(
  response: Response,
  call: string,
  cutoff: Cutoff,
  failure: (error: unknown) => CtctError,
  finish: () => void,
): Answer {
  const reader: Reader | undefined = response.body?.getReader();
  const headers = plainHeaders(response.headers);
  const announced = reader === undefined ? null : headers.get('content-length');
  const most = mostUnpacked(response.headers);
  let opened = false;
  let ended = false;
  if (reader === undefined) finish();
  cutoff.signal.addEventListener('abort', () => void release(), { once: true });

  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    let received = 0;
    try {
      while (reader !== undefined) {
        cutoff.bodyIdle.start();
        const { done, value } = await reader.read();
        cutoff.bodyIdle.stop();
        // A cancelled reader ends like one that has read everything.
        cutoff.signal.throwIfAborted();
        if (done) break;
        received += value.length;
        if (received > most) {
          const problem = `the answer to ${call} unpacks to more than ${most} bytes, out of all proportion`;
          throw new TransportError('RESPONSE_TOO_LARGE', problem, { sent: 'maybe' });
        }
        yield value;
      }
      if (announced !== null && received < Number(announced)) {
        const outcome = `was answered in part: ${received} of ${announced} bytes came`;
        throw new TransportError('RESPONSE_LOST', `${call} ${outcome}`, { sent: 'maybe' });
      }
    } catch (error) {
      throw failure(error);
    } finally {
      await release();
    }
  }

  async function release() {
    ended = true;
    finish();
    await reader?.cancel().catch(() => undefined);
  }

  async function cancel() {
    // Whoever is still reading must not take this for the end of the body.
    if (!ended) cutoff.abort('was cancelled before its answer was read');
    await release();
  }

  return {
    status: response.status,
    headers,
    cancel,
    body: {
      [Symbol.asyncIterator]() {
        if (opened) {
          throw new UsageError('OPTION_INVALID', `the body of the answer to ${call} can be read only once`);
        }
        opened = true;
        return read();
      },
    },
  };
}

function requestInit(
  outgoing: Outgoing,
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined,
  { dispatcher }: Carrier,
  signal: AbortSignal,
): RequestInit {
  const { method, headers } = outgoing;
  const init: RequestInit = { method, headers, redirect: 'manual', signal };
  if (dispatcher !== undefined) init.dispatcher = dispatcher as NonNullable<RequestInit['dispatcher']>;
  if (body === undefined) return init;
  if (body instanceof Uint8Array) return { ...init, body };
  // fetch knows the length of bytes, and would send a second header beside ours; of a stream it does not.
  const length = outgoing.body?.length;
  if (length !== undefined) init.headers = { ...headers, 'content-length': String(length) };
  return { ...init, body, duplex: 'half' };
}

/** Contact files pack to a tenth of their size, feeds to a fiftieth; only what is made for it to a thousandth. */
const MOST_RATIO = 200;
/** What may be unpacked from however little. */
const LEAST_ROOM = 16 * 1024 * 1024;
/** What may be unpacked where it is not said from how much. */
const ROOM = 256 * 1024 * 1024;

/** How many bytes an answer may unpack to, which nobody asked to be packed. */
function mostUnpacked(headers: Headers): number {
  if (!isPacked(headers)) return Infinity;
  const packed = headers.get('content-length');
  return packed === null ? ROOM : Math.max(LEAST_ROOM, Number(packed) * MOST_RATIO);
}

function isPacked(headers: Headers): boolean {
  const coding = headers.get('content-encoding');
  return coding !== null && coding.toLowerCase() !== 'identity';
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** The headers that still hold for the bytes a reader gets: fetch decompresses, and leaves the old length standing. */
function plainHeaders(headers: Headers): Headers {
  if (!isPacked(headers)) return headers;
  const plain = new Headers(headers);
  plain.delete('content-encoding');
  plain.delete('content-length');
  return plain;
}
