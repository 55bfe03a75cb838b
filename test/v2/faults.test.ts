import { expect } from 'chai';
import fc from 'fast-check';
import {
  DecodeError,
  ServiceError,
  TransportError,
  UnsupportedError,
  UsageError,
} from '../../src/activity/errors.js';
import type { HttpResponse } from '../../src/http/transport.js';
import { decodeFault, encodeFault } from '../../src/v2/faults.js';
import { complaints } from './schemas.js';

async function received(response: Response): Promise<HttpResponse> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  return {
    status: response.status,
    headers: response.headers,
    url: new URL('https://api.constantcontact.com/v2/activities'),
    body: {
      async *[Symbol.asyncIterator]() {
        await Promise.resolve();
        yield bytes;
      },
    },
    bytes: () => Promise.resolve(bytes),
    cancel: () => Promise.resolve(),
  };
}

const CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED',
  404: 'NOT_FOUND',
  410: 'NOT_FOUND',
  429: 'RATE_LIMITED',
};

describe('v2 faults', () => {
  it('decodeFault(encodeFault(error)) is the error, its status, code, words and time to wait', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 418, 429, 500, 501, 502, 503, 504),
        // On one line, and no HTML page: of those decodeFault says what they look like.
        fc
          .stringMatching(/^[!-;=-~]([ -~]{0,40}[!-~])?$/)
          .filter((text) => !/over[._ ]?(rate|qps)/i.test(text)),
        fc.option(fc.nat({ max: 1000 }), { nil: undefined }),
        async (status, detail, retryAfter) => {
          const answer = encodeFault(
            new ServiceError('SERVICE_REFUSED', detail, { status, detail, retryAfter }),
          );
          expect(complaints('errors', await answer.clone().json())).to.equal('');
          const error = await decodeFault(await received(answer), 'GET of x', (text) => text, 0);
          expect([error.status, error.detail, error.retryAfter]).to.deep.equal([status, detail, retryAfter]);
          expect(error.message)
            .to.match(/^GET of x: \d{3} /)
            .and.to.include(detail);
          const code = CODES[status] ?? (status < 500 ? 'SERVICE_REFUSED' : 'SERVICE_FAILED');
          expect(error.code).to.equal(code);
        },
      ),
    );
  });

  it('errors of the request are 400 with their words, of the service behind 502, all others 500 without', async () => {
    for (const [error, status, key, says] of [
      [new UsageError('LIST_REQUIRED', 'lists: none'), 400, 'http.status.bad_request', 'lists: none'],
      [new UnsupportedError('fileType: no'), 400, 'http.status.bad_request', 'fileType: no'],
      [new DecodeError('BODY_TOO_LARGE', 'large'), 413, 'http.status.request_entity_too_large', 'large'],
      [
        new TransportError('RESPONSE_LOST', 'lost', { sent: 'maybe' }),
        502,
        'http.status.internal_server_error',
        'lost',
      ],
      [new Error('s3cret'), 500, 'http.status.internal_server_error', 'The request could not be answered.'],
      ['s3cret', 500, 'http.status.internal_server_error', 'The request could not be answered.'],
    ] as const) {
      const answer = encodeFault(error);
      expect(answer.status).to.equal(status);
      expect(await answer.json()).to.deep.equal([{ error_key: key, error_message: says }]);
    }
  });

  it('words that begin with a key of v2 have it as their key', async () => {
    const detail = 'json.max.items.violation:#/lists: 2 items were contained';
    const [fault] = (await encodeFault(
      new ServiceError('SERVICE_REFUSED', detail, { status: 400, detail }),
    ).json()) as {
      error_key: string;
    }[];
    expect(fault?.error_key).to.equal('json.max.items.violation');
  });
});
