import type { Activity } from '../activity/activity.js';
import { ServiceError } from '../activity/errors.js';
import type { RecordChange, Records } from '../store/store.js';
import { activityIds, firstIdOf } from './ids.js';
import { activityOf, type KeptActivity } from './kept.js';

/** Activities that are kept at hand beside those that go on. */
const MOST_CACHED = 5_000;
const PAGE = 200;

const OPEN = 'open';
const USERS = 'users';
const FILES = 'files';
const STATE = 'gateway';
const LAST_ID = 'last id';

interface Entry {
  readonly kept: KeptActivity;
  readonly activity: Activity;
}

/**
 * What the gateway remembers of activities, in the records of its store. Those that go on are in memory too, so that they
 * are read without a disk; what is told of an activity is on the disk before.
 */
export class Ledger {
  readonly #records: Records;
  readonly #clock: { now(): number };
  readonly #ids: ReturnType<typeof activityIds>;
  readonly #open = new Map<string, Entry>();
  readonly #cached = new Map<string, Entry>();
  readonly #versions = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  /** One change after the other. */
  #tail: Promise<unknown> = Promise.resolve();

  private constructor(records: Records, clock: { now(): number }, ids: ReturnType<typeof activityIds>) {
    this.#records = records;
    this.#clock = clock;
    this.#ids = ids;
  }

  /** With all that has not ended, in the order in which it was accepted. */
  static async read(records: Records, clock: { now(): number }, random: () => number): Promise<Ledger> {
    const last = await records.get(STATE, LAST_ID);
    const ledger = new Ledger(
      records,
      clock,
      activityIds(typeof last === 'string' ? last : undefined, random),
    );
    for await (const { key, value } of pages(records, OPEN)) {
      const { user } = value as { readonly user: string };
      const kept = (await records.get(activitiesOf(user), key)) as KeptActivity | undefined;
      if (kept !== undefined) ledger.#hold(kept);
    }
    return ledger;
  }

  nextId(): string {
    return this.#ids.next(this.#clock.now());
  }

  /** Keeps a new activity, whose id `nextId` gave. Once this resolves, it is not lost. */
  accept(kept: KeptActivity): Promise<void> {
    return this.#change(async () => {
      const user = kept.user.toLowerCase();
      await this.#records.write(
        { collection: activitiesOf(user), key: kept.id, value: kept },
        { collection: OPEN, key: kept.id, value: { user } },
        { collection: USERS, key: user, value: {} },
        { collection: STATE, key: LAST_ID, value: this.#ids.last },
      );
      this.#hold(kept);
    });
  }

  /** Whether the store certainly has nothing of it. */
  async isUnknown({ id, user }: Pick<KeptActivity, 'id' | 'user'>): Promise<boolean> {
    return this.#records.get(activitiesOf(user), id).then(
      (value) => value === undefined,
      () => false,
    );
  }

  /** Changes an activity that goes on; one that has ended meanwhile stays as it is. */
  update(id: string, change: (kept: KeptActivity) => KeptActivity): Promise<void> {
    return this.#change(async () => {
      const before = this.#open.get(id)?.kept;
      if (before === undefined) return;
      const changed = change(before);
      if (changed === before) return;
      const kept = { ...changed, updated: this.#clock.now() };
      const user = kept.user.toLowerCase();
      const changes: RecordChange[] = [{ collection: activitiesOf(user), key: id, value: kept }];
      if (kept.ended !== undefined) changes.push({ collection: OPEN, key: id });
      if (kept.ended?.file !== undefined) changes.push({ collection: FILES, key: id, value: { user } });
      await this.#records.write(...changes);
      if (kept.ended === undefined) this.#open.set(id, entryOf(kept));
      else this.#release(id, kept);
      this.#bump(user);
    });
  }

  /** All that go on, in the order in which they were accepted. */
  open(): KeptActivity[] {
    return [...this.#open.values()].map(({ kept }) => kept);
  }

  openOf(user: string): number {
    return this.#counts.get(user.toLowerCase()) ?? 0;
  }

  /** Of one that goes on. */
  find(id: string): KeptActivity | undefined {
    return this.#open.get(id)?.kept;
  }

  /** Changes whenever one of the user's activities does. */
  version(user: string): number {
    return this.#versions.get(user.toLowerCase()) ?? 0;
  }

  async get(user: string, id: string): Promise<KeptActivity | undefined> {
    return (await this.#entry(user, id))?.kept;
  }

  async activity(user: string, id: string): Promise<Activity | undefined> {
    return (await this.#entry(user, id))?.activity;
  }

  /** The newest first. */
  async *activities(user: string, after?: string): AsyncGenerator<Activity, void> {
    const collection = activitiesOf(user);
    for await (const { value } of pages(this.#records, collection, { after, descending: true })) {
      yield this.#entryOf(value as KeptActivity).activity;
    }
  }

  /**
   * Forgets activities that have ended, of all users or of one, when they were accepted before a time; the names of the files
   * that nobody needs any more.
   */
  async forget(before: number, only?: string): Promise<{ activities: number; files: string[] }> {
    const users = only === undefined ? await this.users() : [only.toLowerCase()];
    const files: string[] = [];
    let activities = 0;
    for (const user of users) {
      for await (const { key, value } of pages(this.#records, activitiesOf(user))) {
        if (key >= firstIdOf(before)) break;
        const { ended } = value as KeptActivity;
        if (ended === undefined) continue;
        await this.#change(async () => {
          await this.#records.write({ collection: activitiesOf(user), key }, { collection: FILES, key });
          this.#cached.delete(key);
          this.#bump(user);
        });
        activities++;
        if (ended.file !== undefined) files.push(ended.file);
      }
    }
    return { activities, files };
  }

  /** Lets go of the files of exports that were accepted before a time; their names. The activities stay, without a file. */
  async forgetFiles(before: number): Promise<string[]> {
    const files: string[] = [];
    for await (const { key, value } of pages(this.#records, FILES)) {
      if (key >= firstIdOf(before)) break;
      const { user } = value as { readonly user: string };
      const kept = await this.get(user, key);
      if (kept?.ended?.file === undefined) continue;
      const { file, ...ended } = kept.ended;
      await this.#change(async () => {
        await this.#records.write(
          { collection: activitiesOf(user), key, value: { ...kept, ended, updated: this.#clock.now() } },
          { collection: FILES, key },
        );
        this.#cached.delete(key);
        this.#bump(user);
      });
      files.push(file);
    }
    return files;
  }

  /** Names of the files of exports that are kept. */
  async files(): Promise<Set<string>> {
    const files = new Set<string>();
    for await (const { key, value } of pages(this.#records, FILES)) {
      const kept = await this.get((value as { readonly user: string }).user, key);
      if (kept?.ended?.file !== undefined) files.add(kept.ended.file);
    }
    return files;
  }

  /** All that ever had an activity, in lower case. */
  async users(): Promise<string[]> {
    const users: string[] = [];
    for await (const { key } of pages(this.#records, USERS)) users.push(key);
    return users;
  }

  /** Resolves when all changes so far are kept. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  #change<T>(act: () => Promise<T>): Promise<T> {
    const changed = this.#tail.then(act);
    this.#tail = changed.catch(() => undefined);
    return changed;
  }

  #hold(kept: KeptActivity): void {
    const user = kept.user.toLowerCase();
    this.#open.set(kept.id, entryOf(kept));
    this.#counts.set(user, this.openOf(user) + 1);
    this.#bump(user);
  }

  #release(id: string, kept: KeptActivity): void {
    this.#open.delete(id);
    this.#counts.set(kept.user.toLowerCase(), this.openOf(kept.user) - 1);
    this.#cache(entryOf(kept));
  }

  #bump(user: string): void {
    this.#versions.set(user, this.version(user) + 1);
  }

  async #entry(user: string, id: string): Promise<Entry | undefined> {
    const known = this.#open.get(id) ?? this.#cached.get(id);
    if (known !== undefined) return known.kept.user.toLowerCase() === user.toLowerCase() ? known : undefined;
    if (!/^a07e1[0-9a-z]{14}$/.test(id)) return undefined;
    const value = await this.#records.get(activitiesOf(user), id);
    return value === undefined ? undefined : this.#entryOf(value as KeptActivity);
  }

  /** Of what was read; the same object each time, so that what was written of it is not written anew. */
  #entryOf(kept: KeptActivity): Entry {
    const known = this.#open.get(kept.id) ?? this.#cached.get(kept.id);
    if (known?.kept.updated === kept.updated) return known;
    const entry = entryOf(kept);
    if (kept.ended !== undefined) this.#cache(entry);
    return entry;
  }

  #cache(entry: Entry): void {
    this.#cached.delete(entry.kept.id);
    this.#cached.set(entry.kept.id, entry);
    const [oldest] = this.#cached.keys();
    if (oldest !== undefined && this.#cached.size > MOST_CACHED) this.#cached.delete(oldest);
  }
}

function entryOf(kept: KeptActivity): Entry {
  return { kept, activity: activityOf(kept) };
}

function activitiesOf(user: string): string {
  return `activities/${user.toLowerCase()}`;
}

async function* pages(
  records: Records,
  collection: string,
  { after, descending }: { after?: string | undefined; descending?: boolean } = {},
): AsyncGenerator<{ readonly key: string; readonly value: unknown }, void> {
  for (let last = after; ;) {
    const page = await records.list(collection, { after: last, descending, limit: PAGE });
    yield* page;
    last = page.at(-1)?.key;
    if (page.length < PAGE) return;
  }
}

/** The error for an id of which nothing is known. */
export function noActivity(id: string): ServiceError {
  const detail = `there is no activity ${id.slice(0, 100)}`;
  return new ServiceError('NOT_FOUND', detail, { status: 404, detail });
}
