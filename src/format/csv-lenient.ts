import type { CsvRow } from './csv.js';

/** Characters of the longest row; a quote that is not closed within as many was meant as a character. */
export const MAX_ROW = 1_048_576;

/**
 * The whole rows at the beginning of `text`, read as old clients meant them; returns how much of the text they are and
 * the line that follows. Unless `atEnd`, a row that may go on is left for later.
 *
 * csv-parse is not used here: its relaxed modes merge rows at a stray quote, or stop.
 */
export function* readLenientRows(
  text: string,
  firstLine: number,
  delimiter: string,
  atEnd: boolean,
): Generator<CsvRow, { length: number; line: number }> {
  let at = 0;
  let line = firstLine;
  while (at < text.length) {
    const row = readRow(text, at, delimiter, atEnd);
    if (row === undefined) break;
    if (row.cells.length > 1 || row.cells[0] !== '' || row.quoted) yield { line, cells: row.cells };
    line += row.quoted ? countLineBreaks(text.slice(at, row.end)) : 1;
    at = row.end;
  }
  return { length: at, line };
}

/** Line breaks in the text: CRLF, LF and CR count one each. */
export function countLineBreaks(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}

/** The row that begins at `start`, and where it ends; undefined when that cannot be told yet. */
export function readRow(
  text: string,
  start: number,
  delimiter: string,
  atEnd: boolean,
): { cells: string[]; quoted: boolean; end: number } | undefined {
  const cells: string[] = [];
  let quoted = false;
  for (let at = start; ; at++) {
    const open = skipBlanks(text, at, delimiter);
    const cell = text[open] === '"' ? readQuoted(text, open, delimiter, atEnd) : 'stray';
    if (cell === 'unfinished') return undefined;
    if (cell === 'stray') {
      const end = endOfCell(text, at, delimiter);
      cells.push(text.slice(at, end).trim());
      at = end;
    } else {
      quoted = true;
      cells.push(cell.value.trim());
      at = cell.end;
    }
    if (text[at] !== delimiter) {
      // A CR at the end may be half of a CRLF.
      const unsure = at === text.length || (text[at] === '\r' && at + 1 === text.length);
      if (unsure && !atEnd) return undefined;
      return { cells, quoted, end: at + (text.startsWith('\r\n', at) ? 2 : 1) };
    }
  }
}

/**
 * The quoted cell that opens at `open`, and where it ends. What tells is the next quote that is not doubled:
 * the delimiter or a line end follows it: the cell ends there (it may hold delimiters and line breaks);
 * something else follows, on the same line: quotes were not doubled, and the cell goes on to the next delimiter, and is
 * quoted if it has a quote there too (`"Ann "Nan" Lee",`), and not if it has none (`"Big" Joe,`);
 * else the quote at `open` was just a character. To decide so early keeps the time linear.
 */
function readQuoted(
  text: string,
  open: number,
  delimiter: string,
  atEnd: boolean,
): { value: string; end: number } | 'stray' | 'unfinished' {
  const quote = singleQuote(text, open + 1);
  const reach = quote === -1 ? text.length : quote;
  if (reach - open > MAX_ROW) return 'stray';
  if (quote === -1) return atEnd ? 'stray' : 'unfinished';
  const next = skipBlanks(text, quote + 1, delimiter);
  const end = endOfCell(text, next, delimiter);
  if (end === text.length && !atEnd) return 'unfinished';
  const inside = text.slice(open + 1, quote);
  if (end === next) return { value: inside.replaceAll('""', '"'), end };
  const rest = text.slice(quote, end).trimEnd();
  if (!rest.endsWith('"') || countLineBreaks(inside) > 0) return 'stray';
  return { value: (inside + rest.slice(0, -1)).replaceAll('""', '"'), end };
}

/** Where the next quote is that no other quote follows, passing over doubled ones; -1 when there is none. */
function singleQuote(text: string, start: number): number {
  let at = text.indexOf('"', start);
  while (at !== -1 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

function skipBlanks(text: string, start: number, delimiter: string): number {
  let at = start;
  while (text[at] === ' ' || (text[at] === '\t' && delimiter !== '\t')) at++;
  return at;
}

function endOfCell(text: string, start: number, delimiter: string): number {
  let at = start;
  while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at++;
  return at;
}
