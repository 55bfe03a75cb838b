import { ADD_TYPES } from '../../activity/request.js';
import { putCreated, WAIT_DEFAULT } from '../activity-output.js';
import { CONTACT_ENCODINGS } from '../apis.js';
import { command } from '../command.js';
import { contactsFrom } from '../contacts-argument.js';
import { DRY_RUN, putRequest, REQUEST } from '../preview.js';
import { ACTIVITY } from '../views.js';

export const add = command({
  name: 'add',
  summary: 'add the contacts of a file to lists',
  details:
    'The first line of the file names the columns (Email Address, First Name, …), each line after it ' +
    'is a contact. A contact that is known already gets the new values.',
  examples: [
    ['ctct add contacts.csv --list 2 --wait', 'add, and wait for the end'],
    ['ctct add contacts.csv --list 2,5', 'to two lists'],
    ['ctct add - --list 2 < contacts.csv', 'from stdin'],
  ],
  arguments: { file: { help: 'a .csv, .txt or .xls file, or - for stdin' } },
  options: {
    list: { kind: 'texts', value: 'id', required: true, help: 'list to add to' },
    type: {
      kind: 'choice',
      choices: ADD_TYPES,
      fallback: 'SV_ADD',
      help: 'activity type to ask for; the service stores what the data make of it',
    },
    encoding: {
      kind: 'choice',
      choices: CONTACT_ENCODINGS,
      fallback: 'auto',
      help: 'how the contacts are sent; form with ws, json with v2',
    },
    blanksEnabled: { kind: 'flag', help: 'let blank cells erase what contacts have; v2 only' },
    dryRun: DRY_RUN,
    wait: { kind: 'duration', bare: WAIT_DEFAULT, help: 'wait for the end, this long at most' },
  },
  records: ({ dryRun }) => (dryRun ? REQUEST : ACTIVITY),
  async run(session, { file, list, type, encoding, blanksEnabled, dryRun, wait }) {
    const request = () => ({
      activityType: type,
      contacts: contactsFrom(session, file),
      lists: list,
      ...(blanksEnabled && { blanksEnabled }),
    });
    if (dryRun) return putRequest(session, request(), encoding);
    const service = await session.service(encoding);
    const activity = await session.create(service, request());
    return putCreated(session, service, activity, wait);
  },
});
