import { expect } from 'chai';
import fc from 'fast-check';
import { COLUMNS, V2_COLUMNS } from '../../src/activity/columns.js';
import { CtctError, UnsupportedError, UsageError } from '../../src/activity/errors.js';
import type { Contacts, ContactRow, Warning } from '../../src/activity/request.js';
import { EXPORT_COLUMNS, exportColumn, UPLOAD_COLUMNS, uploadColumn } from '../../src/v2/columns.js';
import { encodeRequest } from '../../src/v2/requests.js';
import { readTable, type ContactTable } from '../../src/v2/table.js';
import { isDayOfMonth, valueProblem } from '../../src/v2/values.js';

const NOW = Date.UTC(2015, 5, 1);

async function read(
  contacts: Contacts,
  purpose: 'add' | 'remove' = 'add',
): Promise<{ table: ContactTable; warnings: Warning[] }> {
  const warnings: Warning[] = [];
  const warn = (warning: Warning) => {
    if (warning.code !== 'FEW_CONTACTS') warnings.push(warning);
  };
  return { table: await readTable(contacts, { purpose, now: NOW, warn }), warnings };
}

async function failure(contacts: Contacts, purpose?: 'add' | 'remove'): Promise<CtctError> {
  try {
    await read(contacts, purpose);
  } catch (error) {
    expect(error).to.be.instanceOf(CtctError);
    return error as CtctError;
  }
  throw new Error('expected a rejection');
}

const heads = ({ columns }: ContactTable) => columns.map(({ v2Upload }) => v2Upload);

describe('v2 columns', () => {
  it('are those of the documents', () => {
    const custom = (text: string) => Array.from({ length: 15 }, (_, n) => `${text} ${n + 1}`);
    expect(UPLOAD_COLUMNS.map(({ v2Upload }) => v2Upload)).to.have.members([
      ...['EMAIL', 'FIRST NAME', 'LAST NAME', 'BIRTHDAY_DAY', 'BIRTHDAY_MONTH', 'ANNIVERSARY', 'JOB TITLE'],
      ...['COMPANY NAME', 'WORK PHONE', 'HOME PHONE', 'ADDRESS LINE 1', 'ADDRESS LINE 2', 'ADDRESS LINE 3'],
      ...['CITY', 'STATE', 'COUNTRY', 'ZIP/POSTAL CODE', ...custom('CUSTOM FIELD')],
    ]);
    expect(EXPORT_COLUMNS.map(({ v2Export }) => v2Export)).to.have.members([
      ...['Email', 'First Name', 'Last Name', 'Contact ID', 'Job Title', 'Company Name', 'Work Phone'],
      ...['Home Phone', 'Address Line 1', 'Address Line 2', 'Address Line 3', 'City', 'State', 'Country'],
      ...['Zip/Postal Code', ...custom('Custom field')],
    ]);
    expect(V2_COLUMNS.flatMap(({ v2Ignored }) => v2Ignored ?? [])).to.deep.equal([
      'MIDDLE NAME',
      'US STATE/CA PROVINCE',
      'SUB ZIP/POSTAL CODE',
    ]);
    expect(V2_COLUMNS.filter(({ ws }) => ws !== undefined)).to.deep.equal(COLUMNS);
  });

  it('are found by their names in any case, and by no other', () => {
    for (const column of UPLOAD_COLUMNS) {
      for (const name of [column.v2Upload, column.v2Upload.toLowerCase(), ` ${column.v2Upload} `]) {
        expect(uploadColumn(name)).to.equal(column);
      }
    }
    for (const column of EXPORT_COLUMNS) expect(exportColumn(column.v2Export.toUpperCase())).to.equal(column);
    expect(uploadColumn('Email address')).to.equal(uploadColumn('EMAIL'));
    expect(exportColumn('Email Address')).to.equal(exportColumn('email'));
    for (const name of ['POSTAL CODE', 'STATE CODE', 'MIDDLE NAME', 'CONTACT ID', 'first_name', '']) {
      expect(uploadColumn(name), name).to.equal(undefined);
    }
    expect(exportColumn('BIRTHDAY_DAY')).to.equal(undefined);
  });
});

describe('contacts for v2', () => {
  it('have their columns renamed, whatever they were called', async () => {
    const { table, warnings } = await read({
      text: 'Email Address\tPostal Code\tbirthday_month\tBIRTHDAY DAY\tCustom Field1\nann@example.com\t02145\t4\t3\tx\n',
    });
    expect(heads(table)).to.deep.equal([
      'EMAIL',
      'ZIP/POSTAL CODE',
      'BIRTHDAY_MONTH',
      'BIRTHDAY_DAY',
      'CUSTOM FIELD 1',
    ]);
    expect(table.rows).to.deep.equal([['ann@example.com', '02145', '4', '3', 'x']]);
    expect(warnings).to.deep.equal([]);
  });

  it('given as rows are the table of their values', async () => {
    const names = ['firstName', 'CITY', 'Custom Field 3', 'postal_code'];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.string({ maxLength: 8 }), { minLength: 4, maxLength: 4 }), { minLength: 1 }),
        async (values) => {
          const rows = values.map((cells): ContactRow => {
            return {
              email: 'ann@example.com',
              ...Object.fromEntries(names.map((name, n) => [name, cells[n]])),
            };
          });
          const { table, warnings } = await read({ rows });
          expect(heads(table).slice(1)).to.deep.equal([
            'FIRST NAME',
            'CITY',
            'CUSTOM FIELD 3',
            'ZIP/POSTAL CODE',
          ]);
          expect(table.rows).to.deep.equal(
            // A CSV reader makes one line break of another.
            values.map((cells) => ['ann@example.com', ...cells]),
          );
          expect(warnings).to.deep.equal([]);
        },
      ),
    );
  });

  it('lose what v2 ignores or nobody knows, with a warning and a way out', async () => {
    const { table, warnings } = await read({
      text: 'EMAIL,Middle Name,State/Province (US/Canada),Sub Postal Code,shoe size,Frist Name,,City\nann@example.com,Q,MA,1234,43,x,y,Rome\n',
    });
    expect(heads(table)).to.deep.equal(['EMAIL', 'CITY']);
    expect(table.rows).to.deep.equal([['ann@example.com', 'Rome']]);
    expect(warnings.map(({ code, message }) => `${code} ${message}`)).to.deep.equal([
      'COLUMN_IGNORED "Middle Name": v2 ignores this column, so it is left out; to keep it, put it into FIRST NAME or a custom field',
      'COLUMN_IGNORED "State/Province (US/Canada)": v2 ignores this column, so it is left out; to keep it, rename the column to STATE',
      'COLUMN_IGNORED "Sub Postal Code": v2 ignores this column, so it is left out; to keep it, put it behind the ZIP/POSTAL CODE',
      'COLUMN_UNKNOWN "shoe size": v2 has no such column, so it is left out',
      'COLUMN_UNKNOWN "Frist Name": v2 has no such column, so it is left out; did you mean FIRST NAME?',
    ]);
  });

  it('an exported Contact ID cannot be uploaded', async () => {
    const { table, warnings } = await read({ text: 'EMAIL,Contact ID\nann@example.com,5\n' });
    expect(heads(table)).to.deep.equal(['EMAIL']);
    expect(warnings.map(({ code }) => code)).to.deep.equal(['COLUMN_UNKNOWN']);
  });

  it('for a removal are addresses, whatever else there is', async () => {
    const { table, warnings } = await read(
      { text: 'City,Email\nRome,ann@example.com\n,bob@example.com\n' },
      'remove',
    );
    expect(table.rows).to.deep.equal([['ann@example.com'], ['bob@example.com']]);
    expect(warnings).to.deep.equal([]);
  });

  it('tell when lines will be named otherwise, and when a cell has no column', async () => {
    const { table, warnings } = await read({
      text: 'EMAIL,City\nann@example.com,Boston, MA\n\nbob@example.com,"New\nYork"\neve@example.com\n',
    });
    expect(table.rows).to.deep.equal([
      ['ann@example.com', 'Boston'],
      ['bob@example.com', 'New\nYork'],
      ['eve@example.com', ''],
    ]);
    expect(warnings.map(({ code, message }) => [code, message.slice(0, 45)])).to.deep.equal([
      ['COLUMN_UNKNOWN', 'line 2: there is a cell beyond the heading, a'],
      ['LINES_MOVED', 'contact 2 stands on line 4 of the file, and e'],
    ]);
  });

  it('are refused by row and column for values that v2 does not take', async () => {
    const cases: readonly [string, string, string][] = [
      ['BIRTHDAY_MONTH', 'Jan', 'line 3: "BIRTHDAY_MONTH" must be 1 to 12, got "Jan"'],
      ['Birthday_Day', '32', 'line 3: "BIRTHDAY_DAY" must be 1 to 31, got "32"'],
      [
        'Anniversary',
        'May 5th',
        'line 3: "ANNIVERSARY" must be a date such as 03/12/2005 or 2005-03-12, got "May 5th"',
      ],
      ['State', 'x'.repeat(51), 'line 3: "STATE" must have 50 characters at most, got 51'],
    ];
    for (const [name, value, message] of cases) {
      const error = await failure({ text: `EMAIL,${name}\nann@example.com,\nbob@example.com,${value}\n` });
      expect(error).to.be.instanceOf(UsageError);
      expect([error.code, error.message]).to.deep.equal(['CONTACTS_INVALID', message]);
    }
    const rows = [{ email: 'ann@example.com', birthdayMonth: 2, birthdayDay: 30 }];
    expect((await failure({ rows })).message).to.equal('row 1: month 2 has no day 30');
    expect((await failure({ text: 'EMAIL\nann@example.com; bob@example.com\n' })).message).to.match(
      /^line 2: "EMAIL" holds more than one address.*a row of its own$/,
    );
    expect((await failure({ text: 'EMAIL,Email Address\na@example.com,b@example.com\n' })).message).to.match(
      /names EMAIL twice, as "EMAIL" and as "Email Address"; take one away/,
    );
  });

  it('that are a spreadsheet are not sent', async () => {
    const bytes = Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0]);
    const error = await failure({ bytes, fileName: 'contacts.xls' });
    expect(error).to.be.instanceOf(UnsupportedError);
    expect(error.message).to.include('save the sheet as .csv');
  });

  describe('within the limits', () => {
    const lines = (count: number, more = '') =>
      `EMAIL\n${Array.from({ length: count }, (_, n) => `user${n}@example.com${more}`).join('\n')}\n`;

    it('40,000 contacts to add, 20,000 to remove, and not one more', async () => {
      for (const [purpose, most] of [
        ['add', 40_000],
        ['remove', 20_000],
      ] as const) {
        expect((await read({ text: lines(most) }, purpose)).table.rows).to.have.length(most);
        const error = await failure({ text: lines(most + 1) }, purpose);
        expect(error.code).to.equal('UPLOAD_TOO_LARGE');
        expect(error.message).to.include(most.toLocaleString('en-US')).and.to.include('send them in several');
      }
    });

    it('rows without end are read no further than to know that they are too many', async () => {
      let given = 0;
      let closed = false;
      function* rows() {
        try {
          for (;;) yield { email: `user${++given}@example.com` };
        } finally {
          closed = true;
        }
      }
      expect((await failure({ rows: rows() })).code).to.equal('UPLOAD_TOO_LARGE');
      expect([given, closed]).to.deep.equal([40_001, true]);
    });

    it('less than 4,000,000 bytes, as JSON and as a file', async () => {
      const rows = (bytes: number) => [['ann@example.com', 'x'.repeat(bytes)]];
      const columns = UPLOAD_COLUMNS.filter(({ property }) => ['emailAddress', 'city'].includes(property));
      for (const encoding of ['json', 'multipart'] as const) {
        const request = (bytes: number) =>
          ({
            operation: 'addcontacts',
            table: { columns, rows: rows(bytes) },
            lists: ['1'],
            blanksEnabled: false,
          }) as const;
        const envelope = (await encodeRequest(request(0), { encoding, boundary: 'b' })).length ?? 0;
        // Of JSON the empty city was left out, with its address around it.
        const city = encoding === 'json' ? ',"addresses":[{"city":"","address_type":"PERSONAL"}]'.length : 0;
        const most = 3_999_999 - envelope - city;
        expect((await encodeRequest(request(most), { encoding, boundary: 'b' })).length).to.equal(3_999_999);
        let error: unknown;
        try {
          await encodeRequest(request(most + 1), { encoding, boundary: 'b' });
        } catch (caught) {
          error = caught;
        }
        expect(error).to.be.instanceOf(UsageError);
        expect((error as UsageError).code).to.equal('UPLOAD_TOO_LARGE');
      }
    });
  });
});

describe('values of v2', () => {
  it('anniversaries are dates in one of eight spellings, from 1901 to ten years ahead, or of year 00', () => {
    const good = [
      '03/12/2005',
      '3/2/2005',
      '2005/03/12',
      '2005/3/2',
      '2005-03-12',
      '2005-3-2',
      '3-2-2005',
      '03-12-2005',
    ];
    for (const text of [...good, '01/01/1901', '12/31/2025', '02/29/00', '00-2-29', '0000-01-01']) {
      expect(valueProblem('anniversary', text, NOW), text).to.equal(undefined);
    }
    for (const text of [
      '01/01/1900',
      '01/01/2026',
      '13/01/2005',
      '02/30/2005',
      '2005/13/01',
      '3-2/2005',
      '2005',
      '3/2/05',
      'x',
    ]) {
      expect(valueProblem('anniversary', text, NOW), text).to.be.a('string');
    }
  });

  it('a date that Date knows is one, month first or year first', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1902-01-01'), max: new Date('2024-12-31'), noInvalidDate: true }),
        (date) => {
          const [year = '', month = '', day = ''] = date.toISOString().slice(0, 10).split('-');
          for (const text of [
            `${month}/${day}/${year}`,
            `${year}-${month}-${day}`,
            `${Number(month)}-${Number(day)}-${year}`,
          ]) {
            expect(valueProblem('anniversary', text, NOW)).to.equal(undefined);
          }
          expect(isDayOfMonth(day, month)).to.equal(true);
        },
      ),
    );
  });

  it('a birthday has the days of its month', () => {
    for (let month = 1; month <= 12; month++) {
      // 2000 has a 29 February.
      const days = new Date(Date.UTC(2000, month, 0)).getUTCDate();
      expect(isDayOfMonth(String(days), String(month))).to.equal(true);
      expect(isDayOfMonth(String(days + 1), String(month))).to.equal(false);
    }
    for (const [property, most] of [
      ['birthdayDay', 31],
      ['birthdayMonth', 12],
    ] as const) {
      for (let n = 1; n <= most; n++) expect(valueProblem(property, String(n), NOW)).to.equal(undefined);
      for (const text of ['0', '00', String(most + 1), '-1', '1.5', 'x', '1e1']) {
        expect(valueProblem(property, text, NOW), text).to.be.a('string');
      }
    }
  });

  it('a blank is never wrong, nor is anything in a column without a rule', () => {
    fc.assert(
      fc.property(fc.constantFrom(...UPLOAD_COLUMNS), fc.string(), ({ property }, text) => {
        expect(valueProblem(property, '', NOW)).to.equal(undefined);
        if (/^(first|last)Name$|^customField/.test(property)) {
          expect(valueProblem(property, text, NOW)).to.equal(undefined);
        }
      }),
    );
  });
});
