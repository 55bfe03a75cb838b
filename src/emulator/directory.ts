import type { ColumnName } from '../activity/columns.js';
import type {
  ContactDirectory,
  ContactDraft,
  ContactQuery,
  DirectoryContact,
  ListDraft,
  ListMember,
} from '../activity/directory.js';
import { ServiceError, TransportError } from '../activity/errors.js';
import { isSystemList, systemList, SYSTEM_LISTS, type ContactList } from '../activity/list.js';
import type { CallOptions, ListOptions } from '../activity/service.js';
import { isEmailAddress } from './address.js';
import type { Contact, ContactFields, Mark } from './contacts.js';
import { SERVED_LISTS } from './lists.js';
import { BY_API, type Holdings } from './work.js';

/** Who is said to have put a contact on a list that it asked for itself. */
const BY_CONTACT = 'Contact';

/** What the directory is of: an account, whose jobs change the same lists and contacts. */
export interface DirectorySource {
  readonly holdings: Holdings;
  now(): number;
}

/** The lists and contacts of an emulated account, one at a time and with immediate effect. */
export class EmulatedDirectory implements ContactDirectory {
  readonly #source: DirectorySource;

  constructor(source: DirectorySource) {
    this.#source = source;
  }

  async getList(id: string, options?: CallOptions): Promise<ContactList> {
    return this.#list(id, await this.#holdings(options));
  }

  async createList(draft: ListDraft, options?: CallOptions): Promise<ContactList> {
    const holdings = await this.#holdings(options);
    checkName(draft.name, undefined, holdings);
    const { id } = holdings.lists.add(given(draft), this.#source.now());
    return this.#list(id, holdings);
  }

  async updateList(id: string, draft: ListDraft, options?: CallOptions): Promise<ContactList> {
    const holdings = await this.#holdings(options);
    refuseSystem(id);
    this.#list(id, holdings);
    checkName(draft.name, id, holdings);
    holdings.lists.change(id, given(draft), this.#source.now());
    return this.#list(id, holdings);
  }

  async deleteList(id: string, options?: CallOptions): Promise<void> {
    const { contacts, lists } = await this.#holdings(options);
    refuseSystem(id);
    if (!lists.remove(id)) throw noList(id);
    contacts.clear([id], { date: this.#source.now(), by: BY_API });
  }

  /** In the order the account came to know them. */
  async *members(listId: string, options?: ListOptions): AsyncGenerator<ListMember> {
    const holdings = await this.#holdings(options);
    this.#list(listId, holdings);
    for (const { contact } of holdings.contacts.members(listId, numberAfter(options?.after, holdings))) {
      yield {
        id: String(contact.number),
        emailAddress: contact.address,
        name: nameOf(contact, ['LAST NAME', 'FIRST NAME'], ', '),
        updated: new Date(contact.updated.date),
      };
    }
  }

  /** In the order the account came to know them; those asked for by address in the order they are asked for. */
  async *contacts(query: ContactQuery = {}): AsyncGenerator<DirectoryContact> {
    const holdings = await this.#holdings(query);
    const { list, emails, updatedSince } = query;
    if (list !== undefined) this.#list(list, holdings);
    const since = updatedSince?.getTime() ?? -Infinity;
    for (const contact of found(query, holdings)) {
      if (contact.updated.date < since) continue;
      if (emails !== undefined && list !== undefined && !standsOn(contact, list)) continue;
      yield record(contact);
    }
  }

  async getContact(id: string, options?: CallOptions): Promise<DirectoryContact> {
    return record(contactOf(id, await this.#holdings(options)));
  }

  async createContact(draft: ContactDraft, options?: CallOptions): Promise<DirectoryContact> {
    const holdings = await this.#holdings(options);
    if (draft.lists.length === 0) throw refused(400, 'the contact is on no list; name at least one');
    const fields = checkFields(draft, holdings);
    const contact = holdings.contacts.create(fields, this.#mark(draft));
    if (contact !== undefined) return record(contact);
    throw refused(409, `the contact ${draft.emailAddress} exists already; change it with PUT`);
  }

  async updateContact(id: string, draft: ContactDraft, options?: CallOptions): Promise<DirectoryContact> {
    const holdings = await this.#holdings(options);
    const { number, standing } = contactOf(id, holdings);
    const fields = checkFields(draft, holdings);
    if (standing === 'do-not-mail' && fields.lists.length > 0 && draft.optInSource !== 'ACTION_BY_CONTACT') {
      throw refused(400, 'the contact opted out; only ACTION_BY_CONTACT puts it back on a list');
    }
    const contact = holdings.contacts.replace(number, fields, this.#mark(draft));
    if (contact !== undefined) return record(contact);
    throw refused(409, `another contact has the address ${draft.emailAddress}`);
  }

  async optOut(id: string, options?: CallOptions): Promise<void> {
    const holdings = await this.#holdings(options);
    const { address } = contactOf(id, holdings);
    holdings.contacts.optOut(address, [], { date: this.#source.now(), by: BY_API });
  }

  /** With all work of the account's jobs done that is due. */
  async #holdings(options: CallOptions | undefined): Promise<Holdings> {
    await Promise.resolve();
    if (options?.signal?.aborted === true) {
      throw new TransportError('ABORTED', 'the call was aborted', {
        sent: 'no',
        cause: options.signal.reason,
      });
    }
    return this.#source.holdings;
  }

  #list(id: string, { lists, contacts }: Holdings): ContactList {
    const served = SERVED_LISTS.find((known) => known === id);
    if (served !== undefined) return systemList(served);
    const list = lists.get(id);
    if (list === undefined) throw noList(id);
    return { ...list, contactCount: contacts.count(id) };
  }

  #mark({ optInSource }: ContactDraft): Mark {
    return {
      date: this.#source.now(),
      by: optInSource === 'ACTION_BY_CONTACT' ? BY_CONTACT : BY_API,
    };
  }
}

/** By address, by list, or all. */
function* found(query: ContactQuery, holdings: Holdings): Generator<Contact> {
  const { contacts } = holdings;
  const after = numberAfter(query.after, holdings);
  if (query.emails !== undefined) {
    const asked = new Set(query.emails.flatMap((email) => contacts.find(email) ?? []));
    let begun = after === 0;
    for (const contact of asked) {
      if (begun) yield contact;
      begun ||= contact.number === after;
    }
  } else if (query.list !== undefined) {
    for (const { contact } of contacts.members(query.list, after)) yield contact;
  } else {
    yield* contacts.contacts(after);
  }
}

function standsOn(contact: Contact, list: string): boolean {
  return contact.standing === list || contact.lists.has(list);
}

function record(contact: Contact): DirectoryContact {
  const lists = Array.from(contact.lists, ([listId, mark]) => ({ listId, ...optIn(mark) }));
  return {
    id: String(contact.number),
    status: STATUSES[contact.standing],
    emailAddress: contact.address,
    emailType: contact.emailType ?? 'HTML',
    name: nameOf(contact, ['FIRST NAME', 'LAST NAME'], ' '),
    values: contact.values,
    note: contact.note,
    lists,
    ...optIn([...contact.lists.values()][0] ?? contact.created),
    insertTime: new Date(contact.created.date),
    updated: new Date(contact.updated.date),
  };
}

const STATUSES = { active: 'Active', removed: 'Removed', 'do-not-mail': 'Do Not Mail' } as const;

function optIn({ date, by }: Mark): Pick<DirectoryContact, 'optInSource' | 'optInTime'> {
  return {
    optInSource: by === BY_CONTACT ? 'ACTION_BY_CONTACT' : 'ACTION_BY_CUSTOMER',
    optInTime: new Date(date),
  };
}

function nameOf({ values }: Contact, columns: readonly ColumnName[], separator: string): string | undefined {
  const name = columns.flatMap((column) => values.get(column) ?? []).join(separator);
  return name === '' ? undefined : name;
}

function checkFields(draft: ContactDraft, { lists }: Holdings): ContactFields {
  const address = draft.emailAddress.trim();
  if (!isEmailAddress(address)) {
    throw refused(400, `EmailAddress: "${address.slice(0, 100)}" is no e-mail address`);
  }
  for (const id of draft.lists) {
    if (!lists.has(id)) throw refused(400, `ContactLists: list ${id.slice(0, 40)} does not exist`);
  }
  const emailType = draft.emailType?.toLowerCase() === 'text' ? 'Text' : undefined;
  return { address, values: draft.values, lists: [...new Set(draft.lists)], emailType, note: draft.note };
}

function checkName(name: string, id: string | undefined, { lists }: Holdings): void {
  if (name.trim() === '') throw refused(400, 'Name: the list needs one');
  const holder = lists.named(name);
  const system = Object.values(SYSTEM_LISTS).some((known) => known.toLowerCase() === name.toLowerCase());
  if (system || (holder !== undefined && holder.id !== id)) {
    throw refused(409, `a list named "${name.slice(0, 100)}" exists already`);
  }
}

/** What a draft says, without what it leaves open. */
function given({ name, shortName, optInDefault, displayOnSignup, sortOrder }: ListDraft) {
  return {
    name,
    ...(shortName === undefined || shortName === '' ? {} : { shortName }),
    ...(optInDefault === undefined ? {} : { optInDefault }),
    ...(displayOnSignup === undefined ? {} : { displayOnSignup }),
    ...(sortOrder === undefined ? {} : { sortOrder }),
  };
}

/** The number of the contact that a page begins behind; 0 for the first. */
function numberAfter(after: string | undefined, holdings: Holdings): number {
  return after === undefined ? 0 : contactOf(after, holdings).number;
}

function contactOf(id: string, { contacts }: Holdings): Contact {
  const contact = /^[0-9]{1,15}$/.test(id) ? contacts.get(Number(id)) : undefined;
  if (contact !== undefined) return contact;
  const detail = `there is no contact ${id.slice(0, 40)}`;
  throw new ServiceError('NOT_FOUND', detail, { status: 404, detail });
}

function refuseSystem(id: string): void {
  if (isSystemList(id)) throw refused(400, `the system list ${id} cannot be changed`);
}

function noList(id: string): ServiceError {
  const detail = `there is no list ${id.slice(0, 40)}`;
  return new ServiceError('NOT_FOUND', detail, { status: 404, detail });
}

function refused(status: number, detail: string): ServiceError {
  return new ServiceError('SERVICE_REFUSED', detail, { status, detail });
}
