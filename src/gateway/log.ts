import type { Level } from 'pino';
import { CtctError } from '../activity/errors.js';
import { redact } from '../http/failures.js';
import { withoutAddresses } from '../inspect/redact.js';
import { optional } from '../optional.js';
import type { AccountsNews } from './accounts-watch.js';
import type { GatewayEvent } from './events.js';
import type { ServedRequest } from './front.js';
import type { LogFormat, LogLevel } from './log-levels.js';

/** Where a log goes, and what is in it. */
export interface LogOptions {
  /** Given each line, its end included. */
  readonly write: (line: string) => void;
  /** Default `info`: no polls that went well, and no calls of v2 that did. */
  readonly level?: LogLevel | undefined;
  /** Default `json`: one object a line. */
  readonly format?: LogFormat | undefined;
  /** Milliseconds since 1970. Default the machine's. */
  readonly now?: (() => number) | undefined;
  /** Texts that must not be written, whatever else is. */
  readonly secrets?: (() => readonly string[]) | undefined;
}

type Facts = Readonly<Record<string, unknown>>;

/** What the gateway says of itself: no secret, no contact data, no query string is in it. */
export interface GatewayLog {
  /** What the gateway does upstream and with its jobs. */
  event(event: GatewayEvent): void;
  /** What was asked of it, and what it answered. */
  request(request: ServedRequest): void;
  /** What became of accounts that were read again. */
  accounts(news: AccountsNews): void;
  /** Writes one line; secrets and addresses in it are left out. */
  say(level: LogLevel, text: string, facts?: Facts): void;
}

/**
 * A log that writes lines of JSON, or of text for a person.
 * @throws UsageError `PACKAGE_MISSING` without pino, which is optional
 */
export async function createLog(options: LogOptions): Promise<GatewayLog> {
  const { write, level = 'info', format = 'json', now = () => Date.now(), secrets = () => [] } = options;
  const { pino } = await optional('pino', () => import('pino'));
  const log = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
    },
    {
      write: (line: string) => {
        write(format === 'json' ? line : `${plainLine(line)}\n`);
      },
    },
  );
  const clean = (text: string) => withoutAddresses(redact(text, secrets()));
  const put = (at: Level, text: string, facts: Facts) => {
    // Looking for secrets takes longer than writing.
    if (log.isLevelEnabled(at)) log[at](cleaned(facts, clean), text);
  };
  const say = (at: Level, text: string, facts: Facts = {}) => {
    put(at, clean(text), facts);
  };
  return {
    say,
    event(event) {
      const facts = Object.entries(event).filter(([name]) => name !== 'at' && name !== 'message');
      if (event.event === 'trouble') say('error', event.message, Object.fromEntries(facts));
      else put(...sentence(event), Object.fromEntries(facts));
    },
    request({ id, user, route, method, status, took, bytes }) {
      const refused = status >= 400;
      const atLevel = status >= 500 ? 'warn' : refused || method !== 'GET' ? 'info' : 'debug';
      put(atLevel, `${method} ${route} ${status}`, {
        event: 'request',
        request: id,
        user,
        method,
        route,
        status,
        took: Math.round(took * 10) / 10,
        ...(bytes > 0 && { bytes }),
      });
    },
    accounts(news) {
      const facts = { event: 'accounts', ...('users' in news && news) };
      const why = 'error' in news ? `: ${reason(news.error)}` : '';
      const [atLevel, text] = ACCOUNTS[news.kind];
      say(atLevel, `${text}${why}`, facts);
    },
  };
}

/** How much an event matters, and what it means in words. */
function sentence(event: Exclude<GatewayEvent, { event: 'trouble' }>): readonly [LogLevel, string] {
  if (event.event === 'called' && event.code !== undefined) return ['warn', 'a call of v2 failed'];
  if (event.event === 'finished' && event.status === 'ERROR') return ['warn', 'an activity ended with ERROR'];
  return SENTENCES[event.event];
}

const SENTENCES = {
  started: ['info', 'the gateway has started'],
  closed: ['info', 'the gateway is closed'],
  accepted: ['info', 'an activity was accepted'],
  warned: ['info', 'an activity has warnings'],
  refused: ['info', 'a request was refused'],
  submitted: ['info', 'a part was taken by v2'],
  searching: ['info', 'a part may have been sent before; it is looked for at v2'],
  followed: ['debug', 'an activity goes on'],
  finished: ['info', 'an activity is complete'],
  called: ['debug', 'v2 was called'],
  upstreamDown: ['error', 'v2 answers no more'],
  upstreamUp: ['info', 'v2 answers again'],
  waiting: ['warn', 'an activity waits for v2'],
  purged: ['info', 'what is over its time was deleted'],
} as const satisfies Record<Exclude<GatewayEvent['event'], 'trouble'>, readonly [LogLevel, string]>;

const ACCOUNTS = {
  changed: ['info', 'the accounts were read again'],
  same: ['debug', 'the accounts were read again; nothing is different'],
  kept: ['error', 'the accounts could not be read again, and those from before are served on'],
  unwatched: ['warn', 'changes of the accounts are not noticed by themselves; SIGHUP has them read again'],
} as const satisfies Record<AccountsNews['kind'], readonly [LogLevel, string]>;

function reason(error: unknown): string {
  if (error instanceof CtctError) return error.message;
  return error instanceof Error && 'code' in error ? String(error.code) : 'it is not known why';
}

/** Texts among the facts go through the same as all texts; ids and codes are none. */
function cleaned(facts: Facts, clean: (text: string) => string): Facts {
  const cleanValue = (value: unknown): unknown => {
    if (typeof value === 'string') return /[\s@%]/.test(value) ? clean(value) : value;
    if (Array.isArray(value)) return value.map(cleanValue);
    return typeof value === 'object' && value !== null ? cleaned(value as Facts, clean) : value;
  };
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, cleanValue(value)]));
}

/** `19:30:00 info  a part was taken by v2  user=joesflowers part=1` */
function plainLine(json: string): string {
  const { level, time, message, ...facts } = JSON.parse(json) as Record<string, unknown>;
  const shown = Object.entries(facts)
    .filter(([name]) => name !== 'event')
    .map(
      ([name, value]) =>
        `${name}=${typeof value === 'string' && /^[\w./<>-]+$/.test(value) ? value : JSON.stringify(value)}`,
    );
  return [String(time).slice(11, 19), String(level).padEnd(5), String(message), ...shown].join(' ');
}
