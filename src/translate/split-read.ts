import { createHash, type Hash } from 'node:crypto';
import { findV2Column } from '../activity/columns.js';
import { UsageError } from '../activity/errors.js';
import { Transcoder, type Encoding } from '../format/transcode.js';
import type { ContactSource } from '../upload/contact-source.js';
import { spool } from '../upload/spool.js';
import { DuplicateFinder, type Duplicates } from './duplicates.js';
import type { FileHead } from './split-encodings.js';
import {
  cellOf,
  cellsOf,
  findDelimiter,
  rowText,
  scanRows,
  type Dialect,
  type RawRow,
  type Start,
} from './split-rows.js';

/** A contact file that rows are read from. */
export interface ContactText {
  readonly source: ContactSource;
  readonly dialect: Dialect;
  /** Behind the byte order mark. */
  readonly start: number;
}

/** A contact file that was read once. */
export interface ReadText extends ContactText {
  readonly head: FileHead;
  /** Where the rows begin. */
  readonly rowsStart: Start;
  /** Cells that may have the address; the first of them that is not blank has it. */
  readonly addressCells: readonly number[];
  readonly duplicates: Duplicates;
  /** The row that ends the file begins there. */
  readonly lastLine: number;
  /** Rows that are not sent, since they have no address, once that is known. */
  readonly withoutAddress?: Duplicates | undefined;
}

/** Bytes by which the separator is told. */
const HEAD = 64 * 1024;

/**
 * The file as rows can be read from it: UTF-16 is rewritten, which is another source then.
 * @throws UsageError `CONTACTS_INVALID` for a spreadsheet.
 */
export async function openText(
  given: ContactSource,
  encoding: Encoding | 'auto',
  name: string,
): Promise<ContactText> {
  const first = await headOf(given, 4);
  const magic = first.toString('hex');
  if (magic === 'd0cf11e0' || magic === '504b0304') {
    throw new UsageError('CONTACTS_INVALID', `${name}: is a spreadsheet; save the sheet as .csv first`);
  }
  const found = encoding === 'auto' ? markOf(magic) : encoding;
  const wide = found === 'UTF-16LE' || found === 'UTF-16BE';
  const source = wide ? await spool(recoded(given, found)) : given;
  try {
    const head = await headOf(source, HEAD);
    const start = head.toString('hex', 0, 3) === 'efbbbf' ? 3 : 0;
    const delimiter = findDelimiter(head.subarray(start));
    return { source, start, dialect: { delimiter, encoding: wide ? 'UTF-8' : found } };
  } catch (error) {
    if (wide) await source.close();
    throw error;
  }
}

function markOf(magic: string): Encoding | 'auto' {
  if (magic.startsWith('fffe')) return 'UTF-16LE';
  return magic.startsWith('feff') ? 'UTF-16BE' : 'auto';
}

async function headOf(source: ContactSource, length: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let read = 0;
  for await (const chunk of source.read(0)) {
    chunks.push(chunk);
    if ((read += chunk.length) >= length) break;
  }
  return Buffer.concat(chunks).subarray(0, length);
}

async function* recoded(source: ContactSource, encoding: Encoding): AsyncGenerator<Uint8Array> {
  const transcoder = new Transcoder(encoding);
  let length = 0;
  for await (const chunk of source.read(0)) {
    const bytes = transcoder.push(chunk);
    transcoder.forget((length += bytes.length));
    yield bytes;
  }
  yield transcoder.end();
}

/** Reads the whole file once: its heading, its digest, and which rows are not sent. @throws UsageError as `splitUpload`. */
export async function readText(text: ContactText, name: string): Promise<ReadText> {
  const { source, dialect, start } = text;
  const hash = createHash('sha256');
  const finder = new DuplicateFinder(source.size);
  try {
    const hashed = { ...source, read: (from: number) => hashing(source, from, hash) };
    const head = await firstRow(text);
    if (head === undefined) throw required(`${name}: the file is empty`);
    const heading = cellsOf(rowText(head.bytes, dialect), dialect);
    const addressCells = heading.flatMap((cell, index) =>
      findV2Column(cell)?.property === 'emailAddress' ? [index] : [],
    );
    if (addressCells.length === 0) {
      throw new UsageError(
        'ADDRESS_COLUMN_REQUIRED',
        `${name}: line ${head.line}: no column is called EMAIL ADDRESS; the first line must name the columns`,
      );
    }
    const rowsStart = { offset: head.offset + head.length, line: head.line + head.lines };
    let last = head;
    for await (const rows of scanRows(hashed, { offset: start, line: 1 }, dialect, addressCells[0])) {
      for (const row of rows) {
        if (row.offset < rowsStart.offset) continue;
        last = row;
        const pending = finder.add(row.line, addressOf(row, { dialect, addressCells }));
        if (pending !== undefined) await pending;
      }
    }
    if (last === head) throw required(`${name}: there is no contact under the heading`);
    const duplicates = await finder.find(last.line);
    const sha256 = hash.digest('hex');
    return {
      ...text,
      head: { heading, headingRow: head, dialect, sha256 },
      rowsStart,
      addressCells,
      duplicates,
      lastLine: last.line,
    };
  } finally {
    await finder.close();
  }
}

/** The address of the row, trimmed. */
export function addressOf(row: RawRow, text: Pick<ReadText, 'dialect' | 'addressCells'>): string {
  const { dialect, addressCells } = text;
  const [first = 0, ...others] = addressCells;
  const address = cellOf(row, first, dialect);
  if (address !== '' || others.length === 0) return address;
  const cells = cellsOf(rowText(row.bytes, dialect), dialect);
  return others.map((index) => cells[index] ?? '').find((cell) => cell !== '') ?? '';
}

async function firstRow({ source, dialect, start }: ContactText): Promise<RawRow | undefined> {
  for await (const [row] of scanRows(source, { offset: start, line: 1 }, dialect)) {
    if (row !== undefined) return row;
  }
  return undefined;
}

/** The bytes from `from` on, which is behind the byte order mark; that counts too. */
async function* hashing(source: ContactSource, from: number, hash: Hash): AsyncGenerator<Uint8Array> {
  hash.update(from === 0 ? '' : '\ufeff');
  for await (const chunk of source.read(from)) {
    hash.update(chunk);
    yield chunk;
  }
}

/** The rows that are sent, from the beginning of one of them on. */
export async function* keptRows(text: ReadText, start: Start): AsyncGenerator<RawRow[]> {
  const { source, dialect, addressCells, duplicates, withoutAddress } = text;
  const left = duplicates.from(start.line);
  let next = await left.next();
  const bare = withoutAddress?.from(start.line);
  let nextBare = await bare?.next();
  for await (const rows of scanRows(source, start, dialect, addressCells[0])) {
    const kept: RawRow[] = [];
    for (const row of rows) {
      if (next.done !== true && next.value.line === row.line) next = await left.next();
      else if (nextBare?.done === false && nextBare.value.line === row.line) nextBare = await bare?.next();
      else kept.push(row);
    }
    yield kept;
  }
}

function required(message: string): UsageError {
  return new UsageError(
    'CONTACTS_REQUIRED',
    `${message}; the first line names the columns, each other is a contact`,
  );
}
