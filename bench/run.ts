/**
 * How fast stored feeds are read, beside other parsers: `npm run bench`, and bench/README.md says how to read it.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import type { CandidateName, FloorName } from './candidates.js';
import { compile } from './compile.js';
import { STYLES, type StyleName } from './feeds.js';
import { feedFile, pageFile, type Input } from './inputs.js';
import type { Measurement, What } from './measure.js';
import { judge, writeTable, type Report, type Row } from './report.js';

const OURS = 'ctct-activities';
const READERS = [
  OURS,
  'fast-xml-parser',
  'saxes',
  'sax',
  'htmlparser2',
  'feedsmith',
] as const satisfies readonly CandidateName[];
/** Hold the whole document as one string, of which Node allows 512 MB. */
const WHOLE: readonly CandidateName[] = ['fast-xml-parser', 'feedsmith'];
const FLOORS = ['the bytes, read', 'the bytes, read and decoded'] as const satisfies readonly FloorName[];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    gb: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const rounds = values.quick ? 1 : Number(values.rounds);
const LARGE = values.quick ? 60_000_000 : 200_000_000;
const SMALL = 20_000_000;

const compiled = compile();
const folder = mkdtempSync(join(tmpdir(), 'ctct-bench-'));
try {
  const report = run();
  console.log(values.json ? JSON.stringify(report, null, 2) : writeTable(report));
} finally {
  rmSync(folder, { recursive: true });
}

function run(): Report {
  const rows: Row[] = [];
  for (const style of Object.keys(STYLES) as StyleName[]) checkAll(feedFile(folder, style, SMALL));

  const page = pageFile(folder);
  rows.push(...compare('page', 'pretty', page, READERS));
  const small = feedFile(folder, 'pretty', SMALL);
  rows.push(...compare('file', 'pretty', small, READERS));
  const large = feedFile(folder, 'pretty', LARGE);
  rows.push(...compare('file', 'pretty', large, READERS), ...compare('floor', 'pretty', large, FLOORS));
  for (const style of Object.keys(STYLES) as StyleName[]) {
    if (style === 'pretty') continue;
    const input = feedFile(folder, style, LARGE);
    rows.push(...compare('file', style, input, [OURS, 'fast-xml-parser', 'saxes']));
    rmSync(input.path);
  }
  if (values.gb) {
    const huge = feedFile(folder, 'pretty', 1_000_000_000);
    const streaming = READERS.filter((name) => !WHOLE.includes(name));
    rows.push(...compare('file', 'pretty', huge, streaming));
    for (const reader of WHOLE) rows.push(unable('pretty', huge, reader));
  }
  return {
    machine: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}`,
    date: new Date().toISOString().slice(0, 10),
    rounds,
    rows,
    targets: judge(rows, OURS),
  };
}

/** Every reader must find the same records, character by character, before its time counts. */
function checkAll(input: Input): void {
  const sums = new Map(READERS.map((name) => [name, measure('check', name, input).sum]));
  for (const [name, sum] of sums) {
    // feedsmith does not look into the content of an entry.
    if (name !== 'feedsmith' && sum !== sums.get(OURS))
      throw new Error(`${name} reads other records from ${input.path}`);
  }
}

/** Each in a fresh process, taking turns, so that what slows the machine down for a while slows all of them down. */
function compare(
  what: What,
  style: StyleName,
  input: Input,
  names: readonly (CandidateName | FloorName)[],
): Row[] {
  const runs = new Map<CandidateName | FloorName, Measurement[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, list] of runs) {
      progress(`${what} ${style} ${input.bytes} bytes, round ${round + 1} of ${rounds}: ${name}`);
      list.push(measure(what, name, input));
    }
  }
  const sums = new Set(
    [...runs].filter(([name]) => name !== 'feedsmith').flatMap(([, list]) => list.map(({ sum }) => sum)),
  );
  if (sums.size > 1) throw new Error(`${input.path}: the readers differ: ${[...sums].join('; ')}`);
  const of = (name: string, key: 'wall' | 'cpu' | 'rss'): number =>
    median((runs.get(name as CandidateName) ?? []).map((measurement) => measurement[key]));
  return names.map((name) => ({
    what,
    style,
    bytes: input.bytes,
    reader: name,
    wall: of(name, 'wall'),
    cpu: of(name, 'cpu'),
    rss: of(name, 'rss'),
    faster: {
      'fast-xml-parser': of('fast-xml-parser', 'wall') / of(name, 'wall'),
      saxes: of('saxes', 'wall') / of(name, 'wall'),
    },
    fasterByCpu: {
      'fast-xml-parser': of('fast-xml-parser', 'cpu') / of(name, 'cpu'),
      saxes: of('saxes', 'cpu') / of(name, 'cpu'),
    },
    note: name === 'feedsmith' ? 'does not look into the content of entries' : undefined,
  }));
}

function unable(style: StyleName, { bytes }: Input, reader: CandidateName): Row {
  const ratios = { 'fast-xml-parser': NaN, saxes: NaN };
  const note = 'cannot: a document must fit into one string, of 512 MB at most';
  return {
    what: 'file',
    style,
    bytes,
    reader,
    wall: NaN,
    cpu: NaN,
    rss: NaN,
    faster: ratios,
    fasterByCpu: ratios,
    note,
  };
}

function measure(what: What, name: CandidateName | FloorName, { path }: Input): Measurement {
  const script = join(compiled, 'bench/measure.js');
  const options = ['--max-old-space-size=8192', script, what, name, path];
  const output = execFileSync(process.execPath, options, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output) as Measurement;
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[list.length >> 1] ?? NaN;
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
