import fs from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../activity/errors.js';
import { codeOf, writing } from '../http/disk.js';
import type { Store } from '../store/store.js';

/** What is where in the folder of a gateway, and the run that whoever works on it locks. */
export const GATEWAY_FILES = { database: 'gateway.db', files: 'files', lock: 'gateway' } as const;
const DATABASE = GATEWAY_FILES.database;
/** What any folder may hold that a system made. */
const NO_MATTER: readonly string[] = ['lost+found'];

/**
 * The store of a gateway, in a folder that is its own and that nobody else can look into; it is made where there is none.
 * @throws UsageError `OPTION_INVALID` for a folder with other files in it, and as `openStore` does.
 */
export async function openGatewayStore(folder: string): Promise<Store> {
  await prepareFolder(folder);
  const { openStore } = await import('../store/sqlite.js');
  // Old clients that poll do not wait for the disk.
  return openStore(join(folder, DATABASE), { thread: true });
}

/** Whether there is a store. @throws UsageError as `openStore` does, for one that cannot be used. */
export async function checkGatewayStore(folder: string): Promise<boolean> {
  const path = join(folder, DATABASE);
  if (!(await isThere(path))) return false;
  const { openStore } = await import('../store/sqlite.js');
  await (await openStore(path, { readOnly: true })).close();
  return true;
}

async function prepareFolder(folder: string): Promise<void> {
  const isFile = () =>
    new UsageError('OPTION_INVALID', `--store: ${folder} is a file; name a folder for the gateway`);
  await writing(folder, () => fs.mkdir(folder, { recursive: true, mode: 0o700 }), isFile);
  const names = await writing(folder, () => fs.readdir(folder));
  // A folder of something else keeps the mode that it has.
  if (!names.includes(DATABASE) && names.some((name) => !NO_MATTER.includes(name))) throw foreign(folder);
  await writing(folder, () => fs.chmod(folder, 0o700));
}

function foreign(folder: string): UsageError {
  return new UsageError(
    'OPTION_INVALID',
    `--store: ${folder} holds other files; name a folder for the gateway alone, which is made when there is none`,
  );
}

async function isThere(path: string): Promise<boolean> {
  try {
    await fs.stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw new UsageError('FILE_UNREADABLE', `--store: cannot look at ${path} (${String(codeOf(error))})`, {
      cause: error,
    });
  }
}
