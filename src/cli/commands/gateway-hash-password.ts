import { UsageError } from '../../activity/errors.js';
import { command } from '../command.js';
import { OF_RECORDS, OF_SERVICE } from '../global-options.js';
import { canAsk, firstLine, hiddenLine } from '../prompt.js';

export const gatewayHashPassword = command({
  name: 'hash-password',
  summary: 'make the hash of a password, for the accounts of a gateway',
  details:
    'Reads the password, one line, from stdin; the hash goes to stdout. Put it in place of signIn.basic.password. The same ' +
    'password gives another hash each time; all of them fit.',
  examples: [
    ['ctct gateway hash-password < password.txt', 'of a file with the password in it'],
    ['ctct gateway hash-password', 'asks for it; it is not shown while it is typed'],
  ],
  without: [...OF_SERVICE, ...OF_RECORDS],
  arguments: {},
  options: {},
  async run(session) {
    const password = canAsk(session.io)
      ? await hiddenLine(session.io, 'The password, which is not shown: ')
      : await firstLine(session.io);
    if (password === '') {
      throw new UsageError('OPTION_INVALID', 'hash-password: there is no password on stdin');
    }
    const { hashPassword } = await import('../../gateway/password.js');
    await session.output.raw(`${await hashPassword(password)}\n`);
    return 'ok';
  },
});
