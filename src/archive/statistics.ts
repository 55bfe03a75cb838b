import type { Activity } from '../activity/activity.js';
import { bucketFor, mergeBuckets } from './buckets.js';
import { addMessage, mergeMessages } from './commonest.js';
import { addDuration, mergeDurations } from './quantiles.js';
import type { ArchiveRecord } from './record.js';
import { statisticsReport, type StatisticsReport } from './statistics-report.js';
import {
  addSums,
  mergeSums,
  monthAt,
  MONTH_YEARS,
  newState,
  STATUS_COUNTS,
  TYPE_COUNTS,
  TYPE_SUMS,
  type StatisticsState,
} from './statistics-state.js';
import { sum } from './sum.js';

/**
 * Counts over any number of records in bounded memory. Adding records in any order, or to several of these that are
 * then merged in any order, gives the same report: except that of more than 20,000 distinct messages, which are then
 * counted approximately.
 */
export class ArchiveStatistics {
  /** Plain data: post it to another thread, and make an ArchiveStatistics of it there. */
  readonly state: StatisticsState;

  constructor(state: StatisticsState = newState()) {
    this.state = state;
  }

  /** Counts one more record. */
  add(record: ArchiveRecord): void {
    const { state } = this;
    const { activity } = record;
    const { type = '', status = '' } = activity;
    addSums(state.total, activity);
    state.bytes = sum(state.bytes, record.position.length);
    if (activity.errorCount > 0) state.withErrors++;
    state.errorsListed += activity.errors.length;
    for (const { message } of activity.errors) addMessage(state.messages, message);
    if (record.salvaged) state.salvaged++;
    for (const { code } of record.problems) state.problems.set(code, (state.problems.get(code) ?? 0) + 1);

    const sums = bucketFor(TYPE_SUMS, state.types, type);
    addSums(sums, activity);
    bucketFor(STATUS_COUNTS, sums.statuses, status).count++;
    bucketFor(STATUS_COUNTS, state.statuses, status).count++;
    this.#addTimes(activity, type);
  }

  /** Adds what `other` has counted; `other` stays as it is. */
  merge(other: ArchiveStatistics): void {
    const { state } = this;
    const from = other.state;
    mergeSums(state.total, from.total);
    state.bytes = sum(state.bytes, from.bytes);
    state.withErrors += from.withErrors;
    state.errorsListed += from.errorsListed;
    state.salvaged += from.salvaged;
    state.first = Math.min(state.first, from.first);
    state.last = Math.max(state.last, from.last);
    mergeBuckets(TYPE_SUMS, state.types, from.types);
    mergeBuckets(STATUS_COUNTS, state.statuses, from.statuses);
    for (const [key, sums] of from.months) {
      const month = monthAt(state.months, key);
      mergeSums(month, sums);
      mergeBuckets(TYPE_COUNTS, month.types, sums.types);
    }
    state.undated += from.undated;
    state.outsideMonths += from.outsideMonths;
    mergeMessages(state.messages, from.messages);
    mergeDurations(state.queueTime, from.queueTime);
    mergeDurations(state.runTime, from.runTime);
    for (const [code, count] of from.problems) {
      state.problems.set(code, (state.problems.get(code) ?? 0) + count);
    }
  }

  /** The report so far, so that `JSON.stringify` writes it. */
  toJSON(): StatisticsReport {
    return statisticsReport(this.state);
  }

  #addTimes(activity: Activity, type: string): void {
    const { state } = this;
    const { insertTime, runStartTime, runFinishTime } = activity;
    addDuration(state.queueTime, insertTime, runStartTime);
    addDuration(state.runTime, runStartTime, runFinishTime);
    if (insertTime !== undefined) {
      state.first = Math.min(state.first, insertTime.getTime());
      state.last = Math.max(state.last, insertTime.getTime());
    }
    const date = insertTime ?? activity.updated;
    if (date === undefined) {
      state.undated++;
      return;
    }
    const year = date.getUTCFullYear();
    if (year < MONTH_YEARS.first || year > MONTH_YEARS.last) {
      state.outsideMonths++;
      return;
    }
    const month = monthAt(state.months, 12 * year + date.getUTCMonth());
    addSums(month, activity);
    bucketFor(TYPE_COUNTS, month.types, type).count++;
  }
}
