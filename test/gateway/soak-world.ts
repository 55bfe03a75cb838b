import { once } from 'node:events';
import { connect } from 'node:net';
import { seededRandom } from '../../src/emulator/random.js';
import { drawFault, FAULT_NAMES, integer, pick } from '../chaos/faults.js';
import { createFaultProxy } from '../support/fault-proxy.js';
import { fastClock } from './fast-clock.js';
import { startUpstream } from './upstream.js';

/**
 * What is around a gateway in a soak: v2, the bad way to it, and old clients. `soak-world.ts <seed> <start>` tells where v2
 * listens, takes the URL of the gateway from its standard input, and ends with it.
 */
const random = seededRandom(Number(process.argv[2] ?? 1), 'soak');
const clock = fastClock(Number(process.argv[3]));
const lists = ['1', '2', '3'].map((id) => ({
  id,
  name: `List ${id}`,
  members: Array.from({ length: 300 }, (_, index) => `member-${index}@example.com`),
}));
const upstream = await startUpstream(clock, lists, { pending: [0, 500], queued: 0, running: [0, 100] });
const faults = FAULT_NAMES.filter((name) => name !== 'daily quota used up' && name !== 'redirect');
const late = (deliver: () => Promise<void>) => void deliver().catch(() => undefined);
const proxy = await createFaultProxy(
  upstream.url,
  (exchange) =>
    (random() < 0.05 ? drawFault(exchange, { random, late }, faults)?.fault : undefined) ?? { kind: 'none' },
  { now: () => clock.now() },
);
let over = false;
process.stdin.once('end', () => {
  over = true;
});
process.stdout.write(`${proxy.url}\n`);
const [told] = (await once(process.stdin, 'data')) as [Buffer];
const gateway = String(told).trim();
const account = `${gateway}/ws/customers/joesflowers`;
const authorization = `Basic ${btoa('key%joesflowers:secret')}`;

const ids: string[] = [];
const known = () => ids.at(-integer(random, 1, Math.min(20, ids.length))) ?? 'a07e1none';

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const answer = await fetch(path, {
    headers: { authorization },
    signal: AbortSignal.timeout(5_000),
    ...init,
  });
  await answer.arrayBuffer();
  return answer;
}

async function create(fields: Readonly<Record<string, string>>): Promise<void> {
  const answer = await ask(`${account}/activities`, { method: 'POST', body: new URLSearchParams(fields) });
  const id = answer.headers.get('location')?.split('/').at(-1);
  if (id !== undefined) ids.push(id);
  if (ids.length > 100) ids.shift();
}

const rows = (count: number) =>
  Array.from({ length: count }, () => `c${integer(random, 1, 3_000)}@example.com,Rome`).join('\n');
const any = () => pick(random, ['1', '2', '3']);

/** A client that goes away in the midst of its request. */
async function breakOff(): Promise<void> {
  const { hostname, port } = new URL(gateway);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(
    `POST /ws/customers/joesflowers/activities HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n` +
      'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\nactivityType=SV_ADD&data=',
  );
  await new Promise((resolve) => setTimeout(resolve, integer(random, 0, 20)));
  socket.destroy();
}

const acts: readonly (() => Promise<unknown>)[] = [
  () => create({ activityType: 'SV_ADD', data: `Email Address,City\n${rows(5)}`, lists: any() }),
  () => create({ activityType: 'SV_ADD', data: `Email Address,City\n${rows(2_000)}`, lists: any() }),
  () =>
    create({ activityType: 'REMOVE_CONTACTS_FROM_LISTS', data: `Email Address\n${rows(3)}`, lists: any() }),
  () => create({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: any() }),
  () => create({ activityType: 'EXPORT_CONTACTS', columns: 'CITY', listId: any() }),
  () => create({ activityType: 'SV_ADD', lists: '99' }),
  () => ask(`${account}/activities`),
  () => ask(`${account}/lists`),
  () => ask(`${account}/activities`, { headers: {} }),
  () => ask(`${account}/activities/${known()}`, { signal: AbortSignal.timeout(integer(random, 1, 3)) }),
  () => ask(`${account}/activities/${known()}.csv`, { method: 'HEAD' }),
  breakOff,
  ...Array.from({ length: 6 }, () => () => ask(`${account}/activities/${known()}`)),
  ...Array.from({ length: 3 }, () => () => ask(`${account}/activities/${known()}.csv`)),
];

async function client(): Promise<void> {
  while (!over) {
    await pick(random, acts)().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, integer(random, 10, 80)));
  }
}

await Promise.all([client(), client(), client()]);
await proxy.close();
await upstream.close();
