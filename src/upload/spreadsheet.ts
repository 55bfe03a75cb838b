import type * as Xlsx from '@e965/xlsx';
import type { CellObject, DenseWorkSheet } from '@e965/xlsx';
import { writeCsv } from '../format/csv.js';
import { isMissing } from '../optional.js';
import {
  SHEET_LIMITS,
  type SheetAnswer,
  type SheetLimits,
  type SheetOrder,
  type SheetText,
} from './sheet.js';
import { unpack } from './unpack.js';

/** The text of the sheet; else why there is none, as plain data, or that the library is not installed. Never rejects. */
export async function answerOrder(
  { bytes, limits }: SheetOrder,
  load: () => Promise<Library> = loadLibrary,
): Promise<SheetAnswer> {
  try {
    return await sheetToText(bytes, limits, await load());
  } catch (error) {
    if (isMissing(error, '@e965/xlsx')) return { missing: true };
    const problem = error instanceof Error ? error.message : String(error);
    return { problem: problem.slice(0, LONGEST_PROBLEM) };
  }
}

const LONGEST_PROBLEM = 200;

/** The library that reads them, which a user may have left out. */
export type Library = Pick<typeof Xlsx, 'read' | 'CFB'>;

function loadLibrary(): Promise<Library> {
  return import('@e965/xlsx');
}

/**
 * The first sheet, cells as Excel shows them: dates and numbers by their format, formulas by their last result. A whole
 * number without a format has all its digits, as phone numbers must.
 *
 * It takes long, and as much memory as hostile bytes want: call it where it can be ended.
 * @throws Error in words for a person.
 */
export async function sheetToText(
  bytes: Uint8Array,
  limits: SheetLimits,
  library: Library,
): Promise<SheetText> {
  const most = { ...SHEET_LIMITS, ...limits };
  const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (given.length > most.bytes) {
    throw new Error(`it has more than ${most.bytes.toLocaleString('en-US')} bytes`);
  }
  const safe = given.toString('hex', 0, 4) === ZIP ? repacked(given, most.unpacked, library) : given;
  const book = library.read(safe, {
    type: 'buffer',
    dense: true,
    cellFormula: false,
    cellHTML: false,
    cellNF: true,
    dateNF: 'm/d/yyyy',
    sheets: 0,
  });
  const [name = ''] = book.SheetNames;
  const sheet = Object.hasOwn(book.Sheets, name)
    ? (book.Sheets[name] as DenseWorkSheet | undefined)
    : undefined;
  const text = new SheetWriter(most);
  await text.write(sheet?.['!data'] ?? []);
  return { csv: Buffer.concat(text.chunks), sheets: book.SheetNames.length, lineBreaks: text.lineBreaks };
}

const ZIP = '504b0304';

/** Only what the library reads of it, not packed, so that nothing is unpacked but here. */
function repacked(archive: Buffer, most: number, { CFB }: Library): Uint8Array {
  const cfb = CFB as ZipLibrary;
  const files = unpack(archive, (name) => /\.(?:xml|rels)$/i.test(name), most);
  if (!files.some(({ name }) => /^xl\//i.test(name))) {
    throw new Error('it is an archive, and not one of Excel');
  }
  const container = cfb.utils.cfb_new();
  for (const { name, bytes } of files) cfb.utils.cfb_add(container, `/${name}`, bytes);
  return cfb.write(container, { type: 'buffer', fileType: 'zip' });
}

/** What is used of the part of the library that has no types. */
interface ZipLibrary {
  readonly utils: {
    cfb_new(): object;
    cfb_add(container: object, name: string, bytes: Uint8Array): void;
  };
  write(container: object, options: { readonly type: 'buffer'; readonly fileType: 'zip' }): Uint8Array;
}

class SheetWriter {
  readonly chunks: Buffer[] = [];
  lineBreaks = 0;
  readonly #most: Required<SheetLimits>;
  #bytes = 0;
  #cells = 0;

  constructor(most: Required<SheetLimits>) {
    this.#most = most;
  }

  async write(rows: readonly ((CellObject | undefined)[] | undefined)[]): Promise<void> {
    if (rows.length > this.#most.rows) {
      throw new Error(`it has more than ${this.#most.rows.toLocaleString('en-US')} rows`);
    }
    let batch: string[][] = [];
    for (let index = 0; index < rows.length; index++) {
      const cells = this.#cellsOf(rows[index] ?? []);
      if (cells.length > 0) batch.push(cells);
      if (cells.length > 0 && batch.length < ROWS_AT_ONCE && index + 1 < rows.length) continue;
      for await (const text of writeCsv(batch)) this.#put(text);
      if (cells.length === 0) this.#put('\n');
      batch = [];
    }
  }

  /** Up to the last that is not blank; `forEach` passes over what is not there. */
  #cellsOf(row: readonly (CellObject | undefined)[]): string[] {
    const cells: string[] = [];
    row.forEach((cell, index) => {
      const text = cell === undefined ? '' : this.#textOf(cell);
      if (text === '') return;
      while (cells.length < index) cells.push('');
      cells.push(text);
      this.#cells++;
    });
    if (this.#cells > this.#most.cells) {
      throw new Error(`it has more than ${this.#most.cells.toLocaleString('en-US')} cells`);
    }
    return cells;
  }

  #textOf(cell: CellObject): string {
    const text = shownText(cell);
    if (!/[\r\n]/.test(text)) return text.trim();
    this.lineBreaks++;
    return text.replace(/[\r\n]+/g, ' ').trim();
  }

  #put(text: string): void {
    const bytes = Buffer.from(text);
    if ((this.#bytes += bytes.length) > this.#most.text) {
      throw new Error(`as text it is more than ${this.#most.text.toLocaleString('en-US')} bytes`);
    }
    this.chunks.push(bytes);
  }
}

const ROWS_AT_ONCE = 500;

function shownText({ t, v, w, z }: CellObject): string {
  if (t === 'n' && Number.isSafeInteger(v) && (z === undefined || z === 'General')) return String(v);
  return w ?? (v === undefined ? '' : String(v));
}
