import fc from 'fast-check';
import {
  ACTIVITY_STATUSES,
  ACTIVITY_TYPES,
  type Activity,
  type ActivityError,
} from '../../src/activity/activity.js';
import { COLUMNS, EMAIL_ADDRESS, type ColumnName } from '../../src/activity/columns.js';
import { CONTACT_STATUSES, OPT_IN_SOURCES, type DirectoryContact } from '../../src/activity/directory.js';
import { isSystemList, SYSTEM_LISTS, type ContactList } from '../../src/activity/list.js';
import { ADD_TYPES, FILE_TYPES, SORT_ORDERS, type CheckedRequest } from '../../src/activity/request.js';

/** Text that XML can hold, without white space at its ends, control characters and lone surrogates. */
export const xmlText = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .map((text) => text.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, ''))
  .map((text) => text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''));

const nonEmptyText = xmlText.filter((text) => text !== '');
const date = fc.date({
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59Z'),
  noInvalidDate: true,
});
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const count = fc.nat({ max: 1_000_000_000 });

export const activityId = fc.stringMatching(/^a07e1[a-z0-9]{14}$/);

const activityError: fc.Arbitrary<ActivityError> = fc.record({
  lineNumber: maybe(count),
  emailAddress: maybe(xmlText),
  message: xmlText,
});

/** Any activity that the model can hold. */
export const activity: fc.Arbitrary<Activity> = fc
  .record({
    id: activityId,
    type: maybe(fc.oneof(fc.constantFrom(...ACTIVITY_TYPES), nonEmptyText)),
    status: maybe(fc.oneof(fc.constantFrom(...ACTIVITY_STATUSES), nonEmptyText)),
    errors: fc.array(activityError, { maxLength: 5 }),
    fileName: maybe(xmlText),
    transactionCount: maybe(count),
    insertTime: maybe(date),
    runStartTime: maybe(date),
    runFinishTime: maybe(date),
    updated: maybe(date),
    title: maybe(xmlText),
    editMedia: maybe(xmlText),
    unlisted: fc.oneof(fc.constant(0), count),
  })
  .map(({ unlisted, ...rest }) => ({ ...rest, errorCount: rest.errors.length + unlisted }));

export const contactList: fc.Arbitrary<ContactList> = fc
  .record({
    id: fc.oneof(fc.nat().map(String), fc.constantFrom(...Object.keys(SYSTEM_LISTS))),
    name: xmlText,
    shortName: maybe(xmlText),
    contactCount: maybe(count),
    optInDefault: maybe(fc.boolean()),
    displayOnSignup: maybe(fc.boolean()),
    sortOrder: maybe(count),
    updated: maybe(date),
  })
  .map((list) => ({ ...list, system: isSystemList(list.id) }));

const columnText = nonEmptyText.filter((value) => value.length !== 2);

/** Any contact that an entry can hold; its countries are names, not codes. */
export const directoryContact: fc.Arbitrary<DirectoryContact> = fc
  .record({
    id: fc.nat().map(String),
    status: fc.constantFrom(...CONTACT_STATUSES),
    emailAddress: xmlText,
    emailType: maybe(fc.constantFrom('HTML', 'Text')),
    name: maybe(nonEmptyText),
    values: fc
      .dictionary(
        fc.constantFrom(...COLUMNS.map((column) => column.ws).filter((name) => name !== EMAIL_ADDRESS)),
        columnText,
      )
      .map((values) => new Map(Object.entries(values) as [ColumnName, string][])),
    note: maybe(nonEmptyText),
    lists: fc.array(
      fc.record({
        listId: fc.nat().map(String),
        optInSource: fc.constantFrom(...OPT_IN_SOURCES),
        optInTime: date,
      }),
      { maxLength: 3 },
    ),
    insertTime: date,
    updated: date,
  })
  .map((contact) => ({
    ...contact,
    optInSource: contact.lists[0]?.optInSource,
    optInTime: contact.lists[0]?.optInTime,
  }));

const listIds = fc.uniqueArray(fc.integer({ min: 1, max: 9_999_999_999 }).map(String), {
  minLength: 1,
  maxLength: 30,
});

/** A contact file's text with an address column and at least one row. */
export const contactText = fc
  .array(fc.string({ unit: 'grapheme', maxLength: 20 }), { minLength: 1, maxLength: 5 })
  .map((cells) =>
    [
      'Email Address,First Name',
      ...cells.map((cell) => `ann@example.com,"${cell.replaceAll('"', '""')}"`),
    ].join('\n'),
  );

/** Any request as `checkRequest` leaves it. */
export const checkedRequest: fc.Arbitrary<CheckedRequest> = fc.oneof(
  fc.record({
    activityType: fc.constantFrom(...ADD_TYPES, 'REMOVE_CONTACTS_FROM_LISTS' as const),
    contacts: contactText.map((text) => ({ text })),
    lists: listIds,
  }),
  fc.record({ activityType: fc.constant('CLEAR_CONTACTS_FROM_LISTS' as const), lists: listIds }),
  fc.record({
    activityType: fc.constant('EXPORT_CONTACTS' as const),
    listId: fc.oneof(fc.nat().map(String), fc.constantFrom(...Object.keys(SYSTEM_LISTS))),
    fileType: fc.constantFrom(...FILE_TYPES),
    exportOptDate: fc.boolean(),
    exportOptSource: fc.boolean(),
    exportListName: fc.boolean(),
    sortBy: fc.constantFrom(...SORT_ORDERS),
    columns: fc.uniqueArray(fc.constantFrom(...COLUMNS.map((column) => column.ws))),
  }),
);

/** User names as accounts have them. */
export const userName = fc.stringMatching(/^[\w.@ -]{1,20}$/).filter((user) => !/^[. ]+$/.test(user));
