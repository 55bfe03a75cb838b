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
});
