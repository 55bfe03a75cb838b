import { isFinished } from '../../activity/activity.js';
import { UsageError } from '../../activity/errors.js';
import { LAST, namedActivities } from '../activity-output.js';
import { command } from '../command.js';
import { checkDownload, putDownload } from '../save.js';
import { plainText } from '../terminal.js';
import { SAVED } from '../views.js';

export const download = command({
  name: 'download',
  summary: 'save the file of a finished export',
  details: 'A download that was cut off is gone on with, when the same command is run again.',
  examples: [
    ['ctct download a07e1gpfcd3fhysynnp', 'into this folder, as the service calls it'],
    ['ctct download a07e1gpfcd3fhysynnp --out list2.csv', 'to this file'],
    ['ctct download --last --out list2.csv', 'of the export you started last'],
    ['ctct download a07e1gpfcd3fhysynnp --out - | head -3', 'to stdout'],
  ],
  arguments: { id: { help: 'id of the export, or its URI', optional: true } },
  options: {
    last: { ...LAST, help: 'the export that was started last from this machine' },
    out: { kind: 'text', value: 'path', fallback: '.', help: 'file or folder to save to, or - for stdout' },
    force: { kind: 'flag', help: 'write over a file that is there' },
  },
  records: ({ out }) => (out === '-' ? undefined : SAVED),
  async run(session, { id, last, out, force }) {
    await checkDownload(session, { out, force });
    const given = id === undefined ? [] : [id];
    const { service, ids } = await namedActivities(session, given, last, 'EXPORT_CONTACTS');
    const activity = await service.get(ids[0], session.abort);
    const { type, status } = activity;
    if (type !== undefined && type !== 'EXPORT_CONTACTS') {
      throw new UsageError(
        'NOT_FOUND',
        `activity ${activity.id} is ${plainText(type)}; only exports have a file`,
      );
    }
    if (status !== undefined && !isFinished(activity)) {
      throw new UsageError(
        'NOT_FOUND',
        `activity ${activity.id} is ${plainText(status)}, its file is not there yet; wait for it: ` +
          session.commandLine('wait', activity.id),
      );
    }
    await putDownload(session, service, activity, { out, force });
    return 'ok';
  },
});
