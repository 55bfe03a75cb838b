import { expect } from 'chai';
import Papa from 'papaparse';
import type { Activity } from '../../src/activity/activity.js';
import { ServiceError, TransportError, UsageError, type CtctError } from '../../src/activity/errors.js';
import type { ActivityRequest } from '../../src/activity/request.js';
import { EmulatedAccount, type AccountOptions } from '../../src/emulator/account.js';
import type { AccountSeed } from '../../src/emulator/seed.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';

const LISTS = [
  { id: '2', name: 'Roses' },
  { id: '5', name: 'Tulips and more', shortName: 'Tulips' },
];

function open(seed: Partial<AccountSeed> = {}, options: AccountOptions = {}) {
  const clock = createVirtualClock();
  const account = new EmulatedAccount({ user: 'joesflowers', lists: LISTS, ...seed }, { clock, ...options });
  /** Creates, lets it finish, and gives the finished record. */
  const run = async (request: ActivityRequest): Promise<Activity> => {
    const { id } = await account.create(request);
    await clock.advance('1m');
    return account.get(id);
  };
  const text = async (activity: string | Activity): Promise<string> => {
    const { body } = await account.download(activity);
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  };
  const exported = async (request: Partial<Extract<ActivityRequest, { listId: unknown }>> = {}) =>
    text(await run({ activityType: 'EXPORT_CONTACTS', listId: '2', ...request }));
  return { clock, account, run, text, exported };
}

/** Each with an address of its own. */
const badRows = (count: number) => Array.from({ length: count }, (_, index) => `bad${index}\n`).join('');

const add = (text: string, lists: string[] = ['2']): ActivityRequest => ({
  activityType: 'ADD_CONTACTS',
  contacts: { text },
  lists,
});

async function failure(promise: Promise<unknown>): Promise<CtctError> {
  return promise.then(
    () => {
      throw new Error('nothing failed');
    },
    (error: unknown) => error as CtctError,
  );
}

function refusal(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  throw error;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('EmulatedAccount', () => {
  describe('create', () => {
    it('gives a PENDING record that knows no more than its type, id and insert time', async () => {
      for (const latency of [undefined, { pending: 0, queued: 0, running: 0 }]) {
        const { account, clock } = open({}, { latency });
        const activity = await account.create(add('Email Address\nann@example.com\n'));
        expect(activity.id).to.match(/^a07e1[0-9a-z]{14}$/);
        expect(activity).to.deep.equal({
          id: activity.id,
          type: 'ADD_CONTACTS',
          status: 'PENDING',
          errors: [],
          errorCount: 0,
          fileName: undefined,
          transactionCount: undefined,
          insertTime: new Date(clock.now()),
          runStartTime: undefined,
          runFinishTime: undefined,
          updated: new Date(clock.now()),
          title: '',
          editMedia: undefined,
        });
      }
    });

    it('stores an add by what its columns are, whatever was asked for', async () => {
      const { account } = open();
      for (const activityType of ['ADD_CONTACTS', 'SV_ADD', 'ADD_CONTACT_DETAIL'] as const) {
        const plain = { activityType, contacts: { text: 'Email Address\na@example.com' }, lists: ['2'] };
        const detailed = { ...plain, contacts: { text: 'Email Address,City\na@example.com,' } };
        expect((await account.create(plain)).type).to.equal('ADD_CONTACTS');
        expect((await account.create(detailed)).type).to.equal('ADD_CONTACT_DETAIL');
      }
    });

    it('takes contacts as rows, text, bytes and a stream', async () => {
      const bytes = Buffer.from('Email Address,City\nann@example.com,Québec\n');
      async function* stream() {
        await Promise.resolve();
        yield bytes.subarray(0, 36);
        yield bytes.subarray(36);
      }
      for (const contacts of [
        { rows: [{ emailAddress: 'ann@example.com', city: 'Québec' }] },
        { text: bytes.toString() },
        { bytes },
        { bytes: Buffer.from('Email Address\tCity\r\nann@example.com\tQuébec\r\n'), fileName: 'up.txt' },
        { stream: stream() },
      ]) {
        const { run, exported } = open();
        const { status, errors } = await run({ activityType: 'SV_ADD', contacts, lists: ['2'] });
        expect({ status, errors }).to.deep.equal({ status: 'COMPLETE', errors: [] });
        expect(await exported({ columns: ['CITY'] })).to.equal(
          'Email Address,City\r\nann@example.com,Québec\r\n',
        );
      }
    });

    it('refuses unknown lists and system lists with status 400, naming them', async () => {
      const { account } = open();
      const contacts = { text: 'Email Address\nann@example.com' };
      for (const [request, named] of [
        [{ activityType: 'SV_ADD', contacts, lists: ['2', '99'] }, 'list 99'],
        [{ activityType: 'ADD_CONTACTS', contacts, lists: ['active'] }, 'system list active'],
        [{ activityType: 'REMOVE_CONTACTS_FROM_LISTS', contacts, lists: ['do-not-mail'] }, 'do-not-mail'],
        [{ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['99'] }, 'list 99'],
        [{ activityType: 'EXPORT_CONTACTS', listId: '99' }, 'list 99'],
        [{ activityType: 'EXPORT_CONTACTS', listId: 'all' }, 'system list all'],
      ] as const) {
        const error = await failure(account.create(request));
        expect(refusal(error)).to.include({ code: 'SERVICE_REFUSED', status: 400 });
        expect(refusal(error).detail).to.include(named);
      }
      expect(await all(account.list())).to.deep.equal([]);
    });

    it('refuses what cannot be meant, and uploads without addresses', async () => {
      const { account } = open();
      const list = ['2'];
      for (const [request, code] of [
        [{ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['active'] }, 'LIST_NOT_CLEARABLE'],
        [{ activityType: 'EXPORT_CONTACTS', listId: '2', columns: ['SHOE'] }, 'COLUMN_UNKNOWN'],
        [{ activityType: 'SV_ADD', contacts: { text: '' }, lists: list }, 'CONTACTS_REQUIRED'],
        [{ activityType: 'SV_ADD', contacts: { text: 'Email Address\n' }, lists: list }, 'CONTACTS_REQUIRED'],
        [
          { activityType: 'SV_ADD', contacts: { text: 'City\nBoston' }, lists: list },
          'ADDRESS_COLUMN_REQUIRED',
        ],
      ] as const) {
        const error = await failure(account.create(request));
        expect(error).to.be.instanceOf(UsageError);
        expect(error.code).to.equal(code);
      }
      expect(await all(account.list())).to.deep.equal([]);
    });

    it('ends at once when it is aborted while contacts are read, and creates nothing', async () => {
      const { account } = open();
      const controller = new AbortController();
      async function* stuck() {
        yield Buffer.from('Email Address\nann@example.com\n');
        setImmediate(() => {
          controller.abort();
        });
        await new Promise(() => undefined);
      }
      const error = await failure(
        account.create(
          { activityType: 'SV_ADD', contacts: { stream: stuck() }, lists: ['2'] },
          { signal: controller.signal },
        ),
      );
      expect(error).to.be.instanceOf(TransportError);
      expect(error).to.include({ code: 'ABORTED', sent: 'no' });
      expect(await all(account.list())).to.deep.equal([]);
    });

    it('refuses spreadsheets with the remedy', async () => {
      const bytes = Buffer.from('d0cf11e0a1b11ae1000000000000', 'hex');
      const { account } = open();
      const error = await failure(
        account.create({ activityType: 'SV_ADD', contacts: { bytes, fileName: 'up.xls' }, lists: ['2'] }),
      );
      expect(refusal(error)).to.include({ status: 400 });
      expect(refusal(error).detail).to.include('.csv');
    });

    it('ends in ERROR, and changes nothing, when a file is no text', async () => {
      const { run, account } = open();
      for (const activityType of ['SV_ADD', 'REMOVE_CONTACTS_FROM_LISTS'] as const) {
        const activity = await run({
          activityType,
          contacts: { text: 'Email Address\nann@example.com\n\0\0PK\n' },
          lists: ['2'],
        });
        expect(activity).to.include({ status: 'ERROR', transactionCount: 0, errorCount: 1 });
        expect(activity.errors[0]).to.include({ lineNumber: 3, message: 'The file is not text' });
        expect((await all(account.lists()))[3]?.contactCount).to.equal(0);
      }
    });
  });

  describe('jobs', () => {
    it('reproduce the document’s sample: two unknown states, one contact', async () => {
      const { run } = open();
      const activity = await run(
        add('Email Address,State\ntest1@example.com,MA\ntest2@example.com,Test2\ntest3@example.com,Test3\n'),
      );
      expect(activity).to.deep.include({
        type: 'ADD_CONTACT_DETAIL',
        status: 'COMPLETE',
        fileName: '',
        transactionCount: 1,
        errorCount: 2,
        errors: [
          {
            lineNumber: 3,
            emailAddress: 'test2@example.com',
            message: 'Unknown US/Canadian state/prov "Test2"',
          },
          {
            lineNumber: 4,
            emailAddress: 'test3@example.com',
            message: 'Unknown US/Canadian state/prov "Test3"',
          },
        ],
      });
      expect(activity.updated).to.deep.equal(activity.runFinishTime);
    });

    it('name physical lines, quoted line breaks and empty lines counted', async () => {
      const { run } = open();
      const { errors } = await run(
        add('Email Address,Address Line 1\r\nann@example.com,"1 Main St\r\nApt 2"\r\n\r\nbad,x\r\n'),
      );
      expect(errors).to.deep.equal([{ lineNumber: 5, emailAddress: 'bad', message: 'Invalid email' }]);
    });

    it('list the first thousand errors, and count all', async () => {
      const { run, exported } = open();
      for (const bad of [1_000, 1_500]) {
        const activity = await run(add(`Email Address\n${badRows(bad)}ann@example.com\n`));
        expect(activity).to.include({ errorCount: bad, transactionCount: 1 });
        expect(activity.errors.map(({ lineNumber }) => lineNumber)).to.deep.equal(
          Array.from({ length: 1_000 }, (_, index) => index + 2),
        );
      }
      expect(await exported()).to.equal('Email Address\r\nann@example.com\r\n');
    });

    it('take the last row of an address alone, whose blanks erase nothing', async () => {
      const { run, exported } = open();
      const activity = await run(
        add(
          'Email Address,First Name,City\nann@example.com,Ann,Boston\nANN@example.com,Anna,\njoan@example.com,Joan,\n',
        ),
      );
      expect(activity.transactionCount).to.equal(2);
      await run(add('Email Address,City\njoan@example.com,Salem\n'));
      expect(await exported({ columns: ['FIRST NAME', 'CITY'] })).to.equal(
        'Email Address,First Name,City\r\nANN@example.com,Anna,\r\njoan@example.com,Joan,Salem\r\n',
      );
    });

    it('erase by blanks when they are told to, and check states all the same', async () => {
      const { run, exported } = open();
      await run(add('Email Address,First Name,City,State\nann@example.com,Ann,Boston,MA\n'));
      const text = 'Email Address,First Name,City,State\nann@example.com,,Salem,\nbad@example.com,,,Test2\n';
      const activity = await run({
        activityType: 'ADD_CONTACTS',
        contacts: { text },
        lists: ['2'],
        blanksEnabled: true,
      });
      expect(activity.errors.map(({ lineNumber }) => lineNumber)).to.deep.equal([3]);
      expect(await exported({ columns: ['FIRST NAME', 'CITY', 'STATE', 'CONTACT ID'] })).to.equal(
        'Email Address,First Name,City,State,Contact ID\r\nann@example.com,,Salem,,1\r\n',
      );
    });

    it('do not add who opted out, and say so by line among the other errors', async () => {
      const { run, exported } = open({ doNotMail: ['fred@example.com'] });
      const activity = await run(add('Email Address\nbad\nFred@example.com\nworse\nann@example.com\n'));
      expect(activity.transactionCount).to.equal(1);
      expect(activity.errors.map(({ lineNumber, message }) => [lineNumber, message])).to.deep.equal([
        [2, 'Invalid email'],
        [3, 'Contact is on the do-not-mail list'],
        [4, 'Invalid email'],
      ]);
      expect(await exported()).to.equal('Email Address\r\nann@example.com\r\n');
      expect(await exported({ listId: 'do-not-mail' })).to.equal('Email Address\r\nfred@example.com\r\n');
    });

    it('clear whoever is a member when they run: one who was added after the clear was asked for as well', async () => {
      for (const [order, cleared, left] of [
        ['strict', 1, 'joan@example.com\r\n'],
        ['loose', 2, ''],
      ] as const) {
        const { account, clock, exported } = open({}, { order });
        await account.create(add('Email Address\nann@example.com\n', ['2', '5']));
        const clear = await account.create({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['2'] });
        await account.create(add('Email Address\njoan@example.com\n'));
        await clock.advance('5m');
        expect((await account.get(clear.id)).transactionCount).to.equal(cleared);
        expect(await exported({ listId: '2' })).to.equal(`Email Address\r\n${left}`);
        expect(await exported({ listId: '5' })).to.equal('Email Address\r\nann@example.com\r\n');
      }
    });

    it('take members off the lists named, and off the last one they are removed', async () => {
      const { run, exported } = open();
      await run(add('Email Address\nann@example.com\njoan@example.com\n', ['2', '5']));
      await run(add('Email Address\nfred@example.com\n', ['5']));
      const removal = await run({
        activityType: 'REMOVE_CONTACTS_FROM_LISTS',
        contacts: { text: 'Email Address\nANN@example.com\nfred@example.com\nnobody@example.com\nbad\n' },
        lists: ['5'],
      });
      expect(removal).to.include({ status: 'COMPLETE', transactionCount: 3, errorCount: 1, fileName: '' });
      expect(await exported({ listId: '5' })).to.equal('Email Address\r\njoan@example.com\r\n');
      expect(await exported({ listId: 'removed' })).to.equal('Email Address\r\nfred@example.com\r\n');
      expect(await exported({ listId: 'active' })).to.equal(
        'Email Address\r\nann@example.com\r\njoan@example.com\r\n',
      );
    });
  });

  describe('exports', () => {
    it('hold the columns asked for in the order asked for, the address first and once', async () => {
      const { run, exported } = open();
      await run(add('Email Address,First Name,Postal Code\nann@example.com,"Ann ""A"", B",01234\n'));
      expect(
        await exported({ columns: ['postal code', 'EMAIL ADDRESS', 'Custom Field 15', 'FIRST NAME'] }),
      ).to.equal(
        'Email Address,Postal,Custom field 15,First Name\r\nann@example.com,01234,,"Ann ""A"", B"\r\n',
      );
    });

    it('add date, source and list name when asked to, in east coast time', async () => {
      const clock = createVirtualClock({ now: '2012-01-04T21:10:40Z' });
      const { account, text } = open({}, { clock, latency: { pending: 0, queued: 0, running: 20_000 } });
      await account.create(add('Email Address\nann@example.com\n', ['2', '5']));
      await clock.advance('1d');
      await account.create(add('Email Address\njoan@example.com\n', ['5']));
      await clock.advance('1d');
      expect(await all(account.list())).to.have.length(2);
      const options = { exportOptDate: true, exportOptSource: true, exportListName: true };
      const take = async (listId: string) => {
        const { id } = await account.create({ activityType: 'EXPORT_CONTACTS', listId, ...options });
        await clock.advance('1m');
        return (await text(id)).split('\r\n');
      };
      expect(await take('2')).to.deep.equal([
        'Email Address,Date Added,Added By,List: Roses',
        'ann@example.com,01/04/2012 04:11 PM EST,API,x',
        '',
      ]);
      expect(await take('active')).to.deep.equal([
        'Email Address,Date Added,Added By,List: Roses,List: Tulips',
        'ann@example.com,01/04/2012 04:11 PM EST,API,x,x',
        'joan@example.com,01/05/2012 04:11 PM EST,API,,x',
        '',
      ]);
      await account.create({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['2', '5'] });
      await clock.advance('150d');
      expect((await take('removed'))[0]).to.equal('Email Address,Date Removed,Removed By,List: Removed');
      expect((await take('do-not-mail')).length).to.equal(2);
    });

    it('sort by address whatever its case, or by date, the newest first', async () => {
      const { run, exported } = open();
      await run(add('Email Address\nb@example.com\nD@example.com\n'));
      await run(add('Email Address\nC@example.com\na@example.com\nb@example.com\n'));
      const addresses = async (sortBy: 'EMAIL_ADDRESS' | 'DATE_DESC') =>
        (await exported({ sortBy })).split('\r\n').slice(1, -1).join(' ');
      expect(await addresses('EMAIL_ADDRESS')).to.equal(
        'a@example.com b@example.com C@example.com D@example.com',
      );
      expect(await addresses('DATE_DESC')).to.equal(
        'a@example.com C@example.com b@example.com D@example.com',
      );
    });

    it('hold what was there when they ran, not what came later', async () => {
      const { run, text } = open();
      await run(add('Email Address\nann@example.com\n'));
      const activity = await run({ activityType: 'EXPORT_CONTACTS', listId: '2' });
      await run(add('Email Address\njoan@example.com\n'));
      expect(await text(activity)).to.equal('Email Address\r\nann@example.com\r\n');
      expect(await text(activity.id)).to.equal('Email Address\r\nann@example.com\r\n');
    });

    it('are files of bytes with a name, a type and a length', async () => {
      const { account, run } = open({
        lists: [{ id: '2', name: 'Roses', members: [{ email: 'ann@example.com', city: 'Köln' }] }],
      });
      for (const [fileType, contentType, content] of [
        ['CSV', 'text/csv', 'Email Address,City\r\nann@example.com,Köln\r\n'],
        ['TXT', 'text/plain', 'Email Address\tCity\r\nann@example.com\tKöln\r\n'],
      ] as const) {
        const activity = await run({
          activityType: 'EXPORT_CONTACTS',
          listId: '2',
          fileType,
          columns: ['CITY'],
        });
        expect(activity).to.include({
          type: 'EXPORT_CONTACTS',
          status: 'COMPLETE',
          transactionCount: 1,
          fileName: `${activity.id}.${fileType.toLowerCase()}`,
          editMedia: undefined,
        });
        const download = await account.download(activity);
        expect(download).to.include({
          fileName: activity.fileName,
          contentType,
          length: Buffer.byteLength(content),
        });
        expect(Buffer.concat(await all(download.body)).toString()).to.equal(content);
        await download.cancel();
      }
    });

    it('give each reader bytes of its own', async () => {
      const { account, run, text } = open();
      const activity = await run({ activityType: 'EXPORT_CONTACTS', listId: '2' });
      for await (const chunk of (await account.download(activity)).body) chunk.fill(0);
      expect(await text(activity)).to.equal('Email Address\r\n');
    });

    it('are not there before they are COMPLETE, nor for other activities', async () => {
      const { account, run } = open();
      const pending = await account.create({ activityType: 'EXPORT_CONTACTS', listId: '2' });
      const added = await run(add('Email Address\nann@example.com\n'));
      const later = await account.create({ activityType: 'EXPORT_CONTACTS', listId: '2' });
      expect((await account.download(pending.id)).length).to.equal(15);
      for (const id of [later.id, added.id, 'a07e1']) {
        const error = await failure(account.download(id));
        expect(refusal(error)).to.include({ code: 'NOT_FOUND', status: 404 });
        expect(error.message).to.include(id);
      }
    });
  });

  describe('get, list, lists', () => {
    it('give the newest activity first, in the state it is in when it is read', async () => {
      const { account, clock } = open();
      const made: string[] = [];
      for (let count = 0; count < 3; count++) {
        made.unshift((await account.create({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['2'] })).id);
      }
      const statuses: unknown[] = [];
      const ids: string[] = [];
      for await (const { id, status } of account.list()) {
        ids.push(id);
        statuses.push(status);
        await clock.advance('5m');
      }
      expect(ids).to.deep.equal(made);
      expect(statuses).to.deep.equal(['PENDING', 'COMPLETE', 'COMPLETE']);
    });

    it('answer an unknown id with NOT_FOUND', async () => {
      const error = await failure(open().account.get('a07e1nothing'));
      expect(refusal(error)).to.include({ code: 'NOT_FOUND', status: 404 });
      expect(error.message).to.include('a07e1nothing');
    });

    it('give three system lists, then the account’s own with their counts', async () => {
      const { account, run } = open();
      await run(add('Email Address\nann@example.com\njoan@example.com\n', ['5']));
      const lists = await all(account.lists());
      expect(
        lists.map(({ id, name, shortName, system, contactCount }) => [
          id,
          name,
          shortName,
          system,
          contactCount,
        ]),
      ).to.deep.equal([
        ['active', 'Active', 'Active', true, undefined],
        ['do-not-mail', 'Do Not Mail', 'Do Not Mail', true, undefined],
        ['removed', 'Removed', 'Removed', true, undefined],
        ['2', 'Roses', 'Roses', false, 0],
        ['5', 'Tulips and more', 'Tulips', false, 2],
      ]);
      expect(lists[4]).to.include({ optInDefault: false, displayOnSignup: true, sortOrder: 2 });
      const own = { id: '7', name: 'X', optInDefault: true, displayOnSignup: false, sortOrder: 9 };
      expect((await all(open({ lists: [own] }).account.lists())).at(-1)).to.include(own);
      const byDefault = await all(new EmulatedAccount({ user: 'joesflowers' }).lists());
      expect(byDefault.slice(3).map(({ id, name }) => [id, name])).to.deep.equal([['1', 'General Interest']]);
      expect(await all(open({ lists: [] }).account.lists())).to.have.length(3);
    });

    it('refuse calls that were aborted', async () => {
      const { account } = open();
      await account.create({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['2'] });
      const signal = AbortSignal.abort();
      for (const call of [
        account.create(add('Email Address\nann@example.com'), { signal }),
        account.get('a07e1', { signal }),
        account.download('a07e1', { signal }),
        all(account.list({ signal })),
        all(account.lists({ signal })),
      ]) {
        const error = await failure(call);
        expect(error).to.be.instanceOf(TransportError).and.include({ code: 'ABORTED', sent: 'no' });
      }
    });

    it('create nothing when the call is aborted while the upload is read', async () => {
      const { account } = open();
      const controller = new AbortController();
      async function* stream() {
        await Promise.resolve();
        yield Buffer.from('Email Address\nann@example.com\n');
        controller.abort();
      }
      const error = await failure(
        account.create({ activityType: 'SV_ADD', contacts: { stream: stream() }, lists: ['2'] }, controller),
      );
      expect(error.code).to.equal('ABORTED');
      expect(await all(account.list())).to.deep.equal([]);
    });
  });

  describe('admits', () => {
    const basic = (user = 'joesflowers', apiKey = 'key', password = 'secret') =>
      ({ scheme: 'basic', apiKey, user, password }) as const;
    const token = (text = 'token') => ({ scheme: 'bearer', token: text }) as const;

    it('takes any credentials of its user where the seed names none, but some', () => {
      const { account } = open();
      expect(account.admits(undefined)).to.equal(false);
      expect(account.admits(basic('JoesFlowers', 'any', 'thing'))).to.equal(true);
      expect(account.admits(basic('annsflowers'))).to.equal(false);
      expect(account.admits(token())).to.equal(true);
      expect(account.admits({ scheme: 'access_token', token: 'x' })).to.equal(true);
    });

    it('takes those of the seed, as far as it names them', () => {
      const key = open({ credentials: { apiKey: 'key', password: 'secret' } }).account;
      expect(key.admits(basic())).to.equal(true);
      expect(key.admits(basic('joesflowers', 'other'))).to.equal(false);
      expect(key.admits(basic('joesflowers', 'key', 'wrong'))).to.equal(false);
      expect(key.admits(token())).to.equal(false);
      const password = open({ credentials: { password: 'secret' } }).account;
      expect(password.admits(basic('joesflowers', 'any'))).to.equal(true);
      const oauth = open({ credentials: { accessToken: 'token' } }).account;
      expect(oauth.admits(token())).to.equal(true);
      expect(oauth.admits({ scheme: 'access_token', token: 'token' })).to.equal(true);
      expect(oauth.admits(token('other'))).to.equal(false);
      expect(oauth.admits(basic())).to.equal(false);
      const both = open({ credentials: { apiKey: 'key', accessToken: 'token' } }).account;
      expect([both.admits(basic()), both.admits(token())]).to.deep.equal([true, true]);
    });
  });

  it('gives the same records for the same seed, user, clock and calls, and others for another seed', async () => {
    const record = async (seed: number, user = 'joesflowers') => {
      const { account, clock, run } = open({ user }, { seed });
      await run(add('Email Address\nann@example.com\nbad\n'));
      await account.create({ activityType: 'EXPORT_CONTACTS', listId: '2' });
      await clock.advance('10s');
      return all(account.list());
    };
    expect(await record(7)).to.deep.equal(await record(7));
    expect(await record(7, 'JOESFLOWERS')).to.deep.equal(await record(7));
    expect(await record(8)).not.to.deep.equal(await record(7));
    expect(await record(7, 'annsflowers')).not.to.deep.equal(await record(7));
  });

  it('holds 10,000 activities and takes an upload of 50,000 rows', async () => {
    const { account, clock, run, text } = open({}, { latency: { pending: 0, queued: 0, running: 1 } });
    for (let count = 0; count < 10_000; count++) {
      await account.create({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['2'] });
    }
    await clock.advance('1m');
    const activities = await all(account.list());
    expect(activities).to.have.length(10_000);
    expect(new Set(activities.map(({ id }) => id)).size).to.equal(10_000);
    expect(activities.every(({ status }) => status === 'COMPLETE')).to.equal(true);

    const rows = Array.from({ length: 50_000 }, (_, index) => `user${index}@example.com,Ann ${index},MA`);
    const added = await run(add(['Email Address,First Name,State', ...rows].join('\n')));
    expect(added).to.include({ transactionCount: 50_000, errorCount: 0 });
    const activity = await run({
      activityType: 'EXPORT_CONTACTS',
      listId: '2',
      columns: ['FIRST NAME'],
      exportOptDate: true,
    });
    const { data } = Papa.parse<string[]>((await text(activity)).trim());
    expect(data).to.have.length(50_001);
    expect(new Set(data.map(([address]) => address)).size).to.equal(50_001);
  });
});
