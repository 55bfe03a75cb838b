import { expect } from 'chai';
import fc from 'fast-check';
import { RowTranslation } from '../../src/translate/file.js';
import { splitUpload, type UploadPart } from '../../src/translate/split.js';
import { fileParts, v2Parts, type FileHead, type PartEncoder } from '../../src/translate/split-encodings.js';
import { RawRow, scanRows, type Dialect } from '../../src/translate/split-rows.js';
import { memorySource } from '../../src/upload/contact-source.js';
import { runs } from '../support/runs.js';

const now = Date.UTC(2026, 0);

const HEADINGS = [
  ['Email Address', 'First Name', 'State'],
  ['State', 'Birthday Month', 'Email Address'],
  ['Anniversary', 'Email Address'],
  ['Email Address'],
  ['Email Address', 'Middle Name', 'City'],
  ['Email Address', 'State/Province', 'State'],
  ['Email Address', 'City', 'City'],
  ['Email Address', '', 'City'],
  ['Email', 'Email Address', 'City'],
] as const;

const plain = fc.constantFrom('', 'Ann', 'Zoë', '日本', 'a b', '2', '"a, b"', '"say ""hi"""', '"two\nlines"');
const edge = fc.constantFrom(' ', '\t', '\u00a0', '\u3000', '\ufeff', '\u2028', '\u1680');
const edged = fc
  .tuple(edge, fc.constantFrom('Ann', 'a, b', 'ẞ', ''), fc.boolean(), fc.boolean())
  .map(([blank, text, before, quotes]) => {
    const value = before ? blank + text : text + blank;
    return quotes || text.includes(',') ? `"${value}"` : value;
  });
const LONG = 'x'.repeat(51);
const odd = fc.constantFrom(
  ...[LONG, 'é'.repeat(30), 'é'.repeat(51), `"${LONG}, y"`, '13', '"13"', '"three\r\nlines"', '"a\rb"'],
  ...['02/03/2004', '02/30/2004', '\0', '\x7f', '\x01', '""', 'é', '""""', ' "a, b"', '"a, b" ', '5" pipe'],
);
const cell = fc.oneof(
  { weight: 6, arbitrary: plain },
  { weight: 1, arbitrary: edged },
  { weight: 1, arbitrary: odd },
);
const address = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('u1@example.com', 'U2@Example.com', 'bad') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...[
        '"a@b.c d@e.f"',
        'a@b.c;d@e.f',
        'a@b.c d@e.f',
        '"a@b.c,d@e.f"',
        'é@b.c',
        '"u2@example.com"',
        'u@x.y ',
      ],
    ),
  },
);
function mostly<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, fc.constantFrom(...others));
}
const sample = fc.record({
  heading: fc.oneof(fc.constantFrom(...HEADINGS), fc.constantFrom(...HEADINGS.slice(0, 3))),
  addresses: fc.tuple(address, address),
  cells: fc.tuple(cell, cell, cell),
  more: mostly(0, -1, 1),
  end: mostly('\n', '\r\n', '\r', ''),
  delimiter: mostly(',', '\t'),
  encoding: fc.constantFrom('auto', 'auto', 'auto', 'UTF-8', 'windows-1252'),
  written: fc.constantFrom('utf8', 'utf8', 'utf8', 'latin1'),
});
type Sample = typeof sample extends fc.Arbitrary<infer S> ? S : never;

const isAddress = (name: string) => name.startsWith('Email');

/** The row of the sample, as it is scanned in a file, and what an encoder is told of the file. */
async function scanned(one: Sample): Promise<{ head: FileHead; row: RawRow | undefined }> {
  const { heading, addresses, cells, more, end, delimiter, encoding, written } = one;
  const names: readonly string[] = heading;
  const own = names.map((name, index) =>
    isAddress(name) ? addresses[index === 0 ? 0 : 1] : (cells[index] ?? ''),
  );
  const line = more === 1 ? [...own, cells[0]] : own.slice(0, own.length + more);
  // What follows would be another row.
  const bytes = Buffer.from(
    `${line.join(delimiter)}${end}${end === '' ? '' : 'next@example.com\n'}`,
    written,
  );
  const dialect = { delimiter, encoding } as Dialect;
  const rows: RawRow[] = [];
  const start = { offset: 0, line: 2 };
  for await (const batch of scanRows(memorySource(bytes), start, dialect, names.findIndex(isAddress))) {
    rows.push(...batch);
  }
  const [row] = rows.filter(({ offset }) => offset === 0);
  const headingRow = row ?? new RawRow({ ...NO_ROW, piece: bytes });
  return { head: { heading: names, headingRow, dialect, sha256: 'ab'.repeat(32) }, row };
}

const NO_ROW = {
  ...{ offset: 0, line: 1, lines: 1, start: 0, end: 0, cells: 0, cellStart: 0, cellEnd: 0 },
  ...{ clean: false, ascii: true, hasInk: false, tidy: false },
};

/** The same row, of which nothing is known at once. */
function unknown(row: RawRow): RawRow {
  return new RawRow({
    ...Object.assign({}, row),
    clean: false,
    tidy: false,
    cells: 0,
    cellStart: 0,
    cellEnd: 0,
  });
}

async function linesOf(part: UploadPart): Promise<unknown[]> {
  const lines: unknown[] = [];
  for await (const line of part.lines()) lines.push(line);
  return lines;
}

describe('rows that go as they stand', () => {
  it('are those that would be written so when they are read, of which nothing is to be said', async () => {
    const encode = v2Parts({ purpose: 'add', as: 'file', now });
    let straight = 0;
    const property = fc.asyncProperty(sample, async (one) => {
      const { head, row } = await scanned(one);
      if (row === undefined) return;
      const encoding = await encode(head);
      const before = encoding.losses?.().length;
      if (encoding.straight?.(row) !== true) return;
      straight++;
      expect(String(row.bytes)).to.equal(String(encoding.row(unknown(row))));
      expect(Buffer.from(encoding.row(unknown(row)) ?? 'unsent').equals(row.bytes)).to.equal(true);
      expect(encoding.losses?.()).to.have.length(before ?? 0);
    });
    const tried = runs(6000);
    await fc.assert(property, { numRuns: tried });
    // Else nothing was tried.
    expect(straight).to.be.above(tried / 20);
  });

  it('are addresses alone where contacts are removed, and the same as when they are read', async () => {
    const encode = v2Parts({ purpose: 'remove', as: 'file', now });
    const property = fc.asyncProperty(sample, async (one) => {
      const { head, row } = await scanned(one);
      if (row === undefined) return;
      const [fast, slow] = [await encode(head), await encode(head)];
      expect(String(fast.row(row))).to.equal(String(slow.row(unknown(row))));
      expect(fast.losses?.()).to.deep.equal(slow.losses?.());
      expect(fast.linesOf(row)).to.equal(slow.linesOf(unknown(row)));
    });
    await fc.assert(property, { numRuns: runs(3000) });
  });

  it('are those of a file that is sent as it is', async () => {
    const property = fc.asyncProperty(sample, async (one) => {
      const { head, row } = await scanned(one);
      if (row === undefined) return;
      const encoding = await fileParts()(head);
      if (encoding.straight?.(row) === true) {
        expect(Buffer.from(encoding.row(row) ?? 'unsent').equals(row.bytes)).to.equal(true);
      }
    });
    await fc.assert(property, { numRuns: runs(1000) });
  });

  it('do not change the parts: neither bytes, nor digests, nor lines, nor losses', async () => {
    const text = (rows: readonly Sample[]) =>
      `Email Address,First Name,State\n${rows
        .map(({ addresses, cells, more, end }, index) => {
          const row = [`${index % 7}${addresses[0]}`, cells[0], cells[1], ...(more === 1 ? ['x'] : [])];
          return row.join(',') + (end || '\n');
        })
        .join('')}last@example.com,,`;
    const property = fc.asyncProperty(
      fc.array(sample, { minLength: 1, maxLength: 15 }),
      fc.constantFrom('add' as const, 'remove' as const),
      async (rows, purpose) => {
        const fast = v2Parts({ purpose, as: 'multipart', lists: ['4'], now });
        const slow: PartEncoder = async (file) => ({ ...(await fast(file)), straight: undefined });
        const told = async (encode: PartEncoder) => {
          const limits = { rows: 3, bytes: 4000 };
          const split = await splitUpload(memorySource(Buffer.from(text(rows))), { limits, encode });
          const parts = await Promise.all(
            split.parts.map(async (part) => {
              const chunks: Uint8Array[] = [];
              for await (const chunk of part.open()) chunks.push(chunk);
              return { ...part, body: Buffer.concat(chunks).toString('latin1'), at: await linesOf(part) };
            }),
          );
          await split.close();
          const { losses, rows: count } = split;
          const plain = parts.map(({ body, at, bytes, sha256 }) => ({ body, at, bytes, sha256 }));
          return { plain, losses, count };
        };
        expect(await told(fast)).to.deep.equal(await told(slow));
      },
    );
    await fc.assert(property, { numRuns: runs(60) });
  });

  it('are checked in those columns whose values v2 refuses, and the rest is never refused', () => {
    const names = ['Email Address', 'State', 'Birthday Day', 'Birthday Month', 'Anniversary'];
    for (const name of names) {
      const translation = new RowTranslation({ purpose: 'add', now });
      translation.next({ line: 1, cells: ['Email', name] });
      const bad = name === 'Email Address' ? ['a@b.c, d@e.f', ''] : ['a@b.c', LONG];
      translation.next({ line: 2, cells: bad });
      translation.end();
      expect(
        translation.losses.map(({ code }) => code),
        name,
      ).to.include('VALUE_REFUSED');
    }
  });
});
