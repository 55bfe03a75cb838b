import { UsageError } from '../activity/errors.js';
import { WINDOWS_1252 } from './charset.js';
import type { Encoding } from './encodings.js';

export { detectEncoding, ENCODING_HEAD, ENCODINGS, type Encoding } from './encodings.js';

/**
 * Stands in the output where the input holds no character. No UTF-8 has this byte, so a strict reader of UTF-8
 * refuses it, at the very place.
 */
export const INVALID = 0xff;

/** How one encoding is read. */
interface Form {
  /** Bytes of the input behind a character that begins with `lead` in UTF-8. */
  width(lead: number): number;
  /** How many of the bytes before `to` begin a character that they do not complete. */
  unfinished(bytes: Uint8Array, from: number, to: number): number;
  /** Writes the characters `from` to `to` as UTF-8 into `out`; where they end there. Room for 3 bytes each byte is enough. */
  recode(bytes: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number;
}

/** What no table of characters holds. */
const NOTHING = 0xffff;

/** Output that can be traced back: not longer than what BLOCK bytes of input become. */
interface Segment {
  /** Where it begins in the output, and in the input. */
  readonly utf8: number;
  readonly source: number;
  readonly bytes: Uint8Array;
}

const BLOCK = 1024;

/**
 * Turns the bytes of a document into UTF-8, piece by piece, and finds back from a place in the output to the one
 * in the input. How the input is cut into pieces makes no difference. A byte order mark stays, as that of UTF-8.
 *
 * UTF-8 and US-ASCII pass unchanged, unchecked and uncopied: what is wrong there, the reader of the output sees.
 * In the other encodings one byte INVALID replaces each lone surrogate, each byte that means nothing (in
 * windows-1252: 81, 8D, 8F, 90 and 9D), and half a code unit at the end.
 *
 * Memory: what was put out and not yet forgotten (see `forget`).
 */
export class Transcoder {
  readonly encoding: Encoding;
  readonly #form: Form | undefined;
  #segments: Segment[] = [];
  /** The beginning of a character that goes on in the next piece. */
  #carry: Uint8Array = new Uint8Array(0);
  #scratch = new Uint8Array(0);
  #ended = false;
  /** How far the output got, and the input that it was made from. */
  #utf8 = 0;
  #source: number;
  readonly #origin: number;

  /** `origin` is the offset of the first byte of the input, where that is part of something larger. Default 0. */
  constructor(encoding: Encoding, origin = 0) {
    this.encoding = encoding;
    this.#form = FORMS[encoding];
    this.#source = this.#origin = origin;
  }

  /**
   * The UTF-8 of these bytes, which may be changed afterwards (not so those of UTF-8 and US-ASCII, which come back as
   * they are). A character that is not complete waits for the next piece.
   * @throws UsageError OPTION_INVALID after `end`.
   */
  push(bytes: Uint8Array): Uint8Array {
    if (this.#ended) throw new UsageError('OPTION_INVALID', 'push() was called after end()');
    if (this.#form === undefined) return bytes;
    return this.#recode(this.#form, this.#carry.length === 0 ? bytes : Buffer.concat([this.#carry, bytes]));
  }

  /** Whether the output is the input as it stands. */
  get isIdentity(): boolean {
    return this.#form === undefined;
  }

  /** Bytes of the input that came so far, of what is not passed on as it stands. */
  get fed(): number {
    return this.#source - this.#origin + this.#carry.length;
  }

  /** What is left when no more input comes: nothing, or INVALID for a character that was not completed. */
  end(): Uint8Array {
    const { length } = this.#carry;
    const rest = new Uint8Array(Math.ceil(length / 2)).fill(INVALID);
    if (length > 0) this.#segments.push({ utf8: this.#utf8, source: this.#source, bytes: rest });
    this.#utf8 += rest.length;
    this.#source += length;
    this.#carry = new Uint8Array(0);
    this.#ended = true;
    return rest;
  }

  /**
   * Offset in the input of the character that the byte `utf8Offset` of the output belongs to; for the end of
   * the output, where the input goes on.
   * @throws UsageError OPTION_INVALID for a place that was forgotten, or is not reached yet.
   */
  sourceOffset(utf8Offset: number): number {
    if (this.#form === undefined) return this.#origin + utf8Offset;
    if (utf8Offset === this.#utf8) return this.#source;
    const { bytes, utf8, source } = this.#segmentOf(utf8Offset);
    let end = utf8Offset - utf8;
    while (isContinuation(bytes[end] ?? 0)) end--;
    let offset = source;
    for (let at = 0; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (!isContinuation(byte)) offset += this.#form.width(byte);
    }
    return offset;
  }

  /** What is wrong with the input when the byte `utf8Offset` of the output is INVALID; undefined when it is not, or is gone. */
  refusal(utf8Offset: number): string | undefined {
    const index = this.#indexOf(utf8Offset);
    const segment = this.#segments[index];
    if (segment?.bytes[utf8Offset - segment.utf8] !== INVALID) return undefined;
    return `the bytes here are no character of ${this.encoding}`;
  }

  /** Says that no place of the output before this one will be asked for, so that memory stays bounded. */
  forget(before: number): void {
    const index = this.#indexOf(before);
    if (index > 0) this.#segments.splice(0, index);
  }

  #recode(form: Form, bytes: Uint8Array): Uint8Array {
    if (this.#scratch.length < 3 * bytes.length) this.#scratch = new Uint8Array(3 * bytes.length);
    const marks = [];
    let at = 0;
    let from = 0;
    for (;;) {
      const limit = Math.min(bytes.length, from + BLOCK);
      const to = limit - form.unfinished(bytes, from, limit);
      if (to === from) break;
      marks.push({ at, from });
      at = form.recode(bytes, from, to, this.#scratch, at);
      from = to;
    }
    const out = this.#scratch.slice(0, at);
    for (const [i, mark] of marks.entries()) {
      this.#segments.push({
        utf8: this.#utf8 + mark.at,
        source: this.#source + mark.from,
        bytes: out.subarray(mark.at, marks[i + 1]?.at ?? at),
      });
    }
    this.#utf8 += at;
    this.#source += from;
    this.#carry = Uint8Array.from(bytes.subarray(from));
    return out;
  }

  #segmentOf(utf8Offset: number): Segment {
    const segment = this.#segments[this.#indexOf(utf8Offset)];
    if (segment !== undefined && utf8Offset >= segment.utf8) return segment;
    throw new UsageError(
      'OPTION_INVALID',
      `offset ${utf8Offset} of the output was forgotten, or is not reached yet`,
    );
  }

  /** Index of the segment that the offset lies in; their number when it lies behind them, 0 when before them. */
  #indexOf(utf8Offset: number): number {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const segment = this.#segments[middle];
      if (segment !== undefined && segment.utf8 + segment.bytes.length <= utf8Offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const FORMS: Readonly<Record<Encoding, Form | undefined>> = {
  'UTF-8': undefined,
  'US-ASCII': undefined,
  'UTF-16LE': wide(0, 1),
  'UTF-16BE': wide(1, 0),
  'ISO-8859-1': narrow({}),
  'ISO-8859-15': narrow({
    0xa4: '€',
    0xa6: 'Š',
    0xa8: 'š',
    0xb4: 'Ž',
    0xb8: 'ž',
    0xbc: 'Œ',
    0xbd: 'œ',
    0xbe: 'Ÿ',
  }),
  'windows-1252': narrow(Object.fromEntries(Array.from(WINDOWS_1252, (c, i) => [0x80 + i, c]))),
};

/** UTF-16, with the low and the high byte of a code unit at these places in it. */
function wide(low: 0 | 1, high: 0 | 1): Form {
  const unitAt = (bytes: Uint8Array, at: number): number =>
    (bytes[at + low] ?? 0) | ((bytes[at + high] ?? 0) << 8);
  return {
    width: (lead) => (lead >= 0xf0 && lead !== INVALID ? 4 : 2),
    unfinished(bytes, from, to) {
      const odd = (to - from) % 2;
      const last = to - odd - 2;
      return last >= from && isHighSurrogate(unitAt(bytes, last)) ? odd + 2 : odd;
    },
    recode(bytes, from, to, out, at) {
      for (let i = from; i < to; i += 2) {
        const unit = unitAt(bytes, i);
        if (unit < 0x80) out[at++] = unit;
        else if ((unit & 0xf800) !== 0xd800) at = writeUnit(unit, out, at);
        else {
          const next = i + 2 < to ? unitAt(bytes, i + 2) : 0;
          if (isHighSurrogate(unit) && (next & 0xfc00) === 0xdc00) {
            const point = 0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff);
            out[at++] = 0xf0 | (point >> 18);
            out[at++] = 0x80 | ((point >> 12) & 0x3f);
            out[at++] = 0x80 | ((point >> 6) & 0x3f);
            out[at++] = 0x80 | (point & 0x3f);
            i += 2;
          } else out[at++] = INVALID;
        }
      }
      return at;
    },
  };
}

/** One byte a character: ISO-8859-1 but for these characters. One that stands for itself in `others` means none. */
function narrow(others: Readonly<Record<number, string>>): Form {
  const units = Uint16Array.from({ length: 256 }, (_, byte) => {
    const other = others[byte]?.charCodeAt(0);
    return other === byte ? NOTHING : (other ?? byte);
  });
  return {
    width: () => 1,
    unfinished: () => 0,
    recode(bytes, from, to, out, at) {
      for (let i = from; i < to; i++) {
        const unit = units[bytes[i] ?? 0] ?? NOTHING;
        if (unit < 0x80) out[at++] = unit;
        else if (unit === NOTHING) out[at++] = INVALID;
        else at = writeUnit(unit, out, at);
      }
      return at;
    },
  };
}

/** Writes a character from U+0080 to U+FFFF as UTF-8; where it ends. */
function writeUnit(unit: number, out: Uint8Array, at: number): number {
  if (unit < 0x800) out[at++] = 0xc0 | (unit >> 6);
  else {
    out[at++] = 0xe0 | (unit >> 12);
    out[at++] = 0x80 | ((unit >> 6) & 0x3f);
  }
  out[at++] = 0x80 | (unit & 0x3f);
  return at;
}

function isHighSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
