import type { ContactDraft, DirectoryContact, ListDraft, ListMember } from '../activity/directory.js';
import { DecodeError } from '../activity/errors.js';
import { isSystemList, listId } from '../activity/list.js';
import { writeXml, type XmlElement } from '../format/xml-writer.js';
import { decodeDocument, type AtomReaderOptions, type ContentDecoder } from './atom.js';
import {
  entryDocument,
  feedDocument,
  type EntryFrame,
  type FeedFrame,
  type PageLinks,
} from './atom-writer.js';
import { ContactContent, contactElement, memberElement } from './contact-element.js';
import { ContactListContent } from './list-element.js';
import { APP_NAMESPACE, ATOM_NAMESPACE } from './names.js';
import { LOSSLESS } from './quirks.js';
import type { DocumentFrame } from './records.js';

/** One page of contacts, each without values, note and lists. */
export function encodeContacts(
  contacts: readonly DirectoryContact[],
  frame: DocumentFrame,
  links?: PageLinks,
): string {
  const entries = contacts.map((contact) => contactFrame(contact, frame, 'brief'));
  return feedDocument(contactsFrame(frame), entries, links, frame.quirks ?? LOSSLESS);
}

/** A single contact, with all that is known of it. */
export function encodeContact(contact: DirectoryContact, frame: DocumentFrame): string {
  return entryDocument(contactFrame(contact, frame, 'whole'), contactsFrame(frame), frame.quirks ?? LOSSLESS);
}

function contactFrame(contact: DirectoryContact, frame: DocumentFrame, form: 'brief' | 'whole'): EntryFrame {
  const { id, emailAddress, updated } = contact;
  return {
    uri: frame.uris.contact(id),
    title: `Contact: ${emailAddress}`,
    updated,
    content: contactElement(contact, frame.uris, form),
  };
}

function contactsFrame(frame: DocumentFrame): FeedFrame {
  const { user, updated, uris } = frame;
  return { uri: uris.contacts, title: `Contacts for Customer: ${user}`, author: user, updated };
}

/**
 * One page of the members of a list.
 *
 * Quirk: the edit links lead to places below the list that do not exist; the ids are those of the contacts
 * (test/fixtures/ws/directory/members).
 */
export function encodeMembers(
  members: readonly ListMember[],
  listId: string,
  frame: DocumentFrame,
  links?: PageLinks,
): string {
  const { uris, user, updated } = frame;
  const uri = `${uris.list(listId)}/members`;
  const entries = members.map((member): EntryFrame => ({
    uri: uris.contact(member.id),
    edit: `${uri}/${encodeURIComponent(member.id)}`,
    title: member.emailAddress,
    updated: member.updated,
    content: memberElement(member, uris),
  }));
  const feed = { uri, title: `Members of list ${listId} for Customer: ${user}`, author: user, updated };
  return feedDocument(feed, entries, links, frame.quirks ?? LOSSLESS);
}

/** The service document (RFC 5023 section 8): what there is below `/ws/customers/<user>/`. */
export function encodeService(frame: DocumentFrame, collections: readonly ('lists' | 'contacts')[]): string {
  const title = (text: string): XmlElement => ({
    name: 'atom:title',
    attributes: { type: 'text' },
    children: [text],
  });
  const collection = (uri: string, text: string, accepted: readonly string[]): XmlElement => ({
    name: 'collection',
    attributes: { href: new URL(uri).pathname },
    children: [title(text), ...accepted.map((type) => ({ name: 'accept', children: [type] }))],
  });
  const entry = 'application/atom+xml;type=entry';
  return writeXml({
    name: 'service',
    attributes: { xmlns: APP_NAMESPACE, 'xmlns:atom': ATOM_NAMESPACE },
    children: [
      {
        name: 'workspace',
        children: [
          title(frame.user),
          collection(frame.uris.activities, 'Bulk Activity', [
            'application/x-www-form-urlencoded',
            'multipart/form-data',
          ]),
          ...collections.map((name) =>
            name === 'lists'
              ? collection(frame.uris.lists, 'Contact Lists', [entry])
              : collection(frame.uris.contacts, 'Contacts', [entry]),
          ),
        ],
      },
    ],
  });
}

/**
 * The contact that an entry sent by a client describes.
 * @throws DecodeError when it is no entry of a contact.
 */
export function decodeContactDraft(bytes: Uint8Array): ContactDraft {
  const { emailAddress, emailType, values, note, lists, optInSource } = decodeSent(
    bytes,
    new ContactContent(),
    'Contact',
  );
  return {
    emailAddress,
    emailType,
    values,
    note,
    // A contact that was read and sent back names the system lists it stands on as well.
    lists: lists.map((list) => listId(list.listId)).filter((id) => !isSystemList(id)),
    optInSource,
  };
}

/** The list that an entry sent by a client describes. @throws DecodeError when it is no entry of a list. */
export function decodeListDraft(bytes: Uint8Array): ListDraft {
  const list = decodeSent(bytes, new ContactListContent(), 'ContactList');
  const { name, shortName, optInDefault, displayOnSignup, sortOrder } = list;
  return { name, shortName, optInDefault, displayOnSignup, sortOrder };
}

/**
 * Quirk: clients sent entries that they had laid out with white space in front, without author or id, with dates without
 * a time (test/fixtures/ws/directory/python-official-create-list). What is asked for is in the content alone.
 */
function decodeSent<T>(bytes: Uint8Array, content: ContentDecoder<T>, what: string): T {
  const options: AtomReaderOptions = { source: 'request' };
  const { root, entries } = decodeDocument(afterSpace(bytes), content, options);
  const [entry] = entries;
  if (root === 'entry' && entry?.value !== undefined) return entry.value;
  throw new DecodeError('DOCUMENT_UNEXPECTED', `request: expected an Atom entry whose content is a ${what}`);
}

/** An XML declaration may have nothing in front of it, not even white space. */
function afterSpace(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== 0x0a);
  return bytes.subarray(Math.max(0, start));
}
