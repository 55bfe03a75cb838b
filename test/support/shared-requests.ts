import fc from 'fast-check';
import { COLUMNS } from '../../src/activity/columns.js';
import type { ActivityRequest } from '../../src/activity/request.js';

/** What ws and v2 both keep, and judge alike: v2 ignores some columns, and takes any state. */
export const SHARED_COLUMNS = COLUMNS.filter(
  ({ property, v2Upload }) => v2Upload !== undefined && !['emailAddress', 'state'].includes(property),
);

/** Of an account with the lists 1 and 2, in which dan is not to be mailed, and left is a member. */
const address = fc.constantFrom(
  ...['ann', 'ANN', 'bob', 'eve', 'dan'].map((name) => `${name}@example.com`),
  ...['nobody', 'two@at@example.com', 'left@example.com'],
);
const cell = fc.constantFrom('', 'Rome', 'a "b", c', 'ä€', ' x', '0', 'two\nlines');
const lists = fc.subarray(['1', '2'], { minLength: 1 });
const rows = fc
  .subarray(SHARED_COLUMNS, { maxLength: 4 })
  .chain((columns) =>
    fc.array(
      fc.record({ emailAddress: address, ...Object.fromEntries(columns.map(({ ws }) => [ws, cell])) }),
      { minLength: 1, maxLength: 6 },
    ),
  );

/** Requests of all types but exports that ws and v2 carry out alike. */
export const changes: fc.Arbitrary<ActivityRequest> = fc.oneof(
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
);
