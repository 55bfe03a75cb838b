import type { FetchHandler } from '../http/serve.js';
import { inspectorPage } from '../inspect/page.js';
import type { InspectorState } from '../inspect/inspector-state.js';
import type { GatewayMetrics } from './metrics.js';

/** Whether requests are taken. */
export interface Readiness {
  readonly ready: boolean;
  /** Why not, in words without secrets. */
  readonly reasons: readonly string[];
}

/** What is shown to those who run a gateway. */
export interface HealthOptions {
  /** Asked at each `/readyz`. */
  readonly ready: () => Readiness | Promise<Readiness>;
  /** What `/metrics` shows. */
  readonly metrics: Pick<GatewayMetrics, 'text' | 'contentType'>;
  /** What the page shows. Default: there is no page. */
  readonly page?: (() => Promise<InspectorState>) | undefined;
}

/**
 * A handler for those who run the gateway, not for its clients: `/healthz` (it is alive), `/readyz` (200 or 503 and why),
 * `/metrics` (for Prometheus), and `/page/`, where there is one.
 */
export function healthHandler({ ready, metrics, page }: HealthOptions): FetchHandler {
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return new Response('Only GET is answered here.\n', { status: 405, headers: { allow: 'GET, HEAD' } });
    }
    switch (pathname) {
      case '/healthz':
        return text('ok\n');
      case '/readyz': {
        const { ready: isReady, reasons } = await ready();
        return isReady ? text('ready\n') : text(`not ready\n${reasons.join('\n')}\n`, 503);
      }
      case '/metrics':
        return new Response(await metrics.text(), { headers: { 'content-type': metrics.contentType } });
      default:
    }
    if (page !== undefined) {
      if (pathname === '/page') return new Response(null, { status: 308, headers: { location: '/page/' } });
      if (pathname === '/page/state') return json(await page());
      const file = pathname.startsWith('/page/') ? inspectorPage(pathname.slice('/page/'.length)) : undefined;
      if (file !== undefined) return file;
    }
    const there = ['/healthz', '/readyz', '/metrics', ...(page === undefined ? [] : ['/page/'])];
    return text(`There is ${there.join(', ')} here.\n`, 404);
  };
}

function text(body: string, status = 200): Response {
  return new Response(body, {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
  });
}

function json(state: InspectorState): Response {
  return new Response(JSON.stringify(state), {
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
  });
}
