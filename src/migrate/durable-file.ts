import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder, writing } from '../http/disk.js';

/**
 * Writes a file whole or not at all, for its owner only, in place of one that is there: after a crash the path has what
 * was there before, or everything.
 * @throws UsageError `FILE_UNWRITABLE`; what `pieces` throws
 */
export async function writeWhole(
  path: string,
  pieces: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
): Promise<void> {
  const part = `${path}.part`;
  // Of another mode, it would keep that.
  await writing(part, () => rm(part, { force: true }));
  const file = await writing(part, () => open(part, 'wx', 0o600));
  try {
    for await (const piece of pieces) await writing(part, () => file.writeFile(piece));
    await writing(part, () => file.sync());
    await file.close();
    await writing(path, () => rename(part, path));
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(part, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}
