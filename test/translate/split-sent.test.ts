import { expect } from 'chai';
import fc from 'fast-check';
import type { Activity } from '../../src/activity/activity.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { joinActivities, type SentPart } from '../../src/translate/join.js';
import { splitUpload } from '../../src/translate/split.js';
import { fileParts, v2Parts, type PartEncoder } from '../../src/translate/split-encodings.js';
import type { UploadPart } from '../../src/translate/split.js';
import { memorySource } from '../../src/upload/contact-source.js';
import { decodeRecord } from '../../src/v2/records.js';
import { runs } from '../support/runs.js';

const NOW = Date.UTC(2026, 0);

function start() {
  const clock = createVirtualClock();
  const members = ['old@example.com', 'u1@example.com', 'u2@example.com'];
  const lists = [{ id: '5', name: 'List 5', members }];
  const doNotMail = ['opted.out@example.com'];
  const emulator = createEmulator({ clock, accounts: [{ user: 'joesflowers', lists, doNotMail }] });
  const account = emulator.account('joesflowers');
  if (account === undefined) throw new Error('there is no account');
  return { clock, emulator, account };
}
type Run = ReturnType<typeof start>;

async function bytesOf(part: UploadPart): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of part.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function membersOf({ account }: Run): Promise<unknown[]> {
  const emails: string[] = [];
  for await (const { emailAddress } of account.directory.members('5'))
    emails.push(emailAddress.toLowerCase());
  const found: unknown[] = [];
  for await (const { emailAddress, values } of account.directory.contacts({ emails })) {
    const known = [...values].filter(([column]) => column !== 'EMAIL ADDRESS').sort();
    found.push(JSON.stringify([emailAddress.toLowerCase(), known]));
  }
  return [emails.sort(), found.sort()];
}

type Purpose = 'add' | 'remove';

/** Without any splitting, by the rules of one dialect. */
async function sendWhole(
  { account, clock }: Run,
  purpose: Purpose,
  bytes: Uint8Array,
  dialect: 'ws' | 'v2',
): Promise<Activity> {
  const activityType = purpose === 'add' ? 'ADD_CONTACTS' : 'REMOVE_CONTACTS_FROM_LISTS';
  const contacts = { bytes, fileName: 'a.csv' };
  const { id } = await account.create({ activityType, contacts, lists: ['5'] }, { dialect });
  await clock.advance('1h');
  return account.get(id);
}

/** Through v2, as a person's script would send the part. */
async function sendToV2({ emulator, clock }: Run, purpose: Purpose, part: UploadPart): Promise<Activity> {
  const operation = purpose === 'add' ? 'addcontacts' : 'removefromlists';
  const url = (rest: string) => `https://api.constantcontact.com/v2/activities/${rest}?api_key=k`;
  const headers = { authorization: 'Bearer joesflowers' };
  const created = await emulator.fetch(url(operation), {
    method: 'POST',
    headers: { ...headers, 'content-type': part.contentType },
    body: await bytesOf(part),
  });
  const answer = Buffer.from(await created.arrayBuffer());
  expect(created.status, answer.toString()).to.equal(201);
  await clock.advance('1h');
  const record = await emulator.fetch(url(decodeRecord(answer).record.id), { headers });
  return decodeRecord(Buffer.from(await record.arrayBuffer())).record;
}

const told = (activity: Activity) => ({
  status: activity.status,
  errorCount: activity.errorCount,
  transactionCount: activity.transactionCount,
  errors: activity.errors.map(({ lineNumber, message }) => [lineNumber, message]),
});

const ADDRESSES = [
  ...['u1', 'U1', 'u2', 'u3', 'U3', 'old', 'opted.out', 'Opted.Out'].map((name) => `${name}@example.com`),
  ...['', ' ', '""', 'bad', 'BAD', 'b d@example.com'],
];

/** Addresses come again in any case; rows are bad by their address, or by a state or birthday that one dialect refuses. */
const file = fc
  .array(
    fc.tuple(
      fc.constantFrom(...ADDRESSES),
      fc.constantFrom('Ann', 'Bob', '', '"two\nlines"', '"a ""b"", c"', 'Zoë'),
      fc.constantFrom('', 'MA', 'Nowhere', 'x'.repeat(51)),
      fc.constantFrom('', '2', '13'),
      fc.constantFrom('\n', '\r\n', '\n\n'),
    ),
    { minLength: 1, maxLength: 20 },
  )
  .filter((rows) => rows.some(([address]) => !['', ' ', '""'].includes(address)))
  .map((rows) => {
    const lines = rows.map(
      ([address, name, state, month, end]) => `${name},${address},${state},${month}${end}`,
    );
    return Buffer.from(`First Name,Email Address,State,Birthday Month\n${lines.join('')}`);
  });

describe('parts that are sent', () => {
  const WAYS: Readonly<Record<string, (purpose: Purpose) => PartEncoder>> = {
    'to ws as files': () => fileParts(),
    'to v2 as JSON': (purpose) => v2Parts({ purpose, as: 'json', lists: ['5'], now: NOW }),
    'to v2 as multipart': (purpose) => v2Parts({ purpose, as: 'multipart', lists: ['5'], now: NOW }),
  };
  for (const [way, encoderOf] of Object.entries(WAYS)) {
    for (const purpose of ['add', 'remove'] as const) {
      it(`${way} to ${purpose}: come to the same as the whole in one upload, errors and all`, async () => {
        const dialect = way.startsWith('to ws') ? 'ws' : 'v2';
        const property = fc.asyncProperty(file, fc.integer({ min: 1, max: 6 }), async (bytes, rows) => {
          const whole = start();
          const expected = await sendWhole(whole, purpose, bytes, dialect);
          const run = start();
          const limits = { rows, bytes: 4000 };
          const split = await splitUpload(memorySource(bytes), { limits, encode: encoderOf(purpose) });
          const sent: SentPart[] = [];
          for (const part of split.parts) {
            const activity =
              dialect === 'ws'
                ? await sendWhole(run, purpose, await bytesOf(part), dialect)
                : await sendToV2(run, purpose, part);
            sent.push({ part, activity });
          }
          const joined = await joinActivities(sent, { headingLine: split.headingLine });
          expect(await membersOf(run)).to.deep.equal(await membersOf(whole));
          expect(told(joined)).to.deep.equal(told(expected));
          await split.close();
        });
        await fc.assert(property, { numRuns: runs(80) });
      });
    }
  }
});
