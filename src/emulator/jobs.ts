import type { KnownActivityStatus, KnownActivityType } from '../activity/activity.js';
import { ServiceError, UsageError } from '../activity/errors.js';
import { shown } from '../activity/shown.js';
import type { Clock } from '../clock.js';
import { activityIds } from './ids.js';
import { ended, transitionsAt, type Job, type Outcome } from './job.js';
import { readJobs, writeJobs, type JobsState } from './jobs-state.js';
import { DRAWS, latencyDraws, type Latency, type Spans } from './latency.js';
import type { JobOutcome } from './outcomes.js';
import type { Random } from './random.js';
import type { Work } from './work.js';

/**
 * `loose`: a job that clears lists gives way to uploads into these lists that come before it was ready to run, as the
 * document warns. `strict`: jobs run in the order they came.
 */
export type JobOrder = 'loose' | 'strict';

export interface JobQueueOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly latency?: Latency | undefined;
  /** Default `loose`. */
  readonly order?: JobOrder | undefined;
  /** Does what a job is there for; called once for each, with `job.runFinishTime` being when. */
  readonly perform: (job: Job, work: Work) => Outcome;
}

/** No two versions are the same, of whatever queue: an account may get another one. */
let versions = 0;

/** Statuses a job can be brought into, in the order it passes through them. */
const COURSE = ['UNCONFIRMED', 'PENDING', 'QUEUED', 'RUNNING', 'COMPLETE', 'ERROR'] as const;

/**
 * The jobs of an account, one after another.
 *
 * Nothing here waits. The times of a job are laid down when it is inserted, its status follows from the clock, and
 * its work is done when someone looks: `settle` does all work that is due, in order. So a virtual clock need only
 * move, and no timer keeps a process alive.
 */
export class JobQueue {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #draw: (random: Random) => Spans;
  readonly #order: JobOrder;
  readonly #perform: JobQueueOptions['perform'];
  readonly #nextId: (insertTime: number) => string;
  readonly #jobs: Job[] = [];
  readonly #byId = new Map<string, Job>();
  /** Those that have not ended and are not held before they run, in the order they run and end. */
  #line: Job[] = [];
  /** Those that have not ended. */
  readonly #open = new Set<Job>();
  #version = 0;
  /** When the next of them comes into another status by the clock, as long as nothing else happens. */
  #nextChange = -Infinity;
  /** When the last one ended. */
  #free = -Infinity;
  #now = -Infinity;

  /** @throws UsageError when the latency cannot be meant. */
  constructor(options: JobQueueOptions, state?: JobsState) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#draw = latencyDraws(options.latency);
    this.#order = options.order ?? 'loose';
    this.#perform = options.perform;
    this.#nextId = activityIds(options.random);
    if (state === undefined) return;
    this.#now = state.now;
    this.#free = state.free ?? -Infinity;
    this.#jobs = readJobs(state);
    for (const job of this.#jobs) {
      this.#byId.set(job.id, job);
      if ('work' in job.state) this.#open.add(job);
      // So the sequences go on where they were.
      this.#nextId(0);
      for (let draws = 0; draws < DRAWS; draws++) this.#random();
    }
    this.#line = state.line.flatMap((place) => this.#jobs[place] ?? []);
  }

  /** All of it as plain data, for `new JobQueue(options, state)`. */
  state(): JobsState {
    const line = this.#line.map(({ place }) => place);
    return {
      now: this.now(),
      free: this.#free === -Infinity ? null : this.#free,
      line,
      jobs: writeJobs(this.#jobs),
    };
  }

  /** Milliseconds since 1970; never less than it was, whatever the clock does, so that no job runs backwards. */
  now(): number {
    this.#now = Math.max(this.#now, Math.trunc(this.#clock.now()));
    return this.#now;
  }

  insert(type: KnownActivityType, work: Work, planned?: JobOutcome): Job {
    const now = this.settle();
    const spans = this.#draw(this.#random);
    const job: Job = {
      id: this.#nextId(now),
      place: this.#jobs.length,
      type,
      insertTime: now,
      fileName: 'fileName' in work ? work.fileName : undefined,
      spans,
      planned,
      hold: holdOf(planned),
      pendingTime: Infinity,
      queuedTime: Infinity,
      readyTime: Infinity,
      runStartTime: Infinity,
      runFinishTime: Infinity,
      state: { work },
    };
    this.#jobs.push(job);
    this.#byId.set(job.id, job);
    this.#open.add(job);
    this.#nextChange = -Infinity;
    if (job.hold !== 'UNCONFIRMED') this.#enter(job, 'PENDING', now);
    if (work.kind === 'add' && this.#order === 'loose') this.#giveWay(job, work.lists, now);
    return job;
  }

  /** Does all work that is due by now; the time it is. */
  settle(): number {
    const now = this.now();
    let due = 0;
    for (let job = this.#line[0]; job !== undefined && job.runFinishTime <= now; job = this.#line[due]) {
      this.#end(job);
      due++;
    }
    if (due > 0) this.#line.splice(0, due);
    return now;
  }

  /** Changes whenever a job does: by what is done to it, or by the clock. */
  version(): number {
    const now = this.settle();
    if (now < this.#nextChange) return this.#version;
    const times = Array.from(this.#open, ({ queuedTime, runStartTime, runFinishTime }) =>
      [queuedTime, runStartTime, runFinishTime].find((time) => time > now),
    );
    this.#nextChange = times.reduce<number>((least, time = Infinity) => Math.min(least, time), Infinity);
    this.#version = ++versions;
    return this.#version;
  }

  get(id: string): Job | undefined {
    return this.#byId.get(id);
  }

  /** How many there are. */
  get size(): number {
    return this.#jobs.length;
  }

  /** The newest first, those behind `after` if that is given. Jobs inserted while this is read do not appear in it. */
  *newestFirst(after?: Job): Generator<Job> {
    for (let place = (after?.place ?? this.#jobs.length) - 1; place >= 0; place--) {
      const job = this.#jobs[place];
      if (job !== undefined) yield job;
    }
  }

  /**
   * Brings a job into a status now, whatever its rule or the clock say; from there it goes on by itself. The status it is
   * in already releases it from where it is stuck.
   * @throws ServiceError `NOT_FOUND`; UsageError `OPTION_INVALID` for a status it has left behind, or that is none.
   */
  transition(id: string, to: KnownActivityStatus): void {
    const now = this.settle();
    const job = this.#byId.get(id);
    if (job === undefined) {
      const detail = `there is no activity ${shown(id)}`;
      throw new ServiceError('NOT_FOUND', detail, { status: 404, detail });
    }
    this.#checkCourse(job, to, now);
    this.#nextChange = -Infinity;
    job.hold = undefined;
    if (to === 'COMPLETE' || to === 'ERROR') {
      this.#line = this.#line.filter((other) => other !== job);
      passThrough(job, now);
      job.runStartTime = Math.min(job.runStartTime, now);
      job.runFinishTime = now;
      this.#end(job, to === 'ERROR');
      this.#lay(now);
    } else if (to !== 'UNCONFIRMED') this.#enter(job, to, now);
  }

  #checkCourse(job: Job, to: KnownActivityStatus, now: number): void {
    const known: readonly string[] = COURSE;
    if (!known.includes(to)) {
      throw new UsageError(
        'OPTION_INVALID',
        `transition: ${shown(to)} is no status; take one of ${COURSE.join(', ')}`,
      );
    }
    if (!('outcome' in job.state)) {
      const status = transitionsAt(job, now).at(-1)?.status ?? 'UNCONFIRMED';
      if (COURSE.indexOf(to) >= COURSE.indexOf(status)) return;
      throw new UsageError(
        'OPTION_INVALID',
        `transition: ${job.id} is ${status} and cannot go back to ${to}`,
      );
    }
    const { status } = job.state.outcome;
    throw new UsageError('OPTION_INVALID', `transition: ${job.id} is ${status} already, and stays so`);
  }

  #end(job: Job, fails = job.planned === 'error'): void {
    if (!('work' in job.state)) return;
    job.state = ended(job, fails ? FAILURE : this.#perform(job, job.state.work));
    this.#open.delete(job);
    this.#nextChange = -Infinity;
    this.#free = Math.max(this.#free, job.runFinishTime);
  }

  /** Lays down when a job goes through the statuses from this one on, and where it stands in the line. */
  #enter(job: Job, status: 'PENDING' | 'QUEUED' | 'RUNNING', now: number): void {
    const inLine = job.readyTime < Infinity;
    job.pendingTime = Math.min(job.pendingTime, now);
    if (status === 'PENDING') {
      job.queuedTime = job.hold === 'PENDING' ? Infinity : now + job.spans.pending;
      job.readyTime = job.hold === 'QUEUED' ? Infinity : job.queuedTime + job.spans.queued;
      job.runStartTime = Infinity;
    } else {
      job.queuedTime = Math.min(job.queuedTime, now);
      job.readyTime = status === 'RUNNING' ? Math.min(job.readyTime, now) : now + job.spans.queued;
      job.runStartTime = status === 'RUNNING' ? Math.min(job.runStartTime, now) : Infinity;
    }
    if (status === 'RUNNING') this.#run(job, now);
    else if (!inLine && job.readyTime < Infinity) this.#lay(now, this.#line.push(job) - 1);
    if (inLine || status === 'RUNNING') this.#lay(now);
  }

  /** Has a job run from now on, out of turn, beside whatever else runs. */
  #run(job: Job, now: number): void {
    job.runFinishTime = now + job.spans.running;
    const others = this.#line.filter((other) => other !== job);
    const behind = others.findIndex(
      ({ runStartTime, runFinishTime }) => runStartTime > now || runFinishTime > job.runFinishTime,
    );
    this.#line = others.toSpliced(behind === -1 ? others.length : behind, 0, job);
  }

  /** Has those wait that clear one of these lists and were not ready to run. */
  #giveWay(upload: Job, lists: readonly string[], now: number): void {
    const waits = (job: Job): boolean => {
      if (!('work' in job.state) || job.state.work.kind !== 'clear' || job.readyTime <= now) return false;
      return job.runStartTime > now && job.state.work.lists.some((list) => lists.includes(list));
    };
    const waiting = this.#line.filter(waits);
    if (waiting.length === 0 || upload.readyTime === Infinity) return;
    this.#line = [...this.#line.filter((job) => !waiting.includes(job)), ...waiting];
    this.#lay(now);
  }

  /** Lays down when those run that have not begun, from this one in the line on. */
  #lay(now: number, from = 0): void {
    let free = this.#line[from - 1]?.runFinishTime ?? this.#free;
    for (const job of from === 0 ? this.#line : this.#line.slice(from)) {
      if (job.runStartTime > now) {
        job.runStartTime = Math.max(job.readyTime, free, now);
        job.runFinishTime = job.hold === 'RUNNING' ? Infinity : job.runStartTime + job.spans.running;
      }
      free = Math.max(free, job.runFinishTime);
    }
  }
}

const FAILURE: Outcome = {
  status: 'ERROR',
  transactionCount: 0,
  errors: [{ lineNumber: undefined, emailAddress: undefined, message: 'The activity failed' }],
};

function holdOf(planned: JobOutcome | undefined): Job['hold'] {
  if (planned === 'unconfirmed') return 'UNCONFIRMED';
  return typeof planned === 'object' && 'stuckIn' in planned ? planned.stuckIn : undefined;
}

function passThrough(job: Job, now: number): void {
  job.pendingTime = Math.min(job.pendingTime, now);
  job.queuedTime = Math.min(job.queuedTime, now);
  job.readyTime = Math.min(job.readyTime, now);
}
