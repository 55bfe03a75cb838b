import { expect } from 'chai';
import { CALL_WINDOW } from '../../src/http/quota.js';
import fc from 'fast-check';
import { TransportError, UsageError } from '../../src/activity/errors.js';
import { telling } from '../../src/http/agents.js';
import { createLimiter, inTurns } from '../../src/http/limiter.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { bytesBody } from '../../src/format/body.js';
import { createTransport } from '../../src/http/transport.js';
import { mostWithin } from '../support/most-within.js';
import { leapingClock } from '../support/leaping-clock.js';
import { closeServers, httpServer, rejection, thrown } from './loopback.js';

const DAY = 86_400_000;

describe('a limiter', () => {
  it('lets calls go in their order, as early as any second allows and no earlier', async () => {
    const batches = fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 9 })), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(batches, fc.integer({ min: 1, max: 6 }), async (arrivals, perSecond) => {
        const clock = leapingClock();
        const limiter = createLimiter({ perSecond, clock });
        const gone: { call: number; at: number }[] = [];
        const expected: { call: number; at: number }[] = [];
        let call = 0;
        for (const [gap, count] of arrivals) {
          clock.pass(gap);
          const now = clock.now();
          const turns: Promise<void>[] = [];
          for (let index = 0; index < count; index++) {
            const mine = call++;
            turns.push(limiter.take().then(() => void gone.push({ call: mine, at: clock.now() })));
            const before = expected.at(-1)?.at ?? -Infinity;
            const window = (expected.at(-perSecond)?.at ?? -Infinity) + CALL_WINDOW;
            expected.push({ call: mine, at: Math.max(now, before, window) });
          }
          await Promise.all(turns);
        }
        expect(gone).to.deep.equal(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('has no more calls in any second than that as they leave, however late after their turn, and forgets none', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ gap: fc.nat(600), connecting: fc.nat(3_000) }), { maxLength: 20, size: 'max' }),
        fc.integer({ min: 1, max: 4 }),
        async (calls, perSecond) => {
          const clock = createVirtualClock();
          const limiter = createLimiter({ perSecond, clock });
          const left: number[] = [];
          let asked = 0;
          const all = calls.map(async ({ gap, connecting }) => {
            await clock.sleep((asked += gap));
            const hasLeft = await limiter.begin();
            await clock.sleep(connecting);
            left.push(clock.now());
            hasLeft();
            // Once more is not counted.
            hasLeft();
          });
          // Whoever need not wait before the first step.
          await new Promise(setImmediate);
          await clock.advance('1h');
          await Promise.all(all);
          expect(mostWithin(left, CALL_WINDOW)).to.be.at.most(perSecond);
          expect(left).to.have.length(calls.length);
        },
      ),
      { numRuns: 40 },
    ));

  it('holds no room for a call that was aborted while it waited for others to leave', async () => {
    const limiter = createLimiter({ perSecond: 1, clock: leapingClock() });
    const hasLeft = await limiter.begin();
    const controller = new AbortController();
    const aborted = rejection(limiter.begin(controller.signal));
    const next = limiter.begin();
    await new Promise(setImmediate);
    controller.abort();
    expect(await aborted).to.include({ code: 'ABORTED', sent: 'no' });
    hasLeft();
    (await next)();
    await limiter.take();
  });

  it('gives back what was let go just as the call was aborted', async () => {
    const controller = new AbortController();
    let given = 0;
    const limiter = inTurns(() => {
      controller.abort();
      return Promise.resolve(() => {
        given++;
      });
    });
    expect(await rejection(limiter.begin(controller.signal))).to.include({ code: 'ABORTED' });
    await new Promise(setImmediate);
    expect(given).to.equal(1);
  });

  it('ends the day’s calls with an error that says when there are more', async () => {
    const clock = leapingClock(Date.UTC(2011, 2, 1, 23, 59, 50));
    const limiter = createLimiter({ perSecond: 10, perDay: 3, clock });
    for (let call = 0; call < 3; call++) await limiter.take();
    const error = (await rejection(limiter.take())) as TransportError;
    expect(error).to.be.instanceOf(TransportError).and.include({ code: 'RATE_LIMITED', sent: 'no' });
    expect(error.retryAt).to.deep.equal(new Date(Date.UTC(2011, 2, 2)));
    expect(error.message).to.include('2011-03-02T00:00:00.000Z');
    clock.pass(10_000);
    await limiter.take();
  });

  it('without a limit a day has none', async () => {
    const limiter = createLimiter({ perSecond: 1_000_000, perDay: Infinity, clock: leapingClock() });
    for (let call = 0; call < 20_000; call++) await limiter.take();
  });

  it('is left at once by a call that is aborted, which then does not count', async () => {
    let wake: () => void = () => undefined;
    let slept = 0;
    const clock = {
      now: () => 0,
      sleep: (_: number, signal?: AbortSignal) =>
        new Promise<void>((resolve, reject) => {
          slept++;
          wake = resolve;
          signal?.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
        }),
    };
    const limiter = createLimiter({ perSecond: 1, perDay: 3, clock });
    await limiter.take();
    const [pausing, queued] = [new AbortController(), new AbortController()];
    const aborted = [limiter.take(pausing.signal), limiter.take(queued.signal)].map(rejection);
    const patient = limiter.take();
    queued.abort();
    expect(await aborted[1]).to.include({ code: 'ABORTED', sent: 'no' });
    expect(slept).to.equal(1);
    pausing.abort();
    expect(await aborted[0]).to.include({ code: 'ABORTED', sent: 'no' });
    await new Promise(setImmediate);
    wake();
    await patient;
    expect(await rejection(limiter.take(AbortSignal.abort()))).to.include({ code: 'ABORTED' });
    const third = limiter.take();
    await new Promise(setImmediate);
    wake();
    await third;
    expect((await rejection(limiter.take())).code).to.equal('RATE_LIMITED');
  });

  it('counts no call that was aborted on a clock that heeds no signal', async () => {
    const clock = leapingClock();
    const controller = new AbortController();
    const deaf = {
      now: () => clock.now(),
      sleep: (milliseconds: number) => {
        controller.abort();
        return clock.sleep(milliseconds);
      },
    };
    const limiter = createLimiter({ perSecond: 1, perDay: 2, clock: deaf });
    await limiter.take();
    expect((await rejection(limiter.take(controller.signal))).code).to.equal('ABORTED');
    await limiter.take();
    expect((await rejection(limiter.take())).code).to.equal('RATE_LIMITED');
  });

  it('never waits longer than a second for a clock that was set back', async () => {
    const clock = leapingClock();
    const limiter = createLimiter({ perSecond: 1, clock });
    await limiter.take();
    clock.pass(-DAY / 2);
    await limiter.take();
    expect(clock.sleeps).to.deep.equal([CALL_WINDOW]);
  });

  it('refuses limits that are none', () => {
    for (const options of [
      { perSecond: 0 },
      { perSecond: 1.5 },
      { perSecond: NaN },
      { perDay: 0 },
      { perDay: -1 },
    ]) {
      expect(thrown(() => createLimiter(options))).to.be.instanceOf(UsageError);
    }
  });
});

describe('a transport', () => {
  const far = new URL('https://api.constantcontact.com/');
  const near = new URL('http://127.0.0.1:40000/');
  const answer = () => Promise.resolve(new Response('x'));
  const refuse = () => Promise.reject(new TypeError('fetch failed'));
  after(closeServers);

  async function sleepsOf(base: URL, options: object, calls = 5, clock = leapingClock()): Promise<number[]> {
    const transport = createTransport({ base, clock, ...options });
    const original = globalThis.fetch;
    globalThis.fetch = answer;
    try {
      for (let call = 0; call < calls; call++) await transport({ method: 'GET', url: base });
    } finally {
      globalThis.fetch = original;
    }
    return clock.sleeps;
  }

  it('makes four calls a second over the network, and any number on this machine or by a fetch of the caller’s', async () => {
    expect(await sleepsOf(far, {})).to.deep.equal([CALL_WINDOW]);
    expect(await sleepsOf(far, { limiter: false })).to.deep.equal([]);
    expect(await sleepsOf(near, {})).to.deep.equal([]);
    expect(await sleepsOf(far, { fetch: answer })).to.deep.equal([]);
  });

  it('keeps to a limiter that it is given, everywhere, and shares it', async () => {
    const clock = leapingClock();
    const limiter = createLimiter({ perSecond: 1, clock });
    expect(await sleepsOf(near, { limiter }, 2, clock)).to.deep.equal([CALL_WINDOW]);
    expect(await sleepsOf(far, { limiter, fetch: answer }, 1, clock)).to.deep.equal([
      CALL_WINDOW,
      CALL_WINDOW,
    ]);
  });

  it('counts each redirect as the call it is', async () => {
    let calls = 0;
    const fetch = () =>
      Promise.resolve(
        ++calls < 3 ? new Response(null, { status: 302, headers: { location: '/next' } }) : new Response('x'),
      );
    const clock = leapingClock();
    const limiter = createLimiter({ perSecond: 2, clock });
    await createTransport({ base: far, fetch, limiter, clock })({ method: 'GET', url: far });
    expect(clock.sleeps).to.deep.equal([CALL_WINDOW]);
  });

  it('tells its limiter when a call is on its way, before it is answered, and when it has failed', async () => {
    const calls: Promise<void>[] = [];
    const limiter = {
      take: () => Promise.reject(new Error('take was called')),
      begin: () =>
        new Promise<() => void>((resolve) => {
          calls.push(new Promise<void>(resolve));
        }),
    };
    const base = await httpServer((request, response) => {
      request.resume();
      void calls.at(-1)?.then(() => response.end('x'));
    });
    const body = bytesBody('text/plain', new Uint8Array(200_000));
    const transport = createTransport({ base, limiter, retry: false });
    await (await transport({ method: 'GET', url: base })).bytes();
    await (await transport({ method: 'POST', url: base, body })).bytes();
    await closeServers();
    await rejection(transport({ method: 'GET', url: base }));
    await createTransport({ base: far, limiter, fetch: answer })({ method: 'GET', url: far });
    await rejection(
      createTransport({ base: far, limiter, retry: false, fetch: refuse })({ method: 'GET', url: far }),
    );
    expect(calls).to.have.length(5);
    await Promise.all(calls);
  });

  it('counts a call from when it is handed on, where nothing tells when it leaves', () => {
    const seen: unknown[] = [];
    const dispatcher = { dispatch: (...args: unknown[]) => seen.push(...args) > 0 };
    const [options, handler] = [{ method: 'GET', path: '/' } as const, {}];
    let left = 0;
    telling(dispatcher, () => (left += 1)).dispatch(options, handler);
    expect(left).to.equal(1);
    expect(seen).to.deep.equal([options, handler]);
  });

  it('sends nothing when its turn comes after its time', async () => {
    const clock = leapingClock();
    const limiter = createLimiter({ perSecond: 1, clock });
    const fetch = () => Promise.reject(new Error('fetch was called'));
    await limiter.take();
    const transport = createTransport({ base: far, fetch, limiter, clock, timeouts: { total: 500 } });
    const error = await rejection(transport({ method: 'GET', url: far }));
    expect(error).to.include({ code: 'TIMED_OUT', sent: 'no' });
    expect(error.message).to.include('longer than 500 ms before it was its turn');
  });
});
