import { expect } from 'chai';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UsageError } from '../../src/activity/errors.js';
import { isMissing, optional, OPTIONAL_PACKAGES, type OptionalPackage } from '../../src/optional.js';
import { ENTRIES } from './entries.js';
import { install, pack, ROOT, run } from './installed.js';

const NAMES = Object.keys(OPTIONAL_PACKAGES) as OptionalPackage[];

describe('optional packages', () => {
  it('are those of package.json, in these versions', () => {
    const { optionalDependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      optionalDependencies: Record<string, string>;
    };
    expect(Object.fromEntries(NAMES.map((name) => [name, OPTIONAL_PACKAGES[name].version]))).to.deep.equal(
      optionalDependencies,
    );
  });

  it('are asked for when they are missing, and only then', async () => {
    expect(await optional('pino', () => Promise.resolve(1))).to.equal(1);
    const failing = (error: Error) =>
      optional('pino', () => Promise.reject(error)).catch((thrown: unknown) => thrown);
    const missing = (name: string) =>
      Object.assign(new Error(`Cannot find package '${name}' imported from x.js`), {
        code: 'ERR_MODULE_NOT_FOUND',
      });
    expect(await failing(missing('pino')))
      .to.be.instanceOf(UsageError)
      .with.property(
        'message',
        `the log of a gateway needs the package pino, which is not installed; run: npm install pino@${OPTIONAL_PACKAGES.pino.version}`,
      );
    for (const error of [missing('sonic-boom'), new Error("'pino'")]) {
      expect(await failing(error)).to.equal(error);
      expect(isMissing(error, 'pino')).to.equal(false);
    }
  });

  describe('that are not installed', function () {
    this.timeout(120_000);
    let folder = '';
    let home = '';

    before(async () => {
      expect(existsSync(path.join(ROOT, 'dist/cli/main.js')), 'run "npm run build" first').to.equal(true);
      folder = mkdtempSync(path.join(tmpdir(), 'ctct-packed-'));
      home = await install((await pack(folder)).file, { optional: false });
      for (const name of NAMES)
        expect(existsSync(path.join(home, 'node_modules', name)), name).to.equal(false);
    });
    after(() => {
      for (const made of [folder, home]) if (made !== '') rmSync(made, { recursive: true, force: true });
    });

    const ctct = (...args: string[]) => ctctWith({}, ...args);
    const ctctWith = (settings: Record<string, string>, ...args: string[]) =>
      run(path.join(home, 'node_modules/.bin/ctct'), args, {
        cwd: home,
        env: {
          ...settings,
          ...process.env,
          TMPDIR: home,
          HOME: home,
          XDG_CONFIG_HOME: home,
          XDG_STATE_HOME: home,
        },
      });
    const asks = (name: OptionalPackage) =>
      `needs the package ${name}, which is not installed; run: npm install ${name}@${OPTIONAL_PACKAGES[name].version}`;

    it('are not needed by the entries, nor by what has nothing to do with them', async () => {
      const script = `for (const entry of ${JSON.stringify(Object.keys(ENTRIES))}) await import(entry)`;
      const { code, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], {
        cwd: home,
      });
      expect(code, stderr).to.equal(0);
      const demo = await ctct('demo');
      expect(demo.code, demo.stderr).to.equal(0);
    });

    it('are asked for by the functions that need them', async () => {
      const script = `
        import { openStore } from 'ctct-activities';
        import { parquetBytes, readArchive } from 'ctct-activities/archive';
        import { createLog, createMetrics } from 'ctct-activities/gateway';
        const said = async (act) => {
          try { await act(); } catch ({ code, message }) { return [code, message]; }
        };
        console.log(JSON.stringify([
          await said(() => parquetBytes(readArchive(new Uint8Array())).next()),
          await said(() => openStore('kept.db')),
          await said(() => openStore('kept.db', { thread: true })),
          await said(() => createLog({ write() {} })),
          await said(() => createMetrics({ status() {} })),
        ]));`;
      writeFileSync(path.join(home, 'script.mjs'), script);
      const { stdout, stderr } = await run(process.execPath, ['script.mjs'], { cwd: home });
      expect(stderr).to.equal('');
      const said = JSON.parse(stdout) as [string, string][];
      const names = ['hyparquet-writer', 'libsql', 'libsql', 'pino', 'prom-client'] as const;
      for (const [index, name] of names.entries()) {
        expect(said[index]?.[0], name).to.equal('PACKAGE_MISSING');
        expect(said[index]?.[1]).to.include(asks(name));
      }
      expect(existsSync(path.join(home, 'kept.db')), 'a file that nobody could use').to.equal(false);
    });

    it('are asked for by the commands that need them: exit code 2, and nothing is left behind', async () => {
      writeFileSync(path.join(home, 'feed.xml'), '<feed xmlns="http://www.w3.org/2005/Atom"/>');
      // How an .xls file of Excel 97 begins.
      writeFileSync(path.join(home, 'a.xls'), Buffer.from('d0cf11e0a1b11ae1', 'hex'));
      const cases: readonly (readonly [OptionalPackage, ...string[]])[] = [
        ['hyparquet-writer', 'archive', 'read', 'feed.xml', '--output', 'parquet', '--out', 'a.parquet'],
        ['@e965/xlsx', 'translate', '--file', 'a.xls', '--out', 'a.csv'],
        ['pino', 'gateway', '--demo'],
      ];
      for (const [name, ...args] of cases) {
        const { code, stdout, stderr } = await ctct(...args);
        expect(stderr).to.include(asks(name));
        expect({ code, stdout }, name).to.deep.equal({ code: 2, stdout: '' });
      }
      for (const file of ['a.parquet', 'a.csv']) {
        expect(existsSync(path.join(home, file)), file).to.equal(false);
      }
    });

    it('are asked for by a migration, once there is something to remember', async () => {
      writeFileSync(path.join(home, 'contacts.csv'), 'EMAIL ADDRESS\nann@example.com\n');
      const settings = { CTCT_API_KEY: 'a-key', CTCT_ACCESS_TOKEN: 'a-token', CTCT_OFFLINE: '1' };
      const plan = await ctctWith(settings, 'migrate', 'plan', 'contacts.csv', '--list', '2');
      expect(plan.code, plan.stderr).to.equal(0);
      const { code, stderr } = await ctctWith(settings, 'migrate', 'run', 'plan.json');
      expect(stderr).to.include(asks('libsql'));
      expect(code).to.equal(2);
    });
  });
});
