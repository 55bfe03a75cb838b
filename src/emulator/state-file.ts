import { readFile } from 'node:fs/promises';
import { UsageError } from '../activity/errors.js';
import { codeOf, writeWhole } from '../http/disk.js';

/** Sets apart the files that are being written at the same time. */
let files = 0;

/**
 * Writes a state as JSON, whole or not at all: whoever reads the file meanwhile, or after a crash, finds what was there
 * before. Only its owner may read it, since it holds contacts.
 * @throws UsageError `FILE_UNWRITABLE`; `OPTION_INVALID` when it is too large for one file, beyond 500 million characters.
 */
export async function saveState(path: string, state: object): Promise<void> {
  const text = stringify(state, path);
  await writeWhole(path, [text], `${path}.${process.pid}-${++files}.part`);
}

/**
 * What `saveState` wrote, for `restore` to judge; undefined when there is no such file yet.
 * @throws UsageError `FILE_UNREADABLE`; `CONFIG_INVALID` when it is no JSON.
 */
export async function loadState(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new UsageError('FILE_UNREADABLE', `${path}: the state cannot be read (${String(codeOf(error))})`, {
      cause: error,
    });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const remedy = 'take it away to begin anew, or name another file';
    throw new UsageError('CONFIG_INVALID', `${path}: is no state of an emulator; ${remedy}`, {
      cause: error,
    });
  }
}

function stringify(state: object, path: string): string {
  try {
    return JSON.stringify(state);
  } catch (error) {
    // The engine's limit of one string; nothing else can fail in plain data.
    throw new UsageError('OPTION_INVALID', `${path}: the state is too large to be kept in a file`, {
      cause: error,
    });
  }
}
