import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Activity } from '../activity/activity.js';
import { UsageError } from '../activity/errors.js';
import type { ActivityService, Download, ResumeAt } from '../activity/service.js';
import { safeFileName, saveDownload, type SaveEvent } from '../http/download.js';
import { showBytes, transferLine } from './progress.js';
import type { Session } from './session.js';
import { plainText } from './terminal.js';
import { SAVED } from './views.js';

/**
 * Refuses a target that cannot be saved to, before anything is asked of the service.
 * @throws UsageError `FILE_EXISTS`, `FILE_UNWRITABLE`; `OPTION_INVALID` where stdout is to have data beside the file.
 */
export async function checkDownload({ output }: Session, { out, force }: DownloadTarget): Promise<void> {
  if (out === '-') output.checkFree('does not go with --out -, by which stdout has the file');
  else await checkTarget(out, force);
}

/** @throws UsageError `FILE_EXISTS`, `FILE_UNWRITABLE`. */
export async function checkTarget(out: string, force: boolean): Promise<void> {
  const folder = dirname(out);
  if ((await kindOf(folder)) !== 'folder') {
    throw new UsageError('FILE_UNWRITABLE', `${out}: there is no folder ${folder}`);
  }
  if (force) return;
  if ((await kindOf(out)) === 'file') throw new UsageError('FILE_EXISTS', `${out}: is there already`);
}

/** Where the file of an export goes, as `--out` and `--force` say. */
export interface DownloadTarget {
  /** A file, a folder, or `-` for stdout. */
  readonly out: string;
  readonly force: boolean;
}

/**
 * Saves the file of an export to a path, into a folder, or to stdout for `-`, and puts out what was saved. What an
 * earlier run has left of it is gone on with.
 */
export async function putDownload(
  session: Session,
  service: ActivityService,
  activity: Activity,
  target: DownloadTarget,
): Promise<void> {
  const { output } = session;
  if (target.out === '-') {
    await putBytes(session, await service.download(activity, session.abort));
    return;
  }
  // Only the service knows the name of the file; so where a folder is to be saved to, the download begins here.
  const begun =
    (await kindOf(target.out)) === 'folder' ? await service.download(activity, session.abort) : undefined;
  const path = begun === undefined ? target.out : await targetPath(target.out, begun.fileName);
  let unused = begun;
  let length = begun?.length;
  const open = async (resume: ResumeAt | undefined): Promise<Download> => {
    const first = unused;
    unused = undefined;
    if (first !== undefined && resume === undefined) return first;
    await first?.cancel();
    const download = await service.download(activity, { ...session.abort, resume });
    length = download.length;
    return download;
  };
  try {
    const { bytes } = await saveDownload({ id: activity.id, open }, path, {
      overwrite: target.force,
      ...session.abort,
      clock: session.clock,
      random: session.io.random,
      onProgress: (count) => {
        showTransfer(session, basename(path), count, length);
      },
      onEvent: saying(session, activity.id, target),
    });
    session.talk.progressEnds();
    await output.record(SAVED, { activityId: activity.id, path, bytes });
  } finally {
    session.talk.progressEnds();
    await unused?.cancel();
  }
}

async function putBytes(session: Session, download: Download): Promise<void> {
  const { output, talk } = session;
  try {
    let bytes = 0;
    for await (const chunk of download.body) {
      await output.raw(chunk);
      bytes += chunk.length;
      // On a terminal the data itself is all the progress there need be, and is not to be drawn over.
      if (session.io.stdout.isTTY !== true) {
        showTransfer(session, download.fileName, bytes, download.length);
      }
    }
  } finally {
    talk.progressEnds();
    await download.cancel();
  }
}

function showTransfer({ talk }: Session, name: string, bytes: number, length: number | undefined): void {
  talk.progress('download', () => `${plainText(name)} ${transferLine(bytes, length)}`, 'later');
}

/** Says what becomes of a download on its way. */
function saying(session: Session, activityId: string, { out, force }: DownloadTarget) {
  const { talk } = session;
  let broke = false;
  return (event: SaveEvent): void => {
    switch (event.kind) {
      case 'resumed':
        if (!broke) talk.note(`Going on behind the ${showBytes(event.offset)} that an earlier run left.`);
        break;
      case 'restarted':
        talk.note(
          `The ${showBytes(event.discarded)} that were there cannot be gone on with; beginning anew.`,
        );
        break;
      case 'broken':
        broke = true;
        talk.note(`${plainText(event.error.message)}; going on`);
        break;
      case 'kept': {
        const to = out === '.' ? [] : ['--out', out];
        const words = ['download', activityId, ...to, ...(force ? ['--force'] : [])];
        talk.note(
          `${showBytes(event.bytes)} are kept in ${event.part}; to go on: ${session.commandLine(...words)}`,
        );
        session.settled();
      }
    }
  };
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
