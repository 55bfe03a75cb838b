import type { Activity } from '../activity/activity.js';
import { AmbiguousCreateError, UsageError } from '../activity/errors.js';
import { checkRequest } from '../activity/request.js';
import type { CreationMemory } from '../create.js';
import type { RequestBody } from '../format/body.js';
import { LIMITS, type PartLimits } from '../translate/limits.js';
import { splitUpload, type SplitUpload } from '../translate/split.js';
import type { CreationOptions } from '../bulk-client.js';
import { fileSource } from '../upload/contact-source.js';
import { toV2 } from '../v2/meaning.js';
import { encodeRequest } from '../v2/requests.js';
import type { Operation } from '../v2/uris.js';
import type { GatewayUser } from './accounts.js';
import { changePart, giveUpAt, GONE, MOST_LOST, persist, surely, type Engine } from './engine.js';
import { toV2Export } from './export-out.js';
import type { KeptActivity, KeptPart, Order } from './kept.js';
import { v2ListId } from './lists.js';
import { uploadParts } from './upload-in.js';
import { reasonOf } from './upstream.js';
import { warningsOf } from './warnings.js';

/** One request to v2, ready to be sent. */
interface Request {
  readonly operation: Operation;
  readonly body: RequestBody;
  /** Of an upload, what v2 is told that its file is called. */
  readonly fileName?: string;
}

/** Sends what is left to be sent of an activity, part by part. Returns early only when all is to stop. */
export async function send(engine: Engine, id: string): Promise<void> {
  const kept = engine.ledger.find(id);
  if (kept === undefined || kept.parts.every(isOver)) return;
  const { order } = kept;
  if ('upload' in order) await sendUpload(engine, kept, order);
  else await sendPart(engine, kept, 0, () => control(engine, kept, order));
}

/** Nothing is left to be sent of it. */
function isOver({ upstream, refused }: KeptActivity['parts'][number]): boolean {
  return upstream !== undefined || refused !== undefined;
}

type UploadOrder = Extract<Order, { readonly upload: string }>;

async function sendUpload(engine: Engine, kept: KeptActivity, order: UploadOrder): Promise<void> {
  const of = { user: kept.user, activity: kept.id };
  const split = await persist(engine, of, () => splitOrder(engine, kept, order), {
    until: giveUpAt(engine, kept),
  });
  if (split === 'stopped') return;
  if ('failed' in split) {
    await refuse(engine, kept, 0, split.failed);
    return;
  }
  try {
    if ((await surely(engine, of, () => notePlan(engine, kept, split.done))) === 'stopped') return;
    for (const part of split.done.parts) {
      const went = await sendPart(engine, kept, part.index, () =>
        Promise.resolve({
          operation: order.kind === 'add' ? 'addcontacts' : 'removefromlists',
          body: part,
          fileName: partName(kept.id, part.index),
        }),
      );
      if (!went) return;
    }
  } finally {
    await split.done.close();
  }
}

/**
 * The parts of an upload: the same at each call. The account must be there, since it says where columns and lists go.
 * @throws UsageError as `splitUpload`.
 */
export function splitOrder(
  engine: Engine,
  { id, user }: KeptActivity,
  order: UploadOrder,
): Promise<SplitUpload> {
  const account = accountOf(engine, user);
  return engine.convert(async () => {
    const source = engine.pace.source(await fileSource(engine.uploads.file(order.upload)));
    return splitUpload(source, {
      limits: partLimits(engine, order),
      encode: uploadParts({
        purpose: order.kind,
        as: 'multipart',
        lists: order.lists.map((list) => v2ListId(list, account.lists)),
        into: account.into,
        now: engine.clock.now(),
        fileName: (index) => partName(id, index),
      }),
    });
  });
}

function partLimits({ partLimits: less }: Engine, { kind }: UploadOrder): PartLimits {
  const { rows, bytes } = kind === 'add' ? LIMITS.v2Add : LIMITS.v2Remove;
  return { rows: Math.min(rows, less.rows ?? rows), bytes: Math.min(bytes, less.bytes ?? bytes) };
}

/** Of no other part that the gateway ever sends: by it v2's record of the part is known. */
function partName(id: string, index: number): string {
  return `${id}-${index + 1}.csv`;
}

/** Writes down how many parts there are, and what is lost, once. */
async function notePlan(
  { ledger, tell }: Engine,
  { id, user }: KeptActivity,
  split: SplitUpload,
): Promise<void> {
  const found = warningsOf(split.losses);
  const all = split.parts.length;
  const { parts = [], warnings = [], withoutAddress = 0 } = ledger.find(id) ?? {};
  if (parts.length === all && parts.some(({ attempt }) => attempt !== undefined)) return;
  const known = new Set(warnings.map(({ message }) => message));
  const news = found.filter(({ message }) => !known.has(message));
  if (news.length > 0) tell({ event: 'warned', user, activity: id, warnings: news });
  const bare = split.withoutAddressCount;
  if (news.length === 0 && parts.length === all && withoutAddress === bare) return;
  await ledger.update(id, (kept) => ({
    ...kept,
    warnings: [...kept.warnings, ...news],
    ...(bare > 0 && { withoutAddress: bare }),
    parts: Array.from({ length: all }, (_, index) => kept.parts[index] ?? {}),
  }));
}

async function control(
  engine: Engine,
  kept: KeptActivity,
  order: Exclude<Order, UploadOrder>,
): Promise<Request> {
  const { lists, into } = accountOf(engine, kept.user);
  const request =
    order.kind === 'clear'
      ? {
          activityType: 'CLEAR_CONTACTS_FROM_LISTS' as const,
          lists: order.lists.map((list) => v2ListId(list, lists)),
        }
      : toV2Export(order.request, { listId: v2ListId(order.request.listId, lists), into }).counterpart;
  const meant = await toV2(checkRequest(request), { now: engine.clock.now(), warn: () => undefined });
  return { operation: meant.operation, body: await encodeRequest(meant) };
}

/** Sends one part, if it was not: true when the next may follow. */
async function sendPart(
  engine: Engine,
  kept: KeptActivity,
  index: number,
  request: () => Promise<Request>,
): Promise<boolean> {
  const { id, user, type } = kept;
  const of = { user, activity: id };
  const { ledger, tell } = engine;
  const part = ledger.find(id)?.parts[index];
  if (part === undefined) return false;
  if (part.refused !== undefined || engine.stop.aborted) return false;
  if (part.upstream !== undefined) return true;
  if (part.attempt !== undefined) tell({ event: 'searching', ...of, part: index + 1 });
  const sent = await persist(
    engine,
    of,
    async () => {
      const account = accountOf(engine, user);
      const upstream = engine.upstream(account);
      const { fileName, ...encoded } = await request();
      const create = () => {
        const options: CreationOptions = {
          memory: memoryOf(engine, id, index),
          recognise: (activity) => recognise(engine, activity, fileName),
          signal: engine.stop,
        };
        return upstream.call(user, 'create', () =>
          upstream.client(account).createEncoded({ ...encoded, activityType: type }, options),
        );
      };
      try {
        return await create();
      } catch (error) {
        if (!mayRepeat(type, ledger.find(id)?.parts[index], error)) throw error;
        await changePart(engine, id, index, ({ repeated = 0, ...before }) => ({
          ...before,
          attempt: undefined,
          repeated: repeated + 1,
        }));
        return create();
      }
    },
    { until: giveUpAt(engine, kept) },
  );
  if (sent === 'stopped') return false;
  if ('failed' in sent) {
    await refuse(engine, kept, index, sent.failed);
    return false;
  }
  const { id: upstream } = sent.done;
  const noted = await surely(engine, of, () =>
    changePart(engine, id, index, (before) => ({ ...before, upstream, submitted: engine.clock.now() })),
  );
  if (noted === 'stopped') return false;
  const parts = ledger.find(id)?.parts.length ?? 1;
  tell({ event: 'submitted', user, activity: id, part: index + 1, parts, upstream });
  return true;
}

/**
 * Lists are no emptier for being cleared twice, and nothing else that was asked of the gateway comes in between: so this is
 * done again when nobody can tell whether it was done, as often as an upload.
 */
function mayRepeat(type: KeptActivity['type'], part: KeptPart | undefined, error: unknown): boolean {
  const lost = error instanceof AmbiguousCreateError && error.candidates.length === 0;
  return lost && type === 'CLEAR_CONTACTS_FROM_LISTS' && (part?.repeated ?? 0) < MOST_LOST - 1;
}

function memoryOf(engine: Engine, id: string, index: number): CreationMemory {
  return {
    kept: engine.ledger.find(id)?.parts[index]?.attempt,
    keep: (attempt) => changePart(engine, id, index, (part) => ({ ...part, attempt })),
    forget: () => {
      // Should it fail, the activity is looked for once more than need be.
      changePart(engine, id, index, (part) => ({ ...part, attempt: undefined })).catch(() => undefined);
    },
  };
}

/** By the name of its file, where v2 tells it; what other parts of the gateway have made is not it. */
function recognise(
  { ledger }: Engine,
  activity: Activity,
  fileName: string | undefined,
): boolean | undefined {
  if (ledger.open().some(({ parts }) => parts.some(({ upstream }) => upstream === activity.id))) return false;
  const { fileName: told = '' } = activity;
  if (fileName === undefined || told === '') return undefined;
  return told === fileName;
}

/** A part comes to nothing, and so do those behind it, which are not sent. */
async function refuse(
  engine: Engine,
  { id, user }: KeptActivity,
  index: number,
  error: unknown,
): Promise<void> {
  const reason = reasonOf(error);
  await surely(engine, { user, activity: id }, () =>
    engine.ledger.update(id, (kept) => ({
      ...kept,
      parts: kept.parts.map((part, at) => {
        if (at < index || isOver(part)) return part;
        return { ...part, refused: at === index ? reason : `not sent, since part ${index + 1} was refused` };
      }),
    })),
  );
}

/** @throws UsageError `CREDENTIALS_REQUIRED`, until the account is back. */
export function accountOf({ accounts }: Engine, user: string): GatewayUser {
  const account = accounts.get(user);
  if (account !== undefined) return account;
  throw new UsageError('CREDENTIALS_REQUIRED', `${user}: ${GONE}`);
}
