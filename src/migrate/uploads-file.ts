import { dirname } from 'node:path';
import { CtctError } from '../activity/errors.js';
import { similarField } from '../activity/fields.js';
import { ENCODINGS, type Encoding } from '../format/encodings.js';
import { readTargets, type ColumnTargets } from '../translate/columns.js';
import { ownListId, type ListNames } from './list-map.js';
import { fromFolder, type StepInput } from './planning.js';
import { invalidCell, readTable, type TableRow } from './table-file.js';

const COLUMNS = ['account', 'activityType', 'file', 'lists', 'encoding', 'blanksEnabled', 'into'] as const;
type Row = TableRow<(typeof COLUMNS)[number]>;

/** The types of ws, all that add being one in v2. */
const TYPES = {
  '': 'ADD_CONTACTS',
  ADD_CONTACTS: 'ADD_CONTACTS',
  SV_ADD: 'ADD_CONTACTS',
  ADD_CONTACT_DETAIL: 'ADD_CONTACTS',
  REMOVE_CONTACTS_FROM_LISTS: 'REMOVE_CONTACTS_FROM_LISTS',
  CLEAR_CONTACTS_FROM_LISTS: 'CLEAR_CONTACTS_FROM_LISTS',
} as const satisfies Record<string, StepInput['activityType']>;

const FLAGS: Readonly<Record<string, boolean>> = {
  '': false,
  false: false,
  no: false,
  true: true,
  yes: true,
};

/**
 * The steps of each account, in the order of the rows, of a CSV file with the columns file and lists, and perhaps account,
 * activityType, encoding, blanksEnabled and into. Relative paths start from the folder of that file.
 * @param accounts names that there are; where there is one, rows need not name it.
 * @throws UsageError `CONFIG_INVALID`, with file, line and column; `LIST_INVALID`.
 */
export async function readUploads(
  path: string,
  accounts: readonly string[],
): Promise<ReadonlyMap<string, readonly StepInput[]>> {
  const rows = await readTable(path, COLUMNS, ['lists']);
  const steps = new Map<string, StepInput[]>();
  for (const row of rows) {
    const account = accountOf(row, accounts);
    const known = steps.get(account) ?? [];
    steps.set(account, known);
    known.push(readStep(row, dirname(path)));
  }
  return steps;
}

function accountOf(row: TableRow<'account'>, accounts: readonly string[]): string {
  const { account } = row.cells;
  const [only, ...others] = accounts;
  if (account === '' && only !== undefined && others.length === 0) return only;
  const found = accounts.find((name) => name.toLowerCase() === account.toLowerCase());
  if (found !== undefined) return found;
  const similar = similarField(account, accounts);
  const known = accounts.slice(0, 10).join(', ') + (accounts.length > 10 ? ' …' : '');
  const hint = similar === undefined ? `there are ${known}` : `did you mean ${similar}?`;
  throw invalidCell(
    row.place('account'),
    account === '' ? `is empty; ${hint}` : `${quoted(account)} is none of the accounts; ${hint}`,
  );
}

function readStep(row: Row, folder: string): StepInput {
  const { cells } = row;
  const type = cells.activityType.toUpperCase();
  if (!isType(type)) {
    const types = Object.keys(TYPES).filter((name) => name !== '');
    const similar = similarField(type, types);
    const hint = similar === undefined ? `it must be one of ${types.join(', ')}` : `did you mean ${similar}?`;
    throw invalidCell(row.place('activityType'), `${quoted(cells.activityType)} does not exist; ${hint}`);
  }
  const activityType = TYPES[type];
  const lists = readLists(row);
  if (activityType === 'CLEAR_CONTACTS_FROM_LISTS') {
    if (cells.file === '') return { activityType, lists };
    throw invalidCell(row.place('file'), 'must be empty: lists are cleared without a file');
  }
  if (cells.file === '') throw invalidCell(row.place('file'), 'is empty; name the contact file');
  const blanksEnabled = FLAGS[cells.blanksEnabled.toLowerCase()];
  if (blanksEnabled === undefined) {
    throw invalidCell(
      row.place('blanksEnabled'),
      `must be true, false or empty, got ${quoted(cells.blanksEnabled)}`,
    );
  }
  return {
    activityType,
    file: fromFolder(folder, cells.file),
    origin: { kind: 'file' },
    encoding: readEncoding(row),
    lists,
    blanksEnabled,
    into: readInto(row),
  };
}

function isType(type: string): type is keyof typeof TYPES {
  return Object.hasOwn(TYPES, type);
}

function readLists(row: Row): readonly string[] {
  const texts = row.cells.lists.split(/[\s;,]+/).filter((text) => text !== '');
  if (texts.length === 0) {
    throw invalidCell(
      row.place('lists'),
      'is empty; give numbers of lists, with blanks or semicolons between: 2 5',
    );
  }
  return [...new Set(texts.map((text) => ownListId(text, row.place('lists'))))];
}

function readEncoding(row: Row): Encoding | 'auto' {
  const text = row.cells.encoding.toLowerCase();
  const found = ENCODINGS.find((encoding) => encoding.toLowerCase() === text);
  if (found !== undefined) return found;
  if (text === '' || text === 'auto') return 'auto';
  throw invalidCell(
    row.place('encoding'),
    `must be auto or one of ${ENCODINGS.join(', ')}, got ${quoted(row.cells.encoding)}`,
  );
}

function readInto(row: Row): ColumnTargets {
  const place = row.place('into');
  const pairs = row.cells.into.split(';').filter((text) => text.trim() !== '');
  const into = Object.fromEntries(
    pairs.map((text) => {
      const [from = '', to = '', ...more] = text.split('=').map((name) => name.trim());
      if (from !== '' && to !== '' && more.length === 0) return [from, to];
      throw invalidCell(place, `must be FROM=TO, such as MIDDLE NAME=CUSTOM FIELD 15, got ${quoted(text)}`);
    }),
  );
  try {
    readTargets(into);
  } catch (error) {
    if (!(error instanceof CtctError)) throw error;
    throw invalidCell(place, error.message.replace(/^into: /, ''));
  }
  return into;
}

const LIST_COLUMNS = ['account', 'from', 'to', 'name'] as const;

/**
 * What the lists of each account become, of a CSV file with the columns from and to, and perhaps account and name: the
 * name that the list has in ws.
 * @throws UsageError `CONFIG_INVALID`, with file, line and column; `LIST_INVALID`.
 */
export async function readListNames(
  path: string,
  accounts: readonly string[],
): Promise<ReadonlyMap<string, ListNames>> {
  const found = new Map<string, { readonly to: Map<string, string>; readonly names: Map<string, string> }>();
  for (const row of await readTable(path, LIST_COLUMNS, ['from'])) {
    const account = accountOf(row, accounts);
    const known = found.get(account) ?? { to: new Map<string, string>(), names: new Map<string, string>() };
    found.set(account, known);
    const { to, name } = row.cells;
    const from = ownListId(row.cells.from, row.place('from'));
    if (known.to.has(from)) throw invalidCell(row.place('from'), `list ${from} was told already`);
    known.to.set(from, to === '' ? from : ownListId(to, row.place('to')));
    if (name !== '') known.names.set(from, name);
  }
  return found;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);
}
