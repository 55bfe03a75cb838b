import { UsageError } from '../../activity/errors.js';
import { listId, type ContactList } from '../../activity/list.js';
import { checkRequest } from '../../activity/request.js';
import type { ActivityService } from '../../activity/service.js';
import { putCreated, WAIT_DEFAULT } from '../activity-output.js';
import { command } from '../command.js';
import { askYes, canAsk } from '../prompt.js';
import type { Session } from '../session.js';
import { plainText } from '../terminal.js';

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
    yes: { kind: 'flag', help: 'do not ask' },
    wait: { kind: 'duration', bare: WAIT_DEFAULT, help: 'wait for the end, this long at most' },
  },
  async run(session, { list, yes, wait }) {
    const request = { activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: list } as const;
    checkRequest(request);
    if (!yes && !canAsk(session.io)) {
      throw new UsageError(
        'OPTION_INVALID',
        'clear: asks before it clears, and here is no terminal to ask on; give --yes if you are sure',
      );
    }
    const service = await session.service();
    const lists = await findLists(session, service, list);
    session.talk.note(`${yes ? 'Clearing' : 'This takes every contact off'}:`);
    for (const { id, name, contactCount } of lists) {
      const members = contactCount === undefined ? 'members not told' : `${contactCount} members`;
      session.talk.note(`  ${id}  ${session.talk.paint('bold', plainText(name))}, ${members}`);
    }
    if (!yes && !(await askYes(session.io, 'Type "yes" to go on: '))) {
      session.io.signal?.throwIfAborted();
      session.talk.error('nothing was cleared');
      return 'failure';
    }
    const activity = await session.create(service, request);
    return putCreated(session, service, activity, wait);
  },
});

/** The lists as the service tells them. @throws UsageError `LIST_INVALID` when one is not there. */
async function findLists(
  session: Session,
  service: ActivityService,
  refs: readonly string[],
): Promise<ContactList[]> {
  const wanted = new Set(refs.map(listId));
  const found: ContactList[] = [];
  for await (const list of service.lists(session.abort)) if (wanted.delete(list.id)) found.push(list);
  if (wanted.size > 0) {
    throw new UsageError('LIST_INVALID', `--list: the account has no list ${[...wanted].join(', ')}`);
  }
  return found;
}
