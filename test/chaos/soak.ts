import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CtctError } from '../../src/activity/errors.js';
import { seededRandom } from '../../src/emulator/random.js';
import { WsClient } from '../../src/ws/client.js';
import { descriptors, growth } from '../support/growth.js';
import { createSkippingClock } from '../support/skipping-clock.js';
import { pick } from './faults.js';

/**
 * One client, used for long over a bad network: `npm run soak -- [--operations N] [--seed S]`. Looks now and then at the
 * heap after garbage collection and at the open file descriptors, and ends with 1 when either keeps growing. With `--leak`
 * it keeps what it should let go of, so that a test sees it fail.
 */
const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    leak: { type: 'boolean', default: false },
  },
});
const operations = Number(values.operations);
if (!Number.isInteger(operations) || operations < 40 || globalThis.gc === undefined) {
  process.stderr.write('soak: needs --operations of 40 or more, and node --expose-gc\n');
  process.exit(2);
}
const gc = globalThis.gc;

/** What may be more at the end than it was after the first quarter, when everything is loaded and warm. */
const MOST_HEAP = 4 * 1024 * 1024;
const MOST_DESCRIPTORS = 8;
const LOOKS = 20;

interface Look {
  readonly done: number;
  readonly heap: number;
  readonly descriptors: number;
}

const random = seededRandom(Number(values.seed), 'soak');
const folder = await mkdtemp(path.join(tmpdir(), 'ctct-soak-'));
const script = fileURLToPath(new URL('soak-service.ts', import.meta.url));
const service = spawn(process.execPath, ['--import', 'tsx', script, values.seed], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const kept: unknown[] = [];
try {
  const [address] = (await once(service.stdout, 'data')) as [Buffer];
  process.exitCode = await soak(String(address));
} finally {
  service.kill();
  await rm(folder, { recursive: true, force: true });
}

async function soak(baseUrl: string): Promise<number> {
  const clock = createSkippingClock(Date.now());
  const client = new WsClient({
    user: 'joesflowers',
    credentials: { scheme: 'basic', apiKey: 'key', user: 'joesflowers', password: 'password' },
    baseUrl,
    timeouts: { headers: 120, bodyIdle: 120 },
    clock,
    random,
  });
  const upload = path.join(folder, 'contacts.csv');
  await writeFile(upload, `Email Address\n${'new@example.com\n'.repeat(2_000)}`);
  const text = 'Email Address\nann@example.com\n';
  let exported: string | undefined;

  const acts: readonly (() => Promise<unknown>)[] = [
    () => client.addContacts({ contacts: { text }, lists: ['1'] }),
    () => client.addContacts({ contacts: { file: upload }, lists: ['1'] }),
    () => client.removeContacts({ contacts: { text }, lists: ['1'] }),
    async () => {
      const { id } = await client.exportContacts({ listId: '1' });
      exported = (await client.waitForActivity(id)).id;
    },
    async () => {
      if (exported === undefined) return;
      const target = path.join(folder, 'export.csv');
      await client.saveDownload(exported, target, { overwrite: true });
    },
    async () => {
      let count = 0;
      for await (const activity of client.list()) if (activity.id === exported || ++count === 60) break;
    },
    async () => {
      for await (const list of client.lists()) if (list.id === '1') break;
    },
    async () => exported !== undefined && client.get(exported),
    () => client.get('a07e1nosuchactivity'),
    () => client.get('a07e1aborted', { signal: AbortSignal.timeout(1) }),
  ];

  const looks: Look[] = [];
  const failures = new Map<string, number>();
  const every = Math.floor(operations / LOOKS);
  for (let done = 1; done <= operations; done++) {
    await pick(random, acts)().catch((error: unknown) => {
      if (!(error instanceof CtctError)) throw error;
      failures.set(error.code, (failures.get(error.code) ?? 0) + 1);
    });
    if (values.leak) kept.push(Buffer.alloc(10).toJSON(), 'x'.repeat(50_000).split(''));
    if (values.leak && done % 3 === 0) kept.push(await writeLater());
    if (done % every === 0) looks.push(await look(done));
  }
  return judge(looks, failures);
}

/** A descriptor that nobody closes. */
async function writeLater(): Promise<unknown> {
  const { open } = await import('node:fs/promises');
  return open(path.join(folder, 'contacts.csv'), 'r');
}

async function look(done: number): Promise<Look> {
  for (let times = 0; times < 3; times++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    gc();
  }
  const seen = { done, heap: process.memoryUsage().heapUsed, descriptors: descriptors() };
  process.stdout.write(
    `${String(done).padStart(8)} operations  ${(seen.heap / 1048576).toFixed(2).padStart(8)} MiB heap  ` +
      `${String(seen.descriptors).padStart(4)} descriptors\n`,
  );
  return seen;
}

function judge(looks: readonly Look[], failures: ReadonlyMap<string, number>): number {
  const warm = looks.slice(Math.floor(looks.length / 4));
  const heap = growth(warm.map(({ done, heap }) => [done, heap]));
  const open = growth(warm.map(({ done, descriptors }) => [done, descriptors]));
  const faults = [
    heap > MOST_HEAP && `the heap grew by ${(heap / 1048576).toFixed(1)} MiB`,
    open > MOST_DESCRIPTORS && `the open descriptors grew by ${open.toFixed(0)}`,
  ].filter((fault) => fault !== false);
  const codes = [...failures].sort(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`);
  process.stdout.write(
    `${operations} operations; failures: ${codes.join(', ')}\nfrom the first quarter on: ` +
      `heap ${(heap / 1048576).toFixed(2)} MiB, descriptors ${open.toFixed(1)}\n`,
  );
  for (const fault of faults) process.stdout.write(`LEAK: ${fault}\n`);
  return faults.length > 0 ? 1 : 0;
}
