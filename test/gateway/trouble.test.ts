import { expect } from 'chai';
import fs from 'node:fs/promises';
import path from 'node:path';
import { UsageError, type ServiceError } from '../../src/activity/errors.js';
import type { GatewayOptions } from '../../src/gateway/gateway.js';
import { accountsOf } from '../../src/gateway/accounts.js';
import { memoryStore } from '../../src/store/memory.js';
import { all, entryFor, Setting, START } from './setting.js';

type Answer = (request: Request) => Response | Promise<Response | undefined> | undefined;

const ADD = {
  activityType: 'SV_ADD',
  contacts: { text: 'Email Address\nann@example.com\n' },
  lists: ['1'],
} as const;

const json = (status: number, key: string, headers: Record<string, string> = {}) =>
  Response.json([{ error_key: key, error_message: `it is ${key}` }], { status, headers });

const lost = () =>
  Promise.reject(
    new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }) }),
  );
const refused = () =>
  Promise.reject(
    new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) }),
  );

describe('a gateway in trouble', function () {
  this.timeout(20_000);
  let setting: Setting;
  let answer: Answer;
  /** Requests that reached v2, and those that were answered before. */
  let asked: string[];

  async function begin(options: Partial<GatewayOptions> = {}) {
    answer = () => undefined;
    asked = [];
    let emulated: typeof globalThis.fetch = () => Promise.reject(new Error('not yet'));
    setting = await Setting.begin({
      ...options,
      fetch: async (input, init) => {
        const request = new Request(input, init);
        asked.push(`${request.method} ${new URL(request.url).pathname}`);
        return (await answer(request)) ?? emulated(request);
      },
    });
    emulated = setting.emulator.fetch;
    await all(setting.client().lists());
    asked.length = 0;
  }

  afterEach(() => setting.end());

  const creations = () => asked.filter((one) => one.startsWith('POST')).length;
  const made = async () => (await all(setting.emulator.account('joesflowers')!.list())).length;

  async function failure(act: Promise<unknown>): Promise<ServiceError> {
    return act.then(
      () => Promise.reject(new Error('it worked')),
      (error: unknown) => error as ServiceError,
    );
  }

  for (const [name, no] of [
    ['too many calls', () => json(429, 'http.status.too_many_requests', { 'retry-after': '7' })],
    ['mashery per second', () => json(403, 'mashery.not.authorized.over.qps')],
    ['a service that is not there', () => json(503, 'http.status.unavailable')],
    ['a connection that is refused', refused],
  ] as const) {
    it(`waits while there is ${name}, and goes on`, async () => {
      await begin();
      let times = 0;
      answer = () => (times++ < 6 ? no() : undefined);
      const { id } = await setting.client().create(ADD);
      const activity = await setting.finished(id);
      expect(activity).to.include({ status: 'COMPLETE', errorCount: 0 });
      expect(await made()).to.equal(1);
      expect(setting.told('waiting')).to.have.lengthOf.at.least(1);
    });
  }

  for (const [name, no] of [
    ['lost', lost],
    ['a failure', () => json(500, 'http.status.internal')],
    ['lost on the way back', undefined],
  ] as const) {
    it(`creates once when the answer to a creation is ${name}`, async () => {
      await begin();
      let times = 0;
      answer = (request) => {
        if (request.method !== 'POST' || times++ > 0) return undefined;
        if (no !== undefined) return no();
        return setting.emulator.fetch(request).then(lost);
      };
      const { id } = await setting.client().create(ADD);
      expect(await setting.finished(id)).to.include({ status: 'COMPLETE', errorCount: 0 });
      expect(await made()).to.equal(1);
      expect(creations()).to.equal(no === undefined ? 1 : 2);
    });
  }

  it('clears lists again when nobody can tell whether they were, four times at most', async () => {
    await begin();
    let times = 0;
    answer = (request) => (request.method === 'POST' && times++ === 0 ? lost() : undefined);
    const { id } = await setting.client().clearLists({ lists: ['2'] });
    expect(await setting.finished(id)).to.include({ status: 'COMPLETE', errorCount: 0 });
    expect(setting.members('2')).to.deep.equal([]);
    answer = (request) => (request.method === 'POST' ? lost() : undefined);
    times = creations();
    const other = await setting.finished((await setting.client().clearLists({ lists: ['2'] })).id);
    expect(other).to.include({ status: 'ERROR', errorCount: 1 });
    expect(creations() - times).to.equal(4);
  });

  for (const [status, key] of [
    [400, 'json.type.invalid'],
    [403, 'http.status.forbidden'],
    [404, 'http.status.not_found'],
  ] as const) {
    it(`ends an activity with the reason when its creation is answered ${status}`, async () => {
      await begin({ partLimits: { rows: 1 } });
      let times = 0;
      answer = (request) => (request.method === 'POST' && ++times === 2 ? json(status, key) : undefined);
      const contacts = { text: 'Email Address\na@example.com\nb@example.com\nc@example.com\n' };
      const { id } = await setting.client().create({ ...ADD, contacts });
      const activity = await setting.finished(id);
      expect(activity).to.include({ status: 'ERROR', errorCount: 2, transactionCount: 1 });
      expect(activity.errors[0]?.message).to.contain(String(status)).and.contain(`it is ${key}`);
      expect(activity.errors[1]?.message).to.equal('not sent, since part 2 was refused');
      expect(await made()).to.equal(1);
      // What comes behind it is done.
      expect((await setting.finished((await setting.client().create(ADD)).id)).status).to.equal('COMPLETE');
    });
  }

  it('ends an activity of which v2 does not know any more', async () => {
    await begin();
    answer = (request) =>
      request.url.includes('/activities/a07') ? json(404, 'http.resource.not_found') : undefined;
    const { id } = await setting.client().create(ADD);
    const activity = await setting.finished(id);
    expect(activity).to.include({ status: 'ERROR', errorCount: 1 });
    expect(activity.errors[0]?.message).to.contain('does not know');
  });

  for (const status of [400, 403]) {
    it(`looks again while a look is answered ${status}`, async () => {
      await begin();
      let looks = 0;
      answer = (request) =>
        request.url.includes('/activities/a07') && ++looks <= 20 ? json(status, 'refused') : undefined;
      const { id } = await setting.client().create(ADD);
      expect(await setting.finished(id)).to.include({ status: 'COMPLETE', errorCount: 0 });
      expect(looks).to.be.above(20);
    });
  }

  it('fetches the file of an export as often as it takes', async () => {
    await begin();
    let times = 0;
    const page = () =>
      new Response('<html>Please log in</html>', { headers: { 'content-type': 'text/html' } });
    answer = (request) => {
      if (!request.url.includes('.csv')) return undefined;
      return [() => json(503, 'x'), page, lost][times++]?.();
    };
    const { id } = await setting.client().exportContacts({ listId: '2' });
    const activity = await setting.finished(id);
    expect(activity.status).to.equal('COMPLETE');
    const bytes = Buffer.concat(await all((await setting.client().download(activity)).body)).toString();
    expect(bytes.split('\r\n').sort()).to.deep.equal([
      '',
      'Email Address',
      'old@example.com',
      'older@example.com',
    ]);
  });

  for (const [name, no, reason] of [
    ['is gone', () => json(404, 'http.status.not_found'), '404'],
    [
      'stays a page',
      () => new Response('<html></html>', { headers: { 'content-type': 'text/html' } }),
      'text/html',
    ],
  ] as const) {
    it(`ends an export with the reason when its file ${name}`, async () => {
      await begin();
      answer = (request) => (request.url.includes('.csv') ? no() : undefined);
      const activity = await setting.finished((await setting.client().exportContacts({ listId: '2' })).id);
      expect(activity).to.include({ status: 'ERROR', errorCount: 1, fileName: '' });
      expect(activity.errors[0]?.message).to.contain(reason);
    });
  }

  it('tells of an activity that somebody cancelled', async () => {
    await begin();
    answer = async (request) => {
      if (!request.url.includes('/activities/a07')) return undefined;
      const record = (await (await setting.emulator.fetch(request)).json()) as object;
      return Response.json({ ...record, status: 'CANCELLED' });
    };
    const activity = await setting.finished((await setting.client().clearLists({ lists: ['2'] })).id);
    expect(activity).to.include({ status: 'ERROR', errorCount: 1 });
    expect(activity.errors[0]?.message).to.equal('the activity was cancelled in the account');
  });

  it('takes nothing that it cannot keep, and goes on when it can write again', async () => {
    const store = memoryStore();
    let full = false;
    const { records } = store;
    await begin({
      store: {
        ...store,
        records: {
          ...records,
          write: (...changes) =>
            full
              ? Promise.reject(new UsageError('FILE_UNWRITABLE', 'the disk is full'))
              : records.write(...changes),
        },
      },
    });
    const { id } = await setting.client().create(ADD);
    full = true;
    const no = await failure(setting.passing(setting.client().create(ADD)));
    expect(no).to.include({ status: 503, retryAfter: 30 });
    expect(no.detail).to.contain('cannot keep or read its records');
    expect(setting.told('trouble').at(-1)).to.include({
      code: 'FILE_UNWRITABLE',
      message: 'the disk is full',
    });
    await setting.clock.advance('10m');
    full = false;
    expect((await setting.finished(id)).status).to.equal('COMPLETE');
    expect(await made()).to.equal(1);
    expect(await all(setting.client().list())).to.have.length(1);
    const uploads = () => fs.readdir(path.join(setting.folder, 'uploads'));
    await setting.until(async () => (await uploads()).length === 0, 'the end of the upload');
  });

  it('answers 503 while it cannot count its calls of v2', async () => {
    const store = memoryStore();
    let full = false;
    const { buckets } = store;
    await begin({
      store: {
        ...store,
        buckets: {
          ...buckets,
          take: (...given) =>
            full
              ? Promise.reject(new UsageError('FILE_UNWRITABLE', 'cannot write /srv/gateway.db'))
              : buckets.take(...given),
        },
      },
    });
    full = true;
    await setting.clock.advance('1h');
    // A list that nobody knows yet is asked for.
    const no = await failure(setting.passing(setting.client().create({ ...ADD, lists: ['9'] })));
    expect(no).to.include({ status: 503, retryAfter: 30 });
    expect(no.detail).to.contain('cannot keep or read its records').and.not.contain('/srv');
    full = false;
    expect(
      (await setting.finished((await setting.passing(setting.client().create(ADD))).id)).status,
    ).to.equal('COMPLETE');
  });

  it('is not ready while it cannot write, in the store or beside it, and is again when it can', async () => {
    const store = memoryStore();
    const { records } = store;
    let broken: UsageError | undefined;
    let hanging: Promise<void> | undefined;
    let writes = 0;
    await begin({
      store: {
        ...store,
        records: {
          ...records,
          write: (...changes) => {
            writes++;
            if (hanging !== undefined) return hanging.then(() => records.write(...changes));
            return broken === undefined ? records.write(...changes) : Promise.reject(broken);
          },
        },
      },
    });
    const { gateway, clock, folder } = setting;
    const ask = async () => {
      const { ready, writable, reasons } = await gateway.check();
      expect(gateway.status()).to.include({ ready, writable });
      return [ready, writable, ...reasons];
    };
    expect(await ask()).to.deep.equal([true, true]);
    const before = writes;
    broken = new UsageError('STORE_DAMAGED', 'the store is damaged');
    expect(await ask()).to.deep.equal([true, true]);
    // It was found out a moment ago.
    expect(writes).to.equal(before);
    await clock.advance('5s');
    const damaged = [
      false,
      false,
      'nothing can be written to the store: the store is damaged (STORE_DAMAGED)',
    ];
    expect(await Promise.all([ask(), ask()])).to.deep.equal([damaged, damaged]);
    expect(writes).to.equal(before + 1);
    await clock.advance('5s');
    expect(await ask()).to.deep.equal(damaged);
    expect(setting.told('trouble').map(({ code }) => code)).to.deep.equal(['STORE_DAMAGED']);
    broken = undefined;
    await clock.advance('5s');
    expect(await ask()).to.deep.equal([true, true]);
    // A write that hangs keeps nobody waiting who asks.
    let go: () => void = () => undefined;
    hanging = new Promise((resolve) => (go = resolve));
    await clock.advance('5s');
    expect(await setting.passing(ask())).to.deep.equal([
      ...[false, false],
      'a write to the store takes more than 2 seconds',
    ]);
    hanging = undefined;
    go();
    await setting.until(() => gateway.status().ready, 'the end of the write');
    const uploads = path.join(folder, 'uploads');
    expect(await fs.readdir(uploads)).to.deep.equal([]);
    // As root may write where nobody else may, the folder is away.
    await fs.rename(uploads, `${uploads}.away`);
    await clock.advance('5s');
    expect((await ask()).join()).to.match(/^false,false,nothing can be written.*FILE_UNWRITABLE/);
    await fs.rename(`${uploads}.away`, uploads);
    await clock.advance('5s');
    expect(await ask()).to.deep.equal([true, true]);
    await gateway.close();
    expect(await ask()).to.deep.equal([false, true, 'the gateway is closed']);
  });

  it('says that v2 refuses, and that it does not answer, when it must ask for the lists', async () => {
    await begin();
    const fresh = async (options: Partial<GatewayOptions> = {}) => {
      await setting.gateway.close();
      await setting.options.store!.records.write({ collection: 'lists', key: 'joesflowers' });
      setting.gateway = setting.make(options);
      await setting.gateway.start();
    };
    await fresh();
    answer = () => json(401, 'http.status.unauthorized');
    const no = await failure(setting.passing(setting.client().create(ADD)));
    expect(no).to.include({ status: 503 });
    expect(no.detail).to.contain('refuses to answer for this account');
    await fresh();
    answer = () => new Promise(() => undefined);
    const slow = await failure(setting.passing(setting.client().create(ADD)));
    expect(slow).to.include({ status: 503 });
    await setting.gateway.close();
  });

  it('takes nothing while v2 is down, finds out by itself when it is back', async () => {
    await begin();
    const client = setting.client();
    answer = refused;
    const first = await client.create(ADD);
    await setting.until(() => setting.told('upstreamDown').length > 0, 'the end of v2');
    const no = await failure(client.create(ADD));
    expect(no).to.include({ status: 503, code: 'SERVICE_FAILED' });
    expect(no.retryAfter).to.be.within(1, 60);
    expect(no.detail).to.match(/^The service behind this gateway does not answer; try again in \d+ seconds$/);
    // What is known is told.
    expect((await client.get(first.id)).status).to.equal('PENDING');
    expect(await all(client.list())).to.have.length(1);
    expect(setting.gateway.status().upstream[0]).to.include({ state: 'down' });
    answer = () => undefined;
    expect((await setting.finished(first.id)).status).to.equal('COMPLETE');
    expect(setting.told('upstreamUp')).to.have.length(1);
    expect((await setting.finished((await client.create(ADD)).id)).status).to.equal('COMPLETE');
  });

  it('finds out that v2 is back, though nothing is to be done', async () => {
    await begin();
    await setting.gateway.close();
    await setting.options.store!.records.write({ collection: 'lists', key: 'joesflowers' });
    setting.gateway = setting.make();
    await setting.gateway.start();
    const client = setting.client();
    answer = refused;
    for (let times = 0; times < 2; times++) {
      expect((await failure(setting.passing(all(client.lists())))).status).to.equal(503);
    }
    expect(setting.told('upstreamDown')).to.have.length(1);
    expect((await failure(client.create(ADD))).status).to.equal(503);
    answer = () => undefined;
    await setting.until(() => setting.told('upstreamUp').length > 0, 'v2');
    expect((await setting.finished((await client.create(ADD)).id)).status).to.equal('COMPLETE');
  });

  it('follows what v2 works on, though it takes nothing new', async () => {
    await begin();
    const client = setting.client();
    const { id } = await client.create(ADD);
    await setting.until(() => setting.told('submitted').length > 0);
    answer = (request) => (request.method === 'POST' ? refused() : undefined);
    const other = await client.create(ADD);
    expect((await setting.finished(id)).status).to.equal('COMPLETE');
    answer = () => undefined;
    expect((await setting.finished(other.id)).status).to.equal('COMPLETE');
  });

  it('queues while v2 is down, if it is told to, also when it begins so', async () => {
    await begin({ queueWhenDown: true });
    answer = refused;
    const ids: string[] = [];
    const client = setting.client();
    for (let count = 0; count < 3; count++) ids.push((await client.create(ADD)).id);
    await setting.until(() => setting.told('upstreamDown').length > 0, 'the end of v2');
    ids.push((await setting.passing(client.create({ ...ADD, lists: ['2'] }))).id);
    await setting.gateway.close();
    setting.gateway = setting.make();
    await setting.gateway.start();
    ids.push((await setting.passing(client.create(ADD))).id);
    expect(setting.gateway.status().queued).to.equal(5);
    answer = () => undefined;
    for (const id of ids) expect((await setting.finished(id)).status).to.equal('COMPLETE');
    expect(await made()).to.equal(5);
  });

  it('says until when the calls of a day are used up, and goes on looking at what it knows', async () => {
    await begin({ limits: { perDay: 12 } });
    const client = setting.client();
    const first = await client.create(ADD);
    expect((await setting.finished(first.id)).status).to.equal('COMPLETE');
    const others = [];
    for (let count = 0; count < 4; count++) others.push(await client.create(ADD));
    const second = others.at(-1)!;
    await setting.until(() => setting.gateway.status().upstream[0]?.state === 'used up', 'the last call');
    const no = await failure(client.create(ADD));
    const midnight = Math.ceil(START / 86_400_000) * 86_400_000;
    expect(no).to.include({ status: 503, retryAfter: Math.ceil((midnight - setting.clock.now()) / 1000) });
    expect(no.detail).to.contain('calls of this day are used up');
    expect((await client.get(second.id)).status).to.be.oneOf(['PENDING', 'QUEUED', 'RUNNING']);
    await setting.clock.set(midnight - 1000);
    // By as many calls again, or a day later.
    const ended = async () => (await client.get(second.id)).status === 'COMPLETE';
    await setting.until(ended, 'the end of the last', 60_000);
    // One before, which is not counted here.
    expect(asked.length).to.be.within(12, 11 + 2 * 12);
  });

  it('is told by v2 that the calls of a day are used up', async () => {
    await begin();
    answer = () => json(403, 'mashery.not.authorized.over.ratelimit');
    const { id } = await setting.client().create(ADD);
    await setting.until(() => setting.gateway.status().upstream[0]?.state === 'used up', 'the last call');
    expect((await failure(setting.client().create(ADD))).retryAfter).to.be.within(40_000, 43_200);
    answer = () => undefined;
    await setting.clock.advance('12h');
    expect((await setting.finished(id)).status).to.equal('COMPLETE');
  });

  it('keeps the accounts of a key within its limits together, and is fair to them', async () => {
    const users = { anna: 20, berta: 1, clara: 1 };
    const names = Object.keys(users);
    setting = await Setting.begin(
      { accounts: accountsOf(names.map((user) => entryFor(user))), limits: { perSecond: 2 } },
      { accounts: names.map((user) => ({ user })) },
    );
    const ids: (readonly [string, string])[] = [];
    for (const [user, count] of Object.entries(users)) {
      for (let made = 0; made < count; made++) {
        ids.push([user, (await setting.passing(setting.client(user).create(ADD))).id]);
      }
    }
    for (const [user, id] of ids) {
      expect((await setting.finished(id, setting.client(user))).status).to.equal('COMPLETE');
    }
    // A call may be a little later than its turn, none is before.
    const calls = [...setting.emulator.requests].map(({ at }) => Date.parse(at));
    calls.forEach((at, index) => {
      expect(at - calls[0]!).to.be.at.least(Math.floor(index / 2) * 1000 - 1000);
    });
    const ended = setting.told('finished').map(({ user }) => user);
    expect(ended.lastIndexOf('anna'), ended.join(' ')).to.be.greaterThan(ended.indexOf('berta'));
    expect(ended.lastIndexOf('anna'), ended.join(' ')).to.be.greaterThan(ended.indexOf('clara'));
  });
});
