import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

interface Bars {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly 'check-coverage': boolean;
  readonly all: boolean;
  readonly lines: number;
  readonly branches: number;
}
const bars = JSON.parse(read('.c8rc.json')) as Bars;

/** Whether nothing is left of a file but what it passes on, once its types are gone. */
function onlyDeclares(file: string): boolean {
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(read(file), { compilerOptions });
  const { statements } = ts.createSourceFile(file, outputText, ts.ScriptTarget.ES2022);
  return statements.every((statement) => ts.isExportDeclaration(statement));
}

describe('the coverage that the tests must have', () => {
  it('is 95 % of the lines and branches of all files, and all of the model', () => {
    expect(bars).to.deep.include({
      all: true,
      'check-coverage': true,
      include: ['src/**'],
      lines: 95,
      branches: 95,
    });
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(scripts.coverage).to.include("--include 'src/activity/**' --100");
    expect(scripts.test).to.include('npm run coverage');
  });

  it('leaves out only files in which nothing runs: types, and names passed on', () => {
    for (const pattern of bars.exclude) {
      const files = globSync(pattern, { cwd: ROOT });
      expect(files, pattern).not.to.deep.equal([]);
      for (const file of files) expect(onlyDeclares(file), file).to.equal(true);
    }
    expect(onlyDeclares('src/activity/list.ts')).to.equal(false);
  });
});
