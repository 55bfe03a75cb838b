import { putCreated, WAIT_DEFAULT } from '../activity-output.js';
import { CONTACT_ENCODINGS } from '../apis.js';
import { command } from '../command.js';
import { contactsFrom } from '../contacts-argument.js';

export const remove = command({
  name: 'remove',
  summary: 'remove the contacts of a file from lists',
  details:
    'Only the column of addresses counts. The contacts are taken off the lists named, and kept on ' +
    'all others.',
  examples: [['ctct remove gone.csv --list 2 --wait', 'remove, and wait for the end']],
  arguments: { file: { help: 'a .csv, .txt or .xls file, or - for stdin' } },
  options: {
    list: { kind: 'texts', value: 'id', required: true, help: 'list to remove from' },
    encoding: {
      kind: 'choice',
      choices: CONTACT_ENCODINGS,
      fallback: 'auto',
      help: 'how the contacts are sent; form with ws, json with v2',
    },
    wait: { kind: 'duration', bare: WAIT_DEFAULT, help: 'wait for the end, this long at most' },
  },
  async run(session, { file, list, encoding, wait }) {
    const service = await session.service(encoding);
    const contacts = contactsFrom(session, file);
    const activity = await session.create(service, {
      activityType: 'REMOVE_CONTACTS_FROM_LISTS',
      contacts,
      lists: list,
    });
    return putCreated(session, service, activity, wait);
  },
});
