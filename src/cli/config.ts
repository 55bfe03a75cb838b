import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../activity/errors.js';
import type { ApiKeyCredentials, Credentials } from '../http/credentials.js';
import { readSecretFile, refuseExposed, whyUnreadable } from '../http/secret.js';
import { APIS, type Api } from './apis.js';

/**
 * What can be set, by the name a configuration file gives it; `flag` where the command line can give it too.
 * A secret never has a flag: the arguments of a command can be read by every user of the machine.
 */
const SETTINGS = {
  user: { env: 'CTCT_USER', flag: '--user' },
  api: { env: 'CTCT_API', flag: '--api' },
  baseUrl: { env: 'CTCT_BASE_URL', flag: '--base-url' },
  allowHttp: { env: 'CTCT_ALLOW_HTTP' },
  apiKey: { env: 'CTCT_API_KEY', secret: true },
  password: { env: 'CTCT_PASSWORD', secret: true },
  passwordFile: { env: 'CTCT_PASSWORD_FILE' },
  accessToken: { env: 'CTCT_ACCESS_TOKEN', secret: true },
  accessTokenFile: { env: 'CTCT_ACCESS_TOKEN_FILE' },
  accessTokenIn: { env: 'CTCT_ACCESS_TOKEN_IN' },
} as const satisfies Record<string, { env: string; flag?: string; secret?: true }>;

export type SettingName = keyof typeof SETTINGS;

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

interface ServiceSettings {
  /** Undefined: the service's own. */
  readonly baseUrl: string | undefined;
  /** Hosts that may be spoken to over plain http. */
  readonly allowHttp: readonly string[];
}

export interface SettingSources {
  /** Values of --user, --api and --base-url, and the path given by --config. */
  readonly flags: {
    readonly user?: string;
    readonly api?: string;
    readonly baseUrl?: string;
    readonly config?: string;
  };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One place values come from. Sources are asked in order; the first that has a value wins. */
interface Layer {
  readonly values: Readonly<Partial<Record<SettingName, string>>>;
  /** How an error names a setting of this layer. */
  readonly nameOf: (name: SettingName) => string;
  /** The folder that relative paths in it start from. */
  readonly folder: string;
}

/** A value and the place it comes from. */
interface Found {
  readonly value: string;
  readonly layer: Layer;
  readonly rank: number;
}

/**
 * The settings: from flags, else from `CTCT_*` variables, else from the configuration file, else the default.
 * The file is the one `--config` names, else `CTCT_CONFIG`, else `$XDG_CONFIG_HOME/ctct/config.json` where there is one.
 * @throws UsageError `CREDENTIALS_REQUIRED` that names what to set; `CREDENTIALS_EXPOSED` when others can read a file
 * that holds a secret; `CONFIG_INVALID` when a file cannot be used; `OPTION_INVALID` for a wrong value.
 */
export async function readSettings(sources: SettingSources): Promise<Settings> {
  const layers = [flagLayer(sources), envLayer(sources), await fileLayer(sources)];
  const find = (name: SettingName) => findSetting(layers, name);
  const user = find('user')?.value;
  const service: ServiceSettings = {
    baseUrl: find('baseUrl')?.value,
    allowHttp: (find('allowHttp')?.value ?? '').split(/[\s,]+/).filter((host) => host !== ''),
  };
  if (apiOf(find('api')) === 'v2') {
    return { api: 'v2', user, credentials: await findApiKey(find), ...service };
  }
  const credentials = await findCredentials(find, user);
  if (user === undefined) {
    throw new UsageError('CREDENTIALS_REQUIRED', 'no user: set CTCT_USER, or give --user');
  }
  return { api: 'ws', user, credentials, ...service };
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
async function findApiKey(find: (name: SettingName) => Found | undefined): Promise<ApiKeyCredentials> {
  const token = stronger(find('accessToken'), find('accessTokenFile'));
  const apiKey = find('apiKey')?.value;
  if (token === undefined) {
    const both = apiKey === undefined ? 'CTCT_API_KEY and CTCT_ACCESS_TOKEN' : 'CTCT_ACCESS_TOKEN';
    throw missing(`${both} (or CTCT_ACCESS_TOKEN_FILE), which v2 asks for`);
  }
  if (apiKey === undefined) throw missing('CTCT_API_KEY, beside the access token');
  return { scheme: 'api_key', apiKey, token: await secretText(token, 'accessTokenFile') };
}

function findSetting(layers: readonly Layer[], name: SettingName): Found | undefined {
  for (const [rank, layer] of layers.entries()) {
    const value = layer.values[name];
    if (value !== undefined && value !== '') return { value, layer, rank };
  }
  return undefined;
}

function flagLayer({ flags }: SettingSources): Layer {
  return {
    values: {
      ...(flags.user && { user: flags.user }),
      ...(flags.api && { api: flags.api }),
      ...(flags.baseUrl && { baseUrl: flags.baseUrl }),
    },
    nameOf: (name) => `--${name === 'baseUrl' ? 'base-url' : name}`,
    folder: process.cwd(),
  };
}

function envLayer({ env }: SettingSources): Layer {
  const values: Partial<Record<SettingName, string>> = {};
  for (const name of settingNames()) {
    const value = env[SETTINGS[name].env];
    if (value !== undefined) values[name] = value;
  }
  return { values, nameOf: (name) => SETTINGS[name].env, folder: process.cwd() };
}

async function fileLayer({ flags, env }: SettingSources): Promise<Layer> {
  const named = flags.config ?? nonEmpty(env.CTCT_CONFIG);
  const path = named ?? defaultConfigPath(env);
  const text = await readConfigText(path, named !== undefined);
  const values = text === undefined ? {} : parseConfig(path, text);
  if (settingNames().some((name) => 'secret' in SETTINGS[name] && values[name] !== undefined)) {
    await refuseExposed(path);
  }
  return { values, nameOf: (name) => `"${name}" in ${path}`, folder: dirname(resolve(path)) };
}

/** Where the configuration file is when nobody says: `$XDG_CONFIG_HOME/ctct/config.json`. */
export function defaultConfigPath(env: Readonly<Record<string, string | undefined>>): string {
  const home = nonEmpty(env.HOME) ?? homedir();
  return join(nonEmpty(env.XDG_CONFIG_HOME) ?? join(home, '.config'), 'ctct', 'config.json');
}

async function readConfigText(path: string, required: boolean): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!required && isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw unusable(`${path}: the configuration file cannot be read (${whyUnreadable(error)})`, error);
  }
}

function parseConfig(path: string, text: string): Partial<Record<SettingName, string>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may be the secret.
    throw unusable(`${path}: the configuration file is not JSON`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw unusable(`${path}: the configuration file must hold one JSON object, { "user": … }`);
  }
  const values: Partial<Record<SettingName, string>> = {};
  for (const [name, value] of Object.entries(parsed) as [string, unknown][]) {
    if (!isSettingName(name)) {
      throw unusable(`${path}: "${name}" is not a setting; there are ${settingNames().join(', ')}`);
    }
    values[name] = settingText(path, name, value);
  }
  return values;
}

function settingText(path: string, name: SettingName, value: unknown): string {
  if (typeof value === 'string') return value;
  if (name === 'allowHttp' && Array.isArray(value) && value.every((host) => typeof host === 'string')) {
    return value.join(',');
  }
  const wanted = name === 'allowHttp' ? 'a list of host names' : 'a text in quotes';
  throw unusable(`${path}: "${name}" must be ${wanted}`);
}

/** Basic or a token, whichever the stronger source names; a token where one source names both. */
async function findCredentials(
  find: (name: SettingName) => Found | undefined,
  user: string | undefined,
): Promise<Credentials> {
  const token = stronger(find('accessToken'), find('accessTokenFile'));
  const password = stronger(find('password'), find('passwordFile'));
  if (token !== undefined && (password === undefined || token.rank <= password.rank)) {
    const text = await secretText(token, 'accessTokenFile');
    return { scheme: tokenPlace(find('accessTokenIn')), token: text };
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
    password: await secretText(password, 'passwordFile'),
  };
}

type Secret = Found & { readonly isPath: boolean };

function stronger(direct: Found | undefined, file: Found | undefined): Secret | undefined {
  if (direct !== undefined && (file === undefined || direct.rank <= file.rank)) {
    return { ...direct, isPath: false };
  }
  return file === undefined ? undefined : { ...file, isPath: true };
}

/** The secret itself, or the first line of the file that holds it. */
async function secretText(secret: Secret, name: SettingName): Promise<string> {
  if (!secret.isPath) return secret.value;
  return readSecretFile(resolve(secret.layer.folder, secret.value), secret.layer.nameOf(name));
}

function tokenPlace(found: Found | undefined): 'bearer' | 'access_token' {
  if (found === undefined || found.value === 'header') return 'bearer';
  if (found.value === 'query') return 'access_token';
  throw new UsageError(
    'OPTION_INVALID',
    `${found.layer.nameOf('accessTokenIn')}: must be header or query, got "${found.value}"`,
  );
}

function settingNames(): SettingName[] {
  return Object.keys(SETTINGS) as SettingName[];
}

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function missing(what: string): UsageError {
  return new UsageError('CREDENTIALS_REQUIRED', `no credentials: set ${what}`);
}

function unusable(message: string, cause?: unknown): UsageError {
  return new UsageError('CONFIG_INVALID', message, cause === undefined ? undefined : { cause });
}

function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
