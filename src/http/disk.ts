import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from '../activity/errors.js';

/** File systems without hard links (FAT, some network shares) say so with one of these. */
const NO_HARD_LINKS: readonly unknown[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

export function refusesLinks(error: unknown): boolean {
  return NO_HARD_LINKS.includes(codeOf(error));
}

/** Opens a file for reading. A pipe that stands in its place is not waited for; Windows knows no such flag. */
export const READ = constants.O_RDONLY | ((Reflect.get(constants, 'O_NONBLOCK') as number | undefined) ?? 0);

/** Gives a file another name, unless a file of that name is there: then it rejects with EEXIST. */
export async function renameExclusively(from: string, to: string): Promise<void> {
  try {
    await fs.link(from, to);
    await fs.unlink(from);
  } catch (error) {
    if (!refusesLinks(error)) throw error;
    await (await fs.open(to, 'wx')).close();
    await fs.rename(from, to).catch(async (failure: unknown) => {
      await fs.rm(to, { force: true });
      throw failure;
    });
  }
}

/** Makes a new file, readable by its owner only, that is on the disk with all its text. */
export async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await fs.open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await fs.rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** So that a name survives a power failure too. Not every system can sync a folder; the bytes are safe anyway. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    return;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the disk quota is used up',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'the folder does not exist',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is no folder',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
};

/**
 * What `write` gives.
 * @param target the file that messages name
 * @throws UsageError `FILE_UNWRITABLE` for whatever the system says; `ifThere()` for EEXIST
 */
export async function writing<T>(
  target: string,
  write: () => Promise<T>,
  ifThere: () => Error = () => new UsageError('FILE_EXISTS', `${target} is there already`),
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') throw ifThere();
    const reason = (typeof code === 'string' ? REASONS[code] : undefined) ?? 'the write failed';
    throw new UsageError('FILE_UNWRITABLE', `cannot write ${target}: ${reason} (${String(code)})`, {
      cause: error,
    });
  }
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/**
 * Writes a file whole or not at all, for its owner only, in place of one that is there: after a crash the path has what
 * was there before, or everything.
 * @param part the file in the making
 * @throws UsageError `FILE_UNWRITABLE`; what `pieces` throws
 */
export async function writeWhole(
  path: string,
  pieces: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  part = `${path}.part`,
): Promise<void> {
  // Of another mode, it would keep that.
  await writing(path, () => fs.rm(part, { force: true }));
  const file = await writing(path, () => fs.open(part, 'wx', 0o600));
  try {
    for await (const piece of pieces) await writing(path, () => file.writeFile(piece));
    await writing(path, () => file.sync());
    await file.close();
    await writing(path, () => fs.rename(part, path));
  } catch (error) {
    await file.close().catch(() => undefined);
    await fs.rm(part, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}
