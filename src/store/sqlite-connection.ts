import { CtctError, DecodeError, UsageError } from '../activity/errors.js';
import { codeOf } from '../http/disk.js';

/** What SQL takes and gives here. */
export type Cell = string | number | null;
export type Row = Readonly<Record<string, Cell>>;

/** The little of a synchronous SQLite library that is needed. */
export interface Database {
  readonly inTransaction: boolean;
  exec(sql: string): unknown;
  prepare(sql: string): { all(cells: readonly Cell[]): unknown[] };
  close(): unknown;
}

/** SQL statements inside one transaction. */
export interface Sql {
  /** The rows a statement gives. */
  all(sql: string, ...cells: Cell[]): Row[];
  /** The first row it gives; undefined when there is none. */
  get(sql: string, ...cells: Cell[]): Row | undefined;
}

/** One connection to a database file. Every use of it is one transaction, on the disk when it resolves. */
export interface Connection {
  /** What `work` returns, when all that it wrote is kept; when it throws, nothing of it is. */
  write<T>(work: (sql: Sql) => T): Promise<T>;
  /** What `work` returns; it sees one state. */
  read<T>(work: (sql: Sql) => T): Promise<T>;
  close(): void;
}

/** @param path the file that messages name */
export function connectionTo(db: Database, path: string, { readOnly = false } = {}): Connection {
  const prepared = new Map<string, ReturnType<Database['prepare']>>();
  let open = true;

  const sql: Sql = {
    all(text, ...cells) {
      let statement = prepared.get(text);
      if (statement === undefined) prepared.set(text, (statement = db.prepare(text)));
      return statement.all(cells) as Row[];
    },
    get: (text, ...cells) => sql.all(text, ...cells)[0],
  };

  function transaction<T>(act: 'read' | 'write', work: (sql: Sql) => T): T {
    if (!open) throw new UsageError('OPTION_INVALID', `${path}: the store is closed`);
    try {
      db.exec(act === 'read' ? 'BEGIN' : 'BEGIN IMMEDIATE');
      const result = work(sql);
      db.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk ends the transaction by itself.
      if (db.inTransaction) db.exec('ROLLBACK');
      throw error instanceof CtctError ? error : sqliteFailure(path, error, act);
    }
  }

  return {
    // Synchronous inside, so that calls have their effects in the order in which they were made.
    write: (work) =>
      new Promise((resolve) => {
        resolve(transaction('write', work));
      }),
    read: (work) =>
      new Promise((resolve) => {
        resolve(transaction('read', work));
      }),
    close() {
      if (!open) return;
      open = false;
      prepared.clear();
      if (!readOnly) leaveOneFile(db);
      db.close();
    },
  };
}

/** FULL: a commit is on the disk when it returns, not only at the next checkpoint. */
export function prepareWriting(db: Database, path: string): void {
  try {
    db.exec('PRAGMA journal_mode = WAL');
    db.exec('PRAGMA synchronous = FULL');
    // macOS keeps what is synced in the disk's cache unless it is told this.
    db.exec('PRAGMA fullfsync = ON');
    db.exec('PRAGMA foreign_keys = ON');
    // What is deleted is gone, not only unlinked: there may be addresses in it.
    db.exec('PRAGMA secure_delete = ON');
  } catch (error) {
    throw sqliteFailure(path, error);
  }
}

/** Brings all into the one file, and takes the files beside it away; not while another process has it open. */
function leaveOneFile(db: Database): void {
  try {
    db.exec('PRAGMA busy_timeout = 0');
    db.exec('PRAGMA journal_mode = DELETE');
  } catch {
    // Nothing is lost: the next one to open it finds the rest beside it.
    return;
  }
}

/** The error of this package for what SQLite says. */
export function sqliteFailure(path: string, error: unknown, act: 'read' | 'write' = 'write'): CtctError {
  const said = codeOf(error);
  const code = typeof said === 'string' ? said : 'no code';
  const options = { cause: error };
  if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(code)) return damaged(path, String(error), options);
  if (/^SQLITE_(?:BUSY|LOCKED|PROTOCOL)/.test(code)) {
    const text = `${path}: another process keeps the store locked; try again when it is done`;
    return new UsageError('STORE_BUSY', text, options);
  }
  const reason = REASONS.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'the database refused';
  const text = `cannot ${act} ${path}: ${reason} (${code})`;
  return new UsageError(act === 'read' ? 'FILE_UNREADABLE' : 'FILE_UNWRITABLE', text, options);
}

const REASONS = [
  ['SQLITE_FULL', 'the disk is full'],
  ['SQLITE_READONLY', 'the store, or its file, is open for reading only'],
  ['SQLITE_CANTOPEN', 'a file beside it cannot be opened'],
  ['SQLITE_IOERR', 'the disk failed'],
] as const;

/** The error for a file that is not what was written to it. */
export function damaged(path: string, found: string, options?: { cause: unknown }): DecodeError {
  const remedy = 'take the file away and put back a copy of it, or begin anew';
  return new DecodeError(
    'STORE_DAMAGED',
    `${path}: the store is damaged (${found}); ${remedy}`,
    undefined,
    options,
  );
}
