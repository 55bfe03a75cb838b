import { ServiceError } from '../../src/activity/errors.js';
import type { Activity } from '../../src/activity/activity.js';
import type { ContactList } from '../../src/activity/list.js';
import type { ActivityService } from '../../src/activity/service.js';

/** An activity with nothing but what is given. */
export function anActivity(facts: Partial<Activity> & { readonly id: string }): Activity {
  return {
    type: undefined,
    status: undefined,
    errors: [],
    errorCount: facts.errors?.length ?? 0,
    fileName: undefined,
    transactionCount: undefined,
    insertTime: undefined,
    runStartTime: undefined,
    runFinishTime: undefined,
    updated: undefined,
    title: undefined,
    editMedia: undefined,
    ...facts,
  };
}

/** A list with nothing but what is given. */
export function aList(id: string, name: string): ContactList {
  return {
    id,
    name,
    shortName: undefined,
    system: false,
    contactCount: undefined,
    optInDefault: undefined,
    displayOnSignup: undefined,
    sortOrder: undefined,
    updated: undefined,
  };
}

function missing(id: string): ServiceError {
  return new ServiceError('NOT_FOUND', `there is no ${id}`, { status: 404, detail: `no ${id}` });
}

function behind<T extends { readonly id: string }>(
  items: readonly T[],
  after: string | undefined,
): readonly T[] {
  if (after === undefined) return items;
  const index = items.findIndex(({ id }) => id === after);
  if (index === -1) throw missing(after);
  return items.slice(index + 1);
}

/** A service that holds these activities and lists and does nothing; parts of it can be replaced. */
export function stubService(
  activities: readonly Activity[] = [],
  lists: readonly ContactList[] = [],
  parts: Partial<ActivityService> = {},
): ActivityService {
  return {
    create: () => Promise.reject(new Error('nothing can be created here')),
    get(id) {
      const found = activities.find((activity) => activity.id === id);
      return found === undefined ? Promise.reject(missing(id)) : Promise.resolve(found);
    },
    // eslint-disable-next-line @typescript-eslint/require-await
    async *list(options) {
      yield* behind(activities, options?.after);
    },
    download: (activity) => Promise.reject(missing(typeof activity === 'string' ? activity : activity.id)),
    // eslint-disable-next-line @typescript-eslint/require-await
    async *lists(options) {
      yield* behind(lists, options?.after);
    },
    ...parts,
  };
}
