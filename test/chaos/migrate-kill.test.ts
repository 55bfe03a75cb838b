import { expect } from 'chai';
import { SMALL_WORLD } from '../support/migration-sketches.js';
import { drawDeaths, playKills } from './migrate-kill.js';

describe('a migration whose runner is killed by SIGKILL', function () {
  this.timeout(240_000);

  it('goes on where it was, while the service fails: each part is taken once, and all is as computed', async () => {
    const { kills, faults, breaches } = await playKills(SMALL_WORLD, { seed: 7, deaths: drawDeaths(10) });
    expect(breaches).to.deep.equal([]);
    // Some deaths may come when all is done.
    expect(kills).to.be.at.least(5);
    expect(faults).to.be.above(0);
  });
});
