import { expect } from 'chai';
import fc from 'fast-check';
import { TransportError } from '../../src/activity/errors.js';
import type { ActivityRequest } from '../../src/activity/request.js';
import type { ActivityService } from '../../src/activity/service.js';
import { decodeEntry, decodeFeed, decodeLists } from '../../src/ws/records.js';
import { wsServer, type AccountLookup, type WsServerOptions } from '../../src/ws/server.js';
import { aList, anActivity, stubService } from '../support/stub-service.js';

const BASE = 'https://api.constantcontact.com/ws/customers/joesflowers';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

function serving(service: ActivityService, options: Partial<WsServerOptions> = {}) {
  return wsServer({ account: () => service, ...options });
}

const bytes = async (response: Response) => new Uint8Array(await response.arrayBuffer());
const ids = Array.from({ length: 120 }, (_, n) => `a07e1${String(1000 - n)}`);

describe('wsServer', () => {
  describe('paging', () => {
    const service = stubService(
      ids.map((id) => anActivity({ id })),
      ids.map((id) => aList(id, id)),
    );

    it('gives 50 entries a page, newest first, until all were given once', async () => {
      const server = serving(service);
      for (const [path, decode] of [
        ['activities', decodeFeed],
        ['lists', decodeLists],
      ] as const) {
        const seen: string[] = [];
        const sizes: number[] = [];
        let url: string | undefined = `${BASE}/${path}`;
        while (url !== undefined) {
          const response: Response = await server(new Request(url));
          expect(response.status).to.equal(200);
          expect(response.headers.get('content-type')).to.equal('application/atom+xml');
          const feed = decode(await bytes(response));
          sizes.push(feed.records.length);
          seen.push(...feed.records.map(({ record }) => record.id));
          url = feed.next === undefined ? undefined : new URL(feed.next, url).href;
          expect(url ?? '').to.equal((url ?? '').toLowerCase());
        }
        expect(seen).to.deep.equal(ids);
        expect(sizes).to.deep.equal([50, 50, 20]);
      }
    });

    it('no page is lost or repeated, whatever the page size and the number of entries', async () => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 7 }), fc.nat({ max: 25 }), async (pageSize, count) => {
          const some = ids.slice(0, count);
          const server = serving(stubService(some.map((id) => anActivity({ id }))), { pageSize });
          const seen: string[] = [];
          let url: string | undefined = `${BASE}/activities`;
          let pages = 0;
          while (url !== undefined) {
            const feed = decodeFeed(await bytes(await server(new Request(url))));
            seen.push(...feed.records.map(({ record }) => record.id));
            url = feed.next === undefined ? undefined : new URL(feed.next, url).href;
            pages += 1;
          }
          expect(seen).to.deep.equal(some);
          expect(pages).to.equal(Math.max(1, Math.ceil(count / pageSize)));
        }),
      );
    });

    it('a page that does not exist is a 400 with the reason', async () => {
      const response = await serving(service)(new Request(`${BASE}/activities?next=nowhere`));
      expect(response.status).to.equal(400);
      expect(await response.text()).to.include('nowhere');
    });

    it('no access token gets into the links of a page', async () => {
      const response = await serving(service, { quirks: { opaquePageTokens: false } })(
        new Request(`${BASE}/activities?access_token=s3cret&next=${ids[3]}`),
      );
      const xml = await response.text();
      expect(xml).to.include(`?next=${ids[3]}" rel="current"`).and.not.to.include('s3cret');
    });

    it('tokens are of lower-case letters, digits and hyphens, and good for one collection only', async () => {
      const names = fc.oneof(
        fc.stringMatching(/^a07e1[a-z0-9]{14}$/),
        fc.uuid(),
        fc.string({ unit: 'grapheme', minLength: 1 }),
      );
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(names, { minLength: 2, maxLength: 4 }), async (some) => {
          const server = serving(
            stubService(
              some.map((id) => anActivity({ id })),
              some.map((id) => aList(id, 'list')),
            ),
            { pageSize: 1 },
          );
          const { next } = decodeFeed(await bytes(await server(new Request(`${BASE}/activities`))));
          const token = new URL(next ?? '', BASE).searchParams.get('next') ?? '';
          expect(token).to.match(/^[a-z0-9-]+$/);
          const second = await server(new Request(`${BASE}/activities?next=${token}`));
          expect(second.status).to.equal(200);
          expect((await server(new Request(`${BASE}/lists?next=${token}`))).status).to.equal(400);
          const other = token.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'));
          expect((await server(new Request(`${BASE}/activities?next=${other}`))).status).to.equal(400);
        }),
        { numRuns: 50 },
      );
    });

    it('relative links lead to the same pages', async () => {
      const server = serving(service, { profile: 'documented' });
      const seen: string[] = [];
      for (let url: string | undefined = `${BASE}/lists`; url !== undefined;) {
        const feed = decodeLists(await bytes(await server(new Request(url))));
        expect(feed.next ?? 'lists?').to.match(/^lists\?/);
        seen.push(...feed.records.map(({ record }) => record.id));
        url = feed.next === undefined ? undefined : new URL(feed.next, url).href;
      }
      expect(seen).to.deep.equal(ids);
    });

    it('an error of the account that is none of the page is passed on', async () => {
      const failing = stubService([], [], {
        list: () => {
          throw new TransportError('RESPONSE_LOST', 'the service behind did not answer', { sent: 'maybe' });
        },
      });
      expect((await serving(failing)(new Request(`${BASE}/activities`))).status).to.equal(502);
    });
  });

  describe('accounts', () => {
    it('are found by user and credentials; others get 401 and a Basic challenge', async () => {
      const asked: Parameters<AccountLookup>[] = [];
      const server = wsServer({
        account: (...login) => {
          asked.push(login);
          return undefined;
        },
        realm: 'a "quoted" realm',
      });
      const authorization = `Basic  ${btoa('key%joes flowers:s3cret')}`;
      const response = await server(
        new Request('https://api.constantcontact.com/ws/customers/joes%20flowers//activities', {
          headers: { authorization },
        }),
      );
      expect(asked).to.deep.equal([
        ['joes flowers', { scheme: 'basic', apiKey: 'key', user: 'joes flowers', password: 's3cret' }],
      ]);
      expect(response.status).to.equal(401);
      expect(response.headers.get('www-authenticate')).to.match(
        /^Basic realm="a quoted realm", Digest qop="auth", realm="a quoted realm", nonce="\w{40}", algorithm=MD5$/,
      );
      expect(await response.text()).not.to.include('s3cret');
      await server(new Request(`${BASE}/activities?access_token=t0ken`));
      expect(asked[1]).to.deep.equal(['joesflowers', { scheme: 'access_token', token: 't0ken' }]);
    });

    it('ids are http URIs of the host and user the request came by', async () => {
      const service = stubService([
        anActivity({ id: 'a07e1', type: 'EXPORT_CONTACTS', fileName: 'a07e1.csv', title: 'Export' }),
        anActivity({ id: 'a07e2', type: 'ADD_CONTACTS', fileName: 'up.csv' }),
      ]);
      const server = serving(service);
      const response = await server(
        new Request('https://gateway.example.com/ws/customers/Joe%40example.com/activities'),
      );
      const xml = await response.text();
      const activities = 'http://gateway.example.com/ws/customers/Joe%40example.com/activities';
      expect(xml).to.include(`<id>${activities}/a07e1</id>`);
      const { records } = decodeFeed(Buffer.from(xml));
      expect(records.map(({ record }) => [record.fileName, record.editMedia])).to.deep.equal([
        [`${activities}/a07e1.csv`, `${activities}/a07e1.csv`],
        ['up.csv', undefined],
      ]);
    });

    it('an activity without a file has no FileName, whatever is told of uploads', async () => {
      const service = stubService([anActivity({ id: 'a07e1', type: 'CLEAR_CONTACTS_FROM_LISTS' })]);
      for (const uploadFileName of [true, false]) {
        const server = serving(service, { quirks: { uploadFileName } });
        const { record } = decodeEntry(await bytes(await server(new Request(`${BASE}/activities/a07e1`))));
        expect(record).to.include({ type: 'CLEAR_CONTACTS_FROM_LISTS', fileName: undefined });
      }
    });
  });

  describe('creation', () => {
    it('answers 201 with Location and the whole entry', async () => {
      const asked: ActivityRequest[] = [];
      const created = anActivity({ id: 'a07e1new', type: 'CLEAR_CONTACTS_FROM_LISTS', status: 'PENDING' });
      const service = stubService([], [], {
        create: (request) => {
          asked.push(request);
          return Promise.resolve(created);
        },
      });
      const response = await serving(service)(
        new Request(`${BASE}/activities`, {
          method: 'POST',
          headers: FORM,
          body: 'activityType=CLEAR_CONTACTS_FROM_LISTS&lists=2',
        }),
      );
      expect(response.status).to.equal(201);
      expect(response.headers.get('location')).to.equal(
        'http://api.constantcontact.com/ws/customers/joesflowers/activities/a07e1new',
      );
      expect(decodeEntry(await bytes(response)).record).to.deep.equal(created);
      expect(asked).to.deep.equal([{ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['2'] }]);
    });

    it('answers 413 past the limit, declared or not', async () => {
      const server = serving(stubService(), { maxBodyBytes: 10 });
      const declared = new Request(`${BASE}/activities`, {
        method: 'POST',
        headers: FORM,
        body: 'a'.repeat(11),
      });
      const streamed = new Request(`${BASE}/activities`, {
        method: 'POST',
        headers: FORM,
        body: new Blob(['a'.repeat(6), 'a'.repeat(5)]).stream(),
        duplex: 'half',
      });
      for (const request of [declared, streamed]) {
        const response = await server(request);
        expect(response.status).to.equal(413);
        expect(await response.text()).to.include('10 bytes');
      }
    });
  });

  describe('files', () => {
    const export1 = anActivity({
      id: 'a07e1',
      type: 'EXPORT_CONTACTS',
      status: 'COMPLETE',
      fileName: 'a07e1.csv',
    });
    const file = Buffer.from('Email Address\nann@example.com\n');

    function exporting(facts: { contentType: string | undefined; length: number | undefined }) {
      let cancelled = 0;
      const service = stubService([export1], [], {
        download: () =>
          Promise.resolve({
            fileName: 'a07e1.csv',
            ...facts,
            // eslint-disable-next-line @typescript-eslint/require-await
            body: (async function* () {
              yield file.subarray(0, 5);
              yield file.subarray(5);
            })(),
            cancel: () => {
              cancelled += 1;
              return Promise.resolve();
            },
          }),
      });
      return { server: serving(service), cancelled: () => cancelled };
    }

    it('are served under the activity they belong to, and no other name', async () => {
      const { server } = exporting({ contentType: 'text/csv', length: file.length });
      const response = await server(new Request(`${BASE}/activities/A07E1.CSV`.replace('A07E1', 'a07e1')));
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.equal('text/csv');
      expect(response.headers.get('content-length')).to.equal(String(file.length));
      expect(Buffer.from(await bytes(response))).to.deep.equal(file);
      expect((await server(new Request(`${BASE}/activities/a07e1.txt`))).status).to.equal(404);
      expect((await server(new Request(`${BASE}/activities/a07e9.csv`))).status).to.equal(404);
    });

    it('are cancelled when the client goes away', async () => {
      const { server, cancelled } = exporting({ contentType: undefined, length: undefined });
      const response = await server(new Request(`${BASE}/activities/a07e1.csv`));
      expect(response.headers.get('content-type')).to.equal('application/octet-stream');
      await response.body?.cancel();
      expect(cancelled()).to.equal(1);
    });
  });

  describe('what is not there', () => {
    const server = serving(stubService([anActivity({ id: 'a07e1' })]));
    const status = async (path: string, method = 'GET') =>
      (await server(new Request(`https://api.constantcontact.com${path}`, { method }))).status;

    it('is 404', async () => {
      for (const path of [
        '/',
        '/ws',
        '/ws/customers',
        '/v2/activities',
        '/ws/customers/joesflowers/campaigns',
      ]) {
        expect(await status(path), path).to.equal(404);
      }
      expect(await status('/ws/customers/joesflowers/activities/a07e9')).to.equal(404);
    });

    it('is 415 for methods a resource does not take', async () => {
      for (const method of ['PUT', 'DELETE', 'PATCH']) {
        expect(await status('/ws/customers/joesflowers/activities/a07e1', method)).to.equal(415);
        expect(await status('/ws/customers/joesflowers/activities', method)).to.equal(415);
      }
      expect(await status('/ws/customers/joesflowers/activities/a07e1', 'POST')).to.equal(415);
      expect(await status('/ws/customers/joesflowers/activities/a07e1', 'HEAD')).to.equal(200);
    });

    it('is 400 for a path that is no UTF-8', async () => {
      expect(await status('/ws/customers/%ff/activities')).to.equal(400);
    });
  });

  it('an account that fails is a 502 or a 500 that gives nothing away', async () => {
    const failing = (error: Error) => serving(stubService([], [], { get: () => Promise.reject(error) }));
    const lost = await failing(
      new TransportError('RESPONSE_LOST', 'the service behind did not answer', { sent: 'maybe' }),
    )(new Request(`${BASE}/activities/a07e1`));
    expect([lost.status, await lost.text()]).to.deep.equal([502, 'the service behind did not answer\n']);
    const broken = await failing(new Error('s3cret at line 12'))(new Request(`${BASE}/activities/a07e1`));
    expect(broken.status).to.equal(500);
    expect(await broken.text()).not.to.include('s3cret');
  });

  it('feeds carry the time they were made at', async () => {
    const server = serving(stubService(), { now: () => Date.UTC(2008, 3, 29, 19, 31, 0, 545) });
    const xml = await (await server(new Request(`${BASE}/activities`))).text();
    expect(xml).to.include('<updated>2008-04-29T19:31:00.545Z</updated>');
  });

  it('answers are dated by the same clock, whatever they say', async () => {
    const server = serving(stubService(), { now: () => Date.UTC(2008, 3, 29, 19, 31, 0, 545) });
    for (const path of ['activities', 'activities/a07e1nosuch', 'nothing']) {
      const { headers } = await server(new Request(`${BASE}/${path}`));
      expect(headers.get('date'), path).to.equal('Tue, 29 Apr 2008 19:31:00 GMT');
    }
  });
});
