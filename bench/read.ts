/**
 * How fast feeds are read, event by event, beside saxes and fast-xml-parser:
 * `npx tsx bench/read.ts [--mb 20] [--rounds 3] [--json]`. Only ratios within one run mean anything.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { feed, type FeedStyle } from './feeds.js';

/** What every reader must find: elements, and characters of text in elements without children. */
interface Found {
  elements: number;
  characters: number;
}

interface Run extends Found {
  readonly milliseconds: number;
  /** Largest resident set, MiB. */
  readonly rss: number;
}

const CHUNK = 65_536;

function eachChunk(path: string, use: (chunk: Buffer) => void): void {
  const file = openSync(path, 'r');
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer))
    use(buffer.subarray(0, read));
  closeSync(file);
}

/** Each loads its package, outside of the time that counts, and gives what reads a file. */
const READERS: Readonly<Record<string, () => Promise<(path: string) => Found>>> = {
  async 'ctct-activities'() {
    const { XmlEvent, XmlReader } = await import('../src/format/xml-reader.js');
    return (path) => {
      const reader = new XmlReader();
      const found = { elements: 0, characters: 0 };
      let leaf = false;
      let text = '';
      const drain = (): void => {
        for (;;) {
          switch (reader.read()) {
            case XmlEvent.StartElement:
              found.elements++;
              leaf = true;
              text = '';
              break;
            case XmlEvent.Text:
              if (leaf) text += reader.text;
              break;
            case XmlEvent.EndElement:
              if (leaf) found.characters += text.length;
              leaf = false;
              break;
            default:
              return;
          }
        }
      };
      eachChunk(path, (chunk) => {
        reader.push(chunk);
        drain();
      });
      reader.end();
      drain();
      return found;
    };
  },

  async saxes() {
    const { SaxesParser } = await import('saxes');
    return (path) => {
      const parser = new SaxesParser({ xmlns: true, position: false });
      const found = { elements: 0, characters: 0 };
      let leaf = false;
      let text = '';
      const take = (more: string): void => {
        if (leaf) text += more;
      };
      parser.on('opentag', () => {
        found.elements++;
        leaf = true;
        text = '';
      });
      parser.on('text', take);
      parser.on('cdata', take);
      parser.on('closetag', () => {
        if (leaf) found.characters += text.length;
        leaf = false;
      });
      parser.on('error', (error) => {
        throw error;
      });
      const decoder = new TextDecoder('utf-8', { fatal: true });
      eachChunk(path, (chunk) => parser.write(decoder.decode(chunk, { stream: true })));
      parser.write(decoder.decode()).close();
      return found;
    };
  },

  async 'fast-xml-parser'() {
    const { XMLParser } = await import('fast-xml-parser');
    return (path) => {
      const parser = new XMLParser({
        ignoreAttributes: false,
        ignoreDeclaration: true,
        parseTagValue: false,
        trimValues: false,
        htmlEntities: true,
        processEntities: { enabled: true, maxExpandedLength: Infinity },
      });
      const found = { elements: -1, characters: 0 };
      const visit = (value: unknown): void => {
        found.elements++;
        if (typeof value === 'string') found.characters += value.length;
        if (typeof value !== 'object' || value === null) return;
        const members = Object.entries(value).filter(([key]) => !key.startsWith('@_'));
        const children = members.filter(([key]) => key !== '#text');
        if (children.length === 0) for (const [, text] of members) found.characters += String(text).length;
        for (const [, child] of children)
          for (const one of Array.isArray(child) ? child : [child]) visit(one);
      };
      visit(parser.parse(readFileSync(path)));
      return found;
    };
  },
};

async function runOne(name: string, path: string): Promise<Run> {
  const load = READERS[name];
  if (load === undefined) throw new Error(`no reader ${name}`);
  const read = await load();
  const start = performance.now();
  const found = read(path);
  const milliseconds = performance.now() - start;
  return { ...found, milliseconds, rss: process.resourceUsage().maxRSS / 1024 };
}

function inFreshProcess(name: string, path: string): Run {
  const script = fileURLToPath(import.meta.url);
  const output = execFileSync(
    process.execPath,
    ['--import', 'tsx', script, '--child', name, '--file', path],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 20,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return JSON.parse(output) as Run;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

const STYLES: Readonly<Record<string, Omit<FeedStyle, 'bytes'>>> = {
  pretty: {},
  minified: { pretty: false },
  prefixed: { prefixed: true },
};

function compare(mb: number, rounds: number): Record<string, unknown>[] {
  const folder = mkdtempSync(join(tmpdir(), 'ctct-bench-'));
  try {
    return Object.entries(STYLES).flatMap(([style, options]) => {
      const path = join(folder, `${style}.xml`);
      const file = openSync(path, 'w');
      for (const piece of feed({ bytes: mb * 1e6, ...options })) writeSync(file, piece);
      closeSync(file);
      const runs = new Map<string, Run[]>(Object.keys(READERS).map((name) => [name, []]));
      for (let round = 0; round < rounds; round++) {
        for (const [name, list] of runs) list.push(inFreshProcess(name, path));
      }
      const counts = new Set(
        [...runs.values()].flat().map(({ elements, characters }) => `${elements} ${characters}`),
      );
      if (counts.size !== 1) throw new Error(`${style}: the readers differ: ${[...counts].join(', ')}`);
      const time = (name: string): number =>
        median((runs.get(name) ?? []).map(({ milliseconds }) => milliseconds));
      return [...runs].map(([name, list]) => ({
        style,
        reader: name,
        'MB/s': Number((statSync(path).size / 1000 / time(name)).toFixed(1)),
        '× fast-xml-parser': Number((time('fast-xml-parser') / time(name)).toFixed(2)),
        '× saxes': Number((time('saxes') / time(name)).toFixed(2)),
        'peak RSS, MiB': Math.round(median(list.map(({ rss }) => rss))),
      }));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { values } = parseArgs({
  options: {
    mb: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    child: { type: 'string' },
    file: { type: 'string', default: '' },
  },
});
if (values.child !== undefined) console.log(JSON.stringify(await runOne(values.child, values.file)));
else {
  const machine = `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}`;
  const date = new Date().toISOString().slice(0, 10);
  const results = compare(Number(values.mb), Number(values.rounds));
  if (values.json) console.log(JSON.stringify({ machine, date, results }, null, 2));
  else {
    console.log(`${values.mb} MB, ${machine}, ${date}`);
    console.table(results);
  }
}
