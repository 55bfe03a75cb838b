import type { Activity, ActivityType, KnownActivityType } from './activity/activity.js';
import { CtctError } from './activity/errors.js';

/** What is known before a creation is sent, as JSON: enough to look for it later, even in another process. */
export interface CreationAttempt {
  /** Ids of the activities that there were. */
  readonly noted: readonly string[];
  /** When the newest of them was inserted, by the service's clock, in milliseconds since 1970; null where none tells. */
  readonly newest: number | null;
  readonly all: boolean;
  readonly sorted: boolean;
  /** When it was sent, by the service's clock; null where that is not known. */
  readonly from: number | null;
}

/** Where the activity of a creation is looked for, and how it is told. */
export interface SearchContext {
  /** The account's activities, the newest first, as `ActivityService.list` has them. */
  list(): AsyncIterable<Activity>;
  /**
   * True for the activity of this creation, false for that of another, undefined where it cannot be told: then its type
   * and time tell. Of several new ones for which it is true, the newest is taken.
   */
  readonly recognise?: ((activity: Activity) => boolean | undefined) | undefined;
  /**
   * Why nothing may be sent since there is this activity, such as that it was made by this same creation at another time
   * of which nothing is remembered; undefined: it does not matter. Asked of those that there are already.
   */
  readonly objection?: ((activity: Activity) => string | undefined) | undefined;
}

/** What an activity does: stored types differ from those asked for, but never in this. */
export type Kind = 'add' | 'remove' | 'clear' | 'export';

export const KINDS: Readonly<Record<KnownActivityType, Kind>> = {
  SV_ADD: 'add',
  ADD_CONTACTS: 'add',
  ADD_CONTACT_DETAIL: 'add',
  REMOVE_CONTACTS_FROM_LISTS: 'remove',
  CLEAR_CONTACTS_FROM_LISTS: 'clear',
  EXPORT_CONTACTS: 'export',
};

/**
 * Activities noted before a creation, one page of the feed. That is enough: the newest stand first, so that what is
 * created afterwards stands before them. Should the service list in another order, all are noted, up to `MOST_READ`; where
 * there are more, none is ever said to be missing.
 */
const NOTED = 50;
/** Activities read at most, where they do not stand in order, or none of those noted is among them. */
export const MOST_READ = 500;
/** Milliseconds that clocks of the service may differ by, its Date header being cut to the second. */
const SKEW = 5_000;
/** Milliseconds that an activity may be inserted after the connection was lost that asked for it. */
const LATEST = 30_000;

/** What existed before a creation. */
export interface Noted {
  readonly ids: ReadonlySet<string>;
  /** When the newest of them was inserted, by the service's clock. */
  readonly newest: number;
  /** These were all there are. */
  readonly all: boolean;
  /** They stood in order of insertion, the newest first. */
  readonly sorted: boolean;
  /** The first activity for which nothing may be sent, and why. */
  readonly objection?: { readonly id: string; readonly reason: string } | undefined;
}

/** As it outlives the process. */
export function attemptOf({ noted, from }: Search): CreationAttempt {
  const { ids, newest, all, sorted } = noted;
  return {
    noted: [...ids],
    newest: Number.isFinite(newest) ? newest : null,
    all,
    sorted,
    from: from === undefined ? null : Math.floor(from),
  };
}

export function notedIn({ noted, newest, all, sorted }: CreationAttempt): Noted {
  return { ids: new Set(noted), newest: newest ?? -Infinity, all, sorted };
}

/** A creation whose activity may be looked for. */
export interface Search {
  readonly kind: Kind;
  readonly noted: Noted;
  readonly turns: { has(id: string): boolean };
  readonly quietPeriod: number;
  /** When the creation was sent, by the service's clock; undefined where that is not known. */
  readonly from: number | undefined;
}

/** What there is before a creation. @throws what `list` throws */
export async function note(context: SearchContext): Promise<Noted> {
  const ids = new Set<string>();
  let newest = -Infinity;
  let last = Infinity;
  let timed = 0;
  let descending = true;
  let objection: Noted['objection'];
  for await (const activity of context.list()) {
    const { id, insertTime } = activity;
    ids.add(id);
    const reason = objection === undefined ? context.objection?.(activity) : undefined;
    if (reason !== undefined) objection = { id, reason };
    const time = insertTime?.getTime();
    if (time !== undefined) {
      timed++;
      newest = Math.max(newest, time);
      descending &&= time <= last;
      last = time;
    }
    // A single time tells no order.
    const sorted = descending && timed > 1;
    if (ids.size >= (sorted ? NOTED : MOST_READ)) return { ids, newest, sorted, all: false, objection };
  }
  return { ids, newest, sorted: descending && timed > 1, all: true, objection };
}

/** The new activities among those listed: the answer, those that may be it, and those of which it is doubtful. */
export interface Looked {
  readonly recognised: Activity[];
  readonly fitting: Activity[];
  readonly doubtful: Activity[];
  /** There are more, in no order, and the new one may be among them. */
  cut: boolean;
}

/** What the service lists of it now, or why it lists nothing. */
export async function look(
  { kind, noted, turns, from }: Search,
  until: number | undefined,
  context: SearchContext,
): Promise<Looked | CtctError> {
  const looked: Looked = { recognised: [], fitting: [], doubtful: [], cut: false };
  let read = 0;
  let known = false;
  try {
    for await (const activity of context.list()) {
      read++;
      known ||= noted.ids.has(activity.id);
      if (isNew(activity, noted, turns)) {
        const itsKind = kindOf(activity.type);
        const ours = context.recognise?.(activity);
        if (ours === true) looked.recognised.push(activity);
        else if (ours === false) continue;
        else if (itsKind === kind && isInTime(activity, from, until)) looked.fitting.push(activity);
        else if (itsKind === kind || itsKind === undefined) looked.doubtful.push(activity);
      }
      if (noted.sorted && known && read >= NOTED) break;
      looked.cut = read >= MOST_READ;
      if (looked.cut) break;
    }
    return looked;
  } catch (error) {
    if (!(error instanceof CtctError)) throw error;
    return error;
  }
}

/** An activity that was not noted; where not all were, one that is not older than the newest of those. */
function isNew({ id, insertTime }: Activity, noted: Noted, turns: Search['turns']): boolean {
  if (noted.ids.has(id) || turns.has(id)) return false;
  return noted.all || insertTime === undefined || insertTime.getTime() >= noted.newest - SKEW;
}

function isInTime({ insertTime }: Activity, from: number | undefined, until: number | undefined): boolean {
  const time = insertTime?.getTime();
  if (time === undefined) return true;
  return (from === undefined || time >= from - SKEW) && (until === undefined || time <= until + LATEST);
}

/** Undefined for a type that is not told, or is none of the known. */
function kindOf(type: ActivityType | undefined): Kind | undefined {
  return type !== undefined && Object.hasOwn(KINDS, type) ? KINDS[type as KnownActivityType] : undefined;
}
