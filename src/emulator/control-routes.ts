import type { KnownActivityStatus } from '../activity/activity.js';
import { ServiceError, UnsupportedError, UsageError } from '../activity/errors.js';
import { refuseUnknownFields } from '../activity/fields.js';
import { shown } from '../activity/shown.js';
import { inspectorState } from './control-state.js';
import type { EmulatorState } from './emulator-state.js';
import type { Emulator } from './emulator.js';
import { FAULT_PRESETS } from './fault-presets.js';
import type { FaultRule } from './faults.js';
import type { OutcomeRule } from './outcomes.js';
import { parseSeed } from './seed-file.js';
import { steerable } from './steering.js';

export interface ControlCall {
  readonly emulator: Emulator;
  readonly url: URL;
  /** What the path names, decoded. */
  readonly names: readonly string[];
  text(): Promise<string>;
  /** The JSON of the request. */
  body(): Promise<unknown>;
}

export type ControlRoute = readonly [
  method: 'GET' | 'POST' | 'DELETE',
  path: RegExp,
  act: (call: ControlCall) => unknown,
];

/** What there is below `/__emulator/`. A route gives what is answered as JSON, or a whole answer. */
export const CONTROL_ROUTES: readonly ControlRoute[] = [
  ['GET', /^health$/, health],
  ['GET', /^state$/, ({ emulator }) => inspectorState(emulator)],
  ['POST', /^reset$/, reset],
  ['GET', /^snapshot$/, ({ emulator }) => emulator.snapshot()],
  ['POST', /^restore$/, restore],
  ['POST', /^seed$/, seed],
  ['GET', /^clock$/, ({ emulator }) => clock(emulator)],
  ['POST', /^clock$/, steer],
  ['GET', /^faults$/, ({ emulator }) => emulator.faults.list()],
  ['GET', /^faults\/presets$/, () => FAULT_PRESETS],
  ['POST', /^faults$/, addFault],
  ['DELETE', /^faults$/, clearFaults],
  ['DELETE', /^faults\/(\d{1,15})$/, removeFault],
  ['GET', /^requests$/, requests],
  ['DELETE', /^requests$/, clearRequests],
  ['GET', /^explain$/, ({ emulator }) => emulator.requests.matching({ refused: true }).slice(-20).reverse()],
  ['GET', /^accounts$/, ({ emulator }) => emulator.accounts().map(({ user }) => ({ user }))],
  ['GET', /^accounts\/([^/]+)$/, account],
  ['GET', /^activities\/([^/]+)$/, activities],
  ['GET', /^activities\/([^/]+)\/([^/]+)$/, activity],
  ['POST', /^activities\/([^/]+)\/([^/]+)\/transition$/, transition],
  ['GET', /^outcomes\/([^/]+)$/, (call) => accountOf(call).outcomes.list()],
  ['POST', /^outcomes\/([^/]+)$/, addOutcome],
  ['DELETE', /^outcomes\/([^/]+)$/, clearOutcomes],
  ['DELETE', /^outcomes\/([^/]+)\/(\d{1,15})$/, removeOutcome],
];

function health({ emulator }: ControlCall) {
  return { status: 'ok', now: iso(emulator), accounts: emulator.accounts().length };
}

function reset({ emulator }: ControlCall): Promise<void> {
  return emulator.reset();
}

async function restore(call: ControlCall): Promise<void> {
  // Whether it is a state is for the emulator to find out.
  await call.emulator.restore((await call.body()) as EmulatorState);
}

async function seed(call: ControlCall) {
  for (const account of await parseSeed(await call.text(), 'body')) call.emulator.seed(account);
  return call.emulator.accounts().map(({ user }) => ({ user }));
}

function clock(emulator: Emulator) {
  const moved = steerable(emulator.clock);
  return { now: iso(emulator), ...(moved !== undefined && { frozen: !moved.running }) };
}

async function steer(call: ControlCall) {
  const { emulator } = call;
  const { freeze, set, advance } = await fields(call, ['freeze', 'set', 'advance']);
  const moved = steerable(emulator.clock);
  if (moved === undefined) {
    throw new UnsupportedError('the clock is the machine’s own; start the emulator with a virtual one');
  }
  if (freeze !== undefined) {
    if (typeof freeze !== 'boolean') throw wrong('freeze', 'must be true or false', freeze);
    if (freeze) moved.freeze();
    else moved.run();
  }
  if (set !== undefined) await moved.set(timeOf('set', 'must be a time such as 2008-04-29T19:30:00Z', set));
  if (advance !== undefined) {
    await moved.advance(timeOf('advance', 'must be milliseconds, or a time such as 5m', advance));
  }
  return clock(emulator);
}

function timeOf(field: string, must: string, value: unknown): string | number {
  if (typeof value === 'string' || typeof value === 'number') return value;
  throw wrong(field, must, value);
}

async function addFault(call: ControlCall) {
  // The rule is checked by whoever takes it.
  const id = call.emulator.faults.add((await call.body()) as FaultRule);
  return json({ id }, 201);
}

function clearFaults({ emulator }: ControlCall): void {
  emulator.faults.clear();
}

function clearRequests({ emulator }: ControlCall): void {
  emulator.requests.clear();
}

function clearOutcomes(call: ControlCall): void {
  accountOf(call).outcomes.clear();
}

function removeFault({ emulator, names: [id] }: ControlCall): void {
  if (!emulator.faults.remove(Number(id))) throw notFound(`there is no fault ${id}`);
}

/** All parameters of a filter, and `limit`: the latest so many. `format=ndjson` gives lines. */
function requests({ emulator, url }: ControlCall): unknown {
  const { limit, format, ...filter } = Object.fromEntries(url.searchParams);
  const wanted: Record<string, unknown> = filter;
  for (const name of ['status', 'after']) {
    if (wanted[name] !== undefined) wanted[name] = count(name, wanted[name]);
  }
  for (const name of ['refused', 'faulty']) {
    if (wanted[name] !== undefined) wanted[name] = wanted[name] === 'true';
  }
  // Unknown names are refused by the journal.
  if (format === 'ndjson') {
    return new Response(emulator.requests.toNdjson(wanted), {
      headers: { ...CONTROL_HEADERS, 'content-type': 'application/x-ndjson' },
    });
  }
  const found = emulator.requests.matching(wanted);
  const latest = limit === undefined ? found : found.slice(-Math.max(1, count('limit', limit)));
  return { count: found.length, requests: latest };
}

async function account(call: ControlCall) {
  const account = accountOf(call);
  const lists = [];
  for await (const list of account.lists()) lists.push(list);
  return { user: account.user, lists };
}

const MOST_ACTIVITIES = 1_000;

async function activities(call: ControlCall) {
  const all = [];
  for await (const activity of accountOf(call).list()) {
    if (all.push(activity) === MOST_ACTIVITIES) break;
  }
  return all;
}

async function activity(call: ControlCall) {
  const account = accountOf(call);
  const id = call.names[1] ?? '';
  return { ...(await account.get(id)), transitions: account.transitions(id) };
}

async function transition(call: ControlCall) {
  const account = accountOf(call);
  const { to } = await fields(call, ['to']);
  if (typeof to !== 'string') throw wrong('to', 'must be a status', to);
  const id = call.names[1] ?? '';
  return account.transition(id, to as KnownActivityStatus);
}

async function addOutcome(call: ControlCall) {
  const { outcomes } = accountOf(call);
  return json({ id: outcomes.add((await call.body()) as OutcomeRule) }, 201);
}

function removeOutcome(call: ControlCall): void {
  const id = call.names[1];
  if (!accountOf(call).outcomes.remove(Number(id))) throw notFound(`there is no outcome ${id}`);
}

function accountOf({ emulator, names: [user = ''] }: ControlCall) {
  const account = emulator.account(user);
  if (account === undefined) throw notFound(`there is no account ${user.slice(0, 100)}`);
  return account;
}

function iso(emulator: Emulator): string {
  return new Date(emulator.clock.now()).toISOString();
}

async function fields(
  call: ControlCall,
  names: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const body = await call.body();
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw wrong('body', 'must be a JSON object', body);
  refuseUnknownFields(body, names, 'body');
  return body as Record<string, unknown>;
}

function count(name: string, text: unknown): number {
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  throw wrong(name, 'must be a whole number', text);
}

function wrong(field: string, must: string, value: unknown): UsageError {
  return new UsageError('OPTION_INVALID', `${field}: ${must}, got ${shown(value)}`);
}

export function notFound(detail: string): ServiceError {
  return new ServiceError('NOT_FOUND', detail, { status: 404, detail });
}

/** Nothing of it is to be kept, taken for something else, or read by another page. */
export const CONTROL_HEADERS = {
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
} as const;

export function json(value: unknown, status = 200): Response {
  if (value === undefined) return new Response(null, { status: 204, headers: CONTROL_HEADERS });
  return new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: { ...CONTROL_HEADERS, 'content-type': 'application/json' },
  });
}
