import type { Activity } from '../activity/activity.js';
import { DecodeError, UsageError, type ServiceError } from '../activity/errors.js';
import type { ContactList } from '../activity/list.js';
import { checkRequest, type ActivityRequest } from '../activity/request.js';
import type {
  ActivityService,
  CallOptions,
  Download,
  DownloadOptions,
  ListOptions,
} from '../activity/service.js';
import { behind, BulkClient, checkActivityId, type BulkClientOptions } from '../bulk-client.js';
import type { RequestBody } from '../format/body.js';
import type { Credentials } from '../http/credentials.js';
import { safeFileName } from '../http/file-name.js';
import type { HttpResponse } from '../http/transport.js';
import { openContactFile } from '../upload/contact-file.js';
import { decodeFault } from './faults.js';
import { ATOM_MEDIA_TYPE } from './names.js';
import { decodeEntry, decodeFeed, decodeLists, type Decoded, type DecodedFeed } from './records.js';
import { ENCODINGS, type Encoding } from './encoding.js';
import { encodeRequest } from './requests.js';
import { accountUris, activityIdOf, lastSegment, type AccountUris } from './uris.js';

export interface WsClientOptions extends BulkClientOptions {
  /** The account's user, as it stands in the URL: `/ws/customers/<user>`. */
  readonly user: string;
  /** How the account signs in. */
  readonly credentials: Credentials;
  /** How uploads are written. Default `auto`: multipart for files, .xls and data over 1 MiB, else the urlencoded form. */
  readonly encoding?: Encoding | undefined;
}

const EXPECTED = 'an Atom document';

/** A client of `/ws/customers/<user>/activities`. */
export class WsClient extends BulkClient implements ActivityService {
  readonly #uris: AccountUris;
  readonly #user: string;
  readonly #encoding: Encoding;

  /** @throws UsageError for a user or base URL that cannot be used, `INSECURE_ORIGIN` for plain http to another host. */
  constructor(options: WsClientOptions) {
    const { user, credentials, encoding = 'auto' } = options;
    super(options, credentials);
    this.#user = user;
    this.#uris = accountUris(this.root, user);
    this.#encoding = encoding;
    if (!ENCODINGS.includes(encoding)) {
      throw new UsageError(
        'OPTION_INVALID',
        `encoding: must be ${ENCODINGS.join(', ')}, got "${encoding as string}"`,
      );
    }
  }

  /**
   * The activity that was created: all of it where the service tells it, else its id and little more.
   *
   * A creation is never blindly sent twice. When its answer is lost, the activity is looked for; see `createOnce`.
   * @throws AmbiguousCreateError when it cannot be told whether, or which, activity was created
   */
  async create(request: ActivityRequest, options?: CallOptions): Promise<Activity> {
    // It is checked first: a caller may give what is no request.
    const body = await this.#encode(request, options);
    const creation = {
      activityType: request.activityType,
      url: new URL(this.#uris.activities),
      body,
      accept: ATOM_MEDIA_TYPE,
      decode: (response: HttpResponse) => this.#entry(response),
      idOf: activityIdOf,
    };
    return this.createOnce(creation, () => this.#activities(options, () => undefined), options);
  }

  async #encode(request: ActivityRequest, call: CallOptions | undefined): Promise<RequestBody> {
    const checked = checkRequest(request);
    const options = { user: this.#user, encoding: this.#encoding };
    if (!('contacts' in checked)) return encodeRequest(checked, options);
    const file = await openContactFile(checked.contacts, { signal: call?.signal });
    for (const warning of file.warnings) this.warn(warning);
    try {
      return await encodeRequest({ upload: checked, file }, options);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async get(id: string, options?: CallOptions): Promise<Activity> {
    checkActivityId(id);
    const url = new URL(this.#uris.activity(id));
    return this.#entry(await this.getDocument(url, ATOM_MEDIA_TYPE, `activity ${id}`, options));
  }

  /** Read page by page from the first, also where it is to begin behind one: the service's own tokens tell nothing. */
  list(options?: ListOptions): AsyncIterable<Activity> {
    return behind(this.#activities(options), options?.after);
  }

  lists(options?: ListOptions): AsyncIterable<ContactList> {
    return behind(this.#pages(this.#uris.lists, 'lists', decodeLists, options), options?.after);
  }

  #activities(options: CallOptions | undefined, warn = this.warn): AsyncGenerator<Activity, void> {
    return this.#pages(this.#uris.activities, 'activities', decodeFeed, options, warn);
  }

  async *#pages<T extends { readonly id: string }>(
    first: string,
    what: string,
    decode: (bytes: Uint8Array, options: { source: string }) => DecodedFeed<T>,
    options: CallOptions | undefined,
    warn = this.warn,
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
      const response = await this.getDocument(url, ATOM_MEDIA_TYPE, what, options);
      const feed = await this.decoded(response, EXPECTED, decode);
      if (feed.otherEntries > 0) {
        warn({
          code: 'RECORD_DOUBTFUL',
          message: `${what}: passed over ${feed.otherEntries} entries of another kind`,
        });
      }
      for (const entry of feed.records) yield this.#take(entry, warn);
      url = feed.next === undefined ? undefined : this.resolve(feed.next, response.url);
    }
  }

  /**
   * The file of an export, from its edit-media link, else its FileName, else `<id>.csv`, where the service kept it.
   *
   * It can be gone on with (`validator`, `resume`) where the service tells its length and a strong validator: a rest
   * that is not the one asked for is not taken, and the whole file is asked for instead.
   * @throws UsageError `FOREIGN_ORIGIN` when the link leads to another origin than the client's.
   */
  async download(activity: string | Activity, options?: DownloadOptions): Promise<Download> {
    const record = typeof activity === 'string' ? await this.get(activity, options) : activity;
    const link = fileLink(record);
    const url = this.resolve(link, new URL(`${this.#uris.activities}/`));
    const file = await this.getExport(url, record.id, /^application\/atom\+xml\b/i, options);
    const extension = /\.txt$/i.test(lastSegment(link)) ? 'txt' : 'csv';
    return { ...file, fileName: safeFileName(`${record.id}.${extension}`) };
  }

  protected fault(response: HttpResponse, what: string): Promise<ServiceError> {
    return decodeFault(response, what, (text) => this.redact(text), this.clock.now());
  }

  async #entry(response: HttpResponse): Promise<Activity> {
    return this.#take(await this.decoded(response, EXPECTED, decodeEntry));
  }

  #take<T extends { readonly id: string }>(decoded: Decoded<T>, warn = this.warn): T {
    const { id } = decoded.record;
    for (const { message } of decoded.problems) {
      warn({ code: 'RECORD_DOUBTFUL', message: this.redact(`${id}: ${message}`) });
    }
    return decoded.record;
  }
}

function fileLink({ id, editMedia, fileName }: Activity): string {
  if (editMedia !== undefined && editMedia !== '') return editMedia;
  return fileName === undefined || fileName === '' ? `${encodeURIComponent(id)}.csv` : fileName;
}
