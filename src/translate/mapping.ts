import type { LossCode } from './loss.js';

/** How well v2 says what ws says. `action`: it does, after a conversion or a change of the code around it. */
export const VERDICTS = ['exact', 'lossy', 'impossible', 'action'] as const;
/** How well a thing of ws is said in v2. */
export type Verdict = (typeof VERDICTS)[number];

/** Where it is known from. */
export const EVIDENCE = {
  D: 'documentation',
  S: 'source code of a client',
  F: 'a recorded answer',
  C: 'a post of the community or the staff',
  I: 'inferred',
} as const;
export type Evidence = keyof typeof EVIDENCE;

export const SUBJECTS = {
  types: 'Activity types',
  statuses: 'Statuses',
  parameters: 'Requests and their parameters',
  columns: 'Columns',
  records: 'Fields of a record',
  errors: 'Errors',
} as const;
export type Subject = keyof typeof SUBJECTS;

interface Row {
  readonly subject: Subject;
  readonly ws: string;
  readonly v2: string;
  readonly verdict: Verdict;
  readonly evidence: Evidence;
  /** What people should know. */
  readonly sentence: string;
  /** What a translation tells when it meets this. */
  readonly loss?: LossCode;
  /** The difference is on the way from v2 to ws. */
  readonly reverse?: true;
}

const ADD = 'POST /v2/activities/addcontacts';

/** Everything of ws, with what it is in v2: one row each. docs/mapping.md is made of it. */
export const MAPPING = {
  add: {
    subject: 'types',
    ws: 'SV_ADD, ADD_CONTACTS, ADD_CONTACT_DETAIL (asked for)',
    v2: ADD,
    verdict: 'exact',
    evidence: 'C',
    sentence: 'All three mean the same; ws decided by the data which of them it kept.',
  },
  addDetailRecord: {
    subject: 'types',
    ws: 'ADD_CONTACT_DETAIL (of a record)',
    v2: 'ADD_CONTACTS',
    verdict: 'lossy',
    evidence: 'F',
    sentence:
      'v2 has one type for all uploads; that there were columns beyond the address is not told any more.',
    loss: 'TYPE_MERGED',
  },
  remove: {
    subject: 'types',
    ws: 'REMOVE_CONTACTS_FROM_LISTS',
    v2: 'POST /v2/activities/removefromlists',
    verdict: 'exact',
    evidence: 'D',
    sentence: 'An address that is not in the list is an error entry in both, not a failure.',
  },
  clear: {
    subject: 'types',
    ws: 'CLEAR_CONTACTS_FROM_LISTS',
    v2: 'POST /v2/activities/clearlists',
    verdict: 'exact',
    evidence: 'D',
    sentence: 'The contacts leave the lists and are kept.',
  },
  export: {
    subject: 'types',
    ws: 'EXPORT_CONTACTS',
    v2: 'POST /v2/activities/exportcontacts',
    verdict: 'lossy',
    evidence: 'D',
    sentence: 'Some options and two columns have no counterpart; each has its own row below.',
    loss: 'LIST_NAME_DROPPED',
  },
  changeActivity: {
    subject: 'types',
    ws: 'PUT or DELETE of an activity: not permitted',
    v2: 'none',
    verdict: 'exact',
    evidence: 'D',
    sentence: 'An activity can be neither changed nor cancelled, in either.',
  },
  unconfirmed: status('UNCONFIRMED'),
  pending: status('PENDING'),
  queued: status('QUEUED'),
  running: status('RUNNING'),
  complete: status('COMPLETE'),
  error: status('ERROR'),
  cancelled: {
    subject: 'statuses',
    ws: 'ERROR',
    v2: 'CANCELLED',
    verdict: 'lossy',
    evidence: 'S',
    sentence:
      'Only a person can cancel an activity, in the web interface. ws has no word for it: it becomes ERROR.',
    loss: 'STATUS_MERGED',
    reverse: true,
  },
  endpoint: {
    subject: 'parameters',
    ws: 'POST /ws/customers/{user}/activities, a form, urlencoded or multipart',
    v2: 'one URL for each type, JSON or multipart',
    verdict: 'action',
    evidence: 'D',
    sentence: 'The URL says what is to be done, in place of activityType, and names no user.',
  },
  credentials: {
    subject: 'parameters',
    ws: 'Basic (key%user:password), OAuth 1.0a, or an OAuth 2 token',
    v2: 'api_key in the query and Authorization: Bearer',
    verdict: 'action',
    evidence: 'D',
    sentence: 'An API key and an OAuth 2 token are needed; the token alone tells whose account it is.',
    loss: 'CREDENTIALS_CHANGED',
  },
  data: {
    subject: 'parameters',
    ws: 'data',
    v2: 'import_data (JSON), or the part data (multipart)',
    verdict: 'action',
    evidence: 'D',
    sentence: 'The rows become JSON, or a CSV file with the headings of v2.',
  },
  dataFileText: {
    subject: 'parameters',
    ws: 'dataFile, .csv or .txt',
    v2: 'the part data (multipart), CSV',
    verdict: 'action',
    evidence: 'D',
    sentence: 'Tabs become commas, and the text UTF-8: CSV is the one form that is documented throughout.',
  },
  dataFileXls: {
    subject: 'parameters',
    ws: 'dataFile, .xls',
    v2: 'the part data (multipart), CSV (removals are documented to take .xls)',
    verdict: 'lossy',
    evidence: 'D',
    sentence:
      'Make CSV of the first sheet: the gateway, ctct translate --file and ctct migrate plan do, code must have it saved as .csv.',
    loss: 'SPREADSHEET_UNREAD',
  },
  lists: {
    subject: 'parameters',
    ws: 'lists, the URI of each list',
    v2: 'lists, the ids',
    verdict: 'exact',
    evidence: 'I',
    sentence:
      'The id is the last part of the URI. Nobody says that the ids of both are the same: compare the names once, by GET /v2/lists.',
  },
  manyLists: {
    subject: 'parameters',
    ws: 'lists, more than 50',
    v2: 'lists',
    verdict: 'exact',
    evidence: 'D',
    sentence: 'There is no limit to their number.',
  },
  listId: {
    subject: 'parameters',
    ws: 'listId',
    v2: 'lists, with one id',
    verdict: 'exact',
    evidence: 'D',
    sentence: 'An export is of one list, in both.',
  },
  listActive: {
    subject: 'parameters',
    ws: 'listId …/lists/active',
    v2: '"active"',
    verdict: 'exact',
    evidence: 'D',
    sentence: 'The name is the same.',
  },
  listDoNotMail: {
    subject: 'parameters',
    ws: 'listId …/lists/do-not-mail',
    v2: '"opted-out"',
    verdict: 'exact',
    evidence: 'D',
    sentence: 'The same contacts under another name.',
    loss: 'LIST_RENAMED',
  },
  listRemoved: {
    subject: 'parameters',
    ws: 'listId …/lists/removed',
    v2: '"removed"',
    verdict: 'exact',
    evidence: 'D',
    sentence: 'The name is the same.',
  },
  listOthers: {
    subject: 'parameters',
    ws: 'listId …/lists/awaiting-confirmation, …/lists/all',
    v2: 'none',
    verdict: 'impossible',
    evidence: 'D',
    sentence: 'GET /v2/contacts has contacts by their status; for all, export active, opted-out and removed.',
    loss: 'LIST_UNSUPPORTED',
  },
  fileTypeCsv: {
    subject: 'parameters',
    ws: 'fileType CSV',
    v2: 'file_type "CSV"',
    verdict: 'exact',
    evidence: 'D',
    sentence: 'The file is CSV.',
  },
  fileTypeTxt: {
    subject: 'parameters',
    ws: 'fileType TXT',
    v2: 'none',
    verdict: 'action',
    evidence: 'D',
    sentence: 'Read the file as CSV, or write it with tabs once it is there.',
    loss: 'FILE_TYPE_CHANGED',
  },
  exportOptDate: {
    subject: 'parameters',
    ws: 'exportOptDate',
    v2: 'export_date_added',
    verdict: 'exact',
    evidence: 'D',
    sentence: 'The date a contact was added.',
  },
  exportOptSource: {
    subject: 'parameters',
    ws: 'exportOptSource',
    v2: 'export_added_by',
    verdict: 'exact',
    evidence: 'D',
    sentence: 'Who added a contact.',
  },
  exportListName: {
    subject: 'parameters',
    ws: 'exportListName',
    v2: 'none',
    verdict: 'impossible',
    evidence: 'D',
    sentence: 'An export is of one list, whose name can be added to each row; GET /v2/lists tells it.',
    loss: 'LIST_NAME_DROPPED',
  },
  sortBy: {
    subject: 'parameters',
    ws: 'sortBy EMAIL_ADDRESS, DATE_DESC',
    v2: 'sort_by, the same values',
    verdict: 'exact',
    evidence: 'D',
    sentence: 'Both orders are there.',
  },
  exportColumns: {
    subject: 'parameters',
    ws: 'columns, repeated',
    v2: 'column_names',
    verdict: 'action',
    evidence: 'D',
    sentence: 'ws exports the address always; v2 must be told, by Email.',
    loss: 'COLUMN_ADDED',
  },
  blanks: {
    subject: 'parameters',
    ws: 'blank cells erase nothing',
    v2: 'blanks_enabled, default false',
    verdict: 'exact',
    evidence: 'I',
    sentence: 'As long as blanks_enabled is left out, v2 does as ws did.',
  },
  blanksEnabled: {
    subject: 'parameters',
    ws: 'none',
    v2: 'blanks_enabled=true',
    verdict: 'impossible',
    evidence: 'D',
    sentence: 'Only v2 can erase what a contact has by a blank cell.',
    loss: 'BLANKS_IGNORED',
    reverse: true,
  },
  limits: {
    subject: 'parameters',
    ws: 'no documented limit',
    v2: 'less than 4 MB; 40,000 contacts to add, 20,000 to remove',
    verdict: 'action',
    evidence: 'D',
    sentence:
      'Over a limit, v2 refuses the whole request: it is split, and the parts are sent in their order.',
    loss: 'SPLIT',
  },
  emailAddress: {
    subject: 'columns',
    ws: 'EMAIL ADDRESS',
    v2: 'EMAIL (JSON), Email address (file), Email (export)',
    verdict: 'exact',
    evidence: 'D',
    sentence: 'Three names for the one column that must be there.',
    loss: 'COLUMN_RENAMED',
  },
  firstName: column('FIRST NAME', 'FIRST NAME'),
  lastName: column('LAST NAME', 'LAST NAME'),
  middleName: {
    subject: 'columns',
    ws: 'MIDDLE NAME',
    v2: 'taken and ignored',
    verdict: 'impossible',
    evidence: 'D',
    sentence: 'To keep it, put it behind FIRST NAME, or into a custom field.',
    loss: 'COLUMN_IGNORED',
  },
  jobTitle: column('JOB TITLE', 'JOB TITLE'),
  companyName: column('COMPANY NAME', 'COMPANY NAME'),
  workPhone: column('WORK PHONE', 'WORK PHONE'),
  homePhone: column('HOME PHONE', 'HOME PHONE'),
  addressLine1: column('ADDRESS LINE 1', 'ADDRESS LINE 1'),
  addressLine2: column('ADDRESS LINE 2', 'ADDRESS LINE 2'),
  addressLine3: column('ADDRESS LINE 3', 'ADDRESS LINE 3'),
  city: column('CITY', 'CITY'),
  state: column('STATE', 'STATE'),
  stateProvince: {
    subject: 'columns',
    ws: 'STATE/PROVINCE (US/CANADA)',
    v2: 'STATE',
    verdict: 'lossy',
    evidence: 'D',
    sentence:
      'Both columns become one. Where both are given and differ, this one is sent; nobody checks it any more.',
    loss: 'COLUMN_MERGED',
  },
  country: column('COUNTRY', 'COUNTRY'),
  postalCode: {
    subject: 'columns',
    ws: 'POSTAL CODE',
    v2: 'ZIP/POSTAL CODE',
    verdict: 'exact',
    evidence: 'D',
    sentence: 'Only the name differs.',
    loss: 'COLUMN_RENAMED',
  },
  subPostalCode: {
    subject: 'columns',
    ws: 'SUB POSTAL CODE',
    v2: 'taken and ignored',
    verdict: 'impossible',
    evidence: 'D',
    sentence: 'To keep it, put it behind POSTAL CODE, as in 02451-1234.',
    loss: 'COLUMN_IGNORED',
  },
  customFields: column('CUSTOM FIELD 1 to 15', 'CUSTOM FIELD 1 to 15'),
  birthday: {
    subject: 'columns',
    ws: 'none',
    v2: 'BIRTHDAY_DAY, BIRTHDAY_MONTH, ANNIVERSARY',
    verdict: 'impossible',
    evidence: 'D',
    sentence: 'ws has no such columns. v2 takes them in uploads, and exports none of them.',
    loss: 'COLUMN_UNKNOWN',
    reverse: true,
  },
  contactId: {
    subject: 'columns',
    ws: 'none',
    v2: 'Contact ID (export)',
    verdict: 'impossible',
    evidence: 'D',
    sentence: 'Only v2 exports the id of a contact.',
    loss: 'COLUMN_UNKNOWN',
    reverse: true,
  },
  otherColumns: {
    subject: 'columns',
    ws: 'any other column, such as email type',
    v2: 'none',
    verdict: 'impossible',
    evidence: 'S',
    sentence: 'Clients sent such columns, and ws passed over them.',
    loss: 'COLUMN_UNKNOWN',
  },
  id: record(
    'id, the last part of the URI',
    'id',
    'The id itself is the same; v2 has no URI in its records.',
  ),
  updated: {
    subject: 'records',
    ws: 'updated',
    v2: 'none',
    verdict: 'lossy',
    evidence: 'I',
    sentence: 'The latest of the three other times comes near it.',
    loss: 'UPDATED_DROPPED',
  },
  title: {
    subject: 'records',
    ws: 'title',
    v2: 'none',
    verdict: 'lossy',
    evidence: 'F',
    sentence: 'It holds nothing that is not told elsewhere.',
    loss: 'TITLE_DROPPED',
  },
  type: record('Type', 'type', 'But for ADD_CONTACT_DETAIL, the types are the same.'),
  status: record('Status', 'status', 'The values are the same.'),
  errorsOfRecord: {
    subject: 'records',
    ws: 'Errors: LineNumber, EmailAddress, Message',
    v2: 'errors: objects until 2013, later texts such as "Line 2: Invalid birthday"',
    verdict: 'lossy',
    evidence: 'F',
    sentence:
      'The address is not told any more: look it up in the uploaded file by the line, the heading being line 1.',
    loss: 'ERROR_ADDRESS_UNKNOWN',
    reverse: true,
  },
  errorCount: {
    subject: 'records',
    ws: 'none',
    v2: 'error_count, warnings',
    verdict: 'lossy',
    evidence: 'F',
    sentence: 'v2 lists fewer errors than it counts, a hundred at most; its warnings have no place in ws.',
    loss: 'ERRORS_UNLISTED',
    reverse: true,
  },
  fileName: record(
    'FileName',
    'file_name',
    'Of an export, the URL of the file: it needs the API key and the token.',
  ),
  editMedia: {
    subject: 'records',
    ws: 'link rel="edit-media"',
    v2: 'file_name',
    verdict: 'lossy',
    evidence: 'D',
    sentence: 'There is one place for the file; where FileName is another, that stands there.',
    loss: 'EDIT_MEDIA_DROPPED',
  },
  transactionCount: record(
    'TransactionCount',
    'contact_count',
    'Means nothing before the activity is COMPLETE, in both.',
  ),
  runStartTime: record('RunStartTime', 'start_date', 'ISO 8601 in both.'),
  runFinishTime: record('RunFinishTime', 'finish_date', 'ISO 8601 in both.'),
  insertTime: record('InsertTime', 'created_date', 'ISO 8601 in both.'),
  retention: {
    subject: 'records',
    ws: 'a feed of all activities, the newest first, in pages',
    v2: 'the last 50, of 14 days, in no order, on one page',
    verdict: 'lossy',
    evidence: 'D',
    sentence: 'Keep a record of what you sent; an id of more than 14 days leads to 404.',
    loss: 'PAGING_GONE',
  },
  badParameter: error(400, 'A parameter that is wrong, or a system list that is to be cleared', 'D'),
  unknownList: error(400, 'A list that does not exist', 'I'),
  unauthorized: error(401, 'Credentials that are wrong', 'D'),
  forbidden: error(403, 'A key without the right, or too many calls, in the beginning', 'D'),
  notFound: error(404, 'An activity that does not exist', 'D'),
  busy: {
    subject: 'errors',
    ws: 'none',
    v2: '429, too many requests in progress',
    verdict: 'action',
    evidence: 'D',
    sentence: 'Wait until earlier activities have ended, and send it again.',
  },
  tooLarge: {
    subject: 'errors',
    ws: 'not documented',
    v2: '400, of the whole request',
    verdict: 'action',
    evidence: 'D',
    sentence: 'Nothing of it is imported; see the limits above.',
  },
  serverError: error(500, 'A failure of the service', 'D'),
} as const satisfies Record<string, Row>;

/** The id of a row of the mapping: a key of `MAPPING`. */
export type MappingId = keyof typeof MAPPING;
/** A row of the mapping of ws to v2, with its id. */
export type MappingRow = Row & { readonly id: MappingId };

/** The rows in their order, each with its id. */
export const MAPPING_ROWS: readonly MappingRow[] = (Object.keys(MAPPING) as MappingId[]).map((id) => ({
  id,
  ...MAPPING[id],
}));

function status(name: string) {
  return {
    subject: 'statuses',
    ws: name,
    v2: name,
    verdict: 'exact',
    evidence: 'D',
    sentence: 'The same in both.',
  } as const;
}

function column(ws: string, v2: string) {
  return {
    subject: 'columns',
    ws,
    v2,
    verdict: 'exact',
    evidence: 'D',
    sentence: 'The same in both, in uploads and exports.',
  } as const;
}

function record(ws: string, v2: string, sentence: string) {
  return { subject: 'records', ws, v2, verdict: 'exact', evidence: 'F', sentence } as const;
}

function error(code: number, situation: string, evidence: 'D' | 'I') {
  return {
    subject: 'errors',
    ws: `${situation}: ${code}`,
    v2: `${code}, with error_key and error_message`,
    verdict: 'exact',
    evidence,
    sentence: 'The status is the same; v2 says why as JSON, ws as text.',
  } as const;
}
