import { connect } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { UsageError } from '../../src/activity/errors.js';
import { createEmulator, type EmulatorOptions } from '../../src/emulator/emulator.js';
import { FAULT_PRESETS, type FaultPreset } from '../../src/emulator/fault-presets.js';
import { Faults, type FaultAction, type FaultRule } from '../../src/emulator/faults.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { WsClient } from '../../src/ws/client.js';
import { splitMessage, fixtures } from '../support/fixtures.js';

const CREDENTIALS = { scheme: 'basic', apiKey: 'key', user: 'joesflowers', password: 'secret' } as const;
const authorization = `Basic ${Buffer.from('key%joesflowers:secret').toString('base64')}`;
const BASE = 'http://localhost/ws/customers/joesflowers';

function start(options: EmulatorOptions = {}) {
  const clock = createVirtualClock();
  const emulator = createEmulator({ ...options, clock });
  const client = new WsClient({
    user: 'joesflowers',
    credentials: CREDENTIALS,
    fetch: emulator.fetch,
    clock,
    onWarning: () => undefined,
  });
  const get = (path = 'activities', init: RequestInit = {}) =>
    emulator.fetch(`${BASE}/${path}`, { ...init, headers: { authorization } });
  const post = (activityType = 'SV_ADD') =>
    emulator.fetch(`${BASE}/activities`, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams({
        activityType,
        data: 'Email Address\nann@example.com',
        lists: `${BASE}/lists/1`,
      }),
    });
  return { clock, emulator, client, get, post };
}

const failureOf = async (promise: Promise<unknown>): Promise<Error & { code?: string; cause?: unknown }> => {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('did not fail');
};

async function activityCount(emulator: ReturnType<typeof createEmulator>): Promise<number> {
  let count = 0;
  for await (const { id } of emulator.account('joesflowers')!.list()) count += id === '' ? 0 : 1;
  return count;
}

const SUBJECT = {
  method: 'GET',
  path: '/ws/customers/joesflowers/activities',
  resource: 'activities',
  user: 'joesflowers',
};

describe('Faults', () => {
  it('are done to what matches, as often as they may', () => {
    const faults = new Faults(1);
    const upload = { ...SUBJECT, method: 'POST', activityType: 'SV_ADD' };
    for (const [match, yes, no] of [
      [{}, [SUBJECT, upload], []],
      [{ method: 'post' }, [upload], [SUBJECT]],
      [
        { path: 'activities' },
        [SUBJECT],
        [
          { ...SUBJECT, resource: 'activities/a' },
          { ...SUBJECT, resource: undefined },
        ],
      ],
      [
        { path: '/ws/customers/*/activities' },
        [SUBJECT],
        [{ ...SUBJECT, path: '/ws/customers/a/b/activities' }],
      ],
      [{ path: '/ws/**' }, [SUBJECT], [{ ...SUBJECT, path: '/v2/activities' }]],
      [{ path: 'act.vities' }, [], [SUBJECT]],
      [
        { user: 'JOESFLOWERS' },
        [SUBJECT],
        [
          { ...SUBJECT, user: 'ann' },
          { ...SUBJECT, user: undefined },
        ],
      ],
      [{ activityType: 'SV_ADD', method: 'POST' }, [upload], [SUBJECT]],
    ] as const) {
      faults.clear();
      const id = faults.add({ match, action: { type: 'reset' } });
      for (const subject of yes) expect(faults.due(subject), JSON.stringify(match)).to.have.length(1);
      for (const subject of no) expect(faults.due(subject), JSON.stringify(match)).to.have.length(0);
      expect(faults.list()).to.deep.equal([
        { id, match, action: { type: 'reset' }, matched: yes.length, done: yes.length },
      ]);
    }
  });

  it('hold times, nth and the order of rules', () => {
    const faults = new Faults(1);
    const first = faults.add({ match: { nth: 2 }, action: 'status500' });
    const second = faults.add({ times: 2, action: { type: 'reset' } });
    const slow = faults.add({ action: { type: 'delay', time: '1s' } });
    const last = faults.add('status503');
    const done = Array.from({ length: 5 }, () => faults.due(SUBJECT).map(({ rule }) => rule));
    expect(done).to.deep.equal([[second], [first], [second], [slow, last], [slow, last]]);
    expect(faults.remove(first)).to.equal(true);
    expect(faults.remove(first)).to.equal(false);
    expect(faults.list().map(({ id }) => id)).to.deep.equal([second, slow, last]);
    faults.clear();
    expect(faults.none).to.equal(true);
    expect(faults.add('reset')).to.equal(1);
  });

  it('with a probability pick the same requests for the same seed, about as many as that', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, probability) => {
        const picked = () => {
          const faults = new Faults(7);
          faults.add({ probability, seed, action: { type: 'reset' } });
          return Array.from({ length: 1000 }, () => faults.due(SUBJECT).length);
        };
        const once = picked();
        expect(picked()).to.deep.equal(once);
        const share = once.reduce((sum, one) => sum + one, 0) / 1000;
        expect(share).to.be.closeTo(probability, 0.09);
      }),
      { numRuns: 20 },
    );
  });

  it('refuse rules that cannot be meant, naming the field', () => {
    const faults = new Faults(1);
    for (const [rule, said] of [
      [null, 'must be an object'],
      [{}, 'action'],
      [{ action: 'qps4o3' }, 'qps403'],
      [{ action: { type: 'explode' } }, 'action.type'],
      [{ action: { type: 'status' } }, 'action.status'],
      [{ action: { type: 'status', status: 99 } }, 'action.status'],
      [{ action: { type: 'status', status: 500, headers: { 'bad name': 'x' } } }, 'action.headers'],
      [{ action: { type: 'status', status: 500, headers: ['x'] } }, 'action.headers'],
      [{ action: { type: 'status', status: 500, body: 7 } }, 'action.body'],
      [{ action: { type: 'status', status: 500, bodi: 'x' } }, 'did you mean body'],
      [{ action: { type: 'delay', time: 'soon' } }, 'action.time'],
      [{ action: { type: 'delay', time: true } }, 'action.time'],
      [{ action: { type: 'truncate' } }, 'action.after'],
      [{ action: { type: 'stall', after: -1 } }, 'action.after'],
      [{ action: { type: 'contentType', value: 'a\nb' } }, 'action.value'],
      [{ action: { type: 'lostAnswer', how: '502' } }, 'action.how'],
      [{ action: 7 }, 'action'],
      [{ action: 'reset', tims: 1 }, 'did you mean times'],
      [{ action: 'reset', times: 0 }, 'times'],
      [{ action: 'reset', probability: 2 }, 'probability'],
      [{ action: 'reset', seed: 1.5 }, 'seed'],
      [{ action: 'reset', match: 'GET' }, 'match'],
      [{ action: 'reset', match: [] }, 'match: must be an object'],
      [{ action: 'reset', match: { method: 7 } }, 'match.method'],
      [{ action: 'reset', match: { nth: 0 } }, 'match.nth'],
      [{ action: 'reset', match: { verb: 'GET' } }, 'verb'],
    ] as [unknown, string][]) {
      expect(() => faults.add(rule as FaultRule), JSON.stringify(rule)).to.throw(UsageError, said);
    }
    expect(faults.none).to.equal(true);
  });
});

describe('faults of an emulator', () => {
  it('answer as the gateway did, which the client takes for what it was', async () => {
    const [fixture] = fixtures('ws/answers').filter(({ name }) => name === 'over-queries-per-second');
    const { body } = splitMessage(fixture!.bytes('response.http'));
    const { emulator, get } = start();
    emulator.faults.add('qps403');
    const answer = await get();
    expect([answer.status, await answer.json()]).to.deep.equal([403, JSON.parse(body.toString())]);
  });

  it('do what each preset says, to the client too', async () => {
    const wanted: Record<Exclude<FaultPreset, 'slow' | 'stall' | 'stallMidway'>, RegExp> = {
      qps403: /^RATE_LIMITED/,
      ratelimit403: /^RATE_LIMITED/,
      status429: /^RATE_LIMITED/,
      status500: /^SERVICE_FAILED/,
      status503: /^SERVICE_FAILED/,
      login: /^DOCUMENT_UNEXPECTED.*login page/,
      reset: /^(?:REQUEST_NOT_SENT|RESPONSE_LOST).*ECONNRESET/,
      truncate: /^RESPONSE_LOST/,
      malformed: /^XML_(?:TRUNCATED|NOT_WELL_FORMED)/,
      contentType: /^(?:DOCUMENT_UNEXPECTED|none)/,
      lostAnswer: /^(?:REQUEST_NOT_SENT|RESPONSE_LOST).*ECONNRESET/,
    };
    for (const [name, pattern] of Object.entries(wanted)) {
      const { emulator, post } = start();
      const client = new WsClient({
        user: 'joesflowers',
        credentials: CREDENTIALS,
        fetch: emulator.fetch,
        retry: false,
      });
      const id = /[^/]+$/.exec((await post()).headers.get('location') ?? '')?.[0] ?? '';
      emulator.faults.add(name as FaultPreset);
      const outcome = await client.get(id).then(
        () => 'none',
        (error: unknown) => `${(error as { code: string }).code} ${String(error)}`,
      );
      expect(outcome, name).to.match(pattern);
      expect(emulator.requests.last?.fault).to.deep.equal({
        rule: 1,
        action: FAULT_PRESETS[name as FaultPreset].action.type,
      });
    }
  }).timeout(20_000);

  it('carry nothing out when they come first, and all when only the answer is lost', async () => {
    for (const [action, status, created] of [
      [{ type: 'status', status: 500 }, 500, 0],
      [{ type: 'status', status: 204 }, 204, 0],
      [{ type: 'reset' }, undefined, 0],
      [{ type: 'reset', after: 10 }, 201, 1],
      [{ type: 'truncate', after: 0 }, 201, 1],
      [{ type: 'malformed' }, 201, 1],
      [{ type: 'contentType', value: 'text/html' }, 201, 1],
      [{ type: 'lostAnswer' }, undefined, 1],
      [{ type: 'lostAnswer', how: '504' }, 504, 1],
    ] as [FaultAction, number | undefined, number][]) {
      const { emulator, post } = start();
      emulator.faults.add({ match: { method: 'POST' }, action });
      await post()
        .then((answer) => answer.text())
        .catch(() => undefined);
      expect(await activityCount(emulator), JSON.stringify(action)).to.equal(created);
      expect(emulator.requests.last?.status).to.equal(status);
    }
  });

  it('cut an answer where they are told', async () => {
    const { emulator, get } = start();
    const whole = await (await get()).text();
    for (const after of [0, 1, 100, whole.length + 50]) {
      emulator.faults.clear();
      emulator.faults.add({ action: { type: 'truncate', after } });
      const answer = await get();
      let text = '';
      const failure = await failureOf(
        (async () => {
          for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
            text += Buffer.from(chunk).toString('latin1');
          }
        })(),
      );
      expect(failure).to.be.instanceOf(TypeError);
      expect(text).to.equal(whole.slice(0, after));
    }
    emulator.faults.clear();
    emulator.faults.add({ action: { type: 'malformed' } });
    expect(whole.startsWith(await (await get()).text())).to.equal(true);
    emulator.faults.clear();
    emulator.faults.add({ action: { type: 'contentType', value: 'application/pdf' } });
    const answer = await get();
    expect([answer.headers.get('content-type'), await answer.text()]).to.deep.equal([
      'application/pdf',
      whole,
    ]);
  });

  it('delay by the clock of the emulator, and what stalls ends with the caller or the emulator', async () => {
    const { clock, emulator, get } = start();
    emulator.faults.add({ action: { type: 'delay', time: '30s' }, times: 1 });
    let answered = false;
    const slow = get().then(({ status }) => (answered = status === 200));
    await new Promise(setImmediate);
    await clock.advance('29s');
    expect(answered).to.equal(false);
    await clock.advance('2s');
    await slow;
    expect(answered).to.equal(true);

    emulator.faults.add('stall');
    const controller = new AbortController();
    const stalled = failureOf(get('activities', { signal: controller.signal }));
    await new Promise(setImmediate);
    expect(emulator.requests.last).to.include({ method: 'GET' }).and.not.to.have.property('status');
    controller.abort();
    expect(await stalled).to.have.property('name', 'AbortError');
    const other = failureOf(get());
    await new Promise(setImmediate);
    await emulator.close();
    expect(await other).to.have.property('name', 'AbortError');
    expect(await failureOf(get('activities', { signal: AbortSignal.abort() }))).to.be.instanceOf(Error);

    emulator.faults.clear();
    emulator.faults.add('stallMidway');
    const reader: ReadableStreamDefaultReader<Uint8Array> = (await get()).body!.getReader();
    let length = 0;
    while (length < 100) length += (await reader.read()).value?.length ?? 0;
    const more = reader
      .read()
      .then(() => 'more')
      .catch(() => 'ended');
    expect(
      await Promise.race([more, new Promise((resolve) => setImmediate(() => resolve('nothing')))]),
    ).to.equal('nothing');
    await emulator.close();
    expect(await more).to.equal('ended');
  });

  it('reset a real connection, midway too', async () => {
    const { emulator } = start();
    const { url } = await emulator.listen();
    const { port } = new URL(url);
    const ended = (path: string) =>
      new Promise<string>((resolve) => {
        const socket = connect(Number(port), '127.0.0.1');
        let text = '';
        socket.on('data', (chunk) => (text += chunk.toString('latin1')));
        socket.on('error', (error: NodeJS.ErrnoException) => {
          text += error.code ?? '';
        });
        socket.on('close', () => resolve(text));
        socket.write(
          `GET /ws/customers/joesflowers/${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: ${authorization}\r\n\r\n`,
        );
      });
    try {
      for (const action of [
        { type: 'reset' },
        { type: 'reset', after: 20 },
        { type: 'lostAnswer' },
      ] as const) {
        emulator.faults.clear();
        emulator.faults.add({ action });
        const text = await ended('activities');
        expect(text, JSON.stringify(action)).to.match(/ECONNRESET$/);
        expect(text.includes('HTTP/1.1 200'), JSON.stringify(action)).to.equal('after' in action);
      }
      emulator.faults.clear();
      emulator.faults.add({ action: { type: 'truncate', after: 20 } });
      expect(await ended('activities'))
        .to.match(/^HTTP\/1\.1 200/)
        .and.not.to.include('</feed>');
      emulator.faults.clear();
      expect(await ended('activities')).to.include('</feed>');
    } finally {
      await emulator.close();
    }
  });

  it('lose an answer, and the client finds the job that came of it, once', async () => {
    const { clock, emulator, client } = start();
    emulator.faults.add({
      match: { method: 'POST', activityType: 'CLEAR_CONTACTS_FROM_LISTS' },
      times: 1,
      action: 'lostAnswer',
    });
    let outcome: unknown;
    const cleared = client.clearLists({ lists: ['1'] }).then(
      ({ id }) => (outcome = id),
      (error: unknown) => (outcome = error),
    );
    for (let minutes = 0; outcome === undefined && minutes < 60; minutes++) await clock.advance('1m');
    await cleared;
    let id = '';
    for await (const activity of emulator.account('joesflowers')!.list()) id = activity.id;
    expect(outcome).to.equal(id);
    expect(await activityCount(emulator)).to.equal(1);
    expect(emulator.requests.matching({ method: 'POST' })).to.have.length(1);
  });
});
