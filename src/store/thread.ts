import { CtctError, DecodeError, UnsupportedError, UsageError, type ErrorCode } from '../activity/errors.js';
import type { StoreOptions } from './sqlite.js';
import { startWorker } from '../worker.js';
import type { Job, JournalRecord, Store } from './store.js';

/** What the thread of a store is asked: to call a method, or for more of what one gives piece by piece. */
export type ToStore = { readonly id: number } & (
  | {
      readonly ask: 'call' | 'iterate';
      readonly facet: Facet;
      readonly method: string;
      readonly args: readonly unknown[];
    }
  | { readonly ask: 'next' | 'return'; readonly iteration: number }
  | { readonly ask: 'close' }
);

/** What it answers. */
export type FromStore =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: ToldError };

/** What is told once, when the store is open, or cannot be opened. */
export type Opened = { readonly opened: true } | { readonly opened: false; readonly error: ToldError };

/** Which store, and how it is opened. */
export interface StorePlace {
  readonly path: string;
  readonly options: StoreOptions;
}

export type Facet = 'journal' | 'queue' | 'buckets' | 'values' | 'records';

/** An error as it comes from one thread to another: its class is lost on the way. */
export interface ToldError {
  readonly name: string;
  readonly code: string | undefined;
  readonly message: string;
}

export function tellError(error: unknown): ToldError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { name, code: error instanceof CtctError ? error.code : undefined, message };
}

function errorOf({ name, code, message }: ToldError): Error {
  if (code === undefined) return Object.assign(new Error(message), { name });
  if (name === 'DecodeError') return new DecodeError(code as ErrorCode, message);
  if (name === 'UnsupportedError') return new UnsupportedError(message);
  return new UsageError(code as ErrorCode, message);
}

interface Asked {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** The way to whoever serves a store by `serveStore`. */
export interface StoreLink {
  postMessage(message: ToStore): void;
  on(event: 'message', listener: (message: FromStore | Opened) => void): unknown;
  /** The process lives on while somebody waits for an answer, and not for this alone. */
  ref(): void;
  unref(): void;
  /** Ends whoever serves. */
  end(): Promise<unknown>;
  /** Resolves when it has ended by itself: why. */
  readonly failed: Promise<string>;
}

/** A store in a thread of its own, where the disk is waited for. `workerData` is what `serveStore` is given. */
export function threadedStore(workerData: StorePlace, lockRun: Store['lockRun']): Promise<Store> {
  const worker = startWorker('thread-entry', import.meta.url, { workerData });
  const failed = new Promise<string>((resolve) => {
    worker.on('error', (error) => {
      resolve(error.message);
    });
    worker.once('exit', (code) => {
      resolve(`it ended with code ${code}`);
    });
  });
  const link: StoreLink = {
    postMessage: (message) => {
      worker.postMessage(message);
    },
    on: (event, listener) => worker.on(event, listener),
    ref: () => {
      worker.ref();
    },
    unref: () => {
      worker.unref();
    },
    end: () => worker.terminate(),
    failed,
  };
  return storeBehind(link, lockRun);
}

/**
 * The store at the other end, once it is open. Calls have their effects in the order in which they are made.
 * @throws what `openStore` throws there
 */
export async function storeBehind(link: StoreLink, lockRun: Store['lockRun']): Promise<Store> {
  const asked = new Map<number, Asked>();
  let last = 0;
  let ended: Error | undefined;

  const ask = (message: DistributiveOmit<ToStore, 'id'>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (ended !== undefined) throw ended;
      const id = ++last;
      try {
        link.postMessage({ ...message, id });
      } catch (error) {
        throw new UsageError('OPTION_INVALID', 'a value must be one that JSON can say', { cause: error });
      }
      asked.set(id, { resolve, reject });
      link.ref();
    });

  await new Promise<void>((resolve, reject) => {
    link.on('message', (message) => {
      if ('opened' in message) {
        if (message.opened) resolve();
        else reject(errorOf(message.error));
        return;
      }
      const waiting = asked.get(message.id);
      asked.delete(message.id);
      if (asked.size === 0) link.unref();
      if ('error' in message) waiting?.reject(errorOf(message.error));
      else waiting?.resolve(message.result);
    });
    void link.failed.then((reason) => {
      ended ??= new UsageError('FILE_UNWRITABLE', `the thread of the store has ended: ${reason}`);
      reject(ended);
      for (const one of asked.values()) one.reject(ended);
      asked.clear();
    });
  });
  link.unref();

  const call =
    <T>(facet: Facet, method: string) =>
    (...args: readonly unknown[]) =>
      ask({ ask: 'call', facet, method, args }) as Promise<T>;

  async function* iterate<T>(
    facet: Facet,
    method: string,
    args: readonly unknown[],
  ): AsyncGenerator<T, void> {
    const iteration = (await ask({ ask: 'iterate', facet, method, args })) as number;
    let done = false;
    try {
      while (!done) {
        const page = (await ask({ ask: 'next', iteration })) as {
          readonly items: readonly T[];
          readonly done: boolean;
        };
        done = page.done;
        yield* page.items;
      }
    } finally {
      if (!done && ended === undefined) await ask({ ask: 'return', iteration });
    }
  }

  return {
    journal: {
      append: call('journal', 'append'),
      read: (...args) => iterate<JournalRecord>('journal', 'read', args),
    },
    queue: {
      enqueue: call('queue', 'enqueue'),
      claim: call('queue', 'claim'),
      heartbeat: call('queue', 'heartbeat'),
      complete: call('queue', 'complete'),
      fail: call('queue', 'fail'),
      release: call('queue', 'release'),
      jobs: (...args) => iterate<Job>('queue', 'jobs', args),
    },
    buckets: { take: call('buckets', 'take') },
    values: { get: call('values', 'get'), set: call('values', 'set') },
    records: { get: call('records', 'get'), list: call('records', 'list'), write: call('records', 'write') },
    lockRun,
    async close() {
      if (ended !== undefined) return;
      const closed = ask({ ask: 'close' });
      ended = new UsageError('OPTION_INVALID', 'the store is closed');
      await closed;
      await link.end();
    },
  };
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
