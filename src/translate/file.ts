import { findV2Column, type V2Property } from '../activity/columns.js';
import { UsageError } from '../activity/errors.js';
import { invalidUtf8Offset, unfinishedUtf8 } from '../format/charset.js';
import { readCsv, writeCsv, type CsvRow } from '../format/csv.js';
import { INVALID, Transcoder, type Encoding } from '../format/transcode.js';
import type { UploadColumn } from '../v2/columns.js';
import { V2_LIMITS } from '../v2/names.js';
import { isChecked, valueProblem } from '../v2/values.js';
import { planFromV2, planUpload, translateRow, type ColumnTargets, type UploadPlan } from './columns.js';
import { loss, type Loss } from './loss.js';

/** What a contact file is translated from or to, and for what. */
export type TranslateFileOptions = {
  /** What the file is for: to add its contacts (default), or to remove them. */
  readonly purpose?: 'add' | 'remove' | undefined;
  /** Default `auto`: a byte order mark tells; else each line is UTF-8 or, where it is not, windows-1252. */
  readonly encoding?: Encoding | 'auto' | undefined;
} & (
  | {
      readonly to: 'v2';
      /** Where the values of columns go that v2 ignores. */
      readonly into?: ColumnTargets | undefined;
      /** Milliseconds since 1970, against which anniversaries are checked. Default the machine's. */
      readonly now?: number | undefined;
    }
  /** A file of v2 for ws. */
  | { readonly from: 'v2' }
);

/** A contact file that is rewritten while it is read. */
export interface FileTranslation {
  /** CSV in UTF-8, to be read once. */
  readonly chunks: AsyncIterable<string>;
  /** All that is different; complete when `chunks` came to its end. */
  readonly losses: readonly Loss[];
}

/**
 * The contact file as v2 takes it: CSV in UTF-8 with the headings of v2; of a removal, bare addresses. Or, from v2, as ws
 * takes it. Memory does not grow with the file.
 *
 * Reading `chunks` throws UsageError `CONTACTS_REQUIRED` for a file without a heading, `ADDRESS_COLUMN_REQUIRED` when no
 * column has addresses, `CONTACTS_INVALID` for a spreadsheet.
 */
export function translateFile(
  input: AsyncIterable<Uint8Array> | Uint8Array,
  options: TranslateFileOptions,
): FileTranslation {
  const rows = new RowTranslation(options);
  return { chunks: written(input, rows, options), losses: rows.losses };
}

async function* written(
  input: AsyncIterable<Uint8Array> | Uint8Array,
  rows: RowTranslation,
  options: TranslateFileOptions,
): AsyncGenerator<string, void> {
  const { purpose = 'add' } = options;
  let bytes = 0;
  for await (const text of writeCsv(rowsOf(input, rows, options))) {
    bytes += Buffer.byteLength(text);
    yield text;
  }
  rows.end();
  if ('from' in options) return;
  const most = purpose === 'add' ? V2_LIMITS.added : V2_LIMITS.removed;
  if (rows.count > most || bytes >= V2_LIMITS.bytes) {
    const [limit, size] = [V2_LIMITS.bytes, bytes].map((number) => number.toLocaleString('en-US'));
    rows.add(
      loss(
        'TOO_LARGE',
        'file',
        `${rows.count.toLocaleString('en-US')} contacts in ${size} bytes are more than v2 takes in one request, which is ` +
          `${most.toLocaleString('en-US')} in less than ${limit} bytes; send them in several, each with the heading`,
      ),
    );
  }
}

async function* rowsOf(
  input: AsyncIterable<Uint8Array> | Uint8Array,
  rows: RowTranslation,
  options: TranslateFileOptions,
): AsyncGenerator<readonly string[]> {
  const { purpose = 'add', encoding = 'auto' } = options;
  let begun = false;
  const delimiters = new Delimiters();
  const text = delimiters.seen(asUtf8(input, encoding, rows));
  for await (const row of readCsv(text, { lenient: true })) {
    const cells = rows.next(row);
    if (!begun && rows.plan !== undefined) {
      begun = true;
      if (delimiters.tabs) {
        rows.add(loss('SEPARATOR_CHANGED', 'file', 'cells stand between commas now, not between tabs'));
      }
      const bare = purpose === 'remove' && 'to' in options;
      if (bare)
        rows.add(loss('HEADING_REMOVED', 'heading', 'v2 takes bare addresses here, without a heading'));
      else yield rows.plan.uses.map(({ heading }) => heading);
    }
    if (cells !== undefined) yield cells;
  }
  if (rows.plan === undefined) {
    throw new UsageError('CONTACTS_REQUIRED', 'file: is empty; its first line must name the columns');
  }
}

export interface RowOptions {
  readonly purpose?: 'add' | 'remove' | undefined;
  readonly into?: ColumnTargets | undefined;
  readonly now?: number | undefined;
  /** Default: from ws to v2. */
  readonly from?: 'v2' | undefined;
}

/** Turns the rows of a contact file into those of the other API, and gathers what is different. */
export class RowTranslation {
  readonly losses: Loss[] = [];
  readonly #options: RowOptions;
  /** Undefined where values are not checked. */
  readonly #now: number | undefined;
  /** Known from the heading on. */
  plan: UploadPlan | undefined;
  /** Contacts so far. */
  count = 0;
  /** The columns of which v2 refuses some values. */
  #checked: readonly {
    readonly index: number;
    readonly property: V2Property;
    readonly v2Upload: string;
  }[] = [];
  #moved = false;
  #headless = false;
  readonly #counted = new Map<string, { first: number; times: number; tell: (where: string) => Loss }>();

  constructor(options: RowOptions) {
    this.#options = options;
    this.#now = options.from === 'v2' ? undefined : (options.now ?? Date.now());
  }

  add(...losses: readonly Loss[]): void {
    this.losses.push(...losses);
  }

  /** The row as the other API has it; undefined for the heading, and for a blank row. @throws UsageError for a heading without address. */
  next({ line, cells }: CsvRow): string[] | undefined {
    if (cells.every((cell) => cell.trim() === '')) return undefined;
    if (this.plan === undefined && this.#begin(cells)) return undefined;
    const { plan } = this;
    if (plan === undefined) return undefined;
    this.count++;
    if (line !== this.count + 1 && !this.#moved && !this.#headless) {
      this.#moved = true;
      const message = `contact ${this.count} is line ${this.count + 1} now: blank lines are not sent`;
      this.add(loss('LINES_MOVED', `line ${line}`, message));
    }
    if (cells.length > plan.width && cells.slice(plan.width).some((cell) => cell !== '')) {
      this.#tell('beyond', line, (where) =>
        loss(
          'CELL_BEYOND_HEADING',
          where,
          'a cell stands under no heading and is left out; is a comma not in quotes?',
        ),
      );
    }
    const row = translateRow(plan, cells, (column) => {
      this.#conflict(column, line);
    });
    this.#check(row, line);
    return row;
  }

  /** To be called when there are no more rows: says how often things were. */
  end(): void {
    for (const { first, times, tell } of this.#counted.values()) {
      this.add(tell(times === 1 ? `line ${first}` : `line ${first} and ${times - 1} more`));
    }
    this.#counted.clear();
  }

  /** Whether these cells are the heading: the file of a removal has none in v2. */
  #begin(cells: readonly string[]): boolean {
    const { purpose = 'add', into, from } = this.#options;
    if (from === 'v2' && purpose === 'remove' && cells.some((cell) => cell.includes('@'))) {
      this.plan = planFromV2(['EMAIL ADDRESS']);
      this.#headless = true;
      return false;
    }
    this.plan = from === 'v2' ? planFromV2(cells) : planUpload(cells, { purpose, into });
    if (!this.plan.uses.some(({ column }) => column.property === 'emailAddress')) {
      throw new UsageError(
        'ADDRESS_COLUMN_REQUIRED',
        `heading: no column is called EMAIL ADDRESS; the first line must name the columns${semicolons(cells) ? ', with commas or tabs between them: here they are semicolons' : ''}`,
      );
    }
    this.add(...this.plan.losses);
    this.#checked = this.plan.uses.flatMap(({ column: { property, v2Upload } }, index) =>
      isChecked(property) ? [{ index, property, v2Upload }] : [],
    );
    return true;
  }

  /** Says, once, that bytes were no text. */
  unreadable(): void {
    if (this.losses.some(({ code }) => code === 'CHARACTER_UNREADABLE')) return;
    this.add(
      loss(
        'CHARACTER_UNREADABLE',
        'file',
        'bytes that are no character of the encoding became ?; is the encoding right?',
      ),
    );
  }

  #conflict(column: UploadColumn, line: number): void {
    this.#tell(`conflict ${column.property}`, line, (where) =>
      loss(
        'VALUE_CONFLICT',
        where,
        `two columns become ${column.v2Upload} and have different values here; one of them is left out`,
      ),
    );
  }

  #check(row: readonly string[], line: number): void {
    const now = this.#now;
    if (now === undefined) return;
    for (const { index, property, v2Upload } of this.#checked) {
      const problem = valueProblem(property, row[index] ?? '', now);
      if (problem === undefined) continue;
      this.#tell(`refused ${property}`, line, (where) =>
        loss('VALUE_REFUSED', where, `v2 refuses the contact: "${v2Upload}" ${problem}`),
      );
    }
  }

  #tell(key: string, line: number, tell: (where: string) => Loss): void {
    const known = this.#counted.get(key);
    if (known === undefined) this.#counted.set(key, { first: line, times: 1, tell });
    else known.times++;
  }
}

/** Looks at the first line as it passes: whether tabs separate. */
class Delimiters {
  tabs = false;
  #done = false;

  async *seen(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let head = '';
    for await (const chunk of chunks) {
      if (!this.#done) {
        head += Buffer.from(chunk).toString('latin1').slice(0, LONGEST_HEAD);
        const line = /[^\r\n]+/.exec(head)?.[0] ?? '';
        const plain = line.replace(/"[^"]*"/g, '');
        this.tabs = count(plain, '\t') > count(plain, ',');
        this.#done = line !== '' && head.length > line.length;
      }
      yield chunk;
    }
  }
}

const LONGEST_HEAD = 65_536;

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

/** The bytes in UTF-8, or such as are read line by line as that or as windows-1252. */
async function* asUtf8(
  input: AsyncIterable<Uint8Array> | Uint8Array,
  encoding: Encoding | 'auto',
  rows: RowTranslation,
): AsyncGenerator<Uint8Array> {
  let transcoder: Transcoder | undefined;
  let recoded = 0;
  let rest: Uint8Array = Buffer.alloc(0);
  let first = true;
  let legacy = false;
  for await (const chunk of withHead(input)) {
    if (first) {
      first = false;
      const found = encoding === 'auto' ? encodingOf(chunk) : encoding;
      if (found !== 'UTF-8' && found !== 'US-ASCII') {
        transcoder = new Transcoder(found);
        rows.add(loss('ENCODING_CHANGED', 'file', `the text was ${found}, and is UTF-8 now`));
      }
      if (Buffer.from(chunk.subarray(0, 3)).toString('hex') === 'efbbbf') {
        rows.add(
          loss(
            'BOM_REMOVED',
            'file',
            'the byte order mark was taken away; v2 might read it as part of the heading',
          ),
        );
      }
    }
    if (transcoder !== undefined) {
      const bytes = transcoder.push(chunk);
      transcoder.forget((recoded += bytes.length));
      yield readable(bytes, rows);
      continue;
    }
    if (!legacy) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const whole = bytes.length - unfinishedUtf8(bytes);
      legacy = invalidUtf8Offset(bytes.subarray(0, whole)) !== undefined;
      rest = Buffer.from(bytes.subarray(whole));
    }
    yield chunk;
  }
  if (transcoder !== undefined) yield readable(transcoder.end(), rows);
  else if (legacy || rest.length > 0) {
    rows.add(loss('ENCODING_CHANGED', 'file', 'some lines were windows-1252, and are UTF-8 now'));
  }
}

function readable(bytes: Uint8Array, rows: RowTranslation): Uint8Array {
  if (!bytes.includes(INVALID)) return bytes;
  rows.unreadable();
  return bytes.map((byte) => (byte === INVALID ? QUESTION_MARK : byte));
}

const QUESTION_MARK = 0x3f;

/** The chunks, of which the first is long enough to tell what they are. */
async function* withHead(input: AsyncIterable<Uint8Array> | Uint8Array): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined = Buffer.alloc(0);
  for await (const chunk of input instanceof Uint8Array ? [input] : input) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    if (head.length < 4) continue;
    checkText(head);
    yield head;
    head = undefined;
  }
  if (head !== undefined) yield head;
}

function checkText(head: Uint8Array): void {
  const magic = Buffer.from(head.subarray(0, 4)).toString('hex');
  if (magic !== 'd0cf11e0' && magic !== '504b0304') return;
  throw new UsageError('CONTACTS_INVALID', 'file: is a spreadsheet; save the sheet as .csv first');
}

function encodingOf(head: Uint8Array): Encoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'UTF-16LE';
  return head[0] === 0xfe && head[1] === 0xff ? 'UTF-16BE' : 'UTF-8';
}

/** Spreadsheets of many countries put semicolons between cells. */
function semicolons(cells: readonly string[]): boolean {
  const names = cells.join(',').split(';');
  return names.length > 1 && names.some((name) => findV2Column(name)?.property === 'emailAddress');
}
