import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readCsv } from '../../src/format/csv.js';
import { LIMITS } from '../../src/translate/limits.js';
import {
  splitUpload,
  type SplitOptions,
  type SplitUpload,
  type UploadPart,
} from '../../src/translate/split.js';
import { v2Parts } from '../../src/translate/split-encodings.js';
import { lineRuns } from '../../src/translate/split-lines.js';
import { memorySource, type ContactSource } from '../../src/upload/contact-source.js';
import { encodeRequest } from '../../src/v2/requests.js';
import { toV2 } from '../../src/v2/meaning.js';
import { checkRequest } from '../../src/activity/request.js';
import { runs } from '../support/runs.js';

interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

async function rowsOf(bytes: Uint8Array | string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const { line, cells } of readCsv(bytes, { lenient: true })) {
    if (cells.some((cell) => cell !== '')) rows.push({ line, cells });
  }
  return rows;
}

async function gathered(part: Pick<UploadPart, 'open'>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of part.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

function partOf(parts: readonly UploadPart[], index: number): UploadPart {
  const part = parts[index];
  if (part === undefined) throw new Error(`there is no part ${index}`);
  return part;
}

/** Delivers in chunks of these lengths, over and over. */
function chopped(bytes: Buffer, lengths: readonly number[]): ContactSource {
  return {
    size: bytes.length,
    close: () => Promise.resolve(),
    async *read(start) {
      await Promise.resolve();
      for (let at = start, turn = 0; at < bytes.length; turn++) {
        const length = lengths[turn % lengths.length] ?? 1;
        yield bytes.subarray(at, at + length);
        at += length;
      }
    },
  };
}

async function using<T>(
  bytes: Buffer | ContactSource,
  options: SplitOptions,
  use: (split: SplitUpload) => Promise<T>,
): Promise<T> {
  const split = await splitUpload(Buffer.isBuffer(bytes) ? memorySource(bytes) : bytes, options);
  try {
    return await use(split);
  } finally {
    await split.close();
  }
}

async function failure(bytes: string | Buffer, options: Partial<SplitOptions> = {}): Promise<Error> {
  return using(Buffer.from(bytes), { limits: LIMITS.v2Add, ...options }, () => Promise.resolve()).then(
    () => new Error('it was split'),
    (error: unknown) => error as Error,
  );
}

/** The rows that count of one upload: of each address the last. */
function lastOfEach(rows: readonly Row[], index: number): Row[] {
  const key = ({ cells }: Row) => (cells[index] ?? '').toLowerCase();
  const last = new Map(rows.map((row) => [key(row), row.line]));
  return rows.filter((row) => key(row) === '' || last.get(key(row)) === row.line);
}

const ADDRESSES = ['a@example.com', ' A@Example.com ', 'b@example.com', 'c@example.com', 'd@example.com', ''];
const PLAIN = ['', 'Ann', ' x ', 'Zoë', '日本', 'a'.repeat(30)];
const ODD = ['5" pipe', '"', 'say "hi" now', '"Big" Joe', ' "Boston, MA"', '"Ann "Nan" Lee"', '"open'];

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** A contact file as text: whole lines and their ends. */
function contactFile(odd: boolean): fc.Arbitrary<{ text: string; delimiter: ',' | '\t' }> {
  const value = fc.oneof(
    fc.constantFrom(...PLAIN),
    fc.constantFrom(...PLAIN).map(quoted),
    fc.constantFrom('two\nlines', 'three\r\nor\rmore', 'a, b', 'tab\there', 'a "quote"').map(quoted),
    ...(odd ? [fc.constantFrom(...ODD)] : []),
  );
  const address = fc.oneof(fc.constantFrom(...ADDRESSES), fc.constantFrom(...ADDRESSES).map(quoted));
  const end = fc.constantFrom('\n', '\r\n', '\r');
  const row = fc.tuple(value, address, fc.array(value, { maxLength: 2 }), end);
  const blank = fc.constantFrom('', ' ', '""', '\u00a0').chain((text) => end.map((ending) => text + ending));
  return fc
    .record({
      delimiter: fc.constantFrom(',' as const, '\t' as const),
      rows: fc.array(fc.oneof({ weight: 6, arbitrary: row }, { weight: 1, arbitrary: blank }), {
        minLength: 1,
        maxLength: 30,
      }),
      headingEnd: end,
      cut: fc.boolean(),
      bom: fc.boolean(),
    })
    .map(({ delimiter, rows, headingEnd, cut, bom }) => {
      const lines = rows.map((one) => {
        if (typeof one === 'string') return one;
        const [first, mail, rest, ending] = one;
        // A comma in an unquoted cell of a file with commas would be another cell: the delimiter is what it is.
        return [first, mail, ...rest].join(delimiter) + ending;
      });
      const text = ['First Name', '"Email\nAddress"', 'City', 'Custom Field 1']
        .join(delimiter)
        .replace('"Email\nAddress"', 'Email Address');
      const body = text + headingEnd + lines.join('');
      return { delimiter, text: (bom ? '\ufeff' : '') + (cut ? body.replace(/[\r\n]+$/, '') : body) };
    });
}

const limits = fc.record({ rows: fc.integer({ min: 1, max: 8 }), bytes: fc.integer({ min: 250, max: 600 }) });

async function checkParts(text: Buffer, given: SplitOptions): Promise<void> {
  const whole = await rowsOf(text);
  const [heading, ...rest] = whole;
  const index = 1;
  const kept = lastOfEach(rest, index);
  await using(text, given, async (split) => {
    const bodies = await Promise.all(split.parts.map(gathered));
    const read = await Promise.all(bodies.map(rowsOf));
    // Every part repeats the heading; together they are the rows, in order.
    for (const rows of read) expect(rows[0]?.cells).to.deep.equal(heading?.cells);
    expect(read.flatMap((rows) => rows.slice(1).map(({ cells }) => cells))).to.deep.equal(
      kept.map(({ cells }) => cells),
    );
    // Every line is where the part says.
    const lines = await Promise.all(split.parts.map((part) => all(part.lines())));
    expect(lines.map((part) => part.map(({ line }) => line))).to.deep.equal(
      read.map((rows) => rows.slice(1).map(({ line }) => line)),
    );
    expect(lines.flat().map(({ fileLine, address }) => [fileLine, address])).to.deep.equal(
      kept.map(({ line, cells }) => [line, cells[index] ?? '']),
    );
    // What is not sent is told.
    const left = await all(split.duplicates());
    const keptLines = new Map(kept.map(({ line, cells }) => [(cells[index] ?? '').toLowerCase(), line]));
    expect(left).to.deep.equal(
      rest
        .filter(({ line }) => !kept.some((row) => row.line === line))
        .map(({ line, cells }) => {
          const address = (cells[index] ?? '').toLowerCase();
          return { line, keptLine: keptLines.get(address), address };
        }),
    );
    expect(split.duplicateCount).to.equal(left.length);
    expect(split.rows).to.equal(kept.length);
    // What a part says of itself is so, and it keeps to the limits and is full.
    split.parts.forEach((part, at) => {
      const body = bodies[at] ?? Buffer.alloc(0);
      expect([part.index, part.bytes, part.length, part.rows]).to.deep.equal([
        at,
        body.length,
        body.length,
        (read[at]?.length ?? 0) - 1,
      ]);
      expect(part.sha256).to.equal(createHash('sha256').update(body).digest('hex'));
      expect(part.rows).to.be.within(1, given.limits.rows);
      expect(part.bytes).to.be.below(given.limits.bytes);
      expect(part.firstLine).to.equal(lines[at]?.[0]?.fileLine);
      const next = split.parts[at + 1];
      if (next === undefined || part.rows === given.limits.rows) return;
      const [first] = lines[at + 1] ?? [];
      const pieces =
        (bodies[at + 1] ?? Buffer.alloc(0)).toString('latin1').match(/[^\r\n]*(?:\r\n|\r|\n)/g) ?? [];
      const row = pieces.slice((first?.line ?? 1) - 1, (first?.line ?? 1) - 1 + (first?.lines ?? 0)).join('');
      expect(part.bytes + row.length).to.be.at.least(given.limits.bytes);
    });
  });
}

describe('an upload in parts', () => {
  it('has the rows of the file in their order, each part full and within the limits', async () => {
    const property = fc.asyncProperty(contactFile(false), limits, async ({ text }, most) => {
      fc.pre((await rowsOf(text)).length > 1);
      await checkParts(Buffer.from(text), { limits: most });
    });
    await fc.assert(property, { numRuns: runs(150) });
  });

  it('does so for what only a lenient reader understands, and writes it properly', async () => {
    const property = fc.asyncProperty(contactFile(true), limits, async ({ text }, most) => {
      fc.pre((await rowsOf(text)).length > 1);
      await checkParts(Buffer.from(text), { limits: { ...most, bytes: 5000 } });
    });
    await fc.assert(property, { numRuns: runs(150) });
  });

  it('is the same however the file comes in chunks', async () => {
    const told = async (source: ContactSource, most: SplitOptions['limits']) =>
      using(source, { limits: most }, async (split) => ({
        sha256: split.sha256,
        parts: split.parts.map((part) => ({ ...part, open: '', lines: '', locate: '', withoutAddress: '' })),
        lines: await Promise.all(split.parts.map((part) => all(part.lines()))),
        bodies: (await Promise.all(split.parts.map(gathered))).map(String),
        duplicates: await all(split.duplicates()),
      }));
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
    const property = fc.asyncProperty(contactFile(true), limits, sizes, async ({ text }, most, lengths) => {
      fc.pre((await rowsOf(text)).length > 1);
      const bytes = Buffer.from(text);
      const roomy = { ...most, bytes: 5000 };
      expect(await told(chopped(bytes, lengths), roomy)).to.deep.equal(
        await told(memorySource(bytes), roomy),
      );
    });
    await fc.assert(property, { numRuns: runs(60) });
  });

  it('goes on over many windows of the file, with large rows and long open quotes', async () => {
    const rows = Array.from({ length: 9000 }, (_, index) => {
      const note =
        index % 7 === 0 ? quoted(`x${'y'.repeat(index % 50)}\r\nz`) : index % 11 === 0 ? '5" pipe' : 'plain';
      return `n${index},u${index % 8000}@example.com,${note}${index % 3 === 0 ? '\r\n' : '\n'}`;
    });
    rows[4000] = `large,large@example.com,${quoted('w'.repeat(300_000))}\n`;
    rows[5000] = `stray,stray@example.com,"never closed ${'v'.repeat(200_000)}\n`;
    const text = Buffer.from(`First Name,Email Address,City\n${rows.join('')}`);
    await checkParts(text, { limits: { rows: 1000, bytes: 400_000 } });
  });

  it('is sent in UTF-8, whatever the file was in', async () => {
    const text = 'EMAIL ADDRESS,FIRST NAME\r\na@example.com,Zoë\r\nb@example.com,"André\r\nis here"\r\n';
    const latin = Buffer.from(text, 'latin1');
    const wide = Buffer.from(`\ufeff${text}`, 'utf16le');
    const cases: [Buffer, SplitOptions['encoding']][] = [
      [Buffer.from(text), 'auto'],
      [Buffer.from(`\ufeff${text}`), 'UTF-8'],
      [latin, 'auto'],
      [latin, 'ISO-8859-1'],
      [latin, 'windows-1252'],
      [wide, 'auto'],
      [Buffer.from(wide).swap16(), undefined],
    ];
    for (const [bytes, encoding] of cases) {
      await using(bytes, { limits: LIMITS.v2Add, encoding }, async ({ parts, heading }) => {
        expect(heading).to.deep.equal(['EMAIL ADDRESS', 'FIRST NAME']);
        expect(parts).to.have.length(1);
        expect(String(await gathered(partOf(parts, 0)))).to.equal(text);
      });
    }
    const mixed = Buffer.concat([
      Buffer.from('EMAIL,CITY\na@example.com,"Zoë\n'),
      latin.subarray(38, 43),
      Buffer.from('"\n'),
    ]);
    await using(mixed, { limits: LIMITS.v2Add }, async ({ parts }) => {
      const expected = (await rowsOf(mixed)).map(({ cells }) => cells);
      expect((await rowsOf(await gathered(partOf(parts, 0)))).map(({ cells }) => cells)).to.deep.equal(
        expected,
      );
    });
  });

  it('goes by the first address that is not blank, of several columns', async () => {
    const text =
      'EMAIL,EMAIL ADDRESS,CITY\na@example.com,b@example.com,1\n,b@example.com,2\n"",A@example.com,"3"\n,,4\n';
    await using(Buffer.from(text), { limits: LIMITS.v2Add }, async (split) => {
      const { parts } = split;
      expect((await all(partOf(parts, 0).lines())).map(({ address }) => address)).to.deep.equal([
        'b@example.com',
        'A@example.com',
        '',
      ]);
      expect(await all(split.duplicates())).to.deep.equal([
        { line: 2, keptLine: 4, address: 'a@example.com' },
      ]);
    });
  });

  it('tells where lines and addresses of a part are in the file', async () => {
    const text =
      'EMAIL,CITY\n\na@example.com,x\nb@example.com,"two\nlines"\nA@EXAMPLE.COM,y\nc@example.com,z\n';
    await using(Buffer.from(text), { limits: { rows: 2, bytes: 1000 } }, async ({ parts }) => {
      expect(parts.map(({ rows, firstLine, lastLine }) => [rows, firstLine, lastLine])).to.deep.equal([
        [2, 4, 6],
        [1, 7, 7],
      ]);
      const [one, two] = [partOf(parts, 0), partOf(parts, 1)];
      const found = await one.locate({
        lines: [3, 2, 4, 99, 0],
        addresses: ['a@example.com', 'z@example.com'],
      });
      expect([...found.lines].map(([line, row]) => [line, row.fileLine, row.address])).to.deep.equal([
        [2, 4, 'b@example.com'],
        [3, 4, 'b@example.com'],
        [4, 6, 'A@EXAMPLE.COM'],
      ]);
      expect([...found.addresses.keys()]).to.deep.equal(['a@example.com']);
      expect((await two.locate({})).lines.size).to.equal(0);
      expect(await all(lineRuns(one.lines()))).to.deep.equal([{ line: 2, fileLine: 4, count: 3 }]);
    });
    const gaps = 'EMAIL,CITY\na@example.com,x\n\nb@example.com,y\nc@example.com,z\n';
    await using(Buffer.from(gaps), { limits: LIMITS.v2Add }, async ({ parts }) => {
      expect(await all(lineRuns(partOf(parts, 0).lines()))).to.deep.equal([
        { line: 2, fileLine: 2, count: 1 },
        { line: 3, fileLine: 4, count: 2 },
      ]);
    });
  });

  it('is refused where it cannot be', async () => {
    const cases: [string | Buffer, string, Partial<SplitOptions>][] = [
      ['', 'CONTACTS_REQUIRED', {}],
      ['\n \n', 'CONTACTS_REQUIRED', {}],
      ['EMAIL\n\n', 'CONTACTS_REQUIRED', {}],
      ['NAME,CITY\na,b\n', 'ADDRESS_COLUMN_REQUIRED', {}],
      [Buffer.from('504b030414000600', 'hex'), 'CONTACTS_INVALID', {}],
      [Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'CONTACTS_INVALID', {}],
      ['EMAIL\na@example.com\n', 'OPTION_INVALID', { limits: { rows: 0, bytes: 1000 } }],
      [
        `EMAIL,CITY\nb@example.com,x\na@example.com,${'x'.repeat(100)}\n`,
        'UPLOAD_TOO_LARGE',
        { limits: { rows: 9, bytes: 100 } },
      ],
      ['NAME,CITY\na,b\n', 'ADDRESS_COLUMN_REQUIRED', { encode: v2Parts({ purpose: 'add', as: 'file' }) }],
    ];
    for (const [bytes, code, options] of cases) {
      expect(await failure(bytes, options), code).to.include({ code });
    }
    expect((await failure(cases[7]?.[0] ?? '', { limits: { rows: 9, bytes: 100 } })).message).to.match(
      /line 3/,
    );
    const error = await splitUpload('/nowhere/contacts.csv', { limits: LIMITS.v2Add }).catch(
      (reason: unknown) => reason,
    );
    expect(error).to.include({ code: 'FILE_UNREADABLE' });
  });

  it('is read from the file each time, and leaves nothing behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ctct-split-'));
    const before = process.env.TMPDIR;
    try {
      const path = join(folder, 'contacts.csv');
      const scratch = mkdtempSync(join(folder, 'scratch-'));
      const rows = Array.from({ length: 60_000 }, (_, index) => `person${index % 40_000}@example.com,x\n`);
      writeFileSync(path, `EMAIL,CITY\n${rows.join('')}`);
      process.env.TMPDIR = scratch;
      const split = await splitUpload(path, { limits: LIMITS.v2Remove });
      expect(split).to.include({ rows: 40_000, duplicateCount: 20_000 });
      expect(split.parts.map((part) => part.rows)).to.deep.equal([20_000, 20_000]);
      expect(readdirSync(scratch)).to.deep.equal([]);
      const part = partOf(split.parts, 1);
      expect(
        createHash('sha256')
          .update(await gathered(part))
          .digest('hex'),
      ).to.equal(part.sha256);
      let next = 0;
      for await (const { line, keptLine } of split.duplicates()) {
        expect([line, keptLine]).to.deep.equal([next + 2, next + 40_002]);
        next++;
      }
      expect(next).to.equal(20_000);
      writeFileSync(path, 'EMAIL\nother@example.com\n');
      expect(await gathered(part).catch((reason: unknown) => reason)).to.include({ code: 'FILE_CHANGED' });
      await split.close();
      await split.close();
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
      rmSync(folder, { recursive: true });
    }
  });
});

describe('an upload in parts for v2', () => {
  const TEXT =
    'Email Address,First Name,City,Middle Name\nann@example.com,"Ann ""A"" B",Boston,x\n,No One,Here,y\nbob@example.com,Bob,"New, York",z\ncy@example.com,Cy,Rome,\n';
  const now = Date.UTC(2026, 0);

  it('is what the client would send of those rows', async () => {
    for (const purpose of ['add', 'remove'] as const) {
      for (const as of ['json', 'multipart'] as const) {
        const encode = v2Parts({ purpose, as, lists: ['4', '5'], now });
        const name = `${purpose} ${as}`;
        await using(Buffer.from(TEXT), { limits: { rows: 2, bytes: 4000 }, encode }, async (split) => {
          const [, ...written] = await rowsOf(TEXT);
          const rows = written.filter(({ cells }) => cells[0] !== '');
          for (const part of split.parts) {
            const own = rows.slice(part.index * 2, part.index * 2 + 2).map(({ cells }) => ({
              emailAddress: cells[0] ?? '',
              ...(purpose === 'add' && { firstName: cells[1] ?? '', city: cells[2] ?? '' }),
            }));
            const request = checkRequest({
              activityType: purpose === 'add' ? 'ADD_CONTACTS' : 'REMOVE_CONTACTS_FROM_LISTS',
              contacts: { rows: own },
              lists: ['4', '5'],
            });
            const boundary = `----ctct${split.sha256.slice(0, 24)}`;
            const expected = await encodeRequest(await toV2(request, { now, warn: () => undefined }), {
              encoding: as,
              boundary,
            });
            expect(String(await gathered(part)), name).to.equal(String(await gathered(expected)));
            expect(part.contentType).to.equal(expected.contentType);
            expect(part.length).to.equal(expected.length);
            expect(part.sha256).to.equal(
              createHash('sha256')
                .update(await gathered(part))
                .digest('hex'),
            );
          }
          expect(split.parts.map(({ rows: count }) => count)).to.deep.equal([2, 1]);
          const codes = split.losses.map(({ code }) => code);
          expect(codes).to.include(purpose === 'add' ? 'COLUMN_IGNORED' : 'COLUMN_UNUSED');
          expect(codes).not.to.include('LINES_MOVED');
          const [first] = await all(partOf(split.parts, 0).lines());
          expect(first?.line, name).to.equal(2);
        });
      }
    }
  });

  it('leaves rows without an address out, each told once, by the part in whose stretch of the file it is', async () => {
    const cell = fc.constantFrom('', ' ', '""', '"u@example.com"', 'u@example.com', 'nobody');
    const rows = fc.array(fc.tuple(cell, fc.constantFrom('x', '"two\nlines"')), {
      minLength: 1,
      maxLength: 14,
    });
    const property = fc.asyncProperty(
      rows,
      fc.constantFrom('add' as const, 'remove' as const),
      fc.constantFrom('json' as const, 'multipart' as const, 'file' as const),
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      async (list, purpose, as, most, swapped) => {
        let line = 2;
        const places = list.map(([address, note], index) => {
          const bare = ['', ' ', '""'].includes(address);
          const place = { line, bare, address: bare ? address : address.replace(/^"?/, `$&r${index}`) };
          line += note.includes('\n') ? 2 : 1;
          return { ...place, note };
        });
        const cells = (one: string, other: string) => (swapped ? `${other},${one}` : `${one},${other}`);
        const text = [
          cells('Email Address', 'City'),
          ...places.map(({ address, note }) => cells(address, note)),
        ].join('\n');
        const encode = v2Parts({ purpose, as, lists: ['1'], now });
        await using(Buffer.from(text), { limits: { rows: most, bytes: 9999 }, encode }, async (split) => {
          const bare = places.filter((place) => place.bare).map((place) => place.line);
          expect(await all(split.withoutAddress())).to.deep.equal(bare);
          expect(split.withoutAddressCount).to.equal(bare.length);
          const told = await Promise.all(split.parts.map((part) => all(part.withoutAddress())));
          expect(told.flat()).to.deep.equal(split.parts.length === 0 ? [] : bare);
          const sent = await Promise.all(split.parts.map((part) => all(part.lines())));
          const [first] = sent[0] ?? [];
          expect(sent.flat().map(({ fileLine }) => fileLine)).to.deep.equal(
            places.filter((place) => !place.bare).map((place) => place.line),
          );
          if (first !== undefined) expect(first.line).to.equal(as === 'file' && purpose === 'remove' ? 1 : 2);
          for (const part of split.parts.slice(1)) {
            const lines = await all(part.withoutAddress());
            const before = partOf(split.parts, part.index - 1).lastLine;
            expect(lines.every((one) => one > before)).to.equal(true);
          }
        });
      },
    );
    await fc.assert(property, { numRuns: runs(200) });
  });

  it('keeps to its limits in the bytes of the body, envelope and commas among them', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.constantFrom('', 'x', 'y'.repeat(20), 'Zoë', 'a "b"', 'two\nlines'), {
        minLength: 1,
        maxLength: 20,
      }),
      fc.constantFrom('json' as const, 'multipart' as const, 'file' as const),
      fc.integer({ min: 620, max: 900 }),
      async (names, as, bytes) => {
        const rows = names.map((name, index) => `u${index}@example.com,${quoted(name)}\n`);
        const text = Buffer.from(`Email Address,First Name\n${rows.join('')}`);
        const encode = v2Parts({ purpose: 'add', as, lists: ['1'], now });
        await using(text, { limits: { rows: 7, bytes }, encode }, async ({ parts }) => {
          const bodies = await Promise.all(parts.map(gathered));
          const empty = await using(text, { limits: { rows: 1, bytes }, encode }, async (single) =>
            Promise.all(single.parts.map(gathered)),
          );
          // The envelope is what a part of one row has around it, so that many rows weigh what they add to it.
          let seen = 0;
          for (const part of parts) {
            const alone = empty.slice(seen, seen + part.rows).map(({ length }) => length);
            const body = bodies[part.index] ?? Buffer.alloc(0);
            expect(body.length).to.equal(part.bytes);
            expect(part.bytes).to.be.below(bytes);
            const next = empty[(seen += part.rows)];
            const envelope = as === 'json' ? 0 : undefined;
            if (next !== undefined && part.rows < 7 && envelope === 0) {
              const head = JSON.parse(String(next)) as { import_data: object[] };
              const size = Buffer.byteLength(JSON.stringify(head.import_data[0])) + 1;
              expect(part.bytes + size).to.be.at.least(bytes);
            }
            expect(alone.length).to.equal(part.rows);
          }
          expect(seen).to.equal(names.length);
        });
      },
    );
    await fc.assert(property, { numRuns: runs(60) });
  });

  it('counts lines of the values that are sent, in JSON too, and none of what is left out', async () => {
    const text = Buffer.from('EMAIL,CITY,OTHER\na@example.com,"x\ny","not\nsent"\nb@example.com,z,\n');
    const lines = async (as: 'json' | 'file' | 'multipart', purpose: 'add' | 'remove') => {
      const encode = v2Parts({ purpose, as, lists: ['1'], now });
      return using(text, { limits: LIMITS.v2Add, encode }, async ({ parts }) =>
        (await all(partOf(parts, 0).lines())).map(({ line }) => line),
      );
    };
    expect(await lines('json', 'add')).to.deep.equal([2, 4]);
    expect(await lines('file', 'add')).to.deep.equal([2, 4]);
    expect(await lines('multipart', 'add')).to.deep.equal([2, 4]);
    expect(await lines('multipart', 'remove')).to.deep.equal([2, 3]);
    expect(await lines('file', 'remove')).to.deep.equal([1, 2]);
  });
});
