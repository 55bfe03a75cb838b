import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'chai';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { ACTIVITY_STATUSES, ACTIVITY_TYPES, type Activity } from '../../src/activity/activity.js';
import { ERROR_CODES, type ErrorCode } from '../../src/activity/errors.js';
import type { ArchiveRecord } from '../../src/archive/record.js';
import { ArchiveStatistics } from '../../src/archive/statistics.js';
import type { StatisticsReport } from '../../src/archive/statistics-report.js';
import { activity as anyActivity } from '../support/arbitraries.js';
import { anActivity } from '../support/stub-service.js';
import { archiveOf, aRecord } from './records.js';

function statisticsOf(records: Iterable<ArchiveRecord>): ArchiveStatistics {
  const statistics = new ArchiveStatistics();
  for (const record of records) statistics.add(record);
  return statistics;
}

const reportOf = (records: Iterable<ArchiveRecord>): StatisticsReport => statisticsOf(records).toJSON();
const ofActivities = (...activities: Activity[]) => reportOf(activities.map((one) => aRecord(one)));

const name = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 100 }),
  // More distinct names than are kept, so that some are evicted.
  fc.nat({ max: 99 }).map((n) => `NAME_${n}`),
  fc.constantFrom('__proto__', 'constructor', '', 'other'),
);
const code = fc.constantFrom(...(Object.keys(ERROR_CODES) as ErrorCode[]));
const dateNear = fc.date({
  min: new Date('2010-01-01T00:00:00Z'),
  max: new Date('2010-03-01T00:00:00Z'),
  noInvalidDate: true,
});
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** Records of any sort, many of them alike in something. */
const anyRecord: fc.Arbitrary<ArchiveRecord> = fc
  .record({
    activity: anyActivity,
    type: maybe(fc.oneof(fc.constantFrom(...ACTIVITY_TYPES), name)),
    status: maybe(fc.oneof(fc.constantFrom(...ACTIVITY_STATUSES), name)),
    near: fc.boolean(),
    times: fc.record({
      insertTime: maybe(dateNear),
      runStartTime: maybe(dateNear),
      runFinishTime: maybe(dateNear),
    }),
    transactionCount: maybe(fc.nat({ max: Number.MAX_SAFE_INTEGER })),
    salvaged: fc.boolean(),
    codes: fc.array(code, { maxLength: 3 }),
  })
  .map(({ activity, type, status, near, times, transactionCount, salvaged, codes }) => {
    const record = aRecord({ ...activity, type, status, transactionCount, ...(near ? times : {}) });
    const problems = codes.map((one) => ({ code: one, message: '', position: record.position }));
    return { ...record, salvaged, problems };
  });
const anyRecords = fc.array(anyRecord, { maxLength: 120, size: 'max' });

describe('ArchiveStatistics', () => {
  it('says the same of all records at once and of parts merged in any order', () => {
    const parts = fc.array(fc.tuple(anyRecord, fc.nat({ max: 4 })), { maxLength: 120, size: 'max' });
    fc.assert(
      fc.property(parts, fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), (placed, order) => {
        const whole = reportOf(placed.map(([record]) => record));
        const piles = order.map((pile) =>
          statisticsOf(placed.filter(([, at]) => at === pile).map(([record]) => record)),
        );
        const [a, b, c, d, e] = piles as [ArchiveStatistics, ...ArchiveStatistics[]] & { length: 5 };
        const before = JSON.stringify(c);
        // (a + b) + ((c + d) + e), so that merged ones are merged too.
        a.merge(b!);
        const right = statisticsOf([]);
        right.merge(c!);
        right.merge(d!);
        right.merge(e!);
        a.merge(right);
        expect(a.toJSON()).to.deep.equal(whole);
        expect(JSON.stringify(c)).to.equal(before);
      }),
      { numRuns: 60 },
    );
  });

  it('goes through a message port unchanged, and can be added to behind it', () => {
    fc.assert(
      fc.property(anyRecords, anyRecord, (records, more) => {
        const there = new ArchiveStatistics(structuredClone(statisticsOf(records).state));
        there.add(more);
        expect(there.toJSON()).to.deep.equal(reportOf([...records, more]));
      }),
      { numRuns: 30 },
    );
  });

  it('counts exactly: each sum is that of a plain count', () => {
    fc.assert(
      fc.property(anyRecords, (records) => {
        const report = reportOf(records);
        const activities = records.map(({ activity }) => activity);
        const total = (of: (activity: Activity) => number, some = activities) =>
          Number(
            some.reduce((all, activity) => {
              const next = all + BigInt(of(activity));
              return next > BigInt(Number.MAX_SAFE_INTEGER) ? BigInt(Number.MAX_SAFE_INTEGER) : next;
            }, 0n),
          );
        expect(report.activities).to.equal(records.length);
        expect(report.failed).to.equal(activities.filter(({ status }) => status === 'ERROR').length);
        expect(report.processed).to.equal(total((one) => one.transactionCount ?? 0));
        expect(report.errors).to.equal(total((one) => one.errorCount));
        expect(report.errorsListed).to.equal(total((one) => one.errors.length));
        expect(report.withErrors).to.equal(activities.filter((one) => one.errorCount > 0).length);
        expect(report.salvaged).to.equal(records.filter(({ salvaged }) => salvaged).length);
        expect(report.bytes).to.equal(700 * records.length);
        for (const type of ACTIVITY_TYPES) {
          const some = activities.filter((one) => one.type === type);
          const row = report.types.find((one) => one.type === type);
          expect(row?.activities ?? 0).to.equal(some.length);
          expect(row?.processed ?? 0).to.equal(total((one) => one.transactionCount ?? 0, some));
          for (const status of ACTIVITY_STATUSES) {
            const found = row?.statuses.find((one) => one.status === status)?.activities ?? 0;
            expect(found).to.equal(some.filter((one) => one.status === status).length);
          }
        }
        for (const { month, activities: count } of report.months) {
          const dated = activities.map((one) => one.insertTime ?? one.updated);
          expect(count).to.equal(dated.filter((date) => date?.toISOString().startsWith(month)).length);
        }
        const sumOf = (rows: readonly { readonly activities: number }[]) =>
          rows.reduce((all, row) => all + row.activities, 0);
        expect(sumOf(report.types)).to.equal(records.length);
        expect(sumOf(report.statuses)).to.equal(records.length);
        expect(sumOf(report.months) + report.undated + report.outsideMonths).to.equal(records.length);
        for (const { code: one, count } of report.problems) {
          expect(count).to.equal(
            records.flatMap((record) => record.problems).filter((p) => p.code === one).length,
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keeps 32 unknown names and counts the rest together', () => {
    const activities = Array.from({ length: 400 }, (_, n) =>
      anActivity({ id: 'a', type: `TYPE_${n % 100}`, status: `STATUS_${n % 80}` }),
    );
    const { types, statuses } = ofActivities(...activities, anActivity({ id: 'a', type: 'ADD_CONTACTS' }));
    expect(types.map(({ kind }) => kind)).to.deep.equal([
      'known',
      ...Array.from({ length: 32 }, () => 'unknown'),
      'other',
    ]);
    expect(types.filter(({ kind }) => kind === 'unknown').map((row) => row.activities)).to.deep.equal(
      Array.from({ length: 32 }, () => 4),
    );
    expect(types.at(-1)).to.include({ type: null, kind: 'other', activities: 400 - 32 * 4 });
    expect(types.at(-1)?.statuses.at(-1)).to.include({ status: null, kind: 'other' });
    expect(statuses.at(-2)).to.deep.equal({ status: null, kind: 'absent', activities: 1 });
    expect(statuses.at(-1)).to.deep.equal({ status: null, kind: 'other', activities: 400 - 32 * 5 });
  });

  it('takes a name of any length for its first 80 characters, and cuts no character in half', () => {
    const long = `${'x'.repeat(78)}😀`;
    const { types } = ofActivities(
      anActivity({ id: 'a', type: `${long}1${'y'.repeat(1e6)}` }),
      anActivity({ id: 'b', type: `${long}2` }),
    );
    expect(types.map(({ type, activities }) => [type, activities])).to.deep.equal([
      [`${'x'.repeat(78)}…`, 2],
    ]);
  });

  it('defines the error rate as errors / (processed + errors), per month and type and in all', () => {
    const insertTime = new Date('2010-05-31T23:59:59.999Z');
    const report = ofActivities(
      anActivity({ id: 'a', type: 'ADD_CONTACTS', insertTime, transactionCount: 30, errorCount: 10 }),
      anActivity({ id: 'b', status: 'ERROR', updated: new Date('2010-06-01T00:00:00Z') }),
    );
    expect(report).to.include({ processed: 30, errors: 10, errorRate: 0.25, failed: 1 });
    expect(report.firstInsertTime).to.equal('2010-05-31T23:59:59.999Z');
    expect(report.lastInsertTime).to.equal('2010-05-31T23:59:59.999Z');
    expect(report.months).to.deep.equal([
      {
        month: '2010-05',
        activities: 1,
        failed: 0,
        processed: 30,
        errors: 10,
        errorRate: 0.25,
        types: [{ type: 'ADD_CONTACTS', kind: 'known', activities: 1 }],
      },
      {
        month: '2010-06',
        activities: 1,
        failed: 1,
        processed: 0,
        errors: 0,
        errorRate: null,
        types: [{ type: null, kind: 'absent', activities: 1 }],
      },
    ]);
  });

  it('tells months apart from 1990 to 2089, and counts other years together', () => {
    const times = [
      '1989-12-31T23:59:59Z',
      '1990-01-01T00:00:00Z',
      '2089-12-31T00:00:00Z',
      '2090-01-01T00:00:00Z',
    ];
    const report = ofActivities(
      ...times.map((time) => anActivity({ id: 'a', insertTime: new Date(time) })),
      anActivity({ id: 'a' }),
    );
    expect(report.months.map(({ month }) => month)).to.deep.equal(['1990-01', '2089-12']);
    expect(report).to.include({ outsideMonths: 2, undated: 1 });
  });

  describe('messages', () => {
    const withMessages = (...messages: string[]) =>
      anActivity({
        id: 'a',
        errors: messages.map((message) => ({ lineNumber: 2, emailAddress: 'a@example.com', message })),
      });

    it('are the same where only a quoted part differs', () => {
      const { messages } = ofActivities(
        withMessages('Unknown US/Canadian state/prov "Test2"', 'Unknown US/Canadian  state/prov "Test3"'),
        withMessages(
          'Bad “x” and "y"',
          ' Invalid email\n',
          'Bad "1" and "2"',
          'a 5" pipe',
          'Unknown US/Canadian state/prov ""',
        ),
        withMessages(`Bad "${'z'.repeat(10_000)}"`, `Bad "${'y'.repeat(20_000)}"`, '__proto__'),
      );
      expect(messages).to.deep.equal({
        exact: true,
        uncertainty: 0,
        commonest: [
          { message: 'Unknown US/Canadian state/prov "…"', count: 3 },
          { message: 'Bad "…"', count: 2 },
          { message: 'Bad "…" and "…"', count: 2 },
          { message: 'Invalid email', count: 1 },
          { message: '__proto__', count: 1 },
          { message: 'a 5" pipe', count: 1 },
        ],
      });
    });

    it('are counted exactly up to 20,000 distinct ones, and the twenty commonest named', () => {
      const many = Array.from({ length: 20_000 }, (_, n) => `message ${n}`);
      const more = Array.from({ length: 25 }, (_, n) =>
        Array.from({ length: n }, () => `message ${n}`),
      ).flat();
      const { messages } = ofActivities(withMessages(...many, ...more));
      expect(messages.exact).to.equal(true);
      expect(messages.commonest).to.deep.equal(
        Array.from({ length: 20 }, (_, at) => ({ message: `message ${24 - at}`, count: 25 - at })),
      );
    });

    it('beyond that are too low by no more than is said, in two parts as in one', () => {
      const common = (n: number) => Array.from({ length: 400 }, () => `common ${n}`);
      const rare = (n: number) => Array.from({ length: 12_000 }, (_, at) => `rare ${12_000 * n + at}`);
      const pile = (n: number) =>
        aRecord(
          withMessages(...rare(3 * n), ...common(n), ...rare(3 * n + 1), ...common(1), ...rare(3 * n + 2)),
        );
      const one = statisticsOf([pile(0), pile(1)]);
      const merged = statisticsOf([pile(1)]);
      merged.merge(statisticsOf([pile(0)]));
      for (const { messages } of [one.toJSON(), merged.toJSON()]) {
        expect(messages.exact).to.equal(false);
        const total = 2 * (36_000 + 800);
        expect(messages.uncertainty)
          .to.be.greaterThan(0)
          .and.at.most(total / 10_000);
        const [first, second] = messages.commonest;
        expect(first?.message).to.equal('common 1');
        expect(first?.count).to.be.within(1200 - messages.uncertainty, 1200);
        expect(second?.message).to.equal('common 0');
        expect(second?.count).to.be.within(400 - messages.uncertainty, 400);
      }
      expect(one.state.messages.counts.size).to.be.at.most(20_000);
      expect(merged.state.messages.counts.size).to.be.at.most(20_000);
    });
  });

  describe('queue and run times', () => {
    const length = fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 1e6 }), fc.nat({ max: 2e14 }));

    it('have quantiles within 1 % of the exact ones', () => {
      fc.assert(
        fc.property(fc.array(length, { minLength: 1, maxLength: 300, size: 'max' }), (lengths) => {
          const report = ofActivities(
            ...lengths.map((ms) =>
              anActivity({ id: 'a', runStartTime: new Date(0), runFinishTime: new Date(ms) }),
            ),
          ).runTime;
          const sorted = lengths.toSorted((a, b) => a - b);
          for (const [q, found] of [
            [0.5, report.p50],
            [0.9, report.p90],
            [0.99, report.p99],
          ] as const) {
            const exact = sorted[Math.ceil(q * sorted.length) - 1]!;
            expect(found).to.be.within(exact * 0.99, exact * 1.01);
          }
          expect(report).to.include({ count: lengths.length, min: sorted[0], max: sorted.at(-1) });
          for (const { from, to, count } of report.histogram) {
            expect(count).to.equal(sorted.filter((ms) => ms >= from && ms < (to ?? Infinity)).length);
          }
        }),
      );
    });

    it('leave out and count the times that are missing or run backwards', () => {
      const at = (ms: number) => new Date(ms);
      const report = ofActivities(
        anActivity({ id: 'a', insertTime: at(0), runStartTime: at(1000), runFinishTime: at(1000) }),
        anActivity({ id: 'b', insertTime: at(5), runStartTime: at(4), runFinishTime: at(3) }),
        anActivity({ id: 'c', insertTime: at(5) }),
        anActivity({ id: 'd', runStartTime: at(5) }),
      );
      expect(report.queueTime).to.include({
        count: 1,
        absent: 2,
        negative: 1,
        min: 1000,
        p50: 1000,
        max: 1000,
      });
      expect(report.runTime).to.include({ count: 1, absent: 2, negative: 1, min: 0, p50: 0, p99: 0, max: 0 });
    });
  });

  describe('toJSON', () => {
    const schema = JSON.parse(
      readFileSync(new URL('../../schemas/archive-statistics.schema.json', import.meta.url), 'utf8'),
    ) as Record<string, unknown>;
    const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
    addFormats.default(ajv);
    const validate = ajv.compile(schema);
    const expectValid = (statistics: ArchiveStatistics) => {
      validate(JSON.parse(JSON.stringify(statistics)));
      expect(validate.errors).to.equal(null);
    };

    it('fits its schema, whatever was counted', () => {
      expectValid(statisticsOf([]));
      expectValid(statisticsOf(archiveOf(14, 20)));
      fc.assert(
        fc.property(anyRecords, (records) => expectValid(statisticsOf(records))),
        { numRuns: 40 },
      );
    });

    it('has a schema that says what each property is, and takes no other', () => {
      const undescribed: string[] = [];
      const visit = (node: unknown, path: string) => {
        if (typeof node !== 'object' || node === null) return;
        for (const [key, child] of Object.entries(node as Record<string, unknown>)) {
          if (key === 'properties') {
            for (const [property, { title, description, $ref }] of Object.entries(
              child as Record<string, Record<string, unknown>>,
            )) {
              if ($ref === undefined && (title === undefined || description === undefined))
                undescribed.push(`${path}/${property}`);
            }
          }
          visit(child, `${path}/${key}`);
        }
      };
      visit(schema, '');
      expect(undescribed).to.deep.equal([]);
      expect(validate({ ...statisticsOf([]).toJSON(), more: 1 })).to.equal(false);
      expect(validate({ ...statisticsOf([]).toJSON(), version: 2 })).to.equal(false);
      expect(validate({ ...statisticsOf([]).toJSON(), processed: -1 })).to.equal(false);
    });
  });

  it('keeps no part of the documents that the records came from', function () {
    // A slice of a long string keeps all of it alive: 400 kept slices of 1 MB each would be 400 MB.
    this.timeout(20_000);
    const statistics = new ArchiveStatistics();
    // Long strings made from bytes lie outside the heap.
    const used = () => process.memoryUsage().heapUsed + process.memoryUsage().external;
    const before = used();
    for (let n = 0; n < 400; n++) {
      const document = Buffer.alloc(1 << 20, `message-that-is-number-${n},`).toString('latin1');
      const errors = [{ lineNumber: 2, emailAddress: undefined, message: document.slice(0, 60) }];
      const type = document.slice(100, 150);
      statistics.add(aRecord(anActivity({ id: 'a', errors, type, status: type })));
    }
    expect(statistics.toJSON().errorsListed).to.equal(400);
    expect(used() - before).to.be.lessThan(300 << 20);
  });
});
