import { join } from 'node:path';
import { hasFailed } from '../activity/activity.js';
import { CtctError } from '../activity/errors.js';
import type { SplitUpload, UploadPart } from '../translate/split.js';
import { readDifferences } from './differences.js';
import type { MigrationPlan, PlannedAccount, PlannedStep } from './plan.js';
import type { FinishedPart, RowError } from './run-record.js';
import { verifiedKey, type RunState } from './run-state.js';
import { openUpload } from './upload-split.js';

/** A row that the service did not take, or that must be taken for one. */
export interface FailingRow {
  readonly account: string;
  readonly step: string;
  readonly part: string;
  readonly activityType: PlannedStep['activityType'];
  /** Ids in the target. */
  readonly lists: readonly string[];
  /** As the plan names it; null of a clear. */
  readonly file: string | null;
  /** Where the row begins; null where nobody knows. */
  readonly line: number | null;
  readonly emailAddress: string | null;
  readonly message: string;
  /** Whether the service said so of this row. */
  readonly named: boolean;
}

/** Where the rows of a run are looked up. */
export interface FailingRowsOptions {
  /** Where relative paths of the plan start. */
  readonly planFolder: string;
  /** Where the run keeps its files. */
  readonly stateFolder: string;
  /** What came of the run so far. */
  readonly state: RunState;
  /** Told of a file that cannot be looked into, so that rows are left out which only the file could tell. */
  readonly onProblem?: ((error: CtctError) => void) | undefined;
}

/**
 * The rows that failed, in the order of the plan and then of their lines: those that the service named, or that have no
 * address; all rows of a part that failed as a whole; and, where a part has more errors than the service named, those of
 * its rows that were found missing. The files are looked into only for these last two.
 * @throws UsageError `FILE_UNREADABLE` for a file of the state folder
 */
export async function* failingRows(
  { accounts }: Pick<MigrationPlan, 'accounts'>,
  options: FailingRowsOptions,
): AsyncGenerator<FailingRow> {
  for (const account of accounts) {
    const silent = account.steps.some((step) =>
      step.parts.some(({ id }) => unnamedErrors(options.state, id) > 0),
    );
    const missing = silent ? await missingRows(account, options) : new Map<string, MissingRows>();
    for (const step of account.steps) yield* rowsOfStep(account.account, step, missing.get(step.id), options);
  }
}

/** Errors of a finished part that say neither line nor address of a row. */
export function unnamedErrors(state: RunState, part: string): number {
  const activity = finished(state, part);
  if (activity === undefined || hasFailed(activity)) return 0;
  return Math.max(0, activity.errorCount - activity.errors.filter(({ line }) => line !== undefined).length);
}

function finished(state: RunState, part: string): FinishedPart | undefined {
  const found = state.parts.get(part);
  return found?.state === 'finished' ? found.activity : undefined;
}

/** By line, the lists that miss the address of the row. */
type MissingRows = ReadonlyMap<number, readonly string[]>;

/** What the verification found missing, by step. */
async function missingRows(
  { account, steps }: PlannedAccount,
  { state, stateFolder }: FailingRowsOptions,
): Promise<Map<string, MissingRows>> {
  const lists = [...new Set(steps.flatMap((step) => step.lists))];
  const files = lists.flatMap(
    (list) => state.verified.get(verifiedKey({ account, list }))?.differences ?? [],
  );
  const missing = new Map<string, Map<number, string[]>>();
  for (const file of new Set(files)) {
    for await (const { difference, step, line, list } of readDifferences(join(stateFolder, file))) {
      if (difference !== 'missing' || step === undefined || line === undefined) continue;
      const rows = missing.get(step) ?? new Map<number, string[]>();
      missing.set(step, rows);
      rows.set(line, [...(rows.get(line) ?? []), list]);
    }
  }
  return missing;
}

async function* rowsOfStep(
  account: string,
  step: PlannedStep,
  missing: MissingRows | undefined,
  options: FailingRowsOptions,
): AsyncGenerator<FailingRow> {
  const { state, planFolder, onProblem } = options;
  const row = (part: string, { line, emailAddress, message }: RowError, named: boolean): FailingRow => ({
    account,
    step: step.id,
    part,
    activityType: step.activityType,
    lists: step.lists,
    file: 'file' in step ? step.file : null,
    line: line ?? null,
    emailAddress: emailAddress ?? null,
    message,
    named,
  });
  const telling = step.parts.filter(
    ({ id }) => unnamedErrors(state, id) > 0 || hasFailed(finished(state, id) ?? WAITING),
  );
  let upload: SplitUpload | undefined;
  if ('file' in step && telling.length > 0) {
    upload = await openUpload(step, planFolder).catch((error: unknown) => {
      if (!(error instanceof CtctError)) throw error;
      onProblem?.(error);
      return undefined;
    });
  }
  try {
    for (const [index, { id }] of step.parts.entries()) {
      const activity = finished(state, id);
      if (activity === undefined) continue;
      const part = telling.some((one) => one.id === id) ? upload?.parts[index] : undefined;
      const more = part === undefined ? [] : await unnamedRows(part, activity, missing);
      const all = [
        ...activity.errors.map((error) => row(id, error, true)),
        ...more.map((error) => row(id, error, false)),
      ];
      yield* all.sort((one, other) => (one.line ?? Infinity) - (other.line ?? Infinity) || 0);
    }
  } finally {
    await upload?.close();
  }
}

const WAITING = { status: undefined };

/** Rows of the part that failed without being named. */
async function unnamedRows(
  part: UploadPart,
  activity: FinishedPart,
  missing: MissingRows | undefined,
): Promise<RowError[]> {
  const named = new Set(activity.errors.flatMap(({ line }) => line ?? []));
  const failed = hasFailed(activity);
  const whole = activity.errors.find(({ line }) => line === undefined)?.message;
  const rows: RowError[] = [];
  for await (const { fileLine: line, address } of part.lines()) {
    if (named.has(line)) continue;
    const lists = missing?.get(line);
    const emailAddress = address === '' ? undefined : address;
    if (failed) {
      const why = whole === undefined ? '' : `: ${whole}`;
      rows.push({ line, emailAddress, message: `Its activity ended with ${activity.status}${why}` });
    } else if (lists !== undefined) {
      const where = lists.length === 1 ? `list ${lists.join('')}` : `lists ${lists.join(', ')}`;
      rows.push({
        line,
        emailAddress,
        message: `Refused without a word of which row; found missing in ${where}`,
      });
    }
  }
  return rows;
}
