import { UsageError } from './errors.js';

/**
 * The lists that exist in every account and are not contact lists of the user's own, by id. The first three
 * stand at the head of the lists feed; the other two are named by the document only as not clearable.
 */
export const SYSTEM_LISTS = {
  active: 'Active',
  'do-not-mail': 'Do Not Mail',
  removed: 'Removed',
  'awaiting-confirmation': 'Awaiting Confirmation',
  all: 'All',
} as const satisfies Record<string, string>;

export type SystemListId = keyof typeof SYSTEM_LISTS;

/**
 * How a caller may name a list: by id (`'2'` or `2`), by a system list's id or name (`'do-not-mail'`,
 * `'Do Not Mail'`), or by its URI, of any scheme and host, absolute or relative, the user spelled in any way.
 */
export type ListRef = string | number;

/** A contact list, or a system list, as the lists feed tells it. */
export interface ContactList {
  readonly id: string;
  readonly name: string;
  readonly shortName: string | undefined;
  /** True for `active`, `do-not-mail` and the like, which have no members of their own choosing. */
  readonly system: boolean;
  /** Number of members; undefined for system lists, which the service does not count. */
  readonly contactCount: number | undefined;
  readonly optInDefault: boolean | undefined;
  readonly displayOnSignup: boolean | undefined;
  readonly sortOrder: number | undefined;
  readonly updated: Date | undefined;
}

/** True for `active`, `do-not-mail`, `removed`, `awaiting-confirmation` and `all`. */
export function isSystemList(id: string): id is SystemListId {
  return Object.hasOwn(SYSTEM_LISTS, id);
}

/**
 * The id of the list that `ref` names: `'2'`, `'do-not-mail'`.
 *
 * The host and the user of a URI are not looked at: the service itself wrote ids with `http:` for `https:`, and with
 * users spelled otherwise than they log in.
 * @throws UsageError `LIST_INVALID` when it names none.
 */
export function listId(ref: ListRef): string {
  const text = String(ref).trim();
  const uri = /(?:^|\/)lists\/([^/?#]+)\/?(?:[?#].*)?$/i.exec(text);
  const name = decodeSegment(uri?.[1] ?? text);
  if (/^[0-9]{1,20}$/.test(name)) return name;
  const system = name.toLowerCase().replace(/[\s_-]+/g, '-');
  if (isSystemList(system)) return system;
  throw new UsageError(
    'LIST_INVALID',
    `"${text.slice(0, 200)}" is no list: give an id such as 2, a list URI such as ` +
      `http://api.constantcontact.com/ws/customers/<user>/lists/2, or one of ${Object.keys(SYSTEM_LISTS).join(', ')}`,
  );
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
