import { expect } from 'chai';
import type { Activity } from '../../src/activity/activity.js';
import { COLUMNS, type ContactProperty } from '../../src/activity/columns.js';
import { ServiceError } from '../../src/activity/errors.js';
import { SYSTEM_LISTS } from '../../src/activity/list.js';
import type { ActivityRequest, ExportContacts } from '../../src/activity/request.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import { translateActivity } from '../../src/translate/activity.js';
import { translateCall } from '../../src/translate/call.js';
import { translateColumns } from '../../src/translate/columns.js';
import type { HttpCall } from '../../src/translate/http-call.js';
import { LOSSES, type Loss, type LossCode } from '../../src/translate/loss.js';
import { MAPPING, MAPPING_ROWS, type MappingId } from '../../src/translate/mapping.js';
import { translateRequest } from '../../src/translate/request.js';
import { encodeFault as v2Fault } from '../../src/v2/faults.js';
import { decodeRequest } from '../../src/v2/requests.js';
import { encodeFault as wsFault } from '../../src/ws/faults.js';
import { anActivity } from '../support/stub-service.js';

const ROWS = [{ 'EMAIL ADDRESS': 'ann@example.com', CITY: 'Rome' }];
const codes = (losses: readonly Loss[]) => losses.map(({ code }) => code);

async function toV2(request: ActivityRequest) {
  const { counterpart, losses } = await translateRequest(request, { to: 'v2' });
  return { requests: counterpart, losses };
}

function add(
  rows: readonly Record<string, string>[] = ROWS,
  lists: readonly string[] = ['2'],
): ActivityRequest {
  return { activityType: 'SV_ADD', contacts: { rows }, lists };
}

async function exported(options: Partial<ExportContacts> = {}) {
  const { requests, losses } = await toV2({
    activityType: 'EXPORT_CONTACTS',
    listId: '2',
    columns: ['EMAIL ADDRESS'],
    ...options,
  });
  const [request] = requests;
  if (request !== undefined && request.operation !== 'exportcontacts') throw new Error(request.operation);
  return { request, losses, codes: codes(losses) };
}

async function called(method: string, path: string, body = '', headers: Record<string, string> = {}) {
  const call: HttpCall = {
    place: 'call',
    method,
    url: `https://api.constantcontact.com/ws/customers/joesflowers/${path}`,
    headers: new Map(Object.entries({ 'content-type': 'application/x-www-form-urlencoded', ...headers })),
    body: Buffer.from(body),
  };
  const { counterpart, losses } = await translateCall(call, { to: 'v2' });
  return { calls: counterpart, codes: codes(losses) };
}

const record = (facts: Partial<Activity>) => {
  const { counterpart, losses } = translateActivity(anActivity({ id: 'a07e', ...facts }), { to: 'v2' });
  return { record: counterpart, codes: codes(losses) };
};

const fromRecord = (facts: Partial<Activity>) => {
  const { counterpart, losses } = translateActivity(anActivity({ id: 'a07e', ...facts }), { from: 'v2' });
  return { activity: counterpart, codes: codes(losses) };
};

/** What a row shows: the codes that its translation told, after its own checks. */
type Show = () => Promise<readonly LossCode[]> | readonly LossCode[];

const sameStatus =
  (status: string): Show =>
  () => {
    expect(fromRecord({ status })).to.deep.include({ codes: [] });
    expect(record({ status }).record.status).to.equal(status);
    return record({ status }).codes;
  };

const sameError =
  (status: number): Show =>
  async () => {
    const error = new ServiceError('SERVICE_REFUSED', 'no', { status, detail: 'because' });
    const [ws, v2] = [wsFault(error), v2Fault(error)];
    expect(v2.status).to.equal(ws.status).and.to.equal(status);
    expect(await v2.json()).to.have.nested.property('[0].error_message', (await ws.text()).trim());
    return [];
  };

/** The column under its name in an upload and in an export. */
const sameColumn =
  (...properties: readonly ContactProperty[]): Show =>
  async () => {
    const told: LossCode[] = [];
    for (const property of properties) {
      const column = COLUMNS.find((one) => one.property === property)!;
      const up = await toV2(add([{ 'EMAIL ADDRESS': 'ann@example.com', [column.ws]: 'x@example.com' }]));
      const [request] = up.requests;
      if (request?.operation !== 'addcontacts') throw new Error('no upload');
      const index = request.table.columns.findIndex((one) => one.property === property);
      expect(request.table.columns[index]?.v2Upload).to.equal(column.v2Upload);
      expect(request.table.rows[0]?.[index]).to.equal('x@example.com');
      const down = await exported({ columns: ['EMAIL ADDRESS', column.ws] });
      expect(down.request?.columns.map(({ v2Export }) => v2Export)).to.include(column.v2Export);
      const about = [...up.losses, ...down.losses].filter(({ place }) =>
        place.toUpperCase().endsWith(`: ${column.ws}`),
      );
      told.push(...codes(about));
    }
    return told;
  };

const ignoredColumn =
  (ws: string): Show =>
  async () => {
    const { losses } = await toV2(add([{ 'EMAIL ADDRESS': 'ann@example.com', [ws]: 'x' }]));
    const down = await exported({ columns: ['EMAIL ADDRESS', ws] });
    expect(down.codes).to.include('COLUMN_IGNORED');
    return codes(losses.filter(({ severity }) => severity === 'loss'));
  };

const operation = async (request: ActivityRequest) =>
  (await toV2(request)).requests.map((one) => one.operation);

/** Every row of the table by a translation that shows it. */
const SHOWS: Record<MappingId, Show> = {
  add: async () => {
    for (const activityType of ['SV_ADD', 'ADD_CONTACTS', 'ADD_CONTACT_DETAIL'] as const) {
      const request: ActivityRequest = { activityType, contacts: { rows: ROWS }, lists: ['2'] };
      expect(await operation(request)).to.deep.equal(['addcontacts']);
    }
    return [];
  },
  addDetailRecord: () => {
    const { record: made, codes: told } = record({ type: 'ADD_CONTACT_DETAIL' });
    expect(made.type).to.equal('ADD_CONTACTS');
    return told;
  },
  remove: async () => {
    const contacts = { rows: ROWS };
    expect(
      await operation({ activityType: 'REMOVE_CONTACTS_FROM_LISTS', contacts, lists: ['2'] }),
    ).to.deep.equal(['removefromlists']);
    return [];
  },
  clear: async () => {
    expect(await operation({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['2'] })).to.deep.equal([
      'clearlists',
    ]);
    return [];
  },
  export: async () => (await exported({ exportListName: true })).codes,
  changeActivity: async () => {
    for (const method of ['PUT', 'DELETE']) {
      const { calls, codes: told } = await called(method, 'activities/a07e');
      expect([calls, told]).to.deep.equal([[], ['CALL_UNSUPPORTED']]);
    }
    return [];
  },
  unconfirmed: sameStatus('UNCONFIRMED'),
  pending: sameStatus('PENDING'),
  queued: sameStatus('QUEUED'),
  running: sameStatus('RUNNING'),
  complete: sameStatus('COMPLETE'),
  error: sameStatus('ERROR'),
  cancelled: () => fromRecord({ status: 'CANCELLED' }).codes,
  endpoint: async () => {
    const { calls, codes: told } = await called(
      'POST',
      'activities',
      'activityType=CLEAR_CONTACTS_FROM_LISTS&lists=2',
    );
    expect(calls[0]).to.include({
      method: 'POST',
      url: 'https://api.constantcontact.com/v2/activities/clearlists',
    });
    return told;
  },
  credentials: async () => {
    const schemes = [
      'Basic a2V5JXVzZXI6cGFzcw==',
      'Bearer t',
      'OAuth oauth_token="t"',
      'Digest username="k%u"',
    ];
    const all = await Promise.all(
      schemes.map(async (authorization) => (await called('GET', 'lists', '', { authorization })).codes),
    );
    const inQuery = [
      await called('GET', 'lists?access_token=t'),
      await called('GET', 'lists?oauth_signature=x'),
    ];
    for (const told of [...all, ...inQuery.map((one) => one.codes)])
      expect(told).to.deep.equal(['CREDENTIALS_CHANGED']);
    return all[0]!;
  },
  data: async () => {
    const form = 'activityType=SV_ADD&lists=2&data=Email%20Address%0Aann%40example.com';
    expect((await called('POST', 'activities', form)).calls[0]?.body?.form).to.equal('json');
    return [];
  },
  dataFileText: async () => {
    const text = 'Email Address\tCity\nann@example.com\tRome\n';
    const contacts = { bytes: Buffer.from(text), fileName: 'up.txt' };
    const { requests } = await toV2({ activityType: 'SV_ADD', contacts, lists: ['2'] });
    expect(requests[0])
      .to.have.nested.property('table.rows')
      .that.deep.equals([['ann@example.com', 'Rome']]);
    return [];
  },
  dataFileXls: async () => {
    const contacts = { bytes: Buffer.from('d0cf11e0a1b11ae1', 'hex'), fileName: 'up.xls' };
    const { requests, losses } = await toV2({ activityType: 'SV_ADD', contacts, lists: ['2'] });
    expect(requests).to.deep.equal([]);
    return codes(losses);
  },
  lists: async () => {
    const uri = 'http://api.constantcontact.com/ws/customers/joesflowers/lists/12';
    expect((await toV2(add(ROWS, [uri]))).requests[0])
      .to.have.property('lists')
      .that.deep.equals(['12']);
    return [];
  },
  manyLists: async () => {
    const lists = Array.from({ length: 60 }, (_, index) => String(index + 1));
    expect((await toV2(add(ROWS, lists))).requests)
      .to.have.length(1)
      .and.to.have.nested.property('[0].lists.length', 60);
    return [];
  },
  listId: async () => {
    const { request, codes: told } = await exported();
    expect(request?.list).to.equal('2');
    return told.filter((code) => code !== 'COLUMN_RENAMED');
  },
  listActive: async () => {
    expect((await exported({ listId: 'active' })).request?.list).to.equal('active');
    return [];
  },
  listDoNotMail: async () => {
    const { request, codes: told } = await exported({ listId: 'do-not-mail' });
    expect(request?.list).to.equal('opted-out');
    const back = await translateRequest(request!, { from: 'v2' });
    expect(back).to.have.nested.property('counterpart.listId', 'do-not-mail');
    expect(codes(back.losses)).to.deep.equal(['LIST_RENAMED']);
    return told;
  },
  listRemoved: async () => {
    expect((await exported({ listId: 'removed' })).request?.list).to.equal('removed');
    return [];
  },
  listOthers: async () => {
    for (const listId of ['all', 'awaiting-confirmation']) {
      expect((await exported({ listId })).request).to.equal(undefined);
    }
    return (await exported({ listId: 'all' })).codes;
  },
  fileTypeCsv: async () =>
    (await exported({ fileType: 'CSV' })).codes.filter((code) => code !== 'COLUMN_RENAMED'),
  fileTypeTxt: async () => (await exported({ fileType: 'TXT' })).codes,
  exportOptDate: async () => {
    expect((await exported({ exportOptDate: true })).request).to.include({
      exportDateAdded: true,
      exportAddedBy: false,
    });
    return [];
  },
  exportOptSource: async () => {
    expect((await exported({ exportOptSource: true })).request).to.include({
      exportDateAdded: false,
      exportAddedBy: true,
    });
    return [];
  },
  exportListName: async () => (await exported({ exportListName: true })).codes,
  sortBy: async () => {
    for (const sortBy of ['EMAIL_ADDRESS', 'DATE_DESC'] as const) {
      expect((await exported({ sortBy })).request?.sortBy).to.equal(sortBy);
    }
    return [];
  },
  exportColumns: async () => {
    const { request, codes: told } = await exported({ columns: ['CITY'] });
    expect(request?.columns.map(({ v2Export }) => v2Export)).to.deep.equal(['Email', 'City']);
    return told;
  },
  blanks: async () => {
    expect((await toV2(add())).requests[0]).to.include({ blanksEnabled: false });
    return [];
  },
  blanksEnabled: async () => {
    const [request] = (await toV2({ ...add(), blanksEnabled: true } as ActivityRequest)).requests;
    const back = await translateRequest(request!, { from: 'v2' });
    expect(back.counterpart).not.to.have.property('blanksEnabled');
    return codes(back.losses);
  },
  limits: async () => {
    const text = `EMAIL ADDRESS\n${'a@example.com\n'.repeat(20_001)}`;
    const removal = { activityType: 'REMOVE_CONTACTS_FROM_LISTS', contacts: { text }, lists: ['2'] } as const;
    const { requests, losses } = await toV2(removal);
    expect(requests.map((one) => ('addresses' in one ? one.addresses.length : 0))).to.deep.equal([20_000, 1]);
    const wide = Array.from({ length: 6 }, (_, row) => ({
      'EMAIL ADDRESS': `a${row}@example.com`,
      CITY: 'x'.repeat(900_000),
    }));
    const parts = (await toV2(add(wide))).requests;
    expect(parts.map((one) => ('table' in one ? one.table.rows.length : 0))).to.deep.equal([3, 3]);
    return codes(losses);
  },
  emailAddress: sameColumn('emailAddress'),
  firstName: sameColumn('firstName'),
  lastName: sameColumn('lastName'),
  middleName: ignoredColumn('MIDDLE NAME'),
  jobTitle: sameColumn('jobTitle'),
  companyName: sameColumn('companyName'),
  workPhone: sameColumn('workPhone'),
  homePhone: sameColumn('homePhone'),
  addressLine1: sameColumn('addressLine1'),
  addressLine2: sameColumn('addressLine2'),
  addressLine3: sameColumn('addressLine3'),
  city: sameColumn('city'),
  state: sameColumn('state'),
  stateProvince: async () => {
    const ws = 'STATE/PROVINCE (US/CANADA)';
    const { requests, losses } = await toV2(
      add([{ 'EMAIL ADDRESS': 'ann@example.com', STATE: 'Ohio', [ws]: 'MA' }]),
    );
    expect(requests[0])
      .to.have.nested.property('table.rows')
      .that.deep.equals([['ann@example.com', 'MA']]);
    expect(codes(losses)).to.include('VALUE_CONFLICT');
    expect((await exported({ columns: [ws] })).request?.columns.map(({ v2Export }) => v2Export)).to.include(
      'State',
    );
    return codes(losses);
  },
  country: sameColumn('country'),
  postalCode: sameColumn('postalCode'),
  subPostalCode: ignoredColumn('SUB POSTAL CODE'),
  customFields: sameColumn(
    ...COLUMNS.map(({ property }) => property).filter((property) => property.startsWith('customField')),
  ),
  birthday: async () => {
    const told: LossCode[] = [];
    for (const name of ['BIRTHDAY_DAY', 'BIRTHDAY_MONTH', 'ANNIVERSARY']) {
      expect(translateColumns([name], { from: 'v2' }).counterpart).to.deep.equal([]);
      const body = {
        import_data: [{ email_addresses: ['a@example.com'] }],
        lists: ['2'],
        column_names: ['EMAIL', name],
      };
      const bytes = Buffer.from(JSON.stringify(body));
      const request = await decodeRequest('addcontacts', 'application/json', bytes, new URLSearchParams());
      told.push(...codes((await translateRequest(request, { from: 'v2' })).losses));
    }
    expect(told).to.have.length(3);
    // Such a column of a file of ws counts in v2.
    expect(codes(translateColumns(['EMAIL', 'BIRTHDAY_DAY'], { to: 'v2' }).losses)).to.deep.equal([
      'COLUMN_NEW',
    ]);
    return told;
  },
  contactId: async () => {
    const { request } = await exported({ columns: ['CONTACT ID'] });
    const back = await translateRequest(request!, { from: 'v2' });
    expect(back.counterpart).to.have.property('columns').that.deep.equals([]);
    return codes(back.losses);
  },
  otherColumns: () => codes(translateColumns(['EMAIL', 'email type'], { to: 'v2' }).losses),
  id: () => {
    expect(record({}).record.id).to.equal('a07e');
    return [];
  },
  updated: () => {
    expect(fromRecord({ insertTime: new Date(5) }).activity.updated).to.deep.equal(new Date(5));
    return record({ updated: new Date(5) }).codes;
  },
  title: () => record({ title: 'x' }).codes,
  type: () => {
    for (const type of [
      'ADD_CONTACTS',
      'REMOVE_CONTACTS_FROM_LISTS',
      'CLEAR_CONTACTS_FROM_LISTS',
      'EXPORT_CONTACTS',
    ]) {
      expect(record({ type }))
        .to.deep.include({ codes: [] })
        .and.to.have.nested.property('record.type', type);
    }
    return [];
  },
  status: () => record({ status: 'COMPLETE' }).codes,
  errorsOfRecord: () =>
    fromRecord({ errors: [{ lineNumber: 2, emailAddress: undefined, message: 'x' }] }).codes,
  errorCount: () => fromRecord({ errorCount: 50 }).codes,
  fileName: () => {
    expect(record({ fileName: 'up.csv' }).record.file_name).to.equal('up.csv');
    return [];
  },
  editMedia: () => {
    expect(record({ editMedia: 'http://x/a.csv' })).to.deep.include({ codes: [] });
    return record({ editMedia: 'http://x/a.csv', fileName: 'b.csv' }).codes;
  },
  transactionCount: () => {
    expect(record({ transactionCount: 7 }).record.contact_count).to.equal(7);
    return [];
  },
  runStartTime: () => {
    expect(record({ runStartTime: new Date(0) }).record.start_date).to.equal('1970-01-01T00:00:00.000Z');
    return [];
  },
  runFinishTime: () => {
    expect(record({ runFinishTime: new Date(0) }).record.finish_date).to.equal('1970-01-01T00:00:00.000Z');
    return [];
  },
  insertTime: () => {
    expect(record({ insertTime: new Date(0) }).record.created_date).to.equal('1970-01-01T00:00:00.000Z');
    return [];
  },
  retention: async () => {
    const { calls, codes: told } = await called('GET', 'activities?next=x');
    expect(calls[0]?.url).to.equal('https://api.constantcontact.com/v2/activities');
    return told;
  },
  badParameter: sameError(400),
  unknownList: sameError(400),
  unauthorized: sameError(401),
  forbidden: sameError(403),
  notFound: sameError(404),
  busy: () => {
    expect(
      v2Fault(new ServiceError('RATE_LIMITED', 'busy', { status: 429, detail: 'busy' })).status,
    ).to.equal(429);
    return [];
  },
  tooLarge: async () => {
    const emulator = createEmulator();
    const response = await emulator.fetch('http://localhost/v2/activities/addcontacts?api_key=k', {
      method: 'POST',
      headers: { authorization: 'Bearer t', 'content-type': 'application/json' },
      body: Buffer.alloc(4_000_000, 0x20),
    });
    expect(response.status).to.equal(400);
    return [];
  },
  serverError: sameError(500),
};

describe('the mapping', () => {
  for (const row of MAPPING_ROWS) {
    it(`${row.subject}: ${row.id}: ${row.ws} is ${row.v2}: ${row.verdict}`, async () => {
      const told = await SHOWS[row.id]();
      if (row.loss !== undefined) expect(told).to.include(row.loss);
      // What is exact, or only needs to be done otherwise, loses nothing.
      const lost = told.filter((code) => LOSSES[code].severity === 'loss');
      if (row.verdict === 'exact' || row.verdict === 'action') expect(lost).to.deep.equal([]);
      else expect(lost.length > 0 || row.id === 'stateProvince').to.equal(true);
    });
  }

  it('has a row for each column, each system list, and each code that is about the same', () => {
    for (const { property, ws } of COLUMNS) {
      const known = property in MAPPING || (property.startsWith('customField') && 'customFields' in MAPPING);
      expect(known, ws).to.equal(true);
    }
    const lists = MAPPING_ROWS.map(({ ws }) => ws).join(' ');
    for (const id of Object.keys(SYSTEM_LISTS)) expect(lists).to.include(`/lists/${id}`);
    for (const { verdict, loss: code } of MAPPING_ROWS) {
      if (verdict === 'impossible' || verdict === 'lossy') expect(code).to.be.a('string');
    }
  });
});
