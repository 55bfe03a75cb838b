import type { Store } from '../../src/store/store.js';

/** At which write, from 1, and whether that one is done still. */
export interface Crash {
  readonly at: number;
  readonly when: 'before' | 'after';
}

/** A store that fails at one write, and at everything after it, as for a process that is no more. */
export function crashingStore(
  store: Store,
  { at, when }: Crash,
): { readonly store: Store; hasCrashed(): boolean } {
  let writes = 0;
  let crashed = false;
  const died = () => new Error('crash');

  function write<A extends unknown[], T>(act: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
    return async (...args) => {
      if (crashed) throw died();
      writes++;
      if (writes !== at) return act(...args);
      crashed = true;
      if (when === 'after') await act(...args);
      throw died();
    };
  }

  const { journal, queue, buckets, values } = store;
  return {
    hasCrashed: () => crashed,
    store: {
      ...store,
      journal: { ...journal, append: write((...args) => journal.append(...args)) },
      queue: {
        ...queue,
        enqueue: write((...args) => queue.enqueue(...args)),
        claim: write((...args) => queue.claim(...args)),
        heartbeat: write((...args) => queue.heartbeat(...args)),
        complete: write((...args) => queue.complete(...args)),
        fail: write((...args) => queue.fail(...args)),
        release: write((...args) => queue.release(...args)),
      },
      buckets: { take: write((...args) => buckets.take(...args)) },
      values: { ...values, set: write((...args) => values.set(...args)) },
    },
  };
}
