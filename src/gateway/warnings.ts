import type { Loss, LossCode } from '../translate/loss.js';

/** What the gateway tells of an upload beyond the losses of a translation, by its stable code. */
export const GATEWAY_WARNINGS = {
  SHEETS_LEFT_OUT: 'a spreadsheet has more than one sheet, and the first is read alone',
  LINE_BREAKS_REPLACED:
    'line breaks inside cells of a spreadsheet became blanks, so that each row stays one line',
  FILE_MALFORMED: 'the file of an export is no well-formed CSV, and is read leniently',
} as const satisfies Record<string, string>;

/** What became different, or was lost, of what an old client sent or asked for. */
export interface GatewayWarning {
  readonly code: LossCode | keyof typeof GATEWAY_WARNINGS;
  /** One sentence, without contact data: `MIDDLE NAME is not kept by v2: 312 values were left out`. */
  readonly message: string;
}

/**
 * Differences that the old client cannot see, since the gateway makes them good on the way back, or ws was no different.
 */
const UNSEEN: readonly LossCode[] = [
  'BOM_REMOVED',
  'COLUMN_ADDED',
  'COLUMN_RENAMED',
  'COLUMN_UNUSED',
  'FEW_CONTACTS',
  'FILE_TYPE_CHANGED',
  'HEADING_REMOVED',
  'LINES_MOVED',
  'LIST_RENAMED',
  'SEPARATOR_CHANGED',
  'SPLIT',
];

/**
 * The losses that matter to whom the gateway serves, in words.
 *
 * Where they are told: in the gateway's record of the activity, its events and its log, and nowhere in what an old client
 * reads. Among `Errors` they would count as rows that failed; a title, a FileName or an element of their own would be read
 * by nobody, since those clients are no longer changed, and could break those that count on the shape of an entry.
 */
export function warningsOf(losses: readonly Loss[]): readonly GatewayWarning[] {
  return losses
    .filter(({ code }) => !UNSEEN.includes(code))
    .map(({ code, place, message }) => ({ code, message: `${place}: ${message}` }));
}
