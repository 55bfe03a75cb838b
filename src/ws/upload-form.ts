import { findColumn } from '../activity/columns.js';
import { decodeBytes } from '../format/charset.js';
import { readCsv } from '../format/csv.js';
import type { QuirkSet } from './quirks.js';
import { quoted, refusal, type Received } from './received.js';

/**
 * Nothing, when the contact file has no form that the quirks do not allow. With all of them on, the default, it is not
 * looked at.
 * @throws ServiceError 400, naming the line.
 */
export async function checkUploadForm(
  contacts: NonNullable<Received['contacts']>,
  quirks: QuirkSet,
): Promise<void> {
  const { blanksAroundCells, emailTypeColumn, columnSpellings, trailingCommas } = quirks;
  if (blanksAroundCells && emailTypeColumn && columnSpellings && trailingCommas) return;
  // A spreadsheet.
  if ('bytes' in contacts && contacts.bytes.includes(0)) return;
  const text = 'text' in contacts ? contacts.text : decodeBytes(contacts.bytes);
  if (!blanksAroundCells) checkBlanks(text);
  let width: number | undefined;
  for await (const { line, cells } of readCsv(text, { lenient: true })) {
    if (width === undefined) {
      for (const name of cells) checkColumnName(name, quirks);
      width = cells.length;
    } else if (!trailingCommas && cells.length > width && cells.slice(width).every((cell) => cell === '')) {
      // Quirk: `trailingCommas`: one client ended every row with a comma (test/fixtures/ws/quirks/trailing-commas).
      throw refusal(`line ${line} has ${cells.length} cells, the heading ${width}`);
    }
  }
}

/** Quirk: `blanksAroundCells`: the document's own samples have them (test/fixtures/ws/quirks/blanks-around-cells). */
function checkBlanks(text: string): void {
  const outside = text.replace(/"[^"]*"/g, (quotation) => quotation.replace(/[^\r\n]/g, '_'));
  const blank = /(?:^|,)[ ]+[^\s,]|[^\s,][ ]+(?:,|\r|\n|$)/m.exec(outside);
  if (blank === null) return;
  const line = outside.slice(0, blank.index + 1).split(/\r\n?|\n/).length;
  throw refusal(`line ${line} has blanks around a cell`);
}

/**
 * Quirk: `emailTypeColumn` and `columnSpellings`: uploads had columns that are not documented, and documented ones spelled
 * otherwise (test/fixtures/ws/quirks/column-spellings).
 */
function checkColumnName(name: string, quirks: QuirkSet): void {
  const plain = name.trim().toUpperCase();
  if (plain.replace(/[\s_-]+/g, '') === 'EMAILTYPE') {
    if (!quirks.emailTypeColumn) throw refusal(`line 1: ${quoted(name)} is not a column`);
    return;
  }
  const column = findColumn(name);
  if (quirks.columnSpellings || column === undefined || column.ws === plain) return;
  throw refusal(`line 1: ${quoted(name)} is not a column; did you mean ${column.ws}?`);
}
