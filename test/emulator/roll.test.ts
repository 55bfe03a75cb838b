import { expect } from 'chai';
import fc from 'fast-check';
import { Roll } from '../../src/emulator/roll.js';

describe('Roll', () => {
  it('does as a sorted Set of numbers does', () => {
    const number = fc.oneof(fc.nat(70), fc.nat(5000), fc.constantFrom(0, 31, 32, 63, 64, 127, 128));
    fc.assert(
      fc.property(fc.array(fc.tuple(number, fc.boolean()), { maxLength: 60 }), number, (steps, after) => {
        const roll = new Roll();
        const set = new Set<number>();
        for (const [one, adds] of steps) {
          expect(adds ? roll.add(one) : roll.delete(one)).to.equal(adds ? !set.has(one) : set.has(one));
          if (adds) set.add(one);
          else set.delete(one);
          expect(roll.has(one)).to.equal(adds);
        }
        expect(roll.size).to.equal(set.size);
        const sorted = [...set].sort((a, b) => a - b);
        expect([...roll.after(-1)]).to.deep.equal(sorted);
        expect([...roll.after(after)]).to.deep.equal(sorted.filter((one) => one > after));
      }),
      { numRuns: 300 },
    );
  });

  it('may change while it is walked', () => {
    const roll = new Roll();
    for (const one of [1, 2, 3, 40]) roll.add(one);
    const walked: number[] = [];
    for (const one of roll.after(0)) {
      walked.push(one);
      roll.delete(one);
      if (one === 1) roll.delete(2);
      if (one === 3) roll.add(200);
    }
    expect(walked).to.deep.equal([1, 3, 40, 200]);
    expect(roll.size).to.equal(0);
  });
});
