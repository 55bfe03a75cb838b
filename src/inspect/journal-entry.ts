/** A parameter of a form, urlencoded or multipart, in the order it came. */
export interface JournalParameter {
  readonly name: string;
  /** Contacts are replaced by made-up ones, unless bodies are recorded. */
  readonly value: string;
  /** Of a part that is a file. */
  readonly fileName?: string;
  readonly contentType?: string;
}

/** What an upload carried, without telling of anybody. */
export interface JournalContacts {
  /** Rows below the heading; undefined of a spreadsheet. */
  readonly rows?: number;
  /** The columns; undefined when the first row is no heading. */
  readonly heading?: readonly string[];
}

/**
 * One request and what was made of it: plain data without secrets, as schemas/emulator-journal.schema.json has it.
 * What is not known is left out.
 */
export interface JournalEntry {
  /** From 1, in the order in which the requests were answered. */
  readonly id: number;
  /** When the request came, by the clock of the server: `2008-04-29T19:30:00.000Z`. */
  readonly at: string;
  /** Milliseconds until the answer stood ready, by the clock of the machine. */
  readonly duration: number;
  readonly method: string;
  /** As it was asked for, secrets and addresses in its query replaced. */
  readonly url: string;
  readonly path: string;
  /** The path below the account, such as `activities/a07e…`. */
  readonly resource?: string;
  /** The user named in the path. */
  readonly user?: string;
  /** How the caller shows who it is: `basic`, `bearer`, … */
  readonly scheme?: string;
  /** By name in lower case; a secret is `***`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType?: string;
  /** Of the body. */
  readonly bytes: number;
  readonly activityType?: string;
  /** Of a form. */
  readonly parameters?: readonly JournalParameter[];
  readonly contacts?: JournalContacts;
  /** Of a body that is no form, when bodies are recorded. */
  readonly body?: string;
  /** Undefined when no answer was given. */
  readonly status?: number;
  /** The activity that was created or asked for. */
  readonly activityId?: string;
  /** The rule that interfered, and how. */
  readonly fault?: { readonly rule: number; readonly action: string };
  /** Why the answer was no. */
  readonly refusal?: {
    /** As the caller was told. */
    readonly reason: string;
    /** What is probably wrong, and what to do. */
    readonly explanation?: string;
  };
}
