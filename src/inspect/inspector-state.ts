import type { JournalEntry } from './journal-entry.js';

/** What the page shows: plain data, newest first where there is an order. */
export interface InspectorState {
  /** What this is, as the heading of the page. */
  readonly title: string;
  /** Where clients reach it. Default: where the page is. */
  readonly url?: string;
  /** What is wrong at this moment, a sentence each. */
  readonly notices?: readonly string[];
  readonly clock: {
    readonly now: string;
    /** Undefined when it cannot be moved from here. */
    readonly steering?: { readonly frozen: boolean };
  };
  readonly accounts: readonly InspectedAccount[];
  readonly requests: readonly JournalEntry[];
  /** How many requests there have been; `requests` are the latest of them. */
  readonly requestCount: number;
  /** Undefined when the page is for looking only. */
  readonly faults?: {
    readonly active: readonly InspectedFault[];
    readonly presets: readonly { readonly name: string; readonly what: string }[];
  };
}

export interface InspectedAccount {
  readonly user: string;
  readonly lists: readonly InspectedList[];
  /** The latest. */
  readonly activities: readonly InspectedActivity[];
}

export interface InspectedList {
  readonly id: string;
  readonly name: string;
  readonly contactCount?: number;
}

export interface InspectedActivity {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  /** Why it does not go on. */
  readonly note?: string | undefined;
  readonly insertTime: string;
  readonly transactionCount?: number;
  readonly errorCount: number;
  /** The first of them. */
  readonly errors: readonly {
    readonly lineNumber?: number;
    readonly emailAddress?: string;
    readonly message: string;
  }[];
  /** The statuses it can be moved to from here. */
  readonly moves: readonly string[];
}

export interface InspectedFault {
  readonly id: number;
  /** Such as `lostAnswer, POST activities, at most once`. */
  readonly text: string;
  readonly done: number;
}
