import { expect } from 'chai';
import fc from 'fast-check';
import { ACTIVITY_STATUSES, isFinished, type Activity } from '../../src/activity/activity.js';
import { joinActivities, joinStatus, type SentPart } from '../../src/translate/join.js';
import { splitUpload, type SplitUpload } from '../../src/translate/split.js';
import { memorySource } from '../../src/upload/contact-source.js';
import { runs } from '../support/runs.js';

const PENDING: Activity = {
  id: 'a1',
  type: 'ADD_CONTACTS',
  status: 'PENDING',
  errors: [],
  errorCount: 0,
  fileName: 'contacts.csv',
  transactionCount: undefined,
  insertTime: undefined,
  runStartTime: undefined,
  runFinishTime: undefined,
  updated: undefined,
  title: undefined,
  editMedia: undefined,
};

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute));

const part = (split: SplitUpload, index: number) => {
  const found = split.parts[index];
  if (found === undefined) throw new Error(`there is no part ${index}`);
  return found;
};

/** A part that nobody asks for rows. */
const silent: SentPart['part'] = {
  index: 0,
  locate: () => Promise.resolve({ lines: new Map(), addresses: new Map() }),
};

describe('one activity for all parts', () => {
  const TEXT =
    '\nEMAIL ADDRESS,NOTE\nann@example.com,x\n\nBob@example.com,"two\nlines"\ncat@example.com,x\n' +
    'ann@example.com,again\n,no address\nbad address,x\n';
  let split: SplitUpload;
  before(async () => {
    split = await splitUpload(memorySource(Buffer.from(TEXT)), { limits: { rows: 2, bytes: 10_000 } });
  });
  after(() => split.close());

  it('has each error at the line and address of the file that it came from', async () => {
    const errors = (...lines: (number | undefined)[]) =>
      lines.map((lineNumber) => ({ lineNumber, emailAddress: undefined, message: `of ${lineNumber}` }));
    const joined = await joinActivities(
      [
        { part: part(split, 0), activity: { ...PENDING, errors: errors(4, 2, 3, 99) } },
        {
          part: part(split, 1),
          activity: {
            ...PENDING,
            errors: [
              ...errors(3, 1),
              { lineNumber: undefined, emailAddress: 'ANN@example.com', message: 'by address' },
              { lineNumber: undefined, emailAddress: 'nobody@example.com', message: 'unknown' },
              { lineNumber: undefined, emailAddress: undefined, message: 'of nothing' },
            ],
          },
        },
        { part: part(split, 2), activity: { ...PENDING, errors: errors(2) } },
      ],
      { headingLine: split.headingLine },
    );
    expect(
      joined.errors.map((one) => [one.part, one.partLine, one.lineNumber, one.emailAddress]),
    ).to.deep.equal([
      [0, 4, 7, 'cat@example.com'],
      [0, 2, 5, 'Bob@example.com'],
      [0, 3, 5, 'Bob@example.com'],
      [0, 99, undefined, undefined],
      [1, 3, 9, undefined],
      [1, 1, 2, undefined],
      [1, undefined, 8, 'ann@example.com'],
      [1, undefined, undefined, 'nobody@example.com'],
      [1, undefined, undefined, undefined],
      [2, 2, 10, 'bad address'],
    ]);
    expect(joined.errors[0]?.message).to.equal('of 4');
  });

  it('finds every row again that the service may name', async () => {
    const address = fc.integer({ min: 0, max: 8 }).map((n) => `u${n}@example.com`);
    const note = fc.constantFrom('x', '"two\nlines"', '"three\r\nlines\rhere"', '');
    const end = fc.constantFrom('\n', '\r\n', '\n\n');
    const rows = fc.array(fc.tuple(address, note, end), { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 5 }), async (list, most) => {
        // Where rows are, counted on the text itself.
        let line = 2;
        const places = list.map(([mail, text, ending]) => {
          const own = { line, mail };
          line += (`${text}${ending}`.match(/\r\n|\r|\n/g) ?? []).length;
          return own;
        });
        const last = new Map(places.map((place) => [place.mail, place]));
        const text = `EMAIL,NOTE\n${list.map(([mail, cell, ending]) => `${mail},${cell}${ending}`).join('')}`;
        const whole = await splitUpload(memorySource(Buffer.from(text)), {
          limits: { rows: most, bytes: 9999 },
        });
        const sent = await Promise.all(
          whole.parts.map(async (one): Promise<SentPart> => {
            const errors = [];
            for await (const { line: lineNumber } of one.lines()) {
              errors.push({ lineNumber, emailAddress: undefined, message: 'Invalid' });
            }
            return { part: one, activity: { ...PENDING, errors, errorCount: errors.length } };
          }),
        );
        const joined = await joinActivities(sent);
        const expected = places.filter((place) => last.get(place.mail) === place);
        expect(joined.errors.map((one) => ({ line: one.lineNumber, mail: one.emailAddress }))).to.deep.equal(
          expected,
        );
        expect(joined.errorCount).to.equal(expected.length);
        await whole.close();
      }),
      { numRuns: runs(100) },
    );
  });

  it('has the sums of the counts, and the times from first to last', async () => {
    const done = (id: string, minute: number, status = 'COMPLETE'): SentPart => ({
      part: silent,
      activity: {
        ...PENDING,
        id,
        status,
        errorCount: minute,
        transactionCount: 100 * minute,
        insertTime: at(minute),
        runStartTime: at(minute + 1),
        runFinishTime: at(minute + 2),
        updated: at(minute + 3),
        title: `part ${id}`,
      },
    });
    expect(await joinActivities([done('a2', 5), done('a1', 3), done('a3', 4)])).to.deep.equal({
      ...PENDING,
      id: 'a2',
      status: 'COMPLETE',
      errorCount: 12,
      transactionCount: 1200,
      insertTime: at(3),
      runStartTime: at(4),
      runFinishTime: at(7),
      updated: at(8),
      title: 'part a2',
      partIds: ['a2', 'a1', 'a3'],
    });
    const unsent = await joinActivities([done('a1', 1), { part: silent, activity: undefined }], {
      id: 'whole',
    });
    expect(unsent).to.include({
      id: 'whole',
      status: 'RUNNING',
      transactionCount: 100,
      runFinishTime: undefined,
    });
    expect(await joinActivities([])).to.include({
      id: '',
      status: 'PENDING',
      transactionCount: undefined,
      errorCount: 0,
    });
  });

  it('has a status that its parts lead to, in whatever order they are', () => {
    const cases: [string[], string][] = [
      [[], 'PENDING'],
      [['PENDING', 'UNCONFIRMED'], 'UNCONFIRMED'],
      [['QUEUED', 'PENDING'], 'PENDING'],
      [['QUEUED'], 'QUEUED'],
      [['COMPLETE', 'PENDING'], 'RUNNING'],
      [['ERROR', 'RUNNING'], 'RUNNING'],
      [['COMPLETE', 'ERROR'], 'ERROR'],
      [['COMPLETE', 'CANCELLED'], 'ERROR'],
      [['COMPLETE', 'PAUSED'], 'RUNNING'],
      [['COMPLETE', 'COMPLETE'], 'COMPLETE'],
    ];
    for (const [statuses, expected] of cases)
      expect(joinStatus(statuses), statuses.join()).to.equal(expected);
    const status = fc.constantFrom(...ACTIVITY_STATUSES, 'CANCELLED', 'PAUSED');
    fc.assert(
      fc.property(fc.array(status, { minLength: 1 }), (statuses) => {
        const joined = joinStatus(statuses);
        expect(joinStatus([...statuses].reverse())).to.equal(joined);
        expect(isFinished({ status: joined })).to.equal(statuses.every((one) => isFinished({ status: one })));
        expect(joined === 'COMPLETE').to.equal(statuses.every((one) => one === 'COMPLETE'));
      }),
    );
  });
});
