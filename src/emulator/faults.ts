import { refuseUnknownFields } from '../activity/fields.js';
import { UsageError } from '../activity/errors.js';
import { shown } from '../activity/shown.js';
import { pathMatcher, type SeenPath } from '../inspect/path-pattern.js';
import { checkAction } from './fault-checks.js';
import { FAULT_PRESETS, type FaultPreset } from './fault-presets.js';
import { seededRandom, type Random } from './random.js';

/** Which requests a fault is done to: all that is given must hold; nothing given means all. */
export interface FaultMatch {
  readonly method?: string | undefined;
  /**
   * `*` stands for any characters within a segment, `**` for any at all. What begins with a slash is the whole path
   * (`/ws/customers/joe*` + `/lists`), all else what is below the account: `activities`, `activities/*`, `lists`.
   */
  readonly path?: string | undefined;
  /** In any case. */
  readonly user?: string | undefined;
  /** As the request asks for it: `SV_ADD`, not what it is stored as. */
  readonly activityType?: string | undefined;
  /** Only the nth of the requests that match the rest, from 1. */
  readonly nth?: number | undefined;
}

/** What is done to a request or its answer. */
export type FaultAction =
  /** Answers with this, and carries nothing out. */
  | {
      readonly type: 'status';
      /** 200 to 599. */
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>> | undefined;
      readonly body?: string | undefined;
    }
  /** Answers later: milliseconds or `2s`, by the clock of the emulator. Rules after this one still count. */
  | { readonly type: 'delay'; readonly time: number | string }
  /**
   * Answers nothing, until the client goes away or the emulator closes; the request is not carried out. With `after`,
   * it is carried out, and its answer stops after that many bytes of the body.
   */
  | { readonly type: 'stall'; readonly after?: number | undefined }
  /** Resets the connection (RST); otherwise as `stall`. */
  | { readonly type: 'reset'; readonly after?: number | undefined }
  /** Ends the connection after so many bytes of the body. */
  | { readonly type: 'truncate'; readonly after: number }
  /** The last end tag of the answer is left out. */
  | { readonly type: 'malformed' }
  /** The answer has another Content-Type. */
  | { readonly type: 'contentType'; readonly value: string }
  /**
   * The request is carried out, but its answer is lost: the connection is reset, nothing comes any more, or a proxy says
   * 504. Default `reset`.
   */
  | { readonly type: 'lostAnswer'; readonly how?: 'reset' | 'stall' | '504' | undefined };

/** When a fault occurs, and what it does. */
export interface FaultRule {
  readonly match?: FaultMatch | undefined;
  /** How often at most; default: no limit. */
  readonly times?: number | undefined;
  /** Of the requests that match, 0 to 1; default 1. */
  readonly probability?: number | undefined;
  /** Decides which ones, where `probability` is below 1; the same seed picks the same. Default that of the emulator. */
  readonly seed?: number | undefined;
  /** Or the name of a preset: `qps403`, `status503`, `lostAnswer` … */
  readonly action: FaultAction | FaultPreset;
}

/** A rule as it stands. */
export interface ActiveFault extends FaultRule {
  readonly id: number;
  readonly action: FaultAction;
  /** How many requests matched, and to how many it was done. */
  readonly matched: number;
  readonly done: number;
}

/** What a rule looks at. */
export interface FaultSubject extends SeenPath {
  readonly method: string;
  readonly user?: string | undefined;
  readonly activityType?: string | undefined;
}

/** A fault that is to be done to a request. */
export interface DueFault {
  readonly rule: number;
  readonly action: FaultAction;
}

interface Standing {
  readonly id: number;
  readonly rule: FaultRule & { readonly action: FaultAction };
  readonly onPath: ((seen: SeenPath) => boolean) | undefined;
  readonly random: Random;
  matched: number;
  done: number;
}

/** The rules of an emulator, in the order in which they were added: the first that applies to a request counts. */
export class Faults {
  readonly #seed: number;
  readonly #rules = new Map<number, Standing>();
  #ids = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** True when there is none, and so nothing to look at. */
  get none(): boolean {
    return this.#rules.size === 0;
  }

  /**
   * Adds a rule; the id to remove it by.
   * @throws UsageError `OPTION_INVALID` naming the field, when the rule cannot be meant.
   */
  add(rule: FaultRule | FaultPreset): number {
    const checked = checkRule(typeof rule === 'string' ? { action: rule } : rule);
    const id = ++this.#ids;
    const path = checked.match?.path;
    this.#rules.set(id, {
      id,
      rule: checked,
      onPath: path === undefined ? undefined : pathMatcher(path),
      random: seededRandom(checked.seed ?? this.#seed, `fault ${id}`),
      matched: 0,
      done: 0,
    });
    return id;
  }

  /** All rules, those included that have been done as often as they may. */
  list(): ActiveFault[] {
    return Array.from(this.#rules.values(), ({ id, rule, matched, done }) => ({
      id,
      ...rule,
      matched,
      done,
    }));
  }

  /** False when there is no such rule. */
  remove(id: number): boolean {
    return this.#rules.delete(id);
  }

  /** Removes all rules, and begins their ids anew. */
  clear(): void {
    this.#rules.clear();
    this.#ids = 0;
  }

  /**
   * What is to be done to a request: delays, then one other thing at most.
   * @internal
   */
  due(subject: FaultSubject): DueFault[] {
    const due: DueFault[] = [];
    for (const standing of this.#rules.values()) {
      if (!applies(standing, subject)) continue;
      standing.done++;
      due.push({ rule: standing.id, action: standing.rule.action });
      if (standing.rule.action.type !== 'delay') break;
    }
    return due;
  }
}

function applies(standing: Standing, subject: FaultSubject): boolean {
  const { match = {}, times = Infinity, probability = 1 } = standing.rule;
  const same = (wanted: string | undefined, found: string | undefined) =>
    wanted === undefined || wanted.toLowerCase() === found?.toLowerCase();
  if (
    !same(match.method, subject.method) ||
    !same(match.user, subject.user) ||
    !same(match.activityType, subject.activityType) ||
    standing.onPath?.(subject) === false
  ) {
    return false;
  }
  standing.matched++;
  if (match.nth !== undefined && standing.matched !== match.nth) return false;
  if (standing.done >= times) return false;
  return probability === 1 || standing.random() < probability;
}

const RULE_FIELDS = [
  'match',
  'times',
  'probability',
  'seed',
  'action',
] as const satisfies readonly (keyof FaultRule)[];

const MATCH_FIELDS = [
  'method',
  'path',
  'user',
  'activityType',
  'nth',
] as const satisfies readonly (keyof FaultMatch)[];

/** Rules come as JSON too, so that no type is to be relied on. */
function checkRule(rule: FaultRule): FaultRule & { readonly action: FaultAction } {
  const given: unknown = rule;
  if (typeof given !== 'object' || given === null) throw wrong('', 'must be an object with an action', given);
  refuseUnknownFields(given, RULE_FIELDS, 'fault');
  const { match, times, probability, seed, action } = rule;
  if (match !== undefined) checkMatch(match);
  if (times !== undefined && !(Number.isSafeInteger(times) && times >= 1)) {
    throw wrong('times', 'must be a whole number of 1 or more', times);
  }
  if (probability !== undefined && !(probability >= 0 && probability <= 1)) {
    throw wrong('probability', 'must be from 0 to 1', probability);
  }
  if (seed !== undefined && !Number.isSafeInteger(seed)) throw wrong('seed', 'must be a whole number', seed);
  return { ...rule, action: resolveAction(action) };
}

function resolveAction(action: FaultAction | FaultPreset): FaultAction {
  if (typeof action === 'string' && Object.hasOwn(FAULT_PRESETS, action)) return FAULT_PRESETS[action].action;
  if (typeof action === 'string') {
    throw wrong('action', `must be an object, or one of ${Object.keys(FAULT_PRESETS).join(', ')}`, action);
  }
  return checkAction(action);
}

function checkMatch(match: FaultMatch): void {
  const given: unknown = match;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw wrong('match', 'must be an object', given);
  }
  refuseUnknownFields(given, MATCH_FIELDS, 'fault: match');
  for (const name of ['method', 'path', 'user', 'activityType'] as const) {
    const value: unknown = match[name];
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      throw wrong(`match.${name}`, 'must be a text', value);
    }
  }
  const { nth } = match;
  if (nth !== undefined && !(Number.isSafeInteger(nth) && nth >= 1)) {
    throw wrong('match.nth', 'must be a whole number of 1 or more', nth);
  }
}

function wrong(field: string, must: string, value: unknown): UsageError {
  return new UsageError(
    'OPTION_INVALID',
    `fault: ${field === '' ? '' : `${field}: `}${must}, got ${shown(value)}`,
  );
}
