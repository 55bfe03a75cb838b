import type { Activity } from './activity.js';

/**
 * Every error this package throws, by its stable `code`. The text says when it is thrown;
 * the message of the error itself says where, and what to do.
 */
export const ERROR_CODES = {
  OPTION_INVALID: 'An option or argument has a value that cannot be used.',
  ACTIVITY_TYPE_INVALID: 'The activityType does not exist, or does not fit the operation.',
  LIST_REQUIRED: 'An activity that works on lists names none.',
  LIST_INVALID: 'A list is neither an id, nor the name of a system list, nor a list URI.',
  LIST_NOT_CLEARABLE: 'A system list (active, do-not-mail, removed …) cannot be cleared.',
  LIST_COUNT_INVALID: 'An export takes exactly one list.',
  COLUMN_UNKNOWN: 'A column asked for does not exist.',
  ADDRESS_COLUMN_REQUIRED: 'The heading of the contacts has no column for the e-mail address.',
  CONTACTS_REQUIRED: 'The contacts are empty: no heading, or no row under it.',
  CONTACTS_INVALID: 'The contacts cannot be read: wrong encoding, wrong shape, or a broken row.',
  UPLOAD_TOO_LARGE: 'The contacts are more, or larger, than the service takes in one request.',
  FILE_UNREADABLE: 'A local file cannot be read.',
  FILE_EXISTS: 'A file that would be written is there already.',
  FILE_BUSY: 'Another download to the same file is under way.',
  FILE_CHANGED: 'A file changed while it was being sent.',
  FILE_UNWRITABLE: 'A local file cannot be written.',
  CREDENTIALS_REQUIRED: 'Credentials are needed and none were given.',
  CREDENTIALS_EXPOSED: 'A file that holds a secret can be read by other users of the machine.',
  CONFIG_INVALID: 'A configuration file cannot be used: unreadable, not JSON, or an unknown setting.',
  INSECURE_ORIGIN: 'Credentials would travel over plain http to a host that is not this machine.',
  FOREIGN_ORIGIN: 'A link leads to another origin than the one the client was made for.',
  OFFLINE: 'CTCT_OFFLINE=1 is set, and the call would leave this machine.',
  REQUEST_NOT_SENT: 'The connection failed before the request was sent.',
  RESPONSE_LOST: 'The request may have been sent, but no complete answer came.',
  TIMED_OUT: 'The service did not answer in the time it was given.',
  ABORTED: 'The caller aborted the operation.',
  REDIRECTED: 'The service answered with a redirect that must not be followed.',
  RESPONSE_TOO_LARGE: 'An answer is larger than the limit.',
  SERVICE_REFUSED: 'The service answered with an error status.',
  SERVICE_FAILED: 'The service answered with a status of 500 or more.',
  UNAUTHORIZED: 'The service does not accept the credentials.',
  NOT_FOUND: 'The service knows no such activity, list or file.',
  RATE_LIMITED: 'The service refuses calls because there were too many.',
  XML_NOT_WELL_FORMED: 'A document is not well-formed XML.',
  XML_ENCODING: 'A document is in another encoding than UTF-8.',
  XML_DOCTYPE: 'A document has a DOCTYPE, which is refused.',
  XML_LIMIT: 'A document exceeds a limit of the reader (depth, attributes, text).',
  XML_TRUNCATED: 'A document ends before its root element is closed.',
  GZIP_DAMAGED: 'Packed input (.gz) is damaged, or ends too early.',
  DOCUMENT_UNEXPECTED: 'A document is well-formed, but not the one that was asked for.',
  BODY_TOO_LARGE: 'A request body is larger than the limit.',
  RECORD_DOUBTFUL: 'A field of a record has a value that it cannot have.',
  FORM_MALFORMED: 'A form body cannot be read.',
  CSV_MALFORMED: 'A contact file is not well-formed CSV.',
  PAGE_REPEATED: 'A next link leads to a page that was read before.',
  WAIT_EXPIRED: 'The time to wait for an activity is over; the activity may still finish.',
  CREATE_AMBIGUOUS: 'An activity may have been created, and which one it is cannot be told.',
  STORE_BUSY: 'Another process keeps the store locked.',
  STORE_DAMAGED: 'The file of a store is not what was written to it.',
  STORE_INCOMPATIBLE: 'The file of a store is of a later format, or of another program.',
  RUN_BUSY: 'Another process is working on the same run.',
  LEASE_LOST: 'A job is not held any more by the one who reports on it.',
  LOSS_NOT_ACCEPTED: 'A migration loses something that nobody has accepted.',
  ACTIVITY_FAILED: 'The activity ended with status ERROR.',
  PACKAGE_MISSING: 'An optional package that this needs is not installed.',
  UNSUPPORTED: 'The dialect in use cannot express this.',
} as const satisfies Record<string, string>;

/** The `code` of an error: a key of `ERROR_CODES`. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Where in a document or file something is. Lines and columns count from 1, byte offsets from 0. */
export interface SourcePosition {
  readonly source: string | undefined;
  readonly line: number;
  readonly column: number;
  readonly byteOffset: number;
}

/** The one family: every error that this package throws on purpose is a `CtctError` with a stable `code`. */
export abstract class CtctError extends Error {
  abstract override readonly name: string;
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** The error as plain data for logs: name, code, message and the public facts, never a secret or a stack. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, ...facts } = this;
    const plain = Object.entries(facts).filter(([key]) => key !== 'cause' && key !== 'stack');
    return { name, code, message, ...Object.fromEntries(plain) };
  }
}

/**
 * What `console.log` and `util.inspect` show of an error: its stack, its public facts, and of the errors behind it no more
 * than their stacks. Whatever else those carry (a library may keep the whole request in its errors) stays out.
 */
Object.defineProperty(CtctError.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: CtctError): string {
    const { name, code, message, ...facts } = this.toJSON();
    const frames = /\n {4}at [^]*/.exec(this.stack ?? '')?.[0] ?? '';
    const told = Object.keys(facts).length === 0 ? '' : ` ${JSON.stringify(facts)}`;
    return [`${String(name)} [${String(code)}]: ${String(message)}${frames}${told}`, ...causesOf(this)].join(
      '\n',
    );
  },
});

/** The errors behind an error, as text, the outermost first; five at most. */
function causesOf(error: Error): string[] {
  const told: string[] = [];
  for (let cause = error.cause; cause !== undefined && told.length < 5;) {
    if (!(cause instanceof Error)) return [...told, `  [cause]: ${typeof cause}`];
    told.push(`  [cause]: ${(cause.stack ?? cause.message).slice(0, 10_000)}`);
    cause = cause.cause;
  }
  return told;
}

/** The call was wrong; thrown before any request is sent. */
export class UsageError extends CtctError {
  override readonly name = 'UsageError';
}

/** No (complete) answer came. `sent` says whether the service may have acted on the request. */
export class TransportError extends CtctError {
  override readonly name = 'TransportError';
  readonly sent: 'no' | 'maybe';
  /** When another try can succeed, where that is known: the calls of this day are used up. */
  readonly retryAt: Date | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; sent: 'no' | 'maybe'; retryAt?: Date | undefined },
  ) {
    super(code, message, options);
    this.sent = options.sent;
    this.retryAt = options.retryAt;
  }
}

/** An answer that says no. */
export class ServiceError extends CtctError {
  override readonly name = 'ServiceError';
  /** HTTP status, 300 to 599. */
  readonly status: number;
  /** What the service said, as text of at most 2,000 characters; may be empty. */
  readonly detail: string;
  /** Seconds to wait before another try, where the service said so. */
  readonly retryAfter: number | undefined;
  /** When another try can succeed: `retryAfter` as a time, or the end of the day whose calls are used up. */
  readonly retryAt: Date | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    facts: {
      status: number;
      detail: string;
      retryAfter?: number | undefined;
      retryAt?: Date | undefined;
      cause?: unknown;
    },
  ) {
    super(code, message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.status = facts.status;
    this.detail = facts.detail.slice(0, 2000);
    this.retryAfter = facts.retryAfter;
    this.retryAt = facts.retryAt;
  }
}

/** An answer or a file that makes no sense; `position` says where. */
export class DecodeError extends CtctError {
  override readonly name = 'DecodeError';
  readonly position: SourcePosition | undefined;

  constructor(code: ErrorCode, message: string, position?: SourcePosition, options?: { cause?: unknown }) {
    super(code, position === undefined ? message : `${describePosition(position)}: ${message}`, options);
    this.position = position;
  }
}

/**
 * Waiting ended before the activity did. Nothing was deleted or stopped: wait again with `activityId`, or, of several,
 * with `activityIds`.
 */
export class WaitTimeoutError extends CtctError {
  override readonly name = 'WaitTimeoutError';
  /** The activity that had not finished; of several the first. */
  readonly activityId: string;
  /** All that had not finished. */
  readonly activityIds: readonly string[];
  /** The status seen last of `activityId`; undefined when none was seen. */
  readonly lastStatus: string | undefined;
  /** Milliseconds waited. */
  readonly waited: number;
  /** What the reads gave: each status and each error code that was seen, and how often. */
  readonly tally: Readonly<Record<string, number>>;
  /** What to do, in words. */
  readonly hint: string;
  readonly #lastActivities: readonly Activity[];

  constructor(
    message: string,
    facts: {
      activityId: string;
      lastStatus: string | undefined;
      waited: number;
      activityIds?: readonly string[] | undefined;
      lastActivities?: readonly Activity[] | undefined;
      tally?: Readonly<Record<string, number>> | undefined;
      hint?: string | undefined;
    },
  ) {
    super('WAIT_EXPIRED', message);
    this.activityId = facts.activityId;
    this.activityIds = facts.activityIds ?? [facts.activityId];
    this.lastStatus = facts.lastStatus;
    this.waited = facts.waited;
    this.tally = { ...facts.tally };
    this.hint = facts.hint ?? 'wait for it again by its id';
    this.#lastActivities = facts.lastActivities ?? [];
  }

  /** What was seen last of those in `activityIds`, as far as they were seen. Not in the JSON: addresses may be in it. */
  get lastActivities(): readonly Activity[] {
    return this.#lastActivities;
  }

  /** What was seen last of `activityId`; undefined when nothing was. */
  get lastActivity(): Activity | undefined {
    return this.#lastActivities.find(({ id }) => id === this.activityId);
  }
}

/** A creation got no answer and more than one activity may be it. */
export class AmbiguousCreateError extends CtctError {
  override readonly name = 'AmbiguousCreateError';
  /** Ids of the activities that may be the one. */
  readonly candidates: readonly string[];

  constructor(message: string, candidates: readonly string[], options?: { cause?: unknown }) {
    super('CREATE_AMBIGUOUS', message, options);
    this.candidates = candidates;
  }
}

/** The activity ended with status ERROR. */
export class ActivityFailedError extends CtctError {
  override readonly name = 'ActivityFailedError';
  readonly activityId: string;

  constructor(message: string, activityId: string) {
    super('ACTIVITY_FAILED', message);
    this.activityId = activityId;
  }
}

/** This dialect cannot say that. */
export class UnsupportedError extends CtctError {
  override readonly name = 'UnsupportedError';

  constructor(message: string) {
    super('UNSUPPORTED', message);
  }
}

/** `feed.xml:12:5 (byte 345)`: a position as the messages of this package print it. */
export function describePosition(position: SourcePosition): string {
  const place = `${position.line}:${position.column} (byte ${position.byteOffset})`;
  return position.source === undefined ? `line ${place}` : `${position.source}:${place}`;
}
