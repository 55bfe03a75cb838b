import { expect } from 'chai';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CtctError } from '../../src/activity/errors.js';
import { environmentAccount, readAccounts } from '../../src/gateway/accounts-file.js';
import { hashPassword } from '../../src/gateway/password.js';
import { rejection } from '../http/loopback.js';

const ENV = {
  OLD_KEY: 'old-key-1234',
  FORMER_PASSWORD: 'old-pass-5678',
  V2_KEY: 'v2-key-abcd',
  V2_TOKEN: 'v2-token-efgh',
};

const MINIMAL = `accounts:
  - user: joesflowers
    signIn: { basic: { password: "env:FORMER_PASSWORD" } }
    target: { apiKey: "env:V2_KEY", accessToken: "env:V2_TOKEN" }
`;

describe('the file of accounts', () => {
  let folder: string;
  let count = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-accounts-'));
    await writeFile(join(folder, 'token'), 'from-a-file\n', { mode: 0o600 });
  });

  after(async () => {
    await rm(folder, { recursive: true });
  });

  async function written(text: string, name = `accounts-${++count}.yaml`): Promise<string> {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  }

  it('has every way to sign in, and everything an account can be told', async () => {
    const hash = await hashPassword('secret');
    const path = await written(`accounts:
  - user: joesflowers
    signIn:
      basic: { apiKey: "env:OLD_KEY", password: "${hash}" }
      token: file:token
      digest: { apiKey: "env:OLD_KEY", password: "env:FORMER_PASSWORD" }
      oauth1:
        consumerKey: env:OLD_KEY
        token: file:token
        consumerSecret: env:V2_KEY
        tokenSecret: env:FORMER_PASSWORD
    target:
      apiKey: env:V2_KEY
      accessToken: env:V2_TOKEN
      baseUrl: http://10.0.0.5:8080
      allowHttp: [10.0.0.5]
    lists: { "2": "1484021846", "5": "1995998026" }
    into: { MIDDLE NAME: CUSTOM FIELD 15 }
    timeZone: Europe/London
  - user: ann
    signIn: { token: "env:V2_TOKEN" }
    target: { apiKey: "env:V2_KEY", accessToken: "file:token" }
`);
    const { entries, files } = await readAccounts(path, ENV);
    expect(entries).to.deep.equal([
      {
        account: {
          user: 'joesflowers',
          apiKey: 'v2-key-abcd',
          accessToken: 'v2-token-efgh',
          baseUrl: 'http://10.0.0.5:8080',
          allowHttp: ['10.0.0.5'],
          lists: { 2: '1484021846', 5: '1995998026' },
          into: { 'MIDDLE NAME': 'CUSTOM FIELD 15' },
          timeZone: 'Europe/London',
        },
        signIn: {
          basic: { apiKey: 'old-key-1234', password: hash },
          token: 'from-a-file',
          digest: { apiKey: 'old-key-1234', password: 'old-pass-5678' },
          oauth1: {
            consumerKey: 'old-key-1234',
            token: 'from-a-file',
            consumerSecret: 'v2-key-abcd',
            tokenSecret: 'old-pass-5678',
          },
        },
      },
      {
        account: { user: 'ann', apiKey: 'v2-key-abcd', accessToken: 'from-a-file' },
        signIn: { token: 'v2-token-efgh' },
      },
    ]);
    expect(new Set(files)).to.deep.equal(new Set([path, join(folder, 'token')]));
  });

  it('may be JSON', async () => {
    const account = {
      user: 'ann',
      signIn: { token: 'env:V2_TOKEN' },
      target: { apiKey: 'env:V2_KEY', accessToken: 'env:V2_TOKEN' },
    };
    const path = await written(JSON.stringify({ accounts: [account] }), 'accounts.json');
    const { entries } = await readAccounts(path, ENV);
    expect(entries.map((entry) => entry.account.user)).to.deep.equal(['ann']);
  });

  it('may lead to a hash by a reference', async () => {
    const hash = await hashPassword('secret');
    const { entries } = await readAccounts(await written(MINIMAL), { ...ENV, FORMER_PASSWORD: hash });
    expect(entries[0]?.signIn.basic?.password).to.equal(hash);
  });

  it('is wrong at a place that is told, with what to do, and without any secret', async () => {
    const replaced = (from: string, to: string) => {
      expect(MINIMAL).to.contain(from);
      return MINIMAL.replace(from, to);
    };
    const second = MINIMAL.replace('accounts:\n', '').replace('joesflowers', 'JoesFlowers');
    const wrong: readonly (readonly [string, string, RegExp])[] = [
      ['', 'CONFIG_INVALID', /\.yaml: is empty$/],
      ['accounts: []', 'CONFIG_INVALID', /accounts: must have 1 item or more$/],
      ['accounts: [', 'CONFIG_INVALID', /\.yaml:1:\d+: is not YAML/],
      [
        replaced('signIn', 'signin'),
        'CONFIG_INVALID',
        /:3:5: accounts\[0\]: "signin" is not known here; did you mean signIn\?/,
      ],
      [
        replaced('env:FORMER_PASSWORD', 'S3cr3t!'),
        'CONFIG_INVALID',
        /:3:\d+: accounts\[0\]\.signIn\.basic\.password: must be where the password is, env:NAME or file:PATH, or its hash/,
      ],
      [
        replaced('env:V2_TOKEN', 'S3cr3t!'),
        'CONFIG_INVALID',
        /accounts\[0\]\.target\.accessToken: must be where the secret is, not the secret itself: env:NAME or file:PATH/,
      ],
      [
        replaced('env:V2_TOKEN', 'env:NO_TOKEN'),
        'CREDENTIALS_REQUIRED',
        /accounts\[0\]\.target\.accessToken: the variable NO_TOKEN is not set/,
      ],
      [
        replaced('env:V2_TOKEN', 'file:none'),
        'CREDENTIALS_REQUIRED',
        /accounts\[0\]\.target\.accessToken: .*none cannot be read \(there is no such file\)/,
      ],
      [
        replaced('env:V2_TOKEN', 'env:BLANK'),
        'CONFIG_INVALID',
        /accounts\[0\]\.target: credentials\.token: has a blank/,
      ],
      [
        replaced('env:FORMER_PASSWORD', 'scrypt$S3cr3t!'),
        'CONFIG_INVALID',
        /signIn\.basic\.password: is no hash of this kind; make one by: ctct gateway hash-password/,
      ],
      [
        replaced('basic: { password: "env:FORMER_PASSWORD" }', 'digest: { password: "scrypt$S3cr3t!" }'),
        'CONFIG_INVALID',
        /signIn\.digest\.password: must be where the password itself is.*cannot be verified by a hash/,
      ],
      [
        replaced('basic: { password: "env:FORMER_PASSWORD" }', 'digest: { password: "env:HASHED" }'),
        'CONFIG_INVALID',
        /signIn\.digest\.password: leads to a hash, which cannot verify Digest/,
      ],
      [
        replaced('basic: { password: "env:FORMER_PASSWORD" }', ''),
        'CONFIG_INVALID',
        /accounts\[0\]\.signIn: must/,
      ],
      [
        `${MINIMAL}${second}`,
        'CONFIG_INVALID',
        /accounts\[1\]\.user: accounts\[0\] has it too; case makes no difference/,
      ],
      [
        `${MINIMAL}    into: { SHOE SIZE: CUSTOM FIELD 1 }`,
        'CONFIG_INVALID',
        /accounts\[0\]\.into: into: v2 has no column "SHOE SIZE"/,
      ],
      [`${MINIMAL}    timeZone: Mars/Olympus`, 'CONFIG_INVALID', /accounts\[0\]\.timeZone: is no time zone/],
      [
        `${MINIMAL}    lists: { two: "3" }`,
        'CONFIG_INVALID',
        /accounts\[0\]\.lists: must be the id of a list, such as "2"/,
      ],
      [
        `${MINIMAL}    lists: { "2": 3 }`,
        'CONFIG_INVALID',
        /accounts\[0\]\.lists\["?2"?\]|accounts\[0\]\.lists\.2: must be text; put it in quotes/,
      ],
      [
        replaced('"env:V2_TOKEN" }', '"env:V2_TOKEN", baseUrl: "http://10.0.0.5" }'),
        'CONFIG_INVALID',
        /accounts\[0\]\.target\.baseUrl: baseUrl: http:\/\/10\.0\.0\.5 would send the credentials unencrypted/,
      ],
    ];
    const env = { ...ENV, BLANK: 'S3cr3t! S3cr3t!', HASHED: 'scrypt$S3cr3t!' };
    for (const [text, code, message] of wrong) {
      const error = await rejection(readAccounts(await written(text), env));
      expect(error, text).to.be.instanceOf(CtctError);
      expect(error.code, text).to.equal(code);
      expect(error.message).to.match(message);
      expect(error.message).not.to.match(/S3cr3t|old-pass|v2-token|v2-key/);
    }
  });

  it('cannot be read when it is not there, or is a folder', async () => {
    const missing = await rejection(readAccounts(join(folder, 'none.yaml'), ENV));
    expect(missing)
      .to.have.property('message')
      .that.matches(/none\.yaml: the accounts cannot be read \(there is no such file\)/);
    const other = await rejection(readAccounts(folder, ENV));
    expect(other)
      .to.have.property('message')
      .that.matches(/\(it is a folder\)/);
  });

  it('refuses secrets that other users can read, but not those that systemd hands over', async () => {
    const handed = join(folder, 'handed');
    await mkdir(handed, { recursive: true });
    await writeFile(join(handed, 'open'), 'shown\n');
    await chmod(join(handed, 'open'), 0o440);
    const path = await written(MINIMAL.replace('env:V2_TOKEN', 'file:handed/open'));
    const error = await rejection(readAccounts(path, ENV));
    expect(error).to.have.property('code', 'CREDENTIALS_EXPOSED');
    const { entries } = await readAccounts(path, { ...ENV, CREDENTIALS_DIRECTORY: handed });
    expect(entries[0]?.account.accessToken).to.equal('shown');
  });

  it('has a schema that fits what is read, with every key explained', async () => {
    const schema = JSON.parse(
      await readFile(new URL('../../schemas/gateway-accounts.schema.json', import.meta.url), 'utf8'),
    ) as { $defs: Record<string, { additionalProperties?: unknown; description?: string }> };
    for (const name of ['account', 'signIn', 'target']) {
      expect(schema.$defs[name]?.additionalProperties, name).to.equal(false);
    }
  });
});

describe('the account of the environment', () => {
  const FULL = {
    CTCT_USER: 'joesflowers',
    CTCT_API_KEY: 'v2-key',
    CTCT_ACCESS_TOKEN: 'v2-token',
    CTCT_GATEWAY_PASSWORD: 'old-password',
  };

  it('is made of the variables that ctct has for v2, and of those for the old client', async () => {
    const { entries, files } = await environmentAccount(FULL);
    expect(entries).to.deep.equal([
      {
        account: { user: 'joesflowers', apiKey: 'v2-key', accessToken: 'v2-token', allowHttp: [] },
        signIn: { basic: { password: 'old-password' } },
      },
    ]);
    expect(files).to.deep.equal([]);
  });

  it('may have a base URL, hosts by plain http, an old key, a token, and secrets in files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ctct-accounts-'));
    try {
      await writeFile(join(folder, 'secret'), 'from-a-file\n', { mode: 0o600 });
      const { entries, files } = await environmentAccount({
        CTCT_USER: 'ann',
        CTCT_API_KEY: 'v2-key',
        CTCT_ACCESS_TOKEN_FILE: join(folder, 'secret'),
        CTCT_BASE_URL: 'http://v2.example.com',
        CTCT_ALLOW_HTTP: 'v2.example.com, other.example.com',
        CTCT_GATEWAY_API_KEY: 'old-key',
        CTCT_GATEWAY_PASSWORD_FILE: join(folder, 'secret'),
        CTCT_GATEWAY_TOKEN: 'old-token',
      });
      expect(entries).to.deep.equal([
        {
          account: {
            user: 'ann',
            apiKey: 'v2-key',
            accessToken: 'from-a-file',
            baseUrl: 'http://v2.example.com',
            allowHttp: ['v2.example.com', 'other.example.com'],
          },
          signIn: { basic: { password: 'from-a-file', apiKey: 'old-key' }, token: 'old-token' },
        },
      ]);
      expect(files).to.deep.equal([join(folder, 'secret'), join(folder, 'secret')]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('tells what is missing, all at once', async () => {
    const none = await rejection(environmentAccount({}));
    expect(none).to.have.property('code', 'CREDENTIALS_REQUIRED');
    expect(none)
      .to.have.property('message')
      .that.matches(
        /--accounts FILE.* CTCT_USER, CTCT_API_KEY, CTCT_ACCESS_TOKEN .*, CTCT_GATEWAY_PASSWORD /,
      );
    for (const name of Object.keys(FULL)) {
      const error = await rejection(environmentAccount({ ...FULL, [name]: '' }));
      expect(error).to.have.property('message').that.contains(`set ${name}`);
    }
  });
});
