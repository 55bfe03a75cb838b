import { CtctError, UsageError } from '../activity/errors.js';
import type { Activity } from '../activity/activity.js';
import { steadyClock, systemClock, type Clock } from '../clock.js';
import type { Lease, Store } from '../store/store.js';
import { workOn, type JobOutcome } from '../store/work.js';
import type { LossCode } from '../translate/loss.js';
import type { V2Client } from '../v2/client.js';
import { checkAccepted } from './accepted-losses.js';
import { TOGETHER } from './estimate.js';
import type { MigrationPlan, PlannedAccount } from './plan.js';
import { AccountWork, type AccountJob, type UndatedRecord } from './run-account.js';
import { obstacleOf, Standing, type AccountOutcome } from './run-standing.js';
import type { RunRecord } from './run-record.js';
import { RunLedger } from './run-state.js';

/** What a run works with, and how. */
export interface RunOptions {
  /** Where relative paths of the plan start. */
  readonly planFolder: string;
  /** Where the run keeps its files beside the store, such as the members of lists. It must be there. */
  readonly stateFolder: string;
  /** Holds what came of the run so far; see `openRunStore`. */
  readonly store: Store;
  /**
   * The client of an account. It must look for lost answers, and repeat uploads of which nothing shows: see
   * `planClients`.
   */
  readonly connect: (account: PlannedAccount) => V2Client;
  /** Another client for an account whose credentials were refused; undefined: there is none. See `renewedClients`. */
  readonly renew?: ((account: PlannedAccount) => Promise<V2Client | undefined>) | undefined;
  /** Accounts worked on at once: 1 or more. Default 4. */
  readonly jobs?: number | undefined;
  /** Only these accounts. Default all. */
  readonly only?: readonly string[] | undefined;
  /** Losses that are accepted beside those that the plan says are. */
  readonly acceptedLosses?: readonly LossCode[] | undefined;
  /** Sends parts again that were refused or ended with ERROR. Default false. */
  readonly retry?: boolean | undefined;
  /** Reads the members of the lists before and after, and compares. Default true. */
  readonly verify?: boolean | undefined;
  /** Milliseconds without any progress after which an account is given up. Default one hour. */
  readonly giveUp?: number | undefined;
  /** Pauses the run: the requests in hand are let through, and what came of them is written down. */
  readonly signal?: AbortSignal | undefined;
  /** Default the machine's. */
  readonly clock?: Clock | undefined;
  /** Numbers from 0 to below 1, for the jitter of pauses. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Told what goes on, as it goes on. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
}

/** What goes on, for whoever watches. Times are milliseconds since 1970. */
export type RunEvent =
  /** What was finished before, and what is to be done now. */
  | { readonly event: 'began'; readonly accounts: readonly AccountOutcome[] }
  /** Something was written down of a part. */
  | {
      readonly event: 'part';
      readonly account: string;
      readonly part: string;
      readonly state: 'sending' | 'created' | 'refused' | 'finished';
    }
  | {
      readonly event: 'status';
      readonly account: string;
      readonly part: string;
      readonly activity: Activity;
    }
  /** Members of lists are read, or compared. */
  | { readonly event: 'lists'; readonly account: string; readonly when: 'before' | 'after' }
  | {
      readonly event: 'trouble';
      readonly account: string;
      readonly error: CtctError;
      readonly retryAt: number;
    }
  /** The account is finished, held, or given up. */
  | { readonly event: 'account'; readonly account: AccountOutcome };

/** How far a run came. */
export interface RunOutcome {
  /** It was told to stop before all was done. */
  readonly paused: boolean;
  /** Those that were to be worked on, in the order of the plan. */
  readonly accounts: readonly AccountOutcome[];
}

/**
 * Does what is planned and not yet done, and says how far it came. What happens is written down in the store before and
 * after each request: after a crash at any instruction, or a pause, it is called again and goes on; no part is sent twice.
 * The parts of an account go one after another, each once the one before has finished.
 *
 * Lost connections, 429 and 5xx are waited out. An account whose credentials are refused, or that refuses a part, is held,
 * and the others go on.
 * @throws UsageError `LOSS_NOT_ACCEPTED`, `OPTION_INVALID` for an account that is not in the plan, `RUN_BUSY` while
 * another runner works on the plan; what the store throws
 */
export async function runPlan(plan: MigrationPlan, options: RunOptions): Promise<RunOutcome> {
  checkAccepted(plan, options.acceptedLosses);
  checkOnly(plan, options.only);
  const lock = await options.store.lockRun(plan.id);
  try {
    const ledger = new RunLedger(plan);
    for await (const { record } of options.store.journal.read(plan.id)) ledger.take(record as RunRecord);
    return await new Runner(plan, options, ledger).run();
  } finally {
    await lock.release();
  }
}

/** @throws UsageError `OPTION_INVALID` for an account that is not in the plan. */
export function checkOnly({ accounts }: MigrationPlan, only: readonly string[] = []): void {
  const unknown = only.find((name) => !accounts.some(({ account }) => account === name));
  if (unknown === undefined) return;
  const names = accounts.slice(0, 10).map(({ account }) => account);
  const more = accounts.length > names.length ? ` and ${accounts.length - names.length} more` : '';
  throw new UsageError(
    'OPTION_INVALID',
    `only: the plan has no account ${unknown}; it has ${names.join(', ')}${more}`,
  );
}

const GIVE_UP = 60 * 60_000;

class Runner {
  readonly #plan: MigrationPlan;
  readonly #options: RunOptions;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #ledger: RunLedger;
  /** By the key of its jobs, in the order of the plan. */
  readonly #accounts = new Map<string, { readonly work: AccountWork; readonly standing: Standing }>();
  /** An error of the store: nothing can be done any more. */
  #broken: { readonly error: unknown } | undefined;

  constructor(plan: MigrationPlan, options: RunOptions, ledger: RunLedger) {
    this.#plan = plan;
    this.#options = options;
    this.#store = options.store;
    // Of one that is set back, nobody would be waited for the longer.
    this.#clock = steadyClock(options.clock ?? systemClock);
    this.#ledger = ledger;
  }

  async run(): Promise<RunOutcome> {
    const { jobs = TOGETHER, signal, verify = true, acceptedLosses = [] } = this.#options;
    const accepted = [...new Set([...this.#plan.acceptedLosses, ...acceptedLosses])].sort();
    await this.#append({ event: 'began', acceptedLosses: accepted });
    for (const account of this.#plan.accounts) {
      if (this.#options.only?.includes(account.account) ?? true) await this.#enlist(account, verify);
    }
    await this.#store.queue.release(this.#now(), ...this.#accounts.keys());
    this.#tell({ event: 'began', accounts: this.#outcomes() });

    try {
      await workOn(this.#store.queue, {
        worker: `run ${this.#plan.id}`,
        handle: (lease, broken) => this.#handle(lease, broken),
        jobs,
        only: () => this.#active(jobs),
        signal,
        clock: this.#clock,
      });
    } finally {
      for (const { work } of this.#accounts.values()) await work.close();
    }
    const accounts = this.#outcomes();
    const paused = signal?.aborted === true && accounts.some(({ state }) => state === 'open');
    if (paused) await this.#append({ event: 'paused' });
    else if (await this.#isAllDone()) await this.#append({ event: 'ended' });
    return { paused, accounts };
  }

  async #enlist(account: PlannedAccount, verify: boolean): Promise<void> {
    const { planFolder, stateFolder, connect, retry = false, giveUp = GIVE_UP } = this.#options;
    const { account: name } = account;
    const key = this.#keyOf(name);
    const work = new AccountWork(account, {
      client: connect(account),
      planFolder,
      stateFolder,
      ledger: this.#ledger,
      append: async (...records) => {
        await this.#append(...records);
        this.#progressed(key, records);
      },
      clock: this.#clock,
      patience: giveUp,
      onStatus: (part, activity) => {
        this.#tell({ event: 'status', account: name, part, activity });
      },
    });
    const jobs = work.jobs(verify).map((job) => ({ id: jobId(this.#plan, name, job), body: job }));
    await this.#store.queue.enqueue(key, ...jobs);
    const open = (await this.#openJobs(name)) ?? 0;
    const standing = new Standing(account, { open, retry, ledger: this.#ledger, now: this.#now() });
    this.#accounts.set(key, { work, standing });
  }

  #keyOf(account: string): string {
    return `${this.#plan.id} ${account}`;
  }

  /** The keys that are worked on: as many as there are jobs at once, and those that wait for better times. */
  #active(jobs: number): string[] {
    const keys: string[] = [];
    let ready = 0;
    for (const [key, { standing }] of this.#accounts) {
      if (standing.state !== 'open') continue;
      keys.push(key);
      if (!standing.isWaiting(this.#now()) && ++ready === jobs) break;
    }
    return keys;
  }

  async #handle({ key, body }: Lease, broken: AbortSignal): Promise<JobOutcome> {
    const found = this.#accounts.get(key);
    // Only keys of these accounts are asked for.
    if (found === undefined) throw new RangeError(`a job of ${key}`);
    const { work, standing } = found;
    const { signal, retry = false } = this.#options;
    const job = body as AccountJob;
    const account = work.account.account;
    if (job.kind !== 'part') this.#tell({ event: 'lists', account, when: job.kind });
    try {
      await work.do(job, retry, signal === undefined ? broken : AbortSignal.any([signal, broken]));
    } catch (error) {
      if (!(error instanceof CtctError) || this.#broken !== undefined) throw error;
      return await this.#trouble(job, found, error);
    }
    const obstacle = obstacleOf(work.account, this.#ledger);
    if (obstacle === undefined || job.kind !== 'part') standing.ended(this.#now());
    else standing.hold(obstacle);
    if (standing.state !== 'open') await this.#leave(found);
    return standing.state === 'held' && obstacle !== undefined ? this.#giveBack(obstacle.message) : {};
  }

  #progressed(key: string, records: readonly UndatedRecord[]): void {
    const { work, standing } = this.#accounts.get(key) ?? {};
    for (const record of records) {
      // To send once more what is refused again and again is no progress.
      if (record.event !== 'sending') standing?.progressed(this.#now());
      if (!('part' in record) || work === undefined) continue;
      const { event: state, part } = record;
      this.#tell({ event: 'part', account: work.account.account, part, state });
    }
  }

  /** What becomes of a job that failed, and of its account. */
  async #trouble(
    job: AccountJob,
    found: { readonly work: AccountWork; readonly standing: Standing },
    error: CtctError,
  ): Promise<JobOutcome> {
    const { work, standing } = found;
    const { signal, random = Math.random, giveUp = GIVE_UP } = this.#options;
    if (signal?.aborted === true && error.code === 'ABORTED') return this.#giveBack('the run was paused');
    const now = this.#now();
    if (error.code === 'UNAUTHORIZED' && (await this.#renewed(work))) {
      return { reason: error.message, retryAt: now };
    }
    const refusal = work.refusalOf(job, error);
    if (refusal !== undefined) await this.#append(refusal);
    const retryAt = standing.failed(job, error, { now, random, giveUp });
    if (retryAt !== undefined) {
      this.#tell({ event: 'trouble', account: work.account.account, error, retryAt });
      return { reason: error.message, retryAt };
    }
    await this.#leave(found);
    return this.#giveBack(error.message);
  }

  /** Whether there are other credentials than those that were refused. */
  async #renewed(work: AccountWork): Promise<boolean> {
    const client = await this.#options.renew?.(work.account);
    if (client !== undefined) work.client = client;
    return client !== undefined;
  }

  #giveBack(reason: string): JobOutcome {
    return { reason, retryAt: this.#now() };
  }

  /** Nothing more is done for the account. */
  async #leave({
    work,
    standing,
  }: {
    readonly work: AccountWork;
    readonly standing: Standing;
  }): Promise<void> {
    await work.close();
    this.#tell({ event: 'account', account: standing.outcome() });
  }

  async #append(...records: readonly UndatedRecord[]): Promise<void> {
    if (records.length === 0) return;
    const at = this.#now();
    const dated = records.map((record) => ({ ...record, at }));
    try {
      await this.#store.journal.append(this.#plan.id, ...dated);
    } catch (error) {
      this.#broken ??= { error };
      throw error;
    }
    for (const record of dated) this.#ledger.take(record);
  }

  /** Whether nothing of the whole plan is left to be done. */
  async #isAllDone(): Promise<boolean> {
    for (const { account } of this.#plan.accounts) {
      const standing = this.#accounts.get(this.#keyOf(account))?.standing;
      if (standing !== undefined && standing.state !== 'finished') return false;
      if (standing === undefined && (await this.#openJobs(account)) !== 0) return false;
    }
    return true;
  }

  /** How many jobs of the account have not ended; undefined when it was never worked on. */
  async #openJobs(account: string): Promise<number | undefined> {
    let open: number | undefined;
    for await (const { state } of this.#store.queue.jobs(this.#keyOf(account))) {
      open = (open ?? 0) + (state === 'done' ? 0 : 1);
    }
    return open;
  }

  #outcomes(): AccountOutcome[] {
    return [...this.#accounts.values()].map(({ standing }) => standing.outcome());
  }

  #tell(event: RunEvent): void {
    this.#options.onEvent?.(event);
  }

  #now(): number {
    return Math.floor(this.#clock.now());
  }
}

function jobId(plan: MigrationPlan, account: string, job: AccountJob): string {
  return `${plan.id}/${job.kind === 'part' ? job.part : `${account}/${job.kind}`}`;
}
