import type { What } from './measure.js';

/** One reader on one input: medians over the rounds. */
export interface Row {
  readonly what: What;
  readonly style: string;
  /** Size of the input. */
  readonly bytes: number;
  readonly reader: string;
  /** Milliseconds for the file, or for one page; NaN when it cannot be read. */
  readonly wall: number;
  readonly cpu: number;
  /** Peak resident set, MB. */
  readonly rss: number;
  /** How many times faster than these two in the same rounds, by the clock and by the work done. */
  readonly faster: Ratios;
  readonly fasterByCpu: Ratios;
  readonly note: string | undefined;
}

interface Ratios {
  readonly 'fast-xml-parser': number;
  readonly saxes: number;
}

export interface Target {
  readonly target: string;
  readonly measured: string;
  /** Undefined of what is only told. */
  readonly met: boolean | undefined;
}

export interface Report {
  readonly machine: string;
  readonly date: string;
  readonly rounds: number;
  readonly rows: readonly Row[];
  readonly targets: readonly Target[];
}

const LARGE = 50_000_000;

/**
 * The targets of the project, and what was measured. CPU time decides: it is less kind to this reader, which compiles on
 * other cores, and steadier where others use the machine. The worst style is named, whatever its ratios are.
 */
export function judge(rows: readonly Row[], reader: string): Target[] {
  const ours = rows.filter((row) => row.reader === reader);
  const files = ours.filter(({ what }) => what === 'file');
  const large = files.filter(({ bytes }) => bytes >= LARGE && bytes < 1_000_000_000);
  const main = large.find(({ style }) => style === 'pretty');
  const page = ours.find(({ what }) => what === 'page');
  const targets: Target[] = [];
  const atLeast = (target: string, least: number, row: Row | undefined, against: keyof Ratios): void => {
    if (row === undefined) return;
    const [wall, cpu] = [row.faster[against], row.fasterByCpu[against]];
    const measured = `${cpu.toFixed(1)}× by CPU time, ${wall.toFixed(1)}× by the clock`;
    targets.push({ target, measured, met: cpu >= least });
  };
  atLeast('a large file: at least 12× fast-xml-parser', 12, main, 'fast-xml-parser');
  atLeast('a large file: at least 2.5× saxes', 2.5, main, 'saxes');
  atLeast('a page of 60 KB: at least 12× fast-xml-parser', 12, page, 'fast-xml-parser');
  const rss = Math.max(...files.map((row) => row.rss));
  targets.push({
    target: 'peak memory of at most 120 MB at any size',
    measured: `${rss.toFixed(0)} MB`,
    met: rss <= 120,
  });
  const perByte = files
    .filter(({ style }) => style === 'pretty')
    .map(({ cpu, bytes }) => (cpu * 1e6) / bytes);
  const growth = Math.max(...perByte) / (perByte[0] ?? NaN);
  targets.push({
    target: 'cost per byte does not grow with the file',
    measured: perByte.map((cost) => `${cost.toFixed(1)} ns`).join(', '),
    met: growth <= 1.15,
  });
  const worst = [...large].sort((a, b) => a.fasterByCpu.saxes - b.fasterByCpu.saxes)[0];
  if (worst !== undefined) {
    const { fasterByCpu: faster, style } = worst;
    targets.push({
      target: 'the style with the worst ratios, by CPU time',
      measured: `${style}: ${faster['fast-xml-parser'].toFixed(1)}× fast-xml-parser, ${faster.saxes.toFixed(1)}× saxes`,
      met: undefined,
    });
  }
  return targets;
}

/** For people: a Markdown table that is readable as it stands. */
export function writeTable({ machine, date, rounds, rows, targets }: Report): string {
  const number = (value: number, digits: number): string =>
    Number.isNaN(value) ? '–' : value.toFixed(digits);
  const head = [
    'input',
    'style',
    'reader',
    'MB/s',
    '× fxp',
    '× saxes',
    '× fxp, CPU',
    '× saxes, CPU',
    'peak MB',
    '',
  ];
  const body = rows.map((row) => [
    row.what === 'page' ? `page, ${(row.bytes / 1000).toFixed(0)} KB` : `${(row.bytes / 1e6).toFixed(0)} MB`,
    row.style,
    row.reader,
    number(row.bytes / row.wall / 1000, row.bytes / row.wall > 100_000 ? 0 : 1),
    number(row.faster['fast-xml-parser'], 1),
    number(row.faster.saxes, 2),
    number(row.fasterByCpu['fast-xml-parser'], 1),
    number(row.fasterByCpu.saxes, 2),
    number(row.rss, 0),
    row.note ?? '',
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...body].map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i < 3 || i === 9 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  const verdicts = targets.map(
    ({ target, measured, met }) =>
      `- ${met === undefined ? 'told' : met ? 'met' : 'NOT MET'}: ${target}: ${measured}`,
  );
  return [
    `${machine}, ${date}; medians of ${rounds} rounds; fxp is fast-xml-parser`,
    '',
    line(head),
    line(rule),
    ...body.map(line),
    '',
    ...verdicts,
  ].join('\n');
}
