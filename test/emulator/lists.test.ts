import { expect } from 'chai';
import fc from 'fast-check';
import { ListBook } from '../../src/emulator/lists.js';

const seeds = [
  { id: '5', name: 'Roses', shortName: 'R' },
  { id: '2', name: 'Tulips', optInDefault: true, displayOnSignup: false, sortOrder: 9 },
];
const ids = (book: ListBook, after?: string) => Array.from(book.all(after), ({ id }) => id);

describe('ListBook', () => {
  it('keeps the lists of a seed in its order, and walks them from any on', () => {
    const book = ListBook.planted(seeds, 7);
    expect([ids(book), ids(book, '5'), ids(book, '2')]).to.deep.equal([['5', '2'], ['2'], []]);
    expect(book.get('5')).to.deep.equal({
      id: '5',
      name: 'Roses',
      shortName: 'R',
      system: false,
      contactCount: undefined,
      optInDefault: false,
      displayOnSignup: true,
      sortOrder: 1,
      updated: new Date(7),
    });
    expect(book.get('2')).to.include({ optInDefault: true, displayOnSignup: false, sortOrder: 9 });
    expect(ids(ListBook.planted(undefined, 0))).to.deep.equal(['1']);
    expect(book.named('tulips')?.id).to.equal('2');
    expect([book.named('lilies'), book.get('3'), book.has('3')]).to.deep.equal([undefined, undefined, false]);
  });

  it('gives new lists the next number, and none a second time', () => {
    const book = ListBook.planted(seeds, 0);
    const added = book.add({ name: 'Lilies' }, 3);
    expect(added).to.include({ id: '6', shortName: 'Lilies', sortOrder: 3, displayOnSignup: true });
    expect([book.remove('6'), book.remove('6')]).to.deep.equal([true, false]);
    expect(book.add({ name: 'Lilies', shortName: 'L', optInDefault: true }, 4)).to.include({ id: '7' });
    expect(ids(book)).to.deep.equal(['5', '2', '7']);
    const large = ListBook.planted([{ id: '99999999999999999998', name: 'x' }], 0);
    expect(large.add({ name: 'y' }, 0).id).to.equal('99999999999999999999');
  });

  it('is walked from where a list was that is gone, whichever go', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(['1', '2', '3', '4', '5', '6']), (removed) => {
        const book = ListBook.planted(
          Array.from({ length: 6 }, (_, index) => ({ id: String(index + 1), name: `List ${index}` })),
          0,
        );
        for (const id of removed) expect(book.remove(id)).to.equal(true);
        const added = book.add({ name: 'Later' }, 0).id;
        const left = ['1', '2', '3', '4', '5', '6', added].filter((id) => !removed.includes(id));
        for (const id of ['1', '2', '3', '4', '5', '6', added]) {
          expect(book.knew(id)).to.equal(true);
          expect(ids(book, id), `behind ${id}`).to.deep.equal(left.filter((other) => other > id));
        }
        expect(book.knew('8')).to.equal(false);
      }),
    );
  });

  it('changes fields of a list in its place', () => {
    const book = ListBook.planted(seeds, 0);
    expect(book.change('5', { name: 'Red Roses' }, 8)).to.deep.include({
      name: 'Red Roses',
      shortName: 'R',
      updated: new Date(8),
    });
    expect(ids(book, '5')).to.deep.equal(['2']);
    expect(book.change('9', { name: 'x' }, 8)).to.equal(undefined);
  });

  it('is the same again from its state as JSON', () => {
    const book = ListBook.planted(seeds, 3);
    book.remove(book.add({ name: 'Lilies' }, 4).id);
    const again = new ListBook(JSON.parse(JSON.stringify(book.state())) as ReturnType<ListBook['state']>);
    expect([...again.all()]).to.deep.equal([...book.all()]);
    expect(again.add({ name: 'x' }, 5)).to.deep.equal(book.add({ name: 'x' }, 5));
  });
});
