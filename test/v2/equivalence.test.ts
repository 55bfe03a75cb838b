import { expect } from 'chai';
import fc from 'fast-check';
import type { Activity } from '../../src/activity/activity.js';
import type { ActivityRequest } from '../../src/activity/request.js';
import type { ActivityService } from '../../src/activity/service.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { V2Client } from '../../src/v2/client.js';
import { v2Type } from '../../src/v2/names.js';
import { WsClient } from '../../src/ws/client.js';
import { runs } from '../support/runs.js';
import { changes, SHARED_COLUMNS } from '../support/shared-requests.js';

const request: fc.Arbitrary<ActivityRequest> = fc.oneof(
  { weight: 3, arbitrary: changes },
  fc.record({
    activityType: fc.constant('EXPORT_CONTACTS' as const),
    listId: fc.constantFrom('1', '2', 'active', 'removed', 'do-not-mail'),
    exportOptDate: fc.boolean(),
    exportOptSource: fc.boolean(),
    sortBy: fc.constantFrom('EMAIL_ADDRESS' as const, 'DATE_DESC' as const),
    columns: fc.subarray(SHARED_COLUMNS.map(({ ws }) => ws)),
  }),
);

/** Carries the requests out, one after another; what the activities and the files say in the end. */
async function carriedOut(requests: readonly ActivityRequest[], dialect: 'ws' | 'json' | 'multipart') {
  const clock = createVirtualClock();
  const emulator = createEmulator({
    clock,
    accounts: [
      {
        user: 'joesflowers',
        lists: [
          { id: '1', name: 'General' },
          { id: '2', name: 'Roses', members: ['left@example.com'] },
        ],
        doNotMail: ['dan@example.com'],
      },
    ],
  });
  const options = { fetch: emulator.fetch, clock, reconcile: false } as const;
  const service: ActivityService =
    dialect === 'ws'
      ? new WsClient({ ...options, user: 'joesflowers', credentials: { scheme: 'bearer', token: 't' } })
      : new V2Client({
          ...options,
          credentials: { scheme: 'api_key', apiKey: 'k', token: 't' },
          encoding: dialect,
        });
  const ends: unknown[] = [];
  for (const given of requests) {
    const { id } = await service.create(given);
    await clock.advance('1h');
    const activity = await service.get(id);
    ends.push(inBoth(activity));
    if (activity.type !== 'EXPORT_CONTACTS') continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await service.download(activity)).body) chunks.push(chunk);
    ends.push(Buffer.concat(chunks).toString());
  }
  const { contacts } = emulator.account('joesflowers')!.holdings;
  return { ends, contacts: contacts.state() };
}

/** What both tell of an activity: v2 has one type for all that adds, and errors without addresses. */
function inBoth({ id, type, status, errors, errorCount, transactionCount, ...times }: Activity) {
  const { insertTime, runStartTime, runFinishTime } = times;
  const places = errors.map(({ lineNumber, message }) => [lineNumber, message]);
  return {
    ...{ id, type: v2Type(type ?? ''), status, places, errorCount, transactionCount },
    ...{ insertTime, runStartTime, runFinishTime },
  };
}

describe('ws and v2', () => {
  it('asked for the same, leave the same contacts, activities and files', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 4 }), async (requests) => {
        const ws = await carriedOut(requests, 'ws');
        for (const encoding of ['json', 'multipart'] as const) {
          expect(await carriedOut(requests, encoding), encoding).to.deep.equal(ws);
        }
      }),
      { numRuns: runs(25) },
    );
  }).timeout(20_000);
});
