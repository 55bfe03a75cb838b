import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/sqlite.js';

/**
 * Works on a store until it is killed or nothing is left: `store-child.ts <path> <worker>`. One line tells what has been
 * acknowledged: `claim <id> <token>`, `append <number> <id>`, `done <id>`, `call <milliseconds>`; at last `end`.
 */
const [path = '', worker = ''] = process.argv.slice(2);
const store = await openStore(path);
// Not through a stream: it might keep a line that the parent should know of.
const tell = (...words: (string | number)[]) => writeSync(1, `${words.join(' ')}\n`);
tell('open', process.pid);
// Whoever is killed holds nothing for long.
const LEASE = 30;
for (;;) {
  const now = Date.now();
  const { lease, readyAt } = { readyAt: undefined, ...(await store.queue.claim(worker, LEASE, now)) };
  if (lease === undefined) {
    if (readyAt === undefined) break;
    await new Promise((resolve) => setTimeout(resolve, Math.min(readyAt - now, 10)));
    continue;
  }
  tell('claim', lease.id, lease.token);
  const number = await store.journal.append('run', { id: lease.id, token: lease.token, worker });
  tell('append', number, lease.id);
  const taken = await store.buckets.take('key', now, { perSecond: 50, perDay: Infinity });
  if (taken.go) tell('call', now);
  try {
    await store.queue.complete(lease.token, Date.now(), { by: worker });
    tell('done', lease.id);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'LEASE_LOST') throw error;
    tell('lost', lease.id);
  }
}
await store.close();
tell('end');
