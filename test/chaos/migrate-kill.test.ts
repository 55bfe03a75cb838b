import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { compile } from '../store/compiled.js';
import { SMALL_WORLD } from '../support/migration-sketches.js';
import { drawDeaths, playKills, RUNNER } from './migrate-kill.js';

describe('a migration whose runner is killed by SIGKILL', function () {
  this.timeout(240_000);

  let code: string;
  before(async () => {
    code = await mkdtemp(path.join(tmpdir(), 'ctct-runner-code-'));
  });
  after(() => rm(code, { recursive: true }));

  it('goes on where it was, while the service fails: each part is taken once, and all is as computed', async () => {
    const { kills, faults, breaches } = await playKills(SMALL_WORLD, {
      script: await compile(RUNNER, code),
      seed: 7,
      deaths: drawDeaths(10),
    });
    expect(breaches).to.deep.equal([]);
    // Some deaths may come when all is done.
    expect(kills).to.be.at.least(5);
    expect(faults).to.be.above(0);
  });
});
