import { dirname } from 'node:path';
import { TOGETHER } from '../../migrate/estimate.js';
import { readAccepted } from '../accepted-losses.js';
import { command } from '../command.js';
import { runWords } from '../migration-status-output.js';

export const migrateRun = command({
  name: 'run',
  summary: 'do what a plan says, and go on where it stopped',
  details:
    'What was sent, and what came of it, is written down beside the plan: after a crash or a pause, the same command goes ' +
    'on, and nothing is sent twice. An upload whose answer was lost is looked for, and sent once more where none shows: ' +
    'let nothing else write to these accounts meanwhile. Ctrl-C pauses: requests in hand are let through first.',
  examples: [
    ['ctct migrate run plan.json --dry-run', 'look whether all is there; send nothing'],
    ['ctct migrate run plan.json', 'begin, or go on'],
    ['ctct migrate run plan.json --only joesflowers', 'one account first'],
    ['ctct migrate run plan.json --retry', 'send again what was refused, or ended with ERROR'],
  ],
  without: ['user', 'api', 'baseUrl'],
  arguments: { plan: { help: 'what "ctct migrate plan" wrote' } },
  options: {
    accept: { kind: 'texts', value: 'loss', help: 'what may be lost, such as COLUMN_IGNORED' },
    only: { kind: 'texts', value: 'account', help: 'only this account' },
    jobs: { kind: 'number', value: 'n', from: 1, to: 100, fallback: TOGETHER, help: 'accounts at once' },
    dryRun: { kind: 'flag', help: 'check files and credentials, and show what would be sent' },
    retry: { kind: 'flag', help: 'send parts again that were refused or ended with ERROR' },
    verify: { kind: 'switch', help: 'do not read the lists before and after to compare them' },
    giveUp: {
      kind: 'duration',
      fallback: '1h',
      help: 'how long to try an account that makes no progress',
    },
    quietPeriod: {
      kind: 'duration',
      fallback: '2m',
      help: 'how long an upload whose answer was lost is looked for, before it is sent once more',
    },
    state: { kind: 'text', value: 'folder', help: 'where the run keeps its state; default beside the plan' },
  },
  records: async ({ dryRun }) => {
    const { ACCOUNT_RUN, CHECKED_STEP } = await import('../run-output.js');
    return dryRun ? CHECKED_STEP : ACCOUNT_RUN;
  },
  async run(session, values) {
    const { readPlan } = await import('../../migrate/read-plan.js');
    const { stateFolder } = await import('../../migrate/state-folder.js');
    const { checkMigration, runMigration } = await import('../run-migration.js');
    const plan = await readPlan(values.plan);
    const acceptedLosses = readAccepted(values.accept);
    const options = {
      ...values,
      planFolder: dirname(values.plan),
      stateFolder: stateFolder(values.plan, values.state),
      only: values.only.length === 0 ? undefined : values.only,
      acceptedLosses,
      again: [
        ...runWords(values.plan, values.state, plan),
        ...values.only.flatMap((account) => ['--only', account]),
      ],
    };
    return values.dryRun ? checkMigration(session, plan, options) : runMigration(session, plan, options);
  },
});
