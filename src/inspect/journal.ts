import { refuseUnknownFields } from '../activity/fields.js';
import { UsageError } from '../activity/errors.js';
import type { JournalEntry } from './journal-entry.js';
import { pathMatcher } from './path-pattern.js';

/** Which requests are meant: all that is given must hold. */
export interface RequestFilter {
  readonly method?: string | undefined;
  /** `activities`, `activities/*`, `/ws/customers/joesflowers/lists`: see `FaultMatch.path`. */
  readonly path?: string | undefined;
  readonly user?: string | undefined;
  readonly activityType?: string | undefined;
  readonly activityId?: string | undefined;
  readonly status?: number | undefined;
  /** Those that were answered with 400 or more, or (false) were not. */
  readonly refused?: boolean | undefined;
  /** Those that a fault was done to, or (false) was not. */
  readonly faulty?: boolean | undefined;
  /** Those after the one with this id. */
  readonly after?: number | undefined;
}

const FILTER_FIELDS = [
  'method',
  'path',
  'user',
  'activityType',
  'activityId',
  'status',
  'refused',
  'faulty',
  'after',
] as const satisfies readonly (keyof RequestFilter)[];

/** The latest requests that were answered, oldest first. */
export class RequestJournal implements Iterable<JournalEntry> {
  readonly #limit: number;
  readonly #listeners = new Set<(entry: JournalEntry) => void>();
  #entries: JournalEntry[] = [];
  #count = 0;

  /**
   * @param limit how many requests are kept; older ones are forgotten. Default 1,000.
   * @throws UsageError `OPTION_INVALID` when it is no whole number of 0 or more.
   */
  constructor(limit = 1_000) {
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw new UsageError(
        'OPTION_INVALID',
        `journalSize: must be a whole number of 0 or more, got ${limit}`,
      );
    }
    this.#limit = limit;
  }

  /** How many are kept at present. */
  get length(): number {
    return Math.min(this.#limit, this.#entries.length);
  }

  /** How many there have been since the beginning or the last `clear`. */
  get count(): number {
    return this.#count;
  }

  /** The latest request; undefined before the first. */
  get last(): JournalEntry | undefined {
    return this.#limit === 0 ? undefined : this.#entries.at(-1);
  }

  /** The requests that are kept, oldest first. */
  [Symbol.iterator](): Iterator<JournalEntry> {
    return this.#kept()[Symbol.iterator]();
  }

  /** The requests that are meant; all without a filter. @throws UsageError for a filter that cannot be meant. */
  matching(filter: RequestFilter = {}): JournalEntry[] {
    return this.#kept().filter(filterOf(filter));
  }

  /** One JSON object a line, as schemas/emulator-journal.schema.json has it. */
  toNdjson(filter?: RequestFilter): string {
    return this.matching(filter)
      .map((entry) => `${JSON.stringify(entry)}\n`)
      .join('');
  }

  /** Forgets all, and counts from 1 again. */
  clear(): void {
    this.#entries = [];
    this.#count = 0;
  }

  /** The entry as it is kept, with its number: from 1, one more for each. */
  add(entry: Omit<JournalEntry, 'id'>): JournalEntry {
    const added = { id: ++this.#count, ...entry };
    this.#entries.push(added);
    // In large steps, so that a full journal costs no more than an empty one.
    if (this.#entries.length >= 2 * this.#limit + 100) this.#entries = this.#kept();
    for (const listener of this.#listeners) listener(added);
    return added;
  }

  /** Calls `listener` with each request from now on; the result ends that. */
  subscribe(listener: (entry: JournalEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #kept(): JournalEntry[] {
    return this.#limit === 0 ? [] : this.#entries.slice(-this.#limit);
  }
}

function filterOf(filter: RequestFilter): (entry: JournalEntry) => boolean {
  refuseUnknownFields(filter, FILTER_FIELDS, 'filter of requests');
  const { method, path, user, activityType, activityId, status, refused, faulty, after } = filter;
  const onPath = path === undefined ? undefined : pathMatcher(path);
  return (entry) =>
    (method === undefined || entry.method === method.toUpperCase()) &&
    (onPath === undefined || onPath(entry)) &&
    (user === undefined || entry.user?.toLowerCase() === user.toLowerCase()) &&
    (activityType === undefined || entry.activityType === activityType) &&
    (activityId === undefined || entry.activityId === activityId) &&
    (status === undefined || entry.status === status) &&
    (refused === undefined || isRefused(entry) === refused) &&
    (faulty === undefined || (entry.fault !== undefined) === faulty) &&
    (after === undefined || entry.id > after);
}

function isRefused({ status }: JournalEntry): boolean {
  return status !== undefined && status >= 400;
}
