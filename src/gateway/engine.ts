import { AmbiguousCreateError, CtctError, ServiceError, TransportError } from '../activity/errors.js';
import type { Clock } from '../clock.js';
import { askedPause } from '../http/passing.js';
import type { PartLimits } from '../translate/limits.js';
import type { GatewayAccounts, GatewayUser } from './accounts.js';
import type { Tell } from './events.js';
import type { FileFolder } from './folder.js';
import type { KeptActivity, KeptPart } from './kept.js';
import type { Ledger } from './ledger.js';
import type { AccountLists } from './lists.js';
import type { Pace } from './pace.js';
import { growingPause, type Alarm } from './pause.js';
import { codeOf, meaningOf, reasonOf, type Upstream } from './upstream.js';

/** What the parts of the gateway that work on activities share. */
export interface Engine {
  readonly ledger: Ledger;
  readonly accounts: GatewayAccounts;
  readonly uploads: FileFolder;
  readonly files: FileFolder;
  readonly clock: Clock;
  /** What waits, waits by this one: nobody sets it back. */
  readonly steady: Clock;
  readonly random: () => number;
  readonly tell: Tell;
  /** Aborts when the gateway stops: what is under way is left where it can be gone on with. */
  readonly stop: AbortSignal;
  /** What one request to v2 may hold at most, where that is less than v2 takes. */
  readonly partLimits: Partial<PartLimits>;
  /** Milliseconds from the acceptance on, after which what still does not go on is given up. */
  readonly giveUpAfter: number;
  /** Whether the addresses of rows that were refused are kept. */
  readonly addresses: boolean;
  /** Of all that takes the processor for long. */
  readonly pace: Pace;
  /** Cuts uploads into parts, a few at a time. */
  readonly convert: <T>(act: () => Promise<T>) => Promise<T>;
  readonly upstream: (user: GatewayUser) => Upstream;
  readonly lists: (user: GatewayUser) => AccountLists;
  readonly alarm: () => Alarm;
}

/** An account of an activity that is no longer configured, for now. */
export const GONE = 'the account is not configured any more';

/** Keeps a change of one part. */
export function changePart(
  { ledger }: Engine,
  id: string,
  index: number,
  change: (part: KeptPart) => KeptPart,
): Promise<void> {
  return ledger.update(id, (kept) => ({
    ...kept,
    parts: kept.parts.map((part, at) => (at === index ? change(part) : part)),
  }));
}

/** A creation whose answers were lost, with nothing to be found of it, is looked for and sent again so many times. */
export const MOST_LOST = 4;

/** For how long something is tried that may still work. */
export interface Patience {
  /** Milliseconds since 1970. Default: for ever. */
  readonly until?: number;
  /** Answers that are not what was asked for, such as a page of a proxy, after which no other is expected. Default: any number. */
  readonly mostDoubted?: number;
}

/** Tries something, once at least, until it works, comes to nothing for good, has lasted too long, or all is to stop. */
export async function persist<T>(
  engine: Engine,
  of: { readonly user: string; readonly activity: string },
  act: () => Promise<T>,
  { until: giveUpAt = Infinity, mostDoubted = Infinity }: Patience = {},
): Promise<{ readonly done: T } | { readonly failed: unknown } | 'stopped'> {
  const { clock, random, stop, tell } = engine;
  const alarm = engine.alarm();
  const stopped = () => stop.aborted;
  let doubted = 0;
  let lost = 0;
  for (let failures = 1; failures === 1 || !stopped(); failures++) {
    try {
      return { done: await act() };
    } catch (error) {
      const meaning = meaningOf(error);
      if (codeOf(error) === 'DOCUMENT_UNEXPECTED') doubted++;
      if (error instanceof AmbiguousCreateError) lost++;
      if (meaning === 'final' || doubted >= mostDoubted || lost >= MOST_LOST) return { failed: error };
      if (meaning === 'stopped' || stopped()) return 'stopped';
      const now = clock.now();
      if (now >= giveUpAt) return { failed: givenUp(engine, error) };
      const pause = Math.max(askedPause(error, now), growingPause(failures, random));
      const until = Math.min(now + pause, giveUpAt);
      tell({ event: 'waiting', ...of, code: codeOf(error), until });
      await alarm.until(until, stop);
    }
  }
  return 'stopped';
}

/** When an activity that still does not go on is given up, in milliseconds since 1970. */
export function giveUpAt({ giveUpAfter }: Engine, { accepted }: Pick<KeptActivity, 'accepted'>): number {
  return accepted + giveUpAfter;
}

const DAY = 24 * 60 * 60 * 1000;

function givenUp({ giveUpAfter }: Engine, error: unknown): TransportError {
  const days = giveUpAfter / DAY;
  const after = days === 1 ? 'a day' : `${Number(days.toFixed(2))} days`;
  const message = `the gateway has given up after ${after}: ${reasonOf(error)}`;
  return new TransportError('TIMED_OUT', message, { sent: 'maybe', cause: error });
}

/** What is only written down cannot be refused for good. @throws what nobody can do anything about. */
export async function surely(
  engine: Engine,
  of: { readonly user: string; readonly activity: string },
  act: () => Promise<void>,
): Promise<'done' | 'stopped'> {
  const went = await persist(engine, of, act);
  if (went === 'stopped') return went;
  if ('failed' in went) throw went.failed;
  return 'done';
}

/** Tells of what should not have happened; in few words, since an answer may quote what was sent. */
export function unexpected({ tell, stop }: Pick<Engine, 'tell' | 'stop'>, error: unknown): void {
  if (stop.aborted) return;
  const code = error instanceof CtctError ? error.code : 'UNEXPECTED';
  tell({ event: 'trouble', code, message: inFewWords(error) });
}

function inFewWords(error: unknown): string {
  if (error instanceof ServiceError) return `v2 answered ${error.status}`;
  if (error instanceof CtctError) return error.message;
  return error instanceof Error ? error.name : typeof error;
}
