import type { Contacts } from '../activity/request.js';
import type { Session } from './session.js';

/** What an argument FILE means: that file, or stdin for `-`. */
export function contactsFrom(session: Session, file: string): Contacts {
  if (file !== '-') return { file };
  const { stdin } = session.io;
  if (stdin.isTTY === true) session.talk.note('Reading contacts from the terminal; end them with Ctrl-D.');
  return { stream: bytesOf(stdin) };
}

async function* bytesOf(stream: NodeJS.ReadableStream): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  }
}
