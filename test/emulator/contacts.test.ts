import { expect } from 'chai';
import { ContactBook } from '../../src/emulator/contacts.js';

const mark = (date: number) => ({ date, by: 'API' });
const members = (book: ContactBook, list: string) =>
  [...book.members(list)].map(({ contact, mark: { date } }) => [contact.address, date]).sort();

describe('ContactBook', () => {
  it('holds one contact per address, whatever its case, as first written', () => {
    const book = new ContactBook();
    book.add('Ann@Example.com', [['FIRST NAME', 'Ann']], ['1'], mark(1));
    book.add('ann@example.COM', [['CITY', 'Boston']], ['1', '2'], mark(2));
    expect(members(book, '1')).to.deep.equal([['Ann@Example.com', 1]]);
    expect(members(book, '2')).to.deep.equal([['Ann@Example.com', 2]]);
    expect(members(book, 'active')).to.deep.equal([['Ann@Example.com', 1]]);
    expect([...(book.find('ANN@example.com')?.values ?? [])]).to.deep.equal([
      ['FIRST NAME', 'Ann'],
      ['CITY', 'Boston'],
    ]);
    expect(book.find('joan@example.com')).to.equal(undefined);
  });

  it('removes: off the last list is removed, added again is active', () => {
    const book = new ContactBook();
    book.add('ann@example.com', [], ['1', '2'], mark(1));
    book.remove('ANN@example.com', ['1'], mark(2));
    expect([book.count('1'), book.count('2')]).to.deep.equal([0, 1]);
    expect(members(book, 'removed')).to.deep.equal([]);
    book.remove('ann@example.com', ['1', '2'], mark(3));
    expect(members(book, 'removed')).to.deep.equal([['ann@example.com', 3]]);
    expect(members(book, 'active')).to.deep.equal([]);
    book.remove('ann@example.com', ['1', '2'], mark(4));
    book.remove('nobody@example.com', ['1', '2'], mark(4));
    expect(members(book, 'removed')).to.deep.equal([['ann@example.com', 3]]);
    book.add('ann@example.com', [], ['2'], mark(5));
    expect(members(book, 'removed')).to.deep.equal([]);
    expect(members(book, 'active')).to.deep.equal([['ann@example.com', 5]]);
  });

  it('clears several lists and counts each contact once', () => {
    const book = new ContactBook();
    book.add('ann@example.com', [], ['1', '2', '3'], mark(1));
    book.add('joan@example.com', [], ['1'], mark(1));
    expect(book.clear(['1', '2', '9'], mark(2))).to.equal(2);
    expect(book.clear(['1', '2'], mark(3))).to.equal(0);
    expect(members(book, 'removed')).to.deep.equal([['joan@example.com', 2]]);
    expect(members(book, '3')).to.deep.equal([['ann@example.com', 1]]);
    expect(members(book, '9')).to.deep.equal([]);
  });

  it('does not bring back who opted out', () => {
    const book = new ContactBook();
    book.add('ann@example.com', [], ['1'], mark(1));
    book.optOut('Ann@example.com', [['CITY', 'Boston']], mark(2));
    expect(book.count('1')).to.equal(0);
    expect(book.add('ann@example.com', [['CITY', 'Salem']], ['1'], mark(3))).to.equal(false);
    expect(book.find('ann@example.com')?.values.get('CITY')).to.equal('Boston');
    expect(members(book, 'do-not-mail')).to.deep.equal([['ann@example.com', 2]]);
    expect(members(book, 'removed')).to.deep.equal([]);
    expect(members(book, '1')).to.deep.equal([]);
  });

  it('counts contacts from 1, and walks them and the members of lists from any number on', () => {
    const book = new ContactBook();
    for (const name of ['a', 'b', 'c', 'd']) book.add(`${name}@example.com`, [], ['1'], mark(1));
    book.add('e@example.com', [], ['2'], mark(1));
    book.add('a@example.com', [], ['2'], mark(2));
    const numbers = (list: string, after?: number) =>
      [...book.members(list, after)].map(({ contact }) => contact.number);
    expect(numbers('1')).to.deep.equal([1, 2, 3, 4]);
    expect(numbers('1', 2)).to.deep.equal([3, 4]);
    expect(numbers('2')).to.deep.equal([1, 5]);
    expect(numbers('active', 3)).to.deep.equal([4, 5]);
    book.remove('c@example.com', ['1'], mark(3));
    expect(numbers('1', 3)).to.deep.equal([4]);
    expect([...book.contacts()].map(({ number }) => number)).to.deep.equal([1, 2, 3, 4, 5]);
    expect([...book.contacts(3)].map(({ number }) => number)).to.deep.equal([4, 5]);
    expect([book.size, book.count('active'), book.count('removed')]).to.deep.equal([5, 4, 1]);
    expect([book.get(5)?.address, book.get(0), book.get(6)]).to.deep.equal([
      'e@example.com',
      undefined,
      undefined,
    ]);
  });

  it('tells when it came to know a contact, and when that last changed', () => {
    const book = new ContactBook();
    const times = () => {
      const { created, updated, since } = book.find('ann@example.com')!;
      return [created.date, updated.date, since.date];
    };
    book.add('ann@example.com', [['CITY', 'Boston']], ['1'], mark(1));
    expect(times()).to.deep.equal([1, 1, 1]);
    book.add('ann@example.com', [['CITY', 'Boston']], ['1'], mark(2));
    expect(times()).to.deep.equal([1, 1, 1]);
    book.add('ann@example.com', [['CITY', 'Salem']], ['1'], mark(3));
    expect(times()).to.deep.equal([1, 3, 1]);
    book.add('ann@example.com', [], ['2'], mark(4));
    expect(times()).to.deep.equal([1, 4, 1]);
    book.add('ann@example.com', [['CITY', '']], [], mark(5));
    expect(times()).to.deep.equal([1, 5, 1]);
    expect([...book.find('ann@example.com')!.values]).to.deep.equal([]);
    book.remove('ann@example.com', ['1', '2'], mark(6));
    expect(times()).to.deep.equal([1, 6, 6]);
  });
});
