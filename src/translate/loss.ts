/**
 * How much a difference matters. `loss`: something is gone, or cannot be said. `change`: it comes to the same, once the
 * code around it has changed too. `note`: good to know.
 */
export const SEVERITIES = ['loss', 'change', 'note'] as const;
/** How much a loss matters: gone, changed, or only to be known. */
export type Severity = (typeof SEVERITIES)[number];

/** Every difference that a translation tells of, by its stable code. */
export const LOSSES = {
  COLUMN_IGNORED: { severity: 'loss', meaning: 'v2 takes the column and ignores it, so it is left out' },
  COLUMN_UNKNOWN: { severity: 'loss', meaning: 'the other API has no such column, so it is left out' },
  COLUMN_TWICE: { severity: 'change', meaning: 'two columns of the same name became one' },
  COLUMN_RENAMED: { severity: 'change', meaning: 'the column has another name' },
  COLUMN_MERGED: { severity: 'change', meaning: 'the column became part of another' },
  COLUMN_ADDED: { severity: 'change', meaning: 'a column that one API implies must be named in the other' },
  COLUMN_NEW: { severity: 'change', meaning: 'a column that ws passes over is taken by v2' },
  COLUMN_UNUSED: {
    severity: 'note',
    meaning: 'a removal looks at addresses only, so the column is left out',
  },
  VALUE_CONFLICT: { severity: 'loss', meaning: 'two columns that became one have different values' },
  VALUE_REFUSED: { severity: 'loss', meaning: 'v2 refuses the value' },
  CELL_BEYOND_HEADING: { severity: 'loss', meaning: 'a cell stands under no heading, so it is left out' },
  LINES_MOVED: { severity: 'note', meaning: 'errors will name other lines than those of the file' },
  ENCODING_CHANGED: { severity: 'change', meaning: 'the text became UTF-8' },
  CHARACTER_UNREADABLE: { severity: 'loss', meaning: 'bytes that are no character became ?' },
  BOM_REMOVED: { severity: 'note', meaning: 'the byte order mark was taken away' },
  SEPARATOR_CHANGED: { severity: 'change', meaning: 'tabs between cells became commas' },
  HEADING_REMOVED: { severity: 'change', meaning: 'the file of a removal has no heading in v2' },
  TOO_LARGE: { severity: 'loss', meaning: 'the file is over the limits of one request' },
  SPLIT: { severity: 'change', meaning: 'one request became several, for the limits' },
  SHEETS_LEFT: { severity: 'loss', meaning: 'of a spreadsheet only the first sheet is read' },
  SPREADSHEET_UNREAD: { severity: 'loss', meaning: 'v2 takes no spreadsheet' },
  FEW_CONTACTS: {
    severity: 'note',
    meaning: 'the service asks that bulk calls be used for 25 contacts or more',
  },
  CONTACTS_MADE_UP: {
    severity: 'note',
    meaning: 'the journal has made-up contacts in place of the real ones',
  },
  BLANKS_IGNORED: { severity: 'loss', meaning: 'ws cannot erase by blank cells' },
  LIST_UNSUPPORTED: { severity: 'loss', meaning: 'v2 cannot name this system list' },
  LIST_RENAMED: { severity: 'change', meaning: 'the system list has another name' },
  LIST_NAME_DROPPED: { severity: 'loss', meaning: 'v2 has no column for the name of the list' },
  LIST_MISSING: { severity: 'loss', meaning: 'the target account has no list of that number' },
  LIST_NAME_DIFFERS: {
    severity: 'loss',
    meaning: 'the list of that number has another name in the target account, so it may be another list',
  },
  OPT_OUTS_LEFT: { severity: 'loss', meaning: 'v2 takes no opt-outs in bulk, so they stay behind' },
  ACTIVITY_WITHOUT_FILE: { severity: 'loss', meaning: 'nobody kept the data of the activity' },
  ACTIVITY_WITHOUT_LIST: {
    severity: 'loss',
    meaning: 'the file of the activity is there, and nothing tells which list it is of',
  },
  FILE_TYPE_CHANGED: { severity: 'change', meaning: 'exports are CSV only' },
  PARAMETER_UNUSED: { severity: 'note', meaning: 'ws itself passes over this parameter' },
  CREDENTIALS_CHANGED: { severity: 'change', meaning: 'v2 takes an API key and an OAuth 2 token' },
  PAGING_GONE: { severity: 'loss', meaning: 'v2 lists the last 50 activities, of 14 days, without pages' },
  CALL_UNSUPPORTED: { severity: 'loss', meaning: 'the call has no counterpart here' },
  TYPE_MERGED: { severity: 'loss', meaning: 'v2 has one type for all that adds' },
  TYPE_UNKNOWN: { severity: 'note', meaning: 'a type that the other API does not have was kept as it is' },
  STATUS_MERGED: { severity: 'loss', meaning: 'ws has no CANCELLED: it became ERROR' },
  STATUS_UNKNOWN: {
    severity: 'note',
    meaning: 'a status that the other API does not have was kept as it is',
  },
  UPDATED_DROPPED: { severity: 'loss', meaning: 'v2 has no time of the last change' },
  TITLE_DROPPED: { severity: 'loss', meaning: 'v2 has no title' },
  EDIT_MEDIA_DROPPED: {
    severity: 'loss',
    meaning: 'v2 has one place for a file, and the file name stands there',
  },
  ERROR_PLACE_BLANK: {
    severity: 'note',
    meaning: 'what an error does not tell is written as 0 or as empty text',
  },
  ERROR_ADDRESS_UNKNOWN: { severity: 'loss', meaning: 'v2 tells no address with an error, only its line' },
  ERRORS_UNLISTED: { severity: 'loss', meaning: 'more errors were counted than are listed' },
} as const satisfies Record<string, { readonly severity: Severity; readonly meaning: string }>;

/** The code of a loss: a key of `LOSSES`. */
export type LossCode = keyof typeof LOSSES;

/** One difference between what was given and its counterpart. */
export interface Loss {
  readonly code: LossCode;
  /** Where: `columns`, `line 3`, `heading: MIDDLE NAME`. */
  readonly place: string;
  /** What is different, and what to do about it. */
  readonly message: string;
  readonly severity: Severity;
}

/** What something became, and all that is different. */
export interface Translation<T> {
  readonly counterpart: T;
  readonly losses: readonly Loss[];
}

export function loss(code: LossCode, place: string, message: string): Loss {
  return { code, place, message, severity: LOSSES[code].severity };
}
