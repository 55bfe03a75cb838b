import type { ActivityError } from '../activity/activity.js';
import type { ArchivePosition, ArchiveProblem, ArchiveRecord } from './record.js';

/** How many characters are put together before they are handed on. */
const CHUNK = 65_536;

/** A record as JSON holds it: every field is there, and is null where the archive says nothing. Dates become ISO 8601. */
export interface RecordJson {
  readonly id: string;
  readonly type: string | null;
  readonly status: string | null;
  readonly errorCount: number;
  readonly transactionCount: number | null;
  readonly insertTime: Date | null;
  readonly runStartTime: Date | null;
  readonly runFinishTime: Date | null;
  readonly updated: Date | null;
  readonly fileName: string | null;
  readonly title: string | null;
  readonly errors: readonly {
    readonly lineNumber: number | null;
    readonly emailAddress: string | null;
    readonly message: string;
  }[];
  readonly editMedia: string | null;
  readonly position: ArchivePosition;
  readonly salvaged: boolean;
  readonly problems: readonly ArchiveProblem[];
}

/**
 * The records as NDJSON text, in pieces of whole lines: `{"kind":"activity", …}`, one record a line.
 * @see schemas/activity.schema.json
 */
export async function* recordLines(records: AsyncIterable<ArchiveRecord>): AsyncGenerator<string> {
  yield* joined(records, recordLine);
}

/** A line of NDJSON. */
export function recordLine(record: ArchiveRecord): string {
  return `${JSON.stringify({ kind: 'activity', ...recordJson(record) })}\n`;
}

/** The records as one JSON document, `{"version":1,"kind":"activities","data":[…]}`, in pieces, one record a line. */
export async function* recordDocument(records: AsyncIterable<ArchiveRecord>): AsyncGenerator<string> {
  yield* jsonDocument('activities', records, recordJson);
}

/** What `recordDocument` makes of records, of anything. */
export async function* jsonDocument<T>(
  kind: string,
  items: AsyncIterable<T>,
  jsonOf: (item: T) => unknown,
): AsyncGenerator<string> {
  let between = '\n';
  yield `{"version":1,"kind":"${kind}","data":[`;
  yield* joined(items, (item) => {
    const text = between + JSON.stringify(jsonOf(item));
    between = ',\n';
    return text;
  });
  yield '\n]}\n';
}

/**
 * The texts of the records, put together in larger pieces: each costs a call of the system further on. Where the records
 * end by an error, it comes behind the texts of all of them.
 */
export async function* joined<T>(
  records: AsyncIterable<T>,
  textOf: (record: T) => string,
): AsyncGenerator<string> {
  let text = '';
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const record of records) {
      text += textOf(record);
      if (text.length < CHUNK) continue;
      yield text;
      text = '';
    }
  } catch (error) {
    failure = { error };
  }
  if (text !== '') yield text;
  if (failure !== undefined) throw failure.error;
}

/** The record as plain data for JSON: `schemas/activity.schema.json`. */
export function recordJson({ activity, position, salvaged, problems }: ArchiveRecord): RecordJson {
  return {
    id: activity.id,
    type: activity.type ?? null,
    status: activity.status ?? null,
    errorCount: activity.errorCount,
    transactionCount: activity.transactionCount ?? null,
    insertTime: activity.insertTime ?? null,
    runStartTime: activity.runStartTime ?? null,
    runFinishTime: activity.runFinishTime ?? null,
    updated: activity.updated ?? null,
    fileName: activity.fileName ?? null,
    title: activity.title ?? null,
    errors: activity.errors.map(errorJson),
    editMedia: activity.editMedia ?? null,
    position,
    salvaged,
    problems,
  };
}

function errorJson({ lineNumber, emailAddress, message }: ActivityError): RecordJson['errors'][number] {
  return { lineNumber: lineNumber ?? null, emailAddress: emailAddress ?? null, message };
}
