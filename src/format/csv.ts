import { finished } from 'node:stream/promises';
import { parse, type CsvErrorCode, type Parser } from 'csv-parse';
import { stringify } from 'csv-stringify/sync';
import { DecodeError } from '../activity/errors.js';
import {
  delimiterOf,
  endingInLineBreak,
  hasBom,
  looseText,
  strictUtf8,
  wholeFirstLine,
  type Delimiter,
} from './csv-input.js';
import { countLineBreaks, MAX_ROW, readLenientRows } from './csv-lenient.js';

export interface CsvRow {
  /** The physical line, from 1, where the row starts; a quoted cell may hold further lines. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface CsvOptions {
  /** `auto`, the default: whichever of tab and comma stands more often, outside quotes, in the first line; else comma. */
  readonly delimiter?: Delimiter | ';' | 'auto' | undefined;
  /** Take what old clients sent. Default false. */
  readonly lenient?: boolean | undefined;
}

/**
 * The rows of a CSV file, read as a stream. A BOM is dropped; lines end in CRLF, LF or CR; empty lines are passed over
 * but counted. Rows that were read before an error are delivered before it is thrown.
 *
 * Lenient mode takes stray quotes, a quoted cell after a blank (`a@example.com, "Boston, MA"`), rows of unequal length,
 * and lines that are not UTF-8, which it reads as windows-1252; it trims every cell, and never throws.
 * @throws DecodeError `CSV_MALFORMED`, with the place, when not lenient: for broken quotes, rows of unequal length, rows
 * of more than 1,048,576 characters, bytes that are not UTF-8.
 * @see https://www.rfc-editor.org/rfc/rfc4180#section-2
 */
export function readCsv(
  input: string | Uint8Array | AsyncIterable<Uint8Array>,
  options: CsvOptions = {},
): AsyncIterable<CsvRow> {
  const chunks = wholeFirstLine(typeof input === 'string' ? Buffer.from(input) : input);
  const delimiter = options.delimiter ?? 'auto';
  return options.lenient === true ? readLenient(chunks, delimiter) : readStrict(chunks, delimiter);
}

async function* readLenient(
  chunks: AsyncIterable<Buffer>,
  delimiter: NonNullable<CsvOptions['delimiter']>,
): AsyncGenerator<CsvRow> {
  let text = '';
  let line = 1;
  let found: string | undefined;
  // A row that is not whole yet is looked at again only when there is twice as much of it.
  let wanted = 0;
  for await (const more of looseText(chunks)) {
    text += more;
    if (text.length < wanted || !/[^\r\n]/.test(text)) continue;
    found ??= delimiter === 'auto' ? delimiterOf(text) : delimiter;
    const read = yield* readLenientRows(text, line, found, false);
    text = text.slice(read.length);
    line = read.line;
    wanted = text.length * 2;
  }
  yield* readLenientRows(text, line, found ?? ',', true);
}

async function* readStrict(
  chunks: AsyncIterable<Buffer>,
  delimiter: NonNullable<CsvOptions['delimiter']>,
): AsyncGenerator<CsvRow> {
  let records: { cells: string[]; end: number }[] = [];
  let parser: Parser | undefined;
  let line = 1;
  let byteOffset = 0;
  let bom = 0;
  let width: number | undefined;
  const malformed = (message: string, cause?: unknown) =>
    new DecodeError('CSV_MALFORMED', message, { source: undefined, line, column: 1, byteOffset }, { cause });

  function* rows(): Generator<CsvRow> {
    for (const { cells, end } of records) {
      const bytes = end + bom - byteOffset;
      // An empty line is its line break, one byte or two; a quoted empty cell has two quotes more.
      if (cells.length > 1 || cells[0] !== '' || bytes > 2) {
        width ??= cells.length;
        if (cells.length !== width) {
          throw malformed(`the row has ${counted(cells.length, 'cell')}, the first row ${width}`);
        }
        yield { line, cells };
      }
      line += cells.reduce((breaks, cell) => breaks + countLineBreaks(cell), 1);
      byteOffset += bytes;
    }
    records = [];
  }

  for await (const chunk of endingInLineBreak(strictUtf8(chunks))) {
    if (parser === undefined && hasBom(chunk)) byteOffset = bom = 3;
    const bytes = parser === undefined ? chunk.subarray(bom) : chunk;
    parser ??= openParser(delimiter === 'auto' ? delimiterOf(bytes.toString()) : delimiter, (cells, end) => {
      records.push({ cells, end });
    });
    const failure = await feed(parser, bytes);
    yield* rows();
    if (failure !== undefined) throw malformed(explain(failure), failure);
  }
  const failure = parser && (await close(parser));
  yield* rows();
  if (failure !== undefined) throw malformed(explain(failure), failure);
}

/** `onRecord` is called while bytes are fed: so a record in front of an error is not lost, as it is in the stream. */
function openParser(delimiter: string, onRecord: (cells: string[], end: number) => void): Parser {
  const parser = parse({
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    max_record_size: MAX_ROW,
    on_record: (cells, info) => {
      onRecord(cells, info.bytes);
      return null;
    },
  });
  parser.on('error', () => undefined);
  return parser.resume();
}

function feed(parser: Parser, bytes: Uint8Array): Promise<Error | undefined> {
  return new Promise((resolve) => {
    parser.write(bytes, (error) => {
      resolve(error ?? undefined);
    });
  });
}

async function close(parser: Parser): Promise<Error | undefined> {
  try {
    await finished(parser.end());
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

const EXPLANATIONS: Readonly<Partial<Record<CsvErrorCode, string>>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quoted cell of this row is never closed; put a quote behind it',
  CSV_INVALID_CLOSING_QUOTE:
    'a quoted cell goes on after its closing quote; write a quote inside a cell twice ("")',
  INVALID_OPENING_QUOTE:
    'there is a quote inside an unquoted cell; put the cell in quotes, and the quote twice ("")',
  CSV_MAX_RECORD_SIZE: `the row has more than ${MAX_ROW} characters; is a quoted cell never closed?`,
};

function explain(failure: Error & { code?: unknown }): string {
  return EXPLANATIONS[failure.code as CsvErrorCode] ?? failure.message;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

const ROWS_AT_ONCE = 500;

/**
 * The rows as CSV text, in pieces of any length. A cell is quoted where RFC 4180 wants it, where white space or a BOM
 * would be lost at its ends, and where it is the only one and empty, since an empty line is no row.
 * A row without cells is left out.
 * @param options.delimiter default comma.
 * @param options.lineEnd default LF; the last row has one too.
 * @see https://www.rfc-editor.org/rfc/rfc4180#section-2
 */
export async function* writeCsv(
  rows: Iterable<readonly string[]> | AsyncIterable<readonly string[]>,
  options: { delimiter?: Delimiter; lineEnd?: '\n' | '\r\n' } = {},
): AsyncGenerator<string> {
  const { delimiter = ',', lineEnd = '\n' } = options;
  const text = (batch: readonly (readonly string[])[]) =>
    stringify([...batch], { delimiter, record_delimiter: lineEnd, quoted_match: /^\s|\s$|[\r\n]/ });
  let batch: (readonly string[])[] = [];
  for await (const row of rows) {
    if (row.length === 1 && row[0] === '') {
      yield `${text(batch)}""${lineEnd}`;
      batch = [];
    } else if (row.length > 0 && batch.push(row) === ROWS_AT_ONCE) {
      yield text(batch);
      batch = [];
    }
  }
  if (batch.length > 0) yield text(batch);
}
