import type { Activity } from '../activity/activity.js';
import { ServiceError } from '../activity/errors.js';
import type { ContactList } from '../activity/list.js';
import type { ActivityService } from '../activity/service.js';
import { readCredentials, type Credentials } from '../http/credentials.js';
import { encodeFault } from './faults.js';
import { ATOM_MEDIA_TYPE } from './names.js';
import { encodeEntry, encodeFeed, encodeLists, type DocumentFrame } from './records.js';
import { decodeRequest } from './requests.js';
import { accountUris, lastSegment } from './uris.js';

/**
 * The account of a user, whose credentials are given as the request presents them; undefined refuses with 401.
 * `user` is decoded from the path as the client spelled it.
 */
export type AccountLookup = (
  user: string,
  credentials: Credentials | undefined,
) => ActivityService | undefined | Promise<ActivityService | undefined>;

export interface WsServerOptions {
  readonly account: AccountLookup;
  /** Of the Basic challenge. Default `api.constantcontact.com`. */
  readonly realm?: string | undefined;
  /** Entries a page, 1 or more. Default 50, as the service had it. */
  readonly pageSize?: number | undefined;
  /** The largest request body taken, in bytes; a larger one is answered 413. Default 64 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** The time that feeds carry, in milliseconds since 1970. Default the machine's. */
  readonly now?: (() => number) | undefined;
}

/** One request on its way through the table of routes. */
interface Call {
  readonly request: Request;
  readonly url: URL;
  readonly service: ActivityService;
  readonly frame: DocumentFrame;
  readonly options: { readonly pageSize: number; readonly maxBodyBytes: number };
}

type Route = readonly [
  method: 'GET' | 'POST',
  path: RegExp,
  act: (call: Call, id: string) => Promise<Response>,
];

/** What an account answers to, by the path below `/ws/customers/<user>/`. */
const ROUTES: readonly Route[] = [
  ['GET', /^activities$/, listActivities],
  ['POST', /^activities$/, createActivity],
  ['GET', /^activities\/([^/]+)\.(?:csv|txt)$/i, downloadFile],
  ['GET', /^activities\/([^/]+)$/, getActivity],
  ['GET', /^lists$/, listLists],
];

/**
 * A fetch handler that speaks the ws dialect for any accounts: `/ws/customers/<user>/activities`, `/activities/<id>`,
 * `/activities/<id>.csv` and `.txt`, `/lists`. It answers as the service did: 401 with a Basic challenge, 400 with the
 * reason in plain text, 415 for a method or media type a resource does not take.
 *
 * The activities of the service given are published under the URI the request came by: an export that has a
 * file names it, and its edit-media link, by a URI of this server, wherever the service behind keeps it.
 */
export function wsServer(options: WsServerOptions): (request: Request) => Promise<Response> {
  const {
    account,
    realm = 'api.constantcontact.com',
    pageSize = 50,
    maxBodyBytes = 64 * 1024 * 1024,
  } = options;
  const now = options.now ?? (() => Date.now());

  const answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const { user, path } = splitPath(url.pathname);
    const service = await account(user, readCredentials(request));
    if (service === undefined) return unauthorized(realm);

    // Quirk: PUT and DELETE were answered 415, not 405 (test/fixtures/ws/answers).
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const routes = ROUTES.filter(([, pattern]) => pattern.test(path));
    if (routes.length === 0) throw notFound(url.pathname);
    const route = routes.find(([allowed]) => allowed === method);
    if (route === undefined) throw unsupported(`${request.method} is not supported here`);
    const [, pattern, act] = route;
    const frame = { uris: accountUris(`http://${url.host}`, user), user, updated: new Date(now()) };
    return act(
      { request, url, service, frame, options: { pageSize, maxBodyBytes } },
      decodePath(pattern.exec(path)?.[1] ?? ''),
    );
  };
  return async (request) => {
    try {
      return await answer(request);
    } catch (error) {
      return encodeFault(error);
    }
  };
}

/** Quirk: doubled slashes, and a user spelled in any way, were taken (test/fixtures/ws/requests). */
function splitPath(pathname: string): { user: string; path: string } {
  const segments = pathname.split('/').filter((segment) => segment !== '');
  const [ws, customers, user, ...rest] = segments;
  if (ws?.toLowerCase() !== 'ws' || customers?.toLowerCase() !== 'customers' || user === undefined) {
    throw notFound(pathname);
  }
  return { user: decodePath(user), path: rest.join('/') };
}

function decodePath(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badRequest(`the path segment "${segment.slice(0, 80)}" is not percent-encoded UTF-8`);
  }
}

async function listActivities(call: Call): Promise<Response> {
  const { url, service, frame } = call;
  const { items, next } = await page(call, service.list({ signal: call.request.signal }));
  const activities = items.map((activity) => publish(activity, frame));
  return atom(encodeFeed(activities, frame, pageLinks(url, next)));
}

async function listLists(call: Call): Promise<Response> {
  const { url, service, frame } = call;
  const { items, next } = await page<ContactList>(call, service.lists({ signal: call.request.signal }));
  return atom(encodeLists(items, frame, pageLinks(url, next)));
}

async function getActivity(call: Call, id: string): Promise<Response> {
  const activity = await call.service.get(id, { signal: call.request.signal });
  return atom(encodeEntry(publish(activity, call.frame), call.frame));
}

/**
 * Quirk: clients read the whole activity from the 201 answer, although the document shows a minimal entry there
 * (test/fixtures/ws/answers); the whole serves both.
 */
async function createActivity(call: Call): Promise<Response> {
  const { request, service, frame } = call;
  const body = await readBody(request, call.options.maxBodyBytes);
  const asked = await decodeRequest(request.headers.get('content-type'), body);
  const activity = publish(await service.create(asked, { signal: request.signal }), frame);
  return atom(encodeEntry(activity, frame), 201, { location: frame.uris.activity(activity.id) });
}

async function downloadFile(call: Call, id: string): Promise<Response> {
  const activity = await call.service.get(id, { signal: call.request.signal });
  const asked = call.url.pathname.slice(call.url.pathname.lastIndexOf('/') + 1).toLowerCase();
  if (fileNameOf(activity)?.toLowerCase() !== decodePath(asked)) throw notFound(call.url.pathname);
  const download = await call.service.download(activity, { signal: call.request.signal });
  return new Response(toStream(download.body, download.cancel.bind(download)), {
    headers: {
      'content-type': download.contentType ?? 'application/octet-stream',
      ...(download.length === undefined ? {} : { 'content-length': String(download.length) }),
    },
  });
}

/** The activity as the outside knows it: the file under its URI. */
function publish(activity: Activity, frame: DocumentFrame): Activity {
  const fileName = fileNameOf(activity);
  if (fileName === undefined) return activity;
  const uri = `${frame.uris.activities}/${encodeURIComponent(fileName)}`;
  return { ...activity, fileName: uri, editMedia: uri };
}

/** The name of an export's file, wherever the service behind keeps it; undefined for activities that have none. */
function fileNameOf({ id, type, fileName }: Activity): string | undefined {
  if (type !== 'EXPORT_CONTACTS' || fileName === undefined || fileName === '') return undefined;
  return `${id}.${/\.txt$/i.test(lastSegment(fileName)) ? 'txt' : 'csv'}`;
}

/**
 * The page that the request asks for: its `next` parameter is the id the page before ended with. Ids are of lower-case
 * letters and digits, which matters: a client of the time lower-cased every URL it followed.
 */
async function page<T extends { readonly id: string }>(
  call: Call,
  all: AsyncIterable<T>,
): Promise<{ items: T[]; next: string | undefined }> {
  const after = call.url.searchParams.get('next');
  const items: T[] = [];
  let begun = after === null;
  for await (const item of all) {
    if (!begun) {
      begun = item.id === after;
    } else if (items.length === call.options.pageSize) {
      return { items, next: items.at(-1)?.id };
    } else {
      items.push(item);
    }
  }
  if (!begun) throw badRequest(`next: there is no page "${(after ?? '').slice(0, 80)}"`);
  return { items, next: undefined };
}

function pageLinks(url: URL, next: string | undefined) {
  const first = url.pathname;
  return {
    next: next === undefined ? undefined : `${first}?next=${encodeURIComponent(next)}`,
    first,
    current: `${first}${currentQuery(url)}`,
  };
}

/** The query of the page itself, without what else (an access token) stands in it. */
function currentQuery(url: URL): string {
  const next = url.searchParams.get('next');
  return next === null ? '' : `?next=${encodeURIComponent(next)}`;
}

async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new ServiceError('SERVICE_REFUSED', `the request body is larger than ${limit} bytes`, {
      status: 413,
      detail: `The request body is larger than ${limit} bytes; send the contacts in several activities`,
    });
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | null = request.body;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function atom(xml: string, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(Buffer.from(xml), { status, headers: { 'content-type': ATOM_MEDIA_TYPE, ...headers } });
}

function toStream(body: AsyncIterable<Uint8Array>, cancel: () => Promise<void>): ReadableStream<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const step = await iterator.next();
      if (step.done === true) controller.close();
      else controller.enqueue(step.value);
    },
    cancel,
  });
}

function unauthorized(realm: string): Response {
  return new Response('The API key, user name or password is not right for this account.\n', {
    status: 401,
    headers: {
      'www-authenticate': `Basic realm="${realm.replace(/["\\]/g, '')}"`,
      'content-type': 'text/plain; charset=utf-8',
    },
  });
}

function notFound(pathname: string): ServiceError {
  const detail = `There is nothing at ${pathname.slice(0, 200)}`;
  return new ServiceError('NOT_FOUND', detail, { status: 404, detail });
}

function unsupported(detail: string): ServiceError {
  return new ServiceError('SERVICE_REFUSED', detail, { status: 415, detail });
}

function badRequest(detail: string): ServiceError {
  return new ServiceError('SERVICE_REFUSED', detail, { status: 400, detail });
}
