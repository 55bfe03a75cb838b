import { expect } from 'chai';
import { serve } from '../../src/http/serve.js';
import { wholeBody, wholeResponse } from '../../src/http/whole.js';

const BYTES = Buffer.from('{"name":"Zoë"}');
const INIT = { status: 201, statusText: 'Made', headers: { 'content-type': 'application/json', 'x-a': 'b' } };

describe('wholeResponse', () => {
  it('reads as any Response does', async () => {
    const make = () => [wholeResponse(BYTES, INIT), new Response(BYTES, INIT)] as const;
    const [whole, usual] = make();
    expect(whole).to.be.instanceOf(Response);
    expect([whole.status, whole.statusText, whole.ok, [...whole.headers]]).to.deep.equal([
      usual.status,
      usual.statusText,
      usual.ok,
      [...usual.headers],
    ]);
    for (const read of [
      async (response: Response) => response.text(),
      async (response: Response) => response.json(),
      async (response: Response) => Buffer.from(await response.arrayBuffer()),
      async (response: Response) => {
        const blob = await response.blob();
        return [blob.type, blob.size];
      },
      async (response: Response) => response.clone().text(),
      async (response: Response) => new Response(response.body, response).text(),
    ]) {
      const [mine, theirs] = make();
      expect(mine.bodyUsed).to.equal(false);
      expect(await read(mine)).to.deep.equal(await read(theirs));
      expect(mine.bodyUsed).to.equal(theirs.bodyUsed);
      expect(wholeBody(mine)).to.equal(undefined);
    }
    const twice = wholeResponse(BYTES);
    await twice.text();
    const error: unknown = await twice.text().catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(TypeError);
  });

  it('gives its bytes to servers, as long as nobody reads it', () => {
    expect(wholeBody(wholeResponse(BYTES))).to.equal(BYTES);
    expect(wholeBody(new Response('x'))).to.equal(undefined);
  });

  it('is served with its status, headers and length, and to HEAD without its body', async () => {
    const server = await serve(() => Promise.resolve(wholeResponse(BYTES, INIT)));
    try {
      const answer = await fetch(server.url);
      expect([answer.status, answer.headers.get('x-a'), answer.headers.get('content-length')]).to.deep.equal([
        201,
        'b',
        String(BYTES.length),
      ]);
      expect(Buffer.from(await answer.arrayBuffer())).to.deep.equal(BYTES);
      const head = await fetch(server.url, { method: 'HEAD' });
      expect([head.headers.get('content-length'), await head.text()]).to.deep.equal([
        String(BYTES.length),
        '',
      ]);
    } finally {
      await server.close();
    }
  });
});
