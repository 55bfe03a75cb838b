import { createHash } from 'node:crypto';
import { AmbiguousCreateError, CtctError, ServiceError, type ErrorCode } from '../activity/errors.js';
import type { Clock } from '../clock.js';
import type { ReconcileOptions } from '../create.js';
import { codeOf as diskCode } from '../http/disk.js';
import type { Limiter } from '../http/limiter.js';
import { askedPause, isPassing } from '../http/passing.js';
import type { Timeouts } from '../http/timeouts.js';
import { sharedLimiter } from '../store/shared-limiter.js';
import type { Buckets } from '../store/store.js';
import { V2Client } from '../v2/client.js';
import type { GatewayUser } from './accounts.js';
import type { Tell, UpstreamOperation } from './events.js';
import { growingPause } from './pause.js';

export interface UpstreamOptions {
  readonly buckets: Buckets;
  readonly clock: Clock;
  /** By which v2 is down until some time; nobody sets it back. */
  readonly steady: Clock;
  readonly random: () => number;
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
  readonly limits?:
    { readonly perSecond?: number | undefined; readonly perDay?: number | undefined } | undefined;
  readonly reconcile?: ReconcileOptions | undefined;
  readonly tell: Tell;
  /** Aborts when the gateway stops. */
  readonly stop: AbortSignal;
  /** Told when v2 cannot be asked any more, so that somebody finds out when it can. */
  readonly refused: () => void;
}

/** Why v2 cannot be asked now, and when it can be tried again, by the steady clock. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly until: number;
}

/** How v2 is for an API key, whose hash is told in its place. */
export interface UpstreamState {
  readonly key: string;
  readonly state: 'up' | 'down' | 'used up';
  /** Since when it is down, in milliseconds since 1970. */
  readonly since?: number | undefined;
  /** When it is asked again. */
  readonly until?: number | undefined;
}

/** Failures in a row after which v2 is taken to be down. */
const DOWN_AFTER = 2;
/** What is used up for longer than this is not a limit of calls in a second. */
const USED_UP = 60_000;

/** v2 as it is reached by one API key: its limits, and whether it answers. */
export class Upstream {
  /** Tells the key apart from others, and no more. */
  readonly key: string;
  readonly #options: UpstreamOptions;
  readonly #limiter: Limiter;
  readonly #clients = new WeakMap<GatewayUser, V2Client>();
  #failures = 0;
  #down: (Refusal & { readonly since: number }) | undefined;
  #usedUp: Refusal | undefined;

  constructor(apiKey: string, options: UpstreamOptions) {
    this.key = keyHash(apiKey);
    this.#options = options;
    const { buckets, clock, limits } = options;
    const { perSecond = 4, perDay = 10_000 } = limits ?? {};
    const shared = sharedLimiter(buckets, `key ${this.key}`, { perSecond, perDay, clock });
    // A creation is not aborted once it is sent; before its turn it is not.
    this.#limiter = {
      take: (signal) => shared.take(signal ?? options.stop),
      begin: (signal) => shared.begin(signal ?? options.stop),
    };
  }

  /** The client of an account; failures are for whoever calls, which waits and tries again. */
  client(user: GatewayUser): V2Client {
    const known = this.#clients.get(user);
    if (known !== undefined) return known;
    const { clock, random, fetch, timeouts, reconcile } = this.#options;
    const { apiKey, accessToken, baseUrl, allowHttp } = user;
    const client = new V2Client({
      credentials: { scheme: 'api_key', apiKey, token: accessToken },
      baseUrl,
      allowHttp,
      fetch,
      timeouts,
      clock,
      random,
      limiter: this.#limiter,
      retry: false,
      reconcile: { repeatUploads: true, ...reconcile },
    });
    this.#clients.set(user, client);
    return client;
  }

  /** What `act` gives; what comes of it tells whether v2 is there. */
  async call<T>(user: string, operation: UpstreamOperation, act: () => Promise<T>): Promise<T> {
    const { clock, tell } = this.#options;
    const began = clock.now();
    const called = (error?: unknown) => {
      const code = error === undefined ? undefined : codeOf(error);
      const status = error instanceof ServiceError ? error.status : undefined;
      tell({ event: 'called', key: this.key, user, operation, took: clock.now() - began, code, status });
    };
    try {
      const result = await act();
      called();
      this.#worked();
      return result;
    } catch (error) {
      called(error);
      this.#failed(error);
      throw error;
    }
  }

  /** Undefined while v2 can be asked. */
  refusal(): Refusal | undefined {
    if (this.#usedUp !== undefined && this.#usedUp.until <= this.#options.steady.now())
      this.#usedUp = undefined;
    return this.#usedUp ?? this.#down;
  }

  state(): UpstreamState {
    const refusal = this.refusal();
    if (refusal === undefined) return { key: this.key, state: 'up' };
    const { until } = refusal;
    if (refusal === this.#usedUp) return { key: this.key, state: 'used up', until };
    return { key: this.key, state: 'down', since: this.#down?.since, until };
  }

  #worked(): void {
    const { steady, tell } = this.#options;
    this.#failures = 0;
    this.#usedUp = undefined;
    if (this.#down === undefined) return;
    tell({ event: 'upstreamUp', key: this.key, downFor: steady.now() - this.#down.since });
    this.#down = undefined;
  }

  #failed(error: unknown): void {
    const { clock, steady, random, tell } = this.#options;
    const now = steady.now();
    // Of what is aborted, or may have been done, nothing can be told.
    if (!(error instanceof CtctError) || error instanceof AmbiguousCreateError || error.code === 'ABORTED')
      return;
    if (error.code === 'RATE_LIMITED') {
      const pause = askedPause(error, clock.now());
      if (pause < USED_UP) return;
      this.#usedUp = { code: error.code, until: now + pause };
      this.#options.refused();
      return;
    }
    if (!isPassing(error)) {
      if (error instanceof ServiceError) this.#worked();
      return;
    }
    if (++this.#failures < DOWN_AFTER) return;
    const until = now + Math.max(askedPause(error, clock.now()), growingPause(this.#failures, random));
    const since = this.#down?.since ?? now;
    const news = this.#down === undefined;
    this.#down = { code: error.code, since, until };
    if (!news) return;
    tell({ event: 'upstreamDown', key: this.key, code: error.code, until });
    this.#options.refused();
  }
}

/** Enough of a hash to tell keys apart. */
export function keyHash(apiKey: string): string {
  return createHash('sha256').update(`ctct gateway ${apiKey}`).digest('hex').slice(0, 16);
}

/** What to do about a failure: stop, wait until something is better, or give up, and tell why. */
export function meaningOf(error: unknown): 'stopped' | 'passing' | 'final' {
  if (!(error instanceof CtctError)) return 'final';
  if (error.code === 'ABORTED') return 'stopped';
  // What may be there is looked for once more before it is sent again; among several nobody can choose.
  if (error instanceof AmbiguousCreateError) return error.candidates.length === 0 ? 'passing' : 'final';
  if (isPassing(error) || PASSING.includes(error.code) || isUnreadable(error)) return 'passing';
  return 'final';
}

/** A file that is there, and cannot be read now. */
function isUnreadable({ code, cause }: CtctError): boolean {
  const why = diskCode(cause);
  return code === 'FILE_UNREADABLE' && why !== undefined && why !== 'ENOENT';
}

/**
 * Trouble of this machine, or of the credentials of an account, which somebody will mend; and a page of something on the
 * way, in place of v2's answer.
 */
const PASSING: readonly ErrorCode[] = [
  'DOCUMENT_UNEXPECTED',
  'FILE_UNWRITABLE',
  'STORE_BUSY',
  'STORE_DAMAGED',
  'OFFLINE',
  'INSECURE_ORIGIN',
  'CREDENTIALS_REQUIRED',
  'UNAUTHORIZED',
];

export function codeOf(error: unknown): ErrorCode {
  return error instanceof CtctError ? error.code : 'SERVICE_FAILED';
}

/** Why something came to nothing, as an old client is told. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof CtctError)) return 'the gateway failed';
  // Where the gateway keeps its files is none of the client's business.
  if (error.code.startsWith('FILE_')) return 'the gateway cannot read any more what was sent';
  return error.message.slice(0, 1_000);
}
