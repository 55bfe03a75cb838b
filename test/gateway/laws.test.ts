import { expect } from 'chai';
import fc from 'fast-check';
import type { Activity } from '../../src/activity/activity.js';
import { COLUMNS } from '../../src/activity/columns.js';
import type { ActivityRequest } from '../../src/activity/request.js';
import { WsClient } from '../../src/ws/client.js';
import { runs } from '../support/runs.js';
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

/** What v2 keeps as ws did; the rest is declared as lost. */
const SHARED = COLUMNS.filter(
  ({ property, v2Upload }) => v2Upload !== undefined && !['emailAddress', 'state'].includes(property),
);

const address = fc.constantFrom(
  ...['ann', 'ANN', 'bob', 'eve', 'dan'].map((name) => `${name}@example.com`),
  ...['nobody', 'two@at@example.com', 'left@example.com'],
);
const cell = fc.constantFrom('', 'Rome', 'a "b", c', 'ä€', ' x', '0', 'two\nlines');
const lists = fc.subarray(['1', '2'], { minLength: 1 });
const rows = fc
  .subarray(SHARED, { maxLength: 4 })
  .chain((columns) =>
    fc.array(
      fc.record({ emailAddress: address, ...Object.fromEntries(columns.map(({ ws }) => [ws, cell])) }),
      { minLength: 1, maxLength: 6 },
    ),
  );

const request: fc.Arbitrary<ActivityRequest> = fc.oneof(
  fc.record({
    activityType: fc.constantFrom('SV_ADD' as const, 'ADD_CONTACTS' as const),
    contacts: rows.map((given) => ({ rows: given })),
    lists,
  }),
  fc.record({
    activityType: fc.constant('REMOVE_CONTACTS_FROM_LISTS' as const),
    contacts: fc
      .array(fc.record({ emailAddress: address }), { minLength: 1, maxLength: 3 })
      .map((given) => ({ rows: given })),
    lists,
  }),
  fc.record({ activityType: fc.constant('CLEAR_CONTACTS_FROM_LISTS' as const), lists }),
  fc.record({
    activityType: fc.constant('EXPORT_CONTACTS' as const),
    ...{ exportOptSource: fc.boolean(), fileType: fc.constantFrom('CSV' as const, 'TXT' as const) },
    ...{ listId: fc.constantFrom('1', '2', 'removed', 'do-not-mail'), exportListName: fc.boolean() },
    columns: fc.subarray(
      SHARED.map(({ ws }) => ws),
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

describe('through the gateway', () => {
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
