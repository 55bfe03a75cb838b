import { expect } from 'chai';

import { DecodeError, UsageError } from '../../src/activity/errors.js';
import { XmlEvent, XmlReader, XmlVocabulary, type XmlReaderOptions } from '../../src/format/xml-reader.js';
import { readText, readXml } from '../support/xml-events.js';

const SMALLER = '"<" in the value of an attribute; write "&lt;"';

/** A reader that has the whole document. */
function open(source: string | Uint8Array, options: XmlReaderOptions = {}): XmlReader {
  const reader = new XmlReader(options);
  reader.push(typeof source === 'string' ? Buffer.from(source) : source);
  reader.end();
  return reader;
}

/** The message of the error that a document is refused with, and its code. */
function refusal(source: string, options: XmlReaderOptions = {}): string {
  const { error } = readText(source, options);
  return error === undefined ? 'read' : `${error.code} ${error.message}`;
}

describe('XmlReader', () => {
  describe('names', () => {
    it('are the objects of the vocabulary, whatever prefix a document uses', () => {
      const vocabulary = new XmlVocabulary();
      const entry = vocabulary.name('urn:atom', 'entry');
      const plain = vocabulary.name('', 'entry');
      const reader = open(
        '<entry xmlns:a="urn:atom"><a:entry/><b:entry xmlns:b="urn:atom"/><entry xmlns="urn:atom"><entry/></entry></entry>',
        { vocabulary },
      );
      const names = [];
      for (let event = reader.read(); event !== XmlEvent.EndDocument; event = reader.read())
        names.push(reader.name);
      expect(names[0]).to.equal(plain);
      expect(names.at(-1)).to.equal(plain);
      expect(names.slice(1, -1).every((name) => name === entry)).to.equal(true);
      expect(vocabulary.name('urn:atom', 'entry')).to.equal(entry);
    });

    it('outside the vocabulary are one object too, and do not enter it', () => {
      const vocabulary = new XmlVocabulary();
      const reader = open('<a><b xmlns="u"/><b xmlns="u"/></a>', { vocabulary });
      reader.read();
      reader.read();
      const { name } = reader;
      reader.read();
      expect(reader.name).to.equal(name);
      reader.read();
      expect(reader.name).to.equal(name);
      expect(vocabulary.find('u', 'b')).to.equal(undefined);
    });

    it('cannot be asked for before there is an element', () => {
      expect(() => open('<a/>').name).to.throw(UsageError);
    });

    it('stay right when there are more than are kept', () => {
      const count = 9000;
      const locals = Array.from({ length: count }, (_, i) => `n${i}`);
      const children = locals.map(
        (local) => `<${local} ${local}="1" xmlns="u${local}" xmlns:p="p${local}"><p:x p:y=""/></${local}>`,
      );
      const { events, error } = readText(`<root>${children.join('')}${children.join('')}</root>`);
      expect(error).to.equal(undefined);
      const expected = locals.flatMap((local) => [
        `start {u${local}}${local} [["{}${local}","1"]]`,
        `start {p${local}}x [["{p${local}}y",""]]`,
        `end {p${local}}x`,
        `end {u${local}}${local}`,
      ]);
      expect(events.slice(1, -1)).to.deep.equal([...expected, ...expected]);
    });
  });

  describe('attributes', () => {
    const reader = open('<a xmlns:p="urn:p" x="1" p:x="2" y=" a\t\nb&#10;&lt;é "><b/></a>');
    reader.read();

    it('are found by local name and namespace', () => {
      expect(reader.attribute('x')).to.equal('1');
      expect(reader.attribute('x', 'urn:p')).to.equal('2');
      expect(reader.attribute('x', 'urn:q')).to.equal(undefined);
      expect(reader.attribute('y', 'urn:p')).to.equal(undefined);
      expect(reader.attribute('p')).to.equal(undefined);
      expect(reader.attribute('z')).to.equal(undefined);
    });

    it('have their white space normalised, but not that written as references', () => {
      expect(reader.attribute('y')).to.equal(' a  b\n<é ');
    });

    it('can be gone through; declarations are none', () => {
      expect(reader.attributeCount).to.equal(3);
      expect([0, 1, 2].map((i) => reader.attributeName(i))).to.deep.equal([
        { namespace: '', local: 'x' },
        { namespace: 'urn:p', local: 'x' },
        { namespace: '', local: 'y' },
      ]);
      expect(() => reader.attributeName(3)).to.throw(UsageError, 'there is no attribute 3');
      expect(() => reader.attributeValue(-1)).to.throw(UsageError);
    });

    it('are gone with the next event', () => {
      reader.read();
      expect(reader.attributeCount).to.equal(0);
      expect(reader.attribute('x')).to.equal(undefined);
      reader.read();
      expect(reader.attributeCount).to.equal(0);
    });
  });

  describe('text', () => {
    it('has references resolved and line ends as line feeds', () => {
      expect(readText('<a>x\r\ny\rz&#13;&#x1F600;&amp;lt;\u2028]]</a>').events[1]).to.equal(
        'text "x\\ny\\nz\\r😀&lt;\u2028]]"',
      );
    });

    it('is taken literally in CDATA sections', () => {
      expect(readText('<a><![CDATA[]]]]><![CDATA[>&amp;\r\n<b>]]>&amp;</a>').events[1]).to.equal(
        'text "]]>&amp;\\n<b>&"',
      );
    });

    it('does not hold on to the input it was cut from', () => {
      const chunk = Buffer.from('<a>0123456789</a>');
      const reader = new XmlReader();
      reader.push(chunk);
      expect(reader.read()).to.equal(XmlEvent.StartElement);
      expect(reader.read()).to.equal(XmlEvent.Text);
      const { text } = reader;
      chunk.fill(0);
      expect(reader.read()).to.equal(XmlEvent.EndElement);
      expect(text).to.equal('0123456789');
    });
  });

  describe('reading', () => {
    it('asks for bytes, says where it is, and ends', () => {
      const reader = new XmlReader({ source: 'feed.xml' });
      expect(reader.read()).to.equal(XmlEvent.NeedBytes);
      reader.push(Buffer.from('\ufeff<?xml version="1.1"?>\r\n<a>\n'));
      reader.push(new Uint8Array(0));
      expect(reader.read()).to.equal(XmlEvent.StartElement);
      expect(reader.depth).to.equal(1);
      expect(reader.position).to.deep.equal({ source: 'feed.xml', line: 2, column: 1, byteOffset: 26 });
      expect(reader.byteOffset).to.equal(29);
      expect(reader.read()).to.equal(XmlEvent.Text);
      expect(reader.read()).to.equal(XmlEvent.NeedBytes);
      reader.push(Buffer.from('é<b\n'));
      expect(reader.read()).to.equal(XmlEvent.Text);
      expect(reader.read()).to.equal(XmlEvent.NeedBytes);
      expect(reader.position).to.deep.equal({ source: 'feed.xml', line: 3, column: 2, byteOffset: 32 });
      reader.push(Buffer.from('/></a>'));
      reader.end();
      expect(reader.read()).to.equal(XmlEvent.StartElement);
      expect(reader.depth).to.equal(2);
      expect(reader.read()).to.equal(XmlEvent.EndElement);
      expect(reader.depth).to.equal(2);
      expect(reader.read()).to.equal(XmlEvent.EndElement);
      expect(reader.read()).to.equal(XmlEvent.EndDocument);
      expect(reader.read()).to.equal(XmlEvent.EndDocument);
      expect(reader.byteOffset).to.equal(41);
    });

    it('refuses half a character behind the root element', () => {
      const bytes = Buffer.concat([Buffer.from('<a/>'), Buffer.of(0xe2, 0x82)]);
      const reading = readXml(bytes);
      expect(reading.error?.message).to.equal('line 1:5 (byte 4): invalid UTF-8');
      expect(readXml(bytes, () => 1)).to.deep.equal(reading);
    });

    it('tells of an element as soon as its tag is whole, however it came', () => {
      for (const tag of ['<a>', '<a/>', `<a b="'>" c='">"'>`, `<a b='1' c="2"/>`, '<é xmlns = "u" >']) {
        const bytes = Buffer.from(tag);
        for (let cut = 1; cut < bytes.length; cut++) {
          for (const sizes of [
            [cut, bytes.length - cut],
            [cut, ...Array<number>(bytes.length - cut).fill(1)],
          ]) {
            const reader = new XmlReader();
            reader.push(Buffer.from('<root>'));
            expect(reader.read()).to.equal(XmlEvent.StartElement);
            let at = 0;
            for (const size of sizes) {
              expect(reader.read(), `${tag} at ${at}`).to.equal(XmlEvent.NeedBytes);
              reader.push(bytes.subarray(at, (at += size)));
            }
            expect(reader.read(), `${tag} cut at ${cut}`).to.equal(XmlEvent.StartElement);
          }
        }
      }
    });

    it('takes nothing more after the end', () => {
      expect(() => {
        open('<a/>').push(Buffer.from(' '));
      }).to.throw(UsageError, 'push() was called after end()');
    });

    it('throws the same error again and again, and still knows the event before', () => {
      const reader = open('<a>\n<b></c></a>');
      reader.read();
      reader.read();
      reader.read();
      const { position } = reader;
      const thrown: unknown[] = [];
      for (let i = 0; i < 2; i++) {
        try {
          reader.read();
        } catch (error) {
          thrown.push(error);
        }
      }
      expect(thrown[0]).to.be.instanceOf(DecodeError);
      expect(thrown[1]).to.equal(thrown[0]);
      expect(reader.position).to.deep.equal(position);
    });

    it('reports all that stands before an error', () => {
      expect(readText('<a>one<b/>two&three</a>').events).to.deep.equal([
        'start {}a []',
        'text "one"',
        'start {}b []',
        'end {}b',
        'text "two"',
      ]);
    });
  });

  describe('refuses with a message that says what, where and what instead', () => {
    const cases: readonly (readonly [source: string, expected: string])[] = [
      ['', 'XML_TRUNCATED line 1:1 (byte 0): the document ends here, there is no root element'],
      ['<!-- x --> ', 'XML_TRUNCATED line 1:12 (byte 11): the document ends here, there is no root element'],
      ['<a>\n<b>x', 'XML_TRUNCATED line 2:5 (byte 8): the document ends here, <b> of byte 4 is open'],
      [
        '<a><!-- x',
        'XML_TRUNCATED line 1:10 (byte 9): the document ends here inside a comment, <a> of byte 0 is open',
      ],
      [
        '<a><![CDATA[x]',
        'XML_TRUNCATED line 1:15 (byte 14): the document ends here inside a CDATA section, <a> of byte 0 is open',
      ],
      ['<a/><?x', 'XML_TRUNCATED line 1:8 (byte 7): the document ends here'],
      ['<a/><!-', 'XML_TRUNCATED line 1:8 (byte 7): the document ends here'],
      ['<a b="', 'XML_TRUNCATED line 1:7 (byte 6): the document ends here, there is no root element'],
      [
        '<?xml version="1.0"',
        'XML_TRUNCATED line 1:20 (byte 19): the document ends here, there is no root element',
      ],
      ['<a></b>', 'XML_NOT_WELL_FORMED line 1:4 (byte 3): expected </a> for the element of byte 0, got </b>'],
      [
        '<a></ab>',
        'XML_NOT_WELL_FORMED line 1:4 (byte 3): expected </a> for the element of byte 0, got </ab>',
      ],
      ['<a></a b>', 'XML_NOT_WELL_FORMED line 1:8 (byte 7): expected ">" at the end of an end tag, got "b"'],
      ['</a>', 'XML_NOT_WELL_FORMED line 1:1 (byte 0): an end tag outside of the root element'],
      ['<a/>\n<b/>', 'XML_NOT_WELL_FORMED line 2:1 (byte 5): a second root element; a document has one'],
      ['text', 'XML_NOT_WELL_FORMED line 1:1 (byte 0): "t" before the root element, where no text may be'],
      [
        '<a/>é',
        'XML_NOT_WELL_FORMED line 1:5 (byte 4): byte 0xC3 after the root element, where no text may be',
      ],
      ['<a>\ufffe</a>', 'XML_NOT_WELL_FORMED line 1:4 (byte 3): the character U+FFFE is not allowed'],
      ['<a>é\uffff</a>', 'XML_NOT_WELL_FORMED line 1:5 (byte 5): the character U+FFFF is not allowed'],
      ['<a>&;</a>', 'XML_NOT_WELL_FORMED line 1:4 (byte 3): "&;" is declared nowhere'],
      ['<a b="&;"/>', 'XML_NOT_WELL_FORMED line 1:7 (byte 6): "&;" is declared nowhere'],
      ['<![CDATA[x]]>', 'XML_NOT_WELL_FORMED line 1:1 (byte 0): a CDATA section outside of the root element'],
      [
        '<a>1 < 2</a>',
        'XML_NOT_WELL_FORMED line 1:6 (byte 5): "<" before a blank begins no tag; write "&lt;" for the character',
      ],
      [
        '<a b>',
        'XML_NOT_WELL_FORMED line 1:5 (byte 4): expected "=" after the name of an attribute, got ">"',
      ],
      [
        '<a b=1>',
        'XML_NOT_WELL_FORMED line 1:6 (byte 5): expected the value of an attribute in quotes, got "1"',
      ],
      [
        '<a b="1"c="2">',
        'XML_NOT_WELL_FORMED line 1:9 (byte 8): expected white space before an attribute, got "c"',
      ],
      ['<a =""/>', 'XML_NOT_WELL_FORMED line 1:4 (byte 3): expected an attribute, "/>" or ">", got "="'],
      ['<a / >', 'XML_NOT_WELL_FORMED line 1:5 (byte 4): expected ">" after "/", got a blank'],
      ['<a \u0001>', 'XML_NOT_WELL_FORMED line 1:4 (byte 3): the control character byte 0x01 is not allowed'],
      [
        '<a b="\u0001">',
        'XML_NOT_WELL_FORMED line 1:7 (byte 6): the control character byte 0x01 is not allowed',
      ],
      ['<a b="<">', 'XML_NOT_WELL_FORMED line 1:7 (byte 6): "<" in the value of an attribute; write "&lt;"'],
      [
        '<a b="&"/>',
        'XML_NOT_WELL_FORMED line 1:7 (byte 6): "&" begins no reference; write "&amp;" for the character',
      ],
      [
        '<a>R&D</a>',
        'XML_NOT_WELL_FORMED line 1:5 (byte 4): "&" begins no reference; write "&amp;" for the character',
      ],
      ['<a>&nbsp;</a>', 'XML_NOT_WELL_FORMED line 1:4 (byte 3): "&nbsp;" is declared nowhere'],
      ['<a>&#xD800;</a>', 'XML_NOT_WELL_FORMED line 1:4 (byte 3): "&#xD800;" is no character of XML'],
      [
        '<a>&#99999999999999999999;</a>',
        'XML_NOT_WELL_FORMED line 1:4 (byte 3): "&#99999999999999999999;" is no character of XML',
      ],
      ['<a>]]></a>', 'XML_NOT_WELL_FORMED line 1:4 (byte 3): "]]>" in text; write "]]&gt;"'],
      ['<a><!-- -- --></a>', 'XML_NOT_WELL_FORMED line 1:9 (byte 8): "--" in a comment'],
      [
        '<a><!b></a>',
        'XML_NOT_WELL_FORMED line 1:4 (byte 3): "<!" begins neither a comment nor a CDATA section',
      ],
      ['<a><? x?></a>', 'XML_NOT_WELL_FORMED line 1:6 (byte 5): expected a name after "<?", got ""'],
      ['<a><?XmL x?></a>', 'XML_NOT_WELL_FORMED line 1:6 (byte 5): the name "XmL" is reserved'],
      [
        '<a><?x+?></a>',
        'XML_NOT_WELL_FORMED line 1:7 (byte 6): expected white space or "?>" in a processing instruction, got "+"',
      ],
      [
        ' <?xml version="1.0"?><a/>',
        'XML_NOT_WELL_FORMED line 1:2 (byte 1): the XML declaration may stand at the very beginning only',
      ],
      [
        '<?xml encoding="UTF-8"?><a/>',
        'XML_NOT_WELL_FORMED line 1:6 (byte 5): expected version="1.0" in the XML declaration',
      ],
      [
        '<?xml version="1.0" standalone="maybe"?><a/>',
        'XML_NOT_WELL_FORMED line 1:20 (byte 19): expected encoding="UTF-8", standalone="yes" or "?>" in the XML declaration',
      ],
      [
        '<?xml version="1.0" encoding="UTF-8"><a/>',
        'XML_NOT_WELL_FORMED line 1:37 (byte 36): expected standalone="yes" or "?>" in the XML declaration',
      ],
      [
        '<?xml version="1.0" standalone="no"><a/>',
        'XML_NOT_WELL_FORMED line 1:36 (byte 35): expected "?>" in the XML declaration',
      ],
      [
        '<1/>',
        'XML_NOT_WELL_FORMED line 1:1 (byte 0): "<" before "1" begins no tag; write "&lt;" for the character',
      ],
      ['<a÷/>', 'XML_NOT_WELL_FORMED line 1:2 (byte 1): "a÷" is no name'],
      ['<a:b:c xmlns:a="u"/>', 'XML_NOT_WELL_FORMED line 1:2 (byte 1): "a:b:c" is no name'],
      ['<a :b=""/>', 'XML_NOT_WELL_FORMED line 1:4 (byte 3): ":b" is no name'],
      ['<a b="" b=""/>', 'XML_NOT_WELL_FORMED line 1:9 (byte 8): a second attribute "b"'],
      [
        '<p:a/>',
        'XML_NOT_WELL_FORMED line 1:2 (byte 1): the prefix of "p:a" is not declared; add xmlns:p="…"',
      ],
      [
        '<a p:b=""/>',
        'XML_NOT_WELL_FORMED line 1:4 (byte 3): the prefix of "p:b" is not declared; add xmlns:p="…"',
      ],
      [
        '<xmlns:a/>',
        'XML_NOT_WELL_FORMED line 1:2 (byte 1): the prefix of "xmlns:a" is not declared; add xmlns:xmlns="…"',
      ],
      [
        '<a xmlns:p="u" xmlns:q="u" p:b="" q:b=""/>',
        'XML_NOT_WELL_FORMED line 1:35 (byte 34): a second attribute "b" of the namespace "u"',
      ],
      ['<a xmlns:p=""/>', 'XML_NOT_WELL_FORMED line 1:4 (byte 3): the prefix "p" is bound to no namespace'],
      [
        '<a xmlns:xmlns="u"/>',
        'XML_NOT_WELL_FORMED line 1:4 (byte 3): the prefix "xmlns" must not be declared',
      ],
      [
        '<a xmlns:xml="u"/>',
        'XML_NOT_WELL_FORMED line 1:4 (byte 3): the prefix "xml" and the namespace http://www.w3.org/XML/1998/namespace belong together',
      ],
      [
        '<a xmlns="http://www.w3.org/XML/1998/namespace"/>',
        'XML_NOT_WELL_FORMED line 1:4 (byte 3): the prefix "xml" and the namespace http://www.w3.org/XML/1998/namespace belong together',
      ],
      [
        '<a xmlns="http://www.w3.org/2000/xmlns/"/>',
        'XML_NOT_WELL_FORMED line 1:4 (byte 3): the namespace http://www.w3.org/2000/xmlns/ must not be declared',
      ],
      [
        '<!DOCTYPE a><a/>',
        'XML_DOCTYPE line 1:1 (byte 0): a DOCTYPE is refused; remove it, and the entities it declares',
      ],
      [
        '<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
        'XML_ENCODING line 1:1 (byte 0): expected UTF-8, got a document declared as "iso-8859-1"',
      ],
      [
        '<?xml version="1.0" encoding="US-ASCII"?><a>é</a>',
        'XML_ENCODING line 1:45 (byte 44): a byte beyond ASCII in a document declared as US-ASCII',
      ],
    ];
    for (const [source, expected] of cases) {
      it(JSON.stringify(source), () => {
        expect(refusal(source)).to.equal(expected);
        expect(readXml(Buffer.from(source), () => 1)).to.deep.equal(readText(source));
      });
    }
  });

  describe('reads what looks wrong and is not', () => {
    const cases: readonly (readonly [source: string, root: string])[] = [
      ['<?xml version = "1.99"  encoding=\'us-ascii\' standalone="no" ?><a/>', 'start {}a []'],
      ['<?xml-model x?><?xmlish?><a/><?x?><!----><!-- - -->\n', 'start {}a []'],
      [
        '<a xml:lang="en" xmlns:xml="http://www.w3.org/XML/1998/namespace"/>',
        'start {}a [["{http://www.w3.org/XML/1998/namespace}lang","en"]]',
      ],
      ['<a xmlns="u" xmlns:p="u" b="" p:b=""/>', 'start {u}a [["{u}b",""],["{}b",""]]'],
      ['<a b=\'"\' c="\'>"\t/>', 'start {}a [["{}b","\\""],["{}c","\'>"]]'],
      ['<_é.-·\u{10000} \n/>', 'start {}_é.-·\u{10000} []'],
    ];
    for (const [source, root] of cases) {
      it(JSON.stringify(source), () => {
        const reading = readText(source);
        expect(reading.error).to.equal(undefined);
        expect(reading.events[0]).to.equal(root);
        expect(readXml(Buffer.from(source), () => 1)).to.deep.equal(reading);
      });
    }
  });

  describe('encodings', () => {
    const foreign: readonly (readonly [name: string, bytes: readonly number[]])[] = [
      ['UTF-16', [0xfe, 0xff, 0, 0x3c, 0, 0x61]],
      ['UTF-16', [0xff, 0xfe, 0x3c, 0, 0x61, 0]],
      ['UTF-16', [0, 0x3c, 0, 0x61]],
      ['UTF-16', [0x3c, 0, 0x61, 0]],
      ['UTF-32', [0, 0, 0xfe, 0xff, 0, 0, 0, 0x3c]],
      ['UTF-32', [0xff, 0xfe, 0, 0, 0x3c, 0, 0, 0]],
      ['EBCDIC', [0x4c, 0x6f, 0xa7, 0x94, 0x93]],
      ['UTF-16', [0xff, 0xfe]],
    ];
    for (const [name, bytes] of foreign) {
      it(`names ${name} by ${Buffer.from(bytes).toString('hex')}`, () => {
        const reading = readXml(Uint8Array.from(bytes));
        expect(reading.error?.message).to.equal(`line 1:1 (byte 0): expected UTF-8, got ${name}`);
        expect(reading.error?.code).to.equal('XML_ENCODING');
        expect(readXml(Uint8Array.from(bytes), () => 1)).to.deep.equal(reading);
      });
    }

    it('a document may have a byte order mark', () => {
      const { events, positions } = readText('\ufeff<a/>');
      expect(events).to.deep.equal(['start {}a []', 'end {}a']);
      expect(positions[0]).to.deep.equal({ source: undefined, line: 1, column: 1, byteOffset: 3 });
    });
  });

  describe('limits', () => {
    it('of depth', () => {
      const nested = (depth: number): string => `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`;
      expect(refusal(nested(256))).to.equal('read');
      expect(refusal(nested(257))).to.equal(
        'XML_LIMIT line 1:769 (byte 768): elements nested deeper than 256',
      );
      expect(refusal(nested(3), { limits: { depth: 2 } })).to.match(/^XML_LIMIT .*deeper than 2$/);
    });

    it('of attributes', () => {
      const tag = (count: number): string =>
        `<a${Array.from({ length: count }, (_, i) => ` a${i}=""`).join('')}/>`;
      expect(refusal(tag(1000))).to.equal('read');
      expect(refusal(tag(1001))).to.match(/^XML_LIMIT .*: more than 1000 attributes in one element$/);
      expect(refusal(tag(3), { limits: { attributes: 2 } })).to.equal(
        'XML_LIMIT line 1:16 (byte 15): more than 2 attributes in one element',
      );
      expect(refusal(`${tag(20).slice(0, -2)} a3=""/>`)).to.match(/a second attribute "a3"$/);
    });

    it('of a tag, and they are the same however it is cut', () => {
      const limits = { tag: 12 };
      const sources = [
        '<a b="34567"/>',
        '<a b="3456"/>',
        '<a b="345"/>',
        '<a b="3456789012',
        '<a b="345678<"/>',
        '<a b="34567<"/>',
        '<abcdefghijkl',
        '<a></a         >',
      ];
      const tooLong = 'a tag longer than 12 bytes';
      const expected = [tooLong, tooLong, undefined, tooLong, tooLong, SMALLER, tooLong, tooLong];
      sources.forEach((source, i) => {
        const reading = readText(source, { limits });
        expect(reading.error?.message.split(': ').at(-1), source).to.equal(expected[i]);
        expect(
          readXml(Buffer.from(source), () => 1, { limits }),
          source,
        ).to.deep.equal(reading);
      });
    });

    it('of names and references', () => {
      const long = 'n'.repeat(1001);
      expect(refusal(`<${long.slice(1)}/>`)).to.equal('read');
      expect(refusal(`<${long}/>`)).to.equal('XML_LIMIT line 1:2 (byte 1): a name longer than 1000 bytes');
      expect(refusal(`<a ${long}=""/>`)).to.match(/^XML_LIMIT .*name longer than 1000 bytes$/);
      expect(refusal(`<?${long}?><a/>`)).to.match(/^XML_LIMIT .*name longer than 1000 bytes$/);
      expect(refusal(`<a>&#${'0'.repeat(1000)}65;</a>`)).to.match(
        /^XML_LIMIT .*reference longer than 1000 bytes$/,
      );
      expect(refusal(`<a>&#${'0'.repeat(900)}65;</a>`)).to.equal('read');
      expect(refusal(`<a b="&${long};"/>`)).to.match(/^XML_LIMIT .*reference longer than 1000 bytes$/);
    });

    it('of a tag before that of a reference that goes on behind it', () => {
      const limits = { tag: 20, name: 10 };
      const reference = `&${'b'.repeat(20)};`;
      for (const [before, message] of [
        [3, 'a reference longer than 10 bytes'],
        [4, 'a tag longer than 20 bytes'],
      ] as const) {
        const source = `<a x="${'-'.repeat(before)}${reference}"/>`;
        const reading = readText(source, { limits });
        expect(reading.error?.message.split(': ').at(-1), source).to.equal(message);
        expect(readXml(Buffer.from(source), () => 1, { limits })).to.deep.equal(reading);
      }
    });

    it('of the XML declaration', () => {
      expect(refusal(`<?xml version="1.0"${' '.repeat(2000)}?><a/>`)).to.match(
        /^XML_NOT_WELL_FORMED .*in the XML declaration$/,
      );
    });
  });
});

describe('XmlReader in the middle of a source', () => {
  const place = { source: 'a.xml', line: 7, column: 9, byteOffset: 1000 };

  it('counts on from where it is told', () => {
    const reader = new XmlReader({ source: 'a.xml' });
    reader.relocate(place);
    reader.push(Buffer.from('<a>\n  <b/></a>'));
    expect(reader.read()).to.equal(XmlEvent.StartElement);
    expect(reader.position).to.deep.equal(place);
    expect(reader.byteOffset).to.equal(1003);
    reader.read();
    expect(reader.read()).to.equal(XmlEvent.StartElement);
    expect(reader.position).to.deep.equal({ ...place, line: 8, column: 3, byteOffset: 1006 });
  });

  it('goes on elsewhere between two pieces, and says where errors are', () => {
    const reader = new XmlReader({ source: 'a.xml' });
    reader.push(Buffer.from('<a>\n'));
    while (reader.read() !== XmlEvent.NeedBytes);
    reader.relocate(place);
    reader.push(Buffer.from('<b>\n&x;'));
    reader.read();
    reader.read();
    expect(() => reader.read()).to.throw(DecodeError, /^a\.xml:8:1 \(byte 1004\): "&x;"/);
  });

  it('refuses to while something is unread', () => {
    const reader = new XmlReader();
    reader.push(Buffer.from('<a/>'));
    expect(() => reader.relocate(place)).to.throw(/relocate/);
  });

  it('believes that transcoded bytes are UTF-8', () => {
    const document = "<?xml version='1.0' encoding='ISO-8859-1'?><a>é</a>";
    const reader = new XmlReader({ transcoded: true });
    reader.push(Buffer.from(document));
    reader.end();
    const texts: string[] = [];
    for (let event = reader.read(); event !== XmlEvent.EndDocument; event = reader.read()) {
      if (event === XmlEvent.Text) texts.push(reader.text);
    }
    expect(texts.join('')).to.equal('é');
    const strict = new XmlReader();
    strict.push(Buffer.from(document));
    expect(() => strict.read()).to.throw(DecodeError, /iso-8859-1/i);
  });
});
