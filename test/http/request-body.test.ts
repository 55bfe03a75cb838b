import { expect } from 'chai';
import fc from 'fast-check';
import { readRequestBody } from '../../src/http/request-body.js';
import { rejection } from './loopback.js';

const LIMIT = 500;

function request(chunks: readonly Uint8Array[], announced: string | undefined): Request {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const headers = announced === undefined ? {} : { 'content-length': announced };
  return new Request('http://127.0.0.1/', { method: 'POST', headers, body, duplex: 'half' });
}

describe('the body of a request', () => {
  it('is all that came, whatever length was announced, and is refused beyond the limit', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 120 }), { maxLength: 8 }),
        fc.option(fc.oneof(fc.nat(LIMIT).map(String), fc.constantFrom('', 'x', '-1', '1.5')), {
          nil: undefined,
        }),
        async (chunks, announced) => {
          const whole = Buffer.concat(chunks);
          const read = readRequestBody(request(chunks, announced), LIMIT);
          if (whole.length > LIMIT) expect(await rejection(read)).to.include({ status: 413 });
          else expect(Buffer.from(await read).equals(whole)).to.equal(true);
        },
      ),
    ));

  it('is not read when it says itself that it is too large', async () => {
    const never = new Request('http://127.0.0.1/', {
      method: 'POST',
      headers: { 'content-length': String(LIMIT + 1) },
      body: new ReadableStream(),
      duplex: 'half',
    });
    expect(await rejection(readRequestBody(never, LIMIT))).to.include({ status: 413 });
  });

  it('may be none', async () => {
    expect(await readRequestBody(new Request('http://127.0.0.1/'), LIMIT)).to.have.length(0);
  });
});
