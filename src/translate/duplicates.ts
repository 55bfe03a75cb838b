import { createHash } from 'node:crypto';
import { Buckets } from './duplicates-buckets.js';

/** A row that is not sent, since the same address comes again: of one upload, the last row of an address counts, alone. */
export interface Duplicate {
  /** Line of the file where the row begins. */
  readonly line: number;
  /** Line where the row begins that counts. */
  readonly keptLine: number;
  /** In lower case. */
  readonly address: string;
}

/** What rows are told apart by: the address without blanks around it, in lower case. */
export function addressKey(address: string): string {
  return address.trim().toLowerCase();
}

const MEGABYTE = 1024 * 1024;
/** Lines of a file that are looked at together, unless there are too many of them. */
const TOGETHER = 65_536;
const MOST_BUCKETS = 4096;

/**
 * Finds rows whose address comes again further down, in files of any size: addresses go to a temporary file, in parts that
 * are looked at one after another.
 */
export class DuplicateFinder {
  readonly #addresses: Buckets;

  /** @param size bytes of the file, by which memory is divided. */
  constructor(size: number) {
    const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, size / (4 * MEGABYTE))));
    this.#addresses = new Buckets(Math.min(MOST_BUCKETS, Math.max(16, wanted)), 16_384);
  }

  /** Takes the address of the row at that line; the lines grow. A promise when there is something to wait for. */
  add(line: number, address: string): Promise<void> | undefined {
    const key = shortened(addressKey(address));
    if (key === '') return undefined;
    const bucket = hash(key) % this.#addresses.count;
    if (this.#addresses.add(bucket, line, 0, key)) return undefined;
    return this.#addresses.flush(bucket).then(() => void this.#addresses.add(bucket, line, 0, key));
  }

  /** What there is twice, among so many lines; the finder is done with then. */
  async find(lines: number): Promise<Duplicates> {
    const found = new Duplicates(lines);
    try {
      for (let bucket = 0; bucket < this.#addresses.count; bucket++) {
        const kept = new Map<string, number>();
        for await (const entries of this.#addresses.backwards(bucket)) {
          for (const { first: line, text } of entries) {
            const keptLine = kept.get(text);
            if (keptLine === undefined) kept.set(text, line);
            else await found.add(line, keptLine, text);
          }
        }
      }
      return found;
    } catch (error) {
      await found.close();
      throw error;
    } finally {
      await this.close();
    }
  }

  close(): Promise<void> {
    return this.#addresses.close();
  }
}

/** Rows that are not sent. */
export class Duplicates {
  readonly #rows: Buckets;
  readonly #width: number;
  /** How many they are. */
  count = 0;

  constructor(lines: number) {
    this.#width = Math.max(TOGETHER, Math.ceil((lines + 1) / MOST_BUCKETS));
    this.#rows = new Buckets(Math.ceil((lines + 1) / this.#width), 8192);
  }

  async add(line: number, keptLine: number, address: string): Promise<void> {
    this.count++;
    const bucket = Math.floor(line / this.#width);
    if (this.#rows.add(bucket, line, keptLine, address)) return;
    await this.#rows.flush(bucket);
    this.#rows.add(bucket, line, keptLine, address);
  }

  /** In the order of their lines, from a line on. */
  async *from(line: number): AsyncGenerator<Duplicate> {
    if (this.count === 0) return;
    for (let bucket = Math.floor(line / this.#width); bucket < this.#rows.count; bucket++) {
      const entries = await this.#rows.all(bucket);
      entries.sort((one, other) => one.first - other.first);
      for (const { first, second, text } of entries) {
        if (first >= line) yield { line: first, keptLine: second, address: text };
      }
    }
  }

  /** Lets go of the temporary file. May be called more than once. */
  close(): Promise<void> {
    return this.#rows.close();
  }
}

/** No address is so long; what stands there is told apart all the same. */
const LONGEST = 320;

function shortened(key: string): string {
  if (key.length <= LONGEST) return key;
  return `${key.slice(0, 60)}… ${createHash('sha256').update(key).digest('hex')}`;
}

/** FNV-1a: 32 bits. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
