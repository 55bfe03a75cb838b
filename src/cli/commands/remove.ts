import { putCreated, WAIT_DEFAULT } from '../activity-output.js';
import { CONTACT_ENCODINGS } from '../apis.js';
import { command } from '../command.js';
import { checkConfirmable, confirmLists, YES } from '../confirm-lists.js';
import { contactsFrom } from '../contacts-argument.js';
import { DRY_RUN, putRequest, REQUEST } from '../preview.js';
import { plainText } from '../terminal.js';
import { ACTIVITY } from '../views.js';

export const remove = command({
  name: 'remove',
  summary: 'remove the contacts of a file from lists',
  details:
    'Only the column of addresses counts. The contacts are taken off the lists named, and kept on ' +
    'all others.',
  examples: [
    ['ctct remove gone.csv --list 2', 'shows the list and asks'],
    ['ctct remove gone.csv --list 2 --yes --wait', 'in a script'],
  ],
  arguments: { file: { help: 'a .csv, .txt or .xls file, or - for stdin' } },
  options: {
    list: { kind: 'texts', value: 'id', required: true, help: 'list to remove from' },
    encoding: {
      kind: 'choice',
      choices: CONTACT_ENCODINGS,
      fallback: 'auto',
      help: 'how the contacts are sent; form with ws, json with v2',
    },
    yes: YES,
    dryRun: DRY_RUN,
    wait: { kind: 'duration', bare: WAIT_DEFAULT, help: 'wait for the end, this long at most' },
  },
  records: ({ dryRun }) => (dryRun ? REQUEST : ACTIVITY),
  async run(session, { file, list, encoding, yes, dryRun, wait }) {
    const request = () => ({
      activityType: 'REMOVE_CONTACTS_FROM_LISTS' as const,
      contacts: contactsFrom(session, file),
      lists: list,
    });
    if (dryRun) return putRequest(session, request(), encoding);
    const what = file === '-' ? 'stdin' : plainText(file);
    const change = {
      command: 'remove',
      lists: list,
      question: `This takes the contacts of ${what} off`,
      notice: `Removing the contacts of ${what} from`,
      refusal: 'nothing was removed',
    };
    checkConfirmable(session, change, yes);
    const service = await session.service(encoding);
    if (!(await confirmLists(session, service, change, yes))) return 'failure';
    const activity = await session.create(service, request());
    return putCreated(session, service, activity, wait);
  },
});
