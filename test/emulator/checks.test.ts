import { expect } from 'chai';
import fc from 'fast-check';
import { isEmailAddress } from '../../src/emulator/address.js';
import { isStateOrProvince, isUsOrCanada } from '../../src/emulator/states.js';

describe('isEmailAddress', () => {
  it('takes ordinary addresses', () => {
    for (const address of [
      'wstest3@example.com',
      'Fred.Test+flowers@mail.example.com',
      "o'neill@example.com",
      'a@b.example',
      '_x-y_@1.example.com',
      'a@xn--bcher-kva.example.com',
      `${'a'.repeat(64)}@example.com`,
    ]) {
      expect(isEmailAddress(address), address).to.equal(true);
    }
  });

  it('refuses what is none', () => {
    for (const address of [
      '',
      '@',
      'fred',
      'fred@',
      '@example.com',
      'fred@localhost',
      'fred@@example.com',
      'fred@ann@example.com',
      'fred test@example.com',
      'fred@exam ple.com',
      '.fred@example.com',
      'fred.@example.com',
      'fr..ed@example.com',
      'fred@.example.com',
      'fred@example.com.',
      'fred@example..com',
      'fred@-example.com',
      'fred@example-.com',
      'fred@127.0.0.1',
      'fred@example.com\n',
      'Fred <fred@example.com>',
      '"fred"@example.com',
      'frédéric@example.com',
      'fred@exämple.com',
      `${'a'.repeat(65)}@example.com`,
      `${'a'.repeat(60)}@${'b'.repeat(20)}.com`,
    ]) {
      expect(isEmailAddress(address), address).to.equal(false);
    }
  });

  it('agrees with a naive reading of the rule', () => {
    const atom = (text: string) => /^[a-z+]+$/.test(text);
    const naive = (text: string) => {
      const [local, domain, ...more] = text.split('@');
      return (
        more.length === 0 &&
        domain !== undefined &&
        domain.includes('.') &&
        `${local!}.${domain}`.split('.').every(atom) &&
        !domain.includes('+')
      );
    };
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '.', '@', '+'), maxLength: 12 }), (text) => {
        expect(isEmailAddress(text), text).to.equal(naive(text));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('isStateOrProvince', () => {
  it('takes codes and names in any case, with dots, accents and doubled blanks', () => {
    for (const text of [
      'MA',
      'ma',
      'Massachusetts',
      'new york',
      'New  York ',
      'N.Y.',
      'DC',
      'D.C.',
      'Washington, D.C.',
      'PR',
      'Puerto Rico',
      'Guam',
      'AA',
      'AE',
      'AP',
      'ON',
      'Ontario',
      'QC',
      'Québec',
      'Newfoundland',
      'Yukon Territory',
      'NU',
    ]) {
      expect(isStateOrProvince(text), text).to.equal(true);
    }
  });

  it('refuses others, the document’s samples among them', () => {
    for (const text of ['Test2', 'Test3', '', 'XX', 'Bavaria', 'M A', 'constructor', '__proto__']) {
      expect(isStateOrProvince(text), text).to.equal(false);
    }
  });

  it('knows 50 states, the district, 8 territories, 3 military codes and 13 provinces by code', () => {
    const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
    const codes = letters.flatMap((a) => letters.map((b) => a + b)).filter(isStateOrProvince);
    const older = ['NF', 'PQ', 'YK'];
    expect(codes.length - older.length).to.equal(50 + 1 + 8 + 3 + 13);
  });

  it('tells the two countries from others', () => {
    for (const text of ['US', 'u.s.', 'USA', 'united states', 'United States of America', 'CA', 'Canada']) {
      expect(isUsOrCanada(text), text).to.equal(true);
    }
    for (const text of ['', 'Germany', 'DE', 'Mexico', 'America del Sur']) {
      expect(isUsOrCanada(text), text).to.equal(false);
    }
  });
});
