import { resolve } from 'node:path';
import { UsageError } from '../activity/errors.js';
import type { ApiKeyCredentials, Credentials } from '../http/credentials.js';
import { readHosts } from '../http/origin.js';
import { readSecretFile } from '../http/secret.js';
import { APIS, type Api } from './apis.js';
import { parseDuration } from './duration.js';
import { runSecretCommand } from './secret-command.js';
import { findSetting, settingLayers, type Found, type SettingSources } from './settings-layers.js';
import { isSecret, SETTING_NAMES, SETTINGS, type SettingName } from './settings-table.js';

export type { SettingSources } from './settings-layers.js';

/** What the client needs to know. */
export type Settings = WsSettings | V2Settings;

export interface WsSettings extends ServiceSettings {
  readonly api: 'ws';
  readonly user: string;
  readonly credentials: Credentials;
}

export interface V2Settings extends ServiceSettings {
  readonly api: 'v2';
  /** Only told: v2 knows the account by the token. */
  readonly user: string | undefined;
  readonly credentials: ApiKeyCredentials;
}

/** How the service is reached, whatever the account. */
export interface ServiceSettings {
  /** Undefined: the service's own. */
  readonly baseUrl: string | undefined;
  /** Hosts that may be spoken to over plain http. */
  readonly allowHttp: readonly string[];
  /** Milliseconds that a call may go without an answer; undefined: as the client has it. */
  readonly timeout?: number | undefined;
}

/** How secrets that stand neither in a variable nor in a file are had. */
export interface SecretMeans {
  /** The first line of stdin, for a file called `-`. */
  readonly stdin: () => Promise<string>;
}

const NO_STDIN: SecretMeans = {
  stdin: () =>
    Promise.reject(new UsageError('CREDENTIALS_REQUIRED', 'there is no stdin to read a secret from')),
};

/**
 * The settings: from flags, else from `CTCT_*` variables, else from the file of the project, else from the user's file and
 * the profile chosen there, else the default. See `settingLayers`.
 * @throws UsageError `CREDENTIALS_REQUIRED` that names what to set; `CREDENTIALS_EXPOSED` when others can read a file
 * that holds a secret; `CONFIG_INVALID` when a file cannot be used; `OPTION_INVALID` for a wrong value.
 */
export async function readSettings(sources: SettingSources, means = NO_STDIN): Promise<Settings> {
  const layers = await settingLayers(sources);
  const find: Find = (name) => findSetting(layers, name);
  const user = find('user')?.value;
  const service = serviceOf(find);
  if (apiOf(find('api')) === 'v2') {
    return { api: 'v2', user, credentials: await findApiKey(find, means), ...service };
  }
  const credentials = await findCredentials(find, user, means);
  if (user === undefined) {
    throw new UsageError('CREDENTIALS_REQUIRED', 'no user: set CTCT_USER, or give --user');
  }
  return { api: 'ws', user, credentials, ...service };
}

/** What is known without any credentials. */
export interface OpenSettings extends ServiceSettings {
  readonly user: string | undefined;
}

/** The settings but for the credentials. @throws as `readSettings`. */
export async function readOpenSettings(sources: SettingSources): Promise<OpenSettings> {
  const layers = await settingLayers(sources);
  const find: Find = (name) => findSetting(layers, name);
  return { user: find('user')?.value, ...serviceOf(find) };
}

/** One setting, as it holds. */
export interface EffectiveSetting {
  readonly setting: SettingName;
  /** Of a secret no more than that there is one; undefined where nothing sets it. */
  readonly value: string | undefined;
  /** What sets it; undefined where nothing does. */
  readonly origin: string | undefined;
}

/**
 * Every setting as it holds, and what sets it; no secret is read, and no command is run.
 * @throws as `settingLayers`.
 */
export async function effectiveSettings(sources: SettingSources): Promise<readonly EffectiveSetting[]> {
  const layers = await settingLayers(sources);
  return SETTING_NAMES.map((setting) => {
    const found = findSetting(layers, setting);
    if (found !== undefined) {
      const value = isSecret(setting) ? '(set, not shown)' : found.value;
      return { setting, value, origin: found.layer.nameOf(setting) };
    }
    const facts = SETTINGS[setting];
    return 'usual' in facts
      ? { setting, value: facts.usual, origin: 'default' }
      : { setting, value: undefined, origin: undefined };
  });
}

type Find = (name: SettingName) => Found | undefined;

function serviceOf(find: Find): ServiceSettings {
  const timeout = find('timeout');
  return {
    baseUrl: find('baseUrl')?.value,
    allowHttp: readHosts(find('allowHttp')?.value),
    timeout: timeout && parseDuration(timeout.layer.nameOf('timeout'), timeout.value),
  };
}

function apiOf(found: Found | undefined): Api {
  if (found === undefined) return 'ws';
  const api = APIS.find((candidate) => candidate === found.value);
  if (api !== undefined) return api;
  throw new UsageError(
    'OPTION_INVALID',
    `${found.layer.nameOf('api')}: must be ${APIS.join(' or ')}, got "${found.value}"`,
  );
}

/** v2 takes both at once. */
async function findApiKey(find: Find, means: SecretMeans): Promise<ApiKeyCredentials> {
  const token = strongest(find, TOKEN);
  const apiKey = find('apiKey')?.value;
  if (token === undefined) {
    const both = apiKey === undefined ? 'CTCT_API_KEY and CTCT_ACCESS_TOKEN' : 'CTCT_ACCESS_TOKEN';
    throw missing(`${both} (or CTCT_ACCESS_TOKEN_FILE), which v2 asks for`);
  }
  if (apiKey === undefined) throw missing('CTCT_API_KEY, beside the access token');
  return { scheme: 'api_key', apiKey, token: await secretText(token, means) };
}

/** Basic or a token, whichever the stronger source names; a token where one source names both. */
async function findCredentials(
  find: Find,
  user: string | undefined,
  means: SecretMeans,
): Promise<Credentials> {
  const token = strongest(find, TOKEN);
  const password = strongest(find, PASSWORD);
  if (token !== undefined && (password === undefined || token.rank <= password.rank)) {
    return { scheme: tokenPlace(find('accessTokenIn')), token: await secretText(token, means) };
  }
  const apiKey = find('apiKey')?.value;
  if (password === undefined && apiKey === undefined) {
    throw missing(
      user === undefined
        ? 'CTCT_USER, CTCT_API_KEY and CTCT_PASSWORD (or CTCT_USER and CTCT_ACCESS_TOKEN)'
        : 'CTCT_API_KEY and CTCT_PASSWORD (or CTCT_ACCESS_TOKEN)',
    );
  }
  if (password === undefined) throw missing('CTCT_PASSWORD (or CTCT_PASSWORD_FILE), beside CTCT_API_KEY');
  if (apiKey === undefined) throw missing('CTCT_API_KEY, beside the password');
  return {
    scheme: 'basic',
    apiKey,
    user: user ?? '',
    password: await secretText(password, means),
  };
}

/** The settings that a secret can come from: itself, a file, a command. */
const TOKEN = ['accessToken', 'accessTokenFile', 'accessTokenCommand'] as const;
const PASSWORD = ['password', 'passwordFile', 'passwordCommand'] as const;

interface Secret extends Found {
  readonly name: SettingName;
  readonly from: 'value' | 'file' | 'command';
}

/** Of one place, the first. */
function strongest(find: Find, names: typeof TOKEN | typeof PASSWORD): Secret | undefined {
  const all = names.flatMap((name, index): Secret[] => {
    const found = find(name);
    return found === undefined ? [] : [{ ...found, name, from: MEANS[index] ?? 'value' }];
  });
  return all.sort((a, b) => a.rank - b.rank)[0];
}

const MEANS = ['value', 'file', 'command'] as const;

async function secretText(secret: Secret, { stdin }: SecretMeans): Promise<string> {
  const { value, layer, name, from } = secret;
  if (from === 'value') return value;
  const place = layer.nameOf(name);
  if (from === 'command') return runSecretCommand(value, place);
  if (value !== '-') return readSecretFile(resolve(layer.folder, value), place);
  const line = await stdin();
  if (line !== '') return line;
  throw new UsageError('CREDENTIALS_REQUIRED', `${place}: stdin is empty; its first line must be the secret`);
}

function tokenPlace(found: Found | undefined): 'bearer' | 'access_token' {
  if (found === undefined || found.value === 'header') return 'bearer';
  if (found.value === 'query') return 'access_token';
  throw new UsageError(
    'OPTION_INVALID',
    `${found.layer.nameOf('accessTokenIn')}: must be header or query, got "${found.value}"`,
  );
}

function missing(what: string): UsageError {
  return new UsageError('CREDENTIALS_REQUIRED', `no credentials: set ${what}`);
}
