import type { ContactList } from '../activity/list.js';
import { DEFAULT_LISTS, type ListSeed } from './seed.js';

/** A list of an account, or one of the system's. */
export type NamedList = ContactList & { readonly shortName: string };

/** What can be said of an account's own list. */
export interface ListFields {
  readonly name: string;
  readonly shortName: string;
  readonly optInDefault: boolean;
  readonly displayOnSignup: boolean;
  readonly sortOrder: number;
}

/** The own lists of an account as plain data. */
export interface ListsState {
  /** The number that the next new list gets. */
  readonly next: string;
  /** `updated` is milliseconds since 1970. */
  readonly lists: readonly (ListFields & { readonly id: string; readonly updated: number })[];
}

/** The system lists that the service gives a URI. */
export const SERVED_LISTS = ['active', 'do-not-mail', 'removed'] as const;

/** The lists of an account's own, in the order they were made. Counts are not kept here: `contactCount` is undefined. */
export class ListBook {
  readonly #lists: NamedList[] = [];
  readonly #byId = new Map<string, NamedList>();
  /** The list before each that was removed: who deletes lists page by page goes on behind that one. */
  readonly #gone = new Map<string, string | undefined>();
  /** Ids may be longer than a number can be exact. */
  #next: bigint;

  constructor(state: ListsState) {
    this.#next = BigInt(state.next);
    for (const { id, updated, ...fields } of state.lists) this.#keep(id, fields, updated);
  }

  /** Those of a seed that was checked. */
  static planted(seeds: readonly ListSeed[] = DEFAULT_LISTS, now: number): ListBook {
    const lists = seeds.map(({ id, name, ...seed }, index) => ({
      id,
      name,
      shortName: seed.shortName ?? name,
      optInDefault: seed.optInDefault ?? false,
      displayOnSignup: seed.displayOnSignup ?? true,
      sortOrder: seed.sortOrder ?? index + 1,
      updated: now,
    }));
    const ids = lists.map(({ id }) => BigInt(id));
    const next = ids.reduce((most, id) => (id > most ? id : most), 0n) + 1n;
    return new ListBook({ next: String(next), lists });
  }

  state(): ListsState {
    const lists = this.#lists.map(({ id, updated, ...list }) => ({
      id,
      ...fieldsOf(list),
      updated: updated?.getTime() ?? 0,
    }));
    return { next: String(this.#next), lists };
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  get(id: string): NamedList | undefined {
    return this.#byId.get(id);
  }

  /** The list of that name, whatever its case. */
  named(name: string): NamedList | undefined {
    return this.#lists.find((list) => list.name.toLowerCase() === name.toLowerCase());
  }

  /** True for a list that is there, and for one that was there since the book was made: `all` can begin behind both. */
  knew(id: string): boolean {
    return this.#byId.has(id) || this.#gone.has(id);
  }

  /** All, or those behind that list. */
  *all(after?: string): Generator<NamedList> {
    let id = after;
    while (id !== undefined && this.#gone.has(id)) id = this.#gone.get(id);
    const list = id === undefined ? undefined : this.#byId.get(id);
    const start = list === undefined ? 0 : this.#lists.indexOf(list) + 1;
    for (let index = start; index < this.#lists.length; index++) {
      const list = this.#lists[index];
      if (list !== undefined) yield list;
    }
  }

  /** Makes a list; its id is the next number. Default: short name as the name, not opt-in, shown, sorted last. */
  add(fields: Pick<ListFields, 'name'> & Partial<ListFields>, now: number): NamedList {
    const id = String(this.#next++);
    return this.#keep(
      id,
      {
        name: fields.name,
        shortName: fields.shortName ?? fields.name,
        optInDefault: fields.optInDefault ?? false,
        displayOnSignup: fields.displayOnSignup ?? true,
        sortOrder: fields.sortOrder ?? this.#lists.length + 1,
      },
      now,
    );
  }

  /** The list with these fields changed; undefined when there is none of that id. */
  change(id: string, fields: Partial<ListFields>, now: number): NamedList | undefined {
    const before = this.#byId.get(id);
    if (before === undefined) return undefined;
    const after: NamedList = { ...before, ...fields, updated: new Date(now) };
    this.#byId.set(id, after);
    this.#lists[this.#lists.indexOf(before)] = after;
    return after;
  }

  /** False when there is none of that id. Its members are another's matter. */
  remove(id: string): boolean {
    const list = this.#byId.get(id);
    if (list === undefined) return false;
    const index = this.#lists.indexOf(list);
    this.#gone.set(id, this.#lists[index - 1]?.id);
    this.#byId.delete(id);
    this.#lists.splice(index, 1);
    return true;
  }

  #keep(id: string, fields: ListFields, updated: number): NamedList {
    const list: NamedList = {
      id,
      ...fields,
      system: false,
      contactCount: undefined,
      updated: new Date(updated),
    };
    this.#lists.push(list);
    this.#byId.set(id, list);
    return list;
  }
}

function fieldsOf(list: Pick<NamedList, keyof ListFields>): ListFields {
  return {
    name: list.name,
    shortName: list.shortName,
    optInDefault: list.optInDefault ?? false,
    displayOnSignup: list.displayOnSignup ?? true,
    sortOrder: list.sortOrder ?? 0,
  };
}
