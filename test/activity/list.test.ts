import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { UsageError } from '../../src/activity/errors.js';
import { isSystemList, listId, SYSTEM_LISTS, systemList, type ListRef } from '../../src/activity/list.js';

const id = fc.oneof(fc.nat().map(String), fc.constantFrom(...Object.keys(SYSTEM_LISTS)));

describe('lists', () => {
  it('are named by a URI of any scheme, host, user and form', () => {
    fc.assert(
      fc.property(
        id,
        fc.constantFrom(
          'http://api.constantcontact.com',
          'https://API.constantcontact.com:443',
          'HTTP://127.0.0.1:8080',
          '',
        ),
        fc.constantFrom('joesflowers', 'JoesFlowers', 'joe%40example.com', 'joes%20flowers', 'a/b'),
        fc.constantFrom('', '/', '?x=1', '#top', ' \n'),
        (list, origin, user, end) => {
          expect(listId(`${origin}/ws/customers/${user}/lists/${list}${end}`)).to.equal(list);
        },
      ),
    );
    expect(listId('lists/7')).to.equal('7');
    expect(listId('/lists/do%2Dnot%2Dmail')).to.equal('do-not-mail');
  });

  it('are named by id or number', () => {
    expect(['2', ' 2 ', 2, 0].map(listId)).to.deep.equal(['2', '2', '2', '0']);
    fc.assert(
      fc.property(fc.maxSafeNat(), (number) => {
        expect(listId(number)).to.equal(String(number));
      }),
    );
  });

  it('are taken as they are written, leading zeros too', () => {
    expect(['02', '/lists/002'].map(listId)).to.deep.equal(['02', '002']);
  });

  it('have ids in the path of a URI, not in its query', () => {
    expect(listId('/lists/2?next=/lists/5')).to.equal('2');
    expect(() => listId('/contacts?list=/lists/5')).to.throw(UsageError, /is no list/);
  });

  it('of the system are named by their names', () => {
    for (const [system, name] of Object.entries(SYSTEM_LISTS)) {
      for (const spelling of [
        system,
        name,
        name.toUpperCase(),
        name.replaceAll(' ', '_'),
        name.replaceAll(' ', ' - '),
      ]) {
        expect(listId(spelling)).to.equal(system);
      }
      expect(isSystemList(system)).to.equal(true);
    }
    expect(isSystemList('2')).to.equal(false);
    expect(isSystemList('toString')).to.equal(false);
  });

  it('of the system have a name, and nothing else that could be told', () => {
    for (const id of ['active', 'do-not-mail', 'removed'] as const) {
      const { name, shortName, system, ...rest } = systemList(id);
      expect([name, shortName, system]).to.deep.equal([SYSTEM_LISTS[id], SYSTEM_LISTS[id], true]);
      expect(Object.entries(rest).filter(([, value]) => value !== undefined)).to.deep.equal([['id', id]]);
      expect(listId(name)).to.equal(id);
    }
  });

  it('anything else is refused, with what was given and what to give', () => {
    for (const ref of [
      '',
      'Roses',
      'http://api.constantcontact.com/ws/customers/joe/lists/',
      '2 5',
      '-1',
      -1,
      1.5,
      '/contacts/2',
      'a/2',
      NaN,
      '%zz',
      '/lists/%zz',
      '/lists//',
      'lists/',
      // Not the number that was written, but its neighbour.
      2 ** 60,
      undefined,
      null,
      {},
      Object.create(null),
      Symbol('2'),
      ['2'],
      new URL('http://api.constantcontact.com/ws/customers/joe/lists/2'),
    ] as ListRef[]) {
      expect(() => listId(ref), inspect(ref)).to.throw(UsageError, /is no list: give an id such as 2/);
    }
    expect(() => listId('Roses')).to.throw(
      '"Roses" is no list: give an id such as 2, a list URI such as ' +
        'http://api.constantcontact.com/ws/customers/<user>/lists/2, ' +
        'or one of active, do-not-mail, removed, awaiting-confirmation, all',
    );
    expect(() => listId('Roses'))
      .to.throw(UsageError)
      .with.property('code', 'LIST_INVALID');
  });

  it('are named in at most 2,000 characters', () => {
    const uri = (length: number) => `${'/x'.repeat(1_000)}/lists/2`.slice(-length);
    expect(listId(uri(2_000))).to.equal('2');
    expect(() => listId(uri(2_001))).to.throw(UsageError, /is no list/);
  });

  it('that are hostile texts cost nothing, and are not repeated at length', () => {
    for (const text of ['/lists/a?', '/lists/2/', 'lists/', '%20', ' -'].map((piece) =>
      piece.repeat(200_000),
    )) {
      expect(() => listId(`${text}\nx`))
        .to.throw(UsageError)
        .with.property('message')
        .of.length.below(500);
    }
  });
});
