import { UsageError } from '../activity/errors.js';
import { isSystemList, listId } from '../activity/list.js';
import {
  checkRequest,
  CONTACT_ID,
  FEWEST_CONTACTS,
  type ActivityRequest,
  type CheckedRequest,
} from '../activity/request.js';
import { readCsv } from '../format/csv.js';
import { openContactFile } from '../upload/contact-file.js';
import { fromV2, type V2Request, type V2Upload } from '../v2/meaning.js';
import { V2_LIMITS, V2_SYSTEM_LISTS } from '../v2/names.js';
import { encodeRequest } from '../v2/requests.js';
import { planExport, type ColumnTargets } from './columns.js';
import { RowTranslation } from './file.js';
import { loss, type Loss, type Translation } from './loss.js';

/** From ws to v2, and how. */
export interface RequestToV2 {
  readonly to: 'v2';
  /** Where the values of columns go that v2 ignores: `{ 'MIDDLE NAME': 'CUSTOM FIELD 15' }`. */
  readonly into?: ColumnTargets | undefined;
  /** Milliseconds since 1970, against which anniversaries are checked. Default the machine's. */
  readonly now?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** From v2 to ws. */
export interface RequestFromV2 {
  readonly from: 'v2';
}

/**
 * The requests of v2 that come to the same as a request of ws: one, or several for an upload over the limits of v2, to be
 * sent in their order; none where v2 cannot say it at all. Or, from v2, the request of ws.
 * @throws UsageError as `checkRequest` and for contacts that cannot be read: what ws itself does not take.
 */
export async function translateRequest(
  request: ActivityRequest,
  direction: RequestToV2,
): Promise<Translation<readonly V2Request[]>>;
export async function translateRequest(
  request: V2Request,
  direction: RequestFromV2,
): Promise<Translation<ActivityRequest>>;
export async function translateRequest(
  request: ActivityRequest | V2Request,
  direction: RequestToV2 | RequestFromV2,
): Promise<Translation<readonly V2Request[] | ActivityRequest>> {
  if ('operation' in request) return toWs(request);
  const options: RequestToV2 = { to: 'v2', ...direction };
  const checked = checkRequest(request);
  switch (checked.activityType) {
    case 'CLEAR_CONTACTS_FROM_LISTS':
      return { counterpart: [{ operation: 'clearlists', lists: checked.lists }], losses: [] };
    case 'EXPORT_CONTACTS':
      return exportToV2(checked);
    default:
      return uploadToV2(checked, options);
  }
}

type Export = Extract<CheckedRequest, { activityType: 'EXPORT_CONTACTS' }>;
type Upload = Extract<CheckedRequest, { contacts: unknown }>;

function exportToV2(request: Export): Translation<readonly V2Request[]> {
  const { columns, losses: ofColumns } = planExport(request.columns);
  const losses: Loss[] = [];
  if (request.fileType !== 'CSV') {
    const message = 'v2 exports CSV only: read the file as CSV, or write it with tabs once it is there';
    losses.push(loss('FILE_TYPE_CHANGED', 'fileType', message));
  }
  if (request.exportListName) {
    const message =
      'v2 has no column for the name of the list; an export is of one list, so the name can be added to each row';
    losses.push(loss('LIST_NAME_DROPPED', 'exportListName', message));
  }
  const list = v2List(request.listId);
  if (list === undefined) losses.push(noList(request.listId, 'listId'));
  else if (list !== request.listId) {
    losses.push(loss('LIST_RENAMED', 'listId', `the list ${request.listId} is called ${list} in v2`));
  }
  losses.push(...ofColumns);
  if (list === undefined) return { counterpart: [], losses };
  const { sortBy, exportOptDate: exportDateAdded, exportOptSource: exportAddedBy } = request;
  return {
    counterpart: [{ operation: 'exportcontacts', list, sortBy, exportDateAdded, exportAddedBy, columns }],
    losses,
  };
}

function v2List(id: string): string | undefined {
  if (!isSystemList(id)) return id;
  return Object.entries(V2_SYSTEM_LISTS).find(([ws]) => ws === id)?.[1];
}

function noList(id: string, place: string): Loss {
  const known = Object.values(V2_SYSTEM_LISTS).join(', ');
  const remedy =
    id === 'all' ? 'export these one after another' : 'GET /v2/contacts has contacts by their status';
  return loss(
    'LIST_UNSUPPORTED',
    place,
    `v2 exports no list ${id}, of the system lists only ${known}; ${remedy}`,
  );
}

async function uploadToV2(
  request: Upload,
  { into, now, signal }: RequestToV2,
): Promise<Translation<readonly V2Request[]>> {
  const removes = request.activityType === 'REMOVE_CONTACTS_FROM_LISTS';
  const losses: Loss[] = [];
  const lists = request.lists.filter((id) => {
    if (!isSystemList(id)) return true;
    losses.push(
      loss('LIST_UNSUPPORTED', `lists: ${id}`, 'v2 knows system lists in exports only; name lists by number'),
    );
    return false;
  });
  const file = await openContactFile(request.contacts, { signal });
  try {
    if (file.kind === 'xls') {
      const message = `${file.fileName} is a spreadsheet; save the sheet as .csv and send that`;
      return { counterpart: [], losses: [...losses, loss('SPREADSHEET_UNREAD', 'contacts', message)] };
    }
    if (file.warnings.some(({ code }) => code === 'FEW_CONTACTS')) {
      const message = `both APIs ask that bulk calls be used for ${FEWEST_CONTACTS} contacts or more, and keys were disabled over it`;
      losses.push(loss('FEW_CONTACTS', 'contacts', message));
    }
    const translation = new RowTranslation({ purpose: removes ? 'remove' : 'add', into, now });
    const rows: string[][] = [];
    for await (const row of readCsv(file.open(), { lenient: !('rows' in request.contacts) })) {
      const cells = translation.next(row);
      if (cells !== undefined) rows.push(cells);
    }
    translation.end();
    losses.push(...translation.losses);
    if (lists.length === 0) return { counterpart: [], losses };
    const columns = translation.plan?.uses.map(({ column }) => column) ?? [];
    const whole: V2Upload = removes
      ? { operation: 'removefromlists', addresses: rows.map(([address = '']) => address), lists }
      : {
          operation: 'addcontacts',
          table: { columns, rows },
          lists,
          blanksEnabled: request.blanksEnabled === true,
        };
    const counterpart = await split(whole);
    if (counterpart.length > 1) {
      const message = `${counterpart.length} requests take the place of one; send them in this order, since the last row of an address counts, and wait for all of them`;
      losses.push(loss('SPLIT', 'contacts', message));
    }
    return { counterpart, losses };
  } finally {
    await file.close();
  }
}

/** The request in as few parts as fit the limits. @throws UsageError `UPLOAD_TOO_LARGE` for one contact that does not. */
async function split(request: V2Upload): Promise<readonly V2Request[]> {
  const count = sizeOf(request);
  const most = request.operation === 'addcontacts' ? V2_LIMITS.added : V2_LIMITS.removed;
  if (count > most) {
    const parts: V2Request[] = [];
    for (let from = 0; from < count; from += most)
      parts.push(...(await split(slice(request, from, from + most))));
    return parts;
  }
  try {
    await encodeRequest(request, { encoding: 'multipart' });
    return [request];
  } catch (error) {
    if (!(error instanceof UsageError) || error.code !== 'UPLOAD_TOO_LARGE' || count < 2) throw error;
    const middle = Math.ceil(count / 2);
    return [...(await split(slice(request, 0, middle))), ...(await split(slice(request, middle, count)))];
  }
}

function sizeOf(request: V2Upload): number {
  return request.operation === 'addcontacts' ? request.table.rows.length : request.addresses.length;
}

function slice(request: V2Upload, from: number, to: number): V2Upload {
  if (request.operation === 'removefromlists')
    return { ...request, addresses: request.addresses.slice(from, to) };
  return { ...request, table: { ...request.table, rows: request.table.rows.slice(from, to) } };
}

async function toWs(request: V2Request): Promise<Translation<ActivityRequest>> {
  const losses: Loss[] = [];
  if (request.operation === 'exportcontacts') {
    for (const { ws, v2Export } of request.columns) {
      if (ws === undefined)
        losses.push(loss('COLUMN_UNKNOWN', `columns: ${v2Export}`, 'ws has no such column'));
    }
    const given = await fromV2(request);
    if (given.activityType !== 'EXPORT_CONTACTS') return { counterpart: given, losses };
    if (listId(given.listId) !== request.list) {
      const message = `the list ${request.list} is called ${given.listId} in ws`;
      losses.push(loss('LIST_RENAMED', 'lists', message));
    }
    const columns = given.columns?.filter((name) => name !== CONTACT_ID);
    return { counterpart: { ...given, columns }, losses };
  }
  if (request.operation !== 'addcontacts') return { counterpart: await fromV2(request), losses };
  const { columns, rows } = request.table;
  const kept = columns.flatMap((column, index) => {
    if (column.ws !== undefined) return [{ column, index }];
    losses.push(
      loss('COLUMN_UNKNOWN', `column_names: ${column.v2Upload}`, 'ws has no such column, so it is left out'),
    );
    return [];
  });
  if (request.blanksEnabled) {
    losses.push(
      loss('BLANKS_IGNORED', 'blanks_enabled', 'ws leaves what a contact has where a cell is blank'),
    );
  }
  const table = {
    columns: kept.map(({ column }) => column),
    rows: rows.map((row) => kept.map(({ index }) => row[index] ?? '')),
  };
  return { counterpart: await fromV2({ ...request, table, blanksEnabled: false }), losses };
}
