import { expect } from 'chai';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UsageError } from '../../src/activity/errors.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import { keepState } from '../../src/emulator/keep-state.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';

const BASE = 'http://localhost/ws/customers/joesflowers';
const authorization = `Basic ${Buffer.from('key%joesflowers:secret').toString('base64')}`;

const start = (running = false) => createEmulator({ clock: createVirtualClock({ running }) });

const clear = (emulator: ReturnType<typeof start>) =>
  emulator.fetch(`${BASE}/activities`, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: `${BASE}/lists/1` }),
  });

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds() && tries < 500; tries++)
    await new Promise((resolve) => setTimeout(resolve, 2));
  expect(holds()).to.equal(true);
}

describe('keepState', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'ctct-state-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('writes after requests that change something, and at the end', async () => {
    const file = path.join(folder, 'state.json');
    const emulator = start();
    const end = await keepState(emulator, file, { delay: 1 });
    await emulator.fetch(`${BASE}/activities`, { headers: { authorization } });
    const atFirst = readFileSync(file, 'utf8');
    await emulator.clock.advance('1s');
    await emulator.fetch(`${BASE}/activities`, { headers: { authorization } });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(readFileSync(file, 'utf8')).to.equal(atFirst);
    const id = /[^/]+$/.exec((await clear(emulator)).headers.get('location') ?? '')![0];
    await until(() => readFileSync(file, 'utf8').includes(id));
    await emulator.clock.advance('59s');
    emulator.seed({ user: 'ann' });
    await end();
    await clear(emulator);

    const other = start();
    await (
      await keepState(other, file)
    )();
    expect(other.accounts().map(({ user }) => user)).to.deep.equal(['joesflowers', 'ann']);
    expect(other.clock.now()).to.equal(Date.parse('2008-04-29T19:31:00Z'));
    expect(other.account('joesflowers')!.activityCount).to.equal(1);
  });

  it('goes on from the later of now and then, when the clock runs', async () => {
    const file = path.join(folder, 'state.json');
    const ahead = start();
    const end = await keepState(ahead, file);
    await ahead.clock.advance('1h');
    await end();
    const running = start(true);
    await (
      await keepState(running, file)
    )();
    expect(running.clock.now()).to.be.at.least(Date.parse('2008-04-29T20:30:00Z'));
    const later = createEmulator({
      clock: createVirtualClock({ running: true, now: '2010-01-01T00:00:00Z' }),
    });
    await (
      await keepState(later, file)
    )();
    expect(later.clock.now()).to.be.at.least(Date.parse('2010-01-01T00:00:00Z'));
    const real = createEmulator();
    await (
      await keepState(real, file)
    )();
    expect(real.account('joesflowers')!.activityCount).to.equal(0);
  });

  it('tells of a file that cannot be written, goes on, and tries again', async () => {
    const file = path.join(folder, 'gone', 'state.json');
    const emulator = start();
    const refusal = await keepState(emulator, file).catch((error: unknown) => error);
    expect(refusal).to.have.property('code', 'FILE_UNWRITABLE');
    mkdirSync(path.dirname(file));
    const errors: unknown[] = [];
    const end = await keepState(emulator, file, { delay: 1, onError: (error) => errors.push(error) });
    rmSync(path.dirname(file), { recursive: true });
    for (let count = 1; count <= 2; count++) {
      await clear(emulator);
      await until(() => errors.length === count);
    }
    expect(errors[0]).to.have.property('code', 'FILE_UNWRITABLE');
    const failure = await end().catch((error: unknown) => error);
    expect(failure).to.have.property('code', 'FILE_UNWRITABLE');
  });

  it('names the file when what is in it is no state, and tells what it found when it is', async () => {
    const file = path.join(folder, 'state.json');
    const half = { version: 1, now: '2008-04-29T19:30:00.000Z', accounts: [{ user: 'joesflowers' }] };
    writeFileSync(file, JSON.stringify(half));
    const failure = await keepState(start(), file).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(UsageError).and.to.include({ code: 'CONFIG_INVALID' });
    expect((failure as UsageError).message).to.include(file);
    expect(JSON.parse(readFileSync(file, 'utf8'))).to.deep.equal(half);

    rmSync(file);
    const found: string[] = [];
    for (let run = 0; run < 2; run++) {
      const end = await keepState(start(), file, { onFound: ({ now }) => found.push(now) });
      await end();
    }
    expect(found).to.deep.equal(['2008-04-29T19:30:00.000Z']);
  });
});
