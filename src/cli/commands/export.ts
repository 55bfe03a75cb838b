import { hasFailed } from '../../activity/activity.js';
import { UsageError } from '../../activity/errors.js';
import { FILE_TYPES, SORT_ORDERS, type ExportContacts } from '../../activity/request.js';
import { putActivity, putCreated, WAIT_DEFAULT } from '../activity-output.js';
import { command } from '../command.js';
import { parseDuration } from '../duration.js';
import { DRY_RUN, putRequest, REQUEST } from '../preview.js';
import { checkDownload, putDownload } from '../save.js';
import { outcome } from '../session.js';
import { ACTIVITY, SAVED } from '../views.js';

const SORT = { email: 'EMAIL_ADDRESS', date: 'DATE_DESC' } as const;

export const exportContacts = command({
  name: 'export',
  summary: 'export the contacts of a list to a file',
  details:
    'The e-mail address is always there; name the other columns you want. Without --out and --wait ' +
    'the export is only started: "ctct download" gets its file later.',
  examples: [
    ['ctct export --list 2 --out list2.csv', 'wait, and save the file'],
    ['ctct export --list 2 --columns "First Name,City" --out -', 'with columns, to stdout'],
    ['ctct export --list do-not-mail --with-date', 'start only'],
  ],
  arguments: {},
  options: {
    list: { kind: 'texts', value: 'id', required: true, help: 'list to export; a system list too' },
    columns: { kind: 'texts', value: 'names', help: 'columns beside the e-mail address' },
    fileType: { kind: 'choice', choices: FILE_TYPES, fallback: 'CSV', value: 'type', help: 'kind of file' },
    withDate: { kind: 'flag', help: 'with the date each contact was added or removed' },
    withSource: { kind: 'flag', help: 'with who added or removed it' },
    withListName: { kind: 'flag', help: 'with the name of the list' },
    sort: {
      kind: 'choice',
      choices: ['email', 'date', ...SORT_ORDERS],
      shown: ['email', 'date'],
      value: 'order',
      fallback: 'email',
      help: 'by address, or the newest first',
    },
    dryRun: DRY_RUN,
    wait: { kind: 'duration', bare: WAIT_DEFAULT, help: 'wait for the end, this long at most' },
    out: { kind: 'text', value: 'path', help: 'wait, and save to this file or folder, or - for stdout' },
    force: { kind: 'flag', help: 'write over a file that is there' },
  },
  records: ({ dryRun, out }) =>
    dryRun ? REQUEST : out === undefined ? ACTIVITY : out === '-' ? undefined : SAVED,
  async run(session, values) {
    const [listId, ...others] = values.list;
    if (listId === undefined || others.length > 0) {
      throw new UsageError(
        'LIST_COUNT_INVALID',
        `--list: an export takes exactly one list, got ${values.list.length}; run one export per list`,
      );
    }
    const { out, force } = values;
    const request: ExportContacts = {
      activityType: 'EXPORT_CONTACTS',
      listId,
      fileType: values.fileType,
      exportOptDate: values.withDate,
      exportOptSource: values.withSource,
      exportListName: values.withListName,
      sortBy: values.sort === 'email' || values.sort === 'date' ? SORT[values.sort] : values.sort,
      columns: values.columns,
    };
    if (values.dryRun) return putRequest(session, request);
    if (out !== undefined) await checkDownload(session, { out, force });
    const service = await session.service();
    const created = await session.create(service, request);
    if (out === undefined) return putCreated(session, service, created, values.wait);

    const download = session.commandLine('download', created.id, '--out', out, ...(force ? ['--force'] : []));
    session.started(created.id, download);
    const timeout = values.wait ?? parseDuration('--wait', WAIT_DEFAULT);
    const activity = await session.watch(service, created.id, { timeout });
    if (hasFailed(activity)) {
      // The fields asked for are those of a download.
      if (session.output.hasFields(ACTIVITY)) await putActivity(session, activity);
      else session.talk.error(`the export ${activity.id} ended with ERROR`);
      return 'failure';
    }
    session.fileLeft(created.id, download);
    await putDownload(session, service, activity, { out, force });
    return outcome(activity);
  },
});
