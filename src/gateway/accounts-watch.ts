import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import { accountsOf, type GatewayAccounts } from './accounts.js';
import type { ReadAccounts } from './accounts-file.js';

/** What became of accounts that were read again. */
export type AccountsNews =
  | { readonly kind: 'changed'; readonly users: number; readonly added: number; readonly removed: number }
  /** They are as before: nothing that counts is different. */
  | { readonly kind: 'same' }
  /** They could not be read; those from before are served on. */
  | { readonly kind: 'kept'; readonly error: unknown }
  /** Changes of the files are not noticed by themselves on this file system. */
  | { readonly kind: 'unwatched'; readonly error: unknown };

/** Accounts that change when their files do. */
export interface WatchedAccounts extends GatewayAccounts {
  /** The texts that must not be shown anywhere. */
  secrets(): readonly string[];
  /** Reads them again now. Whatever it finds, it resolves: what came of it is told to `onNews`. */
  reload(): Promise<void>;
  /** Follows the files no longer; the accounts stay as they are. */
  close(): void;
}

/** How files of accounts are followed. */
export interface WatchOptions {
  /** Told what came of each reading after the first. */
  readonly onNews?: ((news: AccountsNews) => void) | undefined;
  /** Milliseconds without a change before they are read again: whoever writes them writes more than once. Default 300. */
  readonly quiet?: number | undefined;
}

/**
 * Accounts that follow the files they are read from. What reads wrongly changes nothing.
 * @throws what `read` throws the first time
 */
export async function watchAccounts(
  read: () => Promise<ReadAccounts>,
  options: WatchOptions = {},
): Promise<WatchedAccounts> {
  const { onNews = () => undefined, quiet = 300 } = options;
  let found = await read();
  let accounts = accountsOf(found.entries);
  let secrets = secretsOf(found);
  let open = true;
  let timer: NodeJS.Timeout | undefined;
  let reading: Promise<void> = Promise.resolve();

  const take = async () => {
    try {
      const next = await read();
      const news = comparison(found, next);
      found = next;
      if (news.kind === 'changed') {
        accounts = accountsOf(found.entries);
        secrets = secretsOf(found);
      }
      watched.follow(found.files);
      onNews(news);
    } catch (error) {
      onNews({ kind: 'kept', error });
    }
  };
  // One at a time, so that the last one read is the last one there was.
  const reload = () => (reading = reading.then(() => (open ? take() : undefined)));
  const watched = new WatchedFiles(
    () => {
      clearTimeout(timer);
      timer = setTimeout(() => void reload(), quiet);
      timer.unref();
    },
    (error) => {
      onNews({ kind: 'unwatched', error });
    },
  );
  watched.follow(found.files);

  return {
    find: (user, presented) => accounts.find(user, presented),
    get: (user) => accounts.get(user),
    all: () => accounts.all(),
    secrets: () => secrets,
    reload,
    close() {
      open = false;
      clearTimeout(timer);
      watched.follow([]);
    },
  };
}

/** What is shorter stands in many texts by chance. */
const SHORTEST_SECRET = 4;

function secretsOf({ entries }: ReadAccounts): readonly string[] {
  const all = entries.flatMap(({ account: { apiKey, accessToken }, signIn: { token = '', ...ways } }) => [
    ...[apiKey, accessToken, token],
    ...Object.values(ways).flatMap((way: Readonly<Record<string, string | undefined>>) => Object.values(way)),
  ]);
  return [...new Set(all)].filter(
    (secret): secret is string => secret !== undefined && secret.length >= SHORTEST_SECRET,
  );
}

function comparison(before: ReadAccounts, after: ReadAccounts): AccountsNews {
  if (JSON.stringify(before.entries) === JSON.stringify(after.entries)) return { kind: 'same' };
  const users = ({ entries }: ReadAccounts) =>
    new Set(entries.map(({ account }) => account.user.toLowerCase()));
  const [old, now] = [users(before), users(after)];
  return {
    kind: 'changed',
    users: now.size,
    added: [...now].filter((user) => !old.has(user)).length,
    removed: [...old].filter((user) => !now.has(user)).length,
  };
}

/** How files that are mounted into a container are replaced: by this link, which their names lead through. */
const MOUNTED = '..data';

/** Watches folders rather than files: who saves a file often puts a new one in its place. */
class WatchedFiles {
  readonly #onChange: () => void;
  readonly #onFailure: (error: unknown) => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #names = new Map<string, Set<string>>();

  constructor(onChange: () => void, onFailure: (error: unknown) => void) {
    this.#onChange = onChange;
    this.#onFailure = onFailure;
  }

  /** Watches these files, and no others. */
  follow(files: readonly string[]): void {
    this.#names = new Map();
    for (const file of files) {
      const names = this.#names.get(dirname(file)) ?? new Set([MOUNTED]);
      this.#names.set(dirname(file), names.add(basename(file)));
    }
    for (const [folder, watcher] of this.#watchers) {
      if (this.#names.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of this.#names.keys()) this.#watch(folder);
  }

  #watch(folder: string): void {
    if (this.#watchers.has(folder)) return;
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        if (name === null || this.#names.get(folder)?.has(name) === true) this.#onChange();
      });
      watcher.on('error', this.#onFailure);
      this.#watchers.set(folder, watcher);
    } catch (error) {
      this.#onFailure(error);
    }
  }
}
