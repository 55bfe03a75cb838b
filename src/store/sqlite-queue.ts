import { leaseLost } from './lease.js';
import {
  checkClaim,
  checkEnqueue,
  checkFailure,
  checkName,
  checkRelease,
  checkWhole,
  toJson,
} from './arguments.js';
import type { Connection, Row, Sql } from './sqlite-connection.js';
import type { Job, JobState, Queue } from './store.js';

/** Jobs read in one transaction. */
const PAGE = 500;

export function sqliteQueue(connection: Connection): Queue {
  return {
    enqueue: (key, ...jobs) =>
      connection.write((sql) => {
        checkEnqueue(key, jobs);
        if (jobs.length === 0) return 0;
        sql.all('INSERT INTO lane (key, ready_at) VALUES (?, 0) ON CONFLICT DO NOTHING', key);
        const added = jobs.filter(({ id, body }) => {
          const insert =
            'INSERT INTO job (id, key, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING seq';
          return sql.get(insert, id, key, toJson('body', body)) !== undefined;
        });
        sql.all(`UPDATE lane SET head = ${FIRST_OPEN}, ready_at = 0 WHERE key = ? AND head IS NULL`, key);
        return added.length;
      }),

    claim: (worker, leaseMs, now, { only } = {}) =>
      connection.write((sql) => {
        checkClaim(worker, leaseMs, now, only);
        const among = only === undefined ? null : JSON.stringify(only);
        const first = sql.get(FIRST_READY, among, among);
        if (first === undefined) return { lease: undefined, readyAt: undefined };
        if (Number(first.ready_at) > now) return { lease: undefined, readyAt: Number(first.ready_at) };
        const token = Number(sql.get('UPDATE fence SET token = token + 1 RETURNING token')?.token);
        const key = text(first.key);
        sql.all(
          'UPDATE lane SET token = ?, worker = ?, ready_at = ? WHERE key = ?',
          token,
          worker,
          now + leaseMs,
          key,
        );
        const job = 'UPDATE job SET attempts = attempts + 1 WHERE seq = ? RETURNING id, body, attempts';
        const { id, body, attempts } = sql.get(job, first.head ?? null) ?? {};
        return { lease: { token, key, id: text(id), body: json(body), attempt: Number(attempts) } };
      }),

    heartbeat: (token, leaseMs, now) =>
      connection.write((sql) => {
        checkWhole('leaseMs', leaseMs, 1);
        checkWhole('now', now);
        sql.all('UPDATE lane SET ready_at = ? WHERE key = ?', now + leaseMs, held(sql, token).key);
      }),

    complete: (token, now, result) =>
      connection.write((sql) => {
        checkWhole('now', now);
        const { key, head } = held(sql, token);
        const told = result === undefined ? null : toJson('result', result);
        sql.all("UPDATE job SET state = 'done', result = ? WHERE seq = ?", told, head);
        goOn(sql, key, now);
      }),

    fail: (token, now, failure) =>
      connection.write((sql) => {
        checkFailure(now, failure);
        const { key, head } = held(sql, token);
        sql.all('UPDATE job SET reason = ? WHERE seq = ?', failure.reason, head);
        if (failure.retryAt === undefined) {
          sql.all("UPDATE job SET state = 'failed' WHERE seq = ?", head);
          goOn(sql, key, now);
        } else {
          const giveBack = 'UPDATE lane SET token = NULL, worker = NULL, ready_at = ? WHERE key = ?';
          sql.all(giveBack, failure.retryAt, key);
        }
      }),

    release: (now, ...keys) =>
      connection.write((sql) => {
        checkRelease(now, keys);
        const free = `UPDATE lane SET token = NULL, worker = NULL, ready_at = min(ready_at, ?)
          WHERE head IS NOT NULL AND key IN (SELECT value FROM json_each(?))`;
        sql.all(free, now, JSON.stringify(keys));
      }),

    async *jobs(key) {
      if (key !== undefined) checkName('key', key);
      const [where, cells] = key === undefined ? ['', []] : ['AND job.key = ?', [key]];
      for (let after = 0; ;) {
        const from = after;
        const page = await connection.read((sql) => sql.all(jobsAfter(where), from, ...cells));
        for (const row of page) {
          after = Number(row.seq);
          yield jobOf(row);
        }
        if (page.length < PAGE) return;
      }
    },
  };
}

/** The first job of a lane that has not ended. */
const FIRST_OPEN = "(SELECT min(seq) FROM job WHERE job.key = lane.key AND state = 'open')";

const FIRST_READY = `SELECT key, head, ready_at FROM lane
  WHERE head IS NOT NULL AND (? IS NULL OR key IN (SELECT value FROM json_each(?)))
  ORDER BY ready_at, head LIMIT 1`;

function jobsAfter(where: string): string {
  return `SELECT job.*, lane.token AS token, lane.worker AS worker
    FROM job LEFT JOIN lane ON lane.head = job.seq
    WHERE job.seq > ? ${where} ORDER BY job.seq LIMIT ${PAGE}`;
}

/** What the lease of a token is of. */
function held(sql: Sql, token: number): { key: string; head: number } {
  checkWhole('token', token, 1);
  const row = sql.get('SELECT key, head FROM lane WHERE token = ?', token);
  if (row === undefined) throw leaseLost(token);
  return { key: text(row.key), head: Number(row.head) };
}

/** The key goes on with its next job, behind other keys that have waited for longer. */
function goOn(sql: Sql, key: string, now: number): void {
  const next = `UPDATE lane SET head = ${FIRST_OPEN}, token = NULL, worker = NULL, ready_at = ? WHERE key = ?`;
  sql.all(next, now, key);
}

function jobOf({ id, key, body, state, attempts, token, worker, reason, result }: Row): Job {
  return {
    id: text(id),
    key: text(key),
    body: json(body),
    state: state === 'open' ? (token === null ? 'waiting' : 'leased') : (text(state) as JobState),
    attempts: Number(attempts),
    worker: worker === null ? undefined : text(worker),
    reason: reason === null ? undefined : text(reason),
    result: result === null ? undefined : json(result),
  };
}

const text = (cell: unknown) => String(cell);
const json = (cell: unknown): unknown => JSON.parse(String(cell));
