import { partFileName, splitFor } from '../../src/migrate/upload-split.js';
import path from 'node:path';
import { planId } from '../../src/migrate/plan-id.js';
import type {
  MigrationPlan,
  PlannedAccount,
  PlannedClear,
  PlannedStep,
  PlannedUpload,
} from '../../src/migrate/plan.js';
import type { RunRecord } from '../../src/migrate/run-record.js';
import { foldRun, type RunState } from '../../src/migrate/run-state.js';
import { memoryStore } from '../../src/store/memory.js';

/** Parts of a migration, made without planning or running it. */

export function accountOf(account: string, steps: readonly PlannedStep[]): PlannedAccount {
  const lists = [...new Set(steps.flatMap(({ lists }) => lists))];
  return {
    account,
    target: { api: 'v2', apiKey: 'env:KEY', accessToken: 'env:TOKEN' },
    lists: lists.map((list) => ({ from: list, to: list, toName: `List ${list}`, check: 'found' })),
    losses: [],
    steps,
  };
}

export function planOf(accounts: readonly PlannedAccount[]): {
  plan: MigrationPlan;
  account: PlannedAccount;
} {
  const content: Omit<MigrationPlan, 'id'> = {
    version: 1,
    kind: 'migration-plan',
    limits: { perSecond: 4, perDay: 10_000 },
    accounts,
    losses: [],
    acceptedLosses: [],
    estimate: { calls: 1, seconds: 60, keys: [{ apiKey: 'env:KEY', calls: 1, seconds: 60 }] },
  };
  return { plan: { ...content, id: planId(content) }, account: accounts[0] ?? accountOf('joe', []) };
}

export function plannedClear(id: string, lists: readonly string[]): PlannedClear {
  return { id, activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists, losses: [], parts: [{ id: `${id}/1` }] };
}

export async function plannedUpload(
  id: string,
  given: Partial<PlannedUpload> & Pick<PlannedUpload, 'file' | 'lists'>,
  folder: string,
): Promise<PlannedUpload> {
  const settings = {
    id,
    activityType: given.activityType ?? ('ADD_CONTACTS' as const),
    encoding: given.encoding ?? ('auto' as const),
    lists: given.lists,
    blanksEnabled: given.blanksEnabled ?? false,
    into: given.into ?? {},
  };
  const split = await splitFor(path.resolve(folder, given.file), settings);
  try {
    return {
      ...settings,
      file: given.file,
      origin: given.origin ?? { kind: 'file' },
      sha256: split.sha256,
      rows: split.rows,
      duplicates: split.duplicateCount,
      headingLine: split.headingLine,
      losses: [],
      parts: split.parts.map(({ index, rows, firstLine, lastLine, bytes, sha256 }) => ({
        id: `${id}/${index + 1}`,
        fileName: partFileName(settings, split.sha256, index),
        ...{ rows, firstLine, lastLine, bytes, sha256 },
      })),
    };
  } finally {
    await split.close();
  }
}

/** What the records come to, by way of a store. */
export async function stateOf(plan: MigrationPlan, records: readonly RunRecord[]): Promise<RunState> {
  const store = memoryStore();
  if (records.length > 0) await store.journal.append(plan.id, ...records);
  return foldRun(plan, store.journal.read(plan.id));
}
