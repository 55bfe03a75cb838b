import { isFinished, type Activity } from '../activity/activity.js';
import { CtctError, ServiceError } from '../activity/errors.js';
import { askedPause } from '../http/passing.js';
import { unexpected, type Engine } from './engine.js';
import { giveUpJobs, isOver, jobsOf, noteJob, type Job } from './jobs.js';
import type { SeenPart } from './kept.js';
import { Alarm, growingPause } from './pause.js';
import { meaningOf, type Upstream } from './upstream.js';

export interface PollerOptions {
  /** Milliseconds between two looks at the jobs of an account, at first. */
  readonly interval: number;
  /** Told of each activity of which all parts have ended. */
  readonly over: (id: string) => void;
  /** Told of an account that has another API key now, or is not configured. */
  readonly lost: (user: string) => void;
}

/** The longest pause between two looks, and which share of a job's age it may be. */
const LONGEST = 60_000;
const SHARE_OF_AGE = 1 / 10;
/** For how long a job that was just created may be unknown. */
const GRACE = 30_000;

/** How an account is followed. */
interface Followed {
  readonly user: string;
  /** When to look next. */
  at: number;
  /** Jobs that a list told have ended, or did not tell: each is read by itself. */
  readonly read: Set<string>;
}

/** Follows the jobs of all accounts of one API key, one call after another, each account in its turn. */
export class Poller {
  readonly #engine: Engine;
  readonly #upstream: Upstream;
  readonly #options: PollerOptions;
  readonly #alarm: Alarm;
  readonly #followed = new Map<string, Followed>();
  #failures = 0;
  #pause = 0;
  #running: Promise<void> | undefined;

  constructor(engine: Engine, upstream: Upstream, options: PollerOptions) {
    this.#engine = engine;
    this.#upstream = upstream;
    this.#options = options;
    this.#alarm = new Alarm(engine.steady);
  }

  /** There may be something new to be followed. */
  follow(user: string): void {
    const soon = this.#engine.steady.now() + this.#options.interval;
    const followed = this.#followed.get(user.toLowerCase());
    if (followed === undefined) {
      this.#followed.set(user.toLowerCase(), { user, at: soon, read: new Set() });
    } else {
      followed.at = Math.min(followed.at, soon);
    }
    this.#alarm.ring();
    this.#begin();
  }

  /** Finds out whether v2 is back, though nothing is to be followed. */
  watch(): void {
    this.#alarm.ring();
    this.#begin();
  }

  async settled(): Promise<void> {
    await this.#running;
  }

  #begin(): void {
    const { stop } = this.#engine;
    if (stop.aborted) return;
    this.#running ??= this.#run()
      .catch((error: unknown) => {
        unexpected(this.#engine, error);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #run(): Promise<void> {
    const { steady, stop } = this.#engine;
    while (!stop.aborted) {
      const refusal = this.#upstream.refusal();
      const next = [...this.#followed.values()].sort((a, b) => a.at - b.at)[0];
      if (next === undefined && refusal === undefined) return;
      // Who has something to ask finds out by it whether v2 is there.
      const at = Math.max(this.#pause, next?.at ?? refusal?.until ?? 0);
      if (at > steady.now()) {
        await this.#alarm.until(at, stop);
        continue;
      }
      await (next === undefined ? this.#probe() : this.#turn(next));
    }
  }

  /** One call, by any account, to see whether v2 is there. */
  async #probe(): Promise<void> {
    const { accounts } = this.#engine;
    const account = accounts.all().find((one) => this.#engine.upstream(one) === this.#upstream);
    if (account === undefined) {
      this.#pause = this.#engine.steady.now() + LONGEST;
      return;
    }
    await this.#ask(async () => {
      await this.#engine.lists(account).refresh();
    });
  }

  /** One call for one account. */
  async #turn(followed: Followed): Promise<void> {
    const { clock, steady, stop } = this.#engine;
    const { user, read } = followed;
    const jobs = jobsOf(this.#engine, user);
    const [first] = jobs;
    if (first === undefined) {
      this.#followed.delete(user.toLowerCase());
      return;
    }
    const { accounts, upstream: upstreamOf } = this.#engine;
    const account = accounts.get(user);
    if (account === undefined || upstreamOf(account) !== this.#upstream) {
      this.#followed.delete(user.toLowerCase());
      this.#options.lost(user);
      return;
    }
    const single = jobs.find(({ upstream }) => read.has(upstream)) ?? (jobs.length === 1 ? first : undefined);
    const worked = await this.#ask(async () => {
      const client = this.#upstream.client(account);
      if (single !== undefined) {
        await this.#upstream
          .call(user, 'get', () => client.get(single.upstream, { signal: stop }))
          .then(
            (activity) => this.#saw(single, activity),
            (error: unknown) => this.#notSeen(single, error),
          );
        read.delete(single.upstream);
        return;
      }
      const listed = await this.#upstream.call(user, 'list', () => collect(client.list({ signal: stop })));
      for (const job of jobs) {
        const activity = listed.get(job.upstream);
        // A list tells no errors, and only of the newest.
        if (activity === undefined || isFinished(activity)) read.add(job.upstream);
        else await this.#saw(job, activity);
      }
    });
    if (!worked) for (const { id } of await giveUpJobs(this.#engine, jobs)) this.#look(id);
    const now = steady.now();
    const age = Math.min(...jobs.map(({ submitted }) => clock.now() - submitted));
    const { interval } = this.#options;
    const pause = Math.max(interval, Math.min(LONGEST, Math.ceil(age * SHARE_OF_AGE)));
    followed.at = read.size > 0 && worked ? now : now + pause;
  }

  /** True when it worked; a failure that may pass makes all accounts of the key wait. */
  async #ask(act: () => Promise<void>): Promise<boolean> {
    const { clock, steady, random, stop } = this.#engine;
    try {
      await act();
      this.#failures = 0;
      return true;
    } catch (error) {
      if (stop.aborted) return false;
      const now = steady.now();
      this.#failures++;
      const pause = Math.max(askedPause(error, clock.now()), growingPause(this.#failures, random));
      const passing = meaningOf(error) === 'passing';
      if (!passing) unexpected(this.#engine, error);
      // An account that is not there, or must not be read, need not keep the others waiting.
      const ofAll = passing && !isOfAccount(error);
      if (ofAll || this.#followed.size === 0) this.#pause = now + pause;
      return false;
    }
  }

  async #saw({ id, index }: Job, activity: Activity): Promise<void> {
    const { tell } = this.#engine;
    const before = this.#engine.ledger.find(id);
    if (before === undefined) return;
    const seen = seenOf(activity);
    if (JSON.stringify(before.parts[index]?.seen) !== JSON.stringify(seen)) {
      await noteJob(this.#engine, { id, index }, { seen });
      tell({ event: 'followed', user: before.user, activity: id, status: seen.status });
    }
    this.#look(id);
  }

  /** @throws the error, unless it says that there is nothing to be seen: v2 may finish what it does not show now. */
  async #notSeen({ id, index, upstream, submitted }: Job, error: unknown): Promise<void> {
    if (!(error instanceof ServiceError) || error.code !== 'NOT_FOUND') throw error;
    if (this.#engine.clock.now() - submitted < GRACE) return;
    const refused = `the service does not know its activity ${upstream} any more`;
    await noteJob(this.#engine, { id, index }, { refused });
    this.#look(id);
  }

  #look(id: string): void {
    if (isOver(this.#engine, id)) this.#options.over(id);
  }
}

/** Trouble of one account, which need not keep the others of its key waiting. */
function isOfAccount(error: unknown): boolean {
  return error instanceof CtctError && ['CREDENTIALS_REQUIRED', 'UNAUTHORIZED'].includes(error.code);
}

async function collect(activities: AsyncIterable<Activity>): Promise<Map<string, Activity>> {
  const listed = new Map<string, Activity>();
  for await (const activity of activities) listed.set(activity.id, activity);
  return listed;
}

function seenOf(activity: Activity): SeenPart {
  const {
    status = 'PENDING',
    errors,
    errorCount,
    fileName,
    transactionCount,
    runStartTime,
    runFinishTime,
  } = activity;
  return {
    status,
    errors: errors.map(({ lineNumber, emailAddress, message }) => ({ lineNumber, emailAddress, message })),
    errorCount,
    fileName,
    transactionCount,
    runStartTime: runStartTime?.getTime(),
    runFinishTime: runFinishTime?.getTime(),
  };
}
