import { expect } from 'chai';
import fc from 'fast-check';

import { DecodeError } from '../../src/activity/errors.js';
import { XmlEvent, XmlReader } from '../../src/format/xml-reader.js';
import { salvageXml } from '../../src/format/xml-salvage.js';
import { readText, readXml } from '../support/xml-events.js';

const BOMB = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">${Array.from(
  { length: 20 },
  (_, i) => `<!ENTITY a${i} "${`&a${i === 0 ? '' : i - 1};`.repeat(10)}">`,
).join('')}]><lolz>&a19;</lolz>`;

/** Names that JavaScript objects have a meaning for. */
const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'valueOf',
  '__defineGetter__',
] as const;

/** An endless document, as long as it is read. */
function readEndless(start: string, piece: string): { error: unknown; bytes: number } {
  const reader = new XmlReader();
  const chunk = Buffer.from(piece.repeat(1000));
  reader.push(Buffer.from(start));
  let bytes = 0;
  try {
    while (bytes < 1e9) {
      if (reader.read() !== XmlEvent.NeedBytes) continue;
      reader.push(chunk);
      bytes += chunk.length;
    }
    return { error: undefined, bytes };
  } catch (error) {
    return { error, bytes };
  }
}

describe('hostile XML', () => {
  it('entity bombs and external entities fall with their DOCTYPE', () => {
    expect(readText(BOMB).error?.code).to.equal('XML_DOCTYPE');
    expect(readText('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>').error?.code).to.equal(
      'XML_DOCTYPE',
    );
    expect(readText('<!DOCTYPE a SYSTEM "http://example.com/a.dtd"><a/>').error?.code).to.equal(
      'XML_DOCTYPE',
    );
    expect(readText('<a><!DOCTYPE a></a>').error?.code).to.equal('XML_DOCTYPE');
    expect(readText('<a/><!DOCTYPE a>').error?.code).to.equal('XML_DOCTYPE');
  });

  it('nesting is refused at the limit, however deep it goes', () => {
    const { error, bytes } = readEndless('', '<a>');
    expect(error).to.be.instanceOf(DecodeError).and.to.have.property('code', 'XML_LIMIT');
    expect(bytes).to.be.below(10_000);
    expect(readText('<a>'.repeat(1_000_000)).error?.code).to.equal('XML_LIMIT');
  });

  it('a tag that never ends is refused at the limit', () => {
    for (const [start, piece] of [
      ['<', 'a'],
      ['<a ', ' '],
      ['<a b="', 'x'],
      ['<a b="', '>'],
      ['<a b="', '&lt;'],
      ['<a></a', ' '],
      ['<a></', 'a'],
    ] as const) {
      const { error, bytes } = readEndless(start, piece);
      expect(error, start).to.be.instanceOf(DecodeError).and.to.have.property('code', 'XML_LIMIT');
      expect(bytes).to.be.below(1_100_000);
    }
    expect(readEndless('<a ', 'b="" ').error).to.have.property('code', 'XML_LIMIT');
    expect(readEndless('<?', 'a').error).to.have.property('code', 'XML_LIMIT');
    expect(readEndless('<a>&', 'a').error).to.have.property('code', 'XML_LIMIT');
    expect(readEndless('<?xml ', ' ').error).to.have.property('code', 'XML_NOT_WELL_FORMED');
  });

  it('a hundred thousand attributes are refused at the limit', () => {
    const attributes = Array.from({ length: 100_000 }, (_, i) => ` a${i}=""`).join('');
    expect(readText(`<a${attributes}/>`).error?.code).to.equal('XML_LIMIT');
    const many = readText(`<a${attributes}/>`, { limits: { attributes: 100_000, tag: 10_000_000 } });
    expect(many.error).to.equal(undefined);
    expect(many.events[0]?.length).to.be.above(1_000_000);
  });

  it('names that objects have a meaning for are names like others', () => {
    for (const name of NAMES) {
      const { events } = readText(`<${name} ${name}="x" xmlns="${name}"><p:${name} xmlns:p="u"/></${name}>`);
      expect(events).to.deep.equal([
        `start {${name}}${name} [["{}${name}","x"]]`,
        `start {u}${name} []`,
        `end {u}${name}`,
        `end {${name}}${name}`,
      ]);
    }
    expect({}).to.not.have.property('x');
  });

  it('every control character is refused, everywhere', () => {
    for (let code = 0; code < 0x20; code++) {
      if (code === 9 || code === 10 || code === 13) continue;
      const character = String.fromCharCode(code);
      for (const [before, after] of [
        ['', '<a/>'],
        ['<a', '/>'],
        ['<a ', '/>'],
        ['<a b', '=""/>'],
        ['<a b="', '"/>'],
        ['<a>', '</a>'],
        ['<a><!-- ', '--></a>'],
        ['<a><?x ', '?></a>'],
        ['<a><![CDATA[', ']]></a>'],
        ['<a></a', '>'],
        ['<a/>', ''],
      ] as const) {
        if (code === 0 && before === '') continue; // like this, UTF-16 would begin
        const { error } = readText(`${before}${character}${after}`);
        expect(error?.code, JSON.stringify(before + character)).to.equal('XML_NOT_WELL_FORMED');
        expect(error?.position?.byteOffset).to.equal(before.length);
      }
    }
  });

  it('bytes that are no UTF-8, and noncharacters, are refused where they stand', () => {
    const sound = Buffer.from('<a b="é€😀"><!-- é --><?x é?><![CDATA[é]]>é<é/>€😀</a>');
    const starts = [...sound.keys(), sound.length].filter((i) => ((sound[i] ?? 0) & 0xc0) !== 0x80);
    const bad = [
      [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf], [0xed, 0xa0, 0x80],
      [0xed, 0xbf, 0xbf], [0xf0, 0x80, 0x80, 0x80], [0xf0, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80],
      [0xf5, 0x80, 0x80, 0x80], [0xfe], [0xff], [0xc3, 0x28], [0xe2, 0x82, 0x28], [0xf0, 0x9f, 0x98, 0x28],
      [0xef, 0xbf, 0xbe], [0xef, 0xbf, 0xbf],
    ]; // prettier-ignore
    for (const bytes of bad) {
      for (const at of starts.slice(1)) {
        const document = Buffer.concat([sound.subarray(0, at), Buffer.from(bytes), sound.subarray(at)]);
        const whole = readXml(document);
        expect(whole.error?.code, document.toString('latin1')).to.equal('XML_NOT_WELL_FORMED');
        expect(whole.error?.position?.byteOffset).to.equal(at);
        expect(whole.error?.message).to.match(/invalid UTF-8|U\+FFF[EF] is not allowed/);
        expect(readXml(document, () => 1)).to.deep.equal(whole);
      }
    }
  });

  it('the halves of a character cut by the end are told from a whole one', () => {
    const bytes = Buffer.from('<a>😀');
    for (let length = 4; length < bytes.length; length++) {
      expect(readXml(bytes.subarray(0, length)).error?.code).to.equal('XML_TRUNCATED');
    }
    expect(readXml(Buffer.from('<a/>😀').subarray(0, 6)).error?.code).to.equal('XML_NOT_WELL_FORMED');
  });

  it('no input at all makes the reader throw anything but a DecodeError, or salvage throw', () => {
    const markup = fc.constantFrom(
      '<', '>', '/', '<a', '</a>', '<!--', '-->', '<![CDATA[', ']]>', '<?', '?>', '&', ';', '="', '"', "'", ' ', 'x', '&#x', ':',
      '<!DOCTYPE a [', '<!ENTITY b "c">', ']', '__proto__', '#text', ':@', '\0', '\ud800', '<?xml version="1.0"?>', ...NAMES,
    ); // prettier-ignore
    fc.assert(
      fc.property(fc.array(markup, { maxLength: 30 }), fc.uint8Array({ maxLength: 8 }), (pieces, raw) => {
        const text = pieces.join('');
        readXml(Buffer.concat([Buffer.from(text), raw]));
        expect(salvageXml(text)).to.be.an('array');
      }),
      { numRuns: 2000 },
    );
  });
});
