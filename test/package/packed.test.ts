import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import ts from 'typescript';
import { ENTRIES } from './entries.js';
import { install, pack, ROOT, run, runtimePackages, sizeOf } from './installed.js';

const surface = JSON.parse(readFileSync(path.join(ROOT, 'test/package/surface.json'), 'utf8')) as Record<
  string,
  { readonly values: readonly string[] }
>;

/** What somebody who uses the package pays for it, at most. */
const MOST = {
  /** Of the file that npm fetches, and of what it unpacks to. */
  packed: 1_500_000,
  unpacked: 5_000_000,
  /** With the optional packages, and without. */
  packages: 90,
  packagesNeeded: 65,
  bytes: 60_000_000,
  bytesNeeded: 20_000_000,
} as const;

describe('the package as it is packed', function () {
  this.timeout(120_000);
  let folder = '';
  let tarball: string;
  let paths: readonly string[];
  /** Where it is installed. */
  let home = '';

  before(async () => {
    expect(existsSync(path.join(ROOT, 'dist/cli/main.js')), 'run "npm run build" first').to.equal(true);
    folder = mkdtempSync(path.join(tmpdir(), 'ctct-packed-'));
    ({ file: tarball, paths } = await pack(folder));
    home = await install(tarball, { types: true });
  });
  after(() => {
    for (const made of [folder, home]) if (made !== '') rmSync(made, { recursive: true, force: true });
  });

  const node = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(process.execPath, args, { cwd: home });
    expect(code, stderr).to.equal(0);
    return stdout;
  };

  it('holds what was compiled of each source, the schemas, samples and documents, and nothing else', () => {
    const tracked = execFileSync(
      'git',
      ['ls-files', '-co', '--exclude-standard', 'src', 'schemas', 'samples', 'docs'],
      { cwd: ROOT, encoding: 'utf8' },
    );
    const expected = tracked
      .trim()
      .split('\n')
      .filter((file) => existsSync(path.join(ROOT, file)))
      .flatMap((file) =>
        file.startsWith('src/')
          ? ['.js', '.d.ts'].map((end) => file.replace(/^src/, 'dist').replace(/\.ts$/, end))
          : [file],
      );
    const top = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
    expect(paths).to.deep.equal([...expected, ...top].sort());
  });

  it('costs no more than it must', () => {
    const sum = (at: readonly string[]) => at.reduce((bytes, one) => bytes + sizeOf(path.join(ROOT, one)), 0);
    const own = sizeOf(path.join(home, 'node_modules/ctct-activities'));
    const [all, needed] = [true, false].map((optional) => runtimePackages({ optional })) as [
      string[],
      string[],
    ];
    const packed = readFileSync(tarball).length;
    const cost = {
      packed,
      unpacked: own,
      packages: all.length,
      packagesNeeded: needed.length,
      bytes: own + sum(all),
      bytesNeeded: own + sum(needed),
    };
    const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
    console.log(
      `      ${mb(packed)} to fetch, ${mb(own)} unpacked; installed ${mb(cost.bytes)} with ${all.length} packages, ` +
        `without the optional ones ${mb(cost.bytesNeeded)} with ${needed.length}`,
    );
    for (const [what, most] of Object.entries(MOST)) {
      expect(cost[what as keyof typeof MOST], what).to.be.lessThan(most);
    }
  });

  it('can be imported, every entry of it', async () => {
    for (const entry of Object.keys(ENTRIES)) {
      const script = `console.log(JSON.stringify(Object.keys(await import('${entry}')).sort()))`;
      const names: unknown = JSON.parse(await node('--input-type=module', '-e', script));
      expect(names, entry).to.deep.equal(surface[entry]?.values);
    }
  });

  it('can be required by old code, every entry of it', async () => {
    const script = `console.log(JSON.stringify(${JSON.stringify(Object.keys(ENTRIES))}.map((entry) => Object.keys(require(entry)).sort())))`;
    const names: unknown = JSON.parse(await node('--input-type=commonjs', '-e', script));
    expect(names).to.deep.equal(Object.keys(ENTRIES).map((entry) => surface[entry]?.values));
  });

  it('gives its schemas and its package.json by their names, and nothing that is not an entry', async () => {
    const schemas = readdirSync(path.join(ROOT, 'schemas')).filter((name) => name.endsWith('.json'));
    expect(schemas).not.to.deep.equal([]);
    const script = `
      const types = ${JSON.stringify(schemas)}.map((name) => typeof require('ctct-activities/schemas/' + name));
      let inner;
      try { require.resolve('ctct-activities/dist/cli/main.js'); } catch (error) { inner = error.code; }
      const name = require('ctct-activities/package.json').name;
      console.log(JSON.stringify({ name, inner, types: [...new Set(types)] }))`;
    expect(JSON.parse(await node('--input-type=commonjs', '-e', script))).to.deep.equal({
      name: 'ctct-activities',
      inner: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
      types: ['object'],
    });
  });

  for (const [name, options] of Object.entries({
    nodenext: { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
    bundler: { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
  })) {
    it(`has types that a program can be checked against, its modules found as by ${name}`, () => {
      const file = path.join(home, `consumer-${name}.mts`);
      writeFileSync(file, CONSUMER);
      const problems = ts
        .getPreEmitDiagnostics(
          ts.createProgram([file], {
            ...options,
            target: ts.ScriptTarget.ES2022,
            lib: ['lib.es2023.d.ts'],
            types: ['node'],
            typeRoots: [path.join(home, 'node_modules/@types')],
            strict: true,
            exactOptionalPropertyTypes: true,
            skipLibCheck: false,
            noEmit: true,
          }),
        )
        .map(
          (problem) =>
            `${path.relative(home, problem.file?.fileName ?? '')}: ${ts.flattenDiagnosticMessageText(problem.messageText, ' ')}`,
        );
      expect(problems).to.deep.equal([]);
    });
  }

  it('runs what it was typed for', async () => {
    const { outputText } = ts.transpileModule(CONSUMER, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    writeFileSync(path.join(home, 'consumer.mjs'), outputText);
    expect((await node('consumer.mjs')).trim().split('\n')).to.deep.equal([
      'CLEAR_CONTACTS_FROM_LISTS COMPLETE',
      'RUN_BUSY',
      '0 records',
      'ready false',
    ]);
  });

  it('has a command that says its version, and shows what it can do', async () => {
    const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      version: string;
    };
    const npx = (...args: string[]) =>
      run('npx', ['--offline', '--no-install', 'ctct', ...args], {
        cwd: home,
        env: { ...process.env, TMPDIR: home },
      });
    const said = await npx('--version');
    expect(said.stdout.trim(), said.stderr).to.equal(version);
    const demo = await npx('demo');
    expect(demo.code, demo.stderr).to.equal(0);
    expect(demo.stdout + demo.stderr).to.match(/COMPLETE/);
  });

  it('is as publint wants it', async () => {
    const { messages, pkg } = await publint({
      level: 'suggestion',
      strict: true,
      pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer },
    });
    expect(messages.map((message) => formatMessage(message, pkg as never))).to.deep.equal([]);
  });

  it('has types that are right for every way of finding them that ESM has', async () => {
    const checked = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(tarball))));
    if (checked.types === false) throw new Error('it has no types');
    // It is ESM alone, which Node 20.19 can require: TypeScript of before knows neither `exports` nor that.
    const wrong = checked.problems.filter(
      (problem) =>
        !('resolutionKind' in problem && ['node10', 'node16-cjs'].includes(problem.resolutionKind)),
    );
    expect(wrong).to.deep.equal([]);
    expect(Object.keys(checked.entrypoints).sort()).to.include.members(
      Object.keys(ENTRIES).map((entry) => entry.replace('ctct-activities', '.')),
    );
  });
});

/** A program that uses every entry. */
const CONSUMER = `
import { memoryStore, UsageError, WsClient, type Activity, type Store } from 'ctct-activities';
import { readArchive, type ArchiveRecord } from 'ctct-activities/archive';
import { createEmulator, createVirtualClock, type Emulator } from 'ctct-activities/emulator';
import { accountsOf, createGateway, type Gateway } from 'ctct-activities/gateway';
import { runPlan, type MigrationPlan, type RunOutcome } from 'ctct-activities/migrate';

const clock = createVirtualClock();
const emulator: Emulator = createEmulator({ clock });
const client = new WsClient({
  user: 'joesflowers',
  credentials: { scheme: 'bearer', token: 'any' },
  fetch: emulator.fetch,
  clock,
});
const { id } = await client.clearLists({ lists: ['1'] });
const waiting: Promise<Activity> = client.waitForActivity(id);
await clock.advance('1h');
const { type, status } = await waiting;
console.log(type, status);

const store: Store = memoryStore();
const plan: MigrationPlan = {
  version: 1,
  kind: 'migration-plan',
  id: '0123456789abcdef',
  limits: { perSecond: 4, perDay: 10_000 },
  accounts: [],
  losses: [],
  acceptedLosses: [],
  estimate: { calls: 0, seconds: 0, keys: [] },
};
await store.lockRun(plan.id);
const run: Promise<RunOutcome> = runPlan(plan, {
  planFolder: '.',
  stateFolder: '.',
  store,
  connect: () => { throw new Error('nobody is to be reached'); },
});
await run.catch((error: unknown) => { if (error instanceof UsageError) console.log(error.code); });

const records: ArchiveRecord[] = [];
for await (const record of readArchive(new TextEncoder().encode('<feed xmlns="http://www.w3.org/2005/Atom"/>'))) {
  records.push(record);
}
console.log(records.length + ' records');

const gateway: Gateway = createGateway({ store, folder: 'kept', accounts: accountsOf([]) });
console.log('ready ' + gateway.status().ready);
`;
