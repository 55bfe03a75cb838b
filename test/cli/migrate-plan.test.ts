import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { timeWords } from '../../src/cli/plan-output.js';
import type { MigrationPlan } from '../../src/migrate/plan.js';
import { readPlan } from '../../src/migrate/read-plan.js';
import { ctct, emulated, envelope, type Ran, type Setup } from './harness.js';

const TOKEN = { CTCT_ACCESS_TOKEN: 'joesflowers' };

describe('ctct migrate plan', () => {
  let folder: string;
  const at = (...names: string[]) => path.join(folder, ...names);
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ctct-migrate-plan-'));
    await writeFile(
      at('a.csv'),
      'EMAIL ADDRESS,FIRST NAME\na@example.com,Ann\nb@example.com,Bob\nA@example.com,Ann\n',
    );
    await writeFile(at('b.csv'), 'EMAIL ADDRESS,MIDDLE NAME\na@example.com,M\n');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const plan = (): Promise<MigrationPlan> => readPlan(at('plan.json'));
  const planned = (argv: readonly string[], setup: Setup = {}) =>
    ctct(['migrate', 'plan', '--out', at('plan.json'), '--offline', ...argv], setup);
  const filesOf = ({ accounts }: MigrationPlan) =>
    accounts.map(({ account, steps }) => [
      account,
      ...steps.map((step) => `${'file' in step ? step.file : 'clear'} ${step.lists.join()}`),
    ]);

  it('writes a plan for its owner only, and says what it comes to', async () => {
    const ran = await planned([at('a.csv'), '--list', '2,5']);
    expect(ran.exit).to.equal(0);
    expect(ran.stdout.lines).to.deep.equal([
      'Account  Steps  Rows  Requests  Lists                         Losses',
      'default      1     2         1  2 (unchecked), 5 (unchecked)       0',
    ]);
    expect(ran.stderr.lines).to.deep.equal([
      '1 row will not be sent, as the same address comes again further down: the last one counts',
      `The plan is ${at('plan.json')}`,
      'It takes about 3 min at least, and 24 calls',
      `Try it without sending anything: ctct migrate run ${at('plan.json')} --dry-run`,
    ]);
    expect((await stat(at('plan.json'))).mode & 0o777).to.equal(0o600);
    expect(filesOf(await plan())).to.deep.equal([['default', `${at('a.csv')} 2,5`]]);
    const again = await planned([at('a.csv'), '--list', '2,5']);
    expect([again.exit, again.stderr.text]).to.satisfy(
      ([exit, text]: [number, string]) => exit === 2 && text.includes('--force'),
    );
    const text = await readFile(at('plan.json'), 'utf8');
    await planned([at('a.csv'), '--list', '2,5', '--force']);
    expect(await readFile(at('plan.json'), 'utf8')).to.equal(text);
    expect(await readdir(folder)).to.have.members(['a.csv', 'b.csv', 'plan.json']);
  });

  it('says what must be accepted by name, how, and exits with 9 until it is', async () => {
    const lossy = await planned([at('b.csv'), '--list', '2']);
    expect(lossy.exit).to.equal(9);
    expect(lossy.stderr.text).to.match(
      /warning: lost: default, \/.*b\.csv: heading: MIDDLE NAME: v2 takes this column and ignores it.*\(COLUMN_IGNORED\)/,
    );
    expect(lossy.stderr.lines.slice(-2)).to.deep.equal([
      'ctct: warning: it does not run until what is lost is accepted by name: COLUMN_IGNORED',
      `To go on without it: ctct migrate run ${at('plan.json')} --accept COLUMN_IGNORED`,
    ]);
    const accepted = await planned([at('b.csv'), '--list', '2', '--force', '--accept', 'column-ignored']);
    expect(accepted.exit).to.equal(0);
    expect(accepted.stderr.text).to.match(/^lost, as accepted: /);
    expect((await plan()).acceptedLosses).to.deep.equal(['COLUMN_IGNORED']);
    const kept = await planned([
      at('b.csv'),
      '--list',
      '2',
      '--force',
      '--into',
      'MIDDLE NAME=CUSTOM FIELD 15',
    ]);
    expect(kept.exit).to.equal(0);
    for (const [name, hint] of [
      ['COLUMN_IGNORD', 'did you mean COLUMN_IGNORED?'],
      ['FEW_CONTACTS', 'there are '],
      ['xyz', 'there are '],
    ] as const) {
      const refused = await planned([at('b.csv'), '--list', '2', '--force', '--accept', name]);
      expect([refused.exit, refused.stderr.text]).to.satisfy(
        ([exit, text]: [number, string]) => exit === 2 && text.includes(`"${name}" is no loss; ${hint}`),
      );
    }
  });

  it('puts the plan on stdout, or the accounts as JSON', async () => {
    const out = await ctct([
      'migrate',
      'plan',
      at('a.csv'),
      '--list',
      '2',
      '--offline',
      '--out',
      '-',
      '--quiet',
    ]);
    expect((JSON.parse(out.stdout.text) as MigrationPlan).kind).to.equal('migration-plan');
    const json = await planned([at('a.csv'), '--list', '2', '--output', 'json', '--remove']);
    expect(envelope(json)).to.deep.include({ kind: 'planned-accounts' });
    expect(envelope(json).data).to.deep.equal([
      { account: 'default', steps: 1, rows: 2, parts: 1, lists: '2 (unchecked)', losses: 0 },
    ]);
    expect((await plan()).accounts[0]?.steps[0]?.activityType).to.equal('REMOVE_CONTACTS_FROM_LISTS');
  });

  it('refers to the credentials that the environment has, and holds none', async () => {
    const env = {
      CTCT_USER: 'joe',
      CTCT_API_KEY: 'k-secret',
      CTCT_ACCESS_TOKEN_FILE: at('token'),
      CTCT_BASE_URL: 'http://127.0.0.1:1',
    };
    await planned([at('a.csv'), '--list', '2'], { env });
    const { accounts } = await plan();
    expect(accounts[0]).to.deep.include({
      account: 'joe',
      target: {
        api: 'v2',
        baseUrl: 'http://127.0.0.1:1',
        apiKey: 'env:CTCT_API_KEY',
        accessToken: `file:${at('token')}`,
      },
    });
    expect(await readFile(at('plan.json'), 'utf8')).not.to.contain('k-secret');
    const exposed = { ...env, CTCT_BASE_URL: 'https://joe:k-secret@example.com' };
    const refused = await planned([at('a.csv'), '--list', '2', '--force'], { env: exposed });
    expect(refused.exit).to.equal(2);
    expect(refused.stderr.text)
      .to.contain('must not hold a user or a password')
      .and.not.to.contain('k-secret');
  });

  it('has many accounts, and what each is to be sent; those without are left out', async () => {
    await writeFile(
      at('accounts.csv'),
      'account,api_key,access_token\njoe,env:K,env:JOE\nann,env:K,env:ANN\nidle,env:K,env:IDLE\n',
    );
    await writeFile(
      at('uploads.csv'),
      'account,activityType,file,lists\nann,CLEAR_CONTACTS_FROM_LISTS,,2\njoe,,a.csv,2 5\nann,,b.csv,2\n',
    );
    await writeFile(at('lists.csv'), 'account,from,to,name\nann,2,7,Two\n');
    const tables = [
      '--accounts',
      at('accounts.csv'),
      '--uploads',
      at('uploads.csv'),
      '--lists',
      at('lists.csv'),
    ];
    const ran = await planned(tables);
    expect(ran.exit).to.equal(9);
    expect(filesOf(await plan())).to.deep.equal([
      ['joe', 'a.csv 2,5'],
      ['ann', 'clear 7', 'b.csv 7'],
    ]);
    expect((await plan()).accounts[1]?.lists).to.deep.equal([
      { from: '2', to: '7', fromName: 'Two', check: 'unchecked' },
    ]);
    expect(ran.stderr.text).to.contain('1 of 3 accounts are left out: nothing is to be done in them');
    expect(ran.stdout.text).to.contain('2 → 7 (unchecked)');
    const several = await planned([at('a.csv'), '--list', '2', ...tables, '--force']);
    expect(several.stderr.text).to.contain(
      '--account: there are 3 accounts, and files on the command line can be of one only; say which',
    );
    for (const [argv, what] of [
      [['--map', '2=7'], '--map'],
      [['--archive', at('feed.xml'), '--files', folder], '--archive'],
    ] as const) {
      const refused = await planned([...argv, ...tables, '--force']);
      expect(refused.stderr.text).to.contain(
        `there are 3 accounts, and ${what} can be of one only; say which`,
      );
    }
    await writeFile(at('uploads.csv'), 'file,lists\na.csv,2\n');
    const one = await planned([
      at('a.csv'),
      '--list',
      '2',
      ...tables.slice(0, 4),
      '--account',
      'IDLE',
      '--force',
      '--map',
      '2=8',
    ]);
    expect(one.exit).to.equal(0);
    expect(filesOf(await plan())).to.deep.equal([['idle', 'a.csv 8', `${at('a.csv')} 8`]]);
    const wrong = await planned([...tables, '--account', 'idl', '--force']);
    expect(wrong.stderr.text).to.match(/--account: "idl" is not in .*accounts\.csv; did you mean idle\?/);
  });

  describe('refuses what cannot be meant', () => {
    const cases: [argv: string[], message: RegExp][] = [
      [[], /there is nothing to plan: give contact files with --list/],
      [['a.csv'], /--list: a\.csv must go to at least one list/],
      [
        ['--list', '2', '--archive', 'feed.xml', '--files', '.'],
        /--list: goes with contact files, or with --from-ws/,
      ],
      [['a.csv', '--list', '2', '--from-ws'], /--from-ws: --list would mean two things/],
      [['--remove', '--from-ws'], /--remove: goes with contact files/],
      [['--archive', 'feed.xml'], /--archive: goes with --files/],
      [['--files', '.', '--from-ws'], /--archive: goes with --files/],
      [['a.csv', '--list', '2', '--fresh'], /--fresh: goes with --from-ws/],
      [['a.csv', '--list', 'active'], /--list: active is a system list/],
      [['a.csv', '--list', '2', '--map', '2'], /--map: must be FROM=TO, such as 2=7/],
      [['a.csv', '--list', '2', '--map', '2=7', '--map', '2=8'], /--map: list 2 cannot become both 7 and 8/],
      [['a.csv', '--list', '2', '--map', '2=x'], /--map: "x" is no list/],
      [['a.csv', '--list', '2', '--account', 'a/b'], /--account: must be up to 100 letters/],
      [['a.csv', '--list', '2', '--into', 'MIDDLE NAME=NOWHERE'], /into: v2 takes no column "NOWHERE"/],
      [['nowhere.csv', '--list', '2'], /nowhere\.csv: there is no such file/],
    ];
    for (const [argv, message] of cases) {
      it(argv.join(' ') || 'nothing', async () => {
        const ran = await planned(
          argv.map((word) => (word === 'a.csv' ? path.relative('.', at(word)) : word)),
        );
        expect(ran.exit).to.equal(2);
        const text = ran.stderr.text.replaceAll(path.relative('.', at('a.csv')), 'a.csv');
        expect(text).to.match(message);
        expect(existsSync(at('plan.json'))).to.equal(false);
      });
    }
  });

  describe('with the target at hand', () => {
    const online = (
      run: ReturnType<typeof emulated>,
      argv: readonly string[],
      setup: Setup = {},
    ): Promise<Ran> =>
      run.ctct(['migrate', 'plan', '--out', at('plan.json'), ...argv], {
        ...setup,
        env: { ...TOKEN, ...setup.env },
      });

    it('looks whether it has the lists', async () => {
      const run = emulated();
      await writeFile(at('lists.csv'), 'from,to,name\n2,,spring newsletter\n5,,Garden\n');
      const ran = await online(run, [
        at('a.csv'),
        '--list',
        '2,5,9',
        '--lists',
        at('lists.csv'),
        '--accept',
        'LIST_MISSING',
      ]);
      expect(ran.exit).to.equal(9);
      expect((await plan()).accounts[0]?.lists.map(({ check, toName }) => [check, toName])).to.deep.equal([
        ['same', 'Spring Newsletter'],
        ['other', 'Shop Customers'],
        ['missing', undefined],
      ]);
      expect(ran.stdout.text).to.contain('2, 5 (another name), 9 (missing)');
      expect(ran.stderr.text).to.match(/lost: joesflowers: list 5: is "Garden" in ws.*\(LIST_NAME_DIFFERS\)/);
      expect(ran.stderr.text).to.match(/--accept LIST_NAME_DIFFERS\n$/);
    });

    it('plans all the same where it cannot be asked', async () => {
      const run = emulated();
      const fetch = () => Promise.reject(new TypeError('fetch failed'));
      const ran = await online(run, [at('a.csv'), '--list', '2'], { fetch });
      expect(ran.exit).to.equal(0);
      expect(ran.stderr.text).to.match(/warning: the lists of the target are unchecked: joesflowers: /);
      await writeFile(
        at('accounts.csv'),
        `account,api_key,access_token\n${[1, 2, 3, 4, 5].map((n) => `a${n},env:NONE,env:N${n}\n`).join('')}`,
      );
      await writeFile(
        at('uploads.csv'),
        `account,file,lists\n${[1, 2, 3, 4, 5].map((n) => `a${n},b.csv,2\n`).join('')}`,
      );
      const many = await online(run, [
        '--accounts',
        at('accounts.csv'),
        '--uploads',
        at('uploads.csv'),
        '--force',
      ]);
      expect(many.stderr.lines.filter((line) => line.includes('unchecked: a'))).to.have.length(3);
      expect(many.stderr.text).to.contain('warning: so are those of 2 more accounts');
      expect(many.stderr.text).to.contain('a1: api_key: the variable NONE is not set');
      expect(many.stderr.text).to.match(/lost: a1, b\.csv: heading: MIDDLE NAME, and 4 more places: /);
    });

    it('plans what a live account has, and goes on where it was cut off', async () => {
      const run = emulated();
      const ran = await online(run, ['--from-ws']);
      expect(ran.exit).to.equal(9);
      const files = await plan();
      expect(filesOf(files)).to.deep.equal([['joesflowers', 'plan.files/joesflowers/2.csv 2']]);
      expect(files.accounts[0]?.lists).to.deep.include({
        from: '2',
        to: '2',
        fromName: 'Spring Newsletter',
        toName: 'Spring Newsletter',
        check: 'same',
      });
      expect(ran.stderr.text).to.match(/joesflowers: .*5\.csv is left out: there is no contact in it/);
      expect(ran.stderr.text).to.contain('--accept COLUMN_IGNORED,COLUMN_UNKNOWN');
      const text = await readFile(at('plan.json'), 'utf8');
      const again = await online(run, ['--from-ws', '--force', '--list', '2']);
      expect(again.stderr.text).to.match(
        /joesflowers: 3 of 3 lists were exported before, since \d{4}-\d\d-\d\d/,
      );
      expect((await plan()).accounts[0]?.steps).to.deep.equal(
        (JSON.parse(text) as MigrationPlan).accounts[0]?.steps,
      );
      await chmod(at('plan.files', 'joesflowers', '2.csv'), 0o600);
    });

    it('says which live accounts could not be exported, once the others are', async () => {
      const run = emulated();
      const lines = [
        'joesflowers,env:CTCT_API_KEY,env:CTCT_ACCESS_TOKEN,env:CTCT_API_KEY,env:CTCT_PASSWORD',
        'nobody,env:CTCT_API_KEY,env:OTHER,env:CTCT_API_KEY,env:CTCT_PASSWORD',
        'blind,env:CTCT_API_KEY,env:THIRD,,',
      ];
      await writeFile(
        at('accounts.csv'),
        `account,api_key,access_token,source_api_key,source_password\n${lines.join('\n')}\n`,
      );
      const ran = await online(run, ['--from-ws', '--accounts', at('accounts.csv')]);
      expect(ran.exit).to.equal(4);
      expect(ran.stderr.text).to.match(/warning: nobody: .*401/);
      expect(ran.stderr.text).to.match(
        /warning: blind: blind: needs source_api_key|warning: blind: needs source_api_key/,
      );
      expect(ran.stderr.text).to.contain('2 of 3 accounts could not be exported, so nothing is planned');
      expect(existsSync(at('plan.json'))).to.equal(false);
      expect(await readdir(at('plan.files', 'joesflowers'))).to.include('2.csv');
    });

    it('takes the token of the source where there is no password, and tells of each call', async () => {
      const run = emulated();
      const ran = await online(run, ['--from-ws', '--list', '2', '--verbose'], {
        env: { CTCT_PASSWORD: '' },
      });
      expect(ran.exit).to.equal(9);
      expect(ran.stderr.text).to.match(/POST .*\/ws\/customers\/joesflowers\/activities/);
      expect((await plan()).accounts[0]?.lists[0]?.check).to.equal('same');
    });

    it('says how to go on when it is interrupted', async () => {
      const run = emulated();
      const controller = new AbortController();
      const fetch = ((request: Request | string | URL, init?: RequestInit) => {
        if (init?.method === 'POST' || (request instanceof Request && request.method === 'POST'))
          controller.abort();
        return run.emulator.fetch(request, init);
      }) as typeof globalThis.fetch;
      const ran = await online(run, ['--from-ws'], { fetch, signal: controller.signal });
      expect(ran.exit).to.equal(130);
      expect(ran.stderr.text).to.contain('The same command again goes on where this one ended');
    });

    it('plans what an archive has', async () => {
      const run = emulated();
      await mkdir(at('files'));
      const exported = await run.ctct([
        'export',
        '--list',
        '2',
        '--with-list-name',
        '--out',
        at('files', 'x.csv'),
        '--output',
        'json',
      ]);
      const { activityId } = envelope(exported).data as { activityId: string };
      await writeFile(at('files', `${activityId}.csv`), await readFile(at('files', 'x.csv')));
      const answer = await run.emulator.fetch(
        'https://api.constantcontact.com/ws/customers/joesflowers/activities',
        {
          headers: {
            authorization: `Basic ${Buffer.from('key-1234%joesflowers:pass-5678').toString('base64')}`,
          },
        },
      );
      const feed = await answer.text();
      await writeFile(at('feed.xml'), `${feed}<broken`);
      const archive = ['--archive', at('feed.xml'), '--files', at('files')];
      const ran = await online(run, archive);
      expect(filesOf(await plan())).to.deep.equal([['joesflowers', `${at('files', `${activityId}.csv`)} 2`]]);
      expect(ran.stderr.text).to.match(/warning: .*feed\.xml:\d+: /);
      await writeFile(at('lists.csv'), 'from,to,name\n12,5,Spring Newsletter\n');
      await online(run, [...archive, '--lists', at('lists.csv'), '--force']);
      expect((await plan()).accounts[0]?.lists.map(({ from, to }) => [from, to])).to.deep.equal([
        ['12', '5'],
      ]);
      await online(run, [...archive, '--map', `${activityId}=5`, '--force']);
      expect((await plan()).accounts[0]?.steps[0]?.lists).to.deep.equal(['5']);
      await rm(at('files', `${activityId}.csv`));
      const gap = await online(run, [...archive, '--force']);
      expect(gap.exit).to.equal(9);
      expect(gap.stderr.text).to.match(
        new RegExp(
          `lost: joesflowers: activity ${activityId}: EXPORT_CONTACTS of .*\\(ACTIVITY_WITHOUT_FILE\\)`,
        ),
      );
    });
  });

  it('says times as people do', () => {
    expect([0, 60, 150, 3600, 90_000, 90_000 * 3].map(timeWords)).to.deep.equal([
      'about a minute',
      'about a minute',
      'about 3 min',
      'about 1 h 00 min',
      'about 25 h 00 min',
      'about 3 days',
    ]);
  });
});
