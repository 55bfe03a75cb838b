import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Activity } from '../../activity/activity.js';
import { EMAIL_ADDRESS } from '../../activity/columns.js';
import { UsageError } from '../../activity/errors.js';
import type { ActivityRequest } from '../../activity/request.js';
import type { ActivityService } from '../../activity/service.js';
import { saveDownload } from '../../http/download.js';
import { command } from '../command.js';
import { OF_SERVICE } from '../global-options.js';
import { ANY_CREDENTIALS, demoAccount, FAST } from '../demo-account.js';
import { acceptedContacts, differences, readContactTable } from '../demo-check.js';
import { DEMO, DemoStory, type DemoSummary } from '../demo-story.js';
import type { Exit } from '../exit-codes.js';
import { checkTarget, targetPath } from '../save.js';
import type { Session } from '../session.js';

/** The contacts of the demo: where the package is installed, built or not. */
const CONTACTS = fileURLToPath(new URL('../../../samples/contacts.csv', import.meta.url));

const USER = 'joesflowers';
const LISTS = ['2', '5'] as const;
const FILE_NAME = 'ctct-demo-contacts.csv';

/** Far beyond what the emulated jobs take. */
const TIMEOUT = 60_000;
const POLL = 100;

export const demo = command({
  name: 'demo',
  summary: 'do the main job on an emulated account: upload, watch, export, save',
  details:
    'Serves an emulated account on this machine, uploads the contacts of samples/contacts.csv to two ' +
    'lists, shows which rows were refused and why, exports a list and saves the file.',
  examples: [
    ['ctct demo', 'takes a few seconds; needs no account and no network'],
    ['ctct demo --out exported.csv', 'saves the file here'],
  ],
  without: OF_SERVICE,
  arguments: {},
  options: {
    out: {
      kind: 'text',
      value: 'path',
      help: `file or folder to save to (default: ${FILE_NAME} in a new temporary folder)`,
    },
    force: { kind: 'flag', help: 'write over a file that is there' },
  },
  records: () => DEMO,
  async run(session, { out, force }) {
    if (out === '-') {
      throw new UsageError(
        'OPTION_INVALID',
        '--out: the demo tells its story on stdout; name a file to save to',
      );
    }
    const path = out === undefined ? undefined : await targetPath(out, FILE_NAME);
    if (path !== undefined) await checkTarget(path, force);
    const { createEmulator } = await import('../../emulator/emulator.js');
    const emulator = createEmulator({ accounts: [demoAccount(USER)], clock: session.clock, latency: FAST });
    try {
      const { url } = await emulator.listen();
      const credentials = { scheme: 'basic', user: USER, ...ANY_CREDENTIALS } as const;
      const settings = { api: 'ws', user: USER, credentials, baseUrl: url, allowHttp: [] } as const;
      const service = await session.connect(settings, 'multipart');
      const target = { path: path ?? (await temporaryPath()), temporary: path === undefined, force };
      return await tell(session, service, url, target);
    } finally {
      await emulator.close();
    }
  },
});

async function temporaryPath(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), 'ctct-demo-')), FILE_NAME);
}

interface Target {
  readonly path: string;
  readonly temporary: boolean;
  readonly force: boolean;
}

async function tell(
  session: Session,
  service: ActivityService,
  url: string,
  { path, temporary, force }: Target,
): Promise<Exit> {
  const story = new DemoStory(session);
  const [list] = LISTS;
  await story.begins(USER, url);

  await story.chapter('The contact lists of the account');
  await story.lists(service.lists(session.abort));

  const bytes = await readFile(CONTACTS);
  const uploaded = await readContactTable(bytes);
  const rows = uploaded.rows.length;
  await story.chapter(`Upload ${rows} contacts to the lists ${LISTS.join(' and ')}`);
  await story.fact('file', shownPath(CONTACTS));
  await story.fact('sent', 'SV_ADD, as multipart/form-data');
  const contacts = { file: CONTACTS };
  const upload = await act(session, story, service, { activityType: 'SV_ADD', contacts, lists: LISTS });

  const accepted = acceptedContacts(uploaded, upload.errors);
  await story.chapter(`${rows - upload.errorCount} rows are accepted, ${upload.errorCount} are not`);
  await story.refused(upload.errors, bytes.toString('utf8').split(/\r?\n/));

  const columns = uploaded.columns.filter((column) => column !== EMAIL_ADDRESS);
  await story.chapter(`Export list ${list} with ${columns.length} columns beside the address`);
  const exported = await act(session, story, service, {
    activityType: 'EXPORT_CONTACTS',
    listId: list,
    columns,
  });
  await story.fact('link', (exported.editMedia ?? 'none').replace(url, ''));

  await story.chapter('Follow the link, and save the file');
  const download = await service.download(exported, session.abort);
  const saved = await saveDownload(download, path, { overwrite: force, ...session.abort });
  const summary: DemoSummary = {
    upload,
    export: exported,
    rows,
    accepted: rows - upload.errorCount,
    contacts: accepted.size,
    path: shownPath(path),
    bytes: saved.bytes,
    differences: differences(accepted, await readContactTable(await readFile(path))),
  };
  await story.saved(summary, temporary);
  await story.ends(shownPath(CONTACTS));
  if (!session.output.isFree) await session.output.record(DEMO, summary);
  return summary.differences.length === 0 ? 'ok' : 'failure';
}

/** Creates an activity, and tells how it goes on to its end. */
async function act(
  session: Session,
  story: DemoStory,
  service: ActivityService,
  request: ActivityRequest,
): Promise<Activity> {
  const start = session.clock.now();
  const statuses: string[] = [];
  const { id } = await service.create(request, session.abort);
  const activity = await session.watch(service, id, {
    timeout: TIMEOUT,
    minDelay: POLL,
    maxDelay: POLL,
    ephemeral: true,
    onStatus: ({ status = 'not told' }) => {
      if (statuses.at(-1) !== status) statuses.push(status);
    },
  });
  await story.activity(activity, statuses, session.clock.now() - start);
  return activity;
}

/** The path from the current folder, where it is in it. */
function shownPath(path: string): string {
  const way = relative('', path);
  return way.startsWith('..') || isAbsolute(way) ? path : way;
}
