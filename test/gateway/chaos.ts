import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compile } from '../store/compiled.js';
import { runCampaign, type CampaignOptions } from './campaign.js';

/**
 * Old clients, a gateway that is killed, and bad ways between all of them, over and over:
 * `tsx test/gateway/chaos.ts [--runs N] [--seed S] [--attempts N] [--kills N]`; with `--writes`, instead, a gateway that is
 * killed before and after each of its writes to the store. Prints what was broken, and ends with 1 if anything was.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    attempts: { type: 'string', default: '60' },
    kills: { type: 'string', default: '6' },
    writes: { type: 'boolean', default: false },
  },
});
const count = (name: 'runs' | 'seed' | 'attempts' | 'kills') => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 0) return value;
  process.stderr.write(`--${name}: give a whole number\n`);
  process.exit(2);
};

const code = await mkdtemp(path.join(tmpdir(), 'ctct-gateway-code-'));
let broken = 0;
try {
  const script = await compile('test/gateway/gateway-child.ts', code, 'src/store/thread-entry.ts');
  const run = async (what: string, options: Omit<CampaignOptions, 'script'>) => {
    const { attempts, violations, kills, faults, writes } = await runCampaign({ script, ...options });
    const told = attempts.filter(({ outcome }) => typeof outcome === 'object').length;
    process.stdout.write(
      `${what}: ${attempts.length} requests, ${told} taken; ${kills} kills, ${faults} faults; ` +
        `${violations.length} promises broken\n`,
    );
    for (const { breach, text } of violations) process.stdout.write(`  ${breach}: ${text}\n`);
    broken += violations.length;
    return writes ?? 0;
  };
  if (values.writes) {
    const quiet = { seed: count('seed'), attempts: 6, kills: 0, faults: false };
    const writes = await run('not killed', { ...quiet, killAt: 'count' });
    for (let write = 1; write <= writes; write++) {
      for (const moment of ['before', 'after']) {
        await run(`killed ${moment} write ${write} of ${writes}`, { ...quiet, killAt: `${moment}:${write}` });
      }
    }
  } else {
    const [attempts, kills] = [count('attempts'), count('kills')];
    for (let index = 0; index < count('runs'); index++) {
      const seed = count('seed') + index;
      await run(`seed ${seed}`, { seed, attempts, kills, large: 20_500 });
    }
  }
} finally {
  await rm(code, { recursive: true });
}
process.exitCode = broken > 0 ? 1 : 0;
