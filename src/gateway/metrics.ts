import type * as Prometheus from 'prom-client';
import { optional } from '../optional.js';
import type { GatewayEvent } from './events.js';
import type { ServedRequest } from './front.js';
import type { GatewayStatus } from './gateway.js';
import type { UpstreamState } from './upstream.js';

/** What the figures of the moment are made of. */
type Moment = Pick<GatewayStatus, 'queued' | 'running' | 'oldest' | 'upstream' | 'writable'>;

/** What figures are made of. */
export interface MetricsOptions {
  /** Asked each time the figures are read. */
  readonly status: () => Moment | Promise<Moment>;
  /** Milliseconds since 1970. Default the machine's. */
  readonly now?: (() => number) | undefined;
  /** Figures of the process too: memory, processor, event loop. Default true. */
  readonly process?: boolean | undefined;
}

/** Figures for Prometheus. Nothing that a client can make up is a label of any. */
export interface GatewayMetrics {
  /** Counts what the gateway does upstream and with its jobs. */
  event(event: GatewayEvent): void;
  /** Counts what was asked of it, and what it answered. */
  request(request: ServedRequest): void;
  /** All of them, in the text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * Figures of what is told of the gateway, all at 0.
 * @throws UsageError `PACKAGE_MISSING` without prom-client, which is optional
 */
export async function createMetrics(options: MetricsOptions): Promise<GatewayMetrics> {
  const { status, now = () => Date.now() } = options;
  const prometheus = await optional('prom-client', () => import('prom-client'));
  const { collectDefaultMetrics, Counter, Histogram, Registry } = prometheus;
  const registry = new Registry();
  const registers = [registry];
  if (options.process ?? true) collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'ctct_gateway_requests_total',
    help: 'Requests of old clients, by what they were for and how they were answered.',
    labelNames: ['method', 'route', 'status'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'ctct_gateway_request_seconds',
    help: 'Time until the answer to a request stood ready.',
    labelNames: ['route'] as const,
    buckets: SECONDS,
    registers,
  });
  const calls = new Counter({
    name: 'ctct_gateway_upstream_calls_total',
    help: 'Calls of v2, by a hash of the API key and by what came of them: ok, or the code of an error.',
    labelNames: ['key', 'operation', 'outcome'] as const,
    registers,
  });
  const callSeconds = new Histogram({
    name: 'ctct_gateway_upstream_seconds',
    help: 'Time that calls of v2 took.',
    labelNames: ['operation'] as const,
    buckets: SECONDS,
    registers,
  });
  const activities = new Counter({
    name: 'ctct_gateway_activities_total',
    help: 'Activities that were accepted, and that ended with COMPLETE or ERROR.',
    labelNames: ['type', 'outcome'] as const,
    registers,
  });
  const waits = new Counter({
    name: 'ctct_gateway_waits_total',
    help: 'Times that an activity had to wait for v2, by why.',
    labelNames: ['code'] as const,
    registers,
  });
  const trouble = new Counter({
    name: 'ctct_gateway_trouble_total',
    help: 'Times that the gateway itself was in trouble: a disk that is full, an account that is gone.',
    labelNames: ['code'] as const,
    registers,
  });
  momentary(prometheus, { status, now, registers });

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    request({ method, route, status, took }) {
      requests.inc({ method, route, status });
      seconds.observe({ route }, took / 1000);
    },
    event(event) {
      switch (event.event) {
        case 'accepted':
          activities.inc({ type: event.type, outcome: 'accepted' });
          break;
        case 'finished':
          activities.inc({ type: event.type, outcome: event.status.toLowerCase() });
          break;
        case 'called':
          calls.inc({ key: event.key, operation: event.operation, outcome: event.code ?? 'ok' });
          callSeconds.observe({ operation: event.operation }, event.took / 1000);
          break;
        case 'waiting':
          waits.inc({ code: event.code });
          break;
        case 'trouble':
          trouble.inc({ code: event.code });
          break;
        default:
      }
    },
  };
}

interface Momentary extends Pick<MetricsOptions, 'status'> {
  readonly now: () => number;
  readonly registers: Prometheus.Registry[];
}

/** Figures of the moment, asked for when they are read. */
function momentary({ Gauge }: typeof Prometheus, { status, now, registers }: Momentary): void {
  const gauge = (name: string, help: string, value: (found: Moment) => number) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(value(await status()));
      },
    });
  gauge('ctct_gateway_jobs_queued', 'Activities of which nothing was sent yet.', ({ queued }) => queued);
  gauge('ctct_gateway_jobs_running', 'Activities that v2 works on.', ({ running }) => running);
  gauge(
    'ctct_gateway_oldest_job_seconds',
    'Time since the oldest activity that goes on was accepted; 0 when none goes on.',
    ({ oldest }) => (oldest === undefined ? 0 : Math.max(0, now() - oldest) / 1000),
  );
  gauge(
    'ctct_gateway_store_writable',
    '0 when the gateway cannot write to its store, and so takes no requests, else 1.',
    ({ writable }) => (writable ? 1 : 0),
  );
  const byKey = (name: string, help: string, holds: (state: UpstreamState['state']) => boolean) =>
    new Gauge({
      name,
      help,
      labelNames: ['key'] as const,
      registers,
      async collect() {
        const { upstream } = await status();
        this.reset();
        for (const { key, state } of upstream) this.set({ key }, holds(state) ? 1 : 0);
      },
    });
  byKey(
    'ctct_gateway_upstream_up',
    '0 when v2 answers no more, else 1; by a hash of the API key.',
    (state) => state !== 'down',
  );
  byKey(
    'ctct_gateway_upstream_used_up',
    '1 when the calls of an API key are used up, else 0.',
    (state) => state === 'used up',
  );
}
