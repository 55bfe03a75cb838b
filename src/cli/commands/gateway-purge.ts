import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../activity/errors.js';
import { command } from '../command.js';
import { OF_SERVICE } from '../global-options.js';
import type { Exit } from '../exit-codes.js';
import { GATEWAY_FILES, openGatewayStore } from '../gateway-store.js';
import type { View } from '../output.js';
import { askYes, canAsk } from '../prompt.js';
import type { Session } from '../session.js';
import { plainText } from '../terminal.js';

const DAY = 24 * 60 * 60 * 1000;

export const gatewayPurge = command({
  name: 'purge',
  summary: 'delete what a gateway remembers',
  details:
    'Deletes activities that have ended, and their files; what goes on is never touched, nor is anything at v2. The gateway ' +
    'must not be running meanwhile. By itself it deletes what is older than --keep-days.',
  examples: [
    ['ctct gateway purge --store gateway/ --older-than 30', 'asks before it does'],
    ['ctct gateway purge --store gateway/ --older-than 0 --user joesflowers --yes', 'all of one account'],
  ],
  without: OF_SERVICE.filter((name) => name !== 'user'),
  arguments: {},
  options: {
    store: { kind: 'text', value: 'folder', required: true, help: 'the folder of the gateway' },
    olderThan: {
      kind: 'number',
      value: 'days',
      from: 0,
      to: 36_500,
      fallback: 90,
      help: 'of activities accepted before; 0 is all',
    },
    user: { kind: 'text', value: 'name', help: 'only those of this account' },
    yes: { kind: 'flag', help: 'do not ask' },
  },
  records: () => PURGED,
  async run(session, { store, olderThan, user, yes }) {
    if (!yes && !canAsk(session.io)) {
      throw new UsageError(
        'OPTION_INVALID',
        'purge: asks before it deletes, and here is no terminal to ask on; give --yes if you are sure',
      );
    }
    await refuseMissing(store);
    const whose = user === undefined ? 'of all accounts' : `of ${plainText(user)}`;
    const which = olderThan === 0 ? 'all activities' : `activities older than ${olderThan} days`;
    session.talk.note(
      `${yes ? 'Deleting' : 'This deletes'} ${which} ${whose} that have ended, and their files.`,
    );
    if (!yes && !(await askYes(session.io, 'Type "yes" to go on: '))) {
      session.talk.note('Nothing is deleted.');
      return 'failure';
    }
    return purgeStore(session, store, { olderThan: olderThan * DAY, user });
  },
});

/** Nothing is made where nothing is. */
async function refuseMissing(folder: string): Promise<void> {
  const facts = await stat(join(folder, GATEWAY_FILES.database)).catch(() => undefined);
  if (facts?.isFile() === true) return;
  throw new UsageError('FILE_UNREADABLE', `--store: there is no gateway's store in ${folder}`);
}

async function purgeStore(
  session: Session,
  folder: string,
  wanted: { readonly olderThan: number; readonly user: string | undefined },
): Promise<Exit> {
  const { clock } = session;
  const [{ Ledger }, { FileFolder }, { purge }] = await Promise.all([
    import('../../gateway/ledger.js'),
    import('../../gateway/folder.js'),
    import('../../gateway/retention.js'),
  ]);
  const store = await openGatewayStore(folder);
  try {
    const lock = await store.lockRun(GATEWAY_FILES.lock);
    try {
      const files = await FileFolder.open(join(folder, GATEWAY_FILES.files));
      const ledger = await Ledger.read(store.records, clock, Math.random);
      const retention = { activities: wanted.olderThan, files: wanted.olderThan };
      const purged = await purge({ ledger, files, clock, tell: () => undefined }, retention, wanted);
      await ledger.settled();
      await session.output.record(PURGED, purged);
      return 'ok';
    } finally {
      await lock.release();
    }
  } finally {
    await store.close();
  }
}

const PURGED: View<{ readonly activities: number; readonly files: number }> = {
  kind: ['purge', 'purges'],
  none: 'Nothing.',
  fields: [
    { name: 'activities', heading: 'Activities deleted', value: ({ activities }) => activities },
    { name: 'files', heading: 'Files deleted', value: ({ files }) => files },
  ],
};
