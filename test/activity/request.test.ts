import { expect } from 'chai';
import fc from 'fast-check';
import { UsageError } from '../../src/activity/errors.js';
import {
  checkColumns,
  checkHeading,
  checkRequest,
  type ActivityRequest,
} from '../../src/activity/request.js';
import { isFinished } from '../../src/activity/activity.js';
import { checkedRequest } from '../support/arbitraries.js';

const contacts = { text: 'Email Address\nann@example.com\n' };

function usageError(run: () => unknown): UsageError {
  try {
    run();
  } catch (error) {
    expect(error).to.be.instanceOf(UsageError);
    return error as UsageError;
  }
  throw new Error('expected a UsageError');
}

describe('checkRequest', () => {
  it('leaves a checked request as it is', () => {
    fc.assert(
      fc.property(checkedRequest, (request) => {
        expect(checkRequest(request)).to.deep.equal(request);
      }),
    );
  });

  it('fills in the defaults of an export', () => {
    expect(checkRequest({ activityType: 'EXPORT_CONTACTS', listId: 'https://x/lists/2' })).to.deep.equal({
      activityType: 'EXPORT_CONTACTS',
      listId: '2',
      fileType: 'CSV',
      exportOptDate: false,
      exportOptSource: false,
      exportListName: false,
      sortBy: 'EMAIL_ADDRESS',
      columns: [],
    });
  });

  it('names each list and each column once', () => {
    const clear = checkRequest({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: [2, '2', '/lists/2', 5] });
    expect(clear).to.deep.equal({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['2', '5'] });
    expect(checkColumns(['First Name', 'firstName', 'EMAIL'])).to.deep.equal(['FIRST NAME', 'EMAIL ADDRESS']);
  });

  const refused: readonly [what: string, request: unknown, code: string, says: RegExp][] = [
    ['no activityType', {}, 'ACTIVITY_TYPE_INVALID', /activityType: undefined/],
    [
      'an unknown activityType',
      { activityType: 'SV_NOPE' },
      'ACTIVITY_TYPE_INVALID',
      /"SV_NOPE".*EXPORT_CONTACTS/,
    ],
    [
      'SV_REMOVE',
      { activityType: 'SV_REMOVE' },
      'ACTIVITY_TYPE_INVALID',
      /did you mean REMOVE_CONTACTS_FROM_LISTS/,
    ],
    ['an add without contacts', { activityType: 'SV_ADD', lists: [1] }, 'CONTACTS_REQUIRED', /\{ file \}/],
    [
      'contacts that are null',
      { activityType: 'SV_ADD', contacts: null, lists: [1] },
      'CONTACTS_REQUIRED',
      /nothing/,
    ],
    [
      'contacts given twice',
      { activityType: 'SV_ADD', contacts: { text: 'a', file: 'b' }, lists: [1] },
      'CONTACTS_REQUIRED',
      /one of text, file/,
    ],
    ['an add without lists', { activityType: 'SV_ADD', contacts }, 'LIST_REQUIRED', /lists: SV_ADD needs/],
    [
      'a removal with an empty list of lists',
      { activityType: 'REMOVE_CONTACTS_FROM_LISTS', contacts, lists: [] },
      'LIST_REQUIRED',
      /at least one/,
    ],
    [
      'a clear of system lists',
      { activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: [1, 'removed', 'Active'] },
      'LIST_NOT_CLEARABLE',
      /removed, active/,
    ],
    ['an export of no list', { activityType: 'EXPORT_CONTACTS' }, 'LIST_COUNT_INVALID', /got 0/],
    [
      'an export of two lists',
      { activityType: 'EXPORT_CONTACTS', listId: [1, 2] },
      'LIST_COUNT_INVALID',
      /got 2/,
    ],
    [
      'an export of a list and lists',
      { activityType: 'EXPORT_CONTACTS', listId: 1, lists: [2] },
      'LIST_COUNT_INVALID',
      /one export per list/,
    ],
    [
      'an unknown column',
      { activityType: 'EXPORT_CONTACTS', listId: 1, columns: ['Frist Name'] },
      'COLUMN_UNKNOWN',
      /"Frist Name".*did you mean FIRST NAME\?/,
    ],
    [
      'an unknown fileType',
      { activityType: 'EXPORT_CONTACTS', listId: 1, fileType: 'XLS' },
      'OPTION_INVALID',
      /fileType: must be CSV or TXT, got "XLS"/,
    ],
    [
      'an unknown sortBy',
      { activityType: 'EXPORT_CONTACTS', listId: 1, sortBy: 'NAME' },
      'OPTION_INVALID',
      /sortBy: must be EMAIL_ADDRESS or DATE_DESC/,
    ],
    [
      'an option that is not true or false',
      { activityType: 'EXPORT_CONTACTS', listId: 1, exportOptDate: 'yes' },
      'OPTION_INVALID',
      /exportOptDate: must be true or false, got "yes"/,
    ],
  ];
  for (const [what, request, code, says] of refused) {
    it(`refuses ${what}`, () => {
      const error = usageError(() => checkRequest(request as ActivityRequest));
      expect(error.code).to.equal(code);
      expect(error.message).to.match(says);
    });
  }

  it('bounds what it repeats of the input', () => {
    const error = usageError(() => checkRequest({ activityType: 'x'.repeat(10_000) } as never));
    expect(error.message.length).to.be.lessThan(500);
  });
});

describe('checkHeading', () => {
  it('wants a column for the address, in any spelling', () => {
    for (const name of ['Email Address', 'EMAIL', 'email_address', ' e-mail ']) {
      expect(checkHeading(['First Name', name])).to.deep.equal([]);
    }
    const error = usageError(() => checkHeading(['Name', 'Phone']));
    expect(error.code).to.equal('ADDRESS_COLUMN_REQUIRED');
    expect(error.message).to.include('line 1').and.to.include('Name, Phone');
  });

  it('warns of columns the API does not document, and passes over blank ones', () => {
    const warnings = checkHeading(['Email Address', 'Email Type', 'Frist Name', '', ' ']);
    expect(warnings.map(({ code }) => code)).to.deep.equal(['COLUMN_UNKNOWN', 'COLUMN_UNKNOWN']);
    expect(warnings[1]?.message).to.include('did you mean FIRST NAME');
  });
});

describe('isFinished', () => {
  it('is true of COMPLETE and ERROR, and of nothing else', () => {
    const finished = [
      'COMPLETE',
      'ERROR',
      'UNCONFIRMED',
      'PENDING',
      'QUEUED',
      'RUNNING',
      'ODD',
      undefined,
    ].filter((status) => isFinished({ status }));
    expect(finished).to.deep.equal(['COMPLETE', 'ERROR']);
  });
});
