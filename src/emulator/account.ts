import { createHash } from 'node:crypto';
import type { Activity, KnownActivityStatus, KnownActivityType } from '../activity/activity.js';
import { ServiceError, TransportError } from '../activity/errors.js';
import { isSystemList, systemList, type ContactList } from '../activity/list.js';
import { checkRequest, type ActivityRequest, type CheckedRequest } from '../activity/request.js';
import type {
  ActivityService,
  CallOptions,
  Download,
  DownloadOptions,
  ListOptions,
} from '../activity/service.js';
import { systemClock, type Clock } from '../clock.js';
import { readCsv } from '../format/csv.js';
import type { PresentedCredentials } from '../http/presented.js';
import { openContactFile } from '../upload/contact-file.js';
import { checkState, STATE_VERSION, unusable, type AccountState } from './account-state.js';
import { admits } from './admission.js';
import { ContactBook } from './contacts.js';
import { EmulatedDirectory } from './directory.js';
import { activityAt, transitionsAt, type Job, type Transition } from './job.js';
import { JobQueue, type JobOrder } from './jobs.js';
import type { JobsState } from './jobs-state.js';
import type { Latency } from './latency.js';
import { ListBook, SERVED_LISTS } from './lists.js';
import { OutcomeRules } from './outcomes.js';
import { seededRandom } from './random.js';
import { readUpload } from './rows.js';
import { checkSeed, plantContacts, type AccountSeed, type CredentialsSeed } from './seed.js';
import { BY_API, perform, type Holdings, type Work } from './work.js';

export interface AccountOptions {
  /** Default: the machine's own clock. */
  readonly clock?: Clock | undefined;
  /** Decides ids and latencies; default 1. The same seed, user, clock and calls give the same records. */
  readonly seed?: number | undefined;
  readonly latency?: Latency | undefined;
  /** Default `loose`. */
  readonly order?: JobOrder | undefined;
}

/** Options of a call to an emulated account. */
export interface EmulatedCallOptions extends CallOptions {
  /** By whose rules the rows of an upload are checked. Default ws. */
  readonly dialect?: 'ws' | 'v2' | undefined;
}

type UploadRequest = Extract<CheckedRequest, { contacts: unknown }>;

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
  /** Its lists and contacts, one at a time. */
  readonly directory = new EmulatedDirectory(this);
  /** What becomes of jobs, where it is to be something else than usual. */
  readonly outcomes: Pick<OutcomeRules, 'add' | 'list' | 'remove' | 'clear'>;
  readonly #seed: AccountSeed;
  readonly #options: AccountOptions;
  readonly #outcomes: OutcomeRules;
  #holdings: Holdings;
  #jobs: JobQueue;

  /** @throws UsageError when the seed or the latency cannot be meant. */
  constructor(seed: AccountSeed, options: AccountOptions = {}) {
    checkSeed(seed);
    this.user = seed.user;
    this.#seed = seed;
    this.#options = options;
    this.#outcomes = this.outcomes = new OutcomeRules();
    this.#jobs = this.#queue();
    this.#holdings = this.#plant();
  }

  /** Brings everything back to what the seed says: no activities, ids from the beginning, the seed's outcomes only. */
  reset(): void {
    this.#jobs = this.#queue();
    this.#holdings = this.#plant();
  }

  /** All there is, the seed and its credentials aside, as plain data for `restore`: it may be kept as JSON. */
  snapshot(): AccountState {
    const jobs = this.#jobs.state();
    const { lists, contacts } = this.#holdings;
    return {
      version: STATE_VERSION,
      user: this.user,
      lists: lists.state(),
      contacts: contacts.state(),
      jobs,
      outcomes: this.#outcomes.list(),
    };
  }

  /**
   * Brings back what `snapshot` gave, be it in another process. What became due in the meantime is done.
   * @throws UsageError `CONFIG_INVALID`, and changes nothing, when it is of another version or user, or damaged.
   */
  restore(state: AccountState): void {
    this.prepareRestore(state)();
  }

  /** What does as `restore`, once nothing can go wrong any more. @throws UsageError as `restore`. */
  prepareRestore(state: AccountState): () => void {
    checkState(state, this.user);
    try {
      const holdings = { lists: new ListBook(state.lists), contacts: new ContactBook(state.contacts) };
      const jobs = this.#queue(state.jobs);
      new OutcomeRules().restore(state.outcomes);
      return () => {
        this.#outcomes.restore(state.outcomes);
        this.#holdings = holdings;
        this.#jobs = jobs;
      };
    } catch (error) {
      throw unusable(`the state of ${this.user} is damaged`, error);
    }
  }

  #queue(state?: JobsState): JobQueue {
    const { clock = systemClock, seed = 1, latency, order } = this.#options;
    const random = seededRandom(seed, this.user.toLowerCase());
    return new JobQueue(
      { clock, random, latency, order, perform: (job, work) => perform(this.#holdings, job, work) },
      state,
    );
  }

  #plant(): Holdings {
    const now = this.#jobs.now();
    const contacts = new ContactBook();
    plantContacts(contacts, this.#seed, { date: now, by: BY_API });
    this.#outcomes.clear();
    for (const rule of this.#seed.outcomes ?? []) this.#outcomes.add(rule);
    return { contacts, lists: ListBook.planted(this.#seed.lists, now) };
  }

  /** What must be presented, as far as the seed says. */
  get credentials(): CredentialsSeed {
    return this.#seed.credentials ?? {};
  }

  /** True when the credentials are those of the seed; where it names none, any that do not name another user. */
  admits(credentials: PresentedCredentials | undefined): boolean {
    return admits(this.#seed, credentials);
  }

  /** Milliseconds since 1970, by the clock of the account. */
  now(): number {
    return this.#jobs.now();
  }

  /**
   * The lists and contacts as they are by now, to be read and changed. Ask anew each time.
   * @internal
   */
  get holdings(): Holdings {
    this.#jobs.settle();
    return this.#holdings;
  }

  /** Changes whenever one of its activities does, be it by the clock. */
  get activitiesVersion(): number {
    return this.#jobs.version();
  }

  /** How many activities there are. */
  get activityCount(): number {
    return this.#jobs.size;
  }

  /**
   * The new activity, PENDING, or UNCONFIRMED where a rule says so. An add is stored as ADD_CONTACT_DETAIL when the upload
   * has columns beyond the address, else as ADD_CONTACTS, whichever of the three types was asked for.
   * @throws UsageError when the request cannot be meant, or the upload is empty or has no column of addresses.
   * @throws ServiceError `SERVICE_REFUSED`, status 400, for a list that does not exist, a system list where contacts are
   * to be added or removed, and a spreadsheet.
   */
  async create(request: ActivityRequest, options?: EmulatedCallOptions): Promise<Activity> {
    refuseAborted(options);
    const checked = checkRequest(request);
    const work = 'contacts' in checked ? await this.#upload(checked, options) : this.#order(checked);
    const type = typeOf(checked.activityType, work);
    const lists = work.kind === 'export' ? [work.request.listId] : work.lists;
    const planned = this.#outcomes.take({ types: [checked.activityType, type], lists });
    return activityAt(this.#jobs.insert(type, work, planned), -Infinity);
  }

  async get(id: string, options?: CallOptions): Promise<Activity> {
    await Promise.resolve();
    refuseAborted(options);
    const now = this.#jobs.settle();
    return activityAt(this.#job(id), now);
  }

  /**
   * Brings an activity into a status now, whatever a rule or the clock say; from there it goes on by itself. So it
   * confirms one that is UNCONFIRMED (`PENDING`), releases one that is stuck (the status it is in, or a later one), and
   * ends one (`COMPLETE` does its work, `ERROR` does not).
   * @throws ServiceError `NOT_FOUND`; UsageError `OPTION_INVALID` for a status that it has left behind.
   */
  transition(id: string, to: KnownActivityStatus): Activity {
    this.#jobs.transition(id, to);
    return activityAt(this.#job(id), this.#jobs.settle());
  }

  /** The statuses an activity came through by now, each once, and when. @throws ServiceError `NOT_FOUND` */
  transitions(id: string): readonly Transition[] {
    const now = this.#jobs.settle();
    return transitionsAt(this.#job(id), now);
  }

  /** The newest first. Each record is as of the moment it is read; what is created meanwhile is left out. */
  async *list(options?: ListOptions): AsyncGenerator<Activity> {
    await Promise.resolve();
    refuseAborted(options);
    const after = options?.after === undefined ? undefined : this.#job(options.after);
    for (const job of this.#jobs.newestFirst(after)) {
      refuseAborted(options);
      yield activityAt(job, this.#jobs.settle());
    }
  }

  async download(activity: string | Activity, options?: DownloadOptions): Promise<Download> {
    refuseAborted(options);
    const id = typeof activity === 'string' ? activity : activity.id;
    this.#jobs.settle();
    const state = this.#jobs.get(id)?.state;
    const file = state !== undefined && 'outcome' in state ? state.outcome.file : undefined;
    if (file === undefined) throw notFound(`activity ${id.slice(0, 100)} has no file, or not yet`);
    const bytes = await file.bytes();
    const validator = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
    const offset = options?.resume?.validator === validator ? options.resume.offset : 0;
    return {
      fileName: file.name,
      contentType: file.contentType,
      length: bytes.length,
      offset,
      validator,
      body: copies(bytes.subarray(offset)),
      cancel: () => Promise.resolve(),
    };
  }

  /** The three system lists that the service serves, then the account's own in the order they were made. */
  async *lists(options?: ListOptions): AsyncGenerator<ContactList> {
    await Promise.resolve();
    refuseAborted(options);
    const { lists } = this.#holdings;
    const after = options?.after;
    const own = after !== undefined && lists.knew(after);
    const served = SERVED_LISTS.findIndex((id) => id === after);
    if (after !== undefined && !own && served === -1) throw notFound(`there is no list ${after}`);
    if (!own) {
      for (const id of SERVED_LISTS.slice(served + 1)) yield systemList(id);
    }
    for (const list of lists.all(own ? after : undefined))
      yield { ...list, contactCount: this.holdings.contacts.count(list.id) };
  }

  async #upload(request: UploadRequest, options: EmulatedCallOptions | undefined): Promise<Work> {
    this.#checkLists(request.lists, request.activityType);
    const file = await openContactFile(request.contacts, options);
    try {
      if (file.kind === 'xls') {
        throw refused('spreadsheets (.xls) are not read here; save the sheet as .csv and upload that');
      }
      const kind = request.activityType === 'REMOVE_CONTACTS_FROM_LISTS' ? 'remove' : 'add';
      const rows = readCsv(file.open(), { delimiter: 'auto', lenient: true });
      const upload = await readUpload(rows, kind, {
        blanks: request.blanksEnabled === true,
        v2: options?.dialect === 'v2' ? this.now() : undefined,
      });
      refuseAborted(options);
      return { kind, upload, lists: request.lists, fileName: bareName(request.contacts) };
    } finally {
      await file.close();
    }
  }

  #order(request: Exclude<CheckedRequest, UploadRequest>): Work {
    if (request.activityType === 'CLEAR_CONTACTS_FROM_LISTS') {
      this.#checkLists(request.lists, request.activityType);
      return { kind: 'clear', lists: request.lists };
    }
    const served: readonly string[] = SERVED_LISTS;
    if (!served.includes(request.listId)) this.#checkLists([request.listId], request.activityType);
    return { kind: 'export', request };
  }

  #job(id: string): Job {
    const job = this.#jobs.get(id);
    if (job !== undefined) return job;
    throw notFound(`there is no activity ${id.slice(0, 100)}`);
  }

  #checkLists(lists: readonly string[], activityType: string): void {
    for (const id of lists) {
      if (isSystemList(id)) throw refused(`${activityType} cannot be done on the system list ${id}`);
      if (!this.#holdings.lists.has(id))
        throw refused(`list ${id} does not exist in the account ${this.user}`);
    }
  }
}

/** Without the path of the machine it was sent from. */
function bareName(contacts: UploadRequest['contacts']): string | undefined {
  return 'fileName' in contacts ? contacts.fileName?.split(/[\\/]/).at(-1) : undefined;
}

/** What an activity is stored as. */
function typeOf(asked: KnownActivityType, work: Work): KnownActivityType {
  if (work.kind !== 'add') return asked;
  return work.upload.hasDetails ? 'ADD_CONTACT_DETAIL' : 'ADD_CONTACTS';
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
