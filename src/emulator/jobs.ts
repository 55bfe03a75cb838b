import type {
  Activity,
  ActivityError,
  KnownActivityStatus,
  KnownActivityType,
} from '../activity/activity.js';
import { UsageError } from '../activity/errors.js';
import type { Clock } from '../clock.js';
import type { ExportFile } from './export-file.js';
import { activityIds } from './ids.js';
import type { Random } from './random.js';

/** Milliseconds: always as many, or drawn anew for each job from the least to the most. */
export type Span = number | readonly [least: number, most: number];

/**
 * How long jobs stay in each status. The defaults give what the document's samples show: 2 to 24 s from insertion to
 * start, 0.6 to 2 s of running. A job also stays QUEUED while another of its account runs.
 */
export interface Latency {
  /** In PENDING; default 0.5 to 2 s. */
  readonly pending?: Span | undefined;
  /** In QUEUED, at least; default 1.5 to 22 s. */
  readonly queued?: Span | undefined;
  /** In RUNNING; default 0.6 to 2 s. */
  readonly running?: Span | undefined;
}

const LATENCY = {
  pending: [500, 2000],
  queued: [1500, 22_000],
  running: [600, 2000],
} as const satisfies Record<keyof Latency, Span>;

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

/** What a job does when it runs; `time` is when. */
export type Work = (time: number) => Outcome;

export interface Job {
  readonly id: string;
  readonly type: KnownActivityType;
  readonly insertTime: number;
  readonly queuedTime: number;
  readonly runStartTime: number;
  readonly runFinishTime: number;
  /** Work not yet done, or how it ended. */
  state: { readonly work: Work } | { readonly outcome: Outcome; readonly errorCount: number };
}

/**
 * The jobs of an account, one after another in order of insertion.
 *
 * Nothing here waits. The times of a job are laid down when it is inserted, its status follows from the clock, and
 * its work is done when someone looks: `settle` does all work that is due, in order. So a virtual clock need only
 * move, and no timer keeps a process alive.
 */
export class JobQueue {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #latency: Readonly<Record<keyof Latency, readonly [number, number]>>;
  readonly #nextId: (insertTime: number) => string;
  readonly #jobs: Job[] = [];
  readonly #byId = new Map<string, Job>();
  #done = 0;
  #now = -Infinity;

  constructor(options: { clock: Clock; random: Random; latency?: Latency | undefined }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#latency = {
      pending: span('pending', options.latency?.pending),
      queued: span('queued', options.latency?.queued),
      running: span('running', options.latency?.running),
    };
    this.#nextId = activityIds(options.random);
  }

  /** Milliseconds since 1970; never less than it was, whatever the clock does, so that no job runs backwards. */
  now(): number {
    this.#now = Math.max(this.#now, Math.trunc(this.#clock.now()));
    return this.#now;
  }

  insert(type: KnownActivityType, work: Work): Job {
    const insertTime = this.now();
    const queuedTime = insertTime + this.#draw('pending');
    const free = this.#jobs.at(-1)?.runFinishTime ?? -Infinity;
    const runStartTime = Math.max(queuedTime + this.#draw('queued'), free);
    const job: Job = {
      id: this.#nextId(insertTime),
      type,
      insertTime,
      queuedTime,
      runStartTime,
      runFinishTime: runStartTime + this.#draw('running'),
      state: { work },
    };
    this.#jobs.push(job);
    this.#byId.set(job.id, job);
    return job;
  }

  /** Does all work that is due by now; the time it is. */
  settle(): number {
    const now = this.now();
    for (let job = this.#jobs[this.#done]; job !== undefined && job.runFinishTime <= now;) {
      if ('work' in job.state) {
        const outcome = job.state.work(job.runFinishTime);
        const errors = outcome.errors.slice(0, MOST_ERRORS_LISTED);
        job.state = { outcome: { ...outcome, errors }, errorCount: outcome.errors.length };
      }
      job = this.#jobs[++this.#done];
    }
    return now;
  }

  get(id: string): Job | undefined {
    return this.#byId.get(id);
  }

  /** The newest first. Jobs inserted while this is read do not appear in it. */
  *newestFirst(): Generator<Job> {
    for (let index = this.#jobs.length - 1; index >= 0; index--) {
      const job = this.#jobs[index];
      if (job !== undefined) yield job;
    }
  }

  #draw(status: keyof Latency): number {
    const [least, most] = this.#latency[status];
    return Math.round(least + (most - least) * this.#random());
  }
}

/** The record of a job as it is at a time. */
export function activityAt(job: Job, now: number): Activity {
  const outcome = 'outcome' in job.state ? job.state.outcome : undefined;
  return {
    id: job.id,
    type: job.type,
    status: statusAt(job, now),
    errors: outcome?.errors ?? [],
    errorCount: 'errorCount' in job.state ? job.state.errorCount : 0,
    fileName: outcome === undefined ? undefined : (outcome.file?.name ?? ''),
    transactionCount: outcome?.transactionCount,
    insertTime: new Date(job.insertTime),
    runStartTime: now >= job.runStartTime ? new Date(job.runStartTime) : undefined,
    runFinishTime: outcome === undefined ? undefined : new Date(job.runFinishTime),
    updated: new Date(updatedAt(job, now)),
    title: '',
    editMedia: undefined,
  };
}

function statusAt(job: Job, now: number): KnownActivityStatus {
  if ('outcome' in job.state) return job.state.outcome.status;
  if (now >= job.runStartTime) return 'RUNNING';
  return now >= job.queuedTime ? 'QUEUED' : 'PENDING';
}

/** When the status last changed. */
function updatedAt(job: Job, now: number): number {
  const times = [job.runFinishTime, job.runStartTime, job.queuedTime];
  return times.find((time) => time <= now) ?? job.insertTime;
}

function span(status: keyof Latency, value: Span | undefined): readonly [number, number] {
  const [least, most] = typeof value === 'number' ? [value, value] : (value ?? LATENCY[status]);
  if (Number.isFinite(most) && least >= 0 && least <= most) return [least, most];
  throw new UsageError(
    'OPTION_INVALID',
    `latency.${status}: give milliseconds, 0 or more, or [least, most], not ${JSON.stringify(value)}`,
  );
}
