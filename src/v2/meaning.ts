import { findColumn, V2_COLUMNS } from '../activity/columns.js';
import { UnsupportedError } from '../activity/errors.js';
import {
  CONTACT_ID,
  type ActivityRequest,
  type CheckedRequest,
  type SortOrder,
  type Warning,
} from '../activity/request.js';
import { isSystemList } from '../activity/list.js';
import { writeCsv } from '../format/csv.js';
import { EXPORT_COLUMNS, type ExportColumn } from './columns.js';
import { V2_SYSTEM_LISTS } from './names.js';
import { leftOut, readTable, type ContactTable } from './table.js';

/** A request as v2 says it, whether as JSON or as multipart. */
export type V2Request =
  | {
      readonly operation: 'addcontacts';
      readonly table: ContactTable;
      readonly lists: readonly string[];
      readonly blanksEnabled: boolean;
      /** Of a multipart request that came in: what records call the upload. */
      readonly fileName?: string | undefined;
    }
  | {
      readonly operation: 'removefromlists';
      readonly addresses: readonly string[];
      readonly lists: readonly string[];
    }
  | { readonly operation: 'clearlists'; readonly lists: readonly string[] }
  | {
      readonly operation: 'exportcontacts';
      /** The id of a list, or `active`, `opted-out` or `removed`. */
      readonly list: string;
      readonly sortBy: SortOrder;
      readonly exportDateAdded: boolean;
      readonly exportAddedBy: boolean;
      /** The address among them. */
      readonly columns: readonly ExportColumn[];
    };

export type V2Upload = Extract<V2Request, { readonly operation: 'addcontacts' | 'removefromlists' }>;

export interface MeaningOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly warn: (warning: Warning) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The request in the terms of v2. What v2 would only ignore is left out with a warning.
 * @throws UnsupportedError for what v2 cannot say, with what to do instead.
 * @throws UsageError as `readTable`.
 */
export async function toV2(request: CheckedRequest, options: MeaningOptions): Promise<V2Request> {
  switch (request.activityType) {
    case 'CLEAR_CONTACTS_FROM_LISTS':
      return { operation: 'clearlists', lists: request.lists };
    case 'EXPORT_CONTACTS':
      return exportToV2(request, options);
    case 'REMOVE_CONTACTS_FROM_LISTS': {
      const { rows } = await readTable(request.contacts, { ...options, purpose: 'remove' });
      return {
        operation: 'removefromlists',
        addresses: rows.map(([address = '']) => address),
        lists: ownLists(request.lists),
      };
    }
    default:
      return {
        operation: 'addcontacts',
        table: await readTable(request.contacts, { ...options, purpose: 'add' }),
        lists: ownLists(request.lists),
        blanksEnabled: request.blanksEnabled === true,
      };
  }
}

function ownLists(lists: readonly string[]): readonly string[] {
  const system = lists.find(isSystemList);
  if (system === undefined) return lists;
  throw new UnsupportedError(
    `lists: v2 knows the system list ${system} in exports only; name lists by number`,
  );
}

function exportToV2(
  request: Extract<CheckedRequest, { activityType: 'EXPORT_CONTACTS' }>,
  { warn }: MeaningOptions,
): V2Request {
  const { listId, fileType } = request;
  if (fileType !== 'CSV') {
    throw new UnsupportedError(`fileType: v2 exports CSV only, not ${fileType}; leave it out`);
  }
  if (request.exportListName) {
    throw new UnsupportedError('exportListName: v2 has no column for the name of the list; leave it out');
  }
  if (isSystemList(listId) && !Object.hasOwn(V2_SYSTEM_LISTS, listId)) {
    const known = Object.keys(V2_SYSTEM_LISTS).join(', ');
    throw new UnsupportedError(`listId: v2 cannot export ${listId}; of the system lists it has ${known}`);
  }
  const columns = request.columns.flatMap((name): ExportColumn[] => {
    const column = V2_COLUMNS.find(({ ws, property }) =>
      name === CONTACT_ID ? property === 'contactId' : ws === name,
    );
    const found = EXPORT_COLUMNS.find(({ property }) => property === column?.property);
    if (found === undefined) warn(leftOut(name, column?.v2Ignored));
    return found === undefined ? [] : [found];
  });
  return {
    operation: 'exportcontacts',
    list: v2List(listId),
    sortBy: request.sortBy,
    exportDateAdded: request.exportOptDate,
    exportAddedBy: request.exportOptSource,
    columns: columns.some(isAddress) ? columns : [...EXPORT_COLUMNS.filter(isAddress), ...columns],
  };
}

function isAddress({ property }: ExportColumn): boolean {
  return property === 'emailAddress';
}

function v2List(id: string): string {
  const system = Object.entries(V2_SYSTEM_LISTS).find(([ws]) => ws === id);
  return system?.[1] ?? id;
}

/** The request in the terms of the model; contacts are a file whose columns have their ws names, where they have one. */
export async function fromV2(request: V2Request): Promise<ActivityRequest> {
  switch (request.operation) {
    case 'addcontacts': {
      const { columns, rows } = request.table;
      return {
        activityType: 'ADD_CONTACTS',
        contacts: {
          text: await csvText([columns.map(({ ws, v2Upload }) => ws ?? v2Upload), ...rows]),
          ...(request.fileName !== undefined && { fileName: request.fileName }),
        },
        lists: request.lists,
        ...(request.blanksEnabled && { blanksEnabled: true }),
      };
    }
    case 'removefromlists':
      return {
        activityType: 'REMOVE_CONTACTS_FROM_LISTS',
        contacts: {
          text: await csvText([['EMAIL ADDRESS'], ...request.addresses.map((address) => [address])]),
        },
        lists: request.lists,
      };
    case 'clearlists':
      return { activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: request.lists };
    case 'exportcontacts':
      return {
        activityType: 'EXPORT_CONTACTS',
        listId: wsList(request.list),
        fileType: 'CSV',
        exportOptDate: request.exportDateAdded,
        exportOptSource: request.exportAddedBy,
        exportListName: false,
        sortBy: request.sortBy,
        columns: request.columns
          .filter((column) => !isAddress(column))
          .map(({ ws, v2Export }) => findColumn(ws ?? '')?.ws ?? v2Export.toUpperCase()),
      };
  }
}

function wsList(list: string): string {
  const system = Object.entries(V2_SYSTEM_LISTS).find(([, name]) => name === list);
  return system?.[0] ?? list;
}

async function csvText(rows: readonly (readonly string[])[]): Promise<string> {
  let text = '';
  for await (const piece of writeCsv(rows)) text += piece;
  return text;
}
