import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as api from '../../src/index.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  dependencies: Record<string, string>;
  files: string[];
  version: string;
};

describe('the package', () => {
  it('pins its dependencies, and the lock file holds no download address', () => {
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      expect(version, name).to.match(/^\d+\.\d+\.\d+$/);
    }
    expect(read('package-lock.json')).not.to.match(
      /"resolved":|https?:\/\/(?!.*(?:sponsors|funding|opencollective))[^"]*\.tgz/,
    );
    expect(read('.npmrc')).to.include('omit-lockfile-registry-resolved=true');
  });

  it('packs what it needs to run and nothing else', function () {
    this.timeout(60_000);
    const out = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [packed] = JSON.parse(out.slice(out.indexOf('['))) as [{ files: { path: string }[] }];
    const paths = packed.files.map(({ path: file }) => file);
    expect(paths).to.include.members([
      'package.json',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      'samples/contacts.csv',
      'docs/mapping.md',
      'schemas/ws/documents.rng',
    ]);
    expect(paths.filter((file) => !/^(?:dist|schemas|samples|docs)\/|^[\w.]+$/.test(file))).to.deep.equal([]);
  });

  it('names the same version everywhere', () => {
    const lock = JSON.parse(read('package-lock.json')) as { version: string };
    expect(lock.version).to.equal(manifest.version);
    expect(read('CHANGELOG.md')).to.match(/^## \[Unreleased\]/m);
  });

  it('can be required by old code', () => {
    const script =
      "console.log(require.resolve('ctct-activities')); console.log(Object.keys(require('ctct-activities')).join())";
    const out = execFileSync(process.execPath, ['-e', script], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [built = '', names = ''] = out.trim().split('\n');
    expect(path.relative(ROOT, built)).to.equal(path.join('dist', 'index.js'));
    expect(names.split(',').sort()).to.deep.equal(Object.keys(api).sort());
  });

  it('exports these names', () => {
    expect(Object.keys(api).sort()).to.deep.equal([
      'ACTIVITY_STATUSES',
      'ACTIVITY_TYPES',
      'ActivityFailedError',
      'AmbiguousCreateError',
      'COLUMNS',
      'CtctError',
      'DecodeError',
      'ERROR_CODES',
      'FEWEST_CONTACTS',
      'LOSSES',
      'MAPPING',
      'PROFILES',
      'QUIRKS',
      'SYSTEM_LISTS',
      'ServiceError',
      'TransportError',
      'UnsupportedError',
      'UsageError',
      'V2Client',
      'V2_COLUMNS',
      'V2_LIMITS',
      'WaitTimeoutError',
      'WsClient',
      'createEmulator',
      'createLimiter',
      'createVirtualClock',
      'decodeEntry',
      'decodeFeed',
      'findColumn',
      'findV2Column',
      'hasFailed',
      'isFinished',
      'readArchive',
      'readSeed',
      'safeFileName',
      'salvageActivity',
      'saveDownload',
      'systemClock',
      'translateActivity',
      'translateColumns',
      'translateFile',
      'translateRequest',
      'v2Server',
      'waitForActivities',
      'waitForActivity',
      'watchActivities',
      'watchActivity',
      'wsServer',
    ]);
  });

  it('has the top level it says it has', () => {
    const tracked = readdirSync(ROOT).filter(
      (name) => !/^(?:node_modules|dist|coverage|\.git)$|^\.c8/.test(name),
    );
    expect(tracked).to.include.members(
      [
        'src',
        'schemas',
        'test',
        'samples',
        'bench',
        'package.json',
        'tsconfig.json',
        '.mocharc.json',
        '.ci',
      ].concat(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'LICENSE']),
    );
  });
});
