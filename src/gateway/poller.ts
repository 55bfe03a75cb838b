import { isFinished, type Activity } from '../activity/activity.js';
import { CtctError, ServiceError } from '../activity/errors.js';
import { askedPause } from '../http/passing.js';
import { changePart, surely, unexpected, type Engine } from './engine.js';
import type { KeptActivity, SeenPart } from './kept.js';
import { Alarm, growingPause } from './pause.js';
import { meaningOf, reasonOf, type Upstream } from './upstream.js';

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
/** Refusals in a row that are taken for the last word. */
const REFUSALS = 5;

/** A part that v2 works on. */
interface Job {
  readonly id: string;
  readonly index: number;
  readonly upstream: string;
  readonly submitted: number;
}

/** How an account is followed. */
interface Followed {
  readonly user: string;
  /** When to look next. */
  at: number;
  /** Jobs that a list told have ended, or did not tell: each is read by itself. */
  readonly read: Set<string>;
  refusals: number;
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
      this.#followed.set(user.toLowerCase(), { user, at: soon, read: new Set(), refusals: 0 });
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
    await this.#ask(account.user, async () => {
      await this.#engine.lists(account).refresh();
    });
  }

  /** One call for one account. */
  async #turn(followed: Followed): Promise<void> {
    const { clock, steady, stop } = this.#engine;
    const { user, read } = followed;
    const jobs = this.#jobs(user);
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
    const worked = await this.#ask(user, async () => {
      const client = this.#upstream.client(account);
      if (single !== undefined) {
        await this.#upstream
          .call(user, 'get', () => client.get(single.upstream, { signal: stop }))
          .then(
            (activity) => this.#saw(single, activity),
            (error: unknown) => this.#notSeen(followed, single, error),
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
    if (worked) followed.refusals = 0;
    else await this.#giveUp(jobs);
    const now = steady.now();
    const age = Math.min(...jobs.map(({ submitted }) => clock.now() - submitted));
    const { interval } = this.#options;
    const pause = Math.max(interval, Math.min(LONGEST, Math.ceil(age * SHARE_OF_AGE)));
    followed.at = read.size > 0 && worked ? now : now + pause;
  }

  /** What the parts of a user are at v2, the oldest first. */
  #jobs(user: string): Job[] {
    return this.#engine.ledger
      .open()
      .filter((kept) => kept.user.toLowerCase() === user.toLowerCase())
      .flatMap(({ id, parts }) =>
        parts.flatMap(({ upstream, submitted = 0, seen, refused }, index) =>
          upstream === undefined || refused !== undefined || (seen !== undefined && isFinished(seen))
            ? []
            : [{ id, index, upstream, submitted }],
        ),
      );
  }

  /** True when it worked; a failure that may pass makes all accounts of the key wait. */
  async #ask(user: string, act: () => Promise<void>): Promise<boolean> {
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
      const followed = this.#followed.get(user.toLowerCase());
      // An account that is not there, or must not be read, need not keep the others waiting.
      if (passing && !isOfAccount(error)) this.#pause = now + pause;
      else if (followed !== undefined) followed.at = now + pause;
      return false;
    }
  }

  async #saw({ id, index }: Job, activity: Activity): Promise<void> {
    const { tell } = this.#engine;
    const before = this.#engine.ledger.find(id);
    if (before === undefined) return;
    const seen = seenOf(activity);
    if (JSON.stringify(before.parts[index]?.seen) !== JSON.stringify(seen)) {
      await this.#change(before, index, { seen });
      tell({ event: 'followed', user: before.user, activity: id, status: seen.status });
    }
    this.#look(id);
  }

  /** @throws the error, when another look may show more. */
  async #notSeen(followed: Followed, { id, index, upstream, submitted }: Job, error: unknown): Promise<void> {
    const kept = this.#engine.ledger.find(id);
    if (kept === undefined || !(error instanceof ServiceError) || meaningOf(error) !== 'final') throw error;
    const unknown = error.code === 'NOT_FOUND';
    if (unknown && this.#engine.clock.now() - submitted < GRACE) return;
    if (!unknown && ++followed.refusals < REFUSALS) throw error;
    const refused = unknown ? `the service does not know its activity ${upstream} any more` : reasonOf(error);
    await this.#change(kept, index, { refused });
    this.#look(id);
  }

  /** Nobody knows what came of those of which v2 has told nothing for so long. */
  async #giveUp(jobs: readonly Job[]): Promise<void> {
    const { ledger, clock, giveUpAfter } = this.#engine;
    for (const { id, index, upstream, submitted } of jobs) {
      const kept = ledger.find(id);
      if (kept === undefined || clock.now() - submitted < giveUpAfter) continue;
      await this.#change(kept, index, { refused: `the service does not tell what came of ${upstream}` });
      this.#look(id);
    }
  }

  async #change(
    { id, user }: KeptActivity,
    index: number,
    seen: { seen?: SeenPart; refused?: string },
  ): Promise<void> {
    const change = () => changePart(this.#engine, id, index, (part) => ({ ...part, ...seen }));
    await surely(this.#engine, { user, activity: id }, change);
  }

  #look(id: string): void {
    if (this.#engine.ledger.find(id)?.parts.every(hasEnded) === true) this.#options.over(id);
  }
}

/** Trouble of one account, which need not keep the others of its key waiting. */
function isOfAccount(error: unknown): boolean {
  return error instanceof CtctError && ['CREDENTIALS_REQUIRED', 'UNAUTHORIZED'].includes(error.code);
}

/** Nothing more happens to the part. */
export function hasEnded({ seen, refused }: KeptActivity['parts'][number]): boolean {
  return refused !== undefined || (seen !== undefined && isFinished(seen));
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
