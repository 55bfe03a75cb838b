import { expect } from 'chai';
import fc from 'fast-check';
import { activityIds } from '../../src/emulator/ids.js';
import { seededRandom } from '../../src/emulator/random.js';

describe('emulator ids', () => {
  it('are unique, grow, are lower-case, and end in the insert time', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.nat(100_000), { maxLength: 200 }), (seed, steps) => {
        const next = activityIds(seededRandom(seed));
        let time = Date.parse('2008-04-29T19:30:00Z');
        let last = '';
        for (const step of steps) {
          time += step;
          const id = next(time);
          expect(id).to.match(/^a07e1[0-9a-z]{14}$/);
          expect(id > last, `${id} > ${last}`).to.equal(true);
          expect(parseInt(id.slice(-8), 36)).to.equal(time);
          last = id;
        }
      }),
    );
  });

  it('have the shape of the documented ones, whose last eight digits are the insert time', () => {
    for (const [id, insertTime] of [
      ['a07e1ffaxjyffmvqgiz', '2008-04-29T19:35:54.923Z'],
      ['a07e1gpfcd3fhysynnp', '2008-06-27T13:10:57.349Z'],
    ] as const) {
      const made = activityIds(seededRandom(1))(Date.parse(insertTime));
      expect(made.slice(-8)).to.equal(id.slice(-8));
      expect(made).to.have.length(id.length);
    }
  });

  it('stay in shape when the clock stands before 1970 or far ahead', () => {
    const next = activityIds(seededRandom(1));
    expect(next(-5)).to.match(/^a07e1[0-9a-z]{6}00000000$/);
    expect(next(1e15)).to.match(/^a07e1[0-9a-z]{6}zzzzzzzz$/);
  });
});

describe('seededRandom', () => {
  it('is the same for the same seed and name, and another for another', () => {
    const draw = (seed: number, name?: string) => {
      const random = seededRandom(seed, name);
      return Array.from({ length: 5 }, random);
    };
    expect(draw(7, 'joesflowers')).to.deep.equal(draw(7, 'joesflowers'));
    expect(draw(7, 'joesflowers')).not.to.deep.equal(draw(8, 'joesflowers'));
    expect(draw(7, 'joesflowers')).not.to.deep.equal(draw(7, 'annsflowers'));
  });

  it('stays in [0, 1) and spreads over it evenly', () => {
    const random = seededRandom(1);
    const tenths = new Array<number>(10).fill(0);
    for (let count = 0; count < 10_000; count++) {
      const value = random();
      expect(value >= 0 && value < 1).to.equal(true);
      tenths[Math.floor(value * 10)]! += 1;
    }
    for (const count of tenths) expect(count).to.be.within(900, 1100);
  });
});
