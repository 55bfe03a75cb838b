import { expect } from 'chai';
import fc from 'fast-check';
import { UsageError } from '../../src/activity/errors.js';
import {
  ADD_TYPES,
  CONTACT_ID,
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

  it('erases what blanks stand for only where it is asked for', () => {
    for (const activityType of ADD_TYPES) {
      const add = { activityType, contacts, lists: [1] };
      expect(checkRequest({ ...add, blanksEnabled: true })).to.have.property('blanksEnabled', true);
      for (const blanksEnabled of [false, undefined]) {
        expect(checkRequest({ ...add, blanksEnabled })).to.deep.equal({ ...add, lists: ['1'] });
      }
    }
  });

  it('takes each field of an export, v2’s id of a contact among the columns', () => {
    const all = {
      activityType: 'EXPORT_CONTACTS',
      listId: 'active',
      fileType: 'TXT',
      exportOptDate: true,
      exportOptSource: true,
      exportListName: true,
      sortBy: 'DATE_DESC',
      columns: ['FIRST NAME', CONTACT_ID],
    } as const;
    expect(checkRequest(all)).to.deep.equal(all);
    expect(checkColumns(['contactId', 'Contact_ID'])).to.deep.equal([CONTACT_ID]);
    expect(usageError(() => checkColumns(['Birthday Day'])).code).to.equal('COLUMN_UNKNOWN');
    // Counted together, so that one in `lists` will do.
    expect(checkRequest({ activityType: 'EXPORT_CONTACTS', listId: 5, lists: null } as never)).to.include({
      listId: '5',
    });
    expect(checkRequest({ activityType: 'EXPORT_CONTACTS', lists: ['5'] } as never)).to.include({
      listId: '5',
    });
  });

  const refused: readonly [what: string, request: unknown, code: string, says: RegExp][] = [
    ['no activityType', {}, 'ACTIVITY_TYPE_INVALID', /activityType: undefined/],
    ['nothing', undefined, 'OPTION_INVALID', /^request: must be an object .* got undefined/],
    ['null', null, 'OPTION_INVALID', /^request: must be an object .* got null/],
    ['a text', 'SV_ADD', 'OPTION_INVALID', /^request: must be an object .* got "SV_ADD"/],
    [
      'an activityType that has no text',
      { activityType: Object.create(null) as unknown },
      'ACTIVITY_TYPE_INVALID',
      /activityType: an object/,
    ],
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
      'columns that are one text',
      { activityType: 'EXPORT_CONTACTS', listId: 1, columns: 'FIRST NAME' },
      'OPTION_INVALID',
      /^columns: must be an array of column names such as \['FIRST NAME'\], got "FIRST NAME"/,
    ],
    [
      'a column that is no text',
      { activityType: 'EXPORT_CONTACTS', listId: 1, columns: [5] },
      'COLUMN_UNKNOWN',
      /^columns: 5 is not a column/,
    ],
    [
      'lists that are one text',
      { activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: '2' },
      'OPTION_INVALID',
      /^lists: must be an array of lists such as \['2', '5'\], got "2"/,
    ],
    [
      'lists that are null',
      { activityType: 'SV_ADD', contacts, lists: null },
      'LIST_REQUIRED',
      /at least one/,
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

  for (const [field, type] of [
    ['blanksEnabled', 'SV_ADD'],
    ['exportOptSource', 'EXPORT_CONTACTS'],
    ['exportListName', 'EXPORT_CONTACTS'],
  ] as const) {
    it(`refuses a ${field} that is not true or false`, () => {
      const request = type === 'SV_ADD' ? { contacts, lists: [1] } : { listId: 1 };
      const error = usageError(() => checkRequest({ activityType: type, ...request, [field]: 1 } as never));
      expect([error.code, error.message]).to.deep.equal([
        'OPTION_INVALID',
        `${field}: must be true or false, got 1`,
      ]);
    });
  }

  it('tells which activity types there are, and which was meant', () => {
    for (const type of ['SV_REMOVE', 'REMOVE_CONTACTS']) {
      expect(usageError(() => checkRequest({ activityType: type } as never)).message).to.equal(
        `activityType: "${type}" does not exist; did you mean REMOVE_CONTACTS_FROM_LISTS?`,
      );
    }
    expect(usageError(() => checkRequest({ activityType: 'SV_NOPE' } as never)).message).to.equal(
      'activityType: "SV_NOPE" does not exist; it must be one of ADD_CONTACTS, SV_ADD, ADD_CONTACT_DETAIL, ' +
        'REMOVE_CONTACTS_FROM_LISTS, CLEAR_CONTACTS_FROM_LISTS, EXPORT_CONTACTS',
    );
  });

  it('refuses fields that nobody would read, and tells which may be meant', () => {
    const exported = { activityType: 'EXPORT_CONTACTS', listId: 1 };
    for (const [request, field, meant] of [
      [exported, 'sortby', 'did you mean sortBy?'],
      [exported, 'sort_by', 'did you mean sortBy?'],
      [exported, 'colums', 'did you mean columns?'],
      [exported, 'exportDate', 'did you mean exportOptDate?'],
      [exported, 'contacts', 'there are activityType, listId, fileType'],
      [{ activityType: 'SV_ADD', contacts, lists: [1] }, 'listId', 'did you mean lists?'],
      [{ activityType: 'REMOVE_CONTACTS_FROM_LISTS', contacts, lists: [1] }, 'list', 'did you mean lists?'],
      [
        { activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: [1] },
        'contacts',
        'there are activityType, lists',
      ],
    ] as const) {
      const error = usageError(() => checkRequest({ ...request, [field]: 'x' } as ActivityRequest));
      expect(error.code).to.equal('OPTION_INVALID');
      expect(error.message).to.contain(`${request.activityType}: "${field}" is not a field of it; ${meant}`);
      expect(checkRequest({ ...request, [field]: undefined } as ActivityRequest)).to.include({
        activityType: request.activityType,
      });
    }
    const long = usageError(() => checkRequest({ ...exported, ['x'.repeat(10_000)]: 1 } as ActivityRequest));
    expect(long.message.length).to.be.lessThan(500);
  });

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
    for (const heading of [['Name', 'Phone'], ['Name'], []]) {
      const { message } = usageError(() => checkHeading(heading));
      expect(message).not.to.include('semicolon');
      expect(message).to.match(/; the first line must name the columns$/);
    }
  });

  it('names the semicolons of a European Excel, and the remedy', () => {
    for (const heading of [
      ['Email Address;First Name;Last Name'],
      ['E-Mail;Vorname'],
      ['Email Address";"First Name'],
      ['Name, first;Email', 'City;State'],
    ]) {
      const error = usageError(() => checkHeading(heading));
      expect(error.code).to.equal('ADDRESS_COLUMN_REQUIRED');
      expect(error.message).to.match(
        /separated by semicolons.*save the file with commas, or as tab-separated/,
      );
    }
    expect(checkHeading(['Email Address', 'City;State']).map(({ code }) => code)).to.deep.equal([
      'COLUMN_UNKNOWN',
    ]);
  });

  it('warns of columns that only the successors of the API document', () => {
    for (const name of ['Birthday Month', 'BIRTHDAY_DAY', 'Anniversary']) {
      expect(checkHeading(['Email Address', name])).to.deep.equal([
        {
          code: 'COLUMN_UNKNOWN',
          message: `heading: "${name}" is not a column that the ws API documents; it is sent as it is`,
        },
      ]);
    }
  });

  it('warns of columns the API does not document, and passes over blank ones', () => {
    const warnings = checkHeading(['Email Address', 'Email Type', 'Frist Name', '', ' ']);
    expect(warnings.map(({ code }) => code)).to.deep.equal(['COLUMN_UNKNOWN', 'COLUMN_UNKNOWN']);
    expect(warnings[1]?.message).to.include('did you mean FIRST NAME');
  });
});

describe('isFinished', () => {
  it('is true of COMPLETE and ERROR, of v2’s CANCELLED, and of nothing else', () => {
    const finished = [
      'COMPLETE',
      'ERROR',
      'CANCELLED',
      'UNCONFIRMED',
      'PENDING',
      'QUEUED',
      'RUNNING',
      'ODD',
      undefined,
    ].filter((status) => isFinished({ status }));
    expect(finished).to.deep.equal(['COMPLETE', 'ERROR', 'CANCELLED']);
  });
});
