import { expect } from 'chai';
import fc from 'fast-check';
import { bytesBody } from '../../src/format/body.js';

describe('bytesBody', () => {
  it('is the bytes, as often as it is opened', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.uint8Array(), async (contentType, bytes) => {
        const body = bytesBody(contentType, bytes);
        expect(body).to.include({ contentType, length: bytes.length, replayable: true });
        for (let opening = 0; opening < 2; opening++) {
          const read: Uint8Array[] = [];
          for await (const chunk of body.open()) read.push(chunk);
          expect(Buffer.concat(read)).to.deep.equal(Buffer.from(bytes));
        }
      }),
    );
  });
});
