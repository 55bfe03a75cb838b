import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The entries that programs import, and the files that they are made of. */
export const ENTRIES: Readonly<Record<string, string>> = {
  'ctct-activities': 'src/index.ts',
  'ctct-activities/archive': 'src/archive/index.ts',
  'ctct-activities/emulator': 'src/emulator/index.ts',
  'ctct-activities/gateway': 'src/gateway/index.ts',
  'ctct-activities/migrate': 'src/migrate/index.ts',
};

export interface Surface {
  readonly values: readonly string[];
  readonly types: readonly string[];
}

/** What each entry of the package gives to whoever imports it, as the compiler sees it. */
export function surfaces(): Record<string, Surface> {
  const files = Object.values(ENTRIES).map((file) => path.join(ROOT, file));
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
    noLib: true,
  };
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  return Object.fromEntries(
    Object.entries(ENTRIES).map(([entry, file]) => {
      const source = program.getSourceFile(path.join(ROOT, file));
      const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
      if (module === undefined) throw new Error(`${file} is no module`);
      const names = checker.getExportsOfModule(module).map((symbol) => {
        const meant = (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
        const typeOnly = symbol.declarations?.some(
          (node) => ts.isExportSpecifier(node) && (node.isTypeOnly || node.parent.parent.isTypeOnly),
        );
        const isValue = typeOnly !== true && (meant.flags & ts.SymbolFlags.Value) !== 0;
        return { name: symbol.name, isValue };
      });
      const sorted = (isValue: boolean) =>
        names.flatMap((one) => (one.isValue === isValue ? [one.name] : [])).sort();
      return [entry, { values: sorted(true), types: sorted(false) }] as const;
    }),
  );
}
