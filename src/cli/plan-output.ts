import type { LossCode } from '../translate/loss.js';
import type { MigrationPlan, PlannedAccount, PlannedLoss } from '../migrate/plan.js';
import { lossesToAccept } from '../migrate/accepted-losses.js';
import { showDuration } from './duration.js';
import type { View } from './output.js';
import type { Session } from './session.js';
import { plainText } from './terminal.js';

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
const counted = (count: number, noun: string) =>
  `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;

/** An account of a plan, in one row. */
export const PLANNED_ACCOUNT: View<PlannedAccount> = {
  kind: ['planned-account', 'planned-accounts'],
  none: 'Nothing is planned.',
  fields: [
    { name: 'account', heading: 'Account', value: ({ account }) => account },
    { name: 'steps', heading: 'Steps', align: 'right', value: ({ steps }) => steps.length },
    {
      name: 'rows',
      heading: 'Rows',
      align: 'right',
      value: ({ steps }) => sum(steps.map((step) => ('rows' in step ? step.rows : 0))),
    },
    {
      name: 'parts',
      heading: 'Requests',
      align: 'right',
      value: ({ steps }) => sum(steps.map(({ parts }) => parts.length)),
    },
    { name: 'lists', heading: 'Lists', spare: 1, value: ({ lists }) => lists.map(listWords).join(', ') },
    {
      name: 'losses',
      heading: 'Losses',
      align: 'right',
      value: ({ losses, steps }) => losses.length + sum(steps.map((step) => step.losses.length)),
    },
  ],
};

/** `2`, `2 → 7`, and how that was found. */
function listWords({ from, to, check }: PlannedAccount['lists'][number]): string {
  const ids = from === to ? from : `${from} → ${to}`;
  const words = {
    same: '',
    found: '',
    unchecked: ' (unchecked)',
    missing: ' (missing)',
    other: ' (another name)',
  };
  return `${ids}${words[check]}`;
}

/** Losses of a code that are told one by one. */
const SHOWN = 3;

/** What is lost: of each code the first few, and how many more. What is told of several accounts alike is told once. */
export function tellLosses({ talk }: Session, plan: MigrationPlan): void {
  for (const { code, count } of plan.losses) {
    const told = new Map<string, { readonly place: string; readonly message: string; times: number }>();
    for (const { where, loss } of placed(plan, code)) {
      const key = `${loss.place}\n${loss.message}`;
      const known = told.get(key);
      if (known !== undefined) known.times++;
      else told.set(key, { place: `${where}: ${loss.place}`, message: loss.message, times: 1 });
    }
    const shown = [...told.values()].slice(0, SHOWN);
    for (const { place, message, times } of shown) {
      const more = times === 1 ? '' : `, and ${counted(times - 1, 'more place')}`;
      const text = `${plainText(`${place}${more}: ${message}`)} (${code})`;
      if (plan.acceptedLosses.includes(code)) talk.note(`lost, as accepted: ${text}`);
      else talk.warn(`lost: ${text}`);
    }
    const rest = count - sum(shown.map(({ times }) => times));
    if (rest > 0)
      talk.warn(`lost: ${rest.toLocaleString('en-US')} more of the kind (${code}); the plan has them all`);
  }
}

function* placed(
  { accounts }: MigrationPlan,
  code: LossCode,
): Generator<{ readonly where: string; readonly loss: PlannedLoss }> {
  for (const { account, losses, steps } of accounts) {
    for (const loss of losses) if (loss.code === code) yield { where: account, loss };
    for (const step of steps) {
      const where = 'file' in step ? `${account}, ${step.file}` : account;
      for (const loss of step.losses) if (loss.code === code) yield { where, loss };
    }
  }
}

/** How long it takes, and what to do next. @returns whether something is lost that nobody accepted */
export function tellNext(session: Session, plan: MigrationPlan, path: string | undefined): boolean {
  const { talk } = session;
  const { accounts, estimate } = plan;
  const steps = accounts.flatMap((account) => account.steps);
  const left = sum(steps.map((step) => ('duplicates' in step ? step.duplicates : 0)));
  if (left > 0) {
    talk.note(
      `${counted(left, 'row')} will not be sent, as the same address comes again further down: the last one counts`,
    );
  }
  const bare = sum(steps.map((step) => ('withoutAddress' in step ? (step.withoutAddress ?? 0) : 0)));
  if (bare > 0) talk.warn(`${counted(bare, 'row')} will not be sent, as there is no address in them`);
  if (path !== undefined) talk.note(`The plan is ${path}`);
  talk.note(`It takes ${timeWords(estimate.seconds)} at least, and ${counted(estimate.calls, 'call')}`);
  const open = lossesToAccept(plan);
  const run = (...words: string[]) =>
    session.planCommandLine('migrate', 'run', path ?? 'plan.json', ...words);
  if (open.length === 0) {
    talk.note(`Try it without sending anything: ${run('--dry-run')}`);
    return false;
  }
  const codes = open.map(({ code }) => code).join(',');
  talk.warn(`it does not run until what is lost is accepted by name: ${codes.replaceAll(',', ', ')}`);
  talk.note(`To go on without it: ${run('--accept', codes)}`);
  return true;
}

const DAY = 86_400;

/** `about 1 h 20 min`, `about 3 days`. */
export function timeWords(seconds: number): string {
  if (seconds >= 2 * DAY) return `about ${Math.round(seconds / DAY)} days`;
  if (seconds < 90) return 'about a minute';
  return `about ${showDuration(Math.round(seconds / 60) * 60_000).replace(' 00 s', '')}`;
}
