import type { ColumnName } from '../activity/columns.js';
import type { DirectoryContact, ListMember, Membership } from '../activity/directory.js';
import { formatInstant } from '../format/instant.js';
import type { XmlName, XmlReader } from '../format/xml-reader.js';
import type { XmlElement } from '../format/xml-writer.js';
import type { AtomEntry, ContentDecoder } from './atom.js';
import { ATOM_NAMESPACE, CTCT_NAMESPACE, vocabulary } from './names.js';
import { readInstant, trimSpace } from './text-values.js';
import { lastSegment, type AccountUris } from './uris.js';

/** The elements of a contact that are columns of a contact file, in the order of the service. */
const COLUMN_ELEMENTS = [
  ['FirstName', 'FIRST NAME'],
  ['MiddleName', 'MIDDLE NAME'],
  ['LastName', 'LAST NAME'],
  ['JobTitle', 'JOB TITLE'],
  ['CompanyName', 'COMPANY NAME'],
  ['HomePhone', 'HOME PHONE'],
  ['WorkPhone', 'WORK PHONE'],
  ['Addr1', 'ADDRESS LINE 1'],
  ['Addr2', 'ADDRESS LINE 2'],
  ['Addr3', 'ADDRESS LINE 3'],
  ['City', 'CITY'],
  ['StateCode', 'STATE/PROVINCE (US/CANADA)'],
  ['StateName', 'STATE'],
  ['CountryCode', 'COUNTRY'],
  ['CountryName', 'COUNTRY'],
  ['PostalCode', 'POSTAL CODE'],
  ['SubPostalCode', 'SUB POSTAL CODE'],
  ...customFields(),
] as const satisfies readonly (readonly [string, ColumnName])[];

function customFields(): (readonly [`CustomField${number}`, ColumnName])[] {
  return Array.from({ length: 15 }, (_, index) => {
    const n = index + 1;
    // Sound: the fifteen custom fields are columns.
    return [`CustomField${n}`, `CUSTOM FIELD ${n}` as ColumnName] as const;
  });
}

const OTHERS = [
  'Status',
  'EmailAddress',
  'EmailType',
  'Name',
  'Note',
  'OptInSource',
  'OptInTime',
  'InsertTime',
  'LastUpdateTime',
];

function spellings(local: string): readonly XmlName[] {
  return [CTCT_NAMESPACE, ATOM_NAMESPACE, ''].map((namespace) => vocabulary.name(namespace, local));
}

const CONTACT = new Set([...spellings('Contact'), ...spellings('ContactListMember')]);
const LISTS = new Set(spellings('ContactLists'));
const LIST = new Set(spellings('ContactList'));
const FIELD_BY_NAME = new Map<XmlName, string>(
  [...OTHERS, ...COLUMN_ELEMENTS.map(([local]) => local)].flatMap((field) =>
    spellings(field).map((name) => [name, field] as const),
  ),
);

/** The elements of one parent, by local name. */
type Texts = Map<string, string>;

/** Reads `<Contact>`, of a feed or with all it says, and `<ContactListMember>`, which says less. */
export class ContactContent implements ContentDecoder<DirectoryContact> {
  #uri: string | undefined;
  #texts: Texts = new Map();
  #lists: { readonly uri: string | undefined; readonly texts: Texts }[] = [];
  #found = false;
  /** The element whose text is gathered, and the depths of the open field, ContactLists and ContactList; 0 for none. */
  #field: string | undefined;
  #fieldDepth = 0;
  #listsDepth = 0;
  #listDepth = 0;
  #text = '';

  reset(): void {
    this.#uri = undefined;
    this.#texts = new Map();
    this.#lists = [];
    this.#found = false;
    this.#field = undefined;
    this.#fieldDepth = this.#listsDepth = this.#listDepth = 0;
  }

  start(reader: XmlReader): boolean {
    if (!CONTACT.has(reader.name)) return false;
    this.#found = true;
    this.#uri = reader.attribute('id');
    return true;
  }

  startElement(reader: XmlReader): void {
    if (this.#fieldDepth > 0) return;
    const { name, depth } = reader;
    if (this.#listsDepth === 0 && LISTS.has(name)) {
      this.#listsDepth = depth;
    } else if (this.#listsDepth > 0 && this.#listDepth === 0 && LIST.has(name)) {
      this.#listDepth = depth;
      this.#lists.push({ uri: reader.attribute('id'), texts: new Map() });
    } else {
      this.#fieldDepth = depth;
      this.#field = FIELD_BY_NAME.get(name);
      this.#text = '';
    }
  }

  text(text: string): number {
    return this.#field === undefined ? 0 : (this.#text += text).length;
  }

  endElement(reader: XmlReader): void {
    switch (reader.depth) {
      case this.#fieldDepth: {
        const texts = this.#listDepth > 0 ? this.#lists.at(-1)?.texts : this.#texts;
        if (this.#field !== undefined) texts?.set(this.#field, trimSpace(this.#text));
        this.#field = undefined;
        this.#fieldDepth = 0;
        return;
      }
      case this.#listDepth:
        this.#listDepth = 0;
        return;
      case this.#listsDepth:
        this.#listsDepth = 0;
    }
  }

  finish(entry: AtomEntry, problem: (message: string) => void): DirectoryContact | undefined {
    if (!this.#found) return undefined;
    const text = (field: string) => notEmpty(this.#texts.get(field));
    const instant = (field: string) => readInstant(field, this.#texts.get(field) ?? '', problem);
    const values = new Map<ColumnName, string>();
    for (const [field, column] of COLUMN_ELEMENTS) {
      const value = text(field);
      if (value !== undefined) values.set(column, value);
    }
    const lists = this.#lists.map(({ uri, texts }): Membership => ({
      listId: lastSegment(uri ?? ''),
      optInSource: notEmpty(texts.get('OptInSource')),
      optInTime: readInstant('OptInTime', texts.get('OptInTime') ?? '', problem),
    }));
    return {
      id: lastSegment(this.#uri ?? entry.id ?? entry.edit ?? ''),
      status: text('Status'),
      emailAddress: text('EmailAddress') ?? '',
      emailType: text('EmailType'),
      name: text('Name'),
      values,
      note: text('Note'),
      lists,
      optInSource: text('OptInSource') ?? lists[0]?.optInSource,
      optInTime: instant('OptInTime') ?? lists[0]?.optInTime,
      insertTime: instant('InsertTime'),
      updated: instant('LastUpdateTime') ?? entry.updated,
    };
  }
}

function notEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/**
 * The `<Contact>` element: of a feed, without values, note and lists, or with all of them, blank where there is nothing.
 */
export function contactElement(
  contact: DirectoryContact,
  uris: AccountUris,
  form: 'brief' | 'whole',
): XmlElement {
  const { emailAddress, emailType, values, insertTime, updated } = contact;
  const listed = form === 'whole' ? contact.lists : [];
  return {
    name: 'Contact',
    attributes: { xmlns: CTCT_NAMESPACE, id: uris.contact(contact.id) },
    children: [
      leaf('Status', contact.status),
      leaf('EmailAddress', emailAddress),
      leaf('EmailType', emailType),
      leaf('Name', contact.name),
      ...(form === 'brief'
        ? [...instant('OptInTime', contact.optInTime), leaf('OptInSource', contact.optInSource)]
        : [
            ...COLUMN_ELEMENTS.flatMap(([field, column]) => [
              ...(field === 'CustomField1' ? [leaf('Note', contact.note)] : []),
              leaf(field, columnText(field, values.get(column))),
            ]),
            { name: 'ContactLists', children: listed.map((list) => membershipElement(list, uris)) },
            leaf('Confirmed', 'false'),
            ...instant('InsertTime', insertTime),
            ...instant('LastUpdateTime', updated),
          ]),
    ],
  };
}

/** A country of two letters is a code, any other a name. */
function columnText(field: string, value: string | undefined): string | undefined {
  if (field === 'CountryCode') return value?.length === 2 ? value : undefined;
  if (field === 'CountryName') return value?.length === 2 ? undefined : value;
  return value;
}

function membershipElement({ listId, optInSource, optInTime }: Membership, uris: AccountUris): XmlElement {
  const uri = uris.list(listId);
  return {
    name: 'ContactList',
    attributes: { id: uri },
    children: [
      {
        name: 'link',
        attributes: { xmlns: ATOM_NAMESPACE, href: new URL(uri).pathname, rel: 'self' },
      },
      leaf('OptInSource', optInSource),
      ...instant('OptInTime', optInTime),
    ],
  };
}

/** The `<ContactListMember>` element. */
export function memberElement(member: ListMember, uris: AccountUris): XmlElement {
  return {
    name: 'ContactListMember',
    attributes: { xmlns: CTCT_NAMESPACE, id: uris.contact(member.id) },
    children: [leaf('EmailAddress', member.emailAddress), leaf('Name', member.name)],
  };
}

function leaf(name: string, text: string | undefined): XmlElement {
  return { name, children: [text ?? ''] };
}

function instant(name: string, date: Date | undefined): XmlElement[] {
  return date === undefined ? [] : [{ name, children: [formatInstant(date)] }];
}
