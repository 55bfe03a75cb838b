import type { Warning } from '../activity/request.js';
import { secretsOf } from '../http/credentials.js';
import type { Exchange } from '../http/transport.js';
import { checkAccepted } from '../migrate/accepted-losses.js';
import { dryRun } from '../migrate/dry-run.js';
import { onPauseAsked } from '../migrate/pause.js';
import type { MigrationPlan } from '../migrate/plan.js';
import {
  planClients,
  readCredentials,
  renewedClients,
  type TargetCredentials,
} from '../migrate/run-clients.js';
import { RunProgress } from '../migrate/run-progress.js';
import type { AccountOutcome } from '../migrate/run-standing.js';
import { needsRetry } from '../migrate/run-trouble.js';
import { foldRun, type RunState } from '../migrate/run-state.js';
import { checkOnly, runPlan, type RunEvent, type RunOutcome } from '../migrate/run.js';
import { openRunStore } from '../migrate/state-folder.js';
import type { LossCode } from '../translate/loss.js';
import { readOpenSettings } from './config.js';
import type { Exit } from './exit-codes.js';
import { ACCOUNT_RUN, CHECKED_STEP, progressLine, progressNews } from './run-output.js';
import type { Session } from './session.js';
import { plainText } from './terminal.js';

export interface MigrationRunOptions {
  readonly planFolder: string;
  readonly stateFolder: string;
  readonly only: readonly string[] | undefined;
  readonly acceptedLosses: readonly LossCode[];
  readonly jobs: number;
  readonly retry: boolean;
  readonly verify: boolean;
  readonly giveUp: number;
  readonly quietPeriod: number;
  /** The words of the command line that goes on. */
  readonly again: readonly string[];
}

/** Does what is planned, and tells how it goes. */
export async function runMigration(
  session: Session,
  plan: MigrationPlan,
  options: MigrationRunOptions,
): Promise<Exit> {
  const { io, clock, talk } = session;
  const { planFolder, stateFolder, only, again } = options;
  checkAccepted(plan, options.acceptedLosses);
  checkOnly(plan, only);
  const { onExchange, ...common } = session.clientOptions(await readOpenSettings(session.settingSources));
  const sources = { env: io.env, folder: planFolder, only };
  const credentials = await readCredentials(plan, sources);
  const guard = (found: TargetCredentials) => {
    guardSecrets(session, plan, found);
  };
  for (const found of credentials.values()) guard(found);
  const store = await openRunStore(stateFolder);
  const pause = new AbortController();
  const stop = (more = '') => {
    if (!pause.signal.aborted) talk.note(`Pausing: the requests in hand are let through.${more}`);
    pause.abort(new Error('paused'));
  };
  const interrupt = () => {
    stop(' Once more leaves at once.');
  };
  io.signal?.addEventListener('abort', interrupt, { once: true });
  const endLooking = await onPauseAsked(store, plan.id, stop);
  const telling = new Telling(session, plan, options.jobs);
  try {
    const clients = {
      credentials,
      buckets: store.buckets,
      limits: plan.limits,
      quietPeriod: options.quietPeriod,
      ...common,
      onExchange:
        onExchange &&
        ((account: string, exchange: Exchange) => {
          onExchange(exchange, account);
        }),
      onWarning: (account: string, { message }: Warning) => {
        talk.warn(plainText(`${account}: ${message}`));
      },
    };
    if (io.signal?.aborted === true) interrupt();
    const outcome = await runPlan(plan, {
      ...options,
      store,
      connect: planClients(clients),
      renew: renewedClients(sources, clients, (found) => {
        guard(found);
      }),
      signal: pause.signal,
      clock,
      ...(io.random && { random: io.random }),
      onEvent: (event) => {
        telling.take(event);
      },
    });
    talk.progressEnds();
    await session.output.records(ACCOUNT_RUN, outcome.accounts);
    tellNext(session, outcome, again);
    return exitOf(outcome);
  } finally {
    talk.progressEnds();
    endLooking();
    io.signal?.removeEventListener('abort', interrupt);
    await store.close();
  }
}

function guardSecrets(session: Session, { accounts }: MigrationPlan, found: TargetCredentials): void {
  session.guard(
    secretsOf({ scheme: 'api_key', ...found }),
    accounts.map(({ account }) => account),
  );
}

/** Looks whether the plan can be run, and puts out what would be sent. */
export async function checkMigration(
  session: Session,
  plan: MigrationPlan,
  options: MigrationRunOptions,
): Promise<Exit> {
  const { planFolder, stateFolder, only } = options;
  checkOnly(plan, only);
  const credentials = await readCredentials(plan, { env: session.io.env, folder: planFolder, only });
  for (const found of credentials.values()) guardSecrets(session, plan, found);
  const state = await stateIn(stateFolder, plan);
  const steps = [];
  try {
    for await (const step of dryRun(plan, { planFolder, state, only, ...session.abort })) {
      steps.push(step);
      session.talk.progress('checked', () => plainText(`${step.step.id} is checked`), 'later');
    }
  } finally {
    session.talk.progressEnds();
  }
  await session.output.records(CHECKED_STEP, steps);
  const problems = steps.flatMap(({ problem }) => problem ?? []);
  for (const problem of problems) session.talk.error(plainText(problem.message));
  if (problems.length > 0) return 'failure';
  checkAccepted(plan, options.acceptedLosses);
  const left = steps.reduce((sum, { step, finished }) => sum + step.parts.length - finished, 0);
  session.talk.note(
    left === 0
      ? 'Nothing is left to be sent.'
      : 'All is there; nothing was sent. To begin, leave --dry-run out.',
  );
  return 'ok';
}

async function stateIn(folder: string, plan: MigrationPlan): Promise<RunState | undefined> {
  const store = await openRunStore(folder, { readOnly: true });
  if (store === undefined) return undefined;
  try {
    return await foldRun(plan, store.journal.read(plan.id));
  } finally {
    await store.close();
  }
}

/** Tells on stderr how a run goes. */
class Telling {
  readonly #session: Session;
  readonly #progress: RunProgress;

  constructor(session: Session, { accounts }: MigrationPlan, jobs: number) {
    this.#session = session;
    const parts = accounts.flatMap(({ steps }) =>
      steps.flatMap((step) =>
        step.parts.map((part): [string, number] => [part.id, 'rows' in part ? part.rows : 0]),
      ),
    );
    this.#progress = new RunProgress(new Map(parts), jobs);
  }

  take(event: RunEvent): void {
    const { talk, clock } = this.#session;
    this.#progress.take(event, clock.now());
    if (event.event === 'account') this.#account(event.account);
    if (event.event === 'trouble') {
      const { account, error, retryAt } = event;
      const at = new Date(retryAt).toISOString().slice(11, 19);
      talk.warn(plainText(`${account}: ${error.message}; trying again at ${at} UTC`));
    }
    const { accounts, accountsDone } = this.#progress.totals;
    if (accountsDone === accounts) talk.progressEnds();
    else talk.progress(progressNews(this.#progress), () => plainText(progressLine(this.#progress)));
  }

  #account({ account, state, reason, parts, partsFinished }: AccountOutcome): void {
    const { talk } = this.#session;
    if (state === 'finished') talk.note(`${account}: finished, ${parts === 1 ? '1 part' : `${parts} parts`}`);
    else {
      const words = state === 'held' ? 'held' : 'given up for now';
      talk.warn(
        plainText(`${account}: ${words} after ${partsFinished} of ${parts} parts: ${reason?.message ?? ''}`),
      );
    }
  }
}

/** What there is to be done next. */
function tellNext(session: Session, { paused, accounts }: RunOutcome, again: readonly string[]): void {
  const { talk } = session;
  const line = (...words: string[]) => session.commandLine(...again, ...words);
  const held = accounts.filter(({ state }) => state === 'held');
  if (paused) talk.note(`Paused. Go on: ${line()}`);
  else if (accounts.some(({ state }) => state === 'gaveUp')) talk.note(`Try again later: ${line()}`);
  if (held.length > 0) {
    const decided = held.some(({ reason }) => reason !== undefined && needsRetry(reason.code));
    const names = held.map(({ account }) => account).join(', ');
    talk.note(`Held: ${names}. When that is mended: ${decided ? line('--retry') : line()}`);
  }
}

function exitOf({ paused, accounts }: RunOutcome): Exit {
  const held = accounts.filter(({ state }) => state === 'held');
  const are = (code: string) => held.length > 0 && held.every(({ reason }) => reason?.code === code);
  if (paused) return 'interrupted';
  if (are('UNAUTHORIZED')) return 'credentials';
  if (are('CREATE_AMBIGUOUS')) return 'ambiguous';
  if (held.length > 0) return 'failure';
  if (accounts.some(({ state }) => state === 'gaveUp')) return 'temporary';
  return accounts.some(({ errors, differences }) => errors + differences > 0) ? 'rows' : 'ok';
}
