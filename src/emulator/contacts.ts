import type { ColumnName } from '../activity/columns.js';
import { addressKey } from './address.js';
import { readContacts, writeContacts, type ContactsState } from './contacts-state.js';
import { ownText } from './own-text.js';
import { Roll } from './roll.js';
import { SmallMap } from './small-map.js';

/** When something was done to a contact, and by whom. */
export interface Mark {
  /** Milliseconds since 1970. */
  readonly date: number;
  /** As exports print it: `API`. */
  readonly by: string;
}

export interface Contact {
  /** Counts from 1, in the order the account came to know its contacts. */
  readonly number: number;
  /** As it was first written. */
  readonly address: string;
  /** By ws column name, the address not among them. */
  readonly values: ReadonlyMap<ColumnName, string>;
  /** The lists it is a member of, by id, with when it was added to each. */
  readonly lists: ReadonlyMap<string, Mark>;
  /** Where a contact stands: on a list, on none any more, or opted out and so on none either. */
  readonly standing: Standing;
  /** Since when. */
  readonly since: Mark;
  /** When the account came to know it. */
  readonly created: Mark;
  /** When its values, lists or standing last changed. */
  readonly updated: Mark;
  /** Undefined is HTML. */
  readonly emailType?: string | undefined;
  readonly note?: string | undefined;
}

/** All that can be said of a contact. */
export interface ContactFields {
  readonly address: string;
  readonly values: Iterable<readonly [ColumnName, string]>;
  readonly lists: readonly string[];
  readonly emailType?: string | undefined;
  readonly note?: string | undefined;
}

export interface Member {
  readonly contact: Contact;
  /** When it joined the list; for `removed` and `do-not-mail`, when it left the others. */
  readonly mark: Mark;
}

export type Standing = 'active' | 'removed' | 'do-not-mail';

/** A contact as the book keeps it. */
export interface ContactEntry extends Contact {
  address: string;
  emailType?: string | undefined;
  note?: string | undefined;
  values: SmallMap<ColumnName, string>;
  lists: SmallMap<string, Mark>;
  standing: Standing;
  since: Mark;
  updated: Mark;
}

/** The contacts of an account and the lists they are on. Addresses are the same whatever their case. */
export class ContactBook {
  readonly #byNumber: ContactEntry[] = [];
  readonly #byAddress = new Map<string, ContactEntry>();
  readonly #standings: Readonly<Record<Standing, Roll>>;
  readonly #members = new Map<string, Roll>();
  /** What the last contact that joined lists had become by it: uploads do the same to many. */
  #joined: { from: unknown; lists: unknown; mark: unknown; to: SmallMap<string, Mark> } | undefined;

  constructor(state?: ContactsState) {
    this.#standings = { active: new Roll(), removed: new Roll(), 'do-not-mail': new Roll() };
    for (const entry of state === undefined ? [] : readContacts(state)) {
      this.#keep(entry);
      for (const list of entry.lists.keys()) this.#rollOf(list).add(entry.number);
    }
  }

  /** All of it as plain data, for `new ContactBook(state)`. */
  state(): ContactsState {
    return writeContacts(this.#byNumber);
  }

  /** How many there are, wherever they stand. */
  get size(): number {
    return this.#byNumber.length;
  }

  find(address: string): Contact | undefined {
    return this.#byAddress.get(addressKey(address));
  }

  get(number: number): Contact | undefined {
    return this.#byNumber[number - 1];
  }

  /** All contacts, or those behind the one of that number, in order of number. */
  *contacts(after = 0): Generator<Contact> {
    for (let index = Math.max(0, after); index < this.#byNumber.length; index++) {
      const contact = this.#byNumber[index];
      if (contact !== undefined) yield contact;
    }
  }

  /**
   * Puts a contact on lists, new or known, and sets the values given; others stay, blank ones erase. A member already keeps its date.
   * False, and nothing done, when the address is on do-not-mail: no upload brings back who opted out.
   */
  add(
    address: string,
    values: Iterable<readonly [ColumnName, string]>,
    lists: readonly string[],
    mark: Mark,
  ): boolean {
    const entry = this.#entry(address, mark);
    if (entry.standing === 'do-not-mail') return false;
    this.#setValues(entry, values, mark);
    this.#join(entry, lists, mark);
    return true;
  }

  /** Takes a contact off lists; off the last one, it becomes `removed`. An address nobody knows is no matter. */
  remove(address: string, lists: readonly string[], mark: Mark): void {
    const entry = this.#byAddress.get(addressKey(address));
    if (entry !== undefined) this.#leave(entry, lists, mark);
  }

  /** Takes all members off lists; the number of contacts that were on one or more of them. */
  clear(lists: readonly string[], mark: Mark): number {
    let count = 0;
    for (const list of lists) {
      for (const number of this.#members.get(list)?.after(0) ?? []) {
        const entry = this.#byNumber[number - 1];
        if (entry === undefined) continue;
        this.#leave(entry, lists, mark);
        count++;
      }
    }
    return count;
  }

  /** Takes a contact, new or known, off all lists for good. */
  optOut(address: string, values: Iterable<readonly [ColumnName, string]>, mark: Mark): void {
    const entry = this.#entry(address, mark);
    this.#setValues(entry, values, mark);
    this.#leave(entry, [...entry.lists.keys()], mark);
    this.#stand(entry, 'do-not-mail', mark);
  }

  /** A new contact of that number, with these fields, or undefined when its address is known. */
  create(fields: ContactFields, mark: Mark): Contact | undefined {
    if (this.find(fields.address) !== undefined) return undefined;
    const entry = this.#entry(fields.address, mark);
    this.#replace(entry, fields, mark);
    return entry;
  }

  /**
   * The contact of that number with these fields and no others: what is not said is blank, lists that are not named are
   * left; one that opted out is back where it is put on lists. Undefined when another contact has the address.
   */
  replace(number: number, fields: ContactFields, mark: Mark): Contact | undefined {
    const entry = this.#byNumber[number - 1];
    const holder = this.#byAddress.get(addressKey(fields.address));
    if (entry === undefined || (holder !== undefined && holder !== entry)) return undefined;
    this.#byAddress.delete(addressKey(entry.address));
    entry.address = ownText(fields.address);
    this.#byAddress.set(addressKey(entry.address), entry);
    this.#replace(entry, fields, mark);
    return entry;
  }

  #replace(entry: ContactEntry, { values, lists, emailType, note }: ContactFields, mark: Mark): void {
    entry.values = SmallMap.empty();
    this.#setValues(entry, values, mark);
    // Few contacts have any: the others do without the room for it.
    if (entry.emailType !== emailType) entry.emailType = emailType;
    if (entry.note !== note) entry.note = note;
    entry.updated = mark;
    const left = [...entry.lists.keys()].filter((list) => !lists.includes(list));
    if (entry.standing === 'do-not-mail' && lists.length > 0) this.#stand(entry, 'removed', mark);
    this.#join(entry, lists, mark);
    this.#leave(entry, left, mark);
  }

  /** Members of a list, of `active` (on any list), `removed` (on none) or `do-not-mail`. */
  count(list: string): number {
    return this.#walked(list)?.size ?? 0;
  }

  /**
   * The members of a list, of `active`, `removed` or `do-not-mail`, in order of number: all, or those behind the contact
   * of that number, which need not be a member itself. A page costs the same wherever it begins.
   */
  *members(list: string, after = 0): Generator<Member> {
    for (const number of this.#walked(list)?.after(after) ?? []) {
      const contact = this.#byNumber[number - 1];
      if (contact !== undefined) yield { contact, mark: contact.lists.get(list) ?? contact.since };
    }
  }

  #walked(list: string): Roll | undefined {
    if (list === 'active' || list === 'removed' || list === 'do-not-mail') return this.#standings[list];
    return this.#members.get(list);
  }

  #entry(address: string, mark: Mark): ContactEntry {
    const known = this.#byAddress.get(addressKey(address));
    if (known !== undefined) return known;
    const entry: ContactEntry = {
      number: this.#byNumber.length + 1,
      address: ownText(address),
      values: SmallMap.empty(),
      lists: SmallMap.empty(),
      standing: 'removed',
      since: mark,
      created: mark,
      updated: mark,
    };
    this.#keep(entry);
    return entry;
  }

  #keep(entry: ContactEntry): void {
    this.#byNumber.push(entry);
    this.#byAddress.set(addressKey(entry.address), entry);
    this.#standings[entry.standing].add(entry.number);
  }

  #setValues(entry: ContactEntry, values: Iterable<readonly [ColumnName, string]>, mark: Mark): void {
    const before = entry.values;
    const own = Array.from(values, ([name, value]) => [name, ownText(value)] as const);
    const blank = own.flatMap(([name, value]) => (value === '' ? [name] : []));
    entry.values = before.with(own);
    if (blank.length > 0) entry.values = entry.values.without(blank);
    if (entry.values !== before) entry.updated = mark;
  }

  #rollOf(list: string): Roll {
    let roll = this.#members.get(list);
    if (roll === undefined) {
      roll = new Roll();
      this.#members.set(list, roll);
    }
    return roll;
  }

  #join(entry: ContactEntry, lists: readonly string[], mark: Mark): void {
    const from = entry.lists;
    for (const list of lists) this.#rollOf(list).add(entry.number);
    if (this.#joined?.from !== from || this.#joined.lists !== lists || this.#joined.mark !== mark) {
      const news = lists.filter((list) => !from.has(list));
      this.#joined = { from, lists, mark, to: from.with(news.map((list) => [list, mark] as const)) };
    }
    if (this.#joined.to === from) return;
    entry.lists = this.#joined.to;
    entry.updated = mark;
    if (entry.standing === 'removed') this.#stand(entry, 'active', mark);
  }

  #leave(entry: ContactEntry, lists: readonly string[], mark: Mark): void {
    const left = entry.lists.without(lists);
    if (left === entry.lists) return;
    for (const list of lists) this.#members.get(list)?.delete(entry.number);
    entry.lists = left;
    entry.updated = mark;
    if (entry.standing === 'active' && left.size === 0) this.#stand(entry, 'removed', mark);
  }

  #stand(entry: ContactEntry, standing: Standing, mark: Mark): void {
    this.#standings[entry.standing].delete(entry.number);
    this.#standings[standing].add(entry.number);
    entry.standing = standing;
    entry.since = mark;
    entry.updated = mark;
  }
}
