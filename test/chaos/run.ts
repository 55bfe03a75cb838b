import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.js';
import { describeCampaign } from './report.js';

const USAGE = 'npm run chaos -- [--runs N] [--seed S] [--at-once N] [--verbose]\n';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '8' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const start = performance.now();
const seed = count('seed');
const campaign = await runCampaign({
  runs: count('runs'),
  seed,
  atOnce: count('at-once'),
  onStory: (story) => {
    if (!values.verbose) return;
    for (const { name, ending, code, faults } of story.played) {
      const why = code === undefined ? '' : ` (${code})`;
      process.stdout.write(`${story.seed}: ${name}: ${ending}${why}  ${faults.join(', ')}\n`);
    }
  },
});
process.stdout.write(`${describeCampaign(campaign, seed, (performance.now() - start) / 1000)}\n`);
process.exitCode = campaign.violations.length > 0 ? 1 : 0;

function count(name: 'runs' | 'seed' | 'at-once'): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value > 0) return value;
  process.stderr.write(`--${name}: give a number from 1 on\n${USAGE}`);
  process.exit(2);
}
