import { expect } from 'chai';
import fc from 'fast-check';
import Papa from 'papaparse';
import * as xlsx from '@e965/xlsx';
import { COLUMNS, findColumn, type Column } from '../../src/activity/columns.js';
import { UsageError } from '../../src/activity/errors.js';
import type { Contacts } from '../../src/activity/request.js';
import { readCsv } from '../../src/format/csv.js';
import { ENCODINGS, type Encoding } from '../../src/format/encodings.js';
import { readUpload, uploadParts, type ReadUploadOptions } from '../../src/gateway/upload-in.js';
import { warningsOf } from '../../src/gateway/warnings.js';
import { LIMITS } from '../../src/translate/limits.js';
import { splitUpload } from '../../src/translate/split.js';
import type { V2PartOptions } from '../../src/translate/split-encodings.js';
import { memorySource } from '../../src/upload/contact-source.js';
import { runs } from '../support/runs.js';

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** What is kept of an upload, as text. */
async function kept(contacts: Contacts, options?: ReadUploadOptions) {
  const { file, ...upload } = await readUpload(contacts, options);
  const text = (await bytesOf(file.open())).toString();
  await file.close();
  return { ...upload, text };
}

/** What v2 is sent of an upload, and what is lost on the way. */
async function sent(contacts: Contacts, options: Partial<V2PartOptions> = {}, reading?: ReadUploadOptions) {
  const { file, warnings } = await readUpload(contacts, reading);
  const source = memorySource(await bytesOf(file.open()));
  await file.close();
  const encode = uploadParts({ purpose: 'add', as: 'file', now: Date.UTC(2026, 0), ...options });
  const split = await splitUpload(source, { limits: LIMITS.v2Add, encode });
  const text = (await Promise.all(split.parts.map((part) => bytesOf(part.open())))).join('');
  await split.close();
  return { text, losses: split.losses, warnings: [...warnings, ...warningsOf(split.losses)] };
}

function refusal(contacts: Contacts): Promise<unknown> {
  return readUpload(contacts).then(
    () => undefined,
    (error: unknown) => error,
  );
}

const HEADING = 'Email Address,First Name';
const rows = (count: number) => Array.from({ length: count }, (_, n) => `user${n}@example.com,Name ${n}`);

describe('what an old client uploaded', () => {
  it('is kept as it is, when it is text', async () => {
    const text = [HEADING, '', ...rows(3), ' "odd, one"@example.com , x\t'].join('\r');
    expect(await kept({ text })).to.deep.equal({ text, fileName: undefined, hasDetails: true, warnings: [] });
    expect(await kept({ bytes: Buffer.from(text), fileName: 'C:\\lists\\up.csv' })).to.deep.include({
      text,
      fileName: 'up.csv',
    });
    async function* stream() {
      await Promise.resolve();
      for (const byte of Buffer.from(text)) yield Buffer.of(byte);
    }
    expect(await kept({ stream: stream(), fileName: 'up.txt' })).to.deep.include({
      text,
      fileName: 'up.txt',
    });
    expect(await kept({ rows: [{ emailAddress: 'ann@example.com' }] })).to.deep.equal({
      text: 'Email Address\nann@example.com\n',
      fileName: undefined,
      hasDetails: false,
      warnings: [],
    });
  });

  it('has details where a column of ws stands beside the address', async () => {
    const details = async (heading: string) =>
      (await kept({ text: `${heading}\nann@example.com\n` })).hasDetails;
    expect(await details('EMAIL ADDRESS')).to.equal(false);
    expect(await details('email address,Email Type,Shoe Size,Birthday_Day')).to.equal(false);
    expect(await details('Shoe Size\tEmail\tCustom Field3')).to.equal(true);
  });

  it('is read in the encoding that its mark or the account says, and loses no character', async () => {
    const characters: Readonly<Record<Encoding, string>> = {
      'UTF-8': 'aé漢😀',
      'US-ASCII': 'a~',
      'UTF-16LE': 'aé漢😀',
      'UTF-16BE': 'aé漢😀',
      'ISO-8859-1': 'aéÿ',
      'ISO-8859-15': 'aé€Ž',
      'windows-1252': 'a€é™',
    };
    const latin9 = (text: string) =>
      Buffer.from(text.replaceAll('€', '\xa4').replaceAll('Ž', '\xb4'), 'latin1');
    const cp1252 = (text: string) =>
      Buffer.from(text.replaceAll('€', '\x80').replaceAll('™', '\x99'), 'latin1');
    for (const encoding of ENCODINGS) {
      for (const marked of [true, false]) {
        const text = `${HEADING}\nann@example.com,${characters[encoding]}\n`;
        const mark = marked && encoding.startsWith('UTF') ? '\ufeff' : '';
        const wide = Buffer.from(mark + text, 'utf16le');
        const bytes = {
          'UTF-8': () => Buffer.from(mark + text),
          'US-ASCII': () => Buffer.from(text),
          'UTF-16LE': () => wide,
          'UTF-16BE': () => Buffer.from(wide).swap16(),
          'ISO-8859-1': () => Buffer.from(text, 'latin1'),
          'ISO-8859-15': () => latin9(text),
          'windows-1252': () => cp1252(text),
        }[encoding]();
        // By its mark, it is known; without one, it must be said.
        const known = mark !== '' || ['UTF-8', 'US-ASCII', 'windows-1252'].includes(encoding);
        const { text: v2, warnings } = await sent({ bytes }, {}, known ? {} : { encoding });
        expect(v2, encoding).to.equal(`Email address,First Name\nann@example.com,${characters[encoding]}\n`);
        expect(warnings).to.deep.equal([]);
      }
    }
  });

  it('that is not in the encoding it should be in says so', async () => {
    const wide = Buffer.from(`\ufeff${HEADING}\nann@example.com,x`, 'utf16le');
    const { text, warnings } = await kept({ bytes: Buffer.concat([wide, Buffer.of(0, 0xd8, 0x0a, 0)]) });
    expect(text).to.equal(`${HEADING}\nann@example.com,x?\n`);
    expect(warnings.map(({ code }) => code)).to.deep.equal(['CHARACTER_UNREADABLE']);
    expect(warnings[0]?.message).to.equal('the file was not UTF-16LE in 1 place, which became ?');
  });

  it('is refused as ws refused it, when it cannot be meant', async () => {
    for (const [text, code] of [
      ['', 'CONTACTS_REQUIRED'],
      [HEADING, 'CONTACTS_REQUIRED'],
      ['First Name\nAnn\n', 'ADDRESS_COLUMN_REQUIRED'],
      ['Email Address;First Name\nann@example.com;Ann\n', 'ADDRESS_COLUMN_REQUIRED'],
      ['"Email Address\nann@example.com\n', 'CONTACTS_INVALID'],
    ] as const) {
      const error = await refusal({ text });
      expect(error, text).to.be.instanceOf(UsageError).with.property('code', code);
    }
  });

  it('is a sheet where its bytes are, whatever its name is, and text where they are not', async () => {
    const book = xlsx.utils.book_new();
    const sheet = xlsx.utils.aoa_to_sheet([
      ['Email Address', 'First Name'],
      ['ann@example.com', 'An\nn'],
      [],
      ['bob@example.com', 'Bob'],
    ]);
    xlsx.utils.book_append_sheet(book, sheet, 'One');
    xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet([['x']]), 'Two');
    const bytes = xlsx.write(book, { type: 'buffer', bookType: 'xls' }) as Buffer;
    for (const fileName of ['up.xls', 'up.csv', undefined]) {
      const upload = await kept({ bytes, fileName });
      expect(upload.text).to.equal('Email Address,First Name\nann@example.com,An n\n\nbob@example.com,Bob\n');
      expect(upload.fileName).to.equal(fileName);
      expect(upload.warnings.map(({ code }) => code)).to.deep.equal([
        'SHEETS_LEFT_OUT',
        'LINE_BREAKS_REPLACED',
      ]);
    }
    const text = 'Email Address\tFirst Name\nann@example.com\tAnn\n';
    expect(await kept({ bytes: Buffer.from(text), fileName: 'up.xls' })).to.deep.include({
      text,
      fileName: 'up.xls',
    });
    const error = await refusal({ bytes: bytes.subarray(0, 700), fileName: 'up.xls' });
    expect(error).to.be.instanceOf(UsageError).with.property('code', 'CONTACTS_INVALID');
  }).timeout(30_000);
});

describe('what v2 is sent of it', () => {
  it('has the columns of v2, in commas, each row once', async () => {
    const text =
      'email address\tFirst Name\tPOSTAL CODE\nann@example.com\tA, n\t02451\nANN@example.com\tAnn\t02452\n';
    expect(await sent({ text })).to.deep.include({
      text: 'Email address,First Name,Zip/Postal Code\nANN@example.com,Ann,02452\n',
      warnings: [],
    });
    const removal = await sent({ text }, { purpose: 'remove' });
    expect(removal).to.deep.include({ text: 'ANN@example.com\n', warnings: [] });
  });

  it('leaves out, as ws did, columns that ws did not know, though v2 knows some of them', async () => {
    const text =
      'Email Address,Email Type,Anniversary,Birthday_Day,Contact ID,CITY\nann@example.com,HTML,soon,99,1,Rome\n';
    expect(await sent({ text })).to.deep.include({
      text: 'Email address,City\nann@example.com,Rome\n',
      warnings: [],
    });
  });

  it('tells how many values v2 does not keep, and none where there are none', async () => {
    const heading = 'Email Address,MIDDLE NAME,Sub Postal Code,City';
    const many = Array.from(
      { length: 1312 },
      (_, n) => `user${n}@example.com,${n % 2 === 0 ? 'M.' : ''},,Rome`,
    );
    const { warnings } = await sent({ text: [heading, ...many, 'last@example.com,"",12,'].join('\n') });
    expect(warnings.map(({ message }) => message)).to.deep.equal([
      'heading: MIDDLE NAME: is not kept by v2: 656 values were left out; to keep them, give the account a column for them (into)',
      'heading: SUB POSTAL CODE: is not kept by v2: 1 value was left out; to keep them, give the account a column for them (into)',
    ]);
  });

  it('keeps them where the account says so', async () => {
    const { text, warnings } = await sent(
      { text: 'Email Address,Middle Name,Postal Code,Sub Postal Code\nann@example.com,M.,02451,1234\n' },
      { into: { 'MIDDLE NAME': 'CUSTOM FIELD 15', 'SUB POSTAL CODE': 'POSTAL CODE' } },
    );
    expect(text).to.equal('Email address,Custom Field 15,Zip/Postal Code\nann@example.com,M.,02451-1234\n');
    expect(warnings.map(({ code }) => code)).to.deep.equal(['COLUMN_MERGED', 'COLUMN_MERGED']);
  });

  it('puts STATE/PROVINCE before STATE, and tells where they differ', async () => {
    const heading = 'Email Address,STATE,STATE/PROVINCE (US/CANADA)';
    const { text, warnings } = await sent({
      text: `${heading}\na@example.com,MA,NH\nb@example.com,ME,\nc@example.com,,VT\n`,
    });
    expect(text).to.equal('Email address,State\na@example.com,NH\nb@example.com,ME\nc@example.com,VT\n');
    expect(warnings.map(({ code }) => code)).to.deep.equal(['COLUMN_MERGED', 'VALUE_CONFLICT']);
  });

  it('loses no value that is not told, by the reading of another library', async () => {
    const names = [...COLUMNS.map(({ ws }) => ws as string), 'Email Type', 'BIRTHDAY_DAY', 'Shoe Size', ''];
    const cellArb = fc
      .string({ unit: fc.constantFrom('a', 'é', '"', ',', ' ', '\n', '7') })
      .map((cell) => cell.trim());
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 8 }),
        fc.array(fc.array(cellArb, { minLength: 8, maxLength: 8 }), { minLength: 1, maxLength: 5 }),
        fc.constantFrom(',', '\t'),
        async (columns, cells, delimiter) => {
          const heading = ['EMAIL ADDRESS', ...columns.filter((name) => name !== 'EMAIL ADDRESS')];
          const table = cells.map((row, n) => [`user${n}@example.com`, ...row.slice(0, heading.length - 1)]);
          // Tabs are told by the heading, and one column has none.
          const text = Papa.unparse([heading, ...table], { delimiter, newline: '\n' });
          const { text: v2, losses } = await sent({ text });
          const [titles = [], ...given] = Papa.parse<string[]>(v2.trimEnd(), {
            delimiter: ',',
            newline: '\n',
          }).data;
          expect(given).to.have.length(table.length);
          heading.forEach((name, index) => {
            const column = findColumn(name);
            if (column === undefined) return;
            const values = table.map((row) => row[index] ?? '');
            const found = given.map((row) => row[titles.findIndex((title) => isSame(title, column))] ?? '');
            const lost = values.filter((value, row) => value !== '' && value !== found[row]).length;
            const told = losses.find(
              ({ code, place }) => code === 'COLUMN_IGNORED' && place === `heading: ${column.ws}`,
            );
            if (told !== undefined) expect(told.message).to.include(`${lost} value`);
            else if (lost > 0) expect(losses.map(({ code }) => code)).to.include('VALUE_CONFLICT');
          });
        },
      ),
      { numRuns: runs(150) },
    );
  });

  it('is the same, however the upload came in pieces', async () => {
    const text = [HEADING, ...rows(50), 'zoë@example.com,"Zo\në"'].join('\r\n');
    const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
    const whole = await sent({ bytes });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 3, max: 300 }), async (size) => {
        async function* stream() {
          await Promise.resolve();
          for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
        }
        expect(await sent({ stream: stream() })).to.deep.equal(whole);
      }),
      { numRuns: runs(20) },
    );
  });

  it('names lines of what was sent', async () => {
    const { text } = await kept({ text: [HEADING, '', ...rows(2)].join('\n') });
    const lines: number[] = [];
    for await (const { line } of readCsv(text, { lenient: true })) lines.push(line);
    expect(lines).to.deep.equal([1, 3, 4]);
  });
});

/** Both STATE and STATE/PROVINCE are State. */
function isSame(title: string, column: Column): boolean {
  const property = column.property === 'stateProvince' ? 'state' : column.property;
  return findColumn(title)?.property === property;
}
