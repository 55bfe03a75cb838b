import { expect } from 'chai';
import { getFile } from '../../src/http/get-file.js';
import type { HttpResponse } from '../../src/http/transport.js';

const url = new URL('https://api.constantcontact.com/ws/customers/joe/activities/a07e1.csv');
const DATE = 'Tue, 29 Apr 2008 19:30:00 GMT';
const LATER = 'Wed, 30 Apr 2008 19:30:00 GMT';
const WHOLE = { status: 200, headers: { 'content-length': '10' } };

/** What `getFile` makes of a part in answer to a resume, and what it asked for. */
async function resumed(validator: string, headers: Record<string, string>, offset = 4) {
  const asked: Readonly<Record<string, string>>[] = [];
  let cancelled = 0;
  const get = (sent: Readonly<Record<string, string>>) => {
    asked.push(sent);
    const answer = 'range' in sent ? { status: 206, headers } : WHOLE;
    const response: HttpResponse = {
      ...answer,
      headers: new Headers(answer.headers),
      url,
      body: { [Symbol.asyncIterator]: () => expect.fail('the body was read') },
      bytes: () => expect.fail('the body was read'),
      cancel: () => {
        cancelled++;
        return Promise.resolve();
      },
    };
    return Promise.resolve(response);
  };
  const file = await getFile(get, { offset, validator });
  return { offset: file.offset, validator: file.validator, asked, cancelled };
}

describe('getFile', () => {
  const range = { 'content-range': 'bytes 4-9/10' };

  it('takes the rest of the file that the validator stands for', async () => {
    for (const [validator, headers] of [
      ['"1"', { ...range, etag: '"1"' }],
      ['"1"', range],
      [DATE, { ...range, 'last-modified': DATE }],
      [DATE, range],
      [DATE, { ...range, etag: '"1"' }],
    ] as const) {
      expect(await resumed(validator, headers)).to.deep.equal({
        offset: 4,
        validator,
        asked: [{ range: 'bytes=4-', 'if-range': validator }],
        cancelled: 0,
      });
    }
  });

  it('asks for the whole where the rest is of another file, or another part, though the service heeds no If-Range', async () => {
    for (const [validator, headers] of [
      ['"1"', { ...range, etag: '"2"' }],
      ['"1"', { ...range, etag: 'W/"1"' }],
      [DATE, { ...range, 'last-modified': LATER }],
      ['"1"', { 'content-range': 'bytes 3-9/10' }],
      ['"1"', { 'content-range': 'bytes 5-9/10' }],
      ['"1"', { 'content-range': 'bytes 4-8/10' }],
      ['"1"', { 'content-range': 'bytes 4-9/*' }],
      ['"1"', { 'content-range': 'bytes 4-12/10' }],
      ['"1"', { 'content-range': 'items 4-9/10' }],
      ['"1"', {}],
    ] as [string, Record<string, string>][]) {
      const { offset, asked, cancelled } = await resumed(validator, headers);
      expect([offset, asked.at(-1), asked.length, cancelled], JSON.stringify(headers)).to.deep.equal([
        0,
        {},
        2,
        1,
      ]);
    }
  });
});
