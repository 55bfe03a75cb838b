import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { COLUMNS, EMAIL_ADDRESS } from '../activity/columns.js';
import { UsageError } from '../activity/errors.js';
import type { ContactList } from '../activity/list.js';
import type { ActivityService, ResumeAt } from '../activity/service.js';
import type { Clock } from '../clock.js';
import { writing } from '../http/disk.js';
import { saveDownload } from '../http/download.js';
import { loss, type Loss } from '../translate/loss.js';
import type { ColumnTargets } from '../translate/columns.js';
import { waitForActivity } from '../wait.js';
import { examineExport } from './exported-rows.js';
import type { StepInput } from './planning.js';

export interface ExportOptions {
  /** Where the files go, `<list>.csv`; it is made where there is none. */
  readonly folder: string;
  /** Ids of the lists; default all that are the account's own. */
  readonly lists?: readonly string[] | undefined;
  /** Exports lists again whose files are there already. Default: those are taken as they are. */
  readonly fresh?: boolean | undefined;
  readonly into?: ColumnTargets | undefined;
  readonly onNote?: ((note: string) => void) | undefined;
  /** Told before each export. */
  readonly onExport?: ((list: string, number: number, of: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default the machine's. */
  readonly clock?: Clock | undefined;
  /** Numbers from 0 to below 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** What was found in an account of ws. */
export interface ExportedAccount {
  readonly steps: readonly StepInput[];
  /** By id. */
  readonly names: ReadonlyMap<string, string>;
  readonly losses: readonly Loss[];
}

/** Who left, and what becomes of them. */
const LEFT = {
  'do-not-mail': {
    who: 'contacts that opted out',
    remedy:
      'v2 takes no opt-outs in bulk. Before anything is sent from the target account, unsubscribe there the addresses in',
  },
  removed: {
    who: 'contacts that are on no list any more',
    remedy:
      'they go nowhere. To keep what is known of them, make a list for them in the target account, and upload to it',
  },
} as const;

/**
 * The lists of an account, each exported with all its columns to a file of its own, readable by its owner only. A file that
 * is there already is taken as it is: so what was cut off is gone on with.
 * @throws UsageError `LIST_INVALID` for a list that the account does not have; `FILE_UNWRITABLE`; what the service throws.
 */
export async function exportAccount(
  service: ActivityService,
  options: ExportOptions,
): Promise<ExportedAccount> {
  const { folder, signal, into = {} } = options;
  await writing(folder, () => mkdir(folder, { recursive: true, mode: 0o700 }));
  const own: ContactList[] = [];
  for await (const list of service.lists({ signal })) if (!list.system) own.push(list);
  const chosen = choose(own, options.lists);
  const ids = [...chosen.map(({ id }) => id), ...Object.keys(LEFT)];
  const kept: Date[] = [];
  for (const [index, id] of ids.entries()) {
    const before = options.fresh === true ? undefined : await stat(fileOf(folder, id)).catch(() => undefined);
    if (before?.isFile() === true) {
      kept.push(before.mtime);
      continue;
    }
    options.onExport?.(id, index + 1, ids.length);
    await exportList(service, id, options);
  }
  if (kept.length > 0) options.onNote?.(keptNote(kept, ids.length));
  const steps = chosen.map(({ id }): StepInput => ({
    activityType: 'ADD_CONTACTS',
    file: fileOf(folder, id),
    origin: { kind: 'ws', list: id },
    encoding: 'UTF-8',
    lists: [id],
    blanksEnabled: false,
    into,
  }));
  const losses: Loss[] = [];
  for (const [id, { who, remedy }] of Object.entries(LEFT)) {
    const file = fileOf(folder, id);
    const { rows = 0 } = await examineExport(file, { count: true });
    const message = `${who}: ${rows.toLocaleString('en-US')}; ${remedy} ${id}.csv, beside the other exports`;
    if (rows > 0) losses.push(loss('OPT_OUTS_LEFT', `list ${id}`, message));
  }
  return { steps, names: new Map(own.map(({ id, name }) => [id, name])), losses };
}

/** In the order of their numbers, whatever order the service has them in. */
function choose(own: readonly ContactList[], wanted: readonly string[] | undefined): readonly ContactList[] {
  const missing = wanted?.find((id) => !own.some((list) => list.id === id));
  if (missing !== undefined) {
    const known = own.map(({ id, name }) => `${id} (${name})`);
    throw new UsageError(
      'LIST_INVALID',
      `list ${missing}: the account in ws has none; it has ${known.join(', ')}`,
    );
  }
  return own
    .filter(({ id }) => wanted?.includes(id) ?? true)
    .sort((one, other) => one.id.length - other.id.length || (one.id < other.id ? -1 : 1));
}

function fileOf(folder: string, list: string): string {
  return join(folder, `${list}.csv`);
}

function keptNote(kept: readonly Date[], of: number): string {
  const oldest = new Date(Math.min(...kept.map((date) => date.getTime())));
  const when = oldest.toISOString().slice(0, 16).replace('T', ' ');
  return `${kept.length} of ${of} lists were exported before, since ${when}, and are taken as they are; --fresh exports them again`;
}

/** Milliseconds that an export may take. */
const LONGEST_EXPORT = 2 * 60 * 60 * 1000;

async function exportList(
  service: ActivityService,
  list: string,
  { folder, fresh = false, signal, clock, random }: ExportOptions,
): Promise<void> {
  const { id } = await service.create(
    {
      activityType: 'EXPORT_CONTACTS',
      listId: list,
      exportOptDate: true,
      exportOptSource: true,
      columns: COLUMNS.map(({ ws }) => ws).filter((column) => column !== EMAIL_ADDRESS),
    },
    { signal },
  );
  const means = { clock, random, signal };
  const activity = await waitForActivity(service, id, { timeout: LONGEST_EXPORT, ...means });
  const open = (resume: ResumeAt | undefined) => service.download(activity, { signal, resume });
  await saveDownload({ id, open }, fileOf(folder, list), { overwrite: fresh, ...means });
}
