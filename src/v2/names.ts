import { ACTIVITY_STATUSES, type KnownActivityType } from '../activity/activity.js';
import type { SystemListId } from '../activity/list.js';

export const JSON_MEDIA_TYPE = 'application/json';

/** The activity types of v2. It has one for all that adds. */
export const V2_TYPES = {
  ADD_CONTACTS: 'ADD_CONTACTS',
  SV_ADD: 'ADD_CONTACTS',
  ADD_CONTACT_DETAIL: 'ADD_CONTACTS',
  REMOVE_CONTACTS_FROM_LISTS: 'REMOVE_CONTACTS_FROM_LISTS',
  CLEAR_CONTACTS_FROM_LISTS: 'CLEAR_CONTACTS_FROM_LISTS',
  EXPORT_CONTACTS: 'EXPORT_CONTACTS',
} as const satisfies Record<KnownActivityType, KnownActivityType>;

/** A type of activity as v2 tells it. */
export type V2Type = (typeof V2_TYPES)[KnownActivityType];

/** v2's name of that type; of an unknown type, the type itself. */
export function v2Type(type: string): string {
  return Object.hasOwn(V2_TYPES, type) ? V2_TYPES[type as KnownActivityType] : type;
}

/** The statuses of v2; CANCELLED is one that only a person can bring about. */
export const V2_STATUSES = [...ACTIVITY_STATUSES, 'CANCELLED'] as const;

/** The system lists that v2 can export, by their ids in ws. */
export const V2_SYSTEM_LISTS = {
  active: 'active',
  'do-not-mail': 'opted-out',
  removed: 'removed',
} as const satisfies Partial<Record<SystemListId, string>>;

/** What v2 takes in one request; beyond it, the whole request fails. */
export const V2_LIMITS = {
  /** Bytes of a body are fewer. Documented as 4 MB, whichever those are: the smaller ones are safe. */
  bytes: 4_000_000,
  /** Contacts to add. */
  added: 40_000,
  /** Addresses to remove. */
  removed: 20_000,
} as const;

/** What v2 remembers. */
export const V2_MEMORY = {
  /** Activities in a list. */
  listed: 50,
  /** Milliseconds until an activity is forgotten: 14 days. */
  kept: 14 * 24 * 60 * 60 * 1000,
  /** Errors that a record lists; it counts all. */
  errors: 100,
} as const;
