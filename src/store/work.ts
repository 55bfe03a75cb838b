import { UsageError } from '../activity/errors.js';
import { systemClock, type Clock } from '../clock.js';
import { LONGEST_TIMER } from '../http/timeouts.js';
import type { JobFailure, Lease, Queue } from './store.js';

/** What came of a job: it is done, or it failed, for now or for good; see `Queue.complete` and `Queue.fail`. */
export type JobOutcome = { readonly result?: unknown } | JobFailure;

export interface WorkOptions {
  /** What the queue calls whoever has a job. */
  readonly worker: string;
  /**
   * Does one job. Its signal aborts when the lease is lost, or the work breaks off: nothing that it does then counts.
   * What it throws ends the work.
   */
  readonly handle: (lease: Lease, signal: AbortSignal) => Promise<JobOutcome>;
  /** How many jobs are worked on at once: 1 or more. Default 1. */
  readonly jobs?: number | undefined;
  /**
   * Milliseconds for which others believe that a job is worked on, 3 or more; the lease is renewed in time. Default: for
   * ever, until somebody calls `release`, for whoever makes sure that no other works on those keys.
   */
  readonly leaseMs?: number | undefined;
  /** Asked before each claim: only jobs of these keys. Default all. */
  readonly only?: (() => readonly string[] | undefined) | undefined;
  /** Ends the work after the jobs in hand. */
  readonly signal?: AbortSignal | undefined;
  /** Default the machine's. */
  readonly clock?: Clock | undefined;
}

/** A hundred years. */
const FOREVER = 100 * 365 * 86_400_000;

/**
 * Works on the jobs of a queue, several at once, of each key one after another, until none is left.
 * @throws what `handle` or the queue throws, once the jobs in hand have ended.
 */
export function workOn(queue: Queue, options: WorkOptions): Promise<void> {
  return new Worker(queue, options).run();
}

/** A job that is worked on here. */
interface InHand {
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

class Worker {
  readonly #queue: Queue;
  readonly #options: WorkOptions;
  readonly #clock: Clock;
  readonly #inHand = new Map<string, InHand>();
  /** What went wrong first, boxed. */
  #failure: { readonly error: unknown } | undefined;
  /** Something happened since the last claim. */
  #awake = false;
  #endPause: () => void = () => undefined;

  constructor(queue: Queue, options: WorkOptions) {
    this.#queue = queue;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const stop = () => {
      this.#wake();
    };
    signal?.addEventListener('abort', stop);
    try {
      await this.#dispatch().catch((error: unknown) => {
        this.#breakOff(error);
      });
      await this.#allEnded();
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #dispatch(): Promise<void> {
    const { signal, jobs = 1 } = this.#options;
    while (signal?.aborted !== true && this.#failure === undefined) {
      this.#awake = false;
      const readyAt = this.#inHand.size < jobs ? await this.#claim() : undefined;
      if (readyAt === 'claimed') continue;
      if (readyAt === undefined && this.#inHand.size === 0) return;
      await this.#pause(readyAt);
    }
  }

  /** Begins a job, or tells when there is one. */
  async #claim(): Promise<'claimed' | number | undefined> {
    const { worker, leaseMs = FOREVER, only } = this.#options;
    const claim = await this.#queue.claim(worker, leaseMs, this.#now(), { only: only?.() });
    if (claim.lease === undefined) return claim.readyAt;
    const { key } = claim.lease;
    const before = this.#inHand.get(key);
    // The lease ran out, and the one who had it is still at it: two would be too many.
    before?.controller.abort(new UsageError('LEASE_LOST', 'the lease ran out'));
    const controller = new AbortController();
    const ended = this.#do(claim.lease, controller, before?.ended)
      .catch((error: unknown) => {
        this.#breakOff(error);
      })
      .finally(() => {
        if (this.#inHand.get(key)?.controller === controller) this.#inHand.delete(key);
        this.#wake();
      });
    this.#inHand.set(key, { controller, ended });
    return 'claimed';
  }

  async #do(lease: Lease, controller: AbortController, before: Promise<void> | undefined): Promise<void> {
    const { token } = lease;
    const done = new AbortController();
    void this.#renew(token, controller, done.signal);
    try {
      await before;
      const outcome = await this.#options.handle(lease, controller.signal);
      done.abort();
      if ('reason' in outcome) await this.#queue.fail(token, this.#now(), outcome);
      else await this.#queue.complete(token, this.#now(), outcome.result);
    } catch (error) {
      if (!isLeaseLost(error) && !isLeaseLost(controller.signal.reason)) throw error;
    } finally {
      done.abort();
    }
  }

  /** Holds the lease until `done` aborts. */
  async #renew(token: number, controller: AbortController, done: AbortSignal): Promise<void> {
    const { leaseMs } = this.#options;
    if (leaseMs === undefined) return;
    for (;;) {
      try {
        await this.#clock.sleep(Math.min(Math.floor(leaseMs / 3), LONGEST_TIMER), done);
        await this.#queue.heartbeat(token, leaseMs, this.#now());
      } catch (error) {
        if (done.aborted) return;
        controller.abort(error);
        if (!isLeaseLost(error)) this.#breakOff(error);
        return;
      }
    }
  }

  /** Until something happens, or a job is ready. */
  async #pause(readyAt: number | undefined): Promise<void> {
    if (this.#awake) return;
    const wait = (readyAt ?? Infinity) - this.#now();
    const over = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.#endPause = resolve;
    });
    // What is ready only in years is waited for by nobody but those who have it.
    const slept = wait > LONGEST_TIMER ? woken : this.#clock.sleep(Math.max(1, wait), over.signal);
    await Promise.race([woken, slept]).finally(() => {
      slept.catch(() => undefined);
      over.abort();
    });
  }

  #wake(): void {
    this.#awake = true;
    this.#endPause();
  }

  #breakOff(error: unknown): void {
    this.#failure ??= { error };
    for (const { controller } of this.#inHand.values()) controller.abort(error);
    this.#wake();
  }

  async #allEnded(): Promise<void> {
    while (this.#inHand.size > 0) await Promise.all([...this.#inHand.values()].map(({ ended }) => ended));
  }

  #now(): number {
    return Math.floor(this.#clock.now());
  }
}

function isLeaseLost(error: unknown): boolean {
  return error instanceof UsageError && error.code === 'LEASE_LOST';
}
