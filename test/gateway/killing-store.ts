import type { Store } from '../../src/store/store.js';

/** What only reads. */
const READS = new Set(['read', 'get', 'list', 'jobs']);
const FACETS = ['journal', 'queue', 'buckets', 'values', 'records'] as const;

/** The store, and how often it was written to; at the call that `when` names (`before:17`, `after:17`) the process is killed. */
export function killing(store: Store, when = ''): { store: Store; writes: () => number } {
  const [moment, number] = when.split(':');
  let count = 0;
  const die = () => process.kill(process.pid, 'SIGKILL');

  const watched = <T extends object>(facet: T): T =>
    new Proxy(facet, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function' || READS.has(String(name))) return method;
        return (...given: unknown[]): unknown => {
          const now = ++count === Number(number) ? moment : undefined;
          if (now === 'before') die();
          const done: unknown = Reflect.apply(method, target, given);
          if (now !== 'after') return done;
          return Promise.resolve(done).finally(die);
        };
      },
    });

  const facets = Object.fromEntries(FACETS.map((name) => [name, watched(store[name])]));
  const whole = { ...facets, lockRun: (run: string) => store.lockRun(run), close: () => store.close() };
  return { store: whole as unknown as Store, writes: () => count };
}
