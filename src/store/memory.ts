import { leaseLost } from './lease.js';
import {
  checkClaim,
  checkEnqueue,
  checkFailure,
  checkName,
  checkRange,
  checkRelease,
  checkWhole,
  MOST_LISTED,
  toJson,
} from './arguments.js';
import { checkTake, EMPTY_BUCKET, takeFrom, type Bucket } from './bucket.js';
import { runBusy } from './run-lock.js';
import type { Buckets, Job, Journal, Queue, Records, Store, Values } from './store.js';
import { UsageError } from '../activity/errors.js';
import type { Lock } from '../http/lock-file.js';

/** What `act` gives, or its error as a rejection. */
type Attempt = <T>(act: () => T) => Promise<T>;

/** A store that ends with the process, for tests: it keeps to the same contract but for the disk. */
export function memoryStore(): Store {
  let open = true;
  const held = new Set<string>();
  const attempt: Attempt = (act) =>
    new Promise((resolve) => {
      if (!open) throw new UsageError('OPTION_INVALID', 'the store is closed');
      resolve(act());
    });
  return {
    journal: memoryJournal(attempt),
    queue: memoryQueue(attempt),
    buckets: memoryBuckets(attempt),
    values: memoryValues(attempt),
    records: memoryRecords(attempt),
    lockRun: (run) => attempt(() => lock(held, run)),
    close() {
      open = false;
      return Promise.resolve();
    },
  };
}

function lock(held: Set<string>, run: string): Lock {
  checkName('run', run);
  if (held.has(run)) throw runBusy(run, 'this process');
  held.add(run);
  let released = false;
  return {
    release() {
      if (!released) held.delete(run);
      released = true;
      return Promise.resolve();
    },
  };
}

function memoryJournal(attempt: Attempt): Journal {
  const runs = new Map<string, string[]>();
  return {
    append: (run, ...records) =>
      attempt(() => {
        checkName('run', run);
        const texts = records.map((record) => toJson('record', record));
        const kept = runs.get(run) ?? [];
        if (texts.length > 0) runs.set(run, kept);
        for (const text of texts) kept.push(text);
        return kept.length;
      }),

    async *read(run, after = 0) {
      checkName('run', run);
      checkWhole('after', after);
      for (let number = after + 1; ; number++) {
        const at = number - 1;
        const text = await attempt(() => runs.get(run)?.[at]);
        if (text === undefined) return;
        yield { number, record: JSON.parse(text) as unknown };
      }
    },
  };
}

interface Entry {
  readonly seq: number;
  readonly id: string;
  readonly key: string;
  readonly body: string;
  state: 'open' | 'done' | 'failed';
  attempts: number;
  reason: string | undefined;
  result: string | undefined;
}

/** A key and its jobs that have not ended; the first is the one that may be leased. */
interface Lane {
  readonly key: string;
  readonly open: Entry[];
  readyAt: number;
  lease: { readonly token: number; readonly worker: string } | undefined;
}

function memoryQueue(attempt: Attempt): Queue {
  const entries: Entry[] = [];
  const ids = new Set<string>();
  const lanes = new Map<string, Lane>();
  let lastToken = 0;

  function held(token: number): { lane: Lane; entry: Entry } {
    checkWhole('token', token, 1);
    for (const lane of lanes.values()) {
      const [entry] = lane.open;
      if (lane.lease?.token === token && entry !== undefined) return { lane, entry };
    }
    throw leaseLost(token);
  }

  function giveBack(lane: Lane, readyAt: number) {
    lane.lease = undefined;
    lane.readyAt = readyAt;
  }

  return {
    enqueue: (key, ...jobs) =>
      attempt(() => {
        checkEnqueue(key, jobs);
        const texts = jobs.map(({ id, body }) => ({ id, body: toJson('body', body) }));
        const lane = lanes.get(key) ?? { key, open: [], readyAt: 0, lease: undefined };
        lanes.set(key, lane);
        if (lane.open.length === 0) lane.readyAt = 0;
        const before = entries.length;
        for (const { id, body } of texts) {
          if (ids.has(id)) continue;
          ids.add(id);
          const entry: Entry = {
            seq: entries.length,
            id,
            key,
            body,
            state: 'open',
            attempts: 0,
            reason: undefined,
            result: undefined,
          };
          entries.push(entry);
          lane.open.push(entry);
        }
        return entries.length - before;
      }),

    claim: (worker, leaseMs, now, { only } = {}) =>
      attempt(() => {
        checkClaim(worker, leaseMs, now, only);
        const order = ({ readyAt, open: [first] }: Lane) => [readyAt, first?.seq ?? -1];
        const [lane] = [...lanes.values()]
          .filter(({ key, open }) => open.length > 0 && (only?.includes(key) ?? true))
          .sort((a, b) => compare(order(a), order(b)));
        const entry = lane?.open[0];
        if (lane === undefined || entry === undefined) return { lease: undefined, readyAt: undefined };
        if (lane.readyAt > now) return { lease: undefined, readyAt: lane.readyAt };
        const token = ++lastToken;
        lane.lease = { token, worker };
        lane.readyAt = now + leaseMs;
        const { id, key, body } = entry;
        return { lease: { token, key, id, body: JSON.parse(body) as unknown, attempt: ++entry.attempts } };
      }),

    heartbeat: (token, leaseMs, now) =>
      attempt(() => {
        checkWhole('leaseMs', leaseMs, 1);
        checkWhole('now', now);
        held(token).lane.readyAt = now + leaseMs;
      }),

    complete: (token, now, result) =>
      attempt(() => {
        checkWhole('now', now);
        const { lane, entry } = held(token);
        if (result !== undefined) entry.result = toJson('result', result);
        entry.state = 'done';
        lane.open.shift();
        giveBack(lane, now);
      }),

    fail: (token, now, failure) =>
      attempt(() => {
        checkFailure(now, failure);
        const { lane, entry } = held(token);
        entry.reason = failure.reason;
        if (failure.retryAt === undefined) {
          entry.state = 'failed';
          lane.open.shift();
        }
        giveBack(lane, failure.retryAt ?? now);
      }),

    release: (now, ...keys) =>
      attempt(() => {
        checkRelease(now, keys);
        for (const lane of new Set(keys.map((key) => lanes.get(key)))) {
          if (lane !== undefined && lane.open.length > 0) giveBack(lane, Math.min(lane.readyAt, now));
        }
      }),

    async *jobs(key) {
      if (key !== undefined) checkName('key', key);
      for (let index = 0; ; index++) {
        const at = index;
        const entry = await attempt(() => entries[at]);
        if (entry === undefined) return;
        if (key === undefined || entry.key === key) yield jobOf(entry, lanes.get(entry.key));
      }
    },
  };
}

function compare([a = 0, b = 0]: number[], [c = 0, d = 0]: number[]): number {
  return a - c || b - d;
}

function jobOf({ id, key, body, state, attempts, reason, result }: Entry, lane: Lane | undefined): Job {
  const lease = lane?.open[0]?.id === id ? lane.lease : undefined;
  return {
    id,
    key,
    body: JSON.parse(body) as unknown,
    state: state === 'open' ? (lease === undefined ? 'waiting' : 'leased') : state,
    attempts,
    worker: lease?.worker,
    reason,
    result: result === undefined ? undefined : (JSON.parse(result) as unknown),
  };
}

function memoryBuckets(attempt: Attempt): Buckets {
  const buckets = new Map<string, Bucket>();
  return {
    take: (key, now, limits) =>
      attempt(() => {
        checkTake(key, now, limits);
        const { taken, bucket } = takeFrom(buckets.get(key) ?? EMPTY_BUCKET, now, limits);
        buckets.set(key, bucket);
        return taken;
      }),
  };
}

function memoryValues(attempt: Attempt): Values {
  const values = new Map<string, { readonly text: string; readonly version: number }>();
  return {
    get: (name) =>
      attempt(() => {
        checkName('name', name);
        const kept = values.get(name);
        if (kept === undefined) return undefined;
        return { value: JSON.parse(kept.text) as unknown, version: kept.version };
      }),

    set: (name, value, version) =>
      attempt(() => {
        checkName('name', name);
        checkWhole('version', version);
        const text = toJson('value', value);
        if ((values.get(name)?.version ?? 0) !== version) return undefined;
        values.set(name, { text, version: version + 1 });
        return version + 1;
      }),
  };
}

function memoryRecords(attempt: Attempt): Records {
  const collections = new Map<string, Map<string, string>>();
  return {
    get: (collection, key) =>
      attempt(() => {
        checkName('collection', collection);
        checkName('key', key);
        const text = collections.get(collection)?.get(key);
        return text === undefined ? undefined : (JSON.parse(text) as unknown);
      }),

    list: (collection, range = {}) =>
      attempt(() => {
        checkRange(collection, range);
        const { after, descending = false, limit = MOST_LISTED } = range;
        const sign = descending ? -1 : 1;
        return [...(collections.get(collection) ?? [])]
          .filter(([key]) => after === undefined || byCodePoint(key, after) * sign > 0)
          .sort(([a], [b]) => byCodePoint(a, b) * sign)
          .slice(0, limit)
          .map(([key, text]) => ({ key, value: JSON.parse(text) as unknown }));
      }),

    write: (...changes) =>
      attempt(() => {
        const texts = changes.map(({ collection, key, value }) => {
          checkName('collection', collection);
          checkName('key', key);
          return { collection, key, text: value === undefined ? undefined : toJson('value', value) };
        });
        for (const { collection, key, text } of texts) {
          const kept = collections.get(collection) ?? new Map<string, string>();
          collections.set(collection, kept);
          if (text === undefined) kept.delete(key);
          else kept.set(key, text);
        }
      }),
  };
}

/** As the bytes of UTF-8 compare. */
function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
