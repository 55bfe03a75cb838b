import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { seededRandom, type Random } from '../../src/emulator/random.js';
import { serve } from '../../src/http/serve.js';
import { openRunStore } from '../../src/migrate/state-folder.js';
import type { AccountOutcome } from '../../src/migrate/run-standing.js';
import { createFaultProxy } from '../support/fault-proxy.js';
import type { Fault } from '../support/faults.js';
import type { ChildOrders } from '../support/migrate-child.js';
import { modelOutcome } from '../support/migration-model.js';
import {
  expectedTaken,
  failedRows,
  lookAtRefused,
  openWorld,
  withSmallParts,
  type World,
  type WorldSketch,
} from '../support/migration-world.js';
import { scaledClock } from '../support/scaled-clock.js';

/** What is killed; see `compile`. */
export const RUNNER = 'test/support/migrate-child.ts';
/** Seconds of a run that pass in one of ours. */
const SPEED = 50;
const ROWS = 4;
/** Milliseconds after its beginning at which a process is killed at most, where the moment is drawn. */
const LATEST = 1_500;
const MOST_LIVES = 60;

/** When a process is killed: at a step of its store, or so many milliseconds after it began. */
export type Death = NonNullable<ChildOrders['kill']> | { readonly after: number };

export interface KillStory {
  readonly seed: number;
  /** Deaths that came, others having come too late. */
  readonly kills: number;
  readonly lives: number;
  /** Faults that befell requests. */
  readonly faults: number;
  /** What is not as it should be; nothing, when all is well. */
  readonly breaches: readonly string[];
}

/**
 * A migration against a service that fails now and then, whose runner is killed by SIGKILL at each of the deaths, taken up
 * again after each, and then brought to its end. `script` is `RUNNER`, compiled.
 */
export async function playKills(
  sketch: WorldSketch,
  {
    script,
    seed,
    deaths,
  }: {
    readonly script: string;
    readonly seed: number;
    readonly deaths: (random: Random) => readonly Death[];
  },
): Promise<KillStory> {
  const random = seededRandom(seed, 'kills');
  const folder = await mkdtemp(path.join(tmpdir(), 'ctct-migrate-kill-'));
  const base = Date.now();
  const clock = scaledClock(base, SPEED);
  const world = await withSmallParts(ROWS, () => openWorld(sketch, folder, { clock }));
  const plan = path.join(folder, 'plan.json');
  await writeFile(plan, JSON.stringify(world.plan));
  const stateFolder = path.join(folder, 'plan.state');
  const server = await serve(world.handle);
  const proxy = await createFaultProxy(server.url, () => drawFault(random), { now: () => clock.now() });
  const orders = {
    ...{ plan, planFolder: folder, stateFolder, url: proxy.url, base },
    ...{ speed: SPEED, rows: ROWS },
  };
  let kills = 0;
  let lives = 0;
  let retry = false;
  try {
    const left = [...deaths(random)];
    for (; lives < MOST_LIVES; lives++) {
      const ended = await live(script, { ...orders, retry }, left.shift());
      if (ended === 'killed') kills++;
      else if (ended.every(({ state }) => state === 'finished') && left.length === 0) break;
      else if (ended.some(({ state }) => state === 'held')) {
        await withStore(stateFolder, (store) => lookAtRefused(world, store));
        retry = true;
      }
    }
    const found = await withSmallParts(ROWS, () => breaches(world, stateFolder));
    const faults = proxy.exchanges.filter(({ fault }) => fault.kind !== 'none').length;
    return { seed, kills, lives: lives + 1, faults, breaches: found };
  } finally {
    await proxy.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function live(
  script: string,
  orders: ChildOrders,
  death: Death | undefined,
): Promise<'killed' | AccountOutcome[]> {
  const given = death !== undefined && 'step' in death ? { ...orders, kill: death } : orders;
  const child = spawn(process.execPath, [script, JSON.stringify(given)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  let told = '';
  let errors = '';
  let timer: NodeJS.Timeout | undefined;
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  child.stdout.on('data', (chunk) => {
    told += String(chunk);
    if (timer !== undefined || death === undefined || !('after' in death)) return;
    timer = setTimeout(() => child.kill('SIGKILL'), death.after);
  });
  const [code, signal] = await closed;
  clearTimeout(timer);
  if (signal === 'SIGKILL') return 'killed';
  if (code !== 0) throw new Error(`the runner ended with ${String(code ?? signal)}: ${errors}`);
  return JSON.parse(told.replace('began\n', '')) as AccountOutcome[];
}

async function withStore<T>(
  folder: string,
  act: (store: Awaited<ReturnType<typeof openRunStore>>) => Promise<T>,
): Promise<T> {
  const store = await openRunStore(folder);
  try {
    return await act(store);
  } finally {
    await store.close();
  }
}

/** What the service and the report have otherwise than the model. */
async function breaches(world: World, stateFolder: string): Promise<string[]> {
  const { members, values, failed } = modelOutcome(world.sketch);
  const found: string[] = [];
  const compare = (what: string, is: unknown, should: unknown) => {
    if (isDeepStrictEqual(is, should)) return;
    const [left, right] = [is, should].map((one) => JSON.stringify(one instanceof Map ? [...one] : one));
    found.push(`${what}: ${left} is not ${right}`);
  };
  compare('parts taken', sorted(world.taken), sorted(expectedTaken(world)));
  compare('holdings', world.holdings(), { members, values });
  compare(
    'failing rows',
    await withStore(stateFolder, (store) => failedRows(world, store, stateFolder)),
    failed,
  );
  return found;
}

function sorted(map: ReadonlyMap<string, number>): [string, number][] {
  return [...map].sort(([one], [other]) => (one < other ? -1 : 1));
}

/** Deaths at steps and at moments, as many of the one as of the other. */
export function drawDeaths(count: number): (random: Random) => Death[] {
  return (random) =>
    Array.from({ length: count }, (_, index) =>
      index % 2 === 0
        ? { step: 1 + Math.floor(random() * 25), when: random() < 0.5 ? 'before' : 'after' }
        : { after: Math.floor(random() ** 2 * LATEST) },
    );
}

function drawFault(random: Random): Fault {
  const chance = random();
  const at = { share: random() };
  if (chance < 0.04) return { kind: 'lost-answer', ending: random() < 0.5 ? 'reset' : 'close' };
  if (chance < 0.06) return { kind: 'lost-answer', ending: 'bad-gateway' };
  if (chance < 0.08) return { kind: 'reset', side: 'request', at };
  if (chance < 0.1) return { kind: 'reset', side: 'answer', at };
  if (chance < 0.12) return { kind: 'answer', answer: 'internal-error' };
  if (chance < 0.15) return { kind: 'answer', answer: 'too-many' };
  if (chance < 0.18) return { kind: 'answer', answer: 'unavailable' };
  if (chance < 0.24) return { kind: 'latency', milliseconds: Math.floor(random() * 40) };
  if (chance < 0.26) return { kind: 'slices', bytes: 200, milliseconds: 1 };
  return { kind: 'none' };
}
