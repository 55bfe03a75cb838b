import { expect } from 'chai';
import fc from 'fast-check';
import { steadyClock } from '../src/clock.js';
import { leapingClock } from './support/leaping-clock.js';

describe('steadyClock', () => {
  it('never goes back, takes what is slept, and else goes on as the clock it is given', async () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ pass: fc.integer({ min: -10_000_000, max: 10_000_000 }) }),
        fc.record({ sleep: fc.nat(100_000), meanwhile: fc.constantFrom(0, 0, -5_000, -10_000_000, 7_000) }),
      ),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (course) => {
        const given = leapingClock();
        let meanwhile = 0;
        const steady = steadyClock({
          now: () => given.now(),
          sleep: async (milliseconds) => {
            await given.sleep(milliseconds);
            given.pass(meanwhile);
          },
        });
        let expected = steady.now();
        expect(expected).to.equal(given.now());
        for (const step of course) {
          if ('pass' in step) {
            given.pass(step.pass);
            expected += Math.max(0, step.pass);
          } else {
            meanwhile = step.meanwhile;
            await steady.sleep(step.sleep);
            expected += step.sleep + Math.max(0, meanwhile);
          }
          expect(steady.now()).to.equal(expected);
        }
      }),
    );
  });

  it('hands the signal on', async () => {
    const reason = new Error('enough');
    const outcome: unknown = await steadyClock(leapingClock())
      .sleep(1, AbortSignal.abort(reason))
      .catch((error: unknown) => error);
    expect(outcome).to.equal(reason);
  });
});
