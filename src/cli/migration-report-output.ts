import type { FailingRow } from '../migrate/failing-rows.js';
import {
  unnamedWords,
  type MigrationReport,
  type ReportAccount,
  type ReportList,
  type ReportPart,
} from '../migrate/report.js';
import { putHeld, RUN_STATES, shownNumber, STANDING } from './migration-status-output.js';
import type { Field, Output, View } from './output.js';
import { plainText, type Paint } from './terminal.js';

/** Failing rows that a table shows at most. */
const MOST_ROWS = 100;

/** Puts out the report: as one JSON document, or as tables; `short`, of these only that of the accounts. */
export async function putReport(output: Output, report: MigrationReport, short: boolean): Promise<void> {
  if (output.format === 'json') return output.record(REPORT, report);
  const { accounts, failingRows } = report;
  await output.records(ACCOUNT, accounts.map(accountRow(report)));
  if (!output.isFree) return;
  await putHeld(output, accounts);
  if (!short) {
    const parts = accounts.flatMap(({ steps }) =>
      steps.flatMap((step) => step.parts.map((part) => ({ ...part, file: step.file }))),
    );
    await table(output, PART, parts);
    const lists = accounts.flatMap((account) =>
      account.lists.map((list) => ({ ...list, account: account.account })),
    );
    await table(output, LIST, lists);
    await table(output, ROW, failingRows.slice(0, MOST_ROWS));
    const rest = failingRows.length - MOST_ROWS;
    if (rest > 0) {
      await output.tableLine(`and ${shownNumber(rest)} more; --failing-rows and --output json have all`);
    }
  }
  await output.tableLine('');
  for (const line of closingLines(report)) await output.tableLine(line);
}

function* closingLines({ state, totals, problems }: MigrationReport): Generator<string> {
  const { failingRows, unnamedRows, missing, unexpected, lists, listsCompared } = totals;
  const failing = `${shownNumber(failingRows)} failing ${failingRows === 1 ? 'row' : 'rows'}`;
  const compared = `${shownNumber(listsCompared)} of ${shownNumber(lists)} lists compared`;
  const differing = `${shownNumber(missing)} addresses missing, ${shownNumber(unexpected)} unexpected`;
  yield `${RUN_STATES[state]}: ${failing}; ${compared}, ${differing}.`;
  if (unnamedRows > 0) {
    yield `${shownNumber(unnamedRows)} of the failing rows the service did not name: they were found missing, or are of a part that failed.`;
  }
  const unnamed = unnamedWords(totals);
  if (unnamed !== undefined) yield unnamed;
  for (const problem of problems) yield plainText(problem);
}

async function table<T>(output: Output, view: View<T>, records: readonly T[]): Promise<void> {
  if (records.length === 0) return;
  await output.tableLine('');
  await output.records(view, records);
}

/** What JSON holds is the whole report. */
export const REPORT: View<MigrationReport> = {
  kind: ['migration-report', 'migration-reports'],
  none: 'No report.',
  fields: [{ name: 'plan', heading: 'Plan', value: ({ plan }) => plan }],
  details: [
    'version',
    'kind',
    'state',
    'began',
    'ended',
    'written',
    'totals',
    'accounts',
    'failingRows',
    'problems',
  ] satisfies readonly (keyof MigrationReport)[],
  more: (report) => ({ ...report }),
};

interface AccountRow extends Pick<ReportAccount, 'account' | 'state'> {
  readonly rows: number;
  readonly failing: number;
  readonly missing: number | undefined;
  readonly unexpected: number | undefined;
}

function accountRow({ failingRows }: MigrationReport): (account: ReportAccount) => AccountRow {
  const failing = new Map<string, number>();
  for (const { account } of failingRows) failing.set(account, (failing.get(account) ?? 0) + 1);
  return ({ account, state, steps, lists }) => ({
    account,
    state,
    rows: steps.reduce((sum, { rows }) => sum + rows, 0),
    failing: failing.get(account) ?? 0,
    missing: sumOf(lists.map((list) => list.missing)),
    unexpected: sumOf(lists.map((list) => list.unexpected)),
  });
}

/** Of what is known; undefined where nothing is. */
function sumOf(counts: readonly (number | null)[]): number | undefined {
  const known = counts.filter((count) => count !== null);
  return known.length === 0 ? undefined : known.reduce((sum, count) => sum + count, 0);
}

function count<N extends string>(
  name: N,
  heading: string,
  { bad = false, spare }: { readonly bad?: boolean; readonly spare?: number } = {},
): Field<Readonly<Partial<Record<N, number | null | undefined>>>> {
  return {
    name,
    heading,
    align: 'right',
    ...(spare !== undefined && { spare }),
    value: (record) => record[name] ?? undefined,
    shown: (record, paint) => {
      const number = record[name] ?? undefined;
      if (number === undefined) return paint('dim', '–');
      return bad && number > 0 ? paint('red', shownNumber(number)) : shownNumber(number);
    },
  };
}

export const ACCOUNT: View<AccountRow> = {
  kind: ['reported-account', 'reported-accounts'],
  none: 'The plan has no accounts.',
  fields: [
    ...STANDING,
    count('rows', 'Rows'),
    count('failing', 'Failing', { bad: true }),
    count('missing', 'Missing', { bad: true }),
    count('unexpected', 'Unexpected', { bad: true }),
  ],
};

const PART: View<ReportPart & { readonly file: string | null }> = {
  kind: ['migration-part', 'migration-parts'],
  none: 'No parts.',
  fields: [
    { name: 'part', heading: 'Part', value: ({ part }) => part },
    { name: 'file', heading: 'File', spare: 3, value: ({ file }) => file ?? undefined },
    { name: 'activity', heading: 'Activity', spare: 1, value: ({ activity }) => activity ?? undefined },
    {
      name: 'status',
      heading: 'Status',
      value: ({ status, state }) => status ?? state,
      shown: ({ status, state, errorCount }, paint) => shownPart(status ?? state, errorCount, paint),
    },
    count('transactionCount', 'Contacts', { spare: 2 }),
    count('errorCount', 'Errors'),
    {
      name: 'runFinishTime',
      heading: 'Finished (UTC)',
      spare: 4,
      value: ({ runFinishTime }) => (runFinishTime === null ? undefined : new Date(runFinishTime)),
    },
  ],
};

function shownPart(status: string, errors: number, paint: Paint): string {
  const text = plainText(status);
  if (status === 'COMPLETE') return paint(errors > 0 ? 'yellow' : 'green', text);
  return ['ERROR', 'CANCELLED', 'refused'].includes(status) ? paint('red', text) : text;
}

const LIST: View<ReportList & { readonly account: string }> = {
  kind: ['migration-list', 'migration-lists'],
  none: 'No lists.',
  fields: [
    { name: 'account', heading: 'Account', value: ({ account }) => account },
    { name: 'list', heading: 'List', value: ({ list }) => list },
    { name: 'name', heading: 'Name', spare: 1, value: ({ name }) => name ?? undefined },
    count('before', 'Before', { spare: 2 }),
    count('expected', 'Expected'),
    count('found', 'Found'),
    count('missing', 'Missing', { bad: true }),
    count('unexpected', 'Unexpected', { bad: true }),
  ],
};

const ROW: View<FailingRow> = {
  kind: ['failing-row', 'failing-rows'],
  none: 'No row failed.',
  fields: [
    { name: 'account', heading: 'Account', spare: 1, value: ({ account }) => account },
    { name: 'file', heading: 'File', value: ({ file }) => file ?? undefined },
    count('line', 'Line'),
    { name: 'emailAddress', heading: 'Address', value: ({ emailAddress }) => emailAddress ?? undefined },
    { name: 'message', heading: 'Message', value: ({ message }) => message },
  ],
};
