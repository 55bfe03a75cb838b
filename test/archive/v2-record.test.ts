import { expect } from 'chai';
import fc from 'fast-check';
import { ACTIVITY_STATUSES, type Activity } from '../../src/activity/activity.js';
import { v2Record, V2_LOSSES, type V2Activity, type V2Loss } from '../../src/archive/v2-record.js';
import { activity } from '../support/arbitraries.js';
import { anActivity } from '../support/stub-service.js';

const V2_TYPES = [
  'ADD_CONTACTS',
  'REMOVE_CONTACTS_FROM_LISTS',
  'CLEAR_CONTACTS_FROM_LISTS',
  'EXPORT_CONTACTS',
];

/** The way back, as far as v2 has what it takes. */
function fromV2(record: V2Activity): Partial<Activity> {
  const date = (text: string | undefined) => (text === undefined ? undefined : new Date(text));
  return anActivity({
    id: record.id,
    type: record.type,
    status: record.status,
    errorCount: record.error_count,
    transactionCount: record.contact_count,
    insertTime: date(record.created_date),
    runStartTime: date(record.start_date),
    runFinishTime: date(record.finish_date),
    fileName: record.file_name,
    errors: record.errors.map((error) => ({
      lineNumber: error.line_number,
      emailAddress: error.email_address,
      message: error.message,
    })),
  });
}

describe('an activity in the shape of v2', () => {
  it('tells the same, where nothing is said to be lost', () => {
    const lossless = activity.map((one) => ({
      ...one,
      ...(one.type !== undefined && { type: V2_TYPES[one.errorCount % V2_TYPES.length] }),
      ...(one.status !== undefined && {
        status: ACTIVITY_STATUSES[one.errorCount % ACTIVITY_STATUSES.length],
      }),
      updated: undefined,
      title: undefined,
      editMedia: undefined,
      errors: one.errors.map(({ message }, n) => ({
        lineNumber: n,
        emailAddress: 'ann@example.com',
        message,
      })),
    }));
    fc.assert(
      fc.property(lossless, (one) => {
        const { record, losses } = v2Record(one);
        expect(losses).to.deep.equal([]);
        expect(fromV2(record)).to.deep.equal(one);
      }),
    );
  });

  it('tells the same but for what is said to be lost', () => {
    /** The fields that a loss is about. */
    const about: Readonly<Record<V2Loss, readonly (keyof Activity)[]>> = {
      detailType: ['type'],
      unknownType: [],
      unknownStatus: [],
      updated: ['updated'],
      title: ['title'],
      editMedia: ['editMedia'],
      missingLine: ['errors'],
      missingAddress: ['errors'],
    };
    fc.assert(
      fc.property(activity, (one) => {
        const { record, losses } = v2Record(one);
        const lost = losses.flatMap((loss) => about[loss]);
        const back = fromV2(record);
        for (const [name, value] of Object.entries(one)) {
          // The file and the link to it are one place in v2, and an empty title is none.
          if (['fileName', 'editMedia', 'title', ...lost].includes(name)) continue;
          expect(back[name as keyof Activity], name).to.deep.equal(value);
        }
      }),
    );
  });

  it('has the types of v2, or one that is told to be none of them', () => {
    fc.assert(
      fc.property(activity, (one) => {
        const { record, losses } = v2Record(one);
        const known = record.type === undefined || V2_TYPES.includes(record.type);
        expect(losses.includes('unknownType')).to.equal(!known);
        if (!known) expect(record.type).to.equal(one.type);
      }),
    );
  });

  it('leaves out what is not told', () => {
    expect(v2Record(anActivity({ id: 'a' }))).to.deep.equal({
      record: { id: 'a', error_count: 0, errors: [], warnings: [] },
      losses: [],
    });
  });

  it('is the documented record of v2', () => {
    const { record } = v2Record(
      anActivity({
        id: 'a07e1il97e1hddalkpk',
        type: 'ADD_CONTACT_DETAIL',
        status: 'COMPLETE',
        fileName: 'contacts.csv',
        transactionCount: 3,
        insertTime: new Date('2015-02-11T12:03:34.000Z'),
        errors: [
          { lineNumber: undefined, emailAddress: undefined, message: 'ann@example.com (not in the list)' },
        ],
        errorCount: 1,
      }),
    );
    expect(record).to.deep.equal({
      id: 'a07e1il97e1hddalkpk',
      type: 'ADD_CONTACTS',
      status: 'COMPLETE',
      created_date: '2015-02-11T12:03:34.000Z',
      file_name: 'contacts.csv',
      error_count: 1,
      contact_count: 3,
      errors: [{ message: 'ann@example.com (not in the list)', line_number: 0, email_address: '' }],
      warnings: [],
    });
  });

  it('says each loss, and only when there is one', () => {
    const uri = 'http://api.example.com/a07e.csv';
    const cases: readonly (readonly [Partial<Activity>, readonly V2Loss[]])[] = [
      [{ type: 'ADD_CONTACTS', status: 'ERROR', title: '' }, []],
      [{ type: 'SV_ADD' }, ['detailType']],
      [{ type: 'ADD_CONTACT_DETAIL' }, ['detailType']],
      [{ type: 'constructor' }, ['unknownType']],
      [{ status: 'CANCELLED' }, ['unknownStatus']],
      [{ updated: new Date(0) }, ['updated']],
      [{ title: 'Spring' }, ['title']],
      [{ editMedia: uri }, []],
      [{ editMedia: uri, fileName: uri }, []],
      [{ editMedia: uri, fileName: 'other.csv' }, ['editMedia']],
      [{ errors: [{ lineNumber: undefined, emailAddress: 'a', message: '' }] }, ['missingLine']],
      [{ errors: [{ lineNumber: 2, emailAddress: undefined, message: '' }] }, ['missingAddress']],
    ];
    for (const [facts, losses] of cases) {
      expect(v2Record(anActivity({ id: 'a', ...facts })).losses).to.deep.equal(losses);
    }
    expect(new Set(cases.flatMap(([, losses]) => losses))).to.deep.equal(new Set(Object.keys(V2_LOSSES)));
    expect(v2Record(anActivity({ id: 'a', editMedia: uri, fileName: '' })).record.file_name).to.equal(uri);
  });
});
