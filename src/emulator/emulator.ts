import { UsageError } from '../activity/errors.js';
import { systemClock, type Clock } from '../clock.js';
import { serve } from '../http/serve.js';
import { wsServer } from '../ws/server.js';
import { EmulatedAccount } from './account.js';
import type { Latency } from './jobs.js';
import type { AccountSeed } from './seed.js';

export interface EmulatorOptions {
  /** Default: one account, `joesflowers`, with one empty list `1`. Other users are answered with 401. */
  readonly accounts?: readonly AccountSeed[] | undefined;
  /** Default: the machine's own clock; `createVirtualClock()` for tests. */
  readonly clock?: Clock | undefined;
  /** Decides ids and latencies; default 1. */
  readonly seed?: number | undefined;
  readonly latency?: Latency | undefined;
  /** Activities on a page of the feed; default 50, as the service had it. */
  readonly pageSize?: number | undefined;
  /** Bytes of a request body beyond which the answer is 413; default as in `wsServer`. */
  readonly maxBodyBytes?: number | undefined;
}

/** The service as it was, without network or with. */
export interface Emulator<C extends Clock = Clock> {
  /** Answers a request; may be given to a client as its `fetch`, then no port is opened. */
  readonly fetch: (request: Request | string | URL, init?: RequestInit) => Promise<Response>;
  readonly clock: C;
  /** The account of that user, in any case and percent-encoded or not; undefined when there is none. */
  account(user: string): EmulatedAccount | undefined;
  /**
   * Serves on a port of this machine; resolves once it listens.
   * @param options  `port` default 0, any that is free; `host` default 127.0.0.1.
   */
  listen(options?: { port?: number; host?: string }): Promise<{ readonly url: string }>;
  /** Stops listening. The accounts stay. */
  close(): Promise<void>;
}

/**
 * An emulator of the ws service, with state: what is uploaded becomes members, what is exported holds them.
 * @throws UsageError when a seed cannot be meant, or two accounts have the same user.
 */
export function createEmulator<C extends Clock>(
  options: EmulatorOptions & { readonly clock: C },
): Emulator<C>;
export function createEmulator(options?: EmulatorOptions): Emulator;
export function createEmulator(options: EmulatorOptions = {}): Emulator {
  const clock = options.clock ?? systemClock;
  const accounts = new Map<string, EmulatedAccount>();
  for (const seed of options.accounts ?? [{ user: 'joesflowers' }]) {
    const account = new EmulatedAccount(seed, { clock, seed: options.seed, latency: options.latency });
    const key = account.user.toLowerCase();
    if (accounts.has(key)) {
      throw new UsageError(
        'OPTION_INVALID',
        `accounts: there are two accounts ${account.user}; users differ by more than case`,
      );
    }
    accounts.set(key, account);
  }

  const answer = wsServer({
    account: (user, credentials) => {
      const account = accounts.get(user.toLowerCase());
      return account?.admits(credentials) === true ? account : undefined;
    },
    pageSize: options.pageSize,
    maxBodyBytes: options.maxBodyBytes,
    now: () => clock.now(),
  });
  const open = new Set<{ close(): Promise<void> }>();

  return {
    fetch: (request, init) => answer(request instanceof Request ? request : new Request(request, init)),
    clock,
    account: (user) => accounts.get(userKey(user)),
    listen: async (where) => {
      const server = await serve(answer, where);
      open.add(server);
      return { url: server.url };
    },
    close: async () => {
      const servers = [...open];
      open.clear();
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

function userKey(user: string): string {
  let decoded = user;
  try {
    decoded = decodeURIComponent(user);
  } catch {
    // A stray % is part of the name.
  }
  return decoded.toLowerCase();
}
