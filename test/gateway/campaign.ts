import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Activity } from '../../src/activity/activity.js';
import { isFinished } from '../../src/activity/activity.js';
import type { Clock } from '../../src/clock.js';
import { seededRandom, type Random } from '../../src/emulator/random.js';
import { drawFault, FAULT_NAMES, integer, pick, type FaultName } from '../chaos/faults.js';
import { createFaultProxy, type Exchange, type FaultProxy } from '../support/fault-proxy.js';
import type { Fault } from '../support/faults.js';
import { fastClock } from './fast-clock.js';
import type { ChildOptions } from './gateway-child.js';
import { audit, readEntry, readFeed, type Ask, type Attempt, type Violation } from './audit.js';
import { startUpstream } from './upstream.js';

export interface CampaignOptions {
  /** The gateway as JavaScript; see `compile`. */
  readonly script: string;
  readonly seed: number;
  /** How many requests old clients make. */
  readonly attempts: number;
  /** How often the gateway is killed at some moment. */
  readonly kills: number;
  /** `before:17` or `after:17`: the first gateway kills itself at its 17th write to the store. */
  readonly killAt?: string | undefined;
  /** Whether the ways to and from the gateway are bad. Default true. */
  readonly faults?: boolean | undefined;
  /** Rows of one upload in ten, which is more than v2 takes at once from 20,001 on. Default 50. */
  readonly large?: number | undefined;
}

export interface Campaign {
  readonly attempts: readonly Attempt[];
  readonly violations: readonly Violation[];
  readonly kills: number;
  /** Faults that were done to requests, on either way. */
  readonly faults: number;
  /** The writes to the store that the last gateway made; only where it was asked for by `killAt: 'count'`. */
  readonly writes: number | undefined;
}

/**
 * The daily quota would keep the gateway waiting until midnight, and a redirect leads out of this machine.
 */
const NOT_HERE: readonly FaultName[] = ['daily quota used up', 'redirect'];
const FAULTS = FAULT_NAMES.filter((name) => !NOT_HERE.includes(name));
/** A request is held back for so long at most, in milliseconds of the clock: within the time it is looked for. */
const LATEST = 15_000;

const AUTHORIZATION = `Basic ${btoa('key%joesflowers:secret')}`;
/** What an old client waits for an answer, in milliseconds. */
const PATIENCE = 5_000;
/** How long the ways stay bad behind the last request, in milliseconds of the clock. */
const HARDSHIP = 30_000;
/** What may pass until everything has ended, in milliseconds. */
const LONGEST = 90_000;

/** Old clients, a gateway that is killed, and v2: what was broken in the end. */
export async function runCampaign(options: CampaignOptions): Promise<Campaign> {
  const { seed, attempts: count, faults = true } = options;
  const random = seededRandom(seed, 'gateway');
  const start = Date.now();
  const clock = fastClock(start);
  const folder = await mkdtemp(path.join(tmpdir(), 'ctct-gateway-'));
  const lists = Array.from({ length: count }, (_, index) => ({
    id: String(index + 1),
    name: `List ${index + 1}`,
    members: [`member-${index}@example.com`],
  }));
  const upstream = await startUpstream(clock, lists);
  let calm = !faults;
  let done = 0;
  const underWay: Promise<void>[] = [];
  const plan = (exchange: Exchange): Fault => {
    if (calm || random() > 0.25) return { kind: 'none' };
    const late = (deliver: () => Promise<void>) => {
      const held = clock.sleep(integer(random, 1, LATEST)).then(deliver);
      underWay.push(held.catch(() => undefined));
    };
    const drawn = drawFault(exchange, { random, late }, FAULTS);
    if (drawn !== undefined) done++;
    return drawn?.fault ?? { kind: 'none' };
  };
  const proxies: FaultProxy[] = [];
  const child = new GatewayChild(options.script);
  const attempts: Attempt[] = [];
  try {
    const behind = await createFaultProxy(upstream.url, plan, { now: () => clock.now() });
    proxies.push(behind);
    await child.start({ folder, port: 0, upstream: behind.url, start }, options.killAt);
    const before = await createFaultProxy(child.url, plan, { now: () => clock.now() });
    proxies.push(before);

    let next = 0;
    let answered = 0;
    const client = async () => {
      while (next < count) {
        const list = String(++next);
        const one = await attempt(before.url, draw(random, list, options.large ?? 50));
        attempts.push(one);
        if (one.outcome === 'unanswered') await child.alive();
        else answered++;
        await clock.sleep(integer(random, 0, 2_000));
      }
    };
    const killer = async () => {
      for (let kill = 0; kill < options.kills; kill++) {
        // Each time something is there that could be lost.
        for (const start = answered; answered === start && next < count;) await clock.sleep(100);
        await clock.sleep(integer(random, 0, 6_000));
        await child.kill();
        await child.start();
      }
    };
    await Promise.all([client(), client(), client(), killer()]);
    // The ways stay bad for a while, since most is sent after the clients have gone.
    if (faults) await clock.sleep(HARDSHIP);
    calm = true;
    await Promise.all(underWay);
    await child.alive();
    const ask = patient(child.url, clock);
    const feed = await ended(ask, clock);
    const violations = audit(attempts, feed, upstream.creations);
    const late = await changed(ask, feed);
    const writes = await child.stop();
    return {
      attempts,
      violations: [...violations, ...late],
      kills: child.kills,
      faults: done,
      writes,
    };
  } finally {
    await child.kill();
    for (const proxy of proxies) await proxy.close();
    await upstream.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Draft extends Omit<Attempt, 'outcome'> {
  readonly form: URLSearchParams;
}

/** A request for a list of its own. */
function draw(random: Random, list: string, large: number): Draft {
  const uri = `http://api.constantcontact.com/ws/customers/joesflowers/lists/${list}`;
  const activityType = pick(random, [
    ...(['SV_ADD', 'SV_ADD', 'REMOVE_CONTACTS_FROM_LISTS'] as const),
    ...(['CLEAR_CONTACTS_FROM_LISTS', 'EXPORT_CONTACTS'] as const),
  ]);
  const rows = random() < 0.1 ? large : integer(random, 1, 5);
  const uploads = activityType === 'SV_ADD' || activityType === 'REMOVE_CONTACTS_FROM_LISTS';
  const addresses = uploads ? Array.from({ length: rows }, (_, row) => `l${list}-${row}@example.com`) : [];
  const form = new URLSearchParams({
    activityType,
    ...(uploads ? { data: ['Email Address', ...addresses].join('\n') } : {}),
    ...(activityType === 'EXPORT_CONTACTS' ? { listId: uri, columns: 'CITY' } : { lists: uri }),
  });
  const asked = activityType === 'SV_ADD' ? 'ADD_CONTACTS' : activityType;
  return { list, activityType: asked, addresses, form };
}

/** What an old client does that takes 201 for yes and reads nothing else. */
async function attempt(url: string, { form, ...draft }: Draft): Promise<Attempt> {
  try {
    const answer = await fetch(`${url}/ws/customers/joesflowers/activities`, {
      method: 'POST',
      headers: { authorization: AUTHORIZATION, connection: 'close' },
      body: form,
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE),
    });
    const { status } = answer;
    const id = answer.headers.get('location')?.split('/').at(-1);
    await answer.body?.cancel();
    if (status === 201 && id !== undefined) return { ...draft, outcome: { id } };
    const refused = (status >= 400 && status < 500) || status === 503;
    return { ...draft, outcome: refused ? 'refused' : 'unanswered' };
  } catch {
    return { ...draft, outcome: 'unanswered' };
  }
}

/** Asks until there is an answer: the gateway may be about to be started again. */
function patient(url: string, clock: Clock): Ask {
  const end = Date.now() + LONGEST;
  return async (at) => {
    for (;;) {
      try {
        return await fetch(url + at, { headers: { authorization: AUTHORIZATION, connection: 'close' } });
      } catch (error) {
        if (Date.now() > end) throw error;
        await clock.sleep(500);
      }
    }
  };
}

/** The feed, once everything in it has ended, or as it is when that takes too long. */
async function ended(ask: Ask, clock: Clock): Promise<Activity[]> {
  const end = Date.now() + LONGEST;
  for (;;) {
    const feed = await readFeed(ask);
    if (feed.every(isFinished) || Date.now() > end) {
      return Promise.all(feed.map(({ id }) => readEntry(ask, id)));
    }
    await clock.sleep(5_000);
  }
}

/** What has ended stays as it is. */
async function changed(ask: Ask, feed: readonly Activity[]): Promise<Violation[]> {
  const again = await Promise.all(feed.map(({ id }) => readEntry(ask, id)));
  return JSON.stringify(again) === JSON.stringify(feed)
    ? []
    : [{ breach: 'changed', text: 'an activity changed though it had ended' }];
}

/** The process of the gateway, on the same port and the same folder from one start to the next. */
class GatewayChild {
  readonly #script: string;
  #options: ChildOptions | undefined;
  #process: ChildProcess | undefined;
  #starting: Promise<void> = Promise.resolve();
  url = '';
  kills = 0;

  constructor(script: string) {
    this.#script = script;
  }

  /** Resolves once it listens. One that kills itself is started again, without `killAt`. */
  start(options = this.#options, killAt = ''): Promise<void> {
    this.#options = options;
    this.#starting = this.#start(killAt);
    return this.#starting;
  }

  async #start(killAt: string): Promise<void> {
    const child = spawn(process.execPath, [this.#script, JSON.stringify(this.#options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, CTCT_KILL: killAt },
    });
    this.#process = child;
    const closed = once(child, 'close');
    if (killAt !== '' && killAt !== 'count') {
      void closed.then(() => {
        if (this.#process !== child) return;
        this.kills++;
        return this.start();
      });
    }
    const said = once(child.stdout, 'data') as Promise<[Buffer]>;
    const url = await Promise.race([
      said.then(([text]) => String(text).trim()),
      closed.then(() => undefined),
    ]);
    if (url === undefined) {
      if (killAt === '') throw new Error('the gateway ended before it listened');
      // It killed itself before it listened.
      await new Promise(setImmediate);
      return this.#starting;
    }
    this.url = url;
    if (this.#options !== undefined) this.#options = { ...this.#options, port: Number(new URL(url).port) };
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    if (child.kill('SIGKILL')) this.kills++;
    await closed;
  }

  /** Once it listens, be it again. */
  async alive(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    await this.#starting;
  }

  /** Ends it in good order; the writes it counted. */
  async stop(): Promise<number | undefined> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.stdout == null) return undefined;
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    await closed;
    return Number(/writes (\d+)/.exec(said)?.[1]);
  }
}
