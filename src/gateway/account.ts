import type { Activity } from '../activity/activity.js';
import { CtctError, DecodeError, ServiceError, TransportError, UsageError } from '../activity/errors.js';
import type { ContactList } from '../activity/list.js';
import {
  checkRequest,
  type ActivityRequest,
  type CheckedRequest,
  type Contacts,
} from '../activity/request.js';
import type { CallOptions, Download, DownloadOptions, ListOptions } from '../activity/service.js';
import { unlessAborted } from '../http/abort.js';
import type { WsAccount } from '../ws/call.js';
import type { GatewayUser } from './accounts.js';
import { unexpected, type Engine } from './engine.js';
import { activityOf, type KeptActivity, type Order } from './kept.js';
import { noActivity } from './ledger.js';
import { readUpload, type ReadUpload } from './upload-in.js';
import { codeOf, meaningOf } from './upstream.js';

export interface AccountOptions {
  /** Whether what cannot be sent now is taken all the same. */
  readonly queueWhenDown: boolean;
  /** Activities of the account that may go on at once. */
  readonly mostOpen: number;
  /** Bytes of uploads of all accounts that may wait on the disk. */
  readonly mostBytes: number;
  /** Whether the gateway is about to end. */
  readonly closing: () => boolean;
  /** Told of each activity that was taken. */
  readonly accepted: (kept: KeptActivity) => void;
}

/** Milliseconds that a client waits for the lists of v2, where the gateway does not know them. */
const LISTS_WITHIN = 10_000;
/** Seconds after which a client may try again, where nobody knows better. */
const RETRY_AFTER = 30;

/**
 * An account as the old client sees it. What it asks for is taken and done later; what it looks at is answered from what
 * the gateway remembers. Ids, times and files are the gateway's own.
 */
export class GatewayAccount implements WsAccount {
  readonly #engine: Engine;
  readonly #options: AccountOptions;
  #account: GatewayUser;

  constructor(account: GatewayUser, engine: Engine, options: AccountOptions) {
    this.#account = account;
    this.#engine = engine;
    this.#options = options;
  }

  /** As it is configured now. */
  set account(account: GatewayUser) {
    this.#account = account;
  }

  get user(): string {
    return this.#account.user;
  }

  get activitiesVersion(): number {
    return this.#engine.ledger.version(this.user);
  }

  /**
   * The activity, PENDING, once it cannot be lost any more.
   * @throws UsageError when the request cannot be meant, or the upload has no addresses.
   * @throws ServiceError 400 for a list that does not exist; 503 where it cannot be taken now, with the seconds to wait.
   * @throws TransportError `ABORTED`.
   */
  async create(request: ActivityRequest, options?: CallOptions): Promise<Activity> {
    refuseIfAborted(options);
    const { tell } = this.#engine;
    try {
      return await this.#create(checkRequest(request), options);
    } catch (error) {
      const status = error instanceof ServiceError ? error.status : undefined;
      tell({ event: 'refused', user: this.user, code: codeOf(error), status });
      throw error;
    }
  }

  async #create(checked: CheckedRequest, options: CallOptions | undefined): Promise<Activity> {
    const { ledger, clock, tell } = this.#engine;
    this.#refuseIfFull();
    await this.#checkLists(checked, options);
    const upload = 'contacts' in checked ? await this.#read(checked.contacts, options) : undefined;
    try {
      const id = ledger.nextId();
      const order = orderOf(checked, id, upload);
      const now = clock.now();
      const kept: KeptActivity = {
        id,
        user: this.user,
        type: typeOf(checked, upload),
        accepted: now,
        updated: now,
        order,
        parts: [{}],
        warnings: upload?.warnings ?? [],
      };
      const bytes = await this.#atHome(() => this.#keep(kept, upload));
      const { type, user, warnings } = kept;
      tell({ event: 'accepted', user, activity: id, type, bytes });
      if (warnings.length > 0) tell({ event: 'warned', user, activity: id, warnings });
      this.#options.accepted(kept);
      return activityOf(kept);
    } finally {
      await upload?.file.close();
    }
  }

  /** The bytes of the upload, once all is on the disk. */
  async #keep(kept: KeptActivity, upload: ReadUpload | undefined): Promise<number> {
    const { ledger, uploads } = this.#engine;
    const { order } = kept;
    if (upload === undefined || !('upload' in order)) {
      await ledger.accept(kept);
      return 0;
    }
    const bytes = await uploads.keep(order.upload, upload.file.open());
    try {
      await ledger.accept(kept);
    } catch (error) {
      // It may be written all the same. What is needless then, goes when the gateway begins anew.
      if (await ledger.isUnknown(kept)) await uploads.remove(order.upload);
      throw error;
    }
    return bytes;
  }

  async get(id: string, options?: CallOptions): Promise<Activity> {
    refuseIfAborted(options);
    const activity = await this.#atHome(() => this.#engine.ledger.activity(this.user, id));
    if (activity === undefined) throw noActivity(id);
    return activity;
  }

  /** The newest first. @throws ServiceError `NOT_FOUND` for an `after` that is none. */
  async *list({ after, signal }: ListOptions = {}): AsyncGenerator<Activity, void> {
    refuseIfAborted({ signal });
    if (after !== undefined) await this.get(after);
    yield* this.#engine.ledger.activities(this.user, after);
  }

  async download(activity: string | Activity, options?: DownloadOptions): Promise<Download> {
    const id = typeof activity === 'string' ? activity : activity.id;
    const kept = await this.#atHome(() => this.#engine.ledger.get(this.user, id));
    const file = kept?.ended?.file;
    const download =
      file === undefined ? undefined : await this.#atHome(() => this.#engine.files.download(file, options));
    if (download !== undefined) return download;
    const detail = `activity ${id.slice(0, 100)} has no file, or not yet, or no longer`;
    throw new ServiceError('NOT_FOUND', detail, { status: 404, detail });
  }

  async *lists(options?: ListOptions): AsyncGenerator<ContactList, void> {
    try {
      yield* this.#engine.lists(this.#account).all(options);
    } catch (error) {
      throw this.#unavailable(error);
    }
  }

  /** In pieces, so that a large upload keeps nobody waiting. */
  #read(contacts: Contacts, options: CallOptions | undefined): Promise<ReadUpload> {
    const { pace } = this.#engine;
    // A form is text already.
    if ('text' in contacts) {
      const { text, fileName } = contacts;
      return readUpload({ bytes: Buffer.from(text), fileName }, { ...options, pace });
    }
    return readUpload(contacts, { ...options, encoding: this.#account.encoding, pace });
  }

  #refuseIfFull(): void {
    const { closing, mostOpen, mostBytes, queueWhenDown } = this.#options;
    if (closing()) throw later('The gateway is about to be started anew', 5);
    if (this.#engine.ledger.openOf(this.user) >= mostOpen) {
      throw later(`There are ${mostOpen} activities that go on; wait for some of them`, RETRY_AFTER);
    }
    if (this.#engine.uploads.bytes >= mostBytes) {
      throw later('The uploads that wait take all the room that there is for them', RETRY_AFTER);
    }
    const refusal = queueWhenDown ? undefined : this.#engine.upstream(this.#account).refusal();
    if (refusal === undefined) return;
    const seconds = Math.max(1, Math.ceil((refusal.until - this.#engine.steady.now()) / 1000));
    throw later(
      refusal.code === 'RATE_LIMITED'
        ? 'The calls of this day are used up'
        : 'The service behind this gateway does not answer',
      seconds,
    );
  }

  /** Where v2 cannot be asked, what is known must do; when nothing is, the request is judged when it is sent. */
  async #checkLists(checked: CheckedRequest, options: CallOptions | undefined): Promise<void> {
    const lists = checked.activityType === 'EXPORT_CONTACTS' ? [checked.listId] : checked.lists;
    const soon = new AbortController();
    const signal =
      options?.signal === undefined ? soon.signal : AbortSignal.any([options.signal, soon.signal]);
    const waited = this.#engine.clock.sleep(LISTS_WITHIN, soon.signal).then(
      () => {
        soon.abort();
      },
      () => undefined,
    );
    try {
      await unlessAborted(
        signal,
        () => this.#engine.lists(this.#account).toV2(lists, checked.activityType),
        () => new TransportError('TIMED_OUT', 'the lists were not told in time', { sent: 'no' }),
      );
    } catch (error) {
      const wrong = error instanceof UsageError && meaningOf(error) === 'final';
      if (wrong || (error instanceof ServiceError && error.status === 400)) throw error;
      if (!this.#options.queueWhenDown) throw this.#unavailable(error);
    } finally {
      soon.abort();
      await waited;
    }
  }

  /** What the gateway's own disk refuses is no fault of the request; those who run it are told why. */
  async #atHome<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof DecodeError)) throw error;
      throw this.#homeTrouble(error);
    }
  }

  #homeTrouble(error: unknown): ServiceError {
    unexpected(this.#engine, error);
    return later('The gateway cannot keep or read its records now', RETRY_AFTER, error);
  }

  /** What v2 fails with, in the old form; its refusals are none of the client's business. */
  #unavailable(error: unknown): unknown {
    if (!(error instanceof CtctError) || (error instanceof ServiceError && error.code === 'NOT_FOUND'))
      return error;
    if (error instanceof UsageError) return this.#homeTrouble(error);
    const passing = meaningOf(error) !== 'final' && error.code !== 'UNAUTHORIZED';
    const text = passing
      ? 'The service behind this gateway does not answer'
      : 'The service behind this gateway refuses to answer for this account';
    return later(text, RETRY_AFTER);
  }
}

/** @throws TransportError `ABORTED`. */
function refuseIfAborted(options: CallOptions | undefined): void {
  if (options?.signal?.aborted !== true) return;
  throw new TransportError('ABORTED', 'the call was aborted', { sent: 'no', cause: options.signal.reason });
}

function later(text: string, retryAfter: number, cause?: unknown): ServiceError {
  const detail = `${text}; try again in ${retryAfter} seconds`;
  return new ServiceError('SERVICE_FAILED', detail, { status: 503, detail, retryAfter, cause });
}

function orderOf(checked: CheckedRequest, id: string, upload: ReadUpload | undefined): Order {
  switch (checked.activityType) {
    case 'EXPORT_CONTACTS':
      return { kind: 'export', request: checked };
    case 'CLEAR_CONTACTS_FROM_LISTS':
      return { kind: 'clear', lists: checked.lists };
    default: {
      const kind = checked.activityType === 'REMOVE_CONTACTS_FROM_LISTS' ? 'remove' : 'add';
      return { kind, lists: checked.lists, upload: `${id}.csv`, fileName: upload?.fileName };
    }
  }
}

/** What the service stored: an add is told by its columns, whichever of the three types was asked for. */
function typeOf({ activityType }: CheckedRequest, upload: ReadUpload | undefined): KeptActivity['type'] {
  const kept = ['REMOVE_CONTACTS_FROM_LISTS', 'CLEAR_CONTACTS_FROM_LISTS', 'EXPORT_CONTACTS'] as const;
  const same = kept.find((type) => type === activityType);
  return same ?? (upload?.hasDetails === true ? 'ADD_CONTACT_DETAIL' : 'ADD_CONTACTS');
}
