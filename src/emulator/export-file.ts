import { COLUMNS, EMAIL_ADDRESS } from '../activity/columns.js';
import { CONTACT_ID, type CheckedRequest, type FileType } from '../activity/request.js';
import { writeCsv } from '../format/csv.js';
import { exportTime } from '../format/export-time.js';
import type { Contact, Member } from './contacts.js';

export type ExportRequest = Extract<CheckedRequest, { activityType: 'EXPORT_CONTACTS' }>;

/** A list as exports name it: one column each, with an `x` for every member. */
export interface ListColumn {
  readonly shortName: string;
  has(contact: Contact): boolean;
}

type Table = readonly (readonly string[])[];

/** The file of an export as plain data: its rows, or its text once it was asked for. */
export type ExportFileState = { readonly fileType: FileType } & (
  { readonly table: Table } | { readonly text: string }
);

/** The file of an export: what it holds was fixed when the export ran. */
export class ExportFile {
  /** `a07e1gpfcd3fhysynnp.csv` */
  readonly name: string;
  readonly contentType: 'text/csv' | 'text/plain';
  readonly #fileType: FileType;
  #content: Table | Uint8Array;
  #bytes: Promise<Uint8Array> | undefined;

  constructor(id: string, state: ExportFileState) {
    this.name = `${id}.${state.fileType.toLowerCase()}`;
    this.contentType = state.fileType === 'CSV' ? 'text/csv' : 'text/plain';
    this.#fileType = state.fileType;
    this.#content = 'table' in state ? state.table : Buffer.from(state.text);
  }

  /**
   * UTF-8 without a byte-order mark, lines ended by CR LF: RFC 4180 for CSV; for TXT the same with tabs for commas,
   * which is a guess, since no client is known that read one.
   */
  async bytes(): Promise<Uint8Array> {
    if (this.#content instanceof Uint8Array) return this.#content;
    this.#bytes ??= encode(this.#content, this.#fileType);
    this.#content = await this.#bytes;
    return this.#content;
  }

  state(): ExportFileState {
    const [fileType, content] = [this.#fileType, this.#content];
    return content instanceof Uint8Array
      ? { fileType, text: Buffer.from(content).toString() }
      : { fileType, table: content };
  }
}

async function encode(table: Table, fileType: FileType): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  const delimiter = fileType === 'CSV' ? ',' : '\t';
  for await (const text of writeCsv(table, { delimiter, lineEnd: '\r\n' })) chunks.push(Buffer.from(text));
  return Buffer.concat(chunks);
}

const easternTime = exportTime();

const headings = new Map<string, string>([
  ...COLUMNS.map((column) => [column.ws, column.heading] as const),
  [CONTACT_ID, 'Contact ID'],
]);

/**
 * Heading and rows of an export: the address, the columns asked for in the order asked for, then the date, who, and
 * the lists, as far as they were asked for.
 */
export function exportTable(
  request: ExportRequest,
  members: Iterable<Member>,
  lists: readonly ListColumn[],
): string[][] {
  const columns = request.columns.filter((name) => name !== EMAIL_ADDRESS);
  const left = request.listId === 'removed' || request.listId === 'do-not-mail';
  const listColumns = request.exportListName ? lists : [];
  const heading = [EMAIL_ADDRESS, ...columns].map((name) => headings.get(name) ?? name);
  if (request.exportOptDate) heading.push(left ? 'Date Removed' : 'Date Added');
  if (request.exportOptSource) heading.push(left ? 'Removed By' : 'Added By');
  heading.push(...listColumns.map((list) => `List: ${list.shortName}`));

  const rows = sorted(members, request.sortBy).map(({ contact, mark }) => {
    const row = [
      contact.address,
      ...columns.map((name) =>
        name === CONTACT_ID ? String(contact.number) : (contact.values.get(name) ?? ''),
      ),
    ];
    if (request.exportOptDate) row.push(easternTime(mark.date));
    if (request.exportOptSource) row.push(mark.by);
    row.push(...listColumns.map((list) => (list.has(contact) ? 'x' : '')));
    return row;
  });
  return [heading, ...rows];
}

/** By address in ascending order of its lower-case characters; by date the newest first, equal dates by address. */
function sorted(members: Iterable<Member>, sortBy: ExportRequest['sortBy']): Member[] {
  const keyed = Array.from(members, (member) => ({ member, key: member.contact.address.toLowerCase() }));
  keyed.sort(
    (a, b) =>
      (sortBy === 'DATE_DESC' ? b.member.mark.date - a.member.mark.date : 0) || (a.key < b.key ? -1 : 1),
  );
  return keyed.map(({ member }) => member);
}
