import { expect } from 'chai';
import fc from 'fast-check';

import { DecodeError } from '../../src/activity/errors.js';
import { leafTable, XmlEvent, XmlReader, XmlVocabulary } from '../../src/format/xml-reader.js';
import { damagedDocument, writtenDocument } from '../support/xml-documents.js';

const vocabulary = new XmlVocabulary();
// Names that the documents use.
const LEAVES = ['', 'urn:p', 'urn:q?a&b'].flatMap((namespace) =>
  ['a', 'Errors', '_', 'x-1.2', '日本', 'toString'].map((local) => vocabulary.name(namespace, local)),
);

interface Options {
  readonly leaves: boolean;
  readonly sizes: readonly number[];
  readonly longestLeaf?: number;
}

/** The events as text, adjacent texts joined, a leaf told as the three events it stands for; then the error. */
function read(bytes: Buffer, { leaves, sizes, longestLeaf }: Options): readonly string[] {
  const reader = new XmlReader({ vocabulary, leaves: leaves ? leafTable(LEAVES) : undefined, longestLeaf });
  const events: string[] = [];
  let text = '';
  const add = (event: string): void => {
    if (text !== '') events.push(`text ${JSON.stringify(text)}`);
    text = '';
    events.push(event);
  };
  const attributes = (): string =>
    Array.from(
      { length: reader.attributeCount },
      (_, i) => `${reader.attributeName(i).local}=${reader.attributeValue(i)}`,
    ).join();
  const { name } = { name: (): string => `{${reader.name.namespace}}${reader.name.local} ${reader.depth}` };
  let at = 0;
  try {
    for (let i = 0; ;) {
      switch (reader.read()) {
        case XmlEvent.NeedBytes: {
          const chunk = bytes.subarray(at, at + (sizes[i++ % sizes.length] ?? 1));
          at += chunk.length;
          if (chunk.length === 0) reader.end();
          else reader.push(chunk);
          break;
        }
        case XmlEvent.Leaf:
          add(`start ${name()} ${attributes()}`);
          expect(reader.commonText).to.equal(reader.text);
          text = reader.text;
          add(`end ${name()} at ${JSON.stringify(reader.position)} behind ${reader.byteOffset}`);
          break;
        case XmlEvent.StartElement:
          add(`start ${name()} ${attributes()}`);
          break;
        case XmlEvent.Text:
          text += reader.text;
          break;
        case XmlEvent.EndElement:
          add(`end ${name()} at ${JSON.stringify(reader.position)} behind ${reader.byteOffset}`);
          break;
        case XmlEvent.EndDocument:
          add('end');
          return events;
      }
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    // A text before an error may be cut off anywhere.
    text = '';
    add(error.message);
    return events;
  }
}

describe('XmlReader with leaves', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 });
  const whole = [1_000_000];

  it('tells the same in fewer events, however the document is cut', () => {
    fc.assert(
      fc.property(writtenDocument, sizes, fc.nat(12), ({ source }, list, longestLeaf) => {
        const bytes = Buffer.from(source);
        const expected = read(bytes, { leaves: false, sizes: whole });
        expect(read(bytes, { leaves: true, sizes: whole })).to.deep.equal(expected);
        expect(read(bytes, { leaves: true, sizes: list })).to.deep.equal(expected);
        expect(read(bytes, { leaves: true, sizes: whole, longestLeaf })).to.deep.equal(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses the same, with the same error', () => {
    fc.assert(
      fc.property(damagedDocument, sizes, (bytes, list) => {
        const expected = read(Buffer.from(bytes), { leaves: false, sizes: whole });
        expect(read(Buffer.from(bytes), { leaves: true, sizes: whole })).to.deep.equal(expected);
        expect(read(Buffer.from(bytes), { leaves: true, sizes: list })).to.deep.equal(expected);
      }),
      { numRuns: 500 },
    );
  });

  function events(source: string, leafName = 'a'): readonly number[] {
    const reader = new XmlReader({ vocabulary, leaves: leafTable([vocabulary.name('', leafName)]) });
    reader.push(Buffer.from(source));
    reader.end();
    const found: number[] = [];
    for (let event = reader.read(); event !== XmlEvent.EndDocument; event = reader.read()) found.push(event);
    return found;
  }
  const { StartElement, EndElement, Text, Leaf } = XmlEvent;

  it('are text, a text with references, or one CDATA section', () => {
    for (const leaf of ['<a>x</a>', '<a></a>', '<a b="c">é&amp;&#x41;</a >', '<a><![CDATA[<&]]></a>'])
      expect(events(`<r>${leaf}</r>`), leaf).to.deep.equal([StartElement, Leaf, EndElement]);
  });

  it('are no other elements, no roots, and nothing that holds more than that', () => {
    expect(events('<r><b>x</b></r>')).to.deep.equal([
      StartElement,
      StartElement,
      Text,
      EndElement,
      EndElement,
    ]);
    expect(events('<a>x</a>')).to.deep.equal([StartElement, Text, EndElement]);
    for (const more of ['<a/>', '<a>x<b/></a>', '<a>x<!-- --></a>', '<a xmlns:p="urn:p">x</a>'])
      expect(events(`<r>${more}</r>`), more).to.not.include(Leaf);
  });

  it('hold bytes where these are the text', () => {
    const reader = new XmlReader({ vocabulary, leaves: leafTable([vocabulary.name('', 'a')]) });
    reader.push(Buffer.from('<r><a>12</a><a>&lt;</a>'));
    reader.read();
    expect(reader.read()).to.equal(Leaf);
    const span = reader.textBytes;
    expect(span && Buffer.from(span.bytes.subarray(span.from, span.to)).toString()).to.equal('12');
    expect(reader.read()).to.equal(Leaf);
    expect(reader.textBytes).to.equal(undefined);
  });
});

describe('XmlReader.commonText', () => {
  it('is the text, whatever was read before', () => {
    const text = fc.oneof(
      fc.constantFrom('A', 'B', 'a &amp; b', 'é', 'x'.repeat(200)),
      fc.stringMatching(/^[a-c]{0,5}$/),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 60 }), (texts) => {
        const reader = new XmlReader({ vocabulary, leaves: leafTable([vocabulary.name('', 'a')]) });
        reader.push(Buffer.from(`<r>${texts.map((one) => `<a>${one}</a>`).join('')}</r>`));
        reader.end();
        const read: string[] = [];
        for (let event = reader.read(); event !== XmlEvent.EndDocument; event = reader.read())
          if (event === XmlEvent.Leaf) read.push(reader.commonText);
        expect(read).to.deep.equal(texts.map((one) => one.replace('&amp;', '&')));
      }),
    );
  });
});

describe('XmlReader.isTrimmed', () => {
  it('is whether a leaf has no white space at its ends, and false where a reference may stand for some', () => {
    const piece = fc.constantFrom('a', 'é', '\u00a0', ' ', '\t', '\n', '&#32;', '&amp;', '5');
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), (pieces) => {
        const text = pieces.join('');
        const reader = new XmlReader({ vocabulary, leaves: leafTable([vocabulary.name('', 'a')]) });
        reader.push(Buffer.from(`<r><a>${text}</a></r>`));
        reader.end();
        reader.read();
        expect(reader.read()).to.equal(XmlEvent.Leaf);
        expect(reader.isTrimmed).to.equal(!/^[ \t\n]|[ \t\n]$|&/.test(text));
      }),
    );
  });
});

describe('what a reader says of names and references that are too long', () => {
  it('is their beginning, and where the limit was passed', () => {
    const failure = (text: string): DecodeError => {
      const reader = new XmlReader({ limits: { name: 8 } });
      reader.push(Buffer.from(text));
      reader.end();
      try {
        while (reader.read() !== XmlEvent.EndDocument);
      } catch (error) {
        if (error instanceof DecodeError) return error;
      }
      throw new Error('expected a DecodeError');
    };
    for (const [text, code, says] of [
      ['<a>&#000000;</a>', 'XML_NOT_WELL_FORMED', '"&#000000;" is no character of XML'],
      ['<a>&#0000000;</a>', 'XML_LIMIT', 'a reference longer than 8 bytes'],
      ['<a>&longish;</a>', 'XML_NOT_WELL_FORMED', '"&longish;" is declared nowhere'],
      ['<a>&longname;</a>', 'XML_LIMIT', 'a reference longer than 8 bytes'],
      ['<a>&</a>', 'XML_NOT_WELL_FORMED', '"&" begins no reference; write "&amp;" for the character'],
      ['<a>&longish</a>', 'XML_NOT_WELL_FORMED', '"&" begins no reference'],
      ['<a></abcdefgh>', 'XML_NOT_WELL_FORMED', 'expected </a> for the element of byte 0, got </abcdefgh>'],
    ] as const) {
      const error = failure(text);
      expect(error.code, text).to.equal(code);
      expect(error.message, text).to.include(says);
    }
    const long = 'x'.repeat(61);
    const reader = new XmlReader();
    reader.push(Buffer.from(`<${long}></${long}y>`));
    reader.end();
    reader.read();
    const cut = `${long.slice(0, 60)}…`;
    expect(() => reader.read()).to.throw(
      DecodeError,
      `expected </${cut}> for the element of byte 0, got </${cut}>`,
    );
  });
});

describe('XmlReader.skipSpace', () => {
  it('passes over white space before markup and text, and nothing else, however the document is cut', () => {
    const piece = fc.constantFrom(
      ' ',
      '\n',
      '\t',
      '\r\n',
      'x',
      '&#32;',
      '<b> y </b>',
      '<!-- -->',
      '<![CDATA[ ]]>',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.integer({ min: 1, max: 9 }), (pieces, size) => {
        const bytes = Buffer.from(`<a>${pieces.join('')}</a>`);
        const reader = new XmlReader();
        reader.skipSpace = true;
        const texts: string[] = [];
        let text = '';
        let at = 0;
        for (let event = reader.read(); event !== XmlEvent.EndDocument; event = reader.read()) {
          if (event === XmlEvent.NeedBytes) {
            if (at >= bytes.length) reader.end();
            else reader.push(bytes.subarray(at, (at += size)));
          } else if (event === XmlEvent.Text) {
            text += reader.text;
            // As its users do: behind the beginning of a text, white space counts.
            reader.skipSpace = false;
          } else {
            texts.push(text);
            text = '';
            reader.skipSpace = true;
          }
        }
        const plain = pieces.join('').replaceAll('\r\n', '\n').replaceAll('<!-- -->', '');
        const expected = plain.split(/<\/?b>/).map((part) =>
          part
            .replace(/^[ \t\n]+/, '')
            .replaceAll('&#32;', ' ')
            .replaceAll('<![CDATA[ ]]>', ' '),
        );
        expect(texts).to.deep.equal(['', ...expected]);
      }),
      { numRuns: 400 },
    );
  });
});
