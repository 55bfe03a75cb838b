import { UsageError } from '../activity/errors.js';
import type { Contacts } from '../activity/request.js';
import type { InStream } from './io.js';
import type { Session } from './session.js';

/** What an argument FILE means: that file, or stdin for `-`. */
export function contactsFrom(session: Session, file: string): Contacts {
  if (file !== '-') return { file };
  const { stdin, signal } = session.io;
  if (session.stdinTaken) {
    throw new UsageError(
      'OPTION_INVALID',
      'the secret was read from stdin, so the contacts cannot be; name a file',
    );
  }
  if (stdin.isTTY === true) session.talk.note('Reading contacts from the terminal; end them with Ctrl-D.');
  return { stream: bytesOf(stdin, signal) };
}

/** The bytes of a stream, of text too. When the signal aborts the stream is destroyed, so that nothing waits for it. */
export async function* bytesOf(stream: InStream, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const destroy = () => {
    stream.destroy?.();
  };
  if (signal?.aborted === true) destroy();
  signal?.addEventListener('abort', destroy, { once: true });
  try {
    for await (const chunk of stream) {
      yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    }
  } finally {
    signal?.removeEventListener('abort', destroy);
  }
}
