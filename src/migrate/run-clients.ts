import { createHash } from 'node:crypto';
import { UsageError } from '../activity/errors.js';
import type { Warning } from '../activity/request.js';
import type { Clock } from '../clock.js';
import type { Limiter } from '../http/limiter.js';
import { isLoopbackUrl } from '../http/origin.js';
import { readSecret, type SecretReference } from '../http/secret.js';
import type { Exchange, Timeouts } from '../http/transport.js';
import { sharedLimiter } from '../store/shared-limiter.js';
import type { Buckets } from '../store/store.js';
import { V2Client } from '../v2/client.js';
import type { MigrationPlan, PlannedAccount } from './plan.js';

/** What a target account is reached with. */
export interface TargetCredentials {
  readonly apiKey: string;
  readonly token: string;
}

/** Where the secrets of a plan are read from. */
export interface SecretSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that `file:` references start from. */
  readonly folder: string;
  /** Only of these accounts. Default all. */
  readonly only?: readonly string[] | undefined;
}

/**
 * The credentials that the plan refers to, by account.
 * @throws UsageError `CREDENTIALS_REQUIRED`, `CREDENTIALS_EXPOSED`; `OPTION_INVALID` where two accounts of the plan lead to
 * the same account of the service, whose order nobody would keep
 */
export async function readCredentials(
  plan: MigrationPlan,
  { env, folder, only }: SecretSource,
): Promise<ReadonlyMap<string, TargetCredentials>> {
  const found = new Map<string, TargetCredentials>();
  const owners = new Map<string, string>();
  for (const { account, target } of plan.accounts) {
    if (only !== undefined && !only.includes(account)) continue;
    const { apiKey, token } = await credentialsOf({ account, target }, { env, folder });
    const owner = JSON.stringify([target.baseUrl, token]);
    const other = owners.get(owner);
    if (other !== undefined) {
      throw new UsageError(
        'OPTION_INVALID',
        `accounts ${other} and ${account} have the same access token, and so are one; give each its own, or plan them as one`,
      );
    }
    owners.set(owner, account);
    found.set(account, { apiKey, token });
  }
  return found;
}

async function credentialsOf(
  { account, target }: Pick<PlannedAccount, 'account' | 'target'>,
  { env, folder }: SecretSource,
): Promise<TargetCredentials> {
  const read = (what: string, reference: SecretReference) =>
    readSecret(reference, { env, folder, place: `account ${account}: ${what}` });
  return {
    apiKey: await read('API key', target.apiKey),
    token: await read('access token', target.accessToken),
  };
}

/** What the clients of a plan work with. */
export interface PlanClientOptions {
  /** By account, as `readCredentials` gives them. */
  readonly credentials: ReadonlyMap<string, TargetCredentials>;
  /** Where the calls of each API key are counted, by all who use the store. */
  readonly buckets: Buckets;
  /** Of each API key. */
  readonly limits: MigrationPlan['limits'];
  /** Whether calls are held back to the limits. Default: not those to this machine, nor through a `fetch` of the caller's. */
  readonly limited?: boolean | undefined;
  /** Hosts that may be reached by plain http. */
  readonly allowHttp?: readonly string[] | undefined;
  /** Milliseconds; see `Timeouts` for the defaults. */
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Called in place of `globalThis.fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Default the machine's. */
  readonly clock?: Clock | undefined;
  /** Numbers from 0 to below 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Milliseconds that an activity is looked for when an answer was lost. Default 120,000. */
  readonly quietPeriod?: number | undefined;
  /** Told of each request that was sent and its answer, repeated ones each. */
  readonly onExchange?: ((account: string, exchange: Exchange) => void) | undefined;
  /** Told what the service, or a client, warns of. */
  readonly onWarning?: ((account: string, warning: Warning) => void) | undefined;
}

/**
 * The clients of the accounts of a plan. Those with the same API key keep to its limits together, in this process and in
 * others that use the store; the key itself is not written down. Uploads of which nothing shows are sent once more: a run
 * is the only one to write to its accounts.
 */
export function planClients(options: PlanClientOptions): (account: PlannedAccount) => V2Client {
  const { credentials, fetch, clock, random, timeouts, quietPeriod, allowHttp, onExchange, onWarning } =
    options;
  const limiters = new Map<string, Limiter>();
  const limiterOf = (apiKey: string) => {
    let limiter = limiters.get(apiKey);
    if (limiter === undefined) {
      limiter = sharedLimiter(options.buckets, bucketOf(apiKey), { ...options.limits, clock });
      limiters.set(apiKey, limiter);
    }
    return limiter;
  };
  return ({ account, target: { baseUrl } }) => {
    const found = credentials.get(account);
    if (found === undefined) {
      throw new UsageError('CREDENTIALS_REQUIRED', `account ${account}: has no credentials`);
    }
    const { apiKey, token } = found;
    const local = fetch !== undefined || (baseUrl !== undefined && isLoopbackUrl(baseUrl));
    return new V2Client({
      baseUrl,
      allowHttp,
      credentials: { scheme: 'api_key', apiKey, token },
      timeouts,
      fetch,
      clock,
      random,
      limiter: (options.limited ?? !local) ? limiterOf(apiKey) : false,
      reconcile: { quietPeriod, repeatUploads: true },
      onExchange: (exchange) => onExchange?.(account, exchange),
      onWarning: (warning) => onWarning?.(account, warning),
    });
  };
}

/**
 * The client of an account whose credentials were refused, with those that its references lead to now; undefined where
 * they are what they were, or cannot be read. A token that ends in the midst of a run can so be put anew into its file.
 * @param onSecrets told of credentials that are new
 */
export function renewedClients(
  sources: SecretSource,
  options: PlanClientOptions,
  onSecrets?: (credentials: TargetCredentials) => void,
): (account: PlannedAccount) => Promise<V2Client | undefined> {
  const known = new Map(options.credentials);
  return async (account) => {
    const found = await credentialsOf(account, sources).catch((error: unknown) => {
      if (error instanceof UsageError) return undefined;
      throw error;
    });
    const before = known.get(account.account);
    if (found === undefined || (found.token === before?.token && found.apiKey === before.apiKey))
      return undefined;
    known.set(account.account, found);
    onSecrets?.(found);
    return planClients({ ...options, credentials: known })(account);
  };
}

/** The name of a key's bucket, which tells nothing of the key. */
function bucketOf(apiKey: string): string {
  return `v2 key ${createHash('sha256').update(apiKey).digest('hex').slice(0, 32)}`;
}
