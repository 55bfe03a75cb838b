import { countLineBreaks } from '../format/csv-lenient.js';
import { fileHeading, type UploadColumn } from '../v2/columns.js';
import { importContact } from '../v2/import-data.js';
import type { V2Upload } from '../v2/meaning.js';
import { JSON_MEDIA_TYPE } from '../v2/names.js';
import { encodeRequest } from '../v2/requests.js';
import type { ColumnTargets } from './columns.js';
import { RowTranslation } from './file.js';
import type { Loss } from './loss.js';
import { cellsOf, rowText, type Dialect, type RawRow } from './split-rows.js';

/** What an encoder is told of the file that is split. */
export interface FileHead {
  readonly heading: readonly string[];
  readonly headingRow: RawRow;
  readonly dialect: Dialect;
  /** SHA-256 of the file, in hexadecimal. */
  readonly sha256: string;
}

/** The bytes of a part: `head`, the rows with `between` between them, `tail`. The same rows give the same bytes. */
export interface PartEncoding {
  /** The Content-Type header. */
  readonly contentType: string;
  /** The heading among them. */
  readonly head: Uint8Array;
  readonly between: Uint8Array;
  readonly tail: Uint8Array;
  /** The line that the first row has, as errors count: also those of JSON, which the service makes a file of. */
  readonly firstLine: number;
  row(row: RawRow): Uint8Array;
  /** How many lines the row has; asked only for rows of several lines in the file. */
  linesOf(row: RawRow): number;
  /** What was different about the rows so far. */
  losses?(): readonly Loss[];
}

/** How the parts are sent; called anew for each reading. */
export type PartEncoder = (file: FileHead) => PartEncoding | Promise<PartEncoding>;

const NOTHING = Buffer.alloc(0);
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Each part is a contact file like the whole: the same columns, separators and line ends, in UTF-8 without a mark. Rows are
 * sent byte by byte as they are, unless only a lenient reader understands them: then with proper quotes.
 */
export function fileParts(): PartEncoder {
  return ({ headingRow, dialect }) => {
    const row = (raw: RawRow) => asItStands(raw, dialect);
    const head = Buffer.from(row(headingRow));
    return {
      contentType: dialect.delimiter === ',' ? 'text/csv' : 'text/plain',
      head,
      between: NOTHING,
      tail: NOTHING,
      firstLine: 1 + countLineBreaks(head.toString('latin1')),
      row,
      linesOf: (raw) => countLineBreaks(Buffer.from(row(raw)).toString('latin1')),
    };
  };
}

function asItStands(row: RawRow, dialect: Dialect): Uint8Array {
  const { bytes, clean, ascii } = row;
  const text = ascii ? undefined : rowText(bytes, dialect);
  if (!clean)
    return Buffer.from(csvLine(cellsOf(text ?? bytes.toString('latin1'), dialect), dialect.delimiter));
  const last = bytes[bytes.length - 1];
  const ends = last === LINE_FEED || last === CARRIAGE_RETURN;
  if (text !== undefined) return Buffer.from(ends ? text : `${text}\n`);
  return ends ? bytes : Buffer.concat([bytes, Buffer.of(LINE_FEED)]);
}

/** As `writeCsv` writes it, which is made for many rows at once: here the size of each is asked for. */
function csvLine(cells: readonly string[], delimiter: Dialect['delimiter']): string {
  if (cells.length === 1 && cells[0] === '') return '""\n';
  const special = delimiter === ',' ? /^\s|\s$|["\r\n,]/ : /^\s|\s$|["\r\n\t]/;
  return `${cells.map((cell) => (special.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter)}\n`;
}

export interface V2PartOptions {
  /** Of removals, only the addresses are sent. */
  readonly purpose: 'add' | 'remove';
  /** `file` is what stands in the part `data` of a multipart body. */
  readonly as: 'json' | 'multipart' | 'file';
  /** Ids; needed but for `file`. */
  readonly lists?: readonly string[] | undefined;
  /** For JSON; default false. */
  readonly blanksEnabled?: boolean | undefined;
  /** Where the values of columns go that v2 ignores. */
  readonly into?: ColumnTargets | undefined;
  /** Milliseconds since 1970, against which anniversaries are checked. Default the machine's. */
  readonly now?: number | undefined;
}

/**
 * Each part is a request body of v2, with its columns, as `V2Client` would send those rows; the boundary of a multipart
 * body comes of the content of the whole file.
 *
 * The encoder throws UsageError `ADDRESS_COLUMN_REQUIRED`.
 */
export function v2Parts(options: V2PartOptions): PartEncoder {
  return async ({ heading, dialect, sha256 }) => {
    const { purpose, as, lists = [], blanksEnabled = false, into, now } = options;
    const translation = new RowTranslation({ purpose, into, now });
    translation.next({ line: 1, cells: heading });
    const columns = translation.plan?.uses.map(({ column }) => column) ?? [];
    const empty: V2Upload =
      purpose === 'add'
        ? { operation: 'addcontacts', table: { columns, rows: [] }, lists, blanksEnabled }
        : { operation: 'removefromlists', addresses: [], lists };
    const put =
      as === 'json' ? jsonContact(empty, columns) : (cells: readonly string[]) => csvLine(cells, ',');
    const cellsSent = ({ line, bytes }: RawRow) =>
      translation.next({ line, cells: cellsOf(rowText(bytes, dialect), dialect) }) ?? [];
    return {
      ...(await envelope(empty, as, `----ctct${sha256.slice(0, 24)}`)),
      row: (raw) => Buffer.from(put(cellsSent(raw))),
      linesOf: (raw) => cellsSent(raw).reduce((sum, cell) => sum + countLineBreaks(cell), 1),
      losses() {
        translation.end();
        // Where each line went, the parts tell themselves.
        return translation.losses.filter(({ code }) => code !== 'LINES_MOVED');
      },
    };
  };
}

function jsonContact(
  upload: V2Upload,
  columns: readonly UploadColumn[],
): (cells: readonly string[]) => string {
  if (upload.operation === 'removefromlists') {
    return ([address = '']) => JSON.stringify({ email_addresses: [address] });
  }
  return (cells) => JSON.stringify(importContact(columns, cells, upload.blanksEnabled));
}

/** All but the rows, taken from the body that the request has without any. */
async function envelope(
  empty: V2Upload,
  as: V2PartOptions['as'],
  boundary: string,
): Promise<Omit<PartEncoding, 'row' | 'linesOf' | 'losses'>> {
  if (as === 'file') {
    const heading = empty.operation === 'addcontacts' ? empty.table.columns.map(fileHeading) : [];
    return {
      contentType: 'text/csv',
      head: heading.length === 0 ? NOTHING : Buffer.from(csvLine(heading, ',')),
      between: NOTHING,
      tail: NOTHING,
      firstLine: heading.length === 0 ? 1 : 2,
    };
  }
  const whole = await encodeRequest(empty, { encoding: as, boundary });
  const { contentType } = whole;
  const chunks: Uint8Array[] = [];
  for await (const chunk of whole.open()) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (as === 'json') {
    const at = body.indexOf('[') + 1;
    return {
      contentType: JSON_MEDIA_TYPE,
      head: body.subarray(0, at),
      between: Buffer.from(','),
      tail: body.subarray(at),
      firstLine: 2,
    };
  }
  const at = body.lastIndexOf(`\r\n--${boundary}--`);
  return {
    contentType,
    head: body.subarray(0, at),
    between: NOTHING,
    tail: body.subarray(at),
    // Of a removal too, though its file has no heading: as in JSON.
    firstLine: 2,
  };
}
