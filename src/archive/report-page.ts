import type { ArchiveTally } from './record.js';
import { dataTable } from './report-chart.js';
import { showBytes, showCount, showDuration, showMinute, showNumber, showRate } from './report-format.js';
import { foreign, markup, Markup, NOTHING, pageStart } from '../format/markup.js';
import { activitiesChart, errorRateChart, messagesChart, runTimeChart } from './report-plots.js';
import { PAGE_ROWS, SCRIPT } from './report-script.js';
import { timeAxis } from './report-slots.js';
import { STYLE } from './report-style.js';
import { TABLE_HEAD, tableRow, type NameIndex, type Row } from './report-rows.js';
import type { NameKind, StatisticsReport } from './statistics-report.js';

/** Everything that a page tells. */
export interface PageContent {
  readonly title: string;
  readonly sources: readonly string[];
  readonly statistics: StatisticsReport;
  readonly tally: Readonly<ArchiveTally> | undefined;
  /** Newest first. */
  readonly rows: readonly Row[];
  readonly written: Date;
}

/** The page, piece by piece. */
export function* reportPage(content: PageContent): Generator<string> {
  const { statistics, rows } = content;
  const axis = timeAxis(statistics.months);
  yield pageStart({ title: content.title, style: STYLE, script: SCRIPT }).html;
  yield header(content).html;
  yield tiles(statistics).html;
  yield activitiesChart(axis, statistics).html;
  yield markup`<div class="half">${errorRateChart(axis, statistics)}</div><div class="half">${runTimeChart(statistics.runTime)}</div>`
    .html;
  yield messagesChart(statistics).html;
  yield typesTable(statistics).html;
  yield* activitiesTable(statistics, rows);
  yield markup`<footer>Written ${showMinute(content.written)} UTC. This page is one file: it loads nothing, and can be kept, mailed and printed as it is.</footer>
</main>
<script>${new Markup(SCRIPT)}</script>
</body>
</html>
`.html;
}

const SOURCES_SHOWN = 8;

function header({ title, sources, statistics, tally }: PageContent): Markup {
  const { firstInsertTime: first, lastInsertTime: last, salvaged, problems } = statistics;
  const names = sources.slice(0, SOURCES_SHOWN).map((name) => markup`<div>${foreign(name)}</div>`);
  const rest = sources.length - names.length;
  if (rest > 0) names.push(markup`<div>and ${showNumber(rest)} more</div>`);
  const problemCount = tally?.problems ?? problems.reduce((all, { count }) => all + count, 0);
  const facts: [string, Markup | string | undefined][] = [
    ['Read', names.length === 0 ? undefined : markup`${names}`],
    [
      'Size',
      tally === undefined
        ? undefined
        : `${showBytes(tally.bytes)} in ${showCount(tally.sources, 'source', 'sources')}, ${showCount(tally.documents, 'document', 'documents')}`,
    ],
    [
      'Time span',
      first === null || last === null
        ? 'no record has an insertTime'
        : `${showMinute(new Date(first))} to ${showMinute(new Date(last))} (UTC)`,
    ],
    [
      'Damage',
      salvaged === 0 && problemCount === 0
        ? 'none found'
        : `${showCount(salvaged, 'record was damaged and is', 'records were damaged and are')} shown as far as readable; ${showCount(problemCount, 'problem', 'problems')} in all`,
    ],
    [
      'Passed over',
      tally === undefined || tally.otherEntries === 0
        ? undefined
        : showCount(tally.otherEntries, 'entry that is no activity', 'entries that are no activities'),
    ],
  ];
  return markup`<header><h1>${title}</h1>
<p class="lead">${
    statistics.activities === 0
      ? 'No activities were found.'
      : `${showCount(statistics.activities, 'activity', 'activities')} with ${showCount(statistics.processed, 'contact', 'contacts')} processed and ${showCount(statistics.errors, 'error', 'errors')}.`
  }</p></header>
<section class="card read" aria-labelledby="read-heading"><h2 id="read-heading">What was read</h2><dl>${facts.map(
    ([name, value]) => (value === undefined ? NOTHING : markup`<dt>${name}</dt><dd>${value}</dd>`),
  )}</dl></section>
`;
}

function tiles(statistics: StatisticsReport): Markup {
  const { activities, failed, processed, errors, withErrors, queueTime, runTime } = statistics;
  const facts: [name: string, value: string, more: string][] = [
    ['Activities', showNumber(activities), `${showNumber(failed)} failed`],
    ['Contacts processed', showNumber(processed), 'sum of transactionCount'],
    ['Errors', showNumber(errors), `in ${showCount(withErrors, 'activity', 'activities')}`],
    ['Error rate', showRate(statistics.errorRate), 'of contacts and errors'],
    ['Median queue time', showDuration(queueTime.p50), `90 % up to ${showDuration(queueTime.p90)}`],
    ['Median run time', showDuration(runTime.p50), `90 % up to ${showDuration(runTime.p90)}`],
  ];
  return markup`<dl class="tiles">${facts.map(
    ([name, value, more]) =>
      markup`<div><dt>${name}</dt><dd class="big">${value}</dd><dd class="small">${more}</dd></div>`,
  )}</dl>
`;
}

function typesTable({ types, statuses }: StatisticsReport): Markup {
  if (types.length === 0) return NOTHING;
  const columns = statuses.map(({ status, kind }) => shownName(status, kind));
  const rows = types.map((row) => [
    shownName(row.type, row.kind),
    showNumber(row.activities),
    ...statuses.map(({ status, kind }) => {
      const found = row.statuses.find((one) => one.status === status && one.kind === kind);
      return found === undefined ? '–' : showNumber(found.activities);
    }),
    showNumber(row.processed),
    showNumber(row.errors),
    showRate(row.errorRate),
  ]);
  return markup`<section class="card" id="types" aria-labelledby="types-heading"><h2 id="types-heading">Types and statuses</h2>
<div class="scroll" tabindex="0" role="group" aria-labelledby="types-heading">${dataTable(
    ['Type', 'Activities', ...columns, 'Contacts', 'Errors', 'Error rate'],
    rows,
  )}</div></section>
`;
}

function shownName(name: string | null, kind: NameKind): string {
  return name ?? (kind === 'absent' ? 'none' : 'all others');
}

/** Rows that are put out at a time. */
const BATCH = 250;

function* activitiesTable(statistics: StatisticsReport, rows: readonly Row[]): Generator<string> {
  const types = options(statistics.types.map(({ type, kind }) => ({ name: type, kind })));
  const statuses = options(statistics.statuses.map(({ status, kind }) => ({ name: status, kind })));
  const unlisted = statistics.activities - rows.length;
  const note =
    unlisted > 0
      ? `The newest ${showNumber(rows.length)} of ${showNumber(statistics.activities)} activities; the other ${showNumber(unlisted)} are in the numbers and plots above.`
      : `All ${showNumber(rows.length)}, the newest first.`;
  yield markup`<section class="card" id="list" aria-labelledby="list-heading"><h2 id="list-heading">Activities</h2>
<p class="note">${rows.length === 0 ? 'There are none.' : note}</p>
`.html;
  if (rows.length === 0) {
    yield '</section>\n';
    return;
  }
  const without =
    rows.length > PAGE_ROWS
      ? `Without scripts, the first ${PAGE_ROWS} are shown; with scripts, all can be searched and sorted.`
      : 'With scripts, they can be searched and sorted.';
  yield markup`<p class="shown" id="without-script">${without}</p>
<form id="filters" hidden role="search">
<label class="grow">Search<input type="search" id="search" autocomplete="off" spellcheck="false" placeholder="id, file, message …"></label>
<label class="pick">Type<select id="type"><option value="">all</option>${types.markup}</select></label>
<label class="pick">Status<select id="status"><option value="">all</option>${statuses.markup}</select></label>
<label class="check"><input type="checkbox" id="errors-only">Only with errors</label>
<button type="reset" class="button">Clear</button>
</form>
<p class="shown" id="shown" role="status"></p>
<table id="activities" aria-labelledby="list-heading"><thead>${TABLE_HEAD}</thead>
<tbody>
`.html;
  const shown = (from: number, to: number) =>
    markup`${rows.slice(from, to).map((row) => tableRow(row, types.index, statuses.index))}`.html;
  yield shown(0, PAGE_ROWS);
  yield '</tbody></table>\n<template id="more-rows">';
  for (let from = PAGE_ROWS; from < rows.length; from += BATCH) yield shown(from, from + BATCH);
  yield markup`</template>
<p id="none" hidden>No activity fits.</p>
<nav id="pager" hidden aria-label="Pages of the table"><button type="button" class="button" id="previous">Previous</button><span id="page"></span><button type="button" class="button" id="next">Next</button></nav>
</section>
`.html;
}

/** The choices of a select, and which of them a row belongs to. */
function options(names: readonly { readonly name: string | null; readonly kind: NameKind }[]): {
  readonly markup: Markup;
  readonly index: NameIndex;
} {
  const byName = new Map(names.map(({ name }, index) => [name, index] as const));
  const rest = (wanted: NameKind) => names.findIndex(({ kind }) => kind === wanted);
  return {
    markup: markup`${names.map(
      ({ name, kind }, index) => markup`<option value="${index}">${shownName(name, kind)}</option>`,
    )}`,
    index: (name) => (name === '' ? rest('absent') : (byName.get(name) ?? rest('other'))),
  };
}
