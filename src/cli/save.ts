import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '../activity/errors.js';
import type { Download } from '../activity/service.js';
import { safeFileName, saveDownload } from '../http/download.js';
import { transferLine } from './progress.js';
import type { Session } from './session.js';
import { SAVED } from './views.js';

/**
 * Refuses a path that cannot be saved to, before anything is asked of the service.
 * @throws UsageError `FILE_EXISTS`, `FILE_UNWRITABLE`.
 */
export async function checkTarget(out: string, force: boolean): Promise<void> {
  if (out === '-') return;
  const folder = dirname(out);
  if ((await kindOf(folder)) !== 'folder') {
    throw new UsageError('FILE_UNWRITABLE', `${out}: there is no folder ${folder}`);
  }
  if (force) return;
  if ((await kindOf(out)) === 'file') throw new UsageError('FILE_EXISTS', `${out}: is there already`);
}

/** Saves the file of an export to a path, into a folder, or to stdout for `-`, and puts out what was saved. */
export async function putDownload(
  session: Session,
  activityId: string,
  download: Download,
  target: { readonly out: string; readonly force: boolean },
): Promise<void> {
  const { talk, output } = session;
  const onProgress = (bytes: number) => {
    talk.progress('download', () => `${download.fileName} ${transferLine(bytes, download.length)}`, 'later');
  };
  try {
    if (target.out === '-') {
      let bytes = 0;
      for await (const chunk of download.body) {
        await output.raw(chunk);
        bytes += chunk.length;
        // On a terminal the data itself is all the progress there need be, and is not to be drawn over.
        if (session.io.stdout.isTTY !== true) onProgress(bytes);
      }
      return;
    }
    const path = await targetPath(target.out, download.fileName);
    const { bytes } = await saveDownload(download, path, {
      overwrite: target.force,
      ...session.abort,
      onProgress,
    });
    talk.progressEnds();
    await output.record(SAVED, { activityId, path, bytes });
  } finally {
    talk.progressEnds();
    await download.cancel();
  }
}

/** The path itself, or that of a file of this name in it where it is a folder. */
export async function targetPath(out: string, fileName: string): Promise<string> {
  return (await kindOf(out)) === 'folder' ? join(out, safeFileName(fileName)) : out;
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'nothing'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch {
    return 'nothing';
  }
}
