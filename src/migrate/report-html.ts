import { showCount, showNumber, showSecond } from '../archive/report-format.js';
import { foreign, markup, NOTHING, pageStart, type Markup } from '../format/markup.js';
import type { FailingRow } from './failing-rows.js';
import {
  unnamedWords,
  type MigrationReport,
  type ReportAccount,
  type ReportDifference,
  type ReportList,
  type ReportPart,
  type ReportStep,
} from './report.js';
import { STYLE } from './report-style.js';

/** Rows of a table that are put out at most. */
const MOST_ROWS = 10_000;
/** Addresses that are shown of a list, at most. */
const MOST_DIFFERENCES = 500;
/** With more accounts than these, those that are as they should be are folded. */
const UNFOLDED = 5;
/** Rows that are put out at a time. */
const BATCH = 250;

/**
 * The report as one HTML page that loads nothing and runs nothing, piece by piece: its Content-Security-Policy allows its
 * own style and no script at all. Every value in it is escaped.
 */
export function* reportHtml(report: MigrationReport): Generator<string> {
  yield pageStart({ title: `Migration ${report.plan}`, style: STYLE }).html;
  yield header(report).html;
  yield '<h2>Accounts</h2>\n';
  for (const account of report.accounts) yield* accountCard(account, report.accounts.length <= UNFOLDED);
  yield* failingTable(report);
  yield markup`<footer>Written ${shownTime(report.written)} UTC; all times are UTC. This page is one file: it loads nothing, and can be kept, mailed and printed as it is. Addresses of contacts are in it.</footer>
</main>
</body>
</html>
`.html;
}

const STATES = {
  waiting: ['has not begun', 'open'],
  running: ['is running', 'open'],
  paused: ['is paused', 'open'],
  stopped: ['was stopped, and can go on', 'open'],
  held: ['waits for somebody to look', 'bad'],
  finished: ['is finished', 'good'],
} as const satisfies Record<MigrationReport['state'], readonly [string, string]>;

function header({ plan, state, began, ended, totals, problems }: MigrationReport): Markup {
  const { failingRows, missing, unexpected, unnamedRows } = totals;
  const unnamed = unnamedWords(totals);
  const rows = failingRows === 0 ? 'No row failed' : `${showCount(failingRows, 'row', 'rows')} failed`;
  const compared =
    totals.listsCompared === 0
      ? 'no list was compared yet'
      : missing + unexpected === 0
        ? `${showCount(totals.listsCompared, 'list has', 'lists have')} exactly the members expected`
        : `of the lists compared, ${showCount(missing, 'address is', 'addresses are')} missing and ${showCount(unexpected, 'is', 'are')} there unexpectedly`;
  const facts: [name: string, value: string, more: string][] = [
    ['Accounts', showNumber(totals.accountsFinished), `of ${showNumber(totals.accounts)} finished`],
    ['Parts', showNumber(totals.partsFinished), `of ${showNumber(totals.parts)} finished`],
    ['Rows', showNumber(totals.rowsFinished), `of ${showNumber(totals.rows)} sent`],
    ['Failing rows', showNumber(failingRows), `${showCount(totals.errors, 'error', 'errors')} counted`],
    ['Lists compared', showNumber(totals.listsCompared), `of ${showNumber(totals.lists)}`],
    ['Differences', showNumber(missing + unexpected), `${showNumber(missing)} missing`],
  ];
  const [words, kind] = STATES[state];
  const times = [
    began === null ? undefined : `began ${shownTime(began)}`,
    ended === null ? undefined : `ended ${shownTime(ended)}`,
  ].filter((text) => text !== undefined);
  return markup`<header><h1>The migration <span class="badge ${kind}">${words}</span></h1>
<p class="lead">${rows}; ${compared}.</p>
<p class="note">Plan <code>${plan}</code>${times.length === 0 ? '' : `, ${times.join(', ')}`}</p>${
    unnamedRows === 0
      ? NOTHING
      : markup`
<p class="note">Of the failing rows, ${showCount(unnamedRows, 'was', 'were')} not named by the service: they were found missing, or are of a part that failed as a whole.</p>`
  }${
    unnamed === undefined
      ? NOTHING
      : markup`
<p class="why">${unnamed}</p>`
  }${problems.map((problem) => markup`\n<p class="why">${foreign(problem)}</p>`)}
<dl class="tiles">${facts.map(
    ([name, value, more]) =>
      markup`<div><dt>${name}</dt><dd class="big">${value}</dd><dd class="small">${more}</dd></div>`,
  )}</dl></header>
`;
}

const KINDS = { waiting: 'open', running: 'open', held: 'bad', finished: 'good' } as const satisfies Record<
  ReportAccount['state'],
  string
>;

function* accountCard(account: ReportAccount, unfolded: boolean): Generator<string> {
  const { state, why, steps, lists } = account;
  const parts = steps.flatMap((step) => step.parts);
  const errors = parts.reduce((sum, { errorCount }) => sum + errorCount, 0);
  const differs = lists.some(({ missing, unexpected }) => (missing ?? 0) + (unexpected ?? 0) > 0);
  const open = unfolded || state === 'held' || differs;
  const done = parts.filter((part) => part.state === 'finished').length;
  yield markup`<details class="card"${open ? markup` open` : NOTHING}><summary>${foreign(account.account)} <span class="badge ${KINDS[state]}">${state}</span><span class="small">${showNumber(done)} of ${showCount(parts.length, 'part', 'parts')}, ${showCount(errors, 'error', 'errors')}${differs ? ', lists differ' : ''}</span></summary>
${why === null ? NOTHING : markup`<p class="why">${foreign(why)}</p>\n`}`.html;
  if (steps.length > 0) {
    yield '<h3>What was sent</h3>\n';
    yield tableStart(`Parts of ${account.account}`, PART_HEAD).html;
    for (const step of steps) yield markup`${step.parts.map((part) => partRow(step, part))}`.html;
    yield TABLE_END;
  }
  if (lists.length > 0) {
    yield '<h3>Lists, read back</h3>\n';
    yield tableStart(`Lists of ${account.account}`, LIST_HEAD).html;
    yield markup`${lists.map(listRow)}`.html;
    yield TABLE_END;
    for (const list of lists) yield differencesOf(list).html;
  }
  yield '</details>\n';
}

type Head = readonly (readonly [name: string, kind: '' | 'n' | 't' | 'w'])[];

const PART_HEAD: Head = [
  ...(['Part', 'What', 'File', 'Lists'] as const).map((name) => [name, ''] as const),
  ['Lines', 'n'],
  ['Rows', 'n'],
  ['Activity', ''],
  ['Status', ''],
  ['Processed', 'n'],
  ['Errors', 'n'],
  ['Ran (UTC)', 't'],
];

const LIST_HEAD: Head = [
  ['List', ''],
  ['Name', ''],
  ...(['Before', 'Expected', 'Found', 'Missing', 'Unexpected'] as const).map((name) => [name, 'n'] as const),
];

const TABLE_END = '</tbody></table></div>\n';

function tableStart(label: string, head: Head): Markup {
  return markup`<div class="scroll" tabindex="0" role="group" aria-label="${label}"><table><thead><tr>${head.map(
    ([name, kind]) => markup`<th scope="col" class="${kind}">${name}</th>`,
  )}</tr></thead><tbody>
`;
}

const DOES = {
  ADD_CONTACTS: 'add',
  REMOVE_CONTACTS_FROM_LISTS: 'remove',
  CLEAR_CONTACTS_FROM_LISTS: 'clear',
} as const satisfies Record<ReportStep['activityType'], string>;

function partRow({ step, activityType, file, lists }: ReportStep, part: ReportPart): Markup {
  const lines = part.firstLine === null ? '' : `${part.firstLine}–${String(part.lastLine)}`;
  const bad = part.state === 'refused' || (part.state === 'finished' && part.status !== 'COMPLETE');
  const kind = bad ? 'bad' : part.state === 'finished' ? (part.errorCount > 0 ? 'open' : 'good') : 'open';
  return markup`<tr><td class="t">${foreign(part.part.slice(step.lastIndexOf('/') + 1))}</td><td>${DOES[activityType]}</td><td class="w">${foreign(file ?? '–')}</td><td>${foreign(lists.join(', '))}</td><td class="n t">${lines}</td><td class="n">${file === null ? '' : showNumber(part.rows)}</td><td class="t">${
    part.activity === null ? '–' : markup`<code>${foreign(part.activity)}</code>`
  }</td><td><span class="badge ${kind}">${part.status ?? part.state}</span>${
    part.message === null ? NOTHING : markup`<div class="w small">${foreign(part.message)}</div>`
  }</td><td class="n">${shownCount(part.transactionCount)}</td><td class="n">${showNumber(part.errorCount)}</td><td class="t">${shownSpan(part)}</td></tr>
`;
}

function listRow(list: ReportList): Markup {
  const differing = (count: number | null) =>
    count === null || count === 0
      ? markup`${shownCount(count)}`
      : markup`<span class="badge bad">${showNumber(count)}</span>`;
  return markup`<tr><td>${foreign(list.list)}</td><td class="w">${foreign(list.name ?? '–')}</td><td class="n">${shownCount(list.before)}</td><td class="n">${shownCount(list.expected)}</td><td class="n">${shownCount(list.found)}</td><td class="n">${differing(list.missing)}</td><td class="n">${differing(list.unexpected)}</td></tr>
`;
}

function differencesOf({ list, name, differences }: ReportList): Markup {
  if (differences.length === 0) return NOTHING;
  const shown = differences.slice(0, MOST_DIFFERENCES);
  const rest = differences.length - shown.length;
  return markup`<details class="more"${differences.length <= 20 ? markup` open` : NOTHING}><summary>What differs in list ${foreign(name === null ? list : `${list}, ${name}`)}: ${showCount(differences.length, 'address', 'addresses')}</summary>
${tableStart(`Differences of list ${list}`, DIFFERENCE_HEAD)}${shown.map(differenceRow)}</tbody></table></div>
${rest === 0 ? NOTHING : markup`<p class="note">And ${showNumber(rest)} more: they are in the file of differences in the state folder, and in the report as JSON.</p>\n`}</details>
`;
}

const DIFFERENCE_HEAD: Head = [
  ['Address', 'w'],
  ['Is', ''],
  ['File', 'w'],
  ['Line', 'n'],
];

function differenceRow({ emailAddress, difference, file, line }: ReportDifference): Markup {
  return markup`<tr><td class="w">${foreign(emailAddress)}</td><td>${difference}</td><td class="w">${foreign(file ?? '–')}</td><td class="n">${shownCount(line)}</td></tr>
`;
}

const FAILING_HEAD: Head = [
  ['Account', ''],
  ['File', 'w'],
  ['Line', 'n'],
  ['Address', 'w'],
  ['Message', 'w'],
];

function* failingTable({ failingRows: rows }: MigrationReport): Generator<string> {
  yield '<h2>Failing rows</h2>\n';
  if (rows.length === 0) {
    yield '<p class="note">There are none.</p>\n';
    return;
  }
  const shown = rows.slice(0, MOST_ROWS);
  yield tableStart('Failing rows', FAILING_HEAD).html;
  for (let from = 0; from < shown.length; from += BATCH) {
    yield markup`${shown.slice(from, from + BATCH).map(failingRow)}`.html;
  }
  yield TABLE_END;
  const rest = rows.length - shown.length;
  if (rest === 0) return;
  yield markup`<p class="note">And ${showNumber(rest)} more: ctct migrate report --failing-rows writes all of them to files.</p>\n`
    .html;
}

function failingRow({ account, file, line, emailAddress, message }: FailingRow): Markup {
  return markup`<tr><td>${foreign(account)}</td><td class="w">${foreign(file ?? '–')}</td><td class="n">${shownCount(line)}</td><td class="w">${foreign(emailAddress ?? '–')}</td><td class="w">${foreign(message)}</td></tr>
`;
}

function shownCount(count: number | null): string {
  return count === null ? '–' : showNumber(count);
}

/** `2026-11-22 05:20:30 – 05:20:31`; the day of the end only where it is another. */
function shownSpan({ runStartTime: start, runFinishTime: end }: ReportPart): string {
  if (start === null || end === null) return shownTime(end ?? start);
  const [from, to] = [shownTime(start), shownTime(end)];
  return `${from} – ${from.slice(0, 10) === to.slice(0, 10) ? to.slice(11) : to}`;
}

function shownTime(time: string | null): string {
  return time === null ? '–' : showSecond(new Date(time));
}
