import type { ColumnName } from './columns.js';
import type { ContactList } from './list.js';
import type { CallOptions, ListOptions } from './service.js';

/** Who put a contact on a list: the owner of the account, or the contact. */
export const OPT_IN_SOURCES = ['ACTION_BY_CUSTOMER', 'ACTION_BY_CONTACT'] as const;
export type OptInSource = (typeof OPT_IN_SOURCES)[number];

export const CONTACT_STATUSES = ['Active', 'Unconfirmed', 'Removed', 'Do Not Mail'] as const;
export type ContactStatus = (typeof CONTACT_STATUSES)[number];

/** A list that a contact is on. */
export interface Membership {
  readonly listId: string;
  readonly optInSource: string | undefined;
  readonly optInTime: Date | undefined;
}

/** A contact as the contacts collection tells it. In a feed it has no values, note and lists. */
export interface DirectoryContact {
  readonly id: string;
  /** One of CONTACT_STATUSES; an unknown one as it was. */
  readonly status: string | undefined;
  readonly emailAddress: string;
  /** `HTML` or `Text`. */
  readonly emailType: string | undefined;
  /** First name, last name. */
  readonly name: string | undefined;
  /** By ws column name, the address not among them; no value is empty. */
  readonly values: ReadonlyMap<ColumnName, string>;
  readonly note: string | undefined;
  readonly lists: readonly Membership[];
  /** Of the first list. */
  readonly optInSource: string | undefined;
  readonly optInTime: Date | undefined;
  readonly insertTime: Date | undefined;
  readonly updated: Date | undefined;
}

/** What a caller says of a contact. Whatever is left out is blank, as the service had it: an update tells all of it. */
export interface ContactDraft {
  readonly emailAddress: string;
  readonly emailType?: string | undefined;
  readonly values: ReadonlyMap<ColumnName, string>;
  readonly note?: string | undefined;
  /** Ids of the lists it is to be on, and no others. */
  readonly lists: readonly string[];
  /** Default `ACTION_BY_CUSTOMER`. Only `ACTION_BY_CONTACT` brings back who opted out. */
  readonly optInSource?: string | undefined;
}

/** What a caller says of a list; what is left out stays, or is as for any new list. */
export type ListDraft = Pick<ContactList, 'name'> &
  Partial<Pick<ContactList, 'shortName' | 'optInDefault' | 'displayOnSignup' | 'sortOrder'>>;

/** A contact as a member of a list. */
export interface ListMember {
  /** Of the contact. */
  readonly id: string;
  readonly emailAddress: string;
  /** Last name, first name. */
  readonly name: string | undefined;
  readonly updated: Date | undefined;
}

/** Which contacts are asked for. */
export interface ContactQuery extends ListOptions {
  /** Only contacts with one of these addresses, in any case. */
  readonly emails?: readonly string[] | undefined;
  /** Only members of this list, or of `active`, `removed` or `do-not-mail`. */
  readonly list?: string | undefined;
  /** Only contacts that changed at this time or later. */
  readonly updatedSince?: Date | undefined;
}

/**
 * The collections beside an account's activities: its lists and its contacts, one at a time and with immediate effect.
 * Every method rejects with a `CtctError`: `NOT_FOUND` for an id that is none, `SERVICE_REFUSED` with status 409 for what
 * exists already, with 400 for what cannot be.
 */
export interface ContactDirectory {
  /** The list. */
  getList(id: string, options?: CallOptions): Promise<ContactList>;
  /** The list as it was made, with its id. */
  createList(draft: ListDraft, options?: CallOptions): Promise<ContactList>;
  /** The list as it is then; what the draft leaves out stays. */
  updateList(id: string, draft: ListDraft, options?: CallOptions): Promise<ContactList>;
  /** Its members are on one list less. */
  deleteList(id: string, options?: CallOptions): Promise<void>;
  /** Those who are on the list. Read page by page. */
  members(listId: string, options?: ListOptions): AsyncIterable<ListMember>;

  /** The contacts that are meant, without values, note and lists; all without a query. Read page by page. */
  contacts(query?: ContactQuery): AsyncIterable<DirectoryContact>;
  /** The contact, all of it. */
  getContact(id: string, options?: CallOptions): Promise<DirectoryContact>;
  /** The contact as it was made. */
  createContact(draft: ContactDraft, options?: CallOptions): Promise<DirectoryContact>;
  /** The contact as it is then; what the draft leaves out is blank. */
  updateContact(id: string, draft: ContactDraft, options?: CallOptions): Promise<DirectoryContact>;
  /** Takes the contact off all lists for good, to Do Not Mail; it can still be read. */
  optOut(id: string, options?: CallOptions): Promise<void>;
}
