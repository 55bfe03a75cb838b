import type { ActivityError } from '../activity/activity.js';
import { EMAIL_ADDRESS, findColumn, type ColumnName } from '../activity/columns.js';
import { UsageError } from '../activity/errors.js';
import { checkHeading } from '../activity/request.js';
import type { CsvRow } from '../format/csv.js';
import { isEmailAddress } from './address.js';
import { isAnniversary, isBirthday } from './dates.js';
import { isStateOrProvince, isUsOrCanada } from './states.js';

/** A row that passed the checks. `values` are its cells that are not blank, the address not among them. */
export interface UploadRow {
  readonly line: number;
  readonly address: string;
  readonly values: readonly (readonly [ColumnName, string])[];
}

/** An upload as the service understood it. */
export interface Upload {
  /** True when there are columns beyond the address: such an upload is an ADD_CONTACT_DETAIL. */
  readonly hasDetails: boolean;
  readonly rows: readonly UploadRow[];
  /** The rows that did not pass, in order of line. */
  readonly errors: readonly (ActivityError & { readonly lineNumber: number })[];
  /** Set when the file turned out to be no text: nothing of it can be used. */
  readonly broken: ActivityError | undefined;
}

/** Columns that are checked and then not kept: no ws export can ask for them. */
const DATE_COLUMNS = {
  birthdaymonth: 'birthdayMonth',
  birthdayday: 'birthdayDay',
  anniversary: 'anniversary',
} as const satisfies Record<string, string>;

type DateColumn = (typeof DATE_COLUMNS)[keyof typeof DATE_COLUMNS];

/** What stands in a column; undefined for one the service does not know (`email type` is one), which is passed over. */
type ColumnUse = { readonly name: ColumnName } | { readonly date: DateColumn } | undefined;

/**
 * Reads and checks the rows of an uploaded contact file. Blanks around cells do not count, a row of blanks is no row,
 * and cells beyond the heading are passed over.
 *
 * An upload for removal is checked for addresses only: what else is in it changes nothing.
 * @param now  an anniversary may lie ten years ahead of it.
 * @throws UsageError `CONTACTS_REQUIRED` when there is no heading or no row under it, `ADDRESS_COLUMN_REQUIRED` when no
 * column of the heading holds addresses.
 */
export async function readUpload(
  file: AsyncIterable<CsvRow>,
  purpose: 'add' | 'remove',
  now: Date,
): Promise<Upload> {
  let uses: readonly ColumnUse[] | undefined;
  const rows: UploadRow[] = [];
  const errors: Upload['errors'][number][] = [];
  let broken: ActivityError | undefined;
  for await (const { line, cells } of file) {
    if (cells.every((cell) => cell.trim() === '')) continue;
    if (uses === undefined) {
      checkHeading(cells);
      uses = cells.map(columnUse);
      continue;
    }
    if (cells.some((cell) => cell.includes('\0'))) {
      broken = { lineNumber: line, emailAddress: undefined, message: 'The file is not text' };
      break;
    }
    const row = readRow(cells, uses);
    const message = (purpose === 'add' ? checkRow : checkAddress)(row, now);
    if (message === undefined) {
      rows.push({ line, address: row.address, values: row.values });
    } else {
      errors.push({ lineNumber: line, emailAddress: row.address || undefined, message });
    }
  }
  if (broken === undefined && rows.length + errors.length === 0) {
    throw new UsageError(
      'CONTACTS_REQUIRED',
      uses === undefined
        ? 'contacts: the upload is empty; its first line must name the columns, the contacts follow'
        : 'contacts: there is a heading and no row under it',
    );
  }
  return { hasDetails: uses?.some(isDetail) ?? false, rows, errors, broken };
}

function columnUse(heading: string): ColumnUse {
  const column = findColumn(heading);
  if (column !== undefined) return { name: column.ws };
  const key = heading.toLowerCase().replace(/[^a-z]/g, '');
  return Object.hasOwn(DATE_COLUMNS, key)
    ? { date: DATE_COLUMNS[key as keyof typeof DATE_COLUMNS] }
    : undefined;
}

function isDetail(use: ColumnUse): boolean {
  return use !== undefined && !('name' in use && use.name === EMAIL_ADDRESS);
}

interface Row {
  readonly address: string;
  readonly values: readonly (readonly [ColumnName, string])[];
  readonly dates: Readonly<Partial<Record<DateColumn, string>>>;
}

function readRow(cells: readonly string[], uses: readonly ColumnUse[]): Row {
  let address = '';
  const values: [ColumnName, string][] = [];
  const dates: Partial<Record<DateColumn, string>> = {};
  uses.forEach((use, index) => {
    const cell = cells[index]?.trim() ?? '';
    if (use === undefined || cell === '') return;
    if ('date' in use) dates[use.date] = cell;
    else if (use.name === EMAIL_ADDRESS) address ||= cell;
    else values.push([use.name, cell]);
  });
  return { address, values, dates };
}

/**
 * Why the address cannot be taken; undefined when it can. `Invalid email`, `Invalid birthday` and `Unknown US/Canadian
 * state/prov` are messages of the service or its successors, the other two are like them.
 */
function checkAddress({ address }: Row): string | undefined {
  if (address === '') return 'Missing email address';
  return isEmailAddress(address) ? undefined : 'Invalid email';
}

/** Why a row cannot be added: the first thing that is wrong with it. */
function checkRow(row: Row, now: Date): string | undefined {
  return checkAddress(row) ?? checkState(row) ?? checkDates(row, now);
}

/**
 * STATE/PROVINCE (US/CANADA) must be one; STATE must be one where the country is the US or Canada, or blank, and is
 * free text elsewhere.
 */
function checkState({ values }: Row): string | undefined {
  const value = (name: ColumnName) => values.findLast((entry) => entry[0] === name)?.[1];
  const country = value('COUNTRY');
  const checked = [
    value('STATE/PROVINCE (US/CANADA)'),
    country === undefined || isUsOrCanada(country) ? value('STATE') : undefined,
  ];
  const unknown = checked.find((state) => state !== undefined && !isStateOrProvince(state));
  return unknown === undefined ? undefined : `Unknown US/Canadian state/prov "${unknown}"`;
}

function checkDates({ dates }: Row, now: Date): string | undefined {
  if (!isBirthday(dates.birthdayMonth ?? '', dates.birthdayDay ?? '')) return 'Invalid birthday';
  if (dates.anniversary !== undefined && !isAnniversary(dates.anniversary, now)) return 'Invalid anniversary';
  return undefined;
}
