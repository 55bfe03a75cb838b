import { expect } from 'chai';
import fc from 'fast-check';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CtctError } from '../../src/activity/errors.js';
import { effectiveSettings, readSettings, type SettingSources, type Settings } from '../../src/cli/config.js';
import { defaultConfigPath } from '../../src/cli/settings-layers.js';

describe('settings', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-config-'));
  });

  after(async () => {
    await rm(folder, { recursive: true });
  });

  async function file(name: string, content: unknown, mode = 0o600): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    await chmod(path, mode);
    return path;
  }

  /** As in an environment that has nothing else. */
  function settings(sources: Partial<SettingSources>): Promise<Settings> {
    const { flags = {}, env = {} } = sources;
    return readSettings({ flags, env: { HOME: join(folder, 'nobody'), ...env } });
  }

  async function failure(sources: Partial<SettingSources>): Promise<CtctError> {
    try {
      await settings(sources);
    } catch (error) {
      expect(error).to.be.instanceOf(CtctError);
      return error as CtctError;
    }
    throw new Error('nothing was wrong');
  }

  const BASIC = { CTCT_USER: 'joesflowers', CTCT_API_KEY: 'the-key', CTCT_PASSWORD: 'the-password' };

  it('come from the environment', async () => {
    expect(await settings({ env: BASIC })).to.deep.equal({
      api: 'ws',
      user: 'joesflowers',
      credentials: { scheme: 'basic', apiKey: 'the-key', user: 'joesflowers', password: 'the-password' },
      baseUrl: undefined,
      allowHttp: [],
      timeout: undefined,
    });
  });

  it('take the first of flag, environment and file that has a value', async () => {
    const place = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: '' });
    await fc.assert(
      fc.asyncProperty(place, place, place, async (flag, variable, inFile) => {
        const path = await file('order.json', { baseUrl: inFile });
        const { baseUrl } = await settings({
          flags: { config: path, ...(flag !== '' && { baseUrl: flag }) },
          env: { ...BASIC, CTCT_BASE_URL: variable },
        });
        expect(baseUrl).to.equal([flag, variable, inFile].find((value) => value !== ''));
      }),
      { numRuns: 30 },
    );
    const { user } = await settings({ flags: { user: 'other' }, env: BASIC });
    expect(user).to.equal('other');
  });

  it('come from a file: --config, CTCT_CONFIG, or the usual place', async () => {
    const content = {
      user: 'u',
      apiKey: 'k',
      password: 'p',
      allowHttp: ['one.example.com', 'two.example.com'],
    };
    const path = await file('config.json', content);
    await mkdir(join(folder, 'xdg', 'ctct'), { recursive: true });
    await file(join('xdg', 'ctct', 'config.json'), content);
    for (const sources of [
      { flags: { config: path } },
      { env: { CTCT_CONFIG: path } },
      { env: { XDG_CONFIG_HOME: join(folder, 'xdg') } },
    ]) {
      expect(await settings(sources)).to.deep.include({
        user: 'u',
        allowHttp: ['one.example.com', 'two.example.com'],
      });
    }
    expect(defaultConfigPath({ HOME: '/home/joe' })).to.equal('/home/joe/.config/ctct/config.json');
    expect(defaultConfigPath({})).to.match(/\.config\/ctct\/config\.json$/);
  });

  it('read hosts with commas or blanks between', async () => {
    const { allowHttp } = await settings({
      env: { ...BASIC, CTCT_ALLOW_HTTP: 'a.example.com, b.example.com' },
    });
    expect(allowHttp).to.deep.equal(['a.example.com', 'b.example.com']);
  });

  it('take a token for the header or the query', async () => {
    const token = { CTCT_USER: 'u', CTCT_ACCESS_TOKEN: 'the-token' };
    const scheme = async (place?: string) =>
      (await settings({ env: { ...token, CTCT_ACCESS_TOKEN_IN: place } })).credentials;
    expect(await scheme()).to.deep.equal({ scheme: 'bearer', token: 'the-token' });
    expect(await scheme('header')).to.deep.equal({ scheme: 'bearer', token: 'the-token' });
    expect(await scheme('query')).to.deep.equal({ scheme: 'access_token', token: 'the-token' });
    const { code, message } = await failure({ env: { ...token, CTCT_ACCESS_TOKEN_IN: 'body' } });
    expect(code).to.equal('OPTION_INVALID');
    expect(message).to.equal('CTCT_ACCESS_TOKEN_IN: must be header or query, got "body"');
  });

  it('take the credentials of the stronger source, and a token before a password of the same', async () => {
    const withToken = await file('token.json', { accessToken: 'from-file' });
    const scheme = async (sources: Partial<SettingSources>) => (await settings(sources)).credentials.scheme;
    expect(await scheme({ env: { ...BASIC, CTCT_ACCESS_TOKEN: 't' } })).to.equal('bearer');
    expect(await scheme({ env: BASIC, flags: { config: withToken } })).to.equal('basic');
  });

  it('read a secret from a file of its own, the first line of it', async () => {
    const password = await file('password', 'from a file\nnot this\n');
    const env = { CTCT_USER: 'u', CTCT_API_KEY: 'k', CTCT_PASSWORD_FILE: password };
    expect((await settings({ env })).credentials).to.deep.include({ password: 'from a file' });
    expect((await settings({ env: { ...env, CTCT_PASSWORD: 'direct' } })).credentials).to.deep.include({
      password: 'direct',
    });
    // A path in a configuration file starts from its folder.
    const config = await file('relative.json', { user: 'u', accessTokenFile: 'password' });
    expect((await settings({ flags: { config } })).credentials).to.deep.include({ token: 'from a file' });
  });

  it('of v2 are the API key and the token, from wherever each is; a user is not needed', async () => {
    const V2 = { CTCT_API: 'v2', CTCT_API_KEY: 'the-key', CTCT_ACCESS_TOKEN: 'the-token' };
    const credentials = { scheme: 'api_key', apiKey: 'the-key', token: 'the-token' };
    const expected = {
      api: 'v2',
      user: undefined,
      credentials,
      baseUrl: undefined,
      allowHttp: [],
      timeout: undefined,
    };
    expect(await settings({ env: V2 })).to.deep.equal(expected);
    const { CTCT_API, ...others } = V2;
    expect(CTCT_API).to.equal('v2');
    expect(await settings({ flags: { api: 'v2' }, env: others })).to.deep.equal(expected);
    expect((await settings({ flags: { api: 'ws' }, env: { ...BASIC, ...V2 } })).api).to.equal('ws');
    const token = await file('v2-token', 'the-token\n');
    const config = await file('v2.json', { api: 'v2', apiKey: 'the-key', accessTokenFile: token });
    expect(await settings({ flags: { config } })).to.deep.equal(expected);
    for (const [env, message] of [
      [
        {},
        'no credentials: set CTCT_API_KEY and CTCT_ACCESS_TOKEN (or CTCT_ACCESS_TOKEN_FILE), which v2 asks for',
      ],
      [
        { CTCT_API_KEY: 'k', CTCT_PASSWORD: 'p' },
        'no credentials: set CTCT_ACCESS_TOKEN (or CTCT_ACCESS_TOKEN_FILE), which v2 asks for',
      ],
      [{ CTCT_ACCESS_TOKEN: 't' }, 'no credentials: set CTCT_API_KEY, beside the access token'],
    ] as const) {
      const error = await failure({ env: { CTCT_API: 'v2', ...env } });
      expect([error.code, error.message]).to.deep.equal(['CREDENTIALS_REQUIRED', message]);
    }
    const wrong = await failure({ env: { ...BASIC, CTCT_API: 'v4' } });
    expect([wrong.code, wrong.message]).to.deep.equal([
      'OPTION_INVALID',
      'CTCT_API: must be ws or v2, got "v4"',
    ]);
  });

  it('that are missing are named', async () => {
    const cases: readonly [Record<string, string>, string][] = [
      [
        {},
        'no credentials: set CTCT_USER, CTCT_API_KEY and CTCT_PASSWORD (or CTCT_USER and CTCT_ACCESS_TOKEN)',
      ],
      [{ CTCT_USER: 'u' }, 'no credentials: set CTCT_API_KEY and CTCT_PASSWORD (or CTCT_ACCESS_TOKEN)'],
      [
        { CTCT_USER: 'u', CTCT_API_KEY: 'k' },
        'no credentials: set CTCT_PASSWORD (or CTCT_PASSWORD_FILE), beside CTCT_API_KEY',
      ],
      [{ CTCT_USER: 'u', CTCT_PASSWORD: 'p' }, 'no credentials: set CTCT_API_KEY, beside the password'],
      [{ CTCT_ACCESS_TOKEN: 't' }, 'no user: set CTCT_USER, or give --user'],
      [{ CTCT_API_KEY: 'k', CTCT_PASSWORD: 'p' }, 'no user: set CTCT_USER, or give --user'],
    ];
    for (const [env, message] of cases) {
      const error = await failure({ env });
      expect(error.message).to.equal(message);
      expect(error.code).to.equal('CREDENTIALS_REQUIRED');
    }
  });

  it('refuse a file with a secret that others can read', async () => {
    for (const mode of [0o640, 0o604, 0o660, 0o622]) {
      const path = await file(`open-${mode}.json`, { user: 'u', accessToken: 'the-token' }, mode);
      const { code, message } = await failure({ flags: { config: path } });
      expect(code).to.equal('CREDENTIALS_EXPOSED');
      expect(message)
        .to.contain(`mode ${mode.toString(8)}`)
        .and.to.contain(`chmod 600 ${path}`);
    }
    const password = await file('open-password', 'secret', 0o644);
    const { code } = await failure({
      env: { CTCT_USER: 'u', CTCT_API_KEY: 'k', CTCT_PASSWORD_FILE: password },
    });
    expect(code).to.equal('CREDENTIALS_EXPOSED');
    const harmless = await file('harmless.json', { user: 'u', baseUrl: 'https://x.example.com' }, 0o644);
    expect((await settings({ env: BASIC, flags: { config: harmless } })).baseUrl).to.equal(
      'https://x.example.com',
    );
  });

  it('refuse a file that cannot be used, and say why without a word of it', async () => {
    const cases: readonly [unknown, RegExp][] = [
      ['{ "password": "hunter22", ', /is not JSON/],
      [['hunter22'], /broken\.json:1:1: must be an object, got an array$/],
      ['"hunter22"', /broken\.json:1:1: must be an object, got text$/],
      ['null', /must be an object, got null$/],
      [{ passwrd: 'hunter22' }, /broken\.json:1:2: "passwrd" is not known here; did you mean password\?$/],
      [{ password: 22 }, /password: must be text; put it in quotes$/],
      [{ allowHttp: [22] }, /allowHttp\[0\]: must be text; put it in quotes, got 22$/],
      [{ profiles: { a: 'hunter22' } }, /profiles\.a: must be an object, got text$/],
    ];
    for (const [content, expected] of cases) {
      const path = await file('broken.json', content);
      const { code, message } = await failure({ flags: { config: path } });
      expect(code).to.equal('CONFIG_INVALID');
      expect(message).to.match(expected);
      expect(message).not.to.contain('hunter22');
    }
  });

  it('say which file is not there, or cannot be read', async () => {
    const missing = await failure({ flags: { config: join(folder, 'none.json') } });
    expect(missing.message).to.match(
      /none\.json: the configuration file cannot be read \(there is no such file\)/,
    );
    const aFolder = await failure({ env: { CTCT_CONFIG: folder } });
    expect(aFolder.message).to.match(/\(it is a folder\)/);
    const token = { CTCT_USER: 'u', CTCT_ACCESS_TOKEN_FILE: join(folder, 'none') };
    const noToken = await failure({ env: token });
    expect(noToken.message).to.match(
      /^CTCT_ACCESS_TOKEN_FILE: .*none cannot be read \(there is no such file\)$/,
    );
    const empty = await file('empty', '\n');
    const noSecret = await failure({ env: { ...token, CTCT_ACCESS_TOKEN_FILE: empty } });
    expect(noSecret.message).to.match(/empty is empty; its first line must be the secret$/);
    const config = await file('points.json', { user: 'u', passwordFile: 'none', apiKey: 'k' });
    expect((await failure({ flags: { config } })).message).to.match(/^"passwordFile" in .*points\.json: /);
  });

  describe('of profiles', () => {
    const content = {
      user: 'whole',
      apiKey: 'whole-key',
      password: 'whole-password',
      profile: 'usual',
      profiles: { usual: { user: 'usual' }, agency: { api: 'v2', apiKey: 'k', accessToken: 't' } },
    };

    it('go before what stands outside of them, and are chosen by flag, variable or file', async () => {
      const config = await file('profiles.json', content);
      expect((await settings({ flags: { config } })).user).to.equal('usual');
      const chosen = await settings({ flags: { config, profile: 'agency' } });
      expect(chosen.credentials).to.deep.equal({ scheme: 'api_key', apiKey: 'k', token: 't' });
      expect((await settings({ flags: { config }, env: { CTCT_PROFILE: 'agency' } })).api).to.equal('v2');
      expect((await settings({ flags: { config }, env: { CTCT_USER: 'variable' } })).user).to.equal(
        'variable',
      );
    });

    it('say which there are', async () => {
      const config = await file('profiles.json', content);
      expect((await failure({ flags: { config, profile: 'agencie' } })).message).to.match(
        /^--profile: there is no profile "agencie"; did you mean agency\?$/,
      );
      expect((await failure({ flags: { config, profile: 'frob' } })).message).to.match(/has usual, agency$/);
      const bare = await file('bare.json', {});
      const noProfile = async (flags: SettingSources['flags']) =>
        (await failure({ flags: { ...flags, profile: 'frob' } })).message;
      expect(await noProfile({ config: bare })).to.match(/bare\.json has no profiles$/);
      expect(await noProfile({})).to.match(/there is no file .*config\.json$/);
    });
  });

  describe('of a project', () => {
    const inProject = async (content: unknown) => {
      const project = await mkdtemp(join(folder, 'project-'));
      await mkdir(join(project, 'src'));
      await writeFile(join(project, '.ctct.json'), JSON.stringify(content), { mode: 0o600 });
      return { folder: join(project, 'src') };
    };
    const read = (sources: Partial<SettingSources>) =>
      readSettings({ flags: {}, ...sources, env: { HOME: join(folder, 'nobody'), ...sources.env } });

    it('hold below its folder, behind variables and before the own file', async () => {
      const project = await inProject({ user: 'project', baseUrl: 'http://localhost:8008' });
      const { CTCT_USER, ...env } = BASIC;
      expect(await read({ ...project, env })).to.deep.include({
        user: 'project',
        baseUrl: 'http://localhost:8008',
      });
      expect((await read({ ...project, env: { ...env, CTCT_USER } })).user).to.equal('joesflowers');
      const config = await file('own.json', { user: 'own' });
      expect((await read({ ...project, env, flags: { config } })).user).to.equal('own');
    });

    it('lead no secret elsewhere, and run no command', async () => {
      for (const [content, expected] of [
        [{ baseUrl: 'https://evil.example.com' }, /"baseUrl" may only lead to this machine/],
        [{ passwordCommand: 'touch evil' }, /"passwordCommand" is not taken from the file of a project/],
        [{ password: 'hunter22' }, /"password" is not taken/],
        [{ profiles: {} }, undefined],
        [{ profiles: { a: {} } }, /"profiles" is not taken/],
      ] as const) {
        const project = await inProject(content);
        const error = await read({ ...project, env: BASIC }).catch((thrown: unknown) => thrown as CtctError);
        if (expected === undefined) expect(error).not.to.be.instanceOf(Error);
        else expect(error).to.have.property('message').that.matches(expected);
        expect(JSON.stringify(error)).not.to.contain('hunter22');
      }
    });
  });

  describe('that are secrets', () => {
    it('come from a command, its first line', async () => {
      const env = { CTCT_USER: 'u', CTCT_ACCESS_TOKEN_COMMAND: "printf 'the-token\\nmore\\n'" };
      expect((await settings({ env })).credentials).to.deep.equal({ scheme: 'bearer', token: 'the-token' });
      const failed = await failure({ env: { ...env, CTCT_ACCESS_TOKEN_COMMAND: 'echo hunter22; exit 3' } });
      expect(failed.message).to.equal('CTCT_ACCESS_TOKEN_COMMAND: the command ended with 3');
      const silent = await failure({ env: { ...env, CTCT_ACCESS_TOKEN_COMMAND: 'true' } });
      expect(silent.message).to.match(/printed nothing; the first line it prints must be the secret$/);
    });

    it('come from stdin for a file called -', async () => {
      const env = { CTCT_USER: 'u', CTCT_ACCESS_TOKEN_FILE: '-' };
      const from = (line: string) =>
        readSettings({ flags: {}, env: { HOME: folder, ...env } }, { stdin: () => Promise.resolve(line) });
      expect((await from('the-token')).credentials).to.deep.include({ token: 'the-token' });
      expect(await from('').catch((error: unknown) => error)).to.have.property(
        'code',
        'CREDENTIALS_REQUIRED',
      );
      expect((await failure({ env })).message).to.match(/there is no stdin/);
    });
  });

  it('are told with what sets each, but for secrets', async () => {
    const config = await file('told.json', { accessToken: 'hunter22', profiles: { a: { api: 'v2' } } });
    const all = await effectiveSettings({ flags: { config, profile: 'a' }, env: { CTCT_USER: 'joe' } });
    const told = Object.fromEntries(all.map(({ setting, value, origin }) => [setting, [value, origin]]));
    expect(told).to.deep.include({
      user: ['joe', 'CTCT_USER'],
      api: ['v2', `"profiles.a.api" in ${config}`],
      accessToken: ['(set, not shown)', `"accessToken" in ${config}`],
      baseUrl: ['https://api.constantcontact.com', 'default'],
      password: [undefined, undefined],
      profile: ['a', '--profile'],
    });
    expect(JSON.stringify(all)).not.to.contain('hunter22');
  });
});
