import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStore } from '../../src/store/sqlite.js';
import type { Job, Store } from '../../src/store/store.js';
import { compile } from './compiled.js';

/** `CTCT_STORE_KILLS=1000` for the longer form. */
const KILLS = Number(process.env.CTCT_STORE_KILLS ?? '') || 20;
const KEYS = 7;
/** More than the children get done before they are killed. */
const JOBS = KILLS * 25;

interface Work {
  readonly id: string;
  readonly token: number;
  readonly worker: string;
}

describe('a store whose process is killed', function () {
  this.timeout(60_000 + KILLS * 2000);

  let code: string;
  let script: string;
  before(async () => {
    code = await fs.mkdtemp(path.join(tmpdir(), 'ctct-store-code-'));
    script = await compile('test/store/store-child.ts', code);
  });
  after(() => fs.rm(code, { recursive: true }));

  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(tmpdir(), 'ctct-store-'));
    file = path.join(folder, 'state.db');
  });
  afterEach(() => fs.rm(folder, { recursive: true }));

  /** A child at work; `lines` gets what it says was acknowledged. */
  function start(worker: string) {
    const child = spawn(process.execPath, [script, file, worker], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const closed = once(child, 'close');
    // A line that was cut off was not told in full.
    const lines = () =>
      said
        .split('\n')
        .slice(0, -1)
        .map((line) => line.split(' '));
    const opened = once(child.stdout, 'data');
    return { child, closed, opened, lines };
  }

  async function enqueue(count: number): Promise<void> {
    const store = await openStore(file);
    for (let key = 0; key < KEYS; key++) {
      const ids = Array.from({ length: count }, (_, index) => index).filter((index) => index % KEYS === key);
      await store.queue.enqueue(
        `key ${key}`,
        ...ids.map((id) => ({ id: `job ${id}`.replace(' ', '-'), body: id })),
      );
    }
    await store.close();
  }

  async function look(store: Store) {
    const jobs: Job[] = [];
    for await (const job of store.queue.jobs()) jobs.push(job);
    const journal: Work[] = [];
    for await (const { number, record } of store.journal.read('run')) {
      expect(number, 'without gaps').to.equal(journal.length + 1);
      journal.push(record as Work);
    }
    return { jobs, journal };
  }

  /** Holds at any time, whatever was killed: of each key the jobs end in their order, and in that of their tokens. */
  function checkOrder(jobs: readonly Job[], journal: readonly Work[]) {
    const tokens = new Map(journal.map(({ id, token }) => [id, token]));
    for (let key = 0; key < KEYS; key++) {
      const ofKey = jobs.filter((job) => job.key === `key ${key}`);
      const states = ofKey
        .map(({ state }) => (state === 'done' ? 'd' : state === 'leased' ? 'l' : 'w'))
        .join('');
      expect(states).to.match(/^d*l?w*$/);
      const ended = ofKey.filter(({ state }) => state === 'done').map(({ id }) => tokens.get(id)!);
      expect(ended).to.deep.equal([...ended].sort((a, b) => a - b));
    }
  }

  it(`has all that was acknowledged, after ${KILLS} kills at random moments`, async () => {
    await enqueue(JOBS);
    const acknowledged = { appended: 0, done: new Map<string, string>(), tokens: [] as number[] };
    for (let kill = 0; kill < KILLS; kill++) {
      const { child, opened, closed, lines } = start(`w${kill}`);
      await opened;
      // At some line, and somewhere on the way to the next.
      const enough = Math.random() * 60;
      while (lines().length < enough && child.exitCode === null) {
        await Promise.race([once(child.stdout, 'data'), closed]);
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
      child.kill('SIGKILL');
      await closed;
      for (const [what, first = '', second = ''] of lines()) {
        if (what === 'claim') acknowledged.tokens.push(Number(second));
        if (what === 'append') acknowledged.appended = Number(first);
        if (what === 'done') {
          expect(acknowledged.done.has(first), `${first} is done once`).to.equal(false);
          acknowledged.done.set(first, `w${kill}`);
        }
      }
      const store = await openStore(file);
      const { jobs, journal } = await look(store);
      await store.close();
      // One more may have been written than was told.
      expect(journal.length).to.be.within(acknowledged.appended, acknowledged.appended + 1);
      acknowledged.appended = journal.length;
      const done = new Map(
        jobs.filter(({ state }) => state === 'done').map(({ id, result }) => [id, result]),
      );
      for (const [id, by] of acknowledged.done) expect(done.get(id)).to.deep.equal({ by });
      expect(done.size - acknowledged.done.size).to.be.within(0, 1);
      for (const [id, result] of done) acknowledged.done.set(id, (result as { by: string }).by);
      expect(jobs).to.have.length(JOBS);
      checkOrder(jobs, journal);
      const written = new Set(journal.map(({ id }) => id));
      for (const id of done.keys())
        expect(written.has(id), `${id} was written before it was done`).to.equal(true);
    }
    const { tokens } = acknowledged;
    expect(tokens, 'every token is new').to.deep.equal([...new Set(tokens)].sort((a, b) => a - b));
    expect(tokens.length, 'something was done').to.be.greaterThan(KILLS);
  });

  it('is worked on by several at once, some of them killed: no job is lost, none done twice', async () => {
    const count = 300;
    const workers = Array.from({ length: 3 }, (_, index) => start(`w${index}`));
    // The first of them makes the file, and all have opened it; they have nothing to do, or are given more.
    await enqueue(count);
    await Promise.all(workers.map(({ opened }) => opened));
    await Promise.all(workers.map(({ closed }) => closed));
    const killed = start('killed');
    await killed.opened;
    const others = [start('w3'), start('w4')];
    killed.child.kill('SIGKILL');
    const all = [...workers, killed, ...others];
    await Promise.all(all.map(({ closed }) => closed));
    for (const { lines } of [...workers, ...others]) expect(lines().at(-1)).to.deep.equal(['end']);

    const told = all.flatMap(({ lines }) => lines());
    const done = told.filter(([what]) => what === 'done').map(([, id]) => id);
    expect(new Set(done).size, 'none done twice').to.equal(done.length);
    const store = await openStore(file);
    const { jobs, journal } = await look(store);
    await store.close();
    expect(jobs.map(({ state }) => state)).to.deep.equal(Array.from({ length: count }, () => 'done'));
    checkOrder(jobs, journal);

    const calls = told.filter(([what]) => what === 'call').map(([, at]) => Number(at));
    calls.sort((a, b) => a - b);
    for (let index = 50; index < calls.length; index++) {
      expect(calls[index]! - calls[index - 50]!).to.be.at.least(1000);
    }
    expect(calls.length).to.be.at.least(50);
  });
});
