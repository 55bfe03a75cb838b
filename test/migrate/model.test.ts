import { expect } from 'chai';
import fc from 'fast-check';
import { memoryStore } from '../../src/store/memory.js';
import { modelOutcome } from '../support/migration-model.js';
import { rehearse } from '../support/migration-run.js';
import { worldSketches } from '../support/migration-sketches.js';
import { expectedTaken, failedRows, withSmallParts } from '../support/migration-world.js';
import { runs } from '../support/runs.js';

describe('a plan that is made and run', function () {
  this.timeout(60_000);

  it('comes to what its files say: members, values, and the rows that fail', async () => {
    const property = fc.asyncProperty(
      worldSketches,
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(true, false, false),
      (sketch, rows, jobs, verify) =>
        withSmallParts(rows, () =>
          rehearse(sketch, async ({ world, run, stateFolder }) => {
            const store = memoryStore();
            const { accounts } = await run(store, { jobs, verify });
            const { members, values, failed } = modelOutcome(sketch);
            expect(accounts.map(({ state }) => state)).to.deep.equal(accounts.map(() => 'finished'));
            expect(world.holdings()).to.deep.equal({ members, values });
            expect(await failedRows(world, store, stateFolder)).to.deep.equal(failed);
            expect(world.taken).to.deep.equal(expectedTaken(world));
            // What the run itself found in the lists is what the model says, too.
            expect(accounts.map(({ differences }) => differences)).to.deep.equal(accounts.map(() => 0));
          }),
        ),
    );
    await fc.assert(property, { numRuns: runs(30) });
  });
});
