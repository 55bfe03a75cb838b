import { expect } from 'chai';
import { UsageError } from '../../src/activity/errors.js';
import { checkHeading } from '../../src/activity/request.js';
import { readUpload, type Upload } from '../../src/emulator/rows.js';
import type { CsvRow } from '../../src/format/csv.js';

/** A file of one line a row. */
async function* file(...rows: string[][]): AsyncGenerator<CsvRow> {
  for (const [index, cells] of rows.entries()) {
    await Promise.resolve();
    yield { line: index + 1, cells };
  }
}

const add = (...rows: string[][]) => readUpload(file(...rows), 'add');
const messages = ({ errors }: Upload) => errors.map(({ message }) => message);

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('readUpload', () => {
  it('gives the errors of the document’s sample, and the good row', async () => {
    const upload = await add(
      ['Email Address', 'State'],
      ['test1@example.com', 'MA'],
      ['test2@example.com', 'Test2'],
      ['test3@example.com', 'Test3'],
    );
    expect(upload).to.deep.equal({
      hasDetails: true,
      rows: [{ line: 2, address: 'test1@example.com', values: [['STATE', 'MA']] }],
      errors: [
        {
          lineNumber: 3,
          emailAddress: 'test2@example.com',
          message: 'Unknown US/Canadian state/prov "Test2"',
        },
        {
          lineNumber: 4,
          emailAddress: 'test3@example.com',
          message: 'Unknown US/Canadian state/prov "Test3"',
        },
      ],
      broken: undefined,
    });
  });

  it('trims cells and headings, whose case and spelling do not matter', async () => {
    for (const heading of ['EMAIL ADDRESS', ' email address ', 'emailAddress', 'Email_Address', 'Email']) {
      const upload = await add(
        [heading, ' first NAME', 'Custom Field1 '],
        [' ann@example.com', ' Ann ', ' x'],
      );
      expect(upload.rows, heading).to.deep.equal([
        {
          line: 2,
          address: 'ann@example.com',
          values: [
            ['FIRST NAME', 'Ann'],
            ['CUSTOM FIELD 1', 'x'],
          ],
        },
      ]);
    }
  });

  it('passes over unknown columns, trailing commas, blank cells and blank rows', async () => {
    const upload = await add(
      ['', ''],
      ['Email Address', 'email type', 'Shoe Size', 'First Name', ''],
      ['ann@example.com', 'HTML', '43', '', ''],
      ['', ' ', '', ''],
      ['joan@example.com'],
      ['fred@example.com', 'Text', '', 'Fred', '', 'beyond', ''],
    );
    expect(upload.errors).to.deep.equal([]);
    expect(upload.rows.map(({ line, values }) => [line, values])).to.deep.equal([
      [3, []],
      [5, []],
      [6, [['FIRST NAME', 'Fred']]],
    ]);
  });

  it('has details when a column beyond the address is known', async () => {
    for (const [heading, hasDetails] of [
      [['Email Address'], false],
      [['Email Address', ''], false],
      [['Email Address', 'email type'], false],
      [['Email Address', 'First Name'], true],
      [['City', 'Email Address'], true],
      [['Email Address', 'Anniversary'], false],
    ] as const) {
      const row = heading.map((name) => (name === 'Email Address' ? 'ann@example.com' : ''));
      expect((await add([...heading], row)).hasDetails, heading.join()).to.equal(hasDetails);
    }
  });

  it('checks addresses', async () => {
    const upload = await add(
      ['First Name', 'Email Address'],
      ['Ann', ''],
      ['Joan', 'joan@'],
      ['Fred', 'a b@example.com'],
    );
    expect(upload.rows).to.deep.equal([]);
    expect(upload.errors).to.deep.equal([
      { lineNumber: 2, emailAddress: undefined, message: 'Missing email address' },
      { lineNumber: 3, emailAddress: 'joan@', message: 'Invalid email' },
      { lineNumber: 4, emailAddress: 'a b@example.com', message: 'Invalid email' },
    ]);
  });

  it('checks STATE only where the country is the US, Canada or blank', async () => {
    const upload = await add(
      ['Email Address', 'State', 'Country'],
      ['a@example.com', 'Bavaria', 'Germany'],
      ['b@example.com', 'Bavaria', ''],
      ['c@example.com', 'Bavaria', 'USA'],
      ['d@example.com', 'Bavaria', 'Canada'],
      ['e@example.com', 'Ontario', 'Canada'],
      ['f@example.com', '', 'us'],
    );
    expect(upload.rows.map(({ line }) => line)).to.deep.equal([2, 6, 7]);
    expect(messages(upload)).to.deep.equal(new Array(3).fill('Unknown US/Canadian state/prov "Bavaria"'));
  });

  it('checks STATE/PROVINCE (US/CANADA) whatever the country', async () => {
    const upload = await add(
      ['Email Address', 'State/Province (US/Canada)', 'Country', 'State'],
      ['a@example.com', 'Bavaria', 'Germany', ''],
      ['b@example.com', 'qc', 'Germany', 'Bavaria'],
      ['c@example.com', 'MA', '', 'Nowhere'],
    );
    expect(upload.rows.map(({ line }) => line)).to.deep.equal([3]);
    expect(messages(upload)).to.deep.equal([
      'Unknown US/Canadian state/prov "Bavaria"',
      'Unknown US/Canadian state/prov "Nowhere"',
    ]);
  });

  it('passes over the dates that only the successors of the API document', async () => {
    const heading = ['Email Address', 'BIRTHDAY_MONTH', 'Birthday Day', 'Anniversary'];
    const upload = await add(heading, ['a@example.com', 'Jan', '99', 'soon']);
    expect(upload.rows).to.deep.equal([{ line: 2, address: 'a@example.com', values: [] }]);
    expect(upload.errors).to.deep.equal([]);
    // The client says the same of them.
    expect(checkHeading(heading)).to.have.length(3);
  });

  it('checks nothing but the address of a removal', async () => {
    const upload = await readUpload(
      file(['Email Address', 'State'], ['a@example.com', 'Bavaria'], ['b', 'MA']),
      'remove',
    );
    expect(upload.rows.map(({ address }) => address)).to.deep.equal(['a@example.com']);
    expect(messages(upload)).to.deep.equal(['Invalid email']);
  });

  it('takes the first address and the last other value where columns are doubled', async () => {
    const upload = await add(
      ['Email Address', 'Email', 'State', 'State'],
      ['a@example.com', 'b@example.com', 'Nowhere', 'MA'],
      ['', 'c@example.com', 'Nowhere', ''],
    );
    expect(upload.rows.map(({ address }) => address)).to.deep.equal(['a@example.com']);
    expect(upload.errors.map(({ emailAddress }) => emailAddress)).to.deep.equal(['c@example.com']);
  });

  it('takes of each address the last row alone: earlier ones are neither checked nor counted', async () => {
    const upload = await add(
      ['Email Address', 'State', 'City'],
      ['a@example.com', 'Nowhere', 'Bonn'],
      ['b@example.com', 'MA', 'Salem'],
      ['bad', '', ''],
      ['', 'MA', ''],
      [' A@Example.com', 'MA', ''],
      ['B@example.com', 'Nowhere', ''],
      ['', 'MA', ''],
      ['BAD', '', ''],
    );
    expect(upload.rows).to.deep.equal([{ line: 6, address: 'A@Example.com', values: [['STATE', 'MA']] }]);
    expect(upload.errors).to.deep.equal([
      { lineNumber: 5, emailAddress: undefined, message: 'Missing email address' },
      {
        lineNumber: 7,
        emailAddress: 'B@example.com',
        message: 'Unknown US/Canadian state/prov "Nowhere"',
      },
      { lineNumber: 8, emailAddress: undefined, message: 'Missing email address' },
      { lineNumber: 9, emailAddress: 'BAD', message: 'Invalid email' },
    ]);
  });

  it('is not taken in by the names of object properties', async () => {
    const upload = await add(['Email Address', '__proto__', 'constructor'], ['a@example.com', 'x', 'y']);
    expect(upload.rows).to.deep.equal([{ line: 2, address: 'a@example.com', values: [] }]);
    expect(upload.hasDetails).to.equal(false);
  });

  it('refuses an upload that is empty, has no row, or no column of addresses', async () => {
    for (const [rows, code] of [
      [[], 'CONTACTS_REQUIRED'],
      [[['', '']], 'CONTACTS_REQUIRED'],
      [[['Email Address']], 'CONTACTS_REQUIRED'],
      [
        [
          ['Email Address', 'City'],
          [' ', ''],
        ],
        'CONTACTS_REQUIRED',
      ],
      [[['First Name'], ['Ann']], 'ADDRESS_COLUMN_REQUIRED'],
      [[['ann@example.com'], ['joan@example.com']], 'ADDRESS_COLUMN_REQUIRED'],
    ] as const) {
      const error = await failure(add(...rows.map((cells) => [...cells])));
      expect(error).to.be.instanceOf(UsageError);
      expect((error as UsageError).code).to.equal(code);
    }
  });

  it('uses nothing of a file that is no text, and passes failures of its source on', async () => {
    const rows = [['Email Address'], ['a@example.com'], ['PK\u0003\0\0'], ['b@example.com']];
    expect((await add(...rows)).broken).to.deep.equal({
      lineNumber: 3,
      emailAddress: undefined,
      message: 'The file is not text',
    });
    const failing = new Error('no memory');
    async function* broken(): AsyncGenerator<CsvRow> {
      yield* file(...rows.slice(0, 2));
      throw failing;
    }
    expect(await failure(readUpload(broken(), 'add'))).to.equal(failing);
  });
});
