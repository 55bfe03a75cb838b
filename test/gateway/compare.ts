import { compare, unseen, type Found } from './comparison.js';
import { scenarios } from './scenarios.js';

/**
 * Plays every known exchange of ws against the emulated service of the time and through the gateway before an emulated v2,
 * and prints what differs: `tsx test/gateway/compare.ts [--verbose] [part of a name]`. Ends with 1 when a difference is not
 * declared in `declared-losses.ts`, or one that is declared does not show.
 */
const verbose = process.argv.includes('--verbose');
const wanted = process.argv.slice(2).filter((argument) => argument !== '--verbose');
const played = scenarios().filter(({ name }) => wanted.every((part) => name.includes(part)));

const shown = (values: readonly string[]) =>
  values.length === 0
    ? '    (nothing)'
    : values.map((value) => `    ${value.replaceAll('\n', '\n    ')}`).join('\n');

const found: Found[] = [];
for (const scenario of played) {
  const differences = await compare(scenario);
  found.push(...differences);
  for (const { place, ws, gateway, reason } of differences) {
    const verdict = reason === undefined ? 'NOT DECLARED' : `declared: ${reason}`;
    process.stdout.write(`${scenario.name}\n  ${place}: ${verdict}\n`);
    if (verbose || reason === undefined) {
      process.stdout.write(`   ws:\n${shown(ws)}\n   gateway:\n${shown(gateway)}\n`);
    }
  }
}
const undeclared = found.filter(({ reason }) => reason === undefined);
const missing = wanted.length === 0 ? unseen(found) : [];
for (const one of missing) process.stdout.write(`declared, and not seen: ${one}\n`);
process.stdout.write(
  `${played.length} scenarios; ${found.length - undeclared.length} differences are declared, ` +
    `${undeclared.length} are not; ${missing.length} that are declared were not seen\n`,
);
process.exitCode = undeclared.length + missing.length > 0 ? 1 : 0;
