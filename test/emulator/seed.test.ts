import { expect } from 'chai';
import { UsageError } from '../../src/activity/errors.js';
import { ContactBook } from '../../src/emulator/contacts.js';
import { checkSeed, plantContacts, type AccountSeed } from '../../src/emulator/seed.js';

const mark = { date: 1, by: 'API' };
const plant = (seed: Omit<AccountSeed, 'user'>) => {
  const book = new ContactBook();
  plantContacts(book, { user: 'joesflowers', ...seed }, mark);
  return book;
};

describe('AccountSeed', () => {
  it('fills lists, removed and do-not-mail, by address or row, blanks left out', () => {
    const book = plant({
      lists: [
        { id: '1', name: 'General Interest', members: ['ann@example.com'] },
        {
          id: '2',
          name: 'Roses',
          members: [{ 'Email Address': 'ANN@example.com', firstName: ' Ann ', CITY: null, customField1: 7 }],
        },
      ],
      removed: ['joan@example.com'],
      doNotMail: [{ email: 'fred@example.com', lastName: 'Test' }],
    });
    expect([book.count('1'), book.count('2')]).to.deep.equal([1, 1]);
    expect([...(book.find('ann@example.com')?.values ?? [])]).to.deep.equal([
      ['FIRST NAME', 'Ann'],
      ['CUSTOM FIELD 1', '7'],
    ]);
    expect(book.find('joan@example.com')?.standing).to.equal('removed');
    expect(book.find('fred@example.com')?.standing).to.equal('do-not-mail');
    expect(book.find('fred@example.com')?.values.get('LAST NAME')).to.equal('Test');
  });

  it('names the place of what cannot be meant', () => {
    const lists = (members: unknown) => ({ lists: [{ id: '1', name: 'A', members }] }) as never;
    for (const [seed, message] of [
      [lists(['ann']), 'account joesflowers: lists[0].members[0]: "ann" is no e-mail address'],
      [lists([{ firstName: 'Ann' }]), 'account joesflowers: lists[0].members[0]: "" is no e-mail address'],
      [
        lists([{ email: 'a@example.com', firstNam: 'Ann' }]),
        'account joesflowers: lists[0].members[0]: "firstNam" is no column; did you mean FIRST NAME?',
      ],
      [
        lists([{ email: 'a@example.com', shoeSizeInInches: '1' }]),
        'account joesflowers: lists[0].members[0]: "shoeSizeInInches" is no column',
      ],
      [lists({ length: 1 }), 'account joesflowers: lists[0].members: must be an array'],
      [{ removed: ['@'] }, 'account joesflowers: removed[0]: "@" is no e-mail address'],
      [
        { doNotMail: ['a@example.com'], removed: ['b@example.com', 'A@example.com'] },
        'account joesflowers: removed[1]: "A@example.com" is in doNotMail as well; leave out one',
      ],
    ] as const) {
      expect(() => plant(seed), message)
        .to.throw(UsageError)
        .with.property('message', message);
    }
  });

  it('refuses users, lists and credentials that cannot be meant', () => {
    const check = (seed: unknown) => () => {
      checkSeed(seed as AccountSeed);
    };
    const user = 'joesflowers';
    for (const [seed, place] of [
      [{}, 'user: must be'],
      [{ user: ' ' }, 'user: must be'],
      [{ user, lists: 'two' }, 'lists: must be an array'],
      [{ user, lists: [{ id: 2, name: 'A' }] }, 'lists[0].id: must be'],
      [{ user, lists: [{ id: 'active', name: 'A' }] }, 'lists[0].id: must be'],
      [
        {
          user,
          lists: [
            { id: '1', name: 'A' },
            { id: '1', name: 'B' },
          ],
        },
        'lists[1].id: "1" is there twice',
      ],
      [{ user, lists: [{ id: '1' }] }, 'lists[0].name: must be'],
      [{ user, lists: [{ id: '1', name: 'A', shortName: '' }] }, 'lists[0].shortName: must be'],
      [{ user, credentials: { password: '' } }, 'credentials.password: must be'],
      [{ user, credentials: { apiKey: 5 } }, 'credentials.apiKey: must be'],
    ] as const) {
      expect(check(seed), place).to.throw(UsageError, place);
    }
    expect(check({ user, lists: [], credentials: { password: undefined } })).not.to.throw();
    expect(check({ user })).not.to.throw();
  });
});
