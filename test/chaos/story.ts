import { CtctError } from '../../src/activity/errors.js';
import { revealedBy } from '../support/secret-watch.js';
import { FAULT_NAMES, integer, pick, type FaultName } from './faults.js';
import { OPERATIONS, OPERATION_NAMES, type Act, type OperationName } from './operations.js';
import {
  OPERATION_LISTS,
  setStage,
  type Scene,
  type Stage,
  type StageOptions,
  type Violation,
} from './stage.js';

/** How an operation ended, for whoever called it. */
export type Ending = 'done' | 'in doubt' | 'failed';

export interface Played {
  readonly name: OperationName;
  readonly ending: Ending;
  /** The code of the error it ended with. */
  readonly code: string | undefined;
  readonly faults: readonly FaultName[];
}

export interface Story {
  readonly seed: number;
  readonly played: readonly Played[];
  readonly violations: readonly Violation[];
}

export interface StoryOptions extends StageOptions {
  /** Default all. */
  readonly operations?: readonly OperationName[] | undefined;
}

/** One small story: some operations, one after another or at once, while the network does what the seed says. */
export async function playStory(seed: number, options: StoryOptions = {}): Promise<Story> {
  const stage = await setStage(seed, options);
  const checks: (() => Promise<void> | void)[] = [];
  const played: Played[] = [];
  try {
    const names = Array.from({ length: integer(stage.random, 1, 4) }, () =>
      drawOperation(stage, options.operations),
    );
    const acts = names.map((name, index) => async () => {
      const list = OPERATION_LISTS[index]!;
      const atEnd: Act['atEnd'] = (check) => checks.push(check);
      played.push(await play(stage, name, { list, atEnd, faults: options.faults }));
    });
    if (stage.random() < 0.25) await Promise.all(acts.map((act) => act()));
    else for (const act of acts) await act();

    stage.calmDown();
    await stage.proxy.up();
    await stage.clock.finish();
    await stage.clock.sleep(86_400_000);
    for (const check of checks) await check();
  } finally {
    await stage.close();
  }
  const told = stage.warnings.find((warning) => revealedBy(new Error(warning), stage.secrets) !== undefined);
  if (told !== undefined) stage.violations.push({ breach: 'secret told', text: 'a warning' });
  return { seed, played, violations: stage.violations };
}

function drawOperation({ random }: Stage, wanted: readonly OperationName[] = OPERATION_NAMES): OperationName {
  const all = Object.entries(OPERATIONS).filter(([name]) => wanted.includes(name as OperationName));
  let left = random() * all.reduce((sum, [, { weight }]) => sum + weight, 0);
  const [name] = all.find(([, { weight }]) => (left -= weight) < 0) ?? all[0]!;
  return name as OperationName;
}

async function play(
  stage: Stage,
  name: OperationName,
  { list, atEnd, faults }: Pick<Act, 'list' | 'atEnd'> & StageOptions,
): Promise<Played> {
  const scene: Scene = { faults: [], inDoubt: false };
  const abort = await trouble(stage, scene, faults);
  stage.scenes.add(scene);
  try {
    await OPERATIONS[name].run({ stage, scene, list, signal: abort?.signal, atEnd });
    return { name, ending: 'done', code: undefined, faults: scene.faults };
  } catch (error) {
    lookAt(stage, error);
    const code = error instanceof CtctError ? error.code : 'unknown';
    return { name, ending: scene.inDoubt ? 'in doubt' : 'failed', code, faults: scene.faults };
  } finally {
    stage.scenes.delete(scene);
    abort?.end();
    await stage.proxy.up();
  }
}

/** Now and then the service is down as an operation begins, or its caller loses patience. */
async function trouble(stage: Stage, scene: Scene, wanted: readonly FaultName[] = FAULT_NAMES) {
  const { random, clock, proxy } = stage;
  const kind = pick(random, [...QUIET, 'service down', 'caller aborts'] as const);
  if (kind === 'nothing' || !wanted.includes(kind)) return undefined;
  scene.faults.push(kind);
  if (kind === 'service down') {
    await proxy.down();
    clock.at(clock.now() + integer(random, 1, pick(random, [150, 20_000])), () => proxy.up());
    return undefined;
  }
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), integer(random, 0, 40));
  return { signal: controller.signal, end: () => clearTimeout(timer) };
}

const QUIET = new Array<'nothing'>(7).fill('nothing');

/** Every failure is one of the family, and no part of it tells a secret. */
function lookAt(stage: Stage, error: unknown) {
  if (!(error instanceof CtctError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    stage.violations.push({ breach: 'unknown error', text });
    return;
  }
  const place = revealedBy(error, stage.secrets);
  if (place === undefined) return;
  stage.violations.push({ breach: 'secret told', text: `${place} of ${error.name}` });
}
