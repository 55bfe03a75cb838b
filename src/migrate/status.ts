import type { MigrationPlan, PlannedAccount, PlannedStep } from './plan.js';
import type { FinishedPart } from './run-record.js';
import { SECONDS_OF_JOB, SECONDS_OF_READING } from './estimate.js';
import { obstacleOf } from './run-standing.js';
import { doneOf, membersKey, verifiedKey, type PartState, type RunState } from './run-state.js';
import { passes } from './run-trouble.js';

/** How far an account has come. */
export interface AccountStatus {
  readonly account: string;
  /** `held`: nothing more is done for it until somebody has looked. `running`: a runner is at it. */
  readonly state: 'waiting' | 'running' | 'held' | 'finished';
  /** What it is held by. */
  readonly why: string | undefined;
  /** It goes on with `--retry` alone. */
  readonly retry: boolean;
  readonly steps: Progress;
  readonly parts: Progress;
  readonly rows: Progress;
  /** That the service counted. */
  readonly errors: number;
  /** Lists whose members were compared. */
  readonly lists: Progress & { readonly differing: number };
  /** How long it takes from now on, more or less; 0 when it is finished, undefined when it is held. */
  readonly secondsLeft: number | undefined;
}

/** How many of how many are done. */
export interface Progress {
  readonly done: number;
  readonly all: number;
}

/** How far a run has come. */
export interface RunStatus {
  /** The id of the plan. */
  readonly plan: string;
  /**
   * `waiting`: no runner ever began. `stopped`: none is at work, and there is something to be done. `held`: all that is
   * left waits for somebody.
   */
  readonly state: 'waiting' | 'running' | 'paused' | 'stopped' | 'held' | 'finished';
  readonly began: Date | undefined;
  readonly ended: Date | undefined;
  readonly accounts: readonly AccountStatus[];
  /** Over all accounts. */
  readonly finished: Progress;
  readonly parts: Progress;
  readonly rows: Progress;
  readonly errors: number;
  readonly lists: AccountStatus['lists'];
  /** Of the account that takes longest, once a runner is at work. */
  readonly secondsLeft: number | undefined;
}

/** When, and beside whom, a status is asked for. */
export interface StatusOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Whether a runner is at work. */
  readonly running: boolean;
}

/** How far a run has come. */
export function runStatus(plan: MigrationPlan, state: RunState, { now, running }: StatusOptions): RunStatus {
  const pace = paceOf(plan, state, now);
  const accounts = plan.accounts.map((account) => accountStatus(account, state, running, pace));
  const finished = accounts.filter((account) => account.state === 'finished').length;
  const sum = (of: (account: AccountStatus) => Progress): Progress => ({
    done: accounts.reduce((all, account) => all + of(account).done, 0),
    all: accounts.reduce((all, account) => all + of(account).all, 0),
  });
  const lists = sum((account) => account.lists);
  return {
    plan: plan.id,
    state: stateOfRun(accounts, state, running),
    began: dateOf(state.began),
    ended: dateOf(state.ended),
    accounts,
    finished: { done: finished, all: accounts.length },
    parts: sum(({ parts }) => parts),
    rows: sum(({ rows }) => rows),
    errors: accounts.reduce((all, { errors }) => all + errors, 0),
    lists: { ...lists, differing: accounts.reduce((all, account) => all + account.lists.differing, 0) },
    secondsLeft:
      state.began === undefined
        ? plan.estimate.seconds
        : accounts.reduce((most, { secondsLeft = 0 }) => Math.max(most, secondsLeft), 0),
  };
}

function dateOf(time: number | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}

function stateOfRun(
  accounts: readonly AccountStatus[],
  { began, paused }: RunState,
  running: boolean,
): RunStatus['state'] {
  if (running) return 'running';
  const open = accounts.filter(({ state }) => state !== 'finished');
  if (open.length === 0) return 'finished';
  if (began === undefined) return 'waiting';
  if (open.every(({ state }) => state === 'held')) return 'held';
  return paused === undefined ? 'stopped' : 'paused';
}

function accountStatus(
  planned: PlannedAccount,
  run: RunState,
  running: boolean,
  pace: (account: string) => number,
): AccountStatus {
  const { account, steps } = planned;
  const parts = steps.flatMap((step) =>
    step.parts.map((part) => ({ id: part.id, part: partOf(run, part.id) })),
  );
  const open = parts.filter(({ id }) => !isDone(run, id));
  const obstacle = obstacleOf(planned, run);
  // What only needs another run is no obstacle to the one that goes on.
  const why = obstacle?.message ?? (running ? undefined : whyRefused(open));
  const lists = listsOf(account, steps, run);
  const finished = open.length === 0 && lists.done === lists.all;
  const begun = parts.some(({ part }) => part.state !== 'waiting') || lists.begun;
  const state = why !== undefined ? 'held' : finished ? 'finished' : running && begun ? 'running' : 'waiting';
  const activities = parts.flatMap(({ part }) => (part.state === 'finished' ? part.activity : []));
  return {
    account,
    state,
    why,
    retry: obstacle !== undefined,
    steps: {
      done: steps.filter((step) => step.parts.every(({ id }) => isDone(run, id))).length,
      all: steps.length,
    },
    parts: { done: parts.length - open.length, all: parts.length },
    rows: {
      done: steps.reduce((sum, step) => sum + rowsOf(step, ({ id }) => isDone(run, id)), 0),
      all: steps.reduce((sum, step) => sum + rowsOf(step, () => true), 0),
    },
    errors: activities.reduce((sum, { errorCount }) => sum + errorCount, 0),
    lists: { done: lists.done, all: lists.all, differing: lists.differing },
    secondsLeft:
      state === 'held'
        ? undefined
        : Math.ceil(open.length * pace(account)) + lists.readings * SECONDS_OF_READING,
  };
}

/** How far a part of the plan has come. */
export function partOf(run: RunState, id: string): PartState {
  return run.parts.get(id) ?? { state: 'waiting' };
}

/** Finished, and not in vain. */
function isDone(run: RunState, part: string): boolean {
  return doneOf(run, part) !== undefined;
}

/** Why somebody must see to it, before it makes sense to go on. */
function whyRefused(parts: readonly { readonly id: string; readonly part: PartState }[]): string | undefined {
  for (const { id, part } of parts) {
    if (part.state === 'refused' && !passes(part.code)) return `part ${id} was refused: ${part.message}`;
  }
  return undefined;
}

/** `activity a07e1… ended with ERROR: The file is not text`. */
export function whyFailed({ id, status, errors }: FinishedPart): string {
  const [first] = errors;
  return `activity ${id} ended with ${status}${first === undefined ? '' : `: ${first.message}`}`;
}

function rowsOf(step: PlannedStep, which: (part: { readonly id: string }) => boolean): number {
  if (!('file' in step)) return 0;
  return step.parts.reduce((sum, part) => sum + (which(part) ? part.rows : 0), 0);
}

/** The lists that are compared: those whose members were read beforehand; while nobody has, all that the steps touch. */
function listsOf(account: string, steps: readonly PlannedStep[], run: RunState) {
  const touched = [...new Set(steps.flatMap((step) => step.lists))];
  const read = touched.filter((list) => run.members.has(membersKey({ account, list, when: 'before' })));
  const sent = steps.some((step) => step.parts.some(({ id }) => partOf(run, id).state !== 'waiting'));
  // Where parts were sent and nobody had read the members, the run was told not to.
  const compared = sent ? read : touched;
  const verified = compared.flatMap((list) => run.verified.get(verifiedKey({ account, list })) ?? []);
  return {
    done: verified.length,
    all: compared.length,
    differing: verified.filter(({ missing, unexpected }) => missing + unexpected > 0).length,
    begun: read.length > 0,
    /** Times that the lists will be read. */
    readings:
      (compared.length > 0 && read.length === 0 ? 1 : 0) + (verified.length < compared.length ? 1 : 0),
  };
}

/** Seconds that a part of an account takes: as those did that it finished since the runner began; else as it is planned. */
function paceOf(
  { accounts }: MigrationPlan,
  { wentOn, parts }: RunState,
  now: number,
): (account: string) => number {
  const known = new Map<string, number>();
  if (wentOn !== undefined) {
    for (const { account, steps } of accounts) {
      const times = steps.flatMap((step) =>
        step.parts.flatMap(({ id }) => {
          const part = parts.get(id);
          return part?.state === 'finished' && part.at >= wentOn ? part.at : [];
        }),
      );
      const last = times.reduce((one, other) => Math.max(one, other), wentOn);
      if (times.length > 0)
        known.set(account, Math.max(0, Math.min(last, now) - wentOn) / 1000 / times.length);
    }
  }
  return (account) => known.get(account) ?? SECONDS_OF_JOB;
}
