import type { Activity } from '../activity/activity.js';
import { ServiceError } from '../activity/errors.js';
import type { ContactList } from '../activity/list.js';
import type { ActivityService } from '../activity/service.js';
import { readCredentials, type ApiKeyCredentials } from '../http/credentials.js';
import { answerFile } from '../http/file-answer.js';
import { readRequestBody } from '../http/request-body.js';
import { encodeFault } from './faults.js';
import { fromV2, type V2Request } from './meaning.js';
import { JSON_MEDIA_TYPE, V2_MEMORY, V2_STATUSES, V2_TYPES, v2Type } from './names.js';
import {
  encodeCreated,
  encodeList,
  encodeRecord,
  encodeSummary,
  type ErrorForm,
  type V2Record,
} from './records.js';
import { decodeRequest } from './requests.js';
import { OPERATIONS, v2Uris, type V2Uris } from './uris.js';

/** The account of an API key and a token; undefined refuses with 401. */
export type V2AccountLookup = (
  credentials: ApiKeyCredentials,
) => ActivityService | undefined | Promise<ActivityService | undefined>;

/** Whose accounts a server of v2 serves, and how. */
export interface V2ServerOptions {
  /** The account that a token opens. */
  readonly account: V2AccountLookup;
  /** How records tell errors; default `strings`, as they did last. */
  readonly errors?: ErrorForm | undefined;
  /**
   * The largest request body taken, in bytes; a larger one is answered 413. Default 64 MiB. Uploads of 4,000,000 bytes and
   * more are refused whatever it is.
   */
  readonly maxBodyBytes?: number | undefined;
  /** Milliseconds since 1970, by which activities are forgotten. Default the machine's. */
  readonly now?: (() => number) | undefined;
}

/** One request on its way through the table of routes. */
interface Call {
  readonly request: Request;
  readonly url: URL;
  readonly service: ActivityService;
  readonly uris: V2Uris;
  readonly errors: ErrorForm;
  readonly maxBodyBytes: number;
  /** Activities from before are forgotten. */
  readonly since: number;
}

type Route = readonly [
  method: 'GET' | 'POST',
  path: RegExp,
  act: (call: Call, id: string) => Promise<Response>,
];

/** What an account answers to, by the path below `/v2/`. */
const ROUTES: readonly Route[] = [
  ['POST', new RegExp(`^activities/(${OPERATIONS.join('|')})$`), createActivity],
  ['GET', /^activities$/, listActivities],
  ['GET', /^activities\/(?:exportfiles\/)?([^/]+)\.csv$/i, downloadFile],
  ['GET', /^activities\/([^/]+)$/, getActivity],
  ['GET', /^lists$/, listLists],
];

/**
 * A fetch handler that speaks v2 for any accounts: `/v2/activities`, `/v2/activities/<id>`, the four operations below it,
 * the files of exports, `/v2/lists`. It has the habits of v2: the last 50 activities in no order, none of them older than
 * 14 days; what there is nothing to say of is left out; a request over the limits is refused whole; columns it no longer
 * knows are ignored; errors are `Line 2: …`, a hundred of them at most, whatever their number.
 *
 * Every call needs the API key in the query and the token in the header. Nothing tells an account but these two.
 */
export function v2Server(options: V2ServerOptions): (request: Request) => Promise<Response> {
  const { account, errors = 'strings', maxBodyBytes = 64 * 1024 * 1024, now = () => Date.now() } = options;

  const answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const credentials = presented(request, url);
    const service = credentials && (await account(credentials));
    if (service === undefined) throw unauthorized(credentials !== undefined);

    const path = /^\/+v2\/+(.*?)\/*$/.exec(url.pathname)?.[1]?.replace(/\/{2,}/g, '/') ?? '';
    const routes = ROUTES.filter(([, pattern]) => pattern.test(path));
    if (routes.length === 0) throw notFound(url.pathname);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = routes.find(([allowed]) => allowed === method);
    if (route === undefined) throw refused(405, `${request.method} is not supported here`);
    const [, pattern, act] = route;
    if (act !== downloadFile && !takesJson(request))
      throw refused(406, `Accept must allow ${JSON_MEDIA_TYPE}`);
    const since = now() - V2_MEMORY.kept;
    const call = { request, url, service, uris: v2Uris(url.origin), errors, maxBodyBytes, since };
    return act(call, decodePath(pattern.exec(path)?.[1] ?? ''));
  };
  return async (request) => {
    const response = await answer(request).catch(encodeFault);
    // Clients tell by it what is new, so it is of the same clock as the activities' times.
    response.headers.set('date', new Date(now()).toUTCString());
    return response;
  };
}

/** True for a request that is for a v2 server, by its path. */
export function isV2(request: Request): boolean {
  return /^\/+v2(?:\/|$)/.test(new URL(request.url).pathname);
}

function takesJson({ headers }: Request): boolean {
  const accept = headers.get('accept') ?? '*/*';
  return /(?:^|,)\s*(?:\*|application)\/(?:\*|json)\s*(?:[;,]|$)/i.test(accept);
}

/** Quirk: a library sent the token in the query as well, or there alone (test/fixtures/v2/requests/clear-token-in-query). */
function presented(request: Request, url: URL): ApiKeyCredentials | undefined {
  const apiKey = url.searchParams.get('api_key') ?? '';
  const given = readCredentials(request);
  if (apiKey === '' || given === undefined || !('token' in given)) return undefined;
  return { scheme: 'api_key', apiKey, token: given.token };
}

async function createActivity(call: Call, operation: string): Promise<Response> {
  const { request, url, service } = call;
  const known = OPERATIONS.find((candidate) => candidate === operation);
  if (known === undefined) throw notFound(url.pathname);
  const body = await readRequestBody(request, call.maxBodyBytes);
  const meant = await decodeRequest(known, request.headers.get('content-type'), body, url.searchParams);
  const activity = await service.create(await fromV2(meant), { signal: request.signal });
  const location = call.uris.activity(activity.id);
  return json(encodeCreated({ ...activity, type: typeOf(meant) }, contactsIn(meant)), 201, { location });
}

/** What the service made of it, it may not tell at once. */
function typeOf(request: V2Request): string {
  switch (request.operation) {
    case 'addcontacts':
      return V2_TYPES.ADD_CONTACTS;
    case 'removefromlists':
      return V2_TYPES.REMOVE_CONTACTS_FROM_LISTS;
    case 'clearlists':
      return V2_TYPES.CLEAR_CONTACTS_FROM_LISTS;
    case 'exportcontacts':
      return V2_TYPES.EXPORT_CONTACTS;
  }
}

function contactsIn(request: V2Request): number {
  if (request.operation === 'addcontacts') return request.table.rows.length;
  return request.operation === 'removefromlists' ? request.addresses.length : 0;
}

async function listActivities(call: Call): Promise<Response> {
  const { url, service, request } = call;
  const status = filter(url, 'status', ['ALL', ...V2_STATUSES]);
  const type = filter(url, 'type', Object.values(V2_TYPES));
  const found: Activity[] = [];
  for await (const activity of service.list({ signal: request.signal })) {
    if (isForgotten(activity, call.since)) break;
    if (status !== undefined && status !== 'ALL' && activity.status !== status) continue;
    if (type !== undefined && v2Type(activity.type ?? '') !== type) continue;
    found.push(activity);
    if (found.length === V2_MEMORY.listed) break;
  }
  return json(found.sort(asListed).map(encodeSummary));
}

function filter(url: URL, name: string, allowed: readonly string[]): string | undefined {
  const value = url.searchParams.get(name);
  if (value === null || value === '' || allowed.includes(value)) return value ?? undefined;
  throw refused(400, `query.param.invalid: ${name} must be one of ${[...new Set(allowed)].join(', ')}`);
}

/**
 * Quirk: no order of time. The answer of 2015 has everything but exports in the order of ids that say nothing, then exports,
 * the newest first (test/fixtures/v2/records/list-2015); these ids say the time, unless they are read from the end.
 */
function asListed(a: Activity, b: Activity): number {
  const [first, second] = [a.type === 'EXPORT_CONTACTS', b.type === 'EXPORT_CONTACTS'];
  if (first !== second) return first ? 1 : -1;
  if (first) return a.id < b.id ? 1 : -1;
  return backwards(a.id) < backwards(b.id) ? -1 : 1;
}

function backwards(id: string): string {
  return Buffer.from(id).reverse().toString('latin1');
}

function isForgotten({ insertTime }: Activity, since: number): boolean {
  return insertTime !== undefined && insertTime.getTime() < since;
}

async function getActivity(call: Call, id: string): Promise<Response> {
  const activity = await remembered(call, id);
  return json(encodeRecord(publish(activity, call.uris), call.errors));
}

/** @throws ServiceError `NOT_FOUND` for one that is older than 14 days, too. */
async function remembered({ service, request, since }: Call, id: string): Promise<Activity> {
  const activity = await service.get(id, { signal: request.signal });
  if (!isForgotten(activity, since)) return activity;
  throw notFound(`activity ${id}`);
}

/** The activity as the outside knows it: the file of an export under its URI. */
function publish(activity: Activity, uris: V2Uris): Activity {
  const { id, type, fileName = '' } = activity;
  return type === 'EXPORT_CONTACTS' && fileName !== ''
    ? { ...activity, fileName: uris.exportFile(id) }
    : activity;
}

async function downloadFile(call: Call, id: string): Promise<Response> {
  const { service, request } = call;
  const activity = await remembered(call, id);
  return answerFile(request, (resume) => service.download(activity, { signal: request.signal, resume }));
}

/** The account's own lists: of system lists v2 does not tell. */
async function listLists({ service, request }: Call): Promise<Response> {
  const lists: ContactList[] = [];
  for await (const list of service.lists({ signal: request.signal })) if (!list.system) lists.push(list);
  return json(lists.map(encodeList));
}

function json(
  value: V2Record | readonly unknown[],
  status = 200,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { 'content-type': JSON_MEDIA_TYPE, ...headers },
  });
}

function decodePath(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw refused(400, `the path segment "${segment.slice(0, 80)}" is not percent-encoded UTF-8`);
  }
}

function unauthorized(given: boolean): ServiceError {
  const detail = given ? 'The API key or the access token is not right.' : 'No authentication is present.';
  return new ServiceError('UNAUTHORIZED', detail, { status: 401, detail });
}

function notFound(what: string): ServiceError {
  const detail = `There is nothing at ${what.slice(0, 200)}`;
  return new ServiceError('NOT_FOUND', detail, { status: 404, detail });
}

function refused(status: number, detail: string): ServiceError {
  return new ServiceError('SERVICE_REFUSED', detail, { status, detail });
}
