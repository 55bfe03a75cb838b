/** The six activity types of the ws API. SV_ADD is only ever sent: what is stored becomes one of the others. */
export const ACTIVITY_TYPES = [
  'ADD_CONTACTS',
  'SV_ADD',
  'ADD_CONTACT_DETAIL',
  'REMOVE_CONTACTS_FROM_LISTS',
  'CLEAR_CONTACTS_FROM_LISTS',
  'EXPORT_CONTACTS',
] as const;

/** The six statuses of the ws API, in the order an activity may pass through them. */
export const ACTIVITY_STATUSES = [
  'UNCONFIRMED',
  'PENDING',
  'QUEUED',
  'RUNNING',
  'COMPLETE',
  'ERROR',
] as const;

/** A type that the service is known to tell. */
export type KnownActivityType = (typeof ACTIVITY_TYPES)[number];
/** A status that the service is known to tell. */
export type KnownActivityStatus = (typeof ACTIVITY_STATUSES)[number];

/** A known type, or the text the service wrote where it is none of them. */
export type ActivityType = KnownActivityType | (string & Record<never, never>);
/** A known status, or the text the service wrote where it is none of them. */
export type ActivityStatus = KnownActivityStatus | (string & Record<never, never>);

/** One row the service could not take. */
export interface ActivityError {
  /** Line of the uploaded file, the heading being line 1; undefined where the service names none. */
  readonly lineNumber: number | undefined;
  readonly emailAddress: string | undefined;
  readonly message: string;
}

/**
 * One bulk activity, as the service tells it. Every field is always there; what the document does not say
 * is `undefined` (a 201 answer may hold no more than id, title and updated).
 */
export interface Activity {
  /** The last segment of the activity's URI, such as `a07e1ffaxjxffmvj6qd`. */
  readonly id: string;
  readonly type: ActivityType | undefined;
  readonly status: ActivityStatus | undefined;
  /** The errors listed; the service may list fewer than it counted. */
  readonly errors: readonly ActivityError[];
  /** How many errors there were: the service's count, or `errors.length` where that is more or no count is given. */
  readonly errorCount: number;
  /** As the service wrote it: empty, a bare file name, or the URI of an exported file. */
  readonly fileName: string | undefined;
  /** For finished activities, the number of addresses processed. */
  readonly transactionCount: number | undefined;
  readonly insertTime: Date | undefined;
  readonly runStartTime: Date | undefined;
  readonly runFinishTime: Date | undefined;
  readonly updated: Date | undefined;
  readonly title: string | undefined;
  /** Where the exported file is (Atom link rel `edit-media`), as written. */
  readonly editMedia: string | undefined;
}

/** True once nothing more happens; an activity that completed with errors is finished, and complete. */
export function isFinished(activity: Pick<Activity, 'status'>): boolean {
  return activity.status === 'COMPLETE' || hasFailed(activity);
}

/** True when the activity came to nothing: the status is ERROR, or CANCELLED, which v2 has for what a person stopped. */
export function hasFailed(activity: Pick<Activity, 'status'>): boolean {
  return activity.status === 'ERROR' || activity.status === 'CANCELLED';
}
