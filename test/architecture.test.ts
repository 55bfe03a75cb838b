import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SRC = path.join(ROOT, 'src');

/** Which rooms (or files at the top of src) a room may import from, besides itself. `*` is everything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[] | '*'>> = {
  activity: [],
  'clock.ts': [],
  'optional.ts': ['activity/errors.ts'],
  'worker.ts': [],
  format: ['activity/errors.ts', 'activity/fields.ts', 'activity/shown.ts'],
  http: ['activity/errors.ts', 'activity/service.ts', 'format/body.ts', 'clock.ts'],
  upload: ['activity', 'format', 'optional.ts', 'worker.ts'],
  'wait.ts': ['activity', 'clock.ts', 'http', 'wait-round.ts'],
  'wait-round.ts': ['activity', 'http'],
  'create.ts': ['activity', 'clock.ts', 'create-search.ts', 'http'],
  'create-search.ts': ['activity'],
  ws: ['activity', 'bulk-client.ts', 'clock.ts', 'format', 'http', 'upload'],
  'bulk-client.ts': ['activity', 'clock.ts', 'create.ts', 'format/body.ts', 'http', 'wait.ts'],
  v2: ['activity', 'bulk-client.ts', 'clock.ts', 'format', 'http', 'upload'],
  inspect: ['activity', 'clock.ts', 'format', 'http'],
  translate: ['activity', 'clock.ts', 'format', 'http', 'upload', 'v2', 'ws'],
  migrate: [
    'activity',
    'archive',
    'clock.ts',
    'create.ts',
    'format',
    'http',
    'inspect',
    'store',
    'translate',
    'upload',
    'v2',
    'wait.ts',
    'ws',
  ],
  gateway: [
    'activity',
    'bulk-client.ts',
    'clock.ts',
    'create.ts',
    'format',
    'http',
    'inspect',
    'optional.ts',
    'store',
    'translate',
    'upload',
    'v2',
    'wait.ts',
    'ws',
  ],
  emulator: ['activity', 'clock.ts', 'format', 'http', 'upload', 'v2', 'wait.ts', 'ws', 'inspect'],
  archive: [
    'activity',
    'clock.ts',
    'format',
    'http',
    'optional.ts',
    'translate',
    'upload',
    'v2',
    'wait.ts',
    'worker.ts',
    'ws',
  ],
  cli: '*',
  store: ['activity', 'clock.ts', 'http', 'optional.ts', 'worker.ts'],
  'index.ts': '*',
};

/** The one file, or the one room, that a package may be imported from. */
const HOME: Readonly<Record<string, string>> = {
  '@e965/xlsx': 'upload/spreadsheet.ts',
  '@fastify/busboy': 'format/multipart.ts',
  '@hono/node-server': 'http/serve.ts',
  ajv: 'format/document.ts',
  'ajv-formats': 'format/document.ts',
  commander: 'cli/program.ts',
  'csv-parse': 'format/csv.ts',
  'csv-stringify': 'format/csv.ts',
  'fast-xml-parser': 'format/xml-salvage.ts',
  'form-data': 'format/multipart.ts',
  'hyparquet-writer': 'archive/parquet.ts',
  libsql: 'store/sqlite.ts',
  pino: 'gateway/log.ts',
  'prom-client': 'gateway/metrics.ts',
  qs: 'format/form.ts',
  tinyglobby: 'archive/source-files.ts',
  undici: 'http/agents.ts',
  xmlbuilder2: 'format/xml-writer.ts',
  yaml: 'format/document.ts',
};

/** Dependencies that no file imports, and why they are there. */
const NOT_IMPORTED: Readonly<Record<string, string>> = {
  hono: '@hono/node-server needs it as its peer',
};

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll(path.sep, '/'))
  .sort();

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(SRC, file), 'utf8');
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

/** The path below src that a relative import leads to. */
function resolve(from: string, specifier: string): string {
  return path.posix.join(path.posix.dirname(from), specifier).replace(/\.js$/, '.ts');
}

const roomOf = (file: string) => file.split('/', 1)[0] ?? file;
const packageOf = (specifier: string) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

describe('architecture', () => {
  it('every room imports only what it may', () => {
    const wrong = files.flatMap((file) => {
      const room = roomOf(file);
      const allowed = MAY_IMPORT[room];
      expect(allowed, `${room} has no rule`).not.to.equal(undefined);
      return importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => resolve(file, specifier))
        .filter((target) => {
          expect(existsSync(path.join(SRC, target)), `${file} imports ${target}`).to.equal(true);
          if (allowed === '*' || roomOf(target) === room) return false;
          return !(allowed ?? []).some((rule) => target === rule || roomOf(target) === rule);
        })
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).to.deep.equal([]);
  });

  it('every third-party package has one home, and every dependency is used', () => {
    const homes = new Map<string, Set<string>>();
    for (const file of files) {
      for (const specifier of importsOf(file)) {
        if (specifier.startsWith('.') || specifier.startsWith('node:')) continue;
        const name = packageOf(specifier);
        homes.set(name, (homes.get(name) ?? new Set<string>()).add(file));
      }
    }
    const found = Object.fromEntries([...homes].map(([name, set]) => [name, [...set].join(', ')] as const));
    expect(found).to.deep.equal(HOME);
    const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
      optionalDependencies: Record<string, string>;
    };
    expect(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }).sort()).to.deep.equal(
      [...Object.keys(HOME), ...Object.keys(NOT_IMPORTED)].sort(),
    );
  });

  it('every Quirk names a fixture that shows it', () => {
    const wrong = files.flatMap((file) => {
      const text = readFileSync(path.join(SRC, file), 'utf8').replace(/\n\s*(?:\*|\/\/) ?/g, ' ');
      return [...text.matchAll(/Quirk:(.*?)(?=Quirk:|\*\/|$)/gs)].flatMap(([, sentence = '']) => {
        const named = /\b(test\/fixtures\/[\w/.*-]+)/.exec(sentence.slice(0, 600))?.[1];
        if (named === undefined) return [`${file}: ${sentence.slice(0, 80)}`];
        const prefix = named.replace(/\*$/, '');
        const folder = path.dirname(path.join(ROOT, `${prefix}x`));
        const there =
          existsSync(path.join(ROOT, named)) ||
          (existsSync(folder) &&
            readdirSync(folder).some((name) => path.join(folder, name).startsWith(path.join(ROOT, prefix))));
        return there ? [] : [`${file}: ${named} does not exist`];
      });
    });
    expect(wrong).to.deep.equal([]);
  });

  it('exports by name only', () => {
    const wrong = files.filter((file) =>
      /^export default\b/m.test(readFileSync(path.join(SRC, file), 'utf8')),
    );
    expect(wrong).to.deep.equal([]);
  });
});
