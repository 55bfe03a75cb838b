import { expect } from 'chai';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { readFileSync } from 'node:fs';
import { refuseControl, type ControlReach } from '../../src/emulator/control-guard.js';
import { createEmulator, type EmulatorOptions } from '../../src/emulator/emulator.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';

const HOST = 'http://api.constantcontact.com';
const BASE = `${HOST}/ws/customers/joesflowers`;
const SECRETS = { apiKey: 'key-1234', password: 'pass-5678' };
const basic = (user = 'joesflowers', password = SECRETS.password, apiKey = SECRETS.apiKey) =>
  `Basic ${Buffer.from(`${apiKey}%${user}:${password}`).toString('base64')}`;

function start(options: EmulatorOptions = {}) {
  const clock = createVirtualClock();
  const emulator = createEmulator({
    accounts: [{ user: 'joesflowers', credentials: SECRETS }],
    ...options,
    clock: options.clock ?? clock,
  });
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await emulator.fetch(`http://localhost/__emulator/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      data: (text === '' ? undefined : JSON.parse(text)) as never,
      headers: answer.headers,
    };
  };
  const post = async (
    parameters: Record<string, string>,
    headers: Record<string, string> = { authorization: basic() },
  ) => {
    const answer = await emulator.fetch(`${BASE}/activities`, {
      method: 'POST',
      headers,
      body: new URLSearchParams(parameters),
    });
    return { status: answer.status, id: /[^/]*$/.exec(answer.headers.get('location') ?? '')![0] };
  };
  const upload = (data = 'Email Address\nann@example.com\n') =>
    post({ activityType: 'SV_ADD', data, lists: `${BASE}/lists/1` });
  return { clock, emulator, ask, post, upload };
}

describe('the control surface', () => {
  it('tells how things are', async () => {
    const { ask, upload } = start();
    const { id } = await upload();
    expect((await ask('GET', 'health')).data).to.deep.equal({
      status: 'ok',
      now: '2008-04-29T19:30:00.000Z',
      accounts: 1,
    });
    expect((await ask('GET', 'accounts')).data).to.deep.equal([{ user: 'joesflowers' }]);
    expect((await ask('GET', 'accounts/JoesFlowers')).data).to.have.nested.property(
      'lists[3].name',
      'General Interest',
    );
    expect((await ask('GET', 'activities/joesflowers')).data).to.have.nested.property('[0].id', id);
    expect((await ask('GET', `activities/joesflowers/${id}`)).data).to.deep.include({ status: 'PENDING' });
    expect((await ask('HEAD', 'health')).status).to.equal(200);
  });

  it('moves the clock, and says when it cannot', async () => {
    const { ask, upload } = start();
    const { id } = await upload();
    expect((await ask('POST', 'clock', { advance: '5m' })).data).to.deep.equal({
      now: '2008-04-29T19:35:00.000Z',
      frozen: true,
    });
    expect((await ask('GET', `activities/joesflowers/${id}`)).data).to.deep.include({ status: 'COMPLETE' });
    expect((await ask('POST', 'clock', { set: '2010-01-01T00:00:00Z' })).data).to.deep.include({
      now: '2010-01-01T00:00:00.000Z',
    });
    expect((await ask('POST', 'clock', { freeze: false })).data).to.deep.include({ frozen: false });
    expect((await ask('POST', 'clock', { freeze: true })).data).to.deep.include({ frozen: true });
    for (const [body, said] of [
      [{ advance: 'soon' }, 'soon'],
      [{ advance: true }, 'advance'],
      [{ set: 'never' }, 'never'],
      [{ set: [] }, 'set'],
      [{ freeze: 1 }, 'freeze'],
      [{ advanse: 1 }, 'did you mean advance'],
      [{ advance: '999999999d' }, '9999'],
      [7, 'body'],
      [[], 'body'],
      ['{', 'is no JSON'],
    ] as const) {
      const { status, data } = await ask('POST', 'clock', body);
      expect(status).to.equal(400);
      expect(data).to.have.nested.property('error.message').that.includes(said);
    }
    const real = createEmulator();
    const answer = await real.fetch('http://localhost/__emulator/clock', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"advance":1}',
    });
    expect(answer.status).to.equal(409);
    expect(await (await real.fetch('http://localhost/__emulator/clock')).json()).to.have.all.keys('now');
    await real.reset();
  });

  it('transitions activities, and plans what becomes of them', async () => {
    const { ask, upload } = start();
    expect(
      (await ask('POST', 'outcomes/joesflowers', { outcome: 'unconfirmed', times: 1 })).data,
    ).to.deep.equal({ id: 1 });
    expect((await ask('GET', 'outcomes/joesflowers')).data).to.have.length(1);
    const { id } = await upload();
    const path = `activities/joesflowers/${id}/transition`;
    expect((await ask('POST', path, { to: 'COMPLETE' })).data).to.deep.include({ id, status: 'COMPLETE' });
    expect((await ask('POST', path, { to: 'QUEUED' })).data)
      .to.have.nested.property('error.message')
      .that.includes('COMPLETE already');
    expect((await ask('POST', path, {})).status).to.equal(400);
    expect((await ask('POST', 'activities/joesflowers/a07/transition', { to: 'ERROR' })).status).to.equal(
      404,
    );
    expect((await ask('DELETE', 'outcomes/joesflowers/1')).status).to.equal(204);
    expect((await ask('DELETE', 'outcomes/joesflowers/1')).status).to.equal(404);
    expect((await ask('POST', 'outcomes/joesflowers', { outcome: 'error' })).status).to.equal(201);
    expect((await ask('DELETE', 'outcomes/joesflowers')).status).to.equal(204);
    expect((await ask('GET', 'outcomes/joesflowers')).data).to.deep.equal([]);
    expect((await ask('GET', 'outcomes/nobody')).status).to.equal(404);
  });

  it('adds, lists and takes away faults', async () => {
    const { ask, upload } = start();
    expect(await ask('POST', 'faults', { action: 'status500', times: 1 })).to.deep.include({
      status: 201,
      data: { id: 1 },
    });
    expect((await upload()).status).to.equal(500);
    expect((await upload()).status).to.equal(201);
    const [fault]: unknown[] = (await ask('GET', 'faults')).data;
    expect(fault).to.include({ id: 1, times: 1, matched: 2, done: 1 });
    expect((await ask('DELETE', 'faults/1')).status).to.equal(204);
    expect((await ask('DELETE', 'faults/1')).status).to.equal(404);
    await ask('POST', 'faults', { action: 'reset' });
    await ask('DELETE', 'faults');
    expect((await ask('GET', 'faults')).data).to.deep.equal([]);
    expect((await ask('GET', 'faults/presets')).data).to.have.property('qps403');
    expect((await ask('POST', 'faults', { action: 'boom' })).status).to.equal(400);
  });

  it('gives the requests as its schema says, and finds those that are meant', async () => {
    const schema = JSON.parse(
      readFileSync(new URL('../../schemas/emulator-journal.schema.json', import.meta.url), 'utf8'),
    ) as object;
    const ajv = new Ajv2020({ strict: true });
    formats.default(ajv);
    const validate = ajv.compile(schema);
    const { ask, emulator, post, upload } = start();
    const { id } = await upload();
    await post({ activityType: 'SV_ADD' }, {});
    await emulator.fetch(`${BASE}/activities/${id}?access_token=tok`);
    emulator.faults.add('lostAnswer');
    await upload().catch(() => undefined);
    const answer = await emulator.fetch('http://localhost/__emulator/requests?format=ndjson');
    const lines = (await answer.text()).trim().split('\n');
    expect(lines).to.have.length(4);
    for (const line of lines)
      expect(validate(JSON.parse(line)), JSON.stringify(validate.errors)).to.equal(true);
    for (const secret of [...Object.values(SECRETS), 'ann@example.com', '=tok']) {
      expect(lines.join()).not.to.include(secret);
    }
    expect((await ask('GET', 'requests?method=POST&status=201')).data).to.deep.include({ count: 1 });
    expect((await ask('GET', `requests?activityId=${id}&refused=true`)).data).to.deep.include({ count: 1 });
    expect((await ask('GET', 'requests?faulty=true&path=activities&after=1')).data).to.deep.include({
      count: 1,
    });
    expect((await ask('GET', 'requests?limit=1')).data).to.have.nested.property('requests.length', 1);
    expect((await ask('GET', 'requests?metod=GET')).status).to.equal(400);
    expect((await ask('GET', 'requests?status=x')).status).to.equal(400);
    expect((await ask('GET', 'explain')).data).to.have.length(2);
    await ask('DELETE', 'requests');
    expect(emulator.requests.length).to.equal(0);
  });

  it('resets, so that the same calls lead to the same ids and times', async () => {
    const { clock, emulator, ask, upload } = start();
    const story = async () => {
      const { id } = await upload();
      await clock.advance('1h');
      return [id, JSON.stringify(await emulator.account('joesflowers')!.get(id))];
    };
    const once = await story();
    const account = emulator.account('joesflowers');
    emulator.faults.add('reset');
    emulator.seed({ user: 'ann' });
    expect((await ask('POST', 'reset')).status).to.equal(204);
    expect(emulator.account('joesflowers')).to.equal(account);
    expect([emulator.account('ann'), emulator.faults.none, emulator.requests.count]).to.deep.equal([
      undefined,
      true,
      0,
    ]);
    expect(await story()).to.deep.equal(once);
    clock.run();
    await emulator.reset();
    expect(clock.running).to.equal(false);
  });

  it('takes snapshots and brings them back, elsewhere too', async () => {
    const { clock, emulator, ask, upload } = start();
    const { id } = await upload();
    const { data: state } = await ask('GET', 'snapshot');
    await clock.advance('1h');
    emulator.seed({ user: 'ann' });
    expect((await ask('POST', 'restore', state)).status).to.equal(204);
    expect(clock.now()).to.equal(Date.parse('2008-04-29T19:30:00Z'));
    expect(emulator.accounts().map(({ user }) => user)).to.deep.equal(['joesflowers']);
    expect((await emulator.account('joesflowers')!.get(id)).status).to.equal('PENDING');

    const other = start({ accounts: [] });
    await other.ask('POST', 'restore', state);
    await other.clock.advance('1h');
    expect(await other.emulator.account('joesflowers')!.get(id)).to.include({
      status: 'COMPLETE',
      transactionCount: 1,
    });
    for (const damaged of [
      {},
      [],
      { version: 2 },
      { version: 1, now: 'x' },
      { version: 1, now: '2008-04-29T19:30:00Z', accounts: 1 },
      { version: 1, now: '2008-04-29T19:30:00Z', accounts: [{}] },
      { version: 1, now: '2008-04-29T19:30:00Z', accounts: [null] },
    ]) {
      expect((await ask('POST', 'restore', damaged)).status, JSON.stringify(damaged)).to.equal(400);
    }
    expect((await emulator.account('joesflowers')!.get(id)).id).to.equal(id);
  });

  it('restores all or nothing', async () => {
    const { clock, emulator, ask, upload } = start();
    const empty = emulator.snapshot();
    const [first] = empty.accounts;
    const { id } = await upload();
    await clock.advance('1h');
    const now = clock.now();
    for (const accounts of [
      [first, { ...first, user: 'ann', jobs: {} }],
      [first, { ...first, user: 'ann', outcomes: [null] }],
      [first, first],
    ]) {
      expect((await ask('POST', 'restore', { ...empty, accounts })).status).to.equal(400);
      expect(clock.now()).to.equal(now);
      expect((await emulator.account('joesflowers')!.get(id)).status).to.equal('COMPLETE');
      expect(emulator.accounts()).to.have.length(1);
    }
    expect((await ask('POST', 'restore', empty)).status).to.equal(204);
    expect(emulator.account('joesflowers')!.activityCount).to.equal(0);
  });

  it('seeds accounts, as JSON', async () => {
    const { ask, emulator } = start();
    const { data } = await ask('POST', 'seed', {
      accounts: [{ user: 'ann', lists: [{ id: 7, name: 'Roses', members: ['a@example.com'] }] }],
    });
    expect(data).to.deep.equal([{ user: 'joesflowers' }, { user: 'ann' }]);
    expect(emulator.account('ann')).not.to.equal(undefined);
    const wrong = await ask('POST', 'seed', { accounts: [{ usr: 'ann' }] });
    expect(wrong.status).to.equal(400);
    expect(wrong.data).to.have.nested.property('error.message').that.includes('user');
  });

  it('has nothing elsewhere, and no methods but those it has', async () => {
    const { ask, emulator } = start();
    expect((await ask('GET', 'nothing')).status).to.equal(404);
    expect(await ask('POST', 'health', {})).to.include({ status: 405 });
    expect((await ask('DELETE', 'clock')).headers.get('allow')).to.equal('GET, POST');
    const root = await emulator.fetch('http://localhost/__emulator', { redirect: 'manual' });
    expect([root.status, root.headers.get('location')]).to.deep.equal([308, '/__emulator/']);
    expect((await emulator.fetch('http://localhost/__emulators')).status).to.equal(404);
    expect((await ask('GET', 'accounts/%E0%A4%A')).status).to.equal(404);
  });

  it('can be left out', async () => {
    const { emulator } = start({ control: false });
    expect((await emulator.fetch('http://localhost/__emulator/health')).status).to.equal(404);
  });

  describe('over a socket', () => {
    async function asked(
      headers: Record<string, string>,
      {
        control = 'loopback',
        method = 'GET',
        path = 'health',
        host = '127.0.0.1',
      }: { control?: ControlReach; method?: string; path?: string; host?: string } = {},
    ): Promise<number> {
      const { emulator } = start({ control });
      const { url } = await emulator.listen({ host });
      const { connect } = await import('node:net');
      const { port } = new URL(url);
      const lines = Object.entries({ host: `localhost:${port}`, connection: 'close', ...headers }).map(
        ([name, value]) => `${name}: ${value.replace('PORT', port)}\r\n`,
      );
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1');
        let text = '';
        socket.on('data', (chunk) => (text += chunk.toString('latin1')));
        socket.on('close', () => resolve(text));
        socket.on('error', reject);
        socket.write(`${method} /__emulator/${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
      });
      await emulator.close();
      expect(answer).not.to.match(/access-control-allow/i);
      return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
    }
    const JSON_TYPE = { 'content-type': 'application/json', 'content-length': '0' };

    it('is for this machine by its own names', async () => {
      for (const host of [
        'localhost',
        'localhost:PORT',
        'a.localhost:PORT',
        '127.0.0.1:PORT',
        '[::1]:PORT',
      ]) {
        expect(await asked({ host }), host).to.equal(200);
      }
      for (const host of [
        'evil.example.com',
        'localhost.example.com',
        '192.0.2.1:PORT',
        '127.0.0.1.example.com',
      ]) {
        expect(await asked({ host }), host).to.equal(403);
        expect(await asked({ host }, { control: 'anywhere' }), host).to.equal(200);
      }
    });

    it('is not for callers from elsewhere, unless told otherwise', () => {
      const request = new Request('http://localhost/__emulator/health');
      for (const peer of ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '127.0.0.1.example.com', '']) {
        expect(refuseControl(request, peer, 'loopback'), peer).to.include({ status: 403 });
        expect(refuseControl(request, peer, 'anywhere'), peer).to.equal(undefined);
      }
      for (const peer of ['127.0.0.1', '127.9.9.9', '::ffff:127.0.0.1', '::1', undefined]) {
        expect(refuseControl(request, peer, 'loopback'), peer).to.equal(undefined);
      }
    });

    it('takes no changes from other pages', async () => {
      const post = { method: 'POST', path: 'reset' };
      expect(await asked(JSON_TYPE, post)).to.equal(204);
      expect(await asked({ ...JSON_TYPE, origin: 'http://localhost:PORT' }, post)).to.equal(204);
      expect(await asked({ ...JSON_TYPE, 'sec-fetch-site': 'same-origin' }, post)).to.equal(204);
      for (const headers of [
        { 'content-length': '0' },
        { 'content-type': 'text/plain', 'content-length': '0' },
        { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' },
      ]) {
        expect(await asked(headers, post)).to.equal(415);
      }
      for (const control of ['loopback', 'anywhere'] as const) {
        for (const headers of [
          { ...JSON_TYPE, origin: 'http://evil.example.com' },
          { ...JSON_TYPE, origin: 'null' },
          { ...JSON_TYPE, origin: 'http://localhost:1' },
          { ...JSON_TYPE, 'sec-fetch-site': 'cross-site' },
          { ...JSON_TYPE, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate' },
        ]) {
          expect(await asked(headers, { ...post, control }), JSON.stringify(headers)).to.equal(403);
        }
      }
      expect(
        await asked(
          { 'content-type': 'application/json', origin: 'http://evil.example.com' },
          { method: 'OPTIONS', path: 'reset' },
        ),
      ).to.equal(403);
    });

    it('is read by nobody else, though whoever follows a link may look', async () => {
      expect(await asked({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).to.equal(403);
      expect(await asked({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })).to.equal(200);
    });
  });
});

describe('the explanation of a refusal', () => {
  const why = async (path: string, init: RequestInit & { headers?: Record<string, string> } = {}) => {
    const { emulator } = start();
    await emulator.fetch(new URL(path, `${BASE}/`), {
      ...init,
      headers: { authorization: basic(), ...init.headers },
    });
    return emulator.requests.last?.refusal;
  };
  const form = (text: string) => ({ method: 'POST', body: new URLSearchParams(text) });

  it('says what is probably wrong', async () => {
    const XML = { 'content-type': 'application/atom+xml' };
    for (const [path, init, said] of [
      [
        'activities',
        { headers: { authorization: basic('annsflowers') } },
        'of the user annsflowers, the path is of joesflowers',
      ],
      ['activities', { headers: { authorization: basic('25joesflowers') } }, 'came as %25'],
      [
        'activities',
        { headers: { authorization: basic('joesflowers', 'wrong') } },
        'names other credentials than these (scheme basic)',
      ],
      ['activities', { headers: { authorization: 'Bearer t' } }, '(scheme bearer)'],
      ['activities', { headers: { authorization: 'Basic !' } }, 'scheme basic) cannot be read'],
      ['activities', { headers: { authorization: 'nothing' } }, 'scheme none) cannot be read'],
      ['activities', { headers: { authorization: 'Digest username="x"' } }, '(digest)'],
      [`${HOST}/ws/customers/joe/lists`, {}, 'There are: joesflowers'],
      [`${HOST}/ws/customer/joe/lists`, {}, 'Paths begin with'],
      ['activities/a07e1', {}, 'No activity of this account'],
      ['activities/A07E1', {}, 'lower-case'],
      ['activities/a07e1.csv', {}, 'COMPLETE'],
      ['campaigns', {}, 'lists and contacts'],
      ['activities', form('activityType=CLEAR_CONTACTS_FROM_LISTS&lists[]=1'), 'Write lists=…&lists=…'],
      ['activities', form('activityType=SV_ADD&lists=1&data=Ann'), 'is no heading'],
      [
        'activities',
        { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
        'The body is empty',
      ],
      [
        'activities',
        { method: 'POST', body: 'x', headers: { 'content-type': 'multipart/form-data; boundary=a' } },
        'could not be read as the form',
      ],
      ['activities?next=zzz', {}, 'Pages are known by the link'],
      ['activities', { method: 'PUT', body: '<a/>', headers: XML }, 'Activities take GET and POST'],
      ['activities/a07e1', { ...form('a=b') }, 'without anything behind'],
      ['activities', { method: 'POST', body: '<a/>', headers: XML }, 'The body came as application/atom+xml'],
    ] as [string, RequestInit & { headers?: Record<string, string> }, string][]) {
      const refusal = await why(path, init);
      expect(refusal?.explanation, `${path} ${JSON.stringify(init)}`).to.include(said);
      expect(refusal?.reason).to.be.a('string');
      expect(JSON.stringify(refusal)).not.to.include(SECRETS.password);
    }
    const { emulator } = start({ accounts: [], maxBodyBytes: 10 });
    await emulator.fetch(`${BASE}/lists`);
    expect(emulator.requests.last?.refusal?.explanation).to.include('There are none.');
    const small = start({ maxBodyBytes: 10 });
    await small.upload();
    expect(small.emulator.requests.last).to.deep.include({ status: 413 });
    expect(small.emulator.requests.last?.refusal?.explanation).to.include('split the upload');
    const anonymous = start();
    await anonymous.emulator.fetch(`${BASE}/lists`);
    expect(anonymous.emulator.requests.last?.refusal?.explanation).to.include('without credentials');
    const plain = await why('activities', form('activityType=SV_ADD&lists=1'));
    expect(plain).to.have.all.keys('reason');
  });
});
