import { expect } from 'chai';
import fc from 'fast-check';
import {
  COLUMNS,
  EMAIL_ADDRESS,
  findColumn,
  findV2Column,
  similarColumn,
  V2_COLUMNS,
} from '../../src/activity/columns.js';

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

  it('are headed in an export as they are named in an upload, the postal codes aside', () => {
    for (const { ws, heading } of COLUMNS) {
      const usual = { 'POSTAL CODE': 'POSTAL', 'SUB POSTAL CODE': 'SUB POSTAL' }[ws as string] ?? ws;
      expect(heading.toUpperCase()).to.equal(usual);
      expect(heading).to.match(/^[A-Z][a-z]/);
    }
  });

  it('are named by v2 and v3 as their documents have it', () => {
    const names = (pick: (column: (typeof V2_COLUMNS)[number]) => string | undefined) =>
      V2_COLUMNS.flatMap((column) => {
        const name = pick(column);
        return name === undefined || /CUSTOM.FIELD/i.test(name) ? [] : [name];
      });
    const both = [
      ...['First Name', 'Last Name', 'Job Title', 'Company Name', 'Work Phone', 'Home Phone'],
      ...[
        'Address Line 1',
        'Address Line 2',
        'Address Line 3',
        'City',
        'State',
        'Country',
        'Zip/Postal Code',
      ],
    ];
    expect(names(({ v2Export }) => v2Export)).to.deep.equal(['Email', ...both, 'Contact ID']);
    expect(names(({ v2Upload }) => v2Upload)).to.deep.equal([
      ...['Email', ...both].map((name) => name.toUpperCase()),
      ...['BIRTHDAY_DAY', 'BIRTHDAY_MONTH', 'ANNIVERSARY'],
    ]);
    expect(names(({ v2Ignored }) => v2Ignored)).to.deep.equal([
      ...['MIDDLE NAME', 'US STATE/CA PROVINCE', 'SUB ZIP/POSTAL CODE'],
    ]);
    expect(names(({ v3 }) => v3)).to.deep.equal([
      ...['email', 'first_name', 'last_name', 'job_title', 'company_name', 'work_phone', 'home_phone'],
      ...['street', 'street2', 'city', 'state', 'country', 'zip'],
      ...['birthday_day', 'birthday_month', 'anniversary'],
    ]);
    for (let n = 1; n <= 15; n++) {
      expect(findColumn(`customField${n}`)).to.include({
        v2Upload: `CUSTOM FIELD ${n}`,
        v2Export: `Custom field ${n}`,
        v3: `cf:custom_field_${n}`,
      });
    }
    expect(EMAIL_ADDRESS).to.equal(COLUMNS[0]?.ws);
  });

  it('of v2 are found by each name they have there, and those of ws before them', () => {
    for (const column of V2_COLUMNS) {
      for (const name of [column.property, column.ws, column.v2Upload, column.v2Export, column.v2Ignored]) {
        if (name === undefined) continue;
        for (const spelled of [name, name.toLowerCase(), name.replaceAll(' ', '_')]) {
          expect(findV2Column(spelled), spelled).to.deep.equal(column);
        }
      }
    }
    expect(V2_COLUMNS.filter(({ ws }) => ws === undefined).map(({ property }) => property)).to.deep.equal([
      ...['birthdayDay', 'birthdayMonth', 'anniversary', 'contactId'],
    ]);
    expect(findV2Column('shoe size')).to.equal(undefined);
    // The one that is not its neighbour of almost the same name.
    expect(findColumn('State/Province')?.property).to.equal('stateProvince');
    expect(findColumn('e-mail')?.property).to.equal('emailAddress');
    expect(findColumn('ZIP/Postal Code')?.property).to.equal('postalCode');
    expect(findColumn('US State/CA Province')?.property).to.equal('stateProvince');
  });

  it('a name with one letter wrong, missing, added or doubled is set right', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...COLUMNS.filter(({ property }) => !property.startsWith('customField'))),
        fc.nat(),
        fc.constantFrom('wrong', 'missing', 'added', 'doubled'),
        ({ ws }, where, slip) => {
          const at = where % ws.length;
          const letter = {
            wrong: '%',
            missing: '',
            added: `%${ws[at] ?? ''}`,
            doubled: (ws[at] ?? '').repeat(2),
          };
          const name = ws.slice(0, at) + letter[slip] + ws.slice(at + 1);
          // Of the three lines of an address a slip in the number may mean any.
          const meant = similarColumn(name);
          expect(meant?.replace(/[123]$/, ''), name).to.equal(ws.replace(/[123]$/, ''));
        },
      ),
    );
  });

  it('as many letters may be wrong as a third of the name, and one of a short one', () => {
    expect(similarColumn('C%%%')).to.equal(undefined);
    expect(similarColumn('C%TY')).to.equal('CITY');
    expect(similarColumn('CT')).to.equal(undefined);
    expect(similarColumn('%%%ST NAME')).to.equal('FIRST NAME');
    expect(similarColumn('%%%%T NAME')).to.not.equal('FIRST NAME');
    expect(similarColumn('')).to.equal(undefined);
    // Of names that are as like, the first.
    expect(similarColumn('ADDRESS LINE 9')).to.equal('ADDRESS LINE 1');
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
