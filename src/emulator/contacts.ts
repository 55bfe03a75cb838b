import type { ColumnName } from '../activity/columns.js';
import { addressKey } from './address.js';

/** When something was done to a contact, and by whom. */
export interface Mark {
  /** Milliseconds since 1970. */
  readonly date: number;
  /** As exports print it: `API`. */
  readonly by: string;
}

export interface Contact {
  /** As it was first written. */
  readonly address: string;
  /** By ws column name, the address not among them. */
  readonly values: ReadonlyMap<ColumnName, string>;
  /** The lists it is a member of, by id, with when it was added to each. */
  readonly lists: ReadonlyMap<string, Mark>;
  /** Where a contact stands: on a list, on none any more, or opted out and so on none either. */
  readonly standing: 'active' | 'removed' | 'do-not-mail';
  /** Since when. */
  readonly since: Mark;
}

export interface Member {
  readonly contact: Contact;
  /** When it joined the list; for `removed` and `do-not-mail`, when it left the others. */
  readonly mark: Mark;
}

type Standing = Contact['standing'];

interface Entry extends Contact {
  readonly values: Map<ColumnName, string>;
  readonly lists: Map<string, Mark>;
  standing: Standing;
  since: Mark;
}

/** The contacts of an account and the lists they are on. Addresses are the same whatever their case. */
export class ContactBook {
  readonly #contacts = new Map<string, Entry>();
  readonly #members = new Map<string, Set<Entry>>();

  find(address: string): Contact | undefined {
    return this.#contacts.get(addressKey(address));
  }

  /**
   * Puts a contact on lists, new or known, and sets the values given; others stay. A member already keeps its date.
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
    for (const [name, value] of values) entry.values.set(name, value);
    for (const list of lists) {
      if (entry.lists.has(list)) continue;
      entry.lists.set(list, mark);
      this.#membersOf(list).add(entry);
    }
    if (entry.standing === 'removed' && lists.length > 0) {
      entry.standing = 'active';
      entry.since = mark;
    }
    return true;
  }

  /** Takes a contact off lists; off the last one, it becomes `removed`. An address nobody knows is no matter. */
  remove(address: string, lists: readonly string[], mark: Mark): void {
    const entry = this.#contacts.get(addressKey(address));
    if (entry !== undefined) this.#leave(entry, lists, mark);
  }

  /** Takes all members off lists; the number of contacts that were on one or more of them. */
  clear(lists: readonly string[], mark: Mark): number {
    const members = new Set(lists.flatMap((list) => [...this.#membersOf(list)]));
    for (const entry of members) this.#leave(entry, lists, mark);
    return members.size;
  }

  /** Takes a contact, new or known, off all lists for good. */
  optOut(address: string, values: Iterable<readonly [ColumnName, string]>, mark: Mark): void {
    const entry = this.#entry(address, mark);
    for (const [name, value] of values) entry.values.set(name, value);
    this.#leave(entry, [...entry.lists.keys()], mark);
    entry.standing = 'do-not-mail';
    entry.since = mark;
  }

  count(list: string): number {
    return this.#members.get(list)?.size ?? 0;
  }

  /** The members of a list, of `active` (on any list), `removed` (on none) or `do-not-mail`, in no order. */
  *members(list: string): Generator<Member> {
    if (list === 'active' || list === 'removed' || list === 'do-not-mail') {
      for (const contact of this.#contacts.values()) {
        if (contact.standing === list) yield { contact, mark: contact.since };
      }
    } else {
      for (const contact of this.#members.get(list) ?? []) {
        const mark = contact.lists.get(list);
        if (mark !== undefined) yield { contact, mark };
      }
    }
  }

  #entry(address: string, mark: Mark): Entry {
    const key = addressKey(address);
    let entry = this.#contacts.get(key);
    if (entry === undefined) {
      entry = { address, values: new Map(), lists: new Map(), standing: 'removed', since: mark };
      this.#contacts.set(key, entry);
    }
    return entry;
  }

  #membersOf(list: string): Set<Entry> {
    let members = this.#members.get(list);
    if (members === undefined) {
      members = new Set();
      this.#members.set(list, members);
    }
    return members;
  }

  #leave(entry: Entry, lists: readonly string[], mark: Mark): void {
    for (const list of lists) {
      if (entry.lists.delete(list)) this.#membersOf(list).delete(entry);
    }
    if (entry.standing === 'active' && entry.lists.size === 0) {
      entry.standing = 'removed';
      entry.since = mark;
    }
  }
}
