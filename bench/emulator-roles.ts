/** What bench/emulator.ts starts in processes of their own: `node emulator-roles.js <role> [argument]`. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { EmulatedAccount } from '../src/emulator/account.js';
import { createEmulator } from '../src/emulator/emulator.js';
import { createVirtualClock } from '../src/emulator/virtual-clock.js';

/** What a role tells first. */
export type Told =
  | { readonly url: string; readonly headers: Readonly<Record<string, string>> }
  | { readonly url: string }
  | LargeAccount;

export interface LargeAccount {
  readonly contacts: number;
  readonly activities: number;
  readonly figures: Readonly<Record<string, string>>;
}

const PAGE = 76;

/** 160 activities that ended; so many make a page of 60 KB. */
async function served(): Promise<Told> {
  const emulator = createEmulator({ clock: createVirtualClock(), latency: 'instant', pageSize: PAGE });
  const rows = Array.from({ length: 30 }, (_, row) =>
    row % 7 === 3 ? `customer${row}@example.com,Zoë,Test${row}` : `customer${row}@example.com,Ann,MA`,
  );
  for (let count = 0; count < 160; count++) {
    await emulator.account('joesflowers')?.create({
      activityType: 'SV_ADD',
      contacts: { text: ['Email Address,First Name,State', ...rows].join('\n') },
      lists: ['1'],
    });
  }
  const { url } = await emulator.listen();
  const authorization = `Basic ${Buffer.from('key%joesflowers:secret').toString('base64')}`;
  const page = `${url}/ws/customers/joesflowers/activities`;
  const answer = await fetch(page, { headers: { authorization } });
  if (answer.status !== 200) throw new Error(await answer.text());
  return { url: page, headers: { authorization } };
}

async function bare(file: string): Promise<Told> {
  const page = readFileSync(file);
  const server = createServer((_, response) => {
    response.writeHead(200, {
      'content-type': 'application/atom+xml;charset=UTF-8',
      'content-length': String(page.length),
    });
    response.end(page);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

async function account(contacts: number): Promise<LargeAccount> {
  const before = heap();
  const clock = createVirtualClock();
  const lists = [
    { id: '1', name: 'All' },
    { id: '2', name: 'Few' },
  ];
  const held = new EmulatedAccount({ user: 'joesflowers', lists }, { clock, latency: 'instant' });
  const figures: Record<string, string> = {};
  const uploads: number[] = [];
  for (let from = 0; from < contacts; from += 100_000) {
    const count = Math.min(100_000, contacts - from);
    const bytes = upload(from, count);
    const time = await timed(async () => {
      const { id } = await held.create({ activityType: 'SV_ADD', contacts: { bytes }, lists: ['1'] });
      await held.get(id);
    });
    if (count === 100_000) uploads.push(time);
  }
  figures['upload of 100,000 rows, ms, median'] = median(uploads).toFixed(0);
  figures['memory of the contacts, MB'] = ((heap() - before) / 1e6).toFixed(0);
  const activities = 10_000;
  for (let count = uploads.length; count < activities; count++) {
    await held.create({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['2'] });
  }
  figures['memory with the activities, MB'] = ((heap() - before) / 1e6).toFixed(0);

  const ids: string[] = [];
  for await (const { id } of held.list()) ids.push(id);
  for (const [what, after] of [
    ['first', undefined],
    ['middle', ids[activities >> 1]],
    ['last', ids[activities - PAGE - 1]],
  ] as const) {
    figures[`${what} page of the activities, µs`] = await microseconds(async () => {
      let count = 0;
      for await (const activity of held.list({ after })) if (activity.id === '' || ++count === PAGE) break;
    });
  }
  for (const [what, after] of [
    ['first', 0],
    ['middle', contacts >> 1],
    ['last', contacts - PAGE],
  ] as const) {
    figures[`${what} page of the members, µs`] = await microseconds(() => {
      let count = 0;
      for (const member of held.holdings.contacts.members('1', after)) {
        if (member.contact.number === 0 || ++count === PAGE) break;
      }
    });
  }
  figures['export of all, ms'] = (
    await timed(async () => {
      const { id } = await held.create({ activityType: 'EXPORT_CONTACTS', listId: '1', columns: ['CITY'] });
      for await (const chunk of (await held.download(id)).body) if (chunk.length === 0) break;
    })
  ).toFixed(0);
  return { contacts, activities, figures };
}

function upload(from: number, count: number): Uint8Array {
  const rows = Array.from(
    { length: count },
    (_, row) => `customer${from + row}@example.com,Ann ${row},Springfield,MA`,
  );
  return Buffer.from(['Email Address,First Name,City,State', ...rows].join('\n'));
}

async function timed(act: () => Promise<void> | void): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

/** The median of many, after some to warm up. */
async function microseconds(act: () => Promise<void> | void): Promise<string> {
  const times: number[] = [];
  for (let count = 0; count < 2000; count++) times.push(await timed(act));
  return (1000 * median(times.slice(1000))).toFixed(0);
}

function heap(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[list.length >> 1] ?? NaN;
}

const [role, argument = ''] = process.argv.slice(2);
const roles: Readonly<Record<string, () => Promise<Told>>> = {
  emulator: served,
  bare: () => bare(argument),
  account: () => account(Number(argument)),
};
const told = await roles[role ?? '']?.();
if (told !== undefined) process.send?.(told);
// Whoever asks is told how much work this process did so far, in milliseconds of all cores.
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.((user + system) / 1000);
});
