import type { GuideFacts, Risk } from './guide.js';

/** Something that the code around the calls must do differently. */
export interface Topic {
  readonly title: string;
  readonly risk: Risk;
  readonly before: string;
  readonly after: string;
  /** What to do, one step each. */
  readonly steps: readonly string[];
}

/** What the calls show that the integration does. */
interface Habits {
  readonly uploads: boolean;
  readonly exports: boolean;
  readonly lists: boolean;
  readonly creates: boolean;
  readonly readsFeed: boolean;
}

type Rule = Topic & { readonly applies: (habits: Habits) => boolean };

const ALWAYS = () => true;

const RULES: readonly Rule[] = [
  {
    title: 'Credentials',
    risk: 'high',
    applies: ALWAYS,
    before: 'A user name and a password with an API key in front, a signature of OAuth 1.0a, or a token.',
    after:
      'An API key in the query of each call, and an OAuth 2 token in the header Authorization: Bearer. The token tells the account; no URL names a user.',
    steps: [
      'Get an OAuth 2 token for each account. A person signs in once; tokens last for about ten years, and there is no refresh token.',
      'Keep the key out of logs: it stands in the URL.',
      'New keys for v2 were no longer given out at last: make sure that yours still works before anything else.',
    ],
  },
  {
    title: 'Failures that used to pass unseen',
    risk: 'high',
    applies: ({ creates }) => creates,
    before:
      'Code that waits for COMPLETE alone waits for ever when an activity ends with ERROR. Error texts were plain text or HTML.',
    after:
      'The end is COMPLETE, ERROR or CANCELLED. An import with bad rows is COMPLETE, with an error_count. Errors of a call are JSON: an array of error_key and error_message, sometimes one such object alone.',
    steps: [
      'End the wait at ERROR and CANCELLED too, and after a time of your own.',
      'Look at error_count of a COMPLETE activity. errors lists fewer, a hundred at most: objects, or texts such as "Line 2: Invalid birthday".',
      'Errors name no address any more: keep the rows that you sent, and find the row by its line; the heading is line 1.',
      'Read error_message from the array or from the object, whichever comes.',
    ],
  },
  {
    title: 'Limits',
    risk: 'high',
    applies: ({ uploads }) => uploads,
    before: 'No limit was documented.',
    after:
      'A request must have less than 4 MB and at most 40,000 contacts, 20,000 for a removal. Beyond either, the whole request fails and nothing of it is imported.',
    steps: [
      'Split by bytes and by contacts; count 4,000,000 bytes, since nobody says which megabytes are meant.',
      'Repeat the heading in each part, never cut inside a quoted cell, and send the parts in order: of an address that is there twice, the last row counts.',
      'Add up the activities of the parts: done when all are, failed when one has.',
      'Parts start one after another, on a grid of about 30 seconds.',
    ],
  },
  {
    title: 'Busy answers and quotas',
    risk: 'medium',
    applies: ALWAYS,
    before: '403 for too many calls.',
    after:
      '4 calls a second and 10,000 a day for each key, over all its accounts: 403 with a mashery error_key, later 429. 429 also when too many activities are in progress.',
    steps: [
      'On 429, wait until earlier activities have ended, and send it again.',
      'Limit the calls of all processes that share a key together.',
      'Never send a creation again after a lost answer without looking whether the activity is there.',
    ],
  },
  {
    title: 'Polling',
    risk: 'medium',
    applies: ({ creates }) => creates,
    before: 'GET of the activity as an Atom entry, its Status.',
    after: 'GET /v2/activities/{id} as JSON, its status. Properties that are empty are left out.',
    steps: [
      'Take the id from the answer to the POST, or from Location, and poll every 10 seconds or less often: exports took from 15 seconds to 15 minutes.',
      'Read properties that may be missing: no errors, no file_name, no finish_date.',
      'Counts mean nothing before COMPLETE.',
    ],
  },
  {
    title: 'Ids',
    risk: 'medium',
    applies: ({ creates, readsFeed }) => creates || readsFeed,
    before: 'The id was a URI with the user in it, spelled otherwise than the login at times.',
    after:
      'The id is a text of about 19 characters or a UUID. An activity is forgotten after 14 days, and GET answers 404 then.',
    steps: [
      'Store ids as text, 36 characters at least, and take no part of them for anything.',
      'Treat 404 for an old activity as forgotten, not as failed.',
    ],
  },
  {
    title: 'Lists of activities',
    risk: 'medium',
    applies: ({ readsFeed }) => readsFeed,
    before: 'A feed of all activities, the newest first, with links to the next page.',
    after:
      'A JSON array of the last 50, in no order, without pages. It tells no errors, and of exports no file_name.',
    steps: [
      'Keep your own record of what was sent.',
      'Sort by created_date yourself; GET the single activity for its errors and its file.',
      'Filter by status= and type= in the query.',
    ],
  },
  {
    title: 'The file of an export',
    risk: 'medium',
    applies: ({ exports }) => exports,
    before: 'GET of the activity’s URI with .csv or .txt behind it.',
    after:
      'GET of the URL in file_name, with the key and the token. CSV only, and no column for the name of the list.',
    steps: [
      'Take file_name from the single activity once it is COMPLETE; lists leave it out.',
      'Send key and token to the origin of the API only.',
      'Compare the headings of one export with what your reader expects. One port that is known read them unchanged.',
    ],
  },
  {
    title: 'List ids',
    risk: 'medium',
    applies: ({ lists }) => lists,
    before: 'URIs such as http://api.constantcontact.com/ws/customers/{user}/lists/2.',
    after: 'Ids such as "2".',
    steps: [
      'Compare ids and names once, by GET of the lists in both: that the ids are the same is likely, and nowhere written.',
      'Every list id of an upload must exist, else the whole request fails.',
    ],
  },
  {
    title: 'Documents',
    risk: 'low',
    applies: ALWAYS,
    before: 'Atom (XML) in answers, forms in requests.',
    after: 'JSON in both; multipart for files.',
    steps: [
      'Send Accept: application/json, and let a library set the Content-Type of multipart with its boundary.',
    ],
  },
];

/** What must change in code that makes these calls, the riskiest first. */
export function topicsFor({ calls }: GuideFacts): readonly Topic[] {
  const types = calls.flatMap(({ subject: { activityType } }) =>
    activityType === undefined ? [] : [activityType],
  );
  const resources = calls.map(({ subject: { resource } }) => resource.toLowerCase());
  const exports =
    types.includes('EXPORT_CONTACTS') || resources.some((resource) => /\.(csv|txt)$/.test(resource));
  const habits: Habits = {
    creates: types.length > 0 || resources.some((resource) => /^activities\/[^.]+$/.test(resource)),
    uploads: types.some((type) => /^(?:SV_ADD|ADD_|REMOVE_)/.test(type)),
    exports,
    lists: types.length > 0 || resources.includes('lists'),
    readsFeed: calls.some(
      ({ subject: { method, resource } }) => method === 'GET' && resource === 'activities',
    ),
  };
  return RULES.filter(({ applies }) => applies(habits)).map(({ title, risk, before, after, steps }) => ({
    title,
    risk,
    before,
    after,
    steps,
  }));
}

/** What is likely, and proven by nobody. */
export const UNPROVEN: readonly string[] = [
  'That list ids of ws and v2 are the same.',
  'Whether 4 MB are 4,000,000 or 4,194,304 bytes.',
  'Whether the heading counts as line 1 in "Line 2: …"; one recorded answer fits that.',
  'Whether an export of all active contacts still has a column for each list.',
  'Which status v2 answers to a list that does not exist.',
  'How long ws and v2 are answered at all: no date was ever published.',
];
