import fs from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { planText } from '../../src/migrate/plan-id.js';
import type { MigrationPlan } from '../../src/migrate/plan.js';
import { membersAfter, setRunStage, type RunStage, type Sketch } from '../migrate/run-stage.js';
import { ctct, envelope, type Ran, type Setup } from './harness.js';

const SKETCH: Sketch = {
  joe: [
    { add: ['a@example.com', 'b@example.com'], lists: ['1'] },
    { remove: ['a@example.com'], lists: ['1'] },
  ],
  ann: [{ add: ['d@example.com', 'no address'], lists: ['2'] }],
};

describe('ctct migrate run and pause', function () {
  this.timeout(20_000);
  let stage: RunStage;
  let file: string;
  beforeEach(async () => {
    stage = await setRunStage(SKETCH);
    file = path.join(stage.folder, 'plan.json');
    await write(stage.plan);
  });
  afterEach(() => stage.dispose());

  const at = (name: string) => path.join(stage.folder, name);
  const write = (plan: MigrationPlan) => fs.writeFile(file, planText(plan));
  const migrate = (argv: readonly string[], setup: Setup = {}): Promise<Ran> =>
    ctct(['migrate', ...argv], {
      fetch: stage.emulator.fetch,
      clock: stage.clock,
      random: () => 0.5,
      env: stage.env,
      ...setup,
    });
  const run = (...more: string[]) => migrate(['run', file, ...more]);

  it('shows what it would send, and writes nothing', async () => {
    await fs.rmdir(stage.stateFolder);
    const ran = await run('--dry-run');
    expect([ran.exit, ran.stderr.lines]).to.deep.equal([
      0,
      ['All is there; nothing was sent. To begin, leave --dry-run out.'],
    ]);
    expect(ran.stdout.lines.map((line) => line.replace(/ +/g, ' '))).to.deep.equal([
      'Step Type File Lists Parts to send Done Rows Size Check',
      `joe/1 ADD_CONTACTS ${at('joe-0.csv')} 1 1 0 2 ${size('joe/1')} ok`,
      `joe/2 REMOVE_CONTACTS_FROM_LISTS ${at('joe-1.csv')} 1 1 0 1 ${size('joe/2')} ok`,
      `ann/1 ADD_CONTACTS ${at('ann-0.csv')} 2 1 0 2 ${size('ann/1')} ok`,
    ]);
    expect(await fs.readdir(stage.folder)).not.to.include('plan.state');
    await fs.appendFile(path.join(stage.folder, 'joe-1.csv'), 'late@example.com\n');
    const changed = await run('--dry-run', '--output', 'json');
    expect(changed.exit).to.equal(1);
    expect(changed.stderr.text).to.include('joe-1.csv: is not the file that step joe/2 was planned with');
    const { data } = envelope(changed) as { data: { step: string; problem: string | null }[] };
    expect(data.map(({ problem }) => problem !== null)).to.deep.equal([false, true, false]);
  });

  function size(id: string): string {
    const step = stage.plan.accounts.flatMap(({ steps }) => steps).find((one) => one.id === id)!;
    const [part] = step.parts;
    return 'bytes' in part ? `${part.bytes} bytes` : '';
  }

  it('runs, tells how it goes, and ends with what came of each account', async () => {
    const ran = await run();
    expect(ran.exit, ran.stderr.text).to.equal(3);
    expect(ran.stdout.lines.map((line) => line.replace(/ +/g, ' '))).to.deep.equal([
      'Account State Parts of Rows of Refused rows Differences',
      'joe finished 2 2 3 3 0 0',
      'ann finished 1 1 2 2 1 0',
    ]);
    expect(ran.stderr.text).to.match(/^\[-{10}\] 0 % {2}0 of 3 parts, 0 of 2 accounts/);
    expect(ran.stderr.text).to.include('joe: finished, 2 parts\n').and.include('ann: finished, 1 part\n');
    expect(ran.stderr.text).to.match(/about \d+ s left/);
    expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
    const again = await run('--output', 'json');
    expect([again.exit, again.stderr.text]).to.deep.equal([3, '']);
    expect(envelope(again)).to.deep.include({ kind: 'migrated-accounts' });
    const check = await run('--dry-run');
    expect(check.stderr.lines).to.deep.equal(['Nothing is left to be sent.']);
  });

  it('refuses what nobody has accepted, and accounts that are not there', async () => {
    const lossy = { ...stage.plan, losses: [{ code: 'COLUMN_IGNORED' as const, count: 1 }] };
    const { planId } = await import('../../src/migrate/plan-id.js');
    await write({ ...lossy, id: planId(lossy) });
    const ran = await run();
    expect(ran.exit).to.equal(2);
    expect(ran.stderr.text).to.include('accept it: --accept COLUMN_IGNORED');
    expect((await run('--dry-run')).exit).to.equal(2);
    expect((await run('--accept', 'column-ignored', '--only', 'bob')).stderr.text).to.include(
      'the plan has no account bob; it has joe, ann',
    );
    expect((await run('--accept', 'COLUMN_IGNORED', '--only', 'joe', '--no-verify')).exit).to.equal(0);
    expect(stage.emulator.requests.matching().some(({ path: asked }) => asked.includes('export'))).to.equal(
      false,
    );
  });

  it('says how to go on with all that was said the first time', async () => {
    const lossy = { ...stage.plan, losses: [{ code: 'COLUMN_IGNORED' as const, count: 1 }] };
    const { planId } = await import('../../src/migrate/plan-id.js');
    await write({ ...lossy, id: planId(lossy) });
    stage.emulator.faults.add({
      action: { type: 'status', status: 400 },
      match: { method: 'POST', path: 'activities/addcontacts' },
    });
    const state = at('elsewhere');
    const ran = await run('--accept', 'COLUMN_IGNORED', '--only', 'joe', '--state', state);
    expect(ran.stderr.text).to.include(
      `ctct migrate run ${file} --state ${state} --accept COLUMN_IGNORED --only joe --retry\n`,
    );
  });

  it('looks for an upload whose answer was lost as long as it is told to', async () => {
    stage.emulator.faults.add({
      action: { type: 'status', status: 502 },
      match: { method: 'POST', path: 'activities/addcontacts' },
      times: 1,
    });
    const began = stage.clock.now();
    const ran = await run('--only', 'ann', '--no-verify', '--quiet-period', '20m');
    expect(ran.exit, ran.stderr.text).to.equal(3);
    expect(stage.clock.now() - began).to.be.within(20 * 60_000, 30 * 60_000);
    expect(await stage.jobs()).to.deep.equal({ joe: 0, ann: 1 });
  });

  it('shows no secret, whatever the service says, and takes a new token from its file', async () => {
    const token = at('ann.token');
    await fs.writeFile(token, 'token-that-has-ended\n', { mode: 0o600 });
    const accounts = stage.plan.accounts.map((one) =>
      one.account === 'ann'
        ? { ...one, target: { ...one.target, accessToken: `file:${token}` as const } }
        : one,
    );
    const { planId } = await import('../../src/migrate/plan-id.js');
    const plan = { ...stage.plan, accounts };
    await write({ ...plan, id: planId(plan) });
    const fetch = async (input: string | URL | Request, init?: RequestInit) => {
      const answer = await stage.emulator.fetch(input, init);
      if (answer.status !== 401) return answer;
      await fs.writeFile(token, stage.env.TOKEN_ann ?? '');
      return answer;
    };
    stage.emulator.faults.add({
      action: { type: 'status', status: 400, body: `no ${stage.env.TOKEN_ann ?? ''} ${stage.env.KEY ?? ''}` },
      match: { method: 'POST', path: 'activities/addcontacts' },
    });
    const ran = await migrate(['run', file, '--only', 'ann'], { fetch });
    expect(ran.exit, ran.stderr.text).to.equal(1);
    expect(ran.stdout.text + ran.stderr.text).to.include('400');
    for (const secret of [stage.env.TOKEN_ann ?? '', stage.env.KEY ?? '', 'token-that-has-ended']) {
      expect(secret).not.to.equal('');
      expect(ran.stdout.text + ran.stderr.text).not.to.include(secret);
    }
  });

  it('names credentials that are missing, before anything is sent', async () => {
    const ran = await migrate(['run', file], { env: { ...stage.env, TOKEN_ann: '' } });
    expect(ran.exit).to.equal(4);
    expect(ran.stderr.text).to.include('account ann: access token: the variable TOKEN_ann is not set');
    expect(stage.emulator.requests.length).to.equal(0);
  });

  describe('by the settings', () => {
    const planId = async (plan: MigrationPlan) => (await import('../../src/migrate/plan-id.js')).planId(plan);

    it('reaches a host by plain http that a file of settings names', async () => {
      const accounts = stage.plan.accounts.map((one) => ({
        ...one,
        target: { ...one.target, baseUrl: 'http://v2.example.com' },
      }));
      const plan = { ...stage.plan, accounts };
      await write({ ...plan, id: await planId(plan) });
      const refused = await run('--no-verify');
      expect([refused.exit, refused.stderr.lines.at(0)]).to.deep.equal([
        2,
        'ctct: baseUrl: http://v2.example.com would send the credentials unencrypted; use https://v2.example.com, or ' +
          "allow it by name: allowHttp: ['v2.example.com']",
      ]);
      expect(stage.calls).to.deep.equal([]);
      await fs.writeFile(at('config.json'), JSON.stringify({ allowHttp: ['v2.example.com'] }));
      expect((await run('--no-verify', '--config', at('config.json'))).exit).to.equal(3);
      expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
    });

    it('gives a call up in time', async () => {
      const fetch: typeof globalThis.fetch = (_, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => {
            reject(init.signal?.reason as Error);
          });
        });
      const words = ['run', file, '--only', 'ann', '--no-verify', '--give-up', '1m'];
      const wrong = await migrate([...words, '--timeout', 'soon'], { fetch });
      expect([wrong.exit, wrong.stderr.lines[0]]).to.deep.equal([
        2,
        'ctct: --timeout: must be a time such as 90s, 30m or 2h (at most 24d), got "soon"',
      ]);
      const late = await migrate(words, { fetch, env: { ...stage.env, CTCT_TIMEOUT: '5ms' } });
      expect([late.exit, late.stderr.text.includes('within 5 ms')], late.stderr.text).to.deep.equal([
        5,
        true,
      ]);
    });

    it('tells of each call with --verbose, by account, without a secret', async () => {
      const { stderr } = await run('--no-verify', '--verbose');
      const calls = (account: string) =>
        stderr.lines.filter((line) => line.startsWith(`${account}: POST https://`)).length;
      expect([calls('joe'), calls('ann')], stderr.text).to.deep.equal([2, 1]);
      for (const secret of Object.values(stage.env)) expect(stderr.text).not.to.include(secret);
    });
  });

  it('holds accounts and says how to go on, with an exit code for each reason', async () => {
    const { faults } = stage.emulator;
    for (const [status, exit, state] of [
      [401, 4, 'held'],
      [400, 1, 'held'],
      [503, 5, 'given up for now'],
    ] as const) {
      faults.clear();
      faults.add({
        action: { type: 'status', status },
        match: { method: 'POST', path: 'activities/*contacts' },
      });
      const ran = await run('--no-verify', '--retry', '--give-up', '1m');
      expect(ran.exit, `${status}: ${ran.stderr.text}`).to.equal(exit);
      expect(ran.stdout.text).to.include(state);
      const hint =
        status === 503
          ? `Try again later: ctct migrate run ${file}\n`
          : `When that is mended: ctct migrate run ${file}${status === 400 ? ' --retry' : ''}\n`;
      expect(ran.stderr.text).to.include(hint);
      if (status === 503)
        expect(ran.stderr.text).to.match(/joe: POST of .* 503 .*; trying again at \d\d:\d\d:\d\d UTC/);
    }
    faults.clear();
    faults.add({
      action: { type: 'status', status: 500 },
      match: { method: 'POST', path: 'activities/*contacts' },
    });
    expect((await run('--no-verify', '--retry')).exit).to.equal(6);
    faults.clear();
    expect((await run('--no-verify', '--retry')).exit).to.equal(3);
    expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
  });

  it('pauses when it is interrupted, and goes on with its state elsewhere', async () => {
    const state = path.join(stage.folder, 'elsewhere');
    const interrupt = new AbortController();
    const fetch = async (input: string | URL | Request, init?: RequestInit) => {
      const answer = await stage.emulator.fetch(input, init);
      if (String(input instanceof Request ? input.url : input).includes('addcontacts')) interrupt.abort();
      return answer;
    };
    const ran = await migrate(['run', file, '--state', state, '--no-verify'], {
      fetch,
      signal: interrupt.signal,
    });
    expect(ran.exit).to.equal(130);
    expect(ran.stderr.text).to.include(
      'Pausing: the requests in hand are let through. Once more leaves at once.',
    );
    expect(ran.stderr.text).to.include(`Paused. Go on: ctct migrate run ${file} --state ${state}`);
    const before = await migrate(['run', file, '--state', state], { signal: interrupt.signal });
    expect(before.exit, 'interrupted before it began').to.equal(130);
    expect((await migrate(['run', file, '--state', state, '--no-verify'])).exit).to.equal(3);
    expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
    expect(await stage.jobs()).to.deep.equal({ joe: 2, ann: 1 });
  });

  it('is paused from another terminal', async () => {
    const nobody = await migrate(['pause', file, '--state', at('none')]);
    expect([nobody.exit, nobody.stderr.text]).to.deep.equal([
      2,
      `ctct: ${file}: nobody runs this plan now\n`,
    ]);
    let paused: Promise<Ran> | undefined;
    // As slow as it takes another terminal.
    const fetch = async (input: string | URL | Request, init?: RequestInit) => {
      const answer = await stage.emulator.fetch(input, init);
      paused ??= migrate(['pause', file], {
        clock: { now: Date.now, sleep: () => new Promise((r) => setTimeout(r, 5)) },
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      return answer;
    };
    const ran = await migrate(['run', file], { fetch });
    expect(ran.exit).to.equal(130);
    expect(ran.stderr.lines).to.include('Pausing: the requests in hand are let through.');
    const { exit, stderr } = (await paused)!;
    expect([exit, stderr.lines.at(-1)]).to.deep.equal([0, `Paused. Go on: ctct migrate run ${file}`]);
    expect((await migrate(['pause', file])).exit).to.equal(2);
    expect((await run()).exit).to.equal(3);
    expect(stage.members()).to.deep.equal(membersAfter(SKETCH));
  });
});
