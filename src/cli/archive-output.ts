import {
  ACTIVITY_HEADING,
  activityRow,
  ERROR_HEADING,
  errorRows,
  spreadsheetRow,
} from '../archive/record-csv.js';
import { joined, recordDocument, recordLines } from '../archive/record-json.js';
import type { ArchiveRecord } from '../archive/record.js';
import { writeCsv } from '../format/csv.js';
import { translateActivity } from '../translate/activity.js';
import type { Loss } from '../translate/loss.js';
import type { PartFile } from './part-file.js';

/** A way to write records. */
export interface RecordFormat {
  /** Whether what a later run writes can be put behind what an earlier one wrote. */
  readonly appendable: boolean;
  /**
   * The bytes or text of the records, in pieces, each good until the next is asked for. Where it is appendable, all records
   * that were taken are in a piece by the time it comes.
   */
  readonly write: (
    records: AsyncIterable<ArchiveRecord>,
    run: FormatRun,
  ) => AsyncIterable<string | Uint8Array>;
}

export interface FormatRun {
  /** What is written goes on behind what is there: without a heading. */
  readonly goesOn: boolean;
  /** Told of what the format cannot hold. */
  readonly onLoss: (loss: Loss) => void;
  /** A spreadsheet must not take a text for a formula; of CSV. */
  readonly forSpreadsheet: boolean;
}

export const RECORD_FORMATS = {
  ndjson: { appendable: true, write: recordLines },
  json: { appendable: false, write: recordDocument },
  csv: { appendable: true, write: (records, run) => writeCsv(activityRows(records, run)) },
  parquet: {
    appendable: false,
    // Parquet is asked for rarely, and its writer takes time to load.
    async *write(records) {
      const { parquetBytes } = await import('../archive/parquet.js');
      yield* parquetBytes(records);
    },
  },
  v2: {
    appendable: true,
    write: (records, { onLoss }) => joined(records, (record) => v2Line(record, onLoss)),
  },
} as const satisfies Record<string, RecordFormat>;

export type RecordFormatName = keyof typeof RECORD_FORMATS;

async function* activityRows(
  records: AsyncIterable<ArchiveRecord>,
  { goesOn, forSpreadsheet }: Omit<FormatRun, 'onLoss'>,
) {
  if (!goesOn) yield ACTIVITY_HEADING;
  const shown = forSpreadsheet ? spreadsheetRow : (row: string[]) => row;
  for await (const record of records) yield shown(activityRow(record));
}

function v2Line({ activity }: ArchiveRecord, onLoss: (loss: Loss) => void): string {
  const { counterpart, losses } = translateActivity(activity, { to: 'v2' });
  losses.forEach(onLoss);
  return `${JSON.stringify(counterpart)}\n`;
}

const ROWS_AT_ONCE = 500;

/** The table of the errors of activities, in a file of its own. */
export class ErrorTable {
  readonly file: PartFile;
  readonly #forSpreadsheet: boolean;
  #rows: (readonly string[])[];

  constructor(file: PartFile, forSpreadsheet: boolean) {
    this.file = file;
    this.#forSpreadsheet = forSpreadsheet;
    this.#rows = file.goesOn ? [] : [ERROR_HEADING];
  }

  /** The records, on their way leaving their errors in the table. */
  async *through(records: AsyncIterable<ArchiveRecord>): AsyncGenerator<ArchiveRecord> {
    for await (const record of records) {
      for (const row of errorRows(record.activity)) {
        this.#rows.push(this.#forSpreadsheet ? spreadsheetRow(row) : row);
      }
      if (this.#rows.length >= ROWS_AT_ONCE) await this.flush();
      yield record;
    }
  }

  /** Writes what was left so far. */
  async flush(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    for await (const text of writeCsv(rows)) await this.file.write(text);
  }
}

/** What was lost, in sentences, each with the number of records it was lost of. */
export function lossLines(losses: ReadonlyMap<Loss['message'], number>): string[] {
  return [...losses].map(
    ([message, records]) =>
      `${message} (${records.toLocaleString('en-US')} ${records === 1 ? 'record' : 'records'})`,
  );
}
