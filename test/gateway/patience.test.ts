import { expect } from 'chai';
import type { Activity } from '../../src/activity/activity.js';
import fs from 'node:fs/promises';
import path from 'node:path';
import { UsageError, type ServiceError } from '../../src/activity/errors.js';
import type { Clock } from '../../src/clock.js';
import { accountsOf, type GatewayAccounts } from '../../src/gateway/accounts.js';
import type { GatewayOptions } from '../../src/gateway/gateway.js';
import { Pace } from '../../src/gateway/pace.js';
import { bounded } from '../../src/gateway/room.js';
import { memoryStore } from '../../src/store/memory.js';
import { all, entryFor, Setting } from './setting.js';

const DAY = 24 * 60 * 60 * 1000;
const HOUR = 60 * 60 * 1000;
const ADD = {
  activityType: 'SV_ADD',
  contacts: { text: 'Email Address\nann@example.com\n' },
  lists: ['1'],
} as const;

const json = (status: number, headers: Record<string, string> = {}) =>
  Response.json([{ error_key: 'x', error_message: `it is ${status}` }], { status, headers });

const lost = () =>
  Promise.reject(
    new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }) }),
  );

const page = () => new Response('<html>Please log in</html>', { headers: { 'content-type': 'text/html' } });

describe('the patience of a gateway', function () {
  this.timeout(60_000);
  let setting: Setting;
  let answer: (request: Request) => Response | Promise<Response> | undefined;

  async function begin(options: Partial<GatewayOptions> = {}) {
    answer = () => undefined;
    let emulated: typeof globalThis.fetch = () => Promise.reject(new Error('not yet'));
    setting = await Setting.begin({
      ...options,
      fetch: async (input, init) => {
        const request = new Request(input, init);
        return (await answer(request)) ?? emulated(request);
      },
    });
    emulated = setting.emulator.fetch;
    await all(setting.client().lists());
  }

  afterEach(() => setting.end());

  const uploads = () => fs.readdir(path.join(setting.folder, 'uploads'));
  const refusal = (act: Promise<unknown>) =>
    act.then(
      () => Promise.reject(new Error('it worked')),
      (error: unknown) => error as ServiceError,
    );

  it('lasts while v2 does not accept the token, for sending and for looking', async () => {
    await begin();
    answer = (request) => (request.method === 'POST' ? json(401) : undefined);
    const { id } = await setting.client().create(ADD);
    await setting.until(() => setting.told('waiting').length > 8);
    expect(setting.told('waiting')[0]).to.include({ activity: id, code: 'UNAUTHORIZED' });
    expect((await setting.client().get(id)).status).to.equal('PENDING');
    answer = () => undefined;
    await setting.until(() => setting.told('submitted').length > 0);
    answer = () => json(401);
    const refused = () => setting.told('called').filter(({ status }) => status === 401).length;
    const before = refused();
    await setting.until(() => refused() > before + 8);
    answer = () => undefined;
    expect(await setting.finished(id)).to.include({ status: 'COMPLETE', errorCount: 0 });
  });

  for (const [what, no] of [
    ['429', () => json(429)],
    ['503', () => json(503)],
    ['401', () => json(401)],
  ] as const) {
    it(`ends when a creation is answered ${what} for days, and holds the contacts no longer`, async () => {
      await begin({ giveUpAfter: 2 * DAY });
      answer = (request) => (request.method === 'POST' ? no() : undefined);
      const begun = setting.clock.now();
      const { id } = await setting.client().create(ADD);
      await setting.until(() => setting.clock.now() - begun > 2 * DAY - HOUR, 'two days', 5 * 60_000);
      expect((await setting.client().get(id)).status).to.equal('PENDING');
      expect(await uploads()).to.have.length(1);
      await setting.until(() => setting.told('finished').length > 0, 'the end', 60_000);
      // Minutes of this clock pass while the disk is waited for.
      expect(setting.clock.now() - begun).to.be.within(2 * DAY, 2 * DAY + 2 * HOUR);
      const ended = await setting.client().get(id);
      expect(ended).to.include({ status: 'ERROR', errorCount: 1, transactionCount: 0 });
      expect(ended.errors[0]?.message).to.match(/^the gateway has given up after 2 days: .*it is/);
      await setting.until(async () => (await uploads()).length === 0, 'the end of the upload');
      // What comes behind it goes on.
      answer = () => undefined;
      await setting.until(() => setting.gateway.status().upstream[0]?.state === 'up', 'v2', 60_000);
      expect((await setting.finished((await setting.client().create(ADD)).id)).status).to.equal('COMPLETE');
    });
  }

  it('ends when v2 does not tell for days what came of an activity', async () => {
    await begin({ giveUpAfter: DAY });
    const { id } = await setting.client().create(ADD);
    await setting.until(() => setting.told('submitted').length > 0);
    const upstream = setting.told('submitted')[0]?.upstream ?? '';
    answer = (request) => (request.method === 'GET' ? json(401) : undefined);
    await setting.until(() => setting.told('finished').length > 0, 'the end', 60_000);
    expect((await setting.client().get(id)).errors.map(({ message }) => message)).to.deep.equal([
      `the service does not tell what came of ${upstream}`,
    ]);
  });

  it('ends what v2 works on for an account that is taken away, and holds its contacts no longer', async () => {
    let entries = [entryFor('joesflowers')];
    const accounts: GatewayAccounts = {
      find: (user, presented) => accountsOf(entries).find(user, presented),
      get: (user) => accountsOf(entries).get(user),
      all: () => accountsOf(entries).all(),
    };
    await begin({ giveUpAfter: DAY, accounts });
    const { id } = await setting.client().create(ADD);
    await setting.until(() => setting.told('submitted').length > 0);
    const begun = setting.clock.now();
    entries = [];
    await setting.until(() => setting.clock.now() - begun > DAY - HOUR, 'most of a day', 60_000);
    expect(setting.told('finished')).to.have.length(0);
    await setting.until(() => setting.told('finished').length > 0, 'the end', 60_000);
    expect(setting.told('finished')[0]).to.include({ activity: id, status: 'ERROR' });
    await setting.until(async () => (await uploads()).length === 0, 'the end of the upload');
  });

  it('knows the lists as they were told last, though the accounts are read anew while v2 is down', async () => {
    let known = accountsOf([entryFor('joesflowers')]);
    const accounts: GatewayAccounts = {
      find: (user, presented) => known.find(user, presented),
      get: (user) => known.get(user),
      all: () => known.all(),
    };
    await begin({ accounts });
    answer = () => json(503);
    known = accountsOf([entryFor('joesflowers')]);
    const lists = await all(setting.client().lists());
    expect(lists.map(({ name }) => name)).to.include('Clients');
  });

  it('waits between two looks whether v2 is back, whatever goes wrong with them', async () => {
    const store = memoryStore();
    let broken = false;
    let looks = 0;
    const take: typeof store.buckets.take = (...given) => {
      if (!broken) return store.buckets.take(...given);
      looks++;
      return Promise.reject(new Error('nobody knows this one'));
    };
    await begin({ store: { ...store, buckets: { take } } });
    answer = () => json(503);
    // Nothing is to be done for anybody.
    while (setting.told('upstreamDown').length === 0) {
      await setting.clock.advance('1m');
      await refusal(setting.passing(setting.client().create({ ...ADD, lists: ['9'] })));
    }
    broken = true;
    const begun = setting.clock.now();
    await setting.until(() => setting.clock.now() - begun > HOUR, 'an hour', 10_000);
    expect(looks).to.be.within(1, 100);
  });

  it('does not wait longer when the clock is set back', async () => {
    let back = 0;
    await begin();
    const { clock } = setting;
    const shifted: Clock = { now: () => clock.now() - back, sleep: (ms, signal) => clock.sleep(ms, signal) };
    await setting.gateway.close();
    setting.gateway = setting.make({ clock: shifted });
    await setting.gateway.start();
    const { id } = await setting.client().create(ADD);
    await setting.until(() => setting.told('followed').length > 0, 'a look', 100);
    back = 400 * DAY;
    const begun = clock.now();
    expect((await setting.finished(id)).status).to.equal('COMPLETE');
    expect(clock.now() - begun).to.be.below(2 * 60_000);
    // Nor is v2 taken to be down for longer.
    answer = () => json(503);
    // The calls of a moment ago are in the future now: the next ones wait as behind calls of this moment.
    await setting.passing(setting.client().create(ADD));
    await setting.until(() => setting.told('upstreamDown').length > 0, 'the end of v2');
    back += 400 * DAY;
    const { retryAfter } = await refusal(setting.client().create(ADD));
    expect(retryAfter).to.be.within(1, 60);
    answer = () => undefined;
    const again = clock.now();
    await setting.until(() => setting.told('upstreamUp').length > 0, 'v2');
    expect(clock.now() - again).to.be.below(3 * 60_000);
  });

  it('takes no more uploads than there is room for, also after it has begun anew', async () => {
    await begin({ maxWaitingBytes: 40, queueWhenDown: true });
    answer = () => json(503);
    const client = setting.client();
    await client.create(ADD);
    await client.create(ADD);
    const full = await refusal(client.create(ADD));
    expect(full).to.include({ status: 503, retryAfter: 30 });
    expect(full.detail).to.contain('all the room');
    await setting.gateway.close();
    setting.gateway = setting.make();
    await setting.gateway.start();
    expect(await refusal(client.create(ADD))).to.include({ status: 503 });
    answer = () => undefined;
    await setting.until(() => setting.told('finished').length === 2, 'the end of both');
    await setting.until(async () => (await uploads()).length === 0, 'the end of the uploads');
    // A file is gone a moment before its room is counted as free.
    let taken: Activity | undefined;
    const isTaken = async () => {
      taken = await client.create(ADD).catch((error: unknown) => {
        expect(error).to.include({ status: 503 });
        return undefined;
      });
      return taken !== undefined;
    };
    await setting.until(isTaken, 'room for another');
    expect((await setting.finished(taken?.id ?? '')).status).to.equal('COMPLETE');
  });

  for (const [what, no] of [
    ['answers are lost', lost],
    ['answer is a page of something on the way', page],
  ] as const) {
    it(`sends an upload until v2 has it, though the ${what} time after time`, async () => {
      await begin();
      let times = 0;
      answer = (request) => (request.method === 'POST' && ++times <= 3 ? no() : undefined);
      const { id } = await setting.client().create(ADD);
      expect(await setting.finished(id)).to.include({
        status: 'COMPLETE',
        errorCount: 0,
        transactionCount: 1,
      });
      expect(times).to.equal(4);
      expect(await all(setting.emulator.account('joesflowers')!.list())).to.have.length(1);
      // For ever it does not.
      answer = (request) => (request.method === 'POST' ? no() : undefined);
      const ended = await setting.finished((await setting.client().create(ADD)).id);
      expect(ended.status).to.equal('ERROR');
      expect(ended.errors[0]?.message).to.contain('no new one showed');
    });
  }

  for (const [what, isIt] of [
    ['the list of activities', (path: string) => path.endsWith('/activities')],
    ['an activity', (path: string) => /\/activities\/[^/]+$/.test(path) && !path.endsWith('.csv')],
    ['a file', (path: string) => path.endsWith('.csv')],
    ['anything that is asked for', () => true],
  ] as const) {
    it(`asks again while the answer to ${what} is a page of something on the way`, async () => {
      await begin();
      let times = 0;
      answer = (request) =>
        request.method === 'GET' && isIt(new URL(request.url).pathname) && ++times <= 8 ? page() : undefined;
      const client = setting.client();
      const removed = await client.removeContacts({ contacts: ADD.contacts, lists: ['2'] });
      const exported = await client.exportContacts({ listId: '2' });
      const cleared = await client.clearLists({ lists: ['2'] });
      for (const { id } of [removed, exported, cleared]) {
        expect(await setting.finished(id)).to.include({ status: 'COMPLETE', errorCount: 0 });
      }
      expect(times).to.be.above(8);
      expect(await all(setting.emulator.account('joesflowers')!.list())).to.have.length(3);
      const { body } = await client.download(exported.id);
      expect(Buffer.concat(await all(body)).toString()).to.match(/^Email Address\r\n/);
    });
  }

  it('sends an upload that waited for long, and whose answers are then lost', async () => {
    await begin();
    let times = 0;
    answer = (request) => {
      if (request.method !== 'POST') return undefined;
      times++;
      return times <= 6 ? json(503) : times <= 9 ? lost() : undefined;
    };
    const { id } = await setting.client().create(ADD);
    expect(await setting.finished(id)).to.include({ status: 'COMPLETE', errorCount: 0, transactionCount: 1 });
    expect(await all(setting.emulator.account('joesflowers')!.list())).to.have.length(1);
  });

  it('sends an upload though a page of something on the way stands before v2 for an hour', async () => {
    await begin({ queueWhenDown: true });
    answer = () => page();
    const begun = setting.clock.now();
    const { id } = await setting.client().create(ADD);
    await setting.until(() => setting.clock.now() - begun > HOUR, 'an hour', 10_000);
    expect((await setting.client().get(id)).status).to.equal('PENDING');
    answer = () => undefined;
    expect(await setting.finished(id)).to.include({ status: 'COMPLETE', errorCount: 0 });
  });

  it('keeps an upload whose record was written, though the store said that it was not', async () => {
    const store = memoryStore();
    let wrong = false;
    const write: typeof store.records.write = async (...changes) => {
      await store.records.write(...changes);
      if (wrong) throw new UsageError('STORE_BUSY', 'nobody knows');
    };
    await begin({ store: { ...store, records: { ...store.records, write } } });
    wrong = true;
    expect(await refusal(setting.client().create(ADD))).to.include({ status: 503 });
    wrong = false;
    expect(await uploads()).to.have.length(1);
    await setting.gateway.close();
    setting.gateway = setting.make();
    await setting.gateway.start();
    const [one] = await all(setting.client().list());
    expect(await setting.finished(one?.id ?? '')).to.include({ status: 'COMPLETE', errorCount: 0 });
  });

  it('does not tell the client where the gateway keeps what it sent', async () => {
    await begin();
    answer = () => json(503);
    const { id } = await setting.client().create(ADD);
    await setting.gateway.close();
    for (const name of await uploads()) await fs.rm(path.join(setting.folder, 'uploads', name));
    setting.gateway = setting.make();
    await setting.gateway.start();
    const ended = await setting.finished(id);
    expect(ended.errors.map(({ message }) => message)).to.deep.equal([
      'the gateway cannot read any more what was sent',
    ]);
  });

  it('reads an uploaded file in the encoding of its account, and a form as the text that it is', async () => {
    await begin();
    const { account, signIn } = entryFor('joesflowers');
    await setting.gateway.close();
    const accounts = accountsOf([{ account: { ...account, encoding: 'ISO-8859-15' }, signIn }]);
    setting.gateway = setting.make({ accounts });
    await setting.gateway.start();
    const text = 'Email Address,First Name\nann@example.com,A€nn é\n';
    const bytes = Buffer.from(text.replace('€', '\xa4'), 'latin1');
    for (const contacts of [{ bytes, fileName: 'a.csv' }, { text }]) {
      const { id } = await setting.client().create({ ...ADD, contacts });
      expect((await setting.finished(id)).status).to.equal('COMPLETE');
      const exported = await setting
        .client()
        .exportContacts({ listId: '1', columns: ['FIRST NAME'] })
        .then((activity) => setting.finished(activity.id));
      const file = Buffer.concat(await all((await setting.client().download(exported)).body)).toString();
      expect(file).to.contain('ann@example.com,A€nn é\r\n');
    }
  });

  it('keeps blanks of an exported file that is well-formed, and reads one that is not as far as it can', async () => {
    await begin();
    for (const [file, row, warned] of [
      ['Email,First Name\nann@example.com," Ann "\n', 'ann@example.com," Ann "\r\n', false],
      ['Email,First Name\nann@example.com,A"nn\n', 'ann@example.com,"A""nn"\r\n', true],
    ] as const) {
      setting.events.length = 0;
      answer = (request) => (request.url.includes('.csv') ? new Response(file) : undefined);
      const { id } = await setting.client().exportContacts({ listId: '1', columns: ['FIRST NAME'] });
      const ended = await setting.finished(id);
      expect(ended.status).to.equal('COMPLETE');
      const bytes = Buffer.concat(await all((await setting.client().download(ended)).body)).toString();
      expect(bytes).to.equal(`Email Address,First Name\r\n${row}`);
      const codes = setting.told('warned').flatMap(({ warnings }) => warnings.map(({ code }) => code));
      expect(codes.includes('FILE_MALFORMED')).to.equal(warned);
    }
  });
});

describe('bounded', () => {
  it('begins one upload, or reads one piece of one, in a turn of the event loop', async () => {
    let reads = 0;
    let most = 0;
    let turning = true;
    const turn = () => {
      most = Math.max(most, reads);
      reads = 0;
      if (turning) setImmediate(turn);
    };
    const handler = bounded(
      async (request) => {
        reads++;
        const body: AsyncIterable<Uint8Array> | null = request.body;
        let bytes = 0;
        for await (const chunk of body ?? []) {
          reads++;
          bytes += chunk.length;
        }
        return new Response(String(bytes));
      },
      { most: 1e6, mostEach: 1e5, pace: new Pace() },
    );
    setImmediate(turn);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => {
        const pieces = Array.from({ length: 20 }, () => new Uint8Array(100));
        const body = ReadableStream.from(pieces);
        return handler(new Request('http://localhost/', { method: 'POST', body, duplex: 'half' }));
      }),
    );
    turning = false;
    expect(await Promise.all(answers.map((one) => one.text()))).to.deep.equal(Array(10).fill('2000'));
    expect(most).to.be.within(1, 2);
  });
});
