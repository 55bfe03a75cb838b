import fs from 'node:fs/promises';
import nodePath from 'node:path';
import { Readable } from 'node:stream';
import { UsageError } from '../activity/errors.js';
import type { Download, DownloadOptions } from '../activity/service.js';
import { codeOf, READ, syncFolder, writeWhole, writing } from '../http/disk.js';

const CHUNK = 64 * 1024;
/** Names of activities are others. */
const TRIAL = 'trial';

/** Files that are there whole or not at all, for their owner only. */
export class FileFolder {
  readonly path: string;
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes the folder where there is none. @throws UsageError `FILE_UNWRITABLE` */
  static async open(path: string): Promise<FileFolder> {
    await writing(path, async () => {
      await fs.mkdir(path, { recursive: true, mode: 0o700 });
      await fs.chmod(path, 0o700);
      await syncFolder(nodePath.dirname(path));
    });
    const folder = new FileFolder(path);
    for (const name of await writing(path, () => fs.readdir(path))) {
      folder.#count(name, (await writing(path, () => fs.stat(folder.file(name)))).size);
    }
    return folder;
  }

  /** Of all files together. */
  get bytes(): number {
    return this.#bytes;
  }

  #count(name: string, size: number): void {
    this.#bytes += size - (this.#sizes.get(name) ?? 0);
    if (size === 0) this.#sizes.delete(name);
    else this.#sizes.set(name, size);
  }

  file(name: string): string {
    return nodePath.join(this.path, name);
  }

  /** Keeps bytes under a name, in place of what may have been there: how many. On the disk once it resolves. */
  async keep(name: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    let bytes = 0;
    const counted = async function* () {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        yield chunk;
      }
    };
    await writeWhole(this.file(name), counted());
    this.#count(name, bytes);
    return bytes;
  }

  /** Nothing, when it is not there. */
  async remove(name: string): Promise<void> {
    await writing(this.file(name), () => fs.rm(this.file(name), { force: true }));
    this.#count(name, 0);
  }

  /** Writes a little and removes it. @throws UsageError `FILE_UNWRITABLE`. */
  async tryOut(): Promise<void> {
    await this.keep(TRIAL, Readable.from([Buffer.alloc(4096)]));
    await this.remove(TRIAL);
  }

  /** Removes all but these: how many there were. */
  async sweep(keep: ReadonlySet<string>): Promise<number> {
    const names = await writing(this.path, () => fs.readdir(this.path));
    const left = names.filter((name) => !keep.has(name));
    for (const name of left) await this.remove(name);
    return left.length;
  }

  /** The file as a download; undefined when it is not there. */
  async download(name: string, { resume }: DownloadOptions = {}): Promise<Download | undefined> {
    const file = this.file(name);
    const facts = await fs.stat(file).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw unreadable(name, error);
    });
    if (facts === undefined) return undefined;
    // A name is never given to another file.
    const validator = `"${name}-${facts.size}"`;
    const offset = resume?.validator === validator ? Math.min(resume.offset, facts.size) : 0;
    const body = bytesOf(file, offset);
    return {
      fileName: name,
      contentType: name.endsWith('.txt') ? 'text/plain' : 'text/csv',
      length: facts.size,
      offset,
      validator,
      body,
      // Whoever turns away midway leaves nothing open.
      cancel: async () => {
        await body.return(undefined);
      },
    };
  }
}

/** Opened when it is read: a body that nobody reads holds nothing. */
async function* bytesOf(file: string, offset: number): AsyncGenerator<Uint8Array> {
  const handle = await fs.open(file, READ).catch((error: unknown) => {
    throw unreadable(nodePath.basename(file), error);
  });
  try {
    for (let at = offset; ;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const { bytesRead } = await handle.read(chunk, 0, CHUNK, at);
      if (bytesRead === 0) return;
      yield chunk.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

function unreadable(name: string, error: unknown): UsageError {
  return new UsageError('FILE_UNREADABLE', `${name}: cannot be read (${String(codeOf(error))})`, {
    cause: error,
  });
}
