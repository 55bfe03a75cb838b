import type { ActivityError } from '../activity/activity.js';
import { EMAIL_ADDRESS, findColumn, type ColumnName } from '../activity/columns.js';
import { UsageError } from '../activity/errors.js';
import { checkHeading } from '../activity/request.js';
import type { CsvRow } from '../format/csv.js';
import { addressKey, isEmailAddress } from './address.js';
import { isStateOrProvince, isUsOrCanada } from './states.js';
import { v2RowCheck } from './v2-rows.js';

/**
 * A row that passed the checks. `values` are its cells, the address not among them; blank ones only where they are to erase
 * what a contact has.
 */
export interface UploadRow {
  readonly line: number;
  readonly address: string;
  readonly values: readonly (readonly [ColumnName, string])[];
}

type RowError = ActivityError & { readonly lineNumber: number };

/** An upload as the service understood it. */
export interface Upload {
  /** True when there are columns beyond the address: such an upload is an ADD_CONTACT_DETAIL. */
  readonly hasDetails: boolean;
  readonly rows: readonly UploadRow[];
  /** The rows that did not pass, in order of line. */
  readonly errors: readonly RowError[];
  /** Set when the file turned out to be no text: nothing of it can be used. */
  readonly broken: ActivityError | undefined;
}

/** The column that stands there; undefined for one the service does not know, which is passed over: `email type` is one. */
type ColumnUse = ColumnName | undefined;

/**
 * Reads and checks the rows of an uploaded contact file. Blanks around cells do not count, a row of blanks is no row,
 * and cells beyond the heading are passed over. Of rows with the same address, in any case, the last one counts alone:
 * the others are as if they were not there. That is inferred, no document says it; so an upload comes to the same as its
 * parts one after another.
 *
 * An upload for removal is checked for addresses only: what else is in it changes nothing.
 * @param options.blanks keep blank cells, which erase. Default false.
 * @param options.v2 by the rules of v2, at this time in milliseconds since 1970. Default by those of ws.
 * @throws UsageError `CONTACTS_REQUIRED` when there is no heading or no row under it, `ADDRESS_COLUMN_REQUIRED` when no
 * column of the heading holds addresses.
 */
export async function readUpload(
  file: AsyncIterable<CsvRow>,
  purpose: 'add' | 'remove',
  { blanks = false, v2 }: { readonly blanks?: boolean; readonly v2?: number | undefined } = {},
): Promise<Upload> {
  let checkDetails: (cells: readonly string[], row: Row) => string | undefined = (_, row) => checkState(row);
  let uses: readonly ColumnUse[] | undefined;
  const kept = new Map<string | number, UploadRow | RowError>();
  let broken: ActivityError | undefined;
  for await (const { line, cells } of file) {
    if (cells.every((cell) => cell.trim() === '')) continue;
    if (uses === undefined) {
      checkHeading(cells);
      uses = cells.map((name) => findColumn(name)?.ws);
      if (v2 !== undefined) checkDetails = v2RowCheck(cells, v2);
      continue;
    }
    if (cells.some((cell) => cell.includes('\0'))) {
      broken = { lineNumber: line, emailAddress: undefined, message: 'The file is not text' };
      break;
    }
    const row = readRow(cells, uses, blanks);
    const message = checkAddress(row) ?? (purpose === 'add' ? checkDetails(cells, row) : undefined);
    const { address, values } = row;
    // Rows without an address are never the same. A key that is set anew goes to the end only when it was deleted.
    const key = addressKey(address) || line;
    kept.delete(key);
    kept.set(
      key,
      message === undefined
        ? { line, address, values }
        : { lineNumber: line, emailAddress: address || undefined, message },
    );
  }
  if (broken === undefined && kept.size === 0) {
    throw new UsageError(
      'CONTACTS_REQUIRED',
      uses === undefined
        ? 'contacts: the upload is empty; its first line must name the columns, the contacts follow'
        : 'contacts: there is a heading and no row under it',
    );
  }
  const rows: UploadRow[] = [];
  const errors: RowError[] = [];
  for (const one of kept.values()) {
    if ('values' in one) rows.push(one);
    else errors.push(one);
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

function readRow(cells: readonly string[], uses: readonly ColumnUse[], blanks: boolean): Row {
  let address = '';
  const values: [ColumnName, string][] = [];
  uses.forEach((use, index) => {
    const cell = cells[index]?.trim() ?? '';
    if (use === EMAIL_ADDRESS) address ||= cell;
    else if (use !== undefined && (blanks || cell !== '')) values.push([use, cell]);
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

/**
 * STATE/PROVINCE (US/CANADA) must be one; STATE must be one where the country is the US or Canada, or blank, and is
 * free text elsewhere.
 */
function checkState({ values }: Row): string | undefined {
  const value = (name: ColumnName) => values.findLast((entry) => entry[0] === name && entry[1] !== '')?.[1];
  const country = value('COUNTRY');
  const checked = [
    value('STATE/PROVINCE (US/CANADA)'),
    country === undefined || isUsOrCanada(country) ? value('STATE') : undefined,
  ];
  const unknown = checked.find((state) => state !== undefined && !isStateOrProvince(state));
  return unknown === undefined ? undefined : `Unknown US/Canadian state/prov "${unknown}"`;
}
