import { TransportError } from '../activity/errors.js';
import { placeOf } from './origin.js';
import type { HttpResponse } from './transport.js';

/** The answer with its body as it has been read already. It may be read any number of times. */
export function withBytes(response: HttpResponse, bytes: Uint8Array): HttpResponse {
  return {
    ...response,
    bytes: (limit = Infinity) =>
      bytes.length <= limit ? Promise.resolve(bytes) : Promise.reject(tooLarge(placeOf(response.url), limit)),
    body: {
      async *[Symbol.asyncIterator]() {
        await Promise.resolve();
        yield bytes;
      },
    },
  };
}

/** @param place such as `https://api.constantcontact.com/ws/…`, which the answer came from */
export function tooLarge(place: string, limit: number): TransportError {
  const problem = `the answer of ${place} is larger than ${limit} bytes`;
  return new TransportError('RESPONSE_TOO_LARGE', problem, { sent: 'maybe' });
}
