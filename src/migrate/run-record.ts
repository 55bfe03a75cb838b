import type { Activity } from '../activity/activity.js';
import type { CreationAttempt } from '../create.js';

/**
 * What a run writes down, in order, in the journal of its store, under the id of its plan. Times are milliseconds since
 * 1970. What became of a run is told by these records alone.
 */
export type RunRecord =
  /** A runner began, or went on. */
  | { readonly event: 'began'; readonly at: number; readonly acceptedLosses: readonly string[] }
  /** The next thing is the request for this part: should nothing follow, it may have been sent. */
  | {
      readonly event: 'sending';
      readonly at: number;
      readonly part: string;
      readonly attempt: CreationAttempt;
    }
  | { readonly event: 'created'; readonly at: number; readonly part: string; readonly activity: string }
  /** The service said no, or nobody can tell: the account waits for somebody, and goes on with `--retry`. */
  | {
      readonly event: 'refused';
      readonly at: number;
      readonly part: string;
      readonly code: string;
      readonly message: string;
      /** It may have been taken all the same: before it is sent again, it is looked for. */
      readonly maybeCreated?: true | undefined;
    }
  /** With its errors at their places in the file. */
  | {
      readonly event: 'finished';
      readonly at: number;
      readonly part: string;
      readonly activity: FinishedPart;
    }
  /** The members of a list of the target, read and kept in a file of the state folder. */
  | {
      readonly event: 'members';
      readonly at: number;
      readonly account: string;
      readonly list: string;
      readonly when: 'before' | 'after';
      /** Name in the state folder. */
      readonly file: string;
      readonly count: number;
    }
  | {
      readonly event: 'verified';
      readonly at: number;
      readonly account: string;
      readonly list: string;
      readonly expected: number;
      readonly found: number;
      readonly missing: number;
      readonly unexpected: number;
      /** Name in the state folder; undefined where nothing differs. */
      readonly differences?: string | undefined;
    }
  | { readonly event: 'paused'; readonly at: number }
  | { readonly event: 'ended'; readonly at: number };

/** What is kept of the activity of a part. */
export interface FinishedPart extends Pick<Activity, 'id' | 'status' | 'errorCount' | 'transactionCount'> {
  readonly runStartTime?: string | undefined;
  readonly runFinishTime?: string | undefined;
  readonly errors: readonly RowError[];
}

/** A row that was refused. */
export interface RowError {
  /** Of the file; undefined where the service tells neither line nor address of a row. */
  readonly line?: number | undefined;
  readonly emailAddress?: string | undefined;
  readonly message: string;
}
