import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { AmbiguousCreateError } from '../../src/activity/errors.js';
import type { ActivityService } from '../../src/activity/service.js';
import { createEmulator, type Emulator } from '../../src/emulator/emulator.js';
import { WsClient } from '../../src/ws/client.js';
import { compile } from '../store/compiled.js';
import { createFaultProxy } from '../support/fault-proxy.js';
import type { Fault } from '../support/faults.js';

const ROWS = 20_000;
const CONTACTS = `Email Address\n${Array.from({ length: ROWS }, (_, index) => `a${index}@example.com\n`).join('')}`;
const CREDENTIALS = { scheme: 'basic', apiKey: 'key', user: 'joesflowers', password: 'password' } as const;

describe('an upload that is cut off by SIGKILL', function () {
  this.timeout(120_000);

  let code: string;
  before(async () => {
    code = await mkdtemp(path.join(tmpdir(), 'ctct-kill-code-'));
    await compile('test/chaos/create-child.ts', code, 'test/chaos/relay-child.ts');
  });
  after(() => rm(code, { recursive: true }));

  let folder: string;
  let file: string;
  let emulator: Emulator;
  let service: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ctct-kill-'));
    file = path.join(folder, 'contacts.csv');
    await writeFile(file, CONTACTS);
    const lists = ['1', '2', '3', '4', '5'].map((id) => ({ id, name: `List ${id}` }));
    emulator = createEmulator({
      accounts: [{ user: 'joesflowers', lists }],
      latency: { pending: 0, queued: 0, running: 0 },
    });
    service = (await emulator.listen()).url;
  });

  afterEach(async () => {
    await emulator.close();
    await rm(folder, { recursive: true, force: true });
  });

  function run(script: string, ...args: string[]): ChildProcess {
    const command = [path.join(code, 'test/chaos', script), ...args];
    return spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  const connect = (baseUrl: string, options = {}) =>
    new WsClient({ user: 'joesflowers', credentials: CREDENTIALS, baseUrl, ...options });

  /** As the account itself has them. */
  const activities = () => listed(emulator.account('joesflowers')!);

  async function members(list: string): Promise<number | undefined> {
    for await (const { id, contactCount } of emulator.account('joesflowers')!.lists()) {
      if (id === list) return contactCount;
    }
    return undefined;
  }

  const moments: readonly (readonly [string, Fault, number | undefined])[] = [
    ['before anything was sent', { kind: 'black-hole' }, 0],
    ['in the midst of the file', { kind: 'stall', side: 'request', at: { share: 0.5 } }, 0],
    ['when all was sent, and no answer came', { kind: 'lost-answer', ending: 'stall' }, 1],
    ['at some moment', { kind: 'none' }, undefined],
  ];
  for (const [index, [when, fault, wanted]] of moments.entries()) {
    it(`leaves all of it or nothing at the service, and can be taken up again: ${when}`, async () => {
      const list = String(index + 1);
      const proxy = await createFaultProxy(service, ({ method }) =>
        method === 'POST' ? fault : { kind: 'none' },
      );
      const isSending = () => proxy.exchanges.some(({ method }) => method === 'POST');
      const child = run('create-child.js', proxy.url, file, list);
      const closed = once(child, 'close');
      try {
        await until(async () => isSending() && (await activities()).length >= (wanted ?? 0));
        await pause(wanted === undefined ? Math.random() * 60 : 5);
        child.kill('SIGKILL');
        await closed;
      } finally {
        await proxy.close();
      }

      const made = await activities();
      expect(made).to.have.length.within(wanted ?? 0, wanted ?? 1);
      // Whoever comes next looks first, and sends again only what is not there.
      const client = connect(service);
      const [known] = await listed(client);
      expect(known).to.equal(made[0]);
      const id = known ?? (await client.addContacts({ contacts: { file }, lists: [list] })).id;
      expect((await client.waitForActivity(id)).transactionCount).to.equal(ROWS);
      expect(await activities()).to.deep.equal([id]);
      expect(await members(list)).to.equal(ROWS);
    });
  }

  it('of the way to the service: the client adopts what arrived, and does not double it', async () => {
    const outcome = await overKilledWay({ kind: 'lost-answer', ending: 'stall' }, 1);
    expect(await activities()).to.deep.equal([outcome]);
    expect(await members('1')).to.equal(ROWS);
  });

  it('of the way to the service: the client says so when nothing arrived, and does not send it again by itself', async () => {
    const outcome = await overKilledWay({ kind: 'stall', side: 'request', at: { share: 0.5 } }, 0);
    expect(outcome).to.be.instanceOf(AmbiguousCreateError).and.have.deep.property('candidates', []);
    expect(await activities()).to.deep.equal([]);
  });

  /** Uploads over a relay that is killed once the account has so many activities; the id, or the error. */
  async function overKilledWay(fault: Fault, made: number): Promise<unknown> {
    const relay = run('relay-child.js', service, '0', JSON.stringify(fault));
    const [address] = (await once(relay.stdout!, 'data')) as [Buffer];
    const url = String(address);
    let restarted: ChildProcess | undefined;
    let time = Date.now();
    const client = connect(url, {
      // The first pause lasts until the way is there again; the others, no time at all.
      clock: {
        now: () => time,
        async sleep(milliseconds: number) {
          if (restarted === undefined) {
            restarted = run('relay-child.js', service, new URL(url).port, '{"kind":"none"}');
            await once(restarted.stdout!, 'data');
          }
          time += milliseconds;
        },
      },
    });
    try {
      const outcome = client.addContacts({ contacts: { file }, lists: ['1'] }).then(
        ({ id }) => id,
        (error: unknown) => error,
      );
      // `creation`
      await once(relay.stdout!, 'data');
      await until(async () => (await activities()).length === made);
      await pause(20);
      relay.kill('SIGKILL');
      return await outcome;
    } finally {
      for (const child of [relay, restarted]) child?.kill('SIGKILL');
    }
  }
});

async function listed(service: ActivityService): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of service.list()) ids.push(id);
  return ids;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Processes take their time to start; the test's own time-out ends a wait in vain. */
async function until(holds: () => Promise<boolean>) {
  while (!(await holds())) await pause(5);
}
