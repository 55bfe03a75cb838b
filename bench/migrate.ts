/**
 * What the journal of a migration costs: `npm run bench:migrate -- [--rows N] [--accounts N] [--rounds N]`. A plan is run
 * against the emulator in this process, the store being a file on disk; told is the time in the store as a share of the
 * run's. On the run's clock no wait takes any time, and jobs of the service are done at once: so the share is the largest
 * there can be.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEmulator } from '../src/emulator/emulator.js';
import { planMigration, type AccountInput } from '../src/migrate/planning.js';
import { planClients } from '../src/migrate/run-clients.js';
import { runPlan } from '../src/migrate/run.js';
import { openRunStore } from '../src/migrate/state-folder.js';
import type { Store } from '../src/store/store.js';
import { createSkippingClock } from '../test/support/skipping-clock.js';
import { steppedStore } from '../test/support/store-steps.js';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '400000' },
    accounts: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
  },
});
const accounts = Array.from({ length: Number(values.accounts) }, (_, index) => `account${index + 1}`);
const rows = Math.ceil(Number(values.rows) / accounts.length);

console.log(`${cpus()[0]?.model ?? 'unknown'} × ${availableParallelism()}, Node ${process.version}`);
for (let round = 0; round < Number(values.rounds); round++) await measure();

async function measure(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ctct-bench-'));
  try {
    const clock = createSkippingClock(Date.UTC(2015, 2, 1));
    const plan = await planMigration({ accounts: await inputs(folder) }, { planFolder: folder });
    const emulator = createEmulator({
      clock,
      latency: 'instant',
      accounts: accounts.map((user) => ({ user, credentials: { accessToken: user } })),
    });
    const stateFolder = join(folder, 'plan.state');
    const { store, cost } = timed(await openRunStore(stateFolder));
    const connect = planClients({
      credentials: new Map(accounts.map((account) => [account, { apiKey: 'key', token: account }])),
      buckets: store.buckets,
      limits: plan.limits,
      limited: true,
      clock,
      fetch: (input, init) => emulator.fetch(new Request(input, init)),
    });
    const start = performance.now();
    const outcome = await runPlan(plan, { planFolder: folder, stateFolder, store, connect, clock });
    const wall = performance.now() - start;
    await store.close();
    if (outcome.accounts.some(({ state }) => state !== 'finished')) throw new Error('it did not finish');
    const parts = plan.accounts.flatMap(({ steps }) => steps.flatMap((step) => [...step.parts])).length;
    console.log(
      `${(rows * accounts.length).toLocaleString('en-US')} rows in ${parts} parts: ${(wall / 1000).toFixed(2)} s, of which ` +
        `${(cost.time / 1000).toFixed(3)} s in ${cost.writes} writes to the store: ${((100 * cost.time) / wall).toFixed(2)} %`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The store, and how long it is written to; writes at the same time count once. */
function timed(given: Store) {
  const cost = { writes: 0, time: 0 };
  let open = 0;
  let since = 0;
  const store = steppedStore(given, (_, when) => {
    if (when === 'before') {
      cost.writes++;
      if (open++ === 0) since = performance.now();
    } else if (--open === 0) cost.time += performance.now() - since;
  });
  return { store, cost };
}

async function inputs(folder: string): Promise<AccountInput[]> {
  return Promise.all(
    accounts.map(async (account): Promise<AccountInput> => {
      const file = join(folder, `${account}.csv`);
      const lines = Array.from(
        { length: rows },
        (_, row) => `person.${row}@mail.example.com,Ann${row % 97},Lee-${row % 1009},Springfield\n`,
      );
      await writeFile(file, `Email Address,First Name,Last Name,City\n${lines.join('')}`);
      const step = {
        activityType: 'ADD_CONTACTS',
        file,
        origin: { kind: 'file' },
        encoding: 'auto',
      } as const;
      return {
        account,
        target: { api: 'v2', apiKey: 'env:KEY', accessToken: `env:${account}` },
        steps: [{ ...step, lists: ['1'], blanksEnabled: false, into: {} }],
      };
    }),
  );
}
