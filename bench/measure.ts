/**
 * Measures one reader on one input, and prints what it found as JSON. Runs in a process of its own, started by run.ts:
 * `node measure.js <what> <reader> <file>`.
 */
import { existsSync, readFileSync } from 'node:fs';

import { CANDIDATES, FLOORS, type CandidateName, type FloorName } from './candidates.js';
import { fullChecksum, quickChecksum } from './checksum.js';

/** What a measurement tells. Times are of one file, or of one page after warm-up. */
export interface Measurement {
  /** Milliseconds on the clock. */
  readonly wall: number;
  /** Milliseconds of work of all cores, in the program and in the system. */
  readonly cpu: number;
  /** Largest resident set of the process, MB. */
  readonly rss: number;
  /** Sum over the records; '' for a floor. */
  readonly sum: string;
}

/** What to measure: a file read once, a page read over and over, all records checked in full, or a floor. */
export type What = 'file' | 'page' | 'check' | 'floor';

/** A page is read for so long before the time counts, and then for so long again. Milliseconds. */
const WARM_UP = 700;
const COUNTED = 700;

async function timed(use: () => Promise<void> | void): Promise<{ wall: number; cpu: number }> {
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  await use();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { wall, cpu: (user + system) / 1000 };
}

/** Bytes. Linux counts the parent process into maxRSS, but not into this. */
function peakMemory(): number {
  const [, peak] = existsSync(STATUS) ? (/^VmHWM:\s*(\d+) kB/m.exec(readFileSync(STATUS, 'utf8')) ?? []) : [];
  return 1024 * (peak === undefined ? process.resourceUsage().maxRSS : Number(peak));
}

const STATUS = '/proc/self/status';

async function measure(what: What, name: string, path: string): Promise<Measurement> {
  const result = (times: { wall: number; cpu: number }, sum: string): Measurement => ({
    ...times,
    rss: peakMemory() / 1e6,
    sum,
  });
  if (what === 'floor') return result(await timed(() => FLOORS[name as FloorName](path)), '');
  const candidate = await CANDIDATES[name as CandidateName]();
  if (what === 'check') {
    const checksum = fullChecksum(name === 'feedsmith');
    return result(await timed(() => candidate.file(path, checksum)), String(checksum));
  }
  if (what === 'file') {
    const checksum = quickChecksum();
    return result(await timed(() => candidate.file(path, checksum)), String(checksum));
  }
  const bytes = readFileSync(path);
  const repeat = (milliseconds: number): number => {
    let pages = 0;
    for (const start = performance.now(); performance.now() - start < milliseconds; pages++)
      candidate.page(bytes, quickChecksum());
    return pages;
  };
  repeat(WARM_UP);
  let pages = 1;
  const { wall, cpu } = await timed(() => {
    pages = repeat(COUNTED);
  });
  const checksum = quickChecksum();
  candidate.page(bytes, checksum);
  return result({ wall: wall / pages, cpu: cpu / pages }, String(checksum));
}

const [what, name = '', path = ''] = process.argv.slice(2);
console.log(JSON.stringify(await measure(what as What, name, path)));
