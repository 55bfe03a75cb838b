import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../src/clock.js';
import { createEmulator, type Emulator } from '../../src/emulator/emulator.js';
import { failingRows } from '../../src/migrate/failing-rows.js';
import type { MigrationPlan } from '../../src/migrate/plan.js';
import { planMigration, type AccountInput } from '../../src/migrate/planning.js';
import { foldRun } from '../../src/migrate/run-state.js';
import type { Store } from '../../src/store/store.js';
import { LIMITS } from '../../src/translate/limits.js';

/** A row of an upload, before it is written as CSV. */
export interface RowSketch {
  readonly address: string;
  readonly name: string;
  readonly state: string;
}

export type StepSketch =
  | {
      readonly do: 'add' | 'remove';
      readonly lists: readonly string[];
      readonly rows: readonly RowSketch[];
    }
  | { readonly do: 'clear'; readonly lists: readonly string[] };

/** What an account has before, and what is to be done. */
export interface AccountSketch {
  readonly members: Readonly<Record<string, readonly string[]>>;
  readonly optedOut: readonly string[];
  readonly steps: readonly StepSketch[];
}

/** Accounts by name, in lower case. */
export type WorldSketch = Readonly<Record<string, AccountSketch>>;

/** A row that must fail: account, step, line of the file, address and message. */
export type FailedRow = readonly [
  account: string,
  step: string,
  line: number | null,
  address: string | null,
  message: string,
];

/** All that a migration is about, by account. Addresses are in lower case. */
export interface Holdings {
  readonly members: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly values: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>;
}

/** The service, the files and the plan. */
export interface World {
  readonly sketch: WorldSketch;
  readonly plan: MigrationPlan;
  readonly folder: string;
  readonly emulator: Emulator;
  /** Answers as the emulator does. */
  readonly handle: (request: Request) => Promise<Response>;
  /** What of each part arrived and was taken, by its name; of clears, by their lists. */
  readonly taken: ReadonlyMap<string, number>;
  holdings(): Holdings;
}

/** The heading of uploads. */
const HEADING = 'Email Address,First Name,State\n';

export const KEY = 'key-of-all';

const cell = (text: string) => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export function fileOf(rows: readonly RowSketch[]): string {
  return (
    HEADING +
    rows.map(({ address, name, state }) => `${[address, name, state].map(cell).join(',')}\n`).join('')
  );
}

export async function openWorld(
  sketch: WorldSketch,
  folder: string,
  options: { readonly clock?: Clock; readonly baseUrl?: string } = {},
): Promise<World> {
  const emulator = createEmulator({
    clock: options.clock,
    latency: 'instant',
    accounts: Object.entries(sketch).map(([user, { members, optedOut }]) => ({
      user,
      credentials: { apiKey: KEY, accessToken: user },
      lists: Object.entries(members).map(([id, addresses]) => ({
        id,
        name: `List ${id}`,
        members: addresses,
      })),
      doNotMail: optedOut,
    })),
  });
  const taken = new Map<string, number>();
  const accounts: AccountInput[] = [];
  for (const [account, { steps }] of Object.entries(sketch)) {
    const inputs: AccountInput['steps'][number][] = [];
    for (const [index, step] of steps.entries()) {
      if (step.do === 'clear') {
        inputs.push({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: step.lists });
        continue;
      }
      const file = path.join(folder, `${account}-${index + 1}.csv`);
      await writeFile(file, fileOf(step.rows));
      inputs.push({
        activityType: step.do === 'add' ? 'ADD_CONTACTS' : 'REMOVE_CONTACTS_FROM_LISTS',
        file,
        origin: { kind: 'file' },
        encoding: 'auto',
        lists: step.lists,
        blanksEnabled: false,
        into: {},
      });
    }
    accounts.push({
      account,
      target: {
        api: 'v2',
        ...(options.baseUrl !== undefined && { baseUrl: options.baseUrl }),
        apiKey: 'env:KEY',
        accessToken: `env:TOKEN_${account}`,
      },
      steps: inputs,
    });
  }
  const plan = await planMigration({ accounts }, { planFolder: folder });
  return {
    sketch,
    plan,
    folder,
    emulator,
    taken,
    handle: (request) => handled(emulator, taken, request),
    holdings: () => holdingsOf(sketch, emulator),
  };
}

/** What a service would have to answer once more for a part that came twice. */
async function handled(emulator: Emulator, taken: Map<string, number>, request: Request): Promise<Response> {
  if (request.method !== 'POST') return emulator.fetch(request);
  const body = Buffer.from(await request.arrayBuffer());
  const { url, method, headers } = request;
  const response = await emulator.fetch(new Request(url, { method, headers, body }));
  const operation = new URL(url).pathname.split('/').at(-1) ?? '';
  if (response.status === 201 && operation !== 'exportcontacts') {
    const name = takenName(headers.get('authorization') ?? '', operation, body);
    taken.set(name, (taken.get(name) ?? 0) + 1);
  }
  return response;
}

function takenName(authorization: string, operation: string, body: Buffer): string {
  const account = authorization.replace('Bearer ', '');
  const fileName = /filename="([^"]*)"/.exec(body.toString('latin1'))?.[1];
  const what = fileName ?? createHash('sha256').update(body).digest('hex').slice(0, 12);
  return `${account} ${operation} ${what}`;
}

/** How often each part must have been taken, as `World.taken` counts. */
export function expectedTaken({ plan }: World): Map<string, number> {
  const expected = new Map<string, number>();
  for (const name of partNames(plan).values()) expected.set(name, (expected.get(name) ?? 0) + 1);
  return expected;
}

/** What `World.taken` calls each part. */
export function partNames(plan: MigrationPlan): Map<string, string> {
  const names = new Map<string, string>();
  for (const { account, steps } of plan.accounts) {
    for (const step of steps) {
      if (step.activityType === 'CLEAR_CONTACTS_FROM_LISTS') {
        names.set(step.parts[0].id, `${account} clearlists ${clearName(step.lists)}`);
        continue;
      }
      const operation = step.activityType === 'ADD_CONTACTS' ? 'addcontacts' : 'removefromlists';
      for (const { id, fileName } of step.parts) names.set(id, `${account} ${operation} ${fileName}`);
    }
  }
  return names;
}

/**
 * Looks for a person where a run waits for one: whether parts of which nobody could tell were taken. It must be told that
 * they were not, so that they may be sent again.
 * @throws when one was taken all the same
 */
export async function lookAtRefused({ plan, taken }: World, store: Store): Promise<void> {
  const { parts } = await foldRun(plan, store.journal.read(plan.id));
  const names = partNames(plan);
  for (const [id, state] of parts) {
    if (state.state !== 'refused') continue;
    if (state.code !== 'CREATE_AMBIGUOUS') throw new Error(`${id} was refused: ${state.message}`);
    const name = names.get(id);
    const done = [...parts].filter(
      ([other, { state: now }]) => now === 'finished' && names.get(other) === name,
    );
    const found = taken.get(name ?? '') ?? 0;
    if (found !== done.length)
      throw new Error(`${id} was taken, and the run could not tell: ${state.message}`);
  }
}

/** The body of a clear is no more than this. */
function clearName(lists: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify({ lists })).digest('hex').slice(0, 12);
}

function holdingsOf(sketch: WorldSketch, emulator: Emulator): Holdings {
  const members: Record<string, Record<string, string[]>> = {};
  const values: Record<string, Record<string, Record<string, string>>> = {};
  for (const [user, account] of Object.entries(sketch)) {
    const { contacts } = emulator.account(user)!.holdings;
    members[user] = {};
    for (const list of Object.keys(account.members)) {
      const found = [...contacts.members(list)].map(({ contact }) => contact.address.toLowerCase());
      members[user][list] = found.sort();
    }
    values[user] = {};
    for (const standing of ['active', 'removed', 'do-not-mail']) {
      for (const { contact } of contacts.members(standing)) {
        if (contact.values.size === 0) continue;
        values[user][contact.address.toLowerCase()] = Object.fromEntries([...contact.values].sort());
      }
    }
  }
  return { members, values };
}

/** The rows that failed, as the report has them. */
export async function failedRows(world: World, store: Store, stateFolder: string): Promise<FailedRow[]> {
  const { plan, folder } = world;
  const state = await foldRun(plan, store.journal.read(plan.id));
  const found: FailedRow[] = [];
  for await (const row of failingRows(plan, { planFolder: folder, stateFolder, state })) {
    found.push([row.account, row.step, row.line, row.emailAddress, row.message]);
  }
  return found;
}

/** Cuts uploads into parts of so few rows while `act` runs, so that small files have several. */
export async function withSmallParts<T>(rows: number, act: () => Promise<T>): Promise<T> {
  const limits = LIMITS as { v2Add: { rows: number; bytes: number }; v2Remove: typeof limits.v2Add };
  const { v2Add, v2Remove } = limits;
  limits.v2Add = { ...v2Add, rows };
  limits.v2Remove = { ...v2Remove, rows };
  try {
    return await act();
  } finally {
    limits.v2Add = v2Add;
    limits.v2Remove = v2Remove;
  }
}
