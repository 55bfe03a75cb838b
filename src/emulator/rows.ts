import type { ActivityError } from '../activity/activity.js';
import { EMAIL_ADDRESS, findColumn, type ColumnName } from '../activity/columns.js';
import { UsageError } from '../activity/errors.js';
import { checkHeading } from '../activity/request.js';
import type { CsvRow } from '../format/csv.js';
import { isEmailAddress } from './address.js';
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

/** The column that stands there; undefined for one the service does not know, which is passed over: `email type` is one. */
type ColumnUse = ColumnName | undefined;

/**
 * Reads and checks the rows of an uploaded contact file. Blanks around cells do not count, a row of blanks is no row,
 * and cells beyond the heading are passed over.
 *
 * An upload for removal is checked for addresses only: what else is in it changes nothing.
 * @throws UsageError `CONTACTS_REQUIRED` when there is no heading or no row under it, `ADDRESS_COLUMN_REQUIRED` when no
 * column of the heading holds addresses.
 */
export async function readUpload(file: AsyncIterable<CsvRow>, purpose: 'add' | 'remove'): Promise<Upload> {
  let uses: readonly ColumnUse[] | undefined;
  const rows: UploadRow[] = [];
  const errors: Upload['errors'][number][] = [];
  let broken: ActivityError | undefined;
  for await (const { line, cells } of file) {
    if (cells.every((cell) => cell.trim() === '')) continue;
    if (uses === undefined) {
      checkHeading(cells);
      uses = cells.map((name) => findColumn(name)?.ws);
      continue;
    }
    if (cells.some((cell) => cell.includes('\0'))) {
      broken = { lineNumber: line, emailAddress: undefined, message: 'The file is not text' };
      break;
    }
    const row = readRow(cells, uses);
    const message = (purpose === 'add' ? checkRow : checkAddress)(row);
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

function isDetail(use: ColumnUse): boolean {
  return use !== undefined && use !== EMAIL_ADDRESS;
}

interface Row {
  readonly address: string;
  readonly values: readonly (readonly [ColumnName, string])[];
}

function readRow(cells: readonly string[], uses: readonly ColumnUse[]): Row {
  let address = '';
  const values: [ColumnName, string][] = [];
  uses.forEach((use, index) => {
    const cell = cells[index]?.trim() ?? '';
    if (use === undefined || cell === '') return;
    if (use === EMAIL_ADDRESS) address ||= cell;
    else values.push([use, cell]);
  });
  return { address, values };
}

/**
 * Why the address cannot be taken; undefined when it can. `Invalid email` and `Unknown US/Canadian state/prov` are messages
 * of the service or its successors, the other is like them.
 */
function checkAddress({ address }: Row): string | undefined {
  if (address === '') return 'Missing email address';
  return isEmailAddress(address) ? undefined : 'Invalid email';
}

/** Why a row cannot be added: the first thing that is wrong with it. */
function checkRow(row: Row): string | undefined {
  return checkAddress(row) ?? checkState(row);
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
