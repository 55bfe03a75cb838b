import { join } from 'node:path';
import type { CtctError } from '../activity/errors.js';
import { readDifferences, type Difference } from './differences.js';
import { failingRows, unnamedErrors, type FailingRow } from './failing-rows.js';
import type { PlannedAccount, PlannedStep } from './plan.js';
import type { ReadRun } from './read-run.js';
import { membersKey, verifiedKey, type PartState } from './run-state.js';
import { partOf, runStatus, whyFailed, type AccountStatus, type RunStatus } from './status.js';

/**
 * What came of a migration, as a JSON document: `schemas/migration-report.schema.json`. Times are RFC 3339, in UTC; null is
 * what nobody knows, or knows yet.
 */
export interface MigrationReport {
  readonly version: 1;
  readonly kind: 'migration-report';
  /** The id of the plan. */
  readonly plan: string;
  readonly state: RunStatus['state'];
  readonly began: string | null;
  readonly ended: string | null;
  readonly written: string;
  readonly totals: ReportTotals;
  readonly accounts: readonly ReportAccount[];
  readonly failingRows: readonly FailingRow[];
  /** What could not be looked into. */
  readonly problems: readonly string[];
}

/** Counts over all accounts. */
export interface ReportTotals {
  readonly accounts: number;
  readonly accountsFinished: number;
  readonly parts: number;
  readonly partsFinished: number;
  readonly rows: number;
  readonly rowsFinished: number;
  /** That the service counted. */
  readonly errors: number;
  /** In `failingRows`. */
  readonly failingRows: number;
  /** Of these, such as the service did not name: they were found missing, or are of a part that failed as a whole. */
  readonly unnamedRows: number;
  /** Errors of which it is not known which rows they are, after all that was found missing. */
  readonly unnamedErrors: number;
  readonly lists: number;
  readonly listsCompared: number;
  readonly missing: number;
  readonly unexpected: number;
}

/** What came of an account. */
export interface ReportAccount {
  readonly account: string;
  readonly state: AccountStatus['state'];
  readonly why: string | null;
  readonly steps: readonly ReportStep[];
  readonly lists: readonly ReportList[];
}

/** What came of a step. */
export interface ReportStep {
  readonly step: string;
  readonly activityType: PlannedStep['activityType'];
  readonly file: string | null;
  readonly lists: readonly string[];
  readonly rows: number;
  /** Rows that are not sent, since their addresses come again further down. */
  readonly duplicates: number;
  readonly parts: readonly ReportPart[];
}

/** What came of a part. */
export interface ReportPart {
  readonly part: string;
  readonly state: PartState['state'];
  /** The id of its activity. */
  readonly activity: string | null;
  /** Those it had before, when it was sent again. */
  readonly earlier: readonly string[];
  readonly status: string | null;
  readonly rows: number;
  readonly firstLine: number | null;
  readonly lastLine: number | null;
  /** Contacts that the service processed. */
  readonly transactionCount: number | null;
  readonly errorCount: number;
  readonly runStartTime: string | null;
  readonly runFinishTime: string | null;
  /** When the last of it was written down. */
  readonly at: string | null;
  /** Why it was refused, or failed. */
  readonly message: string | null;
}

/** What comparing the members of a list came to. */
export interface ReportList {
  readonly list: string;
  readonly name: string | null;
  /** How many members it had. */
  readonly before: number | null;
  readonly expected: number | null;
  readonly found: number | null;
  readonly missing: number | null;
  readonly unexpected: number | null;
  readonly differences: readonly ReportDifference[];
}

/** An address that is missing in a list, or unexpected there. */
export interface ReportDifference {
  readonly emailAddress: string;
  readonly difference: Difference['difference'];
  readonly file: string | null;
  readonly line: number | null;
}

/**
 * What came of the run, with every row that failed and every address that differs; `now` is in milliseconds since 1970.
 * @throws UsageError `FILE_UNREADABLE` for a file of the state folder
 */
export async function buildReport(run: ReadRun, { now }: { readonly now: number }): Promise<MigrationReport> {
  const { plan, planFolder, stateFolder, state, running } = run;
  const status = runStatus(plan, state, { now, running });
  const problems: string[] = [];
  const rows: FailingRow[] = [];
  const onProblem = ({ message }: CtctError) => problems.push(`rows are left out: ${message}`);
  for await (const row of failingRows(plan, { planFolder, stateFolder, state, onProblem })) {
    rows.push(row);
  }
  const accounts: ReportAccount[] = [];
  for (const [index, account] of plan.accounts.entries()) {
    accounts.push(await accountReport(account, status.accounts[index], run));
  }
  const lists = accounts.flatMap((account) => account.lists);
  return {
    version: 1,
    kind: 'migration-report',
    plan: plan.id,
    state: status.state,
    began: instant(state.began),
    ended: instant(state.ended),
    written: new Date(now).toISOString(),
    totals: {
      accounts: status.finished.all,
      accountsFinished: status.finished.done,
      parts: status.parts.all,
      partsFinished: status.parts.done,
      rows: status.rows.all,
      rowsFinished: status.rows.done,
      errors: status.errors,
      failingRows: rows.length,
      unnamedRows: rows.filter(({ named }) => !named).length,
      unnamedErrors: stillUnnamed(run, rows),
      lists: lists.length,
      listsCompared: lists.filter(({ expected }) => expected !== null).length,
      missing: lists.reduce((sum, { missing }) => sum + (missing ?? 0), 0),
      unexpected: lists.reduce((sum, { unexpected }) => sum + (unexpected ?? 0), 0),
    },
    accounts,
    failingRows: rows,
    problems,
  };
}

/** `The service counted 5 more errors than it named rows …`; undefined where every error has its row. */
export function unnamedWords({ unnamedErrors, lists, listsCompared }: ReportTotals): string | undefined {
  if (unnamedErrors === 0) return undefined;
  const errors = unnamedErrors === 1 ? '1 error' : `${unnamedErrors.toLocaleString('en-US')} errors`;
  const why =
    listsCompared < lists
      ? 'and not all lists have been compared, which may tell them'
      : 'and no member is missing for them';
  return `The service counted ${errors} more than it named rows, ${why}.`;
}

function instant(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

/** Errors of which no row was found, named or missing. */
function stillUnnamed({ plan, state }: ReadRun, rows: readonly FailingRow[]): number {
  const found = new Map<string, number>();
  for (const { part, line } of rows) if (line !== null) found.set(part, (found.get(part) ?? 0) + 1);
  let count = 0;
  for (const step of plan.accounts.flatMap(({ steps }) => steps)) {
    for (const { id } of step.parts) {
      const part = partOf(state, id);
      if (part.state !== 'finished' || unnamedErrors(state, id) === 0) continue;
      count += Math.max(0, part.activity.errorCount - (found.get(id) ?? 0));
    }
  }
  return count;
}

async function accountReport(
  account: PlannedAccount,
  status: AccountStatus | undefined,
  run: ReadRun,
): Promise<ReportAccount> {
  return {
    account: account.account,
    state: status?.state ?? 'waiting',
    why: status?.why ?? null,
    steps: account.steps.map((step) => ({
      step: step.id,
      activityType: step.activityType,
      file: 'file' in step ? step.file : null,
      lists: step.lists,
      rows: 'file' in step ? step.rows : 0,
      duplicates: 'file' in step ? step.duplicates : 0,
      parts: step.parts.map((part) => partReport(part, run)),
    })),
    lists: await listReports(account, run),
  };
}

function partReport(part: PlannedStep['parts'][number], { state }: ReadRun): ReportPart {
  const found = partOf(state, part.id);
  const activity = found.state === 'finished' ? found.activity : undefined;
  const id = found.state === 'created' ? found.activity : activity?.id;
  return {
    part: part.id,
    state: found.state,
    activity: id ?? null,
    earlier: (state.activities.get(part.id) ?? []).filter((one) => one !== id),
    status: activity?.status ?? null,
    rows: 'rows' in part ? part.rows : 0,
    firstLine: 'firstLine' in part ? part.firstLine : null,
    lastLine: 'lastLine' in part ? part.lastLine : null,
    transactionCount: activity?.transactionCount ?? null,
    errorCount: activity?.errorCount ?? 0,
    runStartTime: activity?.runStartTime ?? null,
    runFinishTime: activity?.runFinishTime ?? null,
    at: 'at' in found ? instant(found.at) : null,
    message: messageOf(found),
  };
}

function messageOf(part: PartState): string | null {
  if (part.state === 'refused') return part.message;
  const failed = part.state === 'finished' && part.activity.status !== 'COMPLETE';
  return failed ? whyFailed(part.activity) : null;
}

async function listReports(
  { account, lists, steps }: PlannedAccount,
  { state, stateFolder }: ReadRun,
): Promise<ReportList[]> {
  const differences = new Map<string, ReportDifference[]>();
  const touched = [...new Set(steps.flatMap((step) => step.lists))];
  const found = touched.map((list) => state.verified.get(verifiedKey({ account, list })));
  for (const file of new Set(found.flatMap((one) => one?.differences ?? []))) {
    for await (const one of readDifferences(join(stateFolder, file))) {
      const known = differences.get(one.list) ?? [];
      differences.set(one.list, known);
      const { emailAddress, difference, file: from = null, line = null } = one;
      known.push({ emailAddress, difference, file: from, line });
    }
  }
  return touched.map((list, index) => {
    const known = lists.find(({ to }) => to === list);
    const verified = found[index];
    return {
      list,
      name: known?.toName ?? known?.fromName ?? null,
      before: state.members.get(membersKey({ account, list, when: 'before' }))?.count ?? null,
      expected: verified?.expected ?? null,
      found: verified?.found ?? null,
      missing: verified?.missing ?? null,
      unexpected: verified?.unexpected ?? null,
      differences: (differences.get(list) ?? []).sort(byPlace),
    };
  });
}

function byPlace(one: ReportDifference, other: ReportDifference): number {
  const files = (one.file ?? '') < (other.file ?? '') ? -1 : one.file === other.file ? 0 : 1;
  const addresses = one.emailAddress < other.emailAddress ? -1 : 1;
  return files || (one.line ?? 0) - (other.line ?? 0) || addresses;
}
