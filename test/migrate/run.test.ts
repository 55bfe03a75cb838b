import { expect } from 'chai';
import fs from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../src/activity/errors.js';
import { checkAccepted } from '../../src/migrate/accepted-losses.js';
import { dryRun } from '../../src/migrate/dry-run.js';
import { askToPause, onPauseAsked } from '../../src/migrate/pause.js';
import { planClients, readCredentials, renewedClients } from '../../src/migrate/run-clients.js';
import { RunProgress } from '../../src/migrate/run-progress.js';
import { foldRun } from '../../src/migrate/run-state.js';
import type { RunOutcome } from '../../src/migrate/run.js';
import { openRunStore, stateFolder } from '../../src/migrate/state-folder.js';
import { memoryStore } from '../../src/store/memory.js';
import type { Store } from '../../src/store/store.js';
import { membersAfter, secretsFor, setRunStage, type RunStage, type Sketch } from './run-stage.js';

const SKETCH: Sketch = {
  joe: [
    { add: ['a@example.com', 'b@example.com', 'no address'], lists: ['1', '2'] },
    { remove: ['A@example.com', 'old1@example.com'], lists: ['1'] },
    { clear: ['3'] },
    { add: ['c@example.com'], lists: ['3'] },
  ],
  ann: [{ add: ['d@example.com'], lists: ['2'] }],
};

async function failure(act: Promise<unknown>): Promise<Error & { code?: string }> {
  return act.then(
    () => expect.fail('no error'),
    (error: unknown) => error as Error,
  );
}

const states = ({ accounts }: RunOutcome) =>
  Object.fromEntries(accounts.map(({ account, state, reason }) => [account, reason?.code ?? state]));

describe('runPlan', function () {
  this.timeout(20_000);
  let stage: RunStage;
  let store: Store;
  beforeEach(() => {
    store = memoryStore();
  });
  afterEach(() => stage.dispose());

  const setStage = async (sketch = SKETCH) => {
    stage = await setRunStage(sketch);
  };
  /** How often each request that changes something was made. */
  const posts = () => stage.calls.filter((call) => /^POST (?!exportcontacts)/.test(call)).length;
  const partEvents = () =>
    stage.events.flatMap((event) => (event.event === 'part' ? `${event.part} ${event.state}` : []));

  it('does what is planned, each part once the one before has finished', async () => {
    await setStage();
    const { paused, accounts } = await stage.run(store);
    expect(paused).to.equal(false);
    expect(accounts).to.deep.equal([
      {
        account: 'joe',
        state: 'finished',
        reason: undefined,
        parts: 4,
        partsFinished: 4,
        rows: 6,
        rowsFinished: 6,
        errors: 1,
        differences: 0,
      },
      {
        account: 'ann',
        state: 'finished',
        reason: undefined,
        parts: 1,
        partsFinished: 1,
        rows: 1,
        rowsFinished: 1,
        errors: 0,
        differences: 0,
      },
    ]);
    expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
    expect(await stage.jobs()).to.deep.equal({ joe: 4, ann: 1 });
    const order = partEvents().filter((text) => text.startsWith('joe/'));
    const each = (part: number) =>
      ['sending', 'created', 'finished'].map((state) => `joe/${part}/1 ${state}`);
    expect(order).to.deep.equal([1, 2, 3, 4].flatMap(each));
  });

  it('writes down where each error is, and how the lists compare', async () => {
    await setStage();
    await stage.run(store);
    const { parts, members, verified, ended, began, paused } = await foldRun(
      stage.plan,
      store.journal.read(stage.plan.id),
    );
    const first = parts.get('joe/1/1')!;
    expect(first.state === 'finished' && first.activity.errors).to.deep.equal([
      { line: 4, emailAddress: 'no address', message: 'Invalid email' },
    ]);
    expect(
      [...members.values()].map(({ account, list, when, count }) => `${account} ${list} ${when} ${count}`),
    ).to.have.members([
      ...['joe 1 before 1', 'joe 2 before 1', 'joe 3 before 1', 'ann 2 before 1'],
      ...['joe 1 after 1', 'joe 2 after 3', 'joe 3 after 1', 'ann 2 after 2'],
    ]);
    expect([...verified.values()].map(({ missing, unexpected }) => missing + unexpected)).to.deep.equal([
      0, 0, 0, 0,
    ]);
    expect(ended).to.be.greaterThan(began!);
    expect(paused).to.equal(undefined);
    for (const { file } of members.values()) {
      expect((await fs.stat(path.join(stage.stateFolder, file))).mode & 0o777).to.equal(0o600);
    }
  });

  it('has nothing to do a second time', async () => {
    await setStage();
    await stage.run(store);
    const calls = stage.calls.length;
    const again = await stage.run(store);
    expect(states(again)).to.deep.equal({ joe: 'finished', ann: 'finished' });
    expect(stage.calls.length).to.equal(calls);
  });

  it('sends nothing before all that is lost is accepted by name', async () => {
    await setStage();
    const lossy = { ...stage.plan, losses: [{ code: 'COLUMN_IGNORED' as const, count: 2 }] };
    const error = (() => {
      try {
        checkAccepted(lossy);
      } catch (thrown) {
        return thrown as UsageError;
      }
      return expect.fail('accepted');
    })();
    expect(error.code).to.equal('LOSS_NOT_ACCEPTED');
    expect(error.message).to.equal(
      'the plan loses what nobody has accepted yet: COLUMN_IGNORED (v2 takes the column and ignores it, so it is left out; ' +
        '2 times); where that is right, accept it: --accept COLUMN_IGNORED',
    );
    checkAccepted(lossy, ['COLUMN_IGNORED']);
    checkAccepted({ ...lossy, acceptedLosses: ['COLUMN_IGNORED'] });
    checkAccepted({ ...lossy, losses: [{ code: 'COLUMN_RENAMED', count: 1 }] });
    expect((await failure(stage.run(store, {}, {}, lossy))).code).to.equal('LOSS_NOT_ACCEPTED');
    expect(stage.calls).to.deep.equal([]);
  });

  it('works on the accounts that are asked for, and no other', async () => {
    await setStage();
    expect(states(await stage.run(store, { only: ['ann'] }))).to.deep.equal({ ann: 'finished' });
    expect(await stage.jobs()).to.deep.equal({ joe: 0, ann: 1 });
    const state = await foldRun(stage.plan, store.journal.read(stage.plan.id));
    expect(state.ended, 'there is more').to.equal(undefined);
    const error = await failure(stage.run(store, { only: ['bob'] }));
    expect(error.message).to.equal('only: the plan has no account bob; it has joe, ann');
    expect(states(await stage.run(store, { only: ['joe'] }))).to.deep.equal({ joe: 'finished' });
    expect((await foldRun(stage.plan, store.journal.read(stage.plan.id))).ended).to.be.a('number');
    expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
  });

  it('is one at a time', async () => {
    await setStage();
    const [first, second] = await Promise.allSettled([stage.run(store), stage.run(store)]);
    expect(first.status).to.equal('fulfilled');
    expect(second.status === 'rejected' && (second.reason as UsageError).code).to.equal('RUN_BUSY');
    expect(posts()).to.equal(5);
  });

  it('sends nothing of an account that was sent parts of the plan of which its state knows nothing', async () => {
    const sketch: Sketch = {
      joe: [{ clear: ['1'] }, { add: ['a@example.com'], lists: ['1'] }],
      ann: [{ add: ['d@example.com'], lists: ['2'] }],
    };
    await setStage(sketch);
    await stage.run(store, { only: ['joe'] });
    const before = posts();
    const lost = memoryStore();
    const outcome = await stage.run(lost);
    expect(states(outcome)).to.deep.equal({ joe: 'CREATE_AMBIGUOUS', ann: 'finished' });
    expect(outcome.accounts[0]!.reason!.message).to.match(
      /^nothing was sent: part joe\/2\/1 was sent before, as activity \S+, by a run with another state folder: .*--retry$/,
    );
    expect(posts() - before, 'only that of ann').to.equal(1);
    expect(stage.members()).to.deep.equal(membersAfter(sketch));
    expect(states(await stage.run(lost)), 'held').to.deep.equal({ joe: 'CREATE_AMBIGUOUS', ann: 'finished' });
    expect(posts() - before).to.equal(1);
    // Somebody says that it be sent all the same.
    expect(states(await stage.run(lost, { retry: true }))).to.deep.equal({
      joe: 'finished',
      ann: 'finished',
    });
    expect(posts() - before).to.equal(3);
    expect(stage.members()).to.deep.equal(membersAfter(sketch));
  });

  it('is not held up by a clock that is set back', async () => {
    await setStage({ ann: [{ add: ['d@example.com'], lists: ['2'] }] });
    const { clock } = stage;
    let back = 0;
    const wrong = {
      now: () => clock.now() - back,
      sleep: (milliseconds: number, signal?: AbortSignal) => clock.sleep(milliseconds, signal),
    };
    stage.emulator.faults.add({ action: { type: 'status', status: 503 }, times: 8 });
    const began = clock.now();
    const outcome = await stage.run(store, {
      clock: wrong,
      onEvent: ({ event }) => {
        if (event === 'trouble') back += 86_400_000;
      },
    });
    expect(states(outcome)).to.deep.equal({ ann: 'finished' });
    expect(clock.now() - began).to.be.below(3_600_000);
  });

  it('pauses after the requests in hand, and goes on', async () => {
    await setStage();
    for (const at of ['joe/1/1 sending', 'joe/2/1 created', 'joe/3/1 finished']) {
      const pause = new AbortController();
      const before = posts();
      const outcome = await stage.run(store, {
        signal: pause.signal,
        onEvent: (event) => {
          stage.events.push(event);
          if (event.event === 'part' && `${event.part} ${event.state}` === at) pause.abort();
        },
      });
      expect(outcome.paused, at).to.equal(true);
      expect(posts() - before).to.be.at.most(3);
      expect((await stage.records(store)).at(-1)!.event).to.equal('paused');
      // What was sent is known to have been taken.
      const { parts } = await foldRun(stage.plan, store.journal.read(stage.plan.id));
      for (const [part, { state }] of parts) expect(state, part).not.to.equal('sending');
    }
    expect((await stage.run(store)).paused).to.equal(false);
    expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
    expect(await stage.jobs()).to.deep.equal({ joe: 4, ann: 1 });
  });

  it('is told to pause from elsewhere', async () => {
    await setStage();
    const pause = new AbortController();
    const stop = await onPauseAsked(
      store,
      stage.plan.id,
      () => {
        pause.abort();
      },
      1,
    );
    let asked: Promise<void> | undefined;
    // The run waits for a job that takes its time, by the machine's clock.
    const { clock } = stage;
    const slow = {
      now: () => clock.now(),
      sleep: async (milliseconds: number, signal?: AbortSignal) => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        await clock.sleep(milliseconds, signal);
      },
    };
    const outcome = await stage.run(
      store,
      {
        signal: pause.signal,
        onEvent: (event) => {
          if (event.event === 'part' && event.state === 'created')
            asked ??= askToPause(store, stage.plan.id, 1);
        },
      },
      { clock: slow },
    );
    stop();
    expect(asked).to.not.equal(undefined);
    await asked;
    expect(outcome.paused).to.equal(true);
    // A wish that is fulfilled does not stop the next run.
    const later = new AbortController();
    const end = await onPauseAsked(
      store,
      stage.plan.id,
      () => {
        later.abort();
      },
      1,
    );
    expect((await stage.run(store, { signal: later.signal })).paused).to.equal(false);
    end();
    expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
  });

  it('waits out lost connections, 429 and 5xx', async () => {
    await setStage();
    const { faults } = stage.emulator;
    for (const action of ['reset', 'status429', 'status500', 'status503'] as const) {
      faults.add({ action, times: 12, probability: 0.4 });
    }
    expect(states(await stage.run(store))).to.deep.equal({ joe: 'finished', ann: 'finished' });
    expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
    expect(await stage.jobs()).to.deep.equal({ joe: 4, ann: 1 });
  });

  it('waits for a store that is busy with somebody else, and for a page that is none of the service', async () => {
    await setStage();
    let busy = 5;
    const { buckets } = store;
    const shared: Store = {
      ...store,
      buckets: {
        take: (key, now, limits) =>
          busy-- > 0
            ? Promise.reject(new UsageError('STORE_BUSY', 'another process keeps the store locked'))
            : buckets.take(key, now, limits),
      },
    };
    stage.emulator.faults.add({ action: 'login', times: 3, match: { method: 'GET' } });
    expect(states(await stage.run(shared, {}, { limited: true }))).to.deep.equal({
      joe: 'finished',
      ann: 'finished',
    });
    expect(stage.events.some(({ event }) => event === 'trouble')).to.equal(true);
    expect(await stage.jobs()).to.deep.equal({ joe: 4, ann: 1 });
  });

  it('gives an account up that makes no progress, and goes on with it another time', async () => {
    await setStage();
    stage.emulator.faults.add({ action: 'status503' });
    const began = stage.clock.now();
    const outcome = await stage.run(store, { giveUp: 600_000 });
    expect(states(outcome)).to.deep.equal({ joe: 'SERVICE_FAILED', ann: 'SERVICE_FAILED' });
    expect(outcome.accounts.map(({ state }) => state)).to.deep.equal(['gaveUp', 'gaveUp']);
    expect(stage.clock.now() - began).to.be.within(600_000, 1_500_000);
    const pauses = stage.events.filter(({ event }) => event === 'trouble').length;
    expect(pauses, 'ever longer pauses').to.be.within(8, 30);
    stage.emulator.faults.clear();
    expect(states(await stage.run(store))).to.deep.equal({ joe: 'finished', ann: 'finished' });
  });

  it('waits for the next day when the calls of this one are used up', async () => {
    await setStage({ ann: SKETCH.ann! });
    const limits = { perSecond: 4, perDay: 12 };
    expect(states(await stage.run(store, { giveUp: 60_000 }, { limited: true, limits }))).to.deep.equal({
      ann: 'finished',
    });
    expect(stage.clock.now()).to.be.greaterThan(Date.UTC(2015, 2, 2));
  });

  it('holds an account whose credentials are refused, and tries it in the next run', async () => {
    await setStage();
    const rule = stage.emulator.faults.add({
      action: { type: 'status', status: 401 },
      match: { method: 'POST', path: 'activities/addcontacts' },
      times: 1,
    });
    const first = await stage.run(store, { jobs: 1 });
    expect(states(first)).to.deep.equal({ joe: 'UNAUTHORIZED', ann: 'finished' });
    stage.emulator.faults.remove(rule);
    expect(posts()).to.equal(2);
    expect(states(await stage.run(store))).to.deep.equal({ joe: 'finished', ann: 'finished' });
    expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
  });

  it('goes on with a token that was put in the place of one that has ended', async () => {
    await setStage();
    const token = path.join(stage.folder, 'joe.token');
    await fs.writeFile(token, 'a-token-that-has-ended\n', { mode: 0o600 });
    const accounts = stage.plan.accounts.map((one) =>
      one.account === 'joe'
        ? { ...one, target: { ...one.target, accessToken: `file:${token}` as const } }
        : one,
    );
    const plan = { ...stage.plan, accounts };
    const sources = { env: stage.env, folder: stage.folder };
    const told: string[] = [];
    const renewing = async (onRequest: () => Promise<void>) => {
      const options = {
        credentials: await readCredentials(plan, sources),
        buckets: store.buckets,
        limits: plan.limits,
        fetch: async (input: string | URL | Request, init?: RequestInit) => {
          await onRequest();
          return stage.emulator.fetch(input, init);
        },
        clock: stage.clock,
      };
      const renew = renewedClients(sources, options, (found) => told.push(found.token));
      return states(await stage.run(store, { connect: planClients(options), renew }, {}, plan));
    };
    expect(await renewing(() => Promise.resolve()), 'the same is no other').to.deep.equal({
      joe: 'UNAUTHORIZED',
      ann: 'finished',
    });
    expect(told).to.deep.equal([]);
    const renewed = await renewing(() => fs.writeFile(token, secretsFor('joe').token));
    expect(renewed).to.deep.equal({ joe: 'finished', ann: 'finished' });
    expect(told).to.deep.equal([secretsFor('joe').token]);
    expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
    const gone = renewedClients(sources, {
      credentials: new Map(),
      buckets: store.buckets,
      limits: plan.limits,
    });
    await fs.rm(token);
    expect(await gone(accounts[0]!), 'there is none').to.equal(undefined);
  });

  it('holds an account that refuses a part, until somebody says that it be sent again', async () => {
    await setStage();
    const rule = stage.emulator.faults.add({
      action: { type: 'status', status: 400, body: 'no such thing' },
      match: { method: 'POST', path: 'activities/removefromlists' },
    });
    expect(states(await stage.run(store))).to.deep.equal({ joe: 'SERVICE_REFUSED', ann: 'finished' });
    const calls = stage.calls.length;
    const again = await stage.run(store);
    expect(states(again)).to.deep.equal({ joe: 'SERVICE_REFUSED', ann: 'finished' });
    expect(again.accounts[0]!.reason!.message).to.match(
      /^part joe\/2\/1 was refused: POST of REMOVE.* 400 .*no such thing/,
    );
    expect(stage.calls.length, 'nothing is asked').to.equal(calls);
    stage.emulator.faults.remove(rule);
    expect(states(await stage.run(store, { retry: true }))).to.deep.equal({
      joe: 'finished',
      ann: 'finished',
    });
    expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
    expect(await stage.jobs()).to.deep.equal({ joe: 4, ann: 1 });
  });

  it('holds an account of which a part ended with ERROR, and sends that once more with retry', async () => {
    await setStage();
    const outcomes = stage.emulator.account('joe')!.outcomes;
    outcomes.add({ match: { activityType: 'ADD_CONTACTS' }, times: 1, outcome: 'error' });
    const first = await stage.run(store);
    expect(states(first)).to.deep.equal({ joe: 'ACTIVITY_FAILED', ann: 'finished' });
    expect(states(await stage.run(store))).to.deep.equal({ joe: 'ACTIVITY_FAILED', ann: 'finished' });
    expect(states(await stage.run(store, { retry: true }))).to.deep.equal({
      joe: 'finished',
      ann: 'finished',
    });
    expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
    expect(await stage.jobs()).to.deep.equal({ joe: 5, ann: 1 });
  });

  it('finds uploads whose answer is lost, however many are new', async () => {
    await setStage();
    stage.emulator.faults.add({ action: { type: 'lostAnswer' }, match: { method: 'POST' } });
    expect(states(await stage.run(store))).to.deep.equal({ joe: 'finished', ann: 'finished' });
    expect(await stage.jobs()).to.deep.equal({ joe: 4, ann: 1 });
  });

  it('does not clear twice on its own when nobody can tell', async () => {
    await setStage({ joe: [{ clear: ['3'] }, { add: ['c@example.com'], lists: ['3'] }] });
    const rule = stage.emulator.faults.add({
      action: { type: 'status', status: 500 },
      match: { method: 'POST', path: 'activities/clearlists' },
    });
    expect(states(await stage.run(store))).to.deep.equal({ joe: 'CREATE_AMBIGUOUS' });
    expect(posts()).to.equal(1);
    expect(states(await stage.run(store)), 'it waits').to.deep.equal({ joe: 'CREATE_AMBIGUOUS' });
    expect(posts()).to.equal(1);
    stage.emulator.faults.remove(rule);
    expect(states(await stage.run(store, { retry: true }))).to.deep.equal({ joe: 'finished' });
    expect(stage.members().joe!['3']).to.deep.equal(['c@example.com']);
  });

  it('holds an account whose file has changed, and sends nothing of it', async () => {
    await setStage();
    const file = path.join(stage.folder, 'ann-0.csv');
    const text = await fs.readFile(file, 'utf8');
    await fs.writeFile(file, text.replace('d@example.com', 'e@example.com'));
    expect(states(await stage.run(store))).to.deep.equal({ joe: 'finished', ann: 'FILE_CHANGED' });
    expect(await stage.jobs()).to.deep.equal({ joe: 4, ann: 0 });
    await fs.writeFile(file, text);
    expect(states(await stage.run(store))).to.deep.equal({ joe: 'finished', ann: 'finished' });
  });

  it('reads no lists when it is told so', async () => {
    await setStage();
    await stage.run(store, { verify: false });
    expect(stage.calls.filter((call) => call.includes('exportcontacts'))).to.deep.equal([]);
    const later = await stage.run(store);
    expect(states(later), 'what was before can be told no more').to.deep.equal({
      joe: 'finished',
      ann: 'finished',
    });
    expect((await stage.records(store)).filter(({ event }) => event === 'verified')).to.deep.equal([]);
  });

  it('keeps the calls of one key within its limits, whatever account they are of', async () => {
    await setStage();
    const times: number[] = [];
    const { buckets } = store;
    const watched: Store = {
      ...store,
      buckets: {
        async take(key, now, limits) {
          const taken = await buckets.take(key, now, limits);
          if (taken.go) times.push(now);
          expect(key).to.match(/^v2 key [0-9a-f]{32}$/);
          return taken;
        },
      },
    };
    await stage.run(watched, {}, { limited: true, limits: { perSecond: 2, perDay: Infinity } });
    expect(times.length).to.equal(stage.calls.length);
    times.sort((a, b) => a - b);
    for (let index = 2; index < times.length; index++)
      expect(times[index]! - times[index - 2]!).to.be.at.least(1000);
  });

  it('keeps no secret', async () => {
    await setStage();
    const onDisk = await openRunStore(stage.stateFolder);
    stage.emulator.faults.add({
      action: { type: 'status', status: 403, body: 'the-key-of-all the-token-of-joe' },
      times: 1,
    });
    await stage.run(onDisk, { only: ['joe'] }, { limited: true });
    await onDisk.close();
    const names = await fs.readdir(stage.stateFolder);
    expect(names).to.include('run.db');
    const kept = [JSON.stringify(stage.events)];
    for (const name of names) kept.push(await fs.readFile(path.join(stage.stateFolder, name), 'latin1'));
    for (const account of Object.keys(SKETCH)) {
      for (const secret of Object.values(secretsFor(account))) {
        for (const text of kept) expect(text.includes(secret)).to.equal(false);
      }
    }
  });

  it('shows beforehand what would be sent', async () => {
    await setStage();
    const check = async (more = {}) => {
      const steps: string[] = [];
      for await (const { step, finished, rows, problem } of dryRun(stage.plan, {
        planFolder: stage.folder,
        ...more,
      })) {
        steps.push(`${step.id}: ${finished} ${rows} ${problem?.code ?? 'ok'}`);
      }
      return steps;
    };
    const untouched = ['joe/1: 0 3 ok', 'joe/2: 0 2 ok', 'joe/3: 0 0 ok', 'joe/4: 0 1 ok', 'ann/1: 0 1 ok'];
    expect(await check()).to.deep.equal(untouched);
    expect(await check({ only: ['ann'] })).to.deep.equal(untouched.slice(4));
    expect(stage.calls).to.deep.equal([]);
    await stage.run(store, { only: ['ann'] });
    await fs.rm(path.join(stage.folder, 'joe-0.csv'));
    await fs.rm(path.join(stage.folder, 'ann-0.csv'));
    const state = await foldRun(stage.plan, store.journal.read(stage.plan.id));
    expect(await check({ state })).to.deep.equal([
      'joe/1: 0 3 FILE_UNREADABLE',
      ...untouched.slice(1, 4),
      'ann/1: 1 0 ok',
    ]);
    const controller = new AbortController();
    controller.abort();
    expect((await failure(check({ signal: controller.signal }))).code).to.equal('ABORTED');
  });
});

describe('the credentials of a plan', () => {
  let stage: RunStage;
  before(async () => {
    stage = await setRunStage(SKETCH);
  });
  after(() => stage.dispose());

  it('are named when they are missing, and never shown', async () => {
    const env = { KEY: 'its-key', TOKEN_joe: 'its-token' };
    const error = await failure(readCredentials(stage.plan, { env, folder: stage.folder }));
    expect(error.code).to.equal('CREDENTIALS_REQUIRED');
    expect(error.message).to.equal('account ann: access token: the variable TOKEN_ann is not set');
    const only = await readCredentials(stage.plan, { env, folder: stage.folder, only: ['joe'] });
    expect(only.get('joe')).to.deep.equal({ apiKey: 'its-key', token: 'its-token' });
  });

  it('are of one account each', async () => {
    const env = { KEY: 'its-key', TOKEN_joe: 'one-token', TOKEN_ann: 'one-token' };
    const error = await failure(readCredentials(stage.plan, { env, folder: stage.folder }));
    expect(error.message)
      .to.match(/^accounts joe and ann have the same access token/)
      .and.not.include('one-token');
  });
});

describe('the state folder', () => {
  it('lies beside the plan, for its owner only', async () => {
    const folder = await fs.mkdtemp('/tmp/ctct-state-');
    try {
      const state = stateFolder(path.join(folder, 'joes.json'));
      expect(state).to.equal(path.join(folder, 'joes.state'));
      expect(stateFolder('x.json', '/elsewhere')).to.equal('/elsewhere');
      expect(await openRunStore(state, { readOnly: true })).to.equal(undefined);
      const store = await openRunStore(state);
      await store.journal.append('run', 1);
      expect((await fs.stat(state)).mode & 0o777).to.equal(0o700);
      const reader = (await openRunStore(state, { readOnly: true }))!;
      for await (const { record } of reader.journal.read('run')) expect(record).to.equal(1);
      await reader.close();
      await store.close();
      await fs.chmod(state, 0o750);
      const error = await failure(openRunStore(state));
      expect(error.code).to.equal('CREDENTIALS_EXPOSED');
      expect(error.message).to.include(`(mode 750); run: chmod 700 ${state}`);
      const below = await failure(
        openRunStore(path.join(folder, 'a-file'))
          .then(async (made) => made.close())
          .then(() => openRunStore(path.join(folder, 'a-file', 'run.db', 'x'))),
      );
      expect(below.code).to.equal('FILE_UNWRITABLE');
      expect(
        (await failure(openRunStore(path.join(folder, 'a-file', 'run.db', 'x'), { readOnly: true }))).code,
      ).to.equal('FILE_UNREADABLE');
    } finally {
      await fs.rm(folder, { recursive: true });
    }
  });
});

describe('the progress of a run', () => {
  it('tells how far it is, and how long it may take', () => {
    const progress = new RunProgress(
      new Map([
        ['a/1/1', 100],
        ['a/1/2', 50],
        ['b/1/1', 10],
      ]),
      2,
    );
    const account = { state: 'open', partsFinished: 0, rowsFinished: 0, errors: 0, differences: 0 } as const;
    const accounts = [
      { ...account, account: 'a', parts: 2, rows: 150 },
      { ...account, account: 'b', parts: 1, rows: 10 },
      { ...account, account: 'c', parts: 1, rows: 10, state: 'held' as const },
    ];
    progress.take({ event: 'began', accounts }, 0);
    expect(progress.timeLeft()).to.equal(undefined);
    progress.take({ event: 'lists', account: 'a', when: 'before' }, 1);
    progress.take({ event: 'part', account: 'a', part: 'a/1/1', state: 'sending' }, 10);
    progress.take({ event: 'part', account: 'a', part: 'a/1/1', state: 'finished' }, 20_010);
    // One part of each account is left, and they go side by side.
    expect(progress.timeLeft()).to.equal(20_000);
    expect(progress.totals).to.deep.equal({
      accounts: 3,
      accountsDone: 1,
      parts: 4,
      finished: 1,
      rows: 170,
      rowsFinished: 100,
    });
    progress.take(
      { event: 'account', account: { ...accounts[1]!, state: 'finished', partsFinished: 1 } },
      30_000,
    );
    expect(progress.active).to.deep.equal([]);
    expect(progress.timeLeft()).to.equal(20_000);
  });
});
