import { isAscii, isUtf8 } from 'node:buffer';

import type { SourcePosition } from '../activity/errors.js';
import { findInvalidUtf8, utf8Length } from './xml-chars.js';

/** Bytes made visible at once. */
const ROOM = 65_536;
/** Room that the smallest window has. */
const SMALL = 4096;

/** Bytes of the buffer behind `end`, the zero byte among them. */
const SLACK = 8;

/** What `toString('latin1')` calls, a third faster for the short strings of a feed. All Nodes have it; its types do not. */
type LatinBuffer = Buffer & { latin1Slice(from: number, to: number): string };

const NO_BYTES = new Uint8Array(0);
/** What every window begins with; nothing is written into it, and the zero byte is there. */
const NOTHING = Buffer.alloc(SLACK) as LatinBuffer;
const NOTHING_VIEW = new DataView(NOTHING.buffer, NOTHING.byteOffset, NOTHING.length);

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
  bytes = NOTHING;
  /** The same bytes, to look at four of them at once: up to `SLACK` bytes from a visible one on may be read. */
  view = NOTHING_VIEW;
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
  #tail: Uint8Array = NO_BYTES;
  /** Everything before this offset of the window was counted into the three below. */
  #counted = 0;
  #line = 1;
  #column = 1;
  #afterReturn = false;
  /** Whether there was a carriage return so far; most documents have none. */
  #returns = false;

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
    return ascii ? this.bytes.latin1Slice(from, to) : this.bytes.toString('utf8', from, to);
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
    if (this.end + wanted + SLACK <= this.bytes.length) return 0;
    this.#count(keep);
    this.#counted -= keep;
    const kept = this.end - keep;
    if (kept + wanted + SLACK <= this.bytes.length) {
      this.bytes.copyWithin(0, keep, this.end);
    } else {
      // Twice what is needed, so that a tag that keeps growing is copied a bounded number of times; but a document that
      // comes in one piece, as pages do, gets no more than it needs.
      const size = kept === 0 ? wanted + SLACK : 2 * (kept + wanted);
      const larger = Buffer.allocUnsafeSlow(Math.max(SMALL, size)) as LatinBuffer;
      this.bytes.copy(larger, 0, keep, this.end);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    this.end = kept;
    this.origin += keep;
    return keep;
  }

  #show(from: number, to: number): void {
    const cut = incompleteTail(this.bytes, from, to);
    this.#tail = cut === 0 ? NO_BYTES : Uint8Array.from(this.bytes.subarray(to - cut, to));
    this.#returns ||= this.bytes.subarray(from, to).includes(0x0d);
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
    const { bytes, view } = this;
    const from = this.#counted;
    if (to <= from) return;
    const first = bytes[from];
    const next = from + 1;
    let lines = first === 0x0d || (first === 0x0a && !this.#afterReturn) ? 1 : 0;
    lines += this.#returns ? countLineEnds(view, next, to) : countEqual(view, next, to, 0x0a);
    this.#line += lines;
    let lineStart = from;
    if (lines > 0 || first === 0x0a) {
      lineStart = to;
      while (bytes[lineStart - 1] !== 0x0a && bytes[lineStart - 1] !== 0x0d) lineStart--;
      this.#column = 1;
    }
    this.#column += to - lineStart - countContinuations(view, lineStart, to);
    this.#afterReturn = bytes[to - 1] === 0x0d;
    this.#counted = to;
  }
}

// Every byte of a document is counted, so they are looked at four at a time, and without a branch for each: of a word of
// four bytes, a word is made that holds a 1 for each byte to be counted, and up to 127 of those are added up. One loop
// for each kind, since a choice inside of it takes longer than the counting. The last word may reach behind `to`.

/** Bytes whose words are added up at once: each byte of the sum stays below 128, and the sum a small integer. */
const BLOCK = 4 * 124;

/** How many of the bytes are `byte`: all but the others, which are the quicker ones to count. */
function countEqual(view: DataView, from: number, to: number, byte: number): number {
  const same = byte * 0x01010101;
  let others = 0;
  let at = from;
  while (at + 16 <= to) {
    let sums = 0;
    for (const stop = Math.min(to - 15, at + BLOCK); at < stop; at += 16) {
      const first =
        onesForOthers(view.getInt32(at, true) ^ same) + onesForOthers(view.getInt32(at + 4, true) ^ same);
      const last =
        onesForOthers(view.getInt32(at + 8, true) ^ same) +
        onesForOthers(view.getInt32(at + 12, true) ^ same);
      sums = (sums + first + last) | 0;
    }
    others += addBytes(sums);
  }
  for (; at + 4 <= to; at += 4) others += addBytes(onesForOthers(view.getInt32(at, true) ^ same));
  others += addBytes(onesForOthers(view.getInt32(at, true) ^ same) & lowBytes(to - at));
  return to - from - others;
}

/** How many of the bytes end a line: carriage returns, and line feeds that are not behind one. There must be a byte before `from`. */
function countLineEnds(view: DataView, from: number, to: number): number {
  let found = 0;
  let at = from;
  while (at + 4 <= to) {
    let sums = 0;
    for (const stop = Math.min(to - 3, at + BLOCK); at < stop; at += 4)
      sums = (sums + lineEnds(view, at)) | 0;
    found += addBytes(sums);
  }
  return found + addBytes(lineEnds(view, at) & lowBytes(to - at));
}

function lineEnds(view: DataView, at: number): number {
  const word = view.getInt32(at, true);
  const notReturns = onesForOthers(word ^ 0x0d0d0d0d);
  const notLineFeeds = onesForOthers(word ^ 0x0a0a0a0a);
  const notBehindReturns = onesForOthers(view.getInt32(at - 1, true) ^ 0x0d0d0d0d);
  return (~notReturns | (~notLineFeeds & notBehindReturns)) & 0x01010101;
}

/** How many of the bytes are those of a character behind its first. */
function countContinuations(view: DataView, from: number, to: number): number {
  let found = 0;
  let at = from;
  while (at + 4 <= to) {
    let sums = 0;
    for (const stop = Math.min(to - 3, at + BLOCK); at < stop; at += 4) {
      const word = view.getInt32(at, true);
      sums = (sums + ((word >>> 7) & ~(word >>> 6) & 0x01010101)) | 0;
    }
    found += addBytes(sums);
  }
  const word = view.getInt32(at, true);
  return found + addBytes((word >>> 7) & ~(word >>> 6) & lowBytes(to - at));
}

/** A 1 for each of the lowest 0 to 3 bytes. */
function lowBytes(count: number): number {
  return 0x01010101 & ((1 << (8 * count)) - 1);
}

/** A 0 for each byte that is zero, and a 1 for each other. */
function onesForOthers(word: number): number {
  return ((((word & 0x7f7f7f7f) + 0x7f7f7f7f) | word) >>> 7) & 0x01010101;
}

function addBytes(word: number): number {
  return (word & 0xff) + ((word >>> 8) & 0xff) + ((word >>> 16) & 0xff) + (word >>> 24);
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
