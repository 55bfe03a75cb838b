import { join } from 'node:path';
import { hasFailed, type Activity } from '../activity/activity.js';
import { AmbiguousCreateError, type CtctError } from '../activity/errors.js';
import type { Clock } from '../clock.js';
import type { CreationAttempt, CreationMemory } from '../create.js';
import { joinActivities } from '../translate/join.js';
import type { SplitUpload, UploadPart } from '../translate/split.js';
import type { EncodedCreation, V2Client } from '../v2/client.js';
import { encodeRequest } from '../v2/requests.js';
import type { WaitOptions } from '../wait.js';
import { readMembers } from './members.js';
import type { PlannedAccount, PlannedPart, PlannedStep, PlannedUpload } from './plan.js';
import type { FinishedPart, RunRecord } from './run-record.js';
import { membersKey, type MembersRecord, type RunLedger } from './run-state.js';
import { needsRetry, quotaEnd, refusalCode, troubleOf } from './run-trouble.js';
import { openUpload } from './upload-split.js';
import { verifyAccount } from './verify.js';

/** One piece of the work of an account, as the queue keeps it. */
export type AccountJob =
  /** Reads the members of the lists before anything is changed. */
  | { readonly kind: 'before' }
  | { readonly kind: 'part'; readonly part: string }
  /** Reads them again, and compares. */
  | { readonly kind: 'after' };

/** What the work of an account needs to know of the run. */
export interface AccountContext {
  readonly client: V2Client;
  readonly planFolder: string;
  readonly stateFolder: string;
  readonly ledger: RunLedger;
  /** Keeps records, and has the ledger know them; durable once it resolves. */
  readonly append: (...records: readonly UndatedRecord[]) => Promise<void>;
  readonly clock: Clock;
  /** Milliseconds that an activity is waited for at most. */
  readonly patience: number;
  readonly onStatus: (part: string, activity: Activity) => void;
}

/** A record before its time is known. */
export type UndatedRecord = RunRecord extends infer R ? (R extends RunRecord ? Omit<R, 'at'> : never) : never;

/** A part of the plan, with the step it belongs to. */
interface PlaceOfPart {
  readonly step: PlannedStep;
  readonly index: number;
}

/** The work of one account: its parts, one after another, and its lists before and after. */
export class AccountWork {
  readonly account: PlannedAccount;
  client: V2Client;
  readonly #context: AccountContext;
  readonly #places = new Map<string, PlaceOfPart>();
  /** The parts by the names of their files. */
  readonly #names = new Map<string, string>();
  /** Parts that are known not to have been taken, though nothing was written down of it. */
  readonly #untaken = new Set<string>();
  #open: { readonly step: string; readonly upload: SplitUpload } | undefined;

  constructor(account: PlannedAccount, context: AccountContext) {
    this.account = account;
    this.client = context.client;
    this.#context = context;
    for (const step of account.steps) {
      const parts: readonly (PlannedPart | { readonly id: string })[] = step.parts;
      for (const [index, part] of parts.entries()) {
        this.#places.set(part.id, { step, index });
        if ('fileName' in part) this.#names.set(part.fileName, part.id);
      }
    }
  }

  /** Its jobs, in their order. */
  jobs(verify: boolean): AccountJob[] {
    const parts = [...this.#places.keys()].map((part) => ({ kind: 'part', part }) as const);
    return verify ? [{ kind: 'before' }, ...parts, { kind: 'after' }] : parts;
  }

  /** What is to be written down of a job that failed; undefined where nothing is different. */
  refusalOf(job: AccountJob, error: CtctError): UndatedRecord | undefined {
    const part = job.kind === 'part' ? job.part : this.account.steps[0]?.parts[0]?.id;
    if (part === undefined || job.kind === 'after') return undefined;
    const state = this.#context.ledger.parts.get(part)?.state;
    const held = troubleOf(error, job.kind) === 'hold';
    const maybeCreated = this.#attemptOf(part) !== undefined;
    const code = refusalCode(error);
    // It was taken: to refuse it now would have it sent again.
    if (state === 'created' && !(held && needsRetry(code))) return undefined;
    // What may have been taken is looked for again, by what was kept.
    if (!held && (state !== 'sending' || maybeCreated)) return undefined;
    const refusal = { event: 'refused', part, code, message: error.message } as const;
    return maybeCreated ? { ...refusal, maybeCreated } : refusal;
  }

  async do(job: AccountJob, retry: boolean, signal: AbortSignal): Promise<void> {
    if (job.kind === 'part') await this.#send(job.part, retry, signal);
    else if (job.kind === 'before') await this.#before(signal);
    else await this.#after(signal);
  }

  /** Lets go of the file that is open. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.upload.close();
  }

  async #send(part: string, retry: boolean, signal: AbortSignal): Promise<void> {
    const { ledger, append } = this.#context;
    const place = this.#places.get(part);
    const state = ledger.parts.get(part);
    if (place === undefined || state === undefined) return;
    if (state.state === 'finished' && !(retry && hasFailed(state.activity))) return;
    let activity = state.state === 'created' ? state.activity : undefined;
    if (activity === undefined) {
      ({ id: activity } = await this.#create(part, place, retry, signal));
      await append({ event: 'created', part, activity });
    }
    const finished = await this.#wait(part, activity, signal);
    await append({ event: 'finished', part, activity: await this.#placed(place, finished) });
    if (place.index === place.step.parts.length - 1) await this.close();
  }

  async #create(
    part: string,
    { step, index }: PlaceOfPart,
    retry: boolean,
    signal: AbortSignal,
  ): Promise<Activity> {
    const { client } = this;
    const encoded = await this.#encoded(step, index);
    const recognise = this.#recogniser(part, step.parts[index]);
    const options = {
      signal,
      recognise,
      ...(!retry && { objection: (one: Activity) => this.#objection(one) }),
    };
    const kept = this.#attemptOf(part);
    try {
      return await client.createEncoded(encoded, { ...options, memory: this.#memory(part, kept) });
    } catch (error) {
      // Somebody looked, and says that it be sent again; and nothing has been sent now.
      const decided =
        retry && kept !== undefined && this.#context.ledger.parts.get(part)?.state === 'refused';
      if (!decided || !(error instanceof AmbiguousCreateError)) throw error;
      return client.createEncoded(encoded, { ...options, memory: this.#memory(part, undefined) });
    }
  }

  async #encoded(step: PlannedStep, index: number): Promise<EncodedCreation> {
    const { activityType } = step;
    if (activityType === 'CLEAR_CONTACTS_FROM_LISTS') {
      const operation = 'clearlists';
      return { activityType, operation, body: await encodeRequest({ operation, lists: step.lists }) };
    }
    const operation = activityType === 'ADD_CONTACTS' ? 'addcontacts' : 'removefromlists';
    const { blanksEnabled } = step;
    return { activityType, operation, body: await this.#uploadPart(step, index), blanksEnabled };
  }

  #attemptOf(part: string): CreationAttempt | undefined {
    const state = this.#context.ledger.parts.get(part);
    return state !== undefined && 'attempt' in state && !this.#untaken.has(part) ? state.attempt : undefined;
  }

  #memory(part: string, kept: CreationAttempt | undefined): CreationMemory {
    return {
      kept,
      keep: async (attempt) => {
        await this.#context.append({ event: 'sending', part, attempt });
        this.#untaken.delete(part);
      },
      forget: () => {
        this.#untaken.add(part);
      },
    };
  }

  /** An import has the name of the file that was sent; of removals and clears none is told. */
  #recogniser(part: string, planned: PlannedPart | { readonly id: string } | undefined) {
    const earlier = this.#context.ledger.activities.get(part) ?? [];
    const ours = planned !== undefined && 'fileName' in planned ? planned.fileName : undefined;
    return ({ id, fileName = '' }: Activity): boolean | undefined => {
      if (earlier.includes(id)) return false;
      return fileName === '' ? undefined : fileName === ours;
    };
  }

  /** Whatever the account was sent by this plan, and nobody here remembers: the order would not be the planned one. */
  #objection({ id, fileName = '' }: Activity): string | undefined {
    const part = this.#names.get(fileName);
    if (part === undefined || !this.#isUntouched(part)) return undefined;
    return (
      `part ${part} was sent before, as activity ${id}, by a run with another state folder: go on with that one ` +
      '(--state), or send all of this account again with --retry'
    );
  }

  #wait(part: string, id: string, signal: AbortSignal): Promise<Activity> {
    const { onStatus } = this.#context;
    return this.#patiently(signal, async (wait, patient) => {
      const watching = this.client.watchActivity(id, { ...wait, signal: patient });
      for (;;) {
        const step = await watching.next();
        if (step.done === true) return step.value;
        onStatus(part, step.value);
      }
    });
  }

  /** Waits as long as it may; where the calls of the day are used up no longer, since then it is a long time. */
  async #patiently<T>(
    signal: AbortSignal,
    act: (wait: Pick<WaitOptions, 'timeout' | 'onTrouble'>, patient: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { patience: timeout, clock } = this.#context;
    const over = new AbortController();
    let quota: CtctError | undefined;
    const onTrouble = (error: CtctError) => {
      if (quotaEnd(error, clock.now()) === undefined) return;
      quota = error;
      over.abort();
    };
    try {
      return await act({ timeout, onTrouble }, AbortSignal.any([signal, over.signal]));
    } catch (error) {
      throw quota ?? error;
    }
  }

  /** What is kept of a finished activity, its errors at their places in the file. */
  async #placed({ step, index }: PlaceOfPart, activity: Activity): Promise<FinishedPart> {
    const { id, status, errorCount, transactionCount, runStartTime, runFinishTime } = activity;
    const facts = {
      id,
      status,
      errorCount,
      transactionCount,
      runStartTime: runStartTime?.toISOString(),
      runFinishTime: runFinishTime?.toISOString(),
    };
    if (
      step.activityType === 'CLEAR_CONTACTS_FROM_LISTS' ||
      (activity.errors.length === 0 && step.withoutAddress === undefined)
    ) {
      return { ...facts, errors: activity.errors.map(({ message }) => ({ message })) };
    }
    const part = await this.#uploadPart(step, index);
    const joined = await joinActivities([{ part, activity }], { headingLine: step.headingLine });
    const { errors } = joined;
    return {
      ...facts,
      errorCount: joined.errorCount,
      errors: errors.map(({ lineNumber: line, emailAddress, message }) => ({ line, emailAddress, message })),
    };
  }

  async #uploadPart(step: PlannedUpload, index: number): Promise<UploadPart> {
    if (this.#open?.step !== step.id) {
      await this.close();
      this.#open = { step: step.id, upload: await openUpload(step, this.#context.planFolder) };
    }
    const part = this.#open.upload.parts[index];
    // openUpload has seen to it that they are as many as planned.
    if (part === undefined) throw new RangeError(`${step.id}: there is no part ${index}`);
    return part;
  }

  /** The lists that the account's steps touch. */
  #lists(): string[] {
    return [...new Set(this.account.steps.flatMap(({ lists }) => lists))];
  }

  async #before(signal: AbortSignal): Promise<void> {
    if (![...this.#places.keys()].every((part) => this.#isUntouched(part))) return;
    for (const list of this.#lists()) await this.#read(list, 'before', signal);
  }

  async #after(signal: AbortSignal): Promise<void> {
    const { ledger, append, planFolder, stateFolder } = this.#context;
    const lists = this.#lists().filter((list) => this.#members(list, 'before') !== undefined);
    if (lists.length === 0) return;
    for (const list of lists) await this.#read(list, 'after', signal);
    const options = { planFolder, stateFolder, state: ledger, signal };
    await append(...(await verifyAccount(this.account, options)));
  }

  #isUntouched(part: string): boolean {
    return this.#attemptOf(part) === undefined && !this.#context.ledger.activities.has(part);
  }

  #members(list: string, when: MembersRecord['when']): MembersRecord | undefined {
    return this.#context.ledger.members.get(membersKey({ account: this.account.account, list, when }));
  }

  async #read(list: string, when: MembersRecord['when'], signal: AbortSignal): Promise<void> {
    if (this.#members(list, when) !== undefined) return;
    const { append, stateFolder } = this.#context;
    const file = `${this.account.account}.${encodeURIComponent(list)}.${when}.txt`;
    const { count } = await this.#patiently(signal, (wait, patient) =>
      readMembers(this.client, list, join(stateFolder, file), { wait, signal: patient }),
    );
    await append({ event: 'members', account: this.account.account, list, when, file, count });
  }
}
