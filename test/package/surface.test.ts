import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENTRIES, surfaces } from './entries.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('what the entries of the package export', () => {
  const found = surfaces();

  // A change of it is a change for every user. To write it anew: npx tsx test/package/write-surface.ts
  it('is what test/package/surface.json says', () => {
    const written: unknown = JSON.parse(readFileSync(path.join(ROOT, 'test/package/surface.json'), 'utf8'));
    expect(found).to.deep.equal(written);
  });

  it('is exported from one of them alone', () => {
    const all = Object.values(found).flatMap(({ values, types }) => [...values, ...types]);
    expect(all.filter((name, index) => all.indexOf(name) !== index)).to.deep.equal([]);
  });

  it('is there when it runs, and nothing else is', async () => {
    for (const [entry, file] of Object.entries(ENTRIES)) {
      const module = (await import(path.join(ROOT, file))) as object;
      expect(Object.keys(module).sort(), entry).to.deep.equal(found[entry]?.values);
    }
  });
});
