import type { Activity } from '../activity/activity.js';
import { ACTIVITY_STATUSES } from '../activity/activity.js';

/** One bulk activity as the v2 API told it. What a record does not say is left out, as v2 did. */
export interface V2Activity {
  readonly id: string;
  readonly type?: string;
  readonly status?: string;
  readonly created_date?: string;
  readonly start_date?: string;
  readonly finish_date?: string;
  readonly file_name?: string;
  readonly error_count: number;
  readonly contact_count?: number;
  /** In the oldest of the three spellings of v2, the one that holds most: line 0 and an empty address are unknown ones. */
  readonly errors: readonly V2Error[];
  /** v2's own; an archive of the first API has none. */
  readonly warnings: readonly [];
}

export interface V2Error {
  readonly message: string;
  readonly line_number: number;
  readonly email_address: string;
}

/** What the shape of v2 cannot hold, each with the words that tell it. */
export const V2_LOSSES = {
  detailType: 'v2 has one type for all uploads: ADD_CONTACT_DETAIL and SV_ADD became ADD_CONTACTS',
  unknownType: 'a type that v2 does not have was kept as it is',
  unknownStatus: 'a status that v2 does not have was kept as it is',
  updated: 'v2 has no time of the last change: "updated" was left out',
  title: 'v2 has no title: it was left out',
  editMedia: 'v2 has one place for a file: the link "edit-media" gave way to the file name',
  missingLine: 'v2 writes 0 for an error without a line',
  missingAddress: 'v2 writes an empty address for an error without one',
} as const satisfies Record<string, string>;

export type V2Loss = keyof typeof V2_LOSSES;

/** Types of v2, by those of the first API. */
const TYPES: Readonly<Record<string, string>> = {
  SV_ADD: 'ADD_CONTACTS',
  ADD_CONTACTS: 'ADD_CONTACTS',
  ADD_CONTACT_DETAIL: 'ADD_CONTACTS',
  REMOVE_CONTACTS_FROM_LISTS: 'REMOVE_CONTACTS_FROM_LISTS',
  CLEAR_CONTACTS_FROM_LISTS: 'CLEAR_CONTACTS_FROM_LISTS',
  EXPORT_CONTACTS: 'EXPORT_CONTACTS',
};

/** The activity in the shape of v2's records, and what that shape could not hold. */
export function v2Record(activity: Activity): {
  readonly record: V2Activity;
  readonly losses: readonly V2Loss[];
} {
  const { id, type, status, insertTime, runStartTime, runFinishTime, transactionCount } = activity;
  const fileName = isBlank(activity.fileName) ? (activity.editMedia ?? activity.fileName) : activity.fileName;
  const mapped = type === undefined ? undefined : Object.hasOwn(TYPES, type) ? TYPES[type] : type;
  return {
    record: {
      id,
      ...(mapped !== undefined && { type: mapped }),
      ...(status !== undefined && { status }),
      ...(insertTime !== undefined && { created_date: insertTime.toISOString() }),
      ...(runStartTime !== undefined && { start_date: runStartTime.toISOString() }),
      ...(runFinishTime !== undefined && { finish_date: runFinishTime.toISOString() }),
      ...(fileName !== undefined && { file_name: fileName }),
      error_count: activity.errorCount,
      ...(transactionCount !== undefined && { contact_count: transactionCount }),
      errors: activity.errors.map(({ lineNumber = 0, emailAddress = '', message }) => ({
        message,
        line_number: lineNumber,
        email_address: emailAddress,
      })),
      warnings: [],
    },
    losses: lossesOf(activity, fileName),
  };
}

function lossesOf(activity: Activity, fileName: string | undefined): V2Loss[] {
  const { type, status, errors } = activity;
  const lost: Readonly<Record<V2Loss, boolean>> = {
    detailType: type === 'ADD_CONTACT_DETAIL' || type === 'SV_ADD',
    unknownType: type !== undefined && !Object.hasOwn(TYPES, type),
    unknownStatus: status !== undefined && !(ACTIVITY_STATUSES as readonly string[]).includes(status),
    updated: activity.updated !== undefined,
    title: !isBlank(activity.title),
    editMedia: !isBlank(activity.editMedia) && activity.editMedia !== fileName,
    missingLine: errors.some(({ lineNumber }) => lineNumber === undefined),
    missingAddress: errors.some(({ emailAddress }) => emailAddress === undefined),
  };
  return (Object.keys(lost) as V2Loss[]).filter((loss) => lost[loss]);
}

function isBlank(text: string | undefined): boolean {
  return text === undefined || text === '';
}
