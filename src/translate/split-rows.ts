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
export class RawRow {
  /** Where its first byte is in the file. */
  readonly offset: number;
  /** Its first line, from 1. */
  readonly line: number;
  /** Its lines. */
  readonly lines: number;
  /** A piece of the file in which the row is, and where, with its line end, if it has one. The row keeps it in memory. */
  readonly piece: Buffer;
  readonly start: number;
  readonly end: number;
  /** Whether a strict reader of CSV reads the bytes as they were meant. */
  readonly clean: boolean;
  readonly ascii: boolean;
  /** Whether there is something in it for certain. */
  readonly hasInk: boolean;
  /** Cells; 0 where the row is not clean. */
  readonly cells: number;
  /**
   * Whether the bytes are those that `csvLine` writes, if they are text in UTF-8: no blanks around cells, quotes only where
   * there must be some, a line feed at the end. May be false where nobody can tell at once.
   */
  readonly tidy: boolean;
  /**
   * Where the cell begins and ends in the piece that was asked for, quotes included; 0 and 0 where the row is not clean, or
   * has none.
   */
  readonly cellStart: number;
  readonly cellEnd: number;

  constructor(row: Omit<RawRow, 'bytes' | 'length'>) {
    this.offset = row.offset;
    this.line = row.line;
    this.lines = row.lines;
    this.piece = row.piece;
    this.start = row.start;
    this.end = row.end;
    this.clean = row.clean;
    this.ascii = row.ascii;
    this.hasInk = row.hasInk;
    this.cells = row.cells;
    this.tidy = row.tidy;
    this.cellStart = row.cellStart;
    this.cellEnd = row.cellEnd;
  }

  /** Bytes, with the line end. */
  get length(): number {
    return this.end - this.start;
  }

  /** With its line end, if it has one. Made when it is asked for, which costs more than all else of a short row. */
  get bytes(): Buffer {
    return this.piece.subarray(this.start, this.end);
  }
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

/** What bytes mean in a cell; of those that end it, or are a quote, `SPECIAL` or more. */
const BLANK = 0;
const INK = 1;
/** Not ASCII: whether it is blank, more must tell. */
const HIGH = 2;
const SPECIAL = 4;

function meanings(delimiter: number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    if (byte === delimiter || byte === LF || byte === CR || byte === QUOTE) return SPECIAL;
    if (byte >= 0x80) return HIGH;
    return isBlank(byte) ? BLANK : INK;
  });
}

/** ASCII of what `trim` takes away. */
export function isBlank(byte: number): boolean {
  return byte === SPACE || (byte >= TAB && byte <= CR);
}

/** Whether the cell has a blank at its edges, as `trim` takes them away; some letters from far away count too. */
function hasBlankEdge(b: Buffer, start: number, end: number): boolean {
  if (start === end) return false;
  const [first = 0, last = 0] = [b[start], b[end - 1]];
  return (
    isBlank(first) ||
    isBlank(last) ||
    (first >= 0x80 && mayBeBlank(b, start)) ||
    (last >= 0x80 && (mayBeBlank(b, end - 2) || mayBeBlank(b, end - 3)))
  );
}

/** Blanks beyond ASCII are U+00A0, and some that begin with these bytes in UTF-8. */
function mayBeBlank(b: Buffer, at: number): boolean {
  const byte = b[at];
  return (
    (byte === 0xc2 && b[at + 1] === 0xa0) || byte === 0xe1 || byte === 0xe2 || byte === 0xe3 || byte === 0xef
  );
}

/** Rows are looked for when there are so many bytes, or no more. */
const WINDOW = 128 * 1024;

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
  readonly #meanings: Uint8Array;
  readonly #dialect: Dialect;
  readonly #cell: number;
  /** Where the bytes begin that are looked at. */
  #offset: number;
  #line: number;

  constructor({ offset, line }: Start, dialect: Dialect, cell: number) {
    this.#offset = offset;
    this.#line = line;
    this.#dialect = dialect;
    this.#delimiter = dialect.delimiter === ',' ? COMMA : TAB;
    this.#meanings = meanings(this.#delimiter);
    this.#cell = cell;
  }

  /** The whole rows at the beginning of the bytes, and what is left. */
  scan(bytes: Buffer, atEnd: boolean): { rows: RawRow[]; rest: Buffer } {
    const rows: RawRow[] = [];
    let at = 0;
    while (at < bytes.length) {
      const row = this.#row(bytes, at, atEnd) ?? this.#careful(bytes, at, atEnd);
      if (row === undefined) break;
      if (row.hasInk || !this.#isBlank(row.bytes)) rows.push(row);
      at = row.end;
      this.#line += row.lines;
    }
    this.#offset += at;
    return { rows, rest: bytes.subarray(at) };
  }

  /** The row at `from`, unless it is out of the ordinary, or not whole. */
  #row(b: Buffer, from: number, atEnd: boolean): RawRow | undefined {
    const { length } = b;
    const delimiter = this.#delimiter;
    const meaning = this.#meanings;
    let at = from;
    let seen = 0;
    let lines = 1;
    let cells = 0;
    let tidy = delimiter === COMMA;
    let cellStart = 0;
    let cellEnd = 0;
    for (;;) {
      const start = at;
      if (at < length && b[at] === QUOTE) {
        let needed = false;
        for (at++; ; at++) {
          if (at >= length) return undefined;
          const byte = b[at] ?? 0;
          if (byte === QUOTE) {
            if (b[at + 1] !== QUOTE) break;
            at++;
            needed = true;
            seen |= INK;
          } else if (byte === LF || (byte === CR && b[at + 1] !== LF)) {
            needed = true;
            lines++;
          } else {
            needed ||= byte === delimiter || byte === CR;
            seen |= byte > SPACE && byte < 0x80 ? INK : (meaning[byte] ?? 0);
          }
        }
        tidy &&= needed && !hasBlankEdge(b, start + 1, at);
        at++;
      } else {
        for (; at < length; at++) {
          const kind = meaning[b[at] ?? 0] ?? 0;
          if (kind >= SPECIAL) break;
          seen |= kind;
        }
        if (b[at] === QUOTE) return undefined;
        tidy &&= !hasBlankEdge(b, start, at);
      }
      if (cells++ === this.#cell) {
        cellStart = start;
        cellEnd = at;
      }
      const byte = b[at];
      if (byte === delimiter) {
        at++;
        continue;
      }
      tidy &&= byte === LF;
      if (byte === undefined) {
        if (!atEnd) return undefined;
      } else if (byte === LF) at++;
      else if (byte === CR) {
        if (at + 1 === length && !atEnd) return undefined;
        at += b[at + 1] === LF ? 2 : 1;
      } else return undefined;
      if (at - from > MAX_ROW) return undefined;
      return new RawRow({
        offset: this.#offset + from,
        line: this.#line,
        lines,
        piece: b,
        start: from,
        end: at,
        clean: true,
        ascii: (seen & HIGH) === 0,
        hasInk: (seen & INK) !== 0,
        cells,
        tidy,
        cellStart,
        cellEnd,
      });
    }
  }

  /** The row at `from`, whatever its quotes; undefined when it is not whole. */
  #careful(bytes: Buffer, from: number, atEnd: boolean): RawRow | undefined {
    // Most such rows are short, so not all that follows is made into text.
    for (let length = 4096; ; length *= 8) {
      const to = Math.min(bytes.length, from + length);
      const whole = to === bytes.length;
      const found = this.#cut(bytes, from, to, whole && atEnd);
      if (found !== undefined || whole) return found;
    }
  }

  #cut(bytes: Buffer, from: number, to: number, atEnd: boolean): RawRow | undefined {
    // One character a byte, so that places in the text are those of the bytes.
    const text = bytes.toString('latin1', from, to);
    const row = readRow(text, 0, this.#dialect.delimiter, atEnd);
    if (row === undefined) return undefined;
    const end = from + row.end;
    return new RawRow({
      offset: this.#offset + from,
      line: this.#line,
      lines: row.quoted ? Math.max(1, countLineBreaks(text.slice(0, row.end))) : 1,
      piece: bytes,
      start: from,
      end,
      clean: false,
      ascii: bytes.subarray(from, end).every((byte) => byte < 0x80),
      hasInk: false,
      cells: 0,
      tidy: false,
      cellStart: 0,
      cellEnd: 0,
    });
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
  const { piece, clean, ascii, cellStart, cellEnd } = row;
  if (!clean || !ascii) return cellsOf(rowText(row.bytes, dialect), dialect)[index] ?? '';
  if (cellStart === cellEnd) return '';
  if (piece[cellStart] !== QUOTE) return piece.toString('latin1', cellStart, cellEnd).trim();
  return piece
    .toString('latin1', cellStart + 1, cellEnd - 1)
    .replaceAll('""', '"')
    .trim();
}
