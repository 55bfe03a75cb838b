import { hasFailed, isFinished, type Activity, type ActivityError } from '../activity/activity.js';
import { addressKey } from './duplicates.js';
import type { UploadPart } from './split.js';

/** A part that was sent, and what became of it. */
export interface SentPart {
  readonly part: Pick<UploadPart, 'index' | 'locate'> & Partial<Pick<UploadPart, 'withoutAddress'>>;
  /** Undefined until the part is sent. */
  readonly activity: Activity | undefined;
}

/** An error of a part, at its place in the whole file. */
export interface JoinedError extends ActivityError {
  /** Line of the whole file where the row begins; undefined where the service names neither line nor address of a row. */
  readonly lineNumber: number | undefined;
  /** As it stands in the file, where the row was found. */
  readonly emailAddress: string | undefined;
  /** From 0. */
  readonly part: number;
  /** The line that the service named, in the part. */
  readonly partLine: number | undefined;
}

/** One activity for a whole that was sent in parts. */
export interface JoinedActivity extends Activity {
  readonly errors: readonly JoinedError[];
  /** The ids of the parts that were sent, in their order. */
  readonly partIds: readonly string[];
}

/** How parts are joined. */
export interface JoinOptions {
  /** Default: the id of the first part that was sent, or empty text. */
  readonly id?: string | undefined;
  /** Line of the heading in the whole file; default 1. */
  readonly headingLine?: number | undefined;
}

/**
 * One activity for the whole: finished when all parts are, ERROR when any of them failed. Counts are sums; it was inserted
 * and began with the first part, and finished with the last. Errors are those of the parts, in their order, each at the
 * line and address of the file that it came from; once a part has ended, the rows of its stretch of the file that have no
 * address, and so were not sent, are errors too.
 * @throws UsageError `FILE_CHANGED`, `FILE_UNREADABLE`: errors are looked up in the file.
 */
export async function joinActivities(
  parts: readonly SentPart[],
  { id, headingLine = 1 }: JoinOptions = {},
): Promise<JoinedActivity> {
  const errors: JoinedError[] = [];
  let unsent = 0;
  for (const { part, activity } of parts) {
    if (activity === undefined) continue;
    const placed = await placedErrors(part, activity.errors, headingLine);
    const bare = isFinished(activity) ? await bareRows(part) : [];
    unsent += bare.length;
    const all = bare.length === 0 ? placed : [...placed, ...bare].sort(byLine);
    for (const error of all) errors.push(error);
  }
  const sent = parts.flatMap(({ activity }) => activity ?? []);
  const all = parts.map(({ activity }) => activity?.status ?? 'PENDING');
  const finished = all.length > 0 && all.every((status) => isFinished({ status }));
  const first = sent[0];
  return {
    id: id ?? first?.id ?? '',
    type: first?.type,
    status: joinStatus(all),
    errors,
    errorCount: sent.reduce((sum, { errorCount }) => sum + errorCount, unsent),
    fileName: first?.fileName,
    transactionCount: sumOf(sent.map(({ transactionCount }) => transactionCount)),
    insertTime: earliest(sent.map(({ insertTime }) => insertTime)),
    runStartTime: earliest(sent.map(({ runStartTime }) => runStartTime)),
    runFinishTime: finished ? latest(sent.map(({ runFinishTime }) => runFinishTime)) : undefined,
    updated: latest(sent.map(({ updated }) => updated)),
    title: first?.title,
    editMedia: undefined,
    partIds: sent.map((activity) => activity.id),
  };
}

/** Statuses of what has not begun, those that come first first. */
const WAITING: readonly string[] = ['UNCONFIRMED', 'PENDING', 'QUEUED'];

/**
 * The status of the whole: ERROR or COMPLETE when every part has ended, else RUNNING, once one of them has begun. Without
 * any part, PENDING.
 */
export function joinStatus(statuses: readonly string[]): string {
  const waiting = WAITING.find((status) => statuses.includes(status));
  if (statuses.every((status) => WAITING.includes(status))) return waiting ?? 'PENDING';
  if (!statuses.every((status) => isFinished({ status }))) return 'RUNNING';
  return statuses.some((status) => hasFailed({ status })) ? 'ERROR' : 'COMPLETE';
}

async function placedErrors(
  part: SentPart['part'],
  errors: readonly ActivityError[],
  headingLine: number,
): Promise<JoinedError[]> {
  const lines = errors.flatMap(({ lineNumber }) => lineNumber ?? []);
  // The line tells more: an address may be cut short, or made up of what stands in the cell.
  const addresses = errors.flatMap(({ lineNumber, emailAddress }) =>
    lineNumber === undefined ? (emailAddress ?? []) : [],
  );
  const found = await part.locate({ lines, addresses });
  return errors.map((error) => {
    const { lineNumber, emailAddress, message } = error;
    const row =
      lineNumber === undefined
        ? found.addresses.get(addressKey(emailAddress ?? ''))
        : found.lines.get(lineNumber);
    const fileLine = row?.fileLine ?? (lineNumber === 1 ? headingLine : undefined);
    return {
      lineNumber: fileLine,
      emailAddress: row === undefined || row.address === '' ? emailAddress : row.address,
      message,
      part: part.index,
      partLine: lineNumber,
    };
  });
}

/** What ws said of a row without an address, or about so. */
export const NO_ADDRESS = 'Missing email address';

async function bareRows({ index, withoutAddress }: SentPart['part']): Promise<JoinedError[]> {
  const errors: JoinedError[] = [];
  for await (const lineNumber of withoutAddress?.() ?? []) {
    errors.push({
      lineNumber,
      emailAddress: undefined,
      message: NO_ADDRESS,
      part: index,
      partLine: undefined,
    });
  }
  return errors;
}

/** What is of no line comes last. */
function byLine(one: JoinedError, other: JoinedError): number {
  return (one.lineNumber ?? Infinity) - (other.lineNumber ?? Infinity) || 0;
}

function sumOf(counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter((count) => count !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, count) => sum + count, 0);
}

function earliest(times: readonly (Date | undefined)[]): Date | undefined {
  return extreme(times, Math.min);
}

function latest(times: readonly (Date | undefined)[]): Date | undefined {
  return extreme(times, Math.max);
}

function extreme(
  times: readonly (Date | undefined)[],
  pick: (...values: number[]) => number,
): Date | undefined {
  const known = times.flatMap((time) => time?.getTime() ?? []);
  return known.length === 0 ? undefined : new Date(known.reduce((one, other) => pick(one, other)));
}
