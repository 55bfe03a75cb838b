import { createReadStream } from 'node:fs';
import { UsageError } from '../activity/errors.js';
import { readCsv } from '../format/csv.js';
import { codeOf } from '../http/disk.js';

/** An address that a list should have and does not, or the other way round. */
export interface Difference {
  readonly list: string;
  /** In lower case. */
  readonly emailAddress: string;
  readonly difference: 'missing' | 'unexpected';
  /** The row that added or removed it last, where one did: its file as the plan names it, its line, and its step. */
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly step: string | undefined;
}

export const DIFFERENCE_HEADING: readonly string[] = [
  'list',
  'emailAddress',
  'difference',
  'file',
  'line',
  'step',
];

/** The file of differences of an account, in the state folder. */
export function differencesFile(account: string): string {
  return `${account}.differences.csv`;
}

export function differenceCells(one: Difference): readonly string[] {
  const { list, emailAddress, difference, file = '', line, step = '' } = one;
  return [list, emailAddress, difference, file, line === undefined ? '' : String(line), step];
}

/** What a file of differences holds. @throws UsageError `FILE_UNREADABLE`; DecodeError `CSV_MALFORMED`. */
export async function* readDifferences(path: string): AsyncGenerator<Difference> {
  let heading = true;
  try {
    for await (const { cells } of readCsv(createReadStream(path), { delimiter: ',' })) {
      const [list = '', emailAddress = '', difference, file, line, step] = cells;
      if (!heading) {
        yield {
          list,
          emailAddress,
          difference: difference === 'missing' ? 'missing' : 'unexpected',
          file: file === '' ? undefined : file,
          line: line === '' ? undefined : Number(line),
          step: step === '' ? undefined : step,
        };
      }
      heading = false;
    }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new UsageError('FILE_UNREADABLE', `cannot read ${path}: there is no such file (ENOENT)`, {
      cause: error,
    });
  }
}
