/** What bench/gateway.ts starts in processes of their own: `node gateway-roles.js <role> [arguments]`. */
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

/** What a role tells of itself, whenever it is asked. */
export interface Told {
  readonly url: string;
  /** Work so far, milliseconds of all cores. */
  readonly cpu: number;
  /** Largest resident set so far, bytes. */
  readonly rss: number;
  /** The longest that the event loop was held up since it was asked last, milliseconds. */
  readonly held: number;
  /** Calls that were answered so far, and the most of them within any second. Only of v2. */
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
  const times: number[] = [];
  const server = await serve((request) => {
    times.push(performance.now());
    return emulator.fetch(request);
  });
  return () => ({ ...self(server.url), calls: times.length, burst: mostWithin(times, 1000) });
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
  return () => self(server.url);
}

/** A server of node:http that has one answer. */
async function bare(file: string): Promise<() => Told> {
  const page = readFileSync(file);
  const server = createServer((_, response) => {
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
const roles: Readonly<Record<string, () => Promise<() => Told>>> = {
  upstream,
  gateway: () => gateway(one, other),
  bare: () => bare(one),
};
const tell = await roles[role]?.();
process.on('message', () => process.send?.(tell?.()));
// Whoever asked is no more.
process.on('disconnect', () => process.exit());
process.send?.(tell?.());
