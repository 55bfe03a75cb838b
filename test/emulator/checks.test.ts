import { expect } from 'chai';
import fc from 'fast-check';
import { isEmailAddress } from '../../src/emulator/address.js';
import { isAnniversary, isBirthday } from '../../src/emulator/dates.js';
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

describe('dates', () => {
  const now = new Date('2008-04-29T19:30:00Z');

  it('takes every real day in the four documented spellings, padded or not', () => {
    const day = fc.date({ min: new Date('1901-01-01'), max: new Date('2018-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(day, fc.boolean(), (date, padded) => {
        const y = String(date.getUTCFullYear());
        const [m, d] = [date.getUTCMonth() + 1, date.getUTCDate()].map((n) =>
          String(n).padStart(padded ? 2 : 1, '0'),
        );
        for (const text of [`${m!}/${d!}/${y}`, `${y}/${m!}/${d!}`, `${y}-${m!}-${d!}`, `${m!}-${d!}-${y}`]) {
          expect(isAnniversary(text, now), text).to.equal(true);
        }
        expect(isBirthday(m!, d!)).to.equal(true);
      }),
    );
  });

  it('refuses other anniversaries', () => {
    for (const text of [
      '',
      'soon',
      '13/01/2005',
      '02/30/2005',
      '02/29/2005',
      '2005-02-29',
      '1900-02-28',
      '2019-01-01',
      '01/01/05',
      '1/1/205',
      '123/1/2005',
      '2005/123/1',
      '2005/1/2005',
      '2005-1/2',
      '00/10/2005',
      '10/00/2005',
      '2005.01.02',
    ]) {
      expect(isAnniversary(text, now), text).to.equal(false);
    }
    expect(isAnniversary('02/29/2004', now)).to.equal(true);
    expect(isAnniversary('2018-12-31', now)).to.equal(true);
  });

  it('refuses birthdays that are half there or on no day', () => {
    expect(isBirthday('', '')).to.equal(true);
    expect(isBirthday('2', '29')).to.equal(true);
    for (const [month, day] of [
      ['', '1'],
      ['1', ''],
      ['Jan', '1'],
      ['1', 'first'],
      ['0', '1'],
      ['13', '1'],
      ['1', '0'],
      ['1', '32'],
      ['2', '30'],
      ['4', '31'],
      ['1', '1.5'],
      ['-1', '1'],
    ] as const) {
      expect(isBirthday(month, day), `${month}/${day}`).to.equal(false);
    }
  });
});
