import { expect } from 'chai';
import fc from 'fast-check';
import { decodeBytes, invalidUtf8Offset, unfinishedUtf8, WINDOWS_1252 } from '../../src/format/charset.js';

/** Bytes that are nearly UTF-8. */
const bytes = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 4 }).map((text) => Buffer.from(text)),
      fc.uint8Array({ minLength: 1, maxLength: 3 }).map((some) => Buffer.from(some)),
      fc.constantFrom(...['é', '€', '😀'].map((text) => Buffer.from(text).subarray(0, -1))),
    ),
    { maxLength: 5 },
  )
  .map((pieces) => Buffer.concat(pieces));

/** By the platform's decoder: the text, or undefined where it is no UTF-8. */
function strict(some: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(some);
  } catch {
    return undefined;
  }
}

describe('the characters of a file', () => {
  it('are UTF-8 where they can be, else windows-1252', () => {
    fc.assert(
      fc.property(bytes, (some) => {
        const latin = [...some].map((byte) =>
          byte >= 0x80 && byte < 0xa0 ? WINDOWS_1252.charAt(byte - 0x80) : String.fromCharCode(byte),
        );
        expect(decodeBytes(some)).to.equal(strict(some) ?? latin.join(''));
      }),
    );
    expect(WINDOWS_1252).to.have.length(32);
    expect(decodeBytes(Uint8Array.of(0x80, 0x9f, 0xa0, 0xe9, 0x41))).to.equal('€Ÿ\u00a0éA');
  });

  it('are no UTF-8 from the first byte on that no whole character begins at', () => {
    fc.assert(
      fc.property(bytes, (some) => {
        const at = invalidUtf8Offset(some);
        if (at === undefined) expect(strict(some)).to.not.equal(undefined);
        else {
          expect(strict(some)).to.equal(undefined);
          expect(strict(some.subarray(0, at)), 'before').to.not.equal(undefined);
          for (let length = 1; length <= 4; length++) {
            if (at + length <= some.length)
              expect(strict(some.subarray(at, at + length))).to.equal(undefined);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('that are cut in two are kept for the next chunk, and no more', () => {
    const text = fc.array(
      fc.constantFrom('a', 'é', '€', '😀', '\u0080', '\u07ff', '\u0800', '\uffff', '\u{10000}'),
    );
    fc.assert(
      fc.property(text, fc.nat(), (characters, place) => {
        const whole = Buffer.from(characters.join(''));
        const chunk = whole.subarray(0, place % (whole.length + 1));
        const left = unfinishedUtf8(chunk);
        expect(strict(chunk.subarray(0, chunk.length - left)), 'before').to.not.equal(undefined);
        // No character can be made whole without what is left.
        for (let back = 0; back < left; back++) {
          expect(strict(chunk.subarray(0, chunk.length - back))).to.equal(undefined);
        }
      }),
      { numRuns: 300 },
    );
    expect(unfinishedUtf8(Uint8Array.of(0x80, 0x80, 0x80, 0x80))).to.equal(0);
    expect(unfinishedUtf8(Uint8Array.of(0xf0, 0x80, 0x80, 0x80))).to.equal(0);
    expect(unfinishedUtf8(new Uint8Array())).to.equal(0);
  });
});
