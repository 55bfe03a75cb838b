import type { Activity, ActivityError } from '../activity/activity.js';
import { ServiceError, TransportError } from '../activity/errors.js';
import { isSystemList, SYSTEM_LISTS, type ContactList } from '../activity/list.js';
import { checkRequest, type ActivityRequest, type CheckedRequest } from '../activity/request.js';
import type { ActivityService, CallOptions, Download } from '../activity/service.js';
import { systemClock, type Clock } from '../clock.js';
import { readCsv } from '../format/csv.js';
import type { Credentials } from '../http/credentials.js';
import { openContactFile } from '../upload/contact-file.js';
import { ContactBook } from './contacts.js';
import { ExportFile, exportTable, type ExportRequest, type ListColumn } from './export-file.js';
import { activityAt, JobQueue, type Job, type Latency, type Outcome } from './jobs.js';
import { seededRandom } from './random.js';
import { readUpload, type Upload } from './rows.js';
import { checkSeed, DEFAULT_LISTS, plantContacts, type AccountSeed } from './seed.js';

export interface AccountOptions {
  /** Default: the machine's own clock. */
  readonly clock?: Clock | undefined;
  /** Decides ids and latencies; default 1. The same seed, user, clock and calls give the same records. */
  readonly seed?: number | undefined;
  readonly latency?: Latency | undefined;
}

type NamedList = ContactList & { readonly shortName: string };

type UploadRequest = Extract<CheckedRequest, { contacts: unknown }>;

/** Every job was asked for through the API, and so exports say of its effects. */
const BY = 'API';

/** The system lists that the service gives a URI. */
const SERVED = ['active', 'do-not-mail', 'removed'] as const;

const CHUNK = 65_536;

/**
 * An account of the service, in memory: its lists, its contacts, its activities. Uploads change memberships when their
 * job has run; an activity's status follows the clock.
 *
 * Records hold no URI, since an account does not know where it is served: `fileName` is undefined until the activity is
 * finished, then the bare name `a07e….csv` for an export and empty for the rest; `editMedia` is undefined and `title`
 * empty. Whoever serves the account makes URIs of them.
 */
export class EmulatedAccount implements ActivityService {
  readonly user: string;
  readonly #seed: AccountSeed;
  readonly #jobs: JobQueue;
  readonly #contacts = new ContactBook();
  readonly #lists = new Map<string, NamedList>();

  /** @throws UsageError when the seed or the latency cannot be meant. */
  constructor(seed: AccountSeed, options: AccountOptions = {}) {
    checkSeed(seed);
    this.user = seed.user;
    this.#seed = seed;
    this.#jobs = new JobQueue({
      clock: options.clock ?? systemClock,
      random: seededRandom(options.seed ?? 1, seed.user.toLowerCase()),
      latency: options.latency,
    });
    const now = this.#jobs.now();
    plantContacts(this.#contacts, seed, { date: now, by: BY });
    (seed.lists ?? DEFAULT_LISTS).forEach((list, index) => {
      this.#lists.set(list.id, {
        id: list.id,
        name: list.name,
        shortName: list.shortName ?? list.name,
        system: false,
        contactCount: undefined,
        optInDefault: list.optInDefault ?? false,
        displayOnSignup: list.displayOnSignup ?? true,
        sortOrder: list.sortOrder ?? index + 1,
        updated: new Date(now),
      });
    });
  }

  /** True when the credentials are those of the seed; where it names none, any that do not name another user. */
  admits(credentials: Credentials | undefined): boolean {
    if (credentials === undefined) return false;
    const { apiKey, password, accessToken } = this.#seed.credentials ?? {};
    if (credentials.scheme !== 'basic') {
      if (accessToken !== undefined) return credentials.token === accessToken;
      return apiKey === undefined && password === undefined;
    }
    if (credentials.user.toLowerCase() !== this.user.toLowerCase()) return false;
    if (apiKey === undefined && password === undefined) return accessToken === undefined;
    return (
      (apiKey === undefined || credentials.apiKey === apiKey) &&
      (password === undefined || credentials.password === password)
    );
  }

  /**
   * The new activity, PENDING. An add is stored as ADD_CONTACT_DETAIL when the upload has columns beyond the address,
   * else as ADD_CONTACTS, whichever of the three types was asked for.
   * @throws UsageError when the request cannot be meant, or the upload is empty or has no column of addresses.
   * @throws ServiceError `SERVICE_REFUSED`, status 400, for a list that does not exist, a system list where contacts are
   * to be added or removed, and a spreadsheet.
   */
  async create(request: ActivityRequest, options?: CallOptions): Promise<Activity> {
    refuseAborted(options);
    const checked = checkRequest(request);
    const job = 'contacts' in checked ? await this.#upload(checked, options) : this.#order(checked);
    return activityAt(job, -Infinity);
  }

  async get(id: string, options?: CallOptions): Promise<Activity> {
    await Promise.resolve();
    refuseAborted(options);
    const now = this.#jobs.settle();
    const job = this.#jobs.get(id);
    if (job === undefined) throw notFound(`there is no activity ${id.slice(0, 100)}`);
    return activityAt(job, now);
  }

  /** The newest first. Each record is as of the moment it is read; what is created meanwhile is left out. */
  async *list(options?: CallOptions): AsyncGenerator<Activity> {
    await Promise.resolve();
    refuseAborted(options);
    for (const job of this.#jobs.newestFirst()) {
      refuseAborted(options);
      yield activityAt(job, this.#jobs.settle());
    }
  }

  async download(activity: string | Activity, options?: CallOptions): Promise<Download> {
    refuseAborted(options);
    const id = typeof activity === 'string' ? activity : activity.id;
    this.#jobs.settle();
    const job = this.#jobs.get(id);
    const file = job !== undefined && 'outcome' in job.state ? job.state.outcome.file : undefined;
    if (file === undefined) throw notFound(`activity ${id.slice(0, 100)} has no file, or not yet`);
    const bytes = await file.bytes();
    return {
      fileName: file.name,
      contentType: file.contentType,
      length: bytes.length,
      body: copies(bytes),
      cancel: () => Promise.resolve(),
    };
  }

  /** The three system lists that the service serves, then the account's own in the order of the seed. */
  async *lists(options?: CallOptions): AsyncGenerator<ContactList> {
    await Promise.resolve();
    refuseAborted(options);
    for (const id of SERVED) yield systemList(id);
    for (const list of this.#lists.values()) {
      this.#jobs.settle();
      yield { ...list, contactCount: this.#contacts.count(list.id) };
    }
  }

  async #upload(request: UploadRequest, options: CallOptions | undefined): Promise<Job> {
    this.#checkLists(request.lists, request.activityType);
    const file = await openContactFile(request.contacts, options);
    if (file.kind === 'xls') {
      throw refused('spreadsheets (.xls) are not read here; save the sheet as .csv and upload that');
    }
    const adds = request.activityType !== 'REMOVE_CONTACTS_FROM_LISTS';
    const upload = await readUpload(
      readCsv(file.open(), { delimiter: 'auto', lenient: true }),
      adds ? 'add' : 'remove',
    );
    refuseAborted(options);
    if (!adds) {
      return this.#jobs.insert(request.activityType, (time) => this.#remove(upload, request.lists, time));
    }
    return this.#jobs.insert(upload.hasDetails ? 'ADD_CONTACT_DETAIL' : 'ADD_CONTACTS', (time) =>
      this.#add(upload, request.lists, time),
    );
  }

  #order(request: Exclude<CheckedRequest, UploadRequest>): Job {
    if (request.activityType === 'CLEAR_CONTACTS_FROM_LISTS') {
      this.#checkLists(request.lists, request.activityType);
      return this.#jobs.insert(request.activityType, (time) => {
        const count = this.#contacts.clear(request.lists, { date: time, by: BY });
        return { status: 'COMPLETE', transactionCount: count, errors: [] };
      });
    }
    const served: readonly string[] = SERVED;
    if (!served.includes(request.listId)) this.#checkLists([request.listId], request.activityType);
    const job = this.#jobs.insert(request.activityType, () => this.#export(request, job.id));
    return job;
  }

  /** That an upload leaves out who opted out is how the successors of the API do it; the words are not the service's. */
  #add(upload: Upload, lists: readonly string[], date: number): Outcome {
    if (upload.broken !== undefined) return failed(upload.broken);
    const mark = { date, by: BY };
    const optedOut = upload.rows.filter((row) => !this.#contacts.add(row.address, row.values, lists, mark));
    const errors = optedOut.map((row) => ({
      lineNumber: row.line,
      emailAddress: row.address,
      message: 'Contact is on the do-not-mail list',
    }));
    return {
      status: 'COMPLETE',
      transactionCount: upload.rows.length - optedOut.length,
      errors: [...upload.errors, ...errors].sort((a, b) => a.lineNumber - b.lineNumber),
    };
  }

  #remove(upload: Upload, lists: readonly string[], date: number): Outcome {
    if (upload.broken !== undefined) return failed(upload.broken);
    for (const row of upload.rows) this.#contacts.remove(row.address, lists, { date, by: BY });
    return { status: 'COMPLETE', transactionCount: upload.rows.length, errors: upload.errors };
  }

  #export(request: ExportRequest, id: string): Outcome {
    const members = [...this.#contacts.members(request.listId)];
    const table = exportTable(request, members, this.#listColumns(request.listId));
    const file = new ExportFile(id, request.fileType, table);
    return { status: 'COMPLETE', transactionCount: members.length, errors: [], file };
  }

  /** One column for each list of the account in an export of `active`, else one for the list that is exported. */
  #listColumns(exported: string): ListColumn[] {
    if (exported === 'active') {
      return Array.from(this.#lists.values(), ({ id, shortName }) => ({
        shortName,
        has: (contact) => contact.lists.has(id),
      }));
    }
    const list = isSystemList(exported) ? systemList(exported) : this.#lists.get(exported);
    return [{ shortName: list?.shortName ?? exported, has: () => true }];
  }

  #checkLists(lists: readonly string[], activityType: string): void {
    for (const id of lists) {
      if (isSystemList(id)) throw refused(`${activityType} cannot be done on the system list ${id}`);
      if (!this.#lists.has(id)) throw refused(`list ${id} does not exist in the account ${this.user}`);
    }
  }
}

function systemList(id: keyof typeof SYSTEM_LISTS): NamedList {
  return {
    id,
    name: SYSTEM_LISTS[id],
    shortName: SYSTEM_LISTS[id],
    system: true,
    contactCount: undefined,
    optInDefault: undefined,
    displayOnSignup: undefined,
    sortOrder: undefined,
    updated: undefined,
  };
}

/** A file that is no text changes nothing: no part of it is used. */
function failed(error: ActivityError): Outcome {
  return { status: 'ERROR', transactionCount: 0, errors: [error] };
}

/** In pieces of their own, so that no reader can change the file for the next. */
async function* copies(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  for (let start = 0; start < bytes.length; start += CHUNK) {
    yield new Uint8Array(bytes.subarray(start, start + CHUNK));
  }
}

function refuseAborted(options: CallOptions | undefined): void {
  if (options?.signal?.aborted === true) {
    throw new TransportError('ABORTED', 'the call was aborted', { sent: 'no', cause: options.signal.reason });
  }
}

function refused(detail: string): ServiceError {
  return new ServiceError('SERVICE_REFUSED', detail, { status: 400, detail });
}

function notFound(detail: string): ServiceError {
  return new ServiceError('NOT_FOUND', detail, { status: 404, detail });
}
