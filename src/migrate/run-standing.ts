import { hasFailed } from '../activity/activity.js';
import type { CtctError } from '../activity/errors.js';
import type { PlannedAccount } from './plan.js';
import type { AccountJob } from './run-account.js';
import { doneOf, type RunState } from './run-state.js';
import { needsRetry, pauseAfter, quotaEnd, troubleOf } from './run-trouble.js';

/** How far the run of an account has come. */
export interface AccountOutcome {
  readonly account: string;
  /** `held`: somebody must do something, which `reason` says. `gaveUp`: it may go well another time. */
  readonly state: 'open' | 'finished' | 'held' | 'gaveUp';
  readonly reason?: Reason | undefined;
  readonly parts: number;
  readonly partsFinished: number;
  readonly rows: number;
  /** In the parts that have finished. */
  readonly rowsFinished: number;
  /** Rows that the service refused. */
  readonly errors: number;
  /** Addresses that are missing in lists, or unexpected there. */
  readonly differences: number;
}

/** Why an account is held, or was given up. */
export interface Reason {
  /** Of the error, see `ERROR_CODES`. */
  readonly code: string;
  readonly message: string;
}

export interface StandingOptions {
  readonly ledger: RunState;
  /** Jobs that have not ended. */
  readonly open: number;
  readonly retry: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** How an account stands while a run goes on. */
export class Standing {
  readonly #account: PlannedAccount;
  readonly #ledger: RunState;
  #open: number;
  #state: AccountOutcome['state'] = 'open';
  #reason: Reason | undefined;
  #failures = 0;
  #lastProgress: number;
  #retryAt = 0;

  constructor(account: PlannedAccount, { ledger, open, retry, now }: StandingOptions) {
    this.#account = account;
    this.#ledger = ledger;
    this.#open = open;
    this.#lastProgress = now;
    const obstacle = retry ? undefined : obstacleOf(account, ledger);
    if (open === 0) this.#state = 'finished';
    else if (obstacle !== undefined) this.hold(obstacle);
  }

  get state(): AccountOutcome['state'] {
    return this.#state;
  }

  isWaiting(now: number): boolean {
    return this.#retryAt > now;
  }

  progressed(now: number): void {
    this.#failures = 0;
    this.#lastProgress = now;
  }

  /** A job has ended. */
  ended(now: number): void {
    this.progressed(now);
    if (--this.#open === 0) this.#state = 'finished';
  }

  hold({ code, message }: Reason): void {
    this.#state = 'held';
    this.#reason = { code, message };
  }

  /** When the job is to be tried again; undefined when it is not in this run. */
  failed(
    job: AccountJob,
    error: CtctError,
    { now, random, giveUp }: { now: number; random: () => number; giveUp: number },
  ): number | undefined {
    const trouble = troubleOf(error, job.kind);
    if (trouble === 'hold') {
      this.hold(error);
      return undefined;
    }
    const quota = quotaEnd(error, now);
    if (quota !== undefined) {
      // To wait for the next day is as planned.
      this.progressed(quota);
      return (this.#retryAt = Math.ceil(quota));
    }
    const left = this.#lastProgress + giveUp - now;
    if (trouble === 'giveUp' || left <= 0) {
      this.#state = 'gaveUp';
      this.#reason = { code: error.code, message: error.message };
      return undefined;
    }
    return (this.#retryAt = now + Math.min(left, pauseAfter(++this.#failures, error, now, random)));
  }

  outcome(): AccountOutcome {
    return { ...tallyOf(this.#account, this.#ledger), state: this.#state, reason: this.#reason };
  }
}

/** What must be dealt with by somebody before the account can go on. */
export function obstacleOf(
  { steps }: PlannedAccount,
  { parts }: Pick<RunState, 'parts'>,
): Reason | undefined {
  for (const { id } of steps.flatMap((step): readonly { readonly id: string }[] => step.parts)) {
    const part = parts.get(id);
    if (part?.state === 'refused' && needsRetry(part.code)) {
      return { code: part.code, message: `part ${id} was refused: ${part.message}` };
    }
    if (part?.state === 'finished' && hasFailed(part.activity)) {
      const [first] = part.activity.errors;
      const why = first === undefined ? 'the service gave no reason' : first.message;
      return {
        code: 'ACTIVITY_FAILED',
        message: `part ${id}: activity ${part.activity.id} ended with status ERROR: ${why}`,
      };
    }
  }
  return undefined;
}

function tallyOf(
  { account, steps }: PlannedAccount,
  state: RunState,
): Omit<AccountOutcome, 'state' | 'reason'> {
  const tally = { account, parts: 0, partsFinished: 0, rows: 0, rowsFinished: 0, errors: 0, differences: 0 };
  for (const step of steps) {
    for (const part of step.parts) {
      const rows = 'rows' in part ? part.rows : 0;
      const done = doneOf(state, part.id);
      tally.parts++;
      tally.rows += rows;
      if (done === undefined) continue;
      tally.partsFinished++;
      tally.rowsFinished += rows;
      tally.errors += done.errorCount;
    }
  }
  for (const one of state.verified.values()) {
    if (one.account === account) tally.differences += one.missing + one.unexpected;
  }
  return tally;
}
