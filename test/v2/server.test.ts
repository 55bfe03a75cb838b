import { expect } from 'chai';
import { UnsupportedError } from '../../src/activity/errors.js';
import { createEmulator, type EmulatorOptions } from '../../src/emulator/emulator.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { V2Client } from '../../src/v2/client.js';
import type { V2Record } from '../../src/v2/records.js';
import { v2Server, type V2ServerOptions } from '../../src/v2/server.js';
import { WsClient } from '../../src/ws/client.js';
import { fixtures, splitMessage } from '../support/fixtures.js';
import { anActivity, stubService } from '../support/stub-service.js';
import { answerSchema, complaints } from './schemas.js';

const ORIGIN = 'https://api.constantcontact.com';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

type Handler = (request: Request) => Promise<Response>;

/** Calls with the key and the token, unless told otherwise; checks each answer against its schema. */
async function call(
  handler: Handler,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = { authorization: 'Bearer token' },
): Promise<Answer> {
  const url = new URL(path, ORIGIN);
  if (!url.searchParams.has('api_key')) url.searchParams.set('api_key', 'key');
  const response = await handler(
    new Request(url, {
      method,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    }),
  );
  const text = await response.text();
  const schema = answerSchema(method, url.pathname, response.status);
  const value: unknown = schema === undefined || text === '' ? text : JSON.parse(text);
  if (schema !== undefined) {
    expect(response.headers.get('content-type')).to.equal('application/json');
    expect(complaints(schema, value), `${method} ${path}`).to.equal('');
  }
  return { status: response.status, headers: response.headers, body: value };
}

function emulated(options: EmulatorOptions = {}) {
  const clock = createVirtualClock({ now: '2015-02-11T10:00:00.000Z' });
  const emulator = createEmulator({
    accounts: [
      {
        user: 'joesflowers',
        lists: [
          { id: '1', name: 'General Interest' },
          { id: '2', name: 'Roses', displayOnSignup: false },
        ],
      },
    ],
    latency: { pending: 100, queued: 100, running: 100 },
    ...options,
    clock,
  });
  return { clock, emulator, fetch: emulator.fetch as Handler };
}

const addOf = (...addresses: string[]) => ({
  import_data: addresses.map((address) => ({ email_addresses: [address] })),
  lists: ['1'],
  column_names: ['EMAIL'],
});

describe('v2Server', () => {
  it('answers every documented request as v2 did', async () => {
    for (const fixture of fixtures('v2/requests').filter(({ name }) => /^(?!refused)/.test(name))) {
      const { startLine, headers, body } = splitMessage(fixture.bytes('request.http'));
      const lists = Array.from({ length: 6 }, (_, n) => ({ id: String(n + 1), name: `List ${n + 1}` }));
      const { fetch } = emulated({ accounts: [{ user: 'joesflowers', lists }] });
      const url = new URL(startLine.split(' ')[1] ?? '', ORIGIN);
      const response = await fetch(new Request(url, { method: 'POST', headers, body }));
      expect(response.status, fixture.name).to.equal(201);
      const record = (await response.json()) as V2Record;
      expect(complaints('created', record), fixture.name).to.equal('');
      expect(response.headers.get('location')).to.equal(`${ORIGIN}/v2/activities/${record.id}`);
    }
  });

  describe('without a key and a token', () => {
    it('answers 401, for everything', async () => {
      const { fetch } = emulated();
      const none = { authorization: '' };
      for (const [path, headers] of [
        ['/v2/activities', none],
        ['/v2/activities/a07e1.csv', none],
        ['/v2/lists?api_key=', { authorization: 'Bearer token' }],
        ['/v2/nothing', none],
        ['/v2/lists', { authorization: 'Basic a2V5JWpvZXNmbG93ZXJzOnBhc3N3b3Jk' }],
      ] as const) {
        const { status, body } = await call(fetch, 'GET', path, undefined, headers);
        expect([status, body]).to.deep.equal([
          401,
          [{ error_key: 'http.status.unauthorized', error_message: 'No authentication is present.' }],
        ]);
      }
    });

    it('takes the token from the query as well', async () => {
      const { fetch } = emulated();
      expect((await call(fetch, 'GET', '/v2/lists?access_token=token', undefined, {})).status).to.equal(200);
    });

    it('finds the account by the token, and refuses the wrong ones', async () => {
      const account = (user: string, credentials?: object) => ({
        user,
        lists: [{ id: '1', name: user }],
        credentials,
      });
      const { fetch } = emulated({
        accounts: [
          account('open'),
          account('other'),
          account('ann', { accessToken: 'anns-token' }),
          account('bob', { apiKey: 'bobs-key', accessToken: 'bobs-token' }),
          account('basic', { apiKey: 'key', password: 'password' }),
        ],
      });
      const nameOf = async (token: string, key = 'key') => {
        const { status, body } = await call(fetch, 'GET', `/v2/lists?api_key=${key}`, undefined, {
          authorization: `Bearer ${token}`,
        });
        return status === 200 ? (body as { name: string }[])[0]?.name : status;
      };
      expect(await nameOf('anns-token')).to.equal('ann');
      expect(await nameOf('bobs-token', 'bobs-key')).to.equal('bob');
      expect(await nameOf('Other')).to.equal('other');
      expect(await nameOf('whatever')).to.equal('open');
      const { fetch: closed } = emulated({
        accounts: [account('bob', { apiKey: 'bobs-key', accessToken: 'bobs-token' })],
      });
      for (const [key, token] of [
        ['key', 'bobs-token'],
        ['bobs-key', 'x'],
      ] as const) {
        const { status } = await call(closed, 'GET', `/v2/lists?api_key=${key}`, undefined, {
          authorization: `Bearer ${token}`,
        });
        expect(status).to.equal(401);
      }
    });
  });

  it('answers 404, 405 and 415 for what is not there', async () => {
    const { fetch } = emulated();
    expect((await call(fetch, 'GET', '/v2/nothing')).status).to.equal(404);
    expect((await call(fetch, 'GET', '/v2/activities/addcontacts')).status).to.equal(404);
    expect((await call(fetch, 'GET', '/v2/activities/%E0%A4%A')).status).to.equal(400);
    expect((await call(fetch, 'DELETE', '/v2/activities/a07e1')).status).to.equal(405);
    expect((await call(fetch, 'POST', '/v2/activities', {})).status).to.equal(405);
    expect((await call(fetch, 'POST', '/v2/activities/clearlists')).status).to.equal(415);
    expect((await call(fetch, 'GET', `${ORIGIN}//v2//activities/`)).status).to.equal(200);
  });

  it('answers in JSON, and those who take none with 406; a file is one whatever they take', async () => {
    const { fetch } = emulated();
    const status = async (accept: string, path = '/v2/lists') =>
      (await call(fetch, 'GET', path, undefined, { authorization: 'Bearer token', accept })).status;
    for (const accept of [
      'application/json',
      '*/*',
      'text/html, application/*;q=0.5',
      'Application/JSON; charset=utf-8',
    ]) {
      expect(await status(accept), accept).to.equal(200);
    }
    for (const accept of ['application/atom+xml', 'text/csv', 'application/jsonp']) {
      expect(await status(accept), accept).to.equal(406);
    }
    expect(await status('text/csv', '/v2/activities/a07e1.csv')).to.equal(404);
  });

  it('has ws and v2 side by side, on one set of contacts, lists and activities', async () => {
    const { emulator, clock, fetch } = emulated();
    const ws = new WsClient({
      user: 'joesflowers',
      credentials: { scheme: 'basic', apiKey: 'key', user: 'joesflowers', password: 'p' },
      fetch: emulator.fetch,
      clock,
    });
    const v2 = new V2Client({
      credentials: { scheme: 'api_key', apiKey: 'key', token: 't' },
      fetch: emulator.fetch,
      clock,
    });
    const byWs = await ws.addContacts({
      contacts: { text: 'Email Address,City\nann@example.com,Rome\n' },
      lists: ['1'],
    });
    const byV2 = await v2.addContacts({
      contacts: { rows: [{ email: 'bob@example.com', city: 'Oslo' }] },
      lists: ['1'],
    });
    await clock.advance('1m');
    expect((await all(ws.list())).map(({ id, type }) => [id, type])).to.deep.equal([
      [byV2.id, 'ADD_CONTACT_DETAIL'],
      [byWs.id, 'ADD_CONTACT_DETAIL'],
    ]);
    expect((await all(v2.list())).map(({ id, type }) => [id, type])).to.deep.equal([
      [byV2.id, 'ADD_CONTACTS'],
      [byWs.id, 'ADD_CONTACTS'],
    ]);
    const files = [];
    for (const client of [ws, v2]) {
      const { id } = await client.exportContacts({ listId: '1', columns: ['CITY'] });
      await clock.advance('1m');
      // Each reads what the other made.
      for (const reader of [ws, v2]) {
        const download = await reader.download(await reader.get(id));
        files.push(Buffer.concat(await all(download.body)).toString());
      }
    }
    expect(new Set(files)).to.deep.equal(
      new Set(['Email Address,City\r\nann@example.com,Rome\r\nbob@example.com,Oslo\r\n']),
    );
    const lists = (await call(fetch, 'GET', '/v2/lists')).body as object[];
    expect(lists).to.deep.equal([
      {
        id: '1',
        name: 'General Interest',
        status: 'ACTIVE',
        contact_count: 2,
        modified_date: '2015-02-11T10:00:00.000Z',
      },
      {
        id: '2',
        name: 'Roses',
        status: 'HIDDEN',
        contact_count: 0,
        modified_date: '2015-02-11T10:00:00.000Z',
      },
    ]);
  });

  it('has what only v2 can say refused by ws', async () => {
    const { emulator, clock } = emulated();
    const credentials = { scheme: 'bearer', token: 't' } as const;
    const ws = new WsClient({ user: 'joesflowers', credentials, fetch: emulator.fetch, clock });
    for (const run of [
      ws.exportContacts({ listId: '1', columns: ['Contact ID'] }),
      ws.addContacts({
        contacts: { rows: [{ email: 'ann@example.com' }] },
        lists: ['1'],
        blanksEnabled: true,
      }),
    ]) {
      const error = await run.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(UnsupportedError);
      expect((error as Error).message).to.match(/only v2 (can|has); leave it out$/);
    }
    const response = await emulator.fetch(`${ORIGIN}/ws/customers/joesflowers/activities`, {
      method: 'POST',
      headers: { authorization: 'Bearer t', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'activityType=EXPORT_CONTACTS&columns=CONTACT%20ID&listId=http%3A%2F%2Fapi.constantcontact.com%2Fws%2Fcustomers%2Fjoesflowers%2Flists%2F1',
    });
    expect([response.status, await response.text()]).to.deep.equal([
      400,
      'columns "CONTACT ID" is not known\n',
    ]);
  });

  describe('the habits of v2', () => {
    it('remembers 50 activities, in no order, for 14 days', async () => {
      const { clock, fetch } = emulated();
      const ids: string[] = [];
      for (let n = 0; n < 60; n++) {
        const operation = n % 3 === 0 ? 'exportcontacts' : 'clearlists';
        const body =
          n % 3 === 0
            ? {
                file_type: 'CSV',
                sort_by: 'EMAIL_ADDRESS',
                export_date_added: false,
                export_added_by: false,
                lists: ['1'],
                column_names: ['Email'],
              }
            : { lists: ['1'] };
        const answer = await call(fetch, 'POST', `/v2/activities/${operation}`, body);
        ids.push((answer.body as V2Record).id);
        await clock.advance('1m');
      }
      const listed = async (query = '') =>
        (await call(fetch, 'GET', `/v2/activities${query}`)).body as V2Record[];
      const last = (await listed()).map(({ id }) => id);
      expect(last).to.have.members(ids.slice(-50));
      expect(last).not.to.deep.equal(ids.slice(-50).reverse());
      expect((await listed()).map(({ id }) => id)).to.deep.equal(last);

      const exports = await listed('?type=EXPORT_CONTACTS');
      expect(exports).to.have.length(20);
      expect(
        exports.every(({ type, file_name }) => type === 'EXPORT_CONTACTS' && file_name === undefined),
      ).to.equal(true);
      expect(await listed('?status=COMPLETE&type=CLEAR_CONTACTS_FROM_LISTS')).to.have.length(40);
      expect(await listed('?status=ERROR')).to.deep.equal([]);
      expect(await listed('?status=ALL')).to.have.length(50);
      for (const query of ['?status=DONE', '?type=SV_ADD']) {
        expect((await call(fetch, 'GET', `/v2/activities${query}`)).status).to.equal(400);
      }

      const first = ids[0]!;
      expect((await call(fetch, 'GET', `/v2/activities/${first}`)).status).to.equal(200);
      await clock.advance('13d');
      expect((await call(fetch, 'GET', `/v2/activities/${first}`)).status).to.equal(200);
      await clock.advance('1d');
      for (const path of [first, `${first}.csv`, `exportfiles/${first}.csv`]) {
        expect((await call(fetch, 'GET', `/v2/activities/${path}`)).status, path).to.equal(404);
      }
      expect(await listed()).to.deep.equal([]);
    });

    it('leaves out what there is nothing to say of', async () => {
      const { clock, fetch } = emulated();
      const created = (await call(fetch, 'POST', '/v2/activities/addcontacts', addOf('ann@example.com')))
        .body as V2Record;
      expect(created).to.deep.equal({
        id: created.id,
        type: 'ADD_CONTACTS',
        error_count: 0,
        contact_count: 1,
      });
      const get = async () => (await call(fetch, 'GET', `/v2/activities/${created.id}`)).body;
      expect(await get()).to.deep.equal({
        id: created.id,
        type: 'ADD_CONTACTS',
        status: 'PENDING',
        created_date: '2015-02-11T10:00:00.000Z',
        error_count: 0,
        errors: [],
        warnings: [],
      });
      await clock.advance('1m');
      expect(await get())
        .to.include.keys('start_date', 'finish_date', 'contact_count')
        .and.not.to.have.property('file_name');
      expect((await call(fetch, 'GET', '/v2/activities')).body)
        .to.have.nested.property('[0]')
        .that.has.all.keys(
          'id',
          'type',
          'status',
          'created_date',
          'start_date',
          'finish_date',
          'error_count',
          'contact_count',
        );
    });

    it('tells errors as lines, a hundred at most, and counts all; or as it did earlier', async () => {
      const { clock, fetch, emulator } = emulated();
      const addresses = Array.from({ length: 150 }, (_, n) => `nobody${n}`);
      const { body } = await call(
        fetch,
        'POST',
        '/v2/activities/addcontacts',
        addOf('ann@example.com', ...addresses),
      );
      await clock.advance('1m');
      const path = `/v2/activities/${(body as V2Record).id}`;
      const record = (await call(fetch, 'GET', path)).body as V2Record;
      expect([record.status, record.error_count, record.contact_count]).to.deep.equal(['COMPLETE', 150, 1]);
      expect(record.errors).to.have.length(100);
      // The heading is line 1, the first contact line 2.
      expect(record.errors?.slice(0, 2)).to.deep.equal(['Line 3: Invalid email', 'Line 4: Invalid email']);
      const account = emulator.account('joesflowers');
      for (const [errors, first] of [
        ['objects', { message: 'Invalid email', line_number: 3, email_address: 'nobody0' }],
        ['none', undefined],
      ] as const) {
        const server = v2Server({ account: () => account, errors, now: () => clock.now() });
        expect(((await call(server, 'GET', path)).body as V2Record).errors?.[0]).to.deep.equal(first);
      }
    });

    it('gives the file of an export under its URL, to those who have key and token', async () => {
      const { clock, fetch } = emulated();
      await call(fetch, 'POST', '/v2/activities/addcontacts', addOf('ann@example.com'));
      await clock.advance('1m');
      const { body } = await call(fetch, 'POST', '/v2/activities/exportcontacts', {
        file_type: 'CSV',
        sort_by: 'EMAIL_ADDRESS',
        export_date_added: true,
        export_added_by: true,
        lists: ['active'],
        column_names: ['Email'],
      });
      const { id } = body as V2Record;
      expect((await call(fetch, 'GET', `/v2/activities/${id}.csv`)).status).to.equal(404);
      await clock.advance('1m');
      const record = (await call(fetch, 'GET', `/v2/activities/${id}`)).body as V2Record;
      expect(record.file_name).to.equal(`${ORIGIN}/v2/activities/exportfiles/${id}.csv`);
      for (const path of [record.file_name!, `/v2/activities/${id}.csv`]) {
        const file = await call(fetch, 'GET', path);
        expect([file.status, file.headers.get('content-type')]).to.deep.equal([200, 'text/csv']);
        expect(file.body).to.match(
          /^Email Address,Date Added,Added By\r\nann@example\.com,02\/11\/2015 05:00 AM EST,API\r\n$/,
        );
        expect((await call(fetch, 'GET', path, undefined, {})).status).to.equal(401);
      }
    });

    it('refuses a request over the limits whole', async () => {
      const { clock, fetch } = emulated();
      const many = (count: number) => Array.from({ length: count }, (_, n) => `user${n}@example.com`);
      const { import_data, lists } = addOf(...many(20_001));
      for (const [operation, body, says] of [
        ['addcontacts', addOf(...many(40_001)), /^json\.max\.items\.violation:#\/import_data: 40001 items/],
        ['removefromlists', { import_data, lists }, /allowed is 20000\.$/],
        [
          'addcontacts',
          { ...addOf('a@example.com'), padding: 'x'.repeat(4_000_000) },
          /less than 4000000 bytes/,
        ],
      ] as const) {
        const answer = await call(fetch, 'POST', `/v2/activities/${operation}`, body);
        expect(answer.status).to.equal(400);
        expect((answer.body as { error_message: string }[])[0]?.error_message).to.match(says);
      }
      await clock.advance('1h');
      expect((await call(fetch, 'GET', '/v2/activities')).body).to.deep.equal([]);
      expect((await call(fetch, 'GET', '/v2/lists')).body).to.have.nested.property('[0].contact_count', 0);
    });

    it('checks birthdays, anniversaries and states as v2 does, and erases by blanks when told to', async () => {
      const { clock, fetch, emulator } = emulated();
      const add = async (contacts: object[], query = '') => {
        const { body } = await call(fetch, 'POST', `/v2/activities/addcontacts${query}`, {
          import_data: contacts.map((contact, n) => ({
            email_addresses: [`user${n}@example.com`],
            ...contact,
          })),
          lists: ['1'],
          column_names: ['EMAIL', 'BIRTHDAY_DAY', 'BIRTHDAY_MONTH', 'ANNIVERSARY', 'STATE', 'CITY'],
        });
        await clock.advance('1m');
        return (await call(fetch, 'GET', `/v2/activities/${(body as V2Record).id}`)).body as V2Record;
      };
      const record = await add([
        { addresses: [{ state_code: 'Ontari', city: 'Rome' }] },
        { birthday_day: '31', birthday_month: '2' },
        { birthday_day: 'x' },
        { anniversary: 'May' },
        { addresses: [{ state_code: 'x'.repeat(51) }] },
        { birthday_day: '29', birthday_month: '2', anniversary: '02/29/00' },
      ]);
      expect(record.errors).to.deep.equal([
        'Line 3: Invalid birthday',
        'Line 4: Invalid birthday',
        'Line 5: Invalid anniversary',
        'Line 6: Invalid state',
      ]);
      const city = () =>
        emulator.account('joesflowers')!.holdings.contacts.find('user0@example.com')?.values.get('CITY');
      expect(city()).to.equal('Rome');
      await add([{ addresses: [{ city: '' }] }]);
      expect(city()).to.equal('Rome');
      await add([{ addresses: [{ city: '' }] }], '?blanks_enabled=true');
      expect(city() ?? '').to.equal('');
    });
  });

  it('serves any account, and no more than it tells', async () => {
    const options: V2ServerOptions = { account: () => service, now: () => Date.UTC(2015, 1, 11) };
    const service = stubService([
      anActivity({ id: 'a', type: 'NEW', status: 'ODD' }),
      anActivity({
        id: 'b',
        type: 'EXPORT_CONTACTS',
        status: 'COMPLETE',
        fileName: 'https://elsewhere.example.com/b.csv',
      }),
    ]);
    const server = v2Server(options);
    expect((await call(server, 'GET', '/v2/activities/b')).body).to.have.property(
      'file_name',
      `${ORIGIN}/v2/activities/exportfiles/b.csv`,
    );
    expect((await call(server, 'GET', '/v2/activities')).body).to.deep.equal([
      { id: 'a', type: 'NEW', status: 'ODD', error_count: 0 },
      { id: 'b', type: 'EXPORT_CONTACTS', status: 'COMPLETE', error_count: 0 },
    ]);
    const failed = await call(server, 'POST', '/v2/activities/clearlists', { lists: ['1'] });
    expect([failed.status, failed.body]).to.deep.equal([
      500,
      [
        {
          error_key: 'http.status.internal_server_error',
          error_message: 'The request could not be answered.',
        },
      ],
    ]);
    const small = v2Server({ ...options, maxBodyBytes: 10 });
    expect((await call(small, 'POST', '/v2/activities/clearlists', { lists: ['1'] })).status).to.equal(413);
    const nobody = v2Server({ account: () => undefined });
    expect((await call(nobody, 'GET', '/v2/lists')).body).to.have.nested.property(
      '[0].error_message',
      'The API key or the access token is not right.',
    );
  });
});
