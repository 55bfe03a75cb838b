import { activityId, putActivity } from '../activity-output.js';
import { command } from '../command.js';
import { ACTIVITY_ERROR } from '../views.js';

export const show = command({
  name: 'show',
  summary: 'show one activity, and its errors by line and address',
  details: 'Lines count from 1, the heading of the uploaded file being line 1.',
  examples: [
    ['ctct show a07e1ffaxjxffmvj6qd', 'the activity and its errors'],
    ['ctct show a07e1ffaxjxffmvj6qd --errors --output csv', 'its errors, for a spreadsheet'],
  ],
  arguments: { id: { help: 'id of the activity, or its URI' } },
  options: { errors: { kind: 'flag', help: 'the errors only' } },
  async run(session, { id, errors }) {
    const service = await session.service();
    const activity = await service.get(activityId(id), session.abort);
    if (errors) await session.output.records(ACTIVITY_ERROR, activity.errors);
    else await putActivity(session, activity);
    return 'ok';
  },
});
