import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
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
  if (lock === undefined) throw runBusy(run, await holderOf(file));
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

export function runBusy(run: string, holder: string): UsageError {
  return new UsageError(
    'RUN_BUSY',
    `the run "${run}" is worked on by ${holder}; wait for it, or end it first`,
  );
}

/** Who holds a lock, in words. */
async function holderOf(file: string): Promise<string> {
  const text = await fs.readFile(file, { encoding: 'utf8', flag: READ }).catch(() => '');
  const [, pid] = /"pid":(\d+)/.exec(text) ?? [];
  const [, host] = /"host":"([^"]*)"/.exec(text) ?? [];
  if (pid === undefined || host === undefined) return `another process (see ${file})`;
  return `process ${pid} on ${host}`;
}
