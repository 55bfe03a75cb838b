import {
  ACTIVITY_STATUSES,
  ACTIVITY_TYPES,
  type Activity,
  type KnownActivityType,
} from '../activity/activity.js';
import { V2_STATUSES, V2_TYPES } from '../v2/names.js';
import { loss, type Loss, type LossCode, type Translation } from './loss.js';

/** One bulk activity as v2 told it, with all that it can hold. What a record does not say is left out, as v2 did. */
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
  readonly errors: readonly {
    readonly message: string;
    readonly line_number: number;
    readonly email_address: string;
  }[];
  /** v2's own; ws has none. */
  readonly warnings: readonly [];
}

/** The activity as a record of v2; or, as read from v2, as ws tells it. */
export function translateActivity(
  activity: Activity,
  direction: { readonly to: 'v2' },
): Translation<V2Activity>;
export function translateActivity(
  activity: Activity,
  direction: { readonly from: 'v2' },
): Translation<Activity>;
export function translateActivity(
  activity: Activity,
  direction: { readonly to: 'v2' } | { readonly from: 'v2' },
): Translation<V2Activity | Activity> {
  return 'from' in direction ? fromV2(activity) : toV2(activity);
}

function toV2(activity: Activity): Translation<V2Activity> {
  const { id, type, status, insertTime, runStartTime, runFinishTime, transactionCount } = activity;
  const fileName = isBlank(activity.fileName) ? (activity.editMedia ?? activity.fileName) : activity.fileName;
  const mapped = type !== undefined && isKnownType(type) ? V2_TYPES[type] : type;
  const counterpart: V2Activity = {
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
  };
  return { counterpart, losses: lossesToV2(activity, mapped, fileName) };
}

function lossesToV2(activity: Activity, mapped: string | undefined, fileName: string | undefined): Loss[] {
  const { type, status, errors, editMedia } = activity;
  const unplaced = errors.some(
    ({ lineNumber, emailAddress }) => lineNumber === undefined || emailAddress === undefined,
  );
  return tellIf([
    [
      type !== mapped,
      'TYPE_MERGED',
      'type',
      'v2 has one type for all uploads: ADD_CONTACT_DETAIL and SV_ADD became ADD_CONTACTS',
    ],
    [
      type !== undefined && !isKnownType(type),
      'TYPE_UNKNOWN',
      'type',
      'a type that v2 does not have was kept as it is',
    ],
    [
      !isOf(V2_STATUSES, status),
      'STATUS_UNKNOWN',
      'status',
      'a status that v2 does not have was kept as it is',
    ],
    [
      activity.updated !== undefined,
      'UPDATED_DROPPED',
      'updated',
      'v2 has no time of the last change: "updated" was left out',
    ],
    [!isBlank(activity.title), 'TITLE_DROPPED', 'title', 'v2 has no title: it was left out'],
    [
      !isBlank(editMedia) && editMedia !== fileName,
      'EDIT_MEDIA_DROPPED',
      'editMedia',
      'v2 has one place for a file: the link "edit-media" gave way to the file name',
    ],
    [
      unplaced,
      'ERROR_PLACE_BLANK',
      'errors',
      'v2 writes 0 for an error without a line, and an empty address for one without',
    ],
  ]);
}

/**
 * Quirk: v2 has CANCELLED, which ws has not; it is an end without success, so ERROR
 * (test/fixtures/v2/records/record-cancelled).
 */
function fromV2(activity: Activity): Translation<Activity> {
  const { type, status, errors, errorCount, fileName } = activity;
  const times = [activity.insertTime, activity.runStartTime, activity.runFinishTime].flatMap((time) =>
    time === undefined ? [] : [time.getTime()],
  );
  const counterpart: Activity = {
    ...activity,
    status: status === 'CANCELLED' ? 'ERROR' : status,
    updated: activity.updated ?? (times.length === 0 ? undefined : new Date(Math.max(...times))),
    title: activity.title ?? '',
    editMedia:
      activity.editMedia ??
      (type === 'EXPORT_CONTACTS' && fileName?.includes('/') === true ? fileName : undefined),
  };
  const unlisted = errorCount - errors.length;
  const losses = tellIf([
    [status === 'CANCELLED', 'STATUS_MERGED', 'status', 'ws has no CANCELLED: it became ERROR'],
    [
      status !== 'CANCELLED' && !isOf(ACTIVITY_STATUSES, status),
      'STATUS_UNKNOWN',
      'status',
      'a status that ws does not have was kept as it is',
    ],
    [
      type !== undefined && !isKnownType(type),
      'TYPE_UNKNOWN',
      'type',
      'a type that ws does not have was kept as it is',
    ],
    [
      errors.some(({ emailAddress }) => emailAddress === undefined),
      'ERROR_ADDRESS_UNKNOWN',
      'errors',
      'v2 tells no address with an error: look it up in the uploaded file, by the line',
    ],
    [unlisted > 0, 'ERRORS_UNLISTED', 'errors', `${unlisted} more errors were counted than v2 lists`],
  ]);
  return { counterpart, losses };
}

function tellIf(cases: readonly (readonly [boolean, LossCode, string, string])[]): Loss[] {
  return cases.flatMap(([holds, code, place, message]) => (holds ? [loss(code, place, message)] : []));
}

function isKnownType(type: string): type is KnownActivityType {
  return (ACTIVITY_TYPES as readonly string[]).includes(type);
}

function isOf(statuses: readonly string[], status: string | undefined): boolean {
  return status === undefined || statuses.includes(status);
}

function isBlank(text: string | undefined): boolean {
  return text === undefined || text === '';
}
