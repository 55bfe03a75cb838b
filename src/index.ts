export {
  ACTIVITY_STATUSES,
  ACTIVITY_TYPES,
  hasFailed,
  isFinished,
  type Activity,
  type ActivityError,
  type ActivityStatus,
  type ActivityType,
  type KnownActivityStatus,
  type KnownActivityType,
} from './activity/activity.js';
export {
  COLUMNS,
  findColumn,
  findV2Column,
  V2_COLUMNS,
  type Column,
  type ColumnName,
  type ContactProperty,
  type V2Column,
  type V2Property,
} from './activity/columns.js';
export {
  ActivityFailedError,
  AmbiguousCreateError,
  CtctError,
  DecodeError,
  ERROR_CODES,
  ServiceError,
  TransportError,
  UnsupportedError,
  UsageError,
  WaitTimeoutError,
  type ErrorCode,
  type SourcePosition,
} from './activity/errors.js';
export type {
  ContactDirectory,
  ContactDraft,
  ContactQuery,
  DirectoryContact,
  ListDraft,
  ListMember,
  Membership,
} from './activity/directory.js';
export { SYSTEM_LISTS, type ContactList, type ListRef, type SystemListId } from './activity/list.js';
export {
  FEWEST_CONTACTS,
  type ActivityRequest,
  type AddContacts,
  type AddType,
  type ClearLists,
  type ContactRow,
  type Contacts,
  type ExportContacts,
  type FileType,
  type RemoveContacts,
  type SortOrder,
  type Warning,
} from './activity/request.js';
export type {
  ActivityService,
  CallOptions,
  Download,
  DownloadOptions,
  ResumeAt,
} from './activity/service.js';
export { systemClock, type Clock } from './clock.js';
export type { ReconcileOptions } from './create.js';
export { createEmulator, type Emulator, type EmulatorOptions } from './emulator/emulator.js';
export type { EmulatorState } from './emulator/emulator-state.js';
export type { FaultPreset } from './emulator/fault-presets.js';
export type { ActiveFault, FaultAction, FaultMatch, FaultRule } from './emulator/faults.js';
export type { AccountState } from './emulator/account-state.js';
export type { Transition } from './emulator/job.js';
export type { JobOrder } from './emulator/jobs.js';
export type { Latency } from './emulator/latency.js';
export type { ActiveOutcome, JobOutcome, OutcomeMatch, OutcomeRule } from './emulator/outcomes.js';
export type { AccountSeed } from './emulator/seed.js';
export { readSeed } from './emulator/seed-file.js';
export { createVirtualClock, type VirtualClock } from './emulator/virtual-clock.js';
export type { ApiKeyCredentials, Credentials } from './http/credentials.js';
export type { DigestCredentials, OAuthCredentials, PresentedCredentials } from './http/presented.js';
export {
  safeFileName,
  saveDownload,
  type Savable,
  type SavableAnew,
  type SavedFile,
  type SaveEvent,
  type SaveOptions,
} from './http/download.js';
export { createLimiter, type Limiter, type LimiterOptions } from './http/limiter.js';
export type { RetryPolicy } from './http/retry.js';
export type { ServeOptions, TlsIdentity } from './http/serve.js';
export type { Timeouts } from './http/timeouts.js';
export type { JournalEntry } from './inspect/journal-entry.js';
export type { RequestFilter, RequestJournal } from './inspect/journal.js';
export {
  waitForActivities,
  waitForActivity,
  watchActivities,
  watchActivity,
  type WaitOptions,
} from './wait.js';
export { WsClient, type WsClientOptions, type WsSaveOptions, type WsWaitOptions } from './ws/client.js';
export { decodeEntry, decodeFeed, type Decoded, type DecodedFeed } from './ws/records.js';
export type { RecordProblem } from './ws/atom.js';
export type { Encoding } from './ws/encoding.js';
export { salvageActivity, type SalvagedActivity } from './ws/salvage.js';
export type { WsAccount } from './ws/call.js';
export { PROFILES, QUIRKS, type Profile, type QuirkName } from './ws/quirks.js';
export { wsServer, type AccountLookup, type WsServerOptions } from './ws/server.js';
export { V2Client, type V2ClientOptions, type V2ListOptions } from './v2/client.js';
export type { V2Encoding } from './v2/encoding.js';
export { V2_LIMITS } from './v2/names.js';
export type { ErrorForm } from './v2/records.js';
export { v2Server, type V2AccountLookup, type V2ServerOptions } from './v2/server.js';
export { translateActivity, type V2Activity } from './translate/activity.js';
export { translateColumns, type ColumnDirection, type ColumnTargets } from './translate/columns.js';
export { translateFile, type FileTranslation, type TranslateFileOptions } from './translate/file.js';
export { LOSSES, type Loss, type LossCode, type Severity, type Translation } from './translate/loss.js';
export { MAPPING, type MappingId, type MappingRow, type Verdict } from './translate/mapping.js';
export { translateRequest, type RequestFromV2, type RequestToV2 } from './translate/request.js';
export type { V2Request } from './v2/meaning.js';
export { readArchive, type ArchiveOptions, type ArchiveReader } from './archive/read.js';
export type { ArchivePosition, ArchiveProblem, ArchiveRecord, ArchiveTally } from './archive/record.js';
export type { ArchiveSource } from './archive/sources.js';
