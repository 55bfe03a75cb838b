import { expect } from 'chai';
import fc from 'fast-check';
import Papa from 'papaparse';
import { COLUMNS, EMAIL_ADDRESS, type ColumnName } from '../../src/activity/columns.js';
import { DecodeError } from '../../src/activity/errors.js';
import { checkRequest, type ExportContacts } from '../../src/activity/request.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import { exportDates } from '../../src/gateway/export-dates.js';
import {
  toV2Export,
  toWsExport,
  type ToWsExportOptions,
  type WsExport,
} from '../../src/gateway/export-out.js';
import type { GatewayWarning } from '../../src/gateway/warnings.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { V2Client } from '../../src/v2/client.js';
import { runs } from '../support/runs.js';

function wsExport(request: Partial<ExportContacts> = {}): WsExport {
  const checked = checkRequest({ activityType: 'EXPORT_CONTACTS', listId: '1', ...request });
  if (checked.activityType !== 'EXPORT_CONTACTS') throw new Error('no export');
  return checked;
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

function converted(
  request: Partial<ExportContacts>,
  v2File: string | AsyncIterable<Uint8Array>,
  options: Partial<ToWsExportOptions> = {},
): Promise<string> {
  const file = typeof v2File === 'string' ? Buffer.from(v2File) : v2File;
  return textOf(toWsExport(wsExport(request), file, { listName: 'General Interest', ...options }));
}

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const KEPT = COLUMNS.filter(({ v2Export, ws }) => v2Export !== undefined && ws !== EMAIL_ADDRESS);

const textArb = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\t', '\n', ' ', '\r') }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }) },
);

describe('an export of v2 as ws gave it', () => {
  const clock = createVirtualClock({ now: Date.UTC(2012, 0, 4, 21, 11) });
  const details: readonly (readonly [ColumnName, string])[] = [
    ['FIRST NAME', 'Ann, "Annie"'],
    ['CITY', 'Ca\tmel'],
    ['POSTAL CODE', '02451'],
    ['CUSTOM FIELD 3', 'två'],
    ['STATE', 'MA'],
  ];
  const members = ['zoe@example.com', 'Ann@example.com', 'bob@example.com'].map((address, index) => ({
    'EMAIL ADDRESS': address,
    ...Object.fromEntries(details.map(([name, value]) => [name, index === 2 ? '' : value])),
  }));
  const emulator = createEmulator({
    clock,
    accounts: [
      {
        user: 'joesflowers',
        lists: [{ id: '1', name: 'General', shortName: 'General', members }],
        removed: ['gone@example.com'],
        doNotMail: ['never@example.com', 'ever@example.com'],
      },
    ],
  });
  const account = emulator.account('joesflowers')!;
  const client = new V2Client({
    fetch: emulator.fetch,
    credentials: { scheme: 'api_key', apiKey: 'key', token: 'joesflowers' },
    limiter: false,
    clock,
  });

  async function finished(create: () => Promise<{ id: string }>) {
    const { id } = await create();
    await clock.advance(86_400_000);
    return id;
  }

  const cases: readonly Partial<ExportContacts>[] = [
    {},
    { fileType: 'TXT' },
    { exportOptDate: true },
    { exportOptSource: true, columns: ['CITY', 'FIRST NAME'] },
    { exportListName: true, sortBy: 'DATE_DESC' },
    {
      fileType: 'TXT',
      exportOptDate: true,
      exportOptSource: true,
      exportListName: true,
      columns: [...details.map(([name]) => name), 'EMAIL ADDRESS'],
    },
    { columns: KEPT.map(({ ws }) => ws) },
    { listId: 'active', columns: ['LAST NAME'] },
    { listId: 'removed', exportOptDate: true, exportOptSource: true, exportListName: true },
    { listId: 'do-not-mail', exportListName: true, fileType: 'TXT' },
  ];
  for (const request of cases) {
    it(`is byte for byte that of ws, where nothing is lost: ${JSON.stringify(request)}`, async () => {
      const asked = wsExport(request);
      const ws = await finished(() => account.create(asked));
      const expected = await textOf((await account.download(ws)).body);
      expect(expected).to.include('@example.com');

      const { counterpart, losses } = toV2Export(asked);
      const v2 = await finished(() => client.create(counterpart));
      const { body } = await client.download(await client.get(v2));
      const name = { 1: 'General', removed: 'Removed', 'do-not-mail': 'Do Not Mail' }[asked.listId] ?? '';
      expect(await textOf(toWsExport(asked, body, { listName: name }))).to.equal(expected);
      expect(losses).to.deep.equal([]);
    });
  }

  it('tells each column that v2 does not keep', () => {
    const told = COLUMNS.filter(({ ws }) => {
      const { losses } = toV2Export(wsExport({ columns: [ws] }));
      return losses.some(({ severity }) => severity === 'loss');
    });
    expect(told.map(({ ws }) => ws)).to.deep.equal(['MIDDLE NAME', 'SUB POSTAL CODE']);
    const { losses } = toV2Export(
      wsExport({ columns: ['STATE', 'STATE/PROVINCE (US/CANADA)'], listId: 'active', exportListName: true }),
    );
    expect(losses.map(({ code }) => code)).to.deep.equal(['COLUMN_MERGED', 'LIST_NAME_DROPPED']);
    expect(losses[0]?.message).to.include('and STATE');
  });

  it('asks v2 for its own list, and never for what it does not have', () => {
    const { counterpart } = toV2Export(
      wsExport({
        fileType: 'TXT',
        exportListName: true,
        columns: ['MIDDLE NAME', 'STATE/PROVINCE (US/CANADA)'],
      }),
      { listId: '77', into: { 'MIDDLE NAME': 'CUSTOM FIELD 15' } },
    );
    expect(counterpart).to.deep.include({ listId: '77', fileType: 'CSV', exportListName: false });
    expect(counterpart.columns).to.deep.equal(['EMAIL ADDRESS', 'CUSTOM FIELD 15', 'STATE']);
  });
});

describe('the file of an export', () => {
  it('has the columns asked for in their order, however v2 names and orders its own', async () => {
    const v2 = 'Custom field 3,email,Zip/Postal Code,Contact ID,STATE\nc3,ann@example.com,02451,7,MA\n';
    const columns = ['POSTAL CODE', 'MIDDLE NAME', 'CUSTOM FIELD 3', 'STATE/PROVINCE (US/CANADA)', 'STATE'];
    expect(await converted({ columns: [...columns, 'Contact ID'] }, v2)).to.equal(
      'Email Address,Postal,Middle Name,Custom field 3,State/Province (US/Canada),State,Contact ID\r\n' +
        'ann@example.com,02451,,c3,MA,MA,7\r\n',
    );
  });

  it('brings back what uploads put into a custom field', async () => {
    const into = { 'MIDDLE NAME': 'CUSTOM FIELD 15', 'SUB POSTAL CODE': 'POSTAL CODE' };
    const v2 = 'Email,Custom field 15\nann@example.com,M.\n';
    expect(await converted({ columns: ['MIDDLE NAME', 'SUB POSTAL CODE'] }, v2, { into })).to.equal(
      'Email Address,Middle Name,Sub Postal\r\nann@example.com,M.,\r\n',
    );
  });

  it('tells columns that v2 was asked for and did not give', async () => {
    const warnings: GatewayWarning[] = [];
    const text = await converted(
      { columns: ['CITY'], exportOptDate: true, exportOptSource: true },
      'Email Address\nann@example.com\n',
      { warn: (warning) => warnings.push(warning) },
    );
    expect(text).to.equal('Email Address,City,Date Added,Added By\r\nann@example.com,,,\r\n');
    expect(warnings.map(({ message }) => message.split(':')[0])).to.deep.equal([
      'CITY',
      'exportOptDate',
      'exportOptSource',
    ]);
  });

  it('tells what v2 does not keep', async () => {
    const told = async (request: Partial<ExportContacts>, v2: string) => {
      const warnings: GatewayWarning[] = [];
      await converted(request, v2, { warn: (warning) => warnings.push(warning) });
      return warnings.map(({ code }) => code);
    };
    const columns = ['MIDDLE NAME', 'STATE/PROVINCE (US/CANADA)'];
    expect(await told({ columns }, 'Email,State\n')).to.deep.equal(['COLUMN_IGNORED', 'COLUMN_MERGED']);
    const active = { listId: 'active', exportListName: true };
    expect(await told(active, 'Email\n')).to.deep.equal(['LIST_NAME_DROPPED']);
    expect(await told(active, 'Email,List: One\n')).to.deep.equal([]);
    expect(await told({ exportListName: true }, 'Email\n')).to.deep.equal([]);
  });

  it('is a heading where nobody is on the list', async () => {
    expect(await converted({ columns: ['CITY'] }, '')).to.equal('Email Address,City\r\n');
    expect(await converted({}, 'Email\n')).to.equal('Email Address\r\n');
  });

  it('of active has the lists of which v2 tells', async () => {
    const v2 = 'Email,List: Two,List: One\nann@example.com,,x\nbob@example.com,x,\n';
    const request = { listId: 'active', exportListName: true };
    expect(await converted(request, v2)).to.equal(
      'Email Address,List: Two,List: One\r\nann@example.com,,x\r\nbob@example.com,x,\r\n',
    );
    expect(await converted({ listId: 'active' }, v2)).to.equal(
      'Email Address\r\nann@example.com\r\nbob@example.com\r\n',
    );
    expect(await converted(request, 'Email\nann@example.com\n')).to.equal(
      'Email Address\r\nann@example.com\r\n',
    );
  });

  it('without addresses, or not well-formed, is refused; a lenient reader takes the latter', async () => {
    const refusal = (v2: string) =>
      converted({ columns: ['CITY'] }, v2).then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(await refusal('City\nRome\n'))
      .to.be.instanceOf(DecodeError)
      .with.property('code', 'DOCUMENT_UNEXPECTED');
    const broken = 'Email,City\nann@example.com,Ro"me\n';
    expect(await refusal(broken))
      .to.be.instanceOf(DecodeError)
      .with.property('code', 'CSV_MALFORMED');
    expect(await converted({ columns: ['CITY'] }, broken, { lenient: true })).to.equal(
      'Email Address,City\r\nann@example.com,"Ro""me"\r\n',
    );
  });

  it('has every cell of v2, cut into chunks of any size, by the reading of another library', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.constantFrom(...KEPT), { maxLength: 5 }),
        fc.array(fc.array(textArb, { minLength: 6, maxLength: 6 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom('CSV' as const, 'TXT' as const),
        async (columns, values, size, fileType) => {
          const heading = ['Email Address', ...columns.map(({ v2Export }) => v2Export ?? '')];
          const v2 = Papa.unparse(
            [heading, ...values.map((cells) => ['a@example.com', ...cells].slice(0, heading.length))],
            {
              newline: '\r\n',
            },
          );
          const bytes = Buffer.from(v2);
          const request = { columns: columns.map(({ ws }) => ws), fileType };
          const text = await converted(request, cut(bytes, size));
          expect(text).to.equal(await converted(request, v2));
          const { data } = Papa.parse<string[]>(text, {
            delimiter: fileType === 'CSV' ? ',' : '\t',
            newline: '\r\n',
            skipEmptyLines: false,
          });
          expect(data.pop()).to.deep.equal(['']);
          expect(data).to.deep.equal([
            ['Email Address', ...columns.map((column) => column.heading)],
            ...Papa.parse<string[]>(v2, { delimiter: ',', newline: '\r\n' }).data.slice(1),
          ]);
        },
      ),
      { numRuns: runs(150) },
    );
  });
});

describe('the times of an export', () => {
  it('stay as v2 wrote them, as ws did', () => {
    const dates = exportDates();
    for (const text of ['01/04/2012 04:11 PM EST', '', 'yesterday', '2012-01-04']) {
      expect(dates(text)).to.equal(text);
    }
    expect(dates('2012-07-04T20:11:30.000Z')).to.equal('07/04/2012 04:11 PM EDT');
  });

  it('are those of another zone, where one is named', () => {
    const dates = exportDates('America/Los_Angeles');
    expect(dates('01/04/2012 12:11 AM EST')).to.equal('01/03/2012 09:11 PM PST');
    expect(dates('07/04/2012 12:30 PM UTC')).to.equal('07/04/2012 05:30 AM PDT');
    expect(dates('2012-01-04T20:11:30Z')).to.equal('01/04/2012 12:11 PM PST');
    expect(dates('01/04/2012 04:11 PM MESZ')).to.equal('01/04/2012 04:11 PM MESZ');
    expect(exportDates('UTC')('01/04/2012 04:11 PM EST')).to.equal('01/04/2012 09:11 PM UTC');
  });

  it('come back from any zone of America', () => {
    const zones = ['America/New_York', 'America/Chicago', 'America/Denver', 'America/Los_Angeles', 'UTC'];
    fc.assert(
      fc.property(
        fc.integer({ min: 946_684_800, max: 1_900_000_000 }),
        fc.constantFrom(...zones),
        fc.constantFrom(...zones),
        (seconds, one, other) => {
          const iso = new Date(Math.floor(seconds / 60) * 60_000).toISOString();
          expect(exportDates(other)(exportDates(one)(iso))).to.equal(exportDates(other)(iso));
        },
      ),
      { numRuns: runs(200) },
    );
  });
});
