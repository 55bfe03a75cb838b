import type { Store } from '../../src/store/store.js';

/** Called around each write to a store: the first is number 1. What it throws, the write throws. */
export type OnStep = (number: number, when: 'before' | 'after') => void | Promise<void>;

/** The store, whose writes are counted. */
export function steppedStore(store: Store, onStep: OnStep): Store {
  let count = 0;
  const step = async <T>(act: () => Promise<T>): Promise<T> => {
    const number = ++count;
    await onStep(number, 'before');
    const result = await act();
    await onStep(number, 'after');
    return result;
  };
  const { journal, queue, buckets, values, records } = store;
  return {
    journal: {
      append: (...given) => step(() => journal.append(...given)),
      read: (...given) => journal.read(...given),
    },
    queue: {
      enqueue: (...given) => step(() => queue.enqueue(...given)),
      claim: (...given) => step(() => queue.claim(...given)),
      heartbeat: (...given) => step(() => queue.heartbeat(...given)),
      complete: (...given) => step(() => queue.complete(...given)),
      fail: (...given) => step(() => queue.fail(...given)),
      release: (...given) => step(() => queue.release(...given)),
      jobs: (...given) => queue.jobs(...given),
    },
    buckets: { take: (...given) => step(() => buckets.take(...given)) },
    values: {
      get: (...given) => values.get(...given),
      set: (...given) => step(() => values.set(...given)),
    },
    records: {
      get: (...given) => records.get(...given),
      list: (...given) => records.list(...given),
      write: (...given) => step(() => records.write(...given)),
    },
    lockRun: (run) => store.lockRun(run),
    close: () => store.close(),
  };
}
