import type {
  DurationReport,
  MonthReport,
  NameKind,
  StatisticsReport,
  StatusCount,
  TypeReport,
} from '../archive/statistics-report.js';
import { showDuration } from './duration.js';
import type { Field, Output, View } from './output.js';
import { plainText } from './terminal.js';

/** Puts statistics out: as one JSON document, or as tables. */
export async function putStatistics(output: Output, report: StatisticsReport): Promise<void> {
  await output.record(TOTALS, report);
  if (!output.isFree || report.activities === 0) return;
  await table(output, TYPES, report.types);
  await table(output, STATUSES, report.statuses);
  await table(output, MONTHS, report.months);
  await table(output, MESSAGES, report.messages.commonest);
  if (!report.messages.exact) {
    const most = report.messages.uncertainty.toLocaleString('en-US');
    await output.tableLine(`There are too many messages to count each: a number may be too low by ${most}.`);
  }
  await table(output, TIMES, [
    { of: 'Queue', ...report.queueTime },
    { of: 'Run', ...report.runTime },
  ]);
}

async function table<T>(output: Output, view: View<T>, records: readonly T[]): Promise<void> {
  if (records.length === 0) return;
  await output.tableLine('');
  await output.records(view, records);
}

const COUNTS = [
  { name: 'activities', heading: 'Activities', align: 'right', value: (sums) => sums.activities },
  { name: 'failed', heading: 'Failed', align: 'right', value: (sums) => sums.failed },
  { name: 'processed', heading: 'Contacts', align: 'right', value: (sums) => sums.processed },
  { name: 'errors', heading: 'Errors', align: 'right', value: (sums) => sums.errors },
  {
    name: 'errorRate',
    heading: 'Error rate',
    align: 'right',
    value: (sums) => sums.errorRate ?? undefined,
    shown: (sums) => share(sums.errorRate),
  },
] as const satisfies readonly Field<TypeReport | MonthReport | StatisticsReport>[];

/** What JSON holds is the whole report; a table of totals begins with these. */
export const TOTALS: View<StatisticsReport> = {
  kind: ['statistics', 'statistics'],
  none: 'No statistics.',
  fields: [
    ...COUNTS,
    { name: 'withErrors', heading: 'With errors', value: (report) => report.withErrors },
    { name: 'salvaged', heading: 'Salvaged', value: (report) => report.salvaged },
    { name: 'firstInsertTime', heading: 'First', value: (report) => report.firstInsertTime ?? undefined },
    { name: 'lastInsertTime', heading: 'Last', value: (report) => report.lastInsertTime ?? undefined },
  ],
  details: [
    'version',
    'bytes',
    'errorsListed',
    'problems',
    'types',
    'statuses',
    'months',
    'undated',
    'outsideMonths',
    'messages',
    'queueTime',
    'runTime',
  ] satisfies readonly (keyof StatisticsReport)[],
  more: (report) => ({ ...report }),
};

const TYPES: View<TypeReport> = {
  kind: ['type', 'types'],
  none: 'No types.',
  fields: [{ name: 'type', heading: 'Type', value: ({ type, kind }) => named(type, kind) }, ...COUNTS],
};

const STATUSES: View<StatusCount> = {
  kind: ['status', 'statuses'],
  none: 'No statuses.',
  fields: [
    { name: 'status', heading: 'Status', value: ({ status, kind }) => named(status, kind) },
    { name: 'activities', heading: 'Activities', align: 'right', value: ({ activities }) => activities },
  ],
};

const MONTHS: View<MonthReport> = {
  kind: ['month', 'months'],
  none: 'No months.',
  fields: [{ name: 'month', heading: 'Month', value: ({ month }) => month }, ...COUNTS],
};

const MESSAGES: View<StatisticsReport['messages']['commonest'][number]> = {
  kind: ['message', 'messages'],
  none: 'No errors.',
  fields: [
    { name: 'count', heading: 'Errors', align: 'right', value: ({ count }) => count },
    {
      name: 'message',
      heading: 'Message',
      value: ({ message }) => message,
      shown: ({ message }, paint) => (message === '' ? paint('dim', '(empty)') : plainText(message)),
    },
  ],
};

const TIMES: View<DurationReport & { readonly of: string }> = {
  kind: ['time', 'times'],
  none: 'No times.',
  fields: [
    { name: 'of', heading: 'Time', value: ({ of }) => of },
    { name: 'count', heading: 'Known', align: 'right', value: ({ count }) => count },
    ...(['min', 'p50', 'p90', 'p99', 'max'] as const).map((name): Field<DurationReport> => ({
      name,
      heading: { min: 'Shortest', p50: 'Median', p90: '90 % in', p99: '99 % in', max: 'Longest' }[name],
      align: 'right',
      value: (times) => times[name] ?? undefined,
      shown: (times) => duration(times[name]),
    })),
  ],
};

function named(name: string | null, kind: NameKind): string {
  if (name !== null) return plainText(name);
  return kind === 'absent' ? '(not told)' : '(others)';
}

function share(rate: number | null): string {
  return rate === null ? '–' : `${(rate * 100).toFixed(1)} %`;
}

const TWO_DAYS = 48 * 3_600_000;

/** As `showDuration`, with a decimal below ten seconds, where most runs are, and days above two. */
function duration(milliseconds: number | null): string {
  if (milliseconds === null) return '–';
  if (milliseconds >= TWO_DAYS) return `${Math.round(milliseconds / 86_400_000).toLocaleString('en-US')} d`;
  return milliseconds < 10_000 ? `${(milliseconds / 1000).toFixed(1)} s` : showDuration(milliseconds);
}
