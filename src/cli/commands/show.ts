import { LAST, namedActivities, putActivity } from '../activity-output.js';
import { command } from '../command.js';
import { ACTIVITY, ACTIVITY_ERROR } from '../views.js';

export const show = command({
  name: 'show',
  summary: 'show one activity, and its errors by line and address',
  details: 'Lines count from 1, the heading of the uploaded file being line 1.',
  examples: [
    ['ctct show a07e1ffaxjxffmvj6qd', 'the activity and its errors'],
    ['ctct show --last', 'the one you started last'],
    ['ctct show a07e1ffaxjxffmvj6qd --errors --output csv', 'its errors, for a spreadsheet'],
  ],
  arguments: { id: { help: 'id of the activity, or its URI', optional: true } },
  options: { last: LAST, errors: { kind: 'flag', help: 'the errors only' } },
  records: ({ errors }) => (errors ? ACTIVITY_ERROR : ACTIVITY),
  async run(session, { id, last, errors }) {
    const { service, ids } = await namedActivities(session, id === undefined ? [] : [id], last);
    const activity = await service.get(ids[0], session.abort);
    if (errors) await session.output.records(ACTIVITY_ERROR, activity.errors);
    else await putActivity(session, activity);
    return 'ok';
  },
});
