import { expect } from 'chai';
import fc from 'fast-check';
import type { V2Property } from '../../src/activity/columns.js';
import { CtctError, UsageError, type ServiceError } from '../../src/activity/errors.js';
import { checkRequest, SORT_ORDERS } from '../../src/activity/request.js';
import { readCsv } from '../../src/format/csv.js';
import { openContactFile } from '../../src/upload/contact-file.js';
import { EXPORT_COLUMNS, UPLOAD_COLUMNS } from '../../src/v2/columns.js';
import { encodeFault } from '../../src/v2/faults.js';
import { fromV2, toV2, type V2Request } from '../../src/v2/meaning.js';
import { decodeRequest, encodeRequest, queryOf } from '../../src/v2/requests.js';
import { OPERATIONS, type Operation } from '../../src/v2/uris.js';
import { runs } from '../support/runs.js';
import { fixtures, plain, splitMessage } from '../support/fixtures.js';
import { complaints, REQUEST_SCHEMAS } from './schemas.js';

async function collect(body: { open(): AsyncIterable<Uint8Array> }): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function rejection(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection');
}

const isAddress = ({ property }: { readonly property: string }) => property === 'emailAddress';
const [EMAIL] = UPLOAD_COLUMNS.filter(isAddress);
const OTHERS = UPLOAD_COLUMNS.filter((column) => !isAddress(column));
const [EXPORT_EMAIL] = EXPORT_COLUMNS.filter(isAddress);

/** What a CSV file keeps: no line breaks of other kinds than LF, nothing that would be trimmed. */
const cell = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .map((text) => text.replace(/[\p{Cs}\p{Cc}\ufeff]/gu, '').trim());
/** Values that v2 takes, by what they must be. */
const VALUES: Partial<Record<V2Property, fc.Arbitrary<string>>> = {
  birthdayDay: fc.oneof(fc.constant(''), fc.integer({ min: 1, max: 28 }).map(String)),
  birthdayMonth: fc.oneof(fc.constant(''), fc.integer({ min: 1, max: 12 }).map(String)),
  anniversary: fc.constantFrom(
    '',
    '03/12/2005',
    '3/1/1901',
    '2005/3/12',
    '2005-03-12',
    '9-25-1988',
    '02/29/00',
  ),
};
const listIds = fc.uniqueArray(fc.integer({ min: 1, max: 9_999_999_999 }).map(String), {
  minLength: 1,
  maxLength: 10,
});
const address = fc.oneof(
  fc.constant('ann@example.com'),
  cell.filter((text) => text !== ''),
);

const table = fc.uniqueArray(fc.constantFrom(...OTHERS), { maxLength: 8 }).chain((others) =>
  fc.record({
    columns: fc.constant([EMAIL!, ...others]),
    rows: fc.array(
      fc
        .tuple(address, ...others.map(({ property }) => VALUES[property] ?? cell))
        .map(([first, ...rest]): readonly string[] => [first, ...rest]),
      { minLength: 1, maxLength: 5 },
    ),
  }),
);

const v2Request: fc.Arbitrary<V2Request> = fc.oneof(
  fc.record({
    operation: fc.constant('addcontacts' as const),
    table,
    lists: listIds,
    blanksEnabled: fc.boolean(),
  }),
  fc.record({
    operation: fc.constant('removefromlists' as const),
    addresses: fc.array(address, { minLength: 1, maxLength: 5 }),
    lists: listIds,
  }),
  fc.record({ operation: fc.constant('clearlists' as const), lists: listIds }),
  fc.record({
    operation: fc.constant('exportcontacts' as const),
    list: fc.oneof(fc.nat().map(String), fc.constantFrom('active', 'opted-out', 'removed')),
    sortBy: fc.constantFrom(...SORT_ORDERS),
    exportDateAdded: fc.boolean(),
    exportAddedBy: fc.boolean(),
    columns: fc
      .uniqueArray(fc.constantFrom(...EXPORT_COLUMNS.filter((column) => !isAddress(column))))
      .map((others) => [EXPORT_EMAIL!, ...others]),
  }),
);

describe('v2 requests', () => {
  describe('as they were documented and as clients sent them', () => {
    for (const fixture of fixtures('v2/requests')) {
      it(fixture.name, async () => {
        const { startLine, headers, body } = splitMessage(fixture.bytes('request.http'));
        const url = new URL(startLine.split(' ')[1] ?? '', 'https://api.constantcontact.com');
        const operation = OPERATIONS.find((name) => url.pathname === `/v2/activities/${name}`)!;
        const expected = fixture.json('expected.json') as Record<string, unknown>;
        const contentType = headers['content-type'] ?? null;
        const meant = async () => fromV2(await decodeRequest(operation, contentType, body, url.searchParams));
        if (typeof expected.status === 'number') {
          const error = await rejection(async () => checkRequest(await meant()));
          const answer = encodeFault(error);
          expect(answer.status).to.equal(expected.status);
          const faults = (await answer.json()) as { error_message: string }[];
          expect(complaints('errors', faults)).to.equal('');
          expect(faults[0]?.error_message).to.include(expected.says);
          return;
        }
        if (contentType === 'application/json' && fixture.name !== 'export-active-in-capitals') {
          // Names in another case are taken, and not documented.
          const documented = !['add-undeclared-and-ignored', 'add-sparse'].includes(fixture.name);
          const complaint = complaints(REQUEST_SCHEMAS[operation], JSON.parse(body.toString()));
          expect(complaint === '', complaint).to.equal(documented);
        }
        const request = await meant();
        checkRequest(request);
        if (!('contacts' in request)) {
          expect(plain(request)).to.deep.equal(expected);
          return;
        }
        const { contacts, ...rest } = request;
        const { rows, ...others } = expected;
        expect(rest).to.deep.equal(others);
        const read = [];
        for await (const row of readCsv(await collect(await openContactFile(contacts)))) read.push(row.cells);
        expect(read).to.deep.equal(rows);
      });
    }

    it('the documented ones are what the client writes, but for what is blank', async () => {
      for (const fixture of fixtures('v2/requests').filter(({ name }) =>
        /^(?!refused).*documented/.test(name),
      )) {
        const { startLine, headers, body } = splitMessage(fixture.bytes('request.http'));
        const operation = OPERATIONS.find((name) => startLine.includes(`/${name}?`))!;
        const given = JSON.parse(body.toString()) as { import_data?: Record<string, unknown>[] };
        const expected = given.import_data && {
          import_data: given.import_data.map((contact) =>
            Object.fromEntries(Object.entries(contact).filter(([, value]) => value !== '')),
          ),
        };
        const request = await decodeRequest(
          operation,
          headers['content-type'] ?? null,
          body,
          new URLSearchParams(),
        );
        const written = JSON.parse((await collect(await encodeRequest(request))).toString()) as unknown;
        expect(written, fixture.name).to.deep.equal({ ...given, ...expected });
      }
    });
  });

  describe('laws', () => {
    for (const encoding of ['json', 'multipart'] as const) {
      it(`decodeRequest(encodeRequest(request)) is the request, as ${encoding}`, async () => {
        await fc.assert(
          fc.asyncProperty(v2Request, async (request) => {
            const body = await encodeRequest(request, { encoding });
            const bytes = await collect(body);
            expect(body.length).to.equal(bytes.length);
            expect(await collect(body), 'replayed').to.deep.equal(bytes);
            if (body.contentType === 'application/json') {
              const value = JSON.parse(bytes.toString()) as { import_data?: unknown };
              expect(complaints(REQUEST_SCHEMAS[request.operation], value)).to.equal('');
            }
            const query = new URLSearchParams(queryOf(request));
            const decoded = await decodeRequest(request.operation, body.contentType, bytes, query);
            const isNamed = encoding === 'multipart' && request.operation === 'addcontacts';
            expect(decoded).to.deep.equal(isNamed ? { ...request, fileName: 'contacts.csv' } : request);
          }),
          { numRuns: runs(60) },
        );
      });
    }

    it('toV2(fromV2(request)) is the request, where its values are such as v2 takes', async () => {
      const warnings: string[] = [];
      await fc.assert(
        fc.asyncProperty(v2Request, async (request) => {
          const model = checkRequest(await fromV2(request));
          const back = await toV2(model, {
            now: Date.UTC(2015, 0),
            warn: ({ code, message }) => {
              if (code !== 'FEW_CONTACTS') warnings.push(message);
            },
          }).catch((error: unknown) => {
            // The same address twice in one cell, say.
            expect(error).to.be.instanceOf(UsageError);
            return request;
          });
          expect(back).to.deep.equal(request);
        }),
        { numRuns: runs(60) },
      );
      expect(warnings).to.deep.equal([]);
    });

    it('another decoder reads the same parts', async () => {
      await fc.assert(
        fc.asyncProperty(v2Request, async (request) => {
          if (request.operation !== 'addcontacts' && request.operation !== 'removefromlists') return;
          const body = await encodeRequest(request, { encoding: 'multipart' });
          const form = await new Response(await collect(body), {
            headers: { 'content-type': body.contentType },
          }).formData();
          expect([...form.keys()]).to.deep.equal(['file_name', 'lists', 'data']);
          expect(form.get('lists')).to.equal(request.lists.join(','));
          expect(form.get('file_name')).to.equal('contacts.csv');
          const file = form.get('data');
          const lines = file instanceof Blob ? (await file.text()).split('\n') : [];
          if (request.operation === 'addcontacts') expect(lines[0]).to.match(/^Email address(,|$)/);
        }),
        { numRuns: runs(40) },
      );
    });

    it('any bytes under any media type end in a request or an error of the family', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...OPERATIONS),
          fc.oneof(
            fc.uint8Array({ maxLength: 100 }),
            fc.json().map((text) => Buffer.from(text)),
            fc
              .record(
                {
                  import_data: fc.anything(),
                  lists: fc.oneof(fc.anything(), fc.constant(['1'])),
                  column_names: fc.oneof(fc.anything(), fc.constant(['EMAIL', 'CITY', 'CUSTOM FIELD 1'])),
                },
                { requiredKeys: [] },
              )
              .map((value) =>
                Buffer.from(
                  JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? 1 : item)),
                ),
              ),
          ),
          fc.constantFrom('application/json', 'multipart/form-data; boundary=x', 'text/plain', null),
          async (operation: Operation, bytes, contentType) => {
            try {
              await decodeRequest(operation, contentType, bytes, new URLSearchParams());
            } catch (error) {
              expect(error).to.be.instanceOf(CtctError);
              expect((error as ServiceError).status).to.be.oneOf([400, 415]);
            }
          },
        ),
        { numRuns: runs(200) },
      );
    });
  });

  it('media types are told apart by more than their first letters', async () => {
    const decoded = await decodeRequest(
      'clearlists',
      'Application/JSON; charset=utf-8',
      Buffer.from('{"lists":["2","2"]}'),
      new URLSearchParams(),
    );
    expect(decoded).to.deep.equal({ operation: 'clearlists', lists: ['2'] });
  });
});
