import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { readCsv } from '../../src/format/csv.js';
import { ctct } from './harness.js';

const schema = JSON.parse(
  readFileSync(new URL('../../schemas/upload-parts.schema.json', import.meta.url), 'utf8'),
) as object;
const validate = new Ajv2020({ strict: true, strictTuples: false }).compile(schema);

interface PartsFile {
  readonly data: {
    readonly sha256: string;
    readonly rows: number;
    readonly parts: readonly {
      readonly file: string;
      readonly sha256: string;
      readonly bytes: number;
      readonly rows: number;
      readonly lines: readonly (readonly [number, number, number])[];
    }[];
    readonly duplicates: readonly (readonly [number, number])[];
    readonly withoutAddress: readonly number[];
  };
}

describe('ctct translate --split', () => {
  let folder: string;
  const at = (...names: string[]) => path.join(folder, ...names);
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ctct-split-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const map = async () => JSON.parse(await readFile(at('out', 'parts.json'), 'utf8')) as PartsFile;

  it('writes files that each fit into one request, and where their lines were', async () => {
    const rows = Array.from({ length: 45_000 }, (_, index) =>
      index % 1000 === 0 ? '\n' : `u${index % 44_500}@example.com,"Ann\n${index}",x\n`,
    );
    const text = `\ufeffEMAIL ADDRESS,FIRST NAME,MIDDLE NAME\n${rows.join('')}`;
    await writeFile(at('large.csv'), text);
    const { exit, stdout, stderr } = await ctct([
      'translate',
      '--file',
      at('large.csv'),
      '--split',
      '--out',
      at('out'),
    ]);
    expect(exit).to.equal(9);
    expect(stdout.text).to.equal('');
    expect(stderr.text)
      .to.match(/44,456 contacts in 2 files/)
      .and.match(/499 rows left out/);
    expect(stderr.text)
      .to.match(/lost: .*MIDDLE NAME.*COLUMN_IGNORED/)
      .and.match(/change: .*\(SPLIT\)/);
    expect((await readdir(at('out'))).sort()).to.deep.equal(['part-0001.csv', 'part-0002.csv', 'parts.json']);
    const told = await map();
    expect(validate(told), JSON.stringify(validate.errors)).to.equal(true);
    const { data } = told;
    expect(data.sha256).to.equal(createHash('sha256').update(text).digest('hex'));
    const lines = new Map<string, number>();
    for await (const { line, cells } of readCsv(Buffer.from(text), { lenient: true })) {
      lines.set(cells.slice(0, 2).join(), line);
    }
    for (const part of data.parts) {
      const bytes = await readFile(at('out', part.file));
      expect((await stat(at('out', part.file))).mode & 0o777).to.equal(0o600);
      expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).to.deep.equal([
        part.bytes,
        part.sha256,
      ]);
      let count = -1;
      for await (const { line, cells } of readCsv(bytes)) {
        if (count++ === -1) expect(cells).to.deep.equal(['Email address', 'First Name']);
        else {
          const [start, fileLine] = part.lines.findLast(([first]) => first <= line) ?? [0, 0];
          expect(lines.get(cells.join())).to.equal(fileLine + line - start);
        }
      }
      expect(count).to.equal(part.rows);
    }
    expect(data.parts.map((part) => part.rows)).to.deep.equal([40_000, 4456]);
    expect(data.duplicates).to.have.length(499);
  }).timeout(20_000);

  it('reads stdin, and writes bare addresses for a removal', async () => {
    const { exit } = await ctct(
      ['translate', '--file', '-', '--for', 'remove', '--split', '--out', at('out')],
      {
        input: 'EMAIL ADDRESS\na@example.com\nb@example.com\nA@example.com\n',
      },
    );
    expect(exit).to.equal(0);
    expect(await readFile(at('out', 'part-0001.csv'), 'utf8')).to.equal('b@example.com\nA@example.com\n');
    const { data } = await map();
    expect(data.parts[0]?.lines).to.deep.equal([[1, 3, 2]]);
    expect(data.duplicates).to.deep.equal([[2, 4]]);
  });

  it('leaves rows without an address out, and says which; a file without any is refused', async () => {
    const run = (input: string) =>
      ctct(['translate', '--file', '-', '--for', 'remove', '--split', '--out', at('out')], { input });
    const { exit, stderr } = await run('EMAIL,CITY\n,Rome\na@example.com,Bern\n,Oslo\n');
    expect(exit).to.equal(0);
    expect(stderr.text).to.include('2 rows left out, as there is no address in them');
    expect(await readFile(at('out', 'part-0001.csv'), 'utf8')).to.equal('a@example.com\n');
    expect((await map()).data.withoutAddress).to.deep.equal([2, 4]);
    const none = await run('EMAIL,CITY\n,Rome\n');
    expect([none.exit, none.stderr.text]).to.satisfy(
      ([code, text]: [number, string]) => code === 2 && text.includes('no row has an address'),
    );
  });

  it('writes over what it wrote itself, when told to, and nothing else', async () => {
    await writeFile(at('a.csv'), 'EMAIL\na@example.com\n');
    const run = (...more: string[]) =>
      ctct(['translate', '--file', at('a.csv'), '--split', '--out', at('out'), ...more]);
    expect((await run()).exit).to.equal(0);
    await writeFile(at('out', 'part-0009.csv'), 'of an earlier run');
    const again = await run();
    expect(again.exit).to.equal(2);
    expect(again.stderr.text).to.match(/--force/);
    expect((await run('--force')).exit).to.equal(0);
    expect((await readdir(at('out'))).sort()).to.deep.equal(['part-0001.csv', 'parts.json']);
    const own = await ctct([
      'translate',
      '--file',
      at('out', 'part-0001.csv'),
      '--split',
      '--out',
      at('out'),
      '--force',
    ]);
    expect(own.exit).to.equal(2);
    await writeFile(at('out', 'mine.txt'), 'keep');
    expect((await run('--force')).exit).to.equal(2);
    expect((await readdir(at('out'))).sort()).to.deep.equal(['mine.txt', 'part-0001.csv', 'parts.json']);
  });

  it('says what is missing, and leaves nothing half written', async () => {
    for (const args of [
      ['request.txt', '--split', '--out', at('out')],
      ['--file', at('a.csv'), '--split'],
      ['--file', at('a.csv'), '--split', '--out', '-'],
    ]) {
      const { exit, stderr } = await ctct(['translate', ...args]);
      expect([exit, stderr.text.includes('--split:')]).to.deep.equal([2, true]);
    }
    await writeFile(at('a.csv'), 'NAME\nAnn\n');
    expect((await ctct(['translate', '--file', at('a.csv'), '--split', '--out', at('out')])).exit).to.equal(
      2,
    );
    expect(await readdir(folder)).to.deep.equal(['a.csv']);
    await writeFile(at('a.csv'), 'EMAIL\na@example.com\n');
    const controller = new AbortController();
    controller.abort();
    const aborted = await ctct(['translate', '--file', at('a.csv'), '--split', '--out', at('out')], {
      signal: controller.signal,
    });
    expect(aborted.exit).not.to.equal(0);
    expect(await readdir(at('out')).catch(() => [])).to.deep.equal([]);
    if (process.getuid?.() === 0) return;
    await mkdir(at('locked'));
    await chmod(at('locked'), 0o500);
    expect(
      (await ctct(['translate', '--file', at('a.csv'), '--split', '--out', at('locked')])).exit,
    ).to.equal(2);
  });
});
