import { mkdir, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { COLUMNS } from '../../src/activity/columns.js';
import { TransportError, UsageError, type ErrorCode } from '../../src/activity/errors.js';
import type { ContactRow, Contacts } from '../../src/activity/request.js';
import { readCsv } from '../../src/format/csv.js';
import { checkText, openContactFile, type ContactFile } from '../../src/upload/contact-file.js';

async function bytesOf(file: ContactFile): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function textOf(contacts: Contacts): Promise<string> {
  return (await bytesOf(await openContactFile(contacts))).toString();
}

async function refusal(promise: Promise<unknown>): Promise<UsageError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(UsageError);
  return error as UsageError;
}

async function expectRefusal(contacts: Contacts, code: ErrorCode, message: RegExp): Promise<void> {
  const error = await refusal(openContactFile(contacts));
  expect(error.message).to.match(message);
  expect(error.code).to.equal(code);
}

async function* stream(...chunks: (Uint8Array | string)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    await Promise.resolve();
    yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  }
}

const thirty = Array.from({ length: 30 }, (_, index) => `c${index}@example.com,Ann\n`).join('');
const HEADING = 'Email Address,First Name\n';

describe('openContactFile with rows', () => {
  it('writes rows that read back as they were', async () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('a,b', '"', '\r\n', ' x ', '\uFEFF', ''),
    );
    const row = fc.record({ emailAddress: value, firstName: value, note: value });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 8 }), async (rows) => {
        const file = await openContactFile({ rows });
        const bytes = await bytesOf(file);
        expect(file.length).to.equal(bytes.length);
        const read: (readonly string[])[] = [];
        for await (const { cells } of readCsv(bytes)) read.push(cells);
        expect(read).to.deep.equal([
          ['Email Address', 'First Name', 'note'],
          ...rows.map((one) => [one.emailAddress, one.firstName, one.note]),
        ]);
      }),
    );
  });

  it('writes the heading as the document does, whatever the spelling of the keys', async () => {
    for (const keys of [
      ['emailAddress', 'firstName', 'lastName'],
      ['EMAIL ADDRESS', 'FIRST NAME', 'LAST NAME'],
      ['email_address', 'First Name', 'last-name'],
    ]) {
      const row = Object.fromEntries(keys.map((key, index) => [key, `${index}`]));
      expect(await textOf({ rows: [row] })).to.equal('Email Address,First Name,Last Name\n0,1,2\n');
    }
    const all = await textOf({ rows: [Object.fromEntries(COLUMNS.map((column) => [column.property, 'x']))] });
    const heading = all.split('\n')[0]!.split(',');
    expect(heading.map((name) => name.toUpperCase())).to.deep.equal(COLUMNS.map((column) => column.ws));
    expect(heading).to.include.members([
      'State/Province (US/Canada)',
      'Custom Field 15',
      'Address Line 1',
      'Postal Code',
    ]);
  });

  it('takes arrays, generators and asynchronous generators of rows', async () => {
    const rows: ContactRow[] = [
      { emailAddress: 'a@example.com', n: 1 },
      { n: null, 'EMAIL ADDRESS': 'b@example.com' },
      { n: 2.5 },
    ];
    const expected = 'Email Address,n\na@example.com,1\nb@example.com,\n,2.5\n';
    const asynchronous = async function* () {
      await Promise.resolve();
      yield* rows;
    };
    expect(await textOf({ rows })).to.equal(expected);
    expect(await textOf({ rows: new Set(rows) })).to.equal(expected);
    expect(await textOf({ rows: asynchronous() })).to.equal(expected);
  });

  it('puts the columns in the order asked for, and leaves a cell empty where a row has none', async () => {
    expect(
      await textOf({
        columns: ['firstName', 'Email Address', 'note '],
        rows: [{ emailAddress: 'a@example.com' }, { note: 'x', firstName: undefined }],
      }),
    ).to.equal('First Name,Email Address,note\n,a@example.com,\n,,x\n');
  });

  it('can be sent again, and says what it is', async () => {
    const file = await openContactFile({ rows: [{ emailAddress: 'a@example.com' }] });
    expect(file).to.include({
      fileName: 'contacts.csv',
      kind: 'csv',
      contentType: 'text/csv',
      replayable: true,
    });
    expect((await bytesOf(file)).equals(await bytesOf(file))).to.equal(true);
  });

  it('warns of few contacts and of columns that are not known', async () => {
    const rows = Array.from({ length: 24 }, (_, index) => ({
      emailAddress: `c${index}@example.com`,
      frist_name: 'x',
    }));
    const file = await openContactFile({ rows });
    expect(file.warnings.map((warning) => warning.code)).to.deep.equal(['COLUMN_UNKNOWN', 'FEW_CONTACTS']);
    expect(file.warnings[1]?.message).to.match(/^24 contacts: .* 25 or more/);
    const enough = await openContactFile({
      rows: [...rows, { emailAddress: 'x@example.com' }],
      columns: ['email', 'frist_name'],
    });
    expect(enough.warnings.map((warning) => warning.code)).to.deep.equal(['COLUMN_UNKNOWN']);
  });

  it('refuses rows that cannot be meant, and says which and why', async () => {
    const a = { emailAddress: 'a@example.com' };
    for (const [rows, columns, code, message] of [
      [[], undefined, 'CONTACTS_REQUIRED', /no contact/],
      [[{ firstName: 'Ann' }], undefined, 'ADDRESS_COLUMN_REQUIRED', /EMAIL ADDRESS/],
      [
        [a, a, { ...a, city: 'Boston' }],
        undefined,
        'CONTACTS_INVALID',
        /^row 3: "city" is not among the columns \(Email Address\)/,
      ],
      [
        [{ ...a, Email: 'b' }],
        undefined,
        'CONTACTS_INVALID',
        /^row 1: "emailAddress" and "Email" are the same column/,
      ],
      [
        [a, { ...a, 'email address': 'b' }],
        undefined,
        'CONTACTS_INVALID',
        /^row 2: "emailAddress" and "email address" are the same/,
      ],
      [[a], ['email', 'note', 'note'], 'CONTACTS_INVALID', /^columns: the column "note" is named twice/],
      [[a], [], 'CONTACTS_INVALID', /^columns: no columns/],
      [[{}], undefined, 'CONTACTS_INVALID', /^row 1: no columns/],
      [[a, ['b']], undefined, 'CONTACTS_INVALID', /^row 2: must be an object .* got an array/],
      [[a, 'b@example.com'], undefined, 'CONTACTS_INVALID', /^row 2: .* got "b@example.com"/],
      [[null], undefined, 'CONTACTS_INVALID', /^row 1: .* got null/],
      [[a, undefined], undefined, 'CONTACTS_INVALID', /^row 2: .* got undefined/],
      ['abc', undefined, 'CONTACTS_INVALID', /^rows: must be an array .* got "abc"/],
      [a, undefined, 'CONTACTS_INVALID', /^rows: must be an array .* got an object/],
      [7, undefined, 'CONTACTS_INVALID', /^rows: .* got 7/],
      [
        [{ emailAddress: new Date(0) }],
        undefined,
        'CONTACTS_INVALID',
        /^row 1: "emailAddress" must be text or a number, got a Date/,
      ],
      [[{ ...a, n: NaN }], undefined, 'CONTACTS_INVALID', /^row 1: "n" .* got NaN/],
      [[{ ...a, n: true }], undefined, 'CONTACTS_INVALID', /^row 1: "n" .* got true/],
      [[{ ...a, n: ['x'] }], undefined, 'CONTACTS_INVALID', /^row 1: "n" .* got an array/],
      [[{ ...a, n: '\ud800' }], undefined, 'CONTACTS_INVALID', /^row 1: "n" holds half of a surrogate pair/],
    ] as [unknown, string[] | undefined, ErrorCode, RegExp][]) {
      await expectRefusal({ rows: rows as ContactRow[], columns }, code, message);
    }
  });

  it('takes what is undefined for what is not given', async () => {
    const contacts = { rows: undefined, text: HEADING + thirty, file: undefined } as unknown as Contacts;
    expect(await textOf(contacts)).to.equal(HEADING + thirty);
    await expectRefusal({ file: 5 } as unknown as Contacts, 'CONTACTS_INVALID', /^file: must be the path/);
  });

  it('closes the source of the rows when a row cannot be meant', async () => {
    for (const fails of [false, true]) {
      let closed = 0;
      const rows = [{ emailAddress: 'a@example.com' }, { city: 'Boston' }];
      const source = {
        [Symbol.iterator]: () => ({
          next: () => ({ done: false as const, value: rows.shift() ?? {} }),
          return: () => {
            closed++;
            if (fails) throw new Error('cannot close');
            return { done: true as const, value: undefined };
          },
        }),
      };
      await expectRefusal({ rows: source }, 'CONTACTS_INVALID', /^row 2: "city" is not among the columns/);
      expect(closed).to.equal(1);
    }
  });

  it('says which row could not be read, and keeps why', async () => {
    const rows = async function* () {
      await Promise.resolve();
      yield { emailAddress: 'a@example.com' };
      throw new Error('connection lost');
    };
    const error = await refusal(openContactFile({ rows: rows() }));
    expect(error.message).to.equal('rows: reading row 2 failed: connection lost');
    expect(error.cause).to.have.property('message', 'connection lost');
  });

  it('does not take keys such as __proto__ for more than names', async () => {
    const row = JSON.parse(
      '{"emailAddress":"a@example.com","__proto__":"x","constructor":"y"}',
    ) as ContactRow;
    expect(await textOf({ rows: [row] })).to.equal(
      'Email Address,__proto__,constructor\na@example.com,x,y\n',
    );
  });
});

describe('openContactFile with text, bytes and streams', () => {
  it('sends them as they are, less a BOM', async () => {
    const text = 'EMAIL ADDRESS\tNote\r\na@example.com\t"x"\r\n';
    for (const before of ['', '\uFEFF']) {
      for (const contacts of [
        { text: before + text },
        { bytes: Buffer.from(before + text) },
        { stream: stream(...[...Buffer.from(before + text)].map((byte) => Uint8Array.of(byte))) },
      ]) {
        const file = await openContactFile(contacts);
        expect((await bytesOf(file)).toString()).to.equal(text);
        await checkText(file);
        expect(file.length).to.equal(Buffer.byteLength(text));
        expect((await bytesOf(file)).equals(await bytesOf(file))).to.equal(true);
      }
    }
  });

  it('tells the kind by the file name, and makes a bare name of it', async () => {
    for (const [fileName, expected] of [
      [undefined, { fileName: 'contacts.csv', kind: 'csv', contentType: 'text/csv' }],
      ['UP.CSV', { fileName: 'UP.csv', kind: 'csv', contentType: 'text/csv' }],
      ['/home/ann/list.txt', { fileName: 'list.txt', kind: 'txt', contentType: 'text/plain' }],
      ['list.2009.tsv', { fileName: 'list.2009.txt', kind: 'txt', contentType: 'text/plain' }],
      ['book.xls', { fileName: 'book.xls', kind: 'xls', contentType: 'application/vnd.ms-excel' }],
    ] as const) {
      expect(await openContactFile({ text: HEADING + thirty, fileName })).to.include(expected);
    }
    for (const fileName of ['list.xlsx', 'list', 'list.csv.gz', '.csv', '']) {
      await expectRefusal({ text: HEADING + thirty, fileName }, 'CONTACTS_INVALID', /csv/);
    }
  });

  it('warns of few contacts, counting rows and not lines', async () => {
    const few = await openContactFile({ text: `${HEADING}\n\na@example.com,"x\n${'\n'.repeat(40)}"\n` });
    expect(few.warnings.map((warning) => warning.message)).to.have.length(1);
    expect(few.warnings[0]?.message).to.match(/^1 contact: /);
    expect((await openContactFile({ text: HEADING + thirty })).warnings).to.deep.equal([]);
    const unknown = await openContactFile({ text: `Email Address,Shoe size\n${thirty}` });
    expect(unknown.warnings.map((warning) => warning.code)).to.deep.equal(['COLUMN_UNKNOWN']);
  });

  it('refuses what cannot be contacts', async () => {
    const xlsx = Buffer.from('504b030414000600', 'hex');
    const xls = Buffer.from('d0cf11e0a1b11ae1', 'hex');
    for (const [contacts, code, message] of [
      [{ text: '' }, 'CONTACTS_REQUIRED', /^contacts.csv: the file is empty/],
      [{ text: '\uFEFF\r\n\n' }, 'CONTACTS_REQUIRED', /the file is empty/],
      [{ bytes: new Uint8Array() }, 'CONTACTS_REQUIRED', /the file is empty/],
      [{ stream: stream() }, 'CONTACTS_REQUIRED', /the file is empty/],
      [{ bytes: new Uint8Array(), fileName: 'a.xls' }, 'CONTACTS_REQUIRED', /^a.xls: the file is empty/],
      [{ text: HEADING }, 'CONTACTS_REQUIRED', /no contact under the heading/],
      [{ text: `${HEADING}\n \n` }, 'CONTACTS_REQUIRED', /no contact under the heading/],
      [
        { text: 'a@example.com,Ann\nb@example.com,Bob\n' },
        'ADDRESS_COLUMN_REQUIRED',
        /must name the columns/,
      ],
      [{ text: 'x\ud800' }, 'CONTACTS_INVALID', /half of a surrogate pair/],
      [
        { text: `Email Address;First Name\n${thirty.replaceAll(',', ';')}` },
        'ADDRESS_COLUMN_REQUIRED',
        /separated by semicolons.*save the file with commas/,
      ],
      [{ bytes: xls }, 'CONTACTS_INVALID', /^contacts.csv: is an .xls workbook, whatever its name; rename/],
      [{ bytes: xls, fileName: 'a.txt' }, 'CONTACTS_INVALID', /^a.txt: is an .xls workbook/],
      [{ bytes: xlsx }, 'CONTACTS_INVALID', /is an .xlsx workbook/],
      [{ bytes: xlsx, fileName: 'a.xls' }, 'CONTACTS_INVALID', /^a.xls: is an .xlsx workbook/],
      [
        { bytes: Buffer.from('\uFEFFEmail', 'utf16le') },
        'CONTACTS_INVALID',
        /is UTF-16 text; save it as UTF-8/,
      ],
      [{ bytes: Uint8Array.of(0xfe, 0xff, 0, 0x45) }, 'CONTACTS_INVALID', /is UTF-16 text/],
      [
        {
          stream: stream('a', 'b') as AsyncIterable<unknown> as AsyncIterable<Uint8Array>,
          fileName: 'x.doc',
        },
        'CONTACTS_INVALID',
        /^x.doc/,
      ],
    ] as [Contacts, ErrorCode, RegExp][]) {
      await expectRefusal(contacts, code, message);
    }
    expect(await openContactFile({ bytes: xls, fileName: 'a.xls' })).to.include({ kind: 'xls', length: 8 });
  });

  it('refuses a heading whose quote is never closed, wherever the next quote stands', async () => {
    for (const [heading, rows] of [
      ['Email Address,"First Name', thirty],
      ['Email Address,"First Name', 'a@example.com,"Ann"\n'],
      ['Email Address,"First Name', 'a@example.com,Ann"\nb@example.com,Bob\n'],
      ['Email Address,"First Name,City', 'a@example.com,Ann,"x"\nb@example.com,"y",z\n'],
      ['"Email Address', thirty],
      ['Email Address\t"First Name', 'a@example.com\tAnn\n'],
      ['Email Address,"', thirty],
      ['Email Address, "First ""Name""', thirty],
    ] as const) {
      const text = `${heading}\n${rows}`;
      await expectRefusal(
        { text },
        'CONTACTS_INVALID',
        /^contacts.csv: line 1: a quoted column name is not closed/,
      );
      await expectRefusal({ text: `\n${text}` }, 'CONTACTS_INVALID', /^contacts.csv: line 2: a quoted/);
    }
    for (const heading of [
      '"Email Address","First Name"',
      'Email,"""First"" Name"',
      'Email,"Big" Name',
      'Email,5"',
    ]) {
      expect(await openContactFile({ text: `${heading}\n${thirty}` })).to.have.property('kind', 'csv');
    }
  });

  it('refuses a stream of something else, and one that fails, keeping why', async () => {
    const words = (async function* () {
      await Promise.resolve();
      yield 'Email Address\n';
    })() as AsyncIterable<unknown> as AsyncIterable<Uint8Array>;
    await expectRefusal(
      { stream: words },
      'CONTACTS_INVALID',
      /must yield bytes \(Uint8Array\), it yielded string/,
    );
    for (const thrown of [new Error('reset'), 'reset']) {
      const failing = (async function* () {
        await Promise.resolve();
        yield Buffer.from('Email');
        throw thrown as Error;
      })();
      const error = await refusal(openContactFile({ stream: failing }));
      expect(error.message).to.equal('contacts: the stream failed: reset');
      expect(error.cause).to.equal(thrown);
    }
  });
});

describe('openContactFile with a signal', () => {
  const row = { emailAddress: 'a@example.com' };
  const KINDS = { rows: row, stream: Buffer.from(HEADING) } as const;

  function contactsOf(kind: keyof typeof KINDS, source: AsyncIterable<unknown>): Contacts {
    return { [kind]: source } as unknown as Contacts;
  }

  async function abortion(promise: Promise<unknown>): Promise<TransportError> {
    const error: unknown = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(TransportError);
    expect(error).to.include({ code: 'ABORTED', sent: 'no' });
    return error as TransportError;
  }

  for (const kind of ['rows', 'stream'] as const) {
    it(`ends the gathering of ${kind} at once when it aborts, and closes the source`, async () => {
      let items = 0;
      let closed = false;
      const source: AsyncIterable<unknown> = {
        [Symbol.asyncIterator]: () => ({
          next: () =>
            items++ === 0
              ? Promise.resolve({ done: false, value: KINDS[kind] })
              : new Promise(() => undefined),
          return: () => {
            closed = true;
            return new Promise(() => undefined);
          },
        }),
      };
      const controller = new AbortController();
      const { signal } = controller;
      const opening = abortion(openContactFile(contactsOf(kind, source), { signal }));
      while (items < 2) await new Promise(setImmediate);
      const reason = new Error('enough');
      controller.abort(reason);
      const error = await opening;
      expect(error.cause).to.equal(reason);
      expect(error.message).to.equal('aborted while the contacts were read; nothing was sent');
      expect(closed).to.equal(true);
    });

    it(`calls it an abort when ${kind} fail of it`, async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const failing = async function* () {
        yield KINDS[kind];
        controller.abort();
        await Promise.resolve();
        throw new Error('premature close');
      };
      await abortion(openContactFile(contactsOf(kind, failing()), { signal }));
    });
  }

  it('does not wait for a generator that hangs', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const hanging = async function* () {
      yield row;
      await new Promise(() => undefined);
    };
    const opening = abortion(openContactFile({ rows: hanging() }, { signal }));
    setImmediate(() => {
      controller.abort();
    });
    await opening;
  });

  it('is let in though the source never waits', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const endless = function* () {
      for (;;) yield row;
    };
    const opening = abortion(openContactFile({ rows: endless() }, { signal }));
    setTimeout(() => {
      controller.abort();
    }, 1);
    await opening;
  });

  it('lets nothing be read when it has aborted already', async () => {
    const signal = AbortSignal.abort();
    const untouched = {
      [Symbol.asyncIterator]: () => expect.fail('the source was read'),
    };
    for (const contacts of [
      contactsOf('rows', untouched),
      contactsOf('stream', untouched),
      { text: HEADING + thirty },
      { file: 'none.csv' },
    ]) {
      await abortion(openContactFile(contacts, { signal }));
    }
  });

  it('keeps nothing when it does not abort', async () => {
    const { signal } = new AbortController();
    const many = Array.from({ length: 3000 }, () => row);
    const file = await openContactFile({ rows: many }, { signal });
    expect((await bytesOf(file)).toString()).to.equal(`Email Address\n${'a@example.com\n'.repeat(3000)}`);
    await openContactFile({ stream: stream(HEADING, thirty) }, { signal });
    await refusal(openContactFile({ rows: [row, {}, { city: 'x' }] }, { signal }));
    expect(getEventListeners(signal, 'abort')).to.deep.equal([]);
  });
});

describe('openContactFile with a file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-contact-file-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  async function saved(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  }

  function openDescriptors(): number {
    return readdirSync('/proc/self/fd').length;
  }

  it('sends it from the disk, less a BOM, each time it is opened', async () => {
    const text = HEADING + thirty.repeat(2000);
    const file = await openContactFile({ file: await saved('Größe.csv', `\uFEFF${text}`) });
    expect(file).to.include({
      fileName: 'Größe.csv',
      kind: 'csv',
      length: Buffer.byteLength(text),
      replayable: true,
    });
    expect(file.warnings).to.deep.equal([]);
    for (let time = 0; time < 2; time++) expect((await bytesOf(file)).toString()).to.equal(text);
  });

  it('takes an .xls as it is', async () => {
    const bytes = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(1000, 7)]);
    const file = await openContactFile({ file: await saved('book.XLS', bytes) });
    expect(file).to.include({ fileName: 'book.xls', kind: 'xls', length: 1008 });
    expect((await bytesOf(file)).equals(bytes)).to.equal(true);
  });

  it('refuses what is no file or no contact file, naming the path', async () => {
    await symlink('loop.csv', join(folder, 'loop.csv'));
    for (const [name, code, message] of [
      ['missing.csv', 'FILE_UNREADABLE', /missing.csv: there is no such file/],
      ['a.csv/b.csv', 'FILE_UNREADABLE', /there is no such file/],
      ['loop.csv', 'FILE_UNREADABLE', /loop.csv: cannot be opened \(ELOOP\)/],
      ['empty.csv', 'CONTACTS_REQUIRED', /empty.csv: the file is empty/],
      ['a.xlsx', 'CONTACTS_INVALID', /a.xlsx: the service does not read .xlsx; save/],
    ] as const) {
      await saved('a.csv', HEADING);
      await saved('empty.csv', '');
      await expectRefusal({ file: join(folder, name) }, code, message);
    }
    await expectRefusal({ file: `${folder}/` }, 'CONTACTS_INVALID', /ends in .csv/);
  });

  it('refuses a folder and a device that have the name of a contact file', async () => {
    await mkdir(join(folder, 'd.csv'));
    await expectRefusal({ file: join(folder, 'd.csv') }, 'FILE_UNREADABLE', /d.csv: is a directory/);
    await symlink('/dev/null', join(folder, 'null.csv'));
    await expectRefusal(
      { file: join(folder, 'null.csv') },
      'FILE_UNREADABLE',
      /null.csv: is no regular file/,
    );
  });

  it('notices that the file changed before it is sent, in length, in time, or by another in its place', async () => {
    for (const change of [
      (path: string) => writeFile(path, `${HEADING}${thirty}x`),
      (path: string) => truncate(path, 30),
      (path: string) => utimes(path, 1, 1),
      async (path: string) => {
        const other = await saved('other.csv', HEADING + thirty);
        await utimes(other, 1_200_000_000, 1_200_000_000);
        await rename(other, path);
      },
    ]) {
      const path = await saved('c.csv', HEADING + thirty);
      await utimes(path, 1_200_000_000, 1_200_000_000);
      const file = await openContactFile({ file: path });
      await change(path);
      const error = await refusal(bytesOf(file));
      expect(error.code).to.equal('FILE_CHANGED');
      expect(error.message).to.include('c.csv');
    }
    const path = await saved('gone.csv', HEADING + thirty);
    const file = await openContactFile({ file: path });
    await rm(path);
    expect(await refusal(bytesOf(file))).to.have.property('code', 'FILE_UNREADABLE');
  });

  it('does not wait for a pipe that has taken the place of the file', async () => {
    if (process.platform === 'win32') return;
    const path = await saved('c.csv', HEADING + thirty);
    const file = await openContactFile({ file: path });
    await rm(path);
    execFileSync('mkfifo', [path]);
    expect(await refusal(bytesOf(file))).to.have.property('code', 'FILE_CHANGED');
  });

  it('notices that the file is cut off while it is sent', async () => {
    const path = await saved('c.csv', HEADING + thirty.repeat(2000));
    const file = await openContactFile({ file: path });
    const chunks = file.open()[Symbol.asyncIterator]();
    await chunks.next();
    await truncate(path, 1000);
    expect(
      await refusal(
        (async () => {
          while ((await chunks.next()).done !== true);
        })(),
      ),
    ).to.have.property('code', 'FILE_CHANGED');
  });

  it('notices that the file is written anew while it is sent, before its last bytes are let go', async () => {
    const path = await saved('c.csv', HEADING + thirty.repeat(2000));
    const file = await openContactFile({ file: path });
    let got = 0;
    const error = await refusal(
      (async () => {
        for await (const chunk of file.open()) {
          if (got === 0) await utimes(path, 1, 1);
          got += chunk.length;
        }
      })(),
    );
    expect(error).to.have.property('code', 'FILE_CHANGED');
    expect(got).to.equal(file.length);
  });

  it('leaves no file open, whether it is read to its end, in part, or not', async function () {
    if (process.platform !== 'linux') return;
    const path = await saved('c.csv', HEADING + thirty.repeat(20_000));
    const before = openDescriptors();
    const file = await openContactFile({ file: path });
    await bytesOf(file);
    for await (const chunk of file.open()) {
      expect(chunk.length).to.be.greaterThan(0);
      break;
    }
    file.open();
    await truncate(path, 1000);
    await refusal(bytesOf(file));
    await refusal(openContactFile({ file: await saved('empty.csv', '') }));
    expect(openDescriptors()).to.equal(before);
  });
});

describe('checkText', () => {
  it('refuses bytes that are not UTF-8, which may go as multipart', async () => {
    const file = await openContactFile({
      bytes: Buffer.from('Email Address,First Name\na@example.com,Andr\xe9\n', 'latin1'),
    });
    expect(file.warnings.map((warning) => warning.code)).to.deep.equal(['FEW_CONTACTS']);
    const error = await refusal(checkText(file));
    expect(error.code).to.equal('CONTACTS_INVALID');
    expect(error.message).to.equal(
      'contacts.csv: byte 43 is not UTF-8 text, so the file cannot be sent urlencoded; ' +
        "save it as UTF-8, or send it with encoding: 'multipart'",
    );
  });
});
