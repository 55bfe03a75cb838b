import { systemClock, type Clock } from '../clock.js';
import { ownText } from './own-text.js';
import type { ArchiveRecord, ArchiveTally } from './record.js';
import { reportPage } from './report-page.js';
import { NewestRows } from './report-rows.js';
import { ArchiveStatistics } from './statistics.js';

/** What stands in a report beside the records. */
export interface ReportOptions {
  /** Default `Activity archive`. */
  readonly title?: string;
  /** What was read, as the user named it: paths and globs. */
  readonly sources?: readonly string[];
  /** What reading came to; looked at when all records are read, so that of a reader still at work fits. */
  readonly tally?: Readonly<ArchiveTally>;
  /** How many activities the table lists, the newest ones. Default 5,000. */
  readonly rows?: number;
  /** Tells when the page was written. */
  readonly clock?: Clock;
}

/** How many activities the table of a report lists: a page of these stays quick, and is some megabytes. */
const ROWS_DEFAULT = 5000;

/**
 * One self-contained HTML page about the records, as pieces to write one after another: what was read, plots, and a table
 * of the newest activities that can be sorted and searched. The page loads nothing, runs from a file, and its
 * Content-Security-Policy allows no script and no style but its own; every value in it is escaped. Memory is bounded
 * however many records there are.
 * @throws whatever reading the records throws; nothing has been put out by then.
 */
export async function* writeReport(
  records: AsyncIterable<ArchiveRecord> | Iterable<ArchiveRecord>,
  options: ReportOptions = {},
): AsyncGenerator<string, void, undefined> {
  const {
    title = 'Activity archive',
    sources = [],
    tally,
    rows = ROWS_DEFAULT,
    clock = systemClock,
  } = options;
  const statistics = new ArchiveStatistics();
  const newest = new NewestRows(rows);
  for await (const record of records) {
    statistics.add(record);
    newest.add(record);
  }
  yield* reportPage({
    title: ownText(title, 200),
    sources: sources.map((source) => ownText(source, 200)),
    statistics: statistics.toJSON(),
    tally,
    rows: newest.rows(),
    written: new Date(clock.now()),
  });
}
