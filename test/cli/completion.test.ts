import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { completionScript } from '../../src/cli/completion.js';
import { allCommands } from '../../src/cli/reference.js';
import { SHELLS, type Shell } from '../../src/cli/shells.js';
import { ctct } from './harness.js';

/** What a shell prints; undefined where it is not installed. */
function inShell(shell: Shell, script: string): Promise<string | undefined> {
  const args =
    shell === 'bash' ? ['--norc', '-c', script] : shell === 'zsh' ? ['-f', '-c', script] : ['-c', script];
  return new Promise((resolve, reject) => {
    execFile(shell, args, { timeout: 30_000 }, (error, stdout, stderr) => {
      if (error !== null && 'code' in error && error.code === 'ENOENT') resolve(undefined);
      else if (error !== null) reject(new Error(`${shell}: ${stderr}`, { cause: error }));
      else resolve(stdout);
    });
  });
}

/** What each shell is asked, as a function of the script and the words behind `ctct`; the last word is completed. */
const ASK: Readonly<Record<Shell, (words: readonly string[]) => string>> = {
  bash: (words) =>
    `${completionScript('bash')}\nCOMP_WORDS=(ctct ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _ctct; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // What the functions of zsh's own would draw, as plain lines.
  zsh: (words) =>
    `compdef() { :; }; _describe() { local array="\${@: -1}"; print -l -- \${\${(P)array}%%:*}; }; compadd() { shift; print -l -- "$@"; }; _files() { :; }; compset() { :; }
${completionScript('zsh')}
words=(ctct ${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length + 1}; _ctct`,
  fish: (words) =>
    `${completionScript('fish')}\ncomplete -C 'ctct ${words.join(' ')}' | string replace -r '\\t.*' ''`,
};

describe('completion', () => {
  for (const shell of SHELLS) {
    it(`is understood by ${shell}`, async function () {
      this.timeout(60_000);
      if ((await inShell(shell, 'true')) === undefined) {
        // Plainly: the script is checked where the shell is installed (Debian: apt-get install zsh fish).
        console.log(`      ${shell} is not installed here`);
        this.skip();
      }
      const offered = async (...words: string[]) =>
        ((await inShell(shell, ASK[shell](words))) ?? '').split('\n').filter((line) => line !== '');
      const names = allCommands().flatMap(({ path }) => (path.length === 1 ? path : []));
      expect(await offered('')).to.include.members(names);
      expect(await offered('archive', '')).to.include.members(['read', 'check', 'stats', 'report']);
      const read = allCommands().find(({ path }) => path.join(' ') === 'archive read')!;
      expect(await offered('archive', 'read', '--')).to.have.members(
        [...read.options, ...read.globals].map(({ flag }) => flag),
      );
      expect(await offered('add', 'x.csv', '--type', '')).to.have.members([
        'ADD_CONTACTS',
        'SV_ADD',
        'ADD_CONTACT_DETAIL',
      ]);
      expect(await offered('--output', 'json', 'archive', 'read', '--output', '')).to.include('parquet');
      expect(await offered('list', '--output', ''))
        .to.include('ndjson')
        .and.not.to.include('parquet');
      // A value that is called as a command is no command.
      expect(await offered('--profile', 'wait', '')).to.include.members(names);
      expect(await offered('completion', '')).to.include.members(SHELLS);
      expect(
        await offered(...(shell === 'bash' ? ['list', '--output', '=', 'nd'] : ['list', '--output=nd'])),
      ).to.include(shell === 'fish' ? '--output=ndjson' : 'ndjson');
      if (shell !== 'bash') return;
      expect(await offered('list', '--output', '=')).to.include('ndjson');
      expect(await offered('--profile', '=', 'wait', 'archive', '')).to.include('read');
    });
  }

  it('is printed by the command, for shells that it knows', async () => {
    for (const shell of SHELLS) {
      const { exit, stdout } = await ctct(['completion', shell]);
      expect([exit, stdout.text]).to.deep.equal([0, completionScript(shell)]);
    }
    const { exit, stderr } = await ctct(['completion', 'csh']);
    expect(exit).to.equal(2);
    expect(stderr.text).to.equal('ctct: shell: must be bash, zsh, fish; got "csh"\n');
  });
});
