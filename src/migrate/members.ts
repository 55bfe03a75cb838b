import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { findV2Column } from '../activity/columns.js';
import { DecodeError, UsageError } from '../activity/errors.js';
import { readCsv } from '../format/csv.js';
import { codeOf, writeWhole } from '../http/disk.js';
import { addressKey } from '../translate/duplicates.js';
import type { V2Client } from '../v2/client.js';
import type { WaitOptions } from '../wait.js';

export interface ReadMembersOptions {
  /** How the export is waited for. */
  readonly wait?: Omit<WaitOptions, 'clock' | 'random' | 'signal'> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * How many members the list has: their addresses are exported, and stand in the file at `path` then, in lower case, one a
 * line. The file is there whole or not at all, for its owner only. When the process ends in the midst of it, the next call
 * exports once more, which changes nothing in the account.
 * @throws what the client does; UsageError `FILE_UNWRITABLE`; DecodeError `DOCUMENT_UNEXPECTED` for a file without a
 * column of addresses
 */
export async function readMembers(
  client: V2Client,
  list: string,
  path: string,
  { wait, signal }: ReadMembersOptions = {},
): Promise<{ count: number }> {
  const { id } = await client.exportContacts({ listId: list }, { signal });
  const activity = await client.waitForActivity(id, { ...wait, signal });
  const download = `${path}.csv`;
  try {
    await client.saveDownload(activity, download, { overwrite: true, signal });
    const members = { count: 0 };
    await writeWhole(path, addressLines(download, `the export of list ${list}`, members));
    return members;
  } finally {
    await rm(download, { force: true });
  }
}

/** Characters that are written at a time. */
const PIECE = 65_536;

async function* addressLines(file: string, what: string, members: { count: number }): AsyncGenerator<string> {
  let address: number | undefined;
  let lines = '';
  // The file may be read leniently: a row is a member whatever else stands in it.
  for await (const { cells, line } of readCsv(createReadStream(file), { lenient: true })) {
    if (address === undefined) {
      address = cells.findIndex((cell) => findV2Column(cell)?.property === 'emailAddress');
      if (address >= 0) continue;
      const position = { source: what, line, column: 1, byteOffset: 0 };
      throw new DecodeError('DOCUMENT_UNEXPECTED', `${what}: no column has the addresses`, position);
    }
    const key = addressKey(cells[address] ?? '');
    if (key === '') continue;
    members.count++;
    lines += `${key}\n`;
    if (lines.length < PIECE) continue;
    yield lines;
    lines = '';
  }
  yield lines;
}

/** The addresses in a file of `readMembers`, many at a time. @throws UsageError `FILE_UNREADABLE`. */
export async function* membersIn(path: string): AsyncGenerator<readonly string[]> {
  let rest = '';
  try {
    for await (const piece of createReadStream(path, 'utf8') as AsyncIterable<string>) {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      yield lines;
    }
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'there is no such file' : 'it cannot be read';
    throw new UsageError('FILE_UNREADABLE', `cannot read ${path}: ${reason} (${String(codeOf(error))})`, {
      cause: error,
    });
  }
}
