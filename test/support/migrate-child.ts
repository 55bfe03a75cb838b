import { planClients } from '../../src/migrate/run-clients.js';
import { readPlan } from '../../src/migrate/read-plan.js';
import { runPlan } from '../../src/migrate/run.js';
import { openRunStore } from '../../src/migrate/state-folder.js';
import { KEY, withSmallParts } from './migration-world.js';
import { scaledClock } from './scaled-clock.js';
import { steppedStore } from './store-steps.js';

/** What the process is told, as JSON. */
export interface ChildOrders {
  readonly plan: string;
  readonly planFolder: string;
  readonly stateFolder: string;
  /** Where the service is. */
  readonly url: string;
  /** See `scaledClock`. */
  readonly base: number;
  readonly speed: number;
  /** See `withSmallParts`. */
  readonly rows: number;
  readonly retry: boolean;
  /** The write to the store at which the process kills itself. */
  readonly kill?: { readonly step: number; readonly when: 'before' | 'after' } | undefined;
}

/**
 * Runs a plan, in a process that can be killed. Tells "began" on stdout, and in the end the outcome of the accounts as
 * JSON.
 */
const orders = JSON.parse(process.argv[2] ?? '') as ChildOrders;
const { planFolder, stateFolder, url: baseUrl, retry, kill } = orders;
const clock = scaledClock(orders.base, orders.speed);
const plan = await readPlan(orders.plan);
const opened = await openRunStore(stateFolder);
const store = steppedStore(opened, (number, when) => {
  if (number === kill?.step && when === kill.when) process.kill(process.pid, 'SIGKILL');
});
const connect = planClients({
  credentials: new Map(plan.accounts.map(({ account }) => [account, { apiKey: KEY, token: account }])),
  buckets: store.buckets,
  limits: plan.limits,
  clock,
  quietPeriod: 3_000,
});
process.stdout.write('began\n');
const { accounts } = await withSmallParts(orders.rows, () =>
  runPlan(plan, {
    planFolder,
    stateFolder,
    store,
    connect: (account) => connect({ ...account, target: { ...account.target, baseUrl } }),
    clock,
    retry,
    acceptedLosses: plan.losses.map(({ code }) => code),
  }),
);
await store.close();
process.stdout.write(JSON.stringify(accounts));
