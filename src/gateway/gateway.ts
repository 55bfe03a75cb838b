import { systemClock, type Clock } from '../clock.js';
import type { ReconcileOptions } from '../create.js';
import type { FetchHandler } from '../http/serve.js';
import type { Timeouts } from '../http/timeouts.js';
import type { Store } from '../store/store.js';
import type { PartLimits } from '../translate/limits.js';
import { wsServer } from '../ws/server.js';
import type { GatewayAccounts } from './accounts.js';
import type { GatewayEvent, Tell } from './events.js';
import { Pace } from './pace.js';
import type { Purged, PurgeOptions, Retention } from './retention.js';
import { bounded, MOST_AT_ONCE, MOST_EACH } from './room.js';
import { RunningGateway } from './running.js';
import type { UpstreamState } from './upstream.js';

/** What a gateway works with, and how. */
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
   * when there is none.
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
  /** Bytes of uploads that may wait on the disk, of all accounts; beyond it, 503. Default 8 GiB. */
  readonly maxWaitingBytes?: number | undefined;
  /**
   * Milliseconds after its acceptance at which an activity that v2 would still not take, or not tell of, ends with an ERROR
   * that says why. Default 7 days.
   */
  readonly giveUpAfter?: number | undefined;
  /** Told of what is done, as it is done. What it throws is passed over. */
  readonly onEvent?: ((event: GatewayEvent) => void) | undefined;
}

/** How a gateway stands. */
export interface GatewayStatus {
  /** Whether requests are taken. */
  readonly ready: boolean;
  /** Why they are not. */
  readonly reasons: readonly string[];
  /** False once a write to the store or the folder failed that `check` tried. */
  readonly writable: boolean;
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
  /** How it stands at this moment. */
  status(): GatewayStatus;
  /** The same, once a tiny write was tried, which is done every 5 seconds at most: who cannot write takes no requests. */
  check(): Promise<GatewayStatus>;
  /** Forgets what has ended. */
  purge(options?: PurgeOptions): Promise<Purged>;
}

/** The lock of the store that a gateway holds while it runs. */
const LOCK = 'gateway';

/** A gateway, which takes nothing until it is started. */
export function createGateway(options: GatewayOptions): Gateway {
  const { store, accounts, clock = systemClock, random = Math.random } = options;
  let running: RunningGateway | undefined;
  let closed = false;
  const tell: Tell = (event) => {
    try {
      options.onEvent?.({ at: clock.now(), ...event });
    } catch {
      // Who listens must not keep the work from being done.
    }
  };

  const ws = wsServer({
    account: async (user, presented) => {
      const account = await accounts.find(user, presented);
      return account === undefined ? undefined : running?.account(account);
    },
    pageSize: options.pageSize,
    maxBodyBytes: options.maxBodyBytes,
    now: () => clock.now(),
  });
  const { maxBodyBytes = MOST_EACH, maxBytesAtOnce = MOST_AT_ONCE } = options;
  const pace = new Pace();
  const answer = bounded(ws, { most: maxBytesAtOnce, mostEach: maxBodyBytes, pace });

  const status = (): GatewayStatus =>
    running?.status() ?? {
      ready: false,
      reasons: [closed ? 'the gateway is closed' : 'the gateway has not begun'],
      writable: true,
      queued: 0,
      running: 0,
      oldest: undefined,
      upstream: [],
    };
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
    status,
    check: async () => (await running?.check()) ?? status(),
    purge: async (wanted) => (await running?.purge(wanted)) ?? { activities: 0, files: 0 },
  };
}

function notReady(): Response {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '5' };
  return new Response('The gateway is about to be started; try again in 5 seconds\n', {
    status: 503,
    headers,
  });
}
