import { isUtf8 } from 'node:buffer';
import { DecodeError } from '../activity/errors.js';
import { decodeBytes, invalidUtf8Offset, unfinishedUtf8 } from './charset.js';

export type Delimiter = ',' | '\t';

const LF = 0x0a;
const CR = 0x0d;
/** A first line longer than this is judged by its beginning. */
const LONGEST_HEAD = 64 * 1024;

/** The input in chunks, of which the first holds the first line that is not empty to its end. */
export async function* wholeFirstLine(input: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const bytes of input instanceof Uint8Array ? [input] : input) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (head === undefined) {
      yield chunk;
    } else {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      if (head.length > LONGEST_HEAD || hasWholeLine(head)) {
        yield head;
        head = undefined;
      }
    }
  }
  if (head !== undefined && head.length > 0) yield head;
}

function hasWholeLine(bytes: Uint8Array): boolean {
  let at = 0;
  while (isLineBreak(bytes[at])) at++;
  while (at < bytes.length && !isLineBreak(bytes[at])) at++;
  return at < bytes.length;
}

function isLineBreak(byte: number | undefined): boolean {
  return byte === LF || byte === CR;
}

/** The delimiter of the text by its first line that is not empty: tab where more tabs than commas stand outside quotes. */
export function delimiterOf(text: string): Delimiter {
  const line = /[^\r\n]+/.exec(text)?.[0] ?? '';
  let balance = 0;
  let quoted = false;
  for (const character of line) {
    if (character === '"') quoted = !quoted;
    else if (!quoted && character === '\t') balance++;
    else if (!quoted && character === ',') balance--;
  }
  return balance > 0 ? '\t' : ',';
}

export function hasBom(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

/**
 * The same bytes, checked, cut between characters.
 * @throws DecodeError `CSV_MALFORMED` at the first byte that is not UTF-8, after all that comes before it.
 */
export async function* strictUtf8(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const place = new Place();
  let carry: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
    const end = bytes.length - unfinishedUtf8(bytes);
    yield* checked(bytes.subarray(0, end), place);
    carry = bytes.subarray(end);
  }
  yield* checked(carry, place);
}

function* checked(bytes: Buffer, place: Place): Generator<Buffer> {
  const invalid = invalidUtf8Offset(bytes);
  const valid = invalid === undefined ? bytes : bytes.subarray(0, invalid);
  place.pass(valid);
  if (valid.length > 0) yield valid;
  if (invalid !== undefined) {
    const byte = (bytes[invalid] ?? 0).toString(16).toUpperCase();
    throw new DecodeError(
      'CSV_MALFORMED',
      `the byte 0x${byte} is not UTF-8 text; save the file as UTF-8`,
      place.position(),
    );
  }
}

/** Counts lines and columns (in characters) over the bytes that pass. */
class Place {
  #line = 1;
  #column = 1;
  #byteOffset = 0;
  #afterCr = false;

  pass(bytes: Buffer): void {
    this.#byteOffset += bytes.length;
    for (const byte of bytes) {
      if (byte === CR || byte === LF) {
        if (byte === CR || !this.#afterCr) this.#line++;
        this.#column = 1;
      } else if ((byte & 0xc0) !== 0x80) {
        this.#column++;
      }
      this.#afterCr = byte === CR;
    }
  }

  position() {
    return { source: undefined, line: this.#line, column: this.#column, byteOffset: this.#byteOffset };
  }
}

/** The same bytes with a line break after the last line, if it has none. */
export async function* endingInLineBreak(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let last: number | undefined;
  for await (const chunk of chunks) {
    last = chunk.at(-1) ?? last;
    yield chunk;
  }
  if (last !== undefined && !isLineBreak(last)) yield Buffer.of(LF);
}

/** The bytes as text without a BOM, cut at line ends; each line is UTF-8, or else windows-1252. */
export async function* looseText(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let pending: Buffer[] = [];
  let first = true;
  for await (const chunk of chunks) {
    const bytes: Buffer = first && hasBom(chunk) ? chunk.subarray(3) : chunk;
    first = false;
    const end = Math.max(bytes.lastIndexOf(LF), bytes.lastIndexOf(CR)) + 1;
    pending.push(bytes.subarray(0, end > 0 ? end : bytes.length));
    if (end > 0) {
      yield decodeLines(Buffer.concat(pending));
      pending = [bytes.subarray(end)];
    }
  }
  yield decodeLines(Buffer.concat(pending));
}

function decodeLines(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  let text = '';
  for (let start = 0; start < bytes.length;) {
    let end = start;
    while (end < bytes.length && !isLineBreak(bytes[end++]));
    text += decodeBytes(bytes.subarray(start, end));
    start = end;
  }
  return text;
}
