import type { CheckedStep } from '../migrate/dry-run.js';
import type { RunProgress } from '../migrate/run-progress.js';
import type { AccountOutcome } from '../migrate/run-standing.js';
import { showDuration } from './duration.js';
import type { View } from './output.js';
import { showBytes } from './progress.js';
import { plainText } from './terminal.js';

const STATES: Readonly<Record<AccountOutcome['state'], string>> = {
  open: 'not finished',
  finished: 'finished',
  held: 'held',
  gaveUp: 'given up for now',
};

/** What came of each account of a run. */
export const ACCOUNT_RUN: View<AccountOutcome> = {
  kind: ['migrated-account', 'migrated-accounts'],
  none: 'No accounts.',
  fields: [
    { name: 'account', heading: 'Account', value: ({ account }) => account },
    {
      name: 'state',
      heading: 'State',
      value: ({ state }) => state,
      shown: ({ state }, paint) =>
        paint(state === 'finished' ? 'green' : state === 'open' ? 'dim' : 'red', STATES[state]),
    },
    { name: 'partsFinished', heading: 'Parts', align: 'right', value: ({ partsFinished }) => partsFinished },
    { name: 'parts', heading: 'of', align: 'right', value: ({ parts }) => parts },
    { name: 'rowsFinished', heading: 'Rows', align: 'right', value: ({ rowsFinished }) => rowsFinished },
    { name: 'rows', heading: 'of', align: 'right', spare: 1, value: ({ rows }) => rows },
    { name: 'errors', heading: 'Refused rows', align: 'right', value: ({ errors }) => errors },
    { name: 'differences', heading: 'Differences', align: 'right', value: ({ differences }) => differences },
    { name: 'code', heading: undefined, value: ({ reason }) => reason?.code },
    { name: 'reason', heading: undefined, value: ({ reason }) => reason?.message },
  ],
};

/** What a run would send. */
export const CHECKED_STEP: View<CheckedStep> = {
  kind: ['migration-step', 'migration-steps'],
  none: 'The plan has no steps.',
  fields: [
    { name: 'step', heading: 'Step', value: ({ step }) => step.id },
    { name: 'activityType', heading: 'Type', value: ({ step }) => step.activityType },
    {
      name: 'file',
      heading: 'File',
      value: ({ step }) => ('file' in step ? step.file : undefined),
      shown: ({ step }) => ('file' in step ? plainText(step.file) : ''),
    },
    { name: 'lists', heading: 'Lists', value: ({ step }) => step.lists.join(' ') },
    {
      name: 'parts',
      heading: 'Parts to send',
      align: 'right',
      value: ({ step, finished }) => step.parts.length - finished,
    },
    { name: 'finished', heading: 'Done', align: 'right', spare: 2, value: ({ finished }) => finished },
    { name: 'rows', heading: 'Rows', align: 'right', value: ({ rows }) => rows },
    {
      name: 'bytes',
      heading: 'Size',
      align: 'right',
      spare: 1,
      value: ({ bytes }) => bytes,
      shown: ({ bytes }) => showBytes(bytes),
    },
    {
      name: 'problem',
      heading: 'Check',
      value: ({ problem }) => problem?.message,
      shown: ({ problem }, paint) =>
        problem === undefined ? paint('green', 'ok') : paint('red', problem.code),
    },
  ],
};

/** Accounts named in a line of progress. */
const SHOWN = 4;

/** `[#####-----] 50 %  6 of 12 parts, 1 of 3 accounts; joe 2/5 RUNNING; 4 min 10 s left`. */
export function progressLine(progress: RunProgress): string {
  const { parts, finished, accounts, accountsDone } = progress.totals;
  const share = parts === 0 ? 1 : finished / parts;
  const filled = Math.floor(share * 10);
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(10 - filled)}] ${Math.floor(share * 100)} %`;
  const { active } = progress;
  const names = active
    .slice(0, SHOWN)
    .map(({ account, finished: done, parts: all, now }) => `${account} ${done}/${all} ${now ?? ''}`);
  const more = active.length > SHOWN ? [`and ${active.length - SHOWN} more`] : [];
  const left = progress.timeLeft();
  const done = `${finished} of ${parts} parts, ${accountsDone} of ${accounts} accounts`;
  return [
    `${bar}  ${done}`,
    ...(left === undefined || left === 0 ? [] : [`about ${showDuration(left)} left`]),
    [...names, ...more].join(', '),
  ]
    .filter((text) => text !== '')
    .join('; ');
}

/** What makes a line of progress worth printing where lines cannot be drawn over: a tenth more is done. */
export function progressNews(progress: RunProgress): string {
  const { parts, finished } = progress.totals;
  return `${Math.floor((finished / Math.max(parts, 1)) * 10)}`;
}
