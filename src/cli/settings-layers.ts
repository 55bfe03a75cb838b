import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../activity/errors.js';
import { similarField } from '../activity/fields.js';
import { readDocument } from '../format/document.js';
import { isLoopbackUrl } from '../http/origin.js';
import { refuseExposed, whyUnreadable } from '../http/secret.js';
import { variable, type Environment } from './environment.js';
import { isSecret, SETTING_NAMES, SETTINGS, type SettingName } from './settings-table.js';

export interface SettingSources {
  /** Values of the options that are settings, and the path given by --config. */
  readonly flags: Readonly<Partial<Record<SettingName | 'config', string>>>;
  readonly env: Environment;
  /** Where a project file is looked for, here and above. Default: nowhere. */
  readonly folder?: string | undefined;
}

type Values = Readonly<Partial<Record<SettingName, string>>>;

/** One place values come from. Places are asked in order; the first that has a value wins. */
export interface Layer {
  readonly values: Values;
  /** How an error, or `ctct config show`, names a setting of this layer. */
  readonly nameOf: (name: SettingName) => string;
  /** The folder that relative paths in it start from. */
  readonly folder: string;
}

/** A value and the place it comes from. */
export interface Found {
  readonly value: string;
  readonly layer: Layer;
  /** Of the layer: 0 is the strongest. */
  readonly rank: number;
}

/** The name of a project's file. */
export const PROJECT_FILE = '.ctct.json';

/**
 * The places, the strongest first: flags, variables, the file of the project, and of the user's file the profile that was
 * chosen, then what stands outside of profiles. `--config` (or CTCT_CONFIG) names a file in place of both files.
 * @throws UsageError `CONFIG_INVALID` for a file that cannot be used, or a profile that is not there;
 * `CREDENTIALS_EXPOSED` when others can read a file that holds a secret.
 */
export async function settingLayers(sources: SettingSources): Promise<readonly Layer[]> {
  const strong = [flagLayer(sources), envLayer(sources)];
  const named = sources.flags.config ?? variable(sources.env, 'CTCT_CONFIG');
  const project = named === undefined ? await projectLayer(sources.folder) : undefined;
  if (project !== undefined) strong.push(project);
  const path = named ?? defaultConfigPath(sources.env);
  const file = await readConfig(path, named !== undefined);
  if (file === undefined) {
    const wanted = findSetting(strong, 'profile');
    if (wanted !== undefined) throw noProfile(wanted, `there is no file ${path}`);
    return strong;
  }
  const whole = layerOf(file.values, path);
  const wanted = findSetting([...strong, whole], 'profile');
  if (wanted === undefined) return [...strong, whole];
  const profile = file.profiles.get(wanted.value);
  if (profile === undefined) throw noProfile(wanted, profilesOf(path, wanted, [...file.profiles.keys()]));
  return [...strong, layerOf(profile, path, `profiles.${wanted.value}.`), whole];
}

export function findSetting(layers: readonly Layer[], name: SettingName): Found | undefined {
  for (const [rank, layer] of layers.entries()) {
    const value = layer.values[name];
    if (value !== undefined && value !== '') return { value, layer, rank };
  }
  return undefined;
}

/** Where the user's configuration file is when nobody says: `$XDG_CONFIG_HOME/ctct/config.json`. */
export function defaultConfigPath(env: SettingSources['env']): string {
  const home = variable(env, 'HOME') ?? homedir();
  return join(variable(env, 'XDG_CONFIG_HOME') ?? join(home, '.config'), 'ctct', 'config.json');
}

function flagLayer({ flags }: SettingSources): Layer {
  const given = SETTING_NAMES.flatMap((name) => {
    const value = flags[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    values: Object.fromEntries(given),
    nameOf: (name) => {
      const setting = SETTINGS[name];
      return 'flag' in setting ? setting.flag : name;
    },
    folder: process.cwd(),
  };
}

function envLayer({ env }: SettingSources): Layer {
  const values: Partial<Record<SettingName, string>> = {};
  for (const name of SETTING_NAMES) {
    const value = env[SETTINGS[name].env];
    if (value !== undefined) values[name] = value;
  }
  return { values, nameOf: (name) => SETTINGS[name].env, folder: process.cwd() };
}

function layerOf(values: Values, path: string, prefix = ''): Layer {
  return { values, nameOf: (name) => `"${prefix}${name}" in ${path}`, folder: dirname(resolve(path)) };
}

/**
 * The nearest file of a project, in this folder or above. It sets nothing that leads secrets elsewhere: no credentials, no
 * command, and no address but one on this machine.
 */
async function projectLayer(folder: string | undefined): Promise<Layer | undefined> {
  for (let at = folder; at !== undefined; at = dirname(at) === at ? undefined : dirname(at)) {
    const path = join(at, PROJECT_FILE);
    const file = await readConfig(path, false);
    if (file === undefined) continue;
    const allowed = SETTING_NAMES.filter((name) => 'project' in SETTINGS[name]);
    const wrong = SETTING_NAMES.find((name) => file.values[name] !== undefined && !allowed.includes(name));
    if (wrong !== undefined || file.profiles.size > 0) {
      throw new UsageError(
        'CONFIG_INVALID',
        `${path}: "${wrong ?? 'profiles'}" is not taken from the file of a project, which others may have written; it sets ` +
          `${allowed.join(', ')}. Put it into your own file, or into a variable`,
      );
    }
    const { baseUrl } = file.values;
    if (baseUrl !== undefined && !isLoopbackUrl(baseUrl)) {
      throw new UsageError(
        'CONFIG_INVALID',
        `${path}: "baseUrl" may only lead to this machine here, since your credentials go where it leads; put it into your ` +
          'own file, or into CTCT_BASE_URL',
      );
    }
    return layerOf(file.values, path);
  }
  return undefined;
}

interface ConfigFile {
  readonly values: Values;
  readonly profiles: ReadonlyMap<string, Values>;
}

type Settings = Readonly<Partial<Record<SettingName, string | readonly string[]>>>;

async function readConfig(path: string, required: boolean): Promise<ConfigFile | undefined> {
  const text = await readText(path, required);
  if (text === undefined) return undefined;
  const { profiles = {}, ...settings } = await readDocument<
    Settings & { readonly profiles?: Readonly<Record<string, Settings>> }
  >(text, { source: path, schema: 'config' });
  const all = [settings, ...Object.values(profiles)];
  if (all.some((values) => SETTING_NAMES.some((name) => isSecret(name) && values[name] !== undefined))) {
    await refuseExposed(path);
  }
  return {
    values: texts(settings),
    profiles: new Map(Object.entries(profiles).map(([name, values]) => [name, texts(values)])),
  };
}

async function readText(path: string, required: boolean): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (!required && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined;
    throw new UsageError(
      'CONFIG_INVALID',
      `${path}: the configuration file cannot be read (${whyUnreadable(error)})`,
      { cause: error },
    );
  }
}

function texts(values: Settings): Values {
  return Object.fromEntries(
    SETTING_NAMES.flatMap((name) => {
      const value = values[name];
      return value === undefined ? [] : [[name, typeof value === 'string' ? value : value.join(',')]];
    }),
  );
}

/** Which there are instead. */
function profilesOf(path: string, { value }: Found, names: readonly string[]): string {
  if (names.length === 0) return `${path} has no profiles`;
  const similar = similarField(value, names);
  return similar === undefined ? `${path} has ${names.join(', ')}` : `did you mean ${similar}?`;
}

function noProfile({ value, layer }: Found, hint: string): UsageError {
  return new UsageError(
    'CONFIG_INVALID',
    `${layer.nameOf('profile')}: there is no profile "${value}"; ${hint}`,
  );
}
