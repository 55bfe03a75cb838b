import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TransportError } from '../activity/errors.js';
import { writeCsv } from '../format/csv.js';
import { writeWhole } from '../http/disk.js';
import { addressKey } from '../translate/duplicates.js';
import { differenceCells, DIFFERENCE_HEADING, differencesFile, type Difference } from './differences.js';
import { membersIn } from './members.js';
import { Mentions, type Mention } from './mentions.js';
import type { PlannedAccount, PlannedStep, PlannedUpload } from './plan.js';
import type { FinishedPart } from './run-record.js';
import { doneOf, membersKey, type MembersRecord, type RunState, type VerifiedRecord } from './run-state.js';
import { openUpload } from './upload-split.js';

export interface VerifyOptions {
  /** Where relative paths of uploads start. */
  readonly planFolder: string;
  /** Where the files of members are; what differs goes there too. */
  readonly stateFolder: string;
  readonly state: RunState;
  readonly signal?: AbortSignal | undefined;
}

/** What was found of a list; whoever writes it down adds the time. */
export type Verified = Omit<VerifiedRecord, 'at'>;

/**
 * What became of each list that the account's steps touch, where its members were read before and after. Expected are the
 * members it had, with what the finished parts of the steps added, removed and cleared, in order, but for the rows that the
 * service refused. Addresses are the same in any case. What differs is in one CSV file of the state folder then.
 *
 * Memory does not grow with the files: addresses go to a temporary file, and are compared a share at a time.
 * @throws UsageError `FILE_UNREADABLE`, `FILE_CHANGED`, `FILE_UNWRITABLE`; TransportError `ABORTED`
 */
export async function verifyAccount(
  account: PlannedAccount,
  { planFolder, stateFolder, state, signal }: VerifyOptions,
): Promise<Verified[]> {
  const lists = readLists(account, state);
  if (lists.length === 0) return [];
  const count = lists.reduce((sum, { before, after }) => sum + before.count + after.count, rowsOf(account));
  const mentions = new Mentions(count);
  try {
    for (const [index, { before, after, clearedAt }] of lists.entries()) {
      // What was there before a clear does not count.
      if (clearedAt === -1)
        await takeMembers(mentions, join(stateFolder, before.file), sourceOf(index, 'before'));
      await takeMembers(mentions, join(stateFolder, after.file), sourceOf(index, 'after'));
    }
    for (const [index, step] of account.steps.entries()) {
      if (step.activityType === 'CLEAR_CONTACTS_FROM_LISTS') continue;
      await takeRows(mentions, step, index, { planFolder, state, signal });
    }
    const name = differencesFile(account.account);
    const file = join(stateFolder, name);
    await writeWhole(file, writeCsv(differences(mentions, account, lists, signal)));
    if (lists.every(({ tally }) => !differs(tally))) await rm(file);
    return lists.map(({ list, tally }): Verified => ({
      event: 'verified',
      account: account.account,
      list,
      ...tally,
      ...(differs(tally) && { differences: name }),
    }));
  } finally {
    await mentions.close();
  }
}

interface Tally {
  expected: number;
  found: number;
  missing: number;
  unexpected: number;
}

function differs({ missing, unexpected }: Tally): boolean {
  return missing + unexpected > 0;
}

/** A list whose members were read. */
interface ReadList {
  readonly list: string;
  readonly before: MembersRecord;
  readonly after: MembersRecord;
  /** The last step that cleared it; -1 when none did. */
  readonly clearedAt: number;
  readonly tally: Tally;
}

function readLists({ account, steps }: PlannedAccount, state: RunState): ReadList[] {
  return [...new Set(steps.flatMap(({ lists }) => lists))].flatMap((list) => {
    const before = state.members.get(membersKey({ account, list, when: 'before' }));
    const after = state.members.get(membersKey({ account, list, when: 'after' }));
    if (before === undefined || after === undefined) return [];
    return {
      list,
      before,
      after,
      clearedAt: steps.findLastIndex((step) => hasCleared(step, list, state)),
      tally: { expected: 0, found: 0, missing: 0, unexpected: 0 },
    };
  });
}

function hasCleared(step: PlannedStep, list: string, state: RunState): boolean {
  if (step.activityType !== 'CLEAR_CONTACTS_FROM_LISTS' || !step.lists.includes(list)) return false;
  return doneOf(state, step.parts[0].id) !== undefined;
}

function rowsOf({ steps }: PlannedAccount): number {
  return steps.reduce((sum, step) => sum + ('rows' in step ? step.rows : 0), 0);
}

/** Mentions of an address are told apart by the step, from 0, or below that by the list and the time its members were read. */
function sourceOf(list: number, when: 'before' | 'after'): number {
  return -2 * list - (when === 'before' ? 1 : 2);
}

function listOf(source: number): { list: number; when: 'before' | 'after' } {
  const list = Math.floor((-source - 1) / 2);
  return { list, when: source === sourceOf(list, 'before') ? 'before' : 'after' };
}

async function takeMembers(mentions: Mentions, file: string, source: number): Promise<void> {
  for await (const addresses of membersIn(file)) {
    for (const address of addresses) {
      const waiting = mentions.add(address, source, 0);
      if (waiting !== undefined) await waiting;
    }
  }
}

/** Takes the rows of an upload that the service took. */
async function takeRows(
  mentions: Mentions,
  step: PlannedUpload,
  source: number,
  { planFolder, state, signal }: Omit<VerifyOptions, 'stateFolder'>,
): Promise<void> {
  if (step.parts.every(({ id }) => doneOf(state, id) === undefined)) return;
  const upload = await openUpload(step, planFolder);
  try {
    for (const [index, { id }] of step.parts.entries()) {
      const activity = doneOf(state, id);
      const part = upload.parts[index];
      if (activity === undefined || part === undefined) continue;
      const refused = refusedRows(activity);
      for await (const { fileLine, address } of part.lines()) {
        if (signal?.aborted === true) throw aborted();
        if (refused(fileLine, address)) continue;
        const waiting = mentions.add(address, source, fileLine);
        if (waiting !== undefined) await waiting;
      }
    }
  } finally {
    await upload.close();
  }
}

function refusedRows({ errors }: FinishedPart): (line: number, address: string) => boolean {
  const lines = new Set(errors.flatMap(({ line }) => line ?? []));
  const addresses = new Set(
    errors.flatMap(({ line, emailAddress = '' }) => (line === undefined ? addressKey(emailAddress) : [])),
  );
  return (line, address) => lines.has(line) || (addresses.size > 0 && addresses.has(addressKey(address)));
}

/** What an address is to a list. */
interface Standing {
  before: boolean;
  after: boolean;
  /** The last row that added or removed it. */
  row: Mention | undefined;
}

/** The rows of the file of differences; the tallies of the lists are complete at its end. */
async function* differences(
  mentions: Mentions,
  { steps }: PlannedAccount,
  lists: readonly ReadList[],
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly string[]> {
  const touched = steps.map((step) => lists.filter(({ list }) => step.lists.includes(list)));
  yield DIFFERENCE_HEADING;
  for await (const { address, mentions: all } of mentions.byAddress()) {
    if (signal?.aborted === true) throw aborted();
    for (const [{ list, tally }, { before, after, row }] of standings(all, touched, lists)) {
      const step = row === undefined ? undefined : steps[row.source];
      const expected = step === undefined ? before : step.activityType === 'ADD_CONTACTS';
      if (expected) tally.expected++;
      if (after) tally.found++;
      if (expected === after) continue;
      const difference: Difference['difference'] = expected ? 'missing' : 'unexpected';
      tally[difference]++;
      const file = step !== undefined && 'file' in step ? step.file : undefined;
      yield differenceCells({
        list,
        emailAddress: address,
        difference,
        file,
        line: row?.line,
        step: step?.id,
      });
    }
  }
}

/** @param touched the lists that each step touches */
function standings(
  all: readonly Mention[],
  touched: readonly (readonly ReadList[])[],
  lists: readonly ReadList[],
): Map<ReadList, Standing> {
  const found = new Map<ReadList, Standing>();
  const standing = (list: ReadList) => {
    let one = found.get(list);
    if (one === undefined) found.set(list, (one = { before: false, after: false, row: undefined }));
    return one;
  };
  for (const mention of all) {
    const { source } = mention;
    const { list, when } = listOf(source);
    const read = lists[list];
    if (read !== undefined) standing(read)[when] = true;
    for (const one of touched[source] ?? []) if (source > one.clearedAt) standing(one).row = mention;
  }
  return found;
}

function aborted(): TransportError {
  return new TransportError('ABORTED', 'the lists were not compared to the end: it was aborted', {
    sent: 'no',
  });
}
