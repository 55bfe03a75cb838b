import { UsageError } from '../activity/errors.js';
import { damaged, type Connection, type Sql } from './sqlite-connection.js';

/** "ctct" in the header of the file: a database of this package. */
const APPLICATION_ID = 0x63746374;

/** The tables below are version 1. A change of them is a new version, and a step from the one before. */
const VERSION = 1;

const TABLES = [
  `CREATE TABLE journal (
    run TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    record TEXT NOT NULL,
    PRIMARY KEY (run, number)
  ) STRICT, WITHOUT ROWID`,
  // One row for each key: a lease is one of the key, since no two jobs of it are worked on at once.
  `CREATE TABLE lane (
    key TEXT NOT NULL PRIMARY KEY,
    head INTEGER UNIQUE REFERENCES job (seq),
    ready_at INTEGER NOT NULL,
    token INTEGER UNIQUE,
    worker TEXT,
    CHECK (head IS NOT NULL OR token IS NULL)
  ) STRICT, WITHOUT ROWID`,
  'CREATE INDEX lane_ready ON lane (ready_at, head) WHERE head IS NOT NULL',
  `CREATE TABLE job (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL REFERENCES lane (key),
    body TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    result TEXT
  ) STRICT`,
  'CREATE INDEX job_of_key ON job (key, seq)',
  "CREATE INDEX job_open ON job (key, seq) WHERE state = 'open'",
  'CREATE TABLE fence (token INTEGER NOT NULL) STRICT',
  'INSERT INTO fence VALUES (0)',
  'CREATE TABLE bucket (key TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID',
  `CREATE TABLE value (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0)
  ) STRICT, WITHOUT ROWID`,
  // Values may be long: with a rowid they stand apart from the keys.
  `CREATE TABLE record (
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (collection, key)
  ) STRICT`,
];

/** Makes the tables in a new file, all of them or none. */
export async function makeTables(connection: Connection, path: string): Promise<void> {
  await connection.write((sql) => {
    // Another process may have made them since.
    if (isFresh(sql, path)) for (const statement of [...TABLES, ...MARKS]) sql.all(statement);
  });
}

/**
 * True when there is nothing in the file yet; false when it is a store of this version, and whole.
 * @throws UsageError `STORE_INCOMPATIBLE`; DecodeError `STORE_DAMAGED`
 */
export function isFresh(sql: Sql, path: string): boolean {
  const application = numberOf(sql, 'application_id');
  const version = numberOf(sql, 'user_version');
  if (application === 0 && version === 0 && sql.get('SELECT 1 FROM sqlite_schema LIMIT 1') === undefined) {
    return true;
  }
  if (application !== APPLICATION_ID) {
    throw incompatible(`${path}: is a database of another program; name another file`);
  }
  if (version !== VERSION) {
    const remedy = 'use the version of ctct-activities that wrote it, or a later one';
    throw incompatible(`${path}: the store has format ${version}, this version reads ${VERSION}; ${remedy}`);
  }
  const found = sql.get('PRAGMA quick_check(1)')?.quick_check;
  if (found !== 'ok') throw damaged(path, String(found));
  return false;
}

const MARKS = [`PRAGMA application_id = ${APPLICATION_ID}`, `PRAGMA user_version = ${VERSION}`];

function numberOf(sql: Sql, pragma: 'application_id' | 'user_version'): number {
  return Number(sql.get(`PRAGMA ${pragma}`)?.[pragma]);
}

function incompatible(text: string): UsageError {
  return new UsageError('STORE_INCOMPATIBLE', text);
}
