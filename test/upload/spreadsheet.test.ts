import { expect } from 'chai';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import Papa from 'papaparse';
import * as xlsx from '@e965/xlsx';
import { TransportError, UsageError } from '../../src/activity/errors.js';
import { memorySource } from '../../src/upload/contact-source.js';
import { isSpreadsheet, readSheet, textOf } from '../../src/upload/read-sheet.js';
import type { SheetLimits } from '../../src/upload/sheet.js';
import { answerOrder, sheetToText } from '../../src/upload/spreadsheet.js';
import { unpack } from '../../src/upload/unpack.js';
import { runs } from '../support/runs.js';

type Cell = string | number | boolean | Date | xlsx.CellObject | null;

function workbook(rows: readonly (readonly Cell[])[], bookType: xlsx.BookType, ...others: string[]): Buffer {
  const book = xlsx.utils.book_new();
  const sheet = xlsx.utils.aoa_to_sheet(rows as Cell[][], { UTC: true });
  xlsx.utils.book_append_sheet(book, sheet, 'People');
  for (const name of others) xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet([['other']]), name);
  return xlsx.write(book, { type: 'buffer', bookType, compression: true }) as Buffer;
}

async function csvOf(bytes: Uint8Array, limits: SheetLimits = {}): Promise<string> {
  return Buffer.from((await sheetToText(bytes, limits, xlsx)).csv).toString();
}

function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'nothing was refused',
    (error: unknown) => (error as Error).message,
  );
}

/** A record of the first Excel file format. */
function record(type: number, ...data: readonly (number | string)[]): Buffer {
  const body = Buffer.concat(
    data.map((one) => (typeof one === 'string' ? Buffer.from(one, 'latin1') : Buffer.of(one))),
  );
  const head = Buffer.alloc(4);
  head.writeUInt16LE(type, 0);
  head.writeUInt16LE(body.length, 2);
  return Buffer.concat([head, body]);
}

function label(row: number, column: number, text: string): Buffer {
  return record(0x04, row, 0, column, 0, 0, 0, 0, text.length, text);
}

function byHand(): Buffer {
  return Buffer.concat([
    record(0x09, 2, 0, 0x10, 0),
    label(0, 0, 'Email Address'),
    label(0, 1, 'Work Phone'),
    label(2, 0, 'ann@example.com'),
    // An integer of 16 bits.
    record(0x02, 2, 0, 1, 0, 0, 0, 0, 0x39, 0x30),
    record(0x0a),
  ]);
}

const XML = `<?xml version="1.0"?>
<?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
 <Worksheet ss:Name="People"><Table>
  <Row><Cell><Data ss:Type="String">Email Address</Data></Cell><Cell><Data ss:Type="String">City</Data></Cell></Row>
  <Row ss:Index="3"><Cell><Data ss:Type="String">ann@example.com</Data></Cell><Cell ss:Index="2"><Data ss:Type="String">Zürich &amp; more</Data></Cell></Row>
 </Table></Worksheet>
</Workbook>`;

const HTML = `<html><body><table><tr><td>Email Address</td><td>City</td></tr>
<tr><td>ann@example.com</td><td>Paris, France</td></tr></table></body></html>`;

describe('a spreadsheet as text', () => {
  const rows: readonly (readonly Cell[])[] = [
    ['Email Address', 'Work Phone', 'Date', 'Custom Field 1'],
    ['ann@example.com', 15_555_551_212, new Date(Date.UTC(2012, 0, 31)), { t: 'n', v: 0.256, z: '0.0%' }],
    [],
    ['"bob", x@example.com', 1_234_567_890_123, { t: 'n', v: 3, f: '1+2' }, true],
    ['Zoë@example.com', null, ' two\r\nlines ', { t: 'n', v: 1234.5, z: '#,##0.00' }],
  ];
  const text =
    'Email Address,Work Phone,Date,Custom Field 1\n' +
    'ann@example.com,15555551212,1/31/2012,25.6%\n' +
    '\n' +
    '"""bob"", x@example.com",1234567890123,3,TRUE\n' +
    'Zoë@example.com,,two lines,"1,234.50"\n';

  for (const type of ['xlsx', 'xlsm', 'xls'] as const) {
    it(`has the cells of an .${type} as Excel shows them, a row in each line`, async () => {
      const read = await sheetToText(workbook(rows, type, 'Second', 'Third'), {}, xlsx);
      expect(Buffer.from(read.csv).toString()).to.equal(text);
      expect(read).to.include({ sheets: 3, lineBreaks: 1 });
    });
  }

  it('is read of files that no library made: BIFF 2, SpreadsheetML, HTML', async () => {
    expect(await csvOf(byHand())).to.equal('Email Address,Work Phone\n\nann@example.com,12345\n');
    expect(await csvOf(Buffer.from(XML))).to.equal('Email Address,City\n\nann@example.com,Zürich & more\n');
    expect(await csvOf(Buffer.from(HTML))).to.equal('Email Address,City\nann@example.com,"Paris, France"\n');
  });

  it('has every text of every cell in its row, by the reading of another library', async () => {
    const textArb = fc
      .string({ unit: fc.constantFrom('a', 'é', '"', ',', '\t', '\n', ' ', '=', "'", '漢') })
      .map((cell) => cell.trim());
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(textArb, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
        fc.constantFrom('xlsx' as const, 'xls' as const),
        async (cells, type) => {
          const csv = await csvOf(workbook(cells, type));
          const { data } = Papa.parse<string[]>(csv, { delimiter: ',', newline: '\n' });
          const shown = cells.map((row) =>
            row
              .map((cell) => cell.replace(/[\r\n]+/g, ' '))
              .join('\0')
              .replace(/\0+$/, ''),
          );
          while (shown.at(-1) === '') shown.pop();
          expect(data.slice(0, shown.length).map((row) => row.join('\0'))).to.deep.equal(shown);
        },
      ),
      { numRuns: runs(40) },
    );
  });

  it('is as small as it may be: bytes, rows, cells, text', async () => {
    const bytes = workbook(
      [
        ['EMAIL', 'CITY'],
        ['a', 'b'],
        ['c', 'd'],
      ],
      'xlsx',
    );
    expect(await refusal(csvOf(bytes, { bytes: 100 }))).to.equal('it has more than 100 bytes');
    expect(await refusal(csvOf(bytes, { unpacked: 500 }))).to.equal('unpacked it is more than 500 bytes');
    expect(await refusal(csvOf(bytes, { rows: 2 }))).to.equal('it has more than 2 rows');
    expect(await refusal(csvOf(bytes, { cells: 5 }))).to.equal('it has more than 5 cells');
    expect(await refusal(csvOf(bytes, { text: 10 }))).to.equal('as text it is more than 10 bytes');
    expect(await csvOf(bytes, { rows: 3, cells: 6, text: 19 })).to.equal('EMAIL,CITY\na,b\nc,d\n');
  });

  it('does not go by what a sheet says of its size', async () => {
    const bytes = byHandXml(
      'A1:XFD1048576',
      '<row r="2"><c r="B2" t="inlineStr"><is><t>EMAIL</t></is></c></row>',
    );
    expect(await csvOf(bytes)).to.equal('\n,EMAIL\n');
    const far = byHandXml('A1', '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>');
    expect(await refusal(csvOf(far))).to.equal('it has more than 100,000 rows');
  });

  it('whose names are those of objects changes nothing but itself', async () => {
    for (const name of ['__proto__', 'constructor']) {
      const book = xlsx.utils.book_new();
      xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet([['__proto__', 'EMAIL']]), name);
      await csvOf(xlsx.write(book, { type: 'buffer', bookType: 'xlsx' }) as Buffer);
      expect(Object.keys(Object.prototype)).to.deep.equal([]);
      expect(({} as Record<string, unknown>).EMAIL).to.equal(undefined);
    }
  });

  it('is nothing for an archive that is no workbook', async () => {
    const archive = zip([['readme.xml', Buffer.from('<a/>')]]);
    expect(await refusal(csvOf(archive))).to.equal('it is an archive, and not one of Excel');
  });
});

/** An archive as others write it; `size` is what it says of the size of each file. */
function zip(
  files: readonly (readonly [string, Buffer])[],
  { size = -1, flags = 0, method = 8 } = {},
): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let at = 0;
  for (const [name, bytes] of files) {
    const packed = method === 8 ? deflateRawSync(bytes) : bytes;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(packed.length, 20);
    central.writeUInt32LE(size < 0 ? bytes.length : size, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(at, 42);
    locals.push(local, Buffer.from(name), packed);
    centrals.push(central, Buffer.from(name));
    at += 30 + name.length + packed.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}

/** An .xlsx of one sheet, whose size and rows are these. */
function byHandXml(size: string, rows: string): Buffer {
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
  const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  const packages = 'http://schemas.openxmlformats.org/package/2006';
  const type = 'application/vnd.openxmlformats-officedocument.spreadsheetml';
  const relation = (id: string, kind: string, target: string) =>
    `<Relationships xmlns="${packages}/relationships"><Relationship Id="${id}" Type="${office}/${kind}" Target="${target}"/></Relationships>`;
  const files = {
    '[Content_Types].xml': `<Types xmlns="${packages}/content-types"><Override PartName="/xl/workbook.xml" ContentType="${type}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${type}.worksheet+xml"/></Types>`,
    '_rels/.rels': relation('rId1', 'officeDocument', 'xl/workbook.xml'),
    'xl/_rels/workbook.xml.rels': relation('rId1', 'worksheet', 'worksheets/sheet1.xml'),
    'xl/workbook.xml': `<workbook xmlns="${main}" xmlns:r="${office}"><sheets><sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    'xl/worksheets/sheet1.xml': `<worksheet xmlns="${main}"><dimension ref="${size}"/><sheetData>${rows}</sheetData></worksheet>`,
  };
  return zip(Object.entries(files).map(([name, xml]) => [name, Buffer.from(xml)]));
}

describe('an archive', () => {
  const files = [
    ['a.xml', Buffer.from('alpha')],
    ['b.bin', Buffer.alloc(100_000)],
    ['c.xml', Buffer.alloc(1000, 'c')],
  ] as const;
  const xml = (name: string) => name.endsWith('.xml');

  it('gives the files that are wanted, packed or not', () => {
    for (const method of [0, 8]) {
      const found = unpack(zip(files, { method }), xml, 1005);
      expect(found.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()])).to.deep.equal([
        ['a.xml', 'alpha'],
        ['c.xml', 'c'.repeat(1000)],
      ]);
    }
  });

  it('gives no more than it may, whatever it says', () => {
    for (const method of [0, 8]) {
      expect(() => unpack(zip(files, { size: 1, method }), xml, 1004)).to.throw(
        'unpacked it is more than 1,004 bytes',
      );
    }
  });

  it('that is encrypted, packed otherwise, damaged or cut short is refused in words', () => {
    expect(() => unpack(zip(files, { flags: 1 }), xml, 5000)).to.throw('it is encrypted');
    expect(() => unpack(zip(files, { method: 12 }), xml, 5000)).to.throw('it is damaged, or cut short');
    const sound = zip(files);
    for (let length = 0; length < sound.length; length += 7) {
      expect(() => unpack(sound.subarray(0, length), xml, 5000), String(length)).to.throw(
        'it is damaged, or cut short',
      );
    }
  });

  it('with any byte changed is read, or refused in words', () => {
    const sound = zip(files);
    fc.assert(
      fc.property(fc.nat(sound.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(sound);
        changed[at] = byte;
        try {
          unpack(changed, xml, 5000);
        } catch (error) {
          expect((error as Error).message).to.match(/^(?:it is|unpacked it is)/);
        }
      }),
      { numRuns: runs(500) },
    );
  });
});

describe('reading a spreadsheet that was sent', () => {
  it('is in order for what is one by its bytes, whatever it is called', async () => {
    const yes = [
      workbook([['EMAIL']], 'xlsx'),
      workbook([['EMAIL']], 'xls'),
      byHand(),
      Buffer.from(XML),
      Buffer.from(`\ufeff\n${HTML}`),
    ];
    const no = ['EMAIL\nann@example.com\n', '', '<b>ann@example.com', '\tEMAIL\t'].map((text) =>
      Buffer.from(text),
    );
    for (const bytes of yes) expect(await isSpreadsheet(memorySource(bytes))).to.equal(true);
    for (const bytes of no)
      expect(await isSpreadsheet(memorySource(bytes)), bytes.toString()).to.equal(false);
  });

  it('takes a thread of its own, and all that are asked for one after another', async () => {
    const sources = ['one', 'two'].map((name) => memorySource(workbook([['EMAIL'], [name]], 'xls')));
    const texts = await Promise.all(sources.map((source) => readSheet(source, { name: 'a.xls' })));
    expect(texts.map(({ csv }) => Buffer.from(csv).toString())).to.deep.equal([
      'EMAIL\none\n',
      'EMAIL\ntwo\n',
    ]);
  }).timeout(30_000);

  it('that cannot be read says so, with what to do', async () => {
    const hurt = workbook([['EMAIL']], 'xls').subarray(0, 600);
    const refused = async (bytes: Buffer, options = {}) =>
      readSheet(memorySource(bytes), { name: 'a.xls', ...options }).catch((error: unknown) => error);
    const damaged = await refused(hurt);
    expect(damaged).to.be.instanceOf(UsageError).with.property('code', 'CONTACTS_INVALID');
    expect((damaged as Error).message).to.match(
      /^a\.xls: the spreadsheet cannot be read: .*; save the sheet as \.csv$/,
    );
    const large = await refused(hurt, { limits: { bytes: 10 } });
    expect((large as Error).message).to.include('it has more than 10 bytes');
    const slow = await refused(workbook([['EMAIL']], 'xls'), { timeout: 1 });
    expect((slow as Error).message).to.include('it was not read within 0.001 seconds');
  }).timeout(30_000);

  it('ends with the call', async () => {
    const source = () => memorySource(workbook([['EMAIL']], 'xls'));
    const controller = new AbortController();
    const reading = readSheet(source(), { name: 'a.xls', signal: controller.signal }).catch(
      (error: unknown) => error,
    );
    setImmediate(() => {
      controller.abort();
    });
    expect(await reading)
      .to.be.instanceOf(TransportError)
      .with.property('code', 'ABORTED');
    const late = readSheet(source(), { name: 'a.xls', signal: controller.signal }).catch(
      (error: unknown) => error,
    );
    expect(await late)
      .to.be.instanceOf(TransportError)
      .with.property('code', 'ABORTED');
  }).timeout(30_000);

  it('needs a package that may be missing', async () => {
    const order = { bytes: workbook([['EMAIL']], 'xls'), limits: {} };
    const missing = Object.assign(new Error("Cannot find package '@e965/xlsx'"), {
      code: 'ERR_MODULE_NOT_FOUND',
    });
    const answer = await answerOrder(order, () => Promise.reject(missing));
    expect(() => textOf(answer, 'a.xls'))
      .to.throw(UsageError, 'run: npm install @e965/xlsx@0.20.3, or save the sheet of a.xls as .csv')
      .with.property('code', 'PACKAGE_MISSING');
    const other = await answerOrder(order, () => Promise.reject(new Error('x'.repeat(1000))));
    expect(other).to.deep.equal({ problem: 'x'.repeat(200) });
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    expect(await answerOrder(order, () => Promise.reject('why'))).to.deep.equal({ problem: 'why' });
    const read = textOf(await answerOrder(order), 'a.xls');
    expect(Buffer.from(read.csv).toString()).to.equal('EMAIL\n');
  });
});
