import fs from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The path of `script`, and of all that it imports, as JavaScript in `folder`: a child runs that within some 50 ms, which
 * it needs in order to be killed often. `started` are scripts that it starts as threads.
 */
export async function compile(
  script: string,
  folder: string,
  ...started: readonly string[]
): Promise<string> {
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const done = new Set<string>();
  async function one(file: string) {
    if (done.has(file)) return;
    done.add(file);
    const text = await fs.readFile(file, 'utf8');
    const made = ts.transpileModule(text, { compilerOptions: { ...options, verbatimModuleSyntax: true } });
    const target = path.join(folder, path.relative(ROOT, file)).replace(/\.ts$/, '.js');
    await fs.mkdir(path.dirname(target), { recursive: true });
    await fs.writeFile(target, made.outputText);
    const imported = ts.preProcessFile(made.outputText, true, true).importedFiles;
    for (const { fileName } of imported) {
      if (fileName.startsWith('.'))
        await one(path.join(path.dirname(file), fileName).replace(/\.js$/, '.ts'));
    }
  }
  for (const entry of [script, ...started]) await one(path.join(ROOT, entry));
  await fs.writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
  // What is read at run time stands beside it.
  for (const name of ['node_modules', 'schemas']) {
    await fs.symlink(path.join(ROOT, name), path.join(folder, name));
  }
  return path.join(folder, script.replace(/\.ts$/, '.js'));
}
