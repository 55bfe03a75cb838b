import type { ColumnName } from '../activity/columns.js';
import type { ContactEntry, Mark, Standing } from './contacts.js';
import { SmallMap } from './small-map.js';

/** The contacts of an account as plain data, in order of number. Marks are told by their place in `marks`. */
export interface ContactsState {
  readonly marks: readonly Mark[];
  readonly contacts: readonly ContactState[];
}

interface ContactState {
  readonly address: string;
  /** By column. */
  readonly values?: Readonly<Partial<Record<ColumnName, string>>>;
  /** List ids, each with when it joined. */
  readonly lists?: readonly (readonly [list: string, mark: number])[];
  readonly standing: Standing;
  readonly since: number;
  readonly created: number;
  readonly updated: number;
  readonly emailType?: string;
  readonly note?: string;
}

export function writeContacts(entries: readonly ContactEntry[]): ContactsState {
  const places = new Map<Mark, number>();
  const placeOf = (mark: Mark): number => {
    const place = places.get(mark) ?? places.size;
    places.set(mark, place);
    return place;
  };
  const contacts = entries.map(
    ({ address, values, lists, standing, since, created, updated, emailType, note }): ContactState => ({
      address,
      ...(values.size === 0 ? {} : { values: Object.fromEntries(values) }),
      ...(lists.size === 0
        ? {}
        : { lists: Array.from(lists, ([list, mark]) => [list, placeOf(mark)] as const) }),
      standing,
      since: placeOf(since),
      created: placeOf(created),
      updated: placeOf(updated),
      ...(emailType === undefined ? {} : { emailType }),
      ...(note === undefined ? {} : { note }),
    }),
  );
  return { marks: [...places.keys()], contacts };
}

export function* readContacts({ marks, contacts }: ContactsState): Generator<ContactEntry> {
  const markAt = (place: number): Mark => marks[place] ?? { date: 0, by: 'API' };
  // Those who joined the same lists at the same time share what says so.
  const memberships = new Map<string, SmallMap<string, Mark>>();
  const membership = (lists: Exclude<ContactState['lists'], undefined>) => {
    const key = lists.join(' ');
    const known = memberships.get(key);
    if (known !== undefined) return known;
    const joined = lists.map(([list, place]) => [list, markAt(place)] as const);
    const made = SmallMap.empty<string, Mark>().with(joined);
    memberships.set(key, made);
    return made;
  };
  let number = 0;
  for (const { address, values = {}, lists = [], standing, since, created, updated, ...more } of contacts) {
    const { emailType, note } = more;
    yield {
      number: ++number,
      address,
      // Sound: what was written were columns.
      values: SmallMap.empty<ColumnName, string>().with(Object.entries(values) as [ColumnName, string][]),
      lists: membership(lists),
      standing,
      since: markAt(since),
      created: markAt(created),
      updated: markAt(updated),
      ...(emailType === undefined ? {} : { emailType }),
      ...(note === undefined ? {} : { note }),
    };
  }
}
