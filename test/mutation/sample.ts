import { createHash } from 'node:crypto';
import path from 'node:path';

// A checker of Stryker's, which is not installed here: `plugins: ['./test/mutation/sample.ts']`.

interface Mutant {
  readonly id: string;
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement: string;
  readonly location: Readonly<Record<'start' | 'end', { readonly line: number; readonly column: number }>>;
}

/** Lets a share of the changes through, by what they are and a seed; the others count for nothing. */
class Sample {
  static readonly inject = ['options'] as const;
  readonly #share: number;
  readonly #seed: string;

  constructor({ sample }: { readonly sample: { readonly share: number; readonly seed: string } }) {
    this.#share = sample.share;
    this.#seed = sample.seed;
  }

  init(): Promise<void> {
    return Promise.resolve();
  }

  group(mutants: readonly Mutant[]): Promise<string[][]> {
    return Promise.resolve([mutants.map(({ id }) => id)]);
  }

  check(mutants: readonly Mutant[]): Promise<Record<string, { status: string; reason?: string }>> {
    const left = { status: 'compileError', reason: 'not in the sample' };
    return Promise.resolve(
      Object.fromEntries(
        mutants.map((mutant) => [mutant.id, this.#isChosen(mutant) ? { status: 'passed' } : left]),
      ),
    );
  }

  #isChosen({ fileName, mutatorName, replacement, location: { start, end } }: Mutant): boolean {
    const file = path.basename(path.dirname(fileName)) + '/' + path.basename(fileName);
    const place = [start.line, start.column, end.line, end.column].join(':');
    const text = [this.#seed, file, mutatorName, place, replacement].join('\n');
    return createHash('sha256').update(text).digest().readUInt32BE(0) < this.#share * 2 ** 32;
  }
}

export const strykerPlugins = [{ kind: 'Checker', name: 'sample', injectableClass: Sample }];
