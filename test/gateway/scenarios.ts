import { COLUMNS } from '../../src/activity/columns.js';
import { fixtures } from '../support/fixtures.js';
import { rawRequest } from '../support/raw-answer.js';
import type { Exchange, Scenario } from './observe.js';
import { AUTHORIZATION, BASE } from './sides.js';

const FORM = 'application/x-www-form-urlencoded';

/** A form as a script of the time would send it: names may stand more than once. */
function post(...fields: readonly (readonly [name: string, value: string])[]): Exchange {
  const form = new URLSearchParams();
  for (const [name, value] of fields) form.append(name, value);
  const body = form.toString();
  const headers = { authorization: AUTHORIZATION, 'content-type': FORM };
  return { request: () => new Request(`${BASE}/activities`, { method: 'POST', headers, body }) };
}

/** A multipart form, written by hand: what an engine makes of it is not at issue here. */
function upload(
  fields: readonly (readonly [string, string])[],
  fileName: string,
  file: Uint8Array,
): Exchange {
  const boundary = '------------------------d74496d66958873e';
  const parts = fields.map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const body = Buffer.concat([
    Buffer.from(parts.join('')),
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="dataFile"; filename="${fileName}"\r\n` +
        'Content-Type: application/octet-stream\r\n\r\n',
    ),
    file,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const headers = {
    authorization: AUTHORIZATION,
    'content-type': `multipart/form-data; boundary=${boundary}`,
  };
  return { request: () => new Request(`${BASE}/activities`, { method: 'POST', headers, body }) };
}

function get(
  path: string | ((ids: readonly string[]) => string),
  headers: Record<string, string> = {},
): Exchange {
  const at = (ids: readonly string[]) => (typeof path === 'string' ? path : path(ids));
  return {
    request: (ids) =>
      new Request(`${BASE}/${at(ids)}`, { headers: { authorization: AUTHORIZATION, ...headers } }),
  };
}

const list = (id: string) => `http://api.constantcontact.com/ws/customers/joesflowers/lists/${id}`;

function add(text: string, ...lists: readonly string[]): Exchange {
  return post(['activityType', 'SV_ADD'], ['data', text], ...lists.map((id) => ['lists', list(id)] as const));
}

function remove(text: string, ...lists: readonly string[]): Exchange {
  const type = ['activityType', 'REMOVE_CONTACTS_FROM_LISTS'] as const;
  return post(type, ['data', text], ...lists.map((id) => ['lists', list(id)] as const));
}

function clear(...lists: readonly string[]): Exchange {
  const type = ['activityType', 'CLEAR_CONTACTS_FROM_LISTS'] as const;
  return post(type, ...lists.map((id) => ['lists', list(id)] as const));
}

function exportOf(id: string, options: Readonly<Record<string, string | readonly string[]>> = {}): Exchange {
  const fields = Object.entries(options).flatMap(([name, value]) =>
    [value].flat().map((one) => [name, one] as const),
  );
  return post(['activityType', 'EXPORT_CONTACTS'], ['listId', list(id)], ...fields);
}

/** A request that was sent as it is, and may name the export and the upload that the service had. */
function sent(raw: Buffer): Exchange {
  return {
    request: ([exported = '', added = '']) =>
      rawRequest(
        Buffer.from(
          raw.toString('latin1').replaceAll('a07e1export', exported).replaceAll('a07e1add', added),
          'latin1',
        ),
      ),
  };
}

const PEOPLE = `Email Address,First Name,Last Name,Company Name,City,Postal Code,Custom Field 1
zoe@example.com,Zoë,"Smith, ""the"" First",Blumen & Söhne,Zürich,8001,"two
lines"
bob@example.com,Bob,Jones,,Boston,02451,
eve@example.com,Eve,Adams,Roses Ltd,,,x
`;

const ERRORS = `Email Address,First Name
ann@example.com,Ann
not-an-address,Dan

two@at@example.com,Two
,Nobody
gone@example.com,Gone
bob@example.com,Bob
`;

/** An upload of so many rows, from 1. */
function many(rows: number, column: string, cells: (row: number) => string): string {
  const heading = column === '' ? 'Email Address' : `Email Address,${column}`;
  return [heading, ...Array.from({ length: rows }, (_, index) => cells(index + 1)), ''].join('\n');
}

/** All columns that ws has, each with a value of its own. */
const EVERY_COLUMN = [
  COLUMNS.map(({ ws }) => ws),
  COLUMNS.map(({ ws }, index) =>
    ws === 'EMAIL ADDRESS' ? 'all@example.com' : ws.startsWith('STATE') ? 'MA' : `value ${index}`,
  ),
]
  .map((cells) => cells.join(','))
  .join('\n');

const bytes = (text: string, encoding: BufferEncoding = 'utf8') => Buffer.from(text, encoding);
const onList2 = [
  ['activityType', 'SV_ADD'],
  ['lists', list('2')],
] as const;

const OWN: Readonly<Record<string, readonly Exchange[]>> = {
  'add: addresses only': [add('Email Address\nann@example.com\nbob@example.com\n', '1')],
  'add: details, quoted': [
    add(PEOPLE, '1', '2'),
    exportOf('1', { columns: ['FIRST NAME', 'CUSTOM FIELD 1'] }),
  ],
  'add: details of a contact change': [
    add(PEOPLE, '1'),
    add('Email Address,First Name,City\nZOE@example.com,,Bern\nbob@example.com,Robert,\n', '5'),
  ],
  'add: rows with errors': [add(ERRORS, '1', '5')],
  'add: the same address more than once': [
    add('Email Address,First Name\nann@example.com,A\nANN@example.com,B\nann@example.com,\n', '1'),
  ],
  'add: every column': [add(EVERY_COLUMN, '1')],
  'add: an unknown column': [add('Email Address,Shoe Size\nann@example.com,44\n', '1')],
  'add: a state that does not exist': [
    add('Email Address,State/Province (US/Canada)\nann@example.com,Test2\nbob@example.com,Ontario\n', '1'),
  ],
  'add: a free state abroad': [
    add('Email Address,State,Country\nann@example.com,Uri,Switzerland\nbob@example.com,Uri,\n', '1'),
  ],
  'add: both states': [
    add('Email Address,State,State/Province (US/Canada)\nann@example.com,NH,MA\nbob@example.com,NH,\n', '1'),
  ],
  'add: a value longer than v2 takes': [add(`Email Address,City\nann@example.com,${'x'.repeat(60)}\n`, '1')],
  'add: blanks and empty lines': [
    add('\r\n Email Address , First Name \r\n\r\n ann@example.com , Ann \r\n\r\n', '1'),
  ],
  'add: a file of tabs': [
    upload(onList2, 'up.txt', bytes('Email Address\tCity\nann@example.com\tZürich, West\n')),
  ],
  'add: a file with a byte order mark': [upload(onList2, 'up.csv', bytes(`\ufeff${PEOPLE}`))],
  'add: a file in Latin-1': [
    upload(onList2, 'up.csv', bytes('Email Address,City\nann@example.com,Zürich\n', 'latin1')),
  ],
  'add: a file in UTF-16': [
    upload(onList2, 'up.csv', bytes('\ufeffEmail Address,City\nann@example.com,Zürich\n', 'utf16le')),
  ],
  'add: a file that is no text': [
    upload(onList2, 'up.csv', bytes('Email Address\nann@example.com\n\0\0\0\n')),
  ],
  'add: line ends of old machines': [
    upload(onList2, 'up.csv', bytes('Email Address,City\rann@example.com,Rome\r')),
  ],
  'add: more than v2 takes at once': [
    add(
      many(40_010, 'City', (row) =>
        row === 1 || row === 40_009 ? 'Ann@example.com,Rome' : `c${row}@example.com,${row}`,
      ).concat('not-an-address,Dan\n'),
      '1',
    ),
    get('lists'),
  ],
  'add: a list that does not exist': [add(PEOPLE, '1', '99')],
  'add: a system list': [add(PEOPLE, 'active')],
  'add: nothing under the heading': [add('Email Address\n', '1')],
  'add: an ADD_CONTACT_DETAIL': [
    post(['activityType', 'ADD_CONTACT_DETAIL'], ['data', PEOPLE], ['lists', list('1')]),
  ],
  'remove: from one list': [remove('Email Address\nOLD@example.com\nuser1@example.com\n', '2')],
  'remove: from two, with details': [remove('Email Address,First Name\nold@example.com,Old\n', '2', '5')],
  'remove: who is not there': [remove('Email Address\nnobody@example.com\nold@example.com\n', '2')],
  'remove: rows with errors': [remove('Email Address\nnot-an-address\nold@example.com\n', '2')],
  'remove: rows without an address': [
    remove('First Name,Email Address\nNobody,\nOld,old@example.com\n\nNo,""\n', '2'),
  ],
  'remove: no address at all': [remove('Email Address,First Name\n,Ann\n ,Bob\n', '2')],
  'add: no address, and nothing that v2 keeps': [
    add('Email Address,Middle Name\n,Max\nann@example.com,\n,Mo\n', '1'),
  ],
  'add: a state longer than v2 takes': [
    add(
      `Email Address,State,Country\nann@example.com,${'x'.repeat(51)},Peru\nbob@example.com,Lima,Peru\n`,
      '1',
    ),
  ],
  'remove: more than v2 takes at once': [
    remove(
      many(20_010, '', (row) =>
        row === 20_005 ? 'OLD@example.com' : row === 7 ? 'nobody' : `c${row}@example.com`,
      ),
      '2',
    ),
  ],
  'remove: a state that does not exist': [
    remove('Email Address,State/Province (US/Canada)\nold@example.com,Test2\n', '2'),
  ],
  'clear: one list': [clear('2')],
  'clear: two lists': [clear('2', '5')],
  'clear: an empty list': [clear('1')],
  'clear: a list that does not exist': [clear('99')],
  'clear: a system list': [clear('do-not-mail')],
  'clear: behind an upload': [add(PEOPLE, '2'), clear('2'), add('Email Address\nlast@example.com\n', '2')],
  'export: the address only': [exportOf('2')],
  'export: every column': [add(EVERY_COLUMN, '2'), exportOf('2', { columns: COLUMNS.map(({ ws }) => ws) })],
  'export: the columns in the order asked for': [
    add(PEOPLE, '2'),
    exportOf('2', { columns: ['CITY', 'LAST NAME', 'FIRST NAME'] }),
  ],
  'export: everything there is': [
    add(PEOPLE, '2'),
    exportOf('2', {
      ...{ exportOptDate: 'true', exportOptSource: 'true', exportListName: 'true' },
      ...{ sortBy: 'DATE_DESC', columns: ['FIRST NAME', 'CITY'] },
    }),
  ],
  'export: as text': [
    add('Email Address,City\nann@example.com,"tab\there"\n', '5'),
    exportOf('5', { fileType: 'TXT', exportOptDate: 'true', columns: ['CITY'] }),
  ],
  'export: as text, with the name of the list': [exportOf('5', { fileType: 'TXT', exportListName: 'true' })],
  'export: an empty list': [exportOf('1', { exportListName: 'true', columns: ['CITY'] })],
  'export: active': [exportOf('active', { columns: ['CITY'], exportOptSource: 'true' })],
  'export: active, with the names of the lists': [exportOf('active', { exportListName: 'true' })],
  'export: removed': [
    exportOf('removed', { exportOptDate: 'true', exportOptSource: 'true', exportListName: 'true' }),
  ],
  'export: do-not-mail': [
    exportOf('do-not-mail', { exportOptDate: 'true', exportOptSource: 'true', exportListName: 'true' }),
  ],
  'export: a list that does not exist': [exportOf('99')],
  'export: a system list that is not served': [exportOf('all')],
  'feed: without activities': [get('activities')],
  'feed: a page that does not exist': [get('activities?next=nowhere')],
  'lists: all of them': [get('lists')],
  'lists: behind an upload': [add(PEOPLE, '1'), get('lists')],
  'account: the service document': [get('')],
  'account: another user': [
    {
      request: () =>
        new Request('https://api.constantcontact.com/ws/customers/nobodyhere/activities', {
          headers: { authorization: AUTHORIZATION },
        }),
    },
  ],
  'account: no credentials': [{ request: () => new Request(`${BASE}/activities`) }],
  'activity: an id that does not exist': [get('activities/a07e1zzzzzzzzzzzzzz')],
  'activity: a file that does not exist': [get('activities/a07e1zzzzzzzzzzzzzz.csv')],
  'activity: the file of an upload': [add(PEOPLE, '1'), get(([id]) => `activities/${id}.csv`)],
  'activity: a path that leads nowhere': [get('campaigns')],
  'file: a part of it': [
    exportOf('2', { columns: ['CITY'] }),
    get(([id]) => `activities/${id}.csv`, { range: 'bytes=5-20' }),
  ],
  'file: the id in capitals': [exportOf('2'), get(([id]) => `activities/${id?.toUpperCase()}.CSV`)],
};

const BEFORE: readonly Exchange[] = [exportOf('2', { columns: ['CITY'] }), add(ERRORS, '1')];

/** Every exchange that is known of: what clients sent, what the documents show, and the cases that lie between. */
export function scenarios(): Scenario[] {
  const real = fixtures('ws/requests').map((fixture) => ({
    name: `requests/${fixture.name}`,
    exchanges: [sent(fixture.bytes('request.http'))],
  }));
  const quirks = fixtures('ws/quirks').map((fixture) => ({
    name: `quirks/${fixture.name}`,
    exchanges: [...BEFORE, sent(fixture.bytes('request.http'))],
  }));
  const directory = fixtures('ws/directory').map((fixture) => ({
    name: `directory/${fixture.name}`,
    exchanges: [sent(fixture.bytes('request.http'))],
  }));
  const own = Object.entries(OWN).map(([name, exchanges]) => ({ name, exchanges }));
  return [...real, ...quirks, ...directory, ...own];
}
