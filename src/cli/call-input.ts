import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../activity/errors.js';
import type { HttpCall } from '../translate/http-call.js';
import { bytesOf } from './contacts-argument.js';
import type { Session } from './session.js';

/** What is larger is no recording of a few requests. */
const MOST_BYTES = 256 * 1024 * 1024;

/** An argument that is the request itself: it may hold secrets, and is never repeated. */
const INLINE = /:\/\/|\n|\bcurl(?:\.exe)?\s|(?:^|&)\s*activityType\s*=|^\s*(?:[[{]|[A-Z]{3,10} \/)/;

/** What an argument is called where it is told of. */
export function sourceOf(input: string): string {
  if (input === '-') return 'stdin';
  return INLINE.test(input) ? 'argument' : input;
}

/**
 * The requests that an argument means: those of a file, of stdin for `-`, or in the argument itself where that is a
 * request: a form body, a command line of curl, a URL.
 * @throws UsageError `FILE_UNREADABLE`, and as `readCalls`.
 */
export async function callsFrom(session: Session, input: string): Promise<HttpCall[]> {
  const { readCalls } = await import('../translate/read-calls.js');
  const source = sourceOf(input);
  if (input === '-') {
    const { stdin, signal } = session.io;
    if (stdin.isTTY === true) session.talk.note('Reading a request from the terminal; end it with Ctrl-D.');
    return readCalls(await gather(bytesOf(stdin, signal)), { source, readFile: readBeside('.') });
  }
  if (INLINE.test(input)) return readCalls(Buffer.from(input), { source, readFile: readBeside('.') });
  return readCalls(await readWhole(input), { source, readFile: readBeside(dirname(input)) });
}

/** Reads files that are named beside a file, or from where the program was called. */
export function readBeside(folder: string): (path: string) => Promise<Uint8Array> {
  return async (path) => readWhole(await firstThere([resolve(path), resolve(folder, path)]), path);
}

async function firstThere(paths: readonly string[]): Promise<string> {
  for (const path of paths) if ((await stat(path).catch(() => undefined)) !== undefined) return path;
  return paths[0] ?? '';
}

/** @param name what errors call it. */
export async function readWhole(path: string, name = path): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > MOST_BYTES) throw tooLarge(name);
    return await readFile(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const reason = REASONS[code] ?? `cannot be read (${code})`;
    throw new UsageError('FILE_UNREADABLE', `${name}: ${reason}`, { cause: error });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'is a folder; name a file',
  EACCES: 'reading it is not permitted',
};

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    if ((length += chunk.length) > MOST_BYTES) throw tooLarge('stdin');
    all.push(chunk);
  }
  return Buffer.concat(all);
}

function tooLarge(name: string): UsageError {
  return new UsageError('FILE_UNREADABLE', `${name}: is larger than 256 MiB; give it in pieces`);
}
