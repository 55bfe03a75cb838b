import { expect } from 'chai';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountsOf } from '../../src/gateway/accounts.js';
import { Overview } from '../../src/gateway/overview.js';
import { Recording, withJournal } from '../../src/gateway/record.js';
import { keyHash, type UpstreamState } from '../../src/gateway/upstream.js';
import { RequestJournal } from '../../src/inspect/journal.js';
import { readCalls } from '../../src/translate/read-calls.js';
import { rejection } from '../http/loopback.js';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);
const ACTIVITIES = 'http://gateway.example.com/ws/customers/joesflowers/activities';
const BASIC = `Basic ${Buffer.from('old-key%joesflowers:old-secret').toString('base64')}`;

function upload(address: string): Request {
  const data = `Email Address,First Name\n${address},Ann`;
  return new Request(ACTIVITIES, {
    method: 'POST',
    headers: { authorization: BASIC },
    body: new URLSearchParams({ activityType: 'SV_ADD', lists: '2', data }),
  });
}
const poll = (id: string) =>
  new Request(`${ACTIVITIES}/${id}?pageSize=2`, {
    headers: { authorization: BASIC, 'user-agent': 'PHP/5.2' },
  });

describe('exchanges that are recorded', () => {
  let folder: string;
  let journal: RequestJournal;
  const handler = () =>
    withJournal(() => Promise.resolve(new Response('', { status: 201 })), {
      journal,
      now: () => AT,
      maxBodyBytes: 1_000_000,
    });

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'ctct-record-')), 'exchanges');
    journal = new RequestJournal(10);
  });

  afterEach(async () => {
    await rm(join(folder, '..'), { recursive: true });
  });

  /** Records what is asked of a handler; the names of the files, and their lines. */
  async function recordedOf(requests: readonly Request[], options = {}) {
    const recording = await Recording.open(folder, options);
    const stop = journal.subscribe((entry) => {
      recording.write(entry);
    });
    const answer = handler();
    for (const request of requests) await answer(request);
    await recording.close();
    stop();
    const names = (await readdir(folder)).sort();
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    return { names, lines: texts.flatMap((text) => text.split('\n').filter((line) => line !== '')) };
  }

  it('are read into no more memory than there is room for', async () => {
    const answer = withJournal(() => Promise.resolve(new Response('', { status: 201 })), {
      journal,
      now: () => AT,
      maxBodyBytes: 60,
      maxBytesAtOnce: 100,
    });
    let finish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (finish = resolve));
    const slow = async function* () {
      yield Buffer.from('a');
      await held;
    };
    const sent = () =>
      answer(
        new Request(ACTIVITIES, {
          method: 'POST',
          headers: { authorization: BASIC, 'content-type': 'text/csv' },
          body: ReadableStream.from(slow()),
          duplex: 'half',
        }),
      );
    const first = sent();
    const second = await sent();
    expect(second.status).to.equal(503);
    expect(second.headers.get('retry-after')).to.equal('10');
    expect([...journal].map(({ status, refusal }) => [status, refusal?.reason])).to.deep.equal([
      [503, await second.text().then((text) => text.trim())],
    ]);
    finish();
    expect((await first).status).to.equal(201);
    expect((await sent()).status).to.equal(201);
  });

  it('have no secret and no contact in them, and are what translations are made of', async () => {
    const { names, lines } = await recordedOf([upload('ann@example.org'), poll('a07e1')]);
    expect(names).to.deep.equal(['exchanges-000001.ndjson']);
    expect(lines).to.have.length(2);
    expect(lines.join('')).not.to.match(/old-secret|old-key|ann@|Ann\b/);
    expect(lines.join('')).not.to.contain(BASIC.slice(6));
    const path = join(folder, names[0] ?? '');
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect((await stat(folder)).mode & 0o777).to.equal(0o700);
    const calls = await readCalls(await readFile(path), { source: 'exchanges' });
    expect(calls.map(({ method, url }) => `${method} ${url}`)).to.deep.equal([
      `POST ${ACTIVITIES}`,
      `GET ${ACTIVITIES}/a07e1?pageSize=2`,
    ]);
    expect(calls[0]?.madeUp).to.equal(true);
    expect(Buffer.from(calls[0]?.body ?? []).toString()).to.contain('activityType=SV_ADD');
  });

  it('say why an upload was refused without what it quotes of it', async () => {
    const quoted = (heading: string) =>
      `contacts: the heading (line 1) has no "EMAIL ADDRESS" column, only ${JSON.stringify(heading)}; the rest`;
    for (const [data, answer, reason] of [
      ['Anna,Sm"ith,555 1234\nBob,Jones,555\n', quoted('Anna, Sm"ith, 555 1234'), quoted('…')],
      [
        'First Name,City\nBob,Rome\n',
        'row 2: "City" must be known, got "Rome"',
        'row 2: "City" must be known, got "…"',
      ],
      ['Anna,Smith\n', 'activityType "NOPE" is not known', 'activityType "NOPE" is not known'],
    ] as const) {
      const refusing = withJournal(() => Promise.resolve(new Response(answer, { status: 400 })), {
        journal,
        now: () => AT,
      });
      const body = new URLSearchParams({ activityType: 'NOPE', lists: '2', data });
      expect(await (await refusing(new Request(ACTIVITIES, { method: 'POST', body }))).text()).to.equal(
        answer,
      );
      expect([...journal].at(-1)?.refusal?.reason).to.equal(reason);
    }
  });

  it('are bounded: new files are begun, the oldest go, other files stay', async () => {
    const many = Array.from({ length: 12 }, (_, index) => upload(`a${index}@example.org`));
    const first = await recordedOf(many.slice(0, 6), { fileBytes: 1_500, files: 3 });
    await writeFile(join(folder, 'notes.txt'), 'mine');
    const { names, lines } = await recordedOf(many.slice(6), { fileBytes: 1_500, files: 3 });
    expect(names.filter((name) => name.endsWith('.ndjson'))).to.have.length(3);
    expect(names).to.include('notes.txt');
    expect([names[0], first.names[0]].sort()).to.deep.equal([first.names[0], names[0]]);
    expect(lines.length).to.be.lessThan(12);
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
    expect(Math.max(...sizes)).to.be.lessThan(3_000);
  });

  it('hold polls of one kind only so often', async () => {
    const polls = Array.from({ length: 50 }, (_, index) => poll(`a07e${index}`));
    const { lines } = await recordedOf([...polls, upload('ann@example.org')]);
    expect(lines).to.have.length(21);
  });

  it('end when the disk refuses, which is told once', async () => {
    const errors: unknown[] = [];
    const recording = await Recording.open(folder, { onError: (error) => errors.push(error) });
    await rm(folder, { recursive: true });
    const stop = journal.subscribe((entry) => {
      recording.write(entry);
    });
    const answer = handler();
    await answer(upload('ann@example.org'));
    await recording.close();
    await answer(upload('bob@example.org'));
    await recording.close();
    stop();
    expect(errors).to.have.length(1);
    expect(errors[0]).to.have.property('code', 'FILE_UNWRITABLE');
  });

  it('go nowhere but into a folder', async () => {
    await writeFile(folder, 'a file');
    expect(await rejection(Recording.open(folder))).to.have.property('name', 'UsageError');
  });
});

describe('what a page shows of a gateway', () => {
  const accounts = accountsOf(
    ['joesflowers', 'ann'].map((user) => ({
      account: { user, apiKey: 'k', accessToken: 't' },
      signIn: {},
    })),
  );

  it('is what became of activities, the newest first, without anything to be changed', () => {
    const journal = new RequestJournal(10);
    let url: string | undefined = undefined;
    const overview = new Overview({ accounts, journal, now: () => AT, url: () => url });
    expect(overview.state()).to.not.have.property('url');
    url = 'https://old.example.com';
    for (let index = 1; index <= 60; index++) {
      overview.event({
        at: AT + index,
        event: 'accepted',
        user: 'ann',
        activity: `a${index}`,
        type: 'SV_ADD',
        bytes: 1,
      });
    }
    overview.event({ at: AT, event: 'followed', user: 'ann', activity: 'a60', status: 'RUNNING' });
    overview.event({ at: AT, event: 'followed', user: 'ann', activity: 'a1', status: 'RUNNING' });
    overview.event({
      at: AT,
      event: 'finished',
      user: 'ann',
      activity: 'a59',
      type: 'SV_ADD',
      status: 'COMPLETE',
      transactionCount: 7,
      errorCount: 1,
      took: 1,
    });
    overview.event({
      ...{ at: AT, event: 'waiting', user: 'ann', activity: 'a58' },
      ...{ code: 'UNAUTHORIZED', until: AT + 1_000 },
    });
    expect(overview.state().accounts[0]?.activities[2]?.note).to.equal(
      'waits (UNAUTHORIZED); tried again at 03:04:06 UTC',
    );
    overview.event({
      ...{ at: AT, event: 'submitted', user: 'ann', activity: 'a58' },
      ...{ part: 1, parts: 1, upstream: 'v1' },
    });
    expect(overview.state().accounts[0]?.activities[2]?.note).to.equal(undefined);
    overview.event({ at: AT, event: 'closed', open: 0 });
    const state = overview.state();
    expect(state.accounts.map(({ user }) => user)).to.deep.equal(['ann', 'joesflowers']);
    const shown = state.accounts[0]?.activities ?? [];
    expect(shown).to.have.length(50);
    expect(shown.slice(0, 3).map(({ id, status }) => `${id} ${status}`)).to.deep.equal([
      'a60 RUNNING',
      'a59 COMPLETE',
      'a58 PENDING',
    ]);
    expect(shown[1]).to.include({ transactionCount: 7, errorCount: 1 });
    expect(shown.every(({ moves }) => moves.length === 0)).to.equal(true);
    expect(state).to.include({ url }).and.to.not.have.property('faults');
    expect(state.clock).to.deep.equal({ now: '2026-01-02T03:04:05.000Z' });
  });

  it('is what is wrong, by the accounts that have the key', () => {
    const key = keyHash('k');
    let upstream: UpstreamState[] = [{ key, state: 'up' }];
    const overview = new Overview({
      accounts,
      journal: new RequestJournal(1),
      now: () => AT,
      status: () => ({ reasons: ['the gateway is about to end'], upstream }),
    });
    expect(overview.state().notices).to.deep.equal(['the gateway is about to end']);
    upstream = [
      { key, state: 'down', since: AT, until: AT + 60_000 },
      { key, state: 'used up', until: AT + 1_000 },
      { key, state: 'down' },
    ];
    expect(overview.state().notices?.slice(1)).to.deep.equal([
      'v2 does not answer for joesflowers, ann since 03:04:05 UTC; asked again at 03:05:05 UTC',
      'The calls to v2 are used up for joesflowers, ann; asked again at 03:04:06 UTC',
      'v2 does not answer for joesflowers, ann',
    ]);
    const many = accountsOf(
      Array.from({ length: 8 }, (_, index) => ({
        account: { user: `user${index}`, apiKey: 'k', accessToken: 't' },
        signIn: {},
      })),
    );
    const crowded = new Overview({
      accounts: many,
      journal: new RequestJournal(1),
      now: () => AT,
      status: () => ({ reasons: [], upstream: [{ key, state: 'down' }] }),
    });
    expect(crowded.state().notices).to.deep.equal([
      'v2 does not answer for user0, user1, user2, user3, user4, 3 more',
    ]);
  });

  it('is the latest requests', async () => {
    const journal = new RequestJournal(100);
    const overview = new Overview({ accounts, journal, now: () => AT });
    const answer = withJournal(() => Promise.resolve(new Response('')), {
      journal,
      now: () => AT,
    });
    for (let index = 0; index < 60; index++) await answer(poll(`a07e${index}`));
    const { requests, requestCount } = overview.state();
    expect(requestCount).to.equal(60);
    expect(requests).to.have.length(50);
    expect(requests[0]?.id).to.equal(60);
  });
});
