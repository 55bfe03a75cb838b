import { expect } from 'chai';
import fc from 'fast-check';
import { COLUMNS, findV2Column } from '../../src/activity/columns.js';
import { readCsv, writeCsv } from '../../src/format/csv.js';
import { translateColumns } from '../../src/translate/columns.js';
import { translateFile, type TranslateFileOptions } from '../../src/translate/file.js';
import { runs } from '../support/runs.js';

async function rewritten(input: string | Uint8Array, options: Partial<TranslateFileOptions> = {}) {
  const { chunks, losses } = translateFile(Buffer.from(input), {
    to: 'v2',
    now: Date.UTC(2026, 0),
    ...options,
  });
  let text = '';
  for await (const chunk of chunks) text += chunk;
  return { text, codes: losses.map(({ code }) => code), losses };
}

async function failure(input: string | Uint8Array): Promise<unknown> {
  return rewritten(input).then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function table(text: string | Uint8Array): Promise<(readonly string[])[]> {
  const rows: (readonly string[])[] = [];
  for await (const { cells } of readCsv(Buffer.from(text), { lenient: true })) rows.push(cells);
  return rows;
}

describe('an upload file for v2', () => {
  it('has the headings of v2, commas and UTF-8', async () => {
    const given = Buffer.from(
      'Email Address\tFirst Name\tPostal Code\nann@example.com\tZo\xeb\t02451\n',
      'latin1',
    );
    const { text, codes } = await rewritten(given);
    expect(text).to.equal('Email address,First Name,Zip/Postal Code\nann@example.com,Zoë,02451\n');
    expect(codes).to.have.members([
      'COLUMN_RENAMED',
      'COLUMN_RENAMED',
      'SEPARATOR_CHANGED',
      'ENCODING_CHANGED',
    ]);
  });

  it('is read in the encoding that is told, or that its mark tells', async () => {
    const text = 'EMAIL,FIRST NAME\nann@example.com,Zoë €\n';
    const wide = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
    const big = Buffer.from(wide).swap16();
    for (const bytes of [wide, big]) {
      const result = await rewritten(bytes);
      expect(result.text).to.equal('Email address,First Name\nann@example.com,Zoë €\n');
      expect(result.codes).to.include('ENCODING_CHANGED');
    }
    const latin9 = await rewritten(Buffer.from('EMAIL,CITY\nann@example.com,\xa4\n', 'latin1'), {
      encoding: 'ISO-8859-15',
    });
    expect(latin9.text).to.include('€');
    const none = await rewritten(Buffer.from('EMAIL,CITY\nann@example.com,a\x81\n', 'latin1'), {
      encoding: 'windows-1252',
    });
    expect(none.text).to.include('a?');
    expect(none.codes.filter((code) => code === 'CHARACTER_UNREADABLE')).to.have.length(1);
    const marked = await rewritten(Buffer.from(`\ufeff${text}`));
    expect(marked.codes).to.deep.equal(['BOM_REMOVED']);
    expect(marked.text.startsWith('Email address')).to.equal(true);
  });

  it('has one STATE for two columns of ws, and says where they differ', async () => {
    const { text, losses } = await rewritten(
      'EMAIL,STATE,STATE/PROVINCE (US/CANADA)\na@example.com,Ohio,\nb@example.com,,MA\nc@example.com,Ohio,MA\nd@example.com,x,y\n',
    );
    expect(await table(text)).to.deep.equal([
      ['Email address', 'State'],
      ['a@example.com', 'Ohio'],
      ['b@example.com', 'MA'],
      ['c@example.com', 'MA'],
      ['d@example.com', 'y'],
    ]);
    expect(losses.find(({ code }) => code === 'VALUE_CONFLICT')).to.include({
      place: 'line 4 and 1 more',
      severity: 'loss',
    });
  });

  it('puts columns that v2 ignores where they are asked for', async () => {
    const given =
      'EMAIL,FIRST NAME,MIDDLE NAME,POSTAL CODE,SUB POSTAL CODE\na@example.com,Ann,B,02451,1234\nc@example.com,,C,,\n';
    const kept = await rewritten(given, {
      into: { 'MIDDLE NAME': 'FIRST NAME', 'sub postal code': 'postal code' },
    });
    expect(await table(kept.text)).to.deep.equal([
      ['Email address', 'First Name', 'Zip/Postal Code'],
      ['a@example.com', 'Ann B', '02451-1234'],
      ['c@example.com', 'C', ''],
    ]);
    expect(kept.losses.some(({ severity }) => severity === 'loss')).to.equal(false);
    const dropped = await rewritten(given);
    expect(dropped.codes.filter((code) => code === 'COLUMN_IGNORED')).to.have.length(2);
    const own = await rewritten(given, { into: { 'MIDDLE NAME': 'CUSTOM FIELD 3' } });
    expect((await table(own.text))[1]).to.include('B');
    const joined = await rewritten('EMAIL,CUSTOM FIELD 3,MIDDLE NAME\na@example.com,x,B\n', {
      into: { 'MIDDLE NAME': 'CUSTOM FIELD 3' },
    });
    expect(joined.text).to.include('a@example.com,x B\n');
    const last = await rewritten('EMAIL,CITY,Email Address,city\n,Rome,a@example.com,Oslo\n');
    expect(last.text).to.equal('Email address,City\na@example.com,Oslo\n');
    expect(last.codes).to.include.members(['COLUMN_TWICE', 'VALUE_CONFLICT']);
    for (const into of [{ 'EMAIL ADDRESS': 'CITY' }, { CITY: 'MIDDLE NAME' }, { nonsense: 'CITY' }]) {
      expect(() => translateColumns(['EMAIL'], { to: 'v2', into })).to.throw(/^into: /);
    }
  });

  it('becomes one for ws again', async () => {
    const back = async (text: string, purpose: 'add' | 'remove' = 'add') => {
      const { chunks, losses } = translateFile(Buffer.from(text), { from: 'v2', purpose });
      let out = '';
      for await (const chunk of chunks) out += chunk;
      return { out, codes: losses.map(({ code }) => code) };
    };
    expect(
      await back(
        'Email address,Zip/Postal Code,Birthday_Day,US State/CA Province,City,City\na@example.com,1,99,2,3,4\n',
      ),
    ).to.deep.equal({
      out: 'EMAIL ADDRESS,POSTAL CODE,CITY\na@example.com,1,3\n',
      codes: ['COLUMN_RENAMED', 'COLUMN_UNKNOWN', 'COLUMN_IGNORED', 'COLUMN_TWICE'],
    });
    for (const heading of ['', 'EMAIL ADDRESS\n']) {
      const { out, codes } = await back(`${heading}a@example.com\nb@example.com\n`, 'remove');
      expect([out, codes]).to.deep.equal(['EMAIL ADDRESS\na@example.com\nb@example.com\n', []]);
    }
    const more = await back('a@example.com,x\n', 'remove');
    expect(more.codes).to.deep.equal(['CELL_BEYOND_HEADING']);
  });

  it('is rewritten while it is read', async () => {
    let pulled = 0;
    async function* endless() {
      await Promise.resolve();
      yield Buffer.from('EMAIL,CITY\n');
      for (;;) {
        pulled++;
        yield Buffer.from('ann@example.com,Rome\n'.repeat(100));
      }
    }
    let bytes = 0;
    for await (const chunk of translateFile(endless(), { to: 'v2' }).chunks) {
      bytes += chunk.length;
      if (bytes > 1_000_000) break;
    }
    // What was taken in is what was put out, and a few batches.
    expect(pulled * 2_100).to.be.lessThan(bytes + 200_000);
  });

  it('of a removal is bare addresses', async () => {
    const { text, codes } = await rewritten(
      'First Name,Email Address\nAnn,a@example.com\nBob,b@example.com\n',
      {
        purpose: 'remove',
      },
    );
    expect(text).to.equal('a@example.com\nb@example.com\n');
    expect(codes).to.have.members(['COLUMN_UNUSED', 'COLUMN_RENAMED', 'HEADING_REMOVED']);
  });

  it('tells of what v2 refuses, of cells beyond the heading, of blank lines, and of its size', async () => {
    const long = 'x'.repeat(51);
    const { codes } = await rewritten(`EMAIL,STATE\na@example.com,${long}\n\nb@example.com,Ohio,more\n`);
    expect(codes).to.have.members(['VALUE_REFUSED', 'CELL_BEYOND_HEADING', 'LINES_MOVED']);
    const many = await rewritten(`EMAIL\n${'a@example.com\n'.repeat(20_001)}`, { purpose: 'remove' });
    expect(many.codes).to.include('TOO_LARGE');
    const few = await rewritten(`EMAIL\n${'a@example.com\n'.repeat(20_000)}`, { purpose: 'remove' });
    expect(few.codes).not.to.include('TOO_LARGE');
  }).timeout(20_000);

  it('is refused where it is none', async () => {
    expect(await failure('')).to.have.property('code', 'CONTACTS_REQUIRED');
    expect(await failure('First Name\nAnn\n')).to.have.property('code', 'ADDRESS_COLUMN_REQUIRED');
    expect(await failure(Buffer.from('d0cf11e0a1b11ae1', 'hex'))).to.have.property(
      'code',
      'CONTACTS_INVALID',
    );
    expect(await failure(Buffer.from('504b030414000600', 'hex'))).to.have.property(
      'code',
      'CONTACTS_INVALID',
    );
  });

  it('comes to the same however the bytes are cut', async () => {
    const bytes = Buffer.from(
      'Email Address\tCity\n"a@example.com"\t"Zür\nich"\nb@example.com\tM\xe4\n',
      'latin1',
    );
    const whole = await rewritten(bytes);
    async function* cut(size: number) {
      await Promise.resolve();
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    }
    for (const size of [1, 2, 3, 7]) {
      const { chunks, losses } = translateFile(cut(size), { to: 'v2' });
      let text = '';
      for await (const chunk of chunks) text += chunk;
      expect(text).to.equal(whole.text);
      expect(losses.map(({ code }) => code).sort()).to.deep.equal([...whole.codes].sort());
    }
  });

  it('loses no cell without saying so', async () => {
    const others = ['email type', 'BIRTHDAY_DAY', 'Favourite'];
    const heading = fc
      .uniqueArray(fc.constantFrom(...COLUMNS.map(({ ws }) => ws as string), ...others), { maxLength: 8 })
      .map((names) => ['EMAIL ADDRESS', ...names.filter((name) => name !== 'EMAIL ADDRESS')]);
    const property = fc.asyncProperty(heading, fc.nat({ max: 3 }), async (names, rows) => {
      // Each cell is there once only, so that it can be looked for.
      const given = Array.from({ length: rows + 1 }, (_, row) =>
        names.map((_, index) => `c${row}x${index}y`),
      );
      let text = '';
      for await (const piece of writeCsv([names, ...given])) text += piece;
      const { text: out, losses } = await rewritten(text);
      for (const [row, cells] of given.entries()) {
        for (const [index, cell] of cells.entries()) {
          const name = names[index] ?? '';
          const place = `heading: ${name}`;
          const toldOf = losses.some((one) => one.severity === 'loss' && one.place === place);
          const property = findV2Column(name)?.property;
          const conflict =
            (property === 'state' || property === 'stateProvince') &&
            losses.some(({ code, place: where }) => code === 'VALUE_CONFLICT' && /^line \d+/.test(where));
          const there = out.includes(cell);
          expect(there || toldOf || conflict, `${name} of row ${row}`).to.equal(true);
          if (toldOf) expect(there, `${name} is there, though told to be lost`).to.equal(false);
        }
      }
    });
    await fc.assert(property, { numRuns: runs(60) });
  });
});

describe('columns', () => {
  it('keep their meaning to v2 and back, where v2 has them', () => {
    for (const purpose of ['add', 'export'] as const) {
      const there = COLUMNS.filter(
        (column) => (purpose === 'add' ? column.v2Upload : column.v2Export) !== undefined,
      );
      const { counterpart } = translateColumns(
        there.map(({ ws }) => ws),
        { to: 'v2', purpose },
      );
      expect(counterpart).to.have.length(there.length);
      const back = translateColumns(counterpart, { from: 'v2', purpose });
      expect(back.counterpart).to.deep.equal(there.map(({ ws }) => ws));
    }
  });
});
