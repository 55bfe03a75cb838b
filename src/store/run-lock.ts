import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import { hostname } from 'node:os';
import { UsageError } from '../activity/errors.js';
import { READ, writing } from '../http/disk.js';
import { isLocked, takeLock, type Lock } from '../http/lock-file.js';
import { checkName } from './arguments.js';

/**
 * The lock of a run, a file beside that of the store.
 * @throws UsageError `RUN_BUSY`; `FILE_UNWRITABLE` when the file cannot be made
 */
export async function lockRunBeside(path: string, run: string): Promise<Lock> {
  checkName('run', run);
  const file = lockFile(path, run);
  const lock = await writing(file, () => takeLock(file));
  if (lock === undefined) {
    const { holder, elsewhere } = await holderOf(file);
    throw runBusy(run, holder, elsewhere ? `; if that is no more, delete ${file}` : '');
  }
  return lock;
}

/** Whether somebody works on the run; `path` is that of the store, without symbolic links in it. */
export function isRunLocked(path: string, run: string): Promise<boolean> {
  return isLocked(lockFile(path, run));
}

/** A run may have a name that a file cannot have. */
function lockFile(path: string, run: string): string {
  return `${path}.run-${createHash('sha256').update(run).digest('hex').slice(0, 16)}.lock`;
}

/** @param remedy what else can be done, with a semicolon before it */
export function runBusy(run: string, holder: string, remedy = ''): UsageError {
  const text = `the run "${run}" is worked on by ${holder}; wait for it, or end it first${remedy}`;
  return new UsageError('RUN_BUSY', text);
}

/** Who holds a lock, in words, and whether that is on another machine, such as a container of another time. */
async function holderOf(file: string): Promise<{ readonly holder: string; readonly elsewhere: boolean }> {
  const text = await fs.readFile(file, { encoding: 'utf8', flag: READ }).catch(() => '');
  const [, pid] = /"pid":(\d+)/.exec(text) ?? [];
  const [, host] = /"host":"([^"]*)"/.exec(text) ?? [];
  if (pid === undefined || host === undefined) {
    return { holder: `another process (see ${file})`, elsewhere: false };
  }
  return { holder: `process ${pid} on ${host}`, elsewhere: host !== hostname() };
}
