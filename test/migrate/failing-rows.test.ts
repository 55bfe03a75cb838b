import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as xlsx from '@e965/xlsx';
import { expect } from 'chai';
import fc from 'fast-check';
import { readCsv } from '../../src/format/csv.js';
import { differenceCells, DIFFERENCE_HEADING } from '../../src/migrate/differences.js';
import { writeFailingRows } from '../../src/migrate/failing-rows-files.js';
import { failingRows, unnamedErrors, type FailingRow } from '../../src/migrate/failing-rows.js';
import type { PlannedUpload } from '../../src/migrate/plan.js';
import { planMigration } from '../../src/migrate/planning.js';
import type { FinishedPart, RowError, RunRecord } from '../../src/migrate/run-record.js';
import { readUploads } from '../../src/migrate/uploads-file.js';
import { runs } from '../support/runs.js';
import { accountOf, plannedClear, plannedUpload, planOf, stateOf } from './by-hand.js';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}

function finished(part: string, errors: readonly RowError[], more: Partial<FinishedPart> = {}): RunRecord {
  const activity: FinishedPart = {
    ...{ id: 'a1', status: 'COMPLETE', errorCount: errors.length, transactionCount: 1, errors },
    ...more,
  };
  return { event: 'finished', at: 1, part, activity };
}

/** A file with all that contact files are found to have in them: quotes in every place, and several lines to a row. */
const CELL = fc.oneof(
  fc.constantFrom(
    '',
    'plain',
    ' blanks ',
    'a,b',
    'say "hi"',
    'two\nlines',
    'two\r\nlines',
    'Größe',
    '…—',
    '\t',
    '""',
  ),
  fc.string({ maxLength: 8 }),
);
/** `open` and `end`: a quote that is closed, or not, by what stands in other rows. */
const WRITTEN = fc.constantFrom('right', 'always', 'stray', 'bare', 'open', 'end');

interface RandomFile {
  readonly bytes: Buffer;
  readonly encoding: PlannedUpload['encoding'];
}

function written(cell: string, how: 'right' | 'always' | 'stray' | 'bare' | 'open' | 'end'): string {
  const quoted = `"${cell.replaceAll('"', '""')}"`;
  const flat = cell.replace(/[\r\n,\t]/g, ' ');
  switch (how) {
    case 'right':
      return /["\r\n,]|^\s|\s$/.test(cell) ? quoted : cell;
    case 'always':
      return quoted;
    case 'stray':
      return `"${flat.replaceAll('"', '')}" and "möre`;
    case 'open':
      return `"${flat.replaceAll('"', '')}é`;
    case 'end':
      return `é${flat.replaceAll('"', '')}"`;
    case 'bare':
      return ` ${flat}`;
  }
}

const randomFile: fc.Arbitrary<RandomFile> = fc
  .record({
    rows: fc.array(fc.record({ cells: fc.tuple(CELL, CELL), how: WRITTEN }), { minLength: 1, maxLength: 10 }),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    endsInOne: fc.boolean(),
    form: fc.constantFrom('auto', 'mark', 'windows-1252', 'auto-1252', 'UTF-16LE', 'wide'),
  })
  .map(({ rows, lineEnd, endsInOne, form }): RandomFile => {
    const lines = rows.map(
      ({ cells, how }, index) => `u${index}@example.com,${cells.map((cell) => written(cell, how)).join(',')}`,
    );
    const text = ['EMAIL ADDRESS,"CITY",COMPANY NAME', ...lines].join(lineEnd) + (endsInOne ? lineEnd : '');
    switch (form) {
      case 'mark':
        return { bytes: Buffer.from(`\ufeff${text}`), encoding: 'auto' };
      case 'windows-1252':
        return {
          bytes: Buffer.from(text.replace(/[^\0-\xff]/g, '\x85'), 'latin1'),
          encoding: 'windows-1252',
        };
      case 'auto-1252':
        return { bytes: Buffer.from(text.replace(/[^\0-\xff]/g, '\x85'), 'latin1'), encoding: 'auto' };
      case 'UTF-16LE':
        return { bytes: Buffer.from(text, 'utf16le'), encoding: 'UTF-16LE' };
      case 'wide':
        return { bytes: Buffer.from(`\ufeff${text}`, 'utf16le'), encoding: 'auto' };
      default:
        return { bytes: Buffer.from(text), encoding: 'auto' };
    }
  });

describe('the rows that failed', () => {
  let folder: string;
  let out: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ctct-failing-'));
    out = path.join(folder, 'out');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const options = () => ({ planFolder: folder, stateFolder: folder });

  it('are just the bad rows, cell by cell as they stand in the original, and are planned again', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(randomFile, fc.infiniteStream(fc.boolean()), async ({ bytes, encoding }, isBad) => {
        await rm(out, { recursive: true, force: true });
        await writeFile(path.join(folder, 'all.csv'), bytes);
        const step = await plannedUpload('joe/1', { file: 'all.csv', lists: ['2', '5'], encoding }, folder);
        const { plan } = planOf([accountOf('joe', [step])]);
        const original = await rowsOf(step, folder);
        const bad = original.filter(() => isBad.next().value === true);
        const errors = bad.map(({ line }) => ({ line, message: 'Invalid city' }));
        const state = await stateOf(plan, [finished('joe/1/1', errors)]);
        const rows = await all(failingRows(plan, { ...options(), state }));
        expect(rows.map(({ line, message }) => ({ line, message }))).to.deep.equal(errors);
        const told = await writeFailingRows(out, plan, rows, options());
        expect(told.rows).to.equal(bad.length);
        const listed = await all(readCsv(await readFile(path.join(out, 'failing-rows.csv'))));
        expect(listed.slice(1).map(({ cells }) => Number(cells[4]))).to.deep.equal(
          bad.map(({ line }) => line),
        );
        if (bad.length === 0) {
          expect(await readdir(out)).to.deep.equal(['failing-rows.csv']);
          return;
        }
        expect((await readdir(out)).sort()).to.deep.equal(['failing-rows.csv', 'joe-1.csv', 'uploads.csv']);
        const [again] = (await readUploads(path.join(out, 'uploads.csv'), ['joe'])).get('joe') ?? [];
        if (again === undefined || !('file' in again)) throw new Error('an upload was to be there');
        const planned = await planMigration(
          { accounts: [{ account: 'joe', target: accountOf('joe', []).target, steps: [again] }] },
          { planFolder: out },
        );
        const [next] = planned.accounts[0]?.steps ?? [];
        if (next === undefined || !('file' in next)) throw new Error('an upload was to be there');
        expect(next).to.deep.include({ lists: ['2', '5'], rows: bad.length, activityType: 'ADD_CONTACTS' });
        const reread = await rowsOf(next, out);
        expect(reread.map(({ cells }) => cells)).to.deep.equal(bad.map(({ cells }) => cells));
      }),
      { numRuns: runs(80) },
    );
  });

  it('stand there byte by byte', async () => {
    const rows = [
      'a@example.com,"Boston, MA"\r\n',
      'b@example.com,"two\nlines"\r\n',
      'c@example.com,Gr\xf6\xdfe',
    ];
    const text = `EMAIL ADDRESS,CITY\r\n${rows.join('')}`;
    await writeFile(path.join(folder, 'all.txt'), Buffer.from(text, 'latin1'));
    const step = await plannedUpload('joe/3', { file: 'all.txt', lists: ['2'] }, folder);
    const { plan } = planOf([accountOf('joe', [step])]);
    const errors = [3, 5].map((line) => ({ line, message: 'no' }));
    const state = await stateOf(plan, [finished('joe/3/1', errors)]);
    const told = await writeFailingRows(out, plan, failingRows(plan, { ...options(), state }), options());
    expect(told).to.deep.equal({ rows: 2, toCorrect: 2, files: ['joe-3.txt'], listsMapped: false });
    const file = path.join(out, 'joe-3.txt');
    expect(await readFile(file, 'latin1')).to.equal(
      'EMAIL ADDRESS,CITY\r\nb@example.com,"two\nlines"\r\nc@example.com,Gr\xf6\xdfe\n',
    );
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    expect((await stat(out)).mode & 0o777).to.equal(0o700);
    expect(await readFile(path.join(out, 'failing-rows.csv'), 'utf8')).to.equal(
      'account,activityType,lists,file,line,emailAddress,message\n' +
        'joe,ADD_CONTACTS,2,all.txt,3,,no\njoe,ADD_CONTACTS,2,all.txt,5,,no\n',
    );
  });

  it('of a spreadsheet stand in a file of CSV', async () => {
    const book = xlsx.utils.book_new();
    const rows = [
      ['EMAIL ADDRESS', 'CITY'],
      ['a@example.com', 'Köln'],
      [],
      ['b@example.com', 'A, B'],
      ['c@example.com', 'C'],
    ];
    xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet(rows), 'People');
    await writeFile(
      path.join(folder, 'all.xlsx'),
      xlsx.write(book, { type: 'buffer', bookType: 'xlsx' }) as Buffer,
    );
    const step = await plannedUpload('joe/1', { file: 'all.xlsx', lists: ['2'] }, folder);
    const { plan } = planOf([accountOf('joe', [step])]);
    const errors = [2, 4].map((line) => ({ line, message: 'no' }));
    const state = await stateOf(plan, [finished('joe/1/1', errors)]);
    const told = await writeFailingRows(out, plan, failingRows(plan, { ...options(), state }), options());
    expect(told).to.include({ rows: 2, toCorrect: 2 });
    expect(told.files).to.deep.equal(['joe-1.csv']);
    expect(await readFile(path.join(out, 'joe-1.csv'), 'utf8')).to.equal(
      'EMAIL ADDRESS,CITY\na@example.com,Köln\nb@example.com,"A, B"\n',
    );
  });

  it('tell the lists as ws has them, and what they become', async () => {
    await writeFile(path.join(folder, 'all.csv'), 'EMAIL ADDRESS,MIDDLE NAME\na@example.com,x\n');
    const step = await plannedUpload(
      'joe/1',
      {
        ...{ file: 'all.csv', lists: ['12', '5'], activityType: 'ADD_CONTACTS', blanksEnabled: true },
        into: { 'MIDDLE NAME': 'CUSTOM FIELD 15' },
      },
      folder,
    );
    const account = {
      ...accountOf('joe', [step]),
      lists: [
        { from: '2', to: '12', fromName: 'Spring, early', check: 'unchecked' as const },
        { from: '5', to: '5', check: 'unchecked' as const },
      ],
    };
    const { plan } = planOf([account]);
    const state = await stateOf(plan, [finished('joe/1/1', [{ line: 2, message: 'no' }])]);
    const told = await writeFailingRows(out, plan, failingRows(plan, { ...options(), state }), options());
    expect(told.listsMapped).to.equal(true);
    const [, upload] = await all(readCsv(await readFile(path.join(out, 'uploads.csv'))));
    expect(upload?.cells).to.deep.equal([
      'joe',
      'ADD_CONTACTS',
      'joe-1.csv',
      '2 5',
      'auto',
      'true',
      'MIDDLE NAME=CUSTOM FIELD 15',
    ]);
    expect(await readFile(path.join(out, 'lists.csv'), 'utf8')).to.equal(
      'account,from,to,name\njoe,2,12,"Spring, early"\njoe,5,5,\n',
    );
  });

  describe('without a word of which they are', () => {
    const rows = ['a@example.com,x', ',x', 'b@example.com,x', 'c@example.com,x', 'd@example.com,x'];
    let step: PlannedUpload;
    beforeEach(async () => {
      await writeFile(path.join(folder, 'all.csv'), `EMAIL ADDRESS,CITY\n${rows.join('\n')}\n`);
      step = await plannedUpload('joe/1', { file: 'all.csv', lists: ['2', '5'] }, folder);
    });

    const found = (part: FinishedPart['status'], errors: readonly RowError[], errorCount: number) =>
      finished('joe/1/1', errors, { status: part, errorCount });

    async function failing(
      records: readonly RunRecord[],
      problems: unknown[] = [],
    ): Promise<[number | null, string | null, string][]> {
      const { plan } = planOf([accountOf('joe', [step])]);
      const state = await stateOf(plan, records);
      const onProblem = (error: Error) => problems.push(error);
      const got = await all(failingRows(plan, { ...options(), state, onProblem }));
      return got.map(({ line, emailAddress, message }) => [line, emailAddress, message]);
    }

    const verified: RunRecord = {
      ...{
        event: 'verified',
        at: 1,
        account: 'joe',
        list: '2',
        expected: 3,
        found: 1,
        missing: 2,
        unexpected: 1,
      },
      differences: 'joe.differences.csv',
    };

    async function writeDifferences() {
      const one = { file: 'all.csv', step: 'joe/1', difference: 'missing' } as const;
      const cells = [
        differenceCells({ ...one, list: '2', emailAddress: 'b@example.com', line: 4 }),
        differenceCells({ ...one, list: '5', emailAddress: 'b@example.com', line: 4 }),
        differenceCells({ ...one, list: '2', emailAddress: 'd@example.com', line: 6 }),
        differenceCells({
          ...one,
          list: '2',
          emailAddress: 'c@example.com',
          line: 5,
          difference: 'unexpected',
        }),
        differenceCells({
          ...one,
          list: '2',
          emailAddress: 'z@example.com',
          line: undefined,
          step: undefined,
          file: undefined,
        }),
      ];
      const text = [DIFFERENCE_HEADING, ...cells].map((row) => `${row.join(',')}\n`).join('');
      await writeFile(path.join(folder, 'joe.differences.csv'), text);
    }

    it('are those that were found missing', async () => {
      await writeDifferences();
      const named = { line: 2, emailAddress: 'a@example.com', message: 'Invalid city' };
      const nobody = { message: 'Something' };
      expect(await failing([found('COMPLETE', [nobody, named], 4), verified])).to.deep.equal([
        [2, 'a@example.com', 'Invalid city'],
        [4, 'b@example.com', 'Refused without a word of which row; found missing in lists 2, 5'],
        [6, 'd@example.com', 'Refused without a word of which row; found missing in list 2'],
        [null, null, 'Something'],
      ]);
    });

    it('are none when every error has its row, whatever else is missing', async () => {
      await writeDifferences();
      const named = { line: 2, message: 'Invalid city' };
      expect(await failing([found('COMPLETE', [named], 1), verified])).to.deep.equal([
        [2, null, 'Invalid city'],
      ]);
    });

    it('are all rows of what failed as a whole', async () => {
      const whole = { message: 'The file is not text' };
      const named = { line: 4, emailAddress: 'b@example.com', message: 'Invalid city' };
      const ended = 'Its activity ended with ERROR: The file is not text';
      expect(await failing([found('ERROR', [whole, named], 2)])).to.deep.equal([
        [2, 'a@example.com', ended],
        [4, 'b@example.com', 'Invalid city'],
        [5, 'c@example.com', ended],
        [6, 'd@example.com', ended],
        [null, null, 'The file is not text'],
      ]);
      const [first] = await failing([found('CANCELLED', [], 0)]);
      expect(first?.[2]).to.equal('Its activity ended with CANCELLED');
    });

    it('are left out, and said to be, when the file is another by now', async () => {
      await writeFile(path.join(folder, 'all.csv'), 'EMAIL ADDRESS\nother@example.com\n');
      const problems: unknown[] = [];
      const rows = await failing([found('ERROR', [{ message: 'no' }], 1)], problems);
      expect(rows).to.deep.equal([[null, null, 'no']]);
      expect(problems).to.have.length(1);
      expect(problems[0]).to.have.property('code', 'FILE_CHANGED');
    });

    it('are counted', async () => {
      const { plan } = planOf([accountOf('joe', [step])]);
      const count = async (...records: RunRecord[]) => unnamedErrors(await stateOf(plan, records), 'joe/1/1');
      expect(await count()).to.equal(0);
      expect(await count(found('COMPLETE', [{ line: 2, message: 'x' }, { message: 'y' }], 7))).to.equal(6);
      expect(await count(found('ERROR', [], 7))).to.equal(0);
    });
  });

  it('may be of a clear, and then are of no file', async () => {
    const { plan } = planOf([accountOf('joe', [plannedClear('joe/1', ['2'])])]);
    const state = await stateOf(plan, [
      finished('joe/1/1', [{ message: 'The list is gone' }], { status: 'ERROR' }),
    ]);
    const rows: FailingRow[] = await all(failingRows(plan, { ...options(), state }));
    expect(rows).to.have.length(1);
    expect(rows[0]).to.include({
      step: 'joe/1',
      part: 'joe/1/1',
      file: null,
      message: 'The list is gone',
    });
    const told = await writeFailingRows(out, plan, rows, options());
    expect(told).to.deep.equal({ rows: 1, toCorrect: 0, files: [], listsMapped: false });
  });
});

/** The rows of a contact file below its heading, as they are read when it is sent. */
async function rowsOf(
  { file, encoding }: PlannedUpload,
  folder: string,
): Promise<{ line: number; cells: readonly string[] }[]> {
  let bytes = await readFile(path.resolve(folder, file));
  if (encoding === 'UTF-16LE' || bytes.toString('hex', 0, 2) === 'fffe') {
    bytes = Buffer.from(bytes.toString('utf16le'));
  } else if (encoding === 'windows-1252') {
    bytes = Buffer.from(new TextDecoder('windows-1252').decode(bytes));
  }
  const rows = await all(readCsv(bytes, { lenient: true }));
  return rows.slice(1).filter(({ cells }) => cells.some((cell) => cell !== ''));
}
