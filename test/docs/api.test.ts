import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, ReflectionKind, type TypeDocOptions } from 'typedoc';
import { ENTRIES } from '../package/entries.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('the reference of the API', function () {
  this.timeout(180_000);
  const { typedocOptions } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    typedocOptions: Partial<TypeDocOptions>;
  };

  it('is made of the entries of the package', () => {
    expect(typedocOptions.entryPoints).to.deep.equal(Object.values(ENTRIES));
  });

  it('tells of every public name, of every method, and of every option', async () => {
    const app = await Application.bootstrap({ ...typedocOptions, logLevel: 'Warn' });
    const said: string[] = [];
    for (const level of ['warn', 'error'] as const) {
      app.logger[level] = (message: string) => said.push(message);
    }
    const project = await app.convert();
    if (project === undefined) throw new Error(said.join('\n'));
    app.validate(project);
    const untold = project
      .getReflectionsByKind(ReflectionKind.Property)
      .filter(({ parent }) => parent?.kind === ReflectionKind.Interface && parent.name.endsWith('Options'))
      .filter((property) => !property.hasComment())
      .map((property) => property.getFullName())
      .filter((name) => !SELF_EVIDENT.has(name.slice(name.lastIndexOf('.') + 1)));
    expect(said).to.deep.equal([]);
    expect(untold.sort()).to.deep.equal([]);
  });
});

/** Options whose name and type say all there is to say. */
const SELF_EVIDENT: ReadonlySet<string> = new Set(['signal', 'accounts', 'retention']);
