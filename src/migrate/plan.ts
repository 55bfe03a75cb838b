import type { Encoding } from '../format/encodings.js';
import type { SecretReference } from '../http/secret.js';
import type { LossCode } from '../translate/loss.js';

/**
 * What a migration will do, as a JSON document: `schemas/migration-plan.schema.json`. The same input gives the same plan,
 * byte for byte; no time stands in it, no secret, and no contact.
 */
export interface MigrationPlan {
  readonly version: 1;
  readonly kind: 'migration-plan';
  /** Of the plan's whole content but itself and `acceptedLosses`: 16 hexadecimal digits. Names the run. */
  readonly id: string;
  readonly limits: { readonly perSecond: number; readonly perDay: number };
  readonly accounts: readonly PlannedAccount[];
  /** What is lost, over all accounts, by code. */
  readonly losses: readonly LossCount[];
  readonly acceptedLosses: readonly LossCode[];
  readonly estimate: Estimate;
}

/** An account of the source, and what will be done in its target. */
export interface PlannedAccount {
  /** The name that it has in the accounts file: letters, digits, `.`, `_`, `-`, `@`; unique. */
  readonly account: string;
  readonly target: PlannedTarget;
  readonly lists: readonly PlannedList[];
  /** In the order in which they are done. */
  readonly steps: readonly PlannedStep[];
  /** What is lost beside the steps. */
  readonly losses: readonly PlannedLoss[];
}

/** The account that contacts are brought to, and by what it is reached. */
export interface PlannedTarget {
  readonly api: 'v2';
  /** Undefined: the service's own. */
  readonly baseUrl?: string | undefined;
  /** Accounts with the same key share its limits. */
  readonly apiKey: SecretReference;
  readonly accessToken: SecretReference;
}

/** A list of the source, and the one it becomes. */
export interface PlannedList {
  /** The id in ws. */
  readonly from: string;
  readonly to: string;
  readonly fromName?: string | undefined;
  readonly toName?: string | undefined;
  /**
   * `same`: the names are the same but for case and blanks. `other`: they are not. `found`: there is such a list, and no
   * name to compare it with. `missing`: the target has no such list. `unchecked`: the target was not asked.
   */
  readonly check: 'same' | 'other' | 'found' | 'missing' | 'unchecked';
}

/** One thing that will be done in an account. */
export type PlannedStep = PlannedUpload | PlannedClear;

/** A file that will be uploaded, in parts. */
export interface PlannedUpload {
  /** `joesflowers/1`: the account, and the place among its steps from 1. */
  readonly id: string;
  readonly activityType: 'ADD_CONTACTS' | 'REMOVE_CONTACTS_FROM_LISTS';
  /** Path of the contact file; a relative one starts from the folder of the plan. */
  readonly file: string;
  /** Where the file came from. `ws`: exported from the list when the plan was made. */
  readonly origin:
    | { readonly kind: 'file' }
    | { readonly kind: 'archive'; readonly activity: string }
    | { readonly kind: 'ws'; readonly list: string };
  /** As `splitUpload` takes it. */
  readonly encoding: Encoding | 'auto';
  /** Of the file as `SplitUpload.sha256` has it. */
  readonly sha256: string;
  /** Rows that are sent. */
  readonly rows: number;
  /** Rows that are not, since their addresses come again further down. */
  readonly duplicates: number;
  /** Rows that are not, since they have no address, which are errors of the parts; undefined: none. */
  readonly withoutAddress?: number | undefined;
  readonly headingLine: number;
  /** Ids in the target. */
  readonly lists: readonly string[];
  readonly blanksEnabled: boolean;
  /** Where columns go that v2 ignores: `{ "MIDDLE NAME": "CUSTOM FIELD 15" }`. */
  readonly into: Readonly<Record<string, string>>;
  readonly losses: readonly PlannedLoss[];
  readonly parts: readonly PlannedPart[];
}

/** Lists that will be cleared, in one request. */
export interface PlannedClear {
  readonly id: string;
  readonly activityType: 'CLEAR_CONTACTS_FROM_LISTS';
  /** Ids in the target. */
  readonly lists: readonly string[];
  readonly losses: readonly PlannedLoss[];
  /** The one request, in the same place as those of uploads. */
  readonly parts: readonly [{ readonly id: string }];
}

/** One request of an upload. */
export interface PlannedPart {
  /** `joesflowers/1/1`: the step, and the place among its parts from 1. */
  readonly id: string;
  /** What the target will call it, of this part alone in all plans. */
  readonly fileName: string;
  readonly rows: number;
  /** Of the whole file. */
  readonly firstLine: number;
  readonly lastLine: number;
  /** Of the body as it is sent. */
  readonly bytes: number;
  readonly sha256: string;
}

/** Something that will be lost, and where. */
export interface PlannedLoss {
  readonly code: LossCode;
  readonly place: string;
  readonly message: string;
}

/** How often something is lost. */
export interface LossCount {
  readonly code: LossCode;
  readonly count: number;
}

/** How much a migration takes, more or less. */
export interface Estimate {
  /** Calls to the target at least: listings, creations, looks at what goes on, and read-backs. */
  readonly calls: number;
  /** How long it takes at the rate limits, and as the service works: a job of an account each 30 seconds. */
  readonly seconds: number;
  readonly keys: readonly {
    readonly apiKey: SecretReference;
    readonly calls: number;
    readonly seconds: number;
  }[];
}
