import { checkName, checkRange, checkWhole, MOST_LISTED, toJson } from './arguments.js';
import { checkTake, EMPTY_BUCKET, takeFrom, type Bucket } from './bucket.js';
import type { Connection } from './sqlite-connection.js';
import type { Buckets, Journal, Records, Values } from './store.js';

/** Records read in one transaction. */
const PAGE = 500;

export function sqliteJournal(connection: Connection): Journal {
  return {
    append: (run, ...records) =>
      connection.write((sql) => {
        checkName('run', run);
        const last = sql.get('SELECT max(number) AS number FROM journal WHERE run = ?', run)?.number;
        let number = Number(last ?? 0);
        for (const record of records) {
          sql.all('INSERT INTO journal VALUES (?, ?, ?)', run, ++number, toJson('record', record));
        }
        return number;
      }),

    async *read(run, after = 0) {
      checkName('run', run);
      checkWhole('after', after);
      const select = `SELECT number, record FROM journal WHERE run = ? AND number > ? ORDER BY number LIMIT ${PAGE}`;
      for (let last = after; ;) {
        const from = last;
        const page = await connection.read((sql) => sql.all(select, run, from));
        for (const row of page) {
          last = Number(row.number);
          yield { number: last, record: JSON.parse(String(row.record)) as unknown };
        }
        if (page.length < PAGE) return;
      }
    },
  };
}

export function sqliteBuckets(connection: Connection): Buckets {
  return {
    take: (key, now, limits) =>
      connection.write((sql) => {
        checkTake(key, now, limits);
        const state = sql.get('SELECT state FROM bucket WHERE key = ?', key)?.state;
        const before = state === undefined ? EMPTY_BUCKET : (JSON.parse(String(state)) as Bucket);
        const { taken, bucket } = takeFrom(before, now, limits);
        const left = JSON.stringify(bucket);
        // A refusal mostly changes nothing, and then the disk is left in peace.
        if (left !== state) sql.all('INSERT OR REPLACE INTO bucket VALUES (?, ?)', key, left);
        return taken;
      }),
  };
}

export function sqliteValues(connection: Connection): Values {
  return {
    get: (name) =>
      connection.read((sql) => {
        checkName('name', name);
        const row = sql.get('SELECT value, version FROM value WHERE name = ?', name);
        if (row === undefined) return undefined;
        return { value: JSON.parse(String(row.value)) as unknown, version: Number(row.version) };
      }),

    set: (name, value, version) =>
      connection.write((sql) => {
        checkName('name', name);
        checkWhole('version', version);
        const text = toJson('value', value);
        const statement =
          version === 0
            ? 'INSERT INTO value (value, name, version) VALUES (?, ?, ? + 1) ON CONFLICT DO NOTHING RETURNING version'
            : 'UPDATE value SET value = ?, version = version + 1 WHERE name = ? AND version = ? RETURNING version';
        const set = sql.get(statement, text, name, version);
        return set === undefined ? undefined : Number(set.version);
      }),
  };
}

export function sqliteRecords(connection: Connection): Records {
  return {
    get: (collection, key) =>
      connection.read((sql) => {
        checkName('collection', collection);
        checkName('key', key);
        const row = sql.get('SELECT value FROM record WHERE collection = ? AND key = ?', collection, key);
        return row === undefined ? undefined : (JSON.parse(String(row.value)) as unknown);
      }),

    list: (collection, range = {}) =>
      connection.read((sql) => {
        checkRange(collection, range);
        const { after, descending = false, limit = MOST_LISTED } = range;
        const [behind, order] = descending ? ['<', 'DESC'] : ['>', 'ASC'];
        const where = after === undefined ? '' : `AND key ${behind} ?`;
        const select = `SELECT key, value FROM record WHERE collection = ? ${where} ORDER BY key ${order} LIMIT ?`;
        const rows = sql.all(select, collection, ...(after === undefined ? [] : [after]), limit);
        return rows.map(({ key, value }) => ({
          key: String(key),
          value: JSON.parse(String(value)) as unknown,
        }));
      }),

    write: (...changes) =>
      connection.write((sql) => {
        for (const { collection, key, value } of changes) {
          checkName('collection', collection);
          checkName('key', key);
          if (value === undefined) {
            sql.all('DELETE FROM record WHERE collection = ? AND key = ?', collection, key);
            continue;
          }
          const put =
            'INSERT INTO record VALUES (?, ?, ?) ON CONFLICT (collection, key) DO UPDATE SET value = excluded.value';
          sql.all(put, collection, key, toJson('value', value));
        }
      }),
  };
}
