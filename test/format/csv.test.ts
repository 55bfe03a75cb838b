import { expect } from 'chai';
import fc from 'fast-check';
import papaparse from 'papaparse';
import { DecodeError } from '../../src/activity/errors.js';
import { readCsv, writeCsv, type CsvOptions, type CsvRow } from '../../src/format/csv.js';

type Input = Parameters<typeof readCsv>[0];

async function read(input: Input, options?: CsvOptions): Promise<CsvRow[]> {
  const rows: CsvRow[] = [];
  for await (const row of readCsv(input, options)) rows.push(row);
  return rows;
}

async function cells(input: Input, options?: CsvOptions): Promise<(readonly string[])[]> {
  return (await read(input, options)).map((row) => row.cells);
}

/** The rows that were read, and the error that ended it. */
async function outcome(input: Input, options?: CsvOptions): Promise<{ rows: CsvRow[]; error?: DecodeError }> {
  const rows: CsvRow[] = [];
  try {
    for await (const row of readCsv(input, options)) rows.push(row);
    return { rows };
  } catch (error) {
    expect(error).to.be.instanceOf(DecodeError).with.property('code', 'CSV_MALFORMED');
    return { rows, error: error as DecodeError };
  }
}

async function written(...args: Parameters<typeof writeCsv>): Promise<string> {
  let text = '';
  for await (const piece of writeCsv(...args)) text += piece;
  return text;
}

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length]!;
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 });
const special = fc.constantFrom(
  '"',
  '""',
  ',',
  '\t',
  '\n',
  '\r',
  '\r\n',
  ' ',
  'a',
  'é',
  '\uFEFF',
  '漢',
  '',
  '😀',
  '\0',
);
const cell = fc.oneof(
  fc.array(special, { maxLength: 6 }).map((characters) => characters.join('')),
  fc.string({ unit: 'grapheme', maxLength: 10 }),
);
const table = fc
  .integer({ min: 1, max: 4 })
  .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 6 }));
const delimiter = fc.constantFrom(',' as const, '\t' as const);
const lineEnd = fc.constantFrom('\n' as const, '\r\n' as const);

describe('readCsv and writeCsv', () => {
  it('are inverse, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(table, delimiter, lineEnd, sizes, async (rows, delimiter, lineEnd, cuts) => {
        const text = await written(rows, { delimiter, lineEnd });
        expect(await cells(text, { delimiter })).to.deep.equal(rows);
        expect(await cells(cut(Buffer.from(text), cuts), { delimiter })).to.deep.equal(rows);
      }),
      { numRuns: 300 },
    );
  });

  it('are inverse in lenient mode but for white space around cells', async () => {
    const ragged = fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(ragged, delimiter, sizes, async (rows, delimiter, cuts) => {
        const text = await written(rows, { delimiter });
        const trimmed = rows.map((row) => row.map((one) => one.trim()));
        expect(await cells(cut(Buffer.from(text), cuts), { delimiter, lenient: true })).to.deep.equal(
          trimmed,
        );
      }),
      { numRuns: 300 },
    );
  });

  it('agree with papaparse, both ways', async () => {
    await fc.assert(
      fc.asyncProperty(table, lineEnd, async (rows, lineEnd) => {
        const text = await written(rows, { lineEnd });
        const parsed = papaparse.parse<string[]>(text.replace(/\r?\n$/, ''), {
          delimiter: ',',
          newline: lineEnd,
        });
        if (rows.length > 0) expect(parsed.data).to.deep.equal(rows);
        const theirs = papaparse.unparse(rows, { newline: lineEnd, quotes: true });
        expect(await cells(theirs)).to.deep.equal(rows);
      }),
      { numRuns: 300 },
    );
  });
});

describe('readCsv', () => {
  const piece = fc.constantFrom(
    '"',
    '""',
    ',',
    ',',
    '\n',
    '\r\n',
    '\r',
    ' ',
    'a',
    'é',
    ',"',
    '",',
    '"\n',
    '\n"',
  );
  const anyText = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''));
  const brokenBytes = fc
    .array(
      fc.oneof(
        piece.map((text) => Buffer.from(text)),
        fc.constantFrom(...[0xe9, 0xc3, 0xf0, 0x9f, 0xff, 0x80].map((byte) => Buffer.of(byte))),
      ),
      {
        maxLength: 20,
      },
    )
    .map((pieces) => Buffer.concat(pieces));

  it('gives the same rows and the same error however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          anyText.map((text) => Buffer.from(text)),
          brokenBytes,
        ),
        sizes,
        fc.boolean(),
        async (bytes, cuts, lenient) => {
          const whole = await outcome(bytes, { lenient });
          const inPieces = await outcome(cut(bytes, cuts), { lenient });
          expect(inPieces.rows).to.deep.equal(whole.rows);
          expect(inPieces.error?.message).to.equal(whole.error?.message);
          expect(inPieces.error?.position).to.deep.equal(whole.error?.position);
          if (lenient) expect(whole.error).to.equal(undefined);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('reads in lenient mode what it reads in strict mode, and more', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const strict = await outcome(text, { delimiter: ',' });
        fc.pre(strict.error === undefined);
        const filled = (rows: readonly CsvRow[]) =>
          rows
            .map(({ line, cells }) => ({ line, cells: cells.map((one) => one.trim()) }))
            .filter(({ cells }) => cells.length > 1 || cells[0] !== '');
        const lenient = await outcome(text, { delimiter: ',', lenient: true });
        expect(filled(lenient.rows)).to.deep.equal(filled(strict.rows));
      }),
      { numRuns: 500 },
    );
  });

  it('starts every row on the line it says, in both modes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, fc.integer({ min: 0, max: 2 }))),
        lineEnd,
        fc.boolean(),
        async (given, lineEnd, lenient) => {
          let text = '';
          const lines: number[] = [];
          for (const [value, empties] of given) {
            text += lineEnd.repeat(empties);
            lines.push(text.split(/\r\n|\n|\r/).length);
            text += await written([['x', value]], { lineEnd });
          }
          expect((await read(text, { delimiter: ',', lenient })).map((row) => row.line)).to.deep.equal(lines);
        },
      ),
    );
  });

  it('takes CRLF, LF and CR, mixed; passes over empty lines but counts them; drops a BOM', async () => {
    const bytes = Buffer.from('\uFEFFa,b\r\n\n\r\rc,d\r\n\r\n"x\r\ny\rz",e\nf,g');
    for (const lenient of [false, true]) {
      for (const input of [bytes, cut(bytes, [1])]) {
        expect(await read(input, { lenient })).to.deep.equal([
          { line: 1, cells: ['a', 'b'] },
          { line: 5, cells: ['c', 'd'] },
          { line: 7, cells: ['x\r\ny\rz', 'e'] },
          { line: 10, cells: ['f', 'g'] },
        ]);
      }
    }
  });

  it('tells an empty line from a quoted empty cell, and a BOM from a character', async () => {
    for (const lenient of [false, true]) {
      expect(await cells('""\n\n""\r\n\r\n""', { lenient })).to.deep.equal([[''], [''], ['']]);
      expect(await cells('', { lenient })).to.deep.equal([]);
      expect(await cells('\uFEFF', { lenient })).to.deep.equal([]);
      expect(await cells('\n\r\n\r', { lenient })).to.deep.equal([]);
    }
    expect(await cells('\uFEFF"\uFEFFa"\n\uFEFF')).to.deep.equal([['\uFEFFa'], ['\uFEFF']]);
  });

  it('finds the delimiter in the first line that is not empty, outside quotes', async () => {
    for (const [text, expected] of [
      ['a\tb,c\td', ['a', 'b,c', 'd']],
      ['a,b\tc,d', ['a', 'b\tc', 'd']],
      ['"a,b,c"\td', ['a,b,c', 'd']],
      ['"a\tb\tc",d', ['a\tb\tc', 'd']],
      ['a\tb,c', ['a\tb', 'c']],
      ['\r\n\r\na\tb', ['a', 'b']],
      ['\uFEFFa\tb', ['a', 'b']],
      ['alone', ['alone']],
    ] as const) {
      for (const input of [text, cut(Buffer.from(text), [1])]) {
        expect((await cells(input))[0], JSON.stringify(text)).to.deep.equal(expected);
      }
      expect((await cells(text, { lenient: true }))[0], JSON.stringify(text)).to.deep.equal(expected);
    }
    expect(await cells('a,b\tc', { delimiter: '\t' })).to.deep.equal([['a,b', 'c']]);
    const long = `${'x'.repeat(100_000)}\ty\n`;
    expect((await cells(cut(Buffer.from(`\t\t\t${long}`), [1000])))[0]).to.have.length(5);
  });

  it('refuses a broken quote, after the rows before it, with the place where the row starts', async () => {
    for (const [text, line, byteOffset, reason] of [
      ['a,b\n1,2\n3,"4\n5,6\n', 3, 8, /never closed/],
      ['\uFEFFa,b\n1,2\n\n"x" y,2\n', 4, 12, /goes on after its closing quote/],
      ['a,b\n1,2\r\n\r\nsay "hi",2\n', 4, 11, /quote inside an unquoted cell/],
      ['é,b\n1,2\n3,4,5\n', 3, 9, /the row has 3 cells, the first row 2/],
      ['a,b\n1,"\r\n2"\n"3"\n', 4, 12, /the row has 1 cell, the first row 2/],
    ] as const) {
      const { rows, error } = await outcome(text);
      expect(error?.message, text).to.match(reason);
      expect(error?.position, text).to.deep.equal({ source: undefined, line, column: 1, byteOffset });
      expect(rows, text).to.have.length(2);
      // What the parser said comes along; of the number of cells it said nothing.
      expect(error?.cause instanceof Error, text).to.equal(!(error?.message ?? '').includes('the row has'));
      expect(error?.message).to.match(new RegExp(`^line ${line}:1 \\(byte ${byteOffset}\\): `));
    }
  });

  it('refuses a row that never ends', async () => {
    const { rows, error } = await outcome(`a\n"${'x\n'.repeat(600_000)}"\n`);
    expect(rows).to.have.length(1);
    expect(error?.message).to.match(/^line 2:1 .*more than 1048576 characters/);
    expect(await cells(`a\n"${'x'.repeat(1_048_000)}"\n`)).to.have.length(2);
  });

  it('refuses bytes that are not UTF-8, after the rows before them, with their place', async () => {
    for (const [bytes, line, column, byteOffset, shown] of [
      [[0x61, 0x0a, 0xe9, 0x0a], 2, 1, 2, '0xE9'],
      [[0xff, 0xfe, 0x61, 0x00], 1, 1, 0, '0xFF'],
      [[0xc3, 0xa9, 0x0d, 0x0a, 0x0d, 0xc3, 0xa9, 0x61, 0xc3], 3, 3, 8, '0xC3'],
      [[0x61, 0x0a, 0xf0, 0x9f, 0x98], 2, 1, 2, '0xF0'],
      [[0x61, 0x0a, 0xed, 0xa0, 0x80], 2, 1, 2, '0xED'],
      [[0x61, 0x0a, 0x80], 2, 1, 2, '0x80'],
      [[0x61, 0x0a, 0xc3, 0x28], 2, 1, 2, '0xC3'],
    ] as const) {
      const { rows, error } = await outcome(Uint8Array.from(bytes));
      expect(error?.position).to.deep.equal({ source: undefined, line, column, byteOffset });
      expect(error?.message).to.include(`${shown} is not UTF-8`);
      expect(rows.length, shown).to.be.within(0, 1);
    }
    expect((await outcome(Buffer.from('a\nb\nc\nd\n\xe9', 'latin1'))).rows.length).to.be.within(2, 4);
  });

  it('hands on each row before the line after the next is asked for, whatever ends the lines', async () => {
    for (const lenient of [false, true]) {
      for (const lineEnd of ['\n', '\r\n', '\r']) {
        let given = 0;
        const source = async function* () {
          for (; given < 6; given++) {
            await Promise.resolve();
            yield Buffer.from(`a${given},"b"${lineEnd}`);
          }
        };
        const rows = readCsv(source(), { lenient })[Symbol.asyncIterator]();
        for (let row = 0; row < 5; row++) {
          expect((await rows.next()).value).to.deep.include({ cells: [`a${row}`, 'b'] });
          // What follows may be needed: a CR ends its line only before what is no LF.
          expect(given, JSON.stringify({ lenient, lineEnd })).to.be.at.most(row + 1);
        }
        await rows.return?.();
      }
    }
  });

  it('judges a first line of more than 64 KiB by its beginning, and a shorter one whole', async () => {
    for (const [length, width] of [
      [65_536, 2],
      [65_537, 1],
    ] as const) {
      const line = Buffer.from(`${'x'.repeat(length)}\ty\n`);
      expect((await cells(cut(line, [length])))[0]).to.have.length(width);
    }
  });

  it('stops reading its source when nobody reads the rows', async () => {
    let closed = 0;
    const source = async function* () {
      try {
        for (;;) {
          await Promise.resolve();
          yield Buffer.from('a,b\n');
        }
      } finally {
        closed++;
      }
    };
    for (const lenient of [false, true]) {
      for await (const row of readCsv(source(), { lenient })) {
        if (row.line === 3) break;
      }
    }
    expect(closed).to.equal(2);
  });

  it('passes on an error of its source', async () => {
    const source = async function* () {
      await Promise.resolve();
      yield Buffer.from('a\nb\n');
      throw new Error('disk on fire');
    };
    for (const lenient of [false, true]) {
      let error: unknown;
      try {
        await read(source(), { lenient });
      } catch (caught) {
        error = caught;
      }
      expect(error).to.have.property('message', 'disk on fire');
    }
  });
});

describe('readCsv in lenient mode', () => {
  const lenient = (text: string | Uint8Array) => cells(text, { lenient: true, delimiter: ',' });

  it('reads what clients of the time sent', async () => {
    for (const [text, expected] of [
      // blanks after commas, and a quoted cell after a blank
      ['a@example.com, Fred, "Boston, MA"', [['a@example.com', 'Fred', 'Boston, MA']]],
      ['"a@example.com" , "F"\t,x', [['a@example.com', 'F', 'x']]],
      // a comma behind each row, rows of unequal length
      ['a,b,\r\nc\r\nd,e,f,g', [['a', 'b', ''], ['c'], ['d', 'e', 'f', 'g']]],
      // no quoting at all
      ['a,Bob "the man" Smith,5\' 3"', [['a', 'Bob "the man" Smith', '5\' 3"']]],
      ['a,"Big" Joe,c', [['a', '"Big" Joe', 'c']]],
      ['a,"Big" Joe,"Boston, MA"', [['a', '"Big" Joe', 'Boston, MA']]],
      [
        'a,"Joe\nb,"Bob",c',
        [
          ['a', '"Joe'],
          ['b', 'Bob', 'c'],
        ],
      ],
      [
        'a,"Joe\nb,Jim "x" y',
        [
          ['a', '"Joe'],
          ['b', 'Jim "x" y'],
        ],
      ],
      ['a,"', [['a', '"']]],
      ['a,"never\nclosed\n', [['a', '"never'], ['closed']]],
      // quotes that are not doubled inside
      ['"Ann "Nan" Lee","x"', [['Ann "Nan" Lee', 'x']]],
      ['"Boston, "MA" x",y', [['Boston, "MA" x', 'y']]],
      ['"say "hi"",y', [['say "hi"', 'y']]],
      // well-formed all the same
      [
        '"a ""b"" c","d\ne"\n"",x',
        [
          ['a "b" c', 'd\ne'],
          ['', 'x'],
        ],
      ],
      ['"a\n""b"" c"" d",y', [['a\n"b" c" d', 'y']]],
      ['a,"b', [['a', '"b']]],
      [' a \n \n b ', [['a'], ['b']]],
      [',,\n', [['', '', '']]],
    ] as const) {
      expect(await lenient(text), JSON.stringify(text)).to.deep.equal(expected);
      expect(await cells(cut(Buffer.from(text), [1]), { lenient: true, delimiter: ',' })).to.deep.equal(
        expected,
      );
    }
  });

  it('takes tabs for blanks only where they do not delimit', async () => {
    expect(await cells('a\t\t "b"\t', { lenient: true, delimiter: '\t' })).to.deep.equal([
      ['a', '', 'b', ''],
    ]);
  });

  it('reads a line that is not UTF-8 as windows-1252, and the others as UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from('é,1\n'),
      Buffer.from([0xe9, 0x2c, 0x80, 0x0a]),
      Buffer.from('ü,3'),
    ]);
    expect(await lenient(bytes)).to.deep.equal([
      ['é', '1'],
      ['é', '€'],
      ['ü', '3'],
    ]);
    expect(await lenient(Uint8Array.of(0x93, 0x61, 0x94))).to.deep.equal([['“a”']]);
  });

  it('takes a quote for a character when what it opens is longer than a row may be', async () => {
    const text = `a,"${'x\n'.repeat(600_000)}"\n`;
    const rows = await lenient(text);
    expect(rows[0]).to.deep.equal(['a', '"x']);
    expect(rows).to.have.length(600_001);
  });

  it('takes a quoted cell as long as a row may be, and no longer', async () => {
    for (const [length, isQuoted] of [
      [1_048_575, true],
      [1_048_576, false],
    ] as const) {
      const [row] = await lenient(`"${'x'.repeat(length)}"\n`);
      expect(row?.[0]).to.have.length(isQuoted ? length : length + 2);
    }
  });

  it('reads any number of stray quotes', async () => {
    for (const text of ['a,"b\n', 'x,"a"  b', 'x,"a,', '""b,', '"""', '" ']) {
      const rows = await lenient(text.repeat(20_000));
      expect(rows.length).to.be.greaterThan(0);
    }
  });
});

describe('writeCsv', () => {
  it('quotes what would be lost or misread, and nothing else', async () => {
    expect(
      await written([
        ['plain', 'a,b', 'say "hi"', 'x\ny', 'x\ry', ' a', 'a ', '\uFEFFa', 'a\u00A0', '', "O'Neil", '=1+1'],
        [''],
        ['', ''],
        [],
        ['last'],
      ]),
    ).to.equal(
      'plain,"a,b","say ""hi""","x\ny","x\ry"," a","a ","\uFEFFa","a\u00A0",,O\'Neil,=1+1\n""\n,\nlast\n',
    );
    expect(await written([['a\tb', 'c,d']], { delimiter: '\t', lineEnd: '\r\n' })).to.equal(
      '"a\tb"\tc,d\r\n',
    );
    expect(await written([])).to.equal('');
  });

  it('gives no piece without text', async () => {
    const rows = fc.array(fc.constantFrom([], [''], ['a', 'b']), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(rows, async (given) => {
        for await (const piece of writeCsv(given)) expect(piece).not.to.equal('');
      }),
    );
  });

  it('takes rows as they come, and hands them on before the last', async () => {
    let made = 0;
    const rows = async function* () {
      for (; made < 5000; made++) {
        await Promise.resolve();
        yield [`a${made}`, 'b'];
      }
    };
    const pieces = writeCsv(rows());
    const first = await pieces.next();
    expect(made).to.be.lessThan(1000);
    let text = first.value as string;
    for await (const piece of pieces) text += piece;
    expect(text.split('\n')).to.have.length(5001);
    expect(text.endsWith('a4999,b\n')).to.equal(true);
  });
});
