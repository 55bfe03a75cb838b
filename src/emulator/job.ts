import type {
  Activity,
  ActivityError,
  KnownActivityStatus,
  KnownActivityType,
} from '../activity/activity.js';
import type { ExportFile } from './export-file.js';
import type { Spans } from './latency.js';
import type { JobOutcome } from './outcomes.js';
import { ownText } from './own-text.js';
import type { Work } from './work.js';

/**
 * Errors a record lists at most, the first ones; `errorCount` counts all. The successors of the API listed fewer than they
 * counted too, and a record with hundreds of thousands would take long to write each time somebody looks.
 */
export const MOST_ERRORS_LISTED = 1_000;

/** How a job ended. */
export interface Outcome {
  readonly status: 'COMPLETE' | 'ERROR';
  readonly transactionCount: number;
  /** All of them, as work gives them; a finished job keeps those it lists. */
  readonly errors: readonly ActivityError[];
  readonly file?: ExportFile;
}

/** When a job came into a status. */
export interface Transition {
  readonly status: KnownActivityStatus;
  readonly at: Date;
}

/** Times are milliseconds since 1970; `Infinity` where something must happen first. */
export interface Job {
  readonly id: string;
  /** Among all jobs of the account, from 0. */
  readonly place: number;
  readonly type: KnownActivityType;
  readonly insertTime: number;
  readonly spans: Spans;
  /** Of the upload, where the file that was sent had a name. */
  readonly fileName: string | undefined;
  /** What is to become of it, where a rule says so. */
  readonly planned: JobOutcome | undefined;
  /** The status it does not leave by itself. */
  hold: 'UNCONFIRMED' | 'PENDING' | 'QUEUED' | 'RUNNING' | undefined;
  pendingTime: number;
  queuedTime: number;
  /** From when on it may run, if no other does. */
  readyTime: number;
  runStartTime: number;
  runFinishTime: number;
  /** Work not yet done, or how it ended. */
  state: { readonly work: Work } | Ended;
  /** The record that was given last. */
  seen?: Activity;
}

export interface Ended {
  readonly outcome: Outcome;
  readonly errorCount: number;
  /** What everybody gets who looks from now on. */
  readonly record: Activity;
}

/** The end of a job at its `runFinishTime`. */
export function ended(job: Job, outcome: Outcome): Ended {
  const errors = outcome.errors.slice(0, MOST_ERRORS_LISTED).map(({ lineNumber, emailAddress, message }) => ({
    lineNumber,
    emailAddress: emailAddress === undefined ? undefined : ownText(emailAddress),
    message: ownText(message),
  }));
  return endedAs(job, { ...outcome, errors }, outcome.errors.length);
}

/** The same, with the errors that are listed, and how many there were. */
export function endedAs(job: Omit<Job, 'state'>, outcome: Outcome, errorCount: number): Ended {
  const { status, transactionCount, errors, file } = outcome;
  const record: Activity = {
    ...recordOf(job),
    status,
    errors,
    errorCount,
    fileName: file?.name ?? job.fileName ?? '',
    transactionCount,
    runStartTime: new Date(job.runStartTime),
    runFinishTime: new Date(job.runFinishTime),
    updated: new Date(job.runFinishTime),
  };
  return { outcome, errorCount, record };
}

/** The record of a job as it is at a time: the same object as long as nothing of it changes. */
export function activityAt(job: Job, now: number): Activity {
  if ('record' in job.state) return job.state.record;
  const [status, since] = passedAt(job, now).at(-1) ?? [
    job.hold === 'UNCONFIRMED' ? 'UNCONFIRMED' : 'PENDING',
    job.insertTime,
  ];
  if (job.seen?.status !== status) {
    job.seen = {
      ...recordOf(job),
      status,
      runStartTime: now >= job.runStartTime ? new Date(job.runStartTime) : undefined,
      updated: new Date(since),
    };
  }
  return job.seen;
}

/** The statuses a job came through by now, and when. */
export function transitionsAt(job: Job, now: number): Transition[] {
  return passedAt(job, now).map(([status, time]) => ({ status, at: new Date(time) }));
}

function passedAt(job: Job, now: number): (readonly [KnownActivityStatus, number])[] {
  const all: (readonly [KnownActivityStatus, number])[] = [
    ['PENDING', job.pendingTime],
    ['QUEUED', job.queuedTime],
    ['RUNNING', job.runStartTime],
  ];
  if (job.planned === 'unconfirmed') all.unshift(['UNCONFIRMED', job.insertTime]);
  if ('outcome' in job.state) all.push([job.state.outcome.status, job.runFinishTime]);
  return all.filter(([, time]) => time <= now);
}

function recordOf(job: Omit<Job, 'state'>): Activity {
  return {
    id: job.id,
    type: job.type,
    status: undefined,
    errors: [],
    errorCount: 0,
    fileName: undefined,
    transactionCount: undefined,
    insertTime: new Date(job.insertTime),
    runStartTime: undefined,
    runFinishTime: undefined,
    updated: undefined,
    title: '',
    editMedia: undefined,
  };
}
