import { isAscii } from 'node:buffer';

/** A place where reading can go on after damage. */
export interface Landmark {
  /** Offset in the bytes searched. */
  readonly at: number;
  /** `entry`: an entry begins; `afterEntry`: one was closed just before; `feedEnd`: `</feed>`; `document`: a new one begins. */
  readonly kind: 'entry' | 'afterEntry' | 'feedEnd' | 'document';
}

/** Longer than any tag that is looked for, so that none is missed where two searches meet. */
export const LANDMARK_BYTES = 512;

const TAG = /<(?:\?xml[ \t\r\n]|(\/?)(?:[A-Za-z_][\w.-]{0,200}:)?(entry|feed)(?=[ \t\r\n/>]))/g;

/**
 * The first landmark at or behind `from`; undefined when there is none. Bytes are looked at, not their meaning: a tag in
 * a comment counts too, which is the price of going on after something is broken.
 */
export function findLandmark(bytes: Buffer, from: number): Landmark | undefined {
  // Latin-1 keeps offsets what they are; tags are ASCII.
  const text = bytes.toString('latin1');
  TAG.lastIndex = from;
  for (let match = TAG.exec(text); match !== null; match = TAG.exec(text)) {
    const [, slash, name] = match;
    if (name === undefined) return { at: match.index, kind: 'document' };
    if (slash === '') return { at: match.index, kind: name === 'entry' ? 'entry' : 'document' };
    if (name === 'feed') return { at: match.index, kind: 'feedEnd' };
    const close = text.indexOf('>', match.index);
    if (close >= 0) return { at: close + 1, kind: 'afterEntry' };
  }
  return undefined;
}

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
