import { DecodeError } from '../activity/errors.js';
import { hasFailed, type Activity, type ActivityError } from '../activity/activity.js';
import { withoutAddresses } from '../inspect/redact.js';
import { joinActivities, NO_ADDRESS, type JoinedActivity, type SentPart } from '../translate/join.js';
import type { SplitUpload } from '../translate/split.js';
import { giveUpAt, persist, surely, unexpected, type Engine } from './engine.js';
import { toWsExport } from './export-out.js';
import type { EndedActivity, ExportRequest, KeptActivity, KeptError, KeptPart, Order } from './kept.js';
import { accountOf, splitOrder } from './send.js';
import { reasonOf } from './upstream.js';
import type { GatewayWarning } from './warnings.js';

/** Brings activities to their end, once all of their parts have come to theirs. */
export class Endings {
  readonly #engine: Engine;
  readonly #running = new Map<string, Promise<void>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  begin(id: string): void {
    if (this.#running.has(id) || this.#engine.stop.aborted) return;
    const ending = end(this.#engine, id)
      .catch((error: unknown) => {
        unexpected(this.#engine, error);
      })
      .finally(() => {
        this.#running.delete(id);
      });
    this.#running.set(id, ending);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }
}

async function end(engine: Engine, id: string): Promise<void> {
  const { ledger, clock, tell } = engine;
  const kept = ledger.find(id);
  if (kept === undefined) return;
  const { user, type, order, accepted } = kept;
  const of = { user, activity: id };
  const made = await persist(engine, of, () => endOf(engine, kept), {
    until: giveUpAt(engine, kept),
    mostDoubted: MOST_DOUBTED,
  });
  if (made === 'stopped') return;
  // What came of it is known, though not all of it can be told.
  const ended = 'done' in made ? made.done : failed(reasonOf(made.failed));
  const end = { ...ended, at: clock.now() };
  const account = engine.accounts.get(user);
  if (account !== undefined && order.kind !== 'export') engine.lists(account).outdate();
  const done = await surely(engine, of, () => ledger.update(id, (before) => endedAs(before, end)));
  if (done === 'stopped') return;
  const { status, transactionCount, errorCount } = end;
  tell({ event: 'finished', ...of, type, status, transactionCount, errorCount, took: end.at - accepted });
  // Nobody needs the contacts any more; should this fail, they go when the gateway begins anew.
  if ('upload' in order) await engine.uploads.remove(order.upload);
}

/** A page of a proxy in the place of a file goes away; what is still there after so many tries is the file. */
const MOST_DOUBTED = 12;

/** The contacts and what was known of the parts are needed no more. */
function endedAs(kept: KeptActivity, ended: EndedActivity): KeptActivity {
  return { ...kept, ended, parts: kept.parts.map(({ upstream, submitted }) => ({ upstream, submitted })) };
}

async function endOf(engine: Engine, kept: KeptActivity): Promise<Omit<EndedActivity, 'at'>> {
  const { order } = kept;
  if ('upload' in order) return engine.convert(() => endOfUpload(engine, kept, order));
  const [part = {}] = kept.parts;
  const activity = activityOfPart(part);
  if (order.kind === 'export' && !hasFailed(activity)) {
    return { ...endOfActivity(activity, [part]), file: await fetchExport(engine, kept, order.request, part) };
  }
  return endOfActivity(activity, [part]);
}

/** The parts as one activity, with their errors at the lines of the upload. */
async function endOfUpload(
  engine: Engine,
  kept: KeptActivity,
  order: Extract<Order, { readonly upload: string }>,
): Promise<Omit<EndedActivity, 'at'>> {
  const { parts, withoutAddress = 0 } = kept;
  const placed = parts.some(({ seen }) => seen !== undefined && seen.errors.length > 0);
  // Only errors must be looked up in the upload.
  const split = placed || withoutAddress > 0 ? await splitOrder(engine, kept, order) : undefined;
  try {
    if (parts.length === 0) return await endOfNothing(engine, split);
    const joined = await joinActivities(
      parts.map((part, index) => ({ part: split?.parts[index] ?? NOWHERE, activity: activityOfPart(part) })),
      { id: kept.id, headingLine: split?.headingLine },
    );
    return endOfActivity(joined, parts, engine.addresses);
  } finally {
    await split?.close();
  }
}

/** Of an upload in which no row has an address, so that v2 was sent nothing. */
async function endOfNothing(
  { clock }: Engine,
  split: Pick<SplitUpload, 'withoutAddress' | 'withoutAddressCount'> | undefined,
): Promise<Omit<EndedActivity, 'at'>> {
  const errors: KeptError[] = [];
  for await (const lineNumber of split?.withoutAddress() ?? []) {
    if (errors.push({ lineNumber, message: NO_ADDRESS }) === MOST_ERRORS) break;
  }
  const now = clock.now();
  const errorCount = split?.withoutAddressCount ?? 0;
  return {
    status: 'COMPLETE',
    errors,
    errorCount,
    transactionCount: 0,
    runStartTime: now,
    runFinishTime: now,
  };
}

/** Errors that are listed at most; all are counted. */
const MOST_ERRORS = 1_000;

/** For parts without errors: nothing is looked up in them. */
const NOWHERE: SentPart['part'] = {
  index: 0,
  locate: () => Promise.resolve({ lines: new Map(), addresses: new Map() }),
};

function endOfActivity(
  activity: Activity | JoinedActivity,
  parts: readonly KeptPart[],
  addresses = true,
): Omit<EndedActivity, 'at'> {
  const { errors, errorCount, transactionCount, runStartTime, runFinishTime } = activity;
  const ended = hasFailed(activity);
  return {
    status: ended ? 'ERROR' : 'COMPLETE',
    errors: errors.slice(0, MOST_ERRORS).map((error) => keptError(error, addresses)),
    errorCount: Math.max(errorCount, errors.length),
    transactionCount: parts.every(({ seen }) => seen?.transactionCount === undefined) ? 0 : transactionCount,
    runStartTime: runStartTime?.getTime(),
    runFinishTime: runFinishTime?.getTime(),
  };
}

function keptError({ lineNumber, emailAddress, message }: ActivityError, addresses: boolean): KeptError {
  // In a file that is no text, what stands in the place of the address is none.
  const told = addresses && emailAddress !== undefined && !/\p{Cc}/u.test(emailAddress);
  return {
    lineNumber,
    emailAddress: told ? emailAddress : undefined,
    message: addresses ? message : withoutAddresses(message),
  };
}

function failed(reason: string): Omit<EndedActivity, 'at'> {
  return { status: 'ERROR', errors: [{ message: reason }], errorCount: 1, transactionCount: 0 };
}

/** What came of a part; one that was refused ended with that as its error. */
function activityOfPart({ upstream = '', seen, refused }: KeptPart): Activity {
  const time = (at: number | undefined) => (at === undefined ? undefined : new Date(at));
  const told = seen?.errors ?? [];
  const reasons =
    refused !== undefined
      ? [{ message: refused }]
      : seen?.status === 'CANCELLED' && told.length === 0
        ? [{ message: 'the activity was cancelled in the account' }]
        : [];
  const errors = [...told, ...reasons].map(({ lineNumber, emailAddress, message }: KeptError) => ({
    lineNumber,
    emailAddress,
    message,
  }));
  return {
    id: upstream,
    type: undefined,
    status: refused === undefined ? seen?.status : 'ERROR',
    errors,
    errorCount: Math.max((seen?.errorCount ?? 0) + reasons.length, errors.length),
    fileName: seen?.fileName,
    transactionCount: seen?.transactionCount,
    insertTime: undefined,
    runStartTime: time(seen?.runStartTime),
    runFinishTime: time(seen?.runFinishTime),
    updated: undefined,
    title: undefined,
    editMedia: undefined,
  };
}

/** The file of an export, converted to what ws gave and kept: its name. */
async function fetchExport(
  engine: Engine,
  { user, id }: KeptActivity,
  request: ExportRequest,
  part: KeptPart,
): Promise<string> {
  const account = accountOf(engine, user);
  const upstream = engine.upstream(account);
  const name = `${id}.${request.fileType.toLowerCase()}`;
  const record = activityOfPart(part);
  const warn = (warning: GatewayWarning) => {
    engine.tell({ event: 'warned', user, activity: id, warnings: [warning] });
  };
  const fetchFile = async (lenient: boolean) => {
    const download = await upstream
      .client(account)
      .download({ ...record, type: 'EXPORT_CONTACTS' }, { signal: engine.stop });
    try {
      const { into, timeZone } = account;
      const listName = engine.lists(account).shortName(request.listId);
      await engine.files.keep(
        name,
        toWsExport(request, download.body, { into, timeZone, listName, lenient, warn }),
      );
    } finally {
      await download.cancel();
    }
  };
  await upstream.call(user, 'download', async () => {
    try {
      await fetchFile(false);
    } catch (error) {
      if (!(error instanceof DecodeError && error.code === 'CSV_MALFORMED')) throw error;
      const message = 'the file of the export was not well-formed, and was read as far as it can be';
      warn({ code: 'FILE_MALFORMED', message });
      await fetchFile(true);
    }
  });
  return name;
}
