import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  files: string[];
  version: string;
};

describe('the package', () => {
  it('pins its dependencies, and the lock file holds no download address', () => {
    for (const [name, version] of Object.entries({
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
    })) {
      expect(version, name).to.match(/^\d+\.\d+\.\d+$/);
    }
    expect(read('package-lock.json')).not.to.match(
      /"resolved":|https?:\/\/(?!.*(?:sponsors|funding|opencollective))[^"]*\.tgz/,
    );
    expect(read('.npmrc')).to.include('omit-lockfile-registry-resolved=true');
  });

  it('names the same version everywhere', () => {
    const lock = JSON.parse(read('package-lock.json')) as { version: string };
    expect(lock.version).to.equal(manifest.version);
    expect(read('CHANGELOG.md')).to.match(/^## \[Unreleased\]/m);
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
