import { expect } from 'chai';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ctct } from './harness.js';
import { served as servedBy } from './served.js';

/** Runs the emulator for as long as `use` takes. */
const served = (argv: readonly string[], use: (url: string) => Promise<void>) =>
  servedBy(['emulator', ...argv], use);

const authorization = `Basic ${Buffer.from('key-1234%joesflowers:pass-5678').toString('base64')}`;

const upload = (url: string, list = '2') =>
  fetch(`${url}/ws/customers/joesflowers/activities`, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams({
      activityType: 'SV_ADD',
      data: 'Email Address\nann@example.com\n',
      lists: `http://localhost/ws/customers/joesflowers/lists/${list}`,
    }),
  });

const feed = async (url: string, headers: Record<string, string> = {}) =>
  (
    await fetch(`${url}/ws/customers/joesflowers/activities`, { headers: { authorization, ...headers } })
  ).text();

describe('ctct emulator', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'ctct-emulator-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('serves the accounts of a seed file, and its page', async () => {
    const seed = path.join(folder, 'accounts.yaml');
    writeFileSync(
      seed,
      'accounts:\n  - user: joesflowers\n    credentials: { apiKey: key-1234, password: pass-5678 }\n    lists: [{ id: 7, name: Roses }]\n  - user: ann\n',
    );
    const { exit, stderr } = await served(['--seed', seed], async (url) => {
      expect((await upload(url, '7')).status).to.equal(201);
      expect((await fetch(`${url}/__emulator/`)).status).to.equal(200);
      const { accounts } = (await (await fetch(`${url}/__emulator/health`)).json()) as { accounts: number };
      expect(accounts).to.equal(2);
    });
    expect(exit).to.equal(0);
    expect(stderr.text)
      .to.include('joesflowers and 1 more is served, with the list 7')
      .and.to.include('those of the seed');
    expect(stderr.text).to.match(/http:\/\/127\.0\.0\.1:\d+\/__emulator\//);
    expect(stderr.text).not.to.include('pass-5678');
  });

  it('keeps everything in a file over restarts, jobs under way included', async () => {
    const state = path.join(folder, 'state.json');
    let first = '';
    const ran = await served(['--state', state, '--clock', 'virtual'], async (url) => {
      await upload(url);
      first = await feed(url);
      expect(first).to.include('<Status>PENDING');
    });
    expect(ran.stderr.text).to.include(`what it holds is in ${state}`);
    expect(statSync(state).mode & 0o077).to.equal(0);
    await served(['--state', state, '--clock', 'virtual'], async (url) => {
      const id = /<id>([^<]*activities\/[^<]*)</.exec(first)?.[1]?.split('/').at(-1) ?? 'none';
      expect(await feed(url))
        .to.include(id)
        .and.to.include('<Status>PENDING');
      await fetch(`${url}/__emulator/clock`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"advance":"1h"}',
      });
      expect(await feed(url)).to.include('<Status>COMPLETE');
    });
    const again = await served(['--state', state], async (url) => {
      const { now } = (await (await fetch(`${url}/__emulator/health`)).json()) as { now: string };
      expect(Date.parse(now)).to.be.greaterThan(Date.parse('2020-01-01'));
      expect(await feed(url)).to.include('<Status>COMPLETE');
    });
    expect(ran.stderr.text).not.to.include('goes on with');
    expect(again.stderr.text).to.match(/goes on with what \S+state\.json holds: joesflowers, as of 2008-/);
    writeFileSync(state, '{}');
    const damaged = await ctct(['emulator', '--state', state]);
    expect([damaged.exit, damaged.stdout.text]).to.deep.equal([2, '']);
    expect(damaged.stderr.text).to.include(`${state}: state: version`);
  });

  it('says so when the state cannot be kept: at once, or at the end although it was ended', async () => {
    const nowhere = await ctct(['emulator', '--state', path.join(folder, 'none', 'state.json')]);
    expect(nowhere.exit).not.to.equal(0);
    expect(nowhere.stdout.text).to.equal('');
    expect(nowhere.stderr.text).to.match(/cannot write \S+none\/state\.json: /);
    const gone = path.join(folder, 'gone');
    mkdirSync(gone);
    const ended = await served(['--state', path.join(gone, 'state.json')], () => {
      rmSync(gone, { recursive: true });
      return Promise.resolve();
    });
    expect(ended.exit).to.equal(nowhere.exit);
    expect(ended.stderr.text).to.match(/cannot write \S+gone\/state\.json: /);
  });

  it('serves https by a certificate, and says what a client needs for it', async () => {
    const pem = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
    const both = path.join(folder, 'both.pem');
    writeFileSync(both, Buffer.concat([readFileSync(pem('cert')), readFileSync(pem('key'))]));
    let status: number | undefined;
    const { stderr } = await served(['--tls', both], async (url) => {
      expect(url).to.match(/^https:/);
      const [answer] = (await once(
        get(`${url}/ws/customers/joesflowers/`, {
          ca: readFileSync(pem('cert')),
          headers: { authorization },
        }),
        'response',
      )) as [IncomingMessage];
      status = answer.resume().statusCode;
    });
    expect(status).to.equal(200);
    expect(stderr.text).to.include(`NODE_EXTRA_CA_CERTS=${both}`);
  });

  it('tells a page that can be reached', async () => {
    const { stderr } = await served(['--host', '0.0.0.0'], async () => {
      // Nothing to be done.
    });
    const page = /http:\/\/\S+\/__emulator\//.exec(stderr.text)?.[0];
    expect(page).to.match(/^http:\/\/127\.0\.0\.1:/);
    expect(stderr.text).to.include(`CTCT_BASE_URL=${page?.replace('/__emulator/', '')} `);
  });

  it('has jobs take no time, a profile, quirks and faults, as it is told', async () => {
    const argv = [
      '--clock',
      'instant',
      '--profile',
      'documented',
      '--quirk',
      'singleQuotedDeclaration=on',
      '--fault',
      'status503',
    ];
    await served(argv, async (url) => {
      expect((await upload(url)).status).to.equal(503);
      await fetch(`${url}/__emulator/faults`, {
        method: 'DELETE',
        headers: { 'content-type': 'application/json' },
      });
      expect((await upload(url)).status).to.equal(201);
      const documented = await feed(url);
      expect(documented)
        .to.include('<Status>COMPLETE')
        .and.to.match(/^<\?xml version='1\.0'/);
      expect(await feed(url, { 'x-emulator-profile': 'observed' })).not.to.equal(documented);
    });
  });

  it('tells of each request, and writes them down without secrets or people', async () => {
    const journal = path.join(folder, 'requests.ndjson');
    const { stderr } = await served(['--log', '--journal', journal, '--no-control'], async (url) => {
      await upload(url);
      await fetch(`${url}/ws/customers/joesflowers/activities?access_token=tok-1`, { method: 'PUT' });
      expect((await fetch(`${url}/__emulator/health`)).status).to.equal(404);
    });
    const entries = readFileSync(journal, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { status: number });
    expect(entries.map(({ status }) => status)).to.deep.equal([201, 415, 404]);
    expect(statSync(journal).mode & 0o077).to.equal(0);
    expect(stderr.text).to.match(/\d POST \/ws\/customers\/joesflowers\/activities 201 a07e1\w+ \d+ ms\n/);
    expect(stderr.text).to.match(/PUT \S+\?access_token=\*\*\* 415 \d+ ms .*Activities take GET and POST/);
    expect(stderr.text).to.match(/PUT is not supported here\. The service says 415/);
    expect(stderr.text).not.to.include('/__emulator/\n');
    for (const hidden of ['ann@example.com', 'pass-5678', 'tok-1']) {
      expect(readFileSync(journal, 'utf8') + stderr.text).not.to.include(hidden);
    }
    await served(['--journal', journal, '--record-bodies', '-q'], async (url) => {
      await upload(url);
    });
    expect(readFileSync(journal, 'utf8')).to.include('ann@example.com').and.not.to.include('pass-5678');
  });

  it('refuses what cannot be meant, before it serves anything', async () => {
    const seed = path.join(folder, 'seed.json');
    writeFileSync(seed, '{"accounts":[{"user":"joe","lists":[{"id":"1","nam":"Roses"}]}]}');
    for (const [argv, said] of [
      [['--seed', seed], /seed\.json:1:\d+: .*did you mean name/],
      [['--seed', path.join(folder, 'none.yaml')], /none\.yaml: there is no such file/],
      [['--seed', seed, '--seed-contacts', seed], /--seed-contacts: /],
      [['--clock', 'instant', '--fast'], /--fast: /],
      [['--no-control', '--control-anywhere'], /--control-anywhere: contradicts/],
      [['--clock', 'slow'], /--clock: must be one of real, virtual, instant/],
      [['--profile', 'old'], /--profile: must be one of documented, observed/],
      [['--quirk', 'digst=off'], /quirks: "digst" is none/],
      [['--fault', 'qps4o3'], /--fault: must be one of qps403/],
      [['--tls', path.join(folder, 'no.pem')], /--tls: cannot read .*no\.pem \(ENOENT\)/],
      [['--tls', seed], /tls: the certificate and the key must be PEM/],
      [['--journal', folder], /--journal: cannot write/],
    ] as [string[], RegExp][]) {
      const { exit, stdout, stderr } = await ctct(['emulator', ...argv]);
      expect(exit, argv.join(' ')).to.be.oneOf([1, 2]);
      expect(stdout.text).to.equal('');
      expect(stderr.text).to.match(said);
    }
  });
});
