import { expect } from 'chai';
import fc from 'fast-check';
import { SERIES, seriesOf, slotRate, timeAxis } from '../../src/archive/report-slots.js';
import type { MonthReport } from '../../src/archive/statistics-report.js';

const aMonth = (key: number, given: Partial<MonthReport> = {}): MonthReport => ({
  month: `${String(Math.floor(key / 12)).padStart(4, '0')}-${String((key % 12) + 1).padStart(2, '0')}`,
  activities: 0,
  failed: 0,
  processed: 0,
  errors: 0,
  errorRate: null,
  types: [],
  ...given,
});

const count = fc.nat(1_000);
const month = fc
  .record({
    key: fc.integer({ min: 12 * 1900, max: 12 * 2100 }),
    failed: count,
    processed: count,
    errors: count,
    types: fc.uniqueArray(
      fc.record({
        type: fc.constantFrom(...SERIES, 'SV_NOPE', ''),
        kind: fc.constantFrom('known' as const, 'unknown' as const),
        activities: fc.integer({ min: 1, max: 99 }),
      }),
      { selector: ({ type }) => type },
    ),
  })
  .map(({ key, types, ...rest }) => {
    const activities = types.reduce((total, one) => total + one.activities, 0);
    return { key, month: aMonth(key, { ...rest, types, activities }) };
  });
/** The months of an archive, the oldest first, over some years or over centuries. */
const months = fc
  .tuple(fc.uniqueArray(month, { selector: ({ key }) => key }), fc.constantFrom(1, 20, 100))
  .map(([all, part]) => {
    const near = all.filter(({ key }) => key < 12 * 1900 + (12 * 200) / part);
    return near.sort((a, b) => a.key - b.key);
  });

const total = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

describe('the time axis of a report', () => {
  it('counts every activity once, in the place of its month, among those of its type', () => {
    fc.assert(
      fc.property(months, (given) => {
        const { slots, unit } = timeAxis(given.map(({ month }) => month));
        for (const field of ['activities', 'failed', 'processed', 'errors'] as const) {
          expect(total(slots.map((slot) => slot[field]))).to.equal(
            total(given.map(({ month }) => month[field])),
          );
        }
        for (const slot of slots) expect(total(slot.counts)).to.equal(slot.activities);
        for (const { key, month } of given) {
          const year = String(Math.floor(key / 12));
          const name = unit === 'year' ? year : new RegExp(`^[A-Z][a-z]{2} ${year}$`);
          const slot = slots.find((one) =>
            typeof name === 'string' ? one.name === name : name.test(one.name),
          );
          expect(slot, month.month).not.to.equal(undefined);
        }
      }),
    );
  });

  it('has no gaps and no name twice, at least twelve places, and years in place of more than 240 months', () => {
    fc.assert(
      fc.property(months, (given) => {
        const { slots, unit } = timeAxis(given.map(({ month }) => month));
        const span = given.length === 0 ? 1 : given.at(-1)!.key - given[0]!.key + 1;
        expect(unit).to.equal(span <= 240 ? 'month' : 'year');
        expect(slots.length).to.be.within(12, 240);
        expect(new Set(slots.map(({ name }) => name)).size).to.equal(slots.length);
        const years = slots.map(({ name }) => Number(name.slice(-4)));
        expect(years).to.deep.equal([...years].sort((a, b) => a - b));
        if (unit === 'month') expect(slots.length).to.equal(Math.max(12, span));
      }),
    );
  });

  it('has at most 13 labels, on a phone five, and those are some of the 13', () => {
    fc.assert(
      fc.property(months, (given) => {
        const { slots } = timeAxis(given.map(({ month }) => month));
        const labels = slots.flatMap(({ tick }) => tick ?? []);
        expect(labels.length).to.be.within(1, 14);
        // Of more than a century, one every twenty years.
        const most = Math.max(6, Math.ceil(slots.length / 20) + 1);
        expect(labels.filter(({ narrow }) => narrow).length).to.be.within(0, most);
      }),
    );
    const { slots } = timeAxis([aMonth(12 * 2011), aMonth(12 * 2011 + 11)]);
    expect(slots.map(({ name, tick }) => [name, tick?.label]).slice(0, 3)).to.deep.equal([
      ['Jan 2011', '2011'],
      ['Feb 2011', 'Feb'],
      ['Mar 2011', 'Mar'],
    ]);
  });

  it('knows which types there are, puts strangers together, and has no rate where nothing was done', () => {
    const types = [
      { type: 'EXPORT_CONTACTS', kind: 'known', activities: 2 },
      { type: 'SV_NOPE', kind: 'unknown', activities: 3 },
      { type: null, kind: 'other', activities: 4 },
    ] as const;
    const axis = timeAxis([aMonth(12 * 2011, { activities: 9, types, processed: 200, errors: 5 })]);
    expect(seriesOf(axis).map((series) => SERIES[series])).to.deep.equal(['EXPORT_CONTACTS', 'Other types']);
    const slot = axis.slots.find(({ activities }) => activities > 0)!;
    expect(slot.counts.filter((number) => number > 0)).to.deep.equal([2, 7]);
    expect(slotRate(slot)).to.equal(5 / 205);
    expect(slotRate(axis.slots[0]!)).to.equal(null);
    expect(seriesOf(timeAxis([]))).to.deep.equal([]);
  });
});
