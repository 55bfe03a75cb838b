import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/emulator.js';
import type { MigrationPlan } from '../../src/migrate/plan.js';
import { planMigration, type AccountInput } from '../../src/migrate/planning.js';
import { planClients, readCredentials, type PlanClientOptions } from '../../src/migrate/run-clients.js';
import { runPlan, type RunEvent, type RunOptions, type RunOutcome } from '../../src/migrate/run.js';
import type { RunRecord } from '../../src/migrate/run-record.js';
import type { Store } from '../../src/store/store.js';
import { createSkippingClock, type SkippingClock } from '../support/skipping-clock.js';

/** A step as a test says it: rows of an upload, or a clear. */
export type StepSketch =
  | { readonly add: readonly string[]; readonly lists: readonly string[] }
  | { readonly remove: readonly string[]; readonly lists: readonly string[] }
  | { readonly clear: readonly string[] };

/** Steps by account. */
export type Sketch = Readonly<Record<string, readonly StepSketch[]>>;

/** A folder with a plan and its files, and the service it is for. */
export interface RunStage {
  readonly folder: string;
  readonly stateFolder: string;
  readonly plan: MigrationPlan;
  /** What the references of the plan lead to. */
  readonly env: Readonly<Record<string, string>>;
  readonly emulator: Emulator<SkippingClock>;
  readonly clock: SkippingClock;
  /** Calls that were let through to the emulator, as `POST addcontacts joe`. */
  readonly calls: string[];
  readonly events: RunEvent[];
  run(
    store: Store,
    options?: Partial<RunOptions>,
    clients?: Partial<PlanClientOptions>,
    plan?: MigrationPlan,
  ): Promise<RunOutcome>;
  /** The members of each list, by account. */
  members(): Record<string, Record<string, string[]>>;
  /** How many activities each account has that change something. */
  jobs(): Promise<Record<string, number>>;
  records(store: Store): Promise<RunRecord[]>;
  dispose(): Promise<void>;
}

export const LISTS = ['1', '2', '3'] as const;

/** An account's secrets, which nothing that is kept may have. */
export const secretsFor = (account: string) => ({ key: 'the-key-of-all', token: `the-token-of-${account}` });

export async function setRunStage(sketch: Sketch, options: Partial<EmulatorOptions> = {}): Promise<RunStage> {
  const folder = await fs.mkdtemp(path.join(tmpdir(), 'ctct-run-'));
  const stateFolder = path.join(folder, 'plan.state');
  await fs.mkdir(stateFolder, { mode: 0o700 });
  const clock = createSkippingClock(Date.UTC(2015, 2, 1, 12));
  const emulator = createEmulator({
    ...options,
    clock,
    accounts: Object.keys(sketch).map((user) => ({
      user,
      credentials: { apiKey: secretsFor(user).key, accessToken: secretsFor(user).token },
      lists: LISTS.map((id) => ({ id, name: `List ${id}`, members: [`old${id}@example.com`] })),
    })),
  });
  const plan = await planMigration({ accounts: await accountsOf(sketch, folder) }, { planFolder: folder });
  const env = Object.fromEntries([
    ['KEY', 'the-key-of-all'],
    ...Object.keys(sketch).map((user) => [`TOKEN_${user}`, secretsFor(user).token]),
  ]) as Record<string, string>;
  const calls: string[] = [];
  const events: RunEvent[] = [];

  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const { pathname } = new URL(request.url);
    calls.push(`${request.method} ${pathname.replace('/v2/', '').replace('activities/', '')}`);
    return emulator.fetch(request);
  };

  return {
    folder,
    stateFolder,
    plan,
    env,
    emulator,
    clock,
    calls,
    events,
    async run(store, more = {}, clients = {}, toRun = plan) {
      const credentials = await readCredentials(plan, { env, folder });
      const connect = planClients({
        credentials,
        buckets: store.buckets,
        limits: plan.limits,
        fetch,
        clock,
        random: () => 0.5,
        ...clients,
      });
      return runPlan(toRun, {
        planFolder: folder,
        stateFolder,
        store,
        connect,
        clock,
        random: () => 0.5,
        onEvent: (event) => events.push(event),
        ...more,
      });
    },
    members() {
      const found: Record<string, Record<string, string[]>> = {};
      for (const user of Object.keys(sketch)) {
        const { contacts } = emulator.account(user)!.holdings;
        found[user] = {};
        for (const list of LISTS) {
          found[user][list] = [...contacts.members(list)]
            .map(({ contact }) => contact.address.toLowerCase())
            .sort();
        }
      }
      return found;
    },
    async jobs() {
      const found: Record<string, number> = {};
      for (const user of Object.keys(sketch)) {
        let count = 0;
        for await (const { type } of emulator.account(user)!.list()) if (type !== 'EXPORT_CONTACTS') count++;
        found[user] = count;
      }
      return found;
    },
    async records(store) {
      const found: RunRecord[] = [];
      for await (const { record } of store.journal.read(plan.id)) found.push(record as RunRecord);
      return found;
    },
    dispose: () => fs.rm(folder, { recursive: true, force: true }),
  };
}

/** What the members will be: each step done in its order. */
export function membersAfter(sketch: Sketch): Record<string, Record<string, string[]>> {
  const found: Record<string, Record<string, string[]>> = {};
  for (const [user, steps] of Object.entries(sketch)) {
    const lists = new Map(LISTS.map((id): [string, Set<string>] => [id, new Set([`old${id}@example.com`])]));
    for (const step of steps) {
      if ('clear' in step) for (const list of step.clear) lists.get(list)?.clear();
      else for (const list of step.lists) applyUpload(lists.get(list)!, step);
    }
    found[user] = Object.fromEntries([...lists].map(([id, members]) => [id, [...members].sort()]));
  }
  return found;
}

function applyUpload(members: Set<string>, step: Exclude<StepSketch, { clear: unknown }>): void {
  const addresses = 'add' in step ? step.add : step.remove;
  for (const address of addresses.filter((one) => one.includes('@'))) {
    if ('add' in step) members.add(address.toLowerCase());
    else members.delete(address.toLowerCase());
  }
}

async function accountsOf(sketch: Sketch, folder: string): Promise<AccountInput[]> {
  const accounts: AccountInput[] = [];
  for (const [account, sketched] of Object.entries(sketch)) {
    const steps: AccountInput['steps'][number][] = [];
    for (const [index, step] of sketched.entries()) {
      if ('clear' in step) {
        steps.push({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: step.clear });
        continue;
      }
      const file = path.join(folder, `${account}-${index}.csv`);
      const rows = 'add' in step ? step.add.map((one, at) => `${one},Name ${at}`) : step.remove;
      const heading = 'add' in step ? 'Email Address,First Name' : 'Email Address';
      await fs.writeFile(file, `${[heading, ...rows].join('\n')}\n`);
      steps.push({
        activityType: 'add' in step ? 'ADD_CONTACTS' : 'REMOVE_CONTACTS_FROM_LISTS',
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
      target: { api: 'v2', apiKey: 'env:KEY', accessToken: `env:TOKEN_${account}` },
      steps,
    });
  }
  return accounts;
}
