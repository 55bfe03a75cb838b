import { expect } from 'chai';
import fc from 'fast-check';
import { ServiceError } from '../../src/activity/errors.js';
import type { ContactList } from '../../src/activity/list.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import { AccountLists, asWsLists, v2ListId, wsListIds, type KnownLists } from '../../src/gateway/lists.js';
import { V2Client } from '../../src/v2/client.js';
import { runs } from '../support/runs.js';
import { aList } from '../support/stub-service.js';

const idArb = fc.integer({ min: 1, max: 6 }).map(String);
const mapArb = fc.dictionary(idArb, idArb, { noNullPrototype: true });

/** Lists of v2 that change, and may fail; counts how often they are read. */
function upstream(...names: string[]) {
  const service = {
    reads: 0,
    fails: undefined as Error | undefined,
    lists: names.map((name, index) => aList(String(index + 1), name)),
  };
  return {
    service,
    source: {
      async *lists(): AsyncGenerator<ContactList, void> {
        service.reads++;
        await Promise.resolve();
        if (service.fails !== undefined) throw service.fails;
        yield* service.lists;
      },
    },
  };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

function rejected(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('ids of lists in the gateway', () => {
  it('come back: each id of ws that a list of v2 has means that list', () => {
    fc.assert(
      fc.property(mapArb, idArb, (ids, v2Id) => {
        for (const wsId of wsListIds(v2Id, ids)) expect(v2ListId(wsId, ids)).to.equal(v2Id);
      }),
      { numRuns: runs(200) },
    );
  });

  it('mean one list each: no id of ws belongs to two lists of v2', () => {
    fc.assert(
      fc.property(mapArb, (ids) => {
        const shown = ['1', '2', '3', '4', '5', '6'].flatMap((v2Id) => wsListIds(v2Id, ids));
        expect(new Set(shown).size).to.equal(shown.length);
      }),
      { numRuns: runs(200) },
    );
  });

  it('that are names of an object are ids like any other', () => {
    expect(v2ListId('constructor')).to.equal('constructor');
    expect(wsListIds('__proto__')).to.deep.equal(['__proto__']);
  });
});

describe('lists of v2 as ws told them', () => {
  it('are those of the ws emulator, but for what v2 does not tell', async () => {
    const emulator = createEmulator({
      accounts: [
        {
          user: 'joesflowers',
          lists: [
            { id: '1', name: 'General Interest' },
            { id: '4', name: 'Hidden', displayOnSignup: false },
            { id: '7', name: 'Flowers', shortName: 'Fl', sortOrder: 9, optInDefault: true },
          ],
        },
      ],
    });
    const client = new V2Client({
      fetch: emulator.fetch,
      credentials: { scheme: 'api_key', apiKey: 'key', token: 'joesflowers' },
      limiter: false,
    });
    const ws = await all(emulator.account('joesflowers')!.lists());
    const v2 = asWsLists(await all(client.lists()));
    expect(v2.map(({ id, name, system }) => [id, name, system])).to.deep.equal(
      ws.map(({ id, name, system }) => [id, name, system]),
    );
    expect(v2.map(({ contactCount }) => contactCount)).to.deep.equal(
      ws.map(({ contactCount }) => contactCount),
    );
    expect(v2.map(({ displayOnSignup }) => displayOnSignup)).to.deep.equal(
      ws.map(({ displayOnSignup }) => displayOnSignup),
    );
    // Declared: the short name is the name, the order that of v2, and none is opt-in.
    expect(v2.at(-1)).to.include({ shortName: 'Flowers', sortOrder: 3, optInDefault: false });
    expect(v2[0]).to.deep.equal(ws[0]);
  });

  it('have the ids of the old client, and leave out what he cannot name', () => {
    const lists = asWsLists([aList('2', 'Two'), aList('77', 'Seventy-seven')], { 2: '77', 9: '77' });
    expect(lists.filter(({ system }) => !system).map(({ id, name }) => [id, name])).to.deep.equal([
      ['2', 'Seventy-seven'],
      ['9', 'Seventy-seven'],
    ]);
  });
});

describe('the lists of an account', () => {
  it('are read once in a quarter of an hour, and by all who ask at the same time', async () => {
    const { service, source } = upstream('One', 'Two');
    let now = 0;
    const lists = new AccountLists({ user: 'joe', upstream: source, clock: { now: () => now } });
    await Promise.all([all(lists.all()), all(lists.all()), lists.toV2(['1'], 'ADD_CONTACTS')]);
    expect(service.reads).to.equal(1);
    now = 15 * 60_000 - 1;
    expect((await all(lists.all())).map(({ id }) => id)).to.deep.equal([
      'active',
      'do-not-mail',
      'removed',
      '1',
      '2',
    ]);
    expect(service.reads).to.equal(1);
    now++;
    await all(lists.all());
    expect(service.reads).to.equal(2);
    // The clock was set back.
    now = 0;
    await all(lists.all());
    expect(service.reads).to.equal(3);
  });

  it('begin behind one of them', async () => {
    const { source } = upstream('One', 'Two');
    const lists = new AccountLists({ user: 'joe', upstream: source, clock: { now: () => 0 } });
    expect((await all(lists.all({ after: 'removed' }))).map(({ id }) => id)).to.deep.equal(['1', '2']);
    const error = await rejected(all(lists.all({ after: '99' })));
    expect(error).to.be.instanceOf(ServiceError).with.property('status', 404);
  });

  it('are asked for again for an id that nobody knows, but not each time', async () => {
    const { service, source } = upstream('One');
    let now = 0;
    const lists = new AccountLists({ user: 'joe', upstream: source, clock: { now: () => now } });
    const unknown = async () => {
      const error = await rejected(lists.toV2(['1', '2'], 'ADD_CONTACTS'));
      expect(error).to.be.instanceOf(ServiceError).and.include({ status: 400, code: 'SERVICE_REFUSED' });
      expect((error as ServiceError).detail).to.equal('list 2 does not exist in the account joe');
    };
    await unknown();
    await unknown();
    expect(service.reads).to.equal(1);
    now = 30_000;
    service.lists.push(aList('2', 'Two'));
    expect(await lists.toV2(['1', '2', '1'], 'ADD_CONTACTS')).to.deep.equal(['1', '2']);
    expect(service.reads).to.equal(2);
  });

  it('are given to v2 by its own ids', async () => {
    const { source } = upstream('One', 'Two');
    const lists = new AccountLists({
      user: 'joe',
      upstream: source,
      clock: { now: () => 0 },
      ids: { 5: '2' },
    });
    expect(await lists.toV2(['5', '1'], 'CLEAR_CONTACTS_FROM_LISTS')).to.deep.equal(['2', '1']);
    expect(lists.shortName('5')).to.equal('Two');
    expect(lists.shortName('6')).to.equal('6');
    expect(lists.shortName('do-not-mail')).to.equal('Do Not Mail');
  });

  it('of the system are for exports, and there only those that ws served', async () => {
    const { service, source } = upstream('One');
    const lists = new AccountLists({ user: 'joe', upstream: source, clock: { now: () => 0 } });
    expect(await lists.toV2(['do-not-mail'], 'EXPORT_CONTACTS')).to.deep.equal(['do-not-mail']);
    for (const [id, type] of [
      ['active', 'ADD_CONTACTS'],
      ['all', 'EXPORT_CONTACTS'],
      ['awaiting-confirmation', 'EXPORT_CONTACTS'],
    ] as const) {
      const error = await rejected(lists.toV2([id], type));
      expect(error, id).to.be.instanceOf(ServiceError).and.include({ status: 400 });
      expect((error as ServiceError).detail).to.equal(`${type} cannot be done on the system list ${id}`);
    }
    expect(service.reads).to.equal(0);
  });

  it('that are known serve where v2 fails; an id that is not known is then not called wrong', async () => {
    const { service, source } = upstream('One');
    const kept: KnownLists[] = [];
    let now = 0;
    const options = { user: 'joe', upstream: source, clock: { now: () => now } };
    await new AccountLists({ ...options, keep: (known) => void kept.push(known) }).refresh();
    expect(kept).to.have.length(1);

    const failure = new ServiceError('SERVICE_FAILED', 'down', { status: 500, detail: 'down' });
    service.fails = failure;
    now = 86_400_000;
    const after = new AccountLists({ ...options, known: kept[0] });
    expect((await all(after.all())).at(-1)).to.include({ id: '1', name: 'One' });
    expect(await after.toV2(['1'], 'ADD_CONTACTS')).to.deep.equal(['1']);
    expect(await rejected(after.toV2(['2'], 'ADD_CONTACTS'))).to.equal(failure);

    const fresh = new AccountLists(options);
    expect(await rejected(all(fresh.all()))).to.equal(failure);
    expect(await rejected(fresh.toV2(['1'], 'ADD_CONTACTS'))).to.equal(failure);
    expect(fresh.wsLists().map(({ id }) => id)).to.deep.equal(['active', 'do-not-mail', 'removed']);
    service.fails = undefined;
    expect(await fresh.toV2(['1'], 'ADD_CONTACTS')).to.deep.equal(['1']);
  });
});
