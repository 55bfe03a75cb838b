import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { planText } from '../../src/migrate/plan-id.js';
import { setRunStage } from '../migrate/run-stage.js';
import { LINE_KINDS, wrongLine } from '../support/output-schema.js';
import { ctct, emulated, leapingClock, type Ran, type Setup } from './harness.js';
import { served } from './served.js';

const CONTACTS = 'Email Address\nann@example.com\nnobody\n';
const ACCOUNTS = `accounts:
  - user: joesflowers
    signIn: { basic: { password: "env:OLD" } }
    target: { apiKey: "env:K", accessToken: "env:T", baseUrl: "http://127.0.0.1:9" }
`;

describe('the lines of --output ndjson', function () {
  this.timeout(30_000);
  const seen = new Set<string>();
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ctct-lines-'));
  });
  after(() => rm(folder, { recursive: true }));

  const at = (name: string) => path.join(folder, name);

  /** The records of a run, each by the schema of its kind. */
  function records({ stdout, stderr }: Ran): Record<string, unknown>[] {
    expect(stdout.lines, stderr.text).not.to.have.length(0);
    return stdout.lines.map((line) => {
      expect(wrongLine(line), line).to.equal(undefined);
      const record = JSON.parse(line) as Record<string, unknown>;
      seen.add(String(record.kind));
      return record;
    });
  }

  const kindsOf = async (line: string, ran: Promise<Ran>) => {
    const kinds = new Set(records(await ran).map(({ kind }) => kind));
    expect(kinds.size, line).to.equal(1);
    return [...kinds][0];
  };

  it('are by their schema: of what speaks to an account', async () => {
    const { ctct: run } = emulated();
    const kindOf = (line: string, setup?: Setup) =>
      kindsOf(line, run([...line.split(' '), '--output', 'ndjson'], setup));
    expect(await kindOf('lists')).to.equal('list');
    const added = await run(['add', '-', '--list', '2', '--wait', '--output', 'ndjson'], { input: CONTACTS });
    const [{ id } = { id: '' }] = records(added);
    expect(await kindOf(`show ${String(id)}`)).to.equal('activity');
    expect(await kindOf(`show ${String(id)} --errors`)).to.equal('activity-error');
    expect(await kindOf(`wait ${String(id)}`)).to.equal('activity');
    expect(await kindOf('list')).to.equal('activity');
    expect(await kindOf('remove - --list 2 --yes', { input: CONTACTS })).to.equal('activity');
    expect(await kindOf('clear --list 5 --yes')).to.equal('activity');
    expect(await kindOf('clear --list 5 --dry-run')).to.equal('request');
    expect(await kindOf(`export --list 2 --out ${at('list2.csv')}`)).to.equal('download');
    expect(await kindOf('config show')).to.equal('setting');
    expect(await kindOf('config show --origin')).to.equal('setting');
  });

  it('are by their schema: of archives and requests, and of the demo', async () => {
    const kindOf = (line: string, setup?: Setup) =>
      kindsOf(line, ctct([...line.split(' '), '--output', 'ndjson'], setup));
    expect(await kindOf('archive read samples/damaged-archive.xml')).to.equal('activity');
    expect(await kindOf('archive check samples/damaged-archive.xml')).to.equal('problem');
    expect(await kindOf('translate samples/ws-calls.har')).to.equal('translation');
    expect(await kindOf(`demo --out ${at('demo.csv')}`, { clock: leapingClock() })).to.equal('demo');
  });

  it('are by their schema: of migrations', async () => {
    const stage = await setRunStage({ joe: [{ add: ['a@example.com', 'no address'], lists: ['1'] }] });
    try {
      const setup = { fetch: stage.emulator.fetch, clock: stage.clock, env: stage.env };
      const kindOf = (line: string) =>
        kindsOf(line, ctct(['migrate', ...line.split(' '), '--output', 'ndjson'], setup));
      await writeFile(at('a.csv'), CONTACTS);
      expect(await kindOf(`plan ${at('a.csv')} --list 1 --offline --out ${at('a.json')}`)).to.equal(
        'planned-account',
      );
      const plan = path.join(stage.folder, 'plan.json');
      await writeFile(plan, planText(stage.plan));
      expect(await kindOf(`run ${plan} --dry-run`)).to.equal('migration-step');
      expect(await kindOf(`status ${plan}`)).to.equal('migration-account');
      expect(await kindOf(`run ${plan} --no-verify`)).to.equal('migrated-account');
      expect(await kindOf(`status ${plan}`)).to.equal('migration-account');
    } finally {
      await stage.dispose();
    }
  });

  it('are by their schema: of what serves', async () => {
    const env = { OLD: 'old', K: 'key', T: 'token' };
    await writeFile(at('accounts.yaml'), ACCOUNTS);
    const lines = async (line: string) => {
      const ran = await served([...line.split(' '), '--output', 'ndjson'], () => Promise.resolve(), { env });
      return records(ran).map(({ kind }) => kind);
    };
    expect(await lines('emulator')).to.deep.equal(['emulator']);
    const store = ['--store', at('store')];
    const accounts = ['--accounts', at('accounts.yaml')];
    expect(await lines(['gateway', ...accounts, ...store, '--port', '0'].join(' '))).to.deep.equal([
      'gateway',
    ]);
    const kindOf = (...argv: string[]) =>
      kindsOf(argv.join(' '), ctct(['gateway', ...argv, '--output', 'ndjson'], { env }));
    expect(await kindOf('check', ...accounts, '--offline')).to.equal('finding');
    expect(await kindOf('purge', ...store, '--yes')).to.equal('purge');
  });

  it('are of every kind that the schema has', () => {
    expect([...seen].sort()).to.deep.equal([...LINE_KINDS].sort());
  });
});
