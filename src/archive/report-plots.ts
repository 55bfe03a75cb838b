import {
  chartFigure,
  dataTable,
  emptyPlot,
  gridLines,
  percent,
  PLOT_HEIGHT,
  round,
  scaleTo,
} from './report-chart.js';
import { showCount, showDuration, showNumber, showRate } from './report-format.js';
import { foreign, markup, NOTHING, type Markup } from '../format/markup.js';
import { SERIES, seriesOf, slotRate, type Slot, type TimeAxis } from './report-slots.js';
import type { DurationReport, StatisticsReport } from './statistics-report.js';

/** Share of its place that a bar takes. */
const BAR = 0.84;

/** Activities per month, a bar of stacked types each. */
export function activitiesChart(axis: TimeAxis, report: StatisticsReport): Markup {
  const { unit, slots } = axis;
  const series = seriesOf(axis);
  const most = slots.reduce((a, b) => (b.activities > a.activities ? b : a));
  const scale = scaleTo(most.activities, 1);
  const bars = slots.map((slot, at) => {
    let below = 0;
    const parts = series.map((index) => {
      const count = slot.counts[index] ?? 0;
      if (count === 0) return NOTHING;
      below += count;
      const height = round((PLOT_HEIGHT * count) / scale.top);
      return markup`<rect class="s${index}" x="${barX(at, slots.length)}" width="${barWidth(slots.length)}" y="${scale.y(below)}" height="${height}"/>`;
    });
    const said = series
      .filter((index) => (slot.counts[index] ?? 0) > 0)
      .map((index) => `\n${SERIES[index] ?? ''}: ${showNumber(slot.counts[index] ?? 0)}`);
    const title = `${slot.name}: ${showCount(slot.activities, 'activity', 'activities')}${said.join('')}`;
    return markup`<g>${parts}${hoverArea(at, slots.length, title)}</g>
`;
  });
  const left = report.undated + report.outsideMonths;
  const empty = most.activities === 0;
  return chartFigure({
    id: 'activities-per-month',
    heading: `Activities per ${unit}`,
    note: empty
      ? 'There are no dated activities.'
      : `Most in ${most.name}: ${showNumber(most.activities)}. By insertTime, or updated where that is missing.` +
        (left === 0 ? '' : ` ${showNumber(left)} without a date between 1990 and 2089 are not drawn.`),
    description: empty
      ? 'An empty plot.'
      : `Stacked bars by type, ${slots[0]?.name ?? ''} to ${slots.at(-1)?.name ?? ''}, at most ${showNumber(most.activities)} activities per ${unit}. All numbers are in the table below.`,
    legend: empty ? NOTHING : legend(series),
    width: plotWidth(slots.length),
    plot: empty
      ? emptyPlot('No activities')
      : markup`${gridLines(scale, showNumber)}<g${slots.length > 60 ? NOTHING : markup` class="parted"`}>
${bars}</g>${timeTicks(slots)}`,
    table: dataTable(
      [unit === 'month' ? 'Month' : 'Year', ...series.map((index) => SERIES[index] ?? ''), 'All'],
      filled(slots).map((slot) => [
        slot.name,
        ...series.map((index) => showNumber(slot.counts[index] ?? 0)),
        showNumber(slot.activities),
      ]),
    ),
  });
}

/** The share of errors over time: a line, broken where nothing was processed. */
export function errorRateChart({ unit, slots }: TimeAxis, report: StatisticsReport): Markup {
  const rates = slots.map(slotRate);
  const known = rates.filter((rate) => rate !== null);
  const max = Math.max(0, ...known);
  const scale = scaleTo(max, max === 0 ? 0.01 : 0.0001);
  const runs = runsOf(rates);
  const path = runs
    .filter((run) => run.length > 1)
    .map((run) =>
      run.map(({ at, rate }, index) => `${index === 0 ? 'M' : 'L'}${at + 0.5} ${scale.y(rate)}`).join(''),
    )
    .join('');
  const area = runs
    .filter((run) => run.length > 1)
    .map((run) => {
      const line = run.map(({ at, rate }) => `L${at + 0.5} ${scale.y(rate)}`).join('');
      const [from = 0, to = 0] = [run[0]?.at, run.at(-1)?.at];
      return `M${from + 0.5} ${PLOT_HEIGHT}${line}L${to + 0.5} ${PLOT_HEIGHT}Z`;
    })
    .join('');
  const dots = runs
    .filter((run) => slots.length <= 48 || run.length === 1)
    .flat()
    .map(
      ({ at, rate }) =>
        markup`<circle class="dot" cx="${percent((at + 0.5) / slots.length)}" cy="${scale.y(rate)}" r="3"/>`,
    );
  const hover = slots.map((slot, at) => {
    const counts = `${showNumber(slot.errors)} of ${showNumber(slot.processed + slot.errors)} rows`;
    const failed = slot.failed === 0 ? '' : `\n${showCount(slot.failed, 'activity', 'activities')} failed`;
    return hoverArea(at, slots.length, `${slot.name}: ${showRate(rates[at] ?? null)}, ${counts}${failed}`);
  });
  const empty = known.length === 0;
  const worst = slots[rates.indexOf(max)];
  return chartFigure({
    id: 'error-rate',
    heading: 'Error rate over time',
    note: empty
      ? 'Nothing was processed, and no errors were counted.'
      : `${showRate(report.errorRate)} in all${max > 0 && worst !== undefined ? `, at worst ${showRate(max)} in ${worst.name}` : ''}. Errors as a share of contacts processed and errors together.`,
    description: empty
      ? 'An empty plot.'
      : `A line over ${unit}s, ${slots[0]?.name ?? ''} to ${slots.at(-1)?.name ?? ''}, between 0 and ${showRate(max)}. All numbers are in the table below.`,
    width: plotWidth(slots.length),
    plot: empty
      ? emptyPlot('No errors')
      : markup`${gridLines(scale, showRate)}<svg width="100%" height="${PLOT_HEIGHT}" viewBox="0 0 ${slots.length} ${PLOT_HEIGHT}" preserveAspectRatio="none" overflow="visible"><path class="area" d="${area}"/><path class="line" d="${path}"/></svg>
${dots}${hover}${timeTicks(slots)}`,
    table: dataTable(
      [unit === 'month' ? 'Month' : 'Year', 'Processed', 'Errors', 'Error rate', 'Failed'],
      filled(slots).map((slot) => [
        slot.name,
        showNumber(slot.processed),
        showNumber(slot.errors),
        showRate(slotRate(slot)),
        showNumber(slot.failed),
      ]),
    ),
  });
}

/** How long activities ran: a bar for each step of a scale that grows about as a logarithm does. */
export function runTimeChart(times: DurationReport): Markup {
  const bars = barsShown(times.histogram);
  const max = Math.max(0, ...bars.map(({ count }) => count));
  const scale = scaleTo(max, 1);
  const shown = bars.map((bar, at) => {
    const height = round((PLOT_HEIGHT * bar.count) / scale.top);
    return markup`<rect class="s0" x="${percent((at + 0.03) / bars.length)}" width="${percent(0.94 / bars.length)}" y="${scale.y(bar.count)}" height="${height}"/>${hoverArea(at, bars.length, `${barName(bar)}: ${showCount(bar.count, 'activity', 'activities')}`)}
`;
  });
  const labels = bars.map((bar, at) =>
    bar.from > 0 && LABELLED.has(bar.from)
      ? markup`<line class="tick" x1="${percent(at / bars.length)}" x2="${percent(at / bars.length)}" y1="${PLOT_HEIGHT}" y2="${PLOT_HEIGHT + 5}"/><text class="label" x="${percent(at / bars.length)}" y="${PLOT_HEIGHT + 19}">${showDuration(bar.from)}</text>`
      : NOTHING,
  );
  const left = [
    ...(times.absent === 0 ? [] : [`${showNumber(times.absent)} have no run time`]),
    ...(times.negative === 0 ? [] : [`${showNumber(times.negative)} end before they start`]),
  ];
  const empty = times.count === 0;
  return chartFigure({
    id: 'run-times',
    heading: 'Run times',
    note:
      (empty
        ? 'No activity has run.'
        : `Half run for up to ${showDuration(times.p50)}, 90 % up to ${showDuration(times.p90)}, 99 % up to ${showDuration(times.p99)}; the longest ${showDuration(times.max)}.`) +
      (left.length === 0 ? '' : ` Left out: ${left.join(', ')}.`),
    description: empty
      ? 'An empty plot.'
      : `A histogram of the times from start to finish of ${showCount(times.count, 'activity', 'activities')}. All numbers are in the table below.`,
    plot: empty ? emptyPlot('No run times') : markup`${gridLines(scale, showNumber)}${shown}${labels}`,
    table: dataTable(
      ['Run time', 'Activities'],
      bars.map((bar) => [barName(bar), showNumber(bar.count)]),
    ),
  });
}

/** The commonest messages with a bar each; the list itself is its text alternative. */
export function messagesChart({ messages, errors, errorsListed }: StatisticsReport): Markup {
  const top = messages.commonest[0]?.count ?? 1;
  const about = messages.exact ? '' : 'about ';
  const items = messages.commonest.map(
    ({ message, count }) => markup`<li><span class="message">${
      message === '' ? markup`<em>no message</em>` : foreign(message)
    }</span> <span class="count">${about}${showNumber(count)}</span><svg class="bar" aria-hidden="true"><rect class="track" width="100%" height="6" rx="3"/><rect class="value" width="${percent(count / top)}" height="6" rx="3"/></svg></li>
`,
  );
  const unlisted = errors - errorsListed;
  const note =
    messages.commonest.length === 0
      ? errors === 0
        ? 'There are no errors.'
        : `${showCount(errors, 'error is', 'errors are')} counted, and none is listed with its message.`
      : 'Quoted parts are left out of the messages.' +
        (unlisted > 0
          ? ` Of ${showNumber(errors)} errors counted, ${showNumber(errorsListed)} are listed.`
          : '') +
        (messages.exact
          ? ''
          : ` There were too many different ones to count each: a count may be too low by up to ${showNumber(messages.uncertainty)}.`);
  return markup`<section class="card" id="messages" aria-labelledby="messages-heading">
<h2 id="messages-heading">Commonest errors</h2><p class="note">${note}</p>
${
  items.length === 0
    ? NOTHING
    : markup`<ol class="messages">
${items}</ol>`
}
</section>
`;
}

function legend(series: readonly number[]): Markup {
  const items = series.map(
    (index) =>
      markup`<li><svg class="swatch" aria-hidden="true"><rect class="s${index}" width="100%" height="100%" rx="2"/></svg>${SERIES[index]}</li>`,
  );
  return markup`<ul class="legend">${items}</ul>`;
}

function timeTicks(slots: readonly Slot[]): Markup {
  const ticks = slots.map(({ tick }, at) => {
    if (tick === undefined) return NOTHING;
    const x = percent((at + 0.5) / slots.length);
    return markup`<g class="${tick.narrow ? 'always' : 'roomy'}"><line class="tick" x1="${x}" x2="${x}" y1="${PLOT_HEIGHT}" y2="${PLOT_HEIGHT + 5}"/><text class="label" x="${x}" y="${PLOT_HEIGHT + 19}">${tick.label}</text></g>`;
  });
  return markup`${ticks}`;
}

/** Says what is under the pointer. */
function hoverArea(at: number, places: number, title: string): Markup {
  return markup`<rect class="hover" x="${percent(at / places)}" width="${percent(1 / places)}" height="${PLOT_HEIGHT}"><title>${title}</title></rect>`;
}

const barX = (at: number, places: number) => percent((at + (1 - BAR) / 2) / places);
const barWidth = (places: number) => percent(BAR / places);

function plotWidth(places: number): 's' | 'm' | 'l' {
  return places <= 60 ? 's' : places <= 120 ? 'm' : 'l';
}

const filled = (slots: readonly Slot[]) => slots.filter(({ activities }) => activities > 0);

/** The rates in runs without a gap. */
function runsOf(rates: readonly (number | null)[]): { at: number; rate: number }[][] {
  const runs: { at: number; rate: number }[][] = [];
  rates.forEach((rate, at) => {
    if (rate === null) return;
    const run = runs.at(-1);
    if (run?.at(-1)?.at === at - 1) run.push({ at, rate });
    else runs.push([{ at, rate }]);
  });
  return runs;
}

type Bar = DurationReport['histogram'][number];

const FEWEST_BARS = 10;
/** Where there is room for the length of time under the histogram: at every third edge. */
const LABELLED = new Set([1e3, 10e3, 60e3, 600e3, 3600e3, 12 * 3600e3, 7 * 86_400e3]);

/** From the first bar that is not empty to the last, and some more where these are few. */
function barsShown(histogram: readonly Bar[]): readonly Bar[] {
  const first = histogram.findIndex(({ count }) => count > 0);
  if (first === -1) return [];
  const last = histogram.findLastIndex(({ count }) => count > 0);
  const more = Math.max(0, FEWEST_BARS - (last - first + 1));
  const from = Math.max(0, Math.min(first - Math.floor(more / 2), histogram.length - FEWEST_BARS));
  return histogram.slice(from, Math.max(last + 1, from + FEWEST_BARS));
}

function barName({ from, to }: Bar): string {
  if (to === null) return `${showDuration(from)} and longer`;
  return from === 0 ? `under ${showDuration(to)}` : `${showDuration(from)} to ${showDuration(to)}`;
}
