import { expect } from 'chai';
import fc from 'fast-check';
import { CtctError, ServiceError, UsageError } from '../../src/activity/errors.js';
import {
  checkRequest,
  type ActivityRequest,
  type CheckedRequest,
  type Contacts,
} from '../../src/activity/request.js';
import type { RequestBody } from '../../src/format/body.js';
import { readCsv } from '../../src/format/csv.js';
import { openContactFile } from '../../src/upload/contact-file.js';
import { encodeFault } from '../../src/ws/faults.js';
import { decodeRequest, encodeRequest, type EncodeOptions } from '../../src/ws/requests.js';
import { checkedRequest, userName } from '../support/arbitraries.js';
import { fixtures, plain, splitMessage } from '../support/fixtures.js';

const joes: EncodeOptions = { user: 'joesflowers' };
const THREE_CONTACTS =
  'Email Address,First Name,Last Name\nwstest3@example.com, Fred, Test\nwstest4@example.com, Joan, Test\nwstest5@example.com, Ann, Test';

async function encode(request: ActivityRequest, options: EncodeOptions = joes): Promise<RequestBody> {
  const checked = checkRequest(request);
  if (!('contacts' in checked)) return encodeRequest(checked, options);
  return encodeRequest({ upload: checked, file: await openContactFile(checked.contacts) }, options);
}

async function collect(body: { open(): AsyncIterable<Uint8Array> }): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function contactBytes(contacts: Contacts): Promise<Buffer> {
  return collect(await openContactFile(contacts));
}

/** The request with its contacts as bytes, so that two of them can be compared. */
async function settled(request: CheckedRequest): Promise<unknown> {
  return 'contacts' in request ? { ...request, contacts: await contactBytes(request.contacts) } : request;
}

describe('ws requests', () => {
  describe('documented bodies, to the byte', () => {
    const documented: Record<string, ActivityRequest> = {
      'add-documented': { activityType: 'SV_ADD', contacts: { text: THREE_CONTACTS }, lists: ['2', '5'] },
      'clear-documented': { activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: [2, 5] },
      'export-documented': {
        activityType: 'EXPORT_CONTACTS',
        listId: 'https://api.constantcontact.com/ws/customers/JoesFlowers/lists/2',
        fileType: 'CSV',
        exportOptDate: true,
        exportOptSource: true,
        exportListName: true,
        sortBy: 'DATE_DESC',
        columns: ['Email Address', 'firstName', 'LAST NAME'],
      },
    };
    for (const fixture of fixtures('ws/requests')) {
      const request = documented[fixture.name];
      if (request === undefined) continue;
      it(fixture.name, async () => {
        const { headers, body } = splitMessage(fixture.bytes('request.http'));
        const encoded = await encode(request);
        expect((await collect(encoded)).toString()).to.equal(body.toString());
        expect(encoded.contentType).to.equal(headers['content-type']);
        expect(encoded.length).to.equal(body.length);
      });
    }
    it('covers each documented example', () => {
      const names = fixtures('ws/requests').map(({ name }) => name);
      expect(names).to.include.members(Object.keys(documented));
    });
  });

  describe('requests as clients sent them', () => {
    for (const fixture of fixtures('ws/requests')) {
      it(fixture.name, async () => {
        const { headers, body } = splitMessage(fixture.bytes('request.http'));
        const expected = fixture.json('expected.json') as Record<string, unknown>;
        if (typeof expected.status === 'number') {
          const error = await rejection(async () => {
            const request = checkRequest(await decodeRequest(headers['content-type'] ?? null, body));
            if ('contacts' in request) await openContactFile(request.contacts);
          });
          const answer = encodeFault(error);
          expect(answer.status).to.equal(expected.status);
          expect(await answer.text()).to.include(expected.says);
          return;
        }
        const request = checkRequest(await decodeRequest(headers['content-type'] ?? null, body));
        if (!('contacts' in request)) {
          expect(plain(request)).to.deep.equal(expected);
          return;
        }
        const { contacts, ...rest } = request;
        const { rows, fileName, ...others } = expected;
        expect(rest).to.deep.equal(others);
        const read = [];
        for await (const row of readCsv(await contactBytes(contacts), { lenient: true }))
          read.push(row.cells);
        expect(read).to.deep.equal(rows);
        if (fileName !== undefined) expect('fileName' in contacts && contacts.fileName).to.equal(fileName);
      });
    }
  });

  describe('laws', () => {
    for (const encoding of ['form', 'multipart', 'auto'] as const) {
      it(`decodeRequest(encodeRequest(request)) is the request, encoding ${encoding}`, async () => {
        await fc.assert(
          fc.asyncProperty(checkedRequest, userName, async (request, user) => {
            const body = await encode(request, { user, encoding });
            const bytes = await collect(body);
            expect(body.length).to.equal(bytes.length);
            expect(await collect(body), 'replayed').to.deep.equal(bytes);
            const decoded = checkRequest(await decodeRequest(body.contentType, bytes));
            expect(await settled(decoded)).to.deep.equal(await settled(request));
          }),
          { numRuns: 60 },
        );
      });
    }

    it('other decoders read the same parameters', async () => {
      await fc.assert(
        fc.asyncProperty(checkedRequest, async (request) => {
          const form = await encode(request, { ...joes, encoding: 'form' });
          const multipart = await encode(request, { ...joes, encoding: 'multipart' });
          const parameters = new URLSearchParams((await collect(form)).toString());
          const parts = await new Response(await collect(multipart), {
            headers: { 'content-type': multipart.contentType },
          }).formData();
          expect(parameters.getAll('activityType')).to.deep.equal([request.activityType]);
          for (const name of new Set(parameters.keys())) {
            if (name !== 'data') expect(parts.getAll(name)).to.deep.equal(parameters.getAll(name));
          }
          if (parameters.has('data')) {
            const file = parts.get('dataFile');
            expect(file instanceof Blob && (await file.text())).to.equal(parameters.get('data'));
          }
        }),
        { numRuns: 60 },
      );
    });

    it('never writes lists[], nor a raw blank', async () => {
      await fc.assert(
        fc.asyncProperty(checkedRequest, async (request) => {
          const text = (await collect(await encode(request, { ...joes, encoding: 'form' }))).toString(
            'latin1',
          );
          expect(text).to.match(/^[A-Za-z0-9%+&=._*~!'()-]*$/);
          expect(text).not.to.match(/lists(?:%5B|\[)/i);
        }),
        { numRuns: 60 },
      );
    });
  });

  describe('the choice of encoding', () => {
    const add = (contacts: Contacts) => ({ activityType: 'SV_ADD' as const, contacts, lists: ['2'] });
    const big = `Email Address\n${'ann@example.com\n'.repeat(70_000)}`;
    const xls = Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0]);

    it('auto takes the form for small text and multipart for large', async () => {
      expect((await encode(add({ text: THREE_CONTACTS }))).contentType).to.equal(
        'application/x-www-form-urlencoded',
      );
      expect((await encode(add({ text: big }))).contentType).to.match(/^multipart\/form-data; boundary=/);
    });

    it('an .xls goes as multipart, and not as a form', async () => {
      const contacts = { bytes: xls, fileName: 'contacts.xls' };
      const body = await encode(add(contacts));
      expect(body.contentType).to.match(/^multipart\/form-data/);
      expect((await collect(body)).toString('latin1')).to.include('filename="contacts.xls"');
      const error = await rejection(() => encode(add(contacts), { ...joes, encoding: 'form' }));
      expect(error).to.be.instanceOf(UsageError);
      expect((error as Error).message)
        .to.include('contacts.xls')
        .and.to.include('multipart');
    });

    it('a given boundary is used', async () => {
      const body = await encode(add({ text: THREE_CONTACTS }), {
        ...joes,
        encoding: 'multipart',
        boundary: 'b0undary',
      });
      expect(body.contentType).to.equal('multipart/form-data; boundary=b0undary');
    });

    it('bytes that are not UTF-8 are refused in a form and kept in multipart', async () => {
      const bytes = Buffer.concat([
        Buffer.from('Email Address,First Name\nann@example.com,'),
        Buffer.from([0xc9]),
        Buffer.from('ve\n'),
      ]);
      const error = await rejection(() => encode(add({ bytes }), { ...joes, encoding: 'form' }));
      expect(error).to.be.instanceOf(UsageError);
      for (const encoding of ['multipart', 'auto'] as const) {
        const sent = await collect(await encode(add({ bytes }), { ...joes, encoding }));
        expect(sent.includes(bytes), encoding).to.equal(true);
      }
    });
  });

  describe('hostile bodies', () => {
    it('10^5 parameters are read in one go', async () => {
      const lists = Array.from({ length: 100_000 - 1 }, (_, n) => `&lists=${n + 1}`).join('');
      const body = Buffer.from(`activityType=CLEAR_CONTACTS_FROM_LISTS${lists}`);
      const request = await decodeRequest('application/x-www-form-urlencoded', body);
      expect('lists' in request && request.lists).to.have.length(99_999);
    });

    it('a file name cannot add a header or a part', async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 30 }), async (name) => {
          const fileName = `${name}"\r\nX-Evil: 1\r\n\r\n.csv`;
          const request = {
            activityType: 'SV_ADD' as const,
            contacts: { text: THREE_CONTACTS, fileName },
            lists: ['2'],
          };
          let body: RequestBody;
          try {
            body = await encode(request, { ...joes, encoding: 'multipart' });
          } catch (error) {
            // Refused before anything is sent is as safe.
            expect(error).to.be.instanceOf(UsageError);
            return;
          }
          const text = (await collect(body)).toString('latin1');
          expect(text).not.to.match(/^X-Evil/m);
          const parts = await new Response(await collect(body), {
            headers: { 'content-type': body.contentType },
          }).formData();
          expect([...parts.keys()]).to.deep.equal(['activityType', 'dataFile', 'lists']);
        }),
        { numRuns: 50 },
      );
    });

    it('any bytes under any media type end in a request or an error of the family', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ maxLength: 200 }),
          fc.constantFrom(
            null,
            'text/plain',
            'application/x-www-form-urlencoded',
            'multipart/form-data',
            'multipart/form-data; boundary=x',
          ),
          async (bytes, contentType) => {
            try {
              await decodeRequest(contentType, bytes);
            } catch (error) {
              expect(error).to.be.instanceOf(CtctError);
              if (contentType === null || contentType === 'text/plain') {
                expect(error instanceof ServiceError && error.status).to.equal(415);
              }
            }
          },
        ),
      );
    });
  });
});

async function rejection(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection');
}
