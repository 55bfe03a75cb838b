import { isUtf8 } from 'node:buffer';
import { decodeBytes } from '../format/charset.js';
import { delimiterOf, type Delimiter } from '../format/csv-input.js';
import { countLineBreaks, MAX_ROW, readRow } from '../format/csv-lenient.js';
import { Transcoder, type Encoding } from '../format/transcode.js';
import type { ContactSource } from '../upload/contact-source.js';

/** How the rows of a file are to be read. Each encoding has the bytes of ASCII for separators, quotes and line ends. */
export interface Dialect {
  readonly delimiter: Delimiter;
  /** `auto`: each line is UTF-8 or, where it is not, windows-1252. */
  readonly encoding: Encoding | 'auto';
}

/** A row as it stands in the file, blank rows aside. */
export interface RawRow {
  /** Where its first byte is. */
  readonly offset: number;
  /** Its first line, from 1. */
  readonly line: number;
  /** Its lines. */
  readonly lines: number;
  /** With its line end, if it has one. Good until the next batch. */
  readonly bytes: Buffer;
  /** Whether a strict reader of CSV reads the bytes as they were meant. */
  readonly clean: boolean;
  readonly ascii: boolean;
  /** Where the cell begins and ends that was asked for, quotes included; 0 and 0 where the row is not clean, or has none. */
  readonly cellStart: number;
  readonly cellEnd: number;
}

export interface Start {
  readonly offset: number;
  readonly line: number;
}

const COMMA = 0x2c;
const TAB = 0x09;
const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** Rows are looked for when there are so many bytes, or no more. */
const WINDOW = 128 * 1024;

/** Whether the byte is part of what is not blank; of other than ASCII more must be known. */
function isInk(byte: number): boolean {
  return (byte > SPACE && byte < 0x80) || byte < TAB || (byte > CR && byte < SPACE);
}

/**
 * The rows from a place on, in batches: those that `readCsv` reads leniently. A row of blank cells is passed over.
 * @param cell index of a cell whose place is told
 */
export async function* scanRows(
  source: ContactSource,
  start: Start,
  dialect: Dialect,
  cell = -1,
): AsyncGenerator<RawRow[]> {
  const scanner = new Scanner(start, dialect, cell);
  let pieces: Uint8Array[] = [];
  let length = 0;
  let wanted = WINDOW;
  for await (const chunk of source.read(start.offset)) {
    pieces.push(chunk);
    length += chunk.length;
    if (length < wanted) continue;
    const { rows, rest } = scanner.scan(Buffer.concat(pieces, length), false);
    if (rows.length > 0) yield rows;
    pieces = [rest];
    length = rest.length;
    // A row that is not whole yet is looked at again only when there is twice as much of it.
    wanted = Math.max(WINDOW, 2 * length);
  }
  const { rows } = scanner.scan(Buffer.concat(pieces, length), true);
  if (rows.length > 0) yield rows;
}

class Scanner {
  readonly #delimiter: number;
  readonly #dialect: Dialect;
  readonly #cell: number;
  #offset: number;
  #line: number;

  constructor({ offset, line }: Start, dialect: Dialect, cell: number) {
    this.#offset = offset;
    this.#line = line;
    this.#dialect = dialect;
    this.#delimiter = dialect.delimiter === ',' ? COMMA : TAB;
    this.#cell = cell;
  }

  /** The whole rows at the beginning of the bytes, and what is left. */
  scan(bytes: Buffer, atEnd: boolean): { rows: RawRow[]; rest: Buffer } {
    const rows: RawRow[] = [];
    let at = 0;
    while (at < bytes.length) {
      const row = this.#row(bytes, at, atEnd) ?? this.#careful(bytes, at, atEnd);
      if (row === undefined) break;
      if (!row.blank) rows.push(row);
      at += row.bytes.length;
      this.#line += row.lines;
    }
    this.#offset += at;
    return { rows, rest: bytes.subarray(at) };
  }

  /** The row at `from`, unless it is out of the ordinary, or not whole. */
  #row(b: Buffer, from: number, atEnd: boolean): (RawRow & { blank: boolean }) | undefined {
    const { length } = b;
    const delimiter = this.#delimiter;
    let at = from;
    let high = 0;
    let ink = false;
    let lines = 1;
    let cell = 0;
    let cellStart = 0;
    let cellEnd = 0;
    for (;;) {
      const start = at;
      if (b[at] === QUOTE) {
        for (at++; ; at++) {
          const byte = b[at];
          if (byte === undefined) return undefined;
          if (byte === QUOTE) {
            if (b[at + 1] !== QUOTE) break;
            at++;
            ink = true;
          } else if (byte === LF || (byte === CR && b[at + 1] !== LF)) lines++;
          else {
            ink ||= isInk(byte);
            high |= byte;
          }
        }
        at++;
      } else {
        for (;;) {
          const byte = b[at];
          if (byte === undefined || byte === delimiter || byte === LF || byte === CR) break;
          if (byte === QUOTE) return undefined;
          ink ||= isInk(byte);
          high |= byte;
          at++;
        }
      }
      if (cell++ === this.#cell) {
        cellStart = start - from;
        cellEnd = at - from;
      }
      const byte = b[at];
      if (byte === delimiter) {
        at++;
        continue;
      }
      if (byte === undefined) {
        if (!atEnd) return undefined;
      } else if (byte === LF) at++;
      else if (byte === CR) {
        if (at + 1 === length && !atEnd) return undefined;
        at += b[at + 1] === LF ? 2 : 1;
      } else return undefined;
      if (at - from > MAX_ROW) return undefined;
      const own = b.subarray(from, at);
      return {
        offset: this.#offset + from,
        line: this.#line,
        lines,
        bytes: own,
        clean: true,
        ascii: high < 0x80,
        cellStart,
        cellEnd,
        blank: !ink && (high < 0x80 || this.#isBlank(own)),
      };
    }
  }

  /** The row at `from`, whatever its quotes; undefined when it is not whole. */
  #careful(bytes: Buffer, from: number, atEnd: boolean): (RawRow & { blank: boolean }) | undefined {
    // Most such rows are short, so not all that follows is made into text.
    for (let length = 4096; ; length *= 8) {
      const to = Math.min(bytes.length, from + length);
      const whole = to === bytes.length;
      const found = this.#cut(bytes, from, to, whole && atEnd);
      if (found !== undefined || whole) return found;
    }
  }

  #cut(bytes: Buffer, from: number, to: number, atEnd: boolean): (RawRow & { blank: boolean }) | undefined {
    // One character a byte, so that places in the text are those of the bytes.
    const text = bytes.toString('latin1', from, to);
    const row = readRow(text, 0, this.#dialect.delimiter, atEnd);
    if (row === undefined) return undefined;
    const own = bytes.subarray(from, from + row.end);
    return {
      offset: this.#offset + from,
      line: this.#line,
      lines: row.quoted ? Math.max(1, countLineBreaks(text.slice(0, row.end))) : 1,
      bytes: own,
      clean: false,
      ascii: own.every((byte) => byte < 0x80),
      cellStart: 0,
      cellEnd: 0,
      blank: this.#isBlank(own),
    };
  }

  #isBlank(bytes: Buffer): boolean {
    return cellsOf(rowText(bytes, this.#dialect), this.#dialect).every((cell) => cell === '');
  }
}

/** The row as text. */
export function rowText(bytes: Buffer, { encoding }: Dialect): string {
  if (encoding === 'auto') {
    if (isUtf8(bytes)) return bytes.toString('utf8');
    return bytes
      .toString('latin1')
      .split(/(?<=[\r\n])/)
      .map((line) => decodeBytes(Buffer.from(line, 'latin1')))
      .join('');
  }
  const transcoder = new Transcoder(encoding);
  return Buffer.concat([transcoder.push(bytes), transcoder.end()]).toString();
}

const LINE_END = /[\r\n]/;

/** The cells of one row, trimmed. */
export function cellsOf(text: string, { delimiter }: Dialect): readonly string[] {
  // Most rows are without quotes, and so read in no time.
  if (!text.includes('"')) {
    const end = text.search(LINE_END);
    const line = end === -1 ? text : text.slice(0, end);
    return line.split(delimiter).map((cell) => cell.trim());
  }
  return readRow(text, 0, delimiter, true)?.cells ?? [];
}

/** The separator, by the first line of the bytes that is not empty. */
export function findDelimiter(head: Buffer): Delimiter {
  return delimiterOf(head.toString('latin1'));
}

/** The cell of the row, trimmed. */
export function cellOf(row: RawRow, index: number, dialect: Dialect): string {
  const { bytes, clean, ascii, cellStart, cellEnd } = row;
  if (!clean || !ascii) return cellsOf(rowText(bytes, dialect), dialect)[index] ?? '';
  if (cellStart === cellEnd) return '';
  if (bytes[cellStart] !== QUOTE) return bytes.toString('latin1', cellStart, cellEnd).trim();
  return bytes
    .toString('latin1', cellStart + 1, cellEnd - 1)
    .replaceAll('""', '"')
    .trim();
}
