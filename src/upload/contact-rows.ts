import { findColumn } from '../activity/columns.js';
import { UsageError } from '../activity/errors.js';
import type { ContactRow } from '../activity/request.js';
import { shown } from '../activity/shown.js';
import { writeCsv } from '../format/csv.js';
import type { ContactSource } from './contact-source.js';
import { gather } from './gather.js';
import { spool } from './spool.js';

/** The rows as a contact file: UTF-8, comma, LF, the heading first. */
export interface WrittenRows {
  readonly heading: readonly string[];
  readonly source: ContactSource;
  /** Rows below the heading. */
  readonly count: number;
}

/**
 * The contact file that the rows make. Its columns are `columns`, or else the keys of the first row; a column that the
 * API knows is written as the document writes it in uploads (`Email Address`), any other as it is.
 * @throws UsageError `CONTACTS_REQUIRED` when there is no row; `CONTACTS_INVALID` for a row that is no object, a column
 * that occurs twice or is not among the columns, a value that is neither text nor number.
 */
export async function writeRows(
  rows: Iterable<ContactRow> | AsyncIterable<ContactRow>,
  columns: readonly string[] | undefined,
  signal?: AbortSignal,
): Promise<WrittenRows> {
  const table = new RowTable(columns);
  const source = await spool(inBytes(writeCsv(table.cells(rows, signal))));
  if (table.count === 0) {
    throw new UsageError('CONTACTS_REQUIRED', 'rows: there is no contact; give at least one row');
  }
  return { heading: table.heading, source, count: table.count };
}

async function* inBytes(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const text of texts) yield Buffer.from(text);
}

class RowTable {
  count = 0;
  heading: string[] = [];
  /** The cell's index for each spelling of a column that was seen. */
  readonly #index = new Map<string, number>();

  constructor(columns: readonly string[] | undefined) {
    if (columns !== undefined) this.#setColumns(columns, 'columns');
  }

  async *cells(
    rows: Iterable<ContactRow> | AsyncIterable<ContactRow>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly string[]> {
    const failed = (reason: string) => `rows: reading row ${this.count + 1} failed: ${reason}`;
    for await (const row of gather(rows, failed, signal)) {
      this.count++;
      const place = `row ${this.count}`;
      const entries = Object.entries(checkRow(row, place));
      if (this.count === 1) {
        if (this.heading.length === 0)
          this.#setColumns(
            entries.map(([key]) => key),
            place,
          );
        yield this.heading;
      }
      yield this.#toCells(entries, place);
    }
  }

  #setColumns(names: readonly string[], place: string): void {
    for (const name of names) {
      const key = columnKey(name);
      const twin = this.#index.get(key);
      if (twin !== undefined) throw sameColumn(place, names[twin] ?? '', name);
      this.#index.set(key, this.heading.length);
      this.heading.push(titleOf(name));
    }
    if (this.heading.length === 0) {
      throw new UsageError('CONTACTS_INVALID', `${place}: no columns; name at least emailAddress`);
    }
  }

  #toCells(entries: readonly (readonly [string, unknown])[], place: string): string[] {
    const cells = new Array<string>(this.heading.length).fill('');
    const from = new Map<number, string>();
    for (const [key, value] of entries) {
      const index = this.#indexOf(key);
      if (index === undefined) {
        throw new UsageError(
          'CONTACTS_INVALID',
          `${place}: "${key}" is not among the columns (${this.heading.join(', ')}); ` +
            'the first row sets them, unless they are named in `columns`',
        );
      }
      const twin = from.get(index);
      if (twin !== undefined) throw sameColumn(place, twin, key);
      from.set(index, key);
      cells[index] = toText(value, place, key);
    }
    return cells;
  }

  #indexOf(key: string): number | undefined {
    const known = this.#index.get(key);
    if (known !== undefined) return known;
    const index = this.#index.get(columnKey(key));
    if (index !== undefined) this.#index.set(key, index);
    return index;
  }
}

/** One key for all spellings of a column that the API knows; another column's own name, trimmed. */
function columnKey(name: string): string {
  return findColumn(name)?.ws ?? name.trim();
}

/** `STATE/PROVINCE (US/CANADA)` as `State/Province (US/Canada)`: how the document writes columns in an upload. */
function titleOf(name: string): string {
  const column = findColumn(name);
  if (column === undefined) return name.trim();
  return column.ws.replace(/[A-Z]+/g, (word) =>
    word === 'US' ? word : word.charAt(0) + word.slice(1).toLowerCase(),
  );
}

function checkRow(row: unknown, place: string): object {
  if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row;
  throw new UsageError(
    'CONTACTS_INVALID',
    `${place}: must be an object such as { emailAddress: 'ann@example.com', firstName: 'Ann' }, got ${shown(row)}`,
  );
}

function toText(value: unknown, place: string, key: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value !== 'string') {
    throw new UsageError(
      'CONTACTS_INVALID',
      `${place}: "${key}" must be text or a number, got ${shown(value)}`,
    );
  }
  if (/\p{Surrogate}/u.test(value)) {
    throw new UsageError(
      'CONTACTS_INVALID',
      `${place}: "${key}" holds half of a surrogate pair, which cannot be sent; was the text cut in a character?`,
    );
  }
  return value;
}

function sameColumn(place: string, one: string, other: string): UsageError {
  return new UsageError(
    'CONTACTS_INVALID',
    one === other
      ? `${place}: the column "${one}" is named twice; name it once`
      : `${place}: "${one}" and "${other}" are the same column; give one of them`,
  );
}
