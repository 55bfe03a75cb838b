import { expect } from 'chai';
import fc from 'fast-check';

import { XmlEvent, XmlReader } from '../../src/format/xml-reader.js';
import { damagedDocument, writtenDocument } from '../support/xml-documents.js';
import { readXml, type Cut } from '../support/xml-events.js';

/** Chunk sizes in turn, over and over. */
function sizes(list: readonly number[]): Cut {
  let i = 0;
  return () => list[i++ % list.length] ?? 1;
}

describe('XmlReader and the cutting of its input', () => {
  const chunks = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 });

  it('reads the same from well-formed documents however they are cut', () => {
    fc.assert(
      fc.property(writtenDocument, chunks, ({ source, events }, list) => {
        const bytes = Buffer.from(source);
        const whole = readXml(bytes);
        expect(whole.events).to.deep.equal(events);
        expect(readXml(bytes, () => 1)).to.deep.equal(whole);
        expect(readXml(bytes, sizes(list))).to.deep.equal(whole);
      }),
      { numRuns: 300 },
    );
  });

  it('reads the same, and fails the same, from damaged documents however they are cut, within any limits', () => {
    const limits = fc.record({
      depth: fc.integer({ min: 1, max: 5 }),
      attributes: fc.integer({ min: 0, max: 4 }),
      tag: fc.integer({ min: 1, max: 80 }),
      name: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(damagedDocument, chunks, fc.option(limits, { nil: undefined }), (bytes, list, tight) => {
        const options = { limits: tight };
        const whole = readXml(bytes, undefined, options);
        expect(readXml(bytes, () => 1, options)).to.deep.equal(whole);
        expect(readXml(bytes, sizes(list), options)).to.deep.equal(whole);
      }),
      { numRuns: 700 },
    );
  });

  it('says of a document that ends anywhere too early that it is truncated, or names what was wrong before', () => {
    fc.assert(
      fc.property(writtenDocument, fc.nat(), ({ source, events }, at) => {
        const bytes = Buffer.from(source.trimEnd());
        const cut = bytes.subarray(0, at % (bytes.length + 1));
        const { error, events: read } = readXml(cut);
        if (error === undefined) expect(read).to.deep.equal(events);
        else {
          expect(['XML_TRUNCATED', 'XML_NOT_WELL_FORMED']).to.include(error.code);
          // All the whole events before the end are there; only a last text may be shorter.
          expect(read.slice(0, -1)).to.deep.equal(events.slice(0, Math.max(0, read.length - 1)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('reads documents larger than its window, at every alignment of chunks to it', () => {
    const entry = (i: number): string =>
      `<e n="${i}é" m='${'x'.repeat((i * 37) % 300)}'>t${i}\r\n&amp;<![CDATA[<€>]]><!-- ${'-x'.repeat(i % 50)} --><f/>\n</e>`;
    const source = `<r>${Array.from({ length: 3000 }, (_, i) => entry(i)).join('')}</r>`;
    const bytes = Buffer.from(source);
    const whole = readXml(bytes);
    expect(whole.error).to.equal(undefined);
    expect(whole.events.length).to.equal(2 + 3000 * 6);
    for (const size of [1, 4093, 65_535, 65_536, 65_537, 200_000]) {
      expect(
        readXml(bytes, () => size),
        String(size),
      ).to.deep.equal(whole);
    }
  });

  it('counts lines and characters across chunks as in the whole', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('\n', '\r', '\r\n', 'x', 'é', '€', '😀', '<b/>', '<!--\n\r-->'), {
          maxLength: 40,
        }),
        chunks,
        (pieces, list) => {
          const before = `<a>${pieces.join('')}`;
          const lines = before.split(/\r\n|\r|\n/);
          const { error } = readXml(Buffer.from(`${before}& `), sizes(list));
          expect(error?.position).to.deep.equal({
            source: undefined,
            line: lines.length,
            column: Array.from(lines.at(-1) ?? '').length + 1,
            byteOffset: Buffer.byteLength(before),
          });
        },
      ),
    );
  });
});

describe('XmlReader and large input', () => {
  /** Steps of reading, as the number of calls of `read`, and the text that was read. */
  function feed(parts: Iterable<string>): { calls: number; length: number } {
    const reader = new XmlReader();
    let calls = 0;
    let length = 0;
    const drain = (): void => {
      for (;;) {
        calls++;
        const event = reader.read();
        if (event === XmlEvent.Text) length += reader.text.length;
        if (event === XmlEvent.StartElement) length += reader.attribute('b')?.length ?? 0;
        if (event === XmlEvent.NeedBytes || event === XmlEvent.EndDocument) return;
      }
    };
    for (const part of parts) {
      reader.push(Buffer.from(part));
      drain();
    }
    reader.end();
    drain();
    return { calls, length };
  }

  function* pieces(start: string, piece: string, count: number, end: string): Generator<string> {
    yield start;
    for (let i = 0; i < count; i++) yield piece;
    yield end;
  }

  // 10 MB in pieces of 1 KB each: anything quadratic would take minutes, and the test would time out.
  const piece = '0123456789abcde\n'.repeat(64);
  const COUNT = 10_240;

  it('passes a huge text on in pieces', () => {
    const { calls, length } = feed(pieces('<a>', piece, COUNT, '</a>'));
    expect(length).to.equal(piece.length * COUNT);
    expect(calls).to.be.below(3 * COUNT);
  });

  it('passes a huge CDATA section on in pieces', () => {
    expect(feed(pieces('<a><![CDATA[', piece, COUNT, ']]></a>')).length).to.equal(piece.length * COUNT);
  });

  it('passes over huge comments and instructions', () => {
    expect(feed(pieces('<a><!--', piece, COUNT, '--></a>')).length).to.equal(0);
    expect(feed(pieces('<a><?x ', piece, COUNT, '?></a>')).length).to.equal(0);
  });

  it('reads one huge tag byte by byte without reading it again and again', () => {
    const value = '>'.repeat(1_000_000);
    expect(feed(`<a b='${value}'/>`).length).to.equal(value.length);
  });

  it('takes many small chunks at once', () => {
    const reader = new XmlReader();
    for (const byte of Buffer.from(`<a>${'x'.repeat(300_000)}</a>`)) reader.push(Uint8Array.of(byte));
    reader.end();
    let length = 0;
    for (let event = reader.read(); event !== XmlEvent.EndDocument; event = reader.read()) {
      if (event === XmlEvent.Text) length += reader.text.length;
    }
    expect(length).to.equal(300_000);
  });
});
