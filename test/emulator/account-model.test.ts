import { expect } from 'chai';
import fc from 'fast-check';
import Papa from 'papaparse';
import type { Activity } from '../../src/activity/activity.js';
import { EmulatedAccount } from '../../src/emulator/account.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';

/** What an account is, thought of as plain sets and nothing else. */
interface Model {
  readonly lists: Map<string, Map<string, number>>;
  readonly names: Map<string, string>;
  /** Addresses that were on a list once. */
  readonly seen: Set<string>;
}

const OWN = ['1', '2', '3'];
const ALL = [...OWN, 'active', 'removed', 'do-not-mail'];
const OPTED_OUT = 'opted.out@example.com';

interface Row {
  address: string;
  name: string;
  state: string;
}
type Command =
  | { do: 'add' | 'remove'; rows: Row[]; lists: string[] }
  | { do: 'clear'; lists: string[] }
  | { do: 'export'; list: string; newestFirst: boolean; txt: boolean; names: boolean }
  | { do: 'advance'; time: number };

const row: fc.Arbitrary<Row> = fc.record({
  address: fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .constantFrom('ann', 'ANN', 'joan', 'Fred', 'fred', 'x', 'opted.out')
        .map((name) => `${name}@example.com`),
    },
    { weight: 1, arbitrary: fc.constantFrom('', 'ann', 'a b@example.com', '@') },
  ),
  name: fc.constantFrom('', 'Ann', 'B, C', 'say "hi"', 'two\nlines', 'Zoë', ' blank ', '\ttab'),
  state: fc.constantFrom('', '', 'MA', 'quebec', 'Test2'),
});
const lists = fc.subarray(OWN, { minLength: 1 });
/** The last row has an address: blank rows alone would be no upload at all. */
const rows = fc
  .array(row, { maxLength: 5 })
  .map((some) => [...some, { address: 'x@example.com', name: '', state: '' }]);
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), rows, lists }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), rows, lists }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), lists }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('export' as const),
      list: fc.constantFrom(...ALL),
      newestFirst: fc.boolean(),
      txt: fc.boolean(),
      names: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), time: fc.nat(30_000) }) },
);

/** Of one address, in any case, only the last row counts. */
function isPassedOver(rows: readonly Row[], index: number): boolean {
  const address = rows[index]!.address.toLowerCase();
  return address !== '' && rows.slice(index + 1).some((later) => later.address.toLowerCase() === address);
}

/** The errors that rows must give, by line, in the order of the file. */
function expectedErrors(rows: readonly Row[], adds: boolean) {
  const errors: { lineNumber: number; emailAddress: string | undefined; message: string }[] = [];
  let line = 2;
  for (const [index, { address, name, state }] of rows.entries()) {
    const say = (message: string) =>
      errors.push({ lineNumber: line, emailAddress: address || undefined, message });
    if (address + name.trim() + state === '' || isPassedOver(rows, index)) {
      // No row at all.
    } else if (address === '') say('Missing email address');
    else if (!address.endsWith('@example.com') || address.includes(' ')) say('Invalid email');
    else if (adds && state === 'Test2') say('Unknown US/Canadian state/prov "Test2"');
    else if (adds && address === OPTED_OUT) say('Contact is on the do-not-mail list');
    line += name === 'two\nlines' ? 2 : 1;
  }
  return errors;
}

function goodRows(rows: readonly Row[], adds: boolean): Row[] {
  return rows.filter(
    (one, index) =>
      !isPassedOver(rows, index) && expectedErrors([one], adds).length === 0 && one.address !== '',
  );
}

function members(model: Model, list: string): Map<string, number> {
  const own = model.lists.get(list);
  if (own !== undefined) return own;
  const active = new Set([...model.lists.values()].flatMap((one) => [...one.keys()]));
  const of = (addresses: Iterable<string>) => new Map(Array.from(addresses, (address) => [address, 0]));
  if (list === 'active') return of(active);
  if (list === 'do-not-mail') return of([OPTED_OUT]);
  return of([...model.seen].filter((address) => !active.has(address)));
}

/** Does in the model what the finished activity must have done, and checks what the activity says of it. */
async function apply(
  model: Model,
  account: EmulatedAccount,
  wanted: Command,
  activity: Activity,
): Promise<void> {
  const time = activity.runFinishTime?.getTime() ?? NaN;
  expect(activity.status).to.equal('COMPLETE');
  expect(activity.errorCount).to.equal(activity.errors.length);
  if (wanted.do === 'add' || wanted.do === 'remove') {
    const adds = wanted.do === 'add';
    expect(activity.errors).to.deep.equal(expectedErrors(wanted.rows, adds));
    const good = goodRows(wanted.rows, adds);
    expect(activity.transactionCount).to.equal(good.length);
    for (const { address, name } of good) {
      const key = address.toLowerCase();
      for (const list of wanted.lists) {
        const set = model.lists.get(list)!;
        if (!adds) set.delete(key);
        else if (!set.has(key)) set.set(key, time);
      }
      if (!adds) continue;
      model.seen.add(key);
      if (name.trim() !== '') model.names.set(key, name.trim());
    }
  } else if (wanted.do === 'clear') {
    const cleared = new Set(wanted.lists.flatMap((list) => [...model.lists.get(list)!.keys()]));
    expect(activity.transactionCount).to.equal(cleared.size);
    for (const list of wanted.lists) model.lists.get(list)!.clear();
  } else if (wanted.do === 'export') {
    await checkExport(model, account, wanted, activity);
  }
}

async function checkExport(
  model: Model,
  account: EmulatedAccount,
  wanted: Extract<Command, { do: 'export' }>,
  activity: Activity,
): Promise<void> {
  const chunks: Uint8Array[] = [];
  const download = await account.download(activity);
  for await (const chunk of download.body) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  expect(bytes).to.have.length(download.length!);
  const parsed = Papa.parse<string[]>(bytes.toString('utf8').replace(/\r\n$/, ''), {
    delimiter: wanted.txt ? '\t' : ',',
    newline: '\r\n',
  });
  expect(parsed.errors).to.deep.equal([]);
  const [heading, ...found] = parsed.data;
  const listHeadings =
    wanted.list === 'active'
      ? OWN.map((id) => `List: L${id}`)
      : [
          `List: ${({ removed: 'Removed', 'do-not-mail': 'Do Not Mail' } as Record<string, string>)[wanted.list] ?? `L${wanted.list}`}`,
        ];
  expect(heading).to.deep.equal(['Email Address', 'First Name', ...(wanted.names ? listHeadings : [])]);

  const expected = members(model, wanted.list);
  expect(activity.transactionCount).to.equal(expected.size);
  const order = found.map(([address]) => address!.toLowerCase());
  expect([...order].sort()).to.deep.equal([...expected.keys()].sort());
  // The model knows no date for the system lists, only for the account's own.
  if (!wanted.newestFirst) expect(order).to.deep.equal([...order].sort());
  else if (OWN.includes(wanted.list)) {
    const sorted = [...expected].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    expect(order).to.deep.equal(sorted.map(([address]) => address));
  }
  for (const [address, name, ...marks] of found) {
    const key = address!.toLowerCase();
    expect(name).to.equal(model.names.get(key) ?? '');
    if (!wanted.names) continue;
    const on = wanted.list === 'active' ? OWN.map((id) => model.lists.get(id)!.has(key)) : [true];
    expect(marks).to.deep.equal(on.map((is) => (is ? 'x' : '')));
  }
}

describe('EmulatedAccount against a model of plain sets', () => {
  it('agrees on members, values, exports, counts and errors, and its statuses only go forward', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.constantFrom('loose' as const, 'strict' as const),
        fc.array(command, { minLength: 1, maxLength: 25 }),
        async (seed, order, commands) => {
          const clock = createVirtualClock();
          const account = new EmulatedAccount(
            {
              user: 'joesflowers',
              lists: OWN.map((id) => ({ id, name: `List ${id}`, shortName: `L${id}` })),
              doNotMail: [OPTED_OUT],
            },
            { clock, seed, order },
          );
          const model: Model = {
            lists: new Map(OWN.map((id) => [id, new Map<string, number>()])),
            names: new Map(),
            seen: new Set(),
          };
          const waiting: { id: string; place: number; wanted: Command }[] = [];
          const ranks = new Map<string, number>();
          const ids: string[] = [];

          const look = async () => {
            const listed: Activity[] = [];
            for await (const activity of account.list()) {
              listed.push(activity);
              const rank = ['PENDING', 'QUEUED', 'RUNNING', 'COMPLETE'].indexOf(activity.status!);
              expect(rank).to.be.at.least(ranks.get(activity.id) ?? 0);
              ranks.set(activity.id, rank);
            }
            expect(listed.map(({ id }) => id)).to.deep.equal([...ids].reverse());
            const finished = waiting.filter(({ id }) => ranks.get(id) === 3);
            const left = waiting.filter(({ id }) => ranks.get(id) !== 3);
            // Nobody overtakes, but an upload the clear of a list of its own, and who stood between them goes with it.
            for (const { place, wanted } of finished) {
              for (const overtaken of left.filter((other) => other.place < place)) {
                expect([order, overtaken.wanted.do]).to.deep.equal(['loose', 'clear']);
                const gaveWay = waiting.some((upload) => {
                  const { wanted: one } = upload;
                  const clear = overtaken.wanted as Extract<Command, { do: 'clear' }>;
                  if (one.do !== 'add' || upload.place < place) return false;
                  return one.lists.some((list) => clear.lists.includes(list));
                });
                expect(gaveWay, wanted.do).to.equal(true);
              }
            }
            waiting.splice(0, waiting.length, ...left);
            const ended = await Promise.all(
              finished.map(async ({ id, wanted }) => ({ wanted, activity: await account.get(id) })),
            );
            const timeOf = ({ runFinishTime }: Activity) => runFinishTime!.getTime();
            for (const { wanted, activity } of ended.sort(
              (x, y) => timeOf(x.activity) - timeOf(y.activity),
            )) {
              await apply(model, account, wanted, activity);
            }
            for await (const { id, contactCount } of account.lists()) {
              expect(contactCount, id).to.equal(model.lists.get(id)?.size);
            }
          };

          for (const wanted of commands) {
            if (wanted.do === 'advance') {
              await clock.advance(wanted.time);
              await look();
              continue;
            }
            const { id } = await create(account, wanted);
            ids.push(id);
            waiting.push({ id, place: ids.length, wanted });
          }
          await clock.advance('1d');
          await look();
          expect(waiting).to.deep.equal([]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

function create(account: EmulatedAccount, wanted: Exclude<Command, { do: 'advance' }>): Promise<Activity> {
  switch (wanted.do) {
    case 'add':
    case 'remove': {
      const table = wanted.rows.map(({ address, name, state }) => [address, name, state]);
      const text = Papa.unparse([['Email Address', 'First Name', 'State'], ...table]);
      return account.create({
        activityType: wanted.do === 'add' ? 'SV_ADD' : 'REMOVE_CONTACTS_FROM_LISTS',
        contacts: { text },
        lists: wanted.lists,
      });
    }
    case 'clear':
      return account.create({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: wanted.lists });
    case 'export':
      return account.create({
        activityType: 'EXPORT_CONTACTS',
        listId: wanted.list,
        fileType: wanted.txt ? 'TXT' : 'CSV',
        sortBy: wanted.newestFirst ? 'DATE_DESC' : 'EMAIL_ADDRESS',
        exportListName: wanted.names,
        columns: ['FIRST NAME'],
      });
  }
}
