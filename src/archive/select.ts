import type { Activity } from '../activity/activity.js';

/** What an activity must have to be chosen; what is left out, or an empty list, is not asked for. */
export interface ActivityFilter {
  /** One of these types, in any case of letters. */
  readonly types?: readonly string[];
  /** One of these statuses, in any case of letters. */
  readonly statuses?: readonly string[];
  /** One of these ids, exactly. */
  readonly ids?: readonly string[];
  /** Created at this instant or later. */
  readonly since?: Date | undefined;
  /** Created before this instant. */
  readonly until?: Date | undefined;
  /** With one error or more, by the service's count. */
  readonly withErrors?: boolean;
}

/**
 * Says whether an activity has all that the filter asks for. One that does not tell its type, its status or a date has
 * none of those asked for.
 */
export function activityFilter(filter: ActivityFilter): (activity: Activity) => boolean {
  const { types = [], statuses = [], ids = [], since, until, withErrors = false } = filter;
  const tests: ((activity: Activity) => boolean)[] = [];
  if (ids.length > 0) tests.push(isOneOf(ids, ({ id }) => id));
  if (types.length > 0) tests.push(isOneOf(types.map(upper), ({ type }) => type && upper(type)));
  if (statuses.length > 0) tests.push(isOneOf(statuses.map(upper), ({ status }) => status && upper(status)));
  if (withErrors) tests.push(({ errorCount }) => errorCount > 0);
  if (since !== undefined) tests.push((activity) => timeOf(activity) >= since.getTime());
  if (until !== undefined) tests.push((activity) => timeOf(activity) < until.getTime());
  return (activity) => tests.every((test) => test(activity));
}

/** When the activity was created: its insert time, else the time of its last change; undefined when it tells neither. */
export function createdAt(activity: Activity): Date | undefined {
  return activity.insertTime ?? activity.updated;
}

/** NaN, which no comparison holds for, where there is no time. */
function timeOf(activity: Activity): number {
  return createdAt(activity)?.getTime() ?? NaN;
}

function isOneOf(wanted: readonly string[], valueOf: (activity: Activity) => string | undefined) {
  const set = new Set<string | undefined>(wanted);
  return (activity: Activity) => set.has(valueOf(activity));
}

function upper(text: string): string {
  return text.toUpperCase();
}
