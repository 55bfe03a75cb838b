import { lossesToAccept } from '../migrate/accepted-losses.js';
import type { MigrationPlan } from '../migrate/plan.js';
import type { AccountStatus, RunStatus } from '../migrate/status.js';
import { showDuration } from './duration.js';
import type { Exit } from './exit-codes.js';
import type { Field, Output, View } from './output.js';
import type { Session } from './session.js';
import { plainText, type Paint } from './terminal.js';

/** Puts out how far a run has come: the accounts, or, as JSON, one document with all. */
export async function putStatus(output: Output, status: RunStatus): Promise<void> {
  if (output.format === 'json') return output.record(STATUS, status);
  await output.records(ACCOUNT_STATUS, status.accounts);
  await putHeld(output, status.accounts);
  await output.tableLine(`\n${summaryOf(status)}`);
}

/** Why accounts are held, below a table of them. */
export async function putHeld(
  output: Output,
  accounts: readonly { readonly account: string; readonly why?: string | null | undefined }[],
): Promise<void> {
  for (const { account, why } of accounts) {
    if (why != null) await output.tableLine(`\n${plainText(account)} is held: ${plainText(why)}`);
  }
}

export const STATUS: View<RunStatus> = {
  kind: ['migration-status', 'migration-statuses'],
  none: 'No run.',
  fields: [
    { name: 'plan', heading: 'Plan', value: ({ plan }) => plan },
    { name: 'state', heading: 'State', value: ({ state }) => state },
    { name: 'began', heading: 'Began', value: ({ began }) => began },
    { name: 'ended', heading: 'Ended', value: ({ ended }) => ended },
    { name: 'secondsLeft', heading: 'Left', value: ({ secondsLeft }) => secondsLeft },
    { name: 'errors', heading: 'Errors', value: ({ errors }) => errors },
  ],
  details: ['finished', 'parts', 'rows', 'lists', 'accounts'],
  more: ({ finished, parts, rows, lists, accounts }) => ({
    finished,
    parts,
    rows,
    lists,
    accounts: accounts.map((account) => ({
      ...account,
      why: account.why ?? null,
      secondsLeft: account.secondsLeft ?? null,
    })),
  }),
};

/** `3 of 12` in a table, two numbers elsewhere. */
function progress(
  of: 'steps' | 'parts' | 'rows',
  heading: string,
  spare?: number,
): readonly Field<AccountStatus>[] {
  return [
    {
      name: `${of}Done`,
      heading,
      align: 'right',
      ...(spare !== undefined && { spare }),
      value: (account) => account[of].done,
      shown: (account) => {
        const { done, all } = account[of];
        return done === all ? shownNumber(all) : `${shownNumber(done)} of ${shownNumber(all)}`;
      },
    },
    { name: of, heading: undefined, value: (account) => account[of].all },
  ];
}

/** Which account it is, and how it stands. */
export const STANDING: readonly Field<Pick<AccountStatus, 'account' | 'state'>>[] = [
  { name: 'account', heading: 'Account', value: ({ account }) => account },
  {
    name: 'state',
    heading: 'State',
    value: ({ state }) => state,
    shown: ({ state }, paint) => shownState(state, paint),
  },
];

export const ACCOUNT_STATUS: View<AccountStatus> = {
  kind: ['migration-account', 'migration-accounts'],
  none: 'The plan has no accounts.',
  fields: [
    ...STANDING,
    ...progress('steps', 'Steps', 2),
    ...progress('parts', 'Parts'),
    ...progress('rows', 'Rows', 1),
    { name: 'errors', heading: 'Errors', align: 'right', value: ({ errors }) => errors },
    {
      name: 'secondsLeft',
      heading: 'Time left',
      align: 'right',
      spare: 3,
      value: ({ secondsLeft }) => secondsLeft,
      shown: ({ secondsLeft = 0 }) => (secondsLeft === 0 ? '–' : showDuration(secondsLeft * 1000)),
    },
    { name: 'why', heading: undefined, value: ({ why }) => why },
  ],
};

function shownState(state: AccountStatus['state'], paint: Paint): string {
  if (state === 'finished') return paint('green', state);
  if (state === 'held') return paint('red', state);
  return state === 'running' ? paint('cyan', state) : state;
}

export function shownNumber(number: number): string {
  return number.toLocaleString('en-US');
}

/** How a run stands, as a sentence begins. */
export const RUN_STATES = {
  waiting: 'Not begun',
  running: 'Running',
  paused: 'Paused',
  stopped: 'Stopped before all was done',
  held: 'All that is left waits for you',
  finished: 'Finished',
} as const satisfies Record<RunStatus['state'], string>;

function summaryOf({ state, finished, parts, rows, errors, lists, secondsLeft = 0 }: RunStatus): string {
  const counts = [
    `${shownNumber(finished.done)} of ${shownNumber(finished.all)} accounts`,
    `${shownNumber(parts.done)} of ${shownNumber(parts.all)} parts`,
    `${shownNumber(rows.done)} of ${shownNumber(rows.all)} rows`,
    `${shownNumber(errors)} ${errors === 1 ? 'error' : 'errors'}`,
    ...(lists.differing === 0
      ? []
      : [
          `${shownNumber(lists.differing)} of ${shownNumber(lists.done)} lists with other members than expected`,
        ]),
  ];
  const left = secondsLeft === 0 ? '' : `; about ${showDuration(secondsLeft * 1000)} left`;
  return `${RUN_STATES[state]}: ${counts.join(', ')}${left}.`;
}

/** How far a run has come, as an exit code. */
export function exitOfRun({ state, errors, lists }: RunStatus): Exit {
  if (state === 'held') return 'failure';
  if (state !== 'finished') return 'waiting';
  return errors + lists.differing > 0 ? 'rows' : 'ok';
}

/** Says what can be done next; `words` are those of the command line that goes on. */
export function tellNextOfRun(session: Session, status: RunStatus, words: readonly string[]): void {
  const { talk } = session;
  const go = (...more: string[]) => session.commandLine(...words, ...more);
  switch (status.state) {
    case 'waiting':
      talk.note(`Begin: ${go()}`);
      break;
    case 'paused':
    case 'stopped':
      talk.note(`Go on: ${go()}`);
      break;
    case 'held': {
      const retry = status.accounts.some((account) => account.retry);
      talk.note(`When it is put right, go on: ${go(...(retry ? ['--retry'] : []))}`);
      break;
    }
    case 'running':
    case 'finished':
      break;
  }
}

/** The words of the command line that goes on; what is lost has to be accepted each time. */
export function runWords(
  path: string,
  state: string | undefined,
  plan: Pick<MigrationPlan, 'losses' | 'acceptedLosses'>,
): readonly string[] {
  const lost = lossesToAccept(plan).map(({ code }) => code);
  return [
    ...['migrate', 'run', path],
    ...(state === undefined ? [] : ['--state', state]),
    ...(lost.length === 0 ? [] : ['--accept', lost.join(',')]),
  ];
}
