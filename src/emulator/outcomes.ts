import { ACTIVITY_TYPES, type KnownActivityType } from '../activity/activity.js';
import { UsageError } from '../activity/errors.js';
import { refuseUnknownFields } from '../activity/fields.js';
import { listId, type ListRef } from '../activity/list.js';
import { shown } from '../activity/shown.js';

/** Statuses a job can be held in until it is released. */
export const HELD_STATUSES = ['PENDING', 'QUEUED', 'RUNNING'] as const;

/** What becomes of a job. */
export type JobOutcome =
  /** What would become of it anyway; for an exception in front of a broader rule. */
  | 'complete'
  /** It changes nothing and ends with status ERROR. */
  | 'error'
  /** It stays UNCONFIRMED until `account.transition(id, 'PENDING')` confirms it. */
  | 'unconfirmed'
  /**
   * It ends COMPLETE with as many errors at least: rows of an upload are refused from the first on until there are so
   * many; where there are not as many rows, the other errors name no line. 1 to 100,000.
   */
  | { readonly errors: number; readonly message?: string | undefined }
  /** It stays in this status until `account.transition` moves it on. While it is RUNNING, no job behind it runs. */
  | { readonly stuckIn: (typeof HELD_STATUSES)[number] };

/** Which jobs an outcome is meant for: all that is given must hold; nothing given means all. */
export interface OutcomeMatch {
  /** As it was asked for (`SV_ADD`) or as it is stored. */
  readonly activityType?: KnownActivityType | undefined;
  /** A list that the job works on, in any spelling. */
  readonly listId?: ListRef | undefined;
}

/** What becomes of jobs that match. */
export interface OutcomeRule {
  readonly match?: OutcomeMatch | undefined;
  /** For how many jobs; default: all. */
  readonly times?: number | undefined;
  readonly outcome: JobOutcome;
}

/** A rule as it stands. */
export interface ActiveOutcome extends OutcomeRule {
  readonly id: number;
  /** For how many jobs it was used. */
  readonly done: number;
}

/** What a rule looks at. */
export interface OutcomeSubject {
  readonly types: readonly KnownActivityType[];
  readonly lists: readonly string[];
}

/** The rules of an account, in the order they were added: the first that fits a new job is used for it. */
export class OutcomeRules {
  #rules: readonly ActiveOutcome[] = [];
  #ids = 0;

  /** Puts back what `list` gave. */
  restore(rules: readonly ActiveOutcome[]): void {
    this.#rules = [...rules];
    this.#ids = Math.max(0, ...rules.map(({ id }) => id));
  }

  /**
   * Adds a rule for jobs created from now on; the id to remove it by.
   * @throws UsageError `OPTION_INVALID` or `LIST_INVALID`, naming the field, when the rule cannot be meant.
   */
  add(rule: OutcomeRule): number {
    const { match, times, outcome } = checkRule(rule);
    const id = ++this.#ids;
    // Without what is undefined, which JSON could not keep.
    const limits = { ...(match === undefined ? {} : { match }), ...(times === undefined ? {} : { times }) };
    this.#rules = [...this.#rules, { id, ...limits, outcome, done: 0 }];
    return id;
  }

  /** All rules, those included that have been used as often as they may. */
  list(): readonly ActiveOutcome[] {
    return this.#rules;
  }

  /** False when there is no such rule. */
  remove(id: number): boolean {
    const before = this.#rules.length;
    this.#rules = this.#rules.filter((rule) => rule.id !== id);
    return this.#rules.length < before;
  }

  /** Removes all rules, and begins their ids anew. */
  clear(): void {
    this.#rules = [];
    this.#ids = 0;
  }

  /**
   * The outcome of a new job; undefined when no rule speaks of it.
   * @internal
   */
  take(subject: OutcomeSubject): JobOutcome | undefined {
    const found = this.#rules.find((rule) => rule.done < (rule.times ?? Infinity) && fits(rule, subject));
    this.#rules = this.#rules.map((rule) => (rule === found ? { ...rule, done: rule.done + 1 } : rule));
    return found?.outcome;
  }
}

function fits({ match }: OutcomeRule, { types, lists }: OutcomeSubject): boolean {
  if (match?.activityType !== undefined && !types.includes(match.activityType)) return false;
  return match?.listId === undefined || lists.includes(listId(match.listId));
}

/** Each is a record in memory and in the entry. */
const MOST_ERRORS = 100_000;

const RULE_FIELDS = ['match', 'times', 'outcome'] as const satisfies readonly (keyof OutcomeRule)[];
const MATCH_FIELDS = ['activityType', 'listId'] as const satisfies readonly (keyof OutcomeMatch)[];

/** Rules come as JSON too, so that no type is to be relied on. */
function checkRule(rule: OutcomeRule): OutcomeRule {
  refuseUnknownFields(object('outcome rule', rule), RULE_FIELDS, 'outcome rule');
  const { match, times, outcome } = rule;
  if (match !== undefined) {
    refuseUnknownFields(object('outcome rule: match', match), MATCH_FIELDS, 'outcome rule: match');
    const { activityType } = match;
    if (activityType !== undefined && !ACTIVITY_TYPES.includes(activityType)) {
      throw wrong('match.activityType', `must be one of ${ACTIVITY_TYPES.join(', ')}`, activityType);
    }
    if (match.listId !== undefined) listId(match.listId);
  }
  if (times !== undefined && !isCount(times))
    throw wrong('times', 'must be a whole number of 1 or more', times);
  checkOutcome(outcome);
  return rule;
}

function checkOutcome(outcome: JobOutcome): void {
  const given: unknown = outcome;
  if (given === 'complete' || given === 'error' || given === 'unconfirmed') return;
  if (typeof given === 'object' && given !== null) {
    if ('stuckIn' in given) {
      refuseUnknownFields(given, ['stuckIn'], 'outcome');
      if (HELD_STATUSES.some((status) => status === given.stuckIn)) return;
      throw wrong('outcome.stuckIn', `must be one of ${HELD_STATUSES.join(', ')}`, given.stuckIn);
    }
    if ('errors' in given) {
      refuseUnknownFields(given, ['errors', 'message'], 'outcome');
      if (!isCount(given.errors) || given.errors > MOST_ERRORS) {
        throw wrong('outcome.errors', `must be a whole number from 1 to ${MOST_ERRORS}`, given.errors);
      }
      const message = 'message' in given ? given.message : undefined;
      if (message === undefined || typeof message === 'string') return;
      throw wrong('outcome.message', 'must be text', message);
    }
  }
  const forms = "'complete', 'error', 'unconfirmed', { errors: 2 } or { stuckIn: 'RUNNING' }";
  throw wrong('outcome', `must be ${forms}`, given);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

function object(what: string, value: unknown): object {
  if (typeof value === 'object' && value !== null) return value;
  throw new UsageError('OPTION_INVALID', `${what}: must be an object, got ${shown(value)}`);
}

function wrong(field: string, must: string, value: unknown): UsageError {
  return new UsageError('OPTION_INVALID', `outcome rule: ${field}: ${must}, got ${shown(value)}`);
}
