import nodePath from 'node:path';
import type { Clock } from '../clock.js';
import { systemClock } from '../clock.js';
import type { ReconcileOptions } from '../create.js';
import type { Lock } from '../http/lock-file.js';
import type { FetchHandler } from '../http/serve.js';
import type { Timeouts } from '../http/timeouts.js';
import type { Store } from '../store/store.js';
import type { PartLimits } from '../translate/limits.js';
import { wsServer } from '../ws/server.js';
import { GatewayAccount } from './account.js';
import type { GatewayAccounts, GatewayUser } from './accounts.js';
import { Endings } from './ending.js';
import { unexpected, type Engine } from './engine.js';
import type { GatewayEvent, Tell } from './events.js';
import { FileFolder } from './folder.js';
import type { KeptActivity } from './kept.js';
import { Lane } from './lane.js';
import { Ledger } from './ledger.js';
import { AccountLists, type KnownLists } from './lists.js';
import { Pace } from './pace.js';
import { Alarm, atMost } from './pause.js';
import { hasEnded, Poller } from './poller.js';
import { purge, type Purged, type PurgeOptions, type Retention } from './retention.js';
import { bounded } from './room.js';
import { Upstream, type UpstreamState } from './upstream.js';

export interface GatewayOptions {
  /** Outlives the gateway. It is whoever opened it who closes it, after `close`. */
  readonly store: Store;
  /** Where uploads that wait and files of exports are kept, for their owner only. It is made. */
  readonly folder: string;
  readonly accounts: GatewayAccounts;
  /** Default the machine's. */
  readonly clock?: Clock | undefined;
  /** Numbers from 0 to below 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Called in place of `globalThis.fetch` for v2, such as an emulator's. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Of calls to v2, in milliseconds. */
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Calls to v2 by one API key. Default 4 in a second, 10,000 in a day. */
  readonly limits?:
    { readonly perSecond?: number | undefined; readonly perDay?: number | undefined } | undefined;
  /**
   * Takes requests also while v2 is known to be down or its calls of the day are used up, and sends them later. Default
   * false: they are answered 503 with the seconds to wait.
   */
  readonly queueWhenDown?: boolean | undefined;
  readonly retention?: Retention | undefined;
  /** Milliseconds between two looks at the jobs of an account, the first time; of long jobs up to a minute. Default 5,000. */
  readonly pollInterval?: number | undefined;
  /**
   * What happens when the answer to a creation is lost. Default: it is looked for during two minutes, and sent once more
   * when there is none, but for clearing lists.
   */
  readonly reconcile?: ReconcileOptions | undefined;
  /** What one request to v2 holds at most, where that is to be less than v2 takes. */
  readonly partLimits?: Partial<PartLimits> | undefined;
  /** Activities on a page of the feed. Default 50. */
  readonly pageSize?: number | undefined;
  /** The largest request, in bytes. Default 64 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Bytes of requests that are read at once, over all; beyond it, 503. Default 256 MiB. */
  readonly maxBytesAtOnce?: number | undefined;
  /** Activities of one account that may go on at once; beyond it, 503. Default 1,000. */
  readonly maxOpen?: number | undefined;
  /** Told of what is done, as it is done. */
  readonly onEvent?: ((event: GatewayEvent) => void) | undefined;
}

export interface GatewayStatus {
  /** Whether requests are taken. */
  readonly ready: boolean;
  /** Why they are not. */
  readonly reasons: readonly string[];
  /** Activities of which nothing was sent yet. */
  readonly queued: number;
  /** Activities that v2 works on, or whose file is being fetched. */
  readonly running: number;
  /** When the oldest that goes on was accepted, in milliseconds since 1970. */
  readonly oldest: number | undefined;
  readonly upstream: readonly UpstreamState[];
}

/** ws for old clients, over v2. */
export interface Gateway {
  /** Answers in the ws dialect; 503 before `start` and after `close`. */
  readonly fetch: FetchHandler;
  /**
   * Goes on with all that was accepted before.
   * @throws UsageError `RUN_BUSY` when another gateway has the store; `FILE_UNWRITABLE`.
   */
  start(): Promise<void>;
  /** Takes nothing more, lets the calls in hand come to their end, and writes down what came of them. */
  close(): Promise<void>;
  status(): GatewayStatus;
  /** Forgets what has ended. */
  purge(options?: PurgeOptions): Promise<Purged>;
}

/** The lock of the store that a gateway holds while it runs. */
const LOCK = 'gateway';
const LISTS = 'lists';
/** Milliseconds between two looks for what need not be kept any more: 6 hours. */
const CLEANING = 6 * 60 * 60 * 1000;
/** Uploads that are cut into parts at once; more would take memory, and be no sooner done. */
const CONVERSIONS = 2;

/** A gateway, which takes nothing until it is started. */
export function createGateway(options: GatewayOptions): Gateway {
  const { store, accounts, clock = systemClock, random = Math.random } = options;
  let running: RunningGateway | undefined;
  let closed = false;
  const tell: Tell = (event) => options.onEvent?.({ at: clock.now(), ...event });

  const ws = wsServer({
    account: async (user, presented) => {
      const account = await accounts.find(user, presented);
      return account === undefined ? undefined : running?.account(account);
    },
    pageSize: options.pageSize,
    maxBodyBytes: options.maxBodyBytes,
    now: () => clock.now(),
  });
  const { maxBodyBytes = 64 * 1024 * 1024, maxBytesAtOnce = 256 * 1024 * 1024 } = options;
  const pace = new Pace();
  const answer = bounded(ws, { most: maxBytesAtOnce, mostEach: maxBodyBytes, pace });

  return {
    fetch: (request, peer) => (running === undefined ? Promise.resolve(notReady()) : answer(request, peer)),
    async start() {
      if (running !== undefined || closed) return;
      const lock = await store.lockRun(LOCK);
      try {
        running = await RunningGateway.begin(options, { clock, random, tell, lock, pace });
      } catch (error) {
        await lock.release();
        throw error;
      }
    },
    async close() {
      closed = true;
      const ending = running;
      await ending?.close();
      running = undefined;
    },
    status: () =>
      running?.status() ?? {
        ready: false,
        reasons: [closed ? 'the gateway is closed' : 'the gateway has not begun'],
        queued: 0,
        running: 0,
        oldest: undefined,
        upstream: [],
      },
    purge: async (wanted) => (await running?.purge(wanted)) ?? { activities: 0, files: 0 },
  };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

function notReady(): Response {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '5' };
  return new Response('The gateway is about to be started; try again in 5 seconds\n', {
    status: 503,
    headers,
  });
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly tell: Tell;
  readonly lock: Lock;
  readonly pace: Pace;
}

/** What there is while a gateway runs. */
class RunningGateway {
  readonly #options: GatewayOptions;
  readonly #engine: Engine;
  readonly #lock: Lock;
  readonly #stop: AbortController;
  readonly #endings: Endings;
  readonly #lanes = new Map<string, Lane>();
  readonly #pollers = new Map<Upstream, Poller>();
  readonly #accounts = new Map<string, GatewayAccount>();
  readonly #upstreams: Map<string, Upstream>;
  #closing = false;
  #cleaning: Promise<void> = Promise.resolve();

  static async begin(options: GatewayOptions, around: Surroundings): Promise<RunningGateway> {
    const { store, folder } = options;
    const { clock, random, tell } = around;
    const ledger = await Ledger.read(store.records, clock, random);
    const [uploads, files] = await Promise.all(
      ['uploads', 'files'].map((name) => FileFolder.open(nodePath.join(folder, name))),
    );
    if (uploads === undefined || files === undefined) throw new TypeError('two folders');
    const known = new Map<string, KnownLists>();
    for (const { key, value } of await store.records.list(LISTS, { limit: 100_000 })) {
      known.set(key, value as KnownLists);
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
    const { known, ...kept } = given;
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
      const calls = { buckets: store.buckets, clock, random, fetch, timeouts, limits, reconcile };
      const made: Upstream = new Upstream(apiKey, { ...calls, tell, refused, stop: this.#stop.signal });
      upstreams.set(apiKey, made);
      return made;
    };
    this.#engine = {
      ...kept,
      accounts,
      clock,
      random,
      tell,
      stop: this.#stop.signal,
      partLimits: options.partLimits ?? {},
      addresses: retention?.addresses ?? true,
      pace,
      convert: atMost(CONVERSIONS),
      alarm: () => new Alarm(clock),
      upstream,
      lists: (user) => {
        const found = lists.get(user) ?? this.#listsOf(user, known.get(user.user.toLowerCase()));
        lists.set(user, found);
        return found;
      },
    };
    this.#endings = new Endings(this.#engine);
  }

  account(account: GatewayUser): GatewayAccount {
    const key = account.user.toLowerCase();
    const found = this.#accounts.get(key);
    if (found !== undefined) {
      found.account = account;
      return found;
    }
    const { queueWhenDown = false, maxOpen = 1_000 } = this.#options;
    const made = new GatewayAccount(account, this.#engine, {
      queueWhenDown,
      mostOpen: maxOpen,
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
    return {
      ready: !this.#closing,
      reasons: this.#closing ? ['the gateway is about to end'] : [],
      queued,
      running: open.length - queued,
      oldest: open[0]?.accepted,
      upstream: [...this.#upstreams.values()].map((upstream) => upstream.state()),
    };
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
    await this.#cleaning;
    await this.#engine.ledger.settled();
    this.#engine.tell({ event: 'closed', open: this.#engine.ledger.open().length });
    await this.#lock.release();
  }

  #listsOf(account: GatewayUser, known: KnownLists | undefined): AccountLists {
    const { clock, upstream, stop } = this.#engine;
    const user = account.user;
    const key = user.toLowerCase();
    return new AccountLists({
      user,
      ids: account.lists,
      clock,
      known,
      upstream: {
        lists: async function* () {
          const reached = upstream(account);
          const client = reached.client(account);
          yield* await reached.call(user, 'lists', () => all(client.lists({ signal: stop })));
        },
      },
      keep: async (lists) => {
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
    if (account === undefined) return;
    this.#poller(this.#engine.upstream(account)).follow(user);
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
