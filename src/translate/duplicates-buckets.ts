import { TemporaryFile } from '../upload/spool.js';

/** Two numbers and a text. */
export interface Entry {
  readonly first: number;
  readonly second: number;
  readonly text: string;
}

const NUMBERS = 16;
const LENGTH = 2;
/** Bytes of the longest text. */
const LONGEST = 1024;

/**
 * Entries in numbered buckets, each in the order they came. What does not fit into memory, some kilobytes for each bucket,
 * goes to a temporary file.
 */
export class Buckets {
  readonly #size: number;
  readonly #buffers: (Buffer | undefined)[];
  readonly #used: number[];
  /** Where the pieces of each bucket are in the file, and how long they are, in turn. */
  readonly #pieces: number[][];
  #file: TemporaryFile | undefined;
  #end = 0;

  /** @param size bytes that each bucket keeps in memory, from 4,096 */
  constructor(count: number, size: number) {
    this.#size = size;
    this.#buffers = new Array<Buffer | undefined>(count).fill(undefined);
    this.#used = new Array<number>(count).fill(0);
    this.#pieces = Array.from({ length: count }, () => []);
  }

  get count(): number {
    return this.#buffers.length;
  }

  /** Adds the entry; false when there is no room: then `flush` the bucket, and try again. The text has at most 1,024 bytes. */
  add(bucket: number, first: number, second: number, text: string): boolean {
    const used = this.#used[bucket] ?? 0;
    if (used + NUMBERS + LENGTH + LONGEST > this.#size) return false;
    const buffer = (this.#buffers[bucket] ??= Buffer.allocUnsafe(this.#size));
    buffer.writeDoubleLE(first, used);
    buffer.writeDoubleLE(second, used + 8);
    const length = buffer.write(text, used + NUMBERS + LENGTH, LONGEST, 'utf8');
    buffer.writeUInt16LE(length, used + NUMBERS);
    this.#used[bucket] = used + NUMBERS + LENGTH + length;
    return true;
  }

  /** @throws UsageError `FILE_UNWRITABLE`. */
  async flush(bucket: number): Promise<void> {
    const used = this.#used[bucket] ?? 0;
    const buffer = this.#buffers[bucket];
    if (buffer === undefined || used === 0) return;
    this.#file ??= await TemporaryFile.create();
    await this.#file.write(buffer.subarray(0, used));
    this.#pieces[bucket]?.push(this.#end, used);
    this.#end += used;
    this.#used[bucket] = 0;
  }

  /** The entries of a bucket, from the last to the first, in batches. */
  async *backwards(bucket: number): AsyncGenerator<Entry[]> {
    yield entriesOf(this.#inMemory(bucket)).reverse();
    const pieces = this.#pieces[bucket] ?? [];
    for (let index = pieces.length - 2; index >= 0; index -= 2) {
      yield entriesOf(await this.#read(pieces[index] ?? 0, pieces[index + 1] ?? 0)).reverse();
    }
  }

  /** All entries of a bucket, in no particular order. */
  async all(bucket: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    for await (const batch of this.backwards(bucket)) for (const entry of batch) entries.push(entry);
    return entries;
  }

  /** Lets go of the temporary file. May be called more than once. */
  async close(): Promise<void> {
    await this.#file?.close();
  }

  #inMemory(bucket: number): Buffer {
    return this.#buffers[bucket]?.subarray(0, this.#used[bucket]) ?? Buffer.alloc(0);
  }

  async #read(at: number, length: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for (let read = 0; read < length && this.#file !== undefined;) {
      const chunk = await this.#file.read(at + read, length - read);
      chunks.push(chunk);
      read += chunk.length;
    }
    return Buffer.concat(chunks);
  }
}

function entriesOf(bytes: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at + NUMBERS + LENGTH;
    const end = start + bytes.readUInt16LE(at + NUMBERS);
    const entry = {
      first: bytes.readDoubleLE(at),
      second: bytes.readDoubleLE(at + 8),
      text: bytes.toString('utf8', start, end),
    };
    entries.push(entry);
    at = end;
  }
  return entries;
}
