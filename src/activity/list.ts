import { UsageError } from './errors.js';
import { shown } from './shown.js';

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

/** The id of a system list: a key of `SYSTEM_LISTS`. */
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

/** A system list, as the ws API tells it: its name is all there is to tell. */
export function systemList(id: SystemListId): ContactList & { readonly shortName: string } {
  return {
    id,
    name: SYSTEM_LISTS[id],
    shortName: SYSTEM_LISTS[id],
    system: true,
    contactCount: undefined,
    optInDefault: undefined,
    displayOnSignup: undefined,
    sortOrder: undefined,
    updated: undefined,
  };
}

/** No URI of a list is nearly as long; a hostile text shall cost nothing. */
const LONGEST_REF = 2_000;

/**
 * The id of the list that `ref` names: `'2'`, `'do-not-mail'`.
 *
 * The host and the user of a URI are not looked at: the service itself wrote ids with `http:` for `https:`, and with
 * users spelled otherwise than they log in. An id is taken as it is written, `'02'` being another than `'2'`.
 * @throws UsageError `LIST_INVALID` when it names none.
 */
export function listId(ref: ListRef): string {
  const id = findId(ref);
  if (id !== undefined) return id;
  throw new UsageError(
    'LIST_INVALID',
    `${shown(ref)} is no list: give an id such as 2, a list URI such as ` +
      `http://api.constantcontact.com/ws/customers/<user>/lists/2, or one of ${Object.keys(SYSTEM_LISTS).join(', ')}`,
  );
}

function findId(ref: unknown): string | undefined {
  // A number that is not exact is another than the one that was written.
  if (typeof ref === 'number') return Number.isSafeInteger(ref) && ref >= 0 ? String(ref) : undefined;
  if (typeof ref !== 'string' || ref.length > LONGEST_REF) return undefined;
  const text = ref.trim();
  const name = decodeSegment(lastOfUri(text) ?? text);
  if (/^[0-9]{1,20}$/.test(name)) return name;
  const system = name.toLowerCase().replace(/[\s_-]+/g, '-');
  return isSystemList(system) ? system : undefined;
}

/** `2` of `…/lists/2`, with or without a `/`, a query or a fragment behind it. */
function lastOfUri(text: string): string | undefined {
  const path = text.replace(/[?#][^]*/, '');
  const segments = path.replace(/\/$/, '').split('/');
  return segments.at(-2)?.toLowerCase() === 'lists' ? segments.at(-1) : undefined;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
