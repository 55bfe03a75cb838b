/** Something that an old client, or the owner of the account, sees otherwise through the gateway. */
export interface DeclaredLoss {
  /** Why it cannot be the same. */
  readonly reason: string;
  /** The scenarios in which it shows, and the places, as `observe` names them: these, and no others. */
  readonly shows: Readonly<Record<string, readonly string[]>>;
}

const IGNORED = ['contacts: MIDDLE NAME', 'contacts: SUB POSTAL CODE'];
const ONE_STATE = ['contacts: STATE/PROVINCE (US/CANADA)'];
const NOT_CHECKED = [
  ...['entry: errors', 'entry: errorCount', 'entry: transactionCount'],
  ...['feed: errorCount', 'feed: transactionCount', 'contacts: lists', 'contacts: STATE'],
];
const ANSWER = ['answer: HTTP status'];
const CHANGED = [...ANSWER, 'contacts: standing', 'contacts: lists'];

/** Asserted to be exactly what differs: one that does not show is as wrong as one that is not here. */
export const DECLARED_LOSSES: readonly DeclaredLoss[] = [
  {
    reason:
      'v2 takes the columns MIDDLE NAME and SUB POSTAL CODE and ignores them; where they should go instead can be told by ' +
      '`into`, and each upload that has them is warned of',
    shows: {
      'add: every column': IGNORED,
      'export: every column': [...IGNORED, 'file: rows'],
    },
  },
  {
    reason:
      'v2 has one column for states: STATE/PROVINCE (US/CANADA) is kept as STATE, and goes before it where both are given; ' +
      'an export has it under both headings',
    shows: {
      'add: every column': ONE_STATE,
      'export: every column': ONE_STATE,
      'add: both states': [...ONE_STATE, 'contacts: STATE'],
      'add: a state that does not exist': ONE_STATE,
    },
  },
  {
    // The documents of ws show two texts that were refused, "Test2" and "Test3", and neither which were taken nor for which
    // countries. To refuse a row here by a guess would lose a contact that v2 keeps, and nobody could say why.
    reason:
      'v2 takes any text for a state: a row that ws refused for its state is taken; which texts those were is not documented, ' +
      'so the gateway does not refuse what v2 would take',
    shows: {
      'add: a state that does not exist': NOT_CHECKED,
      'add: a free state abroad': [...NOT_CHECKED, 'contacts: addresses', 'contacts: standing'],
    },
  },
  {
    reason:
      'v2 has 50 characters for a state, ws had no such bound: what v2 makes of more, it tells as the error of the row, and ' +
      'the gateway warns of it before',
    shows: { 'add: a state longer than v2 takes': [...NOT_CHECKED, 'contacts: COUNTRY'] },
  },
  {
    reason:
      'an export of v2 does not tell who is on which list: one of all active contacts has no column for each list, whether ' +
      'its name was asked for or not; exports of single lists have it',
    shows: {
      'requests/java-export': ['file: heading', 'file: rows'],
      'export: active, with the names of the lists': ['file: heading', 'file: rows'],
    },
  },
  {
    reason: 'v2 has no short names of lists: the name stands in their place, in the heading of an export too',
    shows: {
      'export: as text, with the name of the list': ['text file: heading'],
      'lists: all of them': ['answer: shortName'],
      'lists: behind an upload': ['answer: shortName'],
      'directory/list': ['answer: text'],
      'add: more than v2 takes at once': ['answer: shortName'],
    },
  },
  {
    reason:
      'no loss: a file in UTF-16 with its byte order mark is read, where the service is thought to have refused it',
    shows: { 'add: a file in UTF-16': [...ANSWER, 'contacts: lists', 'contacts: CITY'] },
  },
  {
    reason:
      'the gateway serves activities, and lists to be read; contacts, and what changes lists, are not of the bulk API, and are ' +
      'answered 404, or 415 where there is something to be read',
    shows: {
      'account: the service document': ['answer: text'],
      'directory/service-document': ['answer: text'],
      'directory/contact': ANSWER,
      'directory/contact-unknown': ['answer: text'],
      'directory/contacts': ANSWER,
      'directory/contacts-bad-date': ANSWER,
      'directory/contacts-by-email': ANSWER,
      'directory/contacts-by-list-type': ANSWER,
      'directory/create-contact-again': ANSWER,
      'directory/create-contact-as-form': ANSWER,
      'directory/create-contact-no-list': ANSWER,
      'directory/create-contact-not-xml': ANSWER,
      'directory/create-list-again': ANSWER,
      'directory/delete-contact': CHANGED,
      'directory/delete-list': CHANGED,
      'directory/delete-system-list': ANSWER,
      'directory/members': ANSWER,
      'directory/php-official-create-contact': [
        ...[...CHANGED, 'contacts: addresses', 'contacts: FIRST NAME', 'contacts: LAST NAME'],
        ...['contacts: ADDRESS LINE 1', 'contacts: COUNTRY', 'contacts: CUSTOM FIELD 1', ...ONE_STATE],
      ],
      'directory/python-official-create-contact': [
        ...[...CHANGED, 'contacts: addresses', 'contacts: FIRST NAME'],
      ],
      'directory/python-official-create-list': ANSWER,
      'directory/python-official-update-list': ANSWER,
      'directory/unsupported-method': ANSWER,
      'directory/update-contact': ANSWER,
      'directory/update-contact-opted-out': ANSWER,
    },
  },
];
