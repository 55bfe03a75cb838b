import { randomBytes } from 'node:crypto';
import type { FetchHandler } from '../http/serve.js';
import type { GatewayAccounts } from './accounts.js';

/** A request and its answer, as logs and figures tell of it. */
export interface ServedRequest {
  /** The answer has it too, as X-Request-Id. */
  readonly id: string;
  /** As the account spells it; undefined for one that is not served. */
  readonly user: string | undefined;
  readonly method: Method;
  readonly route: Route;
  readonly status: number;
  /** Milliseconds until the answer stood ready. */
  readonly took: number;
  /** Of the request's body, as far as the request says. */
  readonly bytes: number;
}

/** What a request is for; nothing that a client can make up. */
export const ROUTES = ['service', 'activities', 'activity', 'file', 'lists', 'list', 'other'] as const;
export type Route = (typeof ROUTES)[number];

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'other'] as const;
export type Method = (typeof METHODS)[number];

/** What a front does with the requests that pass it. */
export interface FrontOptions {
  readonly accounts: Pick<GatewayAccounts, 'get'>;
  /** Told of every request, once its answer is ready. */
  readonly onRequest?: ((request: ServedRequest) => void) | undefined;
  /** The most requests at a time. Default 500. */
  readonly mostRequests?: number | undefined;
}

/** What stands before the gateway: it counts, names and bounds the requests. */
export interface Front {
  readonly fetch: FetchHandler;
  /** Requests that are being answered. */
  readonly open: number;
}

/** Seconds after which a client that was turned away may come again. */
const RETRY_AFTER = 5;

/**
 * A handler that passes on what there is room for, and answers the rest with 503 and Retry-After, as the old service did
 * when it had too much to do.
 */
export function createFront(handler: FetchHandler, options: FrontOptions): Front {
  const { accounts, onRequest, mostRequests = 500 } = options;
  const prefix = randomBytes(4).toString('hex');
  let count = 0;
  let open = 0;
  return {
    get open() {
      return open;
    },
    async fetch(request, peer) {
      const begun = performance.now();
      const id = `${prefix}-${(++count).toString(36)}`;
      const { route, user } = routeOf(new URL(request.url).pathname);
      let response: Response;
      if (open >= mostRequests) {
        response = turnedAway();
      } else {
        open++;
        try {
          response = await handler(request, peer);
        } finally {
          open--;
        }
      }
      response.headers.set('x-request-id', id);
      const known = user === undefined ? undefined : accounts.get(user)?.user;
      const took = performance.now() - begun;
      const method = METHODS.find((name) => name === request.method) ?? 'other';
      const bytes = Number(request.headers.get('content-length') ?? 0);
      onRequest?.({ id, user: known, method, route, status: response.status, took, bytes });
      return response;
    },
  };
}

function turnedAway(): Response {
  return new Response('The gateway has too much to do at present; try again in a few seconds.\n', {
    status: 503,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'retry-after': String(RETRY_AFTER) },
  });
}

/** What a path of ws leads to, and the user in it as the client spelled it. */
function routeOf(pathname: string): { readonly route: Route; readonly user: string | undefined } {
  const [ws, customers, user, resource, id, ...rest] = pathname.split('/').filter((part) => part !== '');
  if (ws?.toLowerCase() !== 'ws' || customers?.toLowerCase() !== 'customers' || user === undefined) {
    return { route: 'other', user: undefined };
  }
  return { route: rest.length > 0 ? 'other' : resourceRoute(resource, id), user: decoded(user) };
}

function resourceRoute(resource: string | undefined, id: string | undefined): Route {
  if (resource === undefined) return 'service';
  if (resource === 'lists') return id === undefined ? 'lists' : 'list';
  if (resource !== 'activities') return 'other';
  if (id === undefined) return 'activities';
  return /\.(?:csv|txt)$/i.test(id) ? 'file' : 'activity';
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
