import { isAscii, isUtf8 } from 'node:buffer';

import type { SourcePosition } from '../activity/errors.js';
import { findInvalidUtf8, utf8Length } from './xml-chars.js';

/** Bytes made visible at once. */
const ROOM = 65_536;
/** Room that the smallest window has. */
const SMALL = 4096;
/** Longest part of a line of text that is copied out at once for short strings. */
const SEGMENT = 16_384;

/** Why the window ends where it does although more bytes are there. */
export interface Barrier {
  readonly code: 'XML_NOT_WELL_FORMED' | 'XML_ENCODING';
  readonly message: string;
}

/**
 * The part of the input that is being looked at: checked UTF-8, up to `end`, with a zero byte behind it,
 * so that loops over a class of bytes need no check for the end (no class has the zero byte in it).
 * What lies before the window is gone; lines and characters in it were counted.
 */
export class ByteWindow {
  bytes: Buffer = Buffer.alloc(1);
  /** Visible bytes; `bytes[end]` is zero. */
  end = 0;
  /** Offset in the input of `bytes[0]`. */
  origin = 0;
  /** No byte will become visible any more: the input ended, or cannot be read on. */
  final = false;
  /** Set when the byte at `end` is one that no document may have. */
  barrier: Barrier | undefined = undefined;

  readonly #source: string | undefined;
  readonly #head: number[] = [];
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  /** What was taken of the pending chunks: so many chunks, so many bytes of the next. */
  #taken = 0;
  #takenBytes = 0;
  #ended = false;
  #asciiOnly = false;
  /** Bytes of a character that is not complete, held back behind `end`. */
  #tail: Uint8Array = new Uint8Array(0);
  /** Everything before this offset of the window was counted into the three below. */
  #counted = 0;
  #line = 1;
  #column = 1;
  #afterReturn = false;
  /** A slice of the window as one string, from which short strings are cut. */
  #segment = '';
  #segmentFrom = 0;

  constructor(source: string | undefined) {
    this.#source = source;
  }

  /** The first four bytes of the input, or fewer if it has fewer, whether or not they are UTF-8. */
  get head(): readonly number[] {
    return this.#head;
  }

  /** Whether the bytes so far end inside a character. */
  get cut(): boolean {
    return this.#tail.length > 0;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    for (let i = 0; this.#head.length < 4 && i < bytes.length; i++) this.#head.push(bytes[i] ?? 0);
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  close(): void {
    this.#ended = true;
  }

  /** Counts on from `position` with the byte that comes next; false while there are bytes that `at` has not passed. */
  relocate(at: number, position: SourcePosition): boolean {
    if (at < this.end || this.#pendingBytes > 0 || this.#tail.length > 0) return false;
    this.origin = position.byteOffset - at;
    this.#counted = at;
    this.#line = position.line;
    this.#column = position.column;
    this.#afterReturn = false;
    return true;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Makes more bytes visible and lets go of those before `keep`. The result is how far the bytes moved
   * to the front; -1 when there are no more, for now or (`final`) for ever.
   */
  refill(keep: number): number {
    if (this.final) return -1;
    if (this.#pendingBytes === 0 || (this.#head.length < 4 && !this.#ended)) {
      // The caller is free to change what it handed over, even where it does not show yet.
      this.#pending = this.#pending.map((chunk) => Uint8Array.from(chunk));
      this.final = this.#ended;
      return -1;
    }
    const room = Math.min(this.#pendingBytes, ROOM);
    const moved = this.#makeRoom(keep, this.#tail.length + room);
    const from = this.end;
    this.bytes.set(this.#tail, from);
    const to = from + this.#tail.length;
    this.#take(to, to + room);
    this.#show(from, to + room);
    return moved;
  }

  #take(from: number, to: number): void {
    for (let at = from; at < to;) {
      const chunk = this.#pending[this.#taken] ?? new Uint8Array(0);
      const part = chunk.subarray(this.#takenBytes, this.#takenBytes + to - at);
      this.bytes.set(part, at);
      at += part.length;
      this.#takenBytes += part.length;
      if (this.#takenBytes === chunk.length) {
        this.#taken++;
        this.#takenBytes = 0;
      }
    }
    this.#pendingBytes -= to - from;
    if (this.#pendingBytes === 0) {
      this.#pending = [];
      this.#taken = 0;
    }
  }

  /** From now on the document is US-ASCII: its declaration, which ends at `at`, says so. */
  requireAscii(at: number): void {
    this.#asciiOnly = true;
    this.#check(at, this.end);
  }

  /** The visible text `from` to `to`, as its own string. */
  slice(from: number, to: number, ascii: boolean): string {
    if (!ascii) return this.bytes.toString('utf8', from, to);
    // A substring of 13 characters or more would keep the whole segment in memory; a shorter one is a copy.
    if (to - from > 12) return this.bytes.toString('latin1', from, to);
    const start = from - this.#segmentFrom;
    if (start >= 0 && to - this.#segmentFrom <= this.#segment.length) {
      return this.#segment.substring(start, to - this.#segmentFrom);
    }
    this.#segmentFrom = from;
    this.#segment = this.bytes.toString('latin1', from, Math.min(this.end, from + SEGMENT));
    return this.#segment.substring(0, to - from);
  }

  /** Line and column of the byte `at`, which must not lie before one asked for earlier. */
  position(at: number): SourcePosition {
    this.#count(at);
    return {
      source: this.#source,
      line: this.#line,
      column: this.#column,
      byteOffset: this.origin + at,
    };
  }

  /** A byte order mark is no character of the document: columns begin behind it. */
  skipMark(): void {
    this.#counted = 3;
  }

  #makeRoom(keep: number, wanted: number): number {
    if (this.end + wanted < this.bytes.length) return 0;
    this.#count(keep);
    this.#counted -= keep;
    const kept = this.end - keep;
    if (kept + wanted < this.bytes.length) {
      this.bytes.copyWithin(0, keep, this.end);
    } else {
      // Twice what is needed, so that a tag that keeps growing is copied a bounded number of times.
      const larger = Buffer.allocUnsafeSlow(Math.max(SMALL, 2 * (kept + wanted)));
      this.bytes.copy(larger, 0, keep, this.end);
      this.bytes = larger;
    }
    this.end = kept;
    this.origin += keep;
    return keep;
  }

  #show(from: number, to: number): void {
    const cut = incompleteTail(this.bytes, from, to);
    this.#tail = Uint8Array.from(this.bytes.subarray(to - cut, to));
    this.#segment = '';
    this.#check(from, to - cut);
  }

  /** Ends the window behind `from` to `to`, or at the first byte among them that no document may have. */
  #check(from: number, to: number): void {
    const added = this.bytes.subarray(from, to);
    let good = to - from;
    if (!isAscii(added)) {
      if (this.#asciiOnly) {
        good = added.findIndex((byte) => byte >= 0x80);
        this.#stop('XML_ENCODING', 'a byte beyond ASCII in a document declared as US-ASCII');
      } else {
        if (!isUtf8(added)) {
          good = findInvalidUtf8(added);
          this.#stop('XML_NOT_WELL_FORMED', 'invalid UTF-8');
        }
        const noncharacter = findNoncharacter(added);
        if (noncharacter >= 0 && noncharacter < good) {
          good = noncharacter;
          const code = (added[good + 2] ?? 0) === 0xbe ? 'U+FFFE' : 'U+FFFF';
          this.#stop('XML_NOT_WELL_FORMED', `the character ${code} is not allowed`);
        }
      }
    }
    this.end = from + good;
    this.bytes[this.end] = 0;
  }

  #stop(code: Barrier['code'], message: string): void {
    this.barrier = { code, message };
    this.final = true;
  }

  #count(to: number): void {
    const from = this.#counted;
    if (to <= from) return;
    this.#counted = to;
    const passed = this.bytes.subarray(from, to);
    if (this.#afterReturn || passed.includes(0x0d)) {
      this.#countSlowly(passed);
      return;
    }
    const lines = count(passed, LINE_FEEDS);
    const lastLine = lines === 0 ? passed : passed.subarray(passed.lastIndexOf(0x0a) + 1);
    this.#line += lines;
    if (lines > 0) this.#column = 1;
    this.#column += lastLine.length - (isAscii(lastLine) ? 0 : count(lastLine, CONTINUATIONS));
  }

  /** A carriage return ends a line too, but not together with the line feed behind it. */
  #countSlowly(passed: Uint8Array): void {
    for (const byte of passed) {
      if (byte === 0x0a || byte === 0x0d) {
        if (byte === 0x0d || !this.#afterReturn) this.#line++;
        this.#column = 1;
      } else if ((byte & 0xc0) !== 0x80) this.#column++;
      this.#afterReturn = byte === 0x0d;
    }
  }
}

const LINE_FEEDS = 0;
/** Bytes of a character behind its first. */
const CONTINUATIONS = 1;

/** How many bytes are of the kind, looked at four at a time: every byte of a document passes here. */
function count(bytes: Uint8Array, kind: typeof LINE_FEEDS | typeof CONTINUATIONS): number {
  const isKind = (byte: number): boolean => (kind === LINE_FEEDS ? byte === 0x0a : (byte & 0xc0) === 0x80);
  if (bytes.length < 8) return bytes.filter(isKind).length;
  const start = (4 - (bytes.byteOffset % 4)) % 4;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + start, (bytes.length - start) >> 2);
  const end = start + 4 * words.length;
  let found = bytes.subarray(0, start).filter(isKind).length + bytes.subarray(end).filter(isKind).length;
  for (let i = 0; i < words.length;) {
    // Each byte of `sums` counts for one of the four; none may get beyond 255.
    let sums = 0;
    for (const stop = Math.min(words.length, i + 255); i < stop; i++) {
      const word = words[i] ?? 0;
      if (kind === LINE_FEEDS) {
        // Of each byte, the highest bit is set unless the byte is that of a line feed.
        const others = (((word ^ 0x0a0a0a0a) & 0x7f7f7f7f) + 0x7f7f7f7f) | (word ^ 0x0a0a0a0a);
        sums += (~others >>> 7) & 0x01010101;
      } else sums += (word >>> 7) & ~(word >>> 6) & 0x01010101;
    }
    found += (sums & 0xff) + ((sums >>> 8) & 0xff) + ((sums >>> 16) & 0xff) + (sums >>> 24);
  }
  return found;
}

/** Bytes at the end that begin a character and do not complete it: 0 to 3. */
function incompleteTail(bytes: Uint8Array, from: number, to: number): number {
  for (let back = 1; back <= 3 && to - back >= from; back++) {
    const byte = bytes[to - back] ?? 0;
    if ((byte & 0xc0) !== 0x80) return utf8Length(byte) > back ? back : 0;
  }
  return 0;
}

/** The two bytes that the noncharacters U+FFFE and U+FFFF begin with in UTF-8. */
const NONCHARACTER = Buffer.from([0xef, 0xbf]);

/** The offset of the first U+FFFE or U+FFFF; -1 when there is none. */
function findNoncharacter(bytes: Buffer): number {
  let at = bytes.indexOf(NONCHARACTER);
  while (at >= 0 && (bytes[at + 2] ?? 0) < 0xbe) at = bytes.indexOf(NONCHARACTER, at + 2);
  return at;
}
