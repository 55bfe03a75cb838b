import type { Clock } from '../clock.js';
import { systemClock } from '../clock.js';
import { serve, type FetchHandler, type ServeOptions } from '../http/serve.js';
import { RequestJournal } from '../inspect/journal.js';
import type { Profile, QuirkName } from '../ws/quirks.js';
import { isV2, v2Server } from '../v2/server.js';
import { wsServer } from '../ws/server.js';
import { EmulatedAccount } from './account.js';
import { Accounts } from './accounts.js';
import { controlServer, isControl } from './control.js';
import type { ControlReach } from './control-guard.js';
import { checkEmulatorState, emulatorState, type EmulatorState } from './emulator-state.js';
import { Faults } from './faults.js';
import type { JobOrder } from './jobs.js';
import type { Latency } from './latency.js';
import type { AccountSeed } from './seed.js';
import { startOf, steerable } from './steering.js';
import { withTraffic } from './traffic.js';
import { v2Account } from './v2-account.js';

/** What an emulator begins with, and how it behaves. */
export interface EmulatorOptions {
  /** Default: one account, `joesflowers`, with one empty list `1`. Other users are answered with 401. */
  readonly accounts?: readonly AccountSeed[] | undefined;
  /** Default: the machine's own clock; `createVirtualClock()` for tests. */
  readonly clock?: Clock | undefined;
  /** Decides ids, latencies and which requests faults with a probability are done to; default 1. */
  readonly seed?: number | undefined;
  /** How long jobs take; default as long as those of the service did. `instant`: they are done when anybody asks. */
  readonly latency?: Latency | undefined;
  /** Default `loose`: a list that is to be cleared is cleared after uploads into it that come before the clear is ready. */
  readonly order?: JobOrder | undefined;
  /** Activities on a page of the feed; default 50, as the service had it. */
  readonly pageSize?: number | undefined;
  /** Bytes of a request body beyond which the answer is 413; default as in `wsServer`. */
  readonly maxBodyBytes?: number | undefined;
  /** Default `observed`. A request chooses for itself by `X-Emulator-Profile` and `X-Emulator-Quirks`. */
  readonly profile?: Profile | undefined;
  /** Quirks that are to be on or off whatever the profile says. */
  readonly quirks?: Readonly<Partial<Record<QuirkName, boolean>>> | undefined;
  /** How many requests the journal keeps; default 1,000. */
  readonly journalSize?: number | undefined;
  /** Let the journal keep contacts and bodies as they came. Default false: nobody can be told from it. */
  readonly recordBodies?: boolean | undefined;
  /**
   * Whether `/__emulator/` is served, with the page and all that steers the emulator: to this machine alone (`loopback`,
   * the default), to whoever reaches the port (`anywhere`), or not at all (false).
   */
  readonly control?: ControlReach | false | undefined;
}

/** The service as it was, ws and v2 side by side on the same accounts, without network or with. */
export interface Emulator<C extends Clock = Clock> {
  /** Answers a request; may be given to a client as its `fetch`, then no port is opened. */
  readonly fetch: (request: Request | string | URL, init?: RequestInit) => Promise<Response>;
  readonly clock: C;
  /** The requests so far, without secrets, and what was made of them. */
  readonly requests: RequestJournal;
  /** What goes wrong. */
  readonly faults: Faults;
  /** The account of that user, in any case and percent-encoded or not; undefined when there is none. */
  account(user: string): EmulatedAccount | undefined;
  /** All accounts, in the order in which they were added. */
  accounts(): readonly EmulatedAccount[];
  /**
   * Adds an account, in place of the one that user may have.
   * @throws UsageError when the seed cannot be meant.
   */
  seed(account: AccountSeed): EmulatedAccount;
  /**
   * Takes everything back to how it began: accounts, faults, journal, and the clock if it can be moved. What is asked for
   * then leads to the same ids as before, and with such a clock to the same times.
   */
  reset(): Promise<void>;
  /** All accounts and the time, as plain data for `restore`; credentials, faults and the journal are not in it. */
  snapshot(): EmulatorState;
  /**
   * Brings back what `snapshot` gave, be it in another process: exactly those accounts, and the time if the clock can be
   * moved. An account that is not known here takes any credentials.
   * @throws UsageError `CONFIG_INVALID`, and changes nothing, when it is none, or is damaged.
   */
  restore(state: EmulatorState): Promise<void>;
  /**
   * Serves on a port of this machine; resolves once it listens.
   * @param options  `port` default 0, any that is free; `host` default 127.0.0.1; `tls` for https.
   */
  listen(options?: ServeOptions): Promise<{ readonly url: string }>;
  /** Stops listening. The accounts stay. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * An emulator of the service, with state: what is uploaded becomes members, what is exported holds them. It speaks ws
 * (`/ws/customers/<user>/…`) and v2 (`/v2/…`), where the token tells the account: see `CredentialsSeed`.
 * @throws UsageError when a seed cannot be meant, or two accounts have the same user.
 */
export function createEmulator<C extends Clock>(
  options: EmulatorOptions & { readonly clock: C },
): Emulator<C>;
export function createEmulator(options?: EmulatorOptions): Emulator;
export function createEmulator(options: EmulatorOptions = {}): Emulator {
  const { clock = systemClock, seed = 1, maxBodyBytes = MAX_BODY_BYTES } = options;
  const accounts = new Accounts(
    options.accounts ?? [{ user: 'joesflowers' }],
    (account) =>
      new EmulatedAccount(account, { clock, seed, latency: options.latency, order: options.order }),
  );
  const requests = new RequestJournal(options.journalSize);
  const faults = new Faults(seed);
  let closing = new AbortController();

  const now = () => clock.now();
  const backToStart = startOf(clock);
  const ws = wsServer({
    account: (user, credentials) => {
      const account = accounts.get(user);
      return account?.admits(credentials) === true ? account : undefined;
    },
    pageSize: options.pageSize,
    maxBodyBytes,
    now,
    profile: options.profile,
    quirks: options.quirks,
    profileHeader: true,
  });
  const v2 = v2Server({
    account: (credentials) => v2Account(accounts.all(), credentials),
    maxBodyBytes,
    now,
  });
  const answer = withTraffic((request) => (isV2(request) ? v2(request) : ws(request)), {
    journal: requests,
    faults,
    clock,
    users: () => accounts.all().map(({ user }) => user),
    maxBodyBytes,
    recordBodies: options.recordBodies ?? false,
    closing: () => closing.signal,
  });

  const open = new Set<{ close(): Promise<void> }>();
  const emulator: Emulator = {
    fetch: (request, init) => handle(request instanceof Request ? request : new Request(request, init)),
    clock,
    requests,
    faults,
    account: (user) => accounts.get(user),
    accounts: () => accounts.all(),
    seed: (account) => accounts.put(account),
    reset: async () => {
      faults.clear();
      requests.clear();
      await backToStart();
      accounts.reset();
    },
    snapshot: () => emulatorState(now(), accounts.snapshot()),
    restore: async (state) => {
      const checked = checkEmulatorState(state);
      const bringBack = accounts.prepareRestore(checked.accounts);
      await steerable(clock)?.set(checked.now);
      bringBack();
    },
    listen: async (where) => {
      const server = await serve(handle, where);
      open.add(server);
      return { url: server.url };
    },
    close: async () => {
      const servers = [...open];
      open.clear();
      closing.abort();
      closing = new AbortController();
      await Promise.all(servers.map((server) => server.close()));
    },
  };
  const control = options.control === false ? undefined : controlServer(emulator, { reach: options.control });
  const handle: FetchHandler = (request, peer) =>
    control !== undefined && isControl(request) ? control(request, peer) : answer(request);
  return emulator;
}
