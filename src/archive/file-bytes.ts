import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { UsageError } from '../activity/errors.js';

/** Part of a file, in bytes from 0; `end` is the first byte behind it. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const CHUNK = 1024 * 1024;
const SMALL_CHUNK = 4096;

/**
 * The bytes of a regular file. There are two buffers: a chunk stays as it is until the one after the next is asked for.
 * @throws UsageError FILE_UNREADABLE
 */
export async function* fileBytes(
  path: string,
  range: ByteRange = { start: 0, end: Infinity },
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    // One byte more than there is, so that the whole of a small file comes at once.
    const { size } = await file.stat();
    const room = Math.min(CHUNK, Math.max(SMALL_CHUNK, Math.min(size, range.end) - range.start + 1));
    const buffers = [Buffer.allocUnsafeSlow(room), Buffer.allocUnsafeSlow(room)] as const;
    let turn: 0 | 1 = 0;
    for (let at = range.start; at < range.end;) {
      const buffer = buffers[turn];
      const { bytesRead } = await file.read(buffer, 0, Math.min(room, range.end - at), at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
      turn = turn === 0 ? 1 : 0;
    }
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    await file.close();
  }
}

/**
 * The bytes of what is not a regular file but can be read like one: a pipe, a terminal.
 * @throws UsageError FILE_UNREADABLE
 */
export async function* pipeBytes(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const chunks: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: CHUNK });
    for await (const chunk of chunks) yield chunk;
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** The items of a generator, each next one being made while the consumer works on the last. */
export async function* readAhead<T>(
  items: AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  try {
    for (let next = items.next(); ;) {
      const { done, value } = await next;
      if (done === true) return;
      next = items.next();
      // It is reported where it is awaited.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await items.return();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'reading it is not permitted',
  EPERM: 'reading it is not permitted',
};

export function unreadable(path: string, error: unknown): UsageError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  return new UsageError('FILE_UNREADABLE', `${path}: ${REASONS[code] ?? `cannot be read (${code})`}`, {
    cause: error,
  });
}
