import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Papa from 'papaparse';
import { COLUMNS, findColumn } from '../src/activity/columns.js';
import { createEmulator } from '../src/emulator/emulator.js';

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
