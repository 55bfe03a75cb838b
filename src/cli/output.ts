import { UsageError } from '../activity/errors.js';
import { similarField } from '../activity/fields.js';
import { writeCsv } from '../format/csv.js';
import type { OutStream } from './io.js';
import { displayWidth, padTo, plainText, widthOf, type Paint } from './terminal.js';

export const OUTPUT_FORMATS = ['table', 'json', 'ndjson', 'csv'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Raised when whoever read stdout has gone away (`ctct list | head -3`): nothing is left to say. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

type Cell = string | number | boolean | Date | undefined;

/** One fact of a record. */
export interface Field<T> {
  /** As JSON and CSV call it. */
  readonly name: string;
  /** As a table calls it; undefined when a table does not show it. */
  readonly heading: string | undefined;
  readonly align?: 'right';
  /** In a table that is too wide for the terminal, columns that have this go, the highest first. */
  readonly spare?: number;
  value(record: T): Cell;
  /** As a table shows it, where that differs from the value. */
  shown?(record: T, paint: Paint): string;
}

/** How records of one kind are put out. */
export interface View<T> {
  /** The kind of one record, and of several. */
  readonly kind: readonly [one: string, many: string];
  readonly fields: readonly Field<T>[];
  /** The names of what JSON holds beyond the fields: those that `more` gives. */
  readonly details?: readonly string[];
  /** What JSON holds beyond the fields. */
  more?(record: T): Readonly<Record<string, unknown>>;
  /** What a table says when there is no record. */
  readonly none: string;
}

/** The version of the envelope that `--output json` writes: `{ version, kind, data }`. */
export const ENVELOPE_VERSION = 1;

/** stdout: data, in the format asked for, and nothing else. */
export class Output {
  readonly format: OutputFormat;
  readonly #stream: OutStream;
  readonly #paint: Paint;
  readonly #fields: readonly string[];

  /** @param fields the only ones that are put out, in their order; empty: all. */
  constructor(stream: OutStream, format: OutputFormat, paint: Paint, fields: readonly string[] = []) {
    this.#stream = stream;
    this.format = format;
    this.#paint = paint;
    this.#fields = fields;
  }

  /** Whether neither a format nor fields are asked for, so that a command may choose a form of its own. */
  get isFree(): boolean {
    return this.format === 'table' && this.#fields.length === 0;
  }

  /** @throws UsageError `OPTION_INVALID` with the reason, where it is not free. */
  checkFree(why: string): void {
    if (!this.isFree) {
      throw new UsageError('OPTION_INVALID', `${this.format === 'table' ? '--fields' : '--output'}: ${why}`);
    }
  }

  /** Whether these records have all the fields that are asked for. */
  hasFields<T>(view: View<T>): boolean {
    return this.#fields.every((name) => namesOf(view).includes(name));
  }

  /** @throws UsageError `OPTION_INVALID` where these records have not all the fields that are asked for. */
  checkFields<T>(view: View<T>): void {
    chosen(view, this.#fields);
  }

  /** What JSON holds of a record, for those who write the document themselves. */
  jsonOf<T>(whole: View<T>): (record: T) => Readonly<Record<string, unknown>> {
    const view = chosen(whole, this.#fields);
    return (record) => jsonRecord(view, record);
  }

  /** Writes records, one by one where the format allows. */
  async records<T>(
    whole: View<T>,
    records: Iterable<T> | AsyncIterable<T>,
    format = this.format,
  ): Promise<void> {
    const view = chosen(whole, this.#fields);
    switch (format) {
      case 'ndjson':
        for await (const record of records) await this.#line(jsonLine(view, record));
        return;
      case 'csv':
        for await (const text of writeCsv(csvRows(view, records))) await this.raw(text);
        return;
      case 'json': {
        const data = [];
        for await (const record of records) data.push(jsonRecord(view, record));
        await this.#json(view.kind[1], data);
        return;
      }
      case 'table': {
        const all = [];
        for await (const record of records) all.push(record);
        await this.#table(view, all);
      }
    }
  }

  /** Writes one record; a table shows it as a list of its facts. */
  async record<T>(whole: View<T>, record: T): Promise<void> {
    const view = chosen(whole, this.#fields);
    if (this.format === 'json') return this.#json(view.kind[0], jsonRecord(view, record));
    if (this.format !== 'table') return this.records(whole, [record]);
    const facts = view.fields
      .map((field) => [field.heading ?? '', shownCell(field, record, this.#paint)] as const)
      .filter(([heading, text]) => heading !== '' && text !== '');
    const width = Math.max(...facts.map(([heading]) => displayWidth(heading)));
    for (const [heading, text] of facts) {
      await this.#line(`${this.#paint('bold', padTo(heading, width))}  ${text}`);
    }
  }

  /** A line for people to read, such as a blank one between two tables; with a format or fields there is none. */
  async tableLine(text: string): Promise<void> {
    if (this.isFree) await this.#line(text);
  }

  /** Bytes or text as they are. */
  async raw(chunk: string | Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(chunk, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(hasGone(error) ? new OutputClosed('stdout was closed') : error);
      });
    });
  }

  async #table<T>(view: View<T>, records: readonly T[]): Promise<void> {
    if (records.length === 0) return this.#line(this.#paint('dim', view.none));
    const columns = view.fields
      .filter((field) => field.heading !== undefined)
      .map((field) => {
        const cells = records.map((record) => shownCell(field, record, this.#paint));
        const heading = field.heading ?? '';
        return { field, heading, cells, width: Math.max(...[heading, ...cells].map(displayWidth)) };
      });
    const fitting = fitTo(widthOf(this.#stream), columns);
    const lines = (cells: readonly string[]) =>
      fitting
        .map(({ field, width }, index) => padTo(cells[index] ?? '', width, field.align))
        .join('  ')
        .trimEnd();
    await this.#line(this.#paint('bold', lines(fitting.map(({ heading }) => heading))));
    for (let row = 0; row < records.length; row++) {
      await this.#line(lines(fitting.map(({ cells }) => cells[row] ?? '')));
    }
  }

  #json(kind: string, data: unknown): Promise<void> {
    return this.#line(JSON.stringify({ version: ENVELOPE_VERSION, kind, data }, undefined, 2));
  }

  #line(text: string): Promise<void> {
    return this.raw(`${text}\n`);
  }
}

/**
 * The view with these fields only; a table shows those too that it does not show otherwise.
 * @throws UsageError `OPTION_INVALID` for a field that there is not.
 */
function chosen<T>(view: View<T>, names: readonly string[]): View<T> {
  if (names.length === 0) return view;
  const fields = names.flatMap((name): Field<T>[] => {
    const field = view.fields.find((candidate) => candidate.name === name);
    if (field !== undefined) return [{ ...field, heading: field.heading ?? field.name, spare: 0 }];
    if (view.details?.includes(name) === true) return [];
    const known = namesOf(view);
    const similar = similarField(name, known);
    throw new UsageError(
      'OPTION_INVALID',
      `--fields: ${view.kind[1]} have no "${name}"; ${similar === undefined ? `there are ${known.join(', ')}` : `did you mean ${similar}?`}`,
    );
  });
  return {
    ...view,
    fields,
    more: (record) =>
      Object.fromEntries(Object.entries(view.more?.(record) ?? {}).filter(([name]) => names.includes(name))),
  };
}

function namesOf<T>({ fields, details = [] }: View<T>): readonly string[] {
  return [...fields.map(({ name }) => name), ...details];
}

function hasGone(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');
}

function shownCell<T>(field: Field<T>, record: T, paint: Paint): string {
  if (field.shown !== undefined) return field.shown(record, paint);
  const value = field.value(record);
  if (value instanceof Date) return shownInstant(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return value.toLocaleString('en-US');
  return plainText(value ?? '');
}

/** `2008-04-29 19:36:10`, in UTC as the service tells it. */
function shownInstant(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

/** The columns without as many of the spare ones as it takes to fit. */
function fitTo<C extends { readonly width: number; readonly field: { readonly spare?: number } }>(
  terminal: number | undefined,
  columns: readonly C[],
): readonly C[] {
  const total = columns.reduce((sum, { width }) => sum + width + 2, -2);
  if (terminal === undefined || total <= terminal) return columns;
  const most = Math.max(...columns.map(({ field }) => field.spare ?? 0));
  if (most === 0) return columns;
  return fitTo(
    terminal,
    columns.filter(({ field }) => field.spare !== most),
  );
}

function jsonRecord<T>(view: View<T>, record: T): Record<string, unknown> {
  // null, not absent: a reader finds every field in every record.
  const fields = view.fields.map((field) => [field.name, field.value(record) ?? null] as const);
  return { ...Object.fromEntries(fields), ...view.more?.(record) };
}

function jsonLine<T>(view: View<T>, record: T): string {
  return JSON.stringify({ kind: view.kind[0], ...jsonRecord(view, record) });
}

async function* csvRows<T>(view: View<T>, records: Iterable<T> | AsyncIterable<T>) {
  yield view.fields.map((field) => field.name);
  for await (const record of records) {
    yield view.fields.map((field) => csvCell(field.value(record)));
  }
}

function csvCell(value: Cell): string {
  if (value === undefined) return '';
  return value instanceof Date ? value.toISOString() : String(value);
}
