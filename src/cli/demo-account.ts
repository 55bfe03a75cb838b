import { EMAIL_ADDRESS, findColumn } from '../activity/columns.js';
import type { ContactRow } from '../activity/request.js';
import { isEmailAddress } from '../emulator/address.js';
import type { Latency } from '../emulator/latency.js';
import type { AccountSeed } from '../emulator/seed.js';
import { readCsv } from '../format/csv.js';
import { openContactFile } from '../upload/contact-file.js';
import type { Session } from './session.js';
import { plainText } from './terminal.js';

/** Jobs that take about a second, yet can be seen in every status. */
export const FAST: Latency = { pending: 300, queued: 300, running: 400 };

/** What an emulated account of the command line takes as credentials: anything, so the command line says so. */
export const ANY_CREDENTIALS = { apiKey: 'any', password: 'any' } as const;

/** The account that `demo` and `emulator` start with: two empty lists of its own, 2 and 5. */
export function demoAccount(user: string, members: readonly ContactRow[] = []): AccountSeed {
  return {
    user,
    lists: [
      { id: '2', name: 'Spring Newsletter', members },
      { id: '5', name: 'Shop Customers' },
    ],
  };
}

/** The contacts of a file, for an account to start with; rows without a good address are left out, with a warning. */
export async function readMembers({ talk }: Session, path: string): Promise<readonly ContactRow[]> {
  const file = await openContactFile({ file: path });
  for (const { message } of file.warnings) talk.warn(plainText(message));
  const members: ContactRow[] = [];
  let names: (string | undefined)[] | undefined;
  for await (const { line, cells } of readCsv(file.open(), { lenient: true })) {
    if (names === undefined) {
      names = cells.map((heading) => findColumn(heading)?.ws);
      continue;
    }
    const known: Record<string, string> = {};
    names.forEach((name, index) => {
      if (name !== undefined) known[name] = cells[index] ?? '';
    });
    const address = known[EMAIL_ADDRESS] ?? '';
    if (isEmailAddress(address)) members.push(known);
    else talk.warn(plainText(`${path} line ${line}: "${address}" is no e-mail address; the row is left out`));
  }
  return members;
}
