import { CtctError, ServiceError, type ErrorCode } from '../activity/errors.js';

/** The exit codes of `ctct`. A code that is not in this table means failure too. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: 'done' },
  failure: { code: 1, meaning: 'failed, or the activity ended with ERROR' },
  usage: { code: 2, meaning: 'the command was wrong; nothing was sent' },
  rows: { code: 3, meaning: 'finished, but some rows or records had errors' },
  credentials: { code: 4, meaning: 'credentials missing or not accepted' },
  temporary: { code: 5, meaning: 'rate limit, or no connection: try again later' },
  ambiguous: { code: 6, meaning: 'the activity may have been created, or may not' },
  waiting: { code: 7, meaning: 'not finished yet: the time to wait is over, or a run is not done' },
  notFound: { code: 8, meaning: 'the service has no such activity, list or file' },
  lossy: { code: 9, meaning: 'translated or planned, but something is lost' },
  interrupted: { code: 130, meaning: 'interrupted' },
} as const satisfies Record<string, { code: number; meaning: string }>;

export type Exit = keyof typeof EXIT_CODES;

/** Which exit each error of the package leads to. A new error code needs a row here. */
export const EXIT_OF = {
  OPTION_INVALID: 'usage',
  ACTIVITY_TYPE_INVALID: 'usage',
  LIST_REQUIRED: 'usage',
  LIST_INVALID: 'usage',
  LIST_NOT_CLEARABLE: 'usage',
  LIST_COUNT_INVALID: 'usage',
  COLUMN_UNKNOWN: 'usage',
  ADDRESS_COLUMN_REQUIRED: 'usage',
  CONTACTS_REQUIRED: 'usage',
  CONTACTS_INVALID: 'usage',
  UPLOAD_TOO_LARGE: 'usage',
  FILE_UNREADABLE: 'usage',
  FILE_EXISTS: 'usage',
  FILE_BUSY: 'temporary',
  FILE_CHANGED: 'failure',
  FILE_UNWRITABLE: 'failure',
  CONFIG_INVALID: 'usage',
  CREDENTIALS_REQUIRED: 'credentials',
  CREDENTIALS_EXPOSED: 'credentials',
  INSECURE_ORIGIN: 'usage',
  FOREIGN_ORIGIN: 'failure',
  OFFLINE: 'usage',
  REQUEST_NOT_SENT: 'temporary',
  RESPONSE_LOST: 'temporary',
  TIMED_OUT: 'temporary',
  ABORTED: 'interrupted',
  REDIRECTED: 'failure',
  RESPONSE_TOO_LARGE: 'failure',
  SERVICE_REFUSED: 'failure',
  SERVICE_FAILED: 'failure',
  UNAUTHORIZED: 'credentials',
  NOT_FOUND: 'notFound',
  RATE_LIMITED: 'temporary',
  XML_NOT_WELL_FORMED: 'failure',
  XML_ENCODING: 'failure',
  XML_DOCTYPE: 'failure',
  XML_LIMIT: 'failure',
  XML_TRUNCATED: 'failure',
  GZIP_DAMAGED: 'failure',
  DOCUMENT_UNEXPECTED: 'failure',
  RECORD_DOUBTFUL: 'failure',
  FORM_MALFORMED: 'failure',
  BODY_TOO_LARGE: 'failure',
  CSV_MALFORMED: 'usage',
  PAGE_REPEATED: 'failure',
  WAIT_EXPIRED: 'waiting',
  CREATE_AMBIGUOUS: 'ambiguous',
  STORE_BUSY: 'temporary',
  STORE_DAMAGED: 'failure',
  STORE_INCOMPATIBLE: 'usage',
  RUN_BUSY: 'temporary',
  LEASE_LOST: 'failure',
  LOSS_NOT_ACCEPTED: 'usage',
  ACTIVITY_FAILED: 'failure',
  PACKAGE_MISSING: 'usage',
  UNSUPPORTED: 'usage',
} as const satisfies Record<ErrorCode, Exit>;

/** Answers of a service that is only busy or down for a while. */
const TEMPORARY_STATUSES: readonly number[] = [408, 429, 502, 503, 504];

/** The exit an error leads to: `failure` for anything that is no error of this package. */
export function exitOf(error: unknown): Exit {
  if (error instanceof ServiceError && TEMPORARY_STATUSES.includes(error.status)) return 'temporary';
  return error instanceof CtctError ? EXIT_OF[error.code] : 'failure';
}

/** The table as the help prints it, one line per code. */
export function exitCodeLines(): string[] {
  return Object.values(EXIT_CODES).map(({ code, meaning }) => `${String(code).padStart(5)}  ${meaning}`);
}
