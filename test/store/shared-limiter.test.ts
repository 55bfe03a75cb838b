import { expect } from 'chai';
import { CALL_WINDOW } from '../../src/http/quota.js';
import fc from 'fast-check';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CtctError, TransportError } from '../../src/activity/errors.js';
import { memoryStore } from '../../src/store/memory.js';
import { sharedLimiter } from '../../src/store/shared-limiter.js';
import { openStore } from '../../src/store/sqlite.js';
import type { Buckets } from '../../src/store/store.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { mostWithin } from '../support/most-within.js';
import { leapingClock } from '../support/leaping-clock.js';

async function failure(act: Promise<unknown>): Promise<CtctError> {
  const error: unknown = await act.then(
    () => 'no error',
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(CtctError);
  return error as CtctError;
}

describe('sharedLimiter', () => {
  it('keeps the calls of all who share it within the limits, each one’s in their order', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 0, max: 600 })), { maxLength: 30, size: 'max' }),
        fc.integer({ min: 1, max: 4 }),
        async (calls, perSecond) => {
          const { buckets } = memoryStore();
          const clock = leapingClock();
          const granted: number[] = [];
          const watched: Buckets = {
            async take(key, now, limits) {
              const taken = await buckets.take(key, now, limits);
              if (taken.go) granted.push(now);
              return taken;
            },
          };
          const limiters = [0, 1, 2].map(() => sharedLimiter(watched, 'key', { perSecond, clock }));
          const gone: { call: number; who: number; at: number }[] = [];
          const turns: Promise<void>[] = [];
          for (const [call, [who, gap]] of calls.entries()) {
            clock.pass(gap);
            turns.push(limiters[who]!.take().then(() => void gone.push({ call, who, at: clock.now() })));
          }
          await Promise.all(turns);
          expect(gone).to.have.length(calls.length);
          for (const who of [0, 1, 2]) {
            const mine = gone.filter((one) => one.who === who).map(({ call }) => call);
            expect(mine).to.deep.equal([...mine].sort((a, b) => a - b));
          }
          expect(granted).to.have.length(calls.length);
          granted.sort((a, b) => a - b);
          for (let index = perSecond; index < granted.length; index++) {
            expect(granted[index]! - granted[index - perSecond]!).to.be.at.least(1000);
          }
        },
      ),
      { numRuns: 60 },
    ));

  it('keeps the calls of a process within the limits as they leave, however late the store answers', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ gap: fc.nat(600), answered: fc.nat(1_500), connecting: fc.nat(400) }), {
          maxLength: 20,
          size: 'max',
        }),
        fc.integer({ min: 1, max: 4 }),
        async (calls, perSecond) => {
          const clock = createVirtualClock();
          const { buckets } = memoryStore();
          const delays = calls.map(({ answered }) => answered);
          const late: Buckets = {
            async take(...args) {
              const taken = await buckets.take(...args);
              await clock.sleep(delays.shift() ?? 0);
              return taken;
            },
          };
          const limiter = sharedLimiter(late, 'key', { perSecond, clock });
          const left: number[] = [];
          let asked = 0;
          const all = calls.map(async ({ gap, connecting }, index) => {
            await clock.sleep((asked += gap));
            const hasLeft = index % 2 === 0 ? await limiter.begin() : await limiter.take();
            if (hasLeft !== undefined) await clock.sleep(connecting);
            left.push(clock.now());
            hasLeft?.();
          });
          // Whoever need not wait before the first step.
          await new Promise(setImmediate);
          await clock.advance('1h');
          await Promise.all(all);
          expect(left).to.have.length(calls.length);
          expect(mostWithin(left, CALL_WINDOW)).to.be.at.most(perSecond);
        },
      ),
      { numRuns: 40 },
    ));

  it('lets one call after another go as early as any second allows', async () => {
    const clock = leapingClock();
    const start = clock.now();
    const limiter = sharedLimiter(memoryStore().buckets, 'key', { clock });
    const gone: number[] = [];
    for (let call = 0; call < 9; call++) {
      await limiter.take();
      gone.push(clock.now() - start);
    }
    expect(gone).to.deep.equal([...[0, 0, 0, 0], ...Array<number>(4).fill(CALL_WINDOW), 2 * CALL_WINDOW]);
    expect(clock.sleeps).to.deep.equal([CALL_WINDOW, CALL_WINDOW]);
  });

  it('remembers the calls of the day over a restart, and says when there are more', async () => {
    const folder = await fs.mkdtemp(path.join(tmpdir(), 'ctct-store-'));
    const clock = leapingClock(Date.UTC(2011, 2, 1, 23, 59, 50));
    try {
      for (const calls of [2, 1]) {
        const store = await openStore(path.join(folder, 'state.db'));
        const limiter = sharedLimiter(store.buckets, 'key', { perDay: 3, clock });
        for (let call = 0; call < calls; call++) await limiter.take();
        await store.close();
      }
      const store = await openStore(path.join(folder, 'state.db'));
      const limiter = sharedLimiter(store.buckets, 'key', { perDay: 3, clock });
      const error = (await failure(limiter.take())) as TransportError;
      expect(error).to.be.instanceOf(TransportError).and.include({ code: 'RATE_LIMITED', sent: 'no' });
      expect(error.retryAt).to.deep.equal(new Date(Date.UTC(2011, 2, 2)));
      expect(error.message).to.include('2011-03-02T00:00:00.000Z');
      clock.pass(10_000);
      await limiter.take();
      await store.close();
    } finally {
      await fs.rm(folder, { recursive: true });
    }
  });

  it('counts no call that was aborted before its turn, and others go on', async () => {
    const clock = leapingClock();
    const { buckets } = memoryStore();
    const limiter = sharedLimiter(buckets, 'key', { perSecond: 1, perDay: 3, clock });
    await limiter.take();
    const controller = new AbortController();
    const [waiting, queued] = [
      failure(limiter.take(controller.signal)),
      failure(limiter.take(controller.signal)),
    ];
    const other = limiter.take();
    controller.abort();
    expect(await waiting).to.include({ code: 'ABORTED', sent: 'no' });
    expect(await queued).to.include({ code: 'ABORTED', sent: 'no' });
    await other;
    clock.pass(CALL_WINDOW);
    expect((await buckets.take('key', clock.now(), { perSecond: 1, perDay: 3 })).go).to.equal(true);
  });

  it('refuses limits that are none', async () => {
    const limiter = sharedLimiter(memoryStore().buckets, 'key', { perSecond: 0 });
    expect((await failure(limiter.take())).code).to.equal('OPTION_INVALID');
  });
});
