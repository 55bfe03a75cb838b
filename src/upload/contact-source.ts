import { open, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { UsageError } from '../activity/errors.js';
import { gather } from './gather.js';

/** Bytes that can be read again and again, from any place on. */
export interface ContactSource {
  /** Bytes. */
  readonly size: number;
  /** @throws UsageError `FILE_CHANGED`, `FILE_UNREADABLE`. */
  read(start: number): AsyncIterable<Uint8Array>;
}

export function memorySource(bytes: Uint8Array): ContactSource {
  return {
    size: bytes.length,
    async *read(start) {
      await Promise.resolve();
      if (start < bytes.length) yield bytes.subarray(start);
    },
  };
}

const CHUNK = 256 * 1024;

/**
 * The file at `path`, as it is now: it is read from the disk each time, and must not have changed by then.
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
    async *read(start) {
      const file = await open(path, 'r').catch((error: unknown) => {
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
 * All bytes of a stream, in memory.
 * @throws UsageError `CONTACTS_INVALID` when the stream fails or yields something else; TransportError `ABORTED`.
 */
export async function gatherStream(
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const failed = (reason: string) => `contacts: the stream failed: ${reason}`;
  for await (const chunk of gather(stream, failed, signal)) {
    if (!(chunk instanceof Uint8Array)) {
      throw new UsageError(
        'CONTACTS_INVALID',
        `contacts: the stream must yield bytes (Uint8Array), it yielded ${typeof chunk}`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
