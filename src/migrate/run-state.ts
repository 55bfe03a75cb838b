import { hasFailed } from '../activity/activity.js';
import type { CreationAttempt } from '../create.js';
import type { JournalRecord } from '../store/store.js';
import type { MigrationPlan } from './plan.js';
import type { FinishedPart, RunRecord } from './run-record.js';

/** How far a part has come. Times are milliseconds since 1970. */
export type PartState =
  | { readonly state: 'waiting' }
  /** Its request may have been sent, and nobody has seen what came of it. */
  | { readonly state: 'sending'; readonly attempt: CreationAttempt; readonly at: number }
  | { readonly state: 'created'; readonly activity: string; readonly at: number }
  | {
      readonly state: 'refused';
      readonly code: string;
      readonly message: string;
      readonly at: number;
      /** By which it is to be looked for, where it may have been taken all the same. */
      readonly attempt?: CreationAttempt | undefined;
    }
  | { readonly state: 'finished'; readonly activity: FinishedPart; readonly at: number };

/** How many members a list had. */
export type MembersRecord = Extract<RunRecord, { readonly event: 'members' }>;
/** What comparing the members of a list came to. */
export type VerifiedRecord = Extract<RunRecord, { readonly event: 'verified' }>;

/** What came of a run so far. */
export interface RunState {
  /** Every part of the plan, in its order. */
  readonly parts: ReadonlyMap<string, PartState>;
  /** The last of each account, list and time, by `membersKey`. */
  readonly members: ReadonlyMap<string, MembersRecord>;
  /** The last of each account and list, by `verifiedKey`. */
  readonly verified: ReadonlyMap<string, VerifiedRecord>;
  /** The activities that each part had, in their order: more than one where it was sent again. */
  readonly activities: ReadonlyMap<string, readonly string[]>;
  /** When a runner began for the first time; undefined: none ever did. */
  readonly began: number | undefined;
  /** When a runner began last. */
  readonly wentOn: number | undefined;
  /** When it was paused; undefined when it has gone on since. */
  readonly paused: number | undefined;
  /** When all was finished; undefined when it has gone on since. */
  readonly ended: number | undefined;
}

/** The activity of a part that the service has done; undefined where it has not, or in vain. */
export function doneOf({ parts }: Pick<RunState, 'parts'>, part: string): FinishedPart | undefined {
  const found = parts.get(part);
  return found?.state === 'finished' && !hasFailed(found.activity) ? found.activity : undefined;
}

export function membersKey({
  account,
  list,
  when,
}: Pick<MembersRecord, 'account' | 'list' | 'when'>): string {
  return JSON.stringify([account, list, when]);
}

export function verifiedKey({ account, list }: Pick<VerifiedRecord, 'account' | 'list'>): string {
  return JSON.stringify([account, list]);
}

/** What the records of a run come to. */
export async function foldRun(plan: MigrationPlan, records: AsyncIterable<JournalRecord>): Promise<RunState> {
  const run = new RunLedger(plan);
  for await (const { record } of records) run.take(record as RunRecord);
  return run;
}

/** The state of a run that goes on, record by record. */
export class RunLedger implements RunState {
  readonly parts: Map<string, PartState>;
  readonly members = new Map<string, MembersRecord>();
  readonly verified = new Map<string, VerifiedRecord>();
  readonly activities = new Map<string, readonly string[]>();
  began: number | undefined;
  wentOn: number | undefined;
  paused: number | undefined;
  ended: number | undefined;

  constructor({ accounts }: MigrationPlan) {
    const parts = accounts.flatMap(({ steps }) => steps.flatMap((step) => step.parts.map(({ id }) => id)));
    this.parts = new Map(parts.map((id) => [id, { state: 'waiting' }]));
  }

  take(record: RunRecord): void {
    const { at } = record;
    switch (record.event) {
      case 'began':
        this.began ??= at;
        this.wentOn = at;
        this.paused = this.ended = undefined;
        break;
      case 'sending':
        this.parts.set(record.part, { state: 'sending', attempt: record.attempt, at });
        break;
      case 'created':
        this.activities.set(record.part, [...(this.activities.get(record.part) ?? []), record.activity]);
        this.parts.set(record.part, { state: 'created', activity: record.activity, at });
        break;
      case 'refused':
        this.#refuse(record);
        break;
      case 'finished':
        this.parts.set(record.part, { state: 'finished', activity: record.activity, at });
        break;
      case 'members':
        this.members.set(membersKey(record), record);
        break;
      case 'verified':
        this.verified.set(verifiedKey(record), record);
        break;
      case 'paused':
        this.paused = at;
        break;
      case 'ended':
        this.ended = at;
        break;
    }
  }

  #refuse({ part, code, message, at, maybeCreated }: Extract<RunRecord, { event: 'refused' }>): void {
    const before = this.parts.get(part);
    const attempt = before !== undefined && 'attempt' in before ? before.attempt : undefined;
    this.parts.set(part, {
      state: 'refused',
      code,
      message,
      at,
      ...(maybeCreated === true && { attempt }),
    });
  }
}
