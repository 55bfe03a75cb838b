import type { Activity } from '../activity/activity.js';
import { UsageError } from '../activity/errors.js';
import type { ActivityService } from '../activity/service.js';
import type { Exit } from './exit-codes.js';
import { outcome, type Session } from './session.js';
import { ACTIVITY, ACTIVITY_ERROR } from './views.js';

/** How long a wait takes at most when the user does not say. */
export const WAIT_DEFAULT = '30m';

/** Puts an activity out; in a table with its errors below it. */
export async function putActivity(session: Session, activity: Activity): Promise<void> {
  const { output } = session;
  await output.record(ACTIVITY, activity);
  if (!output.isFree || activity.errorCount === 0) return;
  await output.tableLine('');
  if (activity.errors.length > 0) await output.records(ACTIVITY_ERROR, activity.errors);
  const unlisted = activity.errorCount - activity.errors.length;
  if (unlisted > 0) {
    await output.tableLine(
      activity.errors.length === 0
        ? `The service counts ${activity.errorCount} errors and lists none of them.`
        : `The service counts ${unlisted} more, and does not list them.`,
    );
  }
}

/** Puts a new activity out: as it is, or, where a time to wait is given, as it ends. */
export async function putCreated(
  session: Session,
  service: ActivityService,
  created: Activity,
  wait: number | undefined,
): Promise<Exit> {
  if (wait !== undefined) {
    const activity = await session.watch(service, created.id, { timeout: wait });
    await putActivity(session, activity);
    return outcome(activity);
  }
  await putActivity(session, created);
  session.talk.note(`To see how it ends: ${session.commandLine('wait', created.id)}`);
  return 'ok';
}

/** What `--last` says in help. */
export const LAST = { kind: 'flag', help: 'the activity that was started last from this machine' } as const;

/**
 * The account's activities, and the ids that the command line names of them, or that of the last one.
 * @param activityType that the last one must have.
 * @throws UsageError `OPTION_INVALID` where it names none, or both.
 */
export async function namedActivities(
  session: Session,
  given: readonly string[],
  last: boolean,
  activityType?: string,
): Promise<{ readonly service: ActivityService; readonly ids: readonly [string, ...string[]] }> {
  const [first, ...others] = new Set(given.map(activityId));
  if (last === (first !== undefined)) {
    throw new UsageError('OPTION_INVALID', `give ${last ? 'either ids or --last' : 'an id, or --last'}`);
  }
  const service = await session.service();
  return { service, ids: [first ?? (await session.last(activityType)), ...others] };
}

/** The id of an activity, from the id itself or from its URI. */
export function activityId(text: string): string {
  const id = /\/activities\/([^/?#]+)/.exec(text)?.[1];
  return id ?? text;
}
