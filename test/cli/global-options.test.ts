import { expect } from 'chai';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flagOf, type Command } from '../../src/cli/command.js';
import { COMMANDS, GROUPS } from '../../src/cli/commands/index.js';
import { GLOBAL_OPTIONS, type GlobalOption } from '../../src/cli/global-options.js';
import { ctct, emulated, envelope } from './harness.js';

const NAMES = Object.keys(GLOBAL_OPTIONS) as GlobalOption[];

/** Those that only say how a command talks: every command takes them. */
const TALK = ['quiet', 'progress', 'verbose'] as const;
const RECORDS = ['output', 'fields'] as const;
const SETTINGS = ['profile', 'timeout', 'config'] as const;
const ACCOUNT = ['user', 'api', 'baseUrl'] as const;
const ALL = [...RECORDS, ...SETTINGS, ...ACCOUNT];

/** What each command takes beside those, and heeds. */
const TAKEN: Readonly<Record<string, readonly GlobalOption[]>> = {
  lists: ALL,
  list: ALL,
  show: ALL,
  wait: ALL,
  add: ALL,
  remove: ALL,
  clear: ALL,
  export: ALL,
  download: ALL,
  'config show': ALL,
  demo: RECORDS,
  // Its --profile is that of a service.
  emulator: [...RECORDS, 'profile', 'user'],
  translate: RECORDS,
  completion: [],
  'archive read': ['output'],
  'archive check': RECORDS,
  'archive stats': RECORDS,
  'archive report': [],
  'migrate plan': [...RECORDS, ...SETTINGS, 'user', 'baseUrl'],
  'migrate run': [...RECORDS, ...SETTINGS],
  'migrate status': RECORDS,
  'migrate report': RECORDS,
  'migrate pause': [],
  'migrate guide': [],
  gateway: [...RECORDS, 'user', 'baseUrl'],
  'gateway check': [...RECORDS, 'user', 'baseUrl'],
  'gateway purge': [...RECORDS, 'user'],
  'gateway hash-password': [],
};

const commands: readonly (readonly [path: string, command: Command])[] = [
  ...COMMANDS.map((command) => [command.name, command] as const),
  ...GROUPS.flatMap((group) => [
    ...(group.main === undefined ? [] : [[group.name, group.main] as const]),
    ...group.commands.map((command) => [`${group.name} ${command.name}`, command] as const),
  ]),
];

/** A value that the option takes. */
const VALUES: Readonly<Partial<Record<GlobalOption, string>>> = {
  output: 'json',
  fields: 'id',
  api: 'ws',
  timeout: '1s',
};
const words = (name: GlobalOption) => [
  flagOf(name),
  ...(GLOBAL_OPTIONS[name].kind === 'flag' ? [] : [VALUES[name] ?? 'x']),
];

/** The arguments that there must be. */
const needed = ({ arguments: places }: Command) =>
  Object.values(places).flatMap(({ optional }) => (optional === true ? [] : ['x']));

describe('the options of every command', () => {
  it('are of each command that they mean something to', () => {
    expect(Object.keys(TAKEN).sort()).to.deep.equal(commands.map(([path]) => path).sort());
    for (const [path, { without = [], options }] of commands) {
      const taken: readonly GlobalOption[] = [...TALK, ...(TAKEN[path] ?? [])];
      expect(new Set(without), path).to.deep.equal(new Set(NAMES.filter((name) => !taken.includes(name))));
      expect(without.filter((name) => Object.hasOwn(options, name))).to.deep.equal([]);
    }
  });

  for (const [path, command] of commands) {
    it(`of ctct ${path} are told in its help, and others refused`, async () => {
      const help = await ctct([...path.split(' '), '--help']);
      const { without = [] } = command;
      for (const name of NAMES) {
        const flag = GLOBAL_OPTIONS[name].kind === 'switch' ? `--no-${name}` : flagOf(name);
        const told = new RegExp(`^ .*${flag}(?![\\w-])`, 'm').test(help.stdout.text);
        expect(told, flag).to.equal(!without.includes(name));
      }
      for (const name of without) {
        for (const argv of [
          [...path.split(' '), ...needed(command), ...words(name)],
          [...words(name), ...path.split(' '), ...needed(command)],
        ]) {
          const { exit, stdout, stderr } = await ctct(argv);
          expect([exit, stdout.text]).to.deep.equal([2, '']);
          expect(stderr.lines).to.deep.equal([
            `ctct: ${flagOf(name)}: means nothing to "ctct ${path}"; leave it out`,
            `  see: ctct ${path} --help`,
          ]);
        }
      }
    });
  }
});

describe('--output and --fields', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-fields-'));
    await writeFile(join(folder, 'feed.xml'), '<feed>');
  });
  after(() => rm(folder, { recursive: true }));

  it('hold where a command else tells in a form of its own', async () => {
    const { ctct: run } = emulated();
    const feed = join(folder, 'feed.xml');
    const checked = await run(['archive', 'check', feed, '--fields', 'line,code']);
    expect(checked.stdout.lines[0]).to.match(/^Line +Code$/);
    const json = await run(['archive', 'check', feed, '--fields', 'line', '--output', 'json']);
    for (const one of envelope(json).data as object[]) expect(Object.keys(one)).to.deep.equal(['line']);
    const stats = await run(['archive', 'stats', feed, '--fields', 'activities,errors']);
    expect(stats.stdout.lines).to.deep.equal(['Activities  0', 'Errors      0']);
    const request = ['clear', '--list', '2', '--dry-run'];
    expect((await run([...request, '--fields', 'method'])).stdout.lines).to.deep.equal(['Method  POST']);
    const table = (await run([...request, '--output', 'csv'])).stdout.text;
    expect(table).to.match(/^method,url,body\r?\nPOST,https:.*activityType=CLEAR_CONTACTS_FROM_LISTS/);
  });

  it('are found out to be wrong before anything is done', async () => {
    const { ctct: run, emulator } = emulated();
    const there = async () => (await readdir(folder, { recursive: true })).sort();
    const before = await there();
    const more: Readonly<Record<string, readonly string[]>> = {
      translate: ['x', '--output', 'json'],
      export: ['--out', join(folder, 'list2.csv')],
      remove: ['--yes'],
      clear: ['--yes'],
      demo: ['--out', folder],
      download: ['a07e'],
      'migrate plan': ['--out', join(folder, 'plan.json')],
      gateway: ['--demo'],
      'gateway purge': ['--yes'],
    };
    for (const [path, command] of commands) {
      expect(command.records !== undefined, path).to.equal(command.without?.includes('fields') !== true);
      if (command.records === undefined) continue;
      const required = Object.entries(command.options).flatMap(([name, spec]) =>
        'required' in spec ? [flagOf(name), '2'] : [],
      );
      const argv = [...path.split(' '), ...needed(command), ...required, ...(more[path] ?? [])];
      const { exit, stdout, stderr } = await run([...argv, '--fields', 'nope']);
      expect([exit, stdout.text, stderr.lines.length], path).to.deep.equal([2, '', 1]);
      expect(stderr.text, path).to.match(/^ctct: --fields: [a-z-]+ have no "nope"; /);
    }
    expect(emulator.requests.length).to.equal(0);
    expect(await there()).to.deep.equal(before);
  });

  it('can be all that JSON has', async () => {
    const { ctct: run } = emulated();
    await run(['export', '--list', '2', '--wait']);
    const file = join(folder, 'contacts.csv');
    await writeFile(file, 'Email Address\njoe@example.com\n');
    const plan = join(folder, 'a-plan.json');
    await run(['migrate', 'plan', file, '--list', '2', '--offline', '--out', plan]);
    for (const line of [
      ['list'],
      ['lists'],
      ['clear', '--list', '2', '--dry-run'],
      ['config', 'show', '--origin'],
      ['archive', 'stats', join(folder, 'feed.xml')],
      ['migrate', 'status', plan],
      ['migrate', 'report', plan],
    ]) {
      const { data } = envelope(await run([...line, '--output', 'json'])) as { data: object | object[] };
      const names = Object.keys([data].flat()[0] ?? {});
      const again = await run([...line, '--output', 'json', '--fields', names.join(',')]);
      expect(again.stderr.text, line.join(' ')).not.to.include('--fields');
      expect(Object.keys([envelope(again).data as object].flat()[0] ?? {})).to.have.members(names);
    }
  });

  it('choose of an activity, and then its errors are not told beside it', async () => {
    const { ctct: run } = emulated();
    const added = await run(['add', '-', '--list', '2', '--wait'], { input: 'Email Address\nnobody\n' });
    expect(added.stdout.text).to.match(/^Line +Address +Message$/m);
    const [, id = ''] = /^Activity +(\S+)$/m.exec(added.stdout.text) ?? [];
    const shown = await run(['show', id, '--fields', 'status,errorCount']);
    expect([shown.exit, shown.stdout.lines]).to.deep.equal([0, ['Status  COMPLETE', 'Errors  1']]);
  });

  it('are refused where stdout has something else', async () => {
    const { ctct: run, emulator } = emulated();
    const cases: readonly (readonly [line: string, message: string])[] = [
      [
        'download a07e --out - --output json',
        '--output: does not go with --out -, by which stdout has the file',
      ],
      [
        'export --list 2 --out - --fields id',
        '--fields: does not go with --out -, by which stdout has the file',
      ],
      [
        'migrate plan x.csv --list 2 --out - --output json',
        '--output: does not go with --out -, by which stdout has the plan',
      ],
      ['translate --file x.csv --output json', '--output: does not go with --file'],
      ['translate x --as curl --output json', '--output: does not go with --as curl, which is text'],
      ['translate x --fields source', '--fields: goes with --output json or ndjson'],
      ['translate x --output csv', '--output: must be one of table, json, ndjson; got "csv"'],
    ];
    for (const [line, message] of cases) {
      const { exit, stdout, stderr } = await run(line.split(' '));
      expect([exit, stdout.text, stderr.lines[0]], line).to.deep.equal([2, '', `ctct: ${message}`]);
    }
    expect(emulator.requests.length).to.equal(0);
  });

  it('give a translation as data', async () => {
    const input = 'activityType=CLEAR_CONTACTS_FROM_LISTS&lists=http%3A%2F%2Fx.example.com%2Flists%2F2';
    const { stdout } = await ctct(
      ['translate', '-', '--output', 'ndjson', '--fields', 'method,activityType'],
      {
        input,
      },
    );
    expect(JSON.parse(stdout.text)).to.deep.equal({
      kind: 'translation',
      method: 'POST',
      activityType: 'CLEAR_CONTACTS_FROM_LISTS',
    });
  });
});

describe('--user and --base-url', () => {
  it('are not told on for a plan, which has them in it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ctct-flags-'));
    try {
      const file = join(folder, 'a.csv');
      await writeFile(file, 'Email Address\njoe@example.com\n');
      const [plan, config] = [join(folder, 'plan.json'), join(folder, 'config.json')];
      await writeFile(config, '{ "user": "ann", "timeout": "5s" }');
      const given = ['--user', 'joe', '--base-url', 'http://127.0.0.1:1', '--config', config];
      const line = ['migrate', 'plan', file, '--list', '2', '--offline', '--out', plan, ...given];
      const { exit, stderr } = await ctct(line);
      expect(exit, stderr.text).to.equal(0);
      expect(stderr.text).to.include(`: ctct migrate run ${plan} --dry-run --config ${config}\n`);
      const other = [...line.slice(0, -7), join(folder, 'ann.json'), '--config', config, '--output', 'json'];
      const { data } = envelope(await ctct(other)) as unknown as { data: { account: string }[] };
      expect(data.map(({ account }) => account)).to.deep.equal(['ann']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('are refused where a file names the accounts', async () => {
    const cases: readonly (readonly [line: string, message: string])[] = [
      ['emulator --seed s.yaml --user joe', '--user: s.yaml names the accounts; leave it out'],
      ['gateway check --accounts a.yaml --user joe', '--user: a.yaml names the accounts; leave it out'],
      [
        'gateway check --accounts a.yaml --base-url http://127.0.0.1:1',
        '--base-url: each account of a.yaml says where its service is: target.baseUrl',
      ],
      ['gateway --demo --user joe', '--user: the demo has its own; leave it out'],
      [
        'migrate plan x.csv --list 2 --accounts a.csv --user joe',
        '--user: each account of a.csv has its own; see its column user',
      ],
      [
        'migrate plan x.csv --list 2 --accounts a.csv --base-url http://127.0.0.1:1',
        '--base-url: each account of a.csv says where its service is; see its column base_url',
      ],
    ];
    for (const [line, message] of cases) {
      const { exit, stderr } = await ctct(line.split(' '));
      expect([exit, stderr.lines[0]], line).to.deep.equal([2, `ctct: ${message}`]);
    }
  });
});
