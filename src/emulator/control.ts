import { CtctError, ServiceError, UnsupportedError, UsageError } from '../activity/errors.js';
import { readRequestBody } from '../http/request-body.js';
import { inspectorPage } from '../inspect/page.js';
import { refuseControl, type ControlReach } from './control-guard.js';
import { CONTROL_ROUTES, json, notFound } from './control-routes.js';
import type { Emulator } from './emulator.js';

/** What everything that steers the emulator stands under. */
export const CONTROL_PREFIX = '/__emulator';

/** Bytes of a request to the control surface, a state to go back to among them. */
const MOST_BYTES = 1024 * 1024 * 1024;

export interface ControlOptions {
  /** Default `loopback`. */
  readonly reach?: ControlReach | undefined;
}

/** True for requests that are for the control surface. */
export function isControl(request: Request): boolean {
  if (!request.url.includes(CONTROL_PREFIX)) return false;
  const { pathname } = new URL(request.url);
  return pathname === CONTROL_PREFIX || pathname.startsWith(`${CONTROL_PREFIX}/`);
}

/** Answers requests to the control surface of an emulator. */
export function controlServer(
  emulator: Emulator,
  options: ControlOptions = {},
): (request: Request, peer?: string) => Promise<Response> {
  return async (request, peer) => {
    const refusal = refuseControl(request, peer, options.reach ?? 'loopback');
    if (refusal !== undefined) return problem(refusal.status, 'REFUSED', refusal.reason);
    try {
      return await route(emulator, request);
    } catch (error) {
      return problemOf(error);
    }
  };
}

async function route(emulator: Emulator, request: Request): Promise<Response> {
  const url = new URL(request.url);
  if (url.pathname === CONTROL_PREFIX) {
    return new Response(null, { status: 308, headers: { location: `${CONTROL_PREFIX}/` } });
  }
  const path = url.pathname.slice(CONTROL_PREFIX.length + 1);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const page = method === 'GET' ? inspectorPage(path) : undefined;
  if (page !== undefined) return page;
  const there = CONTROL_ROUTES.filter(([, pattern]) => pattern.test(path));
  if (there.length === 0) throw notFound(`there is nothing at ${url.pathname.slice(0, 100)}`);
  const found = there.find(([allowed]) => allowed === method);
  if (found === undefined) {
    const allow = there.map(([allowed]) => allowed).join(', ');
    return problem(405, 'REFUSED', `${request.method} is not for this; use ${allow}.`, { allow });
  }
  const [, pattern, act] = found;
  const names = (pattern.exec(path) ?? []).slice(1).map(decode);
  const text = async () => Buffer.from(await readRequestBody(request, MOST_BYTES)).toString('utf8');
  const result = await act({ emulator, url, names, text, body: async () => parseJson(await text()) });
  return result instanceof Response ? result : json(result);
}

function parseJson(text: string): unknown {
  try {
    return text.trim() === '' ? {} : (JSON.parse(text) as unknown);
  } catch (error) {
    throw new UsageError('OPTION_INVALID', 'body: is no JSON', { cause: error });
  }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function problem(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const answer = json({ error: { code, message } }, status);
  for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value);
  return answer;
}

function problemOf(error: unknown): Response {
  if (error instanceof ServiceError) return problem(error.status, error.code, error.message);
  if (error instanceof CtctError) {
    return problem(error instanceof UnsupportedError ? 409 : 400, error.code, error.message);
  }
  return problem(500, 'UNEXPECTED', 'The emulator failed; this is a fault of its own.');
}
