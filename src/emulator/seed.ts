import { EMAIL_ADDRESS, findColumn, similarColumn, type ColumnName } from '../activity/columns.js';
import { UsageError } from '../activity/errors.js';
import type { ContactRow } from '../activity/request.js';
import { isEmailAddress } from './address.js';
import type { ContactBook, Mark } from './contacts.js';
import type { OutcomeRule } from './outcomes.js';

/** What an emulated account starts with. */
export interface AccountSeed {
  /** The name in its URIs; case does not matter. */
  readonly user: string;
  /** What must be presented; default: any credentials at all that name this user. */
  readonly credentials?: CredentialsSeed | undefined;
  /** Default: one empty list, id `1`, "General Interest". */
  readonly lists?: readonly ListSeed[] | undefined;
  /** Contacts that are on no list any more. */
  readonly removed?: readonly MemberSeed[] | undefined;
  /** Contacts that opted out. */
  readonly doNotMail?: readonly MemberSeed[] | undefined;
  /** What becomes of its jobs, where it is to be something else than usual. */
  readonly outcomes?: readonly OutcomeRule[] | undefined;
}

/** Whatever is given must match; what is left out is not looked at. */
export interface CredentialsSeed {
  readonly apiKey?: string | undefined;
  readonly password?: string | undefined;
  /**
   * The OAuth 2 access token. Where only this is given, Basic credentials are refused, and the other way round. v2 finds
   * the account by it; a token that no account asks for means the account of the user of that name, else the first.
   */
  readonly accessToken?: string | undefined;
  /** What OAuth 1.0a requests are signed with. */
  readonly consumerSecret?: string | undefined;
  readonly tokenSecret?: string | undefined;
}

/** A list that an account begins with. */
export interface ListSeed {
  /** A number, as text. */
  readonly id: string;
  readonly name: string;
  /** As the headings of exports name it; default: the name. */
  readonly shortName?: string | undefined;
  /** Default false. */
  readonly optInDefault?: boolean | undefined;
  /** Default true. */
  readonly displayOnSignup?: boolean | undefined;
  /** Default: its place among the lists, from 1. */
  readonly sortOrder?: number | undefined;
  readonly members?: readonly MemberSeed[] | undefined;
}

/** An address, or a row with an address and more. */
export type MemberSeed = string | ContactRow;

/** The lists of an account whose seed names none. */
export const DEFAULT_LISTS: readonly ListSeed[] = [{ id: '1', name: 'General Interest' }];

/**
 * Checks what types alone do not hold, so that a seed may come from a JSON file.
 * @throws UsageError `OPTION_INVALID` or `LIST_INVALID`, naming the place.
 */
export function checkSeed(seed: AccountSeed): void {
  checkText(seed.user, 'user');
  const place = placeOf(seed);
  for (const [name, secret] of Object.entries(seed.credentials ?? {})) {
    if (secret !== undefined) checkText(secret, `${place}credentials.${name}`);
  }
  const ids = new Set<string>();
  checkArray(seed.lists, `${place}lists`).forEach((list, index) => {
    const at = `${place}lists[${index}]`;
    if (typeof list.id !== 'string' || !/^[0-9]{1,20}$/.test(list.id)) {
      throw new UsageError(
        'LIST_INVALID',
        `${at}.id: must be a number as text, such as "2"; the system lists are always there`,
      );
    }
    if (ids.has(list.id)) throw new UsageError('LIST_INVALID', `${at}.id: "${list.id}" is there twice`);
    ids.add(list.id);
    checkText(list.name, `${at}.name`);
    if (list.shortName !== undefined) checkText(list.shortName, `${at}.shortName`);
  });
}

/**
 * Fills `book` with the contacts of a seed that was checked.
 * @throws UsageError `CONTACTS_INVALID` for a member without a good address, or one that opted out and is on a list;
 * `COLUMN_UNKNOWN` for a key that is no column.
 */
export function plantContacts(book: ContactBook, seed: AccountSeed, mark: Mark): void {
  const place = placeOf(seed);
  const each = (
    members: readonly MemberSeed[] | undefined,
    at: string,
    plant: (member: Planted) => boolean,
  ) => {
    checkArray(members, `${place}${at}`).forEach((member, index) => {
      const here = `${place}${at}[${index}]`;
      const planted = readMember(member, here);
      if (!plant(planted)) {
        throw new UsageError(
          'CONTACTS_INVALID',
          `${here}: "${planted.address}" is in doNotMail as well; leave out one`,
        );
      }
    });
  };
  each(seed.doNotMail, 'doNotMail', ({ address, values }) => {
    book.optOut(address, values, mark);
    return true;
  });
  each(seed.removed, 'removed', ({ address, values }) => book.add(address, values, [], mark));
  seed.lists?.forEach((list, index) => {
    const lists = [list.id];
    each(list.members, `lists[${index}].members`, ({ address, values }) =>
      book.add(address, values, lists, mark),
    );
  });
}

interface Planted {
  readonly address: string;
  readonly values: readonly (readonly [ColumnName, string])[];
}

function readMember(member: MemberSeed, place: string): Planted {
  const row: ContactRow = typeof member === 'string' ? { emailAddress: member } : member;
  let address = '';
  const values: [ColumnName, string][] = [];
  for (const [key, cell] of Object.entries(row)) {
    const column = findColumn(key);
    if (column === undefined) {
      const similar = similarColumn(key);
      const hint = similar === undefined ? '' : `; did you mean ${similar}?`;
      throw new UsageError('COLUMN_UNKNOWN', `${place}: "${key}" is no column${hint}`);
    }
    const text = String(cell ?? '').trim();
    if (column.ws === EMAIL_ADDRESS) address = text;
    else if (text !== '') values.push([column.ws, text]);
  }
  if (isEmailAddress(address)) return { address, values };
  throw new UsageError('CONTACTS_INVALID', `${place}: "${address.slice(0, 100)}" is no e-mail address`);
}

function placeOf(seed: AccountSeed): string {
  return `account ${seed.user}: `;
}

function checkText(value: unknown, place: string): void {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new UsageError('OPTION_INVALID', `${place}: must be a text that is not blank`);
  }
}

function checkArray<T>(value: readonly T[] | undefined, place: string): readonly T[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value as readonly T[];
  throw new UsageError('OPTION_INVALID', `${place}: must be an array`);
}
