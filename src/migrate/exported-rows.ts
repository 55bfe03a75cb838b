import { createReadStream } from 'node:fs';
import { UsageError } from '../activity/errors.js';
import { readCsv } from '../format/csv.js';
import { whyUnreadable } from '../http/secret.js';

/** What the file of an export tells of itself. */
export interface ExportedFile {
  /** It is of contacts that opted out, or were removed: exports of those say when they left. */
  readonly left: boolean;
  /** Names of the lists that any of its contacts is marked as a member of; of one without contacts, all that it names. */
  readonly lists: readonly string[];
  /** All its contacts are members of each of those. */
  readonly everyone: boolean;
  /** Contacts; undefined where they needed no counting. */
  readonly rows: number | undefined;
}

/** An export has one column for each list, with a mark in the rows of its members. */
const LIST_COLUMN = /^List:\s*(.*)$/i;
const LEFT_COLUMN = /^(?:Date Removed|Removed By)$/i;

/** Looks into the file of an export; to its end only where the marks in its rows matter, or `count` asks for it. */
export async function examineExport(
  path: string,
  { count = false }: { readonly count?: boolean } = {},
): Promise<ExportedFile> {
  let heading: readonly string[] | undefined;
  let marks: { readonly name: string; readonly index: number; times: number }[] = [];
  let rows = 0;
  const stream = createReadStream(path);
  try {
    for await (const { cells } of readCsv(stream as AsyncIterable<Uint8Array>, { lenient: true })) {
      if (cells.every((cell) => cell === '')) continue;
      if (heading === undefined) {
        heading = cells;
        marks = cells.flatMap((cell, index) => {
          const name = LIST_COLUMN.exec(cell)?.[1];
          return name === undefined ? [] : [{ name, index, times: 0 }];
        });
        if (marks.length === 0 && !count) break;
        continue;
      }
      rows++;
      for (const mark of marks) if ((cells[mark.index] ?? '') !== '') mark.times++;
    }
  } catch (error) {
    throw new UsageError('FILE_UNREADABLE', `${path}: cannot be read (${whyUnreadable(error)})`, {
      cause: error,
    });
  } finally {
    stream.destroy();
  }
  const members = marks.filter(({ times }) => times > 0 || rows === 0);
  return {
    left: heading?.some((cell) => LEFT_COLUMN.test(cell)) ?? false,
    lists: members.map(({ name }) => name),
    everyone: members.length > 0 && members.every(({ times }) => times === rows),
    rows: count ? rows : undefined,
  };
}
