import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compile } from '../store/compiled.js';
import { SMALL_WORLD } from '../support/migration-sketches.js';
import { drawDeaths, playKills, RUNNER, type Death } from './migrate-kill.js';

const USAGE = 'npm run chaos:migrate -- [--runs N] [--seed S] [--kills N] [--steps N] [--at-once N]\n';

const { values } = parseArgs({
  options: {
    /** Kills at moments and steps that are drawn. */
    runs: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    /** So many in one story. */
    kills: { type: 'string', default: '5' },
    /** Besides, a story for each of the first steps of the store, killed before it and after it. */
    steps: { type: 'string', default: '0' },
    'at-once': { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const seed = count('seed', 1);
const kills = count('kills', 1);
const stories: {
  readonly name: string;
  readonly seed: number;
  readonly deaths: (random: () => number) => readonly Death[];
}[] = Array.from({ length: Math.ceil(count('runs', 0) / kills) }, (_, index) => ({
  name: `seed ${seed + index}`,
  seed: seed + index,
  deaths: drawDeaths(kills),
}));
for (let step = 1; step <= count('steps', 0); step++) {
  for (const when of ['before', 'after'] as const) {
    stories.push({ name: `${when} step ${step}`, seed, deaths: () => [{ step, when }] });
  }
}

const code = await mkdtemp(path.join(tmpdir(), 'ctct-runner-code-'));
const script = await compile(RUNNER, code);
const start = performance.now();
const total = { stories: 0, kills: 0, lives: 0, faults: 0, breaches: 0 };
await Promise.all(
  Array.from({ length: count('at-once', 1) }, async () => {
    for (let next = stories.shift(); next !== undefined; next = stories.shift()) {
      const { name } = next;
      const story = await playKills(SMALL_WORLD, { ...next, script }).catch((error: unknown) => ({
        ...{ kills: 0, lives: 0, faults: 0 },
        breaches: [String(error)],
      }));
      total.stories++;
      total.kills += story.kills;
      total.lives += story.lives;
      total.faults += story.faults;
      total.breaches += story.breaches.length;
      for (const breach of story.breaches) process.stdout.write(`${name}: ${breach}\n`);
    }
  }),
);
await rm(code, { recursive: true });
const seconds = ((performance.now() - start) / 1000).toFixed(0);
process.stdout.write(
  `${total.stories} migrations in ${seconds} s: runners killed ${total.kills} times, ${total.lives} lives, ` +
    `${total.faults} faults; ${total.breaches === 0 ? 'each part was taken once, all is as computed' : `${total.breaches} breaches`}\n`,
);
process.exitCode = total.breaches > 0 ? 1 : 0;

function count(name: 'runs' | 'seed' | 'kills' | 'steps' | 'at-once', least: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= least) return value;
  process.stderr.write(`--${name}: give a number from ${least} on\n${USAGE}`);
  process.exit(2);
}
