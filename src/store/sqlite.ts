import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import nodePath from 'node:path';
import { pathToFileURL } from 'node:url';
import { UnsupportedError, UsageError } from '../activity/errors.js';
import { codeOf, syncFolder, writing } from '../http/disk.js';
import { optional } from '../optional.js';
import { checkWhole } from './arguments.js';
import { lockRunBeside } from './run-lock.js';
import { connectionTo, prepareWriting, type Connection, type Database } from './sqlite-connection.js';
import { sqliteQueue } from './sqlite-queue.js';
import { isFresh, makeTables } from './sqlite-schema.js';
import { sqliteBuckets, sqliteJournal, sqliteRecords, sqliteValues } from './sqlite-tables.js';
import type { Store } from './store.js';
import { threadedStore } from './thread.js';

/** How the file of a store is opened. */
export interface StoreOptions {
  /** Opens a store that is there, to be read only; several may, and one may be writing meanwhile. Default false. */
  readonly readOnly?: boolean | undefined;
  /**
   * How long to wait for another process that has the store locked, in milliseconds: a whole number from 0. This process
   * stands still meanwhile. Default 5,000.
   */
  readonly busyTimeout?: number | undefined;
  /** Waits for the disk in a thread of its own, so that nobody else in this process has to. Default false. */
  readonly thread?: boolean | undefined;
}

/**
 * A store in one SQLite file, which is made when there is none, for the eyes of its owner only. Any number of processes of
 * this machine may have it open; it is not for a network share.
 * @throws UsageError `FILE_UNREADABLE`, `FILE_UNWRITABLE`; `CREDENTIALS_EXPOSED` when other users can read the file;
 * `STORE_INCOMPATIBLE` for a later format or a database of another program; `STORE_BUSY`; DecodeError `STORE_DAMAGED`;
 * `PACKAGE_MISSING` without libsql, which is optional; UnsupportedError on a machine that the engine was not built for.
 */
export async function openStore(path: string, options: StoreOptions = {}): Promise<Store> {
  const { readOnly = false, busyTimeout = 5000, thread = false } = options;
  checkWhole('busyTimeout', busyTimeout);
  if (thread) {
    const lockRun = async (run: string) => lockRunBeside(await ownFile(path), run);
    return threadedStore({ path, options: { readOnly, busyTimeout } }, lockRun);
  }
  const Libsql = await loadEngine();
  if (!readOnly) await createFile(path);
  const file = await ownFile(path);
  const open = (): Database =>
    new Libsql(readOnly ? `${pathToFileURL(file).href}?mode=ro` : file, { timeout: busyTimeout });
  const connection = await connect(open, path, readOnly);
  return storeOver(connection, file);
}

/** Loaded when it is needed: whoever needs no store does not wait for it. */
async function loadEngine(): Promise<new (path: string, options: { timeout: number }) => Database> {
  try {
    return (await optional('libsql', () => import('libsql'))).default;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const machine = `${process.platform} ${process.arch}`;
    throw new UnsupportedError(
      `a store needs the package libsql, which has no build for this machine (${machine})`,
    );
  }
}

/** The store in a database whose tables are there. */
export function storeOver(connection: Connection, file: string): Store {
  return {
    journal: sqliteJournal(connection),
    queue: sqliteQueue(connection),
    buckets: sqliteBuckets(connection),
    values: sqliteValues(connection),
    records: sqliteRecords(connection),
    lockRun: (run) => lockRunBeside(file, run),
    close: () =>
      new Promise((resolve) => {
        connection.close();
        resolve();
      }),
  };
}

async function connect(open: () => Database, path: string, readOnly: boolean): Promise<Connection> {
  let db: Database;
  try {
    db = open();
  } catch (error) {
    throw new UsageError('FILE_UNREADABLE', `cannot open ${path}: SQLite cannot read it`, { cause: error });
  }
  const connection = connectionTo(db, path, { readOnly });
  try {
    // Before anything is written: it may be the database of another program.
    const fresh = await connection.read((sql) => isFresh(sql, path));
    if (readOnly) {
      if (fresh) throw new UsageError('FILE_UNREADABLE', `cannot open ${path}: there is no store in it yet`);
    } else {
      prepareWriting(db, path);
      if (fresh) await makeTables(connection, path);
    }
    return connection;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Made here rather than by SQLite, which would let others read it. What lies beside it gets the same mode. */
async function createFile(path: string): Promise<void> {
  if (existsSync(path)) return;
  await writing(path, async () => {
    try {
      await (await fs.open(path, 'wx', 0o600)).close();
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    await syncFolder(nodePath.dirname(path));
  });
}

/** The file itself, however it was named; it is not opened: to close it again would free SQLite's locks on it. */
async function ownFile(path: string): Promise<string> {
  try {
    const facts = await fs.stat(path);
    if (!facts.isFile()) {
      throw new UsageError('FILE_UNREADABLE', `${path}: is no file; name a file for the store`);
    }
    if (process.platform !== 'win32' && (facts.mode & 0o077) !== 0) {
      const mode = (facts.mode & 0o777).toString(8).padStart(3, '0');
      const text = `${path}: holds contacts and is open to other users (mode ${mode}); run: chmod 600 ${path}`;
      throw new UsageError('CREDENTIALS_EXPOSED', text);
    }
    return await fs.realpath(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const reason = codeOf(error) === 'ENOENT' ? 'there is no such file' : 'it cannot be read';
    throw new UsageError('FILE_UNREADABLE', `cannot open ${path}: ${reason} (${String(codeOf(error))})`, {
      cause: error,
    });
  }
}
