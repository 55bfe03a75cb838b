import { KEY_LENGTH } from './buckets.js';
import { cutText } from './own-text.js';
import type { ArchiveRecord } from './record.js';
import { showCount, showDuration, showMinute, showNumber, showSecond } from './report-format.js';
import { foreign, markup, NOTHING, type Markup } from '../format/markup.js';

/** UTF-16 units of a text in the table; what is longer is cut. */
const TEXT_LENGTH = 160;
/** Error messages shown of one activity. */
const MESSAGES_SHOWN = 3;

/** What the table tells of one activity. */
export interface Row {
  readonly id: string;
  /** Empty for none, as are status and fileName. */
  readonly type: string;
  readonly status: string;
  readonly insertTime: Date | undefined;
  readonly runStartTime: Date | undefined;
  readonly runFinishTime: Date | undefined;
  readonly updated: Date | undefined;
  readonly fileName: string;
  readonly processed: number | undefined;
  readonly errors: number;
  readonly messages: readonly { readonly line: number | undefined; readonly text: string }[];
  readonly source: string;
  readonly line: number;
  readonly byteOffset: number;
  readonly salvaged: boolean;
}

/** The newest activities by insertTime, else updated; of those of one time, the ones read last. */
export class NewestRows {
  readonly #limit: number;
  /** Each row as one text: objects of so many fields take twice the memory, and most rows are let go of again. */
  #rows: { readonly text: string; readonly time: number; readonly order: number }[] = [];
  #added = 0;
  /** Time of the oldest row that is kept, once there are more than `limit`. */
  #oldest = -Infinity;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(record: ArchiveRecord): void {
    const { insertTime, updated } = record.activity;
    const time = (insertTime ?? updated)?.getTime() ?? -Infinity;
    const order = this.#added++;
    if (time < this.#oldest) return;
    this.#rows.push({ text: rowText(record), time, order });
    // Sorting once in a while is as cheap as a heap, and half as long.
    if (this.#rows.length >= 2 * this.#limit + 100) this.#cut();
  }

  /** Newest first. */
  rows(): Row[] {
    this.#cut();
    return this.#rows.map(({ text }) => rowOf(text));
  }

  #cut(): void {
    this.#rows.sort((a, b) => (a.time === b.time ? b.order - a.order : a.time < b.time ? 1 : -1));
    this.#rows.length = Math.min(this.#rows.length, this.#limit);
    if (this.#rows.length === this.#limit) this.#oldest = this.#rows.at(-1)?.time ?? Infinity;
  }
}

/** A row as JSON, which shares no memory with the record. */
type RowJson = { readonly [K in keyof Row]: Date extends Row[K] ? string | undefined : Row[K] };

function rowText({ activity, position, salvaged }: ArchiveRecord): string {
  const cut = (text: string, length = TEXT_LENGTH) => cutText(text, length);
  const { type = '', status = '', fileName = '' } = activity;
  return JSON.stringify({
    id: cut(activity.id),
    type: cut(type, KEY_LENGTH),
    status: cut(status, KEY_LENGTH),
    insertTime: activity.insertTime?.toISOString(),
    runStartTime: activity.runStartTime?.toISOString(),
    runFinishTime: activity.runFinishTime?.toISOString(),
    updated: activity.updated?.toISOString(),
    fileName: cut(fileName),
    processed: activity.transactionCount,
    errors: activity.errorCount,
    messages: activity.errors
      .slice(0, MESSAGES_SHOWN)
      .map(({ lineNumber, message }) => ({ line: lineNumber, text: cut(message) })),
    source: cut(position.source),
    line: position.line,
    byteOffset: position.byteOffset,
    salvaged,
  } satisfies RowJson);
}

function rowOf(text: string): Row {
  const { insertTime, runStartTime, runFinishTime, updated, ...row } = JSON.parse(text) as RowJson;
  const dateOf = (iso: string | undefined) => (iso === undefined ? undefined : new Date(iso));
  return {
    ...row,
    insertTime: dateOf(insertTime),
    runStartTime: dateOf(runStartTime),
    runFinishTime: dateOf(runFinishTime),
    updated: dateOf(updated),
  };
}

/** Numbers that stand for types and statuses, so that whatever these hold is no part of the page's workings. */
export type NameIndex = (name: string) => number;

/** The heading cells; `data-sort` says how the column sorts, and which way first. */
export const TABLE_HEAD: Markup = markup`<tr>
<th scope="col" data-sort="text">Activity</th>
<th scope="col" data-sort="text">Type</th>
<th scope="col" data-sort="text">Status</th>
<th scope="col" data-sort="number" aria-sort="descending">Created <small>(UTC)</small></th>
<th scope="col" data-sort="number">Run time</th>
<th scope="col" data-sort="number">Contacts</th>
<th scope="col" data-sort="number">Errors</th>
<th scope="col" data-sort="text">Where</th>
</tr>`;

/** A row of the table. `data-value` is what a cell sorts by, where that is not its text. */
export function tableRow(row: Row, typeIndex: NameIndex, statusIndex: NameIndex): Markup {
  const { insertTime, updated, runStartTime, runFinishTime } = row;
  const created = insertTime ?? updated;
  const run =
    runStartTime === undefined || runFinishTime === undefined || runFinishTime < runStartTime
      ? undefined
      : runFinishTime.getTime() - runStartTime.getTime();
  return markup`<tr data-type="${typeIndex(row.type)}" data-status="${statusIndex(row.status)}"${
    row.errors > 0 ? markup` data-errors` : NOTHING
  }><td data-value="${row.id}"><details><summary>${row.id === '' ? markup`<em>no id</em>` : foreign(row.id)}</summary>${more(row)}</details></td><td>${row.type === '' ? NOTHING : foreign(row.type)}</td><td>${status(row)}</td><td data-value="${created?.getTime()}">${
    created === undefined
      ? NOTHING
      : markup`<time datetime="${created.toISOString()}">${showMinute(created)}</time>`
  }</td><td data-value="${run}">${run === undefined ? NOTHING : showDuration(run)}</td><td data-value="${
    row.processed
  }">${row.processed === undefined ? NOTHING : showNumber(row.processed)}</td><td data-value="${row.errors}">${showNumber(
    row.errors,
  )}</td><td><bdi>${row.source}</bdi>:${row.line}</td></tr>
`;
}

function status({ status: text, salvaged }: Row): Markup {
  const tone = text === 'COMPLETE' ? ' good' : text === 'ERROR' ? ' bad' : '';
  const pill = text === '' ? NOTHING : markup`<span class="pill${tone}">${foreign(text)}</span>`;
  return salvaged ? markup`${pill} <span class="pill warn">salvaged</span>` : pill;
}

/** What opens under the id. */
function more(row: Row): Markup {
  const facts: [string, Markup | undefined][] = [
    ['Inserted', timeOf(row.insertTime)],
    ['Updated', row.insertTime === undefined ? timeOf(row.updated) : undefined],
    ['Started', timeOf(row.runStartTime)],
    ['Finished', timeOf(row.runFinishTime)],
    ['File', row.fileName === '' ? undefined : foreign(row.fileName)],
    ['Byte', markup`${showNumber(row.byteOffset)}`],
  ];
  const list = facts.map(([name, value]) =>
    value === undefined ? NOTHING : markup`<dt>${name}</dt><dd>${value}</dd>`,
  );
  const messages = row.messages.map(
    ({ line, text }) => markup`<li>${line === undefined ? '' : `Line ${line}: `}${foreign(text)}</li>`,
  );
  const rest = row.errors - row.messages.length;
  if (row.messages.length > 0 && rest > 0) {
    messages.push(markup`<li>and ${showCount(rest, 'more error', 'more errors')}</li>`);
  }
  return markup`<dl>${list}</dl>${messages.length === 0 ? NOTHING : markup`<ul>${messages}</ul>`}`;
}

function timeOf(time: Date | undefined): Markup | undefined {
  return time === undefined ? undefined : markup`${showSecond(time)}`;
}
