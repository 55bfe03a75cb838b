/**
 * How fast the emulator answers, beside a bare node:http server that gives the same bytes, and what a large account costs:
 * `npm run bench:emulator`.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { compile } from './compile.js';
import { hammer, type HammerOptions } from './emulator-load.js';
import type { LargeAccount, Told } from './emulator-roles.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '8' },
    contacts: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false },
  },
});

const compiled = compile();
const folder = mkdtempSync(join(tmpdir(), 'ctct-bench-'));
const children = new Set<ChildProcess>();

/** Starts a role of emulator-roles.ts in a process of its own, and waits for what it tells first. */
function start(role: string, ...args: string[]): Promise<{ child: ChildProcess; told: Told }> {
  const script = join(compiled, 'bench/emulator-roles.js');
  const child = fork(script, [role, ...args], { execArgv: ['--max-old-space-size=4096', '--expose-gc'] });
  children.add(child);
  return new Promise((resolve, reject) => {
    child.once('message', (told) => resolve({ child, told: told as Told }));
    child.once('exit', (code) => reject(new Error(`${role} ended with code ${code}`)));
  });
}

function stop(child: ChildProcess): void {
  children.delete(child);
  child.removeAllListeners('exit');
  child.kill();
}

/** What a server did in one turn. */
interface Turn {
  /** Answers a second. */
  readonly rate: number;
  /** Milliseconds of work of the server for each answer. */
  readonly cpu: number;
}

async function turn(child: ChildProcess, options: HammerOptions): Promise<Turn> {
  const before = await cpuOf(child);
  const { answers, seconds } = await hammer(options);
  return { rate: answers / seconds, cpu: ((await cpuOf(child)) - before) / answers };
}

function cpuOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('message', (milliseconds) => resolve(Number(milliseconds)));
    child.send('cpu');
  });
}

async function pages() {
  const emulator = await start('emulator');
  const { url, headers } = emulator.told as { url: string; headers: Record<string, string> };
  const page = Buffer.from(await (await fetch(url, { headers })).arrayBuffer());
  const file = join(folder, 'page.xml');
  writeFileSync(file, page);
  const bare = await start('bare', file);
  const bareUrl = (bare.told as { url: string }).url;

  const load = {
    headers,
    connections: Number(values.connections),
    milliseconds: Number(values.seconds) * 1000,
  };
  const turns: Record<'emulator' | 'bare', Turn>[] = [];
  // The first round is to warm up.
  for (let round = 0; round <= Number(values.rounds); round++) {
    turns.push({
      bare: await turn(bare.child, { url: bareUrl, ...load }),
      emulator: await turn(emulator.child, { url, ...load }),
    });
  }
  stop(emulator.child);
  stop(bare.child);
  const counted = turns.slice(1);
  const of = (pick: (round: (typeof turns)[number]) => number) => median(counted.map(pick));
  return {
    bytes: page.length,
    emulator: { rate: of(({ emulator }) => emulator.rate), cpu: of(({ emulator }) => emulator.cpu) },
    bare: { rate: of(({ bare }) => bare.rate), cpu: of(({ bare }) => bare.cpu) },
    ratio: of(({ emulator, bare }) => emulator.rate / bare.rate),
    ratioByCpu: of(({ emulator, bare }) => bare.cpu / emulator.cpu),
  };
}

async function largeAccount(): Promise<LargeAccount> {
  const { child, told } = await start('account', values.contacts);
  stop(child);
  return told as LargeAccount;
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[list.length >> 1] ?? NaN;
}

try {
  const report = {
    machine: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}`,
    date: new Date().toISOString().slice(0, 10),
    pages: await pages(),
    account: await largeAccount(),
  };
  if (values.json) {
    console.log(JSON.stringify(report, null, 2));
  } else {
    const { pages, account } = report;
    const whole = (n: number) => Math.round(n).toLocaleString('en-US');
    console.log(`${report.machine}, ${report.date}\n`);
    console.log(`Feed pages of ${whole(pages.bytes)} bytes, ${values.connections} connections`);
    for (const [name, { rate, cpu }] of [
      ['emulator ', pages.emulator],
      ['node:http', pages.bare],
    ] as const) {
      console.log(`  ${name}  ${whole(rate).padStart(7)} a second  ${cpu.toFixed(3)} ms of work each`);
    }
    console.log(`  ratio      ${pages.ratio.toFixed(2)}, by work ${pages.ratioByCpu.toFixed(2)}\n`);
    console.log(
      `An account with ${whole(account.contacts)} contacts and ${whole(account.activities)} activities`,
    );
    for (const [what, figure] of Object.entries(account.figures))
      console.log(`  ${what.padEnd(44)} ${figure}`);
  }
} finally {
  for (const child of children) stop(child);
  rmSync(folder, { recursive: true });
}
