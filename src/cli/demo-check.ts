import { findColumn } from '../activity/columns.js';
import type { ActivityError } from '../activity/activity.js';
import { readCsv } from '../format/csv.js';

/** A contact file as a table: the ws names of its columns, and its rows with the line each begins at. */
export interface ContactTable {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly line: number; readonly cells: readonly string[] }[];
}

export async function readContactTable(bytes: Uint8Array): Promise<ContactTable> {
  const all = [];
  for await (const row of readCsv(bytes)) all.push(row);
  const [heading, ...rows] = all;
  const columns = (heading?.cells ?? []).map((name) => findColumn(name)?.ws ?? name);
  return { columns, rows };
}

/** Contacts by address in lower case: what each column holds of them. */
type Contacts = Map<string, Map<string, string>>;

/** What the list must hold after an upload: of each address the last row, unless it was refused. */
export function acceptedContacts(uploaded: ContactTable, errors: readonly ActivityError[]): Contacts {
  const contacts = contactsOf(uploaded);
  const refused = new Set(errors.map((error) => error.lineNumber));
  const rows = contactsOf({ ...uploaded, rows: uploaded.rows.filter(({ line }) => refused.has(line)) });
  for (const address of rows.keys()) contacts.delete(address);
  return contacts;
}

/** What the exported file has too much, too little, or otherwise than it was accepted; empty when all is well. */
export function differences(accepted: Contacts, exported: ContactTable): string[] {
  const found = contactsOf(exported);
  const lines: string[] = [];
  if (exported.rows.length !== found.size) lines.push('an address is there twice');
  for (const [address, values] of accepted) {
    const other = found.get(address);
    if (other === undefined) lines.push(`${address} is missing`);
    for (const [column, value] of other === undefined ? [] : values) {
      if (other?.get(column) !== value) lines.push(`${address}: ${column} is not "${value}"`);
    }
  }
  for (const address of found.keys()) if (!accepted.has(address)) lines.push(`${address} was never accepted`);
  return lines;
}

function contactsOf({ columns, rows }: ContactTable): Contacts {
  const contacts: Contacts = new Map();
  for (const { cells } of rows) {
    const named = columns.map((column, index) => [column, cells[index]?.trim() ?? ''] as const);
    const address = named.find(([column]) => column === 'EMAIL ADDRESS')?.[1].toLowerCase() ?? '';
    contacts.set(address, new Map(named.filter(([column]) => column !== 'EMAIL ADDRESS')));
  }
  return contacts;
}
