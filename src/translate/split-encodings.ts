import { countLineBreaks } from '../format/csv-lenient.js';
import { fileHeading, type UploadColumn } from '../v2/columns.js';
import { importContact } from '../v2/import-data.js';
import type { V2Upload } from '../v2/meaning.js';
import { JSON_MEDIA_TYPE } from '../v2/names.js';
import { encodeRequest, type EncodeOptions } from '../v2/requests.js';
import type { ColumnTargets } from './columns.js';
import { RowTranslation } from './file.js';
import type { Loss } from './loss.js';
import { cellsOf, rowText, type Dialect, type RawRow } from './split-rows.js';
import { straightAddress, straightRows } from './split-straight.js';

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
  readonly between: Uint8Array;
  readonly tail: Uint8Array;
  /** The line that the first row has, as errors count: also those of JSON, which the service makes a file of. */
  readonly firstLine: number;
  /** What stands before the rows of the part with that index, from 0; the heading is in it. */
  head(part: number): Uint8Array | Promise<Uint8Array>;
  /** Undefined where the row is not sent, since it has no address. */
  row(row: RawRow): Uint8Array | undefined;
  /** True where `row` gives the bytes that stand in the file, certainly. Left out where that is so of no row. */
  readonly straight?: ((row: RawRow) => boolean) | undefined;
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
      head: () => head,
      between: NOTHING,
      tail: NOTHING,
      firstLine: 1 + countLineBreaks(head.toString('latin1')),
      row,
      straight: ({ clean, ascii, piece, end }) => clean && ascii && isLineEnd(piece[end - 1]),
      linesOf: (raw) => countLineBreaks(Buffer.from(row(raw)).toString('latin1')),
    };
  };
}

function asItStands(row: RawRow, dialect: Dialect): Uint8Array {
  const { bytes, clean, ascii } = row;
  const text = ascii ? undefined : rowText(bytes, dialect);
  if (!clean)
    return Buffer.from(csvLine(cellsOf(text ?? bytes.toString('latin1'), dialect), dialect.delimiter));
  const ends = isLineEnd(bytes[bytes.length - 1]);
  if (text !== undefined) return Buffer.from(ends ? text : `${text}\n`);
  return ends ? bytes : Buffer.concat([bytes, Buffer.of(LINE_FEED)]);
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === LINE_FEED || byte === CARRIAGE_RETURN;
}

/** As `writeCsv` writes it, which is made for many rows at once: here the size of each is asked for. */
function csvLine(cells: readonly string[], delimiter: Dialect['delimiter']): string {
  if (cells.length === 1 && cells[0] === '') return '""\n';
  const special = delimiter === ',' ? /^\s|\s$|["\r\n,]/ : /^\s|\s$|["\r\n\t]/;
  return `${cells.map((cell) => (special.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter)}\n`;
}

/** What the parts of an upload to v2 are. */
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
  /** Milliseconds since 1970, against which anniversaries are checked; the parts do not depend on it. Default the machine's. */
  readonly now?: number | undefined;
  /**
   * What a multipart body calls the file of the part with that index, from 0; `sha256` is that of the whole file. v2 tells
   * it with the activity, so that each part can be known by it. Default `contacts.csv` for all.
   */
  readonly fileName?: ((index: number, sha256: string) => string) | undefined;
}

/**
 * Each part is a request body of v2, with its columns, as `V2Client` would send those rows; the boundary of a multipart
 * body comes of the content of the whole file. Rows without an address are not sent: v2 passes over them in silence, or
 * refuses a whole request for them.
 *
 * The encoder throws UsageError `ADDRESS_COLUMN_REQUIRED`.
 */
export function v2Parts(options: V2PartOptions): PartEncoder {
  return async ({ heading, dialect, sha256 }) => {
    const { purpose, as, lists = [], blanksEnabled = false, into, now = Date.now(), fileName } = options;
    const translation = new RowTranslation({ purpose, into, now });
    translation.next({ line: 1, cells: heading });
    const { plan } = translation;
    const columns = plan?.uses.map(({ column }) => column) ?? [];
    const addressAt = columns.findIndex(({ property }) => property === 'emailAddress');
    const empty: V2Upload =
      purpose === 'add'
        ? { operation: 'addcontacts', table: { columns, rows: [] }, lists, blanksEnabled }
        : { operation: 'removefromlists', addresses: [], lists };
    const put =
      as === 'json' ? jsonContact(empty, columns) : (cells: readonly string[]) => csvLine(cells, ',');
    const addressOf = purpose === 'remove' && plan !== undefined ? straightAddress(plan) : undefined;
    const cellsSent = (row: RawRow) => {
      const address = addressOf?.(row);
      if (address !== undefined) return [address];
      return translation.next({ line: row.line, cells: cellsOf(rowText(row.bytes, dialect), dialect) }) ?? [];
    };
    return {
      ...(await envelope(empty, as, {
        boundary: `----ctct${sha256.slice(0, 24)}`,
        fileNameOf: (index) => fileName?.(index, sha256),
      })),
      row(raw) {
        const cells = cellsSent(raw);
        return (cells[addressAt] ?? '') === '' ? undefined : Buffer.from(put(cells));
      },
      straight: as === 'json' || plan === undefined ? undefined : straightRows(plan, dialect, now),
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

interface Naming {
  readonly boundary: string;
  readonly fileNameOf: (index: number) => string | undefined;
}

/** All but the rows, taken from the body that the request has without any. */
async function envelope(
  empty: V2Upload,
  as: V2PartOptions['as'],
  { boundary, fileNameOf }: Naming,
): Promise<Omit<PartEncoding, 'row' | 'linesOf' | 'losses'>> {
  if (as === 'file') {
    const heading = empty.operation === 'addcontacts' ? empty.table.columns.map(fileHeading) : [];
    const head = heading.length === 0 ? NOTHING : Buffer.from(csvLine(heading, ','));
    return {
      contentType: 'text/csv',
      head: () => head,
      between: NOTHING,
      tail: NOTHING,
      firstLine: heading.length === 0 ? 1 : 2,
    };
  }
  if (as === 'json') {
    const { body } = await bodyOf(empty, { encoding: as });
    const at = body.indexOf('[') + 1;
    return {
      contentType: JSON_MEDIA_TYPE,
      head: () => body.subarray(0, at),
      between: Buffer.from(','),
      tail: body.subarray(at),
      firstLine: 2,
    };
  }
  const end = `\r\n--${boundary}--`;
  const first = await bodyOf(empty, { encoding: as, boundary, fileName: fileNameOf(0) });
  return {
    contentType: first.contentType,
    head: async (index) => {
      const { body } = await bodyOf(empty, { encoding: as, boundary, fileName: fileNameOf(index) });
      return body.subarray(0, body.lastIndexOf(end));
    },
    between: NOTHING,
    tail: first.body.subarray(first.body.lastIndexOf(end)),
    // Of a removal too, though its file has no heading: as in JSON.
    firstLine: 2,
  };
}

async function bodyOf(
  request: V2Upload,
  options: EncodeOptions,
): Promise<{ readonly contentType: string; readonly body: Buffer }> {
  const whole = await encodeRequest(request, options);
  const chunks: Uint8Array[] = [];
  for await (const chunk of whole.open()) chunks.push(chunk);
  return { contentType: whole.contentType, body: Buffer.concat(chunks) };
}
