import { expect } from 'chai';
import { seededRandom } from '../../src/emulator/random.js';
import type { RunEvent } from '../../src/migrate/run.js';
import { memoryStore } from '../../src/store/memory.js';
import type { Store } from '../../src/store/store.js';
import { modelOutcome } from '../support/migration-model.js';
import { rehearse, type Rehearsal, type RehearsalOptions } from '../support/migration-run.js';
import { ONE_ACCOUNT, SMALL_WORLD } from '../support/migration-sketches.js';
import { expectedTaken, failedRows, lookAtRefused, withSmallParts } from '../support/migration-world.js';
import { runs } from '../support/runs.js';
import { steppedStore, type OnStep } from '../support/store-steps.js';

const DIED = 'the process is no more';

/** A run that ends at one step, as a process that is killed: nothing reaches store or service any more. */
async function runUntil(
  { run, world }: Rehearsal,
  store: Store,
  onStep: OnStep,
  options: RehearsalOptions = {},
): Promise<'done' | 'died' | 'held'> {
  const { fetch = world.handle } = options;
  let died = false;
  const check = () => {
    if (died) throw new Error(DIED);
  };
  const mortal = steppedStore(store, (number, when) => {
    check();
    try {
      return onStep(number, when);
    } catch (error) {
      died = true;
      throw error;
    }
  });
  const outcome = await run(mortal, {
    ...options,
    fetch: async (request) => {
      check();
      const answer = await fetch(request);
      check();
      return answer;
    },
  }).catch((error: unknown) => {
    if (!died) throw error;
    return undefined;
  });
  if (outcome === undefined) return 'died';
  if (outcome.accounts.every(({ state }) => state === 'finished')) return 'done';
  await lookAtRefused(world, store);
  return 'held';
}

/** Runs until all is done; where a person is asked, the person says that it be sent again. */
async function finish(rehearsal: Rehearsal, store: Store, options: RehearsalOptions = {}): Promise<void> {
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent) => events.push(event);
  for (let life = 1; life <= 10; life++) {
    const given = { ...options, retry: life > 1, onEvent };
    if ((await runUntil(rehearsal, store, never, given)) === 'done') return;
  }
  throw new Error(`it never comes to an end: ${JSON.stringify(events.slice(-20))}`);
}

/** How many are played. */
const SEEDS = runs(5);

const never: OnStep = () => undefined;

function dieAt(step: number, at: 'before' | 'after'): OnStep {
  return (number, when) => {
    if (number === step && when === at) throw new Error(DIED);
  };
}

async function checkOutcome(rehearsal: Rehearsal, store: Store, what: string): Promise<void> {
  const { world, stateFolder } = rehearsal;
  const { members, values, failed } = modelOutcome(world.sketch);
  expect(world.taken, what).to.deep.equal(expectedTaken(world));
  expect(world.holdings(), what).to.deep.equal({ members, values });
  expect(await failedRows(world, store, stateFolder), what).to.deep.equal(failed);
}

describe('a migration that dies', function () {
  this.timeout(120_000);

  it('at any step of its store, before or after it: goes on, and nothing is sent twice', async () => {
    await withSmallParts(4, async () => {
      let steps = 0;
      await rehearse(ONE_ACCOUNT, async (rehearsal) => {
        const store = memoryStore();
        await runUntil(rehearsal, store, (number) => {
          steps = number;
        });
        await checkOutcome(rehearsal, store, 'undisturbed');
      });
      expect(steps).to.be.above(20);
      for (let step = 1; step <= steps; step++) {
        for (const when of ['before', 'after'] as const) {
          await rehearse(ONE_ACCOUNT, async (rehearsal) => {
            const store = memoryStore();
            expect(await runUntil(rehearsal, store, dieAt(step, when))).to.equal('died');
            await finish(rehearsal, store);
            await checkOutcome(rehearsal, store, `${when} step ${step}`);
          });
        }
      }
    });
  });

  it('again and again, at steps drawn by lot, while answers get lost and the service fails', async () => {
    await withSmallParts(4, async () => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const random = seededRandom(seed, 'crash');
        await rehearse(SMALL_WORLD, async (rehearsal) => {
          const store = memoryStore();
          const fetch = faulty(rehearsal.world.handle, random);
          let ended: Awaited<ReturnType<typeof runUntil>> = 'died';
          for (let life = 1; life <= 12; life++) {
            const step = 1 + Math.floor(random() * 25);
            const dying = dieAt(step, random() < 0.5 ? 'before' : 'after');
            ended = await runUntil(rehearsal, store, dying, { fetch, random, retry: ended === 'held' });
          }
          await finish(rehearsal, store, { fetch, random });
          await checkOutcome(rehearsal, store, `seed ${seed}`);
        });
      }
    });
  });
});

type Handle = (request: Request) => Promise<Response>;

/** What may befall a request: most often nothing. */
function faulty(handle: Handle, random: () => number): Handle {
  return async (request) => {
    const chance = random();
    if (chance < 0.08) throw reset();
    if (chance < 0.16) {
      await handle(request);
      throw reset();
    }
    if (chance < 0.2) return new Response('busy', { status: 503, headers: { 'retry-after': '2' } });
    if (chance < 0.24) return new Response('too many', { status: 429 });
    if (chance < 0.28) return new Response('failed', { status: 500 });
    return handle(request);
  };
}

function reset(): TypeError {
  const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  return new TypeError('fetch failed', { cause });
}
