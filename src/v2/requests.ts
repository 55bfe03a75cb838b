import { DecodeError, ServiceError, UsageError } from '../activity/errors.js';
import { SORT_ORDERS } from '../activity/request.js';
import { bytesBody, type RequestBody } from '../format/body.js';
import { readCsv, writeCsv } from '../format/csv.js';
import { decodeMultipart, multipartBody, type MultipartPart } from '../format/multipart.js';
import {
  exportColumn,
  fileHeading,
  isIgnored,
  UPLOAD_COLUMNS,
  uploadColumn,
  type ExportColumn,
  type UploadColumn,
} from './columns.js';
import type { V2Encoding } from './encoding.js';
import { importContact, readAddresses, readImportData } from './import-data.js';
import { invalidJson, optional, parseJson, readArray, readFlag, readObject, readText } from './json.js';
import type { V2Request, V2Upload } from './meaning.js';
import { JSON_MEDIA_TYPE, V2_LIMITS, V2_SYSTEM_LISTS } from './names.js';
import type { ContactTable } from './table.js';
import type { Operation } from './uris.js';

export interface EncodeOptions {
  /** Default `json`; of uploads only. */
  readonly encoding?: Exclude<V2Encoding, 'auto'> | undefined;
  /** The multipart boundary; default random. */
  readonly boundary?: string | undefined;
  /** What a multipart body calls the file, ending in .csv. Default `contacts.csv`. */
  readonly fileName?: string | undefined;
}

/**
 * The body of the POST that asks for this; `blanksEnabled` stands in the query (`queryOf`).
 * @throws UsageError `UPLOAD_TOO_LARGE` for a body of 4,000,000 bytes or more.
 */
export async function encodeRequest(request: V2Request, options: EncodeOptions = {}): Promise<RequestBody> {
  switch (request.operation) {
    case 'addcontacts':
    case 'removefromlists':
      return options.encoding === 'multipart' ? asMultipart(request, options) : asJson(request);
    case 'clearlists':
      return json({ lists: request.lists });
    case 'exportcontacts':
      return json({
        file_type: 'CSV',
        sort_by: request.sortBy,
        export_date_added: request.exportDateAdded,
        export_added_by: request.exportAddedBy,
        lists: [request.list],
        column_names: request.columns.map(({ v2Export }) => v2Export),
      });
  }
}

/** The query of the POST, without the API key. */
export function queryOf(request: {
  readonly operation: V2Request['operation'];
  readonly blanksEnabled?: boolean | undefined;
}): Readonly<Record<string, string>> {
  const { operation, blanksEnabled = false } = request;
  return operation === 'addcontacts' && blanksEnabled ? { blanks_enabled: 'true' } : {};
}

function asJson(request: V2Upload): RequestBody {
  const size = new SizeLimit('as JSON');
  const contacts: string[] = [];
  const put = (contact: object) => {
    const text = JSON.stringify(contact);
    // The comma behind it.
    size.add(Buffer.byteLength(text) + 1);
    contacts.push(text);
  };
  const rest: Record<string, unknown> = { lists: request.lists };
  if (request.operation === 'addcontacts') {
    const { columns, rows } = request.table;
    for (const row of rows) put(importContact(columns, row, request.blanksEnabled));
    rest.column_names = columns.map(({ v2Upload }) => v2Upload);
  } else {
    for (const address of request.addresses) put({ email_addresses: [address] });
  }
  const bytes = Buffer.from(`{"import_data":[${contacts.join(',')}],${JSON.stringify(rest).slice(1)}`);
  size.check(bytes.length);
  return bytesBody(JSON_MEDIA_TYPE, bytes);
}

async function asMultipart(request: V2Upload, options: EncodeOptions): Promise<RequestBody> {
  const size = new SizeLimit('as a file');
  const pieces: Buffer[] = [];
  for await (const text of writeCsv(fileRows(request))) {
    const piece = Buffer.from(text);
    size.add(piece.length);
    pieces.push(piece);
  }
  const bytes = Buffer.concat(pieces);
  const { fileName = FILE_NAME } = options;
  const parts: MultipartPart[] = [
    { name: 'file_name', value: fileName },
    { name: 'lists', value: request.lists.join(',') },
    { name: 'data', fileName, ...bytesBody('text/csv', bytes) },
  ];
  const body = multipartBody(parts, options.boundary === undefined ? {} : { boundary: options.boundary });
  size.check(body.length ?? 0);
  return body;
}

/** Always CSV under the name of one, the only kind of file that is documented throughout. */
const FILE_NAME = 'contacts.csv';

/** Quirk: the file of a removal has no heading (test/fixtures/v2/requests/remove-multipart). */
function fileRows(request: V2Upload): (readonly string[])[] {
  return request.operation === 'addcontacts'
    ? [request.table.columns.map(fileHeading), ...request.table.rows]
    : request.addresses.map((address) => [address]);
}

function json(value: object): RequestBody {
  return bytesBody(JSON_MEDIA_TYPE, Buffer.from(JSON.stringify(value)));
}

/** Counts the bytes of a body, to stop long before a hopeless one is whole. */
class SizeLimit {
  readonly #how: string;
  #bytes = 0;

  constructor(how: string) {
    this.#how = how;
  }

  add(bytes: number): void {
    this.check((this.#bytes += bytes));
  }

  check(bytes: number): void {
    if (bytes < V2_LIMITS.bytes) return;
    throw new UsageError(
      'UPLOAD_TOO_LARGE',
      `contacts: ${this.#how} they are not less than ${V2_LIMITS.bytes.toLocaleString('en-US')} bytes, which is what ` +
        'v2 takes in one request; send them in several, or with fewer columns',
    );
  }
}

/**
 * What a POST asks for, as v2 reads it: names of columns in any case, columns that it ignores passed over.
 * @throws ServiceError 415 for another media type; 400 for what cannot be read, lacks what is required, or goes beyond the
 * limits of v2, and then of the whole request.
 */
export async function decodeRequest(
  operation: Operation,
  contentType: string | null,
  body: Uint8Array,
  query: URLSearchParams,
): Promise<V2Request> {
  const mediaType = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase();
  const uploads = operation === 'addcontacts' || operation === 'removefromlists';
  const multipart = mediaType === 'multipart/form-data';
  if (mediaType !== JSON_MEDIA_TYPE && !(uploads && multipart)) {
    const detail = `The Content-Type must be ${JSON_MEDIA_TYPE}${uploads ? ' or multipart/form-data' : ''}`;
    throw new ServiceError('SERVICE_REFUSED', detail, { status: 415, detail });
  }
  const limited = uploads && body.length >= V2_LIMITS.bytes;
  if (limited) throw refused(`The payload must be less than ${V2_LIMITS.bytes} bytes, not ${body.length}`);
  return multipart
    ? decodeFile(operation, body, contentType ?? '', query)
    : decodeJson(operation, parseJson(body), query);
}

function decodeJson(operation: Operation, value: unknown, query: URLSearchParams): V2Request {
  const given = readObject(value, '#');
  // Quirk: a client named the list "Active" (test/fixtures/v2/requests/export-active-in-capitals).
  const lists = checkLists(
    operation,
    readArray(given.lists, '#/lists').map((id, index) => readText(id, `#/lists/${index}`).toLowerCase()),
  );
  switch (operation) {
    case 'clearlists':
      return { operation, lists };
    case 'removefromlists': {
      const addresses = readAddresses(readContacts(given.import_data, V2_LIMITS.removed));
      return { operation, addresses, lists };
    }
    case 'addcontacts': {
      const contacts = readContacts(given.import_data, V2_LIMITS.added);
      const names = readArray(given.column_names, '#/column_names');
      const columns = names.length === 0 ? ADDRESS_ONLY : readUploadColumns(names);
      const rows = readImportData(contacts, columns);
      // Only without columns is the first contact looked at before the request is taken.
      if (names.length === 0 && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(rows[0]?.[0] ?? '')) {
        throw refused('Error in validating a contact: the first contact has no valid email address');
      }
      return { operation, table: { columns, rows }, lists, blanksEnabled: readBlanks(query) };
    }
    case 'exportcontacts':
      return decodeExport(given, lists);
  }
}

function readContacts(value: unknown, most: number): readonly unknown[] {
  const contacts = readArray(value, '#/import_data');
  if (contacts.length === 0)
    throw invalidJson('min.items.violation', '#/import_data', 'There is no contact.');
  if (contacts.length > most) throw tooMany('#/import_data', contacts.length, most);
  return contacts;
}

function tooMany(place: string, found: number, most: number): ServiceError {
  const what = `${found} items were contained, but the maximum number of items allowed is ${most}.`;
  return invalidJson('max.items.violation', place, what);
}

const ADDRESS_ONLY = UPLOAD_COLUMNS.filter(({ property }) => property === 'emailAddress');

function readUploadColumns(names: readonly unknown[]): readonly UploadColumn[] {
  const columns = readColumns(names, uploadColumn);
  if (columns.some(({ property }) => property === 'emailAddress')) return columns;
  throw refused('column_names must include EMAIL');
}

function readColumns<C extends UploadColumn | ExportColumn>(
  names: readonly unknown[],
  find: (name: string) => C | undefined,
): readonly C[] {
  const columns = names.flatMap((given, index) => {
    const place = `#/column_names/${index}`;
    const name = readText(given, place);
    const column = find(name);
    if (column === undefined && !isIgnored(name)) {
      throw invalidJson('enum.violation', place, `"${name.slice(0, 60)}" is not a column.`);
    }
    return column === undefined ? [] : [column];
  });
  // Quirk: the PHP library named the birthday columns twice (test/fixtures/v2/requests/add-columns-twice).
  return [...new Set(columns)];
}

function decodeExport(given: ReturnType<typeof readObject>, lists: readonly string[]): V2Request {
  const [list, ...others] = lists;
  if (list === undefined || others.length > 0) throw tooMany('#/lists', lists.length, 1);
  const fileType = optional(given.file_type, (value) => readText(value, '#/file_type')) ?? 'CSV';
  if (fileType !== 'CSV') throw refused('file_type must be CSV');
  const sort = optional(given.sort_by, (value) => readText(value, '#/sort_by')) ?? 'EMAIL_ADDRESS';
  const sortBy = SORT_ORDERS.find((order) => order === sort);
  if (sortBy === undefined) throw refused(`sort_by must be ${SORT_ORDERS.join(' or ')}`);
  const columns = readColumns(readArray(given.column_names, '#/column_names'), exportColumn);
  if (!columns.some(({ property }) => property === 'emailAddress')) {
    throw refused('column_names must include Email');
  }
  const flag = (name: string) => optional(given[name], (value) => readFlag(value, `#/${name}`)) ?? false;
  return {
    operation: 'exportcontacts',
    list,
    sortBy,
    exportDateAdded: flag('export_date_added'),
    exportAddedBy: flag('export_added_by'),
    columns,
  };
}

async function decodeFile(
  operation: Operation,
  body: Uint8Array,
  contentType: string,
  query: URLSearchParams,
): Promise<V2Request> {
  const parts = await decodeMultipart(body, contentType).catch((error: unknown) => {
    throw error instanceof DecodeError ? refused(error.message) : error;
  });
  const part = (name: string) => parts.find((candidate) => candidate.name === name);
  const text = (name: string) => Buffer.from(part(name)?.bytes ?? []).toString();
  const lists = checkLists(
    operation,
    text('lists')
      .split(',')
      .map((id) => id.trim())
      .filter((id) => id !== ''),
  );
  const data = part('data');
  if (data === undefined) throw refused('data is missing: send the file as the part data');
  const fileName = text('file_name').trim() || (data.fileName ?? '');
  if (fileName === '') throw refused('file_name is missing');
  if (/\.xlsx?$/i.test(fileName)) throw refused(`"${fileName.slice(0, 80)}" is no CSV file`);
  const rows: (readonly string[])[] = [];
  const most = operation === 'addcontacts' ? V2_LIMITS.added + 1 : V2_LIMITS.removed;
  for await (const { cells } of readCsv(data.bytes, { lenient: true })) {
    if (cells.some((cell) => cell !== '')) rows.push(cells);
  }
  if (rows.length > most) throw tooMany('data', rows.length, most);
  if (operation === 'removefromlists') {
    if (rows.length === 0) throw refused('data is empty');
    return { operation, addresses: rows.map(([address = '']) => address), lists };
  }
  const table = readFileTable(rows);
  return { operation: 'addcontacts', table, lists, blanksEnabled: readBlanks(query), fileName };
}

function readFileTable([heading = [], ...rows]: readonly (readonly string[])[]): ContactTable {
  const columns = heading.map(uploadColumn);
  const uses = columns.flatMap((column, index) =>
    column === undefined || columns.indexOf(column) < index ? [] : [{ column, index }],
  );
  if (!uses.some(({ column }) => column.property === 'emailAddress')) {
    throw refused('The file has no column Email address');
  }
  if (rows.length === 0) throw refused('The file has no contact under its heading');
  return {
    columns: uses.map(({ column }) => column),
    rows: rows.map((cells) => uses.map(({ index }) => cells[index] ?? '')),
  };
}

/** The ids, each once; of an export, perhaps the name of a system list. */
function checkLists(operation: Operation, lists: readonly string[]): readonly string[] {
  if (lists.length === 0) throw refused('lists is empty: name at least one list');
  const wrong = lists.find(
    (list) => !/^[0-9]{1,20}$/.test(list) && !(operation === 'exportcontacts' && SYSTEM_NAMES.has(list)),
  );
  if (wrong === undefined) return [...new Set(lists)];
  throw refused(`the list "${wrong.slice(0, 80)}" does not exist; lists are named by id`);
}

const SYSTEM_NAMES: ReadonlySet<string> = new Set(Object.values(V2_SYSTEM_LISTS));

function readBlanks(query: URLSearchParams): boolean {
  return query.get('blanks_enabled')?.toLowerCase() === 'true';
}

function refused(detail: string): ServiceError {
  return new ServiceError('SERVICE_REFUSED', `the request cannot be understood: ${detail}`, {
    status: 400,
    detail,
  });
}
