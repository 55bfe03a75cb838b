import { expect } from 'chai';
import fc from 'fast-check';
import type { Activity } from '../../src/activity/activity.js';
import { DecodeError } from '../../src/activity/errors.js';
import {
  decodeLists,
  decodeRecord,
  decodeRecords,
  encodeCreated,
  encodeList,
  encodeRecord,
  encodeSummary,
  ERROR_FORMS,
  type Decoded,
} from '../../src/v2/records.js';
import { V2_TYPES, v2Type } from '../../src/v2/names.js';
import { activity, contactList } from '../support/arbitraries.js';
import { fixtures, plain } from '../support/fixtures.js';
import { complaints } from './schemas.js';

interface Expected {
  readonly kind: 'activity' | 'created' | 'activities' | 'lists';
  readonly schema: boolean;
  readonly records?: readonly unknown[];
  readonly problems?: readonly string[];
  readonly warnings?: readonly string[];
  readonly newestFirst?: readonly string[];
  readonly error?: string;
}

function decode(kind: Expected['kind'], bytes: Uint8Array): readonly Decoded<unknown>[] {
  switch (kind) {
    case 'activities':
      return decodeRecords(bytes, { source: '/v2/activities' });
    case 'lists':
      return decodeLists(bytes, { source: '/v2/lists' });
    default:
      return [decodeRecord(bytes, { source: '/v2/activities/x' })];
  }
}

const asJson = (value: unknown) => Buffer.from(JSON.stringify(value));

describe('v2 records', () => {
  describe('as they were seen', () => {
    for (const fixture of fixtures('v2/records')) {
      it(fixture.name, () => {
        const expected = fixture.json('expected.json') as Expected;
        const bytes = fixture.bytes('document.json');
        if (expected.error !== undefined) {
          let error: unknown;
          try {
            decode(expected.kind, bytes);
          } catch (caught) {
            error = caught;
          }
          expect(error).to.be.instanceOf(DecodeError);
          expect((error as DecodeError).code).to.equal('DOCUMENT_UNEXPECTED');
          expect((error as Error).message)
            .to.match(/^\/v2\//)
            .and.to.include(expected.error);
          return;
        }
        const decoded = decode(expected.kind, bytes);
        expect(plain(decoded.map(({ record }) => record))).to.deep.equal(expected.records);
        expect(decoded.flatMap(({ problems }) => problems)).to.deep.equal(expected.problems);
        expect(decoded.flatMap(({ warnings }) => warnings)).to.deep.equal(expected.warnings);
        const complaint = complaints(expected.kind, JSON.parse(bytes.toString()));
        expect(complaint === '', complaint).to.equal(expected.schema);
      });
    }
  });

  describe('laws', () => {
    /** What a record of v2 holds of an activity, with errors in that form. */
    const told = (given: Activity, form: (typeof ERROR_FORMS)[number]): Activity => ({
      ...given,
      type: given.type === undefined ? undefined : v2Type(given.type),
      fileName: given.fileName === '' ? undefined : given.fileName,
      errors: (form === 'none' ? [] : given.errors).map(({ lineNumber, emailAddress, message }) => ({
        lineNumber: lineNumber === 0 ? undefined : lineNumber,
        emailAddress: form === 'strings' || emailAddress === '' ? undefined : emailAddress,
        message,
      })),
      updated: undefined,
      title: undefined,
      editMedia: undefined,
    });
    /** As a message, a text that looks like a line would be read as one; line 0 is none. */
    const speakable = activity.filter(({ errors }) =>
      errors.every(({ message, lineNumber }) => !/^Line \d/.test(message) && (lineNumber ?? 1) > 0),
    );

    for (const form of ERROR_FORMS) {
      it(`decodeRecord(encodeRecord(activity)) is what v2 can tell of it, errors as ${form}`, () => {
        fc.assert(
          fc.property(speakable, (given) => {
            const record = encodeRecord(given, form);
            expect(complaints('activity', record)).to.equal('');
            const decoded = decodeRecord(asJson(record));
            expect(decoded.record).to.deep.equal(told(given, form));
            expect([decoded.problems, decoded.warnings]).to.deep.equal([[], []]);
            // Once more is no more loss.
            expect(encodeRecord(decoded.record, form)).to.deep.equal(record);
          }),
        );
      });
    }

    it('lists tell no errors, and of exports no file', () => {
      fc.assert(
        fc.property(fc.array(speakable, { maxLength: 5 }), (given) => {
          const records = given.map(encodeSummary);
          const decoded = decodeRecords(asJson(records)).map(({ record }) => record);
          expect(decoded).to.deep.equal(
            given.map((one) => ({
              ...told(one, 'none'),
              fileName: one.type === 'EXPORT_CONTACTS' ? undefined : told(one, 'none').fileName,
            })),
          );
          if (given.every(({ type, status }) => type !== undefined && status !== undefined)) {
            expect(complaints('activities', records)).to.equal('');
          }
        }),
      );
    });

    it('a creation tells id, type and counts', () => {
      fc.assert(
        fc.property(activity, fc.nat(), fc.constantFrom(...Object.values(V2_TYPES)), (given, count, type) => {
          const record = encodeCreated({ ...given, type }, count);
          expect(complaints('created', record)).to.equal('');
          const decoded = decodeRecord(asJson(record)).record;
          expect(decoded).to.deep.include({
            id: given.id,
            type,
            errorCount: given.errorCount,
            transactionCount: given.transactionCount ?? count,
            status: undefined,
          });
        }),
      );
    });

    it('decodeLists(encodeList(list)) is what v2 can tell of it', () => {
      fc.assert(
        fc.property(contactList, (given) => {
          const record = encodeList(given);
          if (given.updated === undefined || given.updated.getUTCFullYear() > 0) {
            expect(complaints('lists', [record])).to.equal('');
          }
          const [decoded] = decodeLists(asJson([record]));
          expect(decoded?.record).to.deep.equal({
            ...given,
            shortName: undefined,
            optInDefault: undefined,
            sortOrder: undefined,
            displayOnSignup: given.displayOnSignup ?? true,
          });
        }),
      );
    });

    it('no JSON makes the readers throw anything else than a DecodeError, and every problem names its field', () => {
      fc.assert(
        fc.property(fc.json(), (text) => {
          try {
            for (const { problems } of [decodeRecord(Buffer.from(text))]) {
              for (const problem of problems) expect(problem).to.match(/^\w+(\[\d+\])?: /);
            }
          } catch (error) {
            expect(error).to.be.instanceOf(DecodeError);
          }
        }),
      );
    });
  });

  it('a record lists a hundred errors at most, and counts all', () => {
    const errors = Array.from({ length: 250 }, (_, n) => ({
      lineNumber: n + 2,
      emailAddress: 'x',
      message: 'Invalid email',
    }));
    const [given] = fc.sample(activity, 1);
    const record = encodeRecord({ ...given!, errors, errorCount: 250 });
    expect(record.errors).to.have.length(100);
    expect(record.errors?.[99]).to.equal('Line 101: Invalid email');
    expect(record.error_count).to.equal(250);
  });
});
