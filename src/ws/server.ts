import { UsageError } from '../activity/errors.js';
import { decodeFormInSteps } from '../format/form.js';
import { digestChallenge, Nonces } from '../http/digest.js';
import type { OAuthParameter } from '../http/oauth1.js';
import { readPresented, type PresentedCredentials } from '../http/presented.js';
import { readRequestBody } from '../http/request-body.js';
import { decodePath, notFound, refused, type Route, type WsAccount } from './call.js';
import { encodeFault } from './faults.js';
import { ATOM_MEDIA_TYPE, FORM_MEDIA_TYPE } from './names.js';
import { parseQuirks, quirksOf, type Profile, type QuirkName, type QuirkSet } from './quirks.js';
import { ACTIVITY_ROUTES } from './serve-activities.js';
import { directoryRoutes, LIST_ROUTE, SERVICE_ROUTE } from './serve-directory.js';
import { accountUris } from './uris.js';

/**
 * The account of a user, whose credentials are given as the request presents them; undefined refuses with 401.
 * `user` is decoded from the path as the client spelled it.
 */
export type AccountLookup = (
  user: string,
  credentials: PresentedCredentials | undefined,
) => WsAccount | undefined | Promise<WsAccount | undefined>;

/** Whose accounts a server of ws serves, and how. */
export interface WsServerOptions {
  /** The account of a user whose credentials are right. */
  readonly account: AccountLookup;
  /** Of the challenges. Default `api.constantcontact.com`. */
  readonly realm?: string | undefined;
  /** Entries a page, 1 or more. Default 50, as the service had it. */
  readonly pageSize?: number | undefined;
  /** The largest request body taken, in bytes; a larger one is answered 413. Default 64 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** The time that feeds carry, in milliseconds since 1970. Default the machine's. */
  readonly now?: (() => number) | undefined;
  /** Default `observed`. */
  readonly profile?: Profile | undefined;
  /** Quirks that are to be on or off whatever the profile says. */
  readonly quirks?: Readonly<Partial<Record<QuirkName, boolean>>> | undefined;
  /**
   * Lets a request choose for itself, by `X-Emulator-Profile: documented` and `X-Emulator-Quirks: digest=off, httpIds=off`.
   * Default false.
   */
  readonly profileHeader?: boolean | undefined;
}

/**
 * A fetch handler that speaks the ws dialect for any accounts: `/ws/customers/<user>/`, `/activities`, `/activities/<id>`,
 * `/activities/<id>.csv` and `.txt`, `/lists` and `/lists/<id>`; and, for an account that has a directory, what changes
 * lists, `/lists/<id>/members`, `/contacts` and `/contacts/<id>`. It answers as the service did: 401 with a challenge, 400 with
 * the reason in plain text, 415 for a method or media type a resource does not take. `QUIRKS` tells its oddities.
 *
 * The activities of the service given are published under the URI the request came by: an export that has a
 * file names it, and its edit-media link, by a URI of this server, wherever the service behind keeps it.
 * @throws UsageError `OPTION_INVALID` for a profile or quirk that does not exist.
 */
export function wsServer(options: WsServerOptions): (request: Request) => Promise<Response> {
  const { account: lookUp, pageSize = 50, maxBodyBytes = 64 * 1024 * 1024, profileHeader = false } = options;
  const realm = (options.realm ?? 'api.constantcontact.com').replace(/["\\]/g, '');
  const now = options.now ?? (() => Date.now());
  const usual = quirksOf(options.profile ?? 'observed', options.quirks);
  const nonces = new Nonces();

  const answer = async (request: Request): Promise<Response> => {
    const quirks = profileHeader ? askedQuirks(request.headers, options, usual) : usual;
    const url = new URL(request.url);
    const { user, path } = splitPath(url.pathname, quirks);
    if (url.protocol === 'http:' && !quirks.plainHttp)
      throw refused(403, 'Requests by http are refused; use https');
    const body = once(() => readRequestBody(request, maxBodyBytes));
    const presented = await present(request, quirks, nonces, body);
    const account = await lookUp(user, presented);
    // Quirk: `userInAnyCase`: clients lower-cased the user, or all of the URL (test/fixtures/ws/quirks/user-in-any-case).
    const exact = quirks.userInAnyCase || account?.user === undefined || account.user === user;
    if (account === undefined || !exact) return unauthorized(realm, quirks, nonces);

    const { directory } = account;
    const all = [
      SERVICE_ROUTE,
      ...ACTIVITY_ROUTES,
      ...(directory === undefined ? [LIST_ROUTE] : directoryRoutes(directory)),
    ];
    const routes = all.filter((route) => route.path.test(path));
    if (routes.length === 0) throw notFound(url.pathname);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = routes.find((candidate) => candidate.method === method);
    if (route === undefined) return unsupported(request.method, routes, quirks);
    checkHeaders(request, route, quirks);
    const origin = `${quirks.httpIds ? 'http:' : url.protocol}//${url.host}`;
    const frame = { uris: accountUris(origin, user), user, updated: new Date(now()), quirks };
    const id = decodePath(route.path.exec(path)?.[1] ?? '');
    return route.act({ request, url, account, frame, quirks, pageSize, body }, id);
  };
  return async (request) => {
    const response = await answer(request).catch(encodeFault);
    // Clients tell by it what is new, so it is of the same clock as the activities' times.
    response.headers.set('date', new Date(now()).toUTCString());
    return response;
  };
}

function askedQuirks(headers: Headers, options: WsServerOptions, usual: QuirkSet): QuirkSet {
  const [profile, switched] = [headers.get('x-emulator-profile'), headers.get('x-emulator-quirks')];
  if (profile === null && switched === null) return usual;
  const asked = (profile ?? options.profile ?? 'observed').trim().toLowerCase();
  if (asked !== 'documented' && asked !== 'observed') {
    throw new UsageError('OPTION_INVALID', 'X-Emulator-Profile: must be documented or observed');
  }
  return quirksOf(asked, { ...(profile === null ? options.quirks : {}), ...parseQuirks(switched ?? '') });
}

/** Quirk: `doubledSlashes`: a client had them (test/fixtures/ws/quirks/doubled-slashes). */
function splitPath(pathname: string, quirks: QuirkSet): { user: string; path: string } {
  if (!quirks.doubledSlashes && pathname.includes('//')) throw notFound(pathname);
  const segments = pathname.split('/').filter((segment) => segment !== '');
  const [ws, customers, user, ...rest] = segments;
  if (ws?.toLowerCase() !== 'ws' || customers?.toLowerCase() !== 'customers' || user === undefined) {
    throw notFound(pathname);
  }
  return { user: decodePath(user), path: rest.join('/') };
}

/**
 * Quirk: `blanksInAuthorization`, `accessTokenInQuery`, `digest`, `oauth1`: the service knew many ways to show who calls
 * (test/fixtures/ws/quirks/digest).
 */
async function present(
  request: Request,
  quirks: QuirkSet,
  nonces: Nonces,
  body: () => Promise<Uint8Array>,
): Promise<PresentedCredentials | undefined> {
  const authorization = request.headers.get('authorization');
  if (!quirks.blanksInAuthorization && /^\S+\s{2,}/.test(authorization ?? '')) return undefined;
  const presented = readPresented(request, {
    form: maySignForm(request, quirks) ? await parametersOf(await body()) : [],
    nonces: quirks.digest ? nonces : undefined,
    oauth1: quirks.oauth1,
  });
  return presented?.scheme === 'access_token' && !quirks.accessTokenInQuery ? undefined : presented;
}

/** OAuth signs the parameters of a urlencoded form, and may stand among them. */
function maySignForm({ headers }: Request, quirks: QuirkSet): boolean {
  const authorization = headers.get('authorization');
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  return (
    quirks.oauth1 &&
    type === FORM_MEDIA_TYPE &&
    (authorization === null || /^\s*oauth\s/i.test(authorization))
  );
}

function parametersOf(body: Uint8Array): Promise<readonly OAuthParameter[]> {
  return decodeFormInSteps(body);
}

/**
 * Quirk: `anyAccept`, `anyContentTypeOnGet`: clients asked with headers that fit something else
 * (test/fixtures/ws/quirks/any-accept).
 */
function checkHeaders({ headers }: Request, route: Route, quirks: QuirkSet): void {
  if (route.method !== 'GET') return;
  const accept = headers.get('accept') ?? '*/*';
  if (!quirks.anyAccept && !/\*\/\*|application\/(?:\*|atom(?:svc)?\+xml)/i.test(accept)) {
    throw refused(406, `There is only ${ATOM_MEDIA_TYPE} here`);
  }
  const type = headers.get('content-type') ?? ATOM_MEDIA_TYPE;
  if (!quirks.anyContentTypeOnGet && !type.toLowerCase().startsWith(ATOM_MEDIA_TYPE)) {
    throw refused(415, `Content-Type "${type.slice(0, 80)}" is not supported here`);
  }
}

/**
 * Quirk: `basicChallenge`: clients that send credentials only when asked need this answer, and some look at its first
 * challenge only (test/fixtures/ws/quirks/basic-challenge).
 */
function unauthorized(realm: string, quirks: QuirkSet, nonces: Nonces): Response {
  const challenges = [
    ...(quirks.basicChallenge ? [`Basic realm="${realm}"`] : []),
    ...(quirks.digest ? [digestChallenge(realm, nonces.make())] : []),
  ];
  return new Response('The API key, user name or password is not right for this account.\n', {
    status: 401,
    headers: {
      ...(challenges.length === 0 ? {} : { 'www-authenticate': challenges.join(', ') }),
      'content-type': 'text/plain; charset=utf-8',
    },
  });
}

/** Quirk: `unsupportedMethod415` (test/fixtures/ws/quirks/unsupported-method-415). */
function unsupported(method: string, routes: readonly Route[], quirks: QuirkSet): Response {
  if (quirks.unsupportedMethod415) return encodeFault(refused(415, `${method} is not supported here`));
  const allow = [...new Set(routes.map((route) => route.method))].join(', ');
  return new Response(`${method} is not supported here; use ${allow}\n`, {
    status: 405,
    headers: { allow, 'content-type': 'text/plain; charset=utf-8' },
  });
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
