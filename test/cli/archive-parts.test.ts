import { expect } from 'chai';
import { parquetReadObjects } from 'hyparquet';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import Papa from 'papaparse';
import type { RecordFormatName } from '../../src/cli/archive-output.js';
import { encodeFeed } from '../../src/ws/records.js';
import { frame } from '../archive/reading.js';
import { anActivity } from '../support/stub-service.js';
import { ctct, Sink, type Ran } from './harness.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

const activities = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    anActivity({
      id: `a07e1${String(n).padStart(14, '0')}`,
      type: 'ADD_CONTACTS',
      insertTime: new Date(Date.UTC(2011, 0, 1, n)),
      title: n % 3 === 0 ? `Upload\nof "${n}"` : '',
      ...(n % 2 === 0 && {
        errors: [{ lineNumber: n, emailAddress: `row${n}@example.com`, message: 'Invalid\n"email"' }],
        errorCount: 1,
      }),
    }),
  );
const feed = encodeFeed(activities(2000), frame);

/** The command line that a run told to go on with, or to begin anew with. */
function told(ran: Ran): string[] {
  const [, line = ''] = /(?:go on|begin anew)[^:]*: ctct (.*)$/m.exec(ran.stderr.text) ?? [];
  expect(line, ran.stderr.text).not.to.equal('');
  return line.split(' ');
}

describe('ctct archive, its files', () => {
  let folder: string;
  const path = (...names: string[]) => join(folder, ...names);
  const text = (...names: string[]) => readFile(path(...names), 'utf8');

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-parts-'));
    await writeFile(path('feed.xml'), feed);
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  /** Ids of the records in what was written. */
  async function idsIn(output: RecordFormatName, ...names: string[]): Promise<string[]> {
    const ids: string[] = [];
    for (const name of names) {
      const bytes = await readFile(path(name));
      if (output === 'parquet') {
        for (const { id } of await parquetReadObjects({ file: new Uint8Array(bytes).buffer }))
          ids.push(String(id));
      } else if (output === 'json') {
        ids.push(...(JSON.parse(bytes.toString()) as { data: { id: string }[] }).data.map(({ id }) => id));
      } else if (output === 'csv') {
        const { data } = Papa.parse<{ id: string }>(bytes.toString(), { header: true, skipEmptyLines: true });
        ids.push(...data.map(({ id }) => id));
      } else {
        for (const line of bytes.toString().split('\n').slice(0, -1))
          ids.push((JSON.parse(line) as { id: string }).id);
      }
    }
    return ids;
  }

  describe('that it reads', () => {
    for (const name of ['feed.xml', 'link.xml', 'hard.xml', 'sub/../feed.xml']) {
      it(`are not written over: ${name}`, async () => {
        await symlink(path('feed.xml'), path('link.xml'));
        await link(path('feed.xml'), path('hard.xml'));
        await mkdir(path('sub'));
        for (const options of [
          `read ${path('feed.xml')} --out ${path(name)}`,
          `read ${path('feed.xml')} --output csv --errors ${path(name)}`,
          `report ${path('feed.xml')} --out ${path(name)}`,
        ]) {
          const { exit, stderr } = await ctct(['archive', ...options.split(' '), '--force']);
          expect(stderr.text).to.match(/^ctct: --(?:out|errors): .* is one of the files to be read/);
          expect(exit).to.equal(2);
        }
        expect(await text('feed.xml')).to.equal(feed);
        expect((await readdir(folder)).filter((file) => file.includes('.part'))).to.deep.equal([]);
      });
    }

    it('are not written over as parts, nor where they come from stdin', async () => {
      await writeFile(path('a.ndjson.part'), feed);
      const part = await ctct(['archive', 'read', path('*.part'), '--out', path('a.ndjson'), '--force']);
      expect([part.exit, await text('a.ndjson.part')]).to.deep.equal([2, feed]);
      const stdin = Object.assign(Readable.from([Buffer.from(feed)]), {
        fd: openSync(path('feed.xml'), 'r'),
      });
      const piped = await ctct(['archive', 'read', '-', '--out', path('feed.xml'), '--force'], { stdin });
      expect(piped.stderr.text).to.include('is one of the files to be read (stdin)');
      expect(await text('feed.xml')).to.equal(feed);
    });
  });

  describe('with --strict', () => {
    const broken = feed.replace(/(a07e100000000001234">[^]*?<Type>)/, '$1</Wrong>');
    for (const output of ['ndjson', 'json', 'csv', 'parquet', 'v2'] as const) {
      it(`keep what comes before the problem, whole, as ${output}; what is told brings the rest`, async () => {
        expect(broken).not.to.equal(feed);
        await writeFile(path('feed.xml'), broken);
        const table = output === 'csv' ? ['--errors', path('errors')] : [];
        const argv = ['archive', 'read', path('feed.xml'), '--output', output, ...table];
        const ran = await ctct([...argv, '--strict', '--out', path('all')]);
        expect(ran.exit).to.equal(1);
        const lines = ran.stderr.lines.filter((line) => !line.includes('warning'));
        expect(lines[0]).to.match(/feed\.xml:\d+:\d+ \(byte \d+\): expected/);
        expect(lines[1]).to.match(/^ {2}before that, 1,234 records put out to .*all\.part, which is whole/);
        expect(lines[2]).to.match(/^ {2}go on without --strict/);
        const before = await idsIn(output, 'all.part');
        expect(before).to.deep.equal(activities(1234).map(({ id }) => id));
        expect((await ctct(told(ran))).exit).to.equal(3);
        const isWhole = output !== 'json' && output !== 'parquet';
        const ids = await idsIn(output, ...(isWhole ? ['all'] : ['all.part', 'all.rest']));
        expect(ids).to.deep.equal(activities(2000).map(({ id }) => id));
        if (output !== 'csv') return;
        const errors = Papa.parse<string[]>(await text('errors'), { skipEmptyLines: true }).data;
        expect(errors.map(([id]) => id)).to.deep.equal([
          'activityId',
          ...activities(2000).flatMap(({ id, errors: listed }) => listed.map(() => id)),
        ]);
        expect(await readdir(folder)).to.have.members(['all', 'errors', 'feed.xml']);
      });
    }

    it('put out all that is whole to stdout', async () => {
      await writeFile(path('feed.xml'), broken);
      const ran = await ctct(['archive', 'read', path('feed.xml'), '--strict']);
      const rest = await ctct(told(ran));
      expect(ran.stdout.lines.length).to.equal(1234);
      const all = await ctct(['archive', 'read', path('feed.xml')]);
      expect(ran.stdout.text + rest.stdout.text).to.equal(all.stdout.text);
    });

    it('make nothing of records of which others may be newer', async () => {
      await writeFile(path('feed.xml'), broken);
      const argv = ['archive', 'read', path('feed.xml'), '--strict', '--dedupe', '--out', path('all')];
      const ran = await ctct(argv);
      expect([ran.exit, ran.stderr.lines.length]).to.deep.equal([1, 1]);
      expect(await readdir(folder)).to.deep.equal(['feed.xml']);
    });
  });

  describe('of a run that was killed', () => {
    /** What a killed run would have left at this moment: copies of the files while it goes on. */
    async function leftAt(share: number, argv: readonly string[]): Promise<void> {
      const given = [feed.slice(0, feed.length * share), feed.slice(feed.length * share)];
      let turn = 0;
      const stdin = new Readable({
        read() {
          const push = () => {
            // Once there is something to leave.
            if (turn === 1 && !isLeft()) setTimeout(push, 5);
            else this.push(next());
          };
          push();
        },
      });
      const isLeft = () =>
        argv.includes('ndjson')
          ? existsSync(path('all.part')) && statSync(path('all.part')).size > 0
          : existsSync(path('all.part.place'));
      const next = () => {
        if (turn === 1) cpSync(folder, `${folder}-left`, { recursive: true });
        const chunk = given[turn++];
        return chunk === undefined ? null : Buffer.from(chunk);
      };
      expect((await ctct(argv, { stdin })).exit).to.equal(0);
      await rm(folder, { recursive: true });
      cpSync(`${folder}-left`, folder, { recursive: true });
      await rm(`${folder}-left`, { recursive: true });
    }

    for (const output of ['csv', 'v2', 'ndjson'] as const) {
      it(`are gone on with as the next run tells: ${output}`, async () => {
        const table = output === 'csv' ? ['--errors', path('errors')] : [];
        const argv = ['archive', 'read', '-', '--output', output, '--out', path('all'), ...table];
        const options = ['--since', '2011-01-05'];
        expect((await ctct([...argv, ...options], { input: feed })).exit).to.equal(0);
        const whole = await text('all');
        const errors = output === 'csv' ? await text('errors') : '';
        for (const share of [0.6, 0.9]) {
          for (const name of ['all', 'errors']) await rm(path(name), { force: true });
          await leftAt(share, [...argv, ...options]);
          const found = await readdir(folder);
          expect(found).to.include('all.part').and.not.to.include('all');
          // Some bytes more may have been written than the next run knows to be whole.
          await writeFile(path('all.part'), `${await text('all.part')}half a li`);
          if (output === 'csv') await writeFile(path('errors.part'), `${await text('errors.part')}"half\n`);
          const next = await ctct([...argv, ...options], { input: feed });
          expect(next.exit).to.equal(2);
          expect(next.stderr.text).to.contain('all.part is there already, of a run that was cut off');
          expect((await ctct(told(next), { input: feed })).exit).to.equal(0);
          expect(await text('all')).to.equal(whole);
          if (output === 'csv') expect(await text('errors')).to.equal(errors);
          expect((await readdir(folder)).filter((name) => name.includes('part'))).to.deep.equal([]);
        }
      });
    }

    for (const output of ['json', 'parquet'] as const) {
      it(`are begun anew, as the next run tells: ${output}`, async () => {
        await writeFile(path('all.part'), 'half');
        const argv = ['archive', 'read', path('feed.xml'), '--output', output, '--out', path('all')];
        const next = await ctct(argv);
        expect(next.stderr.text).to.contain(`it is no whole ${output} and cannot be gone on with`);
        expect((await ctct(told(next))).exit).to.equal(0);
        expect(await idsIn(output, 'all')).to.have.length(2000);
      });

      it(`are told to be whole where they are: ${output}`, async () => {
        const broken = feed.replace(/(a07e100000000001234">[^]*?<Type>)/, '$1</Wrong>');
        await writeFile(path('feed.xml'), broken);
        const argv = ['archive', 'read', path('feed.xml'), '--output', output, '--out', path('all')];
        await ctct([...argv, '--strict']);
        const next = await ctct(argv);
        expect(next.stderr.text).to.contain('of a run that was ended early, and whole as far as it goes');
        expect((await ctct(told(next))).exit).to.equal(3);
        expect(await idsIn(output, 'all.part', 'all.rest')).to.have.length(2000);
      });
    }

    it('are those of a real one, too', async function () {
      this.timeout(30_000);
      const argv = [
        'archive',
        'read',
        '-',
        '--output',
        'csv',
        '--out',
        path('all'),
        '--errors',
        path('errors'),
      ];
      const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...argv], {
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      const exited = once(child, 'exit');
      child.stdin.on('error', () => undefined);
      child.stdin.write(feed.slice(0, 0.7 * feed.length));
      const isLeft = () => existsSync(path('all.part.place'));
      while (!isLeft() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
      child.kill('SIGKILL');
      await exited;
      const next = await ctct(argv, { input: feed });
      expect((await ctct(told(next), { input: feed })).exit).to.equal(0);
      const ids = await idsIn('csv', 'all');
      expect(ids).to.deep.equal(activities(2000).map(({ id }) => id));
      const errors = Papa.parse<string[]>(await text('errors'), { skipEmptyLines: true }).data;
      expect(errors).to.have.length(1 + activities(2000).filter(({ errorCount }) => errorCount > 0).length);
    });

    it('are not gone on with behind another record than their last', async () => {
      for (const output of ['ndjson', 'csv', 'v2']) {
        const argv = ['archive', 'read', '-', '--output', output, '--out', path('all')];
        await leftAt(0.9, argv);
        const left = await text('all.part');
        const next = await ctct(argv, { input: feed });
        const wrong = await ctct([...argv, '--after', 'stdin@1'], { input: feed });
        expect(wrong.exit).to.equal(2);
        expect(wrong.stderr.text, output).to.match(
          /--after: .*all\.part ends with the record stdin@\d+; go on behind that/,
        );
        expect(told(wrong)).to.deep.equal(told(next));
        expect(await text('all.part')).to.equal(left);
        await rm(path('all.part.place'), { force: true });
        await writeFile(path('all.part'), 'something else\n');
        const foreign = await ctct([...argv, '--after', 'stdin@1'], { input: feed });
        expect(foreign.stderr.text).to.contain('does not tell which record it ends with');
        expect((await ctct(told(foreign), { input: feed })).exit).to.equal(0);
        await rm(path('all'));
      }
    });

    it('are readable by their owner only', async () => {
      await leftAt(0.9, ['archive', 'read', '-', '--output', 'csv', '--out', path('all')]);
      for (const name of ['all.part', 'all.part.place'])
        expect((await stat(path(name))).mode & 0o77).to.equal(0);
    });
  });

  it('for spreadsheets hold no formulas, and are as they are else', async () => {
    const title = '=cmd|"/c calc"!A0';
    const message = '+15551234567';
    const one = anActivity({
      id: '-1',
      title,
      errors: [{ lineNumber: 3, emailAddress: '@a', message }],
      errorCount: 1,
    });
    await writeFile(path('feed.xml'), encodeFeed([{ ...one, type: 'SV_ADD' }], frame));
    const argv = [
      'archive',
      'read',
      path('feed.xml'),
      '--output',
      'csv',
      '--errors',
      path('e'),
      '--out',
      path('a'),
    ];
    const cells = async () => {
      const rows = (name: string) => Papa.parse<string[]>(readFileSync(path(name), 'utf8')).data[1]!;
      expect((await ctct([...argv, '--force'])).exit).to.equal(0);
      return [rows('a')[0], rows('a')[10], ...rows('e')];
    };
    expect(await cells()).to.deep.equal(['-1', title, '-1', '3', '@a', message]);
    argv.push('--for-spreadsheet');
    expect(await cells()).to.deep.equal(["'-1", `'${title}`, "'-1", '3', "'@a", `'${message}`]);
    const wrong = await ctct(['archive', 'read', path('feed.xml'), '--for-spreadsheet']);
    expect([wrong.exit, wrong.stderr.lines[0]]).to.deep.equal([
      2,
      'ctct: --for-spreadsheet: goes with --output csv',
    ]);
    const help = await ctct(['archive', 'read', '--help']);
    expect(help.stdout.text).to.include('--for-spreadsheet');
  });

  for (const output of ['table', 'json', 'csv', 'ndjson']) {
    it(`of nothing but problems are checked without keeping them, as ${output}`, async () => {
      const stdout = new Sink();
      const CHUNKS = 60;
      const PROBLEMS = 400;
      let given = 0;
      let most = 0;
      const lines = () => stdout.text.split('DOCUMENT_UNEXPECTED').length - 1;
      const stdin = new Readable({
        highWaterMark: 1,
        read() {
          most = Math.max(most, given * PROBLEMS - lines());
          this.push(given++ < CHUNKS ? Buffer.from('<?xml version="1.0"?><a/>\n'.repeat(PROBLEMS)) : null);
        },
      });
      const ran = await ctct(['archive', 'check', '-', '--output', output], { stdin, stdout });
      expect(ran.exit).to.equal(3);
      expect(lines()).to.be.at.least(CHUNKS * PROBLEMS);
      expect(most).to.be.within(PROBLEMS, 6000);
    });
  }
});
