import fc from 'fast-check';
import { BAD_ADDRESSES, BAD_STATE } from './migration-model.js';
import type { AccountSketch, RowSketch, StepSketch, WorldSketch } from './migration-world.js';

const LISTS = ['1', '2', '3'] as const;
const PEOPLE = [
  'ann',
  'ANN',
  'bob',
  'Bob',
  'cleo',
  'dora',
  'eve',
  'fay',
  'gus',
  'hal',
  'old1',
  'Old2',
  'gone',
];
const address = (name: string) => `${name}@example.com`;

const row: fc.Arbitrary<RowSketch> = fc.record({
  address: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...PEOPLE.map(address)) },
    { weight: 1, arbitrary: fc.constantFrom(...BAD_ADDRESSES) },
  ),
  name: fc.constantFrom('', 'Ann', 'B, C', 'say "hi"', 'two\nlines', 'Zoë'),
  state: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('', 'MA', 'Bavaria') },
    { weight: 1, arbitrary: fc.constant(BAD_STATE) },
  ),
});

const nameless: fc.Arbitrary<RowSketch> = fc.constant({ address: '', name: 'Nobody', state: '' });
const lists = fc.subarray([...LISTS], { minLength: 1 });
/** What has no address at all is not planned. */
const rows = (maxLength: number): fc.Arbitrary<RowSketch[]> =>
  fc
    .array(fc.oneof({ weight: 12, arbitrary: row }, nameless), { minLength: 1, maxLength })
    .filter((all) => all.some(({ address: told }) => told !== ''));

const step: fc.Arbitrary<StepSketch> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      lists,
      rows: rows(14),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('remove' as const),
      lists,
      rows: rows(10),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), lists }) },
);

const account: fc.Arbitrary<AccountSketch> = fc.record({
  members: fc.constant(Object.fromEntries(LISTS.map((id) => [id, [address(`old${id}`), address('both')]]))),
  optedOut: fc.constantFrom([], [address('gone')]),
  steps: fc.array(step, { maxLength: 4 }),
});

/** Small migrations: several accounts, steps of all kinds, addresses that come again, rows that are refused. */
export const worldSketches: fc.Arbitrary<WorldSketch> = fc
  .array(account, { minLength: 1, maxLength: 3 })
  .filter((accounts) => accounts.some(({ steps }) => steps.length > 0))
  .map((accounts) =>
    Object.fromEntries(accounts.map((one, index) => [['joe', 'amy', 'tom'][index] ?? 'x', one])),
  );

const people = (from: number, to: number): RowSketch[] =>
  Array.from({ length: to - from }, (_, index) => ({
    address: address(`p${from + index}`),
    name: (from + index) % 5 === 0 ? 'two\nlines' : `Name ${from + index}`,
    state: (from + index) % 7 === 3 ? BAD_STATE : 'MA',
  }));

/** A migration that has some of everything, in parts of four rows each: see `withSmallParts`. */
export const SMALL_WORLD: WorldSketch = {
  joe: {
    members: { '1': [address('old1')], '2': [address('old2'), address('p3')] },
    optedOut: [address('p5')],
    steps: [
      { do: 'add', lists: ['1', '2'], rows: [...people(0, 8), { address: 'bad', name: 'x', state: '' }] },
      { do: 'clear', lists: ['2'] },
      { do: 'add', lists: ['2'], rows: [...people(6, 9), ...people(7, 8)] },
      { do: 'remove', lists: ['1'], rows: [...people(1, 6), { address: '@', name: '', state: '' }] },
    ],
  },
  amy: {
    members: { '1': [], '7': [address('old7')] },
    optedOut: [],
    steps: [
      { do: 'add', lists: ['7'], rows: people(20, 24) },
      { do: 'remove', lists: ['7', '1'], rows: people(21, 23) },
    ],
  },
};

/** As `SMALL_WORLD`, and less of it. */
export const ONE_ACCOUNT: WorldSketch = {
  joe: {
    members: { '1': [address('old1')], '2': [address('p3')] },
    optedOut: [],
    steps: [
      { do: 'add', lists: ['1', '2'], rows: [...people(0, 5), { address: 'bad', name: 'x', state: '' }] },
      { do: 'clear', lists: ['2'] },
      { do: 'remove', lists: ['1'], rows: people(1, 3) },
    ],
  },
};
