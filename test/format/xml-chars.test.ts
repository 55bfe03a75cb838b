import { expect } from 'chai';
import fc from 'fast-check';

import {
  bytesBefore,
  CLASSES,
  isReference,
  firstBytes,
  replaceReferences,
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

  it('is no reference where one character is another', () => {
    const names = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
    const is = (text: string) => {
      const bytes = Buffer.from(`&${text};`);
      return isReference(bytes, 1, bytes.length - 1);
    };
    for (const [name, character] of Object.entries(names)) {
      expect(resolveReference(name)).to.equal(character);
      expect(is(name)).to.equal(true);
      for (let at = 0; at < name.length; at++) {
        for (let code = 0x21; code < 0x7f; code++) {
          const near = name.slice(0, at) + String.fromCharCode(code) + name.slice(at + 1);
          expect(is(near), near).to.equal(Object.hasOwn(names, near));
          expect(resolveReference(near) !== undefined, near).to.equal(Object.hasOwn(names, near));
        }
      }
    }
    for (let code = 0x20; code < 0x7f; code++) {
      const digit = String.fromCharCode(code);
      for (const text of [`#4${digit}`, `#${digit}9`, `#x2${digit}`, `#x${digit}1`, `#x4${digit}a`]) {
        const exists = text.startsWith('#x') ? /^#x[0-9A-Fa-f]+$/.test(text) : /^#[0-9]+$/.test(text);
        const number = Number.parseInt(text.replace(/^#x?/, ''), text.startsWith('#x') ? 16 : 10);
        const isCharacter = exists && (number >= 0x20 || [9, 10, 13].includes(number));
        expect(is(text), text).to.equal(isCharacter);
        expect(resolveReference(text), text).to.equal(isCharacter ? String.fromCodePoint(number) : undefined);
      }
    }
  });

  it('is replaced by its character, and what is none stays as it is', () => {
    const piece = fc.constantFrom(
      'a',
      '&',
      ';',
      '&amp;',
      '&lt;',
      '&#65;',
      '&#x42;',
      '&none;',
      '&;',
      '#65;',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join('');
        const replaced = text.replace(
          /&([^;&]*);/g,
          (whole, name: string) => resolveReference(name) ?? whole,
        );
        expect(replaceReferences(text)).to.equal(replaced);
      }),
    );
  });
});
