import { basename, extname } from 'node:path';
import { checkContacts } from '../activity/contacts.js';
import { UsageError } from '../activity/errors.js';
import { checkHeading, FEWEST_CONTACTS, type Contacts, type Warning } from '../activity/request.js';
import type { RequestBody } from '../format/body.js';
import { invalidUtf8Offset, unfinishedUtf8 } from '../format/charset.js';
import { readCsv } from '../format/csv.js';
import { writeRows } from './contact-rows.js';
import { fileSource, memorySource, streamBytes, type ContactSource } from './contact-source.js';
import { refuseAborted } from './gather.js';
import { spool } from './spool.js';

/** What can be uploaded, by file name extension: its kind, and the Content-Type and extension it is sent with. */
const KINDS = {
  '.csv': { kind: 'csv', contentType: 'text/csv', extension: '.csv' },
  '.txt': { kind: 'txt', contentType: 'text/plain', extension: '.txt' },
  // The service knows no .tsv, only tab-separated .txt.
  '.tsv': { kind: 'txt', contentType: 'text/plain', extension: '.txt' },
  '.xls': { kind: 'xls', contentType: 'application/vnd.ms-excel', extension: '.xls' },
} as const;

/** A contact file that was looked at and can be sent, more than once; `contentType` and `length` are the file's. */
export interface ContactFile extends RequestBody {
  /** A bare name, such as `contacts.csv`. */
  readonly fileName: string;
  readonly kind: 'csv' | 'txt' | 'xls';
  readonly length: number;
  readonly warnings: readonly Warning[];
  /** Lets go of the temporary file, where there is one; it cannot be opened afterwards. May be called more than once. */
  close(): Promise<void>;
}

/**
 * The contacts as a file to send. Rows become CSV with a heading; text, bytes, files and streams are sent as they are,
 * less a UTF-8 BOM, which old parsers read as part of the heading. A file stays on the disk until it is sent; rows and
 * streams are gathered first, beyond 8 MiB in a temporary file: call `close` when the contacts are sent. Of text files
 * the heading and the first rows are read, of .xls files nothing.
 *
 * Warnings: columns the API does not document; fewer than 25 contacts.
 * @param options.signal ends the gathering of rows and streams at once, and closes their iterators.
 * @throws UsageError `CONTACTS_REQUIRED` (no heading, or nothing under it), `ADDRESS_COLUMN_REQUIRED`,
 * `CONTACTS_INVALID` (a broken row or heading, another kind of file than its name says, UTF-16, a value of the wrong
 * kind), `FILE_UNREADABLE`; and from `open`, `FILE_CHANGED`. TransportError `ABORTED`.
 */
export async function openContactFile(
  given: Contacts,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<ContactFile> {
  const contacts = checkContacts(given);
  refuseAborted(signal);
  if ('rows' in contacts) {
    const { heading, source, count } = await writeRows(contacts.rows, contacts.columns, signal);
    return closingUnless(source, () =>
      contactFile('contacts.csv', source, 0, [...checkHeading(heading), ...fewContacts(count)]),
    );
  }
  const path = 'file' in contacts ? contacts.file : (contacts.fileName ?? 'contacts.csv');
  const { kind } = kindOf(path);
  const source = await contactSource(contacts, signal);
  return closingUnless(source, async () => {
    const head = await firstBytes(source);
    checkContent(path, kind, head);
    if (kind === 'xls') {
      if (source.size === 0) throw required(`${path}: the file is empty`);
      return contactFile(path, source, 0, []);
    }
    const start = head.startsWith('efbbbf') ? 3 : 0;
    return contactFile(path, source, start, await checkRows(path, source.read(start)));
  });
}

/** What `make` gives; when it throws, the source is let go of. */
async function closingUnless<T>(source: ContactSource, make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    await source.close();
    throw error;
  }
}

/**
 * Nothing, when the file is text that can be sent urlencoded.
 * @throws UsageError `CONTACTS_INVALID` when it is not UTF-8; such a file must be sent as multipart.
 */
export async function checkText(file: ContactFile): Promise<void> {
  let before = 0;
  let rest: Uint8Array = new Uint8Array();
  const check = (bytes: Uint8Array) => {
    const invalid = invalidUtf8Offset(bytes);
    if (invalid !== undefined) throw notText(file.fileName, before + invalid);
    before += bytes.length;
  };
  for await (const chunk of file.open()) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - unfinishedUtf8(bytes);
    check(bytes.subarray(0, whole));
    rest = bytes.subarray(whole);
  }
  check(rest);
}

function notText(fileName: string, offset: number): UsageError {
  return new UsageError(
    'CONTACTS_INVALID',
    `${fileName}: byte ${offset} is not UTF-8 text, so the file cannot be sent urlencoded; ` +
      "save it as UTF-8, or send it with encoding: 'multipart'",
  );
}

function contactFile(
  path: string,
  source: ContactSource,
  start: number,
  warnings: readonly Warning[],
): ContactFile {
  const { kind, contentType, extension } = kindOf(path);
  return {
    fileName: basename(path, extname(path)) + extension,
    kind,
    contentType,
    length: source.size - start,
    replayable: true,
    warnings,
    open: () => source.read(start),
    close: () => source.close(),
  };
}

/** Whether the name says which kind of contact file it is: `.csv`, `.txt`, `.tsv` or `.xls`, in any case. */
export function isContactFileName(name: string): boolean {
  return Object.hasOwn(KINDS, extname(name).toLowerCase());
}

function kindOf(path: string): (typeof KINDS)[keyof typeof KINDS] {
  const extension = extname(path).toLowerCase();
  if (Object.hasOwn(KINDS, extension)) return KINDS[extension as keyof typeof KINDS];
  throw new UsageError(
    'CONTACTS_INVALID',
    extension === '.xlsx'
      ? `${path}: the service does not read .xlsx; save the sheet as .csv or .xls`
      : `${path}: a contact file ends in .csv, .txt, .tsv or .xls; rename it to what it is`,
  );
}

/** The bytes of contacts that were not given as rows. @throws UsageError `FILE_UNREADABLE`, `CONTACTS_INVALID`. */
export async function contactSource(
  contacts: Exclude<Contacts, { rows: unknown }>,
  signal: AbortSignal | undefined,
): Promise<ContactSource> {
  if ('file' in contacts) return fileSource(contacts.file);
  if ('stream' in contacts) return spool(streamBytes(contacts.stream, signal));
  if ('bytes' in contacts) return memorySource(contacts.bytes);
  if (/\p{Surrogate}/u.test(contacts.text)) {
    throw new UsageError(
      'CONTACTS_INVALID',
      'text: holds half of a surrogate pair, which cannot be sent; was the text cut in a character?',
    );
  }
  return memorySource(Buffer.from(contacts.text));
}

/** The first eight bytes at most, in hexadecimal. */
async function firstBytes(source: ContactSource): Promise<string> {
  for await (const chunk of source.read(0)) return Buffer.from(chunk.subarray(0, 8)).toString('hex');
  return '';
}

function checkContent(path: string, kind: ContactFile['kind'], head: string): void {
  const problem = head.startsWith('504b0304')
    ? 'is an .xlsx workbook, whatever its name; save the sheet as .csv or .xls'
    : kind !== 'xls' && head.startsWith('d0cf11e0')
      ? 'is an .xls workbook, whatever its name; rename it to .xls, or save the sheet as .csv'
      : kind !== 'xls' && /^(fffe|feff)/.test(head)
        ? 'is UTF-16 text; save it as UTF-8'
        : undefined;
  if (problem !== undefined) throw new UsageError('CONTACTS_INVALID', `${path}: ${problem}`);
}

/** Reads no further than is needed to know that there are enough rows. */
async function checkRows(path: string, bytes: AsyncIterable<Uint8Array>): Promise<Warning[]> {
  let heading: readonly string[] | undefined;
  let count = 0;
  for await (const { line, cells } of readCsv(bytes, { lenient: true })) {
    if (heading === undefined) heading = checkClosed(path, line, cells);
    else if (++count === FEWEST_CONTACTS) break;
  }
  if (heading === undefined) throw required(`${path}: the file is empty`);
  const warnings = checkHeading(heading);
  if (count === 0) throw required(`${path}: there is no contact under the heading`);
  return [...warnings, ...fewContacts(count)];
}

/** The cells of the heading, unless one of them begins with a quote that its line does not close. */
function checkClosed(path: string, line: number, cells: readonly string[]): readonly string[] {
  // Read leniently, such a cell goes on in the lines below, or keeps its quote.
  const isOpen = (cell: string) =>
    /[\r\n]/.test(cell) || (cell.startsWith('"') && cell.split('"').length % 2 === 0);
  if (!cells.some(isOpen)) return cells;
  throw new UsageError(
    'CONTACTS_INVALID',
    `${path}: line ${line}: a quoted column name is not closed; put a quote (") behind it, or take away the one before it`,
  );
}

function required(message: string): UsageError {
  return new UsageError(
    'CONTACTS_REQUIRED',
    `${message}; the first line names the columns, each other is a contact`,
  );
}

function fewContacts(count: number): Warning[] {
  if (count >= FEWEST_CONTACTS) return [];
  return [
    {
      code: 'FEW_CONTACTS',
      message:
        `${count} contact${count === 1 ? '' : 's'}: the service asks that the bulk API be used for ` +
        `${FEWEST_CONTACTS} or more; it is sent all the same`,
    },
  ];
}
