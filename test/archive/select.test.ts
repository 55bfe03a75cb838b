import { expect } from 'chai';
import fc from 'fast-check';
import { ACTIVITY_STATUSES, ACTIVITY_TYPES } from '../../src/activity/activity.js';
import { activityFilter, createdAt, type ActivityFilter } from '../../src/archive/select.js';
import { activity } from '../support/arbitraries.js';
import { anActivity } from '../support/stub-service.js';

const filter: fc.Arbitrary<ActivityFilter> = fc.record(
  {
    types: fc.subarray([...ACTIVITY_TYPES]),
    statuses: fc.subarray([...ACTIVITY_STATUSES]),
    ids: fc.array(fc.constantFrom('a', 'b')),
    since: fc.option(fc.date({ noInvalidDate: true }), { nil: undefined }),
    until: fc.option(fc.date({ noInvalidDate: true }), { nil: undefined }),
    withErrors: fc.boolean(),
  },
  { requiredKeys: [] },
);

describe('a filter of activities', () => {
  it('that asks for nothing takes all', () => {
    const all = activityFilter({});
    fc.assert(fc.property(activity, (one) => all(one)));
    const empty = activityFilter({ types: [], statuses: [], ids: [], withErrors: false });
    fc.assert(fc.property(activity, (one) => empty(one)));
  });

  it('takes what each of its parts takes alone', () => {
    fc.assert(
      fc.property(filter, activity, (whole, one) => {
        const parts = Object.entries(whole).map(([name, value]) =>
          activityFilter({ [name]: value as unknown }),
        );
        expect(activityFilter(whole)(one)).to.equal(parts.every((part) => part(one)));
      }),
    );
  });

  it('takes each dated activity on exactly one side of an instant', () => {
    fc.assert(
      fc.property(activity, fc.date({ noInvalidDate: true }), (one, instant) => {
        const sides = [activityFilter({ until: instant })(one), activityFilter({ since: instant })(one)];
        expect(sides.filter(Boolean)).to.have.length(createdAt(one) === undefined ? 0 : 1);
      }),
    );
  });

  it('begins with since and ends before until', () => {
    const at = (time: string) => anActivity({ id: 'a', insertTime: new Date(time) });
    const april = activityFilter({ since: new Date('2008-04-01'), until: new Date('2008-05-01') });
    expect(april(at('2008-03-31T23:59:59.999Z'))).to.equal(false);
    expect(april(at('2008-04-01T00:00:00.000Z'))).to.equal(true);
    expect(april(at('2008-04-30T23:59:59.999Z'))).to.equal(true);
    expect(april(at('2008-05-01T00:00:00.000Z'))).to.equal(false);
  });

  it('goes by the time of the last change where no insert time is told', () => {
    const updated = new Date('2008-04-29T19:36:10.948Z');
    const insertTime = new Date('2008-04-28T00:00:00.000Z');
    expect(createdAt(anActivity({ id: 'a', updated }))).to.equal(updated);
    expect(createdAt(anActivity({ id: 'a', updated, insertTime }))).to.equal(insertTime);
    expect(createdAt(anActivity({ id: 'a' }))).to.equal(undefined);
  });

  it('takes types and statuses in any case, ids as they are', () => {
    const one = anActivity({ id: 'a07e', type: 'Add_Contacts', status: 'complete', errorCount: 2 });
    expect(activityFilter({ types: ['ADD_CONTACTS', 'x'] })(one)).to.equal(true);
    expect(activityFilter({ statuses: ['COMPLETE'] })(one)).to.equal(true);
    expect(activityFilter({ ids: ['a07e'] })(one)).to.equal(true);
    expect(activityFilter({ ids: ['A07E'] })(one)).to.equal(false);
    expect(activityFilter({ types: ['SV_ADD'] })(one)).to.equal(false);
    expect(activityFilter({ types: ['SV_ADD'] })(anActivity({ id: 'a' }))).to.equal(false);
    expect(activityFilter({ withErrors: true })(one)).to.equal(true);
    expect(activityFilter({ withErrors: true })(anActivity({ id: 'a' }))).to.equal(false);
  });
});
