/**
 * A whole migration through the command line, the emulator being both sides: 5 accounts, 12 files, 500,000 contacts, some of
 * them in live lists of ws; rows that must fail; the runner killed twice by SIGKILL. By hand:
 * `tsx test/chaos/migrate-story.ts [--contacts N] [--built]`; `--built` runs dist/cli/main.js.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import Papa from 'papaparse';
import { createEmulator, type Emulator } from '../../src/emulator/emulator.js';
import { serve } from '../../src/http/serve.js';
import type { MigrationPlan } from '../../src/migrate/plan.js';
import { BAD_STATE } from '../support/migration-model.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { values: flags } = parseArgs({
  options: {
    contacts: { type: 'string', default: '500000' },
    built: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const CONTACTS = Number(flags.contacts);
/** Rows of each file: of a live list, of a table that adds, of one that removes. */
const SIZES = { live: 0.08, add: 0.11, remove: 0.025 } as const;
/** Every so many rows one fails: few enough that the service names each of a part. */
const FAILS = 1_000;
const LISTS = ['1', '2', '3'] as const;

/** What each account has in ws, and which files are sent to it besides, in their order. */
const ACCOUNTS = {
  ada: { live: ['1', '2'], uploads: ['add', 'remove'] },
  ben: { live: ['1', '2'], uploads: ['add'] },
  cam: { live: ['1'], uploads: [] },
  dot: { live: [], uploads: ['add', 'clear', 'add'] },
  eve: { live: [], uploads: ['add', 'remove'] },
} as const satisfies Record<
  string,
  { live: readonly string[]; uploads: readonly ('add' | 'remove' | 'clear')[] }
>;
type Account = keyof typeof ACCOUNTS;
const NAMES = Object.keys(ACCOUNTS) as Account[];

type Failing = readonly [account: string, file: string, line: number, address: string, message: string];

const members = new Map(
  NAMES.map((name) => [name, new Map(LISTS.map((id) => [id as string, new Set<string>()]))]),
);
const failing: Failing[] = [];
let rowCount = 0;

const folder = await mkdtemp(path.join(tmpdir(), 'ctct-migrate-story-'));
const say = (text: string) => process.stdout.write(`${text}\n`);
const started = performance.now();
const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;

const optedOut = (account: string) => [5, 77].map((index) => liveAddress(account, '1', index));
const source = createEmulator({ accounts: NAMES.map(sourceAccount), latency: 'instant' });
const target = createEmulator({
  accounts: NAMES.map(targetAccount),
  latency: { pending: 100, queued: 50, running: 300 },
});
/** What arrived of each part, by its name. */
const taken = new Map<string, number>();
let onTaken: () => void = () => undefined;
const ws = await source.listen();
const v2 = await serve(async (request) => {
  if (request.method !== 'POST') return target.fetch(request);
  const body = Buffer.from(await request.arrayBuffer());
  const { url, headers } = request;
  const answer = await target.fetch(new Request(url, { method: 'POST', headers, body }));
  const name = /filename="([^"]*)"/.exec(body.toString('latin1', 0, 2000))?.[1];
  if (answer.status === 201 && name !== undefined) {
    taken.set(name, (taken.get(name) ?? 0) + 1);
    onTaken();
  }
  return answer;
});

try {
  await tell();
} finally {
  await v2.close();
  await source.close();
  await target.close();
  if (flags.keep) say(`kept: ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}

async function tell(): Promise<void> {
  await writeTables();
  const planned = await cli(
    'migrate',
    'plan',
    '--accounts',
    'accounts.csv',
    '--uploads',
    'uploads.csv',
    '--from-ws',
  );
  const plan = JSON.parse(await readFile(path.join(folder, 'plan.json'), 'utf8')) as MigrationPlan;
  await compute(plan);
  const parts = plan.accounts.flatMap(({ steps }) => steps.flatMap((step) => [...step.parts]));
  const files = plan.accounts.flatMap(({ steps }) => steps.filter((step) => 'file' in step));
  say(
    `planned (exit ${planned}): ${plan.accounts.length} accounts, ${files.length} files, ${parts.length} parts, ` +
      `${rowCount.toLocaleString('en-US')} rows, ${failing.length} of them to fail; ${seconds()}`,
  );
  const losses = plan.losses.flatMap(({ code }) => ['--accept', code]);
  const run = ['migrate', 'run', 'plan.json', ...losses];
  await killedAt(Math.ceil(parts.length / 4), 0, run);
  await killedAt(Math.ceil(parts.length / 3), 150, run);
  const ran = await cli(...run);
  say(`run to its end (exit ${ran}); ${seconds()}`);
  const reported = await cli(
    'migrate',
    'report',
    'plan.json',
    '--failing-rows',
    'again',
    '--html',
    'report.html',
  );
  const page = (await readFile(path.join(folder, 'report.html'))).length;
  say(`reported (exit ${reported}), ${page.toLocaleString('en-US')} bytes of HTML; ${seconds()}`);

  check(
    'each part was taken once',
    [...taken.values()].every((count) => count === 1) && taken.size === parts.length - 1,
  );
  for (const name of NAMES) {
    for (const list of LISTS) {
      const found = addressesOf(target, name, list);
      const expected = [...(members.get(name)?.get(list) ?? [])].sort();
      check(`members of list ${list} of ${name}: ${found.length}`, isDeepStrictEqual(found, expected));
    }
  }
  const rows = await readTable('again/failing-rows.csv');
  const found = rows.map((row): Failing => [
    ...([row.account ?? '', path.basename(row.file ?? '')] as const),
    ...([Number(row.line), row.emailAddress ?? '', row.message ?? ''] as const),
  ]);
  check(
    `failing-rows.csv has the ${failing.length} rows`,
    isDeepStrictEqual(found.sort(byPlace), [...failing].sort(byPlace)),
  );
}

function check(what: string, holds: boolean): void {
  say(`${holds ? 'ok  ' : 'NOT '} ${what}`);
  if (!holds) process.exitCode = 1;
}

function byPlace(one: Failing, other: Failing): number {
  const [left, right] = [one, other].map((row) => JSON.stringify(row));
  return (left ?? '') < (right ?? '') ? -1 : 1;
}

// The two sides.

function liveAddress(account: string, list: string, index: number): string {
  return `${account}.live${list}.${index}@mail.example.com`;
}

function sourceAccount(user: Account) {
  const lists = LISTS.map((id) => ({
    id,
    name: `List ${id}`,
    members: (ACCOUNTS[user].live as readonly string[]).includes(id)
      ? Array.from({ length: CONTACTS * SIZES.live }, (_, index) => ({
          emailAddress: liveAddress(user, id, index),
          firstName: `Ann ${index}`,
        }))
      : [],
  }));
  return { user, credentials: { apiKey: 'ws-key', password: `ws-${user}` }, lists };
}

function targetAccount(user: Account) {
  const lists = LISTS.map((id) => {
    const known = [`before${id}@example.com`, liveAddress(user, id, 3)];
    for (const address of known) members.get(user)?.get(id)?.add(address);
    return { id, name: `List ${id}`, members: known };
  });
  return {
    ...{ user, lists, doNotMail: optedOut(user) },
    credentials: { apiKey: 'v2-key', accessToken: `v2-${user}` },
  };
}

function addressesOf(emulator: Emulator, user: string, list: string): string[] {
  const { contacts } = emulator.account(user)!.holdings;
  return [...contacts.members(list)].map(({ contact }) => contact.address.toLowerCase()).sort();
}

// The files, and what must come of them.

interface Row {
  readonly address: string;
  readonly name: string;
  readonly state: string;
}

function rowOf(account: string, number: number, index: number): Row {
  const own = `${account}.file${number}.${index}@mail.example.com`;
  if (index % FAILS === 500)
    return { address: `no address ${account} ${number} ${index}`, name: 'x', state: '' };
  if (index % FAILS === 700) return { address: own, name: 'x', state: BAD_STATE };
  // The row of 37 before, in other letters.
  if (index % 100 === 99) {
    return {
      address: own.replace(String(index), String(index - 37)).toUpperCase(),
      name: 'again',
      state: 'MA',
    };
  }
  return { address: own, name: index % 50 === 0 ? '"Ann\nof two ""lines"""' : `Ann ${index}`, state: 'MA' };
}

async function writeUpload(account: string, number: number, kind: 'add' | 'remove'): Promise<void> {
  const out = createWriteStream(path.join(folder, `${account}-${number}.csv`));
  let text = 'Email Address,First Name,State\n';
  for (let index = 0; index < CONTACTS * SIZES[kind]; index++) {
    // Removed is what was added from the first file.
    const { address, name, state } = rowOf(account, kind === 'remove' ? 1 : number, index);
    text += `${address},${name},${state}\n`;
    if (text.length < 100_000) continue;
    if (!out.write(text)) await once(out, 'drain');
    text = '';
  }
  out.end(text);
  await finished(out);
}

async function writeTables(): Promise<void> {
  const accounts = ['account,api_key,access_token,source_api_key,source_password,base_url,source_base_url'];
  const uploads = ['account,activityType,file,lists'];
  for (const name of NAMES) {
    accounts.push(`${name},env:V2_KEY,env:V2_${name},env:WS_KEY,env:WS_${name},${v2.url},${ws.url}`);
    let number = 0;
    for (const kind of ACCOUNTS[name].uploads) {
      if (kind === 'clear') uploads.push(`${name},CLEAR_CONTACTS_FROM_LISTS,,1`);
      else {
        await writeUpload(name, ++number, kind);
        const type = kind === 'add' ? 'ADD_CONTACTS' : 'REMOVE_CONTACTS_FROM_LISTS';
        uploads.push(`${name},${type},${name}-${number}.csv,${kind === 'add' ? '1 3' : '3'}`);
      }
    }
  }
  await writeFile(path.join(folder, 'accounts.csv'), `${accounts.join('\n')}\n`);
  await writeFile(path.join(folder, 'uploads.csv'), `${uploads.join('\n')}\n`);
}

/** What the plan must come to, by the files alone. */
async function compute({ accounts }: MigrationPlan): Promise<void> {
  for (const { account, steps } of accounts) {
    const lists = members.get(account as Account);
    for (const step of steps) {
      if (!('file' in step)) {
        for (const list of step.lists) lists?.get(list)?.clear();
        continue;
      }
      const adds = step.activityType === 'ADD_CONTACTS';
      const out = new Set(optedOut(account));
      const last = new Map<string, { line: number; address: string; state: string }>();
      let line = 2;
      for (const row of await readTable(step.file)) {
        const address = row['Email Address'] ?? '';
        last.set(address.toLowerCase(), { line, address, state: row.State ?? '' });
        line += Object.values(row).join('').split('\n').length;
        rowCount++;
      }
      for (const [key, { line: at, address, state }] of last) {
        const why = key.includes(' ')
          ? 'Invalid email'
          : adds && state === BAD_STATE
            ? 'Invalid state'
            : adds && out.has(key)
              ? 'Contact is on the do-not-mail list'
              : undefined;
        if (why !== undefined) failing.push([account, path.basename(step.file), at, address, why]);
        else for (const list of step.lists) lists?.get(list)?.[adds ? 'add' : 'delete'](key);
      }
    }
  }
}

async function readTable(file: string): Promise<Record<string, string | undefined>[]> {
  const text = await readFile(path.resolve(folder, file), 'utf8');
  return Papa.parse<Record<string, string | undefined>>(text.trimEnd(), { header: true }).data;
}

// The command line.

function start(args: readonly string[], errors: 'inherit' | 'ignore'): ChildProcess {
  const script = flags.built
    ? [path.join(ROOT, 'dist/cli/main.js')]
    : ['--import', import.meta.resolve('tsx'), path.join(ROOT, 'src/cli/main.ts')];
  const secrets = NAMES.flatMap((name): [string, string][] => [
    [`V2_${name}`, `v2-${name}`],
    [`WS_${name}`, `ws-${name}`],
  ]);
  const env = { ...process.env, ...Object.fromEntries(secrets), V2_KEY: 'v2-key', WS_KEY: 'ws-key' };
  return spawn(process.execPath, [...script, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', errors],
  });
}

async function cli(...args: readonly string[]): Promise<number> {
  const [code] = (await once(start(args, 'inherit'), 'close')) as [number | null];
  return code ?? -1;
}

/** Runs until so many more parts were taken, and so many milliseconds have passed. */
async function killedAt(count: number, later: number, args: readonly string[]): Promise<void> {
  const child = start(args, 'ignore');
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  const wanted = taken.size + count;
  onTaken = () => {
    if (taken.size < wanted) return;
    onTaken = () => undefined;
    if (later === 0) child.kill('SIGKILL');
    else setTimeout(() => child.kill('SIGKILL'), later);
  };
  const [, signal] = await closed;
  check(`killed when ${taken.size} parts had been taken; ${seconds()}`, signal === 'SIGKILL');
}
