import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as xlsx from '@e965/xlsx';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import fc from 'fast-check';
import type { ContactList } from '../../src/activity/list.js';
import { readCsv } from '../../src/format/csv.js';
import { estimateOf } from '../../src/migrate/estimate.js';
import { mapLists } from '../../src/migrate/list-map.js';
import type { MigrationPlan, PlannedAccount, PlannedUpload } from '../../src/migrate/plan.js';
import { planId, planText } from '../../src/migrate/plan-id.js';
import {
  planMigration,
  type AccountInput,
  type StepInput,
  type UploadInput,
} from '../../src/migrate/planning.js';
import { readPlan } from '../../src/migrate/read-plan.js';
import { openUpload } from '../../src/migrate/upload-split.js';
import { LIMITS } from '../../src/translate/limits.js';
import { LOSSES, loss } from '../../src/translate/loss.js';
import type { UploadPart } from '../../src/translate/split.js';
import { decodeRequest } from '../../src/v2/requests.js';
import { rejection } from '../http/loopback.js';
import { runs } from '../support/runs.js';

const schema = JSON.parse(
  readFileSync(new URL('../../schemas/migration-plan.schema.json', import.meta.url), 'utf8'),
) as object;
const validate = new Ajv2020({
  strict: true,
  strictRequired: false,
  discriminator: true,
  allErrors: true,
}).compile(schema);

function expectValid(plan: MigrationPlan): void {
  const plain = JSON.parse(planText(plan)) as unknown;
  expect(validate(plain), JSON.stringify(validate.errors)).to.equal(true);
  expect(plan.id).to.equal(planId(plan));
}

async function bytesOf(part: UploadPart): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of part.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const TARGET = { api: 'v2', apiKey: 'env:KEY', accessToken: 'env:TOKEN' } as const;

function upload(file: string, more: Partial<UploadInput> = {}): UploadInput {
  return {
    activityType: 'ADD_CONTACTS',
    file,
    origin: { kind: 'file' },
    encoding: 'auto',
    lists: ['2'],
    blanksEnabled: false,
    into: {},
    ...more,
  };
}

const clear = (...lists: string[]): StepInput => ({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists });

function joe(...steps: StepInput[]): AccountInput {
  return { account: 'joe', target: TARGET, steps };
}

const list = (id: string, name: string): ContactList => ({
  id,
  name,
  shortName: undefined,
  system: false,
  contactCount: 0,
  optInDefault: undefined,
  displayOnSignup: undefined,
  sortOrder: undefined,
  updated: undefined,
});

describe('a migration plan', () => {
  let folder: string;
  const at = (...names: string[]) => path.join(folder, ...names);
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ctct-plan-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Rows whose addresses come again in other cases, with line breaks in cells, and columns that v2 does not take. */
  const contacts = fc
    .array(
      fc.tuple(
        fc.integer({ min: 0, max: 9 }),
        fc.constantFrom('u', 'U'),
        fc.constantFrom('Ann', '"a\nb"', '"x, ""y"""', ''),
        fc.constantFrom('\n', '\r\n', '\n\n'),
      ),
      { minLength: 1, maxLength: 12 },
    )
    .map((rows) => rows.map(([n, u, name, end]) => `${u}${n}@example.com,${name},s${end}`).join(''))
    .map((text) => `Email Address,First Name,Shoe Size\n${text}`);

  const step = fc.oneof(
    fc.record({
      activityType: fc.constantFrom('ADD_CONTACTS', 'REMOVE_CONTACTS_FROM_LISTS'),
      lists: fc.uniqueArray(fc.constantFrom('1', '2', '5'), { minLength: 1 }),
      text: contacts,
    }),
    fc.record({ lists: fc.uniqueArray(fc.constantFrom('1', '2'), { minLength: 1 }) }),
  );

  it('is the same for the same input, wherever it is made, and its parts are those that are sent', async () => {
    let round = 0;
    const property = fc.asyncProperty(
      fc.array(fc.array(step, { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
      async (drafts) => {
        const plans: string[] = [];
        let plan: MigrationPlan | undefined;
        let place = '';
        for (const copy of ['a', 'b']) {
          place = at(`${round++}${copy}`);
          await mkdir(place);
          const accounts: AccountInput[] = [];
          for (const [index, steps] of drafts.entries()) {
            const inputs: StepInput[] = [];
            for (const [number, draft] of steps.entries()) {
              if (!('text' in draft)) inputs.push(clear(...draft.lists));
              else {
                const file = path.join(place, `${index}-${number}.csv`);
                await writeFile(file, draft.text);
                inputs.push(
                  upload(path.relative(process.cwd(), file), {
                    activityType: draft.activityType as 'ADD_CONTACTS',
                    lists: draft.lists,
                  }),
                );
              }
            }
            accounts.push({ account: `account-${index}`, target: TARGET, steps: inputs });
          }
          plan = await planMigration({ accounts }, { planFolder: place });
          plans.push(planText(plan));
        }
        expect(plans[0]).to.equal(plans[1]);
        if (plan === undefined) return;
        expectValid(plan);
        for (const planned of plan.accounts.flatMap(({ steps }) => steps)) {
          if (!('file' in planned)) continue;
          const split = await openUpload(planned, place);
          expect(split.parts.map(({ sha256, bytes, rows }) => ({ sha256, bytes, rows }))).to.deep.equal(
            planned.parts.map(({ sha256, bytes, rows }) => ({ sha256, bytes, rows })),
          );
          expect([split.rows, split.duplicateCount]).to.deep.equal([planned.rows, planned.duplicates]);
          await split.close();
        }
        const names = plan.accounts.flatMap(({ steps }) =>
          steps.flatMap((one) => one.parts.map((part) => ('fileName' in part ? part.fileName : part.id))),
        );
        expect(new Set(names).size).to.equal(names.length);
      },
    );
    await fc.assert(property, { numRuns: runs(15) });
  });

  for (const activityType of ['ADD_CONTACTS', 'REMOVE_CONTACTS_FROM_LISTS'] as const) {
    it(`keeps each part within the limits, in the bytes that are sent, to ${activityType}`, async () => {
      const rows = 45_000;
      const text = Array.from(
        { length: rows },
        (_, index) =>
          `u${index % (rows - 3)}@example.com,"Ann\n${index}","a ""b"", ${'c'.repeat(index % 100)}"`,
      );
      await writeFile(at('large.csv'), `Email Address,First Name,City\n${text.join('\r\n')}`);
      const plan = await planMigration(
        { accounts: [joe(upload(at('large.csv'), { activityType }))] },
        { planFolder: folder },
      );
      expectValid(plan);
      const [planned] = plan.accounts[0]?.steps ?? [];
      if (planned === undefined || !('file' in planned)) throw new Error('no upload');
      const adds = activityType === 'ADD_CONTACTS';
      const limits = adds ? LIMITS.v2Add : LIMITS.v2Remove;
      expect(planned.parts.length).to.be.greaterThan(1);
      const split = await openUpload(planned, folder);
      const sent: string[] = [];
      for (const [index, part] of split.parts.entries()) {
        const body = await bytesOf(part);
        const told = planned.parts[index];
        expect(body.length).to.equal(told?.bytes).and.to.be.lessThan(limits.bytes);
        const multipart = body.toString();
        expect(multipart.split(told?.fileName ?? '?').length).to.equal(3);
        const request = await decodeRequest(
          adds ? 'addcontacts' : 'removefromlists',
          part.contentType,
          body,
          new URLSearchParams(),
        );
        const found =
          'table' in request
            ? request.table.rows.map((row) => row.join('|'))
            : 'addresses' in request
              ? [...request.addresses]
              : [];
        expect(found.length).to.equal(told?.rows).and.to.be.at.most(limits.rows);
        sent.push(...found);
      }
      await split.close();
      const last = new Map<string, string>();
      for await (const { cells } of readCsv(await readFile(at('large.csv')))) {
        if (cells[0] === 'Email Address') continue;
        last.delete(cells[0] ?? '');
        last.set(cells[0] ?? '', adds ? cells.map((cell) => cell.trim()).join('|') : (cells[0] ?? ''));
      }
      expect(sent).to.deep.equal([...last.values()]);
      expect(planned.duplicates).to.equal(3);
    });
  }

  it('counts the rows that have no address, and takes no file in which none has', async () => {
    const text = (...addresses: string[]) =>
      `EMAIL,CITY\n${addresses.map((one) => `${one},Rome\n`).join('')}`;
    await writeFile(at('a.csv'), text('', 'a@example.com', '""', 'b@example.com'));
    const plan = await planMigration({ accounts: [joe(upload(at('a.csv')))] }, { planFolder: folder });
    expectValid(plan);
    expect(plan.accounts[0]?.steps[0]).to.deep.include({ rows: 2, withoutAddress: 2 });
    await writeFile(at('none.csv'), text('', '""'));
    const refused = await planMigration(
      { accounts: [joe(upload(at('none.csv')))] },
      { planFolder: folder },
    ).catch((error: unknown) => error);
    expect(refused).to.include({ code: 'CONTACTS_REQUIRED' });
  });

  it('keeps a path as it was given: an absolute one, or one from the folder of the plan', async () => {
    await mkdir(at('in'));
    await writeFile(at('in', 'a.csv'), 'EMAIL\na@example.com\n');
    const relative = path.relative(process.cwd(), at('in', 'a.csv'));
    const plan = await planMigration(
      { accounts: [joe(upload(at('in', 'a.csv')), upload(relative))] },
      { planFolder: at('plans') },
    );
    expect(plan.accounts[0]?.steps.map((one) => 'file' in one && one.file)).to.deep.equal([
      at('in', 'a.csv'),
      '../in/a.csv',
    ]);
  });

  it('tells what is lost, by code, and by the place', async () => {
    await writeFile(at('a.csv'), 'EMAIL,MIDDLE NAME,State,Anniversary\na@example.com,M,MA,31/31/2001\n');
    const left = loss('OPT_OUTS_LEFT', 'list removed', 'they stay');
    const note = loss('FEW_CONTACTS', 'file', 'few');
    const account = { ...joe(upload(at('a.csv')), upload(at('a.csv'))), losses: [left, note] };
    const plan = await planMigration(
      { accounts: [account], acceptedLosses: ['VALUE_REFUSED', 'COLUMN_IGNORED', 'VALUE_REFUSED'] },
      { planFolder: folder },
    );
    expectValid(plan);
    expect(plan.losses).to.deep.equal([
      { code: 'COLUMN_IGNORED', count: 2 },
      { code: 'VALUE_REFUSED', count: 2 },
      { code: 'OPT_OUTS_LEFT', count: 1 },
    ]);
    expect(plan.acceptedLosses).to.deep.equal(['COLUMN_IGNORED', 'VALUE_REFUSED']);
    expect(plan.accounts[0]?.losses).to.deep.equal([
      { code: 'OPT_OUTS_LEFT', place: 'list removed', message: 'they stay' },
    ]);
    const places = plan.accounts[0]?.steps[0]?.losses.map(({ place }) => place);
    expect(places).to.deep.equal(['heading: MIDDLE NAME', 'line 2']);
  });

  it('does not depend on the day: a year far ahead is for the target to refuse', async () => {
    await writeFile(at('a.csv'), 'EMAIL,Anniversary\na@example.com,01/31/2890\n');
    const plan = await planMigration({ accounts: [joe(upload(at('a.csv')))] }, { planFolder: folder });
    expect(plan.losses).to.deep.equal([]);
  });

  it('leaves out what was exported without a contact in it, and refuses such a file of a person', async () => {
    await writeFile(at('empty.csv'), 'EMAIL\n');
    const notes: string[] = [];
    const step = upload(at('empty.csv'), { origin: { kind: 'ws', list: '2' } });
    const options = { planFolder: folder, onNote: (text: string) => void notes.push(text) };
    const plan = await planMigration({ accounts: [joe(step, clear('2'))] }, options);
    expectValid(plan);
    expect(plan.accounts[0]?.steps.map(({ id }) => id)).to.deep.equal(['joe/1']);
    expect(notes.join()).to.match(/joe: .*empty\.csv is left out: there is no contact in it/);
    const refused = await rejection(planMigration({ accounts: [joe(upload(at('empty.csv')))] }, options));
    expect(refused.code).to.equal('CONTACTS_REQUIRED');
  });

  it('reads the first sheet of a spreadsheet, and says that there are others', async () => {
    const book = xlsx.utils.book_new();
    const rows = [
      ['Email Address', 'First Name'],
      ['zoe@example.com', 'Zoë'],
      [],
      ['ann@example.com', 'Ann'],
    ];
    xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet(rows), 'People');
    const write = (type: xlsx.BookType) => xlsx.write(book, { type: 'buffer', bookType: type }) as Buffer;
    await writeFile(at('one.xlsx'), write('xlsx'));
    await writeFile(at('old.xls'), write('biff8'));
    xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet([['more']]), 'More');
    await writeFile(at('two.xlsx'), write('xlsx'));
    const files = ['one.xlsx', 'old.xls', 'two.xlsx'].map((file) => upload(at(file)));
    const plan = await planMigration({ accounts: [joe(...files)] }, { planFolder: folder });
    expectValid(plan);
    expect(plan.losses).to.deep.equal([{ code: 'SHEETS_LEFT', count: 1 }]);
    const steps = plan.accounts[0]!.steps as PlannedUpload[];
    for (const step of steps) {
      expect(step).to.include({ rows: 2, headingLine: 1 });
      const split = await openUpload(step, folder);
      expect((await bytesOf(split.parts[0]!)).toString()).to.include('zoe@example.com,Zoë');
      const lines = [];
      for await (const { fileLine, address } of split.parts[0]!.lines()) lines.push([fileLine, address]);
      expect(lines).to.deep.equal([
        [2, 'zoe@example.com'],
        [4, 'ann@example.com'],
      ]);
      await split.close();
    }
    const named = upload(at('one.xlsx'), { encoding: 'windows-1252' });
    const error = await rejection(planMigration({ accounts: [joe(named)] }, { planFolder: folder }));
    expect([error.code, error.message]).to.deep.equal([
      'CONTACTS_INVALID',
      `${at('one.xlsx')}: is a spreadsheet, which tells its encoding itself; name none`,
    ]);
  });

  it('ends in the midst of a file', async () => {
    await writeFile(at('long.csv'), `EMAIL ADDRESS\n${'someone@example.com\n'.repeat(40_000)}`);
    const controller = new AbortController();
    const error = await rejection(
      planMigration(
        { accounts: [joe(upload(at('long.csv')))] },
        {
          planFolder: folder,
          signal: controller.signal,
          onFile: () => {
            controller.abort();
          },
        },
      ),
    );
    expect(error.code).to.equal('ABORTED');
  });

  it('asks each target for its lists, and can be aborted', async () => {
    await writeFile(at('a.csv'), 'EMAIL\na@example.com\n');
    const asked: string[] = [];
    const read: string[] = [];
    const accounts = [
      joe(upload(at('a.csv'))),
      { ...joe(clear('5')), account: 'ann' },
      { ...joe(), account: 'idle' },
    ];
    const plan = await planMigration(
      { accounts },
      {
        planFolder: folder,
        onFile: (file, account) => void read.push(`${account} ${path.basename(file)}`),
        targetLists: ({ account }) => {
          asked.push(account);
          return Promise.resolve(account === 'joe' ? [list('2', 'Two')] : undefined);
        },
      },
    );
    expectValid(plan);
    expect(asked).to.deep.equal(['joe', 'ann']);
    expect(read).to.deep.equal(['joe a.csv']);
    expect(plan.accounts.map(({ lists }) => lists)).to.deep.equal([
      [{ from: '2', to: '2', toName: 'Two', check: 'found' }],
      [{ from: '5', to: '5', check: 'unchecked' }],
      [],
    ]);
    const aborted = await rejection(
      planMigration({ accounts }, { planFolder: folder, signal: AbortSignal.abort() }),
    );
    expect(aborted.code).to.equal('ABORTED');
  });

  it('refuses accounts that cannot be told apart, or are no names', async () => {
    const refusals: [AccountInput[], RegExp][] = [
      [[], /there is none/],
      [[{ ...joe(), account: 'a/b' }], /must be up to 100 letters.*"a\/b"/],
      [[{ ...joe(), account: '..' }], /must be up to 100 letters/],
      [[joe(), { ...joe(), account: 'Joe' }], /account Joe: there are two/],
    ];
    for (const [accounts, message] of refusals) {
      const error = await rejection(planMigration({ accounts }, { planFolder: folder }));
      expect(error.message).to.match(message);
    }
  });

  describe('that is read again', () => {
    async function written(
      change: (plan: Record<string, unknown>) => void = () => undefined,
    ): Promise<MigrationPlan> {
      await writeFile(at('a.csv'), 'EMAIL,MIDDLE NAME\na@example.com,M\n');
      const plan = await planMigration(
        { accounts: [joe(upload(at('a.csv')), clear('5'))] },
        { planFolder: folder },
      );
      const changed = JSON.parse(planText(plan)) as Record<string, unknown>;
      change(changed);
      await writeFile(at('plan.json'), JSON.stringify(changed));
      return plan;
    }

    it('is the plan that was written, in whatever order its keys are, and whatever was accepted', async () => {
      const plan = await written((changed) => {
        const { id } = changed;
        delete changed.id;
        changed.id = id;
      });
      expect(await readPlan(at('plan.json'))).to.deep.equal(plan);
      await written((changed) => (changed.acceptedLosses = ['COLUMN_IGNORED']));
      expect(await readPlan(at('plan.json'))).to.deep.equal({ ...plan, acceptedLosses: ['COLUMN_IGNORED'] });
    });

    it('is refused where it was changed by hand, or is none', async () => {
      await written((changed) => (changed.limits = { perSecond: 10, perDay: 10_000 }));
      const changed = await rejection(readPlan(at('plan.json')));
      expect([changed.code, changed.message]).to.satisfy(
        ([code, message]: string[]) =>
          code === 'CONFIG_INVALID' && /plan\.json: was changed by hand.*make it anew/.test(message ?? ''),
      );
      await written((plan) => (plan.limts = {}));
      expect((await rejection(readPlan(at('plan.json')))).message).to.match(
        /plan\.json:1:\d+: "limts" is not known here; did you mean limits\?/,
      );
      await writeFile(at('plan.json'), '{ "version": 1,');
      expect((await rejection(readPlan(at('plan.json')))).message).to.match(/plan\.json:1:\d+: is not JSON/);
      expect((await rejection(readPlan(at('none.json')))).code).to.equal('FILE_UNREADABLE');
    });

    it('has uploads that are only opened as they were planned', async () => {
      const plan = await written();
      const [step] = plan.accounts[0]?.steps ?? [];
      const planned = step as PlannedUpload;
      const changes = [
        'EMAIL,MIDDLE NAME\nb@example.com,M\n',
        'EMAIL\n',
        'nothing',
        '',
        'EMAIL\na@example.com\n',
      ];
      for (const text of changes) {
        await writeFile(at('a.csv'), text);
        const error = await rejection(openUpload(planned, folder));
        expect(error.code, text).to.equal('FILE_CHANGED');
        expect(error.message).to.contain('a.csv: is not the file that step joe/1 was planned with');
      }
      await rm(at('a.csv'));
      expect((await rejection(openUpload(planned, folder))).code).to.equal('FILE_UNREADABLE');
      await writeFile(at('a.csv'), 'EMAIL,MIDDLE NAME\na@example.com,M\n');
      const other = { ...planned, lists: ['7'] };
      expect((await rejection(openUpload(other, folder))).code).to.equal('FILE_CHANGED');
      await (await openUpload(planned, folder)).close();
    });
  });

  it('knows each code of loss that there is', () => {
    const { $defs } = schema as { $defs: { lossCode: { pattern: string } } };
    for (const code of Object.keys(LOSSES)) expect(code).to.match(new RegExp($defs.lossCode.pattern));
  });
});

describe('lists of a plan', () => {
  const target = [
    list('2', 'Spring  newsletter'),
    list('7', 'Shop'),
    list('8', 'Shop'),
    { ...list('removed', 'Removed'), system: true },
  ];
  const names = new Map([
    ['2', 'spring Newsletter'],
    ['3', 'Shop'],
    ['4', 'Spring Newsletter'],
    ['7', 'Garden'],
    ['9', 'Garden'],
  ]);
  const cases: [
    what: string,
    used: string,
    to: Record<string, string>,
    check: string,
    told: RegExp | undefined,
  ][] = [
    ['the same name, but for case and blanks', '2', {}, 'same', undefined],
    ['a name that nobody knows', '8', {}, 'found', undefined],
    ['a list that is not there', '5', {}, 'missing', /has no list 5.*--map 5=<its number>/],
    ['one that is there under another number', '4', {}, 'missing', /has no list 4.*is 2: --map 4=2/],
    ['one that two have the name of', '3', {}, 'missing', /--map 3=<its number>/],
    [
      'another name',
      '7',
      {},
      'other',
      /is "Garden" in ws, and list 7 of the target is "Shop"; is it the right one/,
    ],
    [
      'another list of another name',
      '4',
      { 4: '7' },
      'other',
      /list 7 of the target is "Shop"; .*is 2 there: --map 4=2/,
    ],
    ['a list that was mapped', '4', { 4: '2' }, 'same', undefined],
    ['a system list, which nothing is sent to', 'removed', {}, 'missing', /has no list removed/],
  ];
  for (const [what, used, to, check, told] of cases) {
    it(`tells ${what}`, () => {
      const mapped = mapLists([used], { to: new Map(Object.entries(to)), names }, target);
      expect(mapped.lists.map((one) => one.check)).to.deep.equal([check]);
      expect(mapped.losses.length).to.equal(told === undefined ? 0 : 1);
      if (told !== undefined) expect(mapped.losses[0]?.message).to.match(told);
      expect(mapped.toTarget([used, used])).to.deep.equal([to[used] ?? used]);
    });
  }

  it('are not judged where the target was not asked', () => {
    const mapped = mapLists(['9', '5'], { to: new Map([['9', '5']]), names });
    expect(mapped).to.deep.include({ losses: [] });
    expect(mapped.lists).to.deep.equal([
      { from: '9', to: '5', fromName: 'Garden', check: 'unchecked' },
      { from: '5', to: '5', check: 'unchecked' },
    ]);
    expect(mapped.toTarget(['9', '5', '6'])).to.deep.equal(['5', '6']);
  });
});

describe('the estimate of a plan', () => {
  function account(name: string, parts: number, apiKey: `env:${string}` = 'env:KEY'): PlannedAccount {
    const step = {
      activityType: 'ADD_CONTACTS',
      lists: ['2'],
      parts: Array.from({ length: parts }, () => ({})),
    };
    return {
      account: name,
      target: { ...TARGET, apiKey },
      steps: parts === 0 ? [] : [step],
    } as unknown as PlannedAccount;
  }
  const limits = { perSecond: 4, perDay: 10_000 };
  const many = (count: number, parts: number) =>
    Array.from({ length: count }, (_, index) => account(`a${index}`, parts));

  it('is what the jobs of an account take, one each 30 seconds, and reading its lists twice', () => {
    expect(estimateOf([account('a', 3)], limits)).to.deep.equal({
      calls: 22,
      seconds: 210,
      keys: [{ apiKey: 'env:KEY', calls: 22, seconds: 210 }],
    });
    expect(estimateOf([account('a', 0)], limits)).to.deep.include({ calls: 0, seconds: 0 });
  });

  it('has four accounts side by side', () => {
    expect(estimateOf(many(4, 2), limits).seconds).to.equal(180);
    expect(estimateOf(many(5, 2), limits).seconds).to.equal(360);
    const keys = [...many(4, 2), account('x', 2, 'env:OTHER')];
    const found = estimateOf(keys, limits);
    expect([found.seconds, ...found.keys.map(({ seconds }) => seconds)]).to.deep.equal([360, 180, 180]);
  });

  it('waits for the next day where the calls of one are used up', () => {
    const calls = 14;
    expect(estimateOf([account('a', 1)], { perSecond: 1, perDay: calls }).seconds).to.equal(150);
    expect(estimateOf([account('a', 1)], { perSecond: 1, perDay: calls - 1 }).seconds).to.equal(86_401);
    expect(estimateOf([account('a', 1)], { perSecond: 1, perDay: 5 }).seconds).to.equal(2 * 86_400 + 4);
  });
});
