import { expect } from 'chai';
import fc from 'fast-check';
import type { MigrationPlan, PlannedStep, PlannedUpload } from '../../src/migrate/plan.js';
import type { FinishedPart, RunRecord } from '../../src/migrate/run-record.js';
import { runStatus, type RunStatus } from '../../src/migrate/status.js';
import { accountOf, plannedClear, planOf, stateOf } from './by-hand.js';

/** An upload of which nobody reads the file. */
function upload(id: string, parts: number, rows = 10): PlannedUpload {
  return {
    ...{ id, activityType: 'ADD_CONTACTS', file: `${id}.csv`, origin: { kind: 'file' }, encoding: 'auto' },
    ...{ sha256: '0', rows: rows * parts, duplicates: 0, headingLine: 1, lists: ['2', '5'] },
    ...{ blanksEnabled: false, into: {}, losses: [] },
    parts: Array.from({ length: parts }, (_, index) => ({
      ...{
        id: `${id}/${index + 1}`,
        fileName: 'x.csv',
        rows,
        firstLine: 2,
        lastLine: 11,
        bytes: 1,
        sha256: '0',
      },
    })),
  };
}

const done = (part: string, at = 1, more: Partial<FinishedPart> = {}): RunRecord => ({
  ...{ event: 'finished', at, part },
  activity: { id: 'a1', status: 'COMPLETE', errorCount: 0, transactionCount: 1, errors: [], ...more },
});
const attempt = { noted: [], newest: null, all: true, sorted: true, from: null };
const sending = (part: string): RunRecord => ({ event: 'sending', at: 1, part, attempt });
const began = (at = 0): RunRecord => ({ event: 'began', at, acceptedLosses: [] });
const members = (list: string, when: 'before' | 'after', account = 'joe'): RunRecord => ({
  ...{ event: 'members', at: 1, account, list, when, file: 'x', count: 1 },
});
const verified = (list: string, missing = 0, account = 'joe'): RunRecord => ({
  ...{ event: 'verified', at: 1, account, list, expected: 1, found: 1, missing, unexpected: 0 },
});

async function statusOf(
  steps: readonly PlannedStep[],
  records: readonly RunRecord[],
  { running = false, now = 100_000 } = {},
): Promise<RunStatus> {
  const { plan } = planOf([accountOf('joe', steps)]);
  return runStatus(plan, await stateOf(plan, records), { now, running });
}

describe('the status of a run', () => {
  const two = [upload('joe/1', 2), plannedClear('joe/2', ['7'])];
  const all = ['joe/1/1', 'joe/1/2', 'joe/2/1'];

  it('is waiting before any runner began, and takes as long as planned', async () => {
    const status = await statusOf(two, []);
    expect(status).to.include({ state: 'waiting', secondsLeft: 60, began: undefined, errors: 0 });
    expect(status.accounts[0]).to.deep.include({
      ...{ state: 'waiting', why: undefined, retry: false, errors: 0 },
      steps: { done: 0, all: 2 },
      parts: { done: 0, all: 3 },
      rows: { done: 0, all: 20 },
      lists: { done: 0, all: 3, differing: 0 },
    });
  });

  it('is running while a runner is at work, and stopped or paused when none is', async () => {
    const records = [
      began(),
      members('2', 'before'),
      sending('joe/1/1'),
      done('joe/1/1'),
      sending('joe/1/2'),
    ];
    const status = await statusOf(two, records, { running: true });
    expect([status.state, status.accounts[0]?.state]).to.deep.equal(['running', 'running']);
    expect(status.parts).to.deep.equal({ done: 1, all: 3 });
    expect(status.rows).to.deep.equal({ done: 10, all: 20 });
    const stopped = await statusOf(two, records);
    expect([stopped.state, stopped.accounts[0]?.state]).to.deep.equal(['stopped', 'waiting']);
    expect((await statusOf(two, [...records, { event: 'paused', at: 2 }])).state).to.equal('paused');
    expect((await statusOf(two, [...records, { event: 'paused', at: 2 }, began(3)])).state).to.equal(
      'stopped',
    );
  });

  it('is finished when all parts are, and all lists that were read have been compared', async () => {
    const read = ['2', '5', '7'].map((list) => members(list, 'before'));
    const parts = [began(), ...read, ...all.map((part) => done(part))];
    const comparing = await statusOf(two, parts, { running: true });
    expect(comparing.accounts[0]).to.deep.include({ state: 'running', secondsLeft: 60 });
    expect(comparing.parts).to.deep.equal({ done: 3, all: 3 });
    const compared = ['2', '5', '7'].map((list, index) => verified(list, index));
    const status = await statusOf(two, [...parts, ...compared, { event: 'ended', at: 9 }]);
    expect(status).to.deep.include({
      ...{ state: 'finished', secondsLeft: 0, finished: { done: 1, all: 1 }, ended: new Date(9) },
      lists: { done: 3, all: 3, differing: 2 },
    });
  });

  it('is finished without any comparison where nobody wanted one', async () => {
    const status = await statusOf(two, [began(), ...all.map((part) => done(part, 1, { errorCount: 2 }))]);
    expect(status).to.deep.include({
      state: 'finished',
      errors: 6,
      lists: { done: 0, all: 0, differing: 0 },
    });
  });

  it('is held by a part that was refused, or came to nothing', async () => {
    const refused = (code: string): RunRecord => ({
      ...{ event: 'refused', at: 1, part: 'joe/1/1', code, message: 'no such list' },
    });
    const status = await statusOf(two, [began(), refused('SERVICE_REFUSED')]);
    expect(status).to.include({ state: 'held', secondsLeft: 0 });
    expect(status.accounts[0]).to.include({
      ...{
        state: 'held',
        retry: true,
        why: 'part joe/1/1 was refused: no such list',
        secondsLeft: undefined,
      },
    });
    const failure = { status: 'ERROR', errors: [{ message: 'not text' }], errorCount: 1 };
    const failed = await statusOf(two, [began(), done('joe/1/1', 1, failure)], { running: true });
    expect(failed).to.deep.include({
      state: 'running',
      parts: { done: 0, all: 3 },
      rows: { done: 0, all: 20 },
    });
    expect(failed.accounts[0]).to.include({ state: 'held', retry: true });
    expect(failed.accounts[0]?.why).to.match(/joe\/1\/1: activity a1 ended with status ERROR: not text/);
  });

  it('is held by refused credentials only until a runner is at work again', async () => {
    const refused: RunRecord = {
      ...{ event: 'refused', at: 1, part: 'joe/1/1', code: 'UNAUTHORIZED', message: 'who is it' },
    };
    const status = await statusOf(two, [began(), refused]);
    expect(status.state).to.equal('held');
    expect(status.accounts[0]).to.include({ retry: false, why: 'part joe/1/1 was refused: who is it' });
    const running = await statusOf(two, [began(), refused], { running: true });
    expect(running.accounts[0]).to.include({ state: 'running', why: undefined });
  });

  it('is not held by what goes well another time on its own', async () => {
    for (const [code, state] of [
      ['SERVICE_FAILED', 'stopped'],
      ['RATE_LIMITED', 'stopped'],
      ['REQUEST_NOT_SENT', 'stopped'],
      ['FILE_CHANGED', 'held'],
    ] as const) {
      const refused: RunRecord = { event: 'refused', at: 1, part: 'joe/1/1', code, message: 'no' };
      expect((await statusOf(two, [began(), refused])).state, code).to.equal(state);
    }
  });

  it('tells the time that is left by the pace since the runner began', async () => {
    const parts = upload('joe/1', 10);
    const records = [
      ...['2', '5'].map((list) => members(list, 'before')),
      done('joe/1/1', 500),
      began(1_000),
      done('joe/1/2', 11_000),
      done('joe/1/3', 21_000),
    ];
    const status = await statusOf([parts], records, { running: true });
    // Seven parts at ten seconds each, and the lists once more.
    expect(status.secondsLeft).to.equal(70 + 60);
    const unknown = await statusOf([parts], [began(1_000), sending('joe/1/1')], { running: true });
    expect(unknown.secondsLeft).to.equal(300);
  });

  it('adds up over all accounts', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.array(fc.constantFrom('done', 'sending', 'failed', 'refused', 'waiting'), {
            minLength: 1,
            maxLength: 4,
          }),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        fc.boolean(),
        async (accounts, running) => {
          const records: RunRecord[] = [began()];
          const planned: MigrationPlan['accounts'] = accounts.map((parts, index) => {
            const account = `a${index}`;
            parts.forEach((state, at) => {
              const part = `${account}/1/${at + 1}`;
              if (state === 'done') records.push(done(part, 1, { errorCount: 1 }));
              if (state === 'failed') records.push(done(part, 1, { status: 'ERROR', errorCount: 1 }));
              if (state === 'sending') records.push(sending(part));
              if (state === 'refused') {
                records.push({ event: 'refused', at: 1, part, code: 'NOT_FOUND', message: 'x' });
              }
            });
            return accountOf(account, [upload(`${account}/1`, parts.length)]);
          });
          const { plan } = planOf(planned);
          const status = runStatus(plan, await stateOf(plan, records), { now: 5, running });
          const flat = accounts.flat();
          const count = (...states: string[]) => flat.filter((state) => states.includes(state)).length;
          expect(status.parts).to.deep.equal({ done: count('done'), all: flat.length });
          expect(status.rows).to.deep.equal({ done: 10 * count('done'), all: 10 * flat.length });
          expect(status.errors).to.equal(count('done', 'failed'));
          accounts.forEach((parts, index) => {
            const expected = parts.some((state) => state === 'failed' || state === 'refused')
              ? 'held'
              : parts.every((state) => state === 'done')
                ? 'finished'
                : running && parts.some((state) => state !== 'waiting')
                  ? 'running'
                  : 'waiting';
            expect(status.accounts[index]?.state).to.equal(expected);
          });
        },
      ),
      { numRuns: 100 },
    ));
});
