import { checkRequest } from '../../activity/request.js';
import { putCreated, WAIT_DEFAULT } from '../activity-output.js';
import { command } from '../command.js';
import { checkConfirmable, confirmLists, YES } from '../confirm-lists.js';
import { DRY_RUN, putRequest, REQUEST } from '../preview.js';
import { ACTIVITY } from '../views.js';

export const clear = command({
  name: 'clear',
  summary: 'take all contacts off lists',
  details:
    'The contacts are kept, without these lists. Nothing brings the membership back: export the ' +
    'lists first. Until the activity is finished, add nothing to them.',
  examples: [
    ['ctct clear --list 5', 'shows the list and asks'],
    ['ctct clear --list 5 --yes --wait', 'in a script'],
  ],
  arguments: {},
  options: {
    list: { kind: 'texts', value: 'id', required: true, help: 'list to clear; never a system list' },
    yes: YES,
    dryRun: DRY_RUN,
    wait: { kind: 'duration', bare: WAIT_DEFAULT, help: 'wait for the end, this long at most' },
  },
  records: ({ dryRun }) => (dryRun ? REQUEST : ACTIVITY),
  async run(session, { list, yes, dryRun, wait }) {
    const request = { activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: list } as const;
    checkRequest(request);
    if (dryRun) return putRequest(session, request);
    const change = {
      command: 'clear',
      lists: list,
      question: 'This takes every contact off',
      notice: 'Clearing',
      refusal: 'nothing was cleared',
    };
    checkConfirmable(session, change, yes);
    const service = await session.service();
    if (!(await confirmLists(session, service, change, yes))) return 'failure';
    const activity = await session.create(service, request);
    return putCreated(session, service, activity, wait);
  },
});
