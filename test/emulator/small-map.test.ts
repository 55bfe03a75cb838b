import { expect } from 'chai';
import fc from 'fast-check';
import { SmallMap } from '../../src/emulator/small-map.js';

const key = fc.constantFrom('a', 'b', 'c', 'd');

describe('SmallMap', () => {
  it('does as a Map does, and never changes', () => {
    const step = fc.oneof(
      fc.record({ with: fc.array(fc.tuple(key, fc.nat(3)), { maxLength: 4 }) }),
      fc.record({ without: fc.array(key, { maxLength: 3 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        let small = SmallMap.empty<string, number>();
        const map = new Map<string, number>();
        for (const one of steps) {
          const [before, entries] = [small, [...small]];
          if ('with' in one) {
            small = small.with(one.with);
            for (const [name, value] of one.with) map.set(name, value);
          } else {
            small = small.without(one.without);
            for (const name of one.without) map.delete(name);
          }
          expect([...before]).to.deep.equal(entries);
          expect([...small]).to.deep.equal([...map]);
          const keys = 'with' in one ? one.with.map(([name]) => name) : one.without;
          const same = JSON.stringify(entries) === JSON.stringify([...small]);
          if (same && new Set(keys).size === keys.length) expect(small).to.equal(before);
          expect(small.size).to.equal(map.size);
          expect([...small.keys()]).to.deep.equal([...map.keys()]);
          expect([...small.values()]).to.deep.equal([...map.values()]);
          expect([...small.entries()]).to.deep.equal([...map.entries()]);
          const visited: [string, number][] = [];
          small.forEach((value, name, self) => {
            expect(self).to.equal(small);
            visited.push([name, value]);
          });
          expect(visited).to.deep.equal([...map]);
          for (const name of ['a', 'b', 'c', 'd', 'e']) {
            expect(small.get(name)).to.equal(map.get(name));
            expect(small.has(name)).to.equal(map.has(name));
          }
        }
      }),
    );
  });
});
