import { expect } from 'chai';
import fc from 'fast-check';
import { createSkippingClock } from './skipping-clock.js';

describe('createSkippingClock', () => {
  it('wakes every sleeper at its time or later, never goes back, and lets events happen in their order before', async () => {
    const times = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(times, times, async (sleeps, events) => {
        const clock = createSkippingClock(5);
        const happened: number[] = [];
        for (const time of events) {
          clock.at(5 + time, () => Promise.resolve(void happened.push(time)));
        }
        let latest = 0;
        await Promise.all(
          sleeps.map(async (milliseconds) => {
            await clock.sleep(milliseconds);
            expect(clock.now())
              .to.be.at.least(5 + milliseconds)
              .and.at.least(latest);
            latest = clock.now();
            expect(happened).to.include.members(events.filter((time) => time <= milliseconds));
          }),
        );
        await clock.finish();
        expect([...happened].sort((a, b) => a - b)).to.deep.equal([...events].sort((a, b) => a - b));
        if (sleeps.length === 0) expect(happened).to.deep.equal([...happened].sort((a, b) => a - b));
      }),
    );
  });

  it('ends a sleep whose signal aborts, before or while it waits', async () => {
    const clock = createSkippingClock(0);
    const controller = new AbortController();
    const reason = new Error('enough');
    const sleeping = clock.sleep(10, controller.signal).catch((error: unknown) => error);
    controller.abort(reason);
    expect(await sleeping).to.equal(reason);
    expect(await clock.sleep(10, controller.signal).catch((error: unknown) => error)).to.equal(reason);
  });
});
