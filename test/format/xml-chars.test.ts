import { expect } from 'chai';
import fc from 'fast-check';

import {
  CLASSES,
  isReference,
  isTextWord,
  isValueWord,
  resolveReference,
  TEXT,
  VALUE,
} from '../../src/format/xml-chars.js';

const is = (byte: number, kind: number): boolean => ((CLASSES[byte] ?? 0) & kind) !== 0;

describe('what bytes of XML may be', () => {
  it('is told of four at once as of each, but for tabs and line feeds', () => {
    const interesting = fc.constantFrom(
      ...Buffer.from('\0\t\n\r\x1f !"#%&\'(;<=>[\\]^az\x7f'),
      0x80,
      0x9c,
      0xa6,
      0xdd,
      0xff,
    );
    const byte = fc.oneof(interesting, fc.nat(255));
    fc.assert(
      fc.property(fc.tuple(byte, byte, byte, byte), (bytes) => {
        const word = Buffer.from(bytes).readInt32LE();
        const plain = bytes.every((one) => one !== 0x09 && one !== 0x0a);
        expect(isTextWord(word)).to.equal(plain && bytes.every((one) => is(one, TEXT)));
        expect(isValueWord(word)).to.equal(bytes.every((one) => is(one, VALUE)));
      }),
      { numRuns: 5000 },
    );
  });

  it('is a reference exactly where it resolves to a character', () => {
    const text = fc.oneof(
      fc.constantFrom(
        'amp',
        'lt',
        'gt',
        'quot',
        'apos',
        'nbsp',
        'am',
        'ltt',
        '',
        '#',
        '#x',
        '#38',
        '#x26',
        '#X26',
        '#0',
        '#xD800',
      ),
      fc.constantFrom(
        '#x10FFFF',
        '#x110000',
        '#xFFFE',
        '#9',
        '#11',
        '#99999999999999999999',
        '#12a',
        '#x1g',
        '#-1',
      ),
      fc.string({ maxLength: 6 }).map((rest) => `#${rest.replace(/[^\x20-\x7e]/g, '')}`),
      fc.nat(0x120000).map((code) => `#x${code.toString(16)}`),
    );
    fc.assert(
      fc.property(text, (reference) => {
        const bytes = Buffer.from(`&${reference};`);
        expect(isReference(bytes, 1, bytes.length - 1)).to.equal(resolveReference(reference) !== undefined);
      }),
      { numRuns: 2000 },
    );
  });
});
