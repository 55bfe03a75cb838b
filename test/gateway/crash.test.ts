import { expect } from 'chai';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Activity } from '../../src/activity/activity.js';
import { memoryStore } from '../../src/store/memory.js';
import type { Store } from '../../src/store/store.js';
import { all, Setting } from './setting.js';

class Crash extends Error {}

/** A process: what it reaches is gone once it has crashed. */
class Process {
  calls = 0;
  crashed = false;
  readonly #at: number;
  readonly #mode: 'before' | 'after';

  /** @param at the call of the store that it does not survive, from 1 */
  constructor(at = Infinity, mode: 'before' | 'after' = 'before') {
    this.#at = at;
    this.#mode = mode;
  }

  async #call<T>(act: () => Promise<T>): Promise<T> {
    if (this.crashed) throw new Crash('crashed');
    const last = ++this.calls === this.#at;
    if (last) this.crashed = true;
    if (last && this.#mode === 'before') throw new Crash('crashed');
    const result = await act();
    if (last) throw new Crash('crashed');
    return result;
  }

  store(store: Store): Store {
    const { records, buckets } = store;
    const call: <T>(act: () => Promise<T>) => Promise<T> = (act) => this.#call(act);
    return {
      ...store,
      records: {
        get: (...args) => call(() => records.get(...args)),
        list: (...args) => call(() => records.list(...args)),
        write: (...args) => call(() => records.write(...args)),
      },
      buckets: { take: (...args) => call(() => buckets.take(...args)) },
    };
  }

  fetch(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
    return async (...args) => {
      if (this.crashed) throw new Crash('crashed');
      return fetch(...args);
    };
  }
}

const REQUESTS = [
  {
    activityType: 'ADD_CONTACTS',
    contacts: { text: 'Email Address\na@example.com\nb\nc@example.com\n' },
    lists: ['1', '2'],
  },
  {
    activityType: 'REMOVE_CONTACTS_FROM_LISTS',
    contacts: { text: 'Email Address\nold@example.com\n' },
    lists: ['1'],
  },
  { activityType: 'EXPORT_CONTACTS', listId: '1' },
] as const;

/** What is asked of a gateway that crashes at the n-th call of its store, and is begun anew. */
async function story(
  at: number,
  mode: 'before' | 'after',
): Promise<{ readonly crashed: boolean; readonly searched: number }> {
  const store = memoryStore();
  const setting = await Setting.begin({ store });
  await setting.gateway.close();
  setting.events.length = 0;
  const options = { partLimits: { rows: 2 }, pollInterval: 2_000, limits: { perSecond: 20 } };
  const begin = async (process: Process) => {
    const fetch = process.fetch(setting.emulator.fetch);
    setting.gateway = setting.make({ ...options, store: process.store(store), fetch });
    await setting.gateway.start();
  };
  try {
    const first = new Process(at, mode);
    const accepted: string[] = [];
    let left = [...REQUESTS];
    await begin(first).catch(() => undefined);
    const client = setting.client();
    for (const request of REQUESTS) {
      const made = await setting.passing(client.create(request)).catch(() => undefined);
      if (made === undefined) break;
      accepted.push(made.id);
      left = left.slice(1);
    }
    const ended = async () => {
      const states = await Promise.all(accepted.map((id) => client.get(id).catch(() => undefined)));
      return states.every((one) => one?.status === 'COMPLETE');
    };
    await setting.until(async () => first.crashed || (await ended()), 'a crash, or the end');
    await setting.gateway.close().catch(() => undefined);

    // It comes back, and the client sends what it got no answer to.
    await begin(new Process());
    for (const request of left) accepted.push((await setting.passing(client.create(request))).id);
    await setting.until(ended, 'the end of all');
    await setting.until(() => setting.gateway.status().queued + setting.gateway.status().running === 0);

    const activities = await all(client.list());
    const upstream = await all(setting.emulator.account('joesflowers')!.list());
    const parts = (activity: Activity) => (activity.type === 'ADD_CONTACTS' ? 2 : 1);
    // A request that was kept, though the client was not told, is done once like any other.
    expect(activities.length - accepted.length).to.be.within(0, 1);
    expect(upstream.length, 'each part was sent once').to.equal(
      activities.reduce((sum, activity) => sum + parts(activity), 0),
    );
    for (const { id } of activities) {
      const activity = await client.get(id);
      expect(activity.status).to.equal('COMPLETE');
      expect(activity.errors.map(({ lineNumber }) => lineNumber)).to.deep.equal(
        activity.type === 'ADD_CONTACTS' ? [3] : [],
      );
      const told = setting.told('finished').filter((event) => event.activity === activity.id);
      expect(told.length, 'it ended once').to.be.within(0, 1);
    }
    expect(setting.members('1')).to.deep.equal(['a@example.com', 'c@example.com']);
    const exported = activities.find(({ type }) => type === 'EXPORT_CONTACTS');
    const bytes = Buffer.concat(await all((await client.download(exported!)).body)).toString();
    expect(bytes.trim().split(/\r\n/).slice(1).sort()).to.deep.equal(['a@example.com', 'c@example.com']);
    const uploads = () => fs.readdir(path.join(setting.folder, 'uploads'));
    await setting.until(async () => (await uploads()).length === 0, 'the end of the uploads');
    const files = await fs.readdir(path.join(setting.folder, 'files'));
    expect(files.sort()).to.deep.equal(
      activities
        .filter(({ type }) => type === 'EXPORT_CONTACTS')
        .map(({ id }) => `${id}.csv`)
        .sort(),
    );
    return { crashed: first.crashed, searched: setting.told('searching').length };
  } finally {
    await setting.end();
  }
}

describe('a gateway that crashes', function () {
  this.timeout(120_000);

  // Of the calls every fifth, or as `npm run fuzz` says: all.
  const step = process.env.CTCT_FUZZ_RUNS === undefined ? 5 : 1;
  for (const [first, mode] of [
    [1, 'before'],
    [3, 'after'],
  ] as const) {
    it(`loses nothing and does nothing twice, ${mode} any call of its store`, async () => {
      let at: number = first;
      let searched = 0;
      for (let told = await story(at, mode); told.crashed; told = await story((at += step), mode)) {
        expect(told.searched, 'parts that may have been sent').to.be.within(0, 1);
        searched += told.searched;
      }
      expect(at).to.be.greaterThan(20);
      expect(searched).to.be.greaterThan(0);
    });
  }
});
