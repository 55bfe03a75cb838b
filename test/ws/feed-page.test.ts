import { expect } from 'chai';
import fc from 'fast-check';
import type { Activity } from '../../src/activity/activity.js';
import { EmulatedAccount } from '../../src/emulator/account.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import type { Call, WsAccount } from '../../src/ws/call.js';
import { FeedPages } from '../../src/ws/feed-page.js';
import { QUIRK_NAMES, quirksOf } from '../../src/ws/quirks.js';
import { encodeEntry, encodeFeed } from '../../src/ws/records.js';
import { wsServer } from '../../src/ws/server.js';
import { accountUris, DOCUMENTED_ORIGIN } from '../../src/ws/uris.js';
import { activity } from '../support/arbitraries.js';
import { stubService } from '../support/stub-service.js';

/** The same account, which gives each record anew and tells of no version: nothing of it can be kept. */
function forgetful(account: EmulatedAccount): WsAccount {
  return {
    create: (request) => account.create(request),
    get: async (id) => ({ ...(await account.get(id)) }),
    download: (activity) => account.download(activity),
    lists: () => account.lists(),
    list: async function* (options): AsyncGenerator<Activity> {
      for await (const activity of account.list(options)) yield { ...activity };
    },
  };
}

const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), rows: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('export' as const) }),
  fc.record({ do: fc.constant('advance' as const), time: fc.constantFrom(1, 800, 5_000, 60_000) }),
  fc.record({ do: fc.constant('end' as const) }),
  fc.record({ do: fc.constant('store' as const) }),
  fc.record({ do: fc.constant('restore' as const) }),
  fc.record({ do: fc.constant('reset' as const) }),
  fc.record({ do: fc.constant('look' as const), again: fc.boolean() }),
);

describe('pages of activities', () => {
  it('are the same whether they were kept or are written anew', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 20 }),
        fc.constantFrom({}, { defaultNamespaces: false }, { errorCountInFeed: false, httpIds: false }),
        async (steps, quirks) => {
          const clock = createVirtualClock();
          const account = new EmulatedAccount({ user: 'joesflowers' }, { clock });
          const now = () => clock.now();
          const keeping = wsServer({ account: () => account, pageSize: 2, now, quirks });
          const plain = forgetful(account);
          const anew = wsServer({ account: () => plain, pageSize: 2, now, quirks });
          let stored = account.snapshot();
          const ask = { headers: { authorization: `Basic ${btoa('k%joesflowers:p')}` } };
          const look = async () => {
            for await (const { id } of account.list()) {
              const url = `https://api.constantcontact.com/ws/customers/joesflowers/activities/${id}`;
              const [kept, written] = await Promise.all([
                (await keeping(new Request(url, ask))).text(),
                (await anew(new Request(url, ask))).text(),
              ]);
              expect(kept).to.equal(written).and.to.contain('<').and.contain(id);
            }
            let next: string | undefined = '/ws/customers/joesflowers/activities';
            for (let pages = 0; next !== undefined && pages < 3; pages++) {
              const url: string = new URL(next, 'https://api.constantcontact.com').href;
              const [kept, written] = await Promise.all([
                (await keeping(new Request(url, ask))).text(),
                (await anew(new Request(url, ask))).text(),
              ]);
              expect(kept).to.equal(written);
              expect(kept).to.match(/feed>$/);
              next = /<(?:atom:)?link href="([^"]+)" rel="next"/.exec(kept)?.[1];
            }
          };
          for (const one of steps) {
            if (one.do === 'advance') await clock.advance(one.time);
            else if (one.do === 'store') stored = account.snapshot();
            else if (one.do === 'restore') account.restore(stored);
            else if (one.do === 'reset') account.reset();
            else if (one.do === 'export')
              await account.create({ activityType: 'EXPORT_CONTACTS', listId: '1' });
            else if (one.do === 'add') {
              const text = `Email Address\n${'bad\n'.repeat(one.rows)}`;
              await account.create({ activityType: 'SV_ADD', contacts: { text }, lists: ['1'] });
            } else if (one.do === 'end') {
              for await (const { id, runFinishTime } of account.list()) {
                if (runFinishTime === undefined) account.transition(id, 'ERROR');
                break;
              }
            } else {
              await look();
              if (one.again) await look();
            }
          }
          await look();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are what encodeFeed and encodeEntry write, with any quirks, and are found again until something changes', () => {
    const time = fc.integer({ min: 0, max: 4e12 }).map((since) => new Date(since));
    fc.assert(
      fc.property(
        fc.array(activity, { maxLength: 4 }),
        fc.subarray([...QUIRK_NAMES]),
        fc.option(fc.constant('?pageToken=2'), { nil: undefined }),
        fc.array(time, { minLength: 1, maxLength: 3 }),
        (activities, off, next, times) => {
          const quirks = quirksOf('observed', Object.fromEntries(off.map((name) => [name, false])));
          const uris = accountUris(DOCUMENTED_ORIGIN, 'joesflowers');
          const links = { next, first: uris.activities, current: uris.activities };
          const publish = (one: Activity) => ({ ...one, title: 'published' });
          const account = (version: number): WsAccount => ({ ...stubService(), activitiesVersion: version });
          const [same, changed] = [account(1), account(2)];
          const pages = new FeedPages();
          for (const [index, updated] of times.entries()) {
            const call: Call = {
              request: new Request(uris.activities),
              url: new URL(uris.activities),
              frame: { uris, user: 'joesflowers', updated, quirks },
              body: () => Promise.resolve(new Uint8Array()),
              ...{ account: same, quirks, pageSize: 50 },
            };
            const expected = encodeFeed(activities.map(publish), call.frame, links);
            const found = pages.find(call);
            if (found !== undefined || (index > 0 && quirks.defaultNamespaces)) {
              expect(found?.toString()).to.equal(expected);
            }
            expect(pages.write(call, 1, activities, links, publish).toString()).to.equal(expected);
            for (const one of activities) {
              const entry = encodeEntry(publish(one), call.frame);
              expect(pages.alone(call, one, publish).toString()).to.equal(entry);
            }
            expect(pages.find({ ...call, account: changed })).to.equal(undefined);
            pages.write({ ...call, account: changed }, 1, activities, links, publish);
            expect(pages.find({ ...call, account: changed })).to.equal(undefined);
          }
        },
      ),
    );
  });

  it('are kept apart by user, host, page size and quirks, and carry the time they are asked for', async () => {
    const clock = createVirtualClock();
    const account = new EmulatedAccount({ user: 'joesflowers' }, { clock, latency: 'instant' });
    for (let count = 0; count < 3; count++) {
      await account.create({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['1'] });
    }
    const server = (pageSize: number) =>
      wsServer({ account: () => account, pageSize, now: () => clock.now(), profileHeader: true });
    const get = async (server: (request: Request) => Promise<Response>, url: string, quirks = '') => {
      const headers = {
        authorization: `Basic ${btoa('k%joesflowers:p')}`,
        ...(quirks === '' ? {} : { 'x-emulator-quirks': quirks }),
      };
      return (await server(new Request(url, { headers }))).text();
    };
    const [two, three] = [server(2), server(3)];
    const url = 'https://api.constantcontact.com/ws/customers/joesflowers/activities';
    const seen = new Set<string>();
    for (let round = 0; round < 2; round++) {
      for (const page of [
        await get(two, url),
        await get(three, url),
        await get(two, url.replace('joesflowers', 'JoesFlowers')),
        await get(two, url.replace('api.constantcontact.com', 'localhost')),
        await get(two, url, 'httpIds=off'),
        await get(two, url, 'entryAuthor=off'),
      ]) {
        seen.add(page);
      }
    }
    expect(seen.size).to.equal(6);
    await clock.advance(1234);
    expect(await get(two, url)).to.include(`<updated>${new Date(clock.now()).toISOString()}</updated>`);
  });
});
