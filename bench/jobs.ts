/**
 * What `--jobs 2` gains over `--jobs 1`: `npm run bench:jobs -- [--rounds N] [--mb N] [path…]`. Without a path, one feed
 * of 1 GB is written and read. Only the ratio by the clock on an idle machine says something; those of CPU time tell
 * what sharing the work costs, and what two idle cores would make of it at best.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { compile } from './compile.js';
import { feedFile } from './inputs.js';

const COMMANDS = [
  ['archive', 'read', '--output', 'ndjson'],
  ['archive', 'stats', '--output', 'json'],
] as const;
const JOBS = ['1', '2'] as const;

/** Told by the process itself when it ends: the operating system would add what started it. */
const USAGE = `
import { existsSync, readFileSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
if (isMainThread) process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const peak = /^VmHWM:\\s*(\\d+) kB/m.exec(status)?.[1] ?? maxRSS;
  writeSync(3, JSON.stringify({ cpu: (userCPUTime + systemCPUTime) / 1000, rss: Number(peak) / 1000 }));
});
`;

interface Usage {
  /** Milliseconds on the clock, and of all cores. */
  readonly wall: number;
  readonly cpu: number;
  /** Largest resident set, MB. */
  readonly rss: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, mb: { type: 'string', default: '1000' } },
});

const main = join(compile(), 'src/cli/main.js');
const folder = mkdtempSync(join(tmpdir(), 'ctct-bench-'));
try {
  const hook = join(folder, 'usage.mjs');
  writeFileSync(hook, USAGE);
  const paths =
    positionals.length > 0 ? positionals : [feedFile(folder, 'pretty', Number(values.mb) * 1e6).path];
  console.log(`${cpus()[0]?.model ?? 'unknown'} × ${availableParallelism()}, Node ${process.version}`);
  for (const command of COMMANDS) compare(command, paths, hook);
} finally {
  rmSync(folder, { recursive: true });
}

/** Takes turns, so that what slows the machine down for a while slows all of them down. */
function compare(command: readonly string[], paths: readonly string[], hook: string): void {
  const runs = new Map<string, Usage[]>(JOBS.map((jobs) => [jobs, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [jobs, list] of runs) list.push(measure([...command, ...paths, '--jobs', jobs], hook));
  }
  const of = (jobs: string, key: keyof Usage): number =>
    median((runs.get(jobs) ?? []).map((usage) => usage[key]));
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(2);
  console.log(`\n${command.join(' ')}`);
  for (const jobs of JOBS) {
    console.log(
      `  --jobs ${jobs}: ${seconds(of(jobs, 'wall'))} s, CPU ${seconds(of(jobs, 'cpu'))} s, ` +
        `peak ${of(jobs, 'rss').toFixed(0)} MB`,
    );
  }
  const [one, two] = JOBS;
  const byCpu = (2 * of(one, 'cpu')) / of(two, 'cpu');
  console.log(
    `  --jobs 2 is ${(of(one, 'wall') / of(two, 'wall')).toFixed(2)} times as fast by the clock; ` +
      `by CPU time it could be ${byCpu.toFixed(2)} times`,
  );
}

function measure(argv: readonly string[], hook: string): Usage {
  const begun = performance.now();
  const { status, output } = spawnSync(process.execPath, ['--import', hook, main, ...argv, '--quiet'], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
  });
  const wall = performance.now() - begun;
  // 3: there were problems in what was read.
  if (status !== 0 && status !== 3) throw new Error(`ctct ${argv.join(' ')} ended with ${status}`);
  return { wall, ...(JSON.parse(output[3] ?? '') as Omit<Usage, 'wall'>) };
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[list.length >> 1] ?? NaN;
}
