import type { Activity } from './activity/activity.js';
import { AmbiguousCreateError, CtctError, DecodeError, UsageError, ServiceError } from './activity/errors.js';
import type { ContactList, ListRef } from './activity/list.js';
import {
  ADD_TYPES,
  type ActivityRequest,
  type AddContacts,
  type ExportContacts,
  type Warning,
} from './activity/request.js';
import type {
  ActivityService,
  CallOptions,
  Download,
  DownloadOptions,
  ListOptions,
} from './activity/service.js';
import { systemClock, type Clock } from './clock.js';
import {
  checkReconcile,
  createOnce,
  CreateTurns,
  type CreateContext,
  type ReconcileOptions,
} from './create.js';
import type { RequestBody } from './format/body.js';
import { checkCredentials, secretsOf, type Credentials } from './http/credentials.js';
import { saveDownload, type SavedFile, type SaveOptions } from './http/download.js';
import { redact, redactError } from './http/failures.js';
import { getFile, type FileAnswer } from './http/get-file.js';
import { describePage } from './http/html-page.js';
import type { Limiter } from './http/limiter.js';
import { parseBaseUrl, resolveLink } from './http/origin.js';
import { dateOf } from './http/retry-after.js';
import type { RetryPolicy } from './http/retry.js';
import {
  createTransport,
  MOST_DOCUMENT,
  type Exchange,
  type HttpResponse,
  type Timeouts,
  type Transport,
  type TransportOptions,
} from './http/transport.js';
import {
  waitForActivities,
  waitForActivity,
  watchActivities,
  watchActivity,
  type WaitOptions,
} from './wait.js';

/** What every client of the service can be told. */
export interface BulkClientOptions {
  /** Default `https://api.constantcontact.com`. Plain http is taken for this machine only, unless `allowHttp` names the host. */
  readonly baseUrl?: string | undefined;
  /** Hosts (`name` or `name:port`) that may be reached by plain http, where anybody on the way reads the credentials. */
  readonly allowHttp?: readonly string[] | undefined;
  /** Called in place of `globalThis.fetch`, such as an emulator's. */
  readonly fetch?: TransportOptions['fetch'];
  /** An undici dispatcher: an Agent, a ProxyAgent, a MockAgent. */
  readonly dispatcher?: TransportOptions['dispatcher'];
  /** Milliseconds; see `Timeouts` for the defaults. */
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** How calls that fail are repeated, a creation only where it surely was not taken. `false`: not at all. */
  readonly retry?: Partial<RetryPolicy> | false | undefined;
  /**
   * Keeps to the service's limits; may be shared by the clients of one API key. `false`: nothing does. Default a limiter
   * of the client's own, 4 calls a second and 10,000 a day; none for a service on this machine or behind a `fetch` of the
   * caller's, which tests have.
   */
  readonly limiter?: Limiter | false | undefined;
  /**
   * What happens when the answer to a creation is lost: the activity is looked for, so that none is lost and none is
   * there twice. Costs one listing of activities before each creation. `false`: nothing, the error is the caller's.
   */
  readonly reconcile?: ReconcileOptions | false | undefined;
  /** Default the machine's. Drives every pause: of waiting, of repeated calls, of the limiter. */
  readonly clock?: Clock | undefined;
  /** Numbers from 0 to below 1, for the jitter of all pauses. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Told of each request that was sent and its answer, repeated ones each. Default: nobody is. */
  readonly onExchange?: ((exchange: Exchange) => void) | undefined;
  /** Told of what a caller should know though the call goes on. Default: nobody is. */
  readonly onWarning?: ((warning: Warning) => void) | undefined;
}

/** As `SaveOptions`, less the clock and chance, which are those of the client. */
export type ClientSaveOptions = Omit<SaveOptions, 'clock' | 'random'>;
/** As `WaitOptions`, less the clock and chance, which are those of the client. */
export type ClientWaitOptions = Omit<WaitOptions, 'clock' | 'random'>;

const SERVICE_ORIGIN = 'https://api.constantcontact.com';

/** How a creation that must not be made twice is sent. */
export interface CreationOptions
  extends CallOptions, Pick<CreateContext, 'memory' | 'recognise' | 'objection'> {
  /**
   * Aborts the creation. With a `memory`, only what comes before the request and after it: the request itself is let go
   * through, so that what became of it is known.
   */
  readonly signal?: AbortSignal | undefined;
}

/** One request that makes an activity. */
export interface Creation {
  readonly activityType: ActivityRequest['activityType'];
  readonly url: URL;
  readonly body: RequestBody;
  readonly accept: string;
  /** The activity that the answer tells. */
  decode(response: HttpResponse): Promise<Activity>;
  /** The id in the URI of an activity. */
  idOf(uri: string): string | undefined;
}

/**
 * What a client is whatever dialect it speaks: how it reaches the service, waits, saves files, and names what was asked
 * for. Every method rejects with a `CtctError`: `UsageError` and `UnsupportedError` before anything is sent,
 * `TransportError` where no answer came, `ServiceError` for an answer that says no, `DecodeError` for one that makes no
 * sense.
 */
export abstract class BulkClient implements ActivityService {
  /** The origin, and the path where there is one, without a slash at its end. */
  protected readonly root: string;
  protected readonly base: URL;
  protected readonly clock: Clock;
  protected readonly transport: Transport;
  protected readonly warn: (warning: Warning) => void;
  readonly #random: () => number;
  readonly #secrets: readonly string[];
  readonly #reconcile: ReconcileOptions | false | undefined;
  readonly #turns = new CreateTurns();
  /** Milliseconds that the service's clock is ahead of ours; undefined until it told the time. */
  #ahead: number | undefined;

  protected constructor(options: BulkClientOptions, credentials: Credentials) {
    const {
      fetch,
      dispatcher,
      timeouts,
      retry,
      limiter,
      clock = systemClock,
      random = Math.random,
    } = options;
    this.base = parseBaseUrl(options.baseUrl ?? SERVICE_ORIGIN, options.allowHttp);
    this.root = this.base.href.replace(/\/+$/, '');
    this.clock = clock;
    this.#random = random;
    checkCredentials(credentials);
    this.transport = createTransport({
      base: this.base,
      credentials,
      fetch,
      dispatcher,
      timeouts,
      retry,
      limiter,
      clock,
      random,
      onExchange: options.onExchange,
    });
    this.#secrets = secretsOf(credentials);
    this.warn = options.onWarning ?? (() => undefined);
    checkReconcile(options.reconcile);
    this.#reconcile = options.reconcile;
  }

  abstract create(request: ActivityRequest, options?: CallOptions): Promise<Activity>;
  abstract get(id: string, options?: CallOptions): Promise<Activity>;
  abstract list(options?: ListOptions): AsyncIterable<Activity>;
  abstract download(activity: string | Activity, options?: DownloadOptions): Promise<Download>;
  abstract lists(options?: ListOptions): AsyncIterable<ContactList>;

  /**
   * The activity that adds these contacts to these lists.
   * @param request `activityType` defaults to SV_ADD; the service stores what the data make of it.
   */
  async addContacts(
    request: Omit<AddContacts, 'activityType'> & Partial<Pick<AddContacts, 'activityType'>>,
    options?: CallOptions,
  ): Promise<Activity> {
    return this.create(withType(request, 'SV_ADD', ADD_TYPES), options);
  }

  /** The activity that removes the contacts with these addresses from these lists. */
  async removeContacts(
    request: Pick<AddContacts, 'contacts' | 'lists'>,
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
   * The file of an export, saved at this path. A download that breaks off is gone on with, also by the next call with the
   * same activity and path.
   * @throws UsageError `FILE_EXISTS`, `FILE_BUSY`, `FILE_UNWRITABLE`; see the function `saveDownload`
   */
  async saveDownload(
    activity: string | Activity,
    file: string,
    options?: ClientSaveOptions,
  ): Promise<SavedFile> {
    const record = typeof activity === 'string' ? await this.get(activity, options) : activity;
    const signal = options?.signal;
    return saveDownload(
      { id: record.id, open: (resume) => this.download(record, { signal, resume }) },
      file,
      { ...options, clock: this.clock, random: this.#random },
    );
  }

  /**
   * The activity once it is COMPLETE, with errors or without.
   * @throws ActivityFailedError when it ends with ERROR; WaitTimeoutError when the time is over: wait again to go on.
   */
  waitForActivity(id: string, options?: ClientWaitOptions): Promise<Activity> {
    return waitForActivity(this, id, this.#waiting(options));
  }

  /** The activity each time it was seen changed; returns the finished one. See `watchActivity`. */
  watchActivity(id: string, options?: ClientWaitOptions): AsyncGenerator<Activity, Activity> {
    return watchActivity(this, id, this.#waiting(options));
  }

  /** The activities once all have finished, in the order of the ids, read together. See `waitForActivities`. */
  waitForActivities(ids: Iterable<string>, options?: ClientWaitOptions): Promise<Activity[]> {
    return waitForActivities(this, ids, this.#waiting(options));
  }

  /** The activities each time one was seen changed; returns them all. See `watchActivities`. */
  watchActivities(ids: Iterable<string>, options?: ClientWaitOptions): AsyncGenerator<Activity, Activity[]> {
    return watchActivities(this, ids, this.#waiting(options));
  }

  #waiting(options: ClientWaitOptions | undefined): WaitOptions {
    return { onWarning: this.warn, ...options, clock: this.clock, random: this.#random };
  }

  /** The activity that was created, looked for when the answer is lost; see `createOnce`. */
  protected async createOnce(
    creation: Creation,
    list: () => AsyncIterable<Activity>,
    options: CreationOptions | undefined,
  ): Promise<Activity> {
    const { memory, recognise, objection } = options ?? {};
    const post = memory === undefined ? options : undefined;
    try {
      return await createOnce(creation, () => this.#post(creation, post), {
        memory,
        recognise,
        objection,
        list,
        clock: this.clock,
        random: this.#random,
        signal: options?.signal,
        reconcile: this.#reconcile,
        turns: this.#turns,
        serviceNow: () => (this.#ahead === undefined ? undefined : this.clock.now() + this.#ahead),
        repeatable: creation.body.replayable,
        onWarning: this.warn,
      });
    } finally {
      await creation.body.close?.();
    }
  }

  async #post(creation: Creation, options: CallOptions | undefined): Promise<Activity> {
    const response = await this.transport({
      method: 'POST',
      url: creation.url,
      headers: { accept: creation.accept },
      body: creation.body,
      signal: options?.signal,
    }).catch((error: unknown) => {
      throw seenElsewhere(error);
    });
    if (!isSuccess(response)) throw await this.fault(response, `POST of ${creation.activityType}`);
    return this.#created(response, creation);
  }

  /**
   * From the service's yes, whatever became of its words: the activity exists now.
   *
   * Quirk: clients read some answers by their Location alone (test/fixtures/ws/answers/created-location-only).
   */
  async #created(response: HttpResponse, creation: Creation): Promise<Activity> {
    const id = creation.idOf(response.headers.get('location') ?? '');
    try {
      const activity = await creation.decode(response);
      if (activity.id !== '') return activity;
      if (id !== undefined) return { ...activity, id };
      throw new DecodeError('DOCUMENT_UNEXPECTED', 'the answer names no activity');
    } catch (error) {
      if (!(error instanceof CtctError) || error.code === 'ABORTED') throw error;
      if (id !== undefined) {
        this.warn({
          code: 'RECORD_DOUBTFUL',
          message: `${id}: created, but all that is known of it is its Location (${error.message})`,
        });
        return activityOfId(id);
      }
      throw new AmbiguousCreateError(
        `the service answered ${response.status} to the creation, but not which activity it made (${error.message}); ` +
          'look at the newest activities before you send it again',
        [],
        { cause: error },
      );
    }
  }

  /** A document, whole. @throws ServiceError for an answer other than success. */
  protected async getDocument(
    url: URL,
    accept: string,
    what: string,
    options: CallOptions | undefined,
  ): Promise<HttpResponse> {
    const signal = options?.signal;
    const headers = { accept };
    const response = await this.transport({ method: 'GET', url, headers, whole: MOST_DOCUMENT, signal });
    const date = dateOf(response.headers);
    if (date !== undefined) this.#ahead = date - this.clock.now();
    if (!isSuccess(response)) throw await this.fault(response, `GET of ${what}`);
    return response;
  }

  /** The file of an export. @throws DecodeError for a document of one of these media types, which is none. */
  protected async getExport(
    url: URL,
    id: string,
    documents: RegExp,
    options: DownloadOptions | undefined,
  ): Promise<Omit<FileAnswer, 'response'> & Pick<Download, 'contentType' | 'body' | 'cancel'>> {
    const signal = options?.signal;
    const { response, ...part } = await getFile(
      (headers) => this.transport({ method: 'GET', url, headers: { accept: '*/*', ...headers }, signal }),
      options?.resume,
    );
    if (!isSuccess(response)) throw await this.fault(response, `GET of the file of activity ${id}`);
    const contentType = response.headers.get('content-type') ?? undefined;
    if (contentType !== undefined && (documents.test(contentType) || /^text\/html\b/i.test(contentType))) {
      await response.cancel();
      throw new DecodeError(
        'DOCUMENT_UNEXPECTED',
        `${response.url.pathname}: expected the file of an export, got ${contentType}` +
          (/html/i.test(contentType) ? '; this looks like the page of a proxy or a login' : ''),
      );
    }
    return { ...part, contentType, body: response.body, cancel: () => response.cancel() };
  }

  /** Where a link in a document from `from` leads. @throws UsageError `FOREIGN_ORIGIN` as `resolveLink`. */
  protected resolve(href: string, from: URL): URL {
    return resolveLink(href, from, this.base, this.#secrets);
  }

  protected abstract fault(response: HttpResponse, what: string): Promise<ServiceError>;

  /** The text without any of the client's secrets. */
  protected redact(text: string): string {
    return redact(text, this.#secrets);
  }

  /**
   * What `decode` makes of the body. Its errors quote the document, which may echo what was sent; an HTML page is told as
   * one, whatever it is called.
   * @param expected in words, such as `an Atom document`
   */
  protected async decoded<T>(
    response: HttpResponse,
    expected: string,
    decode: (bytes: Uint8Array, options: { source: string }) => T,
  ): Promise<T> {
    const bytes = await response.bytes();
    const source = response.url.pathname;
    try {
      return decode(bytes, { source });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const cause = redactError(error, this.#secrets);
      const page = describePage(new TextDecoder().decode(bytes.subarray(0, 10_000)));
      if (page === undefined) throw cause;
      const found = this.redact(`${source}: expected ${expected}, got ${page}`);
      throw new DecodeError('DOCUMENT_UNEXPECTED', found, undefined, { cause });
    }
  }
}

/** Of a POST that was answered by 303: so answer servers that have taken it. @see RFC 9110 section 15.4.4 */
function seenElsewhere(error: unknown): unknown {
  if (!(error instanceof ServiceError) || error.status !== 303) return error;
  return new AmbiguousCreateError(`${error.message}; it may have been taken all the same`, [], {
    cause: error,
  });
}

function isSuccess(response: HttpResponse): boolean {
  return response.status >= 200 && response.status < 300;
}

/** The items behind the one with this id; all where there is none. @throws ServiceError `NOT_FOUND` where none has it. */
export async function* behind<T extends { readonly id: string }>(
  items: Iterable<T> | AsyncIterable<T>,
  after: string | undefined,
): AsyncGenerator<T, void> {
  let begun = after === undefined;
  for await (const item of items) {
    if (begun) yield item;
    begun ||= item.id === after;
  }
  if (begun) return;
  const detail = `there is no ${after?.slice(0, 100)} to begin behind`;
  throw new ServiceError('NOT_FOUND', detail, { status: 404, detail });
}

/** @throws UsageError `OPTION_INVALID` for what can be no id: nothing, or a step in a path. */
export function checkActivityId(id: string): void {
  if (typeof id === 'string' && id !== '' && id !== '.' && id !== '..') return;
  throw new UsageError(
    'OPTION_INVALID',
    `id: "${id}" is no activity id; give one such as a07e1ffaxjxffmvj6qd`,
  );
}

/** The request with its type; callers without types may have named one that the operation does not mean. */
function withType<R extends object, T extends ActivityRequest['activityType']>(
  request: R & { readonly activityType?: T | undefined },
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

/** All that is known of an activity: that it exists. */
function activityOfId(id: string): Activity {
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
