import { realpath } from 'node:fs/promises';
import { watchAccounts, type WatchedAccounts } from '../gateway/accounts-watch.js';
import type { GatewayAccounts } from '../gateway/accounts.js';
import { createFront } from '../gateway/front.js';
import { createGateway, type GatewayOptions } from '../gateway/gateway.js';
import { healthHandler } from '../gateway/health.js';
import { createLog, type GatewayLog, type LogOptions } from '../gateway/log.js';
import { createMetrics } from '../gateway/metrics.js';
import { Overview } from '../gateway/overview.js';
import { Recording, withJournal } from '../gateway/record.js';
import { refuseControl } from '../emulator/control-guard.js';
import { isLoopback } from '../http/origin.js';
import { serve, type FetchHandler, type Served, type TlsIdentity } from '../http/serve.js';
import { RequestJournal } from '../inspect/journal.js';
import { tlsOf } from './emulator-setup.js';
import { gatewayAccounts } from './gateway-accounts.js';
import type { Session } from './session.js';

/** The accounts of a file, or the one of the environment. @throws UsageError that names the place. */
export function accountsFrom(
  session: Session,
  path: string | undefined,
  onNews: Parameters<typeof watchAccounts>[1],
): Promise<WatchedAccounts> {
  return watchAccounts(() => gatewayAccounts(session, path), onNews);
}

/** Where and how a gateway is served. */
export interface ServeSettings {
  readonly port: number;
  readonly host: string;
  /** The file of the certificate and its key, or of the certificate alone. */
  readonly tls: string | undefined;
  readonly tlsKey: string | undefined;
  /** Undefined: those who run it cannot look at it. */
  readonly opsPort: number | undefined;
  readonly opsHost: string;
  readonly record: string | undefined;
  readonly page: boolean;
  readonly log: Pick<LogOptions, 'level' | 'format'>;
}

export interface ServedGateway {
  readonly url: string;
  readonly opsUrl: string | undefined;
  readonly log: GatewayLog;
  /** Reads the certificate again. */
  renew(): Promise<void>;
  /** Ends what is under way in order, and the rest after a while. */
  close(): Promise<void>;
}

/** How long answers under way may take when the gateway ends, in milliseconds. */
const LAST_ANSWERS = 10_000;
/** How long calls of v2 may take then. */
const LAST_CALLS = 30_000;
/** Connections of old clients at a time: more than one of them each is rare. */
const MOST_CONNECTIONS = 2_000;
/** Requests that the page can show. */
const MOST_SHOWN = 200;

/** The log of a gateway, on stderr. */
export function gatewayLog(
  session: Session,
  options: Pick<LogOptions, 'level' | 'format'>,
  secrets: () => readonly string[],
): Promise<GatewayLog> {
  return createLog({
    ...options,
    secrets,
    now: () => session.clock.now(),
    write: (line) => session.io.stderr.write(line, () => undefined),
  });
}

/**
 * Starts a gateway and serves it, and what those who run it look at.
 * @throws UsageError for what cannot be used: the port, the certificate, the folder; nothing is left behind then.
 */
export async function serveGateway(
  session: Session,
  options: Pick<GatewayOptions, 'store' | 'folder'> & Omit<GatewayOptions, 'accounts' | 'onEvent'>,
  accounts: GatewayAccounts,
  log: GatewayLog,
  settings: ServeSettings,
): Promise<ServedGateway> {
  const { port, host, opsPort, opsHost } = settings;
  const now = () => session.clock.now();
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const tls = await tlsOf(settings.tls, settings.tlsKey);
    const journal = new RequestJournal(MOST_SHOWN);
    let url: string | undefined = undefined;
    const overview = new Overview({ accounts, journal, now, url: () => url, status: () => gateway.status() });
    const gateway = createGateway({
      ...options,
      accounts,
      clock: session.clock,
      onEvent: (event) => {
        log.event(event);
        metrics.event(event);
        overview.event(event);
      },
    });
    const metrics = await createMetrics({ status: () => gateway.check(), now });
    let ending = false;
    let ops: Served | undefined;
    if (opsPort !== undefined) {
      const health = healthHandler({
        ready: () => (ending ? ENDING : gateway.check()),
        metrics,
        page: settings.page ? () => gateway.check().then(() => overview.state()) : undefined,
      });
      ops = await serve(guarded(health), { port: opsPort, host: opsHost });
      closing.push(() => ops?.close() ?? Promise.resolve());
    }
    closing.push(() => within(LAST_CALLS, gateway.close()));

    let handler: FetchHandler = (request, peer) => gateway.fetch(request, peer);
    if (settings.page || settings.record !== undefined) {
      const { maxBodyBytes, maxBytesAtOnce } = options;
      handler = withJournal(handler, { journal, now, maxBodyBytes, maxBytesAtOnce });
    }
    if (settings.record !== undefined) closing.push(await record(settings.record, journal, log));
    const front = createFront(handler, {
      accounts,
      onRequest: (request) => {
        log.request(request);
        metrics.request(request);
      },
    });
    // Answers 503 until it has begun; a port that is in use is noticed before anything goes on.
    const served = await serve(front.fetch, { port, host, tls, maxConnections: MOST_CONNECTIONS });
    url = served.url;
    closing.push(async () => {
      ending = true;
      await served.drain(LAST_ANSWERS);
    });
    await gateway.start();
    warnOfReach(log, served.url, ops?.url);
    return {
      url: served.url,
      opsUrl: ops?.url,
      log,
      close,
      async renew() {
        const next = await tlsOf(settings.tls, settings.tlsKey);
        if (next !== undefined) served.renew(next satisfies TlsIdentity);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const ENDING = { ready: false, reasons: ['the gateway is about to end'] } as const;

async function record(
  folder: string,
  journal: RequestJournal,
  log: GatewayLog,
): Promise<() => Promise<void>> {
  const recording = await Recording.open(folder, {
    onError: (error) => {
      const message = error instanceof Error ? error.message : String(error);
      log.say('error', `--record: nothing is recorded any more: ${message}`);
    },
  });
  const stop = journal.subscribe((entry) => {
    recording.write(entry);
  });
  log.say('info', 'exchanges are recorded, without secrets and contacts', { folder: await realpath(folder) });
  return () => {
    stop();
    return recording.close();
  };
}

/** The page is for browsers on this machine; what else there is, may be asked for from elsewhere. */
function guarded(health: FetchHandler): FetchHandler {
  return (request, peer) => {
    const isPage = new URL(request.url).pathname.startsWith('/page');
    const refusal = isPage ? refuseControl(request, peer, 'loopback') : undefined;
    if (refusal === undefined) return health(request, peer);
    const text = 'The page is for browsers on this machine, by 127.0.0.1 or localhost.\n';
    return Promise.resolve(new Response(text, { status: refusal.status }));
  };
}

function warnOfReach(log: GatewayLog, url: string, opsUrl: string | undefined): void {
  const { hostname, protocol } = new URL(url);
  if (!isLoopback(hostname)) {
    log.say('warn', 'the gateway can be reached from other machines', { url });
    if (protocol === 'http:') {
      log.say(
        'warn',
        'old clients send their passwords to it unencrypted: give it a certificate (--tls), or put it behind what has one',
        { url },
      );
    }
  }
  if (opsUrl !== undefined && !isLoopback(new URL(opsUrl).hostname)) {
    log.say('warn', 'its health and figures can be asked for from other machines', { url: opsUrl });
  }
}

/** Resolves when the work has ended, or after `milliseconds`: what is left then is gone on with at the next start. */
function within(milliseconds: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}
