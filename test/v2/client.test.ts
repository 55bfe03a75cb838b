import { expect } from 'chai';
import { inspect } from 'node:util';
import type { Activity } from '../../src/activity/activity.js';
import { UnsupportedError, UsageError } from '../../src/activity/errors.js';
import type { ActivityRequest, Contacts, Warning } from '../../src/activity/request.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { V2Client, type V2ClientOptions } from '../../src/v2/client.js';
import { OPERATIONS } from '../../src/v2/uris.js';
import { leapingClock } from '../cli/harness.js';
import { rejection } from '../http/loopback.js';
import { fixtures, splitMessage } from '../support/fixtures.js';
import { anActivity } from '../support/stub-service.js';
import { answerSchema, complaints, REQUEST_SCHEMAS, SCHEMAS } from './schemas.js';

const SECRETS = { scheme: 'api_key', apiKey: 'k3y-s3cret', token: 't0ken-s3cret' } as const;

type Fetch = (request: Request) => Response | Promise<Response>;

function clientOf(fetch: Fetch, options: Partial<V2ClientOptions> = {}) {
  const warnings: Warning[] = [];
  const client = new V2Client({
    credentials: SECRETS,
    fetch: async (input, init) => fetch(new Request(input, init)),
    clock: leapingClock(),
    random: () => 0,
    retry: false,
    reconcile: false,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  return { client, warnings };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}

const CREATED = () =>
  Response.json({ id: 'a07e1', type: 'ADD_CONTACTS', error_count: 0, contact_count: 1 }, { status: 201 });

describe('V2Client', () => {
  it('everything it sends and is answered conforms to the schemas', async () => {
    const clock = createVirtualClock({ now: '2015-02-11T10:00:00Z' });
    const emulator = createEmulator({
      clock,
      accounts: [
        {
          user: 'joesflowers',
          lists: [
            { id: '1', name: 'A', members: ['fred@example.com'] },
            { id: '2', name: 'B' },
          ],
        },
      ],
    });
    const seen = new Set<string>();
    const { client } = clientOf(
      async (request) => {
        const { pathname } = new URL(request.url);
        const operation = OPERATIONS.find((name) => pathname.endsWith(`/${name}`));
        if (operation !== undefined && request.headers.get('content-type') === 'application/json') {
          seen.add(REQUEST_SCHEMAS[operation]);
          expect(complaints(REQUEST_SCHEMAS[operation], await request.clone().json())).to.equal('');
        }
        expect(request.headers.get('accept')).to.equal(
          pathname.endsWith('.csv') ? '*/*' : 'application/json',
        );
        const response = await emulator.fetch(request);
        const schema = answerSchema(request.method, pathname, response.status);
        if (schema !== undefined) {
          seen.add(schema);
          expect(complaints(schema, await response.clone().json()), `${request.method} ${pathname}`).to.equal(
            '',
          );
        }
        return response;
      },
      { clock, reconcile: {} },
    );
    const run = async (request: ActivityRequest) => {
      const { id } = await client.create(request);
      await clock.advance('1h');
      return client.get(id);
    };
    const rows = [
      {
        emailAddress: 'ann@example.com',
        city: 'Rome',
        birthdayDay: '3',
        birthdayMonth: '4',
        customField2: 'x',
      },
      { emailAddress: 'nobody' },
    ];
    const added = await run({ activityType: 'SV_ADD', contacts: { rows }, lists: ['1', '2'] });
    expect(added.errors).to.deep.equal([
      { lineNumber: 3, emailAddress: undefined, message: 'Invalid email' },
    ]);
    await run({
      activityType: 'REMOVE_CONTACTS_FROM_LISTS',
      contacts: { rows: rows.slice(0, 1) },
      lists: ['2'],
    });
    await run({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['2'] });
    const columns = ['CITY', 'Contact ID'];
    const exported = await run({
      activityType: 'EXPORT_CONTACTS',
      listId: '1',
      columns,
      sortBy: 'DATE_DESC',
    });
    const download = await client.download(exported);
    expect(Buffer.concat(await all(download.body)).toString()).to.equal(
      'Email Address,City,Contact ID\r\nann@example.com,Rome,2\r\nfred@example.com,,1\r\n',
    );
    expect(await all(client.list())).to.have.length(4);
    expect(await all(client.lists())).to.have.length(5);
    expect((await rejection(client.get('a07e1none'))).code).to.equal('NOT_FOUND');
    expect([...seen].sort()).to.deep.equal([...SCHEMAS].sort());
  });

  it('writes the documented requests', async () => {
    let sent: unknown;
    const { client } = clientOf(async (request) => {
      sent = await request.json();
      return CREATED();
    });
    const documented = (name: string) => {
      const fixture = fixtures('v2/requests').find((candidate) => candidate.name === name);
      return JSON.parse(splitMessage(fixture!.bytes('request.http')).body.toString()) as unknown;
    };
    await client.exportContacts({
      listId: 6,
      exportOptDate: true,
      exportOptSource: true,
      columns: [
        ...['First Name', 'Last Name', 'Contact ID', 'Job Title', 'Company Name', 'Work Phone', 'Home Phone'],
        ...['Address Line 1', 'Address Line 2', 'Address Line 3', 'City', 'State', 'Country', 'Postal Code'],
        ...['Custom field 1', 'Custom field 3', 'Custom field 6', 'Custom field 15'],
      ],
    });
    expect(sent).to.deep.equal(documented('export-documented'));
    await client.clearLists({ lists: ['2', '3'] });
    expect(sent).to.deep.equal(documented('clear-documented'));
    const contacts = { rows: [{ email: 'user1@example.com' }, { email: 'user2@example.com' }] };
    await client.removeContacts({ contacts, lists: ['4', '5', '6'] });
    expect(sent).to.deep.equal(documented('remove-documented'));
    const names = [
      ...['email', 'firstName', 'lastName', 'birthdayDay', 'birthdayMonth', 'anniversary', 'jobTitle'],
      ...[
        'companyName',
        'homePhone',
        'addressLine1',
        'addressLine2',
        'city',
        'state',
        'country',
        'postalCode',
      ],
      ...['customField6', 'customField12'],
    ];
    const row = (...cells: string[]) => Object.fromEntries(names.map((name, n) => [name, cells[n]]));
    const john = row(
      ...['user1@example.com', 'John', 'Smith', '25', '1', '03/12/2005', '', 'My Company', '5555551212'],
      ...['123 Partridge Lane', 'Apt. 3', 'Anytown', 'NH', 'US', '02145', 'Blue Jeans', 'Special Order'],
    );
    const jane = row(
      ...['user2@example.com', 'Jane', 'Doe', '19', '11', '09/25/1988', 'Head of nothing', "Jane's Company"],
      ...['5555551213', '456 Jones Road', '', 'Smalltown', 'MA', 'US', '02458', 'Hollister', ''],
    );
    await client.addContacts({ contacts: { rows: [john, jane] }, lists: ['4', '5', '6'] });
    // A blank job title says nothing, and is left out.
    expect(sent).to.deep.equal(
      JSON.parse(JSON.stringify(documented('add-documented')).replace('"job_title":"",', '')),
    );
  });

  describe('the key and the token', () => {
    it('go with every call, the key in the query and the token in the header', async () => {
      const seen: string[] = [];
      const { client } = clientOf((request) => {
        const { searchParams, href } = new URL(request.url);
        seen.push(`${searchParams.getAll('api_key').join()} ${request.headers.get('authorization') ?? ''}`);
        if (request.method === 'POST') return CREATED();
        return href.includes('.csv') ? new Response('x') : Response.json([]);
      });
      await all(client.list({ status: 'RUNNING', type: 'EXPORT_CONTACTS' }));
      await all(client.lists());
      await client.clearLists({ lists: ['1'] });
      const download = await client.download(
        // With a key of somebody's in it.
        anActivity({
          id: 'a07e1',
          fileName: 'https://api.constantcontact.com/v2/activities/a07e1.csv?api_key=other',
        }),
      );
      await download.cancel();
      expect(seen).to.deep.equal(Array(4).fill('k3y-s3cret Bearer t0ken-s3cret'));
    });

    it('never go anywhere else: not to the file of an export, not behind a redirect', async () => {
      const places: string[] = [];
      const { client } = clientOf((request) => {
        places.push(new URL(request.url).host);
        return new Response(null, { status: 302, headers: { location: 'https://evil.example.com/' } });
      });
      for (const fileName of [
        'https://evil.example.com/a07e1.csv',
        '//evil.example.com/a07e1.csv',
        'http://api.constantcontact.com:8080/v2/a07e1.csv',
        'javascript:alert(1)//',
      ]) {
        const error = await rejection(
          client.download(anActivity({ id: 'a07e1', type: 'EXPORT_CONTACTS', fileName })),
        );
        expect(error.code, fileName).to.equal('FOREIGN_ORIGIN');
      }
      expect(places).to.deep.equal([]);
      expect((await rejection(client.get('a07e1'))).code).to.equal('REDIRECTED');
      expect((await rejection(client.clearLists({ lists: ['1'] }))).code).to.equal('REDIRECTED');
      expect(new Set(places)).to.deep.equal(new Set(['api.constantcontact.com']));
    });

    it('stand in no error, no warning and no picture of the client', async () => {
      const texts: string[] = [];
      const echo: Fetch = async (request) => {
        const said = `${request.url} ${request.headers.get('authorization') ?? ''} ${await request.text()}`;
        const id = request.method === 'POST' ? '' : said;
        return Response.json(
          { id, created_date: said, error_count: said, warnings: [said] },
          { status: request.method === 'POST' ? 400 : 200 },
        );
      };
      const { client, warnings } = clientOf(echo);
      await client.get('a07e1');
      for (const run of [client.clearLists({ lists: ['1'] }), all(client.list()), all(client.lists())]) {
        const error = await rejection(run);
        texts.push(error.message, error.stack ?? '', inspect(error), JSON.stringify(error));
      }
      const lost = clientOf(() => Promise.reject(new TypeError('fetch failed: k3y-s3cret t0ken-s3cret')));
      const error = await rejection(lost.client.get('a07e1'));
      texts.push(error.message, inspect(error, { depth: 9 }), inspect(client, { depth: 9 }));
      expect(warnings).to.have.length(3);
      texts.push(...warnings.map(({ message }) => message));
      for (const text of texts) expect(text).not.to.match(/s3cret/);
    });

    it('are of this scheme and no other', () => {
      for (const credentials of [
        { scheme: 'bearer', token: 't' },
        { scheme: 'basic', apiKey: 'k', user: 'u', password: 'p' },
        { scheme: 'api_key', apiKey: '', token: 't' },
        { scheme: 'api_key', apiKey: 'k', token: 'two words' },
      ]) {
        expect(() => new V2Client({ credentials: credentials as never })).to.throw(
          UsageError,
          /^credentials\./,
        );
      }
      expect(() => new V2Client({ credentials: SECRETS, encoding: 'form' as never })).to.throw(
        UsageError,
        'encoding: must be auto, json, multipart, got "form"',
      );
      expect(() => new V2Client({ credentials: SECRETS, baseUrl: 'http://api.example.com' })).to.throw(
        UsageError,
      );
    });
  });

  describe('contacts are sent', () => {
    async function sentAs(contacts: Contacts, options: Partial<V2ClientOptions> = {}): Promise<string> {
      let type = '';
      const { client } = clientOf((request) => {
        type = request.headers.get('content-type') ?? '';
        return CREATED();
      }, options);
      await client.addContacts({ contacts, lists: ['1'] });
      return type.split(';', 1)[0] ?? '';
    }
    const text = 'Email Address,Country\nann@example.com,IT\n';
    const rows = [{ email: 'ann@example.com', country: 'IT' }];

    it('as JSON when they are rows, as a file when they are one', async () => {
      expect(await sentAs({ rows })).to.equal('application/json');
      for (const contacts of [{ text }, { bytes: Buffer.from(text) }]) {
        expect(await sentAs(contacts)).to.equal('multipart/form-data');
      }
      expect(await sentAs({ text }, { encoding: 'json' })).to.equal('application/json');
      expect(await sentAs({ rows }, { encoding: 'multipart' })).to.equal('multipart/form-data');
    });

    it('as a file when JSON would not do', async () => {
      expect(await sentAs({ rows: [{ email: 'ann@example.com', country: 'Italy' }] })).to.equal(
        'multipart/form-data',
      );
      const many = Array.from({ length: 3_000 }, (_, n) => ({
        email: `user${n}@example.com`,
        customField1: 'x'.repeat(1_285),
      }));
      expect(await sentAs({ rows: many })).to.equal('multipart/form-data');
      const tooMany = many.map((row) => ({ ...row, customField2: 'x'.repeat(100) }));
      expect((await rejection(sentAs({ rows: tooMany }))).code).to.equal('UPLOAD_TOO_LARGE');
      expect((await rejection(sentAs({ rows: many }, { encoding: 'json' }))).code).to.equal(
        'UPLOAD_TOO_LARGE',
      );
    });

    it('with blanks that erase only where that was asked for', async () => {
      const sent: [string, unknown][] = [];
      const { client } = clientOf(async (request) => {
        sent.push([new URL(request.url).searchParams.get('blanks_enabled') ?? '', await request.json()]);
        return CREATED();
      });
      const contacts = { rows: [{ email: 'ann@example.com', firstName: '', city: '', customField1: '' }] };
      await client.addContacts({ contacts, lists: ['1'] });
      await client.addContacts({ contacts, lists: ['1'], blanksEnabled: true });
      const column_names = ['EMAIL', 'FIRST NAME', 'CITY', 'CUSTOM FIELD 1'];
      expect(sent).to.deep.equal([
        ['', { import_data: [{ email_addresses: ['ann@example.com'] }], lists: ['1'], column_names }],
        [
          'true',
          {
            import_data: [
              {
                email_addresses: ['ann@example.com'],
                first_name: '',
                addresses: [{ city: '', address_type: 'PERSONAL' }],
                custom_fields: [{ name: 'custom_field_1', value: '' }],
              },
            ],
            lists: ['1'],
            column_names,
          },
        ],
      ]);
    });
  });

  it('refuses what v2 cannot say, and what is too much, before anything is sent', async () => {
    const { client } = clientOf(() => Promise.reject(new Error('something was sent')), { reconcile: {} });
    const add = (contacts: Contacts, lists: string[] = ['1']): ActivityRequest => ({
      activityType: 'SV_ADD',
      contacts,
      lists,
    });
    const one = { text: 'EMAIL\nann@example.com\n' };
    const cases: readonly [ActivityRequest, RegExp][] = [
      [{ activityType: 'EXPORT_CONTACTS', listId: '1', fileType: 'TXT' }, /^fileType: v2 exports CSV only/],
      [
        { activityType: 'EXPORT_CONTACTS', listId: '1', exportListName: true },
        /^exportListName: .*; leave it out$/,
      ],
      [
        { activityType: 'EXPORT_CONTACTS', listId: 'all' },
        /cannot export all; .*active, do-not-mail, removed/,
      ],
      [
        { activityType: 'EXPORT_CONTACTS', listId: 'awaiting-confirmation' },
        /cannot export awaiting-confirmation/,
      ],
      [add(one, ['active']), /^lists: v2 knows the system list active in exports only/],
      [
        { activityType: 'REMOVE_CONTACTS_FROM_LISTS', contacts: one, lists: ['removed'] },
        /system list removed/,
      ],
      [
        add({ bytes: Buffer.from('d0cf11e0a1b11ae1', 'hex'), fileName: 'a.xls' }),
        /^a\.xls: v2 takes no spreadsheets/,
      ],
    ];
    for (const [request, says] of cases) {
      const error = await rejection(client.create(request));
      expect(error).to.be.instanceOf(UnsupportedError);
      expect(error.message).to.match(says);
    }
    const many = { text: `EMAIL\n${'ann@example.com\n'.repeat(40_001)}` };
    expect((await rejection(client.create(add(many)))).code).to.equal('UPLOAD_TOO_LARGE');
    expect((await rejection(client.get('..'))).code).to.equal('OPTION_INVALID');
  });

  it('an export goes out without the columns that v2 ignores, and says so', async () => {
    let sent: unknown;
    const { client, warnings } = clientOf(async (request) => {
      sent = await request.json();
      return CREATED();
    });
    await client.exportContacts({
      listId: 'do-not-mail',
      columns: ['MIDDLE NAME', 'CITY', 'contact id', 'STATE/PROVINCE (US/CANADA)'],
    });
    expect(sent).to.deep.equal({
      file_type: 'CSV',
      sort_by: 'EMAIL_ADDRESS',
      export_date_added: false,
      export_added_by: false,
      lists: ['opted-out'],
      column_names: ['Email', 'City', 'Contact ID'],
    });
    expect(warnings.map(({ code }) => code)).to.deep.equal(['COLUMN_IGNORED', 'COLUMN_IGNORED']);
    await client.exportContacts({ listId: '1', columns: ['CITY', 'Email Address'] });
    expect((sent as { column_names: string[] }).column_names).to.deep.equal(['City', 'Email']);
  });

  describe('list', () => {
    const record = (id: string, created?: string) => ({
      id,
      type: 'ADD_CONTACTS',
      status: 'COMPLETE',
      ...(created && { created_date: created }),
      error_count: 0,
    });

    it('is sorted by time, the newest first, and begins behind any of them', async () => {
      const { client } = clientOf(() =>
        Response.json([
          record('b', '2015-02-11T10:00:00.000Z'),
          record('x'),
          record('a', '2015-02-12T10:00:00.000Z'),
          record('c', '2015-02-11T10:00:00.000Z'),
          record('y'),
        ]),
      );
      const ids = async (after?: string) => (await all(client.list({ after }))).map(({ id }) => id).join('');
      expect(await ids()).to.equal('acbyx');
      expect(await ids('c')).to.equal('byx');
      expect(await ids('x')).to.equal('');
      expect((await rejection(ids('z'))).code).to.equal('NOT_FOUND');
    });

    it('asks for a status and a type, and knows which there are', async () => {
      const queries: string[] = [];
      const { client } = clientOf((request) => {
        queries.push(new URL(request.url).search.replace(/&?api_key=[^&]*/, ''));
        return Response.json([]);
      });
      await all(client.list({ status: 'CANCELLED' }));
      await all(client.list({ status: 'ALL', type: 'EXPORT_CONTACTS' }));
      expect(queries).to.deep.equal(['?status=CANCELLED', '?status=ALL&type=EXPORT_CONTACTS']);
      for (const options of [{ status: 'DONE' }, { type: 'SV_ADD' }]) {
        expect((await rejection(all(client.list(options as never)))).code).to.equal('OPTION_INVALID');
      }
      expect(queries).to.have.length(2);
    });
  });

  describe('the file of an export', () => {
    it('is looked for by its id where the record does not tell it', async () => {
      const paths: string[] = [];
      const { client } = clientOf((request) => {
        paths.push(new URL(request.url).pathname);
        return new Response('Email Address\r\n', {
          headers: { 'content-type': 'text/csv', 'content-length': '15' },
        });
      });
      for (const fileName of [
        undefined,
        '',
        'upload_from_json.csv',
        'http://api.constantcontact.com/v2/activities/exportfiles/a07e1.csv',
      ]) {
        const download = await client.download(anActivity({ id: 'a07e1', fileName }));
        expect([download.fileName, download.length]).to.deep.equal(['a07e1.csv', 15]);
        await download.cancel();
      }
      expect(paths).to.deep.equal([
        ...Array<string>(3).fill('/v2/activities/a07e1.csv'),
        '/v2/activities/exportfiles/a07e1.csv',
      ]);
    });

    it('is none for an upload, and no document', async () => {
      const { client } = clientOf(() => Response.json({ id: 'a07e1' }));
      expect(
        (await rejection(client.download(anActivity({ id: 'a07e1', type: 'ADD_CONTACTS' })))).code,
      ).to.equal('NOT_FOUND');
      const error = await rejection(client.download(anActivity({ id: 'a07e1' })));
      expect([error.code, error.message]).to.deep.equal([
        'DOCUMENT_UNEXPECTED',
        '/v2/activities/a07e1.csv: expected the file of an export, got application/json',
      ]);
    });
  });

  it('finds the activity whose answer was lost, and sends nothing twice', async () => {
    const clock = leapingClock();
    const emulator = createEmulator({ clock });
    let posts = 0;
    const { client, warnings } = clientOf(
      async (request) => {
        const response = await emulator.fetch(request);
        if (request.method === 'GET') return response;
        posts++;
        throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNRESET' } });
      },
      { clock, reconcile: { quietPeriod: 60_000 } },
    );
    const created: Activity = await client.addContacts({
      contacts: { text: 'EMAIL\nann@example.com\n' },
      lists: ['1'],
    });
    expect([created.type, posts]).to.deep.equal(['ADD_CONTACTS', 1]);
    expect((await client.waitForActivity(created.id)).status).to.equal('COMPLETE');
    expect(await all(client.list())).to.have.length(1);
    expect(warnings.some(({ message }) => message.includes(created.id))).to.equal(true);
  });

  it('a cancelled activity is waited for no longer, and has failed', async () => {
    const { client } = clientOf(() =>
      Response.json({ id: 'a07e1', type: 'ADD_CONTACTS', status: 'CANCELLED', error_count: 0 }),
    );
    const error = await rejection(client.waitForActivity('a07e1'));
    expect([error.code, error.message]).to.deep.equal([
      'ACTIVITY_FAILED',
      'activity a07e1 ended with status CANCELLED: the service gave no reason',
    ]);
  });

  it('passes on what the service warns of', async () => {
    const { client, warnings } = clientOf(() =>
      Response.json({ id: 'a07e1', error_count: 0, warnings: ['Line 3: Duplicate'] }),
    );
    await client.get('a07e1');
    expect(warnings).to.deep.equal([
      { code: 'SERVICE_WARNING', message: 'a07e1: the service warns: Line 3: Duplicate' },
    ]);
  });
});
