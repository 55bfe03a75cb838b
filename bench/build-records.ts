import type { Activity, ActivityError } from '../src/activity/activity.js';
import type { Checksum } from './checksum.js';

const NO_ERRORS: readonly ActivityError[] = [];

const DIGITS = /^[0-9]{1,15}$/;

function number(text: string): number | undefined {
  return DIGITS.test(text) ? Number(text) : undefined;
}

function date(text: string): Date | undefined {
  return text === '' ? undefined : new Date(text);
}

function lastSegment(uri: string): string {
  return uri.slice(uri.lastIndexOf('/') + 1);
}

/**
 * Builds the records from the events of any parser that tells start tags, texts and end tags, as one would by hand
 * for this one kind of document: no namespaces, no doubts, just the fields.
 */
export class RecordBuilder {
  readonly #checksum: Checksum;
  #inEntry = false;
  #text = '';
  #id = '';
  #title: string | undefined;
  #updated: Date | undefined;
  #type: string | undefined;
  #status: string | undefined;
  #fileName: string | undefined;
  #transactionCount: number | undefined;
  #insertTime: Date | undefined;
  #runStartTime: Date | undefined;
  #runFinishTime: Date | undefined;
  #errors: ActivityError[] = [];
  #lineNumber: number | undefined;
  #emailAddress: string | undefined;
  #message = '';

  constructor(checksum: Checksum) {
    this.#checksum = checksum;
  }

  start(name: string): void {
    this.#text = '';
    if (local(name) !== 'entry') return;
    this.#inEntry = true;
    this.#id = '';
    this.#title = this.#type = this.#status = this.#fileName = undefined;
    this.#updated = this.#insertTime = this.#runStartTime = this.#runFinishTime = undefined;
    this.#transactionCount = undefined;
    this.#errors = [];
  }

  text(text: string): void {
    this.#text += text;
  }

  end(name: string): void {
    if (!this.#inEntry) return;
    const text = this.#text;
    switch (local(name)) {
      case 'LineNumber':
        this.#lineNumber = number(text);
        break;
      case 'EmailAddress':
        this.#emailAddress = text;
        break;
      case 'Message':
        this.#message = text;
        break;
      case 'Error':
        this.#errors.push({
          lineNumber: this.#lineNumber,
          emailAddress: this.#emailAddress,
          message: this.#message,
        });
        break;
      case 'id':
        this.#id = lastSegment(text);
        break;
      case 'title':
        this.#title = text;
        break;
      case 'updated':
        this.#updated = date(text);
        break;
      case 'Type':
        this.#type = text;
        break;
      case 'Status':
        this.#status = text;
        break;
      case 'FileName':
        this.#fileName = text;
        break;
      case 'TransactionCount':
        this.#transactionCount = number(text);
        break;
      case 'RunStartTime':
        this.#runStartTime = date(text);
        break;
      case 'RunFinishTime':
        this.#runFinishTime = date(text);
        break;
      case 'InsertTime':
        this.#insertTime = date(text);
        break;
      case 'entry':
        this.#inEntry = false;
        this.#checksum.add(this.#record());
        break;
      default:
    }
    this.#text = '';
  }

  #record(): Activity {
    return {
      id: this.#id,
      type: this.#type,
      status: this.#status,
      errors: this.#errors,
      errorCount: this.#errors.length,
      fileName: this.#fileName,
      transactionCount: this.#transactionCount,
      insertTime: this.#insertTime,
      runStartTime: this.#runStartTime,
      runFinishTime: this.#runFinishTime,
      updated: this.#updated,
      title: this.#title,
      editMedia: undefined,
    };
  }
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** An element as fast-xml-parser gives it: text, or members by name. */
export type ParsedNode = string | { readonly [name: string]: ParsedNode | readonly ParsedNode[] };

/** The records of a parsed document, prefixes removed. */
export function addParsedRecords(document: ParsedNode, checksum: Checksum): void {
  for (const entry of children(child(document, 'feed'), 'entry')) {
    const activity = child(child(entry, 'content'), 'Activity');
    const found = children(child(activity, 'Errors'), 'Error');
    const errors = found.map((error) => ({
      lineNumber: number(text(error, 'LineNumber')),
      emailAddress: text(error, 'EmailAddress'),
      message: text(error, 'Message'),
    }));
    checksum.add({
      id: lastSegment(text(entry, 'id')),
      type: text(activity, 'Type'),
      status: text(activity, 'Status'),
      errors: errors.length === 0 ? NO_ERRORS : errors,
      errorCount: errors.length,
      fileName: text(activity, 'FileName'),
      transactionCount: number(text(activity, 'TransactionCount')),
      insertTime: date(text(activity, 'InsertTime')),
      runStartTime: date(text(activity, 'RunStartTime')),
      runFinishTime: date(text(activity, 'RunFinishTime')),
      updated: date(text(entry, 'updated')),
      title: text(entry, 'title'),
      editMedia: undefined,
    });
  }
}

function children(node: ParsedNode | undefined, name: string): readonly ParsedNode[] {
  if (typeof node !== 'object') return [];
  const found = node[name];
  return found === undefined ? [] : isList(found) ? found : [found];
}

function isList(found: ParsedNode | readonly ParsedNode[]): found is readonly ParsedNode[] {
  return Array.isArray(found);
}

function child(node: ParsedNode | undefined, name: string): ParsedNode | undefined {
  return children(node, name)[0];
}

function text(node: ParsedNode | undefined, name: string): string {
  const found = child(node, name);
  if (found === undefined) return '';
  if (typeof found === 'string') return found;
  const inner = found['#text'];
  return typeof inner === 'string' ? inner : '';
}
