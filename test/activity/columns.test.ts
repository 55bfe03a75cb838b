import { expect } from 'chai';
import fc from 'fast-check';
import { COLUMNS, findColumn, similarColumn } from '../../src/activity/columns.js';

describe('columns', () => {
  it('are those of the document, in its order', () => {
    const custom = Array.from({ length: 15 }, (_, n) => `CUSTOM FIELD ${n + 1}`);
    expect(COLUMNS.map(({ ws }) => ws)).to.deep.equal([
      ...[
        'EMAIL ADDRESS',
        'FIRST NAME',
        'MIDDLE NAME',
        'LAST NAME',
        'JOB TITLE',
        'COMPANY NAME',
        'WORK PHONE',
      ],
      ...['HOME PHONE', 'ADDRESS LINE 1', 'ADDRESS LINE 2', 'ADDRESS LINE 3', 'CITY', 'STATE'],
      ...['STATE/PROVINCE (US/CANADA)', 'COUNTRY', 'POSTAL CODE', 'SUB POSTAL CODE', ...custom],
    ]);
  });

  it('are found by any of their names, however spelled, and only by those', () => {
    const respell = (name: string) =>
      fc
        .array(fc.tuple(fc.boolean(), fc.constantFrom('', ' ', '_', '-', '  ')), {
          minLength: name.length,
          maxLength: name.length,
        })
        .map((choices) =>
          [...name]
            .map((char, index) => {
              const [upper, gap] = choices[index] ?? [false, ''];
              return (/[\s_-]/.test(char) ? '' : upper ? char.toUpperCase() : char.toLowerCase()) + gap;
            })
            .join(''),
        );
    fc.assert(
      fc.property(
        fc.constantFrom(...COLUMNS).chain((column) =>
          fc
            .constantFrom(column.ws, column.heading, column.property)
            .chain(respell)
            .map((name) => ({ column, name })),
        ),
        ({ column, name }) => {
          expect(findColumn(name)).to.deep.equal(column);
        },
      ),
    );
    for (const name of [
      '',
      'email type',
      'shoe size',
      'custom field 16',
      'custom field 0',
      '__proto__',
      'constructor',
    ]) {
      expect(findColumn(name), name).to.equal(undefined);
    }
  });

  it('no two have a name in common', () => {
    for (const key of ['property', 'ws', 'heading', 'v2Upload', 'v2Export', 'v3'] as const) {
      const names = COLUMNS.map((column) => column[key]).filter((name) => name !== undefined);
      expect(new Set(names).size, key).to.equal(names.length);
    }
  });

  it('a slip of the hand is set right, nonsense is not', () => {
    for (const [slip, meant] of [
      ['FRIST NAME', 'FIRST NAME'],
      ['Emial Address', 'EMAIL ADDRESS'],
      ['Postcode', 'POSTAL CODE'],
      ['Custom Feild 3', 'CUSTOM FIELD 3'],
    ] as const) {
      expect(similarColumn(slip)).to.equal(meant);
    }
    expect(similarColumn('Shoe size')).to.equal(undefined);
    expect(similarColumn('x'.repeat(100_000))).to.equal(undefined);
  });
});
