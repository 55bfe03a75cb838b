import { expect } from 'chai';
import fc from 'fast-check';
import type { ContactQuery, DirectoryContact } from '../../src/activity/directory.js';
import { ServiceError } from '../../src/activity/errors.js';
import type { WsAccount } from '../../src/ws/call.js';
import { encodeContact } from '../../src/ws/directory-records.js';
import { encodeList, type DocumentFrame } from '../../src/ws/records.js';
import { wsServer } from '../../src/ws/server.js';
import { accountUris, DOCUMENTED_ORIGIN } from '../../src/ws/uris.js';
import { aList, anActivity } from '../support/stub-service.js';

const BASE = `https://api.constantcontact.com/ws/customers/joesflowers`;
const frame: DocumentFrame = {
  uris: accountUris(DOCUMENTED_ORIGIN, 'joesflowers'),
  user: 'joesflowers',
  updated: new Date('2008-04-29T19:31:00.545Z'),
};

const ANN: DirectoryContact = {
  id: '1',
  emailAddress: 'ann@example.com',
  values: new Map(),
  lists: [],
  ...{ status: undefined, emailType: undefined, name: undefined, note: undefined },
  ...{ optInSource: undefined, optInTime: undefined, insertTime: undefined, updated: undefined },
};

type Asked = readonly [method: string, id?: string];

const isSignalled = (options: unknown) =>
  (options as { signal?: unknown } | undefined)?.signal instanceof AbortSignal;

/** An account that knows every id, and what it was asked for, each time with the signal of the request. */
function recording() {
  const asked: Asked[] = [];
  const queries: ContactQuery[] = [];
  const ask = (entry: Asked, options: unknown) => {
    expect(isSignalled(options), entry[0]).to.equal(true);
    asked.push(entry);
  };
  async function* nothing(entry: Asked, options: unknown): AsyncGenerator<never> {
    ask(entry, options);
    yield* await Promise.resolve([]);
  }
  const answering =
    <T>(name: string, answer: (id: string) => T) =>
    (id: string, ...rest: readonly unknown[]) => {
      ask([name, id], rest.at(-1));
      return Promise.resolve(answer(id));
    };
  const making =
    <T>(name: string, answer: () => T) =>
    (_draft: unknown, options: unknown) => {
      ask([name], options);
      return Promise.resolve(answer());
    };
  const contact = () => ANN;
  const account: WsAccount = {
    create: making('create', () => anActivity({ id: 'a1' })),
    get: answering('get', (id) => anActivity({ id, type: 'EXPORT_CONTACTS', fileName: `${id}.csv` })),
    list: (options) => nothing(['list'], options),
    lists: (options) => nothing(['lists'], options),
    download: (activity, options) => {
      ask(['download', (activity as { id: string }).id], options);
      return Promise.reject(new ServiceError('NOT_FOUND', 'no file', { status: 404, detail: 'no file' }));
    },
    directory: {
      getList: answering('getList', (id) => aList(id, 'Roses')),
      createList: making('createList', () => aList('1', 'Roses')),
      updateList: answering('updateList', (id) => aList(id, 'Roses')),
      deleteList: answering('deleteList', () => undefined),
      members: (id, options) => nothing(['members', id], options),
      contacts: (query) => {
        queries.push(query ?? {});
        return nothing(['contacts'], query);
      },
      getContact: answering('getContact', contact),
      createContact: making('createContact', contact),
      updateContact: answering('updateContact', contact),
      optOut: answering('optOut', () => undefined),
    },
  };
  return { server: wsServer({ account: () => account }), asked, queries };
}

const FORM = 'application/x-www-form-urlencoded';

/** A body that fits the collection. */
function body(path: string): RequestInit {
  if (path.startsWith('activities')) {
    return { body: 'activityType=CLEAR_CONTACTS_FROM_LISTS&lists=2', headers: { 'content-type': FORM } };
  }
  const entry = path.startsWith('contacts')
    ? encodeContact(ANN, frame)
    : encodeList(aList('1', 'Roses'), frame);
  return { body: entry, headers: { 'content-type': 'application/atom+xml' } };
}

/** What stands in the document of each path and method, in words of the account. */
function meant(method: string, path: string): readonly Asked[] {
  const [collection, id = '', below, ...deeper] = path.split('/');
  if (deeper.length > 0 || (id === '' && below !== undefined)) return [];
  const of = (table: Readonly<Record<string, string>>): readonly Asked[] => {
    const name = table[method];
    return name === undefined ? [] : [id === '' ? [name] : [name, id]];
  };
  if (below !== undefined) {
    return collection === 'lists' && below === 'members' ? of({ GET: 'members' }) : [];
  }
  switch (collection) {
    case 'activities': {
      if (id === '') return of({ GET: 'list', POST: 'create' });
      const file = /^(.+)\.(csv|txt)$/i.exec(id);
      if (method !== 'GET') return [];
      if (file === null) return [['get', id]];
      const [, owner = '', extension = ''] = file;
      const asked: Asked[] = [['get', owner]];
      return extension.toLowerCase() === 'csv' ? [...asked, ['download', owner]] : asked;
    }
    case 'lists':
      return id === ''
        ? of({ GET: 'lists', POST: 'createList' })
        : of({ GET: 'getList', PUT: 'updateList', DELETE: 'deleteList' });
    case 'contacts':
      return id === ''
        ? of({ GET: 'contacts', POST: 'createContact' })
        : of({ GET: 'getContact', PUT: 'updateContact', DELETE: 'optOut' });
    default:
      return [];
  }
}

const DOCUMENTED = [
  ['GET', 'activities'],
  ['POST', 'activities'],
  ['GET', 'activities/a1'],
  ['GET', 'activities/a1.csv'],
  ...['lists', 'contacts'].flatMap((collection) => [
    ['GET', collection] as const,
    ['POST', collection] as const,
    ['GET', `${collection}/12`] as const,
    ['PUT', `${collection}/12`] as const,
    ['DELETE', `${collection}/12`] as const,
  ]),
  ['GET', 'lists/12/members'],
] as const;

describe('what a ws server serves', () => {
  it('is what stands in the document, by whole names and no others', async () => {
    const collection = fc.constantFrom('activities', 'lists', 'contacts');
    const word = fc.oneof(
      collection,
      fc.constantFrom('members', 'x', '12', 'a1.csv', 'a1.txt', 'A1.CSV', 'a1.csvx', 'a.csv.'),
    );
    const spoilt = fc.oneof(
      { weight: 3, arbitrary: fc.constant((name: string) => name) },
      fc.constantFrom(
        (name: string) => `x${name}`,
        (name: string) => `${name}x`,
      ),
    );
    const path = fc
      .tuple(fc.oneof({ weight: 4, arbitrary: collection }, word), spoilt, fc.array(word, { maxLength: 3 }))
      .map(([first, spoil, rest]) => [spoil(first), ...rest].join('/'));
    await fc.assert(
      fc.asyncProperty(path, fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'), async (where, method) => {
        const { server, asked } = recording();
        const response = await server(
          new Request(`${BASE}/${where}`, { method, ...(method.startsWith('P') ? body(where) : {}) }),
        );
        const expected = meant(method, where);
        expect(asked).to.deep.equal(expected);
        if (expected.length === 0) expect([404, 415]).to.include(response.status);
      }),
      { numRuns: 300, examples: DOCUMENTED.map(([method, where]) => [where, method]) },
    );
  });

  it('takes an entry by each of the names that clients gave it, and by no other', async () => {
    const sent = async (type: string) => {
      const { server, asked } = recording();
      const headers = { 'content-type': type };
      const request = new Request(`${BASE}/lists`, { method: 'POST', ...body('lists'), headers });
      if (type === '') request.headers.delete('content-type');
      const { status } = await server(request);
      expect(asked.length).to.equal(status === 201 ? 1 : 0);
      return status;
    };
    for (const name of ['application/atom+xml', 'application/xml', 'text/xml']) {
      for (const type of [
        name,
        name.toUpperCase(),
        ` ${name}`,
        `${name};type=entry`,
        `${name} ; charset=utf-8`,
      ]) {
        expect(await sent(type), type).to.equal(201);
      }
      for (const type of [`x${name}`, `${name}x`, `${name} x`, `text/plain; ${name}`]) {
        expect(await sent(type), type).to.equal(415);
      }
    }
    for (const type of ['', 'text/plain', 'application/atomxml', 'application/atom+', 'application/atom']) {
      expect(await sent(type), type).to.equal(415);
    }
  });

  it('asks for the contacts that the query names, its names in any case', async () => {
    const asked = async (search: string) => {
      const { server, queries } = recording();
      const { status } = await server(new Request(`${BASE}/contacts${search}`));
      const [{ emails, list, updatedSince } = {}] = queries;
      return { status, query: queries.length === 0 ? undefined : { emails, list, updatedSince } };
    };
    const all = { emails: undefined, list: undefined, updatedSince: undefined };
    const listId = 'http%3A%2F%2Fapi.constantcontact.com%2Fws%2Fcustomers%2Fjoesflowers%2Flists%2F5';
    const when = '2008-04-30T00:00:00.000Z';
    for (const [search, query] of [
      ['', {}],
      ['?other=1', {}],
      ['?email=a%40example.com&EMAIL=b+c%40example.com%20', { emails: ['a@example.com', 'b+c@example.com'] }],
      ['?listType=active', { list: 'active' }],
      ['?listid=5', { list: '5' }],
      [`?ListId=${listId}`, { list: '5' }],
      ['?listid=5&listtype=active', { list: 'active' }],
      [`?updatedSince=${when}&UPDATEDSINCE=never`, { updatedSince: new Date(when) }],
    ] as const) {
      expect(await asked(search), search).to.deep.equal({ status: 200, query: { ...all, ...query } });
    }
    expect(await asked('?updatedsince=never')).to.deep.equal({ status: 400, query: undefined });
  });

  it('links page to page by what chose the contacts, and by nothing else of the query', async () => {
    const { server } = recording();
    const link = async (search: string) => {
      const xml = await (await server(new Request(`${BASE}/contacts${search}`))).text();
      return /<link href="([^"]*)" rel="first"/.exec(xml)?.[1]?.replaceAll('&amp;', '&');
    };
    const path = new URL(`${BASE}/contacts`).pathname;
    for (const name of ['email', 'listtype', 'listid', 'updatedsince', 'listType', 'LISTID']) {
      const value = /since/i.test(name) ? '2008-04-30T00%3A00%3A00.000Z' : 'active';
      expect(await link(`?${name}=${value}`), name).to.equal(`${path}?${name}=${value}`);
      expect(await link(`?a=1&${name}=${value}&access_token=t0ken`), name).to.equal(
        `${path}?${name}=${value}`,
      );
    }
    expect(await link('?access_token=t0ken&mail=1')).to.equal(path);
  });
});
