import { expect } from 'chai';
import { UsageError } from '../../src/activity/errors.js';
import { systemClock } from '../../src/clock.js';
import { createEmulator, type EmulatorOptions } from '../../src/emulator/emulator.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { WsClient } from '../../src/ws/client.js';

const HOST = 'https://api.constantcontact.com';
const BASE = `${HOST}/ws/customers/joesflowers`;
const authorization = (user = 'joesflowers', password = 'secret') =>
  `Basic ${Buffer.from(`key%${user}:${password}`).toString('base64')}`;

function start(options: EmulatorOptions = {}) {
  const clock = createVirtualClock();
  const emulator = createEmulator({ ...options, clock });
  const get = (path: string, headers: Record<string, string> = { authorization: authorization() }) =>
    emulator.fetch(new URL(path, `${BASE}/`), { headers });
  const post = (parameters: [string, string][], user = 'joesflowers') =>
    emulator.fetch(`${HOST}/ws/customers/${user}/activities`, {
      method: 'POST',
      headers: { authorization: authorization(user) },
      body: new URLSearchParams(parameters),
    });
  return { clock, emulator, get, post };
}

const list = `${BASE.replace('https', 'http')}/lists/1`;
const upload = (data: string): [string, string][] => [
  ['activityType', 'SV_ADD'],
  ['data', data],
  ['lists', list],
];

describe('createEmulator', () => {
  it('takes an upload, shows it go through its statuses, and exports what was accepted', async () => {
    const { clock, get, post } = start();
    const created = await post(upload('Email Address,State\nann@example.com,MA\njoan@example.com,Test2\n'));
    expect(created.status).to.equal(201);
    const id = /\/(a07e1[a-z0-9]{14})$/.exec(created.headers.get('location') ?? '')?.[1] ?? '';

    const statuses = new Set<string>();
    for (let polls = 0; polls < 100 && !statuses.has('COMPLETE'); polls++) {
      const entry = await (await get(`activities/${id}`)).text();
      statuses.add(/<Status>(\w+)</.exec(entry)?.[1] ?? '');
      await clock.advance(300);
    }
    expect([...statuses]).to.deep.equal(['PENDING', 'QUEUED', 'RUNNING', 'COMPLETE']);
    const entry = await (await get(`activities/${id}`)).text();
    expect(entry).to.match(/<LineNumber>3<[^]*<EmailAddress>joan@example.com<[^]*<Message>Unknown US/);

    const exported = await post([
      ['activityType', 'EXPORT_CONTACTS'],
      ['listId', list],
      ['columns', 'STATE'],
    ]);
    const location = exported.headers.get('location') ?? '';
    expect((await get(`${location}.csv`)).status).to.equal(404);
    await clock.advance('1m');
    const file = await get(`${location}.csv`);
    expect(file.headers.get('content-type')).to.match(/^text\/csv/);
    expect(await file.text()).to.equal('Email Address,State\r\nann@example.com,MA\r\n');
  });

  it('is a fetch for the client, whose whole wait passes within one advance of the clock', async () => {
    const emulator = createEmulator({ clock: createVirtualClock() });
    const client = new WsClient({
      user: 'joesflowers',
      credentials: { scheme: 'basic', apiKey: 'key', user: 'joesflowers', password: 'secret' },
      fetch: emulator.fetch,
      clock: emulator.clock,
    });
    const rows = Array.from({ length: 30 }, (_, index) => ({ emailAddress: `user${index}@example.com` }));
    const { id } = await client.addContacts({ contacts: { rows }, lists: ['1'] });
    const waiting = client.waitForActivity(id);
    await emulator.clock.advance('5m');
    expect(await waiting).to.include({ status: 'COMPLETE', transactionCount: 30, errorCount: 0 });
  });

  it('answers 401 with a challenge to unknown users, no credentials, and another user’s', async () => {
    const { emulator, get } = start({
      accounts: [{ user: 'joesflowers', credentials: { password: 'secret' } }, { user: 'annsflowers' }],
    });
    expect((await get('lists')).status).to.equal(200);
    for (const [path, headers] of [
      ['lists', {}],
      ['lists', { authorization: authorization('annsflowers') }],
      ['lists', { authorization: authorization('joesflowers', 'wrong') }],
      [`${HOST}/ws/customers/nobody/lists`, { authorization: authorization('nobody') }],
    ] as const) {
      const answer = await get(path, headers);
      expect(answer.status).to.equal(401);
      expect(answer.headers.get('www-authenticate')).to.match(/^Basic realm="/);
    }
    expect(emulator.account('nobody')).to.equal(undefined);
  });

  it('keeps accounts apart, and finds them by user in any case and encoded', async () => {
    const { clock, emulator, post } = start({ accounts: [{ user: 'joesflowers' }, { user: 'Ann Smith' }] });
    expect((await post(upload('Email Address\nann@example.com\n'))).status).to.equal(201);
    await clock.advance('1m');
    const counts = async (user: string) => {
      const found: (number | undefined)[] = [];
      for await (const { contactCount } of emulator.account(user)!.lists()) found.push(contactCount);
      return found.slice(3);
    };
    expect(await counts('JoesFlowers')).to.deep.equal([1]);
    expect(await counts('ann%20smith')).to.deep.equal([0]);
    expect(emulator.account('100%')).to.equal(undefined);
    const answer = await emulator.fetch(`${HOST}/ws/customers/ANN%20SMITH/lists`, {
      headers: { authorization: authorization('ann smith') },
    });
    expect(answer.status).to.equal(200);
  });

  it('answers 400 in plain text with the reason', async () => {
    const { post } = start();
    for (const [parameters, reason] of [
      [
        [
          ['activityType', 'CLEAR_CONTACTS_FROM_LISTS'],
          ['lists', `${BASE}/lists/active`],
        ],
        'active',
      ],
      [
        [
          ['activityType', 'CLEAR_CONTACTS_FROM_LISTS'],
          ['lists', `${BASE}/lists/99`],
        ],
        'list 99',
      ],
      [upload(''), 'empty'],
      [upload('First Name\nAnn'), 'EMAIL ADDRESS'],
    ] as [[string, string][], string][]) {
      const answer = await post(parameters);
      expect(answer.status).to.equal(400);
      expect(answer.headers.get('content-type')).to.match(/^text\/plain/);
      expect(await answer.text()).to.include(reason);
    }
  });

  it('pages by 50, or as it is told', async () => {
    for (const [options, sizes] of [
      [{}, [50, 3]],
      [{ pageSize: 30 }, [30, 23]],
    ] as const) {
      const { get, post } = start(options);
      for (let count = 0; count < 53; count++) {
        await post([
          ['activityType', 'CLEAR_CONTACTS_FROM_LISTS'],
          ['lists', list],
        ]);
      }
      const found: number[] = [];
      let next: string | undefined = 'activities';
      while (next !== undefined) {
        const feed: string = await (await get(next)).text();
        found.push(feed.match(/<entry/g)?.length ?? 0);
        next = /<link href="([^"]+)" rel="next"/.exec(feed)?.[1];
      }
      expect(found).to.deep.equal(sizes);
    }
  });

  it('answers 413 past the limit', async () => {
    const { post } = start({ maxBodyBytes: 100 });
    expect((await post(upload(`Email Address\n${'x'.repeat(100)}`))).status).to.equal(413);
  });

  it('carries the time of its clock', async () => {
    const { get } = start();
    expect(await (await get('activities')).text()).to.include('<updated>2008-04-29T19:30:00.000Z</updated>');
  });

  it('listens on ports of its own, and closes them', async () => {
    const emulator = createEmulator();
    expect(emulator.clock).to.equal(systemClock);
    const [first, second] = [await emulator.listen(), await emulator.listen({ port: 0, host: '127.0.0.1' })];
    expect(first.url).not.to.equal(second.url);
    for (const { url } of [first, second]) {
      const answer = await fetch(`${url}/ws/customers/joesflowers/lists`, {
        headers: { authorization: authorization() },
      });
      expect(answer.status).to.equal(200);
      expect(await answer.text()).to.include('General Interest');
    }
    await emulator.close();
    await emulator.close();
    for (const { url } of [first, second]) {
      expect(await fetch(url).catch(() => 'refused')).to.equal('refused');
    }
  });

  it('takes a Request as well as an address', async () => {
    const { emulator } = start();
    const request = new Request(`${BASE}/lists`, { headers: { authorization: authorization() } });
    expect((await emulator.fetch(request)).status).to.equal(200);
    expect((await emulator.fetch(`${BASE}/lists`)).status).to.equal(401);
  });

  it('refuses two accounts of one user', () => {
    const accounts = [{ user: 'joesflowers' }, { user: 'JoesFlowers' }];
    expect(() => createEmulator({ accounts })).to.throw(UsageError, 'JoesFlowers');
    expect(createEmulator({ accounts: [] }).account('joesflowers')).to.equal(undefined);
  });
});
