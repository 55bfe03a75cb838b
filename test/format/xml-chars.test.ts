import { expect } from 'chai';
import fc from 'fast-check';

import {
  bytesBefore,
  CLASSES,
  isReference,
  firstBytes,
  resolveReference,
  TEXT,
  textStops,
  valueStops,
} from '../../src/format/xml-chars.js';

const NO_VALUE = [...Buffer.from('"&\'<')];
const is = (byte: number, kind: number): boolean => ((CLASSES[byte] ?? 0) & kind) !== 0;

/** @param first -1: none of the four bytes. */
function expectStop(stops: number, first: number): void {
  if (first < 0) expect(stops).to.equal(0);
  else {
    expect(stops).to.not.equal(0);
    expect(bytesBefore(stops)).to.equal(first);
  }
}

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
        const isPlain = (one: number): boolean => is(one, TEXT) && one !== 0x09 && one !== 0x0a;
        expectStop(
          textStops(word),
          bytes.findIndex((one) => !isPlain(one)),
        );
        expectStop(
          valueStops(word),
          bytes.findIndex((one) => one < 0x20 || NO_VALUE.includes(one)),
        );
      }),
      { numRuns: 5000 },
    );
  });

  it('keeps the lowest bytes of a word', () => {
    const bytes = [0x81, 0x42, 0xc3, 0x44];
    const word = Buffer.from(bytes).readInt32LE();
    for (const count of [0, 1, 2, 3]) {
      const kept = Buffer.alloc(4);
      kept.writeInt32LE(firstBytes(word, count));
      expect([...kept]).to.deep.equal(bytes.map((byte, i) => (i < count ? byte : 0)));
    }
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
