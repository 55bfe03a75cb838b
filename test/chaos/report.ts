import type { Campaign, Endings } from './campaign.js';
import type { Breach } from './stage.js';

/** What is promised, in the order it is counted in; every figure must be 0. */
const BREACHES: Readonly<Record<Breach, string>> = {
  duplicate: 'activities that exist twice',
  loss: 'activities or files lost without a word',
  'falsely done': 'told to be done, and not so',
  damaged: 'files or uploads that differ',
  'half file': 'half files under the final name',
  'unknown error': 'errors of no known kind',
  'secret told': 'errors that tell a secret',
  leak: 'connections, timers or files left open',
  unhandled: 'unhandled rejections',
};

/** The campaign as text for a terminal. */
export function describeCampaign(campaign: Campaign, from: number, seconds: number): string {
  const faults = [...campaign.faults].map(([name, { injected, endings }]) => [
    name,
    injected,
    ...cells(endings),
  ]);
  const operations = [...campaign.byOperation]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, endings]) => [name, sum(endings), ...cells(endings)]);
  const codes = [...campaign.codes].sort(([, a], [, b]) => b - a).map(([code, count]) => [code, count]);
  const counts = Object.entries(BREACHES).map(([breach, words]) => [
    words,
    campaign.violations.filter((violation) => violation.breach === breach).length,
  ]);
  return [
    `${campaign.runs} runs, seeds ${from} to ${from + campaign.runs - 1}, ${campaign.operations} operations, ${Math.round(seconds)} s`,
    '',
    table(
      ['fault', 'injected', 'done all the same', 'in doubt, and told so', 'failed, nothing made'],
      faults,
    ),
    '',
    'Bytes that change inside a contact file cannot be told without TLS, and so are not injected there.',
    '',
    table(['operation', 'times', 'done', 'in doubt, and told so', 'failed, nothing made'], operations),
    '',
    table(['failed with', 'times'], codes),
    '',
    table(['promise broken', 'times'], counts),
    ...campaign.violations.map(({ seed, breach, text }) => `\nseed ${seed}: ${breach}: ${text}`),
  ].join('\n');
}

function cells(endings: Endings): number[] {
  return [endings.done, endings['in doubt'], endings.failed];
}

function sum(endings: Endings): number {
  return cells(endings).reduce((total, count) => total + count, 0);
}

type Cell = string | number;

function table(heading: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => String(row[column]).length)),
  );
  const line = (cells: readonly Cell[]) =>
    cells
      .map((cell, column) =>
        typeof cell === 'number' ? String(cell).padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  return [line(heading), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
