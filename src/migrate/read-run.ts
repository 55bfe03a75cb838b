import { dirname, resolve } from 'node:path';
import type { MigrationPlan } from './plan.js';
import { readPlan } from './read-plan.js';
import { foldRun, RunLedger, type RunState } from './run-state.js';
import { isRunning, openRunStore, stateFolder } from './state-folder.js';

/** A plan, and what came of it so far. */
export interface ReadRun {
  readonly plan: MigrationPlan;
  readonly planFolder: string;
  readonly stateFolder: string;
  readonly state: RunState;
  /** Whether a runner is at work on it. */
  readonly running: boolean;
}

/**
 * What came of the plan in that file, while a runner is at work on it too, or when none ever was. Nothing is changed.
 * @param given the state folder, where it is not the one beside the plan
 * @throws UsageError `FILE_UNREADABLE`, `CONFIG_INVALID`, `CREDENTIALS_EXPOSED`; as `openStore`
 */
export async function readRun(planPath: string, given?: string): Promise<ReadRun> {
  const plan = await readPlan(planPath);
  const folder = stateFolder(planPath, given);
  const places = { plan, planFolder: dirname(resolve(planPath)), stateFolder: folder };
  const store = await openRunStore(folder, { readOnly: true });
  if (store === undefined) return { ...places, state: new RunLedger(plan), running: false };
  try {
    const state = await foldRun(plan, store.journal.read(plan.id));
    return { ...places, state, running: await isRunning(folder, plan.id) };
  } finally {
    await store.close();
  }
}
