import { mkdir, rm } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { writeCsv } from '../format/csv.js';
import { writeWhole, writing } from '../http/disk.js';
import { fileParts, type FileHead } from '../translate/split-encodings.js';
import { openText } from '../translate/split-read.js';
import { scanRows, type RawRow } from '../translate/split-rows.js';
import type { FailingRow } from './failing-rows.js';
import type { MigrationPlan, PlannedAccount, PlannedUpload } from './plan.js';
import { openContacts, openUpload } from './upload-split.js';

export const FAILING_ROWS = 'failing-rows.csv';
export const UPLOADS = 'uploads.csv';
export const LISTS = 'lists.csv';

export interface WrittenRows {
  /** All that failed. */
  readonly rows: number;
  /** Rows that stand in the files to be corrected. */
  readonly toCorrect: number;
  /** Files to be corrected, in the folder. */
  readonly files: readonly string[];
  /** Whether lists have other numbers in the target, so that planning needs the file of them too. */
  readonly listsMapped: boolean;
}

/**
 * Writes what failed into a folder, which is made: all rows to `failing-rows.csv`; for each upload that has any, a file of
 * its heading and just these rows, as they stand in the original; and `uploads.csv` (and `lists.csv`, where lists have other
 * numbers in the target), from which `ctct migrate plan` plans them once they are corrected.
 * @throws UsageError `FILE_UNWRITABLE`; `FILE_CHANGED` and `FILE_UNREADABLE` for an upload that is not what was planned
 */
export async function writeFailingRows(
  folder: string,
  { accounts }: Pick<MigrationPlan, 'accounts'>,
  rows: Iterable<FailingRow> | AsyncIterable<FailingRow>,
  { planFolder }: { readonly planFolder: string },
): Promise<WrittenRows> {
  await writing(folder, () => mkdir(folder, { recursive: true, mode: 0o700 }));
  // Of an earlier report: they would plan what is not there any more.
  for (const name of [UPLOADS, LISTS]) await writing(folder, () => rm(join(folder, name), { force: true }));
  const lines = new Map<string, Set<number>>();
  const count = { rows: 0 };
  await writeWhole(join(folder, FAILING_ROWS), writeCsv(failingCells(rows, lines, count)));
  const uploads: (readonly string[])[] = [];
  const mapped: (readonly string[])[] = [];
  const files: string[] = [];
  let toCorrect = 0;
  for (const account of accounts) {
    const failed = account.steps.flatMap((step) => {
      const wanted = lines.get(step.id);
      if (!('file' in step) || wanted === undefined) return [];
      wanted.delete(step.headingLine);
      return wanted.size === 0 ? [] : [{ step, wanted }];
    });
    for (const { step, wanted } of failed) {
      const name = fileOf(account, step);
      const path = resolve(planFolder, step.file);
      await (await openUpload(step, planFolder)).close();
      await writeWhole(join(folder, name), rowsAt(path, step, wanted));
      files.push(name);
      toCorrect += wanted.size;
      uploads.push(uploadCells(account, step, name));
    }
    if (failed.length > 0) mapped.push(...listCells(account));
  }
  if (uploads.length > 0) await writeWhole(join(folder, UPLOADS), writeCsv([UPLOAD_HEADING, ...uploads]));
  if (mapped.length > 0) await writeWhole(join(folder, LISTS), writeCsv([LIST_HEADING, ...mapped]));
  return { rows: count.rows, toCorrect, files, listsMapped: mapped.length > 0 };
}

const FAILING_HEADING: readonly string[] = [
  'account',
  'activityType',
  'lists',
  'file',
  'line',
  'emailAddress',
  'message',
];

async function* failingCells(
  rows: Iterable<FailingRow> | AsyncIterable<FailingRow>,
  lines: Map<string, Set<number>>,
  count: { rows: number },
): AsyncGenerator<readonly string[]> {
  yield FAILING_HEADING;
  for await (const row of rows) {
    const { account, activityType, lists, file, line, emailAddress, message, step } = row;
    count.rows++;
    if (line !== null) {
      const known = lines.get(step);
      if (known === undefined) lines.set(step, new Set([line]));
      else known.add(line);
    }
    yield [
      account,
      activityType,
      lists.join(' '),
      file ?? '',
      String(line ?? ''),
      emailAddress ?? '',
      message,
    ];
  }
}

/** `joesflowers-3.csv`: the account, and the place among its steps. */
function fileOf({ account }: PlannedAccount, { id, file }: PlannedUpload): string {
  const ending = extname(file).toLowerCase() === '.txt' ? '.txt' : '.csv';
  return `${account}-${id.slice(id.lastIndexOf('/') + 1)}${ending}`;
}

const UPLOAD_HEADING: readonly string[] = [
  'account',
  'activityType',
  'file',
  'lists',
  'encoding',
  'blanksEnabled',
  'into',
];

function uploadCells(account: PlannedAccount, step: PlannedUpload, name: string): readonly string[] {
  const into = Object.entries(step.into).map(([from, to]) => `${from}=${to}`);
  return [
    account.account,
    step.activityType,
    name,
    step.lists.map((list) => sourceOf(account, list)).join(' '),
    isWide(step) ? 'auto' : step.encoding,
    String(step.blanksEnabled),
    into.join('; '),
  ];
}

/** The id that a list of the target has in ws, by which uploads are planned. */
function sourceOf({ lists }: PlannedAccount, list: string): string {
  return lists.find(({ to }) => to === list)?.from ?? list;
}

const LIST_HEADING: readonly string[] = ['account', 'from', 'to', 'name'];

function listCells({ account, lists }: PlannedAccount): (readonly string[])[] {
  if (lists.every(({ from, to }) => from === to)) return [];
  return lists.map(({ from, to, fromName = '' }) => [account, from, to, fromName]);
}

/** UTF-16 is written as UTF-8. */
function isWide({ encoding }: PlannedUpload): boolean {
  return encoding === 'UTF-16LE' || encoding === 'UTF-16BE';
}

const MARK = Buffer.from('\ufeff');
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The heading of the file, and its rows that begin on these lines, byte by byte unless another reader could misread them. */
async function* rowsAt(
  path: string,
  step: PlannedUpload,
  lines: ReadonlySet<number>,
): AsyncGenerator<Uint8Array> {
  const { source: given } = await openContacts(path, { encoding: step.encoding, name: step.file });
  try {
    const text = await openText(given, step.encoding, step.file);
    try {
      const { source, start, dialect } = text;
      if (start > 0 || source !== given) yield MARK;
      let write: ((row: RawRow) => Uint8Array) | undefined;
      let left = lines.size;
      for await (const rows of scanRows(source, { offset: start, line: 1 }, dialect)) {
        for (const row of rows) {
          if (write === undefined) {
            write = await rowWriter({ heading: [], headingRow: row, dialect, sha256: '' });
            yield write(row);
          } else if (lines.has(row.line)) {
            yield write(row);
            left--;
          }
        }
        if (left === 0) break;
      }
    } finally {
      if (text.source !== given) await text.source.close();
    }
  } finally {
    await given.close();
  }
}

async function rowWriter(head: FileHead): Promise<(row: RawRow) => Uint8Array> {
  const { encoding } = head.dialect;
  const unicode = encoding === 'auto' || encoding === 'UTF-8';
  // One character a byte, and back again: quotes and separators are the same in all these encodings.
  const dialect = unicode ? head.dialect : { ...head.dialect, encoding: 'ISO-8859-1' as const };
  const encoder = await fileParts()({ ...head, dialect });
  return (row) => {
    if (!row.clean) {
      const bytes = Buffer.from(encoder.row(row) ?? []);
      return unicode ? bytes : Buffer.from(bytes.toString(), 'latin1');
    }
    const last = row.bytes[row.bytes.length - 1];
    const ends = last === LINE_FEED || last === CARRIAGE_RETURN;
    return ends ? row.bytes : Buffer.concat([row.bytes, Buffer.of(LINE_FEED)]);
  };
}
