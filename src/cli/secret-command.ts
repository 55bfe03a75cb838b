import { spawn } from 'node:child_process';
import { UsageError } from '../activity/errors.js';

/** Bytes of output that are read at most: the first line is the secret. */
const MOST = 64 * 1024;

/**
 * The first line that a command prints on stdout; a person may have to type something into it.
 * @param place where the command was found, for errors.
 * @throws UsageError `CREDENTIALS_REQUIRED` when it fails, or prints nothing. What it printed is never shown.
 */
export async function runSecretCommand(command: string, place: string): Promise<string> {
  const failed = (why: string, cause?: unknown) =>
    new UsageError(
      'CREDENTIALS_REQUIRED',
      `${place}: the command ${why}`,
      cause === undefined ? {} : { cause },
    );
  const child = spawn(command, { shell: true, stdio: ['inherit', 'pipe', 'inherit'] });
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', (error) => {
      reject(failed('cannot be run', error));
    });
    child.once('close', (code, signal) => {
      resolve(code ?? signal ?? 1);
    });
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text = `${text}${chunk}`.slice(0, MOST);
  });
  const end = await ended;
  if (end !== 0) throw failed(`ended with ${end}`);
  const [line = ''] = text.split(/\r?\n/, 1);
  if (line === '') throw failed('printed nothing; the first line it prints must be the secret');
  return line;
}
