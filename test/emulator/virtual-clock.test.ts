import { expect } from 'chai';
import fc from 'fast-check';
import { UsageError } from '../../src/activity/errors.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';

describe('createVirtualClock', () => {
  it('wakes sleepers at the time they asked for, in order of time, and nobody too early', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 12 }),
        fc.array(fc.nat(200), { maxLength: 4 }),
        async (sleeps, advances) => {
          const clock = createVirtualClock({ now: 1000 });
          const woken: { due: number; at: number; place: number }[] = [];
          sleeps.forEach((time, place) => {
            void clock.sleep(time).then(() => woken.push({ due: 1000 + time, at: clock.now(), place }));
          });
          for (const time of advances) await clock.advance(time);
          const end = 1000 + advances.reduce((sum, time) => sum + time, 0);
          expect(clock.now()).to.equal(end);
          const expected = sleeps
            .map((time, place) => ({ due: 1000 + time, at: 1000 + time, place }))
            .filter(({ due }) => due <= end)
            .sort((a, b) => a.due - b.due || a.place - b.place);
          expect(woken).to.deep.equal(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('lets code that polls run its whole course within one advance', async () => {
    const clock = createVirtualClock({ now: 0 });
    const polls: number[] = [];
    const poll = async () => {
      while (polls.length < 5) {
        await clock.sleep(1000);
        polls.push(clock.now());
      }
    };
    void poll();
    await clock.advance('1m');
    expect(polls).to.deep.equal([1000, 2000, 3000, 4000, 5000]);
    expect(clock.now()).to.equal(60_000);
  });

  it('reads times with units', async () => {
    for (const [text, milliseconds] of [
      ['0ms', 0],
      ['250ms', 250],
      ['30s', 30_000],
      ['1.5s', 1500],
      ['5m', 300_000],
      ['2h', 7_200_000],
      ['1d', 86_400_000],
      ['5 m', 300_000],
    ] as const) {
      const clock = createVirtualClock({ now: 0 });
      await clock.advance(text);
      expect(clock.now(), text).to.equal(milliseconds);
    }
  });

  it('refuses what is no time', async () => {
    const clock = createVirtualClock();
    for (const time of [-1, NaN, Infinity, '', '5', '5 minutes', '-5m', 'm']) {
      const error = await clock.advance(time).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error, String(time)).to.be.instanceOf(UsageError);
    }
    expect(() => createVirtualClock({ now: 'yesterday' })).to.throw(UsageError, 'yesterday');
  });

  it('stays within the times that can be written', async () => {
    const clock = createVirtualClock();
    const start = clock.now();
    for (const move of [
      () => clock.advance('999999999d'),
      () => clock.advance(1e300),
      () => clock.advance(Date.parse('9999-12-31T23:59:59.999Z') - start + 1),
      () => clock.set(9e15),
      () => clock.set('+010000-01-01T00:00:00Z'),
      () => clock.set('-000001-12-31T23:59:59Z'),
    ]) {
      const error = await move().catch((reason: unknown) => reason);
      expect(error, String(move)).to.be.instanceOf(UsageError);
      expect(clock.now()).to.equal(start);
    }
    await clock.set('9999-12-31T23:59:59.999Z');
    expect(new Date(clock.now()).toISOString()).to.equal('9999-12-31T23:59:59.999Z');
  });

  it('starts where it is told, by default on the day of the samples', () => {
    expect(createVirtualClock().now()).to.equal(Date.parse('2008-04-29T19:30:00.000Z'));
    expect(createVirtualClock({ now: '2026-01-02T03:04:05Z' }).now()).to.equal(Date.UTC(2026, 0, 2, 3, 4, 5));
    expect(createVirtualClock({ now: new Date(5) }).now()).to.equal(5);
  });

  it('does not sleep for nothing, and ends a sleep when its signal aborts', async () => {
    const clock = createVirtualClock();
    await clock.sleep(0);
    await clock.sleep(-5);
    const controller = new AbortController();
    const reason = new Error('enough');
    const sleeping = clock.sleep(1000, controller.signal).catch((error: unknown) => error);
    controller.abort(reason);
    expect(await sleeping).to.equal(reason);
    expect(await clock.sleep(1000, controller.signal).catch((error: unknown) => error)).to.equal(reason);
    expect(await clock.sleep(1000, AbortSignal.abort('text')).catch(String)).to.equal('Error: text');
    const unaborted = clock.sleep(1000, new AbortController().signal);
    await clock.advance(1000);
    await unaborted;
  });

  it('is set onwards as it is advanced, and back without waking anybody', async () => {
    const clock = createVirtualClock({ now: 1000 });
    const woken: number[] = [];
    void clock.sleep(500).then(() => woken.push(clock.now()));
    await clock.set(1200);
    await clock.set('1970-01-01T00:00:00.700Z');
    expect([clock.now(), woken]).to.deep.equal([700, []]);
    await clock.set(new Date(2000));
    expect([clock.now(), woken]).to.deep.equal([2000, [1500]]);
    const error: unknown = await clock.set('tomorrow').catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(UsageError);
  });

  it('runs as its source does, can be moved all the while, and stands still when frozen', async () => {
    const source = createVirtualClock({ now: 5 });
    const clock = createVirtualClock({ now: 1000, running: true, source });
    expect(clock.running).to.equal(true);
    await source.advance(100);
    expect(clock.now()).to.equal(1100);
    await clock.advance('1m');
    await source.advance(10);
    expect(clock.now()).to.equal(61_110);
    clock.freeze();
    expect(clock.running).to.equal(false);
    await source.advance(500);
    expect(clock.now()).to.equal(61_110);
    clock.run();
    await source.advance(1);
    expect(clock.now()).to.equal(61_111);
    await source.set(0);
    expect(clock.now()).to.equal(61_110);
  });

  it('wakes sleepers while it runs, at their time, and none while it is frozen', async () => {
    const source = createVirtualClock({ now: 0 });
    const clock = createVirtualClock({ now: 0, source });
    const woken: [string, number][] = [];
    const sleep = (name: string, time: number, signal?: AbortSignal) =>
      clock.sleep(time, signal).then(
        () => woken.push([name, clock.now()]),
        () => woken.push([`${name} stopped`, clock.now()]),
      );
    const controller = new AbortController();
    void sleep('late', 300);
    void sleep('soon', 100);
    void sleep('stopped', 50, controller.signal);
    clock.run();
    controller.abort();
    await new Promise(setImmediate);
    await source.advance(200);
    expect(woken).to.deep.equal([
      ['stopped stopped', 0],
      ['soon', 100],
    ]);
    clock.freeze();
    await source.advance(1000);
    expect(woken).to.have.length(2);
    clock.run();
    await source.advance(100);
    expect(woken.at(-1)).to.deep.equal(['late', 300]);
  });
});
