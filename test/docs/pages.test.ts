import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ENVIRONMENT } from '../../src/cli/environment.js';
import { effectiveSettings } from '../../src/cli/config.js';
import { SETTINGS } from '../../src/cli/settings-table.js';
import { CONFIG_EXAMPLE, generatedPages } from './pages.js';

describe('the pages of docs/ that are made of tables', () => {
  it('are what the tables say; else run: npm run docs', async () => {
    for (const { path, text } of await generatedPages()) {
      expect(readFileSync(path, 'utf8'), basename(path)).to.equal(text);
    }
  });

  it('tell of each variable, and show a file of settings that is one', async () => {
    const told: readonly string[] = ENVIRONMENT.map(([name]) => name);
    expect(told).to.include.members(Object.values(SETTINGS).map(({ env }) => env));
    const folder = await mkdtemp(join(tmpdir(), 'ctct-example-'));
    try {
      const config = join(folder, 'config.json');
      await writeFile(config, JSON.stringify(CONFIG_EXAMPLE), { mode: 0o600 });
      const found = await effectiveSettings({ flags: { config, profile: 'agency' }, env: {} });
      const facts = Object.fromEntries(found.map(({ setting, value }) => [setting, value]));
      expect(facts).to.include({ profile: 'agency', api: 'v2', apiKey: '(set, not shown)' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
