import { UsageError } from './errors.js';
import { refuseUnknownFields } from './fields.js';
import type { Contacts } from './request.js';
import { shown } from './shown.js';

/** The ways to give contacts: what else may stand beside each, what it must be, and what to do if it is not. */
const KINDS = {
  rows: { beside: ['columns'], is: isIterable, must: 'an array or another iterable of objects' },
  text: { beside: ['fileName'], is: isText, must: 'the text of a contact file' },
  bytes: { beside: ['fileName'], is: isBytes, must: 'a Uint8Array, such as a Buffer' },
  file: { beside: [], is: isText, must: 'the path of a file, as text (of a file URL, fileURLToPath(url))' },
  stream: { beside: ['fileName'], is: isIterable, must: 'an asynchronous iterable of bytes' },
} as const satisfies Record<
  string,
  { beside: readonly string[]; is: (value: unknown) => boolean; must: string }
>;

type Kind = keyof typeof KINDS;

/**
 * The same contacts, without fields that are undefined.
 * @throws UsageError `CONTACTS_REQUIRED` unless they are given in one way; `CONTACTS_INVALID` for a value of the wrong
 * kind; `OPTION_INVALID` for a field that would not be read.
 */
export function checkContacts(contacts: unknown): Contacts {
  const fields = typeof contacts === 'object' && contacts !== null ? contacts : {};
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const kinds = (Object.keys(KINDS) as Kind[]).filter((kind) => Object.hasOwn(given, kind));
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    throw new UsageError(
      'CONTACTS_REQUIRED',
      kind === undefined
        ? 'contacts: nothing to upload; give { rows }, { text }, { bytes }, { file } or { stream }'
        : `contacts: give one of ${kinds.join(', ')}, not several`,
    );
  }
  refuseUnknownFields(given, [kind, ...KINDS[kind].beside], `contacts with ${kind}`);
  check(kind, given[kind], KINDS[kind].is, KINDS[kind].must);
  if (given.fileName !== undefined) check('fileName', given.fileName, isText, 'text');
  if (given.columns !== undefined) check('columns', given.columns, isTexts, 'an array of column names');
  // Sound: one kind, of the right type, and what may stand beside it.
  return given as unknown as Contacts;
}

function check(field: string, value: unknown, is: (value: unknown) => boolean, must: string): void {
  if (is(value)) return;
  throw new UsageError('CONTACTS_INVALID', `${field}: must be ${must}, got ${shown(value)}`);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}

function isBytes(value: unknown): boolean {
  return value instanceof Uint8Array;
}

function isIterable(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
  );
}
