import type { ActivityError } from '../activity/activity.js';
import { isSystemList, systemList } from '../activity/list.js';
import type { ContactBook, Mark } from './contacts.js';
import { ExportFile, exportTable, type ExportRequest, type ListColumn } from './export-file.js';
import type { Job, Outcome } from './job.js';
import type { ListBook } from './lists.js';
import type { Upload } from './rows.js';

/** What a job is there for, as plain data, so that a job that waits can be stored. */
export type Work =
  | {
      readonly kind: 'add' | 'remove';
      readonly upload: Upload;
      readonly lists: readonly string[];
      /** The bare name of the file that was sent, where one was named. */
      readonly fileName?: string | undefined;
    }
  | { readonly kind: 'clear'; readonly lists: readonly string[] }
  | { readonly kind: 'export'; readonly request: ExportRequest };

/** What jobs work on. */
export interface Holdings {
  readonly contacts: ContactBook;
  readonly lists: ListBook;
}

/** Every job was asked for through the API, and so exports say of its effects. */
export const BY_API = 'API';

/** Does the work of a job, at its `runFinishTime`, with as many errors as are planned. */
export function perform(holdings: Holdings, job: Job, work: Work): Outcome {
  const planned = typeof job.planned === 'object' && 'errors' in job.planned ? job.planned : undefined;
  const { errors: wanted = 0, message = 'The emulator was asked to refuse this' } = planned ?? {};
  const mark = { date: job.runFinishTime, by: BY_API };
  const outcome = performWork(
    holdings,
    job,
    'upload' in work ? refuseRows(work, wanted, message) : work,
    mark,
  );
  const missing = Math.max(0, wanted - outcome.errors.length);
  const others = Array.from({ length: outcome.status === 'ERROR' ? 0 : missing }, (): ActivityError => ({
    lineNumber: undefined,
    emailAddress: undefined,
    message,
  }));
  return { ...outcome, errors: [...outcome.errors, ...others] };
}

function performWork(holdings: Holdings, { id }: Job, work: Work, mark: Mark): Outcome {
  switch (work.kind) {
    case 'add':
      return add(holdings, work.upload, existing(holdings, work.lists), mark);
    case 'remove':
      return remove(holdings, work.upload, work.lists, mark);
    case 'clear': {
      const count = holdings.contacts.clear(work.lists, mark);
      return { status: 'COMPLETE', transactionCount: count, errors: [] };
    }
    case 'export':
      return exportMembers(holdings, work.request, id);
  }
}

/** The upload with rows refused, from the first on, until it has so many errors. */
function refuseRows<W extends Extract<Work, { upload: unknown }>>(
  work: W,
  wanted: number,
  message: string,
): W {
  const { rows, errors } = work.upload;
  const count = Math.max(0, wanted - errors.length);
  if (count === 0) return work;
  const refused = rows.slice(0, count).map(({ line, address }) => ({
    lineNumber: line,
    emailAddress: address,
    message,
  }));
  return {
    ...work,
    upload: { ...work.upload, rows: rows.slice(count), errors: [...errors, ...refused].sort(byLine) },
  };
}

/** That an upload leaves out who opted out is how the successors of the API do it; the words are not the service's. */
function add({ contacts }: Holdings, upload: Upload, lists: readonly string[], mark: Mark): Outcome {
  if (upload.broken !== undefined) return failed(upload.broken);
  const optedOut = upload.rows.filter((row) => !contacts.add(row.address, row.values, lists, mark));
  const errors = optedOut.map((row) => ({
    lineNumber: row.line,
    emailAddress: row.address,
    message: 'Contact is on the do-not-mail list',
  }));
  return {
    status: 'COMPLETE',
    transactionCount: upload.rows.length - optedOut.length,
    errors: [...upload.errors, ...errors].sort(byLine),
  };
}

function remove({ contacts }: Holdings, upload: Upload, lists: readonly string[], mark: Mark): Outcome {
  if (upload.broken !== undefined) return failed(upload.broken);
  for (const row of upload.rows) contacts.remove(row.address, lists, mark);
  return { status: 'COMPLETE', transactionCount: upload.rows.length, errors: upload.errors };
}

function exportMembers(holdings: Holdings, request: ExportRequest, id: string): Outcome {
  const members = [...holdings.contacts.members(request.listId)];
  const table = exportTable(request, members, listColumns(holdings.lists, request.listId));
  const file = new ExportFile(id, { fileType: request.fileType, table });
  return { status: 'COMPLETE', transactionCount: members.length, errors: [], file };
}

/** One column for each list of the account in an export of `active`, else one for the list that is exported. */
function listColumns(lists: ListBook, exported: string): ListColumn[] {
  if (exported === 'active') {
    return Array.from(lists.all(), ({ id, shortName }) => ({
      shortName,
      has: (contact) => contact.lists.has(id),
    }));
  }
  const list = isSystemList(exported) ? systemList(exported) : lists.get(exported);
  return [{ shortName: list?.shortName ?? exported, has: () => true }];
}

/** A list may have been deleted since the job was asked for. */
function existing({ lists }: Holdings, ids: readonly string[]): readonly string[] {
  return ids.filter((id) => lists.has(id));
}

/** A file that is no text changes nothing: no part of it is used. */
function failed(error: ActivityError): Outcome {
  return { status: 'ERROR', transactionCount: 0, errors: [error] };
}

function byLine(a: { readonly lineNumber: number }, b: { readonly lineNumber: number }): number {
  return a.lineNumber - b.lineNumber;
}
