import { EMAIL_ADDRESS, findColumn, type Column } from '../activity/columns.js';
import type { Contacts } from '../activity/request.js';
import { readCsv } from '../format/csv.js';
import { INVALID, Transcoder, type Encoding } from '../format/transcode.js';
import { readTargets } from '../translate/columns.js';
import { loss, type Loss } from '../translate/loss.js';
import {
  v2Parts,
  type FileHead,
  type PartEncoder,
  type PartEncoding,
  type V2PartOptions,
} from '../translate/split-encodings.js';
import { cellsOf, rowText } from '../translate/split-rows.js';
import { contactSource, openContactFile, type ContactFile } from '../upload/contact-file.js';
import type { ContactSource } from '../upload/contact-source.js';
import { isSpreadsheet, readSheet } from '../upload/read-sheet.js';
import type { SheetLimits } from '../upload/sheet.js';
import type { Pace } from './pace.js';
import type { GatewayWarning } from './warnings.js';

export interface ReadUploadOptions {
  /** Of what has no byte order mark. Default `auto`: each line is UTF-8 or, where it is not, windows-1252. */
  readonly encoding?: Encoding | 'auto' | undefined;
  /** How much of a spreadsheet is read. */
  readonly sheetLimits?: SheetLimits | undefined;
  /** Of what is rewritten piece by piece. Default: it goes on without a pause. */
  readonly pace?: Pace | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What an old client uploaded, looked at and ready to be kept and split. */
export interface ReadUpload {
  /**
   * The text, as `splitUpload` reads it without being told an encoding. A line of it is the same line of what was sent, or
   * the row of the sheet. Close it when it is kept.
   */
  readonly file: ContactFile;
  /** As records name it: bare; undefined where the client named none. */
  readonly fileName: string | undefined;
  /** True when there are columns beyond the address: ws stored such an upload as ADD_CONTACT_DETAIL. */
  readonly hasDetails: boolean;
  /** What was lost already. What the rows lose, `losses` of the upload split by `uploadParts` tell. */
  readonly warnings: readonly GatewayWarning[];
}

/**
 * The contacts of a request as text: spreadsheets, and what is in another encoding, are rewritten; everything else stays as
 * it is. It is judged by the heading and the first rows, as ws judged it before it answered.
 * @throws UsageError `CONTACTS_REQUIRED`, `ADDRESS_COLUMN_REQUIRED`, `CONTACTS_INVALID`: the 400 of ws.
 */
export async function readUpload(contacts: Contacts, options: ReadUploadOptions = {}): Promise<ReadUpload> {
  const { signal } = options;
  if ('rows' in contacts) return looked(await openContactFile(contacts, { signal }), undefined, []);
  const fileName = bareName('file' in contacts ? contacts.file : contacts.fileName);
  const source = await contactSource(contacts, signal);
  try {
    const warnings: GatewayWarning[] = [];
    const text = (await isSpreadsheet(source))
      ? await sheetText(source, fileName, options, warnings)
      : await plainText(contacts, source, options, warnings);
    const name = fileName !== undefined && /\.(?:csv|txt|tsv)$/i.test(fileName) ? fileName : 'contacts.csv';
    return await looked(await openContactFile({ ...text, fileName: name }, { signal }), fileName, warnings);
  } finally {
    await source.close();
  }
}

async function looked(
  file: ContactFile,
  fileName: string | undefined,
  warnings: readonly GatewayWarning[],
): Promise<ReadUpload> {
  let hasDetails = false;
  for await (const { cells } of readCsv(file.open(), { lenient: true })) {
    hasDetails = cells.some((name) => (findColumn(name)?.ws ?? EMAIL_ADDRESS) !== EMAIL_ADDRESS);
    break;
  }
  return { file, fileName, hasDetails, warnings };
}

type Text = { readonly bytes: Uint8Array } | { readonly stream: AsyncIterable<Uint8Array> };

/** Without the path of the machine it was sent from. */
function bareName(name: string | undefined): string | undefined {
  return name?.split(/[\\/]/).at(-1);
}

async function sheetText(
  source: ContactSource,
  fileName: string | undefined,
  { sheetLimits, signal }: ReadUploadOptions,
  warnings: GatewayWarning[],
): Promise<Text> {
  const { csv, sheets, lineBreaks } = await readSheet(source, {
    name: fileName ?? 'contacts',
    limits: sheetLimits,
    signal,
  });
  if (sheets > 1) {
    warnings.push({
      code: 'SHEETS_LEFT_OUT',
      message: `the first of ${sheets} sheets was read, as the service did; the others were left out`,
    });
  }
  if (lineBreaks > 0) {
    warnings.push({
      code: 'LINE_BREAKS_REPLACED',
      message: `${values(lineBreaks)} had line breaks, which became blanks`,
    });
  }
  return { bytes: csv };
}

async function plainText(
  contacts: Contacts,
  source: ContactSource,
  { encoding = 'auto', pace }: ReadUploadOptions,
  warnings: GatewayWarning[],
): Promise<Text> {
  const transcoder = transcoderFor(await headOf(source), encoding);
  if (transcoder === undefined) return 'bytes' in contacts ? contacts : { stream: source.read(0) };
  return { stream: recoded(transcoder, (pace?.source(source) ?? source).read(0), warnings) };
}

async function headOf(source: ContactSource): Promise<Uint8Array> {
  for await (const chunk of source.read(0)) return chunk;
  return new Uint8Array();
}

async function* recoded(
  transcoder: Transcoder,
  chunks: AsyncIterable<Uint8Array>,
  warnings: GatewayWarning[],
): AsyncGenerator<Uint8Array> {
  let length = 0;
  let unreadable = 0;
  const readable = (bytes: Uint8Array) => {
    transcoder.forget((length += bytes.length));
    return bytes.map((byte) => {
      if (byte !== INVALID) return byte;
      unreadable++;
      return QUESTION_MARK;
    });
  };
  for await (const chunk of chunks) yield readable(transcoder.push(chunk));
  yield readable(transcoder.end());
  if (unreadable > 0) {
    const count = `${unreadable.toLocaleString('en-US')} ${unreadable === 1 ? 'place' : 'places'}`;
    const message = `the file was not ${transcoder.encoding} in ${count}, which became ?`;
    warnings.push({ code: 'CHARACTER_UNREADABLE', message });
  }
}

const QUESTION_MARK = 0x3f;

/** Undefined where the bytes are read as they stand. */
function transcoderFor(head: Uint8Array, encoding: Encoding | 'auto'): Transcoder | undefined {
  const mark = Buffer.from(head.subarray(0, 3)).toString('hex');
  if (mark.startsWith('fffe')) return new Transcoder('UTF-16LE');
  if (mark.startsWith('feff')) return new Transcoder('UTF-16BE');
  if (encoding === 'auto' || mark === 'efbbbf') return undefined;
  const transcoder = new Transcoder(encoding);
  return transcoder.isIdentity ? undefined : transcoder;
}

/**
 * As `v2Parts`, for what an old client uploaded: columns that ws passed over do not count now either, though v2 knows them;
 * and what columns lose that v2 does not keep is counted.
 */
export function uploadParts(options: Omit<V2PartOptions, 'blanksEnabled'>): PartEncoder {
  const parts = v2Parts(options);
  return async (file) => {
    const heading = file.heading.map((name) => (findColumn(name) === undefined ? '' : name));
    const encoding = await parts({ ...file, heading });
    const ignored = options.purpose === 'add' ? ignoredCells(heading, options) : [];
    return ignored.length === 0 ? encoding : counting(encoding, file, ignored);
  };
}

interface IgnoredCell {
  readonly column: Column;
  readonly index: number;
}

/** Cells that v2 takes and ignores, unless they are put somewhere else. */
function ignoredCells(heading: readonly string[], { into = {} }: Pick<V2PartOptions, 'into'>): IgnoredCell[] {
  const targets = readTargets(into);
  return heading.flatMap((name, index) => {
    const column = findColumn(name);
    if (column?.v2Ignored === undefined || column.property === 'stateProvince') return [];
    return targets.has(column.property) ? [] : [{ column, index }];
  });
}

function counting(
  encoding: PartEncoding,
  { dialect }: FileHead,
  ignored: readonly IgnoredCell[],
): PartEncoding {
  const counts = new Map<Column, number>(ignored.map(({ column }) => [column, 0]));
  return {
    ...encoding,
    row(raw) {
      const cells = cellsOf(rowText(raw.bytes, dialect), dialect);
      for (const { column, index } of ignored) {
        if ((cells[index] ?? '') !== '') counts.set(column, (counts.get(column) ?? 0) + 1);
      }
      return encoding.row(raw);
    },
    losses() {
      const others = encoding.losses?.() ?? [];
      return [
        ...others.filter(({ code }) => code !== 'COLUMN_IGNORED'),
        ...[...counts].flatMap(([column, count]) => (count === 0 ? [] : [notKept(column, count)])),
      ];
    },
  };
}

function notKept({ ws }: Column, count: number): Loss {
  const were = count === 1 ? 'was' : 'were';
  return loss(
    'COLUMN_IGNORED',
    `heading: ${ws}`,
    `is not kept by v2: ${values(count)} ${were} left out; to keep them, give the account a column for them (into)`,
  );
}

function values(count: number): string {
  return `${count.toLocaleString('en-US')} value${count === 1 ? '' : 's'}`;
}
