import { ServiceError } from '../activity/errors.js';
import { isSystemList, systemList, type ContactList } from '../activity/list.js';
import type { ActivityRequest } from '../activity/request.js';
import type { ActivityService, ListOptions } from '../activity/service.js';
import { behind } from '../bulk-client.js';
import type { Clock } from '../clock.js';
import { V2_SYSTEM_LISTS } from '../v2/names.js';

/** Ids of lists as the old client knows them, by what v2 calls them: `{ '2': '1995998026' }`. */
export type ListIds = Readonly<Record<string, string>>;

/** The id that v2 has for a list of the old client: the one given for it, else the same. */
export function v2ListId(wsId: string, ids: ListIds = {}): string {
  return Object.hasOwn(ids, wsId) ? (ids[wsId] ?? wsId) : wsId;
}

/** The ids that the old client has for a list of v2: none where its own id means another list to him. */
export function wsListIds(v2Id: string, ids: ListIds = {}): readonly string[] {
  const given = Object.keys(ids).filter((wsId) => ids[wsId] === v2Id);
  if (given.length > 0) return given;
  return Object.hasOwn(ids, v2Id) ? [] : [v2Id];
}

/**
 * The lists of v2 as ws told them: the system lists first, then the account's own in the order of v2. What v2 does not tell is
 * as for a list that nobody changed: the short name is the name, it is not opt-in by default, and sorted where it stands.
 */
export function asWsLists(lists: Iterable<ContactList>, ids: ListIds = {}): readonly ContactList[] {
  const own = [...lists].filter(({ system }) => !system).flatMap((list) => wsCopies(list, ids));
  return [...SYSTEM, ...own.map((list, index) => ({ ...list, sortOrder: list.sortOrder ?? index + 1 }))];
}

function wsCopies(list: ContactList, ids: ListIds): readonly ContactList[] {
  const { shortName = list.name, optInDefault = false, displayOnSignup = true } = list;
  return wsListIds(list.id, ids).map((id) => ({ ...list, id, shortName, optInDefault, displayOnSignup }));
}

const SYSTEM = (Object.keys(V2_SYSTEM_LISTS) as (keyof typeof V2_SYSTEM_LISTS)[]).map(systemList);

/** Lists as they were told last, and when, in milliseconds since 1970. */
export interface KnownLists {
  readonly at: number;
  readonly lists: readonly ContactList[];
}

export interface AccountListsOptions {
  /** Named in refusals. */
  readonly user: string;
  /** Of v2. */
  readonly upstream: Pick<ActivityService, 'lists'>;
  readonly ids?: ListIds | undefined;
  readonly clock: Pick<Clock, 'now'>;
  /** How long lists are believed, in milliseconds. Default 15 minutes. */
  readonly maxAge?: number | undefined;
  /** How long it is believed that there is no list of an id, in milliseconds. Default 30 seconds. */
  readonly minAge?: number | undefined;
  /** Told of lists that were read, to be kept. */
  readonly keep?: ((known: KnownLists) => void | Promise<void>) | undefined;
  /** What `keep` was told last, be it by another process. */
  readonly known?: KnownLists | undefined;
}

/** The lists of an account, remembered for a while. */
export class AccountLists {
  readonly #options: AccountListsOptions;
  readonly #maxAge: number;
  readonly #minAge: number;
  #known: KnownLists | undefined;
  #reading: Promise<KnownLists> | undefined;
  #outdated = false;

  constructor(options: AccountListsOptions) {
    this.#options = options;
    this.#maxAge = options.maxAge ?? 15 * 60_000;
    this.#minAge = options.minAge ?? 30_000;
    this.#known = options.known;
  }

  /**
   * As ws told them. Where v2 cannot be asked, those that were told last are good enough.
   * @throws ServiceError `NOT_FOUND` for an `after` that is none; whatever v2 fails with, when no lists are known yet.
   */
  async *all(options?: ListOptions): AsyncGenerator<ContactList, void> {
    const { lists } = await this.#recent(this.#outdated ? 0 : this.#maxAge, true);
    yield* behind(asWsLists(lists, this.#options.ids), options?.after);
  }

  /**
   * The ids that v2 has for the lists of a request, in their order, each once. An id that is not known is asked for again.
   * @throws ServiceError `SERVICE_REFUSED`, status 400, for a list that does not exist, and for a system list where there can
   * be none; whatever v2 fails with, when it must be asked.
   */
  async toV2(
    ids: readonly string[],
    activityType: ActivityRequest['activityType'],
  ): Promise<readonly string[]> {
    const exports = activityType === 'EXPORT_CONTACTS';
    for (const id of ids) {
      if (!isSystemList(id) || (exports && Object.hasOwn(V2_SYSTEM_LISTS, id))) continue;
      throw refused(`${activityType} cannot be done on the system list ${id}`);
    }
    const own = ids.filter((id) => !isSystemList(id));
    if (own.length > 0) await this.#checkKnown(own);
    return [...new Set(ids.map((id) => v2ListId(id, this.#options.ids)))];
  }

  async #checkKnown(ids: readonly string[]): Promise<void> {
    const missing = ({ lists }: KnownLists) => ids.find((id) => !this.#has(lists, id));
    if (missing(await this.#recent(this.#maxAge, true)) === undefined) return;
    const unknown = missing(await this.#recent(this.#minAge, false));
    if (unknown === undefined) return;
    throw refused(`list ${unknown} does not exist in the account ${this.#options.user}`);
  }

  #has(lists: readonly ContactList[], wsId: string): boolean {
    const v2Id = v2ListId(wsId, this.#options.ids);
    return lists.some(({ id, system }) => id === v2Id && !system);
  }

  /**
   * The short name of a list of the old client, as exports call it; the id, where none is known. From memory alone: lists
   * that were never read have none.
   */
  shortName(wsId: string): string {
    return this.wsLists().find(({ id }) => id === wsId)?.shortName ?? wsId;
  }

  /** As ws told them, from memory alone. */
  wsLists(): readonly ContactList[] {
    return asWsLists(this.#known?.lists ?? [], this.#options.ids);
  }

  /** Asks v2 for the lists now. */
  async refresh(): Promise<void> {
    await this.#read();
  }

  /** The counts of members may have changed: who looks at the lists next, has them read anew. */
  outdate(): void {
    this.#outdated = true;
  }

  async #recent(age: number, lenient: boolean): Promise<KnownLists> {
    const known = this.#known;
    const since = known === undefined ? Infinity : this.#options.clock.now() - known.at;
    // Of a clock that was set back nobody knows how old anything is.
    if (known !== undefined && since >= 0 && since < age) return known;
    try {
      return await this.#read();
    } catch (error) {
      if (known !== undefined && lenient) return known;
      throw error;
    }
  }

  /** Who asks while they are being read gets the same: so nobody's signal ends it. */
  #read(): Promise<KnownLists> {
    this.#reading ??= this.#ask().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #ask(): Promise<KnownLists> {
    const { upstream, clock, keep } = this.#options;
    const lists: ContactList[] = [];
    for await (const list of upstream.lists()) lists.push(list);
    this.#outdated = false;
    const known = { at: clock.now(), lists };
    this.#known = known;
    await keep?.(known);
    return known;
  }
}

function refused(detail: string): ServiceError {
  return new ServiceError('SERVICE_REFUSED', detail, { status: 400, detail });
}
