import { expect } from 'chai';
import { CALL_WINDOW } from '../../src/http/quota.js';
import fc from 'fast-check';
import type { Job, JobState, Store } from '../../src/store/store.js';
import { runs } from '../support/runs.js';

/** A store under test, empty at first. */
export interface StoreUnderTest {
  /** Ways to the same state: one, or several connections. */
  readonly stores: readonly [Store, ...Store[]];
  /** Closes all and opens them again, where the state outlives that. */
  reopen?(): Promise<void>;
  dispose(): Promise<void>;
}

const NOW = Date.UTC(2011, 2, 1, 12);
const DAY = 86_400_000;

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (error as { code?: unknown }).code,
  );
}

/** The contract of `Store`, for one implementation of it; each law is tried `times` as often as is usual. */
export function describeStore(name: string, make: () => Promise<StoreUnderTest>, times = 1): void {
  describe(`${name} as a store`, function () {
    this.timeout(60_000);

    async function withStore<T>(use: (under: StoreUnderTest, store: Store) => Promise<T>): Promise<T> {
      const under = await make();
      try {
        return await use(under, under.stores[0]);
      } finally {
        await under.dispose();
      }
    }

    it('keeps jobs by the laws of the queue, whatever workers do', () =>
      fc.assert(
        fc.asyncProperty(fc.commands(COMMANDS, { maxCommands: 80, size: 'max' }), (commands) =>
          withStore(async (under) => {
            const model: Model = { now: NOW, jobs: [], tokens: [], ready: new Map() };
            await fc.asyncModelRun(() => ({ model, real: under }), commands);
            await drain(model, under);
          }),
        ),
        { numRuns: runs(15 * times) },
      ));

    it('never lets more calls go than the limits allow, and no fewer', () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.integer({ min: 0, max: 700 }), fc.nat(), fc.boolean()), {
            maxLength: 40,
            size: 'max',
          }),
          fc.integer({ min: 1, max: 5 }),
          fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(Infinity)),
          (steps, perSecond, perDay) =>
            withStore(async ({ stores }) => {
              // Over midnight.
              let now = Date.UTC(2011, 2, 1, 23, 59, 57);
              const gone: number[] = [];
              for (const [gap, way, wait] of steps) {
                now += gap;
                const store = stores[way % stores.length]!;
                const ofDay = gone.filter((at) => Math.floor(at / DAY) === Math.floor(now / DAY));
                const ofSecond = gone.filter((at) => at > now - CALL_WINDOW);
                const taken = await store.buckets.take('key', now, { perSecond, perDay });
                expect(taken.go).to.equal(ofDay.length < perDay && ofSecond.length < perSecond);
                if (taken.go) {
                  gone.push(now);
                  continue;
                }
                expect(taken.used).to.equal(ofDay.length >= perDay ? 'day' : 'second');
                expect(taken.retryAt).to.be.greaterThan(now);
                if (!wait || taken.used === 'day') continue;
                const early = await store.buckets.take('key', taken.retryAt - 1, { perSecond, perDay });
                expect(early.go, 'a millisecond early').to.equal(false);
                now = taken.retryAt;
                const again = await store.buckets.take('key', now, { perSecond, perDay: Infinity });
                expect(again.go, 'when it was told to').to.equal(true);
                gone.push(now);
              }
              const other = await stores[0].buckets.take('other', now, { perSecond: 1, perDay: 1 });
              expect(other.go, 'another key').to.equal(true);
            }),
        ),
        { numRuns: runs(15 * times) },
      ));

    it('keeps to the rate when clocks are a little apart, and when one is set back', () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.constantFrom(0, 0, 1, 40, 700, 3000)), {
            maxLength: 60,
            size: 'max',
          }),
          fc.integer({ min: 1, max: 4 }),
          (steps, perSecond) =>
            withStore(async (_, { buckets }) => {
              let now = NOW;
              const gone: number[] = [];
              for (const [gap, behind] of steps) {
                now += gap;
                const taken = await buckets.take('key', now - behind, { perSecond, perDay: Infinity });
                if (taken.go) gone.push(now - behind);
              }
              gone.sort((a, b) => a - b);
              for (let index = perSecond; index < gone.length; index++) {
                expect(gone[index]! - gone[index - perSecond]!).to.be.at.least(1000);
              }
              const past = now - 3 * DAY;
              const limits = { perSecond, perDay: Infinity };
              const first = await buckets.take('key', past, limits);
              // Waits a second at most, not three days.
              if (!first.go) expect(first.retryAt).to.be.at.most(past + CALL_WINDOW);
              expect((await buckets.take('key', past + CALL_WINDOW, limits)).go).to.equal(true);
            }),
        ),
        { numRuns: runs(10 * times) },
      ));

    it('counts a call around midnight to the day that has begun for another', () =>
      withStore(async (_, { buckets }) => {
        const midnight = Date.UTC(2011, 2, 2);
        const limits = { perSecond: 100, perDay: 2 };
        expect(await buckets.take('key', midnight + 1, limits)).to.deep.equal({ go: true });
        expect(await buckets.take('key', midnight - 1, limits)).to.deep.equal({ go: true });
        expect(await buckets.take('key', midnight - 1, limits)).to.deep.equal({
          go: false,
          used: 'day',
          retryAt: midnight + DAY,
        });
      }));

    it('keeps records by collection and key, all changes of a write or none', () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.tuple(
              fc.array(
                fc.record({
                  collection: fc.constantFrom('a', 'ü'),
                  key: fc.constantFrom('1', '10', '2', 'a', 'Z', '\uffff', '🙂'),
                  value: fc.option(fc.jsonValue(), { nil: undefined }),
                }),
                { maxLength: 4 },
              ),
              fc.boolean(),
              fc.nat(),
            ),
            { maxLength: 20, size: 'max' },
          ),
          fc.option(fc.constantFrom('1', '2', 'a', 'none', '🙂'), { nil: undefined }),
          fc.boolean(),
          fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
          (writes, after, descending, limit) =>
            withStore(async (under) => {
              const model = new Map<string, Map<string, unknown>>();
              for (const [changes, spoilt, way] of writes) {
                const { records } = under.stores[way % under.stores.length]!;
                if (spoilt) {
                  const outcome = codeOf(records.write(...changes, { collection: 'a', key: '', value: 1 }));
                  expect(await outcome).to.equal('OPTION_INVALID');
                  continue;
                }
                await records.write(...changes);
                for (const { collection, key, value } of changes) {
                  const kept = model.get(collection) ?? new Map<string, unknown>();
                  model.set(collection, kept);
                  if (value === undefined) kept.delete(key);
                  else kept.set(key, JSON.parse(JSON.stringify(value)));
                }
              }
              await under.reopen?.();
              const { records } = under.stores.at(-1)!;
              const order = (one: string, other: string) =>
                Buffer.compare(Buffer.from(one), Buffer.from(other)) * (descending ? -1 : 1);
              for (const collection of ['a', 'ü']) {
                const kept = [...(model.get(collection) ?? [])].map(([key, value]) => ({ key, value }));
                for (const { key, value } of kept) {
                  expect(await records.get(collection, key)).to.deep.equal(value);
                }
                expect(await records.get(collection, 'none')).to.equal(undefined);
                expect(await records.list(collection, { after, descending, limit })).to.deep.equal(
                  kept
                    .filter(({ key }) => after === undefined || order(key, after) > 0)
                    .sort((one, other) => order(one.key, other.key))
                    .slice(0, limit),
                );
              }
            }),
        ),
        { numRuns: runs(15 * times) },
      ));

    it('reads the records of a run as they were appended', () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.tuple(fc.constantFrom('a', 'b', 'ü/🙂'), fc.array(fc.jsonValue(), { maxLength: 4 }), fc.nat()),
            {
              maxLength: 20,
            },
          ),
          fc.nat(12),
          (appends, after) =>
            withStore(async (under) => {
              const expected = new Map<string, unknown[]>();
              for (const [run, records, way] of appends) {
                const list = expected.get(run) ?? [];
                expected.set(run, list);
                list.push(...(JSON.parse(JSON.stringify(records)) as unknown[]));
                const store = under.stores[way % under.stores.length]!;
                expect(await store.journal.append(run, ...records)).to.equal(list.length);
              }
              await under.reopen?.();
              const { journal } = under.stores[0];
              for (const [run, records] of expected) {
                const numbered = records.map((record, index) => ({ number: index + 1, record }));
                expect(await all(journal.read(run))).to.deep.equal(numbered);
                expect(await all(journal.read(run, after))).to.deep.equal(numbered.slice(after));
              }
              expect(await all(journal.read('none'))).to.deep.equal([]);
            }),
        ),
        { numRuns: runs(10 * times) },
      ));

    it('reads a long run, and what is appended meanwhile, in order', () =>
      withStore(async (_, { journal }) => {
        const records = Array.from({ length: 1203 }, (_, index) => ({ index }));
        expect(await journal.append('long', ...records)).to.equal(1203);
        let seen = 0;
        for await (const { number, record } of journal.read('long')) {
          expect(number).to.equal(++seen);
          expect(record).to.deep.equal({ index: number - 1 });
          if (number === 700) await journal.append('long', { index: 1203 });
        }
        expect(seen).to.equal(1204);
      }));

    it('lists many jobs in the order they came', () =>
      withStore(async (_, { queue }) => {
        const many = Array.from({ length: 1100 }, (_, index) => ({ id: `j${index}`, body: index }));
        expect(await queue.enqueue('a', ...many.slice(0, 600))).to.equal(600);
        expect(await queue.enqueue('b', ...many.slice(600), ...many.slice(0, 5))).to.equal(500);
        expect((await all(queue.jobs())).map(({ body }) => body)).to.deep.equal(many.map(({ body }) => body));
        expect((await all(queue.jobs('b'))).map(({ id }) => id)).to.deep.equal(
          many.slice(600).map(({ id }) => id),
        );
        expect(await all(queue.jobs('c'))).to.deep.equal([]);
        expect(await queue.enqueue('c')).to.equal(0);
        expect(await queue.claim('w', 1, NOW, { only: ['c'] })).to.deep.equal({
          lease: undefined,
          readyAt: undefined,
        });
      }));

    it('gives a job that failed to its key again, at its time, or never', () =>
      withStore(async (_, { queue }) => {
        await queue.enqueue('a', { id: 'a1', body: 1 }, { id: 'a2', body: 2 });
        const first = await queue.claim('w', 1000, NOW);
        await queue.fail(first.lease!.token, NOW, { reason: 'too many calls', retryAt: NOW + 500 });
        expect(await queue.claim('w', 1000, NOW + 499)).to.deep.equal({
          lease: undefined,
          readyAt: NOW + 500,
        });
        const again = await queue.claim('w', 1000, NOW + 500);
        expect(again.lease).to.include({ id: 'a1', attempt: 2 });
        await queue.fail(again.lease!.token, NOW + 600, { reason: 'refused' });
        const next = await queue.claim('w', 1000, NOW + 600);
        expect(next.lease).to.include({ id: 'a2', attempt: 1 });
        const [failed, leased] = await all(queue.jobs('a'));
        expect(failed).to.include({ state: 'failed', attempts: 2, reason: 'refused', worker: undefined });
        expect(leased).to.include({ state: 'leased', attempts: 1, reason: undefined, worker: 'w' });
        expect(await queue.enqueue('a', { id: 'a1', body: 1 }), 'it is not given a second time').to.equal(0);
      }));

    it('gives what the dead have left to the living, at once', () =>
      withStore(async ({ stores }, { queue }) => {
        for (const key of ['a', 'b', 'c']) await queue.enqueue(key, { id: key, body: key });
        const dead = (await queue.claim('dead', 1_000_000, NOW)).lease!;
        const paused = (await queue.claim('dead', 1_000_000, NOW)).lease!;
        await queue.fail(paused.token, NOW, { reason: 'too many calls', retryAt: NOW + 1_000_000 });
        const theirs = (await queue.claim('alive', 1_000_000, NOW)).lease!;
        await stores.at(-1)!.queue.release(NOW + 1, 'a', 'b', 'none');
        expect(await codeOf(queue.heartbeat(dead.token, 1000, NOW + 1))).to.equal('LEASE_LOST');
        expect(await codeOf(queue.complete(dead.token, NOW + 1))).to.equal('LEASE_LOST');
        const claims = [
          await queue.claim('w', 1000, NOW + 1),
          await queue.claim('w', 1000, NOW + 1),
          await queue.claim('w', 1000, NOW + 1),
        ];
        expect(claims.map(({ lease }) => lease?.id)).to.deep.equal(['a', 'b', undefined]);
        await queue.complete(theirs.token, NOW + 1);
      }));

    it('takes turns between keys that are ready', () =>
      withStore(async (_, { queue }) => {
        for (const key of ['a', 'b', 'c']) {
          await queue.enqueue(key, ...[1, 2, 3].map((part) => ({ id: `${key}${part}`, body: part })));
        }
        const order: string[] = [];
        for (let now = NOW; ; now++) {
          const { lease } = await queue.claim('w', 1000, now);
          if (lease === undefined) break;
          order.push(lease.id);
          await queue.complete(lease.token, now);
        }
        expect(order.join(' ')).to.equal('a1 b1 c1 a2 b2 c2 a3 b3 c3');
      }));

    it('changes a value only for one who knows its version', () =>
      withStore(async ({ stores }, { values }) => {
        expect(await values.get('x')).to.equal(undefined);
        expect(await values.set('x', 1, 1)).to.equal(undefined);
        expect(await values.set('x', { a: [null] }, 0)).to.equal(1);
        expect(await values.set('x', 2, 0)).to.equal(undefined);
        expect(await values.get('x')).to.deep.equal({ value: { a: [null] }, version: 1 });
        expect(await values.set('x', 0, 1)).to.equal(2);
        const raise = async (store: Store) => {
          for (let times = 0; times < 10;) {
            const { value, version } = (await store.values.get('x'))!;
            // Others come between.
            await Promise.resolve();
            if ((await store.values.set('x', Number(value) + 1, version)) !== undefined) times++;
          }
        };
        await Promise.all([...stores, ...stores].map(raise));
        const times = stores.length * 2 * 10;
        expect(await values.get('x')).to.deep.equal({ value: times, version: times + 2 });
      }));

    it('gives a run to one at a time', () =>
      withStore(async ({ stores }, store) => {
        const locks = await Promise.allSettled([...stores, ...stores].map((way) => way.lockRun('plan/1')));
        const got = locks.filter((outcome) => outcome.status === 'fulfilled');
        expect(got).to.have.length(1);
        for (const outcome of locks) {
          if (outcome.status === 'rejected') expect(outcome.reason).to.include({ code: 'RUN_BUSY' });
        }
        await (await store.lockRun('plan/2')).release();
        const error: unknown = await store.lockRun('plan/1').catch((reason: unknown) => reason);
        expect((error as Error).message).to.match(/^the run "plan\/1" is worked on by .*process/);
        await got[0]!.value.release();
        const again = await store.lockRun('plan/1');
        // The lock of another is not released by one who had it before.
        await got[0]!.value.release();
        expect(await codeOf(store.lockRun('plan/1'))).to.equal('RUN_BUSY');
        await again.release();
      }));

    it('refuses what it cannot use, and then nothing has happened', () =>
      withStore(async (_, store) => {
        const { journal, queue, buckets, values } = store;
        const cyclic: { self?: unknown } = {};
        cyclic.self = cyclic;
        const limits = { perSecond: 4, perDay: 10 };
        const job = { id: 'j', body: 1 };
        const wrong: readonly (() => Promise<unknown>)[] = [
          () => journal.append(''),
          () => journal.append('r', 1, undefined),
          () => journal.append('r', 1, cyclic),
          () => journal.append('r', 1, 10n),
          () => journal.append('r\n', 1),
          () => journal.append('r\ud800', 1),
          () => journal.append('r'.repeat(1001), 1),
          () => journal.append(1 as never, 1),
          () => all(journal.read('r', -1)),
          () => all(journal.read('')),
          () => queue.enqueue('', job),
          () => queue.enqueue('k', job, { id: '', body: 1 }),
          () => queue.enqueue('k', job, { id: 'x', body: () => 1 }),
          () => queue.claim('', 1, NOW),
          () => queue.claim('w', 0, NOW),
          () => queue.claim('w', 1, NOW + 0.5),
          () => queue.claim('w', 1, NaN),
          () => queue.claim('w', 1, NOW, { only: [''] }),
          () => queue.heartbeat(0, 1, NOW),
          () => queue.heartbeat(1, 0, NOW),
          () => queue.complete(1, -1),
          () => queue.fail(1, NOW, { reason: 'x', retryAt: Infinity }),
          () => queue.fail(1, NOW, { reason: 1 as never }),
          () => queue.release(-1, 'k'),
          () => queue.release(NOW, 'k', ''),
          () => all(queue.jobs('')),
          () => buckets.take('', NOW, limits),
          () => buckets.take('k', 1.5, limits),
          () => buckets.take('k', NOW, { ...limits, perSecond: 0 }),
          () => buckets.take('k', NOW, { ...limits, perDay: 1.5 }),
          () => values.get(''),
          () => values.set('v', undefined, 0),
          () => values.set('v', 1, -1),
          () => store.records.get('', 'k'),
          () => store.records.list('c', { after: '' }),
          () => store.records.list('c', { limit: 0 }),
          () => store.records.write({ collection: 'c', key: 'k', value: 1 }, { collection: '', key: 'k' }),
          () => store.records.write({ collection: 'c', key: 'k', value: 1n }),
          () => store.lockRun('\0'),
        ];
        for (const act of wrong) expect(await codeOf(act()), String(act)).to.equal('OPTION_INVALID');
        expect(await all(journal.read('r'))).to.deep.equal([]);
        expect(await all(queue.jobs())).to.deep.equal([]);
        expect(await values.get('v')).to.equal(undefined);
        expect(await store.records.list('c')).to.deep.equal([]);
        expect(await codeOf(queue.complete(1, NOW))).to.equal('LEASE_LOST');
      }));

    it('says that it is closed, as often as it is asked', () =>
      withStore(async (_, store) => {
        await store.close();
        await store.close();
        const calls = [
          store.journal.append('r', 1),
          all(store.journal.read('r')),
          store.queue.claim('w', 1, NOW),
          all(store.queue.jobs()),
          store.buckets.take('k', NOW, { perSecond: 1, perDay: 1 }),
          store.values.get('v'),
          store.records.get('c', 'k'),
          store.records.write(),
        ];
        for (const call of calls) expect(await codeOf(call)).to.equal('OPTION_INVALID');
      }));
  });
}

/** What is known of the queue: the oracle, which has no lanes and no index. */
interface Model {
  now: number;
  readonly jobs: ModelJob[];
  /** All tokens ever given, and which job each was for. */
  readonly tokens: { readonly token: number; readonly job: ModelJob }[];
  /** From when on the first job of a key may be claimed. */
  readonly ready: Map<string, number>;
}

interface ModelJob {
  readonly id: string;
  readonly key: string;
  state: JobState;
  token: number | undefined;
  worker: string | undefined;
  attempts: number;
  reason: string | undefined;
  result: unknown;
}

type Command = fc.AsyncCommand<Model, StoreUnderTest>;

const isOpen = ({ state }: ModelJob) => state === 'waiting' || state === 'leased';

/** Of each key the first job that has not ended. */
function heads(model: Model): ModelJob[] {
  return model.jobs.filter(
    (job, index) =>
      isOpen(job) && !model.jobs.slice(0, index).some((other) => other.key === job.key && isOpen(other)),
  );
}

function end(model: Model, job: ModelJob, state: JobState) {
  Object.assign(job, { state, token: undefined, worker: undefined });
  model.ready.set(job.key, state === 'waiting' ? NaN : model.now);
}

function command(
  text: string,
  run: (model: Model, store: Store, under: StoreUnderTest) => Promise<void>,
  way = 0,
): Command {
  return {
    check: () => true,
    run: (model, under) => run(model, under.stores[way % under.stores.length]!, under),
    toString: () => text,
  };
}

function enqueue(key: string, ids: readonly number[], way: number): Command {
  return command(
    `enqueue(${key}, ${ids.join()})`,
    async (model, store) => {
      const news = ids.map((id) => ({ id: `job ${id}`, body: { of: id } }));
      const idle = !model.jobs.some((job) => job.key === key && isOpen(job));
      const before = model.jobs.length;
      for (const { id } of news) {
        if (model.jobs.some((job) => job.id === id)) continue;
        const unset = { token: undefined, worker: undefined, reason: undefined, result: undefined };
        model.jobs.push({ id, key, state: 'waiting', attempts: 0, ...unset });
      }
      if (idle) model.ready.set(key, 0);
      expect(await store.queue.enqueue(key, ...news)).to.equal(model.jobs.length - before);
    },
    way,
  );
}

function claim(worker: string, leaseMs: number, only: readonly string[] | undefined, way: number): Command {
  return command(
    `claim(${worker}, ${leaseMs}, ${only?.join('+') ?? 'all'})`,
    (model, store) => claimOne(model, store, worker, leaseMs, only).then(() => undefined),
    way,
  );
}

function release(keys: readonly string[], way: number): Command {
  return command(
    `release(${keys.join('+')})`,
    async (model, store) => {
      await store.queue.release(model.now, ...keys);
      for (const job of heads(model).filter(({ key }) => keys.includes(key))) {
        Object.assign(job, { state: 'waiting', token: undefined, worker: undefined });
        model.ready.set(job.key, Math.min(model.ready.get(job.key)!, model.now));
      }
    },
    way,
  );
}

async function claimOne(
  model: Model,
  store: Store,
  worker: string,
  leaseMs: number,
  only?: readonly string[],
) {
  const may = heads(model).filter(({ key }) => only?.includes(key) ?? true);
  const readyAt = (job: ModelJob) => model.ready.get(job.key)!;
  const earliest = Math.min(...may.map(readyAt));
  const claimed = await store.queue.claim(worker, leaseMs, model.now, { only });
  if (claimed.lease === undefined) {
    expect(claimed.readyAt).to.equal(may.length === 0 ? undefined : earliest);
    expect(earliest).to.be.greaterThan(model.now);
    return undefined;
  }
  const { id, key, body, token, attempt } = claimed.lease;
  const job = may.find((one) => one.id === id)!;
  expect(job, `${id} is the first of its key`).not.to.equal(undefined);
  expect(readyAt(job)).to.equal(earliest).and.at.most(model.now);
  expect({ key, body, attempt }).to.deep.equal({
    key: job.key,
    body: { of: Number(id.slice(4)) },
    attempt: job.attempts + 1,
  });
  expect(token).to.be.greaterThan(model.tokens.at(-1)?.token ?? 0);
  Object.assign(job, { state: 'leased', token, worker, attempts: attempt });
  model.tokens.push({ token, job });
  model.ready.set(key, model.now + leaseMs);
  return claimed.lease;
}

/** Something is done with one of the tokens that were ever given: it succeeds exactly when it is the job's last. */
function withToken(
  text: string,
  pick: number,
  way: number,
  act: (store: Store, token: number, now: number) => Promise<void>,
  then: (model: Model, job: ModelJob) => void,
): Command {
  return command(
    `${text} of #${pick}`,
    async (model, store) => {
      const given = model.tokens.at(-1 - (pick % Math.max(model.tokens.length, 1)));
      if (given === undefined) return;
      const outcome = await codeOf(act(store, given.token, model.now));
      const holds = given.job.token === given.token;
      expect(outcome).to.equal(holds ? 'no error' : 'LEASE_LOST');
      if (holds) then(model, given.job);
    },
    way,
  );
}

const key = fc.constantFrom('a', 'b', 'c');
const pick = fc.nat(3);
const way = fc.nat(3);
const span = fc.integer({ min: 1, max: 500 });

const COMMANDS: fc.Arbitrary<Command>[] = [
  fc.tuple(key, fc.array(fc.nat(60), { maxLength: 3 }), way).map((given) => enqueue(...given)),
  fc
    .tuple(
      fc.constantFrom('w1', 'w2', 'w3'),
      span,
      fc.option(fc.subarray(['a', 'b', 'c', 'none']), { nil: undefined, freq: 4 }),
      way,
    )
    .map((given) => claim(...given)),
  fc.tuple(pick, way, span).map(([token, at, leaseMs]) =>
    withToken(
      `heartbeat(${leaseMs})`,
      token,
      at,
      (store, held, now) => store.queue.heartbeat(held, leaseMs, now),
      (model, job) => model.ready.set(job.key, model.now + leaseMs),
    ),
  ),
  fc.tuple(pick, way, fc.option(fc.jsonValue(), { nil: undefined })).map(([token, at, result]) =>
    withToken(
      'complete',
      token,
      at,
      (store, held, now) => store.queue.complete(held, now, result),
      (model, job) => {
        job.result = result === undefined ? undefined : JSON.parse(JSON.stringify(result));
        end(model, job, 'done');
      },
    ),
  ),
  fc.tuple(pick, way, fc.option(span, { nil: undefined, freq: 2 })).map(([token, at, pause]) =>
    withToken(
      `fail(${pause})`,
      token,
      at,
      (store, held, now) =>
        store.queue.fail(held, now, {
          reason: `r${pause}`,
          retryAt: pause === undefined ? undefined : now + pause,
        }),
      (model, job) => {
        job.reason = `r${pause}`;
        end(model, job, pause === undefined ? 'failed' : 'waiting');
        if (pause !== undefined) model.ready.set(job.key, model.now + pause);
      },
    ),
  ),
  fc.tuple(fc.subarray(['a', 'b', 'c', 'none']), way).map(([keys, at]) => release(keys, at)),
  fc.nat(600).map((milliseconds) =>
    command(`pass(${milliseconds})`, (model) => {
      model.now += milliseconds;
      return Promise.resolve();
    }),
  ),
  fc.constant(command('reopen', async (_model, _store, under) => under.reopen?.())),
];

/** Ends all that is left, and looks at everything: nothing is lost, nothing ends twice, and keys keep their order. */
async function drain(model: Model, under: StoreUnderTest) {
  const store = under.stores.at(-1)!;
  const jobs = await all(store.queue.jobs());
  expect(jobs).to.deep.equal(
    model.jobs.map(({ id, key, state, worker, attempts, reason, result }): Job => {
      return { id, key, body: { of: Number(id.slice(4)) }, state, worker, attempts, reason, result };
    }),
  );
  model.now += 10_000;
  const left = model.jobs.filter(isOpen).map(({ id, key: of }) => ({ id, of }));
  const ended: typeof left = [];
  for (;;) {
    const lease = await claimOne(model, store, 'last', 1000);
    if (lease === undefined) break;
    await store.queue.complete(lease.token, model.now);
    end(
      model,
      model.jobs.find(({ id }) => id === lease.id)!,
      'done',
    );
    ended.push({ id: lease.id, of: lease.key });
  }
  for (const of of ['a', 'b', 'c']) {
    expect(ended.filter((one) => one.of === of)).to.deep.equal(left.filter((one) => one.of === of));
  }
}
