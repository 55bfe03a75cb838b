import { open } from 'node:fs/promises';
import { unreadable } from './file-bytes.js';
import type { CutFile } from './parallel-job.js';
import { isOfSource } from './read.js';
import { LineCounter, type LineColumn } from './lines.js';

/** Where a part of a file is taken to begin, by the look of its bytes: whether it does, the reader of the part before finds. */
export interface Seam {
  readonly part: number;
  readonly byteOffset: number;
  /** Behind an entry of the feed that the file begins with, or where another document begins. */
  readonly kind: 'entry' | 'document';
}

/** So many bytes are searched at once; documents are only looked for in the first of them. */
export const WINDOW = 256 * 1024;
/** No tag that is looked for is longer. */
const OVERLAP = 512;

const ENTRY_END = /<\/(?:[A-Za-z_][\w.-]{0,200}:)?entry[ \t\r\n]{0,200}>/;

/** A file, with some of its bytes in memory, so that these are read once. */
export class PartBytes {
  readonly file: CutFile;
  /** Where the bytes in memory begin in the file. */
  start = 0;
  bytes: Buffer = Buffer.alloc(0);

  constructor(file: CutFile) {
    this.file = file;
  }

  /** Takes a part into `room`, with what the next seam is usually found in. */
  async load(part: number, room: Buffer): Promise<void> {
    this.start = part * this.file.partBytes;
    this.bytes = await read(this.file.path, room, this.start).catch((error: unknown) => {
      // Why it cannot be read is met again by who reads on from here.
      if (isOfSource(error)) return room.subarray(0, 0);
      throw error;
    });
  }

  /** The seam of the first part from `part` on that has one; undefined at the end of the file. */
  async nextSeam(part: number): Promise<Seam | undefined> {
    const { partBytes, size } = this.file;
    for (let candidate = part; candidate * partBytes < size; candidate++) {
      const seam = await this.seamOf(candidate);
      if (seam !== undefined) return seam;
    }
    return undefined;
  }

  /** Where the part begins; undefined when none of its bytes look like a place where it could. */
  async seamOf(part: number): Promise<Seam | undefined> {
    if (part === 0) return { part, byteOffset: 0, kind: 'document' };
    const { size, partBytes, feed } = this.file;
    const start = part * partBytes;
    const end = Math.min(size, start + partBytes);
    for (let from = start; from < end; from += WINDOW - OVERLAP) {
      const bytes = await this.#slice(from, Math.min(size, from + WINDOW, end + OVERLAP));
      const document = from === start ? findDocument(bytes) : -1;
      if (document >= 0 && from + document < end) {
        return { part, byteOffset: from + document, kind: 'document' };
      }
      const entry = feed === undefined ? null : ENTRY_END.exec(bytes.toString('latin1'));
      if (entry !== null && from + entry.index < end) {
        return { part, byteOffset: from + entry.index + entry[0].length, kind: 'entry' };
      }
    }
    return undefined;
  }

  /** Where `to` is, if `from` is at line 1, column 1. */
  async countLines(from: Seam, to: Seam): Promise<LineColumn> {
    const counter = new LineCounter({ line: 1, column: 1 });
    for (let at = from.byteOffset; at < to.byteOffset; at += WINDOW) {
      counter.add(await this.#slice(at, Math.min(at + WINDOW, to.byteOffset)));
    }
    const { line, column } = counter;
    return { line, column: this.file.marked && from.part === 0 && line === 1 ? column - 1 : column };
  }

  async #slice(from: number, to: number): Promise<Buffer> {
    if (from >= this.start && to <= this.start + this.bytes.length) {
      return this.bytes.subarray(from - this.start, to - this.start);
    }
    return read(this.file.path, Buffer.allocUnsafe(to - from), from);
  }
}

/** The bytes of a file from `start` on, as many as there is room for; fewer at its end. */
async function read(path: string, room: Buffer, start: number): Promise<Buffer> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    const { bytesRead } = await file.read(room, 0, room.length, start);
    return room.subarray(0, bytesRead);
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    await file.close();
  }
}

/** Where a declaration or the start tag of a feed is, with the mark before it; -1 where none is. */
function findDocument(bytes: Buffer): number {
  const found = ['<?xml', '<feed'].map((tag) => bytes.indexOf(tag, 0, 'latin1')).filter((at) => at >= 0);
  const at = found.length === 0 ? -1 : Math.min(...found);
  return at >= 3 && bytes.toString('latin1', at - 3, at) === '\xef\xbb\xbf' ? at - 3 : at;
}

/** Where one is so many lines, as `countLines` counts them, behind `from`. */
export function behind(from: LineColumn, lines: LineColumn): LineColumn {
  if (lines.line === 1) return { line: from.line, column: from.column + lines.column - 1 };
  return { line: from.line + lines.line - 1, column: lines.column };
}
