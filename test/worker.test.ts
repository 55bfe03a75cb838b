import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

describe('threads', () => {
  it('run in programs that are given on the command line, whose flags no thread takes', () => {
    const script = `
      import { readSheet } from './src/upload/read-sheet.ts';
      import { memorySource } from './src/upload/contact-source.ts';
      const bytes = new TextEncoder().encode('<table><tr><td>EMAIL</td></tr></table>');
      const { csv } = await readSheet(memorySource(bytes), { name: 'a.xls' });
      console.log(new TextDecoder().decode(csv));`;
    const flags = [['--input-type=module'], ['--input-type', 'module']];
    for (const flag of flags) {
      const args = ['--import', 'tsx', ...flag, '-e', script];
      expect(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' })).to.equal('EMAIL\n\n');
    }
  }).timeout(30_000);
});
