import { expect } from 'chai';
import Libsql from 'libsql';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { CtctError } from '../../src/activity/errors.js';
import { connectionTo, prepareWriting } from '../../src/store/sqlite-connection.js';
import { openStore, storeOver } from '../../src/store/sqlite.js';
import type { Store } from '../../src/store/store.js';
import { serveStore } from '../../src/store/thread-serve.js';
import { storeBehind } from '../../src/store/thread.js';
import { describeStore } from '../contract/store.js';

const NOW = Date.UTC(2011, 2, 1, 12);

async function temporaryFolder(): Promise<string> {
  return fs.mkdtemp(path.join(tmpdir(), 'ctct-store-'));
}

describeStore('openStore', () => storesOf(openStore));
describeStore('storeBehind', () => storesOf(behindChannel));

async function storesOf(openFirst: (file: string) => Promise<Store>) {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'state.db');
  const open = async (): Promise<[Store, ...Store[]]> => [await openFirst(file), await openStore(file)];
  const under = {
    stores: await open(),
    async reopen() {
      for (const store of under.stores) await store.close();
      under.stores = await open();
    },
    async dispose() {
      for (const store of under.stores) await store.close();
      await fs.rm(folder, { recursive: true });
    },
  };
  return under;
}

/** As between threads, but in this one. */
function behindChannel(file: string): Promise<Store> {
  const { port1, port2 } = new MessageChannel();
  void serveStore(port2, { path: file, options: {} });
  return storeBehind(
    {
      postMessage: (message) => {
        port1.postMessage(message);
      },
      on: (event, listener) => port1.on(event, listener),
      ref: () => {
        port1.ref();
      },
      unref: () => {
        port1.unref();
      },
      end: () => {
        port1.close();
        return Promise.resolve();
      },
      failed: new Promise(() => undefined),
    },
    async (run) => (await openStore(file, { readOnly: true })).lockRun(run),
  );
}

describe('openStore', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
    file = path.join(folder, 'state.db');
  });
  afterEach(() => fs.rm(folder, { recursive: true }));

  const left = async () => (await fs.readdir(folder)).sort();

  async function failure(act: Promise<unknown>): Promise<CtctError> {
    const error: unknown = await act.then(
      () => 'no error',
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(CtctError);
    return error as CtctError;
  }

  /** A store with something in it, closed again. */
  async function fill(records = 1): Promise<void> {
    const store = await openStore(file);
    await store.journal.append(
      'run',
      ...Array.from({ length: records }, (_, index) => ({ index, text: 'x'.repeat(200) })),
    );
    await store.close();
  }

  it('makes a file for its owner only, and leaves one file when it is closed', async () => {
    const before = process.umask(0);
    try {
      const store = await openStore(file);
      await store.journal.append('run', 1);
      for (const name of await left()) {
        expect((await fs.stat(path.join(folder, name))).mode & 0o777, name).to.equal(0o600);
      }
      expect(await left()).to.deep.equal(['state.db', 'state.db-shm', 'state.db-wal']);
      await store.close();
    } finally {
      process.umask(before);
    }
    expect(await left()).to.deep.equal(['state.db']);
  });

  it('waits for the disk in a thread of its own, if it is told to', async () => {
    const store = await openStore(file, { thread: true });
    await store.records.write({ collection: 'c', key: 'k', value: { a: 1 } });
    expect(await store.records.get('c', 'k')).to.deep.equal({ a: 1 });
    expect((await failure(store.records.get('', 'k'))).code).to.equal('OPTION_INVALID');
    expect((await failure(store.records.write({ collection: 'c', key: 'f', value: () => 1 }))).code).to.equal(
      'OPTION_INVALID',
    );
    const lock = await store.lockRun('run');
    expect((await failure(store.lockRun('run'))).code).to.equal('RUN_BUSY');
    await lock.release();
    const late = store.journal.append('run', 1, 2);
    await store.close();
    expect(await late).to.equal(2);
    expect((await failure(store.records.get('c', 'k'))).code).to.equal('OPTION_INVALID');
    await store.close();
    expect(await left()).to.deep.equal(['state.db']);
    const missing = path.join(folder, 'none', 'state.db');
    expect((await failure(openStore(missing, { thread: true }))).code).to.equal('FILE_UNWRITABLE');
  }).timeout(30_000);

  it('leaves the file to others who have it open', async () => {
    const [one, other] = [await openStore(file), await openStore(file)];
    await one.journal.append('run', 1);
    await one.close();
    expect(await other.journal.append('run', 2)).to.equal(2);
    await other.close();
    const again = await openStore(file);
    expect(await again.journal.append('run', 3)).to.equal(3);
    await again.close();
  });

  it('is opened by several at once, though there was no file', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => openStore(file)));
    const numbers = await Promise.all(stores.map((store) => store.journal.append('run', 'x')));
    expect(numbers.sort()).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const store of stores) await store.close();
  });

  it('locks a run by the file itself, however it is named', async () => {
    await fill();
    const alias = path.join(folder, 'alias.db');
    await fs.symlink(file, alias);
    const [store, other] = [await openStore(file), await openStore(alias)];
    const lock = await store.lockRun('run');
    const error = await failure(other.lockRun('run'));
    expect(error.code).to.equal('RUN_BUSY');
    expect(error.message).to.include(`process ${process.pid} on `);
    const name = (await left()).find((entry) => entry.endsWith('.lock'))!;
    await fs.writeFile(path.join(folder, name), 'of whom?');
    expect((await failure(other.lockRun('run'))).message).to.include(`another process (see ${file}`);
    await lock.release();
    await fs.rm(path.join(folder, name));
    for (const one of [store, other]) await one.close();
  });

  it('takes over the run of a process that is no more', async () => {
    await fill();
    const store = await openStore(file);
    await store.lockRun('run');
    const name = (await left()).find((entry) => entry.endsWith('.lock'))!;
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'close');
    const text = await fs.readFile(path.join(folder, name), 'utf8');
    const dead = { ...(JSON.parse(text) as object), pid: child.pid, began: null };
    await fs.writeFile(path.join(folder, name), JSON.stringify(dead));
    const lock = await store.lockRun('run');
    await lock.release();
    await store.close();
  });

  it('says what to delete when a machine that is no more has left its lock', async () => {
    const store = await openStore(file);
    const lock = await store.lockRun('gateway');
    const [name = ''] = (await fs.readdir(path.dirname(file))).filter((one) => one.endsWith('.lock'));
    const held = path.join(path.dirname(file), name);
    const text = await fs.readFile(held, 'utf8');
    await lock.release();
    await fs.writeFile(held, text.replace(/"host":"[^"]*"/, '"host":"gone-1"'));
    const busy = await store.lockRun('gateway').catch((error: unknown) => error as CtctError);
    expect(busy).to.be.instanceOf(CtctError).with.property('code', 'RUN_BUSY');
    expect((busy as CtctError).message).to.match(
      new RegExp(
        `by process \\d+ on gone-1; wait for it, or end it first; if that is no more, delete .*/${name}$`,
      ),
    );
    await fs.rm(held);
    await (await store.lockRun('gateway')).release();
    await store.close();
  });

  it('holds nothing any more of what was deleted', async () => {
    const store = await openStore(file);
    const value = { errors: ['gone@example.com'.repeat(200)] };
    for (const key of ['a', 'b']) await store.records.write({ collection: 'c', key, value });
    await store.records.write({ collection: 'c', key: 'a' }, { collection: 'c', key: 'b' });
    await store.close();
    expect((await fs.readFile(file)).includes('gone@example.com')).to.equal(false);
  });

  it('shows a store to readers while it is written, and lets them change nothing', async () => {
    expect((await failure(openStore(file, { readOnly: true }))).code).to.equal('FILE_UNREADABLE');
    expect(await left()).to.deep.equal([]);
    await fs.writeFile(file, '', { mode: 0o600 });
    expect((await failure(openStore(file, { readOnly: true }))).message).to.include(
      'there is no store in it yet',
    );
    const store = await openStore(file);
    await store.queue.enqueue('a', { id: '1', body: null });
    const reader = await openStore(file, { readOnly: true });
    await store.queue.enqueue('a', { id: '2', body: null });
    const ids: string[] = [];
    for await (const { id } of reader.queue.jobs()) ids.push(id);
    expect(ids).to.deep.equal(['1', '2']);
    const error = await failure(reader.journal.append('run', 1));
    expect(error.code).to.equal('FILE_UNWRITABLE');
    expect(error.message).to.include('open for reading only');
    await store.close();
    await reader.close();
    // Of a file that was closed, or whose writer was killed, too.
    const later = await openStore(file, { readOnly: true });
    expect(await later.values.get('x')).to.equal(undefined);
    await later.close();
  });

  it('reads names that mean something in a URL', async () => {
    file = path.join(folder, 'a b?mode=rw#%41.db');
    await fill();
    expect(await left()).to.deep.equal(['a b?mode=rw#%41.db']);
    const reader = await openStore(file, { readOnly: true });
    for await (const { number } of reader.journal.read('run')) expect(number).to.equal(1);
    await reader.close();
  });

  it('refuses a file that others can read, and what is no file', async () => {
    await fill();
    await fs.chmod(file, 0o640);
    const error = await failure(openStore(file));
    expect(error.code).to.equal('CREDENTIALS_EXPOSED');
    expect(error.message).to.include(`(mode 640); run: chmod 600 ${file}`);
    expect((await failure(openStore(folder))).code).to.equal('FILE_UNREADABLE');
    expect((await failure(openStore(file, { busyTimeout: 0.5 }))).code).to.equal('OPTION_INVALID');
  });

  it('says why a file cannot be made', async () => {
    const none = await failure(openStore(path.join(folder, 'none', 'state.db')));
    expect(none.code).to.equal('FILE_UNWRITABLE');
    expect(none.message).to.include('the folder does not exist');
    if (process.platform !== 'linux') return;
    // Nobody may make files there, whoever runs the tests.
    const sealed = await failure(openStore('/sys/ctct-state.db'));
    expect(sealed.code).to.equal('FILE_UNWRITABLE');
    expect(sealed.message).to.match(/permission denied|read-only/);
  });

  it('refuses a database of another program, and a format of later days', async () => {
    for (const [sql, words] of [
      ['CREATE TABLE theirs (x)', 'another program'],
      ['PRAGMA user_version = 7', 'another program'],
      ['PRAGMA application_id = 1668572020; PRAGMA user_version = 2', 'has format 2, this version reads 1'],
    ] as const) {
      const db = new Libsql(file);
      db.exec(sql);
      db.close();
      await fs.chmod(file, 0o600);
      const bytes = await fs.readFile(file);
      for (const readOnly of [false, true]) {
        const error = await failure(openStore(file, { readOnly }));
        expect(error.code, sql).to.equal('STORE_INCOMPATIBLE');
        expect(error.message).to.include(words);
        expect(Buffer.compare(await fs.readFile(file), bytes), 'is left as it was').to.equal(0);
        expect(await left()).to.deep.equal(['state.db']);
      }
      await fs.rm(file);
    }
  });

  it('never takes a damaged file for whole, nor fails with an error that is none of ours', async () => {
    await fill(400);
    const whole = await fs.readFile(file);
    expect(whole.length).to.be.greaterThan(80_000);
    const page = 4096;
    let refused = 0;
    for (let at = 0; at < whole.length; at += page) {
      const bytes = Buffer.from(whole);
      bytes.fill(0xa5, at, at + 200);
      await fs.writeFile(file, bytes);
      const error = await failure(openStore(file));
      expect(['STORE_DAMAGED', 'STORE_INCOMPATIBLE', 'FILE_UNREADABLE'], error.message).to.include(
        error.code,
      );
      if (error.code === 'STORE_DAMAGED') refused++;
      for (const name of await left()) if (name !== 'state.db') await fs.rm(path.join(folder, name));
    }
    expect(refused).to.be.at.least(whole.length / page - 1);
    await fs.writeFile(file, whole.subarray(0, whole.length / 2));
    expect((await failure(openStore(file))).code).to.equal('STORE_DAMAGED');
    await fs.writeFile(file, 'a contact file, perhaps');
    expect((await failure(openStore(file))).code).to.equal('STORE_DAMAGED');
  });

  it('gives up in time on a file that another keeps locked', async () => {
    await fill();
    const db = new Libsql(file);
    const store = await openStore(file, { busyTimeout: 20 });
    db.exec('BEGIN IMMEDIATE');
    const error = await failure(store.journal.append('run', 1));
    expect(error.code).to.equal('STORE_BUSY');
    expect(error.message).to.include('another process keeps the store locked');
    // Who only reads does not wait.
    expect(await store.values.get('x')).to.equal(undefined);
    db.exec('ROLLBACK');
    db.close();
    expect(await store.journal.append('run', 1)).to.equal(2);
    await store.close();
  });

  it('says that the disk is full, keeps what was there, and goes on when there is room', async () => {
    await fill();
    const db = new Libsql(file);
    const pages = (count: number) => db.prepare(`PRAGMA max_page_count = ${count}`).get();
    const store = storeOver(connectionTo(db, file), file);
    const { max_page_count: used } = pages(1) as { max_page_count: number };
    pages(used + 2);
    let kept = 1;
    let error: CtctError | undefined;
    while (error === undefined && kept < 1000) {
      const act = store.journal.append('run', 'y'.repeat(500), 'y'.repeat(500));
      error = await act.then(
        () => ((kept += 2), undefined),
        (reason: unknown) => reason as CtctError,
      );
    }
    expect(error?.code).to.equal('FILE_UNWRITABLE');
    expect(error?.message).to.include('the disk is full');
    pages(1_000_000);
    expect(await store.journal.append('run', 'z')).to.equal(kept + 1);
    await store.close();
  });

  it('keeps every commit on the disk, and its tables strict', async () => {
    const store = await openStore(file);
    const db = new Libsql(file);
    expect(db.prepare('PRAGMA journal_mode').get()).to.include({ journal_mode: 'wal' });
    prepareWriting(db, file);
    const closed = new Libsql(file);
    closed.close();
    expect(() => prepareWriting(closed, file)).to.throw(CtctError, 'the database refused');
    expect(db.prepare('PRAGMA synchronous').get(), 'FULL').to.include({ synchronous: 2 });
    expect(db.prepare('PRAGMA foreign_keys').get()).to.include({ foreign_keys: 1 });
    const tables = db.prepare("SELECT sql FROM sqlite_schema WHERE type = 'table'").all() as {
      sql: string;
    }[];
    expect(tables.length).to.be.greaterThan(4);
    for (const { sql } of tables) expect(sql).to.match(/\) STRICT(?:, WITHOUT ROWID)?$/);
    db.close();
    await store.close();
  });

  it('is not loaded before it is needed, and says so when it cannot be', () => {
    const script = `const { openStore } = await import('./src/store/sqlite.ts');
      const loaded = () => process.report.getReport().sharedObjects.some((file) => /libsql/.test(file));
      const before = loaded();
      const said = await openStore(${JSON.stringify(file)}).then(() => 'open', (error) => error.toJSON());
      console.log(JSON.stringify([before, loaded(), said]));`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', script];
    const run = (env: Record<string, string>): unknown =>
      JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, ...env } }));
    expect(run({})).to.deep.equal([false, true, 'open']);
    // With this it looks for its engine where there is none.
    const message = `a store needs the package libsql, which has no build for this machine (${process.platform} ${process.arch})`;
    const error = { name: 'UnsupportedError', code: 'UNSUPPORTED', message };
    expect(run({ LIBSQL_JS_DEV: '1' })).to.deep.equal([false, false, error]);
  });

  it('gives up nothing when work fails half-way', async () => {
    const failing = { code: 'SQLITE_IOERR_WRITE' };
    const said: string[] = [];
    const connection = connectionTo(
      {
        inTransaction: true,
        exec: (sql) => said.push(sql),
        prepare: () => {
          throw Object.assign(new Error('disk I/O error'), failing);
        },
        close: () => said.push('close'),
      },
      'state.db',
    );
    const error = await failure(connection.write((sql) => sql.get('SELECT 1')));
    expect(error.message).to.equal('cannot write state.db: the disk failed (SQLITE_IOERR_WRITE)');
    expect(said).to.deep.equal(['BEGIN IMMEDIATE', 'ROLLBACK']);
    const odd = await failure(connection.read(() => JSON.parse('{') as unknown));
    expect(odd.code).to.equal('FILE_UNREADABLE');
    expect(odd.message).to.equal('cannot read state.db: the database refused (no code)');
  });

  it('keeps the time of a claim apart from that of the machine', async () => {
    const store = await openStore(file);
    await store.queue.enqueue('a', { id: '1', body: null });
    const { lease } = await store.queue.claim('w', 1000, NOW);
    await store.close();
    const again = await openStore(file);
    expect(await again.queue.claim('w', 1000, NOW + 999)).to.deep.equal({
      lease: undefined,
      readyAt: NOW + 1000,
    });
    expect((await again.queue.claim('v', 1000, NOW + 1000)).lease).to.include({ id: '1', attempt: 2 });
    expect((await failure(again.queue.complete(lease!.token, NOW + 1001))).code).to.equal('LEASE_LOST');
    await again.close();
  });
});
