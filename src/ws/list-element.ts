import { isSystemList, type ContactList } from '../activity/list.js';
import type { XmlName, XmlReader } from '../format/xml-reader.js';
import type { XmlElement } from '../format/xml-writer.js';
import type { AtomEntry, ContentDecoder } from './atom.js';
import { ATOM_NAMESPACE, CTCT_NAMESPACE, vocabulary } from './names.js';
import { readCount, trimSpace } from './text-values.js';
import { lastSegment } from './uris.js';

const FIELDS = ['OptInDefault', 'Name', 'ShortName', 'DisplayOnSignup', 'SortOrder', 'ContactCount'] as const;
type Field = (typeof FIELDS)[number];

/**
 * Quirk: copies of list feeds lost the `xmlns` of ContactList (test/fixtures/ws/records/lists-without-namespace).
 */
function spellings(local: string): readonly XmlName[] {
  return [CTCT_NAMESPACE, ATOM_NAMESPACE, ''].map((namespace) => vocabulary.name(namespace, local));
}

const CONTACT_LIST = new Set(spellings('ContactList'));
const FIELD_BY_NAME = new Map<XmlName, Field>(
  FIELDS.flatMap((field) => spellings(field).map((name) => [name, field] as const)),
);

/** Reads `<ContactList>`; system lists have only Name and ShortName. */
export class ContactListContent implements ContentDecoder<ContactList> {
  #uri: string | undefined;
  #texts = new Map<Field, string>();
  #field: Field | undefined;
  #depth = 0;
  #text = '';
  #found = false;

  reset(): void {
    this.#uri = undefined;
    this.#texts = new Map();
    this.#field = undefined;
    this.#depth = 0;
    this.#found = false;
  }

  start(reader: XmlReader): boolean {
    if (!CONTACT_LIST.has(reader.name)) return false;
    this.#found = true;
    this.#uri = reader.attribute('id');
    return true;
  }

  startElement(reader: XmlReader): void {
    if (this.#depth > 0) return;
    this.#depth = reader.depth;
    this.#field = FIELD_BY_NAME.get(reader.name);
    this.#text = '';
  }

  text(text: string): number {
    return this.#field === undefined ? 0 : (this.#text += text).length;
  }

  endElement(reader: XmlReader): void {
    if (reader.depth !== this.#depth) return;
    if (this.#field !== undefined) this.#texts.set(this.#field, trimSpace(this.#text));
    this.#field = undefined;
    this.#depth = 0;
  }

  finish(entry: AtomEntry, problem: (message: string) => void): ContactList | undefined {
    if (!this.#found) return undefined;
    const id = lastSegment(this.#uri ?? entry.id ?? entry.edit ?? '');
    if (id === '') problem('id: the list names none');
    return {
      id,
      name: this.#texts.get('Name') ?? entry.title ?? '',
      shortName: this.#texts.get('ShortName'),
      system: isSystemList(id),
      contactCount: this.#count('ContactCount', problem),
      optInDefault: this.#flag('OptInDefault', problem),
      displayOnSignup: this.#flag('DisplayOnSignup', problem),
      sortOrder: this.#count('SortOrder', problem),
      updated: entry.updated,
    };
  }

  #count(field: Field, problem: (message: string) => void): number | undefined {
    return readCount(field, this.#texts.get(field) ?? '', problem);
  }

  /** Quirk: OptInDefault is `true` or `false`, DisplayOnSignup is `Yes` or `No` (test/fixtures/ws/records/lists-documented). */
  #flag(field: Field, problem: (message: string) => void): boolean | undefined {
    const text = this.#texts.get(field) ?? '';
    if (text === '') return undefined;
    if (/^(?:true|yes)$/i.test(text)) return true;
    if (/^(?:false|no)$/i.test(text)) return false;
    problem(`${field}: "${text.slice(0, 60)}" is neither yes nor no`);
    return undefined;
  }
}

/** The `<ContactList>` element. @param uri the list's URI, written as its `id`. */
export function contactListElement(list: ContactList, uri: string): XmlElement {
  const { optInDefault, displayOnSignup, sortOrder, contactCount } = list;
  const leaf = (name: Field, text: string | undefined): XmlElement[] =>
    text === undefined ? [] : [{ name, children: [text] }];
  return {
    name: 'ContactList',
    attributes: { xmlns: CTCT_NAMESPACE, id: uri },
    children: [
      ...leaf('OptInDefault', optInDefault === undefined ? undefined : String(optInDefault)),
      ...leaf('Name', list.name),
      ...leaf('ShortName', list.shortName),
      ...leaf('DisplayOnSignup', displayOnSignup === undefined ? undefined : displayOnSignup ? 'Yes' : 'No'),
      ...leaf('SortOrder', sortOrder === undefined ? undefined : String(sortOrder)),
      ...(list.system ? [] : [{ name: 'Members', attributes: { id: `${uri}/members` } }]),
      ...leaf('ContactCount', contactCount === undefined ? undefined : String(contactCount)),
    ],
  };
}
