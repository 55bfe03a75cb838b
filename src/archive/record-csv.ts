import type { Activity } from '../activity/activity.js';
import type { ArchiveRecord } from './record.js';

/** The table of activities: a column for each fact that is one value, under the name that JSON gives it. */
const ACTIVITY_COLUMNS = {
  id: ({ activity }) => activity.id,
  type: ({ activity }) => activity.type,
  status: ({ activity }) => activity.status,
  errorCount: ({ activity }) => activity.errorCount,
  transactionCount: ({ activity }) => activity.transactionCount,
  insertTime: ({ activity }) => activity.insertTime,
  runStartTime: ({ activity }) => activity.runStartTime,
  runFinishTime: ({ activity }) => activity.runFinishTime,
  updated: ({ activity }) => activity.updated,
  fileName: ({ activity }) => activity.fileName,
  title: ({ activity }) => activity.title,
  editMedia: ({ activity }) => activity.editMedia,
  source: ({ position }) => position.source,
  line: ({ position }) => position.line,
  column: ({ position }) => position.column,
  byteOffset: ({ position }) => position.byteOffset,
  length: ({ position }) => position.length,
  salvaged: ({ salvaged }) => salvaged,
  problemCount: ({ problems }) => problems.length,
} as const satisfies Record<string, (record: ArchiveRecord) => string | number | boolean | Date | undefined>;

/** The heading of the table that `activityRow` makes rows of. */
export const ACTIVITY_HEADING: readonly string[] = Object.keys(ACTIVITY_COLUMNS);
/** The heading of the table that `errorRows` makes rows of. */
export const ERROR_HEADING: readonly string[] = ['activityId', 'lineNumber', 'emailAddress', 'message'];

const CELLS = Object.values(ACTIVITY_COLUMNS);

/** The row of one record; an empty cell is a fact the archive does not tell. */
export function activityRow(record: ArchiveRecord): string[] {
  return CELLS.map((valueOf) => {
    const value = valueOf(record);
    if (value === undefined) return '';
    return value instanceof Date ? value.toISOString() : String(value);
  });
}

/** A row for each error that the activity lists. */
export function errorRows({ id, errors }: Activity): string[][] {
  return errors.map(({ lineNumber, emailAddress = '', message }) => [
    id,
    lineNumber === undefined ? '' : String(lineNumber),
    emailAddress,
    message,
  ]);
}

/**
 * The row with an apostrophe before each cell that a spreadsheet would take for a formula: one that begins with = + - @,
 * a tab or a carriage return. That changes such values, of telephone numbers for one, so it is not for other programs.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
export function spreadsheetRow(row: readonly string[]): string[] {
  return row.map((cell) => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell));
}
