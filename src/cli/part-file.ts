import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { UsageError } from '../activity/errors.js';
import { writing as writingFile } from '../http/disk.js';

/** What a chunk is written to. */
export interface Target {
  write(chunk: string | Uint8Array): Promise<void>;
}

const BLOCK = 65_536;
const LINE_FEED = 10;

/**
 * A file in the making: `<path>.part`, which takes the name `path` when it is whole. Readable by its owner only, since
 * contact data is in it.
 */
export class PartFile implements Target {
  readonly path: string;
  /** The file while it is in the making. */
  readonly part: string;
  readonly #handle: FileHandle;
  /** Bytes of an earlier run. */
  readonly #before: number;
  #length: number;

  private constructor(path: string, handle: FileHandle, before: number) {
    this.path = path;
    this.part = partOf(path);
    this.#handle = handle;
    this.#before = this.#length = before;
  }

  /** Bytes so far, those of an earlier run among them. */
  get length(): number {
    return this.#length;
  }

  /** It has lines already, of an earlier run. */
  get goesOn(): boolean {
    return this.#before > 0;
  }

  /** Begins anew; `replace` lets go of a part that an earlier run left. @throws UsageError `FILE_EXISTS`, `FILE_UNWRITABLE`. */
  static async begin(path: string, replace: boolean): Promise<PartFile> {
    const part = partOf(path);
    return new PartFile(path, await writing(part, () => open(part, replace ? 'w' : 'wx', 0o600)), 0);
  }

  /**
   * Goes on behind the first `length` bytes of the part that an earlier run left, or behind its last whole line; begins
   * anew where it left none.
   */
  static async goOn(path: string, length?: number): Promise<PartFile> {
    const part = partOf(path);
    const handle = await writing(part, () => open(part, 'a+', 0o600));
    const end = length ?? (await lastLine(handle)).end;
    await writing(part, () => handle.truncate(end));
    return new PartFile(path, handle, end);
  }

  /** Writes a file whole, or leaves nothing of it. */
  static async whole(path: string, replace: boolean, pieces: Iterable<string>): Promise<void> {
    const file = await PartFile.begin(path, replace);
    try {
      for (const piece of pieces) await file.write(piece);
      await file.publish();
    } catch (error) {
      await file.discard();
      throw error;
    }
  }

  async write(chunk: string | Uint8Array): Promise<void> {
    await writing(this.part, () => this.#handle.writeFile(chunk));
    this.#length += Buffer.byteLength(chunk);
  }

  /** Gives the file its name, once its bytes are on the disk. */
  async publish(): Promise<void> {
    await this.keep();
    await writing(this.path, () => rename(this.part, this.path));
  }

  /** Leaves what there is as the part. */
  async keep(): Promise<void> {
    await writing(this.part, () => this.#handle.sync());
    await this.#handle.close();
  }

  /** Leaves nothing behind but what an earlier run did. */
  async discard(): Promise<void> {
    if (this.goesOn) await this.#handle.truncate(this.#before).catch(() => undefined);
    await this.#handle.close().catch(() => undefined);
    if (!this.goesOn) await rm(this.part, { force: true });
  }
}

export function partOf(path: string): string {
  return `${path}.part`;
}

/** The last whole line of the part that an earlier run left, without its line feed; undefined when there is none. */
export async function lastLineOfPart(path: string): Promise<string | undefined> {
  const handle = await open(partOf(path), 'r').catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    return (await lastLine(handle)).text;
  } finally {
    await handle.close();
  }
}

/** The last line that ends in a line feed, and the offset behind it. */
async function lastLine(handle: FileHandle): Promise<{ text: string | undefined; end: number }> {
  const { size } = await handle.stat();
  for (let length = Math.min(BLOCK, size); ; length = Math.min(length * 2, size)) {
    const bytes = Buffer.alloc(length);
    await handle.read(bytes, 0, length, size - length);
    const end = bytes.lastIndexOf(LINE_FEED);
    const before = end <= 0 ? -1 : bytes.lastIndexOf(LINE_FEED, end - 1);
    if (length < size && before === -1) continue;
    if (end === -1) return { text: undefined, end: 0 };
    return { text: bytes.subarray(before + 1, end).toString(), end: size - length + end + 1 };
  }
}

/** Does what writes the file at `path`. @throws UsageError `FILE_EXISTS`, `FILE_UNWRITABLE` when that fails. */
export function writing<T>(path: string, write: () => Promise<T>): Promise<T> {
  return writingFile(
    path,
    write,
    () =>
      new UsageError('FILE_EXISTS', `${path} is there already: another run is under way, or one was cut off`),
  );
}
