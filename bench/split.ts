/**
 * What it costs to plan and to split a contact file, beside csv-parse that only reads it:
 * `npm run bench:split -- [--rounds N] [--rows N] [--heap MB]`. Takes turns, each in a process of its own; the ratio says
 * something, the times only on this machine. `--heap` bounds the heap of the processes, to show that they need no more.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import type { MigrationInput } from '../src/migrate/planning.js';
import type { SplitUpload } from '../src/translate/split.js';

const CANDIDATES = {
  'csv-parse alone': async (path: string) => {
    const { parse } = await import('csv-parse');
    let rows = -1;
    const parser = createReadStream(path, { highWaterMark: 256 * 1024 }).pipe(parse());
    parser.on('data', () => rows++);
    await finished(parser);
    return rows;
  },
  plan: async (path: string) => {
    const { splitUpload } = await import('../src/translate/split.js');
    const { LIMITS } = await import('../src/translate/limits.js');
    const split = await splitUpload(path, { limits: LIMITS.v2Add });
    await split.close();
    return split.rows + split.duplicateCount;
  },
  'plan, and read every part': async (path: string) => {
    const { splitUpload } = await import('../src/translate/split.js');
    const { LIMITS } = await import('../src/translate/limits.js');
    return readParts(await splitUpload(path, { limits: LIMITS.v2Add }));
  },
  'the same, as multipart bodies of v2': async (path: string) => {
    const { splitUpload } = await import('../src/translate/split.js');
    const { LIMITS } = await import('../src/translate/limits.js');
    const { v2Parts } = await import('../src/translate/split-encodings.js');
    const encode = v2Parts({ purpose: 'add', as: 'multipart', lists: ['1'] });
    return readParts(await splitUpload(path, { limits: LIMITS.v2Add, encode }));
  },
  'a migration, planned': async (path: string) => {
    const { planMigration } = await import('../src/migrate/planning.js');
    const plan = await planMigration(oneUpload(path), { planFolder: dirname(path) });
    return plan.accounts
      .flatMap(({ steps }) => steps)
      .reduce((sum, step) => sum + ('file' in step ? step.rows + step.duplicates : 0), 0);
  },
} as const;
type Name = keyof typeof CANDIDATES;

/** A plan's input: the file, added to one list of one account. */
function oneUpload(file: string): MigrationInput {
  const step = { activityType: 'ADD_CONTACTS', file, origin: { kind: 'file' }, encoding: 'auto' } as const;
  return {
    accounts: [
      {
        account: 'joesflowers',
        target: { api: 'v2', apiKey: 'env:KEY', accessToken: 'env:TOKEN' },
        steps: [{ ...step, lists: ['1'], blanksEnabled: false, into: {} }],
      },
    ],
  };
}

async function readParts(split: SplitUpload): Promise<number> {
  for (const part of split.parts) {
    let bytes = 0;
    for await (const chunk of part.open()) bytes += chunk.length;
    if (bytes !== part.bytes) throw new Error(`part ${part.index} has ${bytes} bytes, not ${part.bytes}`);
  }
  await split.close();
  return split.rows + split.duplicateCount;
}

interface Measurement {
  /** Milliseconds on the clock, and of all cores. */
  readonly wall: number;
  readonly cpu: number;
  /** Largest resident set, MB. */
  readonly rss: number;
  readonly rows: number;
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    rows: { type: 'string', default: '1000000' },
    heap: { type: 'string', default: '64' },
    measure: { type: 'string' },
    file: { type: 'string' },
  },
});

if (values.measure !== undefined && values.file !== undefined) {
  console.log(JSON.stringify(await measure(values.measure as Name, values.file)));
} else {
  const folder = mkdtempSync(join(tmpdir(), 'ctct-bench-'));
  try {
    await compare(join(folder, 'contacts.csv'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function compare(path: string): Promise<void> {
  const rows = Number(values.rows);
  const bytes = await writeContacts(path, rows);
  console.log(`${cpus()[0]?.model ?? 'unknown'} × ${availableParallelism()}, Node ${process.version}`);
  console.log(
    `${rows.toLocaleString('en-US')} rows, ${(bytes / 1e6).toFixed(0)} MB, heaps of ${values.heap} MB`,
  );
  const names = Object.keys(CANDIDATES) as Name[];
  const runs = new Map<Name, Measurement[]>(names.map((name) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, list] of runs) {
      const found = inChild(name, path);
      if (found.rows !== rows) throw new Error(`${name}: ${found.rows} rows, not ${rows}`);
      list.push(found);
    }
  }
  const of = (name: Name, key: keyof Measurement) => median((runs.get(name) ?? []).map((run) => run[key]));
  for (const name of names) {
    const [wall, cpu] = [of(name, 'wall'), of(name, 'cpu')];
    console.log(
      `  ${name}: ${(wall / 1000).toFixed(2)} s, CPU ${(cpu / 1000).toFixed(2)} s, peak ${of(name, 'rss').toFixed(0)} MB; ` +
        `${(of('csv-parse alone', 'wall') / wall).toFixed(2)} times the rate of csv-parse ` +
        `(by CPU time ${(of('csv-parse alone', 'cpu') / cpu).toFixed(2)})`,
    );
  }
}

function inChild(name: Name, path: string): Measurement {
  const own = fileURLToPath(import.meta.url);
  const options = [`--max-old-space-size=${values.heap}`, '--import', 'tsx', own];
  const child = spawnSync(process.execPath, [...options, '--measure', name, '--file', path], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.status !== 0) throw new Error(`${name} ended with ${String(child.status ?? child.signal)}`);
  return JSON.parse(child.stdout) as Measurement;
}

async function measure(name: Name, path: string): Promise<Measurement> {
  const before = process.cpuUsage();
  const start = performance.now();
  const rows = await CANDIDATES[name](path);
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const peak = /^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return { wall, cpu: (user + system) / 1000, rss: Number(peak) / 1000, rows };
}

/** One address in a hundred comes twice; some cells are quoted, some have line breaks, some are not ASCII. */
async function writeContacts(path: string, rows: number): Promise<number> {
  const out = createWriteStream(path);
  let bytes = 0;
  const write = async (text: string) => {
    bytes += Buffer.byteLength(text);
    if (!out.write(text)) await once(out, 'drain');
  };
  let text = 'Email Address,First Name,Last Name,City,Company Name,Work Phone,Custom Field 1\n';
  for (let row = 0; row < rows; row++) {
    const id = row % 100 === 99 ? row - 50 : row;
    const city = row % 10 === 0 ? '"Boston, MA"' : row % 33 === 0 ? 'Zürich' : 'Springfield';
    const note = row % 50 === 0 ? '"first line\nsecond ""line"""' : 'nothing to say of this one';
    text += `person.${id}@mail.example.com,Ann${row % 97},Lee-${row % 1009},${city},Example & Sons,5555551212,${note}\n`;
    if (text.length > 1_000_000) {
      await write(text);
      text = '';
    }
  }
  await write(text);
  out.end();
  await finished(out);
  return bytes;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[sorted.length >> 1] ?? 0;
}
