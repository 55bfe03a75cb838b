import { expect } from 'chai';
import fc from 'fast-check';
import { UsageError } from '../../src/activity/errors.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { memoryStore } from '../../src/store/memory.js';
import type { Job, Lease, Queue } from '../../src/store/store.js';
import { workOn, type JobOutcome, type WorkOptions } from '../../src/store/work.js';
import { leapingClock } from '../support/leaping-clock.js';
import { runs } from '../support/runs.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const stop = () => {
      resolve();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });

async function all(jobs: AsyncIterable<Job>): Promise<Job[]> {
  const list: Job[] = [];
  for await (const job of jobs) list.push(job);
  return list;
}

async function queueOf(jobs: Readonly<Record<string, readonly string[]>>): Promise<Queue> {
  const { queue } = memoryStore();
  for (const [key, ids] of Object.entries(jobs)) {
    await queue.enqueue(key, ...ids.map((id) => ({ id, body: id })));
  }
  return queue;
}

describe('workOn', () => {
  it('does every job, those of a key one after another, never more at once than it may, whatever fails', async () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      takes: fc.nat(500),
      fails: fc.array(fc.option(fc.nat(2000), { nil: undefined }), { maxLength: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 20 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(undefined, 300, 5000),
        async (steps, jobs, leaseMs) => {
          const { queue } = memoryStore();
          for (const [index, { key }] of steps.entries())
            await queue.enqueue(key, { id: `${index}`, body: index });
          const clock = createVirtualClock();
          const inHand = new Set<string>();
          const tries = steps.map(() => 0);
          const ended: number[] = [];
          let most = 0;
          const handle = async ({ key, body }: Lease): Promise<JobOutcome> => {
            expect(inHand.has(key), 'two of a key').to.equal(false);
            inHand.add(key);
            most = Math.max(most, inHand.size);
            const at = Number(body);
            await clock.sleep(steps[at]!.takes);
            inHand.delete(key);
            const { fails } = steps[at]!;
            const attempt = tries[at]!++;
            if (attempt < fails.length) {
              const pause = fails[attempt];
              if (pause === undefined) ended.push(at);
              return { reason: 'x', ...(pause !== undefined && { retryAt: clock.now() + pause }) };
            }
            ended.push(at);
            return { result: at };
          };
          const over = new AbortController();
          const work = workOn(queue, { worker: 'w', handle, jobs, leaseMs, clock }).finally(() => {
            over.abort();
          });
          while (!over.signal.aborted) {
            for (let turns = 0; turns < 5; turns++) await turn();
            await clock.advance(100);
          }
          await work;
          expect(most).to.be.at.most(jobs);
          expect([...ended].sort((a, b) => a - b)).to.deep.equal(steps.map((_, index) => index));
          for (const key of ['a', 'b', 'c', 'd']) {
            const mine = ended.filter((at) => steps[at]!.key === key);
            expect(mine).to.deep.equal([...mine].sort((a, b) => a - b));
          }
          for (const [index, { state, result }] of (await all(queue.jobs())).entries()) {
            const failed = steps[index]!.fails.includes(undefined);
            expect([state, result]).to.deep.equal(failed ? ['failed', undefined] : ['done', index]);
          }
        },
      ),
      { numRuns: runs(60) },
    );
  });

  it('stops after the jobs in hand', async () => {
    const queue = await queueOf({ a: ['a1', 'a2'], b: ['b1'], c: ['c1'] });
    const stop = new AbortController();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const done: string[] = [];
    const work = workOn(queue, {
      worker: 'w',
      jobs: 2,
      signal: stop.signal,
      async handle({ id }, signal) {
        await held;
        expect(signal.aborted).to.equal(false);
        done.push(id);
        return {};
      },
    });
    await turn();
    stop.abort();
    await turn();
    release();
    await work;
    expect(done).to.deep.equal(['a1', 'b1']);
    expect((await all(queue.jobs())).map(({ state }) => state)).to.deep.equal([
      'done',
      'waiting',
      'done',
      'waiting',
    ]);
    await workOn(queue, { worker: 'w', signal: stop.signal, handle: () => Promise.resolve({}) });
    expect((await all(queue.jobs())).filter(({ state }) => state === 'done')).to.have.length(2);
  });

  it('works on the keys it is asked to, asked anew before each job', async () => {
    const queue = await queueOf({ a: ['a1'], b: ['b1'], c: ['c1'] });
    const done: string[] = [];
    let only = ['b'];
    await workOn(queue, {
      worker: 'w',
      only: () => only,
      handle: ({ id }) => {
        done.push(id);
        only = ['a'];
        return Promise.resolve({});
      },
    });
    expect(done).to.deep.equal(['b1', 'a1']);
    expect((await all(queue.jobs('c')))[0]).to.include({ state: 'waiting' });
  });

  it('renews its leases for as long as a job takes', async () => {
    const queue = await queueOf({ a: ['a1'] });
    const clock = createVirtualClock();
    const work = workOn(queue, {
      worker: 'w',
      leaseMs: 3000,
      clock,
      async handle(_lease, signal) {
        await clock.sleep(60_000, signal);
        return { result: 'long' };
      },
    });
    await turn();
    for (let second = 0; second < 59; second++) {
      await clock.advance(1000);
      expect((await queue.claim('other', 1000, clock.now())).lease).to.equal(undefined);
    }
    await clock.advance(1000);
    await work;
    expect((await all(queue.jobs()))[0]).to.include({ state: 'done', result: 'long', attempts: 1 });
  });

  it('leaves a job whose lease is lost, and what is made of it does not count', async () => {
    const queue = await queueOf({ a: ['a1', 'a2'] });
    const clock = createVirtualClock();
    const reasons: unknown[] = [];
    let others: Lease | undefined;
    const work = workOn(queue, {
      worker: 'w',
      leaseMs: 3000,
      clock,
      async handle({ id }, signal) {
        if (id === 'a2') return {};
        // Somebody is sure that this worker is dead.
        await queue.release(clock.now(), 'a');
        others = (await queue.claim('other', 10_000, clock.now())).lease;
        await clock.sleep(60_000, signal).catch((reason: unknown) => reasons.push(reason));
        return { result: 'mine' };
      },
    });
    await turn();
    await clock.advance(1000);
    expect(reasons).to.have.length(1);
    expect(reasons[0]).to.be.instanceOf(UsageError).and.include({ code: 'LEASE_LOST' });
    await queue.complete(others!.token, clock.now(), 'theirs');
    await clock.advance(10_000);
    await work;
    expect((await all(queue.jobs())).map(({ state, result }) => [state, result])).to.deep.equal([
      ['done', 'theirs'],
      ['done', undefined],
    ]);
  });

  it('never has two at a key, even when it was asleep for longer than its lease', async () => {
    const queue = await queueOf({ a: ['a1'], b: ['b1'] });
    // Heartbeats sleep through; only time passes.
    let now = 0;
    const clock = { now: () => now, sleep: () => new Promise<void>(() => undefined) };
    const begun: string[] = [];
    let release: () => void = () => undefined;
    let endOther: () => void = () => undefined;
    const work = workOn(queue, {
      worker: 'w',
      jobs: 2,
      leaseMs: 3000,
      clock,
      async handle({ id, attempt }, signal) {
        begun.push(`${id} ${attempt}`);
        if (id === 'b1') {
          await new Promise<void>((resolve) => (endOther = resolve));
          return {};
        }
        if (attempt > 1) return { result: 'second' };
        await new Promise<void>((resolve) => (release = resolve));
        expect(signal.aborted).to.equal(true);
        return { result: 'first' };
      },
    });
    await turn();
    expect(begun).to.deep.equal(['a1 1', 'b1 1']);
    now = 10_000;
    endOther();
    await turn();
    expect(begun, 'the first is still at it').to.have.length(2);
    release();
    await work;
    expect(begun.at(-1)).to.equal('a1 2');
    expect((await all(queue.jobs('a')))[0]).to.include({ state: 'done', result: 'second', attempts: 2 });
  });

  it('breaks off when a handler or the queue fails, once the jobs in hand have ended', async () => {
    const defect = new RangeError('a defect');
    const queue = await queueOf({ b: ['b1', 'b2'], a: ['a1'] });
    const log: string[] = [];
    const handle: WorkOptions['handle'] = async ({ id }, signal) => {
      await turn();
      if (id === 'a1') throw defect;
      await aborted(signal);
      log.push(`${id} ${String(signal.reason)}`);
      return {};
    };
    const broken = workOn(queue, { worker: 'w', jobs: 2, handle });
    expect(await broken.catch((error: unknown) => error)).to.equal(defect);
    expect(log).to.deep.equal(['b1 RangeError: a defect']);

    const full = new Error('the disk is full');
    for (const method of ['claim', 'complete'] as const) {
      const failing: Queue = { ...(await queueOf({ a: ['a1'] })), [method]: () => Promise.reject(full) };
      const work = workOn(failing, { worker: 'w', handle: () => Promise.resolve({}) });
      expect(await work.catch((error: unknown) => error), method).to.equal(full);
    }
    const beating: Queue = { ...(await queueOf({ a: ['a1'] })), heartbeat: () => Promise.reject(full) };
    const work = workOn(beating, {
      worker: 'w',
      leaseMs: 3000,
      clock: leapingClock(),
      handle: (_lease, signal) => aborted(signal).then(() => ({})),
    });
    expect(await work.catch((error: unknown) => error)).to.equal(full);
  });
});
