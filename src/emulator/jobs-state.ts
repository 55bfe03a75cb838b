import type { KnownActivityType } from '../activity/activity.js';
import { ExportFile, type ExportFileState } from './export-file.js';
import { endedAs, type Ended, type Job, type Outcome } from './job.js';
import type { Spans } from './latency.js';
import type { JobOutcome } from './outcomes.js';
import type { Work } from './work.js';

/** The jobs of an account as plain data. Times are milliseconds since 1970, null where something must happen first. */
export interface JobsState {
  /** The latest time that was seen. */
  readonly now: number;
  /** When the last job ended. */
  readonly free: number | null;
  /** The places of those that wait or run, in the order they will end. */
  readonly line: readonly number[];
  /** All, in order of place. */
  readonly jobs: readonly JobState[];
}

interface JobState {
  readonly id: string;
  readonly type: KnownActivityType;
  readonly insertTime: number;
  readonly fileName?: string;
  readonly spans: Spans;
  readonly planned?: JobOutcome;
  readonly hold?: Exclude<Job['hold'], undefined>;
  readonly pendingTime: number | null;
  readonly queuedTime: number | null;
  readonly readyTime: number | null;
  readonly runStartTime: number | null;
  readonly runFinishTime: number | null;
  readonly state: { readonly work: Work } | { readonly outcome: OutcomeState };
}

interface OutcomeState extends Omit<Outcome, 'file'> {
  readonly errorCount: number;
  readonly file?: ExportFileState;
}

export function writeJobs(jobs: readonly Job[]): JobState[] {
  return jobs.map((job): JobState => {
    const { id, type, insertTime, fileName, spans, planned, hold } = job;
    return {
      id,
      type,
      insertTime,
      ...(fileName === undefined ? {} : { fileName }),
      spans,
      ...(planned === undefined ? {} : { planned }),
      ...(hold === undefined ? {} : { hold }),
      pendingTime: finite(job.pendingTime),
      queuedTime: finite(job.queuedTime),
      readyTime: finite(job.readyTime),
      runStartTime: finite(job.runStartTime),
      runFinishTime: finite(job.runFinishTime),
      state: 'work' in job.state ? { work: job.state.work } : { outcome: writeOutcome(job.state) },
    };
  });
}

function writeOutcome({ outcome, errorCount }: Ended): OutcomeState {
  const { status, transactionCount, errors, file } = outcome;
  return {
    status,
    transactionCount,
    errors,
    errorCount,
    ...(file === undefined ? {} : { file: file.state() }),
  };
}

export function readJobs({ jobs }: JobsState): Job[] {
  return jobs.map(({ state, ...rest }, place) => {
    const job = {
      id: rest.id,
      place,
      type: rest.type,
      insertTime: rest.insertTime,
      fileName: rest.fileName,
      spans: rest.spans,
      planned: rest.planned,
      hold: rest.hold,
      pendingTime: rest.pendingTime ?? Infinity,
      queuedTime: rest.queuedTime ?? Infinity,
      readyTime: rest.readyTime ?? Infinity,
      runStartTime: rest.runStartTime ?? Infinity,
      runFinishTime: rest.runFinishTime ?? Infinity,
    };
    return { ...job, state: 'work' in state ? state : readOutcome(job, state.outcome) };
  });
}

function readOutcome(job: Omit<Job, 'state'>, state: OutcomeState): Ended {
  const { status, transactionCount, errorCount, file } = state;
  // JSON leaves out what is undefined; records have all their fields.
  const errors = state.errors.map(({ lineNumber, emailAddress, message }) => ({
    lineNumber,
    emailAddress,
    message,
  }));
  const made = file === undefined ? {} : { file: new ExportFile(job.id, file) };
  return endedAs(job, { status, transactionCount, errors, ...made }, errorCount);
}

function finite(time: number): number | null {
  return time === Infinity ? null : time;
}
