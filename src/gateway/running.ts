import nodePath from 'node:path';
import { steadyClock, type Clock } from '../clock.js';
import type { Lock } from '../http/lock-file.js';
import { GatewayAccount } from './account.js';
import type { GatewayUser } from './accounts.js';
import { Endings } from './ending.js';
import { unexpected, type Engine } from './engine.js';
import type { Tell } from './events.js';
import { FileFolder } from './folder.js';
import type { GatewayOptions, GatewayStatus } from './gateway.js';
import { giveUpJobs, hasEnded, isOver, jobsOf } from './jobs.js';
import type { KeptActivity } from './kept.js';
import { Lane } from './lane.js';
import { Ledger } from './ledger.js';
import { AccountLists, type KnownLists } from './lists.js';
import type { Pace } from './pace.js';
import { Alarm, atMost } from './pause.js';
import { Poller } from './poller.js';
import { purge, type Purged, type PurgeOptions } from './retention.js';
import { Upstream } from './upstream.js';
import { Writable } from './writable.js';

const LISTS = 'lists';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const GIBIBYTE = 1024 ** 3;
/** Milliseconds between two looks for what need not be kept any more: 6 hours. */
const CLEANING = 6 * 60 * 60 * 1000;
/** Uploads that are cut into parts at once; more would take memory, and be no sooner done. */
const CONVERSIONS = 2;

/** What a gateway is given by who begins it. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly tell: Tell;
  readonly lock: Lock;
  readonly pace: Pace;
}

/** What there is while a gateway runs. */
export class RunningGateway {
  readonly #options: GatewayOptions;
  readonly #engine: Engine;
  readonly #lock: Lock;
  readonly #stop: AbortController;
  readonly #endings: Endings;
  readonly #lanes = new Map<string, Lane>();
  readonly #pollers = new Map<Upstream, Poller>();
  readonly #accounts = new Map<string, GatewayAccount>();
  readonly #upstreams: Map<string, Upstream>;
  readonly #awaited = new Map<string, Promise<void>>();
  readonly #writable: Writable;
  #closing = false;
  #cleaning: Promise<void> = Promise.resolve();

  static async begin(options: GatewayOptions, around: Surroundings): Promise<RunningGateway> {
    const { store, folder } = options;
    const { clock, random, tell } = around;
    const ledger = await Ledger.read(store.records, clock, random);
    const uploads = await FileFolder.open(nodePath.join(folder, 'uploads'));
    const files = await FileFolder.open(nodePath.join(folder, 'files'));
    const known = new Map<string, KnownLists>();
    for (const { key, value } of await store.records.list(LISTS, { limit: 100_000 })) {
      known.set(key, listsOf(value as Stored<KnownLists>));
    }
    const open = ledger.open();
    // What nobody was told of is left from a crash, and so are contacts that nobody needs any more.
    const needed = open.flatMap(({ order }) => ('upload' in order ? [order.upload] : []));
    const swept = (await uploads.sweep(new Set(needed))) + (await files.sweep(await ledger.files()));
    const gateway = new RunningGateway(options, around, { ledger, uploads, files, known });
    tell({ event: 'started', open: open.length, swept });
    for (const kept of open) gateway.#goOn(kept);
    gateway.#cleaning = gateway.#clean();
    return gateway;
  }

  private constructor(
    options: GatewayOptions,
    { clock, random, tell, lock, pace }: Surroundings,
    given: Pick<Engine, 'ledger' | 'uploads' | 'files'> & { known: ReadonlyMap<string, KnownLists> },
  ) {
    const { store, accounts, fetch, timeouts, limits, reconcile, retention } = options;
    const { ledger, uploads, files } = given;
    const known = new Map(given.known);
    const steady = steadyClock(clock);
    this.#options = options;
    this.#lock = lock;
    this.#stop = new AbortController();
    const upstreams = (this.#upstreams = new Map<string, Upstream>());
    const lists = new WeakMap<GatewayUser, AccountLists>();
    const upstream = ({ apiKey }: GatewayUser) => {
      const found = upstreams.get(apiKey);
      if (found !== undefined) return found;
      const refused = () => {
        this.#poller(made).watch();
      };
      const calls = { buckets: store.buckets, clock, steady, random, fetch, timeouts, limits, reconcile };
      const made: Upstream = new Upstream(apiKey, { ...calls, tell, refused, stop: this.#stop.signal });
      upstreams.set(apiKey, made);
      return made;
    };
    this.#engine = {
      ledger,
      uploads,
      files,
      accounts,
      clock,
      steady,
      random,
      tell,
      stop: this.#stop.signal,
      giveUpAfter: options.giveUpAfter ?? 7 * DAY,
      partLimits: options.partLimits ?? {},
      addresses: retention?.addresses ?? true,
      pace,
      convert: atMost(CONVERSIONS),
      alarm: () => new Alarm(clock),
      upstream,
      lists: (user) => {
        const found = lists.get(user) ?? this.#listsOf(user, known);
        lists.set(user, found);
        return found;
      },
    };
    this.#endings = new Endings(this.#engine);
    const trial = { collection: 'gateway', key: 'trial', value: {} };
    this.#writable = new Writable(
      steady,
      [() => store.records.write(trial), () => uploads.tryOut()],
      (error) => {
        unexpected(this.#engine, error);
      },
    );
  }

  account(account: GatewayUser): GatewayAccount {
    const key = account.user.toLowerCase();
    const found = this.#accounts.get(key);
    if (found !== undefined) {
      found.account = account;
      return found;
    }
    const { queueWhenDown = false, maxOpen = 1_000, maxWaitingBytes = 8 * GIBIBYTE } = this.#options;
    const made = new GatewayAccount(account, this.#engine, {
      queueWhenDown,
      mostOpen: maxOpen,
      mostBytes: maxWaitingBytes,
      closing: () => this.#closing,
      accepted: (kept) => {
        this.#goOn(kept);
      },
    });
    this.#accounts.set(key, made);
    return made;
  }

  status(): GatewayStatus {
    const open = this.#engine.ledger.open();
    const queued = open.filter(({ parts }) => parts.every(({ upstream }) => upstream === undefined)).length;
    const unwritable = this.#writable.reason;
    const reasons = this.#closing ? ['the gateway is about to end'] : [];
    if (unwritable !== undefined) reasons.push(unwritable);
    return {
      ready: reasons.length === 0,
      reasons,
      writable: unwritable === undefined,
      queued,
      running: open.length - queued,
      oldest: open[0]?.accepted,
      upstream: [...this.#upstreams.values()].map((upstream) => upstream.state()),
    };
  }

  async check(): Promise<GatewayStatus> {
    if (!this.#closing) await this.#writable.check();
    return this.status();
  }

  purge(options: PurgeOptions = {}): Promise<Purged> {
    return purge(this.#engine, this.#options.retention ?? {}, options);
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#stop.abort();
    await Promise.all(
      [...this.#lanes.values(), ...this.#pollers.values(), this.#endings].map((one) => one.settled()),
    );
    await Promise.all([this.#cleaning, ...this.#awaited.values()]);
    await this.#engine.ledger.settled();
    this.#engine.tell({ event: 'closed', open: this.#engine.ledger.open().length });
    await this.#lock.release();
  }

  /** @param all what was told of all accounts, which outlasts that they are read anew. */
  #listsOf(account: GatewayUser, all: Map<string, KnownLists>): AccountLists {
    const { clock, upstream, stop } = this.#engine;
    const user = account.user;
    const key = user.toLowerCase();
    return new AccountLists({
      user,
      ids: account.lists,
      clock,
      known: all.get(key),
      upstream: {
        lists: async function* () {
          const reached = upstream(account);
          const client = reached.client(account);
          yield* await reached.call(user, 'lists', () => collect(client.lists({ signal: stop })));
        },
      },
      keep: async (lists) => {
        all.set(key, lists);
        if (stop.aborted) return;
        await this.#options.store.records.write({ collection: LISTS, key, value: lists });
      },
    });
  }

  /** Has an activity done, from where it is. */
  #goOn({ id, user, parts }: KeptActivity): void {
    if (parts.every(hasEnded)) {
      this.#endings.begin(id);
      return;
    }
    this.#follow(user);
    if (parts.some(({ upstream, refused }) => (upstream ?? refused) === undefined)) this.#lane(user).add(id);
  }

  #lane(user: string): Lane {
    const key = user.toLowerCase();
    const found = this.#lanes.get(key);
    if (found !== undefined) return found;
    const lane = new Lane(this.#engine, (id) => {
      const kept = this.#engine.ledger.find(id);
      if (kept !== undefined) this.#goOn(kept);
    });
    this.#lanes.set(key, lane);
    return lane;
  }

  #follow(user: string): void {
    const account = this.#engine.accounts.get(user);
    if (account !== undefined) this.#poller(this.#engine.upstream(account)).follow(user);
    else this.#awaitAccount(user);
  }

  /** What v2 does for an account that is not configured is followed once it is, unless that takes too long. */
  #awaitAccount(user: string): void {
    const key = user.toLowerCase();
    if (this.#awaited.has(key)) return;
    const { accounts, clock, stop } = this.#engine;
    const alarm = this.#engine.alarm();
    const back = async () => {
      while (!stop.aborted && accounts.get(user) === undefined) {
        for (const { id } of await giveUpJobs(this.#engine, jobsOf(this.#engine, user))) {
          if (isOver(this.#engine, id)) this.#endings.begin(id);
        }
        await alarm.until(clock.now() + MINUTE, stop);
      }
      this.#awaited.delete(key);
      if (!stop.aborted) this.#follow(user);
    };
    this.#awaited.set(key, back());
  }

  #poller(upstream: Upstream): Poller {
    const found = this.#pollers.get(upstream);
    if (found !== undefined) return found;
    const over = (id: string) => {
      this.#endings.begin(id);
    };
    const poller = new Poller(this.#engine, upstream, {
      interval: this.#options.pollInterval ?? 5_000,
      over,
      lost: (user) => {
        this.#follow(user);
      },
    });
    this.#pollers.set(upstream, poller);
    return poller;
  }

  async #clean(): Promise<void> {
    const { clock, stop } = this.#engine;
    const alarm = this.#engine.alarm();
    while (!stop.aborted) {
      await this.purge().catch((error: unknown) => {
        unexpected(this.#engine, error);
      });
      await alarm.until(clock.now() + CLEANING, stop);
    }
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** What comes back from the store: JSON has no dates. */
type Stored<T> = T extends Date ? string : T extends object ? { readonly [K in keyof T]: Stored<T[K]> } : T;

function listsOf({ at, lists }: Stored<KnownLists>): KnownLists {
  return {
    at,
    lists: lists.map((list) => ({
      ...list,
      updated: list.updated === undefined ? undefined : new Date(list.updated),
    })),
  };
}
