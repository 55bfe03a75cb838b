import { truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { WsClient } from '../../src/ws/client.js';
import { BASIC } from '../http/loopback.js';

/**
 * Uploads large contact files: `upload-child.ts <base URL> <folder>`. Puts out how many megabytes the memory of the process
 * grew by at most, for each way; the user of each upload is the name of the way.
 */
const [baseUrl = '', folder = ''] = process.argv.slice(2);

const HEAD = `Email Address\n${'a@example.com\n'.repeat(30)}`;

/** A file of so many bytes, nearly all of which are a hole. */
async function sparse(size: number): Promise<string> {
  const file = path.join(folder, `${size}.csv`);
  await writeFile(file, HEAD);
  await truncate(file, size);
  return file;
}

async function* piped(size: number): AsyncGenerator<Uint8Array> {
  yield Buffer.from(HEAD);
  for (let sent = HEAD.length; sent < size;) {
    const piece = Buffer.alloc(Math.min(65_536, size - sent), 'a@example.com\n');
    await Promise.resolve();
    yield piece;
    sent += piece.length;
  }
}

const told: Record<string, { grew: number; bytes: number }> = {};
for (const [name, bytes] of [
  ['multipart', 200_000_000],
  ['form', 40_000_000],
  ['stream', 100_000_000],
] as const) {
  const client = new WsClient({
    user: name,
    credentials: BASIC,
    baseUrl,
    encoding: name === 'form' ? 'form' : 'multipart',
    reconcile: false,
  });
  const contacts = name === 'stream' ? { stream: piped(bytes) } : { file: await sparse(bytes) };
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 10);
  await client.addContacts({ contacts, lists: ['2'] });
  clearInterval(timer);
  told[name] = { grew: Math.round((most - before) / 1e6), bytes };
}
process.stdout.write(JSON.stringify(told));
