import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'chai';
import { putReport } from '../../src/cli/migration-report-output.js';
import { Output } from '../../src/cli/output.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import { writeWhole } from '../../src/http/disk.js';
import { readMembers } from '../../src/migrate/members.js';
import { planText } from '../../src/migrate/plan-id.js';
import type { MigrationPlan } from '../../src/migrate/plan.js';
import { readRun } from '../../src/migrate/read-run.js';
import { reportHtml } from '../../src/migrate/report-html.js';
import { buildReport, type MigrationReport } from '../../src/migrate/report.js';
import type { RunRecord } from '../../src/migrate/run-record.js';
import { openRunStore } from '../../src/migrate/state-folder.js';
import { verifyAccount } from '../../src/migrate/verify.js';
import { V2Client } from '../../src/v2/client.js';
import { ctct, envelope, leapingClock, Sink, type Ran, type Setup } from '../cli/harness.js';
import { openChromium } from '../support/chromium.js';
import { accountOf, plannedClear, plannedUpload, planOf, stateOf } from './by-hand.js';

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
addFormats.default(ajv);
const fits = ajv.compile(
  JSON.parse(
    readFileSync(new URL('../../schemas/migration-report.schema.json', import.meta.url), 'utf8'),
  ) as object,
);

function expectValid(report: unknown): void {
  fits(JSON.parse(JSON.stringify(report)));
  expect(fits.errors).to.equal(null);
}

const EVIL = '<script>alert(1)</script>"&\u202e';
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const finished = { event: 'finished', at: NOW, part: '' } as const;
const OK = { id: 'a07e1', status: 'COMPLETE', errorCount: 0, transactionCount: 3, errors: [] } as const;

describe('a migration report', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ctct-report-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A plan of two accounts, and a run of it with all kinds of ends. */
  async function storied(): Promise<{ plan: MigrationPlan; records: RunRecord[] }> {
    await writeFile(
      path.join(folder, 'a.csv'),
      `EMAIL ADDRESS,CITY\na@example.com,x\nb@example.com,${EVIL.replaceAll('"', '')}\nc@example.com,x\nd@example.com,x\n`,
    );
    await writeFile(path.join(folder, 'b.csv'), 'EMAIL ADDRESS\nb@example.com\n');
    const add = await plannedUpload('joe/1', { file: 'a.csv', lists: ['2'] }, folder);
    const remove = await plannedUpload(
      'joe/2',
      { file: 'b.csv', lists: ['2'], activityType: 'REMOVE_CONTACTS_FROM_LISTS' },
      folder,
    );
    const more = await plannedUpload('ann/2', { file: 'b.csv', lists: ['7'] }, folder);
    const { plan } = planOf([
      accountOf('joe', [add, remove]),
      accountOf('ann', [plannedClear('ann/1', ['7']), more]),
    ]);
    await mkdir(path.join(folder, 'plan.state'), { mode: 0o700 });
    const state = (name: string) => path.join(folder, 'plan.state', name);
    await writeFile(state('before'), 'old@example.com\n');
    await writeFile(state('after'), 'a@example.com\nold@example.com\nstranger@example.com\n');
    const list = { event: 'members', at: NOW, account: 'joe', list: '2' } as const;
    const records: RunRecord[] = [
      { event: 'began', at: NOW - 60_000, acceptedLosses: [] },
      { ...list, when: 'before', file: 'before', count: 1 },
      {
        ...finished,
        part: 'joe/1/1',
        activity: {
          ...OK,
          errorCount: 2,
          runStartTime: '2026-01-02T03:04:00.000Z',
          runFinishTime: '2026-01-02T03:04:30.000Z',
          errors: [{ line: 4, emailAddress: 'c@example.com', message: EVIL }],
        },
      },
      { ...finished, part: 'joe/2/1', activity: { ...OK, id: 'a07e2', transactionCount: undefined } },
      { ...list, when: 'after', file: 'after', count: 3 },
      {
        ...finished,
        part: 'ann/1/1',
        activity: { ...OK, id: 'a07e3', status: 'ERROR', errorCount: 1, errors: [{ message: 'no list' }] },
      },
      { event: 'refused', at: NOW, part: 'ann/2/1', code: 'SERVICE_REFUSED', message: EVIL },
    ];
    const [joe] = plan.accounts;
    if (joe === undefined) throw new Error('joe was to be there');
    const before = await stateOf(plan, records);
    const stateFolder = path.join(folder, 'plan.state');
    const verified = await verifyAccount(joe, { planFolder: folder, stateFolder, state: before });
    records.push(...verified.map((one) => ({ ...one, at: NOW })));
    return { plan, records };
  }

  async function stored(): Promise<string> {
    const { plan, records } = await storied();
    const file = path.join(folder, 'plan.json');
    await writeFile(file, planText(plan));
    const store = await openRunStore(path.join(folder, 'plan.state'));
    await store.journal.append(plan.id, ...records);
    await store.close();
    return file;
  }

  const reportOf = async (plan: string) => buildReport(await readRun(plan), { now: NOW });

  it('tells all that became of a run', async () => {
    const report = await reportOf(await stored());
    expectValid(report);
    expect(report).to.include({ state: 'held', began: '2026-01-02T03:03:05.000Z', ended: null });
    expect(report.totals).to.deep.equal({
      ...{
        accounts: 2,
        accountsFinished: 1,
        parts: 4,
        partsFinished: 2,
        rows: 6,
        rowsFinished: 5,
        errors: 3,
      },
      ...{
        failingRows: 3,
        unnamedRows: 1,
        unnamedErrors: 0,
        lists: 2,
        listsCompared: 1,
        missing: 1,
        unexpected: 1,
      },
    });
    expect(report.failingRows.map(({ part, line, named }) => [part, line, named])).to.deep.equal([
      ['joe/1/1', 4, true],
      ['joe/1/1', 5, false],
      ['ann/1/1', null, true],
    ]);
    const [joe, ann] = report.accounts;
    expect(joe?.lists[0]).to.deep.include({ before: 1, expected: 3, found: 3, name: 'List 2' });
    expect(joe?.lists[0]?.differences).to.deep.equal([
      { emailAddress: 'stranger@example.com', difference: 'unexpected', file: null, line: null },
      { emailAddress: 'd@example.com', difference: 'missing', file: 'a.csv', line: 5 },
    ]);
    expect(joe?.steps[0]?.parts[0]).to.include({
      ...{ activity: 'a07e1', status: 'COMPLETE', rows: 4, firstLine: 2, lastLine: 5, errorCount: 2 },
    });
    expect(ann?.state).to.equal('held');
    expect(ann?.lists[0]).to.include({ expected: null, found: null, before: null });
    expect(ann?.steps.map(({ parts }) => parts[0]?.message)).to.deep.equal([
      'activity a07e3 ended with ERROR: no list',
      EVIL,
    ]);
  });

  it('is there before any run, and says what it cannot look into', async () => {
    const { plan, records } = await storied();
    const places = { planFolder: folder, stateFolder: path.join(folder, 'plan.state'), running: false };
    const nothing = { plan, ...places, state: await stateOf(plan, []) };
    const empty = await buildReport(nothing, { now: NOW });
    expectValid(empty);
    expect(empty).to.include({ state: 'waiting', began: null });
    await writeFile(path.join(folder, 'a.csv'), 'EMAIL ADDRESS\nz@example.com\n');
    const changed = await buildReport({ ...nothing, state: await stateOf(plan, records) }, { now: NOW });
    expectValid(changed);
    expect(changed.problems).to.have.length(1);
    expect(changed.problems[0]).to.match(/^rows are left out: a\.csv/);
    expect(changed.totals).to.include({ failingRows: 2, unnamedErrors: 1 });
    expect(html(changed)).to.include('rows are left out').and.to.include('1 error more than it named');
  });

  it('has a schema that says what each property is, and takes no other', async () => {
    const { plan } = await storied();
    const run = {
      plan,
      planFolder: folder,
      stateFolder: folder,
      running: false,
      state: await stateOf(plan, []),
    };
    const report = await buildReport(run, { now: NOW });
    for (const wrong of [
      { more: 1 },
      { version: 2 },
      { state: 'gone' },
      { accounts: [{}] },
      { began: 'today' },
    ]) {
      expect(fits({ ...report, ...wrong }), JSON.stringify(wrong)).to.equal(false);
    }
  });

  function html(report: MigrationReport): string {
    return [...reportHtml(report)].join('');
  }

  it('is a page that keeps what comes from outside as text, and runs nothing', async () => {
    const page = html(await reportOf(await stored()));
    expect(page).not.to.match(/<script|javascript:|\son\w+=|<link|<img|src=/i);
    expect(page).to.include('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;');
    expect(page).to.match(/Content-Security-Policy" content="default-src &#39;none&#39;; style-src/);
    expect(page).not.to.include('script-src');
    for (const told of ['a07e1', 'a07e2', 'a07e3', 'stranger@example.com', 'd@example.com', 'a.csv']) {
      expect(page).to.include(told);
    }
    expect(page.match(/<details/g)?.length).to.equal(page.match(/<\/details>/g)?.length);
    expect(page.match(/<table/g)?.length).to.equal(page.match(/<\/table>/g)?.length);
  });

  it('is a page that says how much it leaves out', async () => {
    const report = await reportOf(await stored());
    const [row] = report.failingRows;
    const [joe] = report.accounts;
    if (row === undefined || joe === undefined) throw new Error('they were to be there');
    const differences = Array.from({ length: 600 }, (_, n) => ({
      ...{ emailAddress: `u${n}@example.com`, difference: 'missing' as const, file: null, line: null },
    }));
    const lists = joe.lists.map((list) => ({ ...list, differences }));
    const page = html({
      ...report,
      failingRows: Array.from({ length: 10_007 }, () => row),
      accounts: Array.from({ length: 7 }, () => ({ ...joe, state: 'finished' as const, lists })),
    });
    expect(page).to.include('And 7 more: ctct migrate report --failing-rows');
    expect(page).to.include('And 100 more: they are in the file of differences');
    const none = html({
      ...report,
      failingRows: [],
      accounts: [],
      totals: { ...report.totals, failingRows: 0 },
    });
    expect(none).to.include('There are none.').and.to.include('No row failed');
  });

  it('looks right in Chromium, wide and narrow, light and dark', async function () {
    this.timeout(60_000);
    const file = path.join(folder, 'page.html');
    await writeFile(file, html(await reportOf(await stored())));
    const browser = await openChromium(this);
    try {
      for (const width of [1280, 390]) {
        for (const colorScheme of ['light', 'dark'] as const) {
          const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
          const complaints: string[] = [];
          page.on('console', (message) => complaints.push(message.text()));
          await page.goto(pathToFileURL(file).href);
          expect(await page.evaluate('document.documentElement.scrollWidth')).to.equal(width);
          const back = await page.evaluate('getComputedStyle(document.body).backgroundColor');
          expect(back).to.equal(colorScheme === 'light' ? 'rgb(244, 245, 248)' : 'rgb(17, 20, 26)');
          expect(complaints).to.deep.equal([]);
          await page.close();
        }
      }
    } finally {
      await browser.close();
    }
  });

  describe('on the command line', () => {
    const report = (...words: string[]) =>
      ctct(['migrate', 'report', path.join(folder, 'plan.json'), ...words]);

    it('is tables, with what can be done next', async () => {
      const plan = await stored();
      const told = await report();
      expect(told.exit).to.equal(1);
      expect(told.stdout.lines.slice(0, 3).map((line) => line.split(/ {2,}/))).to.deep.equal([
        ['Account', 'State', 'Rows', 'Failing', 'Missing', 'Unexpected'],
        ['joe', 'finished', '5', '2', '1', '1'],
        ['ann', 'held', '1', '1', '–', '–'],
      ]);
      expect(told.stdout.text).to.match(/a\.csv +5 +d@example\.com +Refused without a word of which row/);
      expect(told.stdout.text).to.match(/^joe\/1\/1 +a\.csv +a07e1 +COMPLETE +3 +2 +2026-01-02 03:04:30$/m);
      expect(told.stderr.text).to.equal(`When it is put right, go on: ctct migrate run ${plan} --retry\n`);
    });

    it('is JSON by its schema', async () => {
      await stored();
      const told = await report('--output', 'json');
      const { kind, data } = envelope(told);
      expect(kind).to.equal('migration-report');
      expectValid(data);
    });

    it('is a page, which is not written over anything', async () => {
      const plan = await stored();
      const page = path.join(folder, 'page.html');
      const told = await report('--html', page);
      expect(told.stdout.text).not.to.include('a07e1');
      expect(told.stderr.lines[0]).to.equal(`The page is ${page}`);
      expect((await stat(page)).mode & 0o777).to.equal(0o600);
      const again = await report('--html', page);
      expect([again.exit, again.stdout.text]).to.deep.equal([2, '']);
      expect((await report('--html', page, '--force')).exit).to.equal(1);
      expect((await report('--html', plan, '--force')).stderr.text).to.include('is the plan');
    });

    it('is files to correct, for the first time and once more', async () => {
      await stored();
      const out = path.join(folder, 'again');
      const told = await report('--failing-rows', out);
      expect((await readdir(out)).sort()).to.deep.equal(['failing-rows.csv', 'joe-1.csv', 'uploads.csv']);
      expect(told.stderr.text).to.include(`ctct migrate plan --uploads ${path.join(out, 'uploads.csv')}`);
      const listed = await readFile(path.join(out, 'failing-rows.csv'), 'utf8');
      expect(listed.split('\n').map((line) => line.split(',')[4])).to.deep.equal([
        'line',
        '4',
        '5',
        '',
        undefined,
      ]);
      const again = await report('--failing-rows', out);
      expect(again.exit).to.equal(2);
      expect(again.stderr.text).to.include('--force');
      expect((await report('--failing-rows', out, '--force')).exit).to.equal(1);
    });

    it('is files without rows where none failed, and tells of lists with other numbers', async () => {
      const { plan, records } = await storied();
      const file = path.join(folder, 'plan.json');
      const out = path.join(folder, 'again');
      const mapped = plan.accounts.map((account) => ({
        ...account,
        lists: account.lists.map((list) => ({ ...list, from: '99' })),
      }));
      const moved = planOf(mapped).plan;
      await writeFile(file, planText(moved));
      const none = await report('--failing-rows', out);
      expect(none.stderr.lines[0]).to.equal(
        `No row failed: there is only a heading in ${path.join(out, 'failing-rows.csv')}`,
      );
      const store = await openRunStore(path.join(folder, 'plan.state'));
      await store.journal.append(moved.id, ...records);
      await store.close();
      const told = await report('--failing-rows', out, '--force');
      expect(told.stderr.text).to.include(`--lists ${path.join(out, 'lists.csv')} --out`);
      expect(await readFile(path.join(out, 'lists.csv'), 'utf8')).to.equal(
        'account,from,to,name\njoe,99,2,\n',
      );
    });

    it('has a status beside it, as a table, as JSON and as CSV', async () => {
      const plan = await stored();
      const status = (...words: string[]) => ctct(['migrate', 'status', plan, ...words]);
      const told = await status();
      expect(told.exit).to.equal(1);
      expect(told.stdout.lines.slice(1, 3).map((line) => line.split(/ {2,}/))).to.deep.equal([
        ['joe', 'finished', '2', '2', '5', '2', '–'],
        ['ann', 'held', '0 of 2', '0 of 2', '0 of 1', '1', '–'],
      ]);
      expect(told.stdout.text).to.match(/^ann is held: part ann\/1\/1: activity a07e3 ended/m);
      expect(told.stdout.lines.at(-1)).to.match(
        /^All that is left waits for you: 1 of 2 accounts, 2 of 4 parts, 5 of 6 rows, 3 errors, 1 of 1 lists with other/,
      );
      const json = envelope(await status('--output', 'json')) as {
        kind: string;
        data: Record<string, unknown>;
      };
      expect([json.kind, json.data.state, json.data.parts]).to.deep.equal([
        ...['migration-status', 'held'],
        { done: 2, all: 4 },
      ]);
      const csv = (await status('--output', 'csv')).stdout.lines;
      expect(csv[0]).to.equal(
        'account,state,stepsDone,steps,partsDone,parts,rowsDone,rows,errors,secondsLeft,why',
      );
      expect(csv).to.have.length(3);
    });

    it('is short where there is too much for a table, and leaves nothing unsaid', async () => {
      const whole = await reportOf(await stored());
      const [row] = whole.failingRows;
      if (row === undefined) throw new Error('it was to be there');
      const put = async (more: Partial<MigrationReport>) => {
        const sink = new Sink();
        await putReport(new Output(sink, 'table', (_style, text) => text), { ...whole, ...more }, false);
        return sink.lines;
      };
      const many = await put({
        failingRows: Array.from({ length: 105 }, () => row),
        totals: { ...whole.totals, unnamedErrors: 1_234 },
        problems: ['rows are left out: x'],
      });
      expect(many).to.include('and 5 more; --failing-rows and --output json have all');
      expect(many.at(-2)).to.match(
        /^The service counted 1,234 errors more than it named rows, and not all lists/,
      );
      expect(many.at(-1)).to.equal('rows are left out: x');
      expect(await put({ accounts: [], failingRows: [] })).to.include('The plan has no accounts.');
    });

    it('tells how to go on with a run that was stopped or paused', async () => {
      const { plan } = await storied();
      const file = path.join(folder, 'plan.json');
      await writeFile(file, planText(plan));
      for (const [record, words] of [
        [{ event: 'began', at: 1, acceptedLosses: [] }, 'Stopped before all was done'],
        [{ event: 'paused', at: 2 }, 'Paused'],
      ] as const) {
        const store = await openRunStore(path.join(folder, 'plan.state'));
        await store.journal.append(plan.id, record);
        await store.close();
        const told = await ctct(['migrate', 'status', file]);
        expect([told.exit, told.stderr.text]).to.deep.equal([7, `Go on: ctct migrate run ${file}\n`]);
        expect(told.stdout.lines.at(-1)?.startsWith(words)).to.equal(true);
      }
      const store = await openRunStore(path.join(folder, 'plan.state'));
      const lock = await store.lockRun(plan.id);
      const running = await ctct(['migrate', 'status', file]);
      expect([running.exit, running.stderr.text]).to.deep.equal([7, '']);
      expect(running.stdout.lines.at(-1)).to.match(/^Running: 0 of 2 accounts/);
      await lock.release();
      await store.close();
      const gone = await readRun(file);
      expect(gone.running).to.equal(false);
    });

    it('finds the run in another folder, and says what is no plan', async () => {
      const plan = await stored();
      const elsewhere = path.join(folder, 'elsewhere');
      const told = await ctct(['migrate', 'status', plan, '--state', elsewhere]);
      expect(told.stderr.text).to.equal(`Begin: ctct migrate run ${plan} --state ${elsewhere}\n`);
      expect(await readdir(folder)).not.to.include('elsewhere');
      await writeWhole(path.join(folder, 'no.json'), ['{}']);
      const no = await ctct(['migrate', 'report', path.join(folder, 'no.json')]);
      expect(no.exit).to.equal(2);
    });
  });
});

describe('a migration from its plan to its report', () => {
  it('is corrected, run again, and then as it was meant', async function () {
    this.timeout(30_000);
    const folder = await mkdtemp(path.join(tmpdir(), 'ctct-again-'));
    const at = (name: string) => path.join(folder, name);
    const clock = leapingClock();
    const lists = [
      { id: '2', name: 'Spring' },
      { id: '5', name: 'Shop', members: ['old@example.com'] },
    ];
    const emulator = createEmulator({ clock, accounts: [{ user: 'joesflowers', lists }] });
    const fetch = (input: Request | string | URL, init?: RequestInit) => emulator.fetch(input, init);
    const setup: Setup = { clock, fetch, random: () => 0, env: { KEY: 'k', TOKEN: 'joesflowers' } };
    const migrate = (...words: string[]): Promise<Ran> => ctct(['migrate', ...words], setup);
    // More than the hundred errors that v2 tells of.
    const bad = Array.from({ length: 130 }, (_, n) => 3 * n + 2);
    const rows = Array.from({ length: 400 }, (_, n) => `User${n}@Example.com,"City, ${n}"`);
    for (const line of bad) rows[line - 2] = `user ${line},"City\n, ${line}"`;
    const fileLines = rows.reduce<number[]>(
      (lines, row) => [...lines, (lines.at(-1) ?? 2) + row.split('\n').length],
      [2],
    );
    await writeFile(at('all.csv'), `EMAIL ADDRESS,CITY\r\n${rows.join('\r\n')}\r\n`);
    await writeFile(at('accounts.csv'), 'account,api_key,access_token\njoesflowers,env:KEY,env:TOKEN\n');
    await writeFile(at('uploads.csv'), 'file,lists\nall.csv,2 5\n');
    const plan = (name: string, uploads: string) =>
      migrate(
        'plan',
        '--accounts',
        at('accounts.csv'),
        '--uploads',
        uploads,
        '--out',
        name,
        '--accept',
        'VALUE_REFUSED',
      );
    try {
      const planned = await plan(at('plan.json'), at('uploads.csv'));
      expect(planned.exit, planned.stderr.text).to.equal(0);
      const ran = await migrate('run', at('plan.json'));
      expect(ran.exit, ran.stderr.text).to.equal(3);
      const told = await migrate(
        'report',
        at('plan.json'),
        '--failing-rows',
        at('again'),
        '--output',
        'json',
      );
      expect(told.exit).to.equal(3);
      const { data } = envelope(told) as { data: MigrationReport };
      expectValid(data);
      expect(data.failingRows.map(({ line }) => line)).to.deep.equal(bad.map((line) => fileLines[line - 2]));
      expect(data.totals).to.include({ failingRows: 130, errors: 130, unnamedErrors: 0, unexpected: 0 });
      const file = path.join(at('again'), 'joesflowers-1.csv');
      const text = await readFile(file, 'utf8');
      expect(text).to.equal(
        `EMAIL ADDRESS,CITY\r\n${bad.map((line) => `${rows[line - 2] ?? ''}\r\n`).join('')}`,
      );
      await writeFile(file, text.replace(/^user (\d+),/gm, 'right$1@example.com,'));
      const again = path.join(at('again'), 'plan.json');
      const replanned = await plan(again, path.join(at('again'), 'uploads.csv'));
      expect(replanned.exit, replanned.stderr.text).to.equal(0);
      const rerun = await migrate('run', again);
      expect(rerun.exit, rerun.stderr.text).to.equal(0);
      const status = await migrate('status', again);
      expect([status.exit, status.stderr.text]).to.deep.equal([0, '']);
      const right = rows.map((row, index) =>
        bad.includes(index + 2) ? `right${index + 2}@example.com` : row.split(',')[0]?.toLowerCase(),
      );
      const credentials = { scheme: 'api_key', apiKey: 'k', token: 'joesflowers' } as const;
      const client = new V2Client({ credentials, fetch, clock });
      const members = async (list: string) => {
        await readMembers(client, list, at('members'));
        return (await readFile(at('members'), 'utf8')).split('\n').slice(0, -1);
      };
      expect(await members('2')).to.have.members(right);
      expect(await members('5')).to.have.members([...right, 'old@example.com']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
