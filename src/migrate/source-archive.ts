import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFinished, type Activity } from '../activity/activity.js';
import { readArchive, type ArchiveOptions } from '../archive/read.js';
import type { ArchiveSource } from '../archive/sources.js';
import type { ColumnTargets } from '../translate/columns.js';
import { loss, type Loss } from '../translate/loss.js';
import { examineExport, type ExportedFile } from './exported-rows.js';
import type { StepInput, UploadInput } from './planning.js';

export interface ArchivedOptions extends Pick<ArchiveOptions, 'signal' | 'onProblem' | 'stdin'> {
  /** Where the files of exports were kept, as `<id>.csv` or `<id>.txt`. */
  readonly files: string;
  /** The lists that a file goes to, by the id of its activity. */
  readonly listsOf?: ReadonlyMap<string, readonly string[]> | undefined;
  /** The id of the list that is called so; undefined where none is, or several are. */
  readonly listNamed?: ((name: string) => string | undefined) | undefined;
  readonly into?: ColumnTargets | undefined;
  /** Told of what is not moved, and need not be. */
  readonly onNote?: ((note: string) => void) | undefined;
}

export interface ArchivedSteps {
  /** In the order in which the activities were made. */
  readonly steps: readonly StepInput[];
  /** One for each activity that should be moved, and cannot. */
  readonly losses: readonly Loss[];
}

/** What is known of an activity, once all feeds were read. */
type Entry = Pick<Activity, 'id' | 'type' | 'status' | 'insertTime'>;

/**
 * The uploads that come of archived activities: of each list its newest export, and what was uploaded to it afterwards,
 * where the files were kept. Every other activity is told: as a loss, or as a note where it changes nothing.
 * @throws UsageError for a source that is not there; DecodeError as `readArchive`.
 */
export async function archivedSteps(
  sources: readonly ArchiveSource[],
  options: ArchivedOptions,
): Promise<ArchivedSteps> {
  const losses: Loss[] = [];
  const found: { readonly entry: Entry; readonly step: UploadInput }[] = [];
  for (const entry of await readEntries(sources, options)) {
    const outcome = await judge(entry, options);
    if (typeof outcome === 'string') options.onNote?.(outcome);
    else if ('code' in outcome) losses.push(outcome);
    else found.push({ entry, step: outcome });
  }
  const steps = found.filter(({ entry, step }, index) => {
    const newer = found
      .slice(index + 1)
      .find(
        ({ entry: later, step: { lists } }) =>
          isExport(later) && step.lists.every((list) => lists.includes(list)),
      );
    if (newer === undefined) return true;
    options.onNote?.(
      `activity ${entry.id} is left out: ${newer.entry.id} is a newer export of the same list`,
    );
    return false;
  });
  return { steps: steps.map(({ step }) => step), losses };
}

/** Each activity once, as it was told last; the oldest first, those without a time in front. */
async function readEntries(
  sources: readonly ArchiveSource[],
  { signal, onProblem, stdin }: ArchivedOptions,
): Promise<readonly Entry[]> {
  const entries = new Map<string, Entry>();
  for await (const { activity } of readArchive(sources, { signal, onProblem, stdin })) {
    const { id, type, status, insertTime } = activity;
    const known = entries.get(id);
    if (known === undefined || !isFinished(known) || isFinished(activity))
      entries.set(id, { id, type, status, insertTime });
  }
  return [...entries.values()].sort(
    (one, other) =>
      (one.insertTime?.getTime() ?? 0) - (other.insertTime?.getTime() ?? 0) || (one.id < other.id ? -1 : 1),
  );
}

function isExport({ type }: Entry): boolean {
  return type === 'EXPORT_CONTACTS';
}

/** The upload that comes of it; what is lost of it; or why nothing is. */
async function judge(entry: Entry, options: ArchivedOptions): Promise<UploadInput | Loss | string> {
  const { id, type = 'of unknown type', status } = entry;
  const place = `activity ${id}`;
  if (status !== 'COMPLETE') {
    return `${place} is left out: ${type} ${status === undefined ? 'tells no status' : `ended as ${status}, or had not ended`}`;
  }
  const made = entry.insertTime === undefined ? '' : ` of ${entry.insertTime.toISOString().slice(0, 10)}`;
  if (type === 'CLEAR_CONTACTS_FROM_LISTS') {
    return loss('ACTIVITY_WITHOUT_LIST', place, `${type}${made}: no record tells which lists were cleared`);
  }
  const file = await fileOf(id, options.files);
  if (file === undefined) {
    const what = isExport(entry) ? 'its file is not' : 'what was uploaded is in no record, and no file is';
    return loss(
      'ACTIVITY_WITHOUT_FILE',
      place,
      `${type}${made}: ${what} in ${options.files} as ${id}.csv or ${id}.txt`,
    );
  }
  const examined = await examineExport(file);
  if (examined.left && isExport(entry)) {
    const message = `${type}${made}: is an export of contacts that opted out or were removed; they stay behind, in ${file}`;
    return loss('OPT_OUTS_LEFT', place, message);
  }
  const lists = options.listsOf?.get(id) ?? listsNamed(examined, options);
  if (lists === undefined) {
    const names = examined.lists.map((name) => JSON.stringify(name)).join(' or ');
    const told = names === '' ? 'nothing tells' : `it has contacts of ${names}, and nothing tells`;
    return loss(
      'ACTIVITY_WITHOUT_LIST',
      place,
      `${type}${made}: ${told} which list ${file} is of; --map ${id}=<list>`,
    );
  }
  const removes = type === 'REMOVE_CONTACTS_FROM_LISTS';
  const activityType = removes ? 'REMOVE_CONTACTS_FROM_LISTS' : 'ADD_CONTACTS';
  const origin = { kind: 'archive', activity: id } as const;
  return {
    activityType,
    file,
    origin,
    encoding: 'auto',
    lists,
    blanksEnabled: false,
    into: options.into ?? {},
  };
}

/** Of an export in which several lists are marked, nobody can tell which one was asked for. */
function listsNamed(
  { lists: [name, ...others], everyone }: ExportedFile,
  { listNamed }: ArchivedOptions,
): readonly string[] | undefined {
  const list = name === undefined || others.length > 0 || !everyone ? undefined : listNamed?.(name);
  return list === undefined ? undefined : [list];
}

/** An id that comes from a document is no path, whatever it says. */
async function fileOf(id: string, folder: string): Promise<string | undefined> {
  if (!/^[\w-][\w.-]*$/.test(id)) return undefined;
  for (const name of [`${id}.csv`, `${id}.txt`]) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.isFile() === true) return join(folder, name);
  }
  return undefined;
}
