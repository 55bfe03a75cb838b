import { expect } from 'chai';
import fc from 'fast-check';
import nock from 'nock';
import { MockAgent } from 'undici';
import type { Activity } from '../../src/activity/activity.js';
import { CtctError, DecodeError, UsageError } from '../../src/activity/errors.js';
import type { ContactList } from '../../src/activity/list.js';
import type { ActivityRequest, Warning } from '../../src/activity/request.js';
import { WsClient, type WsClientOptions } from '../../src/ws/client.js';
import { encodeEntry, encodeFeed, type DocumentFrame } from '../../src/ws/records.js';
import { wsServer } from '../../src/ws/server.js';
import { accountUris, DOCUMENTED_ORIGIN } from '../../src/ws/uris.js';
import { aList, anActivity, stubService } from '../support/stub-service.js';

const ORIGIN = 'https://api.constantcontact.com';
const PATH = '/ws/customers/joesflowers/activities';
const frame: DocumentFrame = {
  uris: accountUris(DOCUMENTED_ORIGIN, 'joesflowers'),
  user: 'joesflowers',
  updated: new Date(0),
};

function makeClient(options: Partial<WsClientOptions> = {}): WsClient {
  return new WsClient({
    user: 'joesflowers',
    credentials: { scheme: 'basic', apiKey: 'key', user: 'joesflowers', password: 's3cret' },
    retry: false,
    limiter: false,
    ...options,
  });
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}

async function failure(run: Promise<unknown>): Promise<CtctError> {
  try {
    await run;
  } catch (error) {
    expect(error).to.be.instanceOf(CtctError);
    expect(JSON.stringify(error) + String((error as Error).stack)).not.to.include('s3cret');
    return error as CtctError;
  }
  throw new Error('expected a rejection');
}

describe('WsClient', () => {
  describe('over nock', () => {
    before(() => {
      // nock is on for the whole process from its import; other suites turn it off.
      if (!nock.isActive()) nock.activate();
      nock.disableNetConnect();
    });
    after(() => {
      nock.enableNetConnect();
      nock.restore();
    });
    afterEach(() => {
      expect(nock.pendingMocks()).to.deep.equal([]);
      nock.cleanAll();
    });

    const feed = (ids: readonly string[], next?: string) =>
      encodeFeed(
        ids.map((id) => anActivity({ id })),
        frame,
        { next, first: PATH, current: PATH },
      );

    it('sends Basic credentials as <API key>%<user>, and asks for Atom', async () => {
      nock(ORIGIN, { reqheaders: { accept: 'application/atom+xml' } })
        .get(`${PATH}/a07e1`)
        .basicAuth({ user: 'key%joesflowers', pass: 's3cret' })
        .reply(200, encodeEntry(anActivity({ id: 'a07e1', status: 'COMPLETE' }), frame));
      expect((await makeClient().get('a07e1')).status).to.equal('COMPLETE');
    });

    it('sends a bearer token in the header, an access token in the query', async () => {
      const entry = encodeEntry(anActivity({ id: 'a07e1' }), frame);
      nock(ORIGIN, { reqheaders: { authorization: 'Bearer t0ken' } })
        .get(`${PATH}/a07e1`)
        .reply(200, entry);
      nock(ORIGIN, { badheaders: ['authorization'] })
        .get(`${PATH}/a07e1`)
        .query({ access_token: 't0ken' })
        .reply(200, entry);
      await makeClient({ credentials: { scheme: 'bearer', token: 't0ken' } }).get('a07e1');
      await makeClient({ credentials: { scheme: 'access_token', token: 't0ken' } }).get('a07e1');
    });

    it('follows next links absolute, http, rooted and relative, and asks for a page only when it is wanted', async () => {
      const pages: readonly (readonly [string, string | undefined])[] = [
        ['', `http://api.constantcontact.com${PATH}?next=b`],
        ['?next=b', `${PATH}?next=c`],
        ['?next=c', 'activities?next=d'],
        ['?next=d', '?next=e'],
        ['?next=e', undefined],
      ];
      for (const [query, next] of pages) {
        nock(ORIGIN)
          .get(`${PATH}${query}`)
          .matchHeader('authorization', /^Basic /)
          .reply(
            200,
            feed(
              [`a07e1${query}1`, `a07e1${query}2`].map((id) => id.replace(/\W/g, '')),
              next,
            ),
          );
      }
      const iterator = makeClient().list()[Symbol.asyncIterator]();
      await iterator.next();
      expect(nock.pendingMocks()).to.have.length(4);
      const rest: string[] = [];
      for (;;) {
        const step = await iterator.next();
        if (step.done === true) break;
        rest.push(step.value.id);
      }
      expect(rest).to.have.length(9);
    });

    it('a repeated next link is an error, not a loop', async () => {
      nock(ORIGIN)
        .get(PATH)
        .reply(200, feed(['a07e1'], `${PATH}?next=b`));
      nock(ORIGIN)
        .get(`${PATH}?next=b`)
        .reply(200, feed(['a07e2'], `${PATH}?next=b`));
      const error = await failure(all(makeClient().list()));
      expect(error).to.be.instanceOf(DecodeError);
      expect(error.code).to.equal('PAGE_REPEATED');
    });

    it('no link leads credentials to another origin', async () => {
      for (const next of [
        'https://evil.example.com/x',
        '//evil.example.com/x',
        'ftp://api.constantcontact.com/',
      ]) {
        nock(ORIGIN)
          .get(PATH)
          .reply(200, feed(['a07e1'], next));
        expect((await failure(all(makeClient().list()))).code).to.equal('FOREIGN_ORIGIN');
      }
      const export1 = anActivity({ id: 'a07e1', editMedia: 'https://evil.example.com/a07e1.csv' });
      expect((await failure(makeClient().download(export1))).code).to.equal('FOREIGN_ORIGIN');
    });

    it('entries of another kind are passed over with a warning, doubtful values told', async () => {
      const warnings: Warning[] = [];
      const xml = feed(['a07e1'])
        .replace('</feed>', '<entry><id>x/contacts/2</id><content><Contact/></content></entry></feed>')
        .replace('<entry>', '<entry><updated>yesterday</updated>');
      nock(ORIGIN).get(PATH).reply(200, xml);
      const records = await all(makeClient({ onWarning: (warning) => warnings.push(warning) }).list());
      expect(records.map(({ id }) => id)).to.deep.equal(['a07e1']);
      expect(warnings.map(({ message }) => message)).to.deep.equal([
        'activities: passed over 1 entries of another kind',
        'a07e1: updated: "yesterday" is not a date and time',
      ]);
    });

    it('downloads by edit-media, else by FileName, else by id, and upgrades http', async () => {
      const wanted: readonly (readonly [Partial<Activity>, string, string])[] = [
        [
          { editMedia: `http://api.constantcontact.com${PATH}/a07e1.csv`, fileName: 'no.csv' },
          'a07e1.csv',
          'a07e1.csv',
        ],
        [{ fileName: `http://api.constantcontact.com${PATH}/a07e1.txt` }, 'a07e1.txt', 'a07e1.txt'],
        [{ fileName: 'a07e1.csv' }, 'a07e1.csv', 'a07e1.csv'],
        [{ fileName: '' }, 'a07e1.csv', 'a07e1.csv'],
        [{ editMedia: '', fileName: 'a07e1.txt' }, 'a07e1.txt', 'a07e1.txt'],
        [
          { editMedia: '../activities/../../../../ws/customers/joesflowers/activities/odd' },
          'odd',
          'a07e1.csv',
        ],
      ];
      for (const [facts, asked, fileName] of wanted) {
        nock(ORIGIN)
          .get(`${PATH}/${asked}`)
          .reply(200, 'Email Address\n', { 'content-type': 'text/csv', 'content-length': '14' });
        const download = await makeClient().download(anActivity({ id: 'a07e1', ...facts }));
        const chunks = await all(download.body);
        expect(Buffer.concat(chunks).toString()).to.equal('Email Address\n');
        expect([download.fileName, download.contentType, download.length]).to.deep.equal([
          fileName,
          'text/csv',
          14,
        ]);
      }
    });

    it('does not take a page for a file, nor a name for a path', async () => {
      for (const [type, says] of [
        ['text/html; charset=utf-8', /proxy or a login/],
        ['application/atom+xml', /expected the file of an export/],
      ] as const) {
        nock(ORIGIN).get(`${PATH}/a07e1.csv`).reply(200, '<html/>', { 'content-type': type });
        const error = await failure(makeClient().download(anActivity({ id: 'a07e1' })));
        expect(error.code).to.equal('DOCUMENT_UNEXPECTED');
        expect(error.message).to.match(says);
      }
      for (const id of ['..\\..\\evil', 'con', '../../evil', 'a\u202eb']) {
        nock(ORIGIN)
          .get(`${PATH}/${encodeURIComponent(id)}.csv`)
          .reply(200, 'x');
        const download = await makeClient().download(anActivity({ id }));
        expect(download.fileName).to.match(/^(?!con\.)[\w.-]+\.csv$/);
        await download.cancel();
      }
    });

    it('downloads by an id alone, and passes a 404 on', async () => {
      const entry = encodeEntry(anActivity({ id: 'a07e1', type: 'ADD_CONTACTS', fileName: '' }), frame);
      nock(ORIGIN).get(`${PATH}/a07e1`).reply(200, entry);
      nock(ORIGIN).get(`${PATH}/a07e1.csv`).reply(404);
      expect((await failure(makeClient().download('a07e1'))).code).to.equal('NOT_FOUND');
    });

    it('a download can be cancelled before it is read', async () => {
      nock(ORIGIN).get(`${PATH}/a07e1.csv`).reply(200, 'x'.repeat(100));
      const download = await makeClient().download(anActivity({ id: 'a07e1' }));
      expect(download.length).to.equal(undefined);
      await download.cancel();
    });

    it('an error of the lists names them, and one of an activity names it', async () => {
      nock(ORIGIN).get(`${PATH}/a07e1`).reply(500, 'down');
      expect((await failure(makeClient().get('a07e1'))).message).to.equal(
        'GET of activity a07e1: 500 the service failed: down',
      );
      nock(ORIGIN).get('/ws/customers/joesflowers/lists').reply(500, 'down');
      expect((await failure(all(makeClient().lists()))).message).to.equal(
        'GET of lists: 500 the service failed: down',
      );
    });
  });

  it('works through an undici MockAgent given as dispatcher', async () => {
    const agent = new MockAgent();
    agent.disableNetConnect();
    agent
      .get(ORIGIN)
      .intercept({ path: `${PATH}/a07e1` })
      .reply(200, encodeEntry(anActivity({ id: 'a07e1' }), frame));
    expect((await makeClient({ dispatcher: agent }).get('a07e1')).id).to.equal('a07e1');
    await agent.close();
  });

  describe('over a server in the same process', () => {
    const record = anActivity({ id: 'a07e1', type: 'ADD_CONTACTS', status: 'PENDING' });

    function pair(parts: Parameters<typeof stubService>[2] = {}, options: Partial<WsClientOptions> = {}) {
      const asked: ActivityRequest[] = [];
      const service = stubService([record], [aList('2', 'Roses')], {
        create: (request) => {
          asked.push(request);
          return Promise.resolve(record);
        },
        ...parts,
      });
      const server = wsServer({ account: () => service });
      const sent: Request[] = [];
      const fetch: typeof globalThis.fetch = (input, init) => {
        const request = new Request(input, init);
        sent.push(request.clone());
        return server(request);
      };
      return { client: makeClient({ fetch, ...options }), asked, sent };
    }

    it('creates each kind of activity from its own method', async () => {
      const { client, asked } = pair();
      const contacts = { text: 'Email Address\nann@example.com\n' };
      await client.addContacts({ contacts, lists: ['2'] });
      await client.addContacts({
        contacts,
        lists: [2, 'http://x/lists/5'],
        activityType: 'ADD_CONTACT_DETAIL',
      });
      await client.removeContacts({ contacts, lists: ['2'] });
      await client.clearLists({ lists: ['2'] });
      await client.exportContacts({ listId: 'Do Not Mail', columns: ['firstName'] });
      expect(asked.map(({ activityType }) => activityType)).to.deep.equal([
        'SV_ADD',
        'ADD_CONTACT_DETAIL',
        'REMOVE_CONTACTS_FROM_LISTS',
        'CLEAR_CONTACTS_FROM_LISTS',
        'EXPORT_CONTACTS',
      ]);
      expect(asked[1]).to.have.deep.property('lists', [
        'http://api.constantcontact.com/ws/customers/joesflowers/lists/2',
        'http://api.constantcontact.com/ws/customers/joesflowers/lists/5',
      ]);
    });

    it('refuses what cannot be meant before anything is sent', async () => {
      const { client, sent } = pair();
      const contacts = { text: 'Email Address\nann@example.com\n' };
      const wrong: readonly [unknown, string, RegExp][] = [
        [() => client.addContacts({ contacts, lists: [] }), 'LIST_REQUIRED', /lists:/],
        [() => client.clearLists({ lists: ['active'] }), 'LIST_NOT_CLEARABLE', /active/],
        [() => client.exportContacts({ listId: ['1', '2'] } as never), 'LIST_COUNT_INVALID', /listId:.*2/],
        [() => client.exportContacts({} as never), 'LIST_COUNT_INVALID', /listId:/],
        [() => client.exportContacts({ listId: 1, columns: ['FRIST NAME'] }), 'COLUMN_UNKNOWN', /FIRST NAME/],
        [
          () => client.exportContacts({ listId: 1, activityType: 'SV_ADD' } as never),
          'ACTIVITY_TYPE_INVALID',
          /SV_ADD/,
        ],
        [
          () => client.removeContacts({ contacts, lists: [1], activityType: 'SV_ADD' } as never),
          'ACTIVITY_TYPE_INVALID',
          /REMOVE_CONTACTS_FROM_LISTS/,
        ],
        [
          () =>
            client.addContacts({ contacts, lists: [1], activityType: 'REMOVE_CONTACTS_FROM_LISTS' } as never),
          'ACTIVITY_TYPE_INVALID',
          /SV_ADD/,
        ],
        [
          () => client.create({ activityType: 'SV_REMOVE' } as never),
          'ACTIVITY_TYPE_INVALID',
          /did you mean/,
        ],
        [
          () => client.addContacts({ contacts: { text: 'Name\nAnn' }, lists: [1] }),
          'ADDRESS_COLUMN_REQUIRED',
          /Name/,
        ],
        [
          () => client.addContacts({ contacts: { text: '' }, lists: [1] }),
          'CONTACTS_REQUIRED',
          /empty|nothing/i,
        ],
        [() => client.get(''), 'OPTION_INVALID', /id:/],
        [() => client.get('..'), 'OPTION_INVALID', /id:/],
      ];
      for (const [run, code, says] of wrong) {
        const error = await failure((run as () => Promise<unknown>)());
        expect(error).to.be.instanceOf(UsageError);
        expect(error.code).to.equal(code);
        expect(error.message).to.match(says);
      }
      expect(sent).to.deep.equal([]);
    });

    it('refuses what only v2 can say, and a spreadsheet in a form, before anything is sent', async () => {
      const { client, sent } = pair({}, { encoding: 'form' });
      const contacts = { text: 'Email Address\nann@example.com\n' };
      const sheet = { bytes: Buffer.from('d0cf11e0a1b11ae10000', 'hex'), fileName: 'roses.xls' };
      for (const [run, code, message] of [
        [
          () => client.addContacts({ contacts, lists: [2], blanksEnabled: true }),
          'UNSUPPORTED',
          'blanksEnabled: ws cannot erase by blank cells, only v2 can; leave it out',
        ],
        [
          () => client.exportContacts({ listId: 2, columns: ['Contact ID'] }),
          'UNSUPPORTED',
          'columns: ws has no CONTACT ID, only v2 has; leave it out',
        ],
        [
          () => client.addContacts({ contacts: sheet, lists: [2] }),
          'OPTION_INVALID',
          'encoding: roses.xls is a spreadsheet, which must be sent as multipart, not as a form',
        ],
      ] as const) {
        expect(await failure(run())).to.include({ code, message });
      }
      expect(sent).to.deep.equal([]);
    });

    it('warns of few contacts and of unknown columns, and sends them all the same', async () => {
      const warnings: Warning[] = [];
      const { client, asked } = pair({}, { onWarning: (warning) => warnings.push(warning) });
      await client.addContacts({
        contacts: { text: 'Email Address,Frist Name\nann@example.com,A\n' },
        lists: [2],
      });
      expect(warnings.map(({ code }) => code)).to.have.members(['FEW_CONTACTS', 'COLUMN_UNKNOWN']);
      expect(asked).to.have.length(1);
    });

    it('keeps to the encoding it was told', async () => {
      const { client, sent } = pair({}, { encoding: 'multipart' });
      await client.clearLists({ lists: ['2'] });
      expect(sent.at(-1)?.headers.get('content-type')).to.match(/^multipart\/form-data/);
    });

    it('waits and watches with its own clock', async () => {
      const statuses = ['PENDING', 'RUNNING', 'COMPLETE'];
      let slept = 0;
      const clock = {
        now: () => slept,
        sleep: (milliseconds: number) => {
          slept += milliseconds;
          return Promise.resolve();
        },
      };
      const { client } = pair(
        { get: () => Promise.resolve({ ...record, status: statuses.shift() ?? 'COMPLETE' }) },
        { clock, random: () => 0.5 },
      );
      const seen: unknown[] = [];
      for await (const activity of client.watchActivity('a07e1')) seen.push(activity.status);
      expect(seen).to.include.members(['PENDING', 'RUNNING', 'COMPLETE']);
      expect((await client.waitForActivity('a07e1')).status).to.equal('COMPLETE');
      expect(slept).to.be.greaterThan(0);
    });

    it('lists, gets and names every user rightly', async () => {
      await fc.assert(
        fc.asyncProperty(fc.stringMatching(/^[\w@%+é-][\w.@ %+é-]{0,12}$/), async (user) => {
          const users: string[] = [];
          const server = wsServer({
            account: (asked) => {
              users.push(asked);
              return stubService([record], [aList('2', 'Roses')]);
            },
          });
          const client = makeClient({ user, fetch: (input, init) => server(new Request(input, init)) });
          expect(await all(client.list())).to.deep.equal([record]);
          expect((await all(client.lists())).map((list: ContactList) => list.name)).to.deep.equal(['Roses']);
          expect(await client.get('a07e1')).to.deep.equal(record);
          expect(new Set(users)).to.deep.equal(new Set([user]));
        }),
        { numRuns: 40 },
      );
    });
  });

  it('refuses an encoding it does not know', () => {
    expect(() => makeClient({ encoding: 'urlencoded' as 'form' })).to.throw(
      UsageError,
      /auto, form, multipart/,
    );
  });

  it('refuses plain http but to this machine, unless the host is named', () => {
    expect(() => makeClient({ baseUrl: 'http://api.constantcontact.com' })).to.throw(UsageError, /https/);
    expect(() =>
      makeClient({ baseUrl: 'http://gateway.example.com', allowHttp: ['gateway.example.com'] }),
    ).not.to.throw();
    expect(() => makeClient({ baseUrl: 'http://127.0.0.1:1' })).not.to.throw();
    for (const user of ['', '.', '..', '%2e%2E']) {
      expect(() => makeClient({ user }), user).to.throw(UsageError);
    }
  });
});
