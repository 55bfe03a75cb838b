import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open as openFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { accountsOf } from '../../src/gateway/accounts.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { serve } from '../../src/http/serve.js';
import { openStore } from '../../src/store/sqlite.js';
import { descriptors, growth } from '../support/growth.js';
import { fastClock } from './fast-clock.js';

/**
 * A gateway in use for long, over bad ways: `node --expose-gc --import tsx test/gateway/soak.ts [--minutes N] [--seed S]`.
 * Looks now and then at the heap after garbage collection, at the buffers outside of it and at the open file descriptors,
 * and ends with 1 when any of them keeps growing. With `--leak` it keeps what it should let go of, so that a test sees it
 * fail. Old clients and v2 are in a process of their own, since they remember all that was ever asked of them.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    leak: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0) || globalThis.gc === undefined) {
  process.stderr.write('soak: needs --minutes above 0, and node --expose-gc\n');
  process.exit(2);
}
const gc = globalThis.gc;

/** What may be more at the end than it was after the first third; in a short one not all is loaded and warm by then. */
const MOST_HEAP = (minutes < 1 ? 12 : 6) * 1024 * 1024;
const MOST_DESCRIPTORS = 8;
const LOOKS = 20;
/** Milliseconds of the clock that activities are kept: soon there are as many as there ever will be. */
const KEPT = 5 * 60_000;

interface Look {
  readonly seconds: number;
  readonly heap: number;
  readonly descriptors: number;
}

const start = Date.now();
const clock = fastClock(start);
const folder = await mkdtemp(path.join(tmpdir(), 'ctct-gateway-soak-'));
const kept: unknown[] = [];
const world = spawn(
  process.execPath,
  ['--import', 'tsx', fileURLToPath(new URL('soak-world.ts', import.meta.url)), values.seed, String(start)],
  { stdio: ['pipe', 'pipe', 'inherit'] },
);
const ended = once(world, 'close');
try {
  process.exitCode = await soak();
} finally {
  world.kill();
  await rm(folder, { recursive: true, force: true });
}

async function soak(): Promise<number> {
  const [upstream] = (await once(world.stdout, 'data')) as [Buffer];
  const store = await openStore(path.join(folder, 'gateway.db'), { thread: true });
  let finished = 0;
  const gateway = createGateway({
    store,
    folder,
    accounts: accountsOf([
      {
        account: {
          user: 'joesflowers',
          apiKey: 'key',
          accessToken: 't0ken',
          baseUrl: String(upstream).trim(),
        },
        signIn: { basic: { password: 'secret' } },
      },
    ]),
    clock,
    limits: { perSecond: 1_000, perDay: 100_000_000 },
    timeouts: { connect: 2_000, headers: 1_000, bodyIdle: 1_000 },
    pollInterval: 1_000,
    // More are refused: what goes on does not pile up.
    maxOpen: 40,
    reconcile: { quietPeriod: 10_000 },
    onEvent: ({ event }) => {
      if (event === 'finished') finished++;
    },
  });
  await gateway.start();
  const server = await serve(gateway.fetch);
  world.stdin.write(`${server.url}\n`);

  const looks: Look[] = [];
  for (let number = 1; number <= LOOKS; number++) {
    const due = start + (minutes * 60_000 * number) / LOOKS;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - Date.now())));
    await gateway.purge({ olderThan: KEPT });
    if (values.leak)
      kept.push('x'.repeat(200_000).split(''), await openFile(path.join(folder, 'gateway.db')));
    if (values.leak) kept.push(await openFile(path.join(folder, 'gateway.db')));
    const { queued, running } = gateway.status();
    looks.push(await look(`${finished} activities done, ${queued + running} go on`));
  }
  world.stdin.end();
  await ended;
  await server.close();
  await gateway.close();
  await store.close();
  return judge(looks, finished);
}

async function look(done: string): Promise<Look> {
  for (let times = 0; times < 3; times++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    gc();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const seen = {
    seconds: (Date.now() - start) / 1000,
    heap: heapUsed + arrayBuffers,
    descriptors: descriptors(),
  };
  process.stdout.write(
    `${seen.seconds.toFixed(1).padStart(8)} s  ${(seen.heap / 1048576).toFixed(2).padStart(8)} MiB  ` +
      `${String(seen.descriptors).padStart(4)} descriptors  ${done}\n`,
  );
  return seen;
}

function judge(looks: readonly Look[], finished: number): number {
  const warm = looks.slice(Math.floor(looks.length / 3));
  const heap = growth(warm.map(({ seconds, heap }) => [seconds, heap]));
  const open = growth(warm.map(({ seconds, descriptors }) => [seconds, descriptors]));
  const faults = [
    heap > MOST_HEAP && `the memory grew by ${(heap / 1048576).toFixed(1)} MiB`,
    open > MOST_DESCRIPTORS && `the open descriptors grew by ${open.toFixed(0)}`,
    finished === 0 && minutes >= 1 && 'no activity came to its end',
  ].filter((fault) => fault !== false);
  process.stdout.write(
    `${finished} activities done; from the first third on: memory ${(heap / 1048576).toFixed(2)} MiB, ` +
      `descriptors ${open.toFixed(1)}\n`,
  );
  for (const fault of faults) process.stdout.write(`LEAK: ${fault}\n`);
  return faults.length > 0 ? 1 : 0;
}
