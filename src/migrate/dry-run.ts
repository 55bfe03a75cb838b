import { CtctError, TransportError } from '../activity/errors.js';
import type { MigrationPlan, PlannedStep } from './plan.js';
import type { RunState } from './run-state.js';
import { openUpload } from './upload-split.js';

/** A step, as a run would do it now. */
export interface CheckedStep {
  readonly account: string;
  readonly step: PlannedStep;
  /** Parts that are finished already, and are not sent. */
  readonly finished: number;
  /** Of the parts that would be sent. */
  readonly rows: number;
  readonly bytes: number;
  /** Why it could not be sent: its file is not the one that was planned. */
  readonly problem: CtctError | undefined;
}

/** What of a plan is tried. */
export interface DryRunOptions {
  /** Where relative paths of the plan start. */
  readonly planFolder: string;
  /** What was done already; undefined: nothing. */
  readonly state?: RunState | undefined;
  /** Only these accounts. Default all. */
  readonly only?: readonly string[] | undefined;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/** Each step, its file read and cut as a run would, and compared with the plan. Nothing is sent, and nothing written. */
export async function* dryRun(
  plan: MigrationPlan,
  { planFolder, state, only, signal }: DryRunOptions,
): AsyncGenerator<CheckedStep> {
  for (const { account, steps } of plan.accounts) {
    if (only !== undefined && !only.includes(account)) continue;
    for (const step of steps) {
      if (signal?.aborted === true) {
        throw new TransportError('ABORTED', 'the check of the plan was aborted', { sent: 'no' });
      }
      const left = step.parts.filter(({ id }) => state?.parts.get(id)?.state !== 'finished');
      const sum = (of: 'rows' | 'bytes') =>
        left.reduce((total, part) => total + (of in part ? Number(Reflect.get(part, of)) : 0), 0);
      yield {
        account,
        step,
        finished: step.parts.length - left.length,
        rows: sum('rows'),
        bytes: sum('bytes'),
        problem: left.length === 0 ? undefined : await problemOf(step, planFolder, signal),
      };
    }
  }
}

async function problemOf(
  step: PlannedStep,
  planFolder: string,
  signal: AbortSignal | undefined,
): Promise<CtctError | undefined> {
  if (step.activityType === 'CLEAR_CONTACTS_FROM_LISTS') return undefined;
  try {
    await (await openUpload(step, planFolder, signal)).close();
    return undefined;
  } catch (error) {
    if (error instanceof CtctError && error.code !== 'ABORTED') return error;
    throw error;
  }
}
