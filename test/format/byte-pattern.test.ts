import { expect } from 'chai';
import fc from 'fast-check';

import { BytePattern } from '../../src/format/byte-pattern.js';

describe('BytePattern', () => {
  it('stands where its bytes stand, and nowhere else, whatever surrounds them', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        bytes,
        bytes,
        fc.uint8Array({ maxLength: 5 }),
        fc.nat(30),
        fc.nat(255),
        (pattern, after, before, at, byte) => {
          const whole = Buffer.concat([before, pattern, after, Buffer.alloc(4, 0xaa)]);
          whole[at % (whole.length - 4)] = byte;
          const view = new DataView(whole.buffer, whole.byteOffset, whole.length);
          const there = whole.subarray(before.length, before.length + pattern.length).equals(pattern);
          expect(new BytePattern(pattern).standsAt(view, before.length)).to.equal(there);
          expect(new BytePattern(pattern).length).to.equal(pattern.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});
