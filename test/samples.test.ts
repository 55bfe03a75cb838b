import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Papa from 'papaparse';
import { COLUMNS, findColumn } from '../src/activity/columns.js';
import { createEmulator, type Emulator } from '../src/emulator/emulator.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

describe('samples/contacts.csv', () => {
  it('has what makes contact files hard', async () => {
    const text = await readFile(join(ROOT, 'samples/contacts.csv'), 'utf8');
    const { data, errors } = Papa.parse<string[]>(text.replace(/\n$/, ''), { delimiter: ',' });
    expect(errors).to.deep.equal([]);
    const [heading = [], ...rows] = data;
    expect(rows).to.have.length(60);
    expect(heading.map((name) => findColumn(name)?.ws)).to.include.members([
      'EMAIL ADDRESS',
      'STATE/PROVINCE (US/CANADA)',
    ]);
    expect(COLUMNS.length).to.be.greaterThan(heading.length);
    const cells = rows.flat();
    for (const hard of [
      /,/,
      /"/,
      /\n/,
      /é/,
      /\p{Script=Han}/u,
      /\p{Script=Cyrillic}/u,
      /\p{Script=Hebrew}/u,
    ]) {
      expect(
        cells.some((cell) => hard.test(cell)),
        String(hard),
      ).to.equal(true);
    }
    const addresses = rows.map(([address = '']) => address.toLowerCase());
    expect(new Set(addresses).size).to.equal(59);
    for (const address of addresses) expect(address).to.match(/[@.]example\.(com|org|net)$/);
  });
});

/** Runs a sample as a user would, from a folder of its own. */
async function run(
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd = ROOT,
): Promise<{ readonly code: number | null; readonly said: string }> {
  const [file = '', ...rest] = argv;
  // Not measured: loaded by require, the sources have another shape, and the figures of both would not fit.
  const child = spawn(file, rest, { cwd, env: { PATH: process.env.PATH, NODE_V8_COVERAGE: '', ...env } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

const TSX = [process.execPath, '--import', 'tsx'];

/** A folder with `npx ctct` for the samples that are scripts of a shell. */
async function scriptFolder(): Promise<{ readonly folder: string; readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'ctct-sample-'));
  const program = `#!/bin/sh\nshift\nexec '${process.execPath}' '${join(ROOT, 'dist/cli/main.js')}' "$@"\n`;
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin', 'npx'), program, { mode: 0o755 });
  return { folder, path: `${join(folder, 'bin')}:${process.env.PATH ?? ''}` };
}

describe('the samples', function () {
  this.timeout(120_000);
  const SETTINGS = { CTCT_USER: 'joesflowers', CTCT_API_KEY: 'any', CTCT_PASSWORD: 'any' };
  const sample = (name: string) => join(ROOT, 'samples', name);
  let folder: string;
  let path: string;
  before(async () => {
    ({ folder, path } = await scriptFolder());
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  async function withEmulator<T>(
    users: readonly string[],
    act: (url: string, emulator: Emulator) => Promise<T>,
  ) {
    const emulator = createEmulator({
      accounts: users.map((user) => ({
        user,
        credentials: { password: 'any', accessToken: `token-of-${user}` },
        lists: [
          { id: '2', name: 'Roses' },
          { id: '5', name: 'Tulips', members: ['old@example.com'] },
        ],
      })),
      latency: { pending: 0, queued: 0, running: 0 },
    });
    try {
      const { url } = await emulator.listen();
      return await act(url, emulator);
    } finally {
      await emulator.close();
    }
  }

  it('are all told of in their README, and nothing else is', async () => {
    const text = await readFile(sample('README.md'), 'utf8');
    const told = [...text.matchAll(/^\| `(.*?) +\|/gm)].flatMap(
      ([, cell = '']) => cell.match(/[\w./-]+\w\/?/g) ?? [],
    );
    const there = (await readdir(join(ROOT, 'samples'), { withFileTypes: true }))
      .filter(({ name }) => name !== 'README.md')
      .map((entry) => `${entry.name}${entry.isDirectory() ? '/' : ''}`);
    expect(new Set(told.map((name) => name.replace(/(?<=\/).+/, '')))).to.deep.equal(new Set(there));
  });

  it('add-with-error-report.ts writes down the rows that were refused', () =>
    withEmulator(['joesflowers'], async (url) => {
      const report = join(folder, 'refused.csv');
      const argv = [...TSX, sample('add-with-error-report.ts'), sample('contacts.csv'), '2', report];
      const { code, said } = await run(argv, { ...SETTINGS, CTCT_BASE_URL: url });
      expect([code, said]).to.deep.equal([0, `56 contacts were taken, 3 rows were refused: ${report}\n`]);
      const { data } = Papa.parse<string[]>((await readFile(report, 'utf8')).trim());
      const [heading, ...rows] = data;
      expect(heading).to.deep.equal(['Line', 'Address', 'Message']);
      expect(rows).to.have.length(3);
      for (const [line, , message] of rows) {
        expect(line).to.match(/^\d+$/);
        expect(message).not.to.equal('');
      }
    }));

  it('the two that are tests pass', async () => {
    const mocha = [process.execPath, join(ROOT, 'node_modules/mocha/bin/mocha.js'), '--no-config'];
    const specs = ['old-integration/nightly-upload.test.ts', 'mock-with-nock.test.ts'].map(sample);
    const { code, said } = await run([...mocha, '--node-option', 'import=tsx', ...specs]);
    expect(said).to.contain('5 passing');
    expect(code, said).to.equal(0);
  });

  it('archive-to-parquet.sh writes both tables, and says that the feed was damaged', async () => {
    const tables = join(folder, 'tables');
    const argv = ['/bin/sh', sample('archive-to-parquet.sh'), sample('damaged-archive.xml'), tables];
    const { code, said } = await run(argv, { PATH: path });
    expect(code, said).to.equal(3);
    const lines = (await readFile(join(tables, 'activities.ndjson'), 'utf8')).trim().split('\n');
    expect(lines).to.have.length(9);
    expect((await readFile(join(tables, 'activities.parquet'))).subarray(0, 4).toString()).to.equal('PAR1');
  });

  it('translate-har.sh writes commands, data and a guide', async () => {
    const out = join(folder, 'translated');
    const argv = ['/bin/sh', sample('translate-har.sh'), sample('ws-calls.har'), out];
    const { code, said } = await run(argv, { PATH: path });
    expect(code, said).to.equal(0);
    expect(await readFile(join(out, 'calls.sh'), 'utf8')).to.match(/^curl -X POST 'https:\/\/.*\/v2\//m);
    expect(await readFile(join(out, 'differences.txt'), 'utf8')).to.match(/^change: /m);
    expect(JSON.parse(await readFile(join(out, 'calls.json'), 'utf8'))).to.have.property(
      'kind',
      'translations',
    );
    expect(await readFile(join(out, 'guide.html'), 'utf8')).to.match(/^<!doctype html>/i);
  });

  it('migration/ moves the contacts of two accounts', () =>
    withEmulator(['joesflowers', 'rosesandmore'], async (url, emulator) => {
      const copy = join(folder, 'migration');
      await cp(join(ROOT, 'samples'), join(folder), { recursive: true });
      const accounts = await readFile(join(copy, 'accounts.csv'), 'utf8');
      await writeFile(join(copy, 'accounts.csv'), accounts.replaceAll(/,$/gm, `,${url}`));
      const work = join(folder, 'work');
      const tokens = { JOES_TOKEN: 'token-of-joesflowers', ROSES_TOKEN: 'token-of-rosesandmore' };
      const env = { PATH: path, HOME: folder, V2_API_KEY: 'any', ...tokens };
      const { code, said } = await run(['/bin/sh', join(copy, 'migrate.sh'), work], env);
      expect(code, said).to.be.oneOf([0, 3]);
      const members = async (user: string) => {
        const counts: Record<string, number | undefined> = {};
        for await (const { id, contactCount } of emulator.account(user)!.lists()) counts[id] = contactCount;
        return [counts['2'], counts['5']];
      };
      const [moved] = await members('joesflowers');
      expect(moved).to.be.greaterThan(50);
      expect(await members('joesflowers')).to.deep.equal([moved, moved]);
      expect(await members('rosesandmore')).to.deep.equal([moved, 1]);
      expect(await readFile(join(work, 'report.html'), 'utf8')).to.match(/^<!doctype html>/i);
    }));

  it('php/after.sh is what php/before.http is in v2', async () => {
    const program = join(ROOT, 'dist/cli/main.js');
    const { code, said } = await run([
      process.execPath,
      program,
      'translate',
      sample('php/before.http'),
      '--quiet',
    ]);
    expect([code, said]).to.deep.equal([0, await readFile(sample('php/after.sh'), 'utf8')]);
  });

  it('old-script.sh goes on before a gateway', async () => {
    const program = join(ROOT, 'dist/cli/main.js');
    const gateway = spawn(process.execPath, [program, 'gateway', '--demo'], { cwd: folder });
    try {
      let told = '';
      gateway.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
      const [url] = (await once(gateway.stdout, 'data')) as [Buffer];
      while (!told.includes('Ctrl-C ends it')) await once(gateway.stderr, 'data');
      const login = /-u '([^']+)'/.exec(told)?.[1] ?? '';
      const { code, said } = await run(['/bin/sh', sample('old-script.sh'), url.toString().trim(), login]);
      expect(code, said).to.equal(0);
      expect(said).to.match(/^a07e\w+ COMPLETE\n$/);
    } finally {
      gateway.kill('SIGTERM');
      await once(gateway, 'close');
    }
  });
});

describe('samples/export-and-download.ts', function () {
  this.timeout(30_000);

  it('is fifteen lines', async () => {
    const text = await readFile(join(ROOT, 'samples/export-and-download.ts'), 'utf8');
    const code = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('//'));
    expect(code).to.have.length.at.most(15);
  });

  it('exports a list and saves its file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ctct-sample-'));
    const emulator = createEmulator({
      accounts: [
        {
          user: 'joesflowers',
          lists: [
            {
              id: '2',
              name: 'Flowers',
              members: [{ email: 'ann@example.com', firstName: 'Ann', city: 'Boston' }],
            },
          ],
        },
      ],
      latency: { pending: 0, queued: 0, running: 0 },
    });
    try {
      const { url } = await emulator.listen();
      const path = join(folder, 'flowers.csv');
      const argv = ['--import', 'tsx', 'samples/export-and-download.ts', '2', path];
      const child = spawn(process.execPath, argv, {
        cwd: ROOT,
        env: {
          PATH: process.env.PATH,
          CTCT_BASE_URL: url,
          CTCT_USER: 'joesflowers',
          CTCT_API_KEY: 'any',
          CTCT_PASSWORD: 'any',
        },
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
      }
      const [code] = (await once(child, 'close')) as [number | null];
      expect([code, said]).to.deep.equal([0, `Saved ${path}: 70 bytes; contacts: 1.\n`]);
      expect(await readFile(path, 'utf8')).to.equal(
        'Email Address,First Name,Last Name,City\r\nann@example.com,Ann,,Boston\r\n',
      );
    } finally {
      await emulator.close();
      await rm(folder, { recursive: true });
    }
  });
});
