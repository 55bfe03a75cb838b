import { expect } from 'chai';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createEmulator, type Emulator } from '../../src/emulator/emulator.js';
import { CREDENTIALS } from './harness.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The command line as a process of its own. */
class Child {
  stdout = '';
  stderr = '';
  readonly exit: Promise<number | null>;
  readonly process: ChildProcessWithoutNullStreams;

  constructor(argv: readonly string[], env: Record<string, string> = {}) {
    this.process = spawn(process.execPath, ['--import', 'tsx', MAIN, ...argv], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, ...env },
    });
    this.process.stdout.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.process.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exit = once(this.process, 'close').then(([code]) => code as number | null);
  }

  async says(where: 'stdout' | 'stderr', text: string): Promise<void> {
    while (!this[where].includes(text)) await once(this.process[where], 'data');
  }
}

describe('the process ctct', function () {
  this.timeout(30_000);
  let emulator: Emulator;
  let env: Record<string, string>;

  before(async () => {
    // Jobs that never end while a test runs.
    emulator = createEmulator({ latency: { pending: 3_600_000, queued: 0, running: 0 }, pageSize: 5 });
    const { url } = await emulator.listen();
    env = { CTCT_BASE_URL: url, CTCT_USER: 'joesflowers', ...CREDENTIALS };
  });

  after(() => emulator.close());

  it('ends with the exit code, data on stdout and talk on stderr', async () => {
    const lists = new Child(['lists', '--output', 'csv'], env);
    const wrong = new Child(['lits']);
    expect(await lists.exit).to.equal(0);
    expect(lists.stdout).to.match(/^id,name,contactCount,/);
    expect(lists.stderr).to.equal('');
    expect(await wrong.exit).to.equal(2);
    expect(wrong.stdout).to.equal('');
    expect(wrong.stderr).to.contain("unknown command 'lits'");
  });

  it('says at Ctrl-C that the activity goes on, and how to wait for it again', async () => {
    const child = new Child(['export', '--list', '1', '--wait'], env);
    await child.says('stderr', 'PENDING');
    child.process.kill('SIGINT');
    expect(await child.exit).to.equal(130);
    expect(child.stderr).to.match(
      /ctct: interrupted; activity (a07e\w+) goes on .*\n {2}go on waiting: ctct wait \1\n$/,
    );
    expect(child.stdout).to.equal('');
  });

  it('ends at the first Ctrl-C while it reads contacts from stdin', async () => {
    const child = new Child(['add', '-', '--list', '1'], env);
    // More than a pipe holds: when it is gone, the child reads, and waits for more.
    const contacts = `Email Address\n${'ann@example.com\n'.repeat(20_000)}`;
    await new Promise((resolve) => child.process.stdin.write(contacts, resolve));
    child.process.kill('SIGINT');
    expect(await child.exit).to.equal(130);
    expect([child.stdout, child.stderr]).to.deep.equal(['', 'ctct: interrupted\n']);
  });

  it('ends quietly when its reader goes away', async () => {
    const account = emulator.account('joesflowers')!;
    for (let count = 0; count < 20; count++) {
      await account.create({ activityType: 'EXPORT_CONTACTS', listId: '1' });
    }
    const child = new Child(['list', '--output', 'ndjson'], env);
    await child.says('stdout', '\n');
    child.process.stdout.destroy();
    expect(await child.exit).to.equal(0);
    expect(child.stderr).to.equal('');
  });

  it('as an emulator prints its URL first, and ends with 0 on SIGTERM', async () => {
    const child = new Child(['emulator']);
    await child.says('stderr', 'Ctrl-C ends it');
    const url = /^(http:\/\/127\.0\.0\.1:\d+)\n/.exec(child.stdout)?.[1];
    const lists = new Child(['lists', '--output', 'ndjson'], { ...env, CTCT_BASE_URL: url! });
    expect(await lists.exit).to.equal(0);
    child.process.kill('SIGTERM');
    expect(await child.exit).to.equal(0);
  });
});
