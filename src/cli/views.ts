import { hasFailed, type Activity, type ActivityError } from '../activity/activity.js';
import type { ContactList } from '../activity/list.js';
import type { View } from './output.js';
import { plainText, type Paint } from './terminal.js';

/** Activities, as `list`, `show` and everything that starts one put them out. */
export const ACTIVITY: View<Activity> = {
  kind: ['activity', 'activities'],
  none: 'No activities.',
  fields: [
    { name: 'id', heading: 'Activity', value: (activity) => activity.id },
    { name: 'type', heading: 'Type', value: (activity) => activity.type },
    {
      name: 'status',
      heading: 'Status',
      value: (activity) => activity.status,
      shown: (activity, paint) => shownStatus(activity, paint),
    },
    {
      name: 'errorCount',
      heading: 'Errors',
      align: 'right',
      value: (activity) => activity.errorCount,
    },
    {
      name: 'transactionCount',
      heading: 'Contacts',
      align: 'right',
      spare: 2,
      value: (activity) => activity.transactionCount,
    },
    {
      name: 'insertTime',
      heading: 'Created (UTC)',
      spare: 1,
      value: (activity) => activity.insertTime,
    },
    {
      name: 'runStartTime',
      heading: 'Started',
      spare: 4,
      value: (activity) => activity.runStartTime,
    },
    {
      name: 'runFinishTime',
      heading: 'Finished',
      spare: 3,
      value: (activity) => activity.runFinishTime,
    },
    { name: 'updated', heading: undefined, value: (activity) => activity.updated },
    { name: 'fileName', heading: 'File', spare: 5, value: (activity) => activity.fileName },
    { name: 'title', heading: undefined, value: (activity) => activity.title },
  ],
  details: ['errors', 'editMedia'],
  more: ({ errors, editMedia }) => ({
    errors: errors.map(({ lineNumber, emailAddress, message }) => ({
      lineNumber: lineNumber ?? null,
      emailAddress: emailAddress ?? null,
      message,
    })),
    editMedia: editMedia ?? null,
  }),
};

/** The rows an activity could not take. */
export const ACTIVITY_ERROR: View<ActivityError> = {
  kind: ['activity-error', 'activity-errors'],
  none: 'No errors.',
  fields: [
    { name: 'lineNumber', heading: 'Line', align: 'right', value: (error) => error.lineNumber },
    { name: 'emailAddress', heading: 'Address', value: (error) => error.emailAddress },
    { name: 'message', heading: 'Message', value: (error) => error.message },
  ],
};

export const LIST: View<ContactList> = {
  kind: ['list', 'lists'],
  none: 'No lists.',
  fields: [
    { name: 'id', heading: 'List', value: (list) => list.id },
    { name: 'name', heading: 'Name', value: (list) => list.name },
    {
      name: 'contactCount',
      heading: 'Members',
      align: 'right',
      value: (list) => list.contactCount,
      shown: (list, paint) => list.contactCount?.toLocaleString('en-US') ?? paint('dim', '–'),
    },
    { name: 'system', heading: 'System', spare: 1, value: (list) => list.system },
    { name: 'shortName', heading: undefined, value: (list) => list.shortName },
    { name: 'optInDefault', heading: undefined, value: (list) => list.optInDefault },
    { name: 'displayOnSignup', heading: undefined, value: (list) => list.displayOnSignup },
    { name: 'sortOrder', heading: undefined, value: (list) => list.sortOrder },
    { name: 'updated', heading: undefined, value: (list) => list.updated },
  ],
};

/** A file that was saved. */
export interface Saved {
  readonly activityId: string;
  readonly path: string;
  readonly bytes: number;
}

export const SAVED: View<Saved> = {
  kind: ['download', 'downloads'],
  none: 'Nothing was saved.',
  fields: [
    { name: 'activityId', heading: 'Activity', value: (saved) => saved.activityId },
    { name: 'path', heading: 'Saved to', value: (saved) => saved.path },
    { name: 'bytes', heading: 'Bytes', value: (saved) => saved.bytes },
  ],
};

export function shownStatus(activity: Pick<Activity, 'status' | 'errorCount'>, paint: Paint): string {
  const status = plainText(activity.status ?? 'not told');
  if (hasFailed(activity)) return paint('red', status);
  if (activity.status !== 'COMPLETE') return paint('cyan', status);
  return paint(activity.errorCount > 0 ? 'yellow' : 'green', status);
}
