import { expect } from 'chai';
import fc from 'fast-check';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Activity, KnownActivityStatus } from '../../src/activity/activity.js';
import { CtctError, UsageError } from '../../src/activity/errors.js';
import type { ActivityRequest } from '../../src/activity/request.js';
import { EmulatedAccount } from '../../src/emulator/account.js';
import type { AccountState } from '../../src/emulator/account-state.js';
import type { AccountSeed } from '../../src/emulator/seed.js';
import { loadState, saveState } from '../../src/emulator/state-file.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';

const SEED: AccountSeed = {
  user: 'joesflowers',
  lists: [
    { id: '1', name: 'Roses', members: [{ emailAddress: 'ann@example.com', city: 'Köln' }] },
    { id: '12', name: 'Tulips', shortName: 'T', optInDefault: true, sortOrder: 7, displayOnSignup: false },
  ],
  removed: ['gone@example.com'],
  doNotMail: ['out@example.com'],
  outcomes: [{ match: { activityType: 'EXPORT_CONTACTS', listId: 12 }, times: 1, outcome: { errors: 2 } }],
};

const state = (account: EmulatedAccount): AccountState =>
  JSON.parse(JSON.stringify(account.snapshot())) as AccountState;

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** All that can be seen of an account from outside. */
async function view(account: EmulatedAccount) {
  const activities = await all(account.list());
  const files = await Promise.all(
    activities.map(async (activity) => {
      if (activity.fileName === undefined || activity.fileName === '') return undefined;
      return Buffer.concat(await all((await account.download(activity)).body)).toString();
    }),
  );
  const { contacts } = account.holdings;
  return {
    activities,
    files,
    transitions: activities.map(({ id }) => account.transitions(id)),
    lists: await all(account.lists()),
    members: ['1', '12', 'active', 'removed', 'do-not-mail'].map((list) =>
      Array.from(contacts.members(list), ({ contact, mark }) => ({
        ...contact,
        values: [...contact.values],
        lists: [...contact.lists],
        mark,
      })),
    ),
    outcomes: account.outcomes.list(),
  };
}

const addresses = fc.subarray(['ann', 'bob', 'cy', 'out', 'no address'], { minLength: 1 });
const list = fc.constantFrom('1', '12');
const text = addresses.map(
  (names) => `Email Address,City\n${names.map((name) => `${name}@example.com,"B, ""x"""`).join('\n')}\n`,
);
const request: fc.Arbitrary<ActivityRequest> = fc.oneof(
  fc.record({
    activityType: fc.constantFrom('SV_ADD' as const, 'REMOVE_CONTACTS_FROM_LISTS' as const),
    contacts: fc.record({ text }),
    lists: list.map((id) => [id]),
  }),
  fc.record({
    activityType: fc.constant('CLEAR_CONTACTS_FROM_LISTS' as const),
    lists: list.map((id) => [id]),
  }),
  fc.record({
    activityType: fc.constant('EXPORT_CONTACTS' as const),
    listId: fc.constantFrom('12', 'active', 'removed'),
    exportOptDate: fc.boolean(),
    columns: fc.constant(['CITY']),
  }),
);
const outcome = fc.constantFrom(
  'error' as const,
  'unconfirmed' as const,
  { errors: 2, message: 'no' },
  { stuckIn: 'QUEUED' as const },
  { stuckIn: 'RUNNING' as const },
);
const step = fc.oneof(
  fc.record({ do: fc.constant('create' as const), request }),
  fc.record({ do: fc.constant('advance' as const), time: fc.nat(20_000) }),
  fc.record({ do: fc.constant('rule' as const), outcome, times: fc.constantFrom(1, 2, undefined) }),
  fc.record({
    do: fc.constant('bring' as const),
    which: fc.nat(),
    to: fc.constantFrom<KnownActivityStatus>('PENDING', 'RUNNING', 'COMPLETE', 'ERROR'),
  }),
  fc.record({ do: fc.constant('download' as const), which: fc.nat() }),
  fc.constant({ do: 'store' as const }),
);

describe('the state of an EmulatedAccount', () => {
  it('goes on after being stored, in another account and as JSON, as if nothing had happened', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), fc.integer(), async (steps, seed) => {
        const clock = createVirtualClock();
        const make = () => new EmulatedAccount(SEED, { clock, seed });
        const kept = make();
        let stored = make();
        const both = async <T>(act: (account: EmulatedAccount) => T | Promise<T>): Promise<void> => {
          const attempt = async (account: EmulatedAccount): Promise<unknown> => {
            try {
              return await act(account);
            } catch (error) {
              if (error instanceof CtctError) return error.message;
              throw error;
            }
          };
          expect(await attempt(stored)).to.deep.equal(await attempt(kept));
        };
        const pick = async (account: EmulatedAccount, which: number): Promise<Activity | undefined> => {
          const activities = await all(account.list());
          return activities[which % Math.max(1, activities.length)];
        };
        for (const one of steps) {
          if (one.do === 'create') await both((account) => account.create(one.request));
          else if (one.do === 'advance') await clock.advance(one.time);
          else if (one.do === 'rule') {
            await both((account) => account.outcomes.add({ outcome: one.outcome, times: one.times }));
          } else if (one.do === 'bring') {
            await both(async (account) =>
              account.transition((await pick(account, one.which))?.id ?? '', one.to),
            );
          } else if (one.do === 'download') {
            await both(async (account) => {
              const { length } = await account.download((await pick(account, one.which))?.id ?? '');
              return length;
            });
          } else {
            const before = state(stored);
            stored = make();
            stored.restore(before);
            expect(state(stored)).to.deep.equal(before);
          }
        }
        const again = make();
        again.restore(state(stored));
        stored = again;
        expect(await view(stored)).to.deep.equal(await view(kept));
        await clock.advance('1h');
        expect(await view(stored)).to.deep.equal(await view(kept));
      }),
      { numRuns: 120 },
    );
  });

  it('does what became due while it was stored', async () => {
    const clock = createVirtualClock();
    const account = new EmulatedAccount(SEED, { clock });
    const contacts = { text: 'Email Address\nbob@example.com\n' };
    const { id } = await account.create({ activityType: 'SV_ADD', contacts, lists: ['12'] });
    const later = createVirtualClock({ now: clock.now() + 86_400_000 });
    const other = new EmulatedAccount(SEED, { clock: later });
    other.restore(state(account));
    expect(await other.get(id)).to.include({ status: 'COMPLETE', transactionCount: 1 });
    expect(other.holdings.contacts.count('12')).to.equal(1);
  });

  it('is reset to the seed, ids and all', async () => {
    const clock = createVirtualClock();
    const account = new EmulatedAccount(SEED, { clock });
    const fresh = await view(account);
    const course = async () => {
      const rows = [{ emailAddress: 'bob@example.com' }];
      await account.create({ activityType: 'SV_ADD', contacts: { rows }, lists: ['1'] });
      await account.create({ activityType: 'EXPORT_CONTACTS', listId: '12' });
      account.outcomes.add({ outcome: 'error' });
      account.holdings.lists.add({ name: 'New' }, 1);
      return (await all(account.list())).map(({ id }) => id);
    };
    const ids = await course();
    await clock.advance('1h');
    await clock.set('2008-04-29T19:30:00.000Z');
    account.reset();
    expect(await view(account)).to.deep.equal(fresh);
    expect(await course()).to.deep.equal(ids);
  });

  it('holds no credentials', () => {
    const credentials = {
      apiKey: 'key',
      password: 'hunter2',
      accessToken: 't0ken',
      consumerSecret: 'c0nsumer',
    };
    const account = new EmulatedAccount({ ...SEED, credentials });
    expect(JSON.stringify(account.snapshot())).not.to.match(/hunter2|t0ken|c0nsumer/);
    expect(account.credentials).to.equal(credentials);
  });

  it('is refused, and nothing changes, when it is another’s, of another version, or damaged', async () => {
    const account = new EmulatedAccount(SEED);
    const good = state(account);
    const before = await view(account);
    for (const [wrong, place] of [
      [null, 'version'],
      [{}, 'version'],
      [{ ...good, version: 2 }, 'version 2'],
      [{ ...good, user: 'annsflowers' }, 'annsflowers'],
      [{ ...good, contacts: undefined }, 'damaged'],
      [{ ...good, jobs: { ...good.jobs, jobs: [{}] } }, 'damaged'],
      [{ ...good, lists: { next: 'x', lists: [] } }, 'damaged'],
      [{ ...good, outcomes: 5 }, 'damaged'],
    ] as const) {
      expect(() => account.restore(wrong as never), place)
        .to.throw(UsageError, place)
        .with.property('code', 'CONFIG_INVALID');
      expect(await view(account)).to.deep.equal(before);
    }
  });
});

describe('state files', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'ctct-state-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('hold what was saved, for their owner only, and no part of a file is left', async () => {
    const file = path.join(folder, 'state.json');
    expect(await loadState(file)).to.equal(undefined);
    const account = new EmulatedAccount(SEED, { clock: createVirtualClock() });
    await Promise.all([saveState(file, { a: 1 }), saveState(file, { a: 1 })]);
    await saveState(file, account.snapshot());
    expect(await loadState(file)).to.deep.equal(state(account));
    expect(await readdir(folder)).to.deep.equal(['state.json']);
    if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).to.equal(0o600);
  });

  it('are refused when they cannot be read or written, and what was there stays', async () => {
    const failure = async (promise: Promise<unknown>) =>
      promise.then(
        () => undefined,
        (error: unknown) => error as UsageError,
      );
    const file = path.join(folder, 'other.json');
    await writeFile(file, '{"version": 1, "user": ');
    expect(await failure(loadState(file))).to.include({ code: 'CONFIG_INVALID' });
    expect(await failure(loadState(folder))).to.include({ code: 'FILE_UNREADABLE' });
    expect(await failure(saveState(path.join(folder, 'no', 'state.json'), {}))).to.include({
      code: 'FILE_UNWRITABLE',
    });
    const endless: { self?: unknown } = {};
    endless.self = endless;
    expect(await failure(saveState(file, endless))).to.include({ code: 'OPTION_INVALID' });
    expect(await readFile(file, 'utf8')).to.equal('{"version": 1, "user": ');
    // A folder stands where the file should go: the part that was written goes away again.
    expect(await failure(saveState(folder, {}))).to.include({ code: 'FILE_UNWRITABLE' });
    const beside = (await readdir(path.dirname(folder))).filter((name) =>
      name.startsWith(path.basename(folder)),
    );
    expect(beside).to.deep.equal([path.basename(folder)]);
  });
});
