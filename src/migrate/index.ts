export { dryRun, type CheckedStep, type DryRunOptions } from './dry-run.js';
export { failingRows, type FailingRow, type FailingRowsOptions } from './failing-rows.js';
export { askToPause, onPauseAsked } from './pause.js';
export type {
  Estimate,
  LossCount,
  MigrationPlan,
  PlannedAccount,
  PlannedClear,
  PlannedList,
  PlannedLoss,
  PlannedPart,
  PlannedStep,
  PlannedTarget,
  PlannedUpload,
} from './plan.js';
export type { ListNames } from './list-map.js';
export { planText } from './plan-id.js';
export {
  planMigration,
  type AccountInput,
  type ClearInput,
  type MigrationInput,
  type StepInput,
  type UploadInput,
  type PlanOptions,
} from './planning.js';
export { readPlan } from './read-plan.js';
export { readRun, type ReadRun } from './read-run.js';
export {
  buildReport,
  type MigrationReport,
  type ReportAccount,
  type ReportTotals,
  type ReportDifference,
  type ReportList,
  type ReportPart,
  type ReportStep,
} from './report.js';
export { reportHtml } from './report-html.js';
export { runPlan, type RunEvent, type RunOptions, type RunOutcome } from './run.js';
export {
  planClients,
  readCredentials,
  renewedClients,
  type PlanClientOptions,
  type SecretSource,
  type TargetCredentials,
} from './run-clients.js';
export type { AccountOutcome, Reason } from './run-standing.js';
export type { FinishedPart, RowError, RunRecord } from './run-record.js';
export {
  foldRun,
  type PartState,
  type RunState,
  type MembersRecord,
  type VerifiedRecord,
} from './run-state.js';
export { isRunning, openRunStore, stateFolder, type RunStoreOptions } from './state-folder.js';
export {
  runStatus,
  type AccountStatus,
  type Progress,
  type RunStatus,
  type StatusOptions,
} from './status.js';
