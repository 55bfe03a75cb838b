import type { ErrorCode } from '../activity/errors.js';
import { bucketRows } from './buckets.js';
import { commonestMessages } from './commonest.js';
import { DURATION_EDGES, durationQuantile, type Durations } from './quantiles.js';
import {
  STATUS_COUNTS,
  TYPE_COUNTS,
  TYPE_SUMS,
  type StatisticsState,
  type Sums,
} from './statistics-state.js';

/**
 * Of which sort a type or status is: one the service documented, another text it wrote, none at all, or, where there
 * are more than 32 unknown ones, the rest of them together.
 */
export type NameKind = 'known' | 'unknown' | 'absent' | 'other';

/** Sums, with the share of errors. */
export interface SumsReport {
  readonly activities: number;
  /** Activities with status ERROR. */
  readonly failed: number;
  /** Contacts processed: the sum of `transactionCount`. */
  readonly processed: number;
  /** Errors counted: the sum of `errorCount`. */
  readonly errors: number;
  /** `errors / (processed + errors)`, 0 to 1; null where both are 0. */
  readonly errorRate: number | null;
}

/** How many activities have a type. */
export interface TypeCount {
  /** Null for the kinds `absent` and `other`. */
  readonly type: string | null;
  readonly kind: NameKind;
  readonly activities: number;
}

/** How many activities have a status. */
export interface StatusCount {
  /** Null for the kinds `absent` and `other`. */
  readonly status: string | null;
  readonly kind: NameKind;
  readonly activities: number;
}

export interface TypeReport extends SumsReport {
  readonly type: string | null;
  readonly kind: NameKind;
  readonly statuses: readonly StatusCount[];
}

export interface MonthReport extends SumsReport {
  /** `2011-03`, in UTC. */
  readonly month: string;
  readonly types: readonly TypeCount[];
}

/** Milliseconds; null where there were none. The quantiles are within 1 % of the exact ones, min and max exact. */
export interface DurationReport {
  readonly count: number;
  /** Left out because one of the two times is missing. */
  readonly absent: number;
  /** Left out because the later time is before the earlier one. */
  readonly negative: number;
  readonly min: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  /** From `from` up to but not `to` milliseconds; `to` is null for the last, which has no end. */
  readonly histogram: readonly {
    readonly from: number;
    readonly to: number | null;
    readonly count: number;
  }[];
}

/** What `ArchiveStatistics` says as JSON; `schemas/archive-statistics.schema.json` describes it. */
export interface StatisticsReport extends SumsReport {
  /** Rises when a property changes its meaning or goes away. */
  readonly version: 1;
  /** Bytes of the records. */
  readonly bytes: number;
  /** Activities with at least one error. */
  readonly withErrors: number;
  /** Errors listed one by one; the service may list fewer than it counts. */
  readonly errorsListed: number;
  /** Records that were damaged, and read as far as possible. */
  readonly salvaged: number;
  /** Problems inside records by code; what belongs to no record is not here. */
  readonly problems: readonly { readonly code: ErrorCode; readonly count: number }[];
  /** ISO 8601 in UTC; null where no record has an insertTime. */
  readonly firstInsertTime: string | null;
  readonly lastInsertTime: string | null;
  readonly types: readonly TypeReport[];
  readonly statuses: readonly StatusCount[];
  /** The months with at least one activity, by insertTime, else by updated. */
  readonly months: readonly MonthReport[];
  /** Activities with neither time. */
  readonly undated: number;
  /** Activities before 1990 or after 2089. */
  readonly outsideMonths: number;
  readonly messages: {
    /** False when there were too many distinct messages: then each count may be too low by up to `uncertainty`. */
    readonly exact: boolean;
    readonly uncertainty: number;
    /** At most twenty. */
    readonly commonest: readonly { readonly message: string; readonly count: number }[];
  };
  /** From insertTime to runStartTime. */
  readonly queueTime: DurationReport;
  /** From runStartTime to runFinishTime. */
  readonly runTime: DurationReport;
}

const COMMONEST = 20;

/** The report as plain data for JSON: `schemas/archive-statistics.schema.json`. */
export function statisticsReport(state: StatisticsState): StatisticsReport {
  return {
    version: 1,
    ...sumsReport(state.total),
    bytes: state.bytes,
    withErrors: state.withErrors,
    errorsListed: state.errorsListed,
    salvaged: state.salvaged,
    problems: [...state.problems]
      .map(([code, count]) => ({ code, count }))
      .sort((a, b) => (a.code < b.code ? -1 : 1)),
    firstInsertTime: isoOrNull(state.first),
    lastInsertTime: isoOrNull(state.last),
    types: bucketRows(TYPE_SUMS, state.types).map(({ name, kind, value }) => ({
      type: name,
      kind,
      ...sumsReport(value),
      statuses: statusCounts(value.statuses),
    })),
    statuses: statusCounts(state.statuses),
    months: [...state.months]
      .sort(([a], [b]) => a - b)
      .map(([key, value]) => ({
        month: `${Math.floor(key / 12)}-${String((key % 12) + 1).padStart(2, '0')}`,
        ...sumsReport(value),
        types: bucketRows(TYPE_COUNTS, value.types).map((row) => ({
          type: row.name,
          kind: row.kind,
          activities: row.value.count,
        })),
      })),
    undated: state.undated,
    outsideMonths: state.outsideMonths,
    messages: {
      exact: state.messages.uncertainty === 0,
      uncertainty: state.messages.uncertainty,
      commonest: commonestMessages(state.messages, COMMONEST),
    },
    queueTime: durationReport(state.queueTime),
    runTime: durationReport(state.runTime),
  };
}

function statusCounts(statuses: StatisticsState['statuses']): StatusCount[] {
  return bucketRows(STATUS_COUNTS, statuses).map(({ name, kind, value }) => ({
    status: name,
    kind,
    activities: value.count,
  }));
}

function sumsReport({ activities, failed, processed, errors }: Sums): SumsReport {
  return { activities, failed, processed, errors, errorRate: errorRate(processed, errors) };
}

/** `errors / (processed + errors)`; null where both are 0. */
export function errorRate(processed: number, errors: number): number | null {
  return processed + errors === 0 ? null : errors / (processed + errors);
}

function durationReport(durations: Durations): DurationReport {
  const { count, absent, negative, min, max, histogram } = durations;
  return {
    count,
    absent,
    negative,
    min: count === 0 ? null : min,
    p50: durationQuantile(durations, 0.5),
    p90: durationQuantile(durations, 0.9),
    p99: durationQuantile(durations, 0.99),
    max: count === 0 ? null : max,
    histogram: histogram.map((inBar, bar) => ({
      from: DURATION_EDGES[bar - 1] ?? 0,
      to: DURATION_EDGES[bar] ?? null,
      count: inBar,
    })),
  };
}

function isoOrNull(milliseconds: number): string | null {
  return Number.isFinite(milliseconds) ? new Date(milliseconds).toISOString() : null;
}
