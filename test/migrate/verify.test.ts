import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { readDifferences, type Difference } from '../../src/migrate/differences.js';
import { Mentions } from '../../src/migrate/mentions.js';
import type { PlannedAccount, PlannedStep, PlannedUpload } from '../../src/migrate/plan.js';
import type { RowError, RunRecord } from '../../src/migrate/run-record.js';
import { verifyAccount, type Verified } from '../../src/migrate/verify.js';
import { runs } from '../support/runs.js';
import { accountOf, plannedClear, plannedUpload, planOf, stateOf } from './by-hand.js';

const NAMES = ['ann', 'Bob', 'CY', 'dee', 'Eve', 'fay'];
const LISTS = ['1', '2', '3'];
const addressOf = (index: number) => `${NAMES[index] ?? ''}@example.com`;
const keyOf = (address: string) => address.trim().toLowerCase();

interface RandomStep {
  readonly kind: 'add' | 'remove' | 'clear';
  readonly lists: readonly string[];
  /** Of each row the address; -1 for a blank one. */
  readonly rows: readonly number[];
  /** Which rows are refused, and whether by line or by address. */
  readonly refused: readonly (false | 'line' | 'address')[];
  readonly outcome: 'COMPLETE' | 'ERROR' | 'refused' | 'waiting';
}

const indexes = fc.nat({ max: NAMES.length - 1 });
const someLists = fc.subarray(LISTS, { minLength: 1 });
const randomStep: fc.Arbitrary<RandomStep> = fc
  .record({
    kind: fc.constantFrom('add' as const, 'add' as const, 'remove' as const, 'clear' as const),
    lists: someLists,
    rows: fc
      .array(fc.oneof({ weight: 5, arbitrary: indexes }, { weight: 1, arbitrary: fc.constant(-1) }), {
        minLength: 1,
        maxLength: 8,
      })
      .filter((rows) => rows.some((row) => row !== -1)),
    outcome: fc.constantFrom('COMPLETE' as const, 'COMPLETE' as const, 'ERROR', 'refused', 'waiting'),
  })
  .chain((step) =>
    fc
      .array(fc.constantFrom(false as const, false as const, 'line' as const, 'address' as const), {
        minLength: step.rows.length,
        maxLength: step.rows.length,
      })
      .map((refused) => ({ ...step, refused })),
  );

/** Rows of which the last of each address counts, with their lines. */
function sentRows({ rows }: RandomStep): { address: string; line: number; index: number }[] {
  return rows.flatMap((name, index) => {
    if (name === -1) return [];
    return rows.lastIndexOf(name) === index
      ? [{ address: keyOf(addressOf(name)), line: index + 2, index }]
      : [];
  });
}

/** What each list should have, one step after another on plain sets. */
function naive(before: ReadonlyMap<string, ReadonlySet<string>>, steps: readonly RandomStep[]) {
  const members = new Map([...before].map(([list, set]) => [list, new Set(set)]));
  const from = new Map<string, number>();
  for (const step of steps) {
    if (step.outcome !== 'COMPLETE') continue;
    for (const list of step.lists) {
      const set = members.get(list) ?? new Set<string>();
      if (step.kind === 'clear') set.clear();
      else {
        for (const { address, line, index } of sentRows(step)) {
          if (step.refused[index] !== false) continue;
          if (step.kind === 'add') set.add(address);
          else set.delete(address);
          from.set(`${list} ${address}`, line);
        }
      }
      if (step.kind === 'clear')
        for (const key of from.keys()) if (key.startsWith(`${list} `)) from.delete(key);
    }
  }
  return { members, from };
}

describe('the verification of an account', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ctct-verify-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function planned(steps: readonly RandomStep[]): Promise<{
    account: PlannedAccount;
    records: RunRecord[];
  }> {
    const made: PlannedStep[] = [];
    const records: RunRecord[] = [];
    for (const [index, step] of steps.entries()) {
      const id = `joe/${index + 1}`;
      if (step.kind === 'clear') {
        made.push(plannedClear(id, step.lists));
      } else {
        const file = `file-${index}.csv`;
        // A blank row is passed over, so what is blank here is the address alone.
        const lines = step.rows.map((name) => (name === -1 ? ',x' : `${addressOf(name)},x`));
        await writeFile(path.join(folder, file), `EMAIL ADDRESS,CITY\n${lines.join('\n')}\n`);
        const type = step.kind === 'add' ? 'ADD_CONTACTS' : 'REMOVE_CONTACTS_FROM_LISTS';
        made.push(await plannedUpload(id, { file, lists: step.lists, activityType: type }, folder));
      }
      const part = made[index]?.parts[0]?.id ?? '';
      if (step.outcome === 'waiting') continue;
      if (step.outcome === 'refused') {
        records.push({ event: 'refused', at: 1, part, code: 'SERVICE_REFUSED', message: 'no' });
        continue;
      }
      const errors = sentRows(step).flatMap(({ index: row, line, address }): RowError[] => {
        const how = step.refused[row];
        if (how === false || how === undefined) return [];
        return [
          how === 'line'
            ? { line, emailAddress: address, message: 'no' }
            : { emailAddress: address.toUpperCase(), message: 'no' },
        ];
      });
      const activity = {
        id: 'a1',
        status: step.outcome,
        errorCount: errors.length,
        transactionCount: 1,
        errors,
      };
      records.push({ event: 'finished', at: 1, part, activity });
    }
    return { account: { ...planOf([]).account, account: 'joe', steps: made }, records };
  }

  it('finds just what differs from a model of plain sets', async function () {
    this.timeout(120_000);
    const members = fc.uniqueArray(indexes).map((names) => names.map((name) => keyOf(addressOf(name))));
    await fc.assert(
      fc.asyncProperty(
        fc.array(randomStep, { minLength: 1, maxLength: 5 }),
        fc.record({ '1': members, '2': members, '3': members }),
        fc.record({ '1': members, '2': members, '3': members }),
        fc.boolean(),
        async (steps, before, other, asExpected) => {
          const { account, records } = await planned(steps);
          const sets = new Map(Object.entries(before).map(([list, all]) => [list, new Set(all)]));
          const wanted = naive(sets, steps);
          const touched = LISTS.filter((list) => steps.some(({ lists }) => lists.includes(list)));
          const after = new Map(
            touched.map((list) => [
              list,
              asExpected ? (wanted.members.get(list) ?? new Set<string>()) : new Set(other[list as '1']),
            ]),
          );
          for (const list of touched) {
            for (const when of ['before', 'after'] as const) {
              const all = [...((when === 'before' ? sets : after).get(list) ?? [])];
              await writeFile(path.join(folder, `${list}.${when}`), all.map((one) => `${one}\n`).join(''));
              records.push({
                ...{ event: 'members', at: 1, account: 'joe', list, when, file: `${list}.${when}` },
                count: all.length,
              });
            }
          }
          const state = await stateOf(planOf([account]).plan, records);
          const found = await verifyAccount(account, { planFolder: folder, stateFolder: folder, state });

          const differences: string[] = [];
          const expected = touched.map((list): Verified => {
            const should = wanted.members.get(list) ?? new Set<string>();
            const does = after.get(list) ?? new Set<string>();
            const missing = [...should].filter((one) => !does.has(one));
            const unexpected = [...does].filter((one) => !should.has(one));
            const tell = (kind: string) => (address: string) => {
              differences.push([list, kind, address, wanted.from.get(`${list} ${address}`)].join(' '));
            };
            missing.forEach(tell('missing'));
            unexpected.forEach(tell('unexpected'));
            return {
              ...{ event: 'verified', account: 'joe', list, expected: should.size, found: does.size },
              ...{ missing: missing.length, unexpected: unexpected.length },
              ...(missing.length + unexpected.length > 0 && { differences: 'joe.differences.csv' }),
            };
          });
          expect(found).to.have.deep.members(expected);
          if (differences.length === 0) {
            expect(await readdir(folder)).not.to.include('joe.differences.csv');
            return;
          }
          const file = path.join(folder, 'joe.differences.csv');
          expect((await stat(file)).mode & 0o777).to.equal(0o600);
          const told: Difference[] = [];
          for await (const one of readDifferences(file)) told.push(one);
          expect(
            told.map((one) => [one.list, one.difference, one.emailAddress, one.line].join(' ')),
          ).to.have.members(differences);
          for (const one of told) {
            const step = account.steps.find(({ id }) => id === one.step) as PlannedUpload | undefined;
            expect(one.file).to.equal(step?.file);
          }
        },
      ),
      { numRuns: runs(60) },
    );
  });

  it('passes over a list whose members were not read both times', async () => {
    const steps: RandomStep[] = [
      { kind: 'add', lists: ['1', '2'], rows: [0], refused: [false], outcome: 'COMPLETE' },
    ];
    const { account, records } = await planned(steps);
    await writeFile(path.join(folder, 'one'), 'ann@example.com\n');
    const shared = { event: 'members', at: 1, account: 'joe', file: 'one', count: 1 } as const;
    records.push({ ...shared, list: '1', when: 'before' }, { ...shared, list: '1', when: 'after' });
    records.push({ ...shared, list: '2', when: 'before' });
    const state = await stateOf(planOf([account]).plan, records);
    const options = { planFolder: folder, stateFolder: folder, state };
    expect((await verifyAccount(account, options)).map(({ list }) => list)).to.deep.equal(['1']);
    const none = await stateOf(planOf([account]).plan, []);
    expect(await verifyAccount(account, { ...options, state: none })).to.deep.equal([]);
  });

  it('counts the rows of the parts that are finished, and of no other', async function () {
    this.timeout(20_000);
    const city = 'x'.repeat(600_000);
    const rows = Array.from({ length: 12 }, (_, n) => `u${n}@example.com,${city}`);
    await writeFile(path.join(folder, 'large.csv'), `EMAIL ADDRESS,CITY\n${rows.join('\n')}\n`);
    const step = await plannedUpload('joe/1', { file: 'large.csv', lists: ['1'] }, folder);
    expect(step.parts.map((part) => part.rows)).to.deep.equal([6, 6]);
    const { plan, account } = planOf([accountOf('joe', [step])]);
    await writeFile(path.join(folder, 'none'), '');
    const read = (when: 'before' | 'after'): RunRecord => ({
      ...{ event: 'members', at: 1, account: 'joe', list: '1', when, file: 'none', count: 0 },
    });
    const finished = (part: number): RunRecord => ({
      ...{ event: 'finished', at: 1, part: `joe/1/${part}` },
      activity: { id: 'a1', status: 'COMPLETE', errorCount: 0, transactionCount: 6, errors: [] },
    });
    for (const [parts, lines] of [
      [[], []],
      [[2], [8, 9, 10, 11, 12, 13]],
      [[1], [2, 3, 4, 5, 6, 7]],
    ] as const) {
      const state = await stateOf(plan, [read('before'), read('after'), ...parts.map(finished)]);
      const options = { planFolder: folder, stateFolder: folder, state };
      const [found] = await verifyAccount(account, options);
      expect(found).to.include({ expected: lines.length, found: 0, missing: lines.length });
      if (found?.differences === undefined) continue;
      const missing: Difference[] = [];
      for await (const one of readDifferences(path.join(folder, found.differences))) missing.push(one);
      expect(missing.map(({ line }) => line)).to.have.members([...lines]);
    }
  });

  it('has its file of differences read, or says that it is gone', async () => {
    const file = path.join(folder, 'gone.differences.csv');
    const failed = await readDifferences(file)
      .next()
      .catch((error: unknown) => error);
    expect(failed).to.have.property('code', 'FILE_UNREADABLE');
    await writeFile(file, 'list,emailAddress\n"broken');
    const broken = await readDifferences(file)
      .next()
      .catch((error: unknown) => error);
    expect(broken).to.have.property('code', 'CSV_MALFORMED');
  });

  it('says what it cannot read, and ends when it is told to', async () => {
    const steps: RandomStep[] = [
      { kind: 'add', lists: ['1'], rows: [0], refused: [false], outcome: 'COMPLETE' },
    ];
    const { account, records } = await planned(steps);
    const shared = { event: 'members', at: 1, account: 'joe', list: '1', file: 'gone', count: 1 } as const;
    const state = await stateOf(planOf([account]).plan, [
      ...records,
      { ...shared, when: 'before' },
      { ...shared, when: 'after' },
    ]);
    const options = { planFolder: folder, stateFolder: folder, state };
    const failed = await verifyAccount(account, options).catch((error: unknown) => error);
    expect(failed).to.have.property('code', 'FILE_UNREADABLE');
    await writeFile(path.join(folder, 'gone'), 'ann@example.com\n');
    const signal = AbortSignal.abort();
    const ended = await verifyAccount(account, { ...options, signal }).catch((error: unknown) => error);
    expect(ended).to.have.property('code', 'ABORTED');
    expect((await readdir(folder)).sort()).to.deep.equal(['file-0.csv', 'gone']);
  });
});

describe('mentions', () => {
  it('come back by address, whatever their number', async function () {
    this.timeout(20_000);
    const mentions = new Mentions(60_000);
    for (let source = 0; source < 3; source++) {
      for (let n = 0; n < 20_000; n++) await mentions.add(` User${n}@Example.com `, source, n + source);
    }
    await mentions.add('  ', 1, 1);
    const seen = new Set<string>();
    for await (const { address, mentions: all } of mentions.byAddress()) {
      const n = Number(/\d+/.exec(address)?.[0]);
      expect(all).to.deep.equal([0, 1, 2].map((source) => ({ source, line: n + source })));
      seen.add(address);
    }
    await mentions.close();
    expect(seen.size).to.equal(20_000);
  });
});
