import { expect } from 'chai';
import fc from 'fast-check';
import { COLUMNS } from '../../src/activity/columns.js';
import { checkRequest } from '../../src/activity/request.js';
import { writeCsv } from '../../src/format/csv.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { toV2Export, toWsExport } from '../../src/gateway/export-out.js';
import { readUpload, uploadParts } from '../../src/gateway/upload-in.js';
import { warningsOf } from '../../src/gateway/warnings.js';
import { splitUpload } from '../../src/translate/split.js';
import { memorySource } from '../../src/upload/contact-source.js';
import { V2Client } from '../../src/v2/client.js';
import { runs } from '../support/runs.js';

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer<ArrayBuffer>> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** Two accounts that begin alike: an old client works on one by ws, on the other through the conversions. */
function accounts() {
  const clock = createVirtualClock();
  const seed = (user: string) => ({
    user,
    lists: [{ id: '1', name: 'General', members: ['user0@example.com', 'other@example.com'] }],
  });
  const emulator = createEmulator({ clock, accounts: [seed('wsuser'), seed('v2user')] });
  const client = new V2Client({
    fetch: emulator.fetch,
    credentials: { scheme: 'api_key', apiKey: 'key', token: 'v2user' },
    limiter: false,
    clock,
  });
  return { clock, emulator, client, ws: emulator.account('wsuser')! };
}

type Accounts = ReturnType<typeof accounts>;

const KINDS = {
  add: { activityType: 'ADD_CONTACTS', operation: 'addcontacts' },
  remove: { activityType: 'REMOVE_CONTACTS_FROM_LISTS', operation: 'removefromlists' },
} as const;

/** Uploads by both ways; the codes of what was lost. */
async function upload(
  { clock, emulator, ws }: Accounts,
  kind: keyof typeof KINDS,
  text: string,
): Promise<readonly string[]> {
  const { activityType, operation } = KINDS[kind];
  await ws.create({ activityType, contacts: { text }, lists: ['1'] });
  const read = await readUpload({ text });
  const source = memorySource(await bytesOf(read.file.open()));
  await read.file.close();
  const split = await splitUpload(source, {
    // Small parts, so that there are several.
    limits: { rows: 3, bytes: 100_000 },
    encode: uploadParts({ purpose: kind, as: 'multipart', lists: ['1'], now: clock.now() }),
  });
  for (const part of split.parts) {
    const response = await emulator.fetch(
      new Request(`https://api.constantcontact.com/v2/activities/${operation}?api_key=key`, {
        method: 'POST',
        headers: { 'content-type': part.contentType, authorization: 'Bearer v2user' },
        body: await bytesOf(part.open()),
      }),
    );
    expect(response.status).to.equal(201);
  }
  await split.close();
  await clock.advance(86_400_000);
  return [...read.warnings, ...warningsOf(split.losses)].map(({ code }) => code);
}

/** The file of the same export by both ways. */
async function exported({ clock, client, ws }: Accounts, columns: readonly string[], lenient = false) {
  const request = checkRequest({ activityType: 'EXPORT_CONTACTS', listId: '1', columns });
  if (request.activityType !== 'EXPORT_CONTACTS') throw new Error('no export');
  const old = await ws.create(request);
  const { id } = await client.create(toV2Export(request).counterpart);
  await clock.advance(86_400_000);
  const expected = (await bytesOf((await ws.download(old.id)).body)).toString();
  const { body } = await client.download(await client.get(id));
  const found = (await bytesOf(toWsExport(request, body, { listName: 'General', lenient }))).toString();
  return { expected, found };
}

/** Columns that v2 keeps as ws did; of states ws was choosier. */
const KEPT = COLUMNS.filter(
  ({ v2Export, property }) => v2Export !== undefined && property !== 'emailAddress' && property !== 'state',
);
const SAME = [...KEPT.map(({ ws }) => ws as string), 'Email Type', 'Birthday_Month', 'Anniversary'];

const cellArb = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', ' ', '\n', '7', '漢') });
const addressArb = fc.oneof(
  { weight: 8, arbitrary: fc.nat(6).map((n) => `User${n}@example.com`) },
  { weight: 1, arbitrary: fc.constantFrom('', 'nobody', 'a@example.com;b@example.com') },
);

describe('an upload and an export through the conversions of the gateway', () => {
  it('come to the same as by ws, whatever is uploaded', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.constantFrom(...SAME), { maxLength: 5 }),
        fc.array(fc.tuple(addressArb, fc.array(cellArb, { minLength: 5, maxLength: 5 })), {
          minLength: 1,
          maxLength: 10,
        }),
        fc.constantFrom(',' as const, '\t' as const),
        fc.constantFrom('\n' as const, '\r\n' as const),
        fc.constantFrom('add' as const, 'remove' as const),
        fc.boolean(),
        async (columns, rows, delimiter, lineEnd, kind, lenient) => {
          const heading = ['Email Address', ...columns];
          const table = rows.map(([address, cells]) => [address, ...cells].slice(0, heading.length));
          let text = '';
          for await (const piece of writeCsv([heading, ...table], { delimiter, lineEnd })) text += piece;
          // A file without any contact is refused by both, which is told elsewhere.
          fc.pre(table.some((cells) => cells.some((cell) => cell.trim() !== '')));
          const both = accounts();
          expect(await upload(both, kind, text)).to.not.include('COLUMN_IGNORED');
          const { expected, found } = await exported(
            both,
            KEPT.map(({ ws }) => ws),
            lenient,
          );
          expect(found).to.equal(expected);
        },
      ),
      { numRuns: runs(40) },
    );
  });

  it('differ where that is told', async () => {
    const both = accounts();
    const text = 'Email Address,Middle Name,City\nann@example.com,M.,Rome\n';
    expect(await upload(both, 'add', text)).to.deep.equal(['COLUMN_IGNORED']);
    const { expected, found } = await exported(both, ['MIDDLE NAME', 'CITY']);
    expect(expected).to.include('ann@example.com,M.,Rome\r\n');
    expect(found).to.equal(expected.replace('M.', ''));
  });
});
