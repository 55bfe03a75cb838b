import type { Activity } from '../activity/activity.js';
import {
  AmbiguousCreateError,
  CtctError,
  DecodeError,
  UsageError,
  type ServiceError,
} from '../activity/errors.js';
import type { ContactList, ListRef } from '../activity/list.js';
import {
  ADD_TYPES,
  checkRequest,
  type ActivityRequest,
  type AddType,
  type Contacts,
  type ExportContacts,
  type Warning,
} from '../activity/request.js';
import type { ActivityService, CallOptions, Download } from '../activity/service.js';
import { systemClock, type Clock } from '../clock.js';
import type { RequestBody } from '../format/body.js';
import { checkCredentials, secretsOf, type Credentials } from '../http/credentials.js';
import { redact } from '../http/failures.js';
import { safeFileName } from '../http/file-name.js';
import { parseBaseUrl, resolveLink } from '../http/origin.js';
import {
  createTransport,
  type HttpResponse,
  type Timeouts,
  type Transport,
  type TransportOptions,
} from '../http/transport.js';
import { openContactFile } from '../upload/contact-file.js';
import { waitForActivity, watchActivity, type WaitOptions } from '../wait.js';
import { decodeFault } from './faults.js';
import { ATOM_MEDIA_TYPE } from './names.js';
import { decodeEntry, decodeFeed, decodeLists, type Decoded, type DecodedFeed } from './records.js';
import { ENCODINGS, type Encoding } from './encoding.js';
import { encodeRequest } from './requests.js';
import { accountUris, activityIdOf, lastSegment, SERVICE_ORIGIN, type AccountUris } from './uris.js';

export interface WsClientOptions {
  /** The account's user, as it stands in the URL: `/ws/customers/<user>`. */
  readonly user: string;
  readonly credentials: Credentials;
  /** Default `https://api.constantcontact.com`. Plain http is taken for this machine only, unless `allowHttp` names the host. */
  readonly baseUrl?: string | undefined;
  /** Hosts (`name` or `name:port`) that may be reached by plain http, where anybody on the way reads the credentials. */
  readonly allowHttp?: readonly string[] | undefined;
  /** How uploads are written. Default `auto`: multipart for files, .xls and data over 1 MiB, else the urlencoded form. */
  readonly encoding?: Encoding | undefined;
  /** Called in place of `globalThis.fetch`, such as an emulator's. */
  readonly fetch?: TransportOptions['fetch'];
  /** An undici dispatcher: an Agent, a ProxyAgent, a MockAgent. */
  readonly dispatcher?: TransportOptions['dispatcher'];
  /** Milliseconds; see `Timeouts` for the defaults. */
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Default the machine's. Drives the waiting, nothing else. */
  readonly clock?: Clock | undefined;
  /** Numbers from 0 to below 1, for the jitter of the waiting. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Told of what a caller should know though the call goes on. Default: nobody is. */
  readonly onWarning?: ((warning: Warning) => void) | undefined;
}

export type WsWaitOptions = Omit<WaitOptions, 'clock' | 'random'>;

/**
 * A client of `/ws/customers/<user>/activities`.
 *
 * Every method rejects with a `CtctError`: `UsageError` before anything is sent, `TransportError` where no answer came,
 * `ServiceError` for an answer that says no, `DecodeError` for one that makes no sense.
 */
export class WsClient implements ActivityService {
  readonly #uris: AccountUris;
  readonly #base: URL;
  readonly #user: string;
  readonly #transport: Transport;
  readonly #secrets: readonly string[];
  readonly #encoding: Encoding;
  readonly #warn: (warning: Warning) => void;
  readonly #clock: Clock;
  readonly #random: () => number;

  /** @throws UsageError for a user or base URL that cannot be used, `INSECURE_ORIGIN` for plain http to another host. */
  constructor(options: WsClientOptions) {
    const { user, credentials, fetch, dispatcher, timeouts } = options;
    this.#base = parseBaseUrl(options.baseUrl ?? SERVICE_ORIGIN, options.allowHttp);
    this.#user = user;
    this.#uris = accountUris(this.#base.href.replace(/\/+$/, ''), user);
    this.#transport = createTransport({ base: this.#base, credentials, fetch, dispatcher, timeouts });
    checkCredentials(credentials);
    this.#secrets = secretsOf(credentials);
    this.#encoding = options.encoding ?? 'auto';
    if (!ENCODINGS.includes(this.#encoding)) {
      throw new UsageError(
        'OPTION_INVALID',
        `encoding: must be ${ENCODINGS.join(', ')}, got "${this.#encoding}"`,
      );
    }
    this.#warn = options.onWarning ?? (() => undefined);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
  }

  /**
   * The activity that adds these contacts to these lists.
   * @param request `activityType` defaults to SV_ADD; the service stores what the data make of it.
   */
  async addContacts(
    request: {
      readonly contacts: Contacts;
      readonly lists: readonly ListRef[];
      readonly activityType?: AddType;
    },
    options?: CallOptions,
  ): Promise<Activity> {
    return this.create(withType(request, 'SV_ADD', ADD_TYPES), options);
  }

  /** The activity that removes the contacts with these addresses from these lists. */
  async removeContacts(
    request: { readonly contacts: Contacts; readonly lists: readonly ListRef[] },
    options?: CallOptions,
  ): Promise<Activity> {
    return this.create(withType(request, 'REMOVE_CONTACTS_FROM_LISTS'), options);
  }

  /** The activity that takes every contact off these lists; the contacts themselves are kept. */
  async clearLists(
    request: { readonly lists: readonly ListRef[] },
    options?: CallOptions,
  ): Promise<Activity> {
    return this.create(withType(request, 'CLEAR_CONTACTS_FROM_LISTS'), options);
  }

  /** The activity that writes the contacts of one list to a file, to be had with `download` once it is COMPLETE. */
  async exportContacts(
    request: Omit<ExportContacts, 'activityType'>,
    options?: CallOptions,
  ): Promise<Activity> {
    return this.create(withType(request, 'EXPORT_CONTACTS'), options);
  }

  /**
   * The activity that was created: all of it where the service tells it, else its id and little more.
   * A creation is never sent twice.
   */
  async create(request: ActivityRequest, options?: CallOptions): Promise<Activity> {
    const body = await this.#encode(request, options);
    const response = await this.#transport({
      method: 'POST',
      url: new URL(this.#uris.activities),
      headers: { accept: ATOM_MEDIA_TYPE },
      body,
      signal: options?.signal,
    });
    if (!isSuccess(response)) throw await this.#fault(response, `POST of ${request.activityType}`);
    return this.#created(response);
  }

  /**
   * From the service's yes, whatever became of its words: the activity exists now.
   *
   * Quirk: clients read some answers by their Location alone (test/fixtures/ws/answers/created-location-only).
   */
  async #created(response: HttpResponse): Promise<Activity> {
    const id = activityIdOf(response.headers.get('location') ?? '');
    try {
      const activity = await this.#decode(response, decodeEntry);
      if (activity.id !== '') return activity;
      if (id !== undefined) return { ...activity, id };
      throw new DecodeError('DOCUMENT_UNEXPECTED', 'the answer names no activity');
    } catch (error) {
      if (!(error instanceof CtctError) || error.code === 'ABORTED') throw error;
      if (id !== undefined) {
        this.#warn({
          code: 'RECORD_DOUBTFUL',
          message: `${id}: created, but all that is known of it is its Location (${error.message})`,
        });
        return minimalActivity(id);
      }
      throw new AmbiguousCreateError(
        `the service answered ${response.status} to the creation, but not which activity it made (${error.message}); ` +
          'look at the newest activities before you send it again',
        [],
        { cause: error },
      );
    }
  }

  async #encode(request: ActivityRequest, call: CallOptions | undefined): Promise<RequestBody> {
    const checked = checkRequest(request);
    const options = { user: this.#user, encoding: this.#encoding };
    if (!('contacts' in checked)) return encodeRequest(checked, options);
    const file = await openContactFile(checked.contacts, { signal: call?.signal });
    for (const warning of file.warnings) this.#warn(warning);
    return encodeRequest({ upload: checked, file }, options);
  }

  async get(id: string, options?: CallOptions): Promise<Activity> {
    if (id === '' || id === '.' || id === '..') {
      throw new UsageError(
        'OPTION_INVALID',
        `id: "${id}" is no activity id; give one such as a07e1ffaxjxffmvj6qd`,
      );
    }
    const response = await this.#get(new URL(this.#uris.activity(id)), options);
    if (!isSuccess(response)) throw await this.#fault(response, `GET of activity ${id}`);
    return this.#decode(response, decodeEntry);
  }

  list(options?: CallOptions): AsyncIterable<Activity> {
    return this.#pages(this.#uris.activities, 'activities', decodeFeed, options);
  }

  lists(options?: CallOptions): AsyncIterable<ContactList> {
    return this.#pages(this.#uris.lists, 'lists', decodeLists, options);
  }

  async *#pages<T extends { readonly id: string }>(
    first: string,
    what: string,
    decode: (bytes: Uint8Array, options: { source: string }) => DecodedFeed<T>,
    options: CallOptions | undefined,
  ): AsyncGenerator<T, void> {
    const seen = new Set<string>();
    let url: URL | undefined = new URL(first);
    while (url !== undefined) {
      if (seen.has(url.href)) {
        throw new DecodeError(
          'PAGE_REPEATED',
          `the next link of ${what} leads back to a page already read, ${url.pathname}`,
        );
      }
      seen.add(url.href);
      const response = await this.#get(url, options);
      if (!isSuccess(response)) throw await this.#fault(response, `GET of ${what}`);
      const feed = this.#redacting(decode, await response.bytes(), response);
      if (feed.otherEntries > 0) {
        this.#warn({
          code: 'RECORD_DOUBTFUL',
          message: `${what}: passed over ${feed.otherEntries} entries of another kind`,
        });
      }
      for (const entry of feed.records) yield this.#take(entry);
      url = feed.next === undefined ? undefined : resolveLink(feed.next, response.url, this.#base);
    }
  }

  /**
   * The file of an export, from its edit-media link, else its FileName, else `<id>.csv`, where the service kept it.
   * @throws UsageError `FOREIGN_ORIGIN` when the link leads to another origin than the client's.
   */
  async download(activity: string | Activity, options?: CallOptions): Promise<Download> {
    const record = typeof activity === 'string' ? await this.get(activity, options) : activity;
    const collection = new URL(`${this.#uris.activities}/`);
    const link = fileLink(record);
    const response = await this.#get(resolveLink(link, collection, this.#base), options, '*/*');
    if (!isSuccess(response)) throw await this.#fault(response, `GET of the file of activity ${record.id}`);
    const length = response.headers.get('content-length');
    const contentType = response.headers.get('content-type') ?? undefined;
    if (contentType !== undefined && /^(?:text\/html|application\/atom\+xml)\b/i.test(contentType)) {
      await response.cancel();
      throw new DecodeError(
        'DOCUMENT_UNEXPECTED',
        `${sourceName(response)}: expected the file of an export, got ${contentType}` +
          (/html/i.test(contentType) ? '; this looks like the page of a proxy or a login' : ''),
      );
    }
    return {
      fileName: safeFileName(`${record.id}.${/\.txt$/i.test(lastSegment(link)) ? 'txt' : 'csv'}`),
      contentType,
      length: length !== null && /^[0-9]+$/.test(length) ? Number(length) : undefined,
      body: response.body,
      cancel: () => response.cancel(),
    };
  }

  /**
   * The activity once it is COMPLETE, with errors or without.
   * @throws ActivityFailedError when it ends with ERROR; WaitTimeoutError when the time is over: wait again to go on.
   */
  waitForActivity(id: string, options?: WsWaitOptions): Promise<Activity> {
    return waitForActivity(this, id, this.#waiting(options));
  }

  /** The activity each time it was seen changed; returns the finished one. See `watchActivity`. */
  watchActivity(id: string, options?: WsWaitOptions): AsyncGenerator<Activity, Activity> {
    return watchActivity(this, id, this.#waiting(options));
  }

  #waiting(options: WsWaitOptions | undefined): WaitOptions {
    return { ...options, clock: this.#clock, random: this.#random };
  }

  #get(url: URL, options: CallOptions | undefined, accept = ATOM_MEDIA_TYPE): Promise<HttpResponse> {
    return this.#transport({ method: 'GET', url, headers: { accept }, signal: options?.signal });
  }

  async #fault(response: HttpResponse, what: string): Promise<ServiceError> {
    return decodeFault(response, what, (text) => redact(text, this.#secrets));
  }

  async #decode<T extends { readonly id: string }>(
    response: HttpResponse,
    decode: (bytes: Uint8Array, options: { source: string }) => Decoded<T>,
  ): Promise<T> {
    return this.#take(this.#redacting(decode, await response.bytes(), response));
  }

  /** What `decode` makes of the bytes. Its errors quote the document, which may echo what was sent. */
  #redacting<T>(
    decode: (bytes: Uint8Array, options: { source: string }) => T,
    bytes: Uint8Array,
    response: HttpResponse,
  ): T {
    try {
      return decode(bytes, { source: sourceName(response) });
    } catch (error) {
      if (error instanceof DecodeError) error.message = redact(error.message, this.#secrets);
      throw error;
    }
  }

  #take<T extends { readonly id: string }>(decoded: Decoded<T>): T {
    for (const { message } of decoded.problems) {
      this.#warn({
        code: 'RECORD_DOUBTFUL',
        message: redact(`${decoded.record.id}: ${message}`, this.#secrets),
      });
    }
    return decoded.record;
  }
}

function fileLink({ id, editMedia, fileName }: Activity): string {
  if (editMedia !== undefined && editMedia !== '') return editMedia;
  return fileName === undefined || fileName === '' ? `${encodeURIComponent(id)}.csv` : fileName;
}

function isSuccess(response: HttpResponse): boolean {
  return response.status >= 200 && response.status < 300;
}

/** Names an answer in an error's position: its path, never its query. */
function sourceName(response: HttpResponse): string {
  return response.url.pathname;
}

/** The request with its type; callers without types may have named one that the operation does not mean. */
function withType<R extends object, T extends ActivityRequest['activityType']>(
  request: R & { readonly activityType?: T },
  usual: T,
  allowed: readonly T[] = [usual],
): R & { readonly activityType: T } {
  const given: unknown = request;
  if (typeof given !== 'object' || given === null) {
    throw new UsageError(
      'OPTION_INVALID',
      `request: must be an object such as { lists: ['2'] }, got ${String(given)}`,
    );
  }
  const activityType = request.activityType ?? usual;
  if (!allowed.includes(activityType)) {
    throw new UsageError(
      'ACTIVITY_TYPE_INVALID',
      `activityType: ${activityType} does not fit this operation; it must be ${allowed.join(' or ')}`,
    );
  }
  return { ...request, activityType };
}

function minimalActivity(id: string): Activity {
  return {
    id,
    type: undefined,
    status: undefined,
    errors: [],
    errorCount: 0,
    fileName: undefined,
    transactionCount: undefined,
    insertTime: undefined,
    runStartTime: undefined,
    runFinishTime: undefined,
    updated: undefined,
    title: undefined,
    editMedia: undefined,
  };
}
