import type { FetchHandler } from '../http/serve.js';
import type { Pace } from './pace.js';

export interface Room {
  /** Bytes of request bodies that may be in memory at once. */
  readonly most: number;
  /** The largest body taken, which is what one that does not say its length is counted as. */
  readonly mostEach: number;
  /** What is read is looked at one after the other. */
  readonly pace: Pace;
}

/** The handler, as far as there is room for the bodies of what it is asked: else 503. */
export function bounded(handler: FetchHandler, { most, mostEach, pace }: Room): FetchHandler {
  let taken = 0;
  return async (request, peer) => {
    if (request.body === null) return handler(request, peer);
    const length = Number(request.headers.get('content-length') ?? mostEach);
    const bytes = Number.isFinite(length) ? Math.min(length, mostEach) : mostEach;
    if (taken > 0 && taken + bytes > most) return full();
    taken += bytes;
    try {
      return await handler(paced(request, request.body, pace), peer);
    } finally {
      taken -= bytes;
    }
  };
}

/** The request, whose body comes to its end when it is its turn to be looked at. */
function paced(
  { url, method, headers, signal }: Request,
  body: AsyncIterable<Uint8Array>,
  pace: Pace,
): Request {
  async function* chunks() {
    yield* body;
    await pace.turn();
  }
  return new Request(url, { method, headers, signal, body: ReadableStream.from(chunks()), duplex: 'half' });
}

function full(): Response {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '10' };
  return new Response('Too many uploads at once; try again in 10 seconds\n', { status: 503, headers });
}
