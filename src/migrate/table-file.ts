import { readFile } from 'node:fs/promises';
import { DecodeError, UsageError } from '../activity/errors.js';
import { similarField } from '../activity/fields.js';
import { readCsv } from '../format/csv.js';
import { whyUnreadable } from '../http/secret.js';

/** One row of a table that a person made. */
export interface TableRow<C extends string> {
  readonly line: number;
  /** Trimmed; empty where the table has no such column. */
  readonly cells: Readonly<Record<C, string>>;
  /** What errors call a cell: `accounts.csv:3: api_key`. */
  place(column: C): string;
}

/** What is wrong at a place of such a table. */
export function invalidCell(place: string, message: string): UsageError {
  return new UsageError('CONFIG_INVALID', `${place}: ${message}`);
}

/**
 * The rows of a small CSV file: accounts, uploads, lists. Its columns may be in any order, their names in any case and with
 * blanks or hyphens for `_`; between its cells stand commas, tabs, or semicolons. Nothing of what stands in it is shown in errors, since it may be a secret.
 * @throws UsageError `FILE_UNREADABLE`; `CONFIG_INVALID` for what is no such table, or has columns that nobody knows.
 */
export async function readTable<C extends string>(
  path: string,
  columns: readonly C[],
  required: readonly C[],
): Promise<readonly TableRow<C>[]> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new UsageError('FILE_UNREADABLE', `${path}: cannot be read (${whyUnreadable(error)})`, {
      cause: error,
    });
  });
  const rows: TableRow<C>[] = [];
  let heading: readonly C[] | undefined;
  try {
    for await (const { line, cells } of readCsv(bytes, { delimiter: delimiterOf(bytes) })) {
      if (cells.every((cell) => cell.trim() === '')) continue;
      if (heading === undefined) heading = readHeading(cells, columns, required, `${path}:${line}`);
      else rows.push(rowOf(path, line, cells, heading, columns));
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new UsageError('CONFIG_INVALID', `${path}: ${error.message}`, { cause: error });
  }
  if (rows.length > 0) return rows;
  throw new UsageError(
    'CONFIG_INVALID',
    heading === undefined
      ? `${path}: is empty; its first line must name the columns: ${columns.join(', ')}`
      : `${path}: there is no row under the heading`,
  );
}

/** Spreadsheets of many countries put semicolons between cells. */
function delimiterOf(bytes: Buffer): ';' | 'auto' {
  const [line = ''] = /[^\r\n]+/.exec(bytes.toString('latin1', 0, 65_536)) ?? [];
  return /^[^,\t]*;[^,\t]*$/.test(line) ? ';' : 'auto';
}

function rowOf<C extends string>(
  path: string,
  line: number,
  cells: readonly string[],
  heading: readonly C[],
  columns: readonly C[],
): TableRow<C> {
  const texts = new Map(heading.map((column, index) => [column, (cells[index] ?? '').trim()]));
  return {
    line,
    cells: Object.fromEntries(columns.map((column) => [column, texts.get(column) ?? ''])) as Record<
      C,
      string
    >,
    place: (column) => `${path}:${line}: ${column}`,
  };
}

function readHeading<C extends string>(
  cells: readonly string[],
  columns: readonly C[],
  required: readonly C[],
  place: string,
): readonly C[] {
  const heading = cells.map((cell, index) => {
    const found = columns.find((column) => columnKey(column) === columnKey(cell));
    if (found !== undefined) return found;
    const similar = similarField(cell, columns);
    const hint = similar === undefined ? `there are ${columns.join(', ')}` : `did you mean ${similar}?`;
    throw new UsageError(
      'CONFIG_INVALID',
      `${place}: column ${index + 1} has a name that is not known here; ${hint}`,
    );
  });
  const twice = heading.find((column, index) => heading.indexOf(column) < index);
  if (twice !== undefined) throw new UsageError('CONFIG_INVALID', `${place}: there are two columns ${twice}`);
  const missing = required.filter((column) => !heading.includes(column));
  if (missing.length === 0) return heading;
  throw new UsageError(
    'CONFIG_INVALID',
    `${place}: ${missing.join(', ')}: there is no such column, and it is needed`,
  );
}

function columnKey(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, '');
}
