import { command } from '../command.js';
import { SHELLS } from '../shells.js';
import { OF_RECORDS, OF_SERVICE } from '../global-options.js';

export const completion = command({
  name: 'completion',
  summary: 'print a script that teaches your shell to complete commands',
  examples: [
    ['source <(ctct completion bash)', 'in ~/.bashrc'],
    ['source <(ctct completion zsh)', 'in ~/.zshrc, below compinit'],
    ['ctct completion fish > ~/.config/fish/completions/ctct.fish', 'once'],
  ],
  without: [...OF_SERVICE, ...OF_RECORDS],
  arguments: { shell: { help: 'bash, zsh or fish', choices: SHELLS } },
  options: {},
  async run(session, { shell }) {
    const { completionScript } = await import('../completion.js');
    const found = SHELLS.find((name) => name === shell);
    if (found === undefined) {
      const { UsageError } = await import('../../activity/errors.js');
      throw new UsageError('OPTION_INVALID', `shell: must be ${SHELLS.join(', ')}; got "${shell}"`);
    }
    await session.output.raw(completionScript(found));
    return 'ok';
  },
});
