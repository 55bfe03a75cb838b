import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What package-lock.json says, by the paths of packages from the project. */
export const lock = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Readonly<Record<string, LockEntry>>;
};

/**
 * The folders of node_modules, by their paths from the project, that an installation of this package has: all that is
 * needed at run time, as the lock file has it. Of packages for other machines, none, unless `anywhere`.
 */
export function runtimePackages({
  optional,
  anywhere = false,
}: {
  readonly optional: boolean;
  readonly anywhere?: boolean;
}): string[] {
  const found = new Set<string>();
  const visit = (at: string) => {
    const { dependencies = {}, optionalDependencies = {} } = lock.packages[at] ?? {};
    for (const name of Object.keys({ ...dependencies, ...(optional && optionalDependencies) })) {
      if (!optional && name in optionalDependencies) continue;
      const folder = placeOf(at, name);
      if (folder === undefined || found.has(folder)) continue;
      if (!anywhere && !existsSync(path.join(ROOT, folder))) continue;
      found.add(folder);
      visit(folder);
    }
  };
  visit('');
  return [...found].sort();
}

/** Where Node finds a package from there: in the nearest node_modules that has it. */
function placeOf(from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    const folder = path.posix.join(at, 'node_modules', name);
    if (folder in lock.packages) return folder;
    if (at === '') return undefined;
  }
}

/** The file that `npm pack` makes of the project as it was built. */
export async function pack(folder: string): Promise<{ file: string; paths: readonly string[] }> {
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
  });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [
    { filename: string; files: { path: string }[] },
  ];
  return {
    file: path.join(folder, packed.filename),
    paths: packed.files.map((file) => file.path).sort(),
  };
}

/**
 * Installs the file into a new folder as npm would, but without any network: the package itself is unpacked, and what
 * it depends on is linked from the project's own node_modules, and nothing else is there. So whatever it imports and
 * does not declare is missing.
 */
export async function install(
  file: string,
  { optional = true, types = false }: { readonly optional?: boolean; readonly types?: boolean } = {},
): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ctct-installed-'));
  const modules = path.join(folder, 'node_modules');
  const own = path.join(modules, 'ctct-activities');
  mkdirSync(own, { recursive: true });
  await run('tar', ['-xzf', file, '-C', own, '--strip-components=1'], { cwd: folder });
  const { bin } = JSON.parse(readFileSync(path.join(own, 'package.json'), 'utf8')) as {
    bin: { ctct: string };
  };
  // As npm does with every command that it links.
  chmodSync(path.join(own, bin.ctct), 0o755);
  mkdirSync(path.join(modules, '.bin'));
  symlinkSync(path.join('..', 'ctct-activities', bin.ctct), path.join(modules, '.bin', 'ctct'));
  writeFileSync(path.join(folder, 'package.json'), '{ "name": "consumer", "private": true }\n');
  const linked = runtimePackages({ optional }).filter((at) => at.lastIndexOf('node_modules/') === 0);
  for (const at of [...linked, ...(types ? ['node_modules/@types/node', 'node_modules/undici-types'] : [])]) {
    const target = path.join(folder, at);
    mkdirSync(path.dirname(target), { recursive: true });
    // Types are looked up from where they lie, so they are copied.
    if (at.includes('types')) cpSync(path.join(ROOT, at), target, { recursive: true });
    else symlinkSync(path.join(ROOT, at), target);
  }
  return folder;
}

/** Bytes of all files below a folder; of a folder of node_modules, less the packages inside it. */
export function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) return sum + (entry.name === 'node_modules' ? 0 : sizeOf(at));
    return sum + (entry.isFile() ? statSync(at).size : 0);
  }, 0);
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program puts out, whatever it ends with. */
export function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    execFile(
      command,
      args,
      {
        timeout: 120_000,
        maxBuffer: 64 * 1024 * 1024,
        cwd: options.cwd,
        env: outsideOfNpm(options.env ?? process.env),
      },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== 'number') reject(new Error(command, { cause: error }));
        else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

/** As in a user's own terminal: `npm test` and `npx` leave settings of theirs to all that they start. */
function outsideOfNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^npm_(?:config|package|lifecycle)_/i.test(name)),
  );
}
