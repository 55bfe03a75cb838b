import { expect } from 'chai';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Activity } from '../../src/activity/activity.js';
import type { ServiceError } from '../../src/activity/errors.js';
import { accountsOf } from '../../src/gateway/accounts.js';
import type { GatewayOptions } from '../../src/gateway/gateway.js';
import { openStore } from '../../src/store/sqlite.js';
import { all, entryFor, Setting } from './setting.js';

const DAY = 86_400_000;
const add = (text = 'Email Address\nann@example.com\nbad\n') =>
  ({ activityType: 'ADD_CONTACTS', contacts: { text }, lists: ['1'] }) as const;

async function failure(act: Promise<unknown>): Promise<ServiceError> {
  return act.then(
    () => Promise.reject(new Error('it worked')),
    (error: unknown) => error as ServiceError,
  );
}

describe('what a gateway keeps', function () {
  this.timeout(20_000);
  let setting: Setting;
  afterEach(() => setting.end());

  const folderOf = (name: string) => path.join(setting.folder, name);
  const names = (name: string) => fs.readdir(folderOf(name));

  async function done(
    options: Partial<GatewayOptions> = {},
  ): Promise<{ added: Activity; exported: Activity }> {
    setting = await Setting.begin(options);
    const client = setting.client();
    const { id } = await client.create(add());
    const exported = await client.exportContacts({ listId: '1' });
    return { added: await setting.finished(id), exported: await setting.finished(exported.id) };
  }

  it('is for its owner only', async () => {
    const before = process.umask(0);
    try {
      setting = await Setting.begin();
      const client = setting.client();
      const { id } = await client.exportContacts({ listId: '1' });
      await setting.finished(id);
      await client.create(add());
      for (const folder of ['uploads', 'files']) {
        expect((await fs.stat(folderOf(folder))).mode & 0o777, folder).to.equal(0o700);
        const [file] = await names(folder);
        expect((await fs.stat(path.join(folderOf(folder), file!))).mode & 0o777, file).to.equal(0o600);
      }
    } finally {
      process.umask(before);
    }
  });

  it('is there after the gateway has begun anew, ids, times, errors and files', async () => {
    setting = await Setting.begin();
    await setting.gateway.close();
    const database = folderOf('gateway.db');
    let store = await openStore(database);
    setting.gateway = setting.make({ store });
    await setting.gateway.start();
    const client = setting.client();
    const { id } = await client.create(add());
    const exported = await client.exportContacts({ listId: '1' });
    const before = [await setting.finished(id), await setting.finished(exported.id)];
    const bytes = Buffer.concat(await all((await client.download(exported.id)).body));
    const lists = await all(client.lists());
    await setting.gateway.close();
    await store.close();
    store = await openStore(database);
    setting.gateway = setting.make({ store });
    await setting.gateway.start();
    expect([await client.get(id), await client.get(exported.id)]).to.deep.equal(before);
    const calls = setting.told('called').length;
    expect(await all(client.lists())).to.deep.equal(lists);
    expect(setting.told('called').length, 'they are kept too').to.equal(calls);
    expect(Buffer.concat(await all((await client.download(exported.id)).body))).to.deep.equal(bytes);
    const next = await client.create(add());
    expect(next.id > exported.id && exported.id > id).to.equal(true);
    expect((await setting.finished(next.id)).status).to.equal('COMPLETE');
    await setting.gateway.close();
    await store.close();
  });

  it('forgets activities after 90 days and files after 14, by itself', async () => {
    const { added, exported } = await done();
    const client = setting.client();
    await setting.clock.advance(14.25 * DAY);
    await setting.until(async () => (await names('files')).length === 0, 'the end of the file', DAY / 24);
    expect((await client.get(exported.id)).fileName).to.equal('');
    expect((await failure(client.download(exported.id))).status).to.equal(404);
    expect(await all(client.list())).to.have.length(2);
    await setting.clock.advance(77 * DAY);
    await setting.until(async () => (await all(client.list())).length === 0, 'the end of all', DAY / 24);
    for (const { id } of [added, exported]) expect((await failure(client.get(id))).status).to.equal(404);
    expect(setting.told('purged')).to.deep.include({
      ...setting.told('purged')[0]!,
      activities: 0,
      files: 1,
    });
  });

  it('is purged by age and by user, but for what goes on', async () => {
    const users = ['anna', 'berta'];
    setting = await Setting.begin(
      { accounts: accountsOf(users.map((user) => entryFor(user))) },
      { accounts: users.map((user) => ({ user })) },
    );
    for (const user of users) {
      for (const count of [1, 2]) {
        const { id } = await setting.passing(setting.client(user).exportContacts({ listId: '1' }));
        await setting.finished(id, setting.client(user));
        if (count === 1) await setting.clock.advance(DAY);
      }
    }
    const running = await setting.client('anna').create(add());
    const left = async () =>
      Promise.all(users.map(async (user) => (await all(setting.client(user).list())).length));
    expect(await left()).to.deep.equal([3, 2]);
    expect(await setting.gateway.purge({ olderThan: 10 * DAY })).to.deep.equal({ activities: 0, files: 0 });
    expect(await setting.gateway.purge({ olderThan: 0, user: 'Anna' })).to.deep.equal({
      activities: 2,
      files: 2,
    });
    expect(await left()).to.deep.equal([1, 2]);
    expect(await names('files')).to.have.length(2);
    expect(await setting.gateway.purge({ olderThan: DAY / 2 })).to.deep.equal({ activities: 1, files: 1 });
    expect(await left()).to.deep.equal([1, 1]);
    expect((await setting.finished(running.id, setting.client('anna'))).status).to.equal('COMPLETE');
  });

  it('holds addresses of rows that were refused only if it may', async () => {
    const kept = await done();
    expect(kept.added.errors[0]).to.include({ lineNumber: 3, emailAddress: 'bad' });
    await setting.end();
    const emulated = async (input: string | URL | Request, init?: RequestInit) => {
      const answer = await setting.emulator.fetch(new Request(input, init));
      const text = await answer.text();
      // As where a message quotes what it is about.
      return new Response(text.replaceAll('Invalid email', '$& (ann@example.com)'), answer);
    };
    const { added } = await done({ retention: { addresses: false }, fetch: emulated });
    expect(added.errors).to.have.length(1);
    expect(added.errors[0]?.message).to.contain('(').and.not.to.contain('ann@example.com');
    expect(added.errors[0]?.lineNumber).to.equal(3);
    expect(added.errors[0]?.emailAddress ?? '').to.equal('');
  });

  it('holds nothing of what was sent once it is done, and no secret at all', async () => {
    setting = await Setting.begin();
    await setting.gateway.close();
    const store = await openStore(folderOf('gateway.db'));
    const account = { user: 'joesflowers', apiKey: 'secret-api-key', accessToken: 'secret-token' };
    const accounts = accountsOf([{ account, signIn: { basic: { password: 'secret-password' } } }]);
    setting.gateway = setting.make({ store, accounts });
    await setting.gateway.start();
    const client = setting.client('joesflowers', 'secret-password');
    const { id } = await client.create(add('Email Address,First Name\nann@example.com,Annabella\nbad,B\n'));
    await setting.finished(id, client);
    await setting.until(async () => (await names('uploads')).length === 0, 'the end of the upload');
    await setting.gateway.close();
    await store.close();
    const bytes = await fs.readFile(folderOf('gateway.db'), 'latin1');
    for (const text of ['secret', 'ann@example.com', 'Annabella']) expect(bytes, text).not.to.contain(text);
    expect(JSON.stringify(setting.events)).not.to.match(/secret|ann@|Annabella/);
  });

  it('sweeps away what a crash has left, and begins only when no other does', async () => {
    await done();
    await fs.writeFile(path.join(folderOf('uploads'), 'a07e1gkqrmo00i00009.csv'), 'x');
    await fs.writeFile(path.join(folderOf('files'), 'a07e1gkqrmo00i00009.csv.part'), 'x');
    const other = setting.make();
    expect(await failure(other.start())).to.include({ code: 'RUN_BUSY' });
    await setting.gateway.close();
    await other.start();
    setting.gateway = other;
    expect(setting.told('started').at(-1)).to.include({ open: 0, swept: 2 });
    expect(await names('uploads')).to.deep.equal([]);
    expect(await names('files')).to.have.length(1);
  });

  it('takes nothing before it begins and after it ends, and says so', async () => {
    const { added } = await done();
    const client = setting.client();
    expect(setting.gateway.status()).to.include({ ready: true, queued: 0, running: 0 });
    await setting.gateway.close();
    await setting.gateway.close();
    const no = await failure(client.get(added.id));
    expect(no).to.include({ status: 503, retryAfter: 5 });
    expect(setting.gateway.status()).to.deep.include({ ready: false, reasons: ['the gateway is closed'] });
    const next = setting.make();
    expect(next.status().reasons).to.deep.equal(['the gateway has not begun']);
    expect(await next.purge()).to.deep.equal({ activities: 0, files: 0 });
    await next.close();
    await next.start();
    expect(next.status().ready).to.equal(false);
  });

  it('waits for the calls in hand when it ends, and goes on with the rest later', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let posts = 0;
    setting = await Setting.begin();
    await setting.gateway.close();
    const emulated = setting.emulator.fetch;
    setting.gateway = setting.make({
      fetch: async (input, init) => {
        const request = new Request(input, init);
        if (request.method === 'POST' && ++posts === 1) await held;
        return emulated(request);
      },
    });
    await setting.gateway.start();
    const client = setting.client();
    const first = await setting.passing(client.create(add()));
    const second = await client.create(add());
    await setting.until(() => posts === 1, 'a call');
    const closing = setting.gateway.close();
    expect(setting.gateway.status()).to.include({ ready: false, queued: 2 });
    expect((await failure(client.create(add()))).status).to.equal(503);
    release();
    await closing;
    expect(setting.told('submitted')).to.have.length(1);
    setting.gateway = setting.make();
    await setting.gateway.start();
    for (const { id } of [first, second]) expect((await setting.finished(id)).status).to.equal('COMPLETE');
    expect(await all(setting.emulator.account('joesflowers')!.list())).to.have.length(2);
  });

  it('bounds what goes on, and what is read at once', async () => {
    setting = await Setting.begin({ maxOpen: 2, maxBodyBytes: 1000, maxBytesAtOnce: 1500 });
    const client = setting.client();
    const large = await failure(
      setting.passing(client.create(add(`Email Address\n${'x'.repeat(2000)}@example.com\n`))),
    );
    expect(large.status).to.equal(413);
    const body = `activityType=CLEAR_CONTACTS_FROM_LISTS&lists=http%3A%2F%2Fx%2Flists%2F1&x=${'y'.repeat(900)}`;
    const post = () =>
      setting.gateway.fetch(
        new Request('https://localhost/ws/customers/joesflowers/activities', {
          method: 'POST',
          body,
          headers: {
            authorization: `Basic ${Buffer.from('k%joesflowers:pw').toString('base64')}`,
            'content-type': 'application/x-www-form-urlencoded',
            'content-length': String(body.length),
          },
        }),
      );
    const answers = await setting.passing(Promise.all([post(), post()]));
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([201, 503]);
    expect(answers.find(({ status }) => status === 503)?.headers.get('retry-after')).to.equal('10');
    expect((await setting.passing(post())).status).to.equal(201);
    const full = await failure(client.create(add()));
    expect(full).to.include({ status: 503 });
    expect(full.detail).to.contain('There are 2 activities that go on');
  });

  it('goes on when the account is back that was not configured for a while', async () => {
    setting = await Setting.begin();
    const { id } = await setting.client().create(add());
    await setting.gateway.close();
    let there = false;
    const real = accountsOf([entryFor('joesflowers')]);
    const keyed = accountsOf([entryFor('joesflowers', 'another')]);
    setting.gateway = setting.make({
      accounts: {
        find: (user, shown) => real.find(user, shown),
        get: (user) => (there ? real.get(user) : undefined),
        all: () => (there ? real.all() : []),
      },
    });
    await setting.gateway.start();
    await setting.until(() => setting.told('waiting').length > 2, 'waiting');
    expect(setting.told('waiting').at(-1)?.code).to.equal('CREDENTIALS_REQUIRED');
    there = true;
    expect((await setting.finished(id)).status).to.equal('COMPLETE');
    // Also when v2 has it already, when it goes away meanwhile, and when it comes back by another key.
    const other = await setting.client().create(add());
    const submitted = setting.told('submitted').length;
    await setting.until(() => setting.told('submitted').length > submitted, 'the call');
    there = false;
    await setting.until(() => setting.told('followed').length > 0);
    await setting.gateway.close();
    setting.gateway = setting.make({
      accounts: {
        find: (user, shown) => real.find(user, shown),
        get: (user) => (there ? keyed : real).get(user),
        all: () => [],
      },
    });
    await setting.gateway.start();
    await setting.clock.advance(1_000);
    there = true;
    expect((await setting.finished(other.id)).status).to.equal('COMPLETE');
    expect(new Set(setting.told('called').map(({ key }) => key)).size).to.equal(2);
  });
});
