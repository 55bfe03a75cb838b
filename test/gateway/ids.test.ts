import { expect } from 'chai';
import fc from 'fast-check';
import { activityIds, firstIdOf, timeOfId } from '../../src/gateway/ids.js';

const time = fc.integer({ min: 0, max: 36 ** 8 - 10_000 });
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('activityIds', () => {
  it('makes ids that grow, whatever the clock does, also behind those of a process before', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(time, chance), { minLength: 2, maxLength: 30 }),
        fc.nat(28),
        (steps, restart) => {
          let random = 0;
          const made: string[] = [];
          let ids = activityIds(undefined, () => random);
          steps.forEach(([now, next], index) => {
            random = next;
            if (index === restart) ids = activityIds(made.at(-1), () => random);
            const id = ids.next(now);
            expect(id).to.match(/^a07e1[0-9a-z]{14}$/);
            expect(id > (made.at(-1) ?? '')).to.equal(true);
            expect(ids.last).to.equal(id);
            made.push(id);
          });
        },
      ),
    );
  });

  it('tells when an id was made, and which is the first of a time', () => {
    fc.assert(
      fc.property(time, time, chance, (made, asked, random) => {
        const id = activityIds(undefined, () => random).next(made);
        expect(timeOfId(id)).to.equal(made);
        expect(id >= firstIdOf(asked)).to.equal(made >= asked);
      }),
    );
  });
});
