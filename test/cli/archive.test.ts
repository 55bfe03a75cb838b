import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect } from 'chai';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import Papa from 'papaparse';
import type { Activity } from '../../src/activity/activity.js';
import { ArchiveStatistics } from '../../src/archive/statistics.js';
import { putStatistics } from '../../src/cli/archive-statistics-output.js';
import { flagOf } from '../../src/cli/command.js';
import { GLOBAL_OPTIONS } from '../../src/cli/global-options.js';
import { COMMANDS, GROUPS } from '../../src/cli/commands/index.js';
import { Output } from '../../src/cli/output.js';
import { encodeFeed } from '../../src/ws/records.js';
import { accountUris } from '../../src/ws/uris.js';
import { anActivity } from '../support/stub-service.js';
import { ctct, envelope, Sink, type Ran, type Setup } from './harness.js';

const SAMPLE = fileURLToPath(new URL('../../samples/damaged-archive.xml', import.meta.url));

function schemaOf(name: string) {
  const ajv = new Ajv2020({ strict: true, strictTypes: false });
  formats.default(ajv);
  const file = new URL(`../../schemas/${name}.schema.json`, import.meta.url);
  return ajv.compile(JSON.parse(readFileSync(file, 'utf8')) as object);
}
const isRecord = schemaOf('activity');
const isStatistics = schemaOf('archive-statistics');

/** Activities of 2011, a day each, every third with two errors. */
function activities(count: number): Activity[] {
  return Array.from({ length: count }, (_, n) => {
    const insertTime = new Date(Date.UTC(2011, 0, 1 + n, 12));
    const errors = [3, 7].map((lineNumber) => ({
      lineNumber,
      emailAddress: `row${lineNumber}@example.com`,
      message: 'Invalid "email", it says',
    }));
    return anActivity({
      id: `a07e1${String(n).padStart(14, '0')}`,
      type: n % 2 === 0 ? 'ADD_CONTACTS' : 'ADD_CONTACT_DETAIL',
      status: n % 5 === 4 ? 'ERROR' : 'COMPLETE',
      insertTime,
      updated: insertTime,
      title: `Upload ${n}`,
      ...(n % 3 === 0 && { errors, errorCount: 2 }),
    });
  });
}

function feed(all: readonly Activity[]): string {
  const uris = accountUris('http://api.constantcontact.com', 'joesflowers');
  return encodeFeed(all, { uris, user: 'joesflowers', updated: new Date(0) });
}

const idsOf = (ran: Ran) => ran.stdout.lines.map((line) => (JSON.parse(line) as { id: string }).id);

/** Interrupts once so many writes were made. */
class InterruptingSink extends Sink {
  readonly controller = new AbortController();
  #left: number;

  constructor(writes: number) {
    super();
    this.#left = writes;
  }

  override write(chunk: string | Uint8Array, done: (error?: Error | null) => void): boolean {
    if (--this.#left === 0) this.controller.abort(new Error('interrupted'));
    return super.write(chunk, done);
  }
}

/** A stdin that is interrupted when so much of it has been read. */
function interruptedInput(input: string, length: number): Setup {
  const controller = new AbortController();
  const given = [Buffer.from(input.slice(0, length))];
  const stdin = new Readable({
    read() {
      const chunk = given.pop();
      if (chunk !== undefined) this.push(chunk);
      else setTimeout(() => controller.abort(new Error('interrupted')), 5);
    },
  });
  return { signal: controller.signal, stdin };
}

/** The command line that a run told to go on with. */
function toldCommand(ran: Ran): string[] {
  const [, line = ''] = /go on[^:]*: ctct (.*)$/m.exec(ran.stderr.text) ?? [];
  expect(line, ran.stderr.text).not.to.equal('');
  return line.split(' ');
}

describe('ctct archive', () => {
  let folder: string;
  const path = (name: string) => join(folder, name);
  const put = async (name: string, text: string | Uint8Array) => {
    await writeFile(path(name), text);
    return path(name);
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-archive-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  describe('the group', () => {
    it('is explained, as are its commands', async () => {
      const terminal = { columns: 80 };
      for (const { name, summary, commands, examples, main: own } of GROUPS) {
        expect(COMMANDS.map((command) => command.name)).not.to.include(name);
        const main = await ctct(['--help']);
        expect(main.stdout.text).to.match(new RegExp(`^  ${name} `, 'm'));
        const group = await ctct([name, '--help'], { terminal });
        expect(group.stdout.text.toLowerCase()).to.contain(summary.toLowerCase());
        if (own === undefined) expect((await ctct([name])).exit).to.equal(0);
        expect((await ctct(['help', name], { terminal })).stdout.text).to.equal(group.stdout.text);
        for (const [line, does] of [...examples, ...commands.flatMap((command) => command.examples)]) {
          const [, sub] = new RegExp(`^ctct ${name} ([\\w-]+)( |$)`).exec(line) ?? [];
          const called = commands.find((command) => command.name === sub) ?? own;
          expect(called, line).not.to.equal(undefined);
          const globals = Object.keys(GLOBAL_OPTIONS).filter(
            (option) => called?.without?.some((one) => one === option) !== true,
          );
          const flags = [...Object.keys(called?.options ?? {}), ...globals].map(flagOf);
          for (const [flag] of line.matchAll(/--[a-z-]+/g)) expect(flags, line).to.include(flag);
          expect(does).to.match(/^[^A-Z].*[^.]$/);
        }
        for (const command of commands) {
          expect(group.stdout.text).to.match(new RegExp(`^  ${command.name} `, 'm'));
          const { exit, stdout } = await ctct([name, command.name, '--help'], { terminal });
          expect(exit).to.equal(0);
          for (const line of stdout.lines.filter((text) => !text.startsWith('  $ '))) {
            expect(line.length, line).to.be.at.most(80);
          }
          const hasOutput = command.without?.includes('output') !== true;
          expect(stdout.text.match(/--output </g) ?? []).to.have.length(hasOutput ? 1 : 0);
          const asked = await ctct(['help', name, command.name], { terminal });
          expect(asked.stdout.text).to.equal(stdout.text);
        }
      }
    });

    const wrong: readonly (readonly [string, string, string])[] = [
      ['archive raed x', "unknown command 'raed' (Did you mean read?)", 'ctct archive --help'],
      ['archiv read x', "unknown command 'archiv' (Did you mean archive?)", 'ctct --help'],
      ['archive read', "missing required argument 'path'", 'ctct archive read --help'],
      [
        'archive read x --ouput csv',
        "unknown option '--ouput' (Did you mean --output?)",
        'ctct archive read --help',
      ],
      [
        'archive read x --output table',
        '--output: must be one of ndjson, json, csv, parquet, v2; got "table"',
        'ctct archive read --help',
      ],
      [
        'archive stats x --output csv',
        '--output: must be one of table, json; got "csv"',
        'ctct archive stats --help',
      ],
      ['archive report x', '--out: is required', 'ctct archive report --help'],
      ['help archive frob', "unknown command 'frob'", 'ctct archive --help'],
    ];
    for (const [line, message, help] of wrong) {
      it(`refuses "ctct ${line}" with what is wrong and where to look`, async () => {
        const { exit, stdout, stderr } = await ctct(line.split(' '));
        expect(stderr.lines).to.deep.equal([`ctct: ${message}`, `  see: ${help}`]);
        expect([exit, stdout.text]).to.deep.equal([2, '']);
      });
    }
  });

  describe('read', () => {
    it('puts out a line for each activity that the schema describes, wherever --output stands', async () => {
      const all = activities(7);
      const file = await put('feed.xml', feed(all));
      const ran = await ctct(['archive', 'read', file]);
      expect(ran.exit).to.equal(0);
      expect(idsOf(ran)).to.deep.equal(all.map(({ id }) => id));
      for (const line of ran.stdout.lines) {
        expect(isRecord(JSON.parse(line)), line).to.equal(true);
        const { position } = JSON.parse(line) as { position: { byteOffset: number; length: number } };
        const entry = feed(all).slice(position.byteOffset, position.byteOffset + position.length);
        expect(entry).to.match(/^<entry>[^]*<\/entry>$/);
      }
      expect(ran.stderr.text).to.equal('7 records in 1 file; 7 records put out\n');
      const front = await ctct(['--output', 'ndjson', 'archive', 'read', file, '--quiet']);
      expect([front.stdout.text, front.stderr.text]).to.deep.equal([ran.stdout.text, '']);
    });

    it('reads files, folders, patterns, packed files and stdin', async () => {
      const all = activities(6);
      await mkdir(path('sub'));
      await put('a.xml', feed(all.slice(0, 2)));
      await put('sub/b.xml.gz', gzipSync(feed(all.slice(2, 4))));
      await put('sub/notes.txt', 'no feed');
      const input = feed(all.slice(4));
      const ids = all.map(({ id }) => id);
      const whole = await ctct(['archive', 'read', folder, '-'], { input });
      expect(idsOf(whole)).to.deep.equal(ids);
      expect(JSON.parse(whole.stdout.lines.at(-1) ?? '')).to.have.nested.property('position.source', 'stdin');
      expect(idsOf(await ctct(['archive', 'read', path('**/*.gz')]))).to.deep.equal(ids.slice(2, 4));
      const typed = await ctct(['archive', 'read', '-'], { input, person: true });
      expect(typed.stderr.text).to.match(/^Reading from the terminal; end it with Ctrl-D\.\n2 records/);
    });

    it('reads a damaged archive as far as can be, says so, and ends with 3', async () => {
      const ran = await ctct(['archive', 'read', SAMPLE]);
      expect(ran.exit).to.equal(3);
      const records = ran.stdout.lines.map((line) => {
        expect(isRecord(JSON.parse(line)), JSON.stringify(isRecord.errors)).to.equal(true);
        return JSON.parse(line) as { id: string; salvaged: boolean; problems: unknown[] };
      });
      expect(
        records.map(({ id, salvaged }) => `${id.slice(0, 5)}${salvaged ? ' salvaged' : ''}`),
      ).to.deep.equal([
        'a07e3',
        'a07e3',
        'a07e3 salvaged',
        'a07e3',
        'a07e3 salvaged',
        'a07e3 salvaged',
        'a07e3',
        'a07e3',
        'a07e3',
        'a07e3 salvaged',
      ]);
      expect(ran.stderr.lines[0]).to.equal(
        '10 records in 1 file, 4 of them salvaged; 1 entry of other kinds; 10 records put out',
      );
      expect(ran.stderr.lines[1]).to.match(
        /^ctct: warning: \d+ problems; what and where: ctct archive check .*damaged-archive\.xml$/,
      );
      const strict = await ctct(['archive', 'read', SAMPLE, '--strict']);
      expect(strict.exit).to.equal(1);
      expect(strict.stderr.text).to.match(/^ctct: .*damaged-archive\.xml:\d+:\d+ \(byte \d+\): /);
    });

    it('puts out JSON, CSV, v2 and Parquet that say the same', async () => {
      const all = activities(9);
      const file = await put('feed.xml', feed(all));
      const lines = (await ctct(['archive', 'read', file])).stdout.lines.map((line) => {
        const { kind, ...record } = JSON.parse(line) as Record<string, unknown>;
        expect(kind).to.equal('activity');
        return record;
      });
      const json = await ctct(['archive', 'read', file, '--output', 'json']);
      expect(envelope(json)).to.deep.equal({ version: 1, kind: 'activities', data: lines });

      const csv = await ctct(['archive', 'read', file, '--output', 'csv', '--errors', path('errors.csv')]);
      const { data: rows } = Papa.parse<Record<string, string>>(csv.stdout.text, {
        header: true,
        skipEmptyLines: true,
      });
      expect(rows.map(({ id, errorCount }) => [id, Number(errorCount)])).to.deep.equal(
        all.map(({ id, errorCount }) => [id, errorCount]),
      );
      const { data: errors } = Papa.parse<string[]>(await readFile(path('errors.csv'), 'utf8'), {
        skipEmptyLines: true,
      });
      expect(errors).to.deep.equal([
        ['activityId', 'lineNumber', 'emailAddress', 'message'],
        ...all.flatMap(({ id, errors: listed }) =>
          listed.map((error) => [id, String(error.lineNumber), error.emailAddress, error.message]),
        ),
      ]);

      const v2 = await ctct(['archive', 'read', file, '--output', 'v2']);
      expect(idsOf(v2)).to.deep.equal(all.map(({ id }) => id));
      expect(v2.stdout.text).not.to.contain('ADD_CONTACT_DETAIL');
      expect(v2.stderr.lines.slice(0, 3)).to.deep.equal([
        'ctct: warning: v2 has no time of the last change: "updated" was left out (9 records)',
        'ctct: warning: v2 has no title: it was left out (9 records)',
        'ctct: warning: v2 has one type for all uploads: ADD_CONTACT_DETAIL and SV_ADD became ADD_CONTACTS (4 records)',
      ]);

      const parquet = await ctct([
        'archive',
        'read',
        file,
        '--output',
        'parquet',
        '--out',
        path('a.parquet'),
      ]);
      expect(parquet.exit).to.equal(0);
      const bytes = new Uint8Array(await readFile(path('a.parquet')));
      const objects = await parquetReadObjects({ file: bytes.buffer });
      expect(objects.map(({ id }) => String(id))).to.deep.equal(all.map(({ id }) => id));
    });

    it('chooses by type, status, id, date and errors', async () => {
      const all = activities(40);
      const undated = anActivity({ id: 'a07e1undated', type: 'NEW_TYPE', status: 'PENDING' });
      const file = await put('feed.xml', feed([...all, undated]));
      const cases: readonly (readonly [string, (one: Activity) => boolean])[] = [
        ['--type add_contacts', ({ type }) => type === 'ADD_CONTACTS'],
        ['--type NEW_TYPE,ADD_CONTACT_DETAIL', ({ type }) => type !== 'ADD_CONTACTS'],
        ['--status ERROR --status PENDING', ({ status }) => status === 'ERROR' || status === 'PENDING'],
        ['--with-errors', ({ errorCount }) => errorCount > 0],
        [`--id ${all[3]!.id},${all[5]!.id}`, ({ id }) => id === all[3]!.id || id === all[5]!.id],
        [
          `--id http://api.example.com/ws/customers/x/activities/${all[3]!.id}`,
          ({ id }) => id === all[3]!.id,
        ],
        [
          '--since 2011-01-20',
          ({ insertTime }) => insertTime !== undefined && insertTime >= new Date('2011-01-20'),
        ],
        [
          '--until 2011-01-20',
          ({ insertTime }) => insertTime !== undefined && insertTime < new Date('2011-01-20'),
        ],
        [
          '--since 2011-01-20T12:00 --until 2011-01-21T14:00:00+02:00 --with-errors --type ADD_CONTACT_DETAIL',
          ({ id }) => id === all[19]!.id && all[19]!.errorCount > 0,
        ],
      ];
      for (const [options, accepts] of cases) {
        const ran = await ctct(['archive', 'read', file, ...options.split(' ')]);
        expect(ran.exit, options).to.equal(0);
        expect(idsOf(ran), options).to.deep.equal([...all, undated].filter(accepts).map(({ id }) => id));
        expect(ran.stderr.text.includes('1 record without any date'), options).to.equal(
          /since|until/.test(options),
        );
        expect(ran.stderr.text.includes('NEW_TYPE is none of the documented ones'), options).to.equal(
          options.includes('NEW_TYPE'),
        );
      }
    });

    it('with --dedupe puts out the newest record of each activity, chosen after that', async () => {
      const at = (day: number) => new Date(Date.UTC(2011, 0, day));
      const pending = anActivity({ id: 'a07e1a', status: 'PENDING', updated: at(1) });
      const complete = anActivity({ id: 'a07e1a', status: 'COMPLETE', updated: at(2) });
      const other = anActivity({ id: 'a07e1b', status: 'PENDING', updated: at(1) });
      const file = await put('feed.xml', feed([pending, complete, other]));
      const status = (ran: Ran) =>
        ran.stdout.lines.map((line) => {
          const { id, status: value } = JSON.parse(line) as { id: string; status: string };
          return `${id} ${value}`;
        });
      const read = (...options: string[]) => ctct(['archive', 'read', file, '--dedupe', ...options]);
      expect(status(await read())).to.deep.equal(['a07e1a COMPLETE', 'a07e1b PENDING']);
      expect(status(await read('--status', 'PENDING'))).to.deep.equal(['a07e1b PENDING']);
      expect(status(await read('--id', 'a07e1a'))).to.deep.equal(['a07e1a COMPLETE']);
    });

    const wrong: readonly (readonly [string, RegExp, number])[] = [
      ['nothere.xml', /^ctct: .*nothere\.xml: there is no such file/, 2],
      ['--since May', /--since: must be a date such as 2008-04-29 or 2008-04-29T19:36:10Z, got "May"/, 2],
      ['--since 2011-02-01 --until 2011-01-01', /--until: must be later than --since/, 2],
      ['--errors e.csv', /--errors: goes with --output csv; in ndjson/, 2],
      ['--output csv --errors -', /--errors: must be a file/, 2],
      ['--output csv --errors e.csv --out e.csv', /--errors: must be another file than --out/, 2],
      ['--out nowhere/a.ndjson', /there is no folder .*nowhere/, 1],
      ['--out sub', /sub: is a folder; name a file/, 1],
      ['--after nothing', /--after: must be a file, @ and a byte/, 2],
      ['--after other.xml@5', /--after: other\.xml is none of the files to be read/, 2],
      ['--dedupe --after feed.xml@5', /--after: does not go with --dedupe/, 2],
    ];
    for (const [options, message, code] of wrong) {
      it(`refuses ${options}`, async () => {
        const file = await put('feed.xml', feed(activities(1)));
        await mkdir(path('sub'));
        const words = options
          .split(' ')
          .map((word) => (/^(?:e\.csv|nothere\.xml|sub|nowhere\/.*)$/.test(word) ? path(word) : word));
        const { exit, stdout, stderr } = await ctct(['archive', 'read', file, ...words]);
        expect(stderr.text).to.match(message);
        expect([exit, stdout.text]).to.deep.equal([code, '']);
        expect((await readdir(folder)).sort()).to.deep.equal(['feed.xml', 'sub']);
      });
    }

    it('sends no Parquet to a terminal', async () => {
      const file = await put('feed.xml', feed(activities(1)));
      const argv = ['archive', 'read', file, '--output', 'parquet'];
      const { exit, stderr } = await ctct(argv, { terminal: { columns: 80 } });
      expect([exit, stderr.text.includes('is nothing for a terminal')]).to.deep.equal([2, true]);
      expect((await ctct(argv)).stdout.text.slice(0, 4)).to.equal('PAR1');
    });

    it('ends quietly when nobody reads on', async () => {
      const file = await put('feed.xml', feed(activities(3)));
      const stdout = new Sink();
      stdout.failure = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
      const { exit, stderr } = await ctct(['archive', 'read', file], { stdout });
      expect([exit, stderr.text]).to.deep.equal([0, '']);
    });

    it('tells all paths, however many a shell made, so that a command that is told can be run', async () => {
      const files = await Promise.all(Array.from({ length: 11 }, (_, n) => put(`${n}.xml`, '')));
      const { exit, stderr } = await ctct(['archive', 'read', ...files]);
      expect(exit).to.equal(3);
      expect(stderr.lines.at(-1)).to.equal(
        `ctct: warning: 11 problems; what and where: ctct archive check ${files.join(' ')}`,
      );
    });

    describe('to a file', () => {
      it('writes it whole, for its owner, and not over another', async () => {
        const file = await put('feed.xml', feed(activities(3)));
        const argv = ['archive', 'read', file, '--out', path('a.ndjson')];
        const ran = await ctct(argv);
        expect([ran.exit, ran.stdout.text]).to.deep.equal([0, '']);
        expect(ran.stderr.text).to.match(/3 records put out to .*a\.ndjson\n$/);
        const text = await readFile(path('a.ndjson'), 'utf8');
        expect(text).to.equal((await ctct(['archive', 'read', file, '--out', '-'])).stdout.text);
        expect((await stat(path('a.ndjson'))).mode & 0o777).to.equal(0o600);

        const again = await ctct([...argv, '--id', 'none']);
        expect([again.exit, again.stderr.lines.at(-1)]).to.deep.equal([2, '  write over it: --force']);
        expect(await readFile(path('a.ndjson'), 'utf8')).to.equal(text);
        expect((await ctct([...argv, '--id', 'none', '--force'])).exit).to.equal(0);
        expect(await readFile(path('a.ndjson'), 'utf8')).to.equal('');
        expect((await readdir(folder)).sort()).to.deep.equal(['a.ndjson', 'feed.xml']);
      });

      it('leaves none behind when it fails', async () => {
        const file = await put('feed.xml', '<feed');
        const argv = ['archive', 'read', file, '--strict', '--out', path('a.csv'), '--output', 'csv'];
        expect((await ctct([...argv, '--errors', path('e.csv')])).exit).to.equal(1);
        expect(await readdir(folder)).to.deep.equal(['feed.xml']);
        await put('e.csv.part', 'of another run');
        const taken = await ctct([...argv, '--errors', path('e.csv')]);
        expect([taken.exit, taken.stderr.text.includes('e.csv.part is there already')]).to.deep.equal([
          2,
          true,
        ]);
        expect(await readdir(folder)).to.deep.equal(['e.csv.part', 'feed.xml']);
      });

      it('tells how to go on with what a killed run left, and does so', async () => {
        const file = await put('feed.xml', feed(activities(30)));
        const whole = (await ctct(['archive', 'read', file, '--with-errors'])).stdout.text;
        const argv = ['archive', 'read', file, '--with-errors', '--out', path('a.ndjson')];
        await fc.assert(
          fc.asyncProperty(fc.nat({ max: whole.length }), async (cut) => {
            await rm(path('a.ndjson'), { force: true });
            await put('a.ndjson.part', whole.slice(0, cut));
            const ran = await ctct(argv);
            expect(ran.exit).to.equal(2);
            const told = whole.slice(0, cut).includes('\n');
            expect(ran.stderr.text.includes('go on with it: ctct archive read')).to.equal(told);
            const { exit } = await ctct(told ? toldCommand(ran) : [...argv, '--force']);
            expect(exit).to.equal(0);
            expect(await readFile(path('a.ndjson'), 'utf8')).to.equal(whole);
          }),
          { numRuns: 15 },
        );
        await put('b.ndjson.part', 'something else\n');
        const other = await ctct([...argv.slice(0, -1), path('b.ndjson')]);
        expect(other.stderr.text).to.match(/b\.ndjson\.part is there already: another run is under way/);
      });

      it('goes on with nothing where an earlier run left nothing, with a heading then', async () => {
        const file = await put('feed.xml', feed(activities(3)));
        const options = ['--output', 'csv', '--after', `${file}@0`, '--out', path('a.csv')];
        expect((await ctct(['archive', 'read', file, ...options])).exit).to.equal(0);
        expect(await readFile(path('a.csv'), 'utf8')).to.match(/^id,type,/);
      });

      it('says why a file cannot be written', async () => {
        await mkdir(path('a.ndjson.part'));
        const { exit, stderr } = await ctct([
          'archive',
          'read',
          SAMPLE,
          '--force',
          '--out',
          path('a.ndjson'),
        ]);
        expect(exit).to.equal(1);
        expect(stderr.text).to.match(/^ctct: cannot write .*a\.ndjson\.part: it is a folder \(EISDIR\)\n$/);
      });

      it('keeps what an earlier run left when going on fails', async () => {
        const file = await put('feed.xml', '<feed');
        const line = `{"position":{"source":${JSON.stringify(file)},"byteOffset":0}}\n`;
        await put('a.ndjson.part', line);
        const options = ['--strict', '--after', `${file}@0`, '--out', path('a.ndjson')];
        expect((await ctct(['archive', 'read', file, ...options])).exit).to.equal(1);
        expect(await readFile(path('a.ndjson.part'), 'utf8')).to.equal(line);
      });
    });

    describe('when it is interrupted', () => {
      const LARGE = 1500;
      let file: string;
      beforeEach(async () => {
        const all = activities(LARGE);
        await put('a.xml', feed(all.slice(0, 500)));
        await put('b.xml.gz', gzipSync(feed(all.slice(500, 1000))));
        await put('c.xml', feed(all.slice(1000)));
        file = folder;
      });

      for (const output of ['ndjson', 'v2', 'csv'] as const) {
        it(`leaves whole lines of ${output}, and the command it tells puts out the rest`, async () => {
          const argv = ['archive', 'read', file, '--output', output, '--quiet'];
          const whole = (await ctct(argv)).stdout.text;
          for (const writes of [1, 2, 3]) {
            const first = new InterruptingSink(writes);
            const ran = await ctct(argv, { stdout: first, signal: first.controller.signal });
            expect(ran.exit).to.equal(130);
            expect(ran.stderr.lines[0]).to.match(/^ctct: interrupted; [\d,]+ records put out$/);
            expect(ran.stderr.lines[1]).to.match(/^ {2}go on, behind what was put out: ctct archive read /);
            expect(first.text.endsWith('\n')).to.equal(true);
            expect(whole.startsWith(first.text)).to.equal(true);
            const rest = await ctct([...toldCommand(ran), '--quiet']);
            expect(rest.exit).to.equal(0);
            expect(first.text.length + rest.stdout.text.length).to.equal(whole.length);
            expect(first.text + rest.stdout.text).to.equal(whole);
          }
        });
      }

      it('leaves a whole JSON document, and the rest goes into another', async () => {
        const argv = ['archive', 'read', file, '--output', 'json', '--type', 'ADD_CONTACTS'];
        const first = new InterruptingSink(2);
        const ran = await ctct(argv, { stdout: first, signal: first.controller.signal });
        const one = envelope({ ...ran, stdout: first }).data as { id: string }[];
        const rest = envelope(await ctct(toldCommand(ran))).data as { id: string }[];
        expect(ran.stderr.text).to.contain('go on, into another file: ');
        const ids = activities(LARGE).filter(({ type }) => type === 'ADD_CONTACTS');
        expect([...one, ...rest].map(({ id }) => id)).to.deep.equal(ids.map(({ id }) => id));
        expect(one.length).to.be.greaterThan(0);
      });

      it('leaves parts of files, which the command it tells completes', async () => {
        const input = feed(activities(300));
        const argv = ['archive', 'read', file, '-', '--output', 'csv'];
        const to = (n: number) => ['--out', path(`all${n}.csv`), '--errors', path(`errors${n}.csv`)];
        expect((await ctct([...argv, ...to(1)], { input })).exit).to.equal(0);
        for (const share of [0.01, 0.3, 0.9]) {
          await rm(path('all2.csv'), { force: true });
          await rm(path('errors2.csv'), { force: true });
          const ran = await ctct([...argv, ...to(2)], interruptedInput(input, input.length * share));
          expect(ran.exit).to.equal(130);
          expect(ran.stderr.lines[0]).to.match(
            /^ctct: interrupted; [\d,]+ records put out to .*all2\.csv\.part, which is whole as far as it goes$/,
          );
          expect(await readdir(folder)).to.include.members(['all2.csv.part', 'errors2.csv.part']);
          expect((await ctct(toldCommand(ran), { input })).exit).to.equal(0);
          for (const name of ['all', 'errors']) {
            expect(await readFile(path(`${name}2.csv`), 'utf8')).to.equal(
              await readFile(path(`${name}1.csv`), 'utf8'),
            );
          }
          expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).to.deep.equal([]);
        }
      });

      it('leaves a whole Parquet file, and the rest goes into another', async () => {
        const input = feed(activities(300));
        const argv = ['archive', 'read', '-', '--output', 'parquet', '--out', path('a.parquet')];
        const ran = await ctct(argv, interruptedInput(input, input.length / 2));
        expect(ran.stderr.text).to.contain(', into another file: ').and.to.contain('a.rest.parquet');
        expect((await ctct(toldCommand(ran), { input })).exit).to.equal(0);
        const ids = [];
        for (const name of ['a.parquet.part', 'a.rest.parquet']) {
          const { buffer } = new Uint8Array(await readFile(path(name)));
          for (const { id } of await parquetReadObjects({ file: buffer })) ids.push(String(id));
        }
        expect(ids).to.deep.equal(activities(300).map(({ id }) => id));
      });

      it('leaves nothing before the first record, nor with --dedupe', async () => {
        const input = feed(activities(30));
        const argv = ['archive', 'read', '-', '--out', path('a.ndjson')];
        const early = await ctct(argv, interruptedInput(input, 20));
        expect([early.exit, early.stderr.text]).to.deep.equal([
          130,
          'ctct: interrupted before the first record\n',
        ]);
        const ran = await ctct([...argv, '--dedupe'], interruptedInput(input, input.length / 2));
        expect(ran.exit).to.equal(130);
        expect(ran.stderr.text).to.match(
          /^ctct: interrupted; with --dedupe all must be read .* run it again\n$/,
        );
        expect(await readdir(folder)).to.deep.equal(['a.xml', 'b.xml.gz', 'c.xml']);
        const late = new InterruptingSink(1);
        const put = await ctct(['archive', 'read', file, '--dedupe'], {
          stdout: late,
          signal: late.controller.signal,
        });
        expect([put.exit, put.stderr.text]).to.deep.equal([130, ran.stderr.text]);
      });

      it('goes on where the run before went on', async () => {
        const input = feed(activities(30));
        const argv = [
          'archive',
          'read',
          file,
          '-',
          '--after',
          `stdin@${input.length}`,
          '--out',
          path('a.ndjson'),
        ];
        const ran = await ctct(argv, interruptedInput(input, input.length / 2));
        expect(toldCommand(ran)).to.include(`stdin@${input.length}`);
      });
    });
  });

  describe('check', () => {
    it('tells every problem in a line, and what was read', async () => {
      const ran = await ctct(['archive', 'check', SAMPLE]);
      expect(ran.exit).to.equal(3);
      const bytes = readFileSync(SAMPLE);
      for (const line of ran.stdout.lines) {
        const [, source, lineNumber, column, byte] =
          /^(.*):(\d+):(\d+): byte (\d+): [A-Z_]+ \S.*$/.exec(line) ?? expect.fail(line);
        expect(source).to.equal(SAMPLE);
        // The place that is told in lines is the one that is told in bytes.
        const before = bytes.subarray(0, Number(byte)).toString('latin1').split('\n');
        expect(before.length).to.equal(Number(lineNumber));
        expect(Number(column)).to.be.at.most((before.at(-1)?.length ?? 0) + 1);
      }
      const [records, sum, problems] = ran.stderr.lines;
      expect(records).to.equal('10 records in 1 file, 4 of them salvaged; 1 entry of other kinds');
      expect(problems).to.equal(`${ran.stdout.lines.length} problems`);
      const [whole, ...parts] = [...(sum ?? '').matchAll(/[\d,]+(?= bytes|[^,\d]|$)/g)].map(([number]) =>
        Number(number.replaceAll(',', '')),
      );
      expect(whole).to.equal(bytes.length);
      expect(parts.reduce((total, part) => total + part)).to.equal(bytes.length);
    });

    it('tells the same as JSON, lines and CSV', async () => {
      const lines = (await ctct(['archive', 'check', SAMPLE])).stdout.lines;
      const json = await ctct(['archive', 'check', SAMPLE, '--output', 'json']);
      expect(json.exit).to.equal(3);
      const { kind, data } = envelope(json) as { kind: string; data: Record<string, unknown>[] };
      expect(kind).to.equal('problems');
      const lineOf = (one: Record<string, unknown>) =>
        ['source', 'line', 'column', 'byteOffset', 'code', 'message']
          .map(
            (name) => `${{ byteOffset: ' byte ', code: ' ', message: ' ' }[name] ?? ''}${String(one[name])}`,
          )
          .join(':')
          .replace(/(: [A-Z_]+):/, '$1');
      expect(data.map(lineOf)).to.deep.equal(lines);
      const ndjson = await ctct(['archive', 'check', SAMPLE, '--output', 'ndjson']);
      expect(ndjson.stdout.lines.map((line) => JSON.parse(line) as object)).to.deep.equal(
        data.map((one) => ({ kind: 'problem', ...one })),
      );
      const csv = await ctct(['archive', 'check', SAMPLE, '--output', 'csv']);
      const { data: rows } = Papa.parse<Record<string, string>>(csv.stdout.text, {
        header: true,
        skipEmptyLines: true,
      });
      expect(rows.map(lineOf)).to.deep.equal(lines);
    });

    it('says nothing on stdout of a sound archive', async () => {
      const file = await put('feed.xml', feed(activities(3)));
      const ran = await ctct(['archive', 'check', file]);
      expect([ran.exit, ran.stdout.text]).to.deep.equal([0, '']);
      expect(ran.stderr.lines.at(-1)).to.equal('0 problems');
      expect((await ctct(['archive', 'check', file, '--quiet'])).stderr.text).to.equal('');
    });

    it('names the byte at which a file was cut off', async () => {
      const text = feed(activities(4));
      const end = text.lastIndexOf('>');
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: end }), async (cut) => {
          const file = await put('cut.xml', text.slice(0, cut));
          const { exit, stdout } = await ctct(['archive', 'check', file]);
          expect(exit).to.equal(3);
          expect(stdout.lines.some((line) => line.includes(`: byte ${cut}: XML_TRUNCATED `))).to.equal(
            true,
            stdout.text,
          );
        }),
        { numRuns: 40 },
      );
    });

    it('makes room for problems on the terminal that progress is drawn on', async () => {
      const stdout = new Sink({ columns: 80 });
      const setup = { person: true, terminal: { columns: 80 }, stdout };
      const ran = await ctct(['archive', 'check', SAMPLE], setup);
      expect(ran.exit).to.equal(3);
      expect(ran.stderr.text.startsWith('\r\u001b[K')).to.equal(true);
      expect(ran.stderr.text).to.contain('⠋');
      // Nothing is left drawn in the line that the shell goes on in.
      expect(ran.stderr.text.split('\r\u001b[K').at(-1)).to.match(/6 problems\n$/);
      expect(stdout.lines.length).to.be.greaterThan(3);
    });

    it('tells what was found up to an interrupt', async () => {
      const input = readFileSync(SAMPLE, 'latin1').replace(/[^\n -~]/g, 'x');
      const ran = await ctct(['archive', 'check', '-'], interruptedInput(input, 5500));
      expect(ran.exit).to.equal(130);
      expect(ran.stdout.text).to.match(/^stdin:80:/);
      expect(ran.stderr.lines[0]).to.equal('ctct: interrupted; up to then there were:');
    });

    it('lets no name and no message act on a terminal', async () => {
      const file = await put('a\u001b[2J.xml', '\u001b[2J');
      const { stdout } = await ctct(['archive', 'check', file]);
      expect(stdout.text).not.to.contain('\u001b');
      expect(stdout.lines).to.have.length(1);
    });
  });

  describe('stats', () => {
    it('counts, as JSON that its schema describes', async () => {
      const file = await put('feed.xml', feed(activities(40)));
      const ran = await ctct(['archive', 'stats', file, '--output', 'json']);
      expect(ran.exit).to.equal(0);
      const { kind, data } = envelope(ran) as { kind: string; data: { activities: number; errors: number } };
      expect(kind).to.equal('statistics');
      expect(isStatistics(data), JSON.stringify(isStatistics.errors)).to.equal(true);
      expect([data.activities, data.errors]).to.deep.equal([40, 28]);
    });

    it('shows tables', async () => {
      const ran = await ctct(['archive', 'stats', SAMPLE]);
      expect(ran.stdout.text).to.match(/^ +1 {2}\(empty\)$/m);
      expect(ran.exit).to.equal(3);
      const cells = ran.stdout.lines.map((line) => line.trim().split(/ {2,}/));
      expect(cells.slice(0, 3)).to.deep.equal([
        ['Activities', '10'],
        ['Failed', '1'],
        ['Contacts', '1,714'],
      ]);
      const headings = cells.filter((_, index) => cells[index - 1]?.[0] === '').map(([first]) => first);
      expect(headings).to.deep.equal(['Type', 'Status', 'Month', 'Errors', 'Time']);
      expect(cells.find(([name]) => name === 'EXPORT_CONTACTS')).to.deep.equal([
        'EXPORT_CONTACTS',
        '1',
        '0',
        '1,311',
        '0',
        '0.0 %',
      ]);
      expect(cells.find(([name]) => name === 'Run')?.slice(0, 3)).to.deep.equal(['Run', '6', '2.2 s']);
    });

    it('shows what is not told, and what is long', async () => {
      const day = 86_400_000;
      const odd = anActivity({
        id: 'a07e1a',
        insertTime: new Date(0),
        runStartTime: new Date(20_000),
        runFinishTime: new Date(90 * day),
      });
      const { stdout } = await ctct(['archive', 'stats', '-'], { input: feed([odd]) });
      expect(stdout.text).to.match(/^\(not told\) +1 /m);
      expect(stdout.text).to.match(/^Queue .* 20 s$/m);
      expect(stdout.text).to.match(/^Run .* 90 d$/m);
      const none = await ctct(['archive', 'stats', '-'], { input: feed([]) });
      expect(none.stdout.text).not.to.contain('Type');
    });

    it('says when the commonest messages are not counted exactly', async () => {
      const sink = new Sink();
      const report = new ArchiveStatistics().toJSON();
      await putStatistics(new Output(sink, 'table', (_style, text) => text), {
        ...report,
        activities: 1,
        messages: { exact: false, uncertainty: 1234, commonest: [{ message: 'Invalid email', count: 5000 }] },
      });
      expect(sink.text).to.contain(
        'There are too many messages to count each: a number may be too low by 1,234.',
      );
    });

    it('says that the numbers are of a part when it is interrupted', async () => {
      const input = feed(activities(40));
      const ran = await ctct(['archive', 'stats', '-'], interruptedInput(input, input.length / 2));
      expect(ran.exit).to.equal(130);
      expect(ran.stdout.text).to.match(/^Activities +\d+\n/);
      expect(ran.stderr.lines[0]).to.equal('ctct: interrupted; the numbers are of what was read until then');
    });
  });

  describe('report', () => {
    it('writes a page', async () => {
      const out = path('report.html');
      const argv = ['archive', 'report', SAMPLE, '--out', out, '--title', 'Spring & summer'];
      const ran = await ctct(argv);
      expect([ran.exit, ran.stdout.text]).to.deep.equal([3, '']);
      expect(ran.stderr.lines[0]).to.equal(`The page is ${out}`);
      const page = await readFile(out, 'utf8');
      expect(page).to.match(/^<!doctype html>/);
      expect(page).to.contain('Spring &amp; summer');
      expect((await ctct(argv)).stderr.text).to.contain('is there already');
      expect((await ctct([...argv, '--force'])).exit).to.equal(3);
      const piped = await ctct(['archive', 'report', SAMPLE, '--out', '-']);
      expect(piped.stdout.text).to.match(/^<!doctype html>[^]*<\/html>\s*$/);
      expect(await readdir(folder)).to.deep.equal(['report.html']);
    });

    it('ends quietly when nobody reads on', async () => {
      const stdout = new Sink();
      stdout.failure = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
      const { exit, stderr } = await ctct(['archive', 'report', SAMPLE, '--out', '-'], { stdout });
      expect([exit, stderr.text]).to.deep.equal([0, '']);
    });

    it('writes none when it is interrupted, or cannot', async () => {
      const input = feed(activities(40));
      const argv = ['archive', 'report', '-', '--out', path('report.html')];
      const ran = await ctct(argv, interruptedInput(input, input.length / 2));
      expect([ran.exit, ran.stderr.lines[0]]).to.deep.equal([130, 'ctct: interrupted; no page was written']);
      expect(await readdir(folder)).to.deep.equal([]);
      const missing = await ctct(['archive', 'report', path('none.xml'), '--out', path('report.html')]);
      expect([missing.exit, await readdir(folder)]).to.deep.equal([2, []]);
    });
  });

  describe('progress', () => {
    it('is drawn for a person, with bytes, rate and the time that is left', async () => {
      const all = activities(600);
      await put('a.xml', feed(all));
      await put('b.xml.gz', gzipSync(feed(all)));
      for (const [name, expected] of [
        ['a.xml', /\[#*-*\] \d+ % {2}[\d.]+ (?:bytes|kB) of [\d.]+ kB/],
        ['b.xml.gz', new RegExp(`of ${((await stat(path('b.xml.gz'))).size / 1000).toFixed(1)} kB`)],
        ['', /\[#*-*\] \d+ % {2}/],
      ] as const) {
        const ran = await ctct(['archive', 'stats', path(name)], {
          person: true,
          terminal: { columns: 120 },
        });
        expect(ran.stderr.text, name).to.match(expected);
        const out = ['--out', path('x.ndjson'), '--force'];
        for (const flag of ['--no-progress', '--quiet']) {
          const without = await ctct(['archive', 'read', path(name), flag, ...out], { person: true });
          expect(without.stderr.text).not.to.contain('⠋');
        }
      }
    });

    it('is not drawn over records on the same terminal', async () => {
      const file = await put('feed.xml', feed(activities(3)));
      const stdout = new Sink({ columns: 80 });
      const ran = await ctct(['archive', 'read', file], { person: true, stdout });
      expect(ran.stderr.text).to.equal('3 records in 1 file; 3 records put out\n');
    });
  });
});
