import { expect } from 'chai';
import fc from 'fast-check';
import { DecodeError, UsageError } from '../../src/activity/errors.js';
import { detectEncoding, ENCODINGS, INVALID, Transcoder, type Encoding } from '../../src/format/transcode.js';
import { XmlEvent, XmlReader } from '../../src/format/xml-reader.js';

/** As in the table of the Unicode consortium for code page 1252: the characters of 80 to 9F, 0 for none. */
const CP1252 = [
  0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
  0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
  0x0153, 0, 0x017e, 0x0178,
];
const LATIN9 = new TextDecoder('iso-8859-15');

const codePoints = (bytes: Iterable<number>, character: (byte: number) => string) =>
  new Map(Array.from(bytes, (byte) => [character(byte), byte] as const));
const ALL_BYTES = Array.from({ length: 256 }, (_, byte) => byte);
const latin1 = (byte: number) => String.fromCharCode(byte);
const TABLES = {
  'US-ASCII': codePoints(ALL_BYTES.slice(0, 128), latin1),
  'ISO-8859-1': codePoints(ALL_BYTES, latin1),
  'ISO-8859-15': codePoints(ALL_BYTES, (byte) => LATIN9.decode(Uint8Array.of(byte))),
  'windows-1252': codePoints(
    ALL_BYTES.filter((byte) => CP1252[byte - 0x80] !== 0),
    (byte) => String.fromCharCode(CP1252[byte - 0x80] ?? byte),
  ),
} as const;

function encode(text: string, encoding: Encoding): Buffer {
  if (encoding === 'UTF-8') return Buffer.from(text);
  if (encoding === 'UTF-16LE') return Buffer.from(text, 'utf16le');
  if (encoding === 'UTF-16BE') return Buffer.from(text, 'utf16le').swap16();
  return Buffer.from(Array.from(text, (character) => TABLES[encoding].get(character)!));
}

const anyCharacters = (encoding: Encoding): fc.Arbitrary<string> =>
  encoding in TABLES
    ? fc
        .array(fc.constantFrom(...TABLES[encoding as keyof typeof TABLES].keys()), { maxLength: 60 })
        .map((characters) => characters.join(''))
    : fc.string({ unit: 'binary', maxLength: 60 });

/** A text and an encoding that has all of it; sometimes longer than what is recoded at once. */
const anyCase = fc.constantFrom(...ENCODINGS).chain((encoding) =>
  fc.record({
    encoding: fc.constant(encoding),
    text: fc
      .tuple(anyCharacters(encoding), fc.constantFrom(1, 1, 1, 50), fc.constantFrom('', 'x'.repeat(1021)))
      .map(([text, times, before]) => before + text.repeat(times)),
  }),
);
const anyCuts = fc.array(fc.nat({ max: 4000 }), { maxLength: 8 });

function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((to, i) => bytes.subarray(at[i], to));
}

function transcode(transcoder: Transcoder, chunks: readonly Uint8Array[]): Buffer {
  const out = chunks.map((chunk) => Buffer.from(transcoder.push(chunk)));
  return Buffer.concat([...out, transcoder.end()]);
}

describe('Transcoder', () => {
  it('puts out the UTF-8 of the text, at any cuts', () => {
    fc.assert(
      fc.property(anyCase, anyCuts, ({ encoding, text }, cuts) => {
        const bytes = encode(text, encoding);
        const expected = Buffer.from(text).toString('hex');
        expect(transcode(new Transcoder(encoding), pieces(bytes, cuts)).toString('hex')).to.equal(expected);
        const single = Array.from(bytes.subarray(0, 200), (byte) => Uint8Array.of(byte));
        const rest = bytes.subarray(200);
        expect(transcode(new Transcoder(encoding), [...single, rest]).toString('hex')).to.equal(expected);
      }),
      { numRuns: 400 },
    );
  });

  it('counts what it was fed, at any cuts, wherever it begins', () => {
    fc.assert(
      fc.property(anyCase, anyCuts, fc.nat({ max: 1e10 }), ({ encoding, text }, cuts, origin) => {
        const transcoder = new Transcoder(encoding, origin);
        let given = 0;
        for (const chunk of pieces(encode(text, encoding), cuts)) {
          transcoder.push(chunk);
          given += chunk.length;
          expect(transcoder.fed).to.equal(transcoder.isIdentity ? 0 : given);
        }
        transcoder.end();
        expect(transcoder.fed).to.equal(transcoder.isIdentity ? 0 : given);
      }),
      { numRuns: 200 },
    );
  });

  it('finds back from each byte of the output to the first byte of its character in the input', () => {
    fc.assert(
      fc.property(anyCase, anyCuts, fc.nat({ max: 1e10 }), ({ encoding, text }, cuts, origin) => {
        const transcoder = new Transcoder(encoding, origin);
        transcode(transcoder, pieces(encode(text, encoding), cuts));
        let utf8 = 0;
        let source = origin;
        for (const character of text) {
          const length = Buffer.byteLength(character);
          // UTF-8 is its own original, byte for byte.
          const inside = encoding === 'UTF-8' ? 1 : 0;
          for (let i = 0; i < length; i++) {
            if (transcoder.sourceOffset(utf8 + i) !== source + inside * i) {
              expect.fail(`byte ${i} of ${JSON.stringify(character)} at ${utf8}`);
            }
          }
          utf8 += length;
          source += encode(character, encoding).length;
        }
        expect(transcoder.sourceOffset(utf8)).to.equal(source);
      }),
      { numRuns: 200 },
    );
  });

  it('agrees with TextDecoder on any bytes of UTF-16, invalid ones in their places', () => {
    // Surrogates are rare among any bytes; here they are not.
    const anyUnit = fc.oneof(
      fc.nat({ max: 0xffff }),
      fc.integer({ min: 0xd7ff, max: 0xe000 }),
      fc.nat({ max: 127 }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('UTF-16LE', 'UTF-16BE'),
        fc.array(anyUnit, { maxLength: 40 }),
        fc.boolean(),
        anyCuts,
        (encoding, units, odd, cuts) => {
          const even = Buffer.from(Uint16Array.from(units).buffer);
          if (encoding === 'UTF-16BE') even.swap16();
          const bytes = odd ? Buffer.concat([even, Buffer.of(0x41)]) : even;
          const transcoder = new Transcoder(encoding);
          const out = transcode(transcoder, pieces(bytes, cuts));
          const shown = Buffer.concat(
            Array.from(out, (byte) => (byte === INVALID ? Buffer.from('\ufffd') : Buffer.of(byte))),
          );
          // A high surrogate and half a unit at the end are two mistakes here, and one there.
          const decoded = new TextDecoder(encoding, { ignoreBOM: true }).decode(even) + (odd ? '\ufffd' : '');
          expect(shown.toString()).to.equal(decoded);
          const offsets = Array.from({ length: out.length + 1 }, (_, at) => transcoder.sourceOffset(at));
          expect(offsets).to.deep.equal([...offsets].sort((a, b) => a - b));
          expect(offsets.at(-1)).to.equal(bytes.length);
          for (const [at, byte] of out.entries()) {
            if (byte !== INVALID) continue;
            const length = offsets[at + 1]! - offsets[at]!;
            expect(length).to.equal(odd && at === out.length - 1 ? 1 : 2);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('puts INVALID where windows-1252 has no character, and only there', () => {
    const transcoder = new Transcoder('windows-1252');
    const out = transcode(transcoder, [Uint8Array.from(ALL_BYTES)]);
    const places = [...out.entries()].filter(([, byte]) => byte === INVALID).map(([at]) => at);
    expect(places.map((at) => transcoder.sourceOffset(at))).to.deep.equal([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
    for (const at of places) {
      expect(transcoder.refusal(at)).to.equal('the bytes here are no character of windows-1252');
    }
    expect(transcoder.refusal(places[0]! - 1)).to.equal(undefined);
    expect(transcoder.refusal(out.length)).to.equal(undefined);
  });

  it('lets the strict reader stop at the original byte', () => {
    const before = `<a>${'é€'.repeat(700)}`;
    const bytes = Buffer.concat([
      encode(before, 'UTF-16LE'),
      Buffer.of(0x00, 0xd8),
      encode('b</a>', 'UTF-16LE'),
    ]);
    const transcoder = new Transcoder('UTF-16LE');
    const reader = new XmlReader();
    reader.push(transcode(transcoder, [bytes]));
    reader.end();
    const reading = () => {
      while (reader.read() !== XmlEvent.EndDocument);
    };
    const error = caught(reading) as DecodeError;
    expect(error).to.be.instanceOf(DecodeError);
    expect(transcoder.sourceOffset(error.position!.byteOffset)).to.equal(encode(before, 'UTF-16LE').length);
    expect(transcoder.refusal(error.position!.byteOffset)).to.equal(
      'the bytes here are no character of UTF-16LE',
    );
  });

  it('writes each character of UTF-16 as Buffer does, at the ends of each length', () => {
    const text = String.fromCodePoint(0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff);
    for (const encoding of ['UTF-16LE', 'UTF-16BE'] as const) {
      const out = transcode(new Transcoder(encoding), [encode(text, encoding)]);
      expect(out).to.deep.equal(Buffer.from(text));
    }
  });

  it('keeps a byte order mark as a byte order mark', () => {
    expect(transcode(new Transcoder('UTF-16BE'), [Buffer.of(0xfe, 0xff, 0, 0x3c)])).to.deep.equal(
      Buffer.of(0xef, 0xbb, 0xbf, 0x3c),
    );
  });

  it('hands UTF-8 and US-ASCII on as they are, without a copy', () => {
    const bytes = Uint8Array.of(0x3c, 0xff, 0xc3);
    for (const encoding of ['UTF-8', 'US-ASCII'] as const) {
      const transcoder = new Transcoder(encoding, 100);
      expect(transcoder.encoding).to.equal(encoding);
      expect(transcoder.push(bytes)).to.equal(bytes);
      expect(transcoder.end()).to.have.length(0);
      transcoder.forget(2);
      expect(transcoder.sourceOffset(2)).to.equal(102);
      expect(transcoder.refusal(1)).to.equal(undefined);
    }
  });

  it('does not depend on what becomes of the bytes it was given', () => {
    for (const encoding of ['UTF-16LE', 'ISO-8859-15'] as const) {
      const bytes = encode('xyz€'.repeat(9), encoding);
      const transcoder = new Transcoder(encoding);
      const room = Buffer.alloc(5);
      const out: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += 5) {
        const length = bytes.copy(room, 0, at, at + 5);
        out.push(transcoder.push(room.subarray(0, length)));
        room.fill(0xd8);
      }
      expect(Buffer.concat([...out, transcoder.end()]).toString()).to.equal('xyz€'.repeat(9));
    }
  });

  it('forgets what it is told to, and no more', () => {
    const text = 'aé'.repeat(5000);
    const transcoder = new Transcoder('ISO-8859-1');
    transcoder.push(encode(text, 'ISO-8859-1'));
    transcoder.forget(9000);
    for (const at of [9000, 9003, 14_997, 15_000]) {
      expect(transcoder.sourceOffset(at)).to.equal(2 * (at / 3));
    }
    expectUsage(() => transcoder.sourceOffset(0), /forgotten/);
    expectUsage(() => transcoder.sourceOffset(15_001), /not reached/);
    transcoder.forget(15_000);
    expect(transcoder.sourceOffset(15_000)).to.equal(10_000);
    expectUsage(() => transcoder.sourceOffset(14_999), /forgotten/);
    expect(transcoder.refusal(14_999)).to.equal(undefined);
  });

  it('takes nothing after the end', () => {
    const transcoder = new Transcoder('UTF-16LE');
    transcoder.end();
    expectUsage(() => transcoder.push(Uint8Array.of(0)), /after end/);
  });
});

describe('detectEncoding', () => {
  const declared = (name: string) => Buffer.from(`<?xml version='1.0' encoding='${name}'?><feed/>`);

  it('goes by the byte order mark first', () => {
    const declaration = declared('ISO-8859-1');
    const marked: readonly [Encoding, ...number[]][] = [
      ['UTF-8', 0xef, 0xbb, 0xbf],
      ['UTF-16LE', 0xff, 0xfe],
      ['UTF-16BE', 0xfe, 0xff],
    ];
    for (const [encoding, ...mark] of marked) {
      const text = encode(declaration.toString(), encoding);
      expect(detectEncoding(Buffer.concat([Buffer.from(mark), text]))).to.equal(encoding);
      expect(detectEncoding(Buffer.from(mark))).to.equal(encoding);
    }
  });

  it('sees UTF-16 without a mark by its zero bytes', () => {
    for (const text of ['<?xml version="1.0"?><a/>', '<entry/>']) {
      for (const encoding of ['UTF-16LE', 'UTF-16BE'] as const) {
        expect(detectEncoding(encode(text, encoding))).to.equal(encoding);
      }
    }
  });

  it('goes by the declaration, in any case and by any registered name', () => {
    const names: Partial<Record<Encoding, string>> = {
      'UTF-8': 'UTF-8 utf-8 utf8 csUTF8',
      'US-ASCII': 'US-ASCII ascii ANSI_X3.4-1968 cp367',
      'ISO-8859-1': 'ISO-8859-1 iso-8859-1 latin1 Latin1 L1 ISO_8859-1 CP819 iso8859-1',
      'ISO-8859-15': 'ISO-8859-15 Latin-9 latin9 csISO885915',
      'windows-1252': 'windows-1252 Windows-1252 cp1252 CP1252 x-cp1252',
    };
    for (const [encoding, spellings] of Object.entries(names)) {
      for (const name of spellings.split(' '))
        expect(detectEncoding(declared(name)), name).to.equal(encoding);
    }
  });

  it('reads the declaration of a damaged or spread out document too', () => {
    for (const text of [
      '<?xml encoding="latin1"?>',
      '<?xml version="2.0" encoding="latin1" standalone="maybe"?>',
      '\n  <?xml version="1.0" encoding="latin1"?>',
      '<?xml\n\tversion = "1.0"\r\n\tencoding =\n"latin1"',
    ]) {
      expect(detectEncoding(Buffer.from(text)), text).to.equal('ISO-8859-1');
    }
  });

  it('is UTF-8 for everything else', () => {
    for (const text of [
      '',
      '<',
      '<feed encoding="latin1"/>',
      '<?xml version="1.0"?><a encoding="latin1"/>',
      '<?xmlx encoding="latin1"?>',
      '<?xml version="1.0" encoding=latin1?>',
      `<?xml version="1.0"${' '.repeat(1000)}encoding="latin1"?>`,
      'no XML',
    ]) {
      expect(detectEncoding(Buffer.from(text)), text).to.equal('UTF-8');
    }
  });

  it('does not believe a declaration of UTF-16 that is not in UTF-16', () => {
    for (const name of ['utf-16', 'UTF-16LE', 'UTF-16BE'])
      expect(detectEncoding(declared(name))).to.equal('UTF-8');
  });

  it('names what it does not know, its place, and what it knows', () => {
    const error = refusal(Buffer.from('<?xml version="1.0"\r\n  encoding="Shift_JIS"?><a/>'), 'a.xml');
    expect(error.code).to.equal('XML_ENCODING');
    expect(error.position).to.deep.equal({ source: 'a.xml', line: 2, column: 13, byteOffset: 33 });
    expect(error.message).to.equal(
      'a.xml:2:13 (byte 33): the encoding Shift_JIS is not supported; convert the file to UTF-8 ' +
        '(supported: UTF-8, US-ASCII, UTF-16LE, UTF-16BE, ISO-8859-1, ISO-8859-15, windows-1252)',
    );
    expect(refusal(declared('x'.repeat(500))).message).to.include(`${'x'.repeat(40)}… is`);
  });

  it('refuses UTF-32 and EBCDIC by name', () => {
    const heads = [
      [0x00, 0x00, 0xfe, 0xff],
      [0xff, 0xfe, 0x00, 0x00],
      [0x00, 0x00, 0x00, 0x3c],
      [0x3c, 0x00, 0x00, 0x00],
    ];
    for (const head of heads) expect(refusal(Buffer.from(head)).message).to.include('UTF-32');
    const ebcdic = refusal(Buffer.of(0x4c, 0x6f, 0xa7, 0x94));
    expect(ebcdic.message).to.include('EBCDIC');
    expect(ebcdic.position).to.deep.equal({ source: undefined, line: 1, column: 1, byteOffset: 0 });
  });

  it('never fails otherwise, and looks at 1,000 bytes at most', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, xml) => {
        const head = xml ? Buffer.concat([Buffer.from('<?xml '), bytes]) : bytes;
        const padded = Buffer.concat([head, Buffer.alloc(1000, 0x20)]).subarray(0, 1000);
        const detect = (input: Uint8Array) => {
          const found = caught(() => expect(ENCODINGS).to.include(detectEncoding(input)));
          return found === undefined ? detectEncoding(input) : (found as DecodeError).code;
        };
        expect(detect(Buffer.concat([padded, Buffer.from('encoding="x"?>')]))).to.equal(detect(padded));
      }),
    );
  });

  function refusal(head: Uint8Array, source?: string): DecodeError {
    const error = caught(() => detectEncoding(head, source));
    expect(error).to.be.instanceOf(DecodeError);
    return error as DecodeError;
  }
});

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

function expectUsage(action: () => unknown, text: RegExp): void {
  const error = caught(action);
  expect(error).to.be.instanceOf(UsageError);
  expect(error).to.have.property('code', 'OPTION_INVALID');
  expect((error as Error).message).to.match(text);
}
