export { newestOfEach } from './dedupe.js';
export {
  checkInParallel,
  countInParallel,
  ndjsonInParallel,
  type ParallelOptions,
  type ParallelReader,
} from './parallel.js';
export { parquetBytes } from './parquet.js';
export { readArchive, type ArchiveOptions, type ArchiveReader } from './read.js';
export type { ArchivePosition, ArchiveProblem, ArchiveRecord, ArchiveTally } from './record.js';
export { ACTIVITY_HEADING, activityRow, ERROR_HEADING, errorRows, spreadsheetRow } from './record-csv.js';
export { recordDocument, recordJson, recordLines, type RecordJson } from './record-json.js';
export { writeReport, type ReportOptions } from './report.js';
export { activityFilter, createdAt, type ActivityFilter } from './select.js';
export type { ArchiveSource } from './sources.js';
export { ArchiveStatistics } from './statistics.js';
export {
  statisticsReport,
  type StatisticsReport,
  type DurationReport,
  type MonthReport,
  type StatusCount,
  type SumsReport,
  type TypeCount,
  type TypeReport,
  type NameKind,
} from './statistics-report.js';
