import { UsageError } from '../../activity/errors.js';
import { command } from '../command.js';
import { OF_RECORDS, OF_SERVICE } from '../global-options.js';

/** Milliseconds between two looks whether the run has stopped. */
const LOOK = 200;

export const migratePause = command({
  name: 'pause',
  summary: 'let a run that goes on in another terminal stop in good order',
  details:
    'Waits until the requests in hand are through and written down. "ctct migrate run" goes on from there.',
  examples: [['ctct migrate pause plan.json', 'the run of plan.json stops']],
  without: [...OF_SERVICE, ...OF_RECORDS],
  arguments: { plan: { help: 'the plan that is run' } },
  options: {
    state: { kind: 'text', value: 'folder', help: 'where the run keeps its state; default beside the plan' },
  },
  async run(session, { plan: path, state }) {
    const { readPlan } = await import('../../migrate/read-plan.js');
    const { isRunning, openRunStore, stateFolder } = await import('../../migrate/state-folder.js');
    const { runWords } = await import('../migration-status-output.js');
    const { askToPause } = await import('../../migrate/pause.js');
    const { clock, talk } = session;
    const plan = await readPlan(path);
    const folder = stateFolder(path, state);
    if (!(await isRunning(folder, plan.id))) throw notRunning(path);
    const store = await openRunStore(folder);
    try {
      await askToPause(store, plan.id, clock.now());
      talk.progress('pausing', () => 'asked; the requests in hand are let through');
      while (await isRunning(folder, plan.id)) await clock.sleep(LOOK, session.io.signal);
    } finally {
      talk.progressEnds();
      await store.close();
    }
    talk.note(`Paused. Go on: ${session.commandLine(...runWords(path, state, plan))}`);
    return 'ok';
  },
});

function notRunning(path: string): UsageError {
  return new UsageError('OPTION_INVALID', `${path}: nobody runs this plan now`);
}
