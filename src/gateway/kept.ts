import type { Activity, ActivityError, KnownActivityType } from '../activity/activity.js';
import type { CheckedRequest } from '../activity/request.js';
import type { CreationAttempt } from '../create.js';
import { joinStatus } from '../translate/join.js';
import type { GatewayWarning } from './warnings.js';

export type ExportRequest = Extract<CheckedRequest, { activityType: 'EXPORT_CONTACTS' }>;

/** What is to be done at v2; lists are those of ws. */
export type Order =
  | {
      readonly kind: 'add' | 'remove';
      readonly lists: readonly string[];
      /** Name in the folder of uploads. */
      readonly upload: string;
      /** What the client called its file. */
      readonly fileName: string | undefined;
    }
  | { readonly kind: 'clear'; readonly lists: readonly string[] }
  | { readonly kind: 'export'; readonly request: ExportRequest };

/** One request to v2, and what became of it. Of an order that is not split, there is one. */
export interface KeptPart {
  /** What was known before it was sent; undefined: it was not. */
  readonly attempt?: CreationAttempt | undefined;
  /** How often it was sent again, since nobody saw what came of it. */
  readonly repeated?: number | undefined;
  /** The id at v2, once it is known. */
  readonly upstream?: string | undefined;
  /** When that was, in milliseconds since 1970. */
  readonly submitted?: number | undefined;
  /** As v2 told it last. */
  readonly seen?: SeenPart | undefined;
  /** Why it was not taken: it is over then. */
  readonly refused?: string | undefined;
}

/** What is kept of the activity of a part. Times are milliseconds since 1970. */
export interface SeenPart {
  readonly status: string;
  readonly errors: readonly KeptError[];
  readonly errorCount: number;
  readonly fileName?: string | undefined;
  readonly transactionCount?: number | undefined;
  readonly runStartTime?: number | undefined;
  readonly runFinishTime?: number | undefined;
}

export type KeptError = { readonly [field in keyof ActivityError]?: ActivityError[field] } & {
  readonly message: string;
};

/** An activity as the gateway keeps it, as JSON. Times are milliseconds since 1970. */
export interface KeptActivity {
  readonly id: string;
  /** As the account spells it. */
  readonly user: string;
  readonly type: KnownActivityType;
  readonly accepted: number;
  readonly updated: number;
  readonly order: Order;
  readonly parts: readonly KeptPart[];
  /** What v2 does not keep of the upload. */
  readonly warnings: readonly GatewayWarning[];
  /** How many rows of the upload v2 is not sent, since they have no address; undefined: none. */
  readonly withoutAddress?: number | undefined;
  /** What came of it; undefined until it has ended. */
  readonly ended?: EndedActivity | undefined;
}

/** Of all parts, at their places in what the client sent. */
export interface EndedActivity {
  readonly status: 'COMPLETE' | 'ERROR';
  readonly at: number;
  readonly errors: readonly KeptError[];
  readonly errorCount: number;
  readonly transactionCount?: number | undefined;
  readonly runStartTime?: number | undefined;
  readonly runFinishTime?: number | undefined;
  /** Name in the folder of files, of an export that has one. */
  readonly file?: string | undefined;
}

/** The status of the whole while it goes on. An export of which only the file is missing still runs. */
export function runningStatus({ parts }: Pick<KeptActivity, 'parts'>): string {
  const status = joinStatus(
    parts.map(({ seen, refused }) => (refused === undefined ? (seen?.status ?? 'PENDING') : 'ERROR')),
  );
  return status === 'COMPLETE' || status === 'ERROR' ? 'RUNNING' : status;
}

/**
 * The activity as the old client sees it. Times are never before that of its acceptance, though the clock of v2 may be
 * behind. An export's FileName is the bare name, of which whoever serves it makes a URI.
 */
export function activityOf(kept: KeptActivity): Activity {
  const { id, type, accepted, updated, order, parts, ended } = kept;
  const date = (time: number | undefined) =>
    time === undefined ? undefined : new Date(Math.max(time, accepted));
  const starts = parts.flatMap(({ seen }) => seen?.runStartTime ?? []);
  return {
    id,
    type,
    status: ended?.status ?? runningStatus(kept),
    errors: (ended?.errors ?? []).map(({ lineNumber, emailAddress, message }) => ({
      lineNumber,
      emailAddress,
      message,
    })),
    errorCount: ended?.errorCount ?? 0,
    fileName: ended === undefined ? undefined : nameOfFile(order, ended),
    transactionCount: ended?.transactionCount,
    insertTime: date(accepted),
    runStartTime: date(
      ended === undefined ? (starts.length === 0 ? undefined : Math.min(...starts)) : ended.runStartTime,
    ),
    runFinishTime: date(ended?.runFinishTime),
    updated: date(updated),
    title: '',
    editMedia: undefined,
  };
}

/** Of an upload, what the client called it; of what has no file, empty. */
function nameOfFile(order: Order, { file }: EndedActivity): string {
  if (order.kind === 'export') return file ?? '';
  return 'fileName' in order ? (order.fileName ?? '') : '';
}
