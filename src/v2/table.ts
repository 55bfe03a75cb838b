import { findV2Column, similarColumn } from '../activity/columns.js';
import { UnsupportedError, UsageError } from '../activity/errors.js';
import type { Contacts, Warning } from '../activity/request.js';
import { readCsv } from '../format/csv.js';
import { openContactFile, type ContactFile } from '../upload/contact-file.js';
import type { UploadColumn } from './columns.js';
import { V2_LIMITS } from './names.js';
import { isDayOfMonth, valueProblem } from './values.js';

/** Contacts as v2 takes them: its columns, and a cell for each of them in every row. */
export interface ContactTable {
  readonly columns: readonly UploadColumn[];
  readonly rows: readonly (readonly string[])[];
}

export interface TableOptions {
  /** Of a removal only the addresses are read. */
  readonly purpose: 'add' | 'remove';
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly warn: (warning: Warning) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The contacts as a table, checked as far as v2 says what it takes. Columns that v2 ignores, or that nobody knows, are
 * left out with a warning each. Errors name the first contact as line 2, the heading being line 1; where that is not its
 * line in the file, a warning says so.
 * @throws UsageError as `openContactFile`; `CONTACTS_INVALID` for a value that v2 refuses, or a column that is there twice;
 * `UPLOAD_TOO_LARGE` for more contacts than v2 takes.
 * @throws UnsupportedError for a spreadsheet.
 */
export async function readTable(contacts: Contacts, options: TableOptions): Promise<ContactTable> {
  const { warn, purpose } = options;
  const most = purpose === 'add' ? V2_LIMITS.added : V2_LIMITS.removed;
  // No more rows than are needed to know that there are too many.
  const bounded = 'rows' in contacts ? { ...contacts, rows: firstOf(contacts.rows, most + 1) } : contacts;
  const file = await openContactFile(bounded, { signal: options.signal });
  try {
    if (file.kind === 'xls') {
      throw new UnsupportedError(`${file.fileName}: v2 takes no spreadsheets here; save the sheet as .csv`);
    }
    // What ws knows of columns is not what v2 knows.
    for (const warning of file.warnings) if (warning.code !== 'COLUMN_UNKNOWN') warn(warning);
    return await readRows(file, { ...options, most, fromRows: 'rows' in contacts });
  } finally {
    await file.close();
  }
}

async function readRows(
  file: ContactFile,
  options: TableOptions & { readonly most: number; readonly fromRows: boolean },
): Promise<ContactTable> {
  const { warn, purpose, most, fromRows } = options;
  let heading: Heading | undefined;
  const rows: string[][] = [];
  let moved = false;
  let beyond = false;
  for await (const { line, cells } of readCsv(file.open(), { lenient: !fromRows })) {
    if (heading === undefined) {
      heading = readHeading(cells, purpose, warn);
      continue;
    }
    if (!fromRows && cells.every((cell) => cell === '')) continue;
    const place = fromRows ? `row ${rows.length + 1}` : `line ${line}`;
    if (rows.length === most) throw tooMany(most, purpose);
    if (!beyond && cells.slice(heading.width).some((cell) => cell !== '')) {
      beyond = true;
      warn({
        code: 'COLUMN_UNKNOWN',
        message: `${place}: there is a cell beyond the heading, and it is left out; does a comma stand outside quotes?`,
      });
    }
    const row = heading.uses.map(({ index }) => cells[index] ?? '');
    checkRow(heading, row, place, options.now);
    rows.push(row);
    if (!fromRows && !moved && line !== rows.length + 1) {
      moved = true;
      warn({
        code: 'LINES_MOVED',
        message:
          `contact ${rows.length} stands on line ${line} of the file, and errors may name it as line ` +
          `${rows.length + 1}, and so on behind it: blank lines are not sent`,
      });
    }
  }
  return { columns: heading?.uses.map(({ column }) => column) ?? [], rows };
}

interface Heading {
  readonly uses: readonly { readonly column: UploadColumn; readonly index: number }[];
  /** Cells of the heading. */
  readonly width: number;
}

function readHeading(
  names: readonly string[],
  purpose: TableOptions['purpose'],
  warn: (warning: Warning) => void,
): Heading {
  const uses: { column: UploadColumn; index: number }[] = [];
  names.forEach((name, index) => {
    const column = findV2Column(name);
    if (purpose === 'remove' && column?.property !== 'emailAddress') return;
    const upload = column?.v2Upload;
    if (column === undefined || upload === undefined) {
      if (name.trim() !== '') warn(leftOut(name, column?.v2Ignored));
      return;
    }
    const twin = uses.find((use) => use.column.property === column.property);
    if (twin !== undefined) {
      throw new UsageError(
        'CONTACTS_INVALID',
        `contacts: the heading names ${upload} twice, as "${names[twin.index] ?? ''}" and as "${name}"; take one away`,
      );
    }
    uses.push({ column: { ...column, v2Upload: upload }, index });
  });
  return { uses, width: names.length };
}

/** What to do about a column that v2 ignores. */
const REMEDIES: Readonly<Record<string, string>> = {
  'MIDDLE NAME': 'put it into FIRST NAME or a custom field',
  'US STATE/CA PROVINCE': 'rename the column to STATE',
  'SUB ZIP/POSTAL CODE': 'put it behind the ZIP/POSTAL CODE',
};

/** The warning that a column is left out, be it ignored by v2 or unknown to everybody. */
export function leftOut(name: string, ignored: string | undefined): Warning {
  const shown = name.trim().slice(0, 100);
  const remedy = ignored === undefined ? undefined : REMEDIES[ignored];
  if (remedy !== undefined) {
    return {
      code: 'COLUMN_IGNORED',
      message: `"${shown}": v2 ignores this column, so it is left out; to keep it, ${remedy}`,
    };
  }
  const similar = similarColumn(name);
  const hint = similar === undefined ? '' : `; did you mean ${similar}?`;
  return { code: 'COLUMN_UNKNOWN', message: `"${shown}": v2 has no such column, so it is left out${hint}` };
}

function checkRow({ uses }: Heading, row: readonly string[], place: string, now: number): void {
  let day = '';
  let month = '';
  uses.forEach(({ column: { property, v2Upload } }, index) => {
    const text = row[index] ?? '';
    const problem = valueProblem(property, text, now);
    if (problem !== undefined) throw invalid(`${place}: "${v2Upload}" ${problem}`);
    if (property === 'birthdayDay') day = text;
    else if (property === 'birthdayMonth') month = text;
  });
  if (!isDayOfMonth(day, month)) throw invalid(`${place}: month ${month} has no day ${day}`);
}

function invalid(message: string): UsageError {
  return new UsageError('CONTACTS_INVALID', message);
}

async function* firstOf<T>(items: Iterable<T> | AsyncIterable<T>, count: number): AsyncGenerator<T, void> {
  let taken = 0;
  for await (const item of items) {
    yield item;
    if (++taken === count) return;
  }
}

function tooMany(most: number, purpose: TableOptions['purpose']): UsageError {
  return new UsageError(
    'UPLOAD_TOO_LARGE',
    `contacts: more than ${most.toLocaleString('en-US')}, which is the most that v2 ` +
      `${purpose === 'add' ? 'adds' : 'removes'} in one request; send them in several`,
  );
}
