import { CtctError } from '../activity/errors.js';
import { readCsv } from '../format/csv.js';
import { findV2Column } from '../activity/columns.js';
import { translateCall, wsResource, type CallSubject, type CallTranslation } from '../translate/call.js';
import type { HttpCall } from '../translate/http-call.js';
import type { Loss } from '../translate/loss.js';
import type { V2Call, V2CallBody } from '../translate/v2-call.js';

/** How much can go wrong: `high`, something is lost or fails; `medium`, other code is needed; `low`, hardly anything. */
export const RISKS = ['high', 'medium', 'low'] as const;
export type Risk = (typeof RISKS)[number];

/** Calls that are one and the same but for lists, ids and contacts. */
export interface GuideCall {
  readonly subject: CallSubject;
  /** How often it was made. */
  readonly times: number;
  /** Where the first one stands. */
  readonly place: string;
  /** What v2 calls come of it, without anybody's data; more than one for an upload over the limits. */
  readonly counterpart: readonly V2Call[];
  /** All differences that one of the calls met, each once. */
  readonly losses: readonly Loss[];
  readonly risk: Risk;
}

/** A call that ws itself would not have taken. */
export interface RefusedCall {
  readonly place: string;
  readonly reason: string;
}

export interface GuideFacts {
  /** The riskiest first, and of those the most frequent. */
  readonly calls: readonly GuideCall[];
  readonly refused: readonly RefusedCall[];
  /** Calls of ws that were looked at, and others that were passed over. */
  readonly total: number;
  readonly others: number;
}

interface Draft extends Omit<GuideCall, 'times' | 'losses' | 'risk'> {
  times: number;
  readonly losses: Map<string, Loss>;
}

/** What an integration does, by its calls, and what becomes of it in v2. */
export async function studyCalls(
  calls: Iterable<HttpCall> | AsyncIterable<HttpCall>,
  options: { readonly now?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<GuideFacts> {
  const drafts = new Map<string, Draft>();
  const refused: RefusedCall[] = [];
  let total = 0;
  let others = 0;
  for await (const call of calls) {
    if (wsResource(call.url) === undefined) {
      others++;
      continue;
    }
    total++;
    try {
      const translation = await translateCall(call, { to: 'v2', ...options });
      await put(drafts, call, translation);
    } catch (error) {
      if (!(error instanceof CtctError) || error.code === 'ABORTED') throw error;
      const reason = withoutNames(error.message.replace(`${call.place}: `, ''));
      refused.push({ place: call.place, reason });
    }
  }
  const found = [...drafts.values()].map((draft): GuideCall => {
    const losses = [...draft.losses.values()];
    return { ...draft, losses, risk: riskOf(draft.counterpart, losses) };
  });
  const calledFor = found.sort(
    (a, b) =>
      RISKS.indexOf(a.risk) - RISKS.indexOf(b.risk) || b.times - a.times || (nameOf(a) < nameOf(b) ? -1 : 1),
  );
  return { calls: calledFor, refused, total, others };
}

/** What a kind of call is called: `POST activities, EXPORT_CONTACTS`. */
export function nameOf({ subject }: Pick<GuideCall, 'subject'>): string {
  const { method, resource, activityType } = subject;
  return `${method} ${shape(resource)}${activityType === undefined ? '' : `, ${activityType}`}`;
}

async function put(drafts: Map<string, Draft>, call: HttpCall, translation: CallTranslation): Promise<void> {
  const counterpart: V2Call[] = [];
  for (const one of translation.counterpart) counterpart.push(await withoutPeople(one));
  const key = JSON.stringify([
    nameOf(translation),
    counterpart.map(kindOf),
    ...translation.losses.map(differenceOf),
  ]);
  const draft = drafts.get(key) ?? {
    subject: translation.subject,
    times: 0,
    place: call.place,
    counterpart,
    losses: new Map<string, Loss>(),
  };
  draft.times++;
  for (const loss of translation.losses) {
    const difference = differenceOf(loss);
    if (!draft.losses.has(difference)) {
      const { place, message } = loss;
      draft.losses.set(difference, {
        ...loss,
        place: withoutNames(shape(place)),
        message: withoutNames(message),
      });
    }
  }
  drafts.set(key, draft);
}

/** Where a row stands makes no other kind of call. */
function differenceOf({ code, place }: Loss): string {
  return `${code} ${shape(place).replace(/^line .*/, 'line')}`;
}

/** What is left when lists, ids and contacts do not count. */
function kindOf({ method, url, body }: V2Call): unknown {
  const target = `${method} ${shape(url)}`;
  if (body?.form !== 'json') return [target, body?.file.text.split('\n', 1)[0]];
  return [target, { ...(body.json as object), lists: [], import_data: [] }];
}

/** The path without the ids in it. */
export function shape(path: string): string {
  return path
    .replace(
      /(activities\/(?:exportfiles\/)?)(?!addcontacts|removefromlists|clearlists|exportcontacts)[^/?.]+/,
      '$1{id}',
    )
    .replace(/(^|[ /])(contacts|lists|members)\/[^/?]+/g, '$1$2/{id}');
}

/** A file without a heading has people where the names of columns are looked for. */
function withoutNames(text: string): string {
  return text
    .replace(/(column, only ")[^"]*@[^"]*"/, '$1…"')
    .replace(/[^\s"'<>(),;:=]+@[^\s"'<>(),;:=]+/g, '…');
}

function riskOf(counterpart: readonly V2Call[], losses: readonly Loss[]): Risk {
  if (counterpart.length === 0 || losses.some(({ severity }) => severity === 'loss')) return 'high';
  // Who reads the answer must read JSON now.
  if (counterpart.some(({ method, url }) => method === 'GET' && !url.endsWith('.csv'))) return 'medium';
  const own = losses.filter(({ code }) => code !== 'CREDENTIALS_CHANGED');
  return own.some(({ severity }) => severity === 'change') ? 'medium' : 'low';
}

/** The call with one made-up contact in place of all. */
async function withoutPeople(call: V2Call): Promise<V2Call> {
  const { body } = call;
  if (body?.form === 'json') return { ...call, body: { ...body, ...madeUpJson(body.json) } };
  return body === undefined ? call : { ...call, body: await madeUpFile(body) };
}

const SOMEBODY = 'contact1@example.com';
const SOMETHING = '…';

function madeUpJson(json: unknown): { readonly json: unknown; readonly bytes: Uint8Array } {
  const { import_data: contacts, ...rest } = json as { readonly import_data?: readonly unknown[] };
  const [first] = contacts ?? [];
  const made = first === undefined ? rest : { import_data: [masked(first, '')], ...rest };
  return { json: made, bytes: Buffer.from(JSON.stringify(made)) };
}

/** The same shape, its texts replaced, but for those that name what stands beside them. */
function masked(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return (value as unknown[]).map((item) => masked(item, key));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, masked(inner, name)]));
  }
  if (key === 'email_addresses') return SOMEBODY;
  return key === 'name' || key === 'address_type' ? value : SOMETHING;
}

async function madeUpFile(body: Extract<V2CallBody, { form: 'multipart' }>): Promise<V2CallBody> {
  let heading: readonly string[] = [];
  for await (const { cells } of readCsv(body.file.text, { lenient: true })) {
    heading = cells;
    break;
  }
  const isHeading = heading.some((name) => findV2Column(name)?.property === 'emailAddress');
  const row = heading.map((name) => (findV2Column(name)?.property === 'emailAddress' ? SOMEBODY : SOMETHING));
  const text = isHeading ? `${heading.join(',')}\n${row.join(',')}\n` : `${SOMEBODY}\n`;
  return { ...body, bytes: Buffer.from(text), file: { ...body.file, text } };
}
