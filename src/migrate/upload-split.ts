import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { TransportError, UsageError } from '../activity/errors.js';
import { LIMITS } from '../translate/limits.js';
import { loss, type Loss } from '../translate/loss.js';
import { v2Parts } from '../translate/split-encodings.js';
import { splitUpload, type SplitUpload, type UploadPart } from '../translate/split.js';
import { fileSource, memorySource, type ContactSource } from '../upload/contact-source.js';
import { isSpreadsheet, readSheet } from '../upload/read-sheet.js';
import type { PlannedPart, PlannedUpload } from './plan.js';

/** All that decides how an upload is cut and sent. */
export type UploadSettings = Pick<
  PlannedUpload,
  'id' | 'activityType' | 'encoding' | 'lists' | 'blanksEnabled' | 'into'
>;

/**
 * When anniversaries are checked: so late that none lies too far ahead. The parts do not depend on it, and a plan has no
 * time in it: of a year that is too far ahead on the day it is sent, the target tells itself.
 */
const ANY_TIME = Date.UTC(9000, 0);

export interface OpenContactsOptions {
  readonly encoding: PlannedUpload['encoding'];
  /** What errors call the file. */
  readonly name: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The contact file, to be read again and again; of a spreadsheet, the first sheet as CSV, each row on the line of its number.
 * @throws UsageError `FILE_UNREADABLE`; `CONTACTS_INVALID` for a spreadsheet with an encoding; as `readSheet`
 */
export async function openContacts(
  path: string,
  { encoding, name, signal }: OpenContactsOptions,
): Promise<{ readonly source: ContactSource; readonly losses: readonly Loss[] }> {
  const file = await fileSource(path);
  if (!(await isSpreadsheet(file))) return { source: file, losses: [] };
  if (encoding !== 'auto') {
    throw new UsageError(
      'CONTACTS_INVALID',
      `${name}: is a spreadsheet, which tells its encoding itself; name none`,
    );
  }
  const { csv, sheets } = await readSheet(file, { name, signal });
  const losses =
    sheets > 1
      ? [loss('SHEETS_LEFT', 'file', `it has ${sheets} sheets; save the others as files of their own`)]
      : [];
  return { source: memorySource(csv), losses };
}

/** Ends reading when the signal aborts. */
function stoppable(source: ContactSource, signal: AbortSignal | undefined): ContactSource {
  if (signal === undefined) return source;
  return {
    ...source,
    async *read(start) {
      for await (const chunk of source.read(start)) {
        if (signal.aborted) {
          throw new TransportError('ABORTED', 'aborted while a file was read', {
            sent: 'no',
            cause: signal.reason,
          });
        }
        yield chunk;
      }
    },
  };
}

/**
 * The file in the parts in which it is sent, by whatever name each is known.
 * @throws UsageError as `splitUpload` and `openContacts`; TransportError `ABORTED`
 */
export async function splitFor(
  path: string,
  settings: UploadSettings,
  signal?: AbortSignal,
): Promise<SplitUpload> {
  const { activityType, encoding, lists, blanksEnabled, into } = settings;
  const adds = activityType === 'ADD_CONTACTS';
  const { source, losses } = await openContacts(path, { encoding, name: path, signal });
  const split = await splitUpload(stoppable(source, signal), {
    name: path,
    limits: adds ? LIMITS.v2Add : LIMITS.v2Remove,
    encoding,
    encode: v2Parts({
      purpose: adds ? 'add' : 'remove',
      as: 'multipart',
      lists,
      blanksEnabled,
      into,
      now: ANY_TIME,
      fileName: (index, sha256) => partFileName(settings, sha256, index),
    }),
  });
  if (split.parts.length === 0) {
    await split.close();
    throw new UsageError('CONTACTS_REQUIRED', `${path}: no row has an address, so there is nothing to send`);
  }
  return losses.length === 0 ? split : { ...split, losses: [...losses, ...split.losses] };
}

/** What v2 calls the part: no other part of any account, file or way to send it is called so. */
export function partFileName(settings: UploadSettings, sha256: string, index: number): string {
  const { id, activityType, encoding, lists, blanksEnabled, into } = settings;
  const whole = JSON.stringify([
    id,
    activityType,
    encoding,
    lists,
    blanksEnabled,
    Object.entries(into),
    sha256,
  ]);
  const hash = createHash('sha256').update(whole).digest('hex');
  return `ctct-${hash.slice(0, 10)}-${String(index + 1).padStart(4, '0')}.csv`;
}

/**
 * The upload in its parts, which are those that were planned, byte by byte. To be closed.
 * @param planFolder where a relative path of the step starts.
 * @throws UsageError `FILE_CHANGED` when the file is not the one that was planned; as `splitUpload`.
 */
export async function openUpload(
  step: PlannedUpload,
  planFolder: string,
  signal?: AbortSignal,
): Promise<SplitUpload> {
  const split = await splitFor(resolve(planFolder, step.file), step, signal).catch((error: unknown) => {
    throw error instanceof UsageError && NO_UPLOAD_ANY_MORE.includes(error.code)
      ? changed(step, error)
      : error;
  });
  if (split.sha256 === step.sha256 && samePart(split.parts, step.parts)) return split;
  await split.close();
  throw changed(step);
}

/** What is wrong with a file that was an upload when it was planned. */
const NO_UPLOAD_ANY_MORE: readonly string[] = [
  'CONTACTS_REQUIRED',
  'CONTACTS_INVALID',
  'ADDRESS_COLUMN_REQUIRED',
  'UPLOAD_TOO_LARGE',
];

function samePart(parts: readonly UploadPart[], planned: readonly PlannedPart[]): boolean {
  return (
    parts.length === planned.length && parts.every(({ sha256 }, index) => sha256 === planned[index]?.sha256)
  );
}

function changed({ file, id }: PlannedUpload, cause?: unknown): UsageError {
  return new UsageError(
    'FILE_CHANGED',
    `${file}: is not the file that step ${id} was planned with; put that one back, or plan again`,
    cause === undefined ? undefined : { cause },
  );
}
