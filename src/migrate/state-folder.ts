import fs from 'node:fs/promises';
import nodePath from 'node:path';
import { UsageError } from '../activity/errors.js';
import { codeOf, writing } from '../http/disk.js';
import { isRunLocked } from '../store/run-lock.js';
import { openStore } from '../store/sqlite.js';
import type { Store } from '../store/store.js';

/** `joes.state` beside `joes.json`: where a run keeps what it knows; `given` where somebody named another folder. */
export function stateFolder(planPath: string, given?: string): string {
  return given ?? `${planPath.replace(/\.json$/i, '')}.state`;
}

/** How the store of a run is opened. */
export interface RunStoreOptions {
  /** Opens the store of a run that was begun, to look at it, while it goes on too. Default false. */
  readonly readOnly?: boolean | undefined;
}

/**
 * The store of a run, in its folder, which is made for its owner only; undefined when it is only to be read and no run was
 * ever begun.
 * @throws UsageError `FILE_UNWRITABLE`; `CREDENTIALS_EXPOSED` for a folder that others can read; see `openStore`.
 */
export async function openRunStore(
  folder: string,
  options: RunStoreOptions & { readOnly: true },
): Promise<Store | undefined>;
export async function openRunStore(
  folder: string,
  options?: RunStoreOptions & { readOnly?: false },
): Promise<Store>;
export async function openRunStore(
  folder: string,
  { readOnly = false }: RunStoreOptions = {},
): Promise<Store | undefined> {
  const file = nodePath.join(folder, 'run.db');
  if (readOnly && !(await isThere(file))) return undefined;
  if (!readOnly) await writing(folder, () => fs.mkdir(folder, { recursive: true, mode: 0o700 }));
  await refuseOpenFolder(folder);
  return openStore(file, { readOnly });
}

/** Whether a runner is at work on the plan of that id, with its state in that folder. */
export async function isRunning(folder: string, plan: string): Promise<boolean> {
  const file = nodePath.join(folder, 'run.db');
  return (await isThere(file)) && isRunLocked(await fs.realpath(file), plan);
}

async function isThere(file: string): Promise<boolean> {
  const facts = await fs.stat(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw unreadable(file, error);
  });
  return facts !== undefined && facts.size > 0;
}

/** The addresses of members are kept there. */
async function refuseOpenFolder(folder: string): Promise<void> {
  const facts = await fs.stat(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  if (process.platform === 'win32' || (facts.mode & 0o077) === 0) return;
  const mode = (facts.mode & 0o777).toString(8).padStart(3, '0');
  throw new UsageError(
    'CREDENTIALS_EXPOSED',
    `${folder}: holds contacts and is open to other users (mode ${mode}); run: chmod 700 ${folder}`,
  );
}

function unreadable(path: string, error: unknown): UsageError {
  return new UsageError('FILE_UNREADABLE', `cannot look at ${path} (${String(codeOf(error))})`, {
    cause: error,
  });
}
