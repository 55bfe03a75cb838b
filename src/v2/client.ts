import type { Activity } from '../activity/activity.js';
import { ServiceError, UsageError } from '../activity/errors.js';
import { systemList, type ContactList } from '../activity/list.js';
import { checkRequest, type ActivityRequest } from '../activity/request.js';
import type {
  ActivityService,
  CallOptions,
  Download,
  DownloadOptions,
  ListOptions,
} from '../activity/service.js';
import {
  behind,
  BulkClient,
  checkActivityId,
  type BulkClientOptions,
  type CreationOptions,
} from '../bulk-client.js';
import type { RequestBody } from '../format/body.js';
import type { ApiKeyCredentials } from '../http/credentials.js';
import { safeFileName } from '../http/file-name.js';
import type { HttpResponse } from '../http/transport.js';
import { V2_ENCODINGS, type V2Encoding } from './encoding.js';
import { decodeFault } from './faults.js';
import { toV2, type V2Request, type V2Upload } from './meaning.js';
import { JSON_MEDIA_TYPE, V2_STATUSES, V2_SYSTEM_LISTS, V2_TYPES, type V2Type } from './names.js';
import { decodeLists, decodeRecord, decodeRecords, type Decoded } from './records.js';
import { encodeRequest, queryOf } from './requests.js';
import { activityIdOf, v2Uris, type V2Uris } from './uris.js';

export interface V2ClientOptions extends BulkClientOptions {
  /** The API key and the OAuth 2 access token: `{ scheme: 'api_key', apiKey, token }`. */
  readonly credentials: ApiKeyCredentials;
  /** How contacts are sent. Default `auto`: JSON for rows, multipart for everything else. */
  readonly encoding?: V2Encoding | undefined;
}

/** A request whose body is made already. */
export interface EncodedCreation {
  readonly activityType: ActivityRequest['activityType'];
  readonly operation: V2Request['operation'];
  readonly body: RequestBody;
  /** Of uploads that add; default false. */
  readonly blanksEnabled?: boolean | undefined;
}

/** Which activities are listed. */
export interface V2ListOptions extends ListOptions {
  /** Only activities in this status. Default `ALL`. */
  readonly status?: (typeof V2_STATUSES)[number] | 'ALL' | undefined;
  /** Only activities of this type; v2 has `ADD_CONTACTS` for all that adds. Default all. */
  readonly type?: V2Type | undefined;
}

/**
 * A client of `/v2/activities`, the successor of ws.
 *
 * A request that v2 cannot say exactly is refused (UnsupportedError), one with columns that v2 only ignores goes out
 * without them, with a warning. The limits of v2, 40,000 contacts (20,000 to remove) and less than 4,000,000 bytes, are
 * checked before anything is sent (UsageError `UPLOAD_TOO_LARGE`).
 *
 * v2 remembers the last 50 activities, and those for 14 days. It tells no addresses in errors; their lines count from 1,
 * the heading, even where contacts go as JSON.
 */
export class V2Client extends BulkClient implements ActivityService {
  readonly #uris: V2Uris;
  readonly #encoding: V2Encoding;

  /**
   * @throws UsageError for credentials or a base URL that cannot be used, `INSECURE_ORIGIN` for plain http to another
   * host.
   */
  constructor(options: V2ClientOptions) {
    const { credentials, encoding = 'auto' } = options;
    super(options, credentials);
    const { scheme }: { scheme: string } = credentials;
    if (scheme !== 'api_key') {
      throw new UsageError(
        'OPTION_INVALID',
        `credentials.scheme: v2 takes { scheme: 'api_key', apiKey, token }, not '${scheme}'`,
      );
    }
    if (!V2_ENCODINGS.includes(encoding)) {
      throw new UsageError(
        'OPTION_INVALID',
        `encoding: must be ${V2_ENCODINGS.join(', ')}, got "${encoding}"`,
      );
    }
    this.#uris = v2Uris(this.root);
    this.#encoding = encoding;
  }

  /**
   * The activity that was created, its id and type and little more.
   *
   * A creation is never blindly sent twice. When its answer is lost, the activity is looked for; see `createOnce`.
   * @throws UnsupportedError for what v2 cannot say: a file type TXT, the name of the list in an export, an .xls file.
   * @throws AmbiguousCreateError when it cannot be told whether, or which, activity was created
   */
  async create(request: ActivityRequest, options?: CallOptions): Promise<Activity> {
    const checked = checkRequest(request);
    const meant = await toV2(checked, {
      now: this.clock.now(),
      warn: this.warn,
      signal: options?.signal,
    });
    const body =
      meant.operation === 'addcontacts' || meant.operation === 'removefromlists'
        ? await this.#upload(meant, 'contacts' in checked && 'rows' in checked.contacts)
        : await encodeRequest(meant);
    return this.createEncoded({ ...meant, activityType: checked.activityType, body }, options);
  }

  /**
   * The activity that was created from a body that is there already, such as a part of an upload.
   *
   * It is sent as `create` sends, and with a `memory` not twice even where the process ends in between; see `createOnce`.
   * @throws AmbiguousCreateError when it cannot be told whether, or which, activity was created
   */
  async createEncoded(encoded: EncodedCreation, options?: CreationOptions): Promise<Activity> {
    const { activityType, body } = encoded;
    const creation = {
      activityType,
      url: this.#operation(encoded),
      body,
      accept: JSON_MEDIA_TYPE,
      decode: async (response: HttpResponse) =>
        this.#take(await this.decoded(response, 'an activity', decodeRecord)),
      idOf: activityIdOf,
    };
    const signal = options?.signal;
    return this.createOnce(creation, () => this.#activities({ signal }, () => undefined), options);
  }

  #operation(request: Pick<EncodedCreation, 'operation' | 'blanksEnabled'>): URL {
    const url = new URL(this.#uris.operation(request.operation));
    url.search = new URLSearchParams(queryOf(request)).toString();
    return url;
  }

  async #upload(request: V2Upload, fromRows: boolean): Promise<RequestBody> {
    if (this.#encoding !== 'auto') return encodeRequest(request, { encoding: this.#encoding });
    if (!fromRows || hasCountryName(request)) {
      return encodeRequest(request, { encoding: 'multipart' });
    }
    try {
      return await encodeRequest(request, { encoding: 'json' });
    } catch (error) {
      // JSON repeats the names of its fields in each contact; a file does not.
      if (!(error instanceof UsageError) || error.code !== 'UPLOAD_TOO_LARGE') throw error;
      return encodeRequest(request, { encoding: 'multipart' });
    }
  }

  async get(id: string, options?: CallOptions): Promise<Activity> {
    checkActivityId(id);
    const url = new URL(this.#uris.activity(id));
    const response = await this.getDocument(url, JSON_MEDIA_TYPE, `activity ${id}`, options);
    return this.#take(await this.decoded(response, 'an activity', decodeRecord));
  }

  /**
   * The activities that v2 remembers, the newest first, from one call. Their errors are not among what it tells here.
   * @throws UsageError `OPTION_INVALID` for a status or a type that v2 does not have.
   */
  list(options?: V2ListOptions): AsyncIterable<Activity> {
    return this.#activities(options);
  }

  async *#activities(options: V2ListOptions | undefined, warn = this.warn): AsyncGenerator<Activity, void> {
    const url = new URL(this.#uris.activities);
    url.search = new URLSearchParams(filters(options)).toString();
    const response = await this.getDocument(url, JSON_MEDIA_TYPE, 'activities', options);
    const records = await this.decoded(response, 'activities', decodeRecords);
    // Quirk: v2 does not sort them (test/fixtures/v2/records/list-2015).
    const sorted = records.map((record) => this.#take(record, warn)).sort(newestFirst);
    yield* behind(sorted, options?.after);
  }

  /** The system lists that v2 can export, which it does not list itself, then the account's own. */
  async *lists(options?: ListOptions): AsyncGenerator<ContactList, void> {
    const response = await this.getDocument(new URL(this.#uris.lists), JSON_MEDIA_TYPE, 'lists', options);
    const records = await this.decoded(response, 'lists', decodeLists);
    yield* behind([...SYSTEM, ...records.map((record) => this.#take(record))], options?.after);
  }

  /**
   * The file of an export, from its file_name where that is a URL, else from `<id>.csv`. The API key and the token go with
   * the request.
   * @throws UsageError `FOREIGN_ORIGIN` when the URL leads to another origin than the client's.
   */
  async download(activity: string | Activity, options?: DownloadOptions): Promise<Download> {
    const record = typeof activity === 'string' ? await this.get(activity, options) : activity;
    const { id, type, fileName = '' } = record;
    checkActivityId(id);
    if (type !== undefined && type !== 'EXPORT_CONTACTS') {
      throw new ServiceError('NOT_FOUND', `activity ${id} is ${type}, and only exports have a file`, {
        status: 404,
        detail: 'no export',
      });
    }
    const link = fileName.includes('/') ? fileName : `${encodeURIComponent(id)}.csv`;
    const url = this.resolve(link, new URL(`${this.#uris.activities}/`));
    const file = await this.getExport(url, id, /^application\/(?:[\w.-]+\+)?json\b/i, options);
    return { ...file, fileName: safeFileName(`${id}.csv`) };
  }

  protected fault(response: HttpResponse, what: string): Promise<ServiceError> {
    return decodeFault(response, what, (text) => this.redact(text), this.clock.now());
  }

  #take<T extends { readonly id: string }>(decoded: Decoded<T>, warn = this.warn): T {
    const { id } = decoded.record;
    for (const problem of decoded.problems) {
      warn({ code: 'RECORD_DOUBTFUL', message: this.redact(`${id}: ${problem}`) });
    }
    for (const warning of decoded.warnings) {
      warn({ code: 'SERVICE_WARNING', message: this.redact(`${id}: the service warns: ${warning}`) });
    }
    return decoded.record;
  }
}

/** In JSON the country stands where a code does. */
function hasCountryName(request: V2Upload): boolean {
  if (request.operation !== 'addcontacts') return false;
  const index = request.table.columns.findIndex(({ property }) => property === 'country');
  return index >= 0 && request.table.rows.some((row) => (row[index] ?? '').trim().length > 2);
}

const SYSTEM: readonly ContactList[] = (Object.keys(V2_SYSTEM_LISTS) as (keyof typeof V2_SYSTEM_LISTS)[]).map(
  (id) => ({ ...systemList(id), shortName: undefined }),
);

/** By creation; of the same moment, by id, in which newer ones are greater. Those without a time come last. */
function newestFirst(a: Activity, b: Activity): number {
  const difference = (b.insertTime?.getTime() ?? -Infinity) - (a.insertTime?.getTime() ?? -Infinity);
  return Number.isNaN(difference) || difference === 0 ? (a.id < b.id ? 1 : -1) : difference;
}

function filters(options: V2ListOptions | undefined): Record<string, string> {
  const { status, type } = options ?? {};
  checkFilter('status', status, ['ALL', ...V2_STATUSES]);
  checkFilter('type', type, [...new Set(Object.values(V2_TYPES))]);
  return { ...(status !== undefined && { status }), ...(type !== undefined && { type }) };
}

function checkFilter(field: string, value: string | undefined, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw new UsageError('OPTION_INVALID', `${field}: must be one of ${allowed.join(', ')}, got "${value}"`);
}
