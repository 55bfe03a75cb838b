import type { InspectedActivity, InspectorState } from '../inspect/inspector-state.js';
import type { RequestJournal } from '../inspect/journal.js';
import type { GatewayAccounts } from './accounts.js';
import type { GatewayEvent } from './events.js';
import type { GatewayStatus } from './gateway.js';
import { keyHash, type UpstreamState } from './upstream.js';

export interface OverviewOptions {
  readonly accounts: Pick<GatewayAccounts, 'all'>;
  readonly journal: RequestJournal;
  /** What is wrong is told of. Default: nothing is. */
  readonly status?: (() => Pick<GatewayStatus, 'reasons' | 'upstream'>) | undefined;
  /** Where old clients reach the gateway, once that is known. */
  readonly url?: (() => string | undefined) | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Of one account, and of requests. */
const MOST_SHOWN = 50;
/** Accounts on the page: those where something happened last. */
const MOST_ACCOUNTS = 50;

/** What has passed through the gateway since it began, as a page shows it: without addresses, and for looking only. */
export class Overview {
  readonly #options: OverviewOptions;
  /** Of each user, the newest last; the user where something happened last is the last. */
  readonly #activities = new Map<string, Map<string, InspectedActivity>>();

  constructor(options: OverviewOptions) {
    this.#options = options;
  }

  event(event: GatewayEvent): void {
    switch (event.event) {
      case 'accepted':
        this.#put(event, {
          id: event.activity,
          type: event.type,
          status: 'PENDING',
          insertTime: new Date(event.at).toISOString(),
          errorCount: 0,
          errors: [],
          moves: [],
        });
        break;
      case 'waiting':
        this.#change(event, { note: `waits (${event.code}); tried again at ${timeOf(event.until)}` });
        break;
      case 'searching':
        this.#change(event, { note: 'may have been sent before; it is looked for' });
        break;
      case 'submitted':
        this.#change(event, { note: undefined });
        break;
      case 'followed':
        this.#change(event, { status: event.status, note: undefined });
        break;
      case 'finished': {
        const { status, errorCount, transactionCount } = event;
        const count = transactionCount === undefined ? {} : { transactionCount };
        this.#change(event, { status, errorCount, ...count, note: undefined });
        break;
      }
      default:
    }
  }

  state(): InspectorState {
    const { accounts, journal, now, status } = this.#options;
    const { reasons = [], upstream = [] } = status?.() ?? {};
    const url = this.#options.url?.();
    const active = [...this.#activities.keys()].reverse();
    const all = accounts.all().map(({ user }) => user);
    const users = [...new Set([...active, ...all])].slice(0, MOST_ACCOUNTS);
    return {
      title: 'Gateway',
      ...(url !== undefined && { url }),
      notices: [...reasons, ...upstream.flatMap((one) => this.#trouble(one) ?? [])],
      clock: { now: new Date(now()).toISOString() },
      accounts: users.map((user) => ({
        user,
        lists: [],
        activities: [...(this.#activities.get(user)?.values() ?? [])].reverse(),
      })),
      requests: [...journal].slice(-MOST_SHOWN).reverse(),
      requestCount: journal.count,
    };
  }

  /** Of an API key, by the accounts that have it. */
  #trouble({ key, state, since, until }: UpstreamState): string | undefined {
    if (state === 'up') return undefined;
    const users = this.#options.accounts.all().filter(({ apiKey }) => keyHash(apiKey) === key);
    const named = users.slice(0, 5).map(({ user }) => user);
    const whom = [...named, ...(users.length > 5 ? [`${users.length - 5} more`] : [])].join(', ');
    const again = until === undefined ? '' : `; asked again at ${timeOf(until)}`;
    if (state === 'used up') return `The calls to v2 are used up for ${whom}${again}`;
    return `v2 does not answer for ${whom}${since === undefined ? '' : ` since ${timeOf(since)}`}${again}`;
  }

  #put({ user }: { user: string }, activity: InspectedActivity): void {
    const known = this.#activities.get(user) ?? new Map<string, InspectedActivity>();
    known.set(activity.id, activity);
    forgetOldest(known, MOST_SHOWN);
    this.#activities.delete(user);
    this.#activities.set(user, known);
    forgetOldest(this.#activities, MOST_ACCOUNTS);
  }

  #change(of: { user: string; activity: string }, news: Partial<InspectedActivity>): void {
    const known = this.#activities.get(of.user)?.get(of.activity);
    if (known !== undefined) this.#activities.get(of.user)?.set(of.activity, { ...known, ...news });
  }
}

function timeOf(time: number): string {
  return `${new Date(time).toISOString().slice(11, 19)} UTC`;
}

function forgetOldest(map: Map<string, unknown>, most: number): void {
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
