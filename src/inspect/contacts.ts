import { findColumn } from '../activity/columns.js';
import { readCsv } from '../format/csv.js';
import type { JournalContacts } from './journal-entry.js';

/** Made-up rows that stand for those of an upload. */
const MOST_ROWS_SHOWN = 3;

/** Bytes that the heading is looked for in. */
const HEAD = 65_536;

/** OLE2 and ZIP: the beginnings of spreadsheets. */
const SPREADSHEETS = ['d0cf11e0', '504b0304'];

export interface ContactSummary {
  readonly contacts: JournalContacts;
  /** A contact file with the same heading, in which nobody is. */
  readonly stand: string;
}

/**
 * What an upload holds, as far as it can be told without telling of anybody. Its first row counts as a heading when one
 * of its cells at least names a column and none is an address, so that nobody's name is taken for one.
 */
export async function summariseContacts(bytes: Uint8Array): Promise<ContactSummary> {
  if (SPREADSHEETS.includes(Buffer.from(bytes.subarray(0, 4)).toString('hex'))) {
    return { contacts: {}, stand: '' };
  }
  const first = await firstRow(bytes);
  const lines = countLines(bytes);
  const isHeading =
    first.some((cell) => findColumn(cell) !== undefined) && !first.some((cell) => cell.includes('@'));
  if (!isHeading) return { contacts: { rows: lines }, stand: '' };
  const rows = Math.max(0, lines - 1);
  return { contacts: { rows, heading: first }, stand: standIn(first, rows) };
}

async function firstRow(bytes: Uint8Array): Promise<readonly string[]> {
  for await (const { cells } of readCsv(bytes.subarray(0, HEAD), { lenient: true })) return cells;
  return [];
}

function standIn(heading: readonly string[], rows: number): string {
  const lines = [heading.map(quoted).join(',')];
  for (let row = 1; row <= Math.min(rows, MOST_ROWS_SHOWN); row++) {
    const cells = heading.map((name) => {
      const column = findColumn(name);
      return column?.property === 'emailAddress' ? `contact${row}@example.com` : '';
    });
    lines.push(cells.join(','));
  }
  return lines.map((line) => `${line}\n`).join('');
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

const QUOTE = 0x22;
const CR = 0x0d;
const LF = 0x0a;
const BLANK = 0x20;

/** Lines that are not blank; line ends within quotes are of the cell. One pass, since uploads are large. */
function countLines(bytes: Uint8Array): number {
  let lines = 0;
  let quotes = false;
  let filled = false;
  for (const byte of bytes) {
    if (byte === QUOTE) quotes = !quotes;
    else if ((byte === CR || byte === LF) && !quotes) {
      if (filled) lines++;
      filled = false;
      continue;
    }
    if (byte > BLANK) filled = true;
  }
  return filled ? lines + 1 : lines;
}
