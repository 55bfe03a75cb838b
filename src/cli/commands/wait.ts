import type { Exit } from '../exit-codes.js';
import { LAST, namedActivities, putActivity, WAIT_DEFAULT } from '../activity-output.js';
import { command } from '../command.js';
import { outcome } from '../session.js';
import { ACTIVITY } from '../views.js';

export const wait = command({
  name: 'wait',
  summary: 'wait until activities are finished',
  details: 'Ends with 3 when some rows had errors, with 1 when an activity failed.',
  examples: [
    ['ctct wait a07e1ffaxjxffmvj6qd', 'half an hour at most'],
    ['ctct wait a07e1ffaxjxffmvj6qd a07e1gpfcd3fhysynnp', 'until both are finished'],
    ['ctct wait a07e1ffaxjxffmvj6qd --timeout 2h', 'longer'],
    ['ctct wait --last', 'the one you started last, be it in another terminal'],
  ],
  arguments: { id: { help: 'ids of the activities, or their URIs', several: true, optional: true } },
  options: {
    last: LAST,
    timeout: { kind: 'duration', fallback: WAIT_DEFAULT, help: 'wait this long at most' },
    unconfirmed: {
      kind: 'duration',
      fallback: '10m',
      help: 'wait this long at most for a person to confirm it',
    },
  },
  records: () => ACTIVITY,
  async run(session, { id, last, timeout, unconfirmed }) {
    const { service, ids } = await namedActivities(session, id, last);
    const options = { timeout, unconfirmedTimeout: unconfirmed };
    const [only, ...others] = ids;
    if (others.length === 0) {
      const activity = await session.watch(service, only, options);
      await putActivity(session, activity);
      return outcome(activity);
    }
    const activities = await session.watchAll(service, ids, options);
    await session.output.records(ACTIVITY, activities);
    return worst(activities.map(outcome));
  },
});

function worst(exits: readonly Exit[]): Exit {
  return (['failure', 'rows'] as const).find((exit) => exits.includes(exit)) ?? 'ok';
}
