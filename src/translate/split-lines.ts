import { addressKey } from './duplicates.js';
import type { PartEncoding } from './split-encodings.js';
import { addressOf, keptRows, type ReadText } from './split-read.js';
import type { Start } from './split-rows.js';

/** Where a row is. */
export interface PartLine {
  /** Its first line in the part, as errors count: the heading is line 1. */
  readonly line: number;
  /** How many lines of the part it has. */
  readonly lines: number;
  /** Its first line in the whole file. */
  readonly fileLine: number;
  /** As it stands in the file. */
  readonly address: string;
}

/** What is looked for in a part. */
export interface Wanted {
  readonly lines?: Iterable<number> | undefined;
  readonly addresses?: Iterable<string> | undefined;
}

/** Rows that were looked for: by the line that was asked for, and by address in lower case. */
export interface Located {
  readonly lines: ReadonlyMap<number, PartLine>;
  readonly addresses: ReadonlyMap<string, PartLine>;
}

/** Rows one behind the other: their lines in the part, and in the file, grow alike. */
export interface LineRun {
  readonly line: number;
  readonly fileLine: number;
  /** Lines of the part. */
  readonly count: number;
}

/** The rows of a part that begins at `start`. */
export async function* partLines(
  text: ReadText,
  encoding: PartEncoding,
  { start, rows: count }: { readonly start: Start; readonly rows: number },
): AsyncGenerator<PartLine> {
  let line = encoding.firstLine;
  let left = count;
  for await (const rows of keptRows(text, start)) {
    for (const row of rows) {
      const lines = row.lines === 1 ? 1 : encoding.linesOf(row);
      yield { line, lines, fileLine: row.line, address: addressOf(row, text) };
      line += lines;
      if (--left === 0) return;
    }
  }
}

/** Finds the rows in one pass over the part. */
export async function locateLines(lines: AsyncIterable<PartLine>, wanted: Wanted): Promise<Located> {
  const numbers = [...new Set(wanted.lines)].sort((one, other) => one - other);
  const keys = new Set([...(wanted.addresses ?? [])].map(addressKey));
  const byLine = new Map<number, PartLine>();
  const byAddress = new Map<string, PartLine>();
  if (numbers.length === 0 && keys.size === 0) return { lines: byLine, addresses: byAddress };
  let at = 0;
  for await (const found of lines) {
    while ((numbers[at] ?? Infinity) < found.line) at++;
    for (
      let number = numbers[at];
      number !== undefined && number < found.line + found.lines;
      number = numbers[++at]
    ) {
      byLine.set(number, found);
    }
    const key = addressKey(found.address);
    if (keys.has(key)) byAddress.set(key, found);
    if (at === numbers.length && byAddress.size === keys.size) break;
  }
  return { lines: byLine, addresses: byAddress };
}

/** The lines of a part in runs, most often a handful of them. */
export async function* lineRuns(lines: AsyncIterable<PartLine>): AsyncGenerator<LineRun> {
  let run: LineRun | undefined;
  for await (const { line, lines: count, fileLine } of lines) {
    const goesOn = run !== undefined && fileLine - run.fileLine === line - run.line;
    if (run !== undefined && goesOn) {
      run = { ...run, count: line + count - run.line };
      continue;
    }
    if (run !== undefined) yield run;
    run = { line, fileLine, count };
  }
  if (run !== undefined) yield run;
}
