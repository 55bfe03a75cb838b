import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Compiles src and bench as they are now, as the package is built, so that what is measured is what users run, without a
 * compiler in the process. Gives the folder; it lies where the dependencies are found.
 */
export function compile(): string {
  const target = join(ROOT, 'node_modules/.cache/ctct-bench');
  rmSync(target, { recursive: true, force: true });
  for (const folder of ['src', 'bench']) {
    for (const file of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const { outputText } = ts.transpileModule(readFileSync(join(ROOT, folder, file), 'utf8'), {
        compilerOptions: {
          target: ts.ScriptTarget.ES2022,
          module: ts.ModuleKind.ESNext,
          verbatimModuleSyntax: true,
        },
      });
      const output = join(target, folder, file.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(output), { recursive: true });
      writeFileSync(output, outputText);
    }
  }
  // The command line tells its version.
  copyFileSync(join(ROOT, 'package.json'), join(target, 'package.json'));
  cpSync(join(ROOT, 'schemas'), join(target, 'schemas'), { recursive: true });
  return target;
}
