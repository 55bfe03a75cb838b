import { createHash } from 'node:crypto';
import { UsageError } from '../activity/errors.js';
import type { RequestBody } from '../format/body.js';
import type { Encoding } from '../format/transcode.js';
import { fileSource, type ContactSource } from '../upload/contact-source.js';
import { Duplicates, type Duplicate } from './duplicates.js';
import type { PartLimits } from './limits.js';
import type { Loss } from './loss.js';
import { fileParts, type PartEncoder, type PartEncoding } from './split-encodings.js';
import { locateLines, partLines, type Located, type PartLine, type Wanted } from './split-lines.js';
import { keptRows, openText, readText, type ReadText } from './split-read.js';
import { RawRow, type Start } from './split-rows.js';

/** How a file is cut. */
export interface SplitOptions {
  /** What each part keeps to; see `LIMITS`. */
  readonly limits: PartLimits;
  /** How parts are sent. Default `fileParts()`: as files like the whole. */
  readonly encode?: PartEncoder | undefined;
  /** Default `auto`: a byte order mark tells; else each line is UTF-8 or, where it is not, windows-1252. */
  readonly encoding?: Encoding | 'auto' | undefined;
  /** What errors call a source that was given. Default `file`. */
  readonly name?: string | undefined;
}

/** One part, as a body that can be opened again and again: the bytes are read from the file each time. */
export interface UploadPart extends RequestBody {
  /** From 0. */
  readonly index: number;
  /** Rows below the heading. */
  readonly rows: number;
  /** Lines of the whole file where its first row begins, and its last row ends. */
  readonly firstLine: number;
  readonly lastLine: number;
  /** Bytes of the body; `length` is the same. */
  readonly bytes: number;
  readonly length: number;
  /** Of the body, in hexadecimal. */
  readonly sha256: string;
  /** @throws UsageError `FILE_CHANGED`, `FILE_UNREADABLE`. */
  open(): AsyncIterable<Uint8Array>;
  /** Its rows, with their lines in the part and in the file. */
  lines(): AsyncIterable<PartLine>;
  /** The rows that stand on those lines of the part, or have those addresses. */
  locate(wanted: Wanted): Promise<Located>;
  /** Lines of the rows of its stretch of the file that are not sent, since they have no address. */
  withoutAddress(): AsyncIterable<number>;
}

/** A contact file in parts. */
export interface SplitUpload {
  readonly heading: readonly string[];
  /** The line of the heading. */
  readonly headingLine: number;
  readonly parts: readonly UploadPart[];
  /** Rows in all parts. */
  readonly rows: number;
  /** How many rows are not sent, since their addresses come again further down. */
  readonly duplicateCount: number;
  /** How many rows are not sent, since they have no address. */
  readonly withoutAddressCount: number;
  /** Of the whole file, in hexadecimal; of a UTF-16 file, as UTF-8. */
  readonly sha256: string;
  /** What the encoder did to the rows. */
  readonly losses: readonly Loss[];
  /** The rows that are not sent, in the order of their lines. */
  duplicates(): AsyncIterable<Duplicate>;
  /** Their lines. */
  withoutAddress(): AsyncIterable<number>;
  /** Lets go of temporary files; nothing can be read afterwards. A source that was given stays open. May be called more than once. */
  close(): Promise<void>;
}

/**
 * The contact file in as few parts as keep to the limits, in its order: each is filled before the next begins. Of rows with
 * the same address, in any case, the last one is sent, alone, as it would count in one upload. Blank rows are not sent, nor
 * are rows without an address where the encoder leaves them out: should no row have one, there are no parts.
 *
 * The same file with the same options gives the same parts, so a part can be sent after a crash by splitting again.
 * Memory does not grow with the file: what is remembered of addresses goes to a temporary file.
 *
 * @param given path of a .csv or .txt file, or bytes that can be read again.
 * @throws UsageError `FILE_UNREADABLE`, `FILE_CHANGED`, `FILE_UNWRITABLE`; `CONTACTS_REQUIRED` for a file without rows,
 * `ADDRESS_COLUMN_REQUIRED`, `CONTACTS_INVALID` for a spreadsheet; `UPLOAD_TOO_LARGE` for a row that alone is over the
 * limits; `OPTION_INVALID` for limits below 1.
 */
export async function splitUpload(
  given: string | ContactSource,
  { limits, encode = fileParts(), encoding = 'auto', name: called = 'file' }: SplitOptions,
): Promise<SplitUpload> {
  if (!(limits.rows >= 1 && limits.bytes >= 1)) {
    throw new UsageError(
      'OPTION_INVALID',
      `limits: rows and bytes must be 1 or more, got ${limits.rows} and ${limits.bytes}`,
    );
  }
  const source = typeof given === 'string' ? await fileSource(given) : given;
  const name = typeof given === 'string' ? given : called;
  const owned: { close(): Promise<void> }[] = typeof given === 'string' ? [source] : [];
  const close = async () => {
    for (const one of owned) await one.close();
  };
  try {
    const opened = await openText(source, encoding, name);
    if (opened.source !== source) owned.push(opened.source);
    const text = await readText(opened, name);
    const { head, duplicates } = text;
    const withoutAddress = new Duplicates(text.lastLine);
    owned.push(duplicates, withoutAddress);
    const planning = await encode(head);
    const plans = await planParts(text, planning, { limits, name, withoutAddress });
    const planned = { ...text, withoutAddress };
    const reading = await encode(head);
    return {
      heading: head.heading,
      headingLine: head.headingRow.line,
      parts: plans.map((plan, index) =>
        uploadPart(planned, reading, plan, {
          index,
          from: (plans[index - 1]?.lastLine ?? 0) + 1,
          to: index === plans.length - 1 ? Infinity : plan.lastLine,
        }),
      ),
      rows: plans.reduce((sum, { rows }) => sum + rows, 0),
      duplicateCount: duplicates.count,
      withoutAddressCount: withoutAddress.count,
      sha256: head.sha256,
      losses: planning.losses?.() ?? [],
      duplicates: () => duplicates.from(1),
      withoutAddress: () => linesFrom(withoutAddress, 1),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a part consists of. */
interface PartPlan {
  readonly start: Start;
  readonly rows: number;
  readonly lastLine: number;
  readonly bytes: number;
  readonly sha256: string;
}

interface Planning {
  readonly limits: PartLimits;
  readonly name: string;
  /** Is told of rows that are not sent. */
  readonly withoutAddress: Duplicates;
}

async function planParts(
  text: ReadText,
  encoding: PartEncoding,
  { limits, name, withoutAddress }: Planning,
): Promise<PartPlan[]> {
  const plans: PartPlan[] = [];
  let part: PartDraft | undefined;
  for await (const rows of keptRows(text, text.rowsStart)) {
    for (const row of rows) {
      const sent = sentRow(encoding, row);
      if (sent === undefined) {
        await withoutAddress.add(row.line, 0, '');
        continue;
      }
      if (part?.takes(sent.length) !== true) {
        if (part !== undefined) plans.push(part.end());
        part = new PartDraft(encoding, await encoding.head(plans.length), limits, row);
        if (!part.takes(sent.length)) throw tooLarge(name, row, limits);
      }
      part.add(row, sent);
    }
    // Or else their pieces of the file would stay in memory.
    part?.settle();
  }
  if (part !== undefined) plans.push(part.end());
  return plans;
}

/** What is sent of a row: itself, where that is so. */
function sentRow(encoding: PartEncoding, row: RawRow): RawRow | Uint8Array | undefined {
  return encoding.straight?.(row) === true ? row : encoding.row(row);
}

/** A part that is being filled. */
class PartDraft {
  readonly #encoding: PartEncoding;
  readonly #limits: PartLimits;
  readonly #start: Start;
  readonly #hash = createHash('sha256');
  readonly #packer = new Packer((bytes) => this.#hash.update(bytes));
  #rows = 0;
  #lastLine = 0;
  #bytes: number;

  constructor(encoding: PartEncoding, head: Uint8Array, limits: PartLimits, { offset, line }: RawRow) {
    this.#encoding = encoding;
    this.#limits = limits;
    this.#start = { offset, line };
    this.#bytes = head.length + encoding.tail.length;
    this.#hash.update(head);
  }

  takes(length: number): boolean {
    return this.#rows < this.#limits.rows && this.#bytes + this.#sizeOf(length) < this.#limits.bytes;
  }

  add(row: RawRow, sent: RawRow | Uint8Array): void {
    this.#bytes += this.#sizeOf(sent.length);
    if (this.#rows > 0) this.#packer.add(this.#encoding.between);
    this.#packer.add(sent);
    this.#rows++;
    this.#lastLine = row.line + row.lines - 1;
  }

  /** Lets go of the rows that were added. */
  settle(): void {
    this.#packer.flush();
  }

  end(): PartPlan {
    this.#packer.flush();
    return {
      start: this.#start,
      rows: this.#rows,
      lastLine: this.#lastLine,
      bytes: this.#bytes,
      sha256: this.#hash.update(this.#encoding.tail).digest('hex'),
    };
  }

  #sizeOf(length: number): number {
    return length + (this.#rows > 0 ? this.#encoding.between.length : 0);
  }
}

const PACK = 64 * 1024;
/** Rows in one stretch of the file go by themselves when they have so many bytes. */
const STRETCH = 8 * 1024;

/**
 * Puts many small pieces together, which costs less than to pass on each; of rows one behind the other nothing is copied,
 * when they are many.
 */
class Packer {
  readonly #pass: (bytes: Uint8Array) => void;
  #buffer = Buffer.allocUnsafe(PACK);
  #used = 0;
  /** Rows as they stand, which are not packed yet. */
  #piece: Buffer = this.#buffer;
  #from = 0;
  #to = 0;

  constructor(pass: (bytes: Uint8Array) => void) {
    this.#pass = pass;
  }

  add(bytes: RawRow | Uint8Array | undefined): void {
    if (bytes === undefined) return;
    if (bytes instanceof RawRow) {
      if (bytes.start !== this.#to || bytes.piece !== this.#piece) {
        this.#endStretch();
        this.#piece = bytes.piece;
        this.#from = bytes.start;
      }
      this.#to = bytes.end;
    } else if (bytes.length > 0) {
      this.#endStretch();
      this.#put(bytes);
    }
  }

  /** Passes all on that was added. */
  flush(): void {
    this.#endStretch();
    this.#passPacked();
  }

  #endStretch(): void {
    if (this.#from === this.#to) return;
    const stretch = this.#piece.subarray(this.#from, this.#to);
    this.#from = this.#to = 0;
    this.#put(stretch);
  }

  #put(bytes: Uint8Array): void {
    if (bytes.length >= STRETCH || this.#used + bytes.length > PACK) this.#passPacked();
    if (bytes.length >= STRETCH) this.#pass(bytes);
    else {
      this.#buffer.set(bytes, this.#used);
      this.#used += bytes.length;
    }
  }

  #passPacked(): void {
    if (this.#used === 0) return;
    this.#pass(this.#buffer.subarray(0, this.#used));
    this.#buffer = Buffer.allocUnsafe(PACK);
    this.#used = 0;
  }
}

/** Which part it is, and the lines of the file that are its, with what is not sent. */
interface Stretch {
  readonly index: number;
  readonly from: number;
  readonly to: number;
}

function uploadPart(
  text: ReadText & { readonly withoutAddress: Duplicates },
  encoding: PartEncoding,
  plan: PartPlan,
  { index, from, to }: Stretch,
): UploadPart {
  const { start, rows, lastLine, bytes, sha256 } = plan;
  const lines = () => partLines(text, encoding, plan);
  return {
    index,
    rows,
    firstLine: start.line,
    lastLine,
    bytes,
    length: bytes,
    sha256,
    contentType: encoding.contentType,
    replayable: true,
    open: () => partBytes(text, encoding, plan, index),
    lines,
    locate: (wanted) => locateLines(lines(), wanted),
    withoutAddress: () => linesFrom(text.withoutAddress, from, to),
  };
}

async function* linesFrom(rows: Duplicates, first: number, last = Infinity): AsyncGenerator<number> {
  for await (const { line } of rows.from(first)) {
    if (line > last) return;
    yield line;
  }
}

async function* partBytes(
  text: ReadText,
  encoding: PartEncoding,
  { start, rows: count }: PartPlan,
  index: number,
): AsyncGenerator<Uint8Array> {
  let packed: Uint8Array[] = [];
  const packer = new Packer((bytes) => packed.push(bytes));
  let left = count;
  yield encoding.head(index);
  for await (const rows of keptRows(text, start)) {
    for (const row of rows.slice(0, left)) {
      if (left < count) packer.add(encoding.between);
      packer.add(sentRow(encoding, row));
      left--;
    }
    packer.flush();
    yield* packed;
    packed = [];
    if (left === 0) break;
  }
  yield encoding.tail;
}

function tooLarge(name: string, { line }: RawRow, { bytes }: PartLimits): UsageError {
  return new UsageError(
    'UPLOAD_TOO_LARGE',
    `${name}: line ${line}: this row alone is not less than ${bytes.toLocaleString('en-US')} bytes, heading and all, which ` +
      'is what one request may have; shorten it',
  );
}
