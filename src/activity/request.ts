import { EMAIL_ADDRESS, findColumn, findV2Column, similarColumn, type ColumnName } from './columns.js';
import { checkContacts } from './contacts.js';
import { UsageError } from './errors.js';
import { refuseUnknownFields } from './fields.js';
import { isSystemList, listId, type ListRef } from './list.js';
import { shown } from './shown.js';

/** The types that add contacts. SV_ADD and ADD_CONTACTS mean the same; the service decides by the data what is stored. */
export const ADD_TYPES = ['ADD_CONTACTS', 'SV_ADD', 'ADD_CONTACT_DETAIL'] as const;
export const FILE_TYPES = ['CSV', 'TXT'] as const;
export const SORT_ORDERS = ['EMAIL_ADDRESS', 'DATE_DESC'] as const;

/** The service asks that the bulk API be used for this many contacts or more. */
export const FEWEST_CONTACTS = 25;

/** A type that adds contacts. The first two mean the same. */
export type AddType = (typeof ADD_TYPES)[number];
/** The form of an exported file: by commas, or by tabs. */
export type FileType = (typeof FILE_TYPES)[number];
/** The order of the rows of an exported file. */
export type SortOrder = (typeof SORT_ORDERS)[number];

/** One contact: values keyed by column, in any spelling that `findColumn` knows (`emailAddress`, `EMAIL ADDRESS` …). */
export type ContactRow = Readonly<Record<string, string | number | null | undefined>>;

/**
 * The contacts of an upload: rows; a contact file as text or as bytes; the path of a .csv, .txt or .xls file;
 * or a stream of a contact file's bytes. `fileName` tells the kind of file where no path does; default `contacts.csv`.
 * `columns` are the columns of the rows and their order; default: the keys of the first row.
 */
export type Contacts =
  | {
      readonly rows: Iterable<ContactRow> | AsyncIterable<ContactRow>;
      readonly columns?: readonly string[] | undefined;
    }
  | { readonly text: string; readonly fileName?: string | undefined }
  | { readonly bytes: Uint8Array; readonly fileName?: string | undefined }
  | { readonly file: string }
  | { readonly stream: AsyncIterable<Uint8Array>; readonly fileName?: string | undefined };

/** Adds contacts to lists, and updates those that are there. */
export interface AddContacts {
  readonly activityType: AddType;
  readonly contacts: Contacts;
  /** The lists the contacts are added to, one or more. */
  readonly lists: readonly ListRef[];
  /** Erase what a contact has in a column where its cell is blank. Default false; v2 only, ws cannot say it. */
  readonly blanksEnabled?: boolean | undefined;
}

/** Takes contacts off lists. */
export interface RemoveContacts {
  readonly activityType: 'REMOVE_CONTACTS_FROM_LISTS';
  readonly contacts: Contacts;
  /** The lists the contacts are removed from, one or more. */
  readonly lists: readonly ListRef[];
}

/** Takes all members off lists. */
export interface ClearLists {
  readonly activityType: 'CLEAR_CONTACTS_FROM_LISTS';
  /** The lists that lose all their members, one or more; never a system list. */
  readonly lists: readonly ListRef[];
}

/** Makes a file of the members of a list. */
export interface ExportContacts {
  readonly activityType: 'EXPORT_CONTACTS';
  /** The list to export; system lists are allowed. */
  readonly listId: ListRef;
  /** Default `CSV`. */
  readonly fileType?: FileType | undefined;
  /** Include the date each contact was added (or removed). Default false. */
  readonly exportOptDate?: boolean | undefined;
  /** Include who added (or removed) each contact. Default false. */
  readonly exportOptSource?: boolean | undefined;
  /** Include the list's name. Default false. */
  readonly exportListName?: boolean | undefined;
  /** `EMAIL_ADDRESS` ascending (default), or `DATE_DESC`, the newest first. */
  readonly sortBy?: SortOrder | undefined;
  /** The columns wanted beside the e-mail address, which is always there. Default none. v2 has `Contact ID` too. */
  readonly columns?: readonly string[] | undefined;
}

/** What a caller asks for. */
export type ActivityRequest = AddContacts | RemoveContacts | ClearLists | ExportContacts;

/** A request whose lists are ids, whose columns are known names, and whose options are all there. */
export type CheckedRequest =
  | {
      readonly activityType: AddType | 'REMOVE_CONTACTS_FROM_LISTS';
      readonly contacts: Contacts;
      readonly lists: readonly string[];
      /** Only of what adds, and only where it was asked for. */
      readonly blanksEnabled?: true;
    }
  | { readonly activityType: 'CLEAR_CONTACTS_FROM_LISTS'; readonly lists: readonly string[] }
  | {
      readonly activityType: 'EXPORT_CONTACTS';
      readonly listId: string;
      readonly fileType: FileType;
      readonly exportOptDate: boolean;
      readonly exportOptSource: boolean;
      readonly exportListName: boolean;
      readonly sortBy: SortOrder;
      readonly columns: readonly ExportColumn[];
    };

/** A column of an export: `CONTACT ID` is one of v2 only. */
export type ExportColumn = ColumnName | typeof CONTACT_ID;

/** Something a caller should know of a request that is sent all the same. */
export interface Warning {
  readonly code:
    | 'FEW_CONTACTS'
    | 'COLUMN_UNKNOWN'
    /** The service takes the column, and ignores it. */
    | 'COLUMN_IGNORED'
    /** Errors will name other lines than those of the file. */
    | 'LINES_MOVED'
    | 'RECORD_DOUBTFUL'
    /** The answer to a creation was lost, and the activity is looked for. */
    | 'ANSWER_LOST'
    /** The service refuses to tell how an activity goes on, time after time. */
    | 'READS_REFUSED'
    /** What the service itself warns of. */
    | 'SERVICE_WARNING';
  readonly message: string;
}

const UPLOAD_FIELDS = ['activityType', 'contacts', 'lists'];
const ADD_FIELDS = [...UPLOAD_FIELDS, 'blanksEnabled'];
const CLEAR_FIELDS = ['activityType', 'lists'];
const EXPORT_FIELDS = [
  'activityType',
  'listId',
  'fileType',
  'exportOptDate',
  'exportOptSource',
  'exportListName',
  'sortBy',
  'columns',
  // Counted together with listId.
  'lists',
];

/**
 * The request with list ids, column names and defaults filled in.
 * @throws UsageError when the request cannot be meant: an unknown type or field, no list, a system list to be cleared,
 * more or less than one list in an export, an unknown column, a value of the wrong kind.
 */
export function checkRequest(request: ActivityRequest): CheckedRequest {
  const type = activityTypeOf(request);
  switch (request.activityType) {
    case 'ADD_CONTACTS':
    case 'SV_ADD':
    case 'ADD_CONTACT_DETAIL':
      refuseUnknownFields(request, ADD_FIELDS, request.activityType);
      return {
        activityType: request.activityType,
        contacts: checkContacts(request.contacts),
        lists: checkLists(request.lists, request.activityType),
        ...(flag('blanksEnabled', request.blanksEnabled) && { blanksEnabled: true }),
      };
    case 'REMOVE_CONTACTS_FROM_LISTS':
      refuseUnknownFields(request, UPLOAD_FIELDS, request.activityType);
      return {
        activityType: request.activityType,
        contacts: checkContacts(request.contacts),
        lists: checkLists(request.lists, request.activityType),
      };
    case 'CLEAR_CONTACTS_FROM_LISTS':
      refuseUnknownFields(request, CLEAR_FIELDS, request.activityType);
      return {
        activityType: request.activityType,
        lists: checkClearable(checkLists(request.lists, request.activityType)),
      };
    case 'EXPORT_CONTACTS':
      refuseUnknownFields(request, EXPORT_FIELDS, request.activityType);
      return {
        activityType: request.activityType,
        listId: checkOneList(request),
        fileType: oneOf('fileType', request.fileType ?? 'CSV', FILE_TYPES),
        exportOptDate: flag('exportOptDate', request.exportOptDate),
        exportOptSource: flag('exportOptSource', request.exportOptSource),
        exportListName: flag('exportListName', request.exportListName),
        sortBy: oneOf('sortBy', request.sortBy ?? 'EMAIL_ADDRESS', SORT_ORDERS),
        columns: checkColumns(request.columns ?? []),
      };
    default:
      throw wrongType(type);
  }
}

/** Of what may be no request at all. */
function activityTypeOf(request: unknown): unknown {
  if (typeof request === 'object' && request !== null) {
    return 'activityType' in request ? request.activityType : undefined;
  }
  throw new UsageError(
    'OPTION_INVALID',
    `request: must be an object such as { activityType: 'EXPORT_CONTACTS', listId: '2' }, got ${shown(request)}`,
  );
}

function wrongType(type: unknown): UsageError {
  const hint =
    type === 'SV_REMOVE' || type === 'REMOVE_CONTACTS'
      ? 'did you mean REMOVE_CONTACTS_FROM_LISTS?'
      : `it must be one of ${[...ADD_TYPES, 'REMOVE_CONTACTS_FROM_LISTS', 'CLEAR_CONTACTS_FROM_LISTS', 'EXPORT_CONTACTS'].join(', ')}`;
  return new UsageError('ACTIVITY_TYPE_INVALID', `activityType: ${shown(type)} does not exist; ${hint}`);
}

function checkLists(lists: unknown, activityType: string): readonly string[] {
  if (lists !== undefined && lists !== null && !Array.isArray(lists)) {
    throw new UsageError(
      'OPTION_INVALID',
      `lists: must be an array of lists such as ['2', '5'], got ${shown(lists)}`,
    );
  }
  if (!Array.isArray(lists) || lists.length === 0) {
    throw new UsageError(
      'LIST_REQUIRED',
      `lists: ${activityType} needs at least one list; give ids such as ['2', '5']`,
    );
  }
  return [...new Set((lists as ListRef[]).map(listId))];
}

function checkClearable(lists: readonly string[]): readonly string[] {
  const system = lists.filter(isSystemList);
  if (system.length > 0) {
    throw new UsageError(
      'LIST_NOT_CLEARABLE',
      `lists: ${system.join(', ')} cannot be cleared; only lists of the account's own can, named by number`,
    );
  }
  return lists;
}

function checkOneList(request: ExportContacts): string {
  const given = request as { listId?: unknown; lists?: unknown };
  const all: unknown[] = [given.listId, given.lists]
    .flat()
    .filter((ref) => ref !== undefined && ref !== null);
  if (all.length !== 1) {
    throw new UsageError(
      'LIST_COUNT_INVALID',
      `listId: an export takes exactly one list, got ${all.length}; run one export per list`,
    );
  }
  return listId(all[0] as ListRef);
}

/** v2's name for the id of a contact, the one column that its exports have beyond those of ws. */
export const CONTACT_ID = 'CONTACT ID';

/**
 * The ws names of the columns (or `CONTACT ID`), each once, in the order given.
 * @throws UsageError `COLUMN_UNKNOWN`, with the nearest name where there is one; `OPTION_INVALID` for what is no array.
 */
export function checkColumns(columns: readonly string[]): readonly ExportColumn[] {
  const given: unknown = columns;
  if (!Array.isArray(given)) {
    throw new UsageError(
      'OPTION_INVALID',
      `columns: must be an array of column names such as ['FIRST NAME'], got ${shown(given)}`,
    );
  }
  const names = given.map((name: unknown): ExportColumn => {
    const column = typeof name === 'string' ? findV2Column(name) : undefined;
    if (column?.ws !== undefined) return column.ws;
    if (column?.property === 'contactId') return CONTACT_ID;
    throw new UsageError('COLUMN_UNKNOWN', `columns: ${unknownColumn(name)}`);
  });
  return [...new Set(names)];
}

/**
 * Warnings about the heading of a contact file that is to be uploaded: columns the API does not document.
 * @throws UsageError `ADDRESS_COLUMN_REQUIRED` when no column holds the e-mail address.
 */
export function checkHeading(heading: readonly string[]): Warning[] {
  if (!heading.some((name) => findColumn(name)?.ws === EMAIL_ADDRESS)) throw noAddressColumn(heading);
  return heading
    .filter((name) => name.trim() !== '' && findColumn(name) === undefined)
    .map((name) => ({
      code: 'COLUMN_UNKNOWN',
      message: `heading: ${unknownColumn(name)}; it is sent as it is`,
    }));
}

function noAddressColumn(heading: readonly string[]): UsageError {
  const line = heading.join(', ');
  // More pieces between semicolons than cells: so Excel writes CSV where the comma is the decimal point.
  const remedy =
    line.split(';').length > Math.max(heading.length, 1)
      ? 'its columns are separated by semicolons, and the service reads commas and tabs: save the file with commas, ' +
        'or as tab-separated text (.txt)'
      : 'the first line must name the columns';
  return new UsageError(
    'ADDRESS_COLUMN_REQUIRED',
    `contacts: the heading (line 1) has no "${EMAIL_ADDRESS}" column, only ${shown(line)}; ${remedy}`,
  );
}

function unknownColumn(name: unknown): string {
  const similar = typeof name === 'string' ? similarColumn(name) : undefined;
  const hint = similar === undefined ? '' : `; did you mean ${similar}?`;
  return `${shown(name)} is not a column that the ws API documents${hint}`;
}

function oneOf<T extends string>(field: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new UsageError('OPTION_INVALID', `${field}: must be ${allowed.join(' or ')}, got ${shown(value)}`);
}

function flag(field: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw new UsageError('OPTION_INVALID', `${field}: must be true or false, got ${shown(value)}`);
}
