import { activityId, putActivity, WAIT_DEFAULT } from '../activity-output.js';
import { command } from '../command.js';
import { outcome } from '../session.js';

export const wait = command({
  name: 'wait',
  summary: 'wait until an activity is finished',
  details: 'Ends with 3 when some rows had errors, with 1 when the activity failed.',
  examples: [
    ['ctct wait a07e1ffaxjxffmvj6qd', 'half an hour at most'],
    ['ctct wait a07e1ffaxjxffmvj6qd --timeout 2h', 'longer'],
  ],
  arguments: { id: { help: 'id of the activity, or its URI' } },
  options: { timeout: { kind: 'duration', fallback: WAIT_DEFAULT, help: 'wait this long at most' } },
  async run(session, { id, timeout }) {
    const service = await session.service();
    const activity = await session.watch(service, activityId(id), { timeout });
    await putActivity(session, activity);
    return outcome(activity);
  },
});
