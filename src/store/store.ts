import type { Lock } from '../http/lock-file.js';
import type { Quota } from '../http/quota.js';

/**
 * State that outlives the process: what is acknowledged is there after a crash at any instruction. All times are
 * milliseconds since 1970 by the caller's clock, whole numbers from 0. Bodies, records, results and values are JSON: what
 * comes out is what `JSON.parse(JSON.stringify(…))` makes of what went in.
 *
 * Every method rejects with UsageError `OPTION_INVALID` for an argument that cannot be used and when the store is closed,
 * with `STORE_BUSY` when another process kept it locked for too long, `FILE_UNREADABLE` and `FILE_UNWRITABLE` when the file
 * cannot be read or written (the disk is full; the store was opened for reading), and with DecodeError `STORE_DAMAGED`.
 * What was rejected has not happened. Some thousand records or jobs at a time are better than one by one: each call is a
 * commit of its own; more than that in one call is too many for it.
 */
export interface Store {
  readonly journal: Journal;
  readonly queue: Queue;
  readonly buckets: Buckets;
  readonly values: Values;
  readonly records: Records;
  /**
   * The right to work on a run, until it is released or this process is no more. A dead holder's is taken over; of one on
   * another machine nobody can tell, and it is taken for alive.
   * @throws UsageError `RUN_BUSY`, which names the holder.
   */
  lockRun(run: string): Promise<Lock>;
  /** Lets go of everything but the locks. A second time it does nothing. */
  close(): Promise<void>;
}

/** What happened, in order, run by run. Nothing in it is ever changed. */
export interface Journal {
  /** The number of the last record in its run, from 1 without gaps. All of the records are kept, or none. */
  append(run: string, ...records: readonly unknown[]): Promise<number>;
  /** The records of a run after a number, in order; default all. Those appended meanwhile may be among them. */
  read(run: string, after?: number): AsyncIterable<JournalRecord>;
}

/** A record, and its number in the run. */
export interface JournalRecord {
  readonly number: number;
  readonly record: unknown;
}

/** Jobs in the order of their key: of each key the first that has not ended is worked on, and no other. */
export interface Queue {
  /** How many were new, at the end of their key's jobs. One whose id the queue has seen before is left as it is. */
  enqueue(key: string, ...jobs: readonly NewJob[]): Promise<number>;
  /**
   * The job that has been ready for longest, for `leaseMs` milliseconds from `now`; else when to ask again. A lease that
   * has run out is as good as none: the job goes to whoever claims it next.
   */
  claim(worker: string, leaseMs: number, now: number, options?: ClaimOptions): Promise<Claim>;
  /** Holds the lease until `leaseMs` milliseconds from `now`. @throws UsageError `LEASE_LOST` */
  heartbeat(token: number, leaseMs: number, now: number): Promise<void>;
  /** Ends the job as done. @throws UsageError `LEASE_LOST`: another has claimed the job since, or it has ended. */
  complete(token: number, now: number, result?: unknown): Promise<void>;
  /**
   * Gives the job back, to be claimed from `retryAt` on while the key waits; without `retryAt` the job ends as failed and
   * its key goes on with the next.
   * @throws UsageError `LEASE_LOST`
   */
  fail(token: number, now: number, failure: JobFailure): Promise<void>;
  /**
   * Lets the first job of each of these keys be claimed from `now` on at the latest: leases on them are lost, and pauses
   * over. For whoever knows that nobody works on them any more.
   */
  release(now: number, ...keys: readonly string[]): Promise<void>;
  /** All jobs, or those of one key, in the order in which they were enqueued. */
  jobs(key?: string): AsyncIterable<Job>;
}

/** A job to be done. */
export interface NewJob {
  /** Of this job alone in the whole store. */
  readonly id: string;
  readonly body: unknown;
}

/** Which jobs are asked for. */
export interface ClaimOptions {
  /** Only jobs of these keys. */
  readonly only?: readonly string[] | undefined;
}

/** Why a job is given back, and whether it is tried again. */
export interface JobFailure {
  readonly reason: string;
  readonly retryAt?: number | undefined;
}

/** A job that is leased, or when to ask for one again. */
export type Claim =
  | { readonly lease: Lease }
  /** When a job will be ready, should nobody be quicker; undefined when all have ended. */
  | { readonly lease: undefined; readonly readyAt: number | undefined };

/** The right to work on a job for a while. */
export interface Lease extends NewJob {
  readonly key: string;
  /** Fences off whoever had the job before: greater than that of every earlier lease of the store. */
  readonly token: number;
  /** 1 for the first claim of the job. */
  readonly attempt: number;
}

/** How far a job has come. */
export type JobState = 'waiting' | 'leased' | 'done' | 'failed';

/** A job, and what became of it. */
export interface Job extends NewJob {
  readonly key: string;
  readonly state: JobState;
  /** How often it was claimed. */
  readonly attempts: number;
  /** Who holds it; undefined unless it is leased. */
  readonly worker: string | undefined;
  /** Why it failed last. */
  readonly reason: string | undefined;
  /** What `complete` was given. */
  readonly result: unknown;
}

/** Calls counted against the limits of a key, by all processes that use the store. */
export interface Buckets {
  /** Counts one call at `now`, if the limits have room for it. */
  take(key: string, now: number, limits: Limits): Promise<Taken>;
}

/** How often something may be called. */
export interface Limits {
  /** Calls within any second: a whole number from 1. */
  readonly perSecond: number;
  /** Calls within a day, which ends at midnight UTC: a whole number from 1, or Infinity. */
  readonly perDay: number;
}

/** Whether the limits had room for a call. */
export type Taken =
  | { readonly go: true }
  /** `used` says which limit has no room, `retryAt` when it has again. */
  | { readonly go: false; readonly used: Quota; readonly retryAt: number };

/** Named values that change only for one who knows what they were. */
export interface Values {
  /** The value; undefined while it has none. */
  get(name: string): Promise<Versioned | undefined>;
  /**
   * The new version, when `version` is the one the value has (0: there is none yet); undefined, and nothing is changed,
   * when it has another.
   */
  set(name: string, value: unknown, version: number): Promise<number | undefined>;
}

/** A value, and which one in its history. */
export interface Versioned {
  readonly value: unknown;
  /** From 1; one more at each change. */
  readonly version: number;
}

/** Values by collection and key, kept as long as nobody deletes them. */
export interface Records {
  /** Undefined when there is none. */
  get(collection: string, key: string): Promise<unknown>;
  /** Those of a collection in the order of their keys, by code point. */
  list(collection: string, range?: RecordRange): Promise<readonly StoredRecord[]>;
  /** All of the changes, in their order, or none. */
  write(...changes: readonly RecordChange[]): Promise<void>;
}

/** Which records of a collection are listed. */
export interface RecordRange {
  /** Only keys that come behind this one in the order asked for. */
  readonly after?: string | undefined;
  /** The last key first. Default false. */
  readonly descending?: boolean | undefined;
  /** How many at most: a whole number from 1. Default 1,000. */
  readonly limit?: number | undefined;
}

/** A value under its key. */
export interface StoredRecord {
  readonly key: string;
  readonly value: unknown;
}

/** A value to be put there, whatever was there before; without one, what was there is deleted. */
export interface RecordChange {
  readonly collection: string;
  readonly key: string;
  readonly value?: unknown;
}
