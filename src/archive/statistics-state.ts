import { ACTIVITY_STATUSES, ACTIVITY_TYPES, type Activity } from '../activity/activity.js';
import type { ErrorCode } from '../activity/errors.js';
import { mergeBuckets, newBuckets, type BucketKind, type Buckets } from './buckets.js';
import { newMessageCounts, type MessageCounts } from './commonest.js';
import { newDurations, type Durations } from './quantiles.js';
import { sum } from './sum.js';

/** How many values the service never documented are told apart, each of types and statuses. */
const UNKNOWN_KEPT = 32;

/** Months are told apart from January of the first to December of the last of these years. */
export const MONTH_YEARS = { first: 1990, last: 2089 } as const;

export interface Count {
  count: number;
}

/** What is summed over the activities of one type, or of one month. */
export interface Sums {
  activities: number;
  /** Those with status ERROR. */
  failed: number;
  /** Contacts: the sum of `transactionCount`. */
  processed: number;
  /** The sum of `errorCount`. */
  errors: number;
}

export interface TypeSums extends Sums {
  readonly statuses: Buckets<Count>;
}

export interface MonthSums extends Sums {
  readonly types: Buckets<Count>;
}

/** All that is known so far, as plain data: it can be posted to another thread. */
export interface StatisticsState {
  readonly total: Sums;
  bytes: number;
  withErrors: number;
  errorsListed: number;
  salvaged: number;
  /** Milliseconds since 1970; Infinity and −Infinity while there is no insertTime. */
  first: number;
  last: number;
  readonly types: Buckets<TypeSums>;
  readonly statuses: Buckets<Count>;
  /** By `12 × year + month`, January being 0. */
  readonly months: Map<number, MonthSums>;
  undated: number;
  outsideMonths: number;
  readonly messages: MessageCounts;
  readonly queueTime: Durations;
  readonly runTime: Durations;
  readonly problems: Map<ErrorCode, number>;
}

const newSums = (): Sums => ({ activities: 0, failed: 0, processed: 0, errors: 0 });

const counts = (known: readonly string[]): BucketKind<Count> => ({
  known: new Set([...known, '']),
  limit: UNKNOWN_KEPT,
  make: () => ({ count: 0 }),
  merge: (into, from) => {
    into.count += from.count;
  },
});
export const STATUS_COUNTS = counts(ACTIVITY_STATUSES);
export const TYPE_COUNTS = counts(ACTIVITY_TYPES);
export const TYPE_SUMS: BucketKind<TypeSums> = {
  known: TYPE_COUNTS.known,
  limit: UNKNOWN_KEPT,
  make: () => ({ ...newSums(), statuses: newBuckets() }),
  merge: (into, from) => {
    mergeSums(into, from);
    mergeBuckets(STATUS_COUNTS, into.statuses, from.statuses);
  },
};

export function newState(): StatisticsState {
  return {
    total: newSums(),
    bytes: 0,
    withErrors: 0,
    errorsListed: 0,
    salvaged: 0,
    first: Infinity,
    last: -Infinity,
    types: newBuckets(),
    statuses: newBuckets(),
    months: new Map(),
    undated: 0,
    outsideMonths: 0,
    messages: newMessageCounts(),
    queueTime: newDurations(),
    runTime: newDurations(),
    problems: new Map(),
  };
}

export function addSums(into: Sums, { status, transactionCount, errorCount }: Activity): void {
  into.activities++;
  if (status === 'ERROR') into.failed++;
  into.processed = sum(into.processed, transactionCount ?? 0);
  into.errors = sum(into.errors, errorCount);
}

export function mergeSums(into: Sums, from: Sums): void {
  into.activities += from.activities;
  into.failed += from.failed;
  into.processed = sum(into.processed, from.processed);
  into.errors = sum(into.errors, from.errors);
}

export function monthAt(months: Map<number, MonthSums>, key: number): MonthSums {
  const found = months.get(key);
  if (found !== undefined) return found;
  const made: MonthSums = { ...newSums(), types: newBuckets() };
  months.set(key, made);
  return made;
}
