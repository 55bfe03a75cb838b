import { startWorker } from '../worker.js';
import type { FromWorker, ToWorker } from './parallel-job.js';
import { serveTasks } from './parallel-serve.js';

/** The main thread's end of the channel to a worker. */
export interface WorkerLink {
  post(message: ToWorker): void;
  /** Lets the worker finish, and waits for that. */
  end(): Promise<unknown>;
  /** Ends the worker whatever it is at. */
  kill(): Promise<unknown>;
}

/** Starts a worker. `onFailure` is told when it ends without having been asked to. */
export type StartWorker = (
  onMessage: (message: FromWorker) => void,
  onFailure: (error: unknown) => void,
) => WorkerLink;

export const startThread: StartWorker = (onMessage, onFailure) => {
  const worker = startWorker('parallel-worker', import.meta.url);
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', (code) => {
      onFailure(new Error(`a worker thread ended with code ${code}`));
      resolve();
    });
  });
  worker.on('message', onMessage);
  worker.on('error', onFailure);
  worker.on('messageerror', onFailure);
  return {
    post: (message) => {
      worker.postMessage(message);
    },
    end() {
      worker.postMessage({ kind: 'end' } satisfies ToWorker);
      return ended;
    },
    kill: () => worker.terminate(),
  };
};

/** A worker in this thread, that works whenever the others leave it the time. */
export const startHere: StartWorker = (onMessage) => {
  let take: (message: ToWorker) => void = () => undefined;
  serveTasks({
    // As between threads, what is told is heard later.
    postMessage: (message) => {
      queueMicrotask(() => {
        onMessage(message);
      });
    },
    on: (_event, listener) => {
      take = listener;
    },
    close: () => undefined,
  });
  const post = (message: ToWorker) => {
    queueMicrotask(() => {
      take(message);
    });
  };
  const end = () => {
    post({ kind: 'end' });
    return Promise.resolve();
  };
  return { post, end, kill: end };
};
