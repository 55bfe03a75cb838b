import { expect } from 'chai';
import fc from 'fast-check';
import path from 'node:path';
import type { FaultAction, FaultRule } from '../../src/emulator/faults.js';
import { memoryStore } from '../../src/store/memory.js';
import { openStore } from '../../src/store/sqlite.js';
import type { Store } from '../../src/store/store.js';
import type { RunOptions } from '../../src/migrate/run.js';
import { runs } from '../support/runs.js';
import { crashingStore, type Crash } from './crashing-store.js';
import { membersAfter, setRunStage, type RunStage, type Sketch } from './run-stage.js';

const SKETCH: Sketch = {
  joe: [
    { add: ['a@example.com', 'b@example.com', 'no address'], lists: ['1', '2'] },
    { remove: ['A@example.com', 'old1@example.com'], lists: ['1'] },
    { clear: ['3'] },
    { add: ['c@example.com'], lists: ['3'] },
  ],
  ann: [{ add: ['d@example.com'], lists: ['2'] }],
};
const PARTS = { joe: 4, ann: 1 };

/** Runs until all is finished, as a person would: what nobody can tell is sent again by `retry`. */
async function finish(stage: RunStage, store: Store, options: Partial<RunOptions>): Promise<void> {
  // Once more for each fault that is left.
  for (const retry of [false, true, true, true, true]) {
    const { accounts } = await stage.run(store, { ...options, retry });
    if (accounts.every(({ state }) => state === 'finished')) return;
  }
  expect.fail('the run was not finished');
}

/** The requests that change something. */
function postsOf(stage: RunStage): string[] {
  return stage.calls.filter((call) => /^POST (?!exportcontacts)/.test(call));
}

/** How the story ended: whether the crash came, and what the service was asked for. */
async function story(
  crash: Crash,
  options: Partial<RunOptions>,
  make: (folder: string) => Promise<Store> | Store,
  faults: readonly FaultRule[] = [],
): Promise<boolean> {
  const stage = await setRunStage(SKETCH);
  for (const rule of faults) stage.emulator.faults.add(rule);
  try {
    const file = await make(stage.folder);
    const crashing = crashingStore(file, crash);
    const ended: unknown = await stage.run(crashing.store, options).catch((error: unknown) => error);
    if (!crashing.hasCrashed()) return false;
    expect(String(ended)).to.equal('Error: crash');
    await file.close();
    const store = await make(stage.folder);
    await finish(stage, store, options);
    expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
    expect(await stage.jobs(), 'each part came once').to.deep.equal(PARTS);
    if (faults.length === 0) expect(postsOf(stage)).to.have.length(5);
    const sent = (await stage.records(store)).filter(({ event }) => event === 'created');
    expect(sent).to.have.length(5);
    await store.close();
    return true;
  } finally {
    await stage.dispose();
  }
}

const ANSWERS: readonly FaultAction[] = [
  { type: 'lostAnswer' },
  { type: 'lostAnswer', how: '504' },
  { type: 'status', status: 500 },
  { type: 'status', status: 503 },
  { type: 'reset' },
];

describe('a run that crashes', function () {
  this.timeout(60_000);

  for (const when of ['before', 'after'] as const) {
    it(`at any write, ${when} it is done, goes on without sending anything twice`, async () => {
      let points = 0;
      for (;;) {
        // What outlives the process, without a disk.
        const kept = memoryStore();
        const store = { ...kept, close: () => Promise.resolve() };
        if (!(await story({ at: points + 1, when }, { verify: false }, () => store))) break;
        points++;
      }
      expect(points).to.be.greaterThan(30);
    });
  }

  it('goes on from the file of its store, with the lists it has read', async () => {
    for (let at = 3, points = 0; ; at += 7) {
      const when = at % 2 === 0 ? 'before' : 'after';
      const make = (folder: string) => openStore(path.join(folder, 'plan.state', 'run.db'));
      if (await story({ at, when }, {}, make)) points++;
      else {
        expect(points).to.be.greaterThan(5);
        break;
      }
    }
  });

  it('finds what was taken when the answer was lost, and the process with it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...ANSWERS), fc.integer({ min: 1, max: 5 })), { maxLength: 3 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom<Crash['when'][]>('before', 'after'),
        async (lost, at, when) => {
          const store = { ...memoryStore(), close: () => Promise.resolve() };
          const faults = lost.map(([action, nth]) => ({ action, match: { method: 'POST', nth } }));
          await story({ at, when }, { verify: false }, () => store, faults);
        },
      ),
      { numRuns: runs(25) },
    );
  });
});
