import { ServiceError } from '../activity/errors.js';
import type { FetchHandler } from '../http/serve.js';
import type { Pace } from './pace.js';

/** The largest request, in bytes, where nobody says. */
export const MOST_EACH = 64 * 1024 * 1024;
/** Bytes of requests that are read at once, where nobody says. */
export const MOST_AT_ONCE = 256 * 1024 * 1024;

export interface Room {
  /** Bytes of request bodies that may be in memory at once. */
  readonly most: number;
  /** The largest body taken, which is what one that does not say its length is counted as. */
  readonly mostEach: number;
  /** One piece of all bodies is read in a turn. */
  readonly pace: Pace;
}

/**
 * The handler, whose requests have bodies that are read as far as there is room for them, a piece of one of them in each
 * turn of the event loop. Room is taken by who reads a body, not by who only sends one.
 */
export function bounded(handler: FetchHandler, { most, mostEach, pace }: Room): FetchHandler {
  let taken = 0;
  return async (request, peer) => {
    if (request.method === 'GET' || request.method === 'HEAD') return handler(request, peer);
    // Many that come at once would fill a turn of the event loop with their beginnings.
    await pace.turn();
    const { url, method, headers, signal, body: sent } = request;
    if (sent === null) return handler(request, peer);
    const bytes = sizeOf(headers, mostEach);
    let mine = 0;
    async function* read(chunks: AsyncIterable<Uint8Array>) {
      if (taken > 0 && taken + bytes > most) throw full();
      mine = bytes;
      taken += mine;
      // Many that send at once would fill a turn of the event loop with what they sent.
      for await (const chunk of chunks) {
        await pace.turn();
        yield chunk;
      }
    }
    try {
      const body = ReadableStream.from(read(sent));
      return await handler(new Request(url, { method, headers, signal, body, duplex: 'half' }), peer);
    } finally {
      taken -= mine;
    }
  };
}

function sizeOf(headers: Headers, mostEach: number): number {
  const length = Number(headers.get('content-length') ?? mostEach);
  return Number.isFinite(length) ? Math.min(length, mostEach) : mostEach;
}

function full(): ServiceError {
  const detail = 'Too many uploads at once; try again in 10 seconds';
  return new ServiceError('SERVICE_FAILED', detail, { status: 503, detail, retryAfter: 10 });
}
