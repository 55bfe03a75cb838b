import { COLUMNS, EMAIL_ADDRESS, findV2Column, type V2Property } from '../activity/columns.js';
import { DecodeError } from '../activity/errors.js';
import { CONTACT_ID, type CheckedRequest, type ExportContacts } from '../activity/request.js';
import { readCsv, writeCsv, type CsvRow } from '../format/csv.js';
import { planExport, readTargets, type ColumnTargets } from '../translate/columns.js';
import { loss, type Loss, type Translation } from '../translate/loss.js';
import { EXPORT_COLUMNS } from '../v2/columns.js';
import { exportDates } from './export-dates.js';
import { warningsOf, type GatewayWarning } from './warnings.js';

/** An export as an old client asked for it. */
export type WsExport = Extract<CheckedRequest, { activityType: 'EXPORT_CONTACTS' }>;

export interface ToV2ExportOptions {
  /** The id that v2 has for the list. Default: that of the request. */
  readonly listId?: string | undefined;
  /** Where uploads put columns that v2 ignores: from custom fields they are brought back. */
  readonly into?: ColumnTargets | undefined;
}

/**
 * The export to ask v2 for: of it `toWsExport` makes the file that was asked for. The losses are those that are left then.
 */
export function toV2Export(
  request: WsExport,
  { listId = request.listId, into }: ToV2ExportOptions = {},
): Translation<ExportContacts> {
  const wanted = columnsOf(request, into);
  const { columns } = planExport(wanted.flatMap(({ source }) => V2_NAMES.get(source) ?? []));
  const counterpart: ExportContacts = {
    activityType: 'EXPORT_CONTACTS',
    listId,
    fileType: 'CSV',
    exportOptDate: request.exportOptDate,
    exportOptSource: request.exportOptSource,
    exportListName: false,
    sortBy: request.sortBy,
    columns: columns.map(({ ws, v2Export }) => ws ?? v2Export),
  };
  return { counterpart, losses: [...columnLosses(wanted), ...listLosses(request)] };
}

function columnLosses(wanted: readonly WsColumn[]): Loss[] {
  const both = ['state', 'stateProvince'].every((one) => wanted.some(({ property }) => property === one));
  return wanted.flatMap(({ property, name, source }): Loss[] => {
    const place = `columns: ${name}`;
    if (source === undefined) {
      return [
        loss('COLUMN_IGNORED', place, 'v2 does not keep it, so the column is there and its cells are blank'),
      ];
    }
    if (property !== 'stateProvince') return [];
    const message = `v2 has one column for states, which fills this one${both ? ' and STATE' : ''}`;
    return [loss('COLUMN_MERGED', place, message)];
  });
}

function listLosses({ exportListName, listId }: WsExport): Loss[] {
  return exportListName && listId === 'active' ? [listsDropped()] : [];
}

function listsDropped(): Loss {
  const message =
    'where v2 does not tell the lists of each contact in an export of active, there is no column for them';
  return loss('LIST_NAME_DROPPED', 'exportListName', message);
}

const V2_NAMES: ReadonlyMap<V2Property | undefined, string> = new Map(
  EXPORT_COLUMNS.map(({ property, v2Export }) => [property, v2Export]),
);

/** A column of the file of ws. */
interface WsColumn {
  readonly name: string;
  readonly heading: string;
  readonly property: V2Property;
  /** Where its values are in the file of v2; undefined where there are none. */
  readonly source: V2Property | undefined;
}

/** The columns that were asked for, in their order, the address first. */
function columnsOf(request: WsExport, into: ColumnTargets = {}): readonly WsColumn[] {
  const targets = readTargets(into);
  const names = [EMAIL_ADDRESS, ...request.columns.filter((name) => name !== EMAIL_ADDRESS)];
  return names.flatMap((name): WsColumn[] => {
    if (name === CONTACT_ID) {
      return [{ name, heading: 'Contact ID', property: 'contactId', source: 'contactId' }];
    }
    return COLUMNS.filter(({ ws }) => ws === name).map(({ heading, property, v2Export }) => {
      const target = targets.get(property)?.property;
      const kept = property === 'stateProvince' ? 'state' : v2Export === undefined ? undefined : property;
      const source = target?.startsWith('customField') === true ? target : kept;
      return { name, heading, property, source };
    });
  });
}

export interface ToWsExportOptions {
  /** As `toV2Export` had it. */
  readonly into?: ColumnTargets | undefined;
  /** The short name of the list that is exported, for `exportListName`. */
  readonly listName: string;
  /** Of the times in the file, by its IANA name. Default: as v2 wrote them, which is as ws did. */
  readonly timeZone?: string | undefined;
  /** Takes a file that is not well-formed as far as it can be read; cells lose blanks at their ends. Default false. */
  readonly lenient?: boolean | undefined;
  /** Told of what is lost: as by `toV2Export`, and columns that v2 was asked for and did not give. */
  readonly warn?: ((warning: GatewayWarning) => void) | undefined;
}

/**
 * The file that ws would have given, made of that of v2: headings, columns and their order, separators. UTF-8 without a
 * byte-order mark, lines ended by CR LF; in a TXT file tabs stand between cells, and a cell with a tab in quotes.
 *
 * The order of the rows is that of v2, which sorts as it is asked to. Memory does not grow with the file.
 * @throws DecodeError `CSV_MALFORMED` unless lenient; `DOCUMENT_UNEXPECTED` for a file without addresses.
 */
export async function* toWsExport(
  request: WsExport,
  v2File: AsyncIterable<Uint8Array> | Uint8Array,
  options: ToWsExportOptions,
): AsyncGenerator<Uint8Array, void> {
  const { lenient = false } = options;
  const rows = wsRows(request, readCsv(v2File, { delimiter: ',', lenient }), options);
  const delimiter = request.fileType === 'TXT' ? '\t' : ',';
  for await (const text of writeCsv(rows, { delimiter, lineEnd: '\r\n' })) yield Buffer.from(text);
}

type CellOf = (cells: readonly string[]) => string;

async function* wsRows(
  request: WsExport,
  v2Rows: AsyncIterable<CsvRow>,
  options: ToWsExportOptions,
): AsyncGenerator<readonly string[]> {
  let cellsOf: readonly CellOf[] | undefined;
  for await (const { cells } of v2Rows) {
    if (cellsOf === undefined) {
      const columns = fileColumns(request, cells, options);
      cellsOf = columns.map(([, cell]) => cell);
      yield columns.map(([heading]) => heading);
    } else yield cellsOf.map((cell) => cell(cells));
  }
  if (cellsOf === undefined) yield fileColumns(request, ['Email'], options).map(([heading]) => heading);
}

/** The headings of the file, and what stands under each. */
function fileColumns(
  request: WsExport,
  v2Heading: readonly string[],
  { into, listName, timeZone, warn }: ToWsExportOptions,
): (readonly [heading: string, cell: CellOf])[] {
  const properties = v2Heading.map((name) => findV2Column(name)?.property);
  const address = at(properties.indexOf('emailAddress'));
  if (address === undefined) throw noAddresses(v2Heading);
  const missing = (name: string) => {
    warn?.({
      code: 'COLUMN_IGNORED',
      message: `${name}: v2 did not give this column, so its cells are blank`,
    });
    return BLANK;
  };
  const left = request.listId === 'removed' || request.listId === 'do-not-mail';
  const wanted = columnsOf(request, into);
  for (const warning of warningsOf(columnLosses(wanted))) warn?.(warning);
  const asked = wanted.map(({ name, heading, source }) => {
    if (source === undefined) return [heading, BLANK] as const;
    return [heading, at(properties.indexOf(source)) ?? missing(name)] as const;
  });
  const options: (readonly [string, CellOf])[] = [];
  if (request.exportOptDate) {
    const date = at(v2Heading.findIndex((name) => DATE.test(name.trim()))) ?? missing('exportOptDate');
    const written = exportDates(timeZone);
    options.push([left ? 'Date Removed' : 'Date Added', (cells) => written(date(cells))]);
  }
  if (request.exportOptSource) {
    const by = at(v2Heading.findIndex((name) => SOURCE.test(name.trim()))) ?? missing('exportOptSource');
    options.push([left ? 'Removed By' : 'Added By', by]);
  }
  const told = v2Heading.flatMap((name, index) =>
    LIST.test(name) ? [[name, at(index) ?? BLANK] as const] : [],
  );
  const ofLists = request.listId === 'active' ? told : [[`List: ${listName}`, () => 'x'] as const];
  if (request.exportListName && ofLists.length === 0) {
    for (const warning of warningsOf([listsDropped()])) warn?.(warning);
  }
  return [...asked, ...options, ...(request.exportListName ? ofLists : [])];
}

const DATE = /^(?:date (?:added|removed)|(?:add|remove)d? date)$/i;
const SOURCE = /^(?:added|removed) by$/i;
const LIST = /^list: /i;

const BLANK: CellOf = () => '';

function at(index: number): CellOf | undefined {
  return index < 0 ? undefined : (cells) => cells[index] ?? '';
}

function noAddresses(heading: readonly string[]): DecodeError {
  return new DecodeError(
    'DOCUMENT_UNEXPECTED',
    `the file of the export has no column of addresses, only ${heading.join(', ').slice(0, 200)}`,
    { source: undefined, line: 1, column: 1, byteOffset: 0 },
  );
}
