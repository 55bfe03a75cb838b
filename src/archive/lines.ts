import { isAscii } from 'node:buffer';

/** A place in a text: lines and columns count from 1, columns in characters. */
export interface LineColumn {
  readonly line: number;
  readonly column: number;
}

/** Where one is behind these bytes of UTF-8, having begun at `from`. CR LF is one line end, as CR and LF alone are. */
export function advance(from: LineColumn, bytes: Uint8Array): LineColumn {
  const counter = new LineCounter(from);
  counter.add(bytes);
  return { line: counter.line, column: counter.column };
}

/** Counts lines and columns through UTF-8 that comes in pieces. */
export class LineCounter implements LineColumn {
  line: number;
  column: number;
  #afterReturn = false;

  constructor({ line, column }: LineColumn) {
    this.line = line;
    this.column = column;
  }

  add(bytes: Uint8Array): void {
    // A line feed behind the carriage return that the piece before ended in ends no other line.
    const from = this.#afterReturn && bytes[0] === LINE_FEED ? 1 : 0;
    if (bytes.length > 0) this.#afterReturn = bytes[bytes.length - 1] === CARRIAGE_RETURN;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset + from, bytes.length - from);
    let last = -1;
    // To ask `indexOf` again and again is several times as fast as to look at each byte here.
    for (let at = buffer.indexOf(LINE_FEED); at >= 0; at = buffer.indexOf(LINE_FEED, at + 1)) {
      this.line++;
      last = at;
    }
    for (let at = buffer.indexOf(CARRIAGE_RETURN); at >= 0; at = buffer.indexOf(CARRIAGE_RETURN, at + 1)) {
      if (buffer[at + 1] !== LINE_FEED) this.line++;
      last = Math.max(last, at);
    }
    if (last >= 0) this.column = 1;
    this.column += charactersOf(buffer.subarray(last + 1));
  }
}

function charactersOf(bytes: Buffer): number {
  if (isAscii(bytes)) return bytes.length;
  let characters = 0;
  let at = 0;
  while (at < bytes.length) if (((bytes[at++] ?? 0) & 0xc0) !== 0x80) characters++;
  return characters;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
