import { open, stat } from 'node:fs/promises';
import { constants, type Stats } from 'node:fs';
import { UsageError } from '../activity/errors.js';
import { gather } from './gather.js';

/** Bytes that can be read again and again, from any place on. */
export interface ContactSource {
  /** Bytes. */
  readonly size: number;
  /** @throws UsageError `FILE_CHANGED`, `FILE_UNREADABLE`. */
  read(start: number): AsyncIterable<Uint8Array>;
  /** Lets go of a temporary file; the bytes cannot be read afterwards. May be called more than once. */
  close(): Promise<void>;
}

/** A file whose bytes are in memory. */
export function memorySource(bytes: Uint8Array): ContactSource {
  return {
    size: bytes.length,
    close: () => Promise.resolve(),
    async *read(start) {
      await Promise.resolve();
      // Who wants the first rows only, need not take all in.
      for (let at = start; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
    },
  };
}

const CHUNK = 256 * 1024;

/** A pipe that has taken the place of the file is not waited for. Windows knows no such flag. */
const NO_WAIT = (Reflect.get(constants, 'O_NONBLOCK') as number | undefined) ?? 0;

/**
 * The file at `path`, as it is now: it is read from the disk each time, and must not have changed (by its size, time and
 * inode) before that, nor when it has been read.
 * @throws UsageError `FILE_UNREADABLE` when it is missing, no regular file, or not to be read.
 */
export async function fileSource(path: string): Promise<ContactSource> {
  const before = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!before.isFile()) {
    throw new UsageError(
      'FILE_UNREADABLE',
      `${path}: is ${before.isDirectory() ? 'a directory' : 'no regular file'}; give the path of a .csv, .txt or .xls file`,
    );
  }
  return {
    size: before.size,
    close: () => Promise.resolve(),
    async *read(start) {
      const file = await open(path, constants.O_RDONLY | NO_WAIT).catch((error: unknown) => {
        throw unreadable(path, error);
      });
      try {
        if (!sameFile(before, await file.stat())) throw changed(path);
        for (let at = start; at < before.size;) {
          const chunk = Buffer.allocUnsafe(Math.min(CHUNK, before.size - at));
          const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
          if (bytesRead === 0) throw changed(path);
          yield chunk.subarray(0, bytesRead);
          at += bytesRead;
        }
        // Also while it was read: whoever sends it keeps the last bytes back until this is said.
        if (!sameFile(before, await file.stat())) throw changed(path);
      } finally {
        await file.close();
      }
    },
  };
}

function sameFile(before: Stats, now: Stats): boolean {
  return (
    before.size === now.size &&
    before.mtimeMs === now.mtimeMs &&
    before.ino === now.ino &&
    before.dev === now.dev
  );
}

function changed(path: string): UsageError {
  return new UsageError(
    'FILE_CHANGED',
    `${path}: the file changed since it was checked; start again with a file that rests`,
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'reading it is not permitted',
  EPERM: 'reading it is not permitted',
};

function unreadable(path: string, error: unknown): UsageError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return new UsageError('FILE_UNREADABLE', `${path}: ${REASONS[code] ?? `cannot be opened (${code})`}`, {
    cause: error,
  });
}

/**
 * The bytes of a stream, as they come.
 * @throws UsageError `CONTACTS_INVALID` when the stream fails or yields something else; TransportError `ABORTED`.
 */
export async function* streamBytes(
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const failed = (reason: string) => `contacts: the stream failed: ${reason}`;
  for await (const chunk of gather(stream, failed, signal)) {
    if (!(chunk instanceof Uint8Array)) {
      throw new UsageError(
        'CONTACTS_INVALID',
        `contacts: the stream must yield bytes (Uint8Array), it yielded ${typeof chunk}`,
      );
    }
    yield chunk;
  }
}
