import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { lock, ROOT, runtimePackages } from './installed.js';

/** Licences that ask for no more than to be named. */
const PERMISSIVE: readonly string[] = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  // That of argparse, which is Python's own.
  'Python-2.0',
];

describe('the licences of what is installed with the package', () => {
  const all = runtimePackages({ optional: true, anywhere: true });

  it('are permissive, every one', () => {
    const others = all.filter((at) => !PERMISSIVE.includes(lock.packages[at]?.license ?? 'none'));
    expect(others).to.deep.equal([]);
    expect(all.length).to.be.greaterThan(80);
  });

  it('are what the packages say of themselves', () => {
    const here = all.filter((at) => existsSync(path.join(ROOT, at)));
    expect(here.length).to.be.greaterThan(60);
    for (const at of here) {
      const { license, version } = JSON.parse(readFileSync(path.join(ROOT, at, 'package.json'), 'utf8')) as {
        license?: string;
        version: string;
      };
      expect({ license, version }, at).to.deep.equal({
        license: lock.packages[at]?.license,
        version: lock.packages[at]?.version,
      });
    }
  });
});
