import fs from 'node:fs/promises';
import path from 'node:path';
import { CtctError, TransportError, UsageError } from '../activity/errors.js';
import { unlessAborted } from './abort.js';

export { safeFileName } from './file-name.js';

/** What can be saved: the file of an export, or anything else of that shape. */
export interface Savable {
  /** Bytes, where known; then exactly so many must come. */
  readonly length: number | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  cancel(): Promise<void>;
}

export interface SaveOptions {
  /** Replace a file that is there. Default false. A symbolic link is replaced, never followed. */
  readonly overwrite?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of bytes written so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * The absolute path and the size of the file that was written; readable by its owner only, since contact data is in it.
 *
 * The bytes go to `<path>.part`, which takes the name `path` once they are all there and on the disk. When anything
 * fails, neither file is left behind, and a file that was there before stays as it was.
 * @throws UsageError `FILE_EXISTS`, `FILE_UNWRITABLE`
 * @throws TransportError `RESPONSE_LOST` when the bytes are not as many as `length` says; `ABORTED`; or what the
 * download itself throws
 */
export async function saveDownload(
  download: Savable,
  file: string,
  options: SaveOptions = {},
): Promise<{ path: string; bytes: number }> {
  const target = path.resolve(file);
  const part = `${target}.part`;
  try {
    await checkTarget(target, options.overwrite === true);
    const handle = await writing(
      target,
      () => fs.open(part, 'wx', 0o600),
      () => partExists(part),
    );
    try {
      const bytes = await copy(download, handle, target, options);
      await writing(target, () => handle.sync());
      await handle.close();
      await publish(part, target, options.overwrite === true);
      return { path: target, bytes };
    } catch (error) {
      await handle.close().catch(() => undefined);
      await fs.rm(part, { force: true }).catch(() => undefined);
      throw error;
    }
  } catch (error) {
    await download.cancel().catch(() => undefined);
    throw error;
  }
}

async function checkTarget(target: string, overwrite: boolean) {
  const found = await fs.lstat(target).catch(() => undefined);
  if (found?.isDirectory() === true) {
    throw new UsageError('FILE_UNWRITABLE', `${target} is a folder; name a file`);
  }
  if (found !== undefined && !overwrite) throw exists(target);
}

function exists(target: string): UsageError {
  return new UsageError(
    'FILE_EXISTS',
    `${target} is there already; name another file, or allow it to be replaced`,
  );
}

function partExists(part: string): UsageError {
  return new UsageError(
    'FILE_EXISTS',
    `${part} is there already: another download is under way, or one was cut off; then remove it`,
  );
}

async function copy(
  download: Savable,
  handle: fs.FileHandle,
  target: string,
  options: SaveOptions,
): Promise<number> {
  let bytes = 0;
  for await (const chunk of abortable(download.body, options.signal)) {
    bytes += chunk.length;
    if (download.length !== undefined && bytes > download.length) break;
    await writing(target, () => handle.writeFile(chunk));
    options.onProgress?.(bytes);
  }
  if (download.length === undefined || bytes === download.length) return bytes;
  const came = bytes < download.length ? `only ${bytes} came` : 'more came';
  throw new TransportError(
    'RESPONSE_LOST',
    `the download should have ${download.length} bytes and ${came}; try again`,
    { sent: 'maybe' },
  );
}

/** The chunks of `body`, until the signal says stop; even one that never comes is then not waited for. */
async function* abortable(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const aborted = () => new TransportError('ABORTED', 'the download was aborted', { sent: 'maybe' });
  const iterator = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const result = await unlessAborted(signal, () => iterator.next(), aborted);
      if (result.done === true) return;
      yield result.value;
    }
  } catch (error) {
    if (error instanceof CtctError) throw error;
    throw new TransportError('RESPONSE_LOST', 'the download broke off', { sent: 'maybe', cause: error });
  } finally {
    iterator.return?.().catch(() => undefined);
  }
}

/** Gives the finished file its name. Without `overwrite`, one that has come into being meanwhile stays. */
async function publish(part: string, target: string, overwrite: boolean) {
  await writing(target, () => (overwrite ? fs.rename(part, target) : renameExclusively(part, target)));
  await syncFolder(path.dirname(target));
}

/** File systems without hard links (FAT, some network shares) say so with one of these. */
const NO_HARD_LINKS: readonly unknown[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

async function renameExclusively(part: string, target: string) {
  try {
    await fs.link(part, target);
    await fs.unlink(part);
  } catch (error) {
    if (!NO_HARD_LINKS.includes(codeOf(error))) throw error;
    await (await fs.open(target, 'wx')).close();
    await fs.rename(part, target).catch(async (failure: unknown) => {
      await fs.rm(target, { force: true });
      throw failure;
    });
  }
}

/** So that the name survives a power failure too. Not every system can sync a folder; the bytes are safe anyway. */
async function syncFolder(folder: string) {
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

async function writing<T>(
  target: string,
  write: () => Promise<T>,
  ifThere = () => exists(target),
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

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
