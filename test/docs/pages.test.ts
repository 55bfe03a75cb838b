import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { generatedPages } from './pages.js';

describe('the pages of docs/ that are made of tables', () => {
  it('are what the tables say; else run: npm run docs', async () => {
    for (const { path, text } of await generatedPages()) {
      expect(readFileSync(path, 'utf8'), basename(path)).to.equal(text);
    }
  });
});
