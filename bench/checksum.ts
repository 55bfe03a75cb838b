import { createHash } from 'node:crypto';

import type { Activity } from '../src/activity/activity.js';

/** What a reader is asked to deliver: an activity, or as much of it as the reader can tell. */
export type BenchRecord = Pick<Activity, 'id' | 'title' | 'updated'> & Partial<Activity>;

/** Adds records up, so that readers can be compared without keeping what they read. */
export interface Checksum {
  add(record: BenchRecord): void;
  /** The same for the same records. */
  toString(): string;
}

/** Touches every field, and costs next to nothing: for runs against the clock. */
export function quickChecksum(): Checksum {
  let records = 0;
  let errors = 0;
  let numbers = 0;
  let letters = 0;
  const text = (value: string | undefined): void => {
    if (value !== undefined && value !== '') letters += value.length + value.charCodeAt(value.length - 1);
  };
  const time = (value: Date | undefined): void => {
    if (value !== undefined) numbers += value.getTime() % 1_000_003;
  };
  return {
    add(record) {
      records++;
      text(record.id);
      text(record.title);
      text(record.type);
      text(record.status);
      text(record.fileName);
      time(record.updated);
      time(record.insertTime);
      time(record.runStartTime);
      time(record.runFinishTime);
      numbers += (record.transactionCount ?? 0) + (record.errorCount ?? 0);
      for (const error of record.errors ?? []) {
        errors++;
        numbers += error.lineNumber ?? 0;
        text(error.emailAddress);
        text(error.message);
      }
    },
    toString: () => `${records} records, ${errors} errors, ${numbers}, ${letters}`,
  };
}

/** Every character of every field counts. `partly`: of id, title and the time of the entry only. */
export function fullChecksum(partly: boolean): Checksum {
  const hash = createHash('sha256');
  return {
    add(record) {
      const { id, title, updated } = record;
      const { type, status, fileName, transactionCount, errorCount, errors } = record;
      const { insertTime, runStartTime, runFinishTime, editMedia } = record;
      const entry = [id, title, updated];
      const job = [type, status, fileName, transactionCount, errorCount, errors];
      const facts = partly ? entry : [...entry, ...job, insertTime, runStartTime, runFinishTime, editMedia];
      hash.update(JSON.stringify(facts));
    },
    toString: () => hash.copy().digest('hex').slice(0, 16),
  };
}
