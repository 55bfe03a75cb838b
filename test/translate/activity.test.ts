import { expect } from 'chai';
import fc from 'fast-check';
import { ACTIVITY_STATUSES, type Activity } from '../../src/activity/activity.js';
import { translateActivity, type V2Activity } from '../../src/translate/activity.js';
import type { LossCode } from '../../src/translate/loss.js';
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

function v2Record(one: Activity) {
  const { counterpart, losses } = translateActivity(one, { to: 'v2' });
  return { record: counterpart, losses: losses.map(({ code }) => code) };
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
    const about: Readonly<Partial<Record<LossCode, readonly (keyof Activity)[]>>> = {
      TYPE_MERGED: ['type'],
      UPDATED_DROPPED: ['updated'],
      TITLE_DROPPED: ['title'],
      EDIT_MEDIA_DROPPED: ['editMedia'],
      ERROR_PLACE_BLANK: ['errors'],
    };
    fc.assert(
      fc.property(activity, (one) => {
        const { record, losses } = v2Record(one);
        const lost = losses.flatMap((loss) => about[loss] ?? []);
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
        expect(losses.includes('TYPE_UNKNOWN')).to.equal(!known);
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
    const cases: readonly (readonly [Partial<Activity>, readonly LossCode[]])[] = [
      [{ type: 'ADD_CONTACTS', status: 'ERROR', title: '' }, []],
      [{ type: 'SV_ADD' }, ['TYPE_MERGED']],
      [{ type: 'ADD_CONTACT_DETAIL' }, ['TYPE_MERGED']],
      [{ type: 'constructor' }, ['TYPE_UNKNOWN']],
      [{ status: 'CANCELLED' }, []],
      [{ status: 'PAUSED' }, ['STATUS_UNKNOWN']],
      [{ updated: new Date(0) }, ['UPDATED_DROPPED']],
      [{ title: 'Spring' }, ['TITLE_DROPPED']],
      [{ editMedia: uri }, []],
      [{ editMedia: uri, fileName: uri }, []],
      [{ editMedia: uri, fileName: 'other.csv' }, ['EDIT_MEDIA_DROPPED']],
      [{ errors: [{ lineNumber: undefined, emailAddress: 'a', message: '' }] }, ['ERROR_PLACE_BLANK']],
      [{ errors: [{ lineNumber: 2, emailAddress: undefined, message: '' }] }, ['ERROR_PLACE_BLANK']],
    ];
    for (const [facts, losses] of cases) {
      expect(v2Record(anActivity({ id: 'a', ...facts })).losses).to.deep.equal(losses);
    }
    expect(v2Record(anActivity({ id: 'a', editMedia: uri, fileName: '' })).record.file_name).to.equal(uri);
  });
});

describe('an activity of v2, as ws tells it', () => {
  const fromV2 = (facts: Partial<Activity>) => {
    const { counterpart, losses } = translateActivity(anActivity({ id: 'a', ...facts }), { from: 'v2' });
    return { activity: counterpart, losses: losses.map(({ code }) => code) };
  };

  it('says each loss, and only when there is one', () => {
    const message = 'Invalid birthday';
    expect(fromV2({ type: 'EXPORT_CONTACTS', status: 'COMPLETE' }).losses).to.deep.equal([]);
    expect(fromV2({ status: 'CANCELLED' })).to.deep.include({ losses: ['STATUS_MERGED'] });
    expect(fromV2({ status: 'CANCELLED' }).activity.status).to.equal('ERROR');
    expect(fromV2({ status: 'PAUSED' }).losses).to.deep.equal(['STATUS_UNKNOWN']);
    expect(fromV2({ type: 'MERGE' }).losses).to.deep.equal(['TYPE_UNKNOWN']);
    const errors = [{ lineNumber: 2, emailAddress: undefined, message }];
    expect(fromV2({ errors, errorCount: 1 }).losses).to.deep.equal(['ERROR_ADDRESS_UNKNOWN']);
    expect(fromV2({ errorCount: 3 }).losses).to.deep.equal(['ERRORS_UNLISTED']);
  });

  it('has the latest of its times as updated, and the link of a file', () => {
    const url = 'https://api.example.com/v2/activities/exportfiles/a.csv';
    const [insertTime, runFinishTime] = [new Date(1000), new Date(5000)];
    const { activity } = fromV2({ type: 'EXPORT_CONTACTS', fileName: url, insertTime, runFinishTime });
    expect(activity).to.deep.include({ updated: runFinishTime, editMedia: url, title: '' });
    expect(fromV2({ type: 'ADD_CONTACTS', fileName: 'up.csv' }).activity.editMedia).to.equal(undefined);
    expect(fromV2({}).activity.updated).to.equal(undefined);
  });
});
