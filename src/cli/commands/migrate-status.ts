import { command } from '../command.js';
import { OF_SERVICE } from '../global-options.js';
import {
  ACCOUNT_STATUS,
  exitOfRun,
  putStatus,
  runWords,
  STATUS,
  tellNextOfRun,
} from '../migration-status-output.js';

export const migrateStatus = command({
  name: 'status',
  summary: 'show how far the run of a plan has come',
  details:
    'Works while a run goes on, from another terminal, and when none ever began. Held is an account of which a part was ' +
    'refused, or failed: the others go on. The exit code is 0 when all is finished, 3 when rows had errors or lists ' +
    'differ, 1 when what is left waits for you, and 7 when it has not been done yet.',
  examples: [
    ['ctct migrate status plan.json', 'one line for each account'],
    ['ctct migrate status plan.json --output json', 'for a script'],
  ],
  without: OF_SERVICE,
  arguments: { plan: { help: 'what "ctct migrate plan" wrote' } },
  options: {
    state: { kind: 'text', value: 'folder', help: 'where the run keeps its state; default beside the plan' },
  },
  records: (_, format) => (format === 'json' ? STATUS : ACCOUNT_STATUS),
  async run(session, { plan, state }) {
    const { readRun } = await import('../../migrate/read-run.js');
    const { runStatus } = await import('../../migrate/status.js');
    const run = await readRun(plan, state);
    const status = runStatus(run.plan, run.state, { now: session.clock.now(), running: run.running });
    await putStatus(session.output, status);
    tellNextOfRun(session, status, runWords(plan, state, run.plan));
    return exitOfRun(status);
  },
});
