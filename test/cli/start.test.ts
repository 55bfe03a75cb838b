import { expect } from 'chai';
import { readFileSync } from 'node:fs';

/** What is loaded by loading a module: the modules that it names in `import … from`, and so on; types are not. */
function loadedBy(start: URL): { readonly own: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const own = new Set<string>();
  const packages = new Set<string>();
  const visit = (url: URL): void => {
    if (own.has(url.href)) return;
    own.add(url.href);
    const text = readFileSync(url, 'utf8');
    for (const [, what = '', from = ''] of text.matchAll(
      /^(?:import|export) ((?:[\w*{][^;]*? from )?)'([^']+)';/gms,
    )) {
      if (what.startsWith('type ')) continue;
      if (from.startsWith('.')) visit(new URL(from.replace(/\.js$/, '.ts'), url));
      else if (!from.startsWith('node:')) packages.add(from);
    }
  };
  visit(start);
  return { own, packages };
}

describe('the start of ctct', () => {
  const { own, packages } = loadedBy(new URL('../../src/cli/main.ts', import.meta.url));

  it('loads no package but those that every command needs', () => {
    expect([...packages].sort()).to.deep.equal(['commander', 'csv-parse', 'csv-stringify/sync']);
  });

  it('loads no client, server or store before a command asks for it', () => {
    const rooms = [
      'ws/client',
      'ws/server',
      'v2/client',
      'emulator/emulator',
      'gateway/gateway',
      'store/sqlite',
    ];
    const loaded = [...own].map((href) => href.replace(/^.*\/src\//, '').replace(/\.ts$/, ''));
    expect(loaded).to.include('cli/session');
    expect(rooms.filter((room) => loaded.includes(room))).to.deep.equal([]);
  });
});
