import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { planClients } from '../../src/migrate/run-clients.js';
import { runPlan, type RunOptions, type RunOutcome } from '../../src/migrate/run.js';
import type { Store } from '../../src/store/store.js';
import { createSkippingClock, type SkippingClock } from './skipping-clock.js';
import { KEY, openWorld, type World, type WorldSketch } from './migration-world.js';

/** A migration whose service and runner are in this process. */
export interface Rehearsal {
  readonly world: World;
  readonly clock: SkippingClock;
  readonly stateFolder: string;
  readonly run: (store: Store, options?: RehearsalOptions) => Promise<RunOutcome>;
}

export interface RehearsalOptions extends Partial<RunOptions> {
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
  readonly random?: (() => number) | undefined;
}

export async function rehearse<T>(
  sketch: WorldSketch,
  act: (rehearsal: Rehearsal) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ctct-rehearsal-'));
  try {
    const stateFolder = path.join(folder, 'plan.state');
    await mkdir(stateFolder, { mode: 0o700 });
    const clock = createSkippingClock(Date.UTC(2015, 2, 1, 12));
    const world = await openWorld(sketch, folder, { clock });
    const { plan } = world;
    return await act({
      world,
      clock,
      stateFolder,
      run(store, { fetch = world.handle, random = () => 0.5, ...options } = {}) {
        const connect = planClients({
          credentials: new Map(
            plan.accounts.map(({ account }) => [account, { apiKey: KEY, token: account }]),
          ),
          buckets: store.buckets,
          limits: plan.limits,
          fetch: (input, init) => fetch(new Request(input, init)),
          clock,
          random,
        });
        return runPlan(plan, {
          planFolder: folder,
          stateFolder,
          store,
          connect,
          clock,
          random,
          acceptedLosses: plan.losses.map(({ code }) => code),
          ...options,
        });
      },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
