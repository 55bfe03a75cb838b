import type { Activity } from './activity.js';
import type { ContactList } from './list.js';
import type { ActivityRequest } from './request.js';

/** Options of every call. */
export interface CallOptions {
  /** Aborts the call; the promise then rejects with a TransportError `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of what is read page by page. */
export interface ListOptions extends CallOptions {
  /** Begins behind the item with this id, as the next page does. Rejects with ServiceError `NOT_FOUND` where none has it. */
  readonly after?: string | undefined;
}

/** Where a file that was read in part is gone on with. */
export interface ResumeAt {
  /** Bytes that are there already, counted from the start of the file; 1 or more. */
  readonly offset: number;
  /** What the `Download` they came from had as its `validator`. */
  readonly validator: string;
}

/** Options of a download. */
export interface DownloadOptions extends CallOptions {
  /**
   * Asks for the rest of a file. It is only a wish: an implementation may not know how, and the file may have changed
   * since. The `offset` of the `Download` tells.
   */
  readonly resume?: ResumeAt | undefined;
}

/** The file of a finished export. `body` may be read once; whoever does not read it to its end calls `cancel`. */
export interface Download {
  /** A bare name such as `a07e1gpfcd3fhysynnp.csv`: made from the activity's id, never a path. */
  readonly fileName: string;
  readonly contentType: string | undefined;
  /** Bytes of the whole file, where the service says how many. */
  readonly length: number | undefined;
  /** Where in the file `body` begins: at the offset asked for by `resume`, or, absent or 0, at the start. */
  readonly offset?: number | undefined;
  /**
   * Changes whenever a byte of the file does, as a strong entity tag in quotes or an HTTP date; absent where the file
   * cannot be gone on with.
   */
  readonly validator?: string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** Lets go of the connection, when the body is not read to its end. */
  cancel(): Promise<void>;
}

/**
 * The port: whatever holds an account's bulk activities implements it, whatever serves or uses them takes one.
 * Every method rejects with an error of the `CtctError` family and no other.
 */
export interface ActivityService {
  /**
   * The activity that was created; the service may tell no more of it than its id.
   * @throws UsageError before anything is sent, when the request cannot be meant.
   */
  create(request: ActivityRequest, options?: CallOptions): Promise<Activity>;

  /** The activity of that id. @throws ServiceError `NOT_FOUND` when there is none. */
  get(id: string, options?: CallOptions): Promise<Activity>;

  /** All activities the service still remembers, the newest first, read page by page as they are asked for. */
  list(options?: ListOptions): AsyncIterable<Activity>;

  /**
   * The file that an export activity made. An `Activity` is taken at its word; of an id, the activity is read first.
   * @throws ServiceError `NOT_FOUND` when the activity has no file, or not yet.
   */
  download(activity: string | Activity, options?: DownloadOptions): Promise<Download>;

  /** The account's contact lists, the system lists first. */
  lists(options?: ListOptions): AsyncIterable<ContactList>;
}
