import type { Activity, ActivityError } from '../activity/activity.js';
import { DecodeError } from '../activity/errors.js';
import { isSystemList, type ContactList } from '../activity/list.js';
import { formatInstant, parseInstant } from '../format/instant.js';
import { describePage } from '../http/html-page.js';
import { isObject, type JsonObject } from './json.js';
import { V2_MEMORY, v2Type } from './names.js';

/** One bulk activity as v2 writes it. What there is nothing to say of is left out. */
export interface V2Record {
  readonly id: string;
  readonly type?: string;
  readonly status?: string;
  readonly created_date?: string;
  readonly start_date?: string;
  readonly finish_date?: string;
  readonly file_name?: string;
  readonly error_count: number;
  readonly contact_count?: number;
  readonly errors?: readonly (V2Error | string)[];
  readonly warnings?: readonly (V2Error | string)[];
}

/** An error as the oldest records had it; 0 and '' stand for what is not known. */
export interface V2Error {
  readonly message: string;
  readonly line_number: number;
  readonly email_address: string;
}

/** A contact list as v2 writes it. */
export interface V2List {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly contact_count?: number;
  readonly modified_date?: string;
}

/**
 * How errors are written, as v2 did in turn: `objects` with line and address (2013), `none` for an empty array, `strings`
 * such as `Line 2: Invalid birthday` (2015).
 */
export const ERROR_FORMS = ['strings', 'objects', 'none'] as const;
/** How records of v2 tell errors. */
export type ErrorForm = (typeof ERROR_FORMS)[number];

/** A record as read; what could not be taken as it stands; and what the service itself warns of. */
export interface Decoded<T> {
  readonly record: T;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export interface DecodeOptions {
  /** What errors call the document. */
  readonly source?: string | undefined;
}

/**
 * The activity of one record: the answer to GET of an activity, or to the POST that made it.
 * @throws DecodeError `DOCUMENT_UNEXPECTED` for what is no JSON object.
 */
export function decodeRecord(bytes: Uint8Array, options?: DecodeOptions): Decoded<Activity> {
  const value = parse(bytes, options?.source);
  if (!isObject(value)) throw unexpected('expected an activity, found no JSON object', options?.source);
  return readActivity(value);
}

/** The activities of a list, in the order of the answer. @throws DecodeError as `decodeRecord`, for what is no array. */
export function decodeRecords(bytes: Uint8Array, options?: DecodeOptions): readonly Decoded<Activity>[] {
  return readItems(bytes, 'activities', options?.source).map(readActivity);
}

/** The contact lists of a list. @throws DecodeError as `decodeRecords`. */
export function decodeLists(bytes: Uint8Array, options?: DecodeOptions): readonly Decoded<ContactList>[] {
  return readItems(bytes, 'lists', options?.source).map(readList);
}

/**
 * The record of one activity; errors in the form given, the first hundred of them.
 * @param form default `strings`
 */
export function encodeRecord(activity: Activity, form: ErrorForm = 'strings'): V2Record {
  const shownErrors = form === 'none' ? [] : activity.errors.slice(0, V2_MEMORY.errors);
  return {
    ...summary(activity),
    ...file(activity),
    errors: form === 'objects' ? shownErrors.map(errorObject) : shownErrors.map(errorText),
    warnings: [],
  };
}

/**
 * The record of one activity in a list.
 *
 * Quirk: it tells no errors and no warnings, and of exports no file (test/fixtures/v2/records/list-2015).
 */
export function encodeSummary(activity: Activity): V2Record {
  return { ...summary(activity), ...(activity.type === 'EXPORT_CONTACTS' ? {} : file(activity)) };
}

/** The answer to a POST that made an activity. @param contacts of the request, where it carries some */
export function encodeCreated(activity: Activity, contacts: number): V2Record {
  return {
    id: activity.id,
    ...(activity.type !== undefined && { type: v2Type(activity.type) }),
    error_count: activity.errorCount,
    contact_count: activity.transactionCount ?? contacts,
  };
}

/** Quirk: a list that is not shown on the sign-up form is HIDDEN (test/fixtures/v2/records/lists). */
export function encodeList(list: ContactList): V2List {
  return {
    id: list.id,
    name: list.name,
    status: list.displayOnSignup === false ? 'HIDDEN' : 'ACTIVE',
    ...(list.contactCount !== undefined && { contact_count: list.contactCount }),
    ...(list.updated !== undefined && { modified_date: formatInstant(list.updated) }),
  };
}

function summary(activity: Activity): V2Record {
  const { type, status, insertTime, runStartTime, runFinishTime, transactionCount } = activity;
  return {
    id: activity.id,
    ...(type !== undefined && { type: v2Type(type) }),
    ...(status !== undefined && { status }),
    ...(insertTime !== undefined && { created_date: formatInstant(insertTime) }),
    ...(runStartTime !== undefined && { start_date: formatInstant(runStartTime) }),
    ...(runFinishTime !== undefined && { finish_date: formatInstant(runFinishTime) }),
    error_count: activity.errorCount,
    ...(transactionCount !== undefined && { contact_count: transactionCount }),
  };
}

function errorObject({ lineNumber = 0, emailAddress = '', message }: ActivityError): V2Error {
  return { message, line_number: lineNumber, email_address: emailAddress };
}

function errorText({ lineNumber, message }: ActivityError): string {
  return lineNumber === undefined ? message : `Line ${lineNumber}: ${message}`;
}

/** A name that is empty is left out. */
function file({ fileName = '' }: Activity): Pick<V2Record, 'file_name'> {
  return fileName === '' ? {} : { file_name: fileName };
}

/** Reads the fields of one record, and gathers what is wrong with them. */
class Fields {
  readonly problems: string[] = [];
  readonly #object: JsonObject;

  constructor(object: JsonObject) {
    this.#object = object;
  }

  text(name: string): string | undefined {
    const value = this.#object[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string') return value;
    if (typeof value === 'number') return String(value);
    this.problems.push(`${name}: is no text`);
    return undefined;
  }

  /** Quirk: one document calls the counts strings (test/fixtures/v2/records/record-counts-as-text). */
  count(...names: readonly string[]): number | undefined {
    for (const name of names) {
      const text = this.text(name)?.trim();
      if (text === undefined || text === '') continue;
      if (/^[0-9]{1,15}$/.test(text)) return Number(text);
      this.problems.push(`${name}: "${text.slice(0, 60)}" is no count`);
    }
    return undefined;
  }

  instant(name: string): Date | undefined {
    const text = this.text(name);
    if (text === undefined || text === '') return undefined;
    const date = parseInstant(text);
    if (date === undefined) this.problems.push(`${name}: "${text.slice(0, 60)}" is no time`);
    return date;
  }

  /**
   * Quirk: errors came as objects, as an empty array whatever their number, and as strings (test/fixtures/v2/records/errors-*).
   */
  errors(name: string): ActivityError[] {
    const value = this.#object[name];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) {
      this.problems.push(`${name}: is no array`);
      return [];
    }
    return value.flatMap((item: unknown, index): ActivityError[] => {
      const error = readError(item);
      if (error === undefined) this.problems.push(`${name}[${index}]: is no error`);
      return error === undefined ? [] : [error];
    });
  }
}

function readError(item: unknown): ActivityError | undefined {
  if (typeof item === 'string') {
    const match = /^Line ([0-9]{1,10}): (.*)$/s.exec(item);
    return {
      lineNumber: match === null ? undefined : Number(match[1]),
      emailAddress: undefined,
      message: match?.[2] ?? item,
    };
  }
  if (!isObject(item)) return undefined;
  const { message, line_number: line, email_address: address } = item;
  return {
    lineNumber: typeof line === 'number' && line > 0 ? line : undefined,
    emailAddress: typeof address === 'string' && address !== '' ? address : undefined,
    message: typeof message === 'string' ? message : '',
  };
}

function readActivity(object: JsonObject): Decoded<Activity> {
  const fields = new Fields(object);
  const id = fields.text('id') ?? '';
  if (id === '') fields.problems.push('id: the record names none');
  const errors = fields.errors('errors');
  const record: Activity = {
    id,
    type: fields.text('type'),
    status: fields.text('status'),
    errors,
    errorCount: Math.max(fields.count('error_count') ?? 0, errors.length),
    fileName: fields.text('file_name'),
    // Quirk: some records spell it contacts_count (test/fixtures/v2/records/record-contacts-count).
    transactionCount: fields.count('contact_count', 'contacts_count'),
    insertTime: fields.instant('created_date'),
    runStartTime: fields.instant('start_date'),
    runFinishTime: fields.instant('finish_date'),
    updated: undefined,
    title: undefined,
    editMedia: undefined,
  };
  const warnings = fields.errors('warnings').map(errorText);
  return { record, problems: fields.problems, warnings };
}

function readList(object: JsonObject): Decoded<ContactList> {
  const fields = new Fields(object);
  const id = fields.text('id') ?? '';
  if (id === '') fields.problems.push('id: the list names none');
  const status = fields.text('status');
  const record: ContactList = {
    id,
    name: fields.text('name') ?? '',
    shortName: undefined,
    system: isSystemList(id),
    contactCount: fields.count('contact_count'),
    optInDefault: undefined,
    displayOnSignup: status === 'ACTIVE' ? true : status === 'HIDDEN' ? false : undefined,
    sortOrder: undefined,
    updated: fields.instant('modified_date'),
  };
  return { record, problems: fields.problems, warnings: [] };
}

function readItems(bytes: Uint8Array, what: string, source: string | undefined): readonly JsonObject[] {
  const value = parse(bytes, source);
  if (!Array.isArray(value)) throw unexpected(`expected the ${what} as a JSON array`, source);
  return value.map((item: unknown, index) => {
    if (isObject(item)) return item;
    throw unexpected(`item ${index + 1} of the ${what} is no JSON object`, source);
  });
}

function parse(bytes: Uint8Array, source: string | undefined): unknown {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's own message quotes the text, which may echo a secret.
    throw unexpected(`expected JSON, found ${describePage(text) ?? 'something else'}`, source);
  }
}

function unexpected(what: string, source: string | undefined): DecodeError {
  return new DecodeError('DOCUMENT_UNEXPECTED', source === undefined ? what : `${source}: ${what}`);
}
