import { expect } from 'chai';
import fc from 'fast-check';
import { pathMatcher } from '../../src/inspect/path-pattern.js';

const matches = (pattern: string, resource: string) =>
  pathMatcher(pattern)({ path: `/ws/customers/joe/${resource}`, resource });

describe('pathMatcher', () => {
  it('says what the regular expression of the pattern says', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'B', '/', '.', '*', '**'), maxLength: 6 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (pattern, text) => {
        fc.pre(!pattern.startsWith('/'));
        const source = pattern
          .replaceAll('.', '\\.')
          .replace(/\*\*?/g, (stars) => (stars === '*' ? '[^/]*' : '.*'));
        expect(matches(pattern, text)).to.equal(new RegExp(`^${source}$`, 'i').test(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes the whole path with a slash in front, else what is below the account', () => {
    expect(matches('/ws/customers/*/lists', 'lists')).to.equal(true);
    expect(matches('/lists', 'lists')).to.equal(false);
    expect(matches('lists/*', 'lists')).to.equal(false);
    expect(pathMatcher('**')({ path: '/v2' })).to.equal(false);
    expect(matches('(activities|*+', 'activities')).to.equal(false);
  });

  it('comes to an end with any number of stars', () => {
    expect(matches(`${'**a'.repeat(60)}x`, 'a'.repeat(5_000))).to.equal(false);
    expect(matches(`${'**'.repeat(60)}x`, `${'a/'.repeat(2_000)}x`)).to.equal(true);
  });
});
