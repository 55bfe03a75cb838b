/** What bench/gateway.ts starts in processes of their own: `node gateway-roles.js <role> [arguments]`. */
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { createEmulator } from '../src/emulator/emulator.js';
import { accountsOf } from '../src/gateway/accounts.js';
import { createGateway } from '../src/gateway/gateway.js';
import { serve } from '../src/http/serve.js';
import { openStore } from '../src/store/sqlite.js';
import { clients, type ClientTask } from './gateway-clients.js';

/** What a role tells of itself, whenever it is asked. */
export interface Told {
  readonly url: string;
  /** Work so far, milliseconds of all cores. */
  readonly cpu: number;
  /** Largest resident set so far, bytes. */
  readonly rss: number;
  /** The longest that the event loop was held up since it was asked last, milliseconds. */
  readonly held: number;
  /** Calls of v2 that left so far, and the most of them within any second. Only of the gateway. */
  readonly calls: number;
  readonly burst: number;
}

/** The emulated v2. */
async function upstream(): Promise<() => Told> {
  const lists = Array.from({ length: 40 }, (_, index) => ({
    id: String(index + 1),
    name: `List ${index + 1}`,
  }));
  const emulator = createEmulator({
    accounts: [{ user: 'joesflowers', lists, credentials: { accessToken: 't0ken' } }],
    latency: { pending: [1_000, 3_000], queued: [1_000, 3_000], running: [500, 1_500] },
    journalSize: 1,
  });
  const server = await serve((request) => emulator.fetch(request));
  return () => self(server.url);
}

/** The gateway as it is by default, its store in a folder. */
async function gateway(baseUrl: string, folder: string): Promise<() => Told> {
  const store = await openStore(join(folder, 'gateway.db'), { thread: true });
  const made = createGateway({
    store,
    folder,
    accounts: accountsOf([
      {
        account: { user: 'joesflowers', apiKey: 'key', accessToken: 't0ken', baseUrl },
        signIn: { basic: { password: 'secret' } },
      },
    ]),
  });
  await made.start();
  const server = await serve(made.fetch);
  const times: number[] = [];
  // When each begins on its connection: a busy v2 would find several at once.
  subscribe('undici:client:sendHeaders', () => times.push(performance.now()));
  return () => ({ ...self(server.url), calls: times.length, burst: mostWithin(times, 1000) });
}

/** A server of node:http that has one answer, and takes whatever it is sent. */
async function bare(file: string): Promise<() => Told> {
  const page = readFileSync(file);
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      request.resume().once('end', () => response.writeHead(201, { location: '/' }).end());
      return;
    }
    response.writeHead(200, {
      'content-type': 'application/atom+xml',
      'content-length': String(page.length),
    });
    response.end(page);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return () => self(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

function self(url: string): Told {
  const { user, system } = process.cpuUsage();
  const held = delay.max / 1e6;
  delay.reset();
  const rss = process.resourceUsage().maxRSS * 1024;
  return { url, cpu: (user + system) / 1000, rss, held, calls: 0, burst: 0 };
}

function mostWithin(ascending: readonly number[], milliseconds: number): number {
  let most = 0;
  let first = 0;
  for (const [index, time] of ascending.entries()) {
    while ((ascending[first] ?? time) <= time - milliseconds) first++;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

const [role = '', one = '', other = ''] = process.argv.slice(2);
if (role === 'clients') {
  const act = clients();
  process.on('message', (task) => {
    act(task as ClientTask).then(
      (done) => process.send?.(done ?? null),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  });
  process.send?.(self(''));
} else {
  const servers: Readonly<Record<string, () => Promise<() => Told>>> = {
    upstream,
    gateway: () => gateway(one, other),
    bare: () => bare(one),
  };
  const tell = await servers[role]?.();
  process.on('message', () => process.send?.(tell?.()));
  process.send?.(tell?.());
}
// Whoever asked is no more.
process.on('disconnect', () => process.exit());
