import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RootHookObject } from 'mocha';

let folder: string | undefined;

/**
 * Each process of tests has a temporary folder of its own: what is in it is what its tests left, whoever else runs at the
 * same time, and it goes when they end.
 */
export const mochaHooks: RootHookObject = {
  beforeAll() {
    if (folder !== undefined) return;
    const own = (folder = mkdtempSync(path.join(tmpdir(), 'ctct-tests-')));
    process.env.TMPDIR = own;
    process.on('exit', () => {
      rmSync(own, { recursive: true, force: true });
    });
    // Mocha kills a worker that takes more than a second to end: too short for the coverage of so many tests.
    if (process.env.MOCHA_WORKER_ID !== undefined) process.on('SIGTERM', () => undefined);
  },
};
