import { expect } from 'chai';
import { readdir, readFile } from 'node:fs/promises';
import { LINE_KINDS, OUTPUT_KINDS, wrongDocument, wrongLine, wrongOutput } from '../support/output-schema.js';
import { ctct, emulated, envelope } from './harness.js';

const hasSchema = (kind: string) => OUTPUT_KINDS.includes(kind);

// `ctct` of the harness holds what any test puts out with --output json or ndjson to the schemas; these are about the schema itself.
describe('the schema of what commands put out', () => {
  it('describes each kind that there is, and no other', async () => {
    const folder = new URL('../../src/cli/', import.meta.url);
    const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
    const texts = await Promise.all(files.map((name) => readFile(new URL(name, folder), 'utf8')));
    const views = texts.flatMap((text) => [...text.matchAll(/kind: \['([\w-]+)', '([\w-]+)'\]/g)]);
    const written = texts.flatMap((text) => [...text.matchAll(/"?kind"?: ['"]([\w-]+)['"]/g)]);
    const kinds = new Set([
      ...views.flatMap(([, one = '', many = '']) => [one, many]),
      ...written.map(([, kind = '']) => kind),
    ]);
    expect(OUTPUT_KINDS.filter((kind) => !kinds.has(kind))).to.deep.equal([]);
    // Of these there are tables, CSV and lines alone; as JSON they are inside another document.
    const tables = ['type', 'status', 'month', 'message', 'time', 'failing-row'];
    const ofMigrations = ['migration-account', 'reported-account', 'migration-part', 'migration-list'];
    const others = views.filter(([, one = '', many = '']) => ![one, many].some(hasSchema));
    expect(new Set(others.map(([, one]) => one))).to.deep.equal(new Set([...tables, ...ofMigrations]));
    // Of these there are no lines, but of the accounts of a status.
    const documents = ['statistics', 'migration-status', 'migration-report'];
    const withoutLines = [...tables, ...documents, ...ofMigrations.slice(1)];
    const lines = views.flatMap(([, one = '']) => (withoutLines.includes(one) ? [] : [one]));
    expect(new Set(LINE_KINDS)).to.deep.equal(new Set(lines));
    expect(lines).to.have.length(new Set(lines).size);
  });

  it('refuses what is missing, wrong or too much, and other versions and kinds', async () => {
    const { ctct: run } = emulated();
    const lists = envelope(await run(['lists', '--output', 'json'])) as unknown as {
      version: number;
      kind: string;
      data: Record<string, unknown>[];
    };
    const wrong = (change: object) => wrongDocument(JSON.stringify({ ...lists, ...change }));
    expect(wrong({})).to.equal(undefined);
    expect(wrong({ version: 2 })).to.match(/version/);
    expect(wrong({ kind: 'roses' })).to.match(/no schema for the kind roses/);
    expect(wrong({ more: 1 })).to.match(/additional/);
    expect(wrong({ data: {} })).to.match(/must be array/);
    const [first = {}] = lists.data;
    for (const name of Object.keys(first)) {
      expect(wrong({ data: [{ ...first, [name]: undefined }] }), `without ${name}`).to.be.a('string');
      expect(wrong({ data: [{ ...first, [name]: [] }] }), `wrong ${name}`).to.be.a('string');
    }
    expect(wrong({ data: [{ ...first, rose: 1 }] })).to.match(/unevaluated/);
    expect(wrong({ data: [{ kind: 'list', ...first }] })).to.match(/unevaluated/);
  });

  it('holds lines to the record of their kind', async () => {
    const { ctct: run } = emulated();
    const { stdout } = await run(['lists', '--output', 'ndjson']);
    const first = JSON.parse(stdout.lines[0] ?? '') as Record<string, unknown>;
    const wrong = (change: object) => wrongLine(JSON.stringify({ ...first, ...change }));
    expect(wrong({})).to.equal(undefined);
    expect(wrong({ kind: 'roses' })).to.match(/no schema for the kind roses/);
    expect(wrong({ kind: 'activity' })).to.match(/required|unevaluated/);
    expect(wrong({ rose: 1 })).to.match(/unevaluated/);
    for (const name of Object.keys(first)) {
      expect(wrong({ [name]: undefined }), `without ${name}`).to.be.a('string');
      expect(wrong({ [name]: [] }), `wrong ${name}`).to.be.a('string');
    }
  });

  it('is asked about whole records alone', () => {
    expect(wrongOutput(['lists', '--output', 'json'], '{"kind":"roses"}')).to.be.a('string');
    expect(wrongOutput(['lists', '--output', 'json', '--fields', 'id'], '{"kind":"roses"}')).to.equal(
      undefined,
    );
    expect(wrongOutput(['lists', '--output', 'csv'], 'id')).to.equal(undefined);
    const download = '{"kind":"download","activityId":"a","path":"x.csv","bytes":1}\n';
    expect(wrongOutput(['export', '--output', 'ndjson'], download)).to.equal(undefined);
    expect(wrongOutput(['export', '--output', 'ndjson'], `${download}{"kind":"roses"}\n`)).to.be.a('string');
  });

  it('fits a translation, by --output json as by --as json', async () => {
    const request = 'activityType=CLEAR_CONTACTS_FROM_LISTS&lists=http%3A%2F%2Fx.example.com%2Flists%2F2';
    const one = await ctct(['translate', '-', '--output', 'json'], { input: request });
    const other = await ctct(['translate', '-', '--as', 'json'], { input: request });
    expect(one.stdout.text).to.equal(other.stdout.text);
    expect(envelope(one).kind).to.equal('translations');
    const lines = await ctct(['translate', '-', '--output', 'ndjson'], { input: request });
    const record = JSON.parse(lines.stdout.text) as Record<string, unknown>;
    const { data } = envelope(one) as unknown as { data: object[] };
    expect(record).to.deep.equal({ kind: 'translation', ...data[0] });
  });
});
