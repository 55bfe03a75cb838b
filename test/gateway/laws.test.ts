import { expect } from 'chai';
import fc from 'fast-check';
import type { Activity } from '../../src/activity/activity.js';
import type { ActivityRequest } from '../../src/activity/request.js';
import { WsClient } from '../../src/ws/client.js';
import { runs } from '../support/runs.js';
import { changes, SHARED_COLUMNS } from '../support/shared-requests.js';
import { emulatedWs, gateway, USER, type Side } from './sides.js';

const SEED = {
  user: USER,
  credentials: { apiKey: 'key', password: 'secret', accessToken: 't0ken' },
  lists: [
    { id: '1', name: 'General' },
    { id: '2', name: 'Roses "and" more', members: ['left@example.com'] },
  ],
  doNotMail: ['dan@example.com'],
};

const request: fc.Arbitrary<ActivityRequest> = fc.oneof(
  { weight: 3, arbitrary: changes },
  fc.record({
    activityType: fc.constant('EXPORT_CONTACTS' as const),
    ...{ exportOptSource: fc.boolean(), fileType: fc.constantFrom('CSV' as const, 'TXT' as const) },
    ...{ listId: fc.constantFrom('1', '2', 'removed', 'do-not-mail'), exportListName: fc.boolean() },
    columns: fc.subarray(
      SHARED_COLUMNS.map(({ ws }) => ws),
      { maxLength: 5 },
    ),
  }),
);

/** Carries the requests out, one after another; what the activities, the files and the contacts are in the end. */
async function carriedOut(requests: readonly ActivityRequest[], side: Side) {
  const client = new WsClient({
    user: USER,
    credentials: { scheme: 'basic', apiKey: 'key', user: USER, password: 'secret' },
    fetch: (input, init) => side.fetch(new Request(input, init)),
    reconcile: false,
  });
  try {
    const ends: unknown[] = [];
    for (const given of requests) {
      const { id } = await client.create(given);
      await side.settle();
      const activity = await client.get(id);
      ends.push(lasting(activity));
      if (activity.type !== 'EXPORT_CONTACTS') continue;
      const chunks: Uint8Array[] = [];
      for await (const chunk of (await client.download(activity)).body) chunks.push(chunk);
      ends.push(Buffer.concat(chunks).toString());
    }
    const { contacts } = side.account.holdings.contacts.state();
    const people = contacts.map(({ address: whom, standing, lists: on = [], values = {} }) => {
      const ids = on.map(([id]) => id).sort();
      return [whom, standing, ids, Object.entries(values).sort()];
    });
    return { ends, people };
  } finally {
    await side.close();
  }
}

/** What does not hang on the run. */
function lasting({ type, status, errors, errorCount, transactionCount }: Activity) {
  return { type, status, errors, errorCount, transactionCount };
}

/** As forms had it: cells of all kinds under an address that may be missing, in whatever column it is. */
const removal = fc
  .tuple(
    fc.constantFrom('Email Address', 'First Name,Email Address', 'Email Address,Email,Shoe Size'),
    fc.array(
      fc.tuple(
        fc.constantFrom('', '', ' ', '""', 'ann@example.com', 'left@example.com', 'nobody', '"x,y"'),
        fc.constantFrom('', 'Ann', '"a, b"', 'bob@example.com'),
        fc.constantFrom('\n', '\r\n', '\n\n'),
      ),
      { minLength: 1, maxLength: 8 },
    ),
    fc.constantFrom('REMOVE_CONTACTS_FROM_LISTS' as const, 'SV_ADD' as const),
  )
  .map(([heading, given, activityType]) => {
    const line = (address: string, other: string) =>
      heading.startsWith('First') ? `${other},${address}` : `${address},${other}`;
    const lines = given.map(([address, other, end]) => line(address, other) + end);
    return { activityType, text: `${heading}\n${lines.join('')}` };
  })
  .filter(({ text }) => /\n[^\n]*[^\s,"]/.test(text))
  .map(({ text, activityType }): ActivityRequest => ({
    activityType,
    contacts: { text },
    lists: ['1', '2'],
  }));

describe('through the gateway', () => {
  it('rows without an address are errors of their lines, and nothing else is lost', async () => {
    await fc.assert(
      fc.asyncProperty(removal, fc.integer({ min: 1, max: 3 }), async (given, rows) => {
        const ws = await carriedOut([given], await emulatedWs(SEED));
        const through = await gateway(SEED, {}, { partLimits: { rows } });
        expect(await carriedOut([given], through)).to.deep.equal(ws);
      }),
      { numRuns: runs(25) },
    );
  }).timeout(60_000);

  it('the same requests leave the same contacts, activities and files as at the service of the time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 4 }), async (requests) => {
        const ws = await carriedOut(requests, await emulatedWs(SEED));
        expect(await carriedOut(requests, await gateway(SEED))).to.deep.equal(ws);
      }),
      { numRuns: runs(25) },
    );
  }).timeout(60_000);
});
