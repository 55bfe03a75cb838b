import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createEmulator, type Emulator } from '../../src/emulator/emulator.js';
import { isRight } from '../../src/gateway/password.js';
import { serve } from '../../src/http/serve.js';
import { openStore } from '../../src/store/sqlite.js';
import { ctct, envelope, Sink, type Ran, type Setup } from './harness.js';
import { served as servedBy } from './served.js';

const run = promisify(execFile);
const pem = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));

const ENV = { K: 'v2key-1', T: 'v2token-1', OLD: 'oldpass-1' };
const authorization = `Basic ${Buffer.from('any%joesflowers:oldpass-1').toString('base64')}`;

/** Runs a gateway for as long as `use` takes. */
const served = (argv: readonly string[], use: (url: string) => Promise<void>, setup: Setup = {}) =>
  servedBy(['gateway', ...argv], use, { env: ENV, ...setup });

/** In place of the pause that a person is told to make. */
const UNTIL_COMPLETE =
  'until curl -s -u old-key%joesflowers:old-password "$export_uri" | grep -q COMPLETE; do sleep 0.05; done;';

const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Resolves when the text is there. */
async function until(sink: Sink, text: string): Promise<void> {
  while (!sink.text.includes(text)) await tick();
}

describe('ctct gateway', function () {
  this.timeout(30_000);
  let folder: string;
  let upstream: Emulator;
  let upstreamUrl: string;
  let accounts: string;
  const path = (name: string) => join(folder, name);
  const log = (ran: Ran) =>
    ran.stderr.lines
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { level: string; event?: string; message: string });
  const at = (url: string, rest = 'activities', init: RequestInit = {}) =>
    fetch(`${url}/ws/customers/joesflowers/${rest}`, { headers: { authorization }, ...init });
  const upload = (url: string) =>
    at(url, 'activities', {
      method: 'POST',
      body: new URLSearchParams({
        activityType: 'SV_ADD',
        data: 'Email Address\nann@example.com\n',
        lists: `${url}/ws/customers/joesflowers/lists/5`,
      }),
    });

  function accountsText(lists = '{ "5": "77" }'): string {
    return `accounts:
  - user: joesflowers
    signIn: { basic: { password: "env:OLD" } }
    target: { apiKey: "env:K", accessToken: "env:T", baseUrl: "${upstreamUrl}" }
    lists: ${lists}
`;
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-gateway-cli-'));
    upstream = createEmulator({
      accounts: [
        {
          user: 'joesflowers',
          credentials: { apiKey: ENV.K, accessToken: ENV.T },
          lists: [
            { id: '2', name: 'Spring' },
            { id: '77', name: 'Shop' },
          ],
        },
      ],
      latency: 'instant',
    });
    upstreamUrl = (await upstream.listen()).url;
    accounts = path('accounts.yaml');
    await writeFile(accounts, accountsText());
  });

  afterEach(async () => {
    await upstream.close();
    await rm(folder, { recursive: true });
  });

  const usual = () => ['--accounts', accounts, '--store', path('store'), '--port', '0'];

  it('speaks ws to who signs in as before, and forgets nothing when it ends', async () => {
    let created = '';
    const first = await served(usual(), async (url) => {
      expect(url).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
      const answer = await upload(url);
      expect(answer.status).to.equal(201);
      created = new URL(answer.headers.get('location') ?? '').pathname;
      expect((await fetch(`${url}${created}`)).status).to.equal(401);
      const wrong = await at(url, 'activities', { headers: { authorization: 'Basic YW55JWpvZTpubw==' } });
      expect(wrong.status).to.equal(401);
      expect(wrong.headers.get('www-authenticate')).to.match(/^Basic realm=/);
    });
    expect(first.exit).to.equal(0);
    expect((await stat(path('store'))).mode & 0o777).to.equal(0o700);
    expect((await stat(join(path('store'), 'gateway.db'))).mode & 0o777).to.equal(0o600);
    expect(log(first).map(({ event }) => event)).to.include.members([
      'started',
      'accepted',
      'request',
      'closed',
    ]);
    expect(first.stderr.text).not.to.match(/oldpass|v2key|v2token|ann@|YW55/);
    await served(usual(), async (url) => {
      expect((await fetch(`${url}${created}`, { headers: { authorization } })).status).to.equal(200);
    });
  });

  it('tells those who run it how it is, on a port of its own', async () => {
    const ops = await freePort();
    const ran = await served(
      [...usual(), '--ops-port', String(ops), '--page', '--output', 'ndjson'],
      async (url) => {
        const from = (what: string) => fetch(`http://127.0.0.1:${ops}${what}`);
        expect(await (await from('/readyz')).text()).to.equal('ready\n');
        await upload(url);
        const figures = await (await from('/metrics')).text();
        expect(figures).to.contain(
          'ctct_gateway_requests_total{method="POST",route="activities",status="201"} 1',
        );
        const state = (await (await from('/page/state')).json()) as { accounts: { activities: unknown[] }[] };
        expect(state.accounts[0]?.activities).to.have.length(1);
        expect(JSON.stringify(state)).not.to.match(/oldpass|v2key|v2token|ann@/);
        // Another page, or another name for this machine, gets nothing.
        const foreign = await fetch(`http://127.0.0.1:${ops}/page/state`, {
          headers: { origin: 'http://evil.example.com' },
        });
        expect(foreign.status).to.equal(403);
        expect((await fetch(`${url}/metrics`)).status).to.equal(404);
      },
    );
    expect(JSON.parse(ran.stdout.lines[0] ?? '')).to.include({ opsUrl: `http://127.0.0.1:${ops}` });
  });

  it('serves https by a certificate, and takes the next one at SIGHUP', async () => {
    const both = path('both.pem');
    await writeFile(both, Buffer.concat([await readFile(pem('cert')), await readFile(pem('key'))]));
    const asked = async (url: string) => {
      const ca = await readFile(pem('cert'));
      const [answer] = (await once(
        get(`${url}/ws/customers/joesflowers/activities`, { ca, agent: false, headers: { authorization } }),
        'response',
      )) as [IncomingMessage];
      return answer.resume().statusCode;
    };
    await served([...usual(), '--tls', both], async (url) => {
      expect(url).to.match(/^https:/);
      expect(await asked(url)).to.equal(200);
    });
    const key = path('key.pem');
    await writeFile(key, await readFile(pem('key')));
    const stderr = new Sink();
    const use = async (url: string) => {
      await writeFile(key, 'no key');
      process.emit('SIGHUP');
      await until(stderr, 'the certificate could not be read again');
      expect(await asked(url)).to.equal(200);
    };
    await served([...usual(), '--tls', pem('cert'), '--tls-key', key], use, { stderr });
  });

  it('follows its accounts, and serves on when they are wrong', async () => {
    const stderr = new Sink();
    await served(
      usual(),
      async (url) => {
        await writeFile(accounts, 'accounts: [');
        process.emit('SIGHUP');
        await until(stderr, 'those from before are served on');
        expect((await at(url)).status).to.equal(200);
        await writeFile(accounts, accountsText().replace('joesflowers', 'somebody'));
        process.emit('SIGHUP');
        await until(stderr, 'the accounts were read again');
        expect((await at(url)).status).to.equal(401);
      },
      { stderr },
    );
  });

  it('records what passes through', async () => {
    await served([...usual(), '--record', path('exchanges')], async (url) => {
      await upload(url);
    });
    const [name = ''] = await readdir(path('exchanges'));
    const guide = await ctct(['migrate', 'guide', join(path('exchanges'), name)]);
    expect(guide.exit).to.equal(0);
    expect(guide.stdout.text)
      .to.contain('SV_ADD')
      .and.not.to.match(/oldpass|ann@/);
  });

  it('warns of being reached from elsewhere', async () => {
    const ran = await served([...usual(), '--host', '0.0.0.0'], () => Promise.resolve());
    const warnings = log(ran)
      .filter(({ level }) => level === 'warn')
      .map(({ message }) => message);
    expect(warnings[0]).to.equal('the gateway can be reached from other machines');
    expect(warnings[1]).to.match(/unencrypted/);
  });

  it('works on a store alone', async () => {
    await served(usual(), async () => {
      const second = await ctct(['gateway', ...usual()], { env: ENV });
      expect(second.exit).to.equal(5);
      expect(second.stderr.text).to.match(/is worked on by process \d+/);
      const purge = await ctct(['gateway', 'purge', '--store', path('store'), '--yes'], { env: ENV });
      expect(purge.exit).to.equal(5);
    });
  });

  it('says what is wrong, and leaves nothing behind', async () => {
    const taken = await serve(() => Promise.resolve(new Response('')));
    const port = new URL(taken.url).port;
    await mkdir(path('other'));
    await writeFile(join(path('other'), 'mine.txt'), 'mine');
    await mkdir(path('later'), { mode: 0o700 });
    await writeFile(join(path('later'), 'gateway.db'), 'no database', { mode: 0o600 });
    await writeFile(path('exposed'), 'secret-1\n');
    await chmod(path('exposed'), 0o644);
    await writeFile(path('exposed.yaml'), accountsText().replace('env:OLD', 'file:exposed'));
    const wrong: readonly (readonly [readonly string[], number, RegExp])[] = [
      [[], 2, /--store: is required/],
      [['--store', path('store')], 4, /no accounts: give --accounts FILE, or for one account set CTCT_USER/],
      [['--accounts', path('none.yaml'), '--store', path('store')], 2, /there is no such file/],
      [
        ['--accounts', path('exposed.yaml'), '--store', path('store')],
        4,
        /exposed: holds a secret .* run: chmod 600/,
      ],
      [['--accounts', accounts, '--store', path('other')], 2, /--store: .*other holds other files/],
      [['--accounts', accounts, '--store', accounts], 2, /--store: .*accounts\.yaml is a file/],
      [['--accounts', accounts, '--store', path('later')], 1, /the store is damaged/],
      [[...usual(), '--port', port], 2, new RegExp(`port: ${port} is in use`)],
      [[...usual(), '--ops-port', port], 2, new RegExp(`port: ${port} is in use`)],
      [[...usual(), '--tls', path('none.pem')], 2, /--tls: cannot read .*none\.pem \(ENOENT\)/],
      [[...usual(), '--tls', accounts], 2, /must be PEM/],
      [[...usual(), '--tls-key', accounts], 2, /--tls-key: needs the certificate too/],
      [[...usual(), '--record', accounts], 2, /is a file; name a folder/],
      [[...usual(), '--page'], 2, /--page: is on the port of --ops-port/],
      [['--demo', '--store', path('store')], 2, /--store: the demo has its own/],
      [['--demo', '--accounts', accounts], 2, /--accounts: the demo has its own/],
      [['chekc'], 2, /did you mean check\?/],
    ];
    for (const [argv, exit, message] of wrong) {
      const ran = await ctct(['gateway', ...argv], { env: ENV });
      expect([argv, ran.exit, ran.stdout.text]).to.deep.equal([argv, exit, '']);
      expect(ran.stderr.text).to.match(message);
    }
    await taken.close();
    expect((await stat(path('other'))).mode & 0o777).to.equal(0o755);
    // The port is free and the store unlocked again, whatever went wrong before.
    expect((await served(usual(), () => Promise.resolve())).exit).to.equal(0);
  });

  it('does not open a store of a later format', async () => {
    await served(usual(), () => Promise.resolve());
    const store = await openStore(join(path('store'), 'gateway.db'));
    await store.close();
    const { default: Libsql } = (await import('libsql')) as unknown as {
      default: new (file: string) => { exec(sql: string): void; close(): void };
    };
    const db = new Libsql(join(path('store'), 'gateway.db'));
    db.exec('PRAGMA user_version = 999');
    db.close();
    const ran = await ctct(['gateway', ...usual()], { env: ENV });
    expect(ran.exit).to.equal(2);
    expect(ran.stderr.text).to.match(/later|newer/);
    const check = await ctct(
      ['gateway', 'check', '--accounts', accounts, '--offline', '--store', path('store')],
      { env: ENV },
    );
    expect(check.exit).to.equal(2);
  });

  describe('--demo', () => {
    it('prints lines that upload, poll, export and download, as they are', async () => {
      let out = '';
      const ran = await served(['--demo', '--page'], async (url) => {
        const { demoLines } = await import('../../src/cli/gateway-demo.js');
        const script = demoLines(url)
          .filter((line) => /^ {2}|@example\.com/.test(line))
          .join('\n')
          .replace('sleep 3;', UNTIL_COMPLETE);
        out = (await run('bash', ['-c', script])).stdout;
      });
      expect(ran.exit).to.equal(0);
      expect(out).to.match(/^HTTP\/1\.1 201 Created/);
      expect(out).to.contain('<Type>ADD_CONTACT_DETAIL</Type>');
      expect(out).to.match(
        /Email Address,First Name\r?\nann@example\.com,Ann\r?\nbob@example\.com,Bob\r?\n$/,
      );
      for (const line of ['/__emulator/', '/page/', 'Ctrl-C ends it'])
        expect(ran.stderr.text).to.contain(line);
      const left = (await readdir(tmpdir())).filter((name) => name.startsWith('ctct-gateway-demo-'));
      expect(left).to.deep.equal([]);
    });

    it('puts its URL out as data, where it is asked to', async () => {
      const ran = await ctct(['gateway', '--demo', '--output', 'json'], { signal: AbortSignal.abort() });
      const { kind, data } = JSON.parse(ran.stdout.text) as { kind: string; data: { url: string } };
      expect([ran.exit, kind]).to.deep.equal([0, 'gateway']);
      expect(data.url).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    });
  });

  describe('check', () => {
    const check = (...argv: readonly string[]) =>
      ctct(['gateway', 'check', '--accounts', accounts, ...argv], { env: ENV });

    it('tells of accounts and lists what is as it must be, and what is not', async () => {
      const good = await check();
      expect(good.exit).to.equal(0);
      expect(good.stdout.text)
        .to.match(/list 5 +ok +is 77 in v2, "Shop"/)
        .and.match(/list 2 +ok/);
      expect(good.stderr.text).to.equal('All is as it must be.\n');
      await writeFile(accounts, accountsText('{ "5": "99", "2": "77" }'));
      const bad = await check('--output', 'json');
      expect(bad.exit).to.equal(1);
      expect(envelope(bad).data).to.deep.include.members([
        {
          account: 'joesflowers',
          what: 'list 5',
          result: 'problem',
          detail: 'leads to 99, and v2 has no such list',
        },
        { account: 'joesflowers', what: 'list 2', result: 'ok', detail: 'is 77 in v2, "Shop"' },
      ]);
      expect(bad.stderr.text).to.match(/^1 problem, 1 warning\.$/m);
    });

    it('tells of two accounts that lead to one', async () => {
      const twice = accountsText()
        .replace(/^accounts:\n/, '')
        .replace('joesflowers', 'twin');
      await writeFile(accounts, `${accountsText()}${twice}`);
      const ran = await check('--offline');
      expect(ran.stdout.text).to.match(/twin +token +warning +has the same token as joesflowers/);
      expect(ran.exit).to.equal(0);
    });

    it('looks at all accounts, though some are wrong', async () => {
      const wrong = accountsText()
        .replace(/^accounts:\n/, '')
        .replaceAll('joesflowers', 'other');
      await writeFile(
        accounts,
        `${accountsText().replace('env:OLD', 'env:NONE')}${wrong}${wrong.replace('other', 'third').replace('env:T', 'env:NIL')}`,
      );
      const ran = await check('--output', 'json');
      expect(ran.exit).to.equal(4);
      const found = envelope(ran).data as { account: string; what: string; result: string; detail: string }[];
      const problems = found.filter(({ result }) => result === 'problem');
      expect(problems.map(({ account, what }) => [account, what])).to.deep.equal([
        ['joesflowers', 'configuration'],
        ['third', 'configuration'],
      ]);
      expect(problems[1]?.detail).to.contain('accounts[2].target.accessToken').and.contain('NIL');
      expect(found.filter(({ account, what }) => account === 'other' && what === 'v2')).to.have.length(1);
    });

    it('tells how the old client signs in, never by what', async () => {
      const hash = (await ctct(['gateway', 'hash-password'], { input: 'oldpass-1' })).stdout.lines[0] ?? '';
      const ways = [
        `{ basic: { password: "${hash}" }, digest: { password: "env:OLD" } }`,
        '{ token: "env:OLD", oauth1: { consumerSecret: "env:OLD", tokenSecret: "env:OLD" } }',
      ];
      const shown = await Promise.all(
        ways.map(async (way, index) => {
          const file = path(`way-${index}.yaml`);
          await writeFile(file, accountsText().replace(/signIn: .*/, `signIn: ${way}`));
          return ctct(['gateway', 'check', '--accounts', file, '--offline'], { env: ENV });
        }),
      );
      const text = shown.map(({ stdout }) => stdout.text).join('');
      expect(text).to.contain('Basic, by a hash, Digest').and.contain('token, OAuth 1.0a');
      expect(text).not.to.match(/oldpass|scrypt/);
    });

    it('looks at the one account of the environment', async () => {
      const env = {
        CTCT_API_KEY: ENV.K,
        CTCT_ACCESS_TOKEN: ENV.T,
        CTCT_BASE_URL: upstreamUrl,
        CTCT_GATEWAY_PASSWORD: ENV.OLD,
        CTCT_USER: 'joesflowers',
      };
      const { CTCT_BASE_URL, CTCT_USER, ...others } = env;
      const flags = ['--user', CTCT_USER, '--base-url', CTCT_BASE_URL];
      const ran = await ctct(['gateway', 'check', ...flags], { env: { ...others, CTCT_USER: 'nobody' } });
      expect(ran.exit).to.equal(0);
      const both = await ctct(['gateway', 'check', '--accounts', accounts, '--base-url', CTCT_BASE_URL], {
        env,
      });
      expect([both.exit, both.stderr.text.includes('target.baseUrl')]).to.deep.equal([2, true]);
      for (const [word, told] of [
        ['chekc', 'did you mean check?'],
        ['serve', 'there are check, purge, hash-password'],
      ] as const) {
        const stray = await ctct(['gateway', word]);
        expect(stray.exit).to.equal(2);
        expect(stray.stderr.text).to.contain(`unknown command 'gateway ${word}'; ${told}`);
      }
      expect(ran.stdout.text).to.match(/joesflowers +v2 +ok +key and token are accepted; 2 lists/);
      await served(
        ['--store', path('store'), '--port', '0'],
        async (url) => {
          expect((await at(url)).status).to.equal(200);
        },
        { env },
      );
    });

    it('tells of credentials that are not accepted, and of a service that is not there', async () => {
      const refused = await ctct(['gateway', 'check', '--accounts', accounts], {
        env: { ...ENV, T: 'other-t0ken' },
      });
      expect(refused.exit).to.equal(4);
      expect(refused.stdout.text)
        .to.match(/v2 +problem +.*401/)
        .and.not.to.contain('other-t0ken');
      await upstream.close();
      const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
      const gone = await ctct(['gateway', 'check', '--accounts', accounts], { env: ENV, clock });
      expect(gone.exit).to.equal(5);
    });

    it('looks at the store and the certificate, where it is asked to', async () => {
      const now = Date.parse((await certificate()).validTo) - 5 * 24 * 60 * 60 * 1000;
      const at5 = { env: ENV, clock: { now: () => now, sleep: () => Promise.resolve() } };
      const line = ['gateway', 'check', '--accounts', accounts, '--offline', '--store', path('store')];
      const soon = await ctct([...line, '--tls', pem('cert'), '--tls-key', pem('key')], at5);
      expect(soon.stdout.text)
        .to.match(/certificate +warning +holds until/)
        .and.match(/store +ok +there is none/);
      expect(await readdir(folder)).to.deep.equal(['accounts.yaml']);
      const late = await ctct([...line, '--tls', pem('cert'), '--tls-key', pem('key')], {
        ...at5,
        clock: { ...at5.clock, now: () => now + 6 * 24 * 60 * 60 * 1000 },
      });
      expect([late.exit, late.stdout.text.includes('has run out')]).to.deep.equal([2, true]);
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      await writeFile(path('other.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
      const other = await ctct([...line, '--tls', pem('cert'), '--tls-key', path('other.pem')], at5);
      expect([other.exit, other.stdout.text.includes('is of another certificate')]).to.deep.equal([2, true]);
      await rm(path('other.pem'));
      const none = await ctct([...line, '--tls', accounts], at5);
      expect([none.exit, none.stdout.text.includes('is no certificate with its key')]).to.deep.equal([
        2,
        true,
      ]);
      const gone = await ctct([...line, '--tls', path('none')], at5);
      expect(gone.stdout.text).to.match(/cannot read .*none \(ENOENT\)/);
    });
  });

  describe('purge', () => {
    it('deletes what has ended, when it may', async () => {
      await served([...usual(), '--poll-every', '10ms'], async (url) => {
        const uri = (await upload(url)).headers.get('location') ?? '';
        while (!(await (await fetch(uri, { headers: { authorization } })).text()).includes('COMPLETE'))
          await tick();
      });
      const purge = (...argv: readonly string[]) =>
        ctct(['gateway', 'purge', '--store', path('store'), '--output', 'ndjson', ...argv], { env: ENV });
      expect((await purge()).exit).to.equal(2);
      const asked = (answer: string) =>
        ctct(['gateway', 'purge', '--store', path('store'), '--older-than', '0'], {
          env: ENV,
          person: true,
          input: answer,
        });
      const no = await asked('no\n');
      expect([no.exit, no.stderr.text.includes('Nothing is deleted')]).to.deep.equal([1, true]);
      expect((await purge('--yes')).stdout.text).to.contain('"activities":0');
      expect((await purge('--yes', '--older-than', '0', '--user', 'ann')).stdout.text).to.contain(
        '"activities":0',
      );
      expect((await asked('yes\n')).stdout.text).to.match(/Activities deleted +1/);
      const nowhere = await ctct(['gateway', 'purge', '--store', path('none'), '--yes']);
      expect(nowhere.exit).to.equal(2);
      expect(nowhere.stderr.text).to.contain("there is no gateway's store");
      expect(await readdir(folder)).not.to.include('none');
    });
  });

  describe('hash-password', () => {
    it('makes a hash that signs in', async () => {
      const ran = await ctct(['gateway', 'hash-password'], { input: 'oldpass-1\n' });
      expect(ran.stdout.lines).to.have.length(1);
      await writeFile(accounts, accountsText().replace('env:OLD', ran.stdout.lines[0] ?? ''));
      await served(usual(), async (url) => {
        expect((await at(url)).status).to.equal(200);
      });
      expect((await ctct(['gateway', 'hash-password'], { input: '' })).exit).to.equal(2);
      const person = await ctct(['gateway', 'hash-password'], { input: 'oldpasx\x7fs-1\r', person: true });
      expect(person.stderr.text).to.equal('The password, which is not shown: \n');
      expect(person.stdout.text).to.match(/^scrypt\S+\n$/);
      expect(await isRight('oldpass-1', person.stdout.text.trim())).to.equal(true);
    });
  });
});

async function freePort(): Promise<number> {
  const taken = await serve(() => Promise.resolve(new Response('')));
  await taken.close();
  return Number(new URL(taken.url).port);
}

async function certificate() {
  const { X509Certificate } = await import('node:crypto');
  return new X509Certificate(await readFile(pem('cert')));
}
