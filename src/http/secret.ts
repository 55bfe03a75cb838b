import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../activity/errors.js';

/** Where a secret is to be had: `env:NAME`, a variable of the environment, or `file:PATH`, the first line of a file. */
export type SecretReference = `env:${string}` | `file:${string}`;

export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths start from. */
  readonly folder: string;
  /** What errors call the place of the reference, such as `accounts.csv:3: access_token`. */
  readonly place: string;
}

/** True for `env:NAME` and `file:PATH`. A secret itself is no reference, and must not be taken for one. */
export function isSecretReference(text: string): text is SecretReference {
  return /^(?:env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/.test(text);
}

/**
 * The secret that a reference leads to; never empty.
 * @throws UsageError `CREDENTIALS_REQUIRED` where there is none, `CREDENTIALS_EXPOSED` as `refuseExposed`.
 */
export async function readSecret(
  reference: SecretReference,
  { env, folder, place }: SecretSources,
): Promise<string> {
  const rest = reference.slice(reference.indexOf(':') + 1);
  if (reference.startsWith('file:')) {
    const path = resolve(folder, rest);
    return isHandedOver(path, env) ? firstLine(path, place) : readSecretFile(path, place);
  }
  const value = env[rest];
  if (value !== undefined && value !== '') return value;
  throw new UsageError('CREDENTIALS_REQUIRED', `${place}: the variable ${rest} is not set`);
}

/**
 * The first line of a file.
 * @throws UsageError `CREDENTIALS_REQUIRED` when it cannot be read or is empty, `CREDENTIALS_EXPOSED` as `refuseExposed`.
 */
export async function readSecretFile(path: string, place: string): Promise<string> {
  return firstLine(path, place, refuseExposed);
}

/** What systemd's LoadCredential= gives a service is for it alone, though an access list makes the mode look wider. */
function isHandedOver(path: string, { CREDENTIALS_DIRECTORY: folder }: SecretSources['env']): boolean {
  return folder !== undefined && folder !== '' && dirname(path) === resolve(folder);
}

async function firstLine(
  path: string,
  place: string,
  check?: (path: string) => Promise<void>,
): Promise<string> {
  try {
    await check?.(path);
    const [line = ''] = (await readFile(path, 'utf8')).split(/\r?\n/, 1);
    if (line !== '') return line;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      'CREDENTIALS_REQUIRED',
      `${place}: ${path} cannot be read (${whyUnreadable(error)})`,
      {
        cause: error,
      },
    );
  }
  throw new UsageError(
    'CREDENTIALS_REQUIRED',
    `${place}: ${path} is empty; its first line must be the secret`,
  );
}

/** @throws UsageError `CREDENTIALS_EXPOSED` when others than the owner may read the file; a pipe is nobody else's. */
export async function refuseExposed(path: string): Promise<void> {
  const facts = await stat(path);
  if (process.platform === 'win32' || !facts.isFile() || (facts.mode & 0o077) === 0) return;
  const mode = (facts.mode & 0o777).toString(8).padStart(3, '0');
  throw new UsageError(
    'CREDENTIALS_EXPOSED',
    `${path}: holds a secret and is open to other users (mode ${mode}); run: chmod 600 ${path}`,
  );
}

/** Why a file that holds settings or secrets cannot be read, in words. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  return error instanceof Error ? error.message : String(error);
}
