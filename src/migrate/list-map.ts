import { UsageError } from '../activity/errors.js';
import { isSystemList, listId, type ContactList } from '../activity/list.js';
import { loss, type Loss } from '../translate/loss.js';
import type { PlannedList } from './plan.js';

/** What is known of the lists of an account beforehand. */
export interface ListNames {
  /** The list of the target, by the id in ws. */
  readonly to?: ReadonlyMap<string, string> | undefined;
  /** The name, by the id in ws. */
  readonly names?: ReadonlyMap<string, string> | undefined;
}

export interface MappedLists {
  readonly lists: readonly PlannedList[];
  readonly losses: readonly Loss[];
  /** The ids in the target, each once. */
  toTarget(ids: readonly string[]): readonly string[];
}

/**
 * What each list becomes: the one that it was mapped to, else the one of the same number. Where the lists of the target
 * are known, it is looked whether it has that list, and whether it is called the same.
 * @param used ids in ws, each once.
 */
export function mapLists(
  used: readonly string[],
  { to, names }: ListNames = {},
  target?: readonly ContactList[],
): MappedLists {
  const known = target && new Map(target.filter(({ system }) => !system).map((list) => [list.id, list]));
  const lists = used.map((from): PlannedList => {
    const mapped = to?.get(from) ?? from;
    const found = known?.get(mapped);
    const fromName = names?.get(from);
    return {
      from,
      to: mapped,
      ...(fromName !== undefined && { fromName }),
      ...(found !== undefined && { toName: found.name }),
      check: known === undefined ? 'unchecked' : checkOf(fromName, found?.name),
    };
  });
  const byId = new Map(lists.map((list) => [list.from, list.to]));
  return {
    lists,
    losses: lists.flatMap((list) => lossesOf(list, target ?? [])),
    toTarget: (ids) => [...new Set(ids.map((id) => byId.get(id) ?? id))],
  };
}

function checkOf(from: string | undefined, to: string | undefined): PlannedList['check'] {
  if (to === undefined) return 'missing';
  if (from === undefined) return 'found';
  return nameKey(from) === nameKey(to) ? 'same' : 'other';
}

/** What names are compared by: case and blanks do not count. */
export function nameKey(name: string): string {
  return name.trim().toLowerCase().replace(/\s+/g, ' ');
}

function lossesOf(
  { from, to, fromName, toName, check }: PlannedList,
  target: readonly ContactList[],
): Loss[] {
  const place = `list ${from}`;
  const mapped = (number: string) =>
    `--map ${from}=${/^\d+$/.test(number) ? number : `<${number}>`} (of several accounts: --lists)`;
  if (check === 'missing') {
    const similar = fromName === undefined ? undefined : listNamed(target, fromName);
    const remedy =
      similar === undefined
        ? `make one there, and plan again with ${mapped('its number')}`
        : `the one called ${JSON.stringify(similar.name)} there is ${similar.id}: ${mapped(similar.id)}`;
    return [
      loss('LIST_MISSING', place, `the target has no list ${to}, and refuses what is sent to it; ${remedy}`),
    ];
  }
  if (check !== 'other') return [];
  const similar = listNamed(target, fromName ?? '');
  const remedy =
    similar === undefined
      ? `is it the right one? If not: ${mapped('number')}`
      : `${JSON.stringify(similar.name)} is ${similar.id} there: ${mapped(similar.id)}`;
  const message = `is ${JSON.stringify(fromName)} in ws, and list ${to} of the target is ${JSON.stringify(toName)}; ${remedy}`;
  return [loss('LIST_NAME_DIFFERS', place, message)];
}

/** The one list that has that name, or short name; undefined where none or several have. */
export function listNamed(lists: readonly ContactList[], name: string): ContactList | undefined {
  const own = lists.filter(({ system }) => !system);
  const found = own.filter((list) => nameKey(list.name) === nameKey(name));
  const [first, ...others] =
    found.length > 0
      ? found
      : own.filter(({ shortName }) => shortName !== undefined && nameKey(shortName) === nameKey(name));
  return others.length === 0 ? first : undefined;
}

/**
 * The id of a list that contacts can be sent to.
 * @throws UsageError `LIST_INVALID` for what names none, and for system lists.
 */
export function ownListId(text: string, place: string): string {
  let id: string;
  try {
    id = listId(text);
  } catch (error) {
    throw new UsageError('LIST_INVALID', `${place}: ${(error as Error).message}`, { cause: error });
  }
  if (!isSystemList(id)) return id;
  throw new UsageError(
    'LIST_INVALID',
    `${place}: ${id} is a system list, which nothing can be uploaded to, and which cannot be cleared; give numbers`,
  );
}
