import { randomUUID } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../activity/errors.js';
import { memorySource, type ContactSource } from './contact-source.js';

/** So many bytes are kept in memory; with more, all go to a file. */
export const IN_MEMORY = 8 * 1024 * 1024;

const CHUNK = 256 * 1024;

/**
 * All bytes of a stream, to be read again and again: in memory, or, when there are many, in a temporary file that only its
 * owner can read. The file has no name any more while it is in use (where the system allows), so that it is gone with the
 * process, however that ends; `close` lets go of it.
 * @throws UsageError `FILE_UNWRITABLE`; what the stream throws
 */
export async function spool(chunks: AsyncIterable<Uint8Array>, inMemory = IN_MEMORY): Promise<ContactSource> {
  const kept: Uint8Array[] = [];
  let size = 0;
  let file: TemporaryFile | undefined;
  try {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (file !== undefined) {
        await file.write(chunk);
        continue;
      }
      kept.push(chunk);
      if (size <= inMemory) continue;
      file = await TemporaryFile.create();
      for (const early of kept.splice(0)) await file.write(early);
    }
  } catch (error) {
    await file?.close();
    throw error;
  }
  return file === undefined ? memorySource(Buffer.concat(kept)) : temporarySource(file, size);
}

function temporarySource(file: TemporaryFile, size: number): ContactSource {
  return {
    size,
    close: () => file.close(),
    async *read(start) {
      for (let at = start; at < size;) {
        const chunk = await file.read(at, Math.min(CHUNK, size - at));
        yield chunk;
        at += chunk.length;
      }
    },
  };
}

/** A file without a name, for its owner only, that is gone with the process. */
export class TemporaryFile {
  readonly #handle: FileHandle;
  /** Still there under this name, on systems that take no name from a file in use. */
  #path: string | undefined;
  #closed: Promise<void> | undefined;

  private constructor(handle: FileHandle, path: string | undefined) {
    this.#handle = handle;
    this.#path = path;
  }

  static async create(): Promise<TemporaryFile> {
    const path = join(tmpdir(), `ctct-${randomUUID()}.tmp`);
    const handle = await open(path, 'wx+', 0o600).catch((error: unknown) => {
      throw unwritable(error);
    });
    const gone = await unlink(path).then(
      () => true,
      () => false,
    );
    return new TemporaryFile(handle, gone ? undefined : path);
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#handle.writeFile(chunk).catch((error: unknown) => {
      throw unwritable(error);
    });
  }

  async read(at: number, length: number): Promise<Uint8Array> {
    if (this.#closed !== undefined) throw lost('it was let go of when the call it was for had ended');
    const chunk = Buffer.allocUnsafe(length);
    const { bytesRead } = await this.#handle.read(chunk, 0, length, at);
    if (bytesRead === 0) throw lost('it is shorter than it was');
    return chunk.subarray(0, bytesRead);
  }

  close(): Promise<void> {
    this.#closed ??= this.#remove();
    return this.#closed;
  }

  async #remove() {
    await this.#handle.close().catch(() => undefined);
    if (this.#path !== undefined) await unlink(this.#path).catch(() => undefined);
  }
}

function lost(why: string): UsageError {
  return new UsageError('FILE_CHANGED', `contacts: the temporary file that a stream was kept in: ${why}`);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'permission denied',
  ENOENT: 'there is no such folder',
  EROFS: 'the file system is read-only',
};

function unwritable(error: unknown): UsageError {
  const code = String((error as NodeJS.ErrnoException).code);
  return new UsageError(
    'FILE_UNWRITABLE',
    `contacts: a stream this large is kept in a temporary file, which cannot be written to ${tmpdir()}: ` +
      `${REASONS[code] ?? 'the write failed'} (${code}); set TMPDIR to a folder with room`,
    { cause: error },
  );
}
