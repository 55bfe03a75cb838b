import type { Activity, ActivityError } from '../activity/activity.js';
import { leafTable, type XmlName, type XmlReader } from '../format/xml-reader.js';
import type { XmlElement } from '../format/xml-writer.js';
import { formatInstant } from '../format/instant.js';
import { ENTRY_LEAVES, type AtomEntry, type ContentDecoder } from './atom.js';
import { ATOM_NAMESPACE, CTCT_NAMESPACE, vocabulary } from './names.js';
import {
  commonLeafText,
  leafCount,
  leafInstant,
  leafText,
  readCount,
  readInstant,
  trimSpace,
} from './text-values.js';
import { lastSegment } from './uris.js';

const FIELDS = [
  'Type',
  'Status',
  'FileName',
  'TransactionCount',
  'RunStartTime',
  'RunFinishTime',
  'InsertTime',
  'LineNumber',
  'EmailAddress',
  'Message',
] as const;
type Field = (typeof FIELDS)[number];

/**
 * Quirk: copies of feeds lost the second `xmlns`, so that Activity and its children stand in Atom's namespace or in none
 * (test/fixtures/ws/records/feed-without-ctct-namespace). A namespace that is neither is foreign, and passed over.
 */
function spellings(local: string): readonly XmlName[] {
  return [CTCT_NAMESPACE, ATOM_NAMESPACE, ''].map((namespace) => vocabulary.name(namespace, local));
}

/** What the elements mean, by the index of their names: the fields of an activity, and those of an `<Error>`. */
const ACTIVITY_FIELDS: (Field | undefined)[] = [];
const ERROR_FIELDS: (Field | undefined)[] = [];
for (const field of FIELDS) {
  const isOfError = field === 'LineNumber' || field === 'EmailAddress' || field === 'Message';
  for (const { index } of spellings(field)) (isOfError ? ERROR_FIELDS : ACTIVITY_FIELDS)[index] = field;
}
const ACTIVITY = leafTable(spellings('Activity'));
const ERRORS = leafTable(spellings('Errors'));
const ERROR = leafTable(spellings('Error'));

const LEAVES = leafTable([...ENTRY_LEAVES, ...FIELDS.flatMap(spellings)]);

const NO_ERRORS: readonly ActivityError[] = Object.freeze([]);

/** Reads `<Activity>`: its children in any order, `Errors` in every form the service wrote it in. */
export class ActivityContent implements ContentDecoder<Activity> {
  readonly leaves = LEAVES;
  #uri: string | undefined;
  #type: string | undefined;
  #status: string | undefined;
  #fileName: string | undefined;
  #transactionCount: number | undefined;
  #runStartTime: Date | undefined;
  #runFinishTime: Date | undefined;
  #insertTime: Date | undefined;

  #errors: ActivityError[] = [];
  #errorsText = '';
  #lineNumber: number | undefined;
  #emailAddress: string | undefined;
  #message: string | undefined;
  #errorText = '';

  #field: Field | undefined;
  #fieldDepth = 0;
  #text = '';
  /** Depth of the open `<Errors>` and `<Error>`, 0 when not inside one. */
  #errorsDepth = 0;
  #errorDepth = 0;
  #skipDepth = 0;

  reset(): void {
    this.#uri = this.#type = this.#status = this.#fileName = undefined;
    this.#transactionCount = undefined;
    this.#runStartTime = this.#runFinishTime = this.#insertTime = undefined;
    this.#errors = [];
    this.#errorsText = '';
    this.#field = undefined;
    this.#errorsDepth = this.#errorDepth = this.#skipDepth = 0;
  }

  start(reader: XmlReader): boolean {
    if (ACTIVITY[reader.name.index] !== true) return false;
    this.#uri = reader.attribute('id');
    reader.skipSpace = true;
    return true;
  }

  startElement(reader: XmlReader): void {
    if (this.#field !== undefined || this.#skipDepth > 0) return;
    const { name } = reader;
    const field = this.#fieldOf(name);
    if (field !== undefined) {
      this.#field = field;
      this.#fieldDepth = reader.depth;
      this.#text = '';
      reader.skipSpace = false;
    } else if (this.#errorDepth === 0 && this.#errorsDepth > 0 && ERROR[name.index] === true) {
      this.#startError(reader);
    } else if (this.#errorsDepth === 0 && ERRORS[name.index] === true) {
      this.#errorsDepth = reader.depth;
      this.#setSpace(reader);
    } else this.#skipDepth = reader.depth;
  }

  leaf(reader: XmlReader, problem: (message: string) => void): number {
    if (this.#skipDepth > 0) return 0;
    if (this.#field !== undefined) return (this.#text += reader.text).length;
    const field = this.#fieldOf(reader.name);
    // What is no field here is passed over.
    if (field !== undefined) this.#takeLeaf(field, reader, problem);
    return 0;
  }

  #fieldOf({ index }: XmlName): Field | undefined {
    return (this.#errorDepth > 0 ? ERROR_FIELDS : ACTIVITY_FIELDS)[index];
  }

  #startError(reader: XmlReader): void {
    this.#errorDepth = reader.depth;
    this.#lineNumber = this.#emailAddress = this.#message = undefined;
    this.#errorText = '';
    this.#setSpace(reader);
  }

  /** Once a text has begun, white space is part of it; before, it is layout. */
  #setSpace(reader: XmlReader): void {
    const text = this.#errorDepth > 0 ? this.#errorText : this.#errorsText;
    reader.skipSpace = this.#errorsDepth === 0 || text === '';
  }

  text(text: string, reader: XmlReader): number {
    if (this.#skipDepth > 0) return 0;
    if (this.#field !== undefined) return (this.#text += text).length;
    if (this.#errorsDepth === 0) return 0;
    reader.skipSpace = false;
    return this.#errorDepth > 0 ? (this.#errorText += text).length : (this.#errorsText += text).length;
  }

  endElement(reader: XmlReader, problem: (message: string) => void): void {
    const depth = reader.depth;
    if (this.#skipDepth > 0) {
      if (depth === this.#skipDepth) this.#skipDepth = 0;
    } else if (this.#field !== undefined) {
      if (depth !== this.#fieldDepth) return;
      this.#take(this.#field, trimSpace(this.#text), problem);
      this.#field = undefined;
      this.#setSpace(reader);
    } else if (depth === this.#errorDepth) {
      this.#errors.push({
        lineNumber: this.#lineNumber,
        emailAddress: this.#emailAddress,
        message: this.#message ?? trimSpace(this.#errorText),
      });
      this.#errorDepth = 0;
      this.#setSpace(reader);
    } else if (depth === this.#errorsDepth) {
      this.#errorsDepth = 0;
      this.#setSpace(reader);
    }
  }

  #takeLeaf(field: Field, reader: XmlReader, problem: (message: string) => void): void {
    switch (field) {
      case 'LineNumber':
        this.#lineNumber = leafCount(field, reader, problem);
        return;
      case 'EmailAddress':
        this.#emailAddress = leafText(reader);
        return;
      case 'Message':
        this.#message = commonLeafText(reader);
        return;
      case 'TransactionCount':
        this.#transactionCount = leafCount(field, reader, problem);
        return;
      case 'RunStartTime':
        this.#runStartTime = leafInstant(field, reader, problem);
        return;
      case 'RunFinishTime':
        this.#runFinishTime = leafInstant(field, reader, problem);
        return;
      case 'InsertTime':
        this.#insertTime = leafInstant(field, reader, problem);
        return;
      case 'FileName':
        this.#fileName = leafText(reader);
        return;
      default:
        this.#take(field, commonLeafText(reader), problem);
    }
  }

  /** A field whose text came in pieces. */
  #take(field: Field, text: string, problem: (message: string) => void): void {
    switch (field) {
      case 'Type':
        this.#type = text === '' ? undefined : text;
        return;
      case 'Status':
        this.#status = text === '' ? undefined : text;
        return;
      case 'FileName':
        this.#fileName = text;
        return;
      case 'TransactionCount':
        this.#transactionCount = readCount(field, text, problem);
        return;
      case 'RunStartTime':
        this.#runStartTime = readInstant(field, text, problem);
        return;
      case 'RunFinishTime':
        this.#runFinishTime = readInstant(field, text, problem);
        return;
      case 'InsertTime':
        this.#insertTime = readInstant(field, text, problem);
        return;
      case 'LineNumber':
        this.#lineNumber = readCount(field, text, problem);
        return;
      case 'EmailAddress':
        this.#emailAddress = text;
        return;
      case 'Message':
        this.#message = text;
    }
  }

  finish(entry: AtomEntry, problem: (message: string) => void): Activity {
    const errorCount = this.#countErrors(problem);
    return {
      id: activityId(this.#uri, entry, problem),
      type: this.#type,
      status: this.#status,
      errors: this.#errors.length === 0 ? NO_ERRORS : this.#errors,
      errorCount,
      fileName: this.#fileName,
      transactionCount: this.#transactionCount,
      insertTime: this.#insertTime,
      runStartTime: this.#runStartTime,
      runFinishTime: this.#runFinishTime,
      updated: entry.updated,
      title: entry.title,
      editMedia: entry.editMedia,
    };
  }

  /**
   * Quirk: `<Errors>` holds `<Error>` children, or a count as text, or both, the count before or after them
   * (test/fixtures/ws/records/entry-errors-*). A count above the children means a list cut short; one below them is wrong.
   */
  #countErrors(problem: (message: string) => void): number {
    const listed = this.#errors.length;
    const text = trimSpace(this.#errorsText);
    if (text === '') return listed;
    if (/^[0-9]{1,15}$/.test(text)) {
      const stated = Number(text);
      if (stated < listed) problem(`Errors: the count says ${stated}, but ${listed} are listed`);
      return Math.max(stated, listed);
    }
    problem(`Errors: "${text.slice(0, 60)}" is neither a count nor an <Error>; kept as an error of its own`);
    this.#errors.push({ lineNumber: undefined, emailAddress: undefined, message: text });
    return listed + 1;
  }
}

function activityId(uri: string | undefined, entry: AtomEntry, problem: (message: string) => void): string {
  const plain = uri === undefined ? undefined : plainId(uri);
  let id = plain ?? (uri === undefined ? '' : lastSegment(uri));
  let other: string | undefined;
  for (const text of [entry.id, entry.edit]) {
    if (text === undefined || text === uri) continue;
    // What a URI ends with, from before its id on, as nearly always, names the same id.
    if (plain !== undefined && text.length > plain.length && uri?.endsWith(text) === true) continue;
    const candidate = plainId(text) ?? lastSegment(text);
    if (id === '') id = candidate;
    else if (candidate !== '' && candidate !== id) other ??= candidate;
  }
  if (id === '') problem('id: the entry names none');
  if (other !== undefined) problem(`id: the entry calls itself both ${id} and ${other}; the first is taken`);
  return id;
}

/** The last segment of a URI that is made of letters and digits only, as nearly always: quicker than `lastSegment`. */
function plainId(uri: string): string | undefined {
  let from = uri.length;
  while (from > 0 && isAlphanumeric(uri.charCodeAt(from - 1))) from--;
  const isPlain = from > 0 && from < uri.length && uri.charCodeAt(from - 1) === SLASH && isPath(uri);
  return isPlain ? uri.slice(from) : undefined;
}

function isPath(uri: string): boolean {
  return uri.length < LONG_URI && !uri.includes('?') && !uri.includes('#');
}

const SLASH = 0x2f;
const LONG_URI = 1000;

function isAlphanumeric(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);
}

/** How `<Errors>` is written: each error, and their number where it is another; their number alone; both. */
export type ErrorsForm = 'listed' | 'counted' | 'both';

/**
 * The `<Activity>` element, or undefined when the record says nothing that would stand in it (a minimal entry).
 * @param uri the activity's URI, written as its `id`.
 */
export function activityElement(
  activity: Activity,
  uri: string,
  form: ErrorsForm = 'listed',
): XmlElement | undefined {
  const { type, status, fileName, transactionCount, errors, errorCount } = activity;
  const { runStartTime, runFinishTime, insertTime } = activity;
  const facts = [type, status, fileName, transactionCount, runStartTime, runFinishTime, insertTime];
  if (facts.every((fact) => fact === undefined) && errorCount === 0) return undefined;
  return {
    name: 'Activity',
    attributes: { xmlns: CTCT_NAMESPACE, id: uri },
    children: [
      ...leaf('Type', type),
      ...leaf('Status', status),
      {
        name: 'Errors',
        children: [
          ...(form === 'counted' ? [] : errors.map(errorElement)),
          ...(form === 'listed' && errorCount <= errors.length ? [] : [String(errorCount)]),
        ],
      },
      ...leaf('FileName', fileName),
      ...leaf('TransactionCount', transactionCount),
      ...leaf('RunStartTime', runStartTime),
      ...leaf('RunFinishTime', runFinishTime),
      ...leaf('InsertTime', insertTime),
    ],
  };
}

function errorElement(error: ActivityError): XmlElement {
  return {
    name: 'Error',
    children: [
      ...leaf('LineNumber', error.lineNumber),
      ...leaf('EmailAddress', error.emailAddress),
      ...leaf('Message', error.message),
    ],
  };
}

function leaf(name: Field, value: string | number | Date | undefined): XmlElement[] {
  if (value === undefined) return [];
  return [{ name, children: [value instanceof Date ? formatInstant(value) : String(value)] }];
}
