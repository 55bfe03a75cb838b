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
  ListOptions,
  ResumeAt,
} from './activity/service.js';
export { systemClock, type Clock } from './clock.js';
export type { CreationAttempt, CreationMemory, ReconcileOptions } from './create.js';
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
export { serve, type FetchHandler, type Served, type ServeOptions, type TlsIdentity } from './http/serve.js';
export type { Timeouts } from './http/timeouts.js';
export {
  waitForActivities,
  waitForActivity,
  watchActivities,
  watchActivity,
  type WaitOptions,
} from './wait.js';
export { WsClient, type WsClientOptions } from './ws/client.js';
export type {
  BulkClientOptions,
  ClientSaveOptions,
  ClientWaitOptions,
  Creation,
  CreationOptions,
} from './bulk-client.js';
export type { Exchange, HttpResponse } from './http/transport.js';
export type { Quota } from './http/quota.js';
export type { SecretReference } from './http/secret.js';
export type { Lock } from './http/lock-file.js';
export { decodeEntry, decodeFeed, type Decoded, type DecodedFeed } from './ws/records.js';
export type { AtomLimits, AtomReaderOptions, RecordProblem } from './ws/atom.js';
export type { Encoding as WsEncoding } from './ws/encoding.js';
export { salvageActivity, type SalvagedActivity } from './ws/salvage.js';
export type { WsAccount } from './ws/call.js';
export { PROFILES, QUIRKS, type Profile, type QuirkName } from './ws/quirks.js';
export { wsServer, type AccountLookup, type WsServerOptions } from './ws/server.js';
export { V2Client, type EncodedCreation, type V2ClientOptions, type V2ListOptions } from './v2/client.js';
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
export {
  joinActivities,
  type JoinedActivity,
  type JoinedError,
  type JoinOptions,
  type SentPart,
} from './translate/join.js';
export { LIMITS, type PartLimits } from './translate/limits.js';
export { splitUpload, type SplitOptions, type SplitUpload, type UploadPart } from './translate/split.js';
export { fileParts, v2Parts, type PartEncoder, type V2PartOptions } from './translate/split-encodings.js';
export type { Encoding as CharacterEncoding } from './format/encodings.js';
export { memoryStore } from './store/memory.js';
export { sharedLimiter, type SharedLimiterOptions } from './store/shared-limiter.js';
export { openStore, type StoreOptions } from './store/sqlite.js';
export type {
  Buckets,
  Claim,
  ClaimOptions,
  Job,
  JobFailure,
  JobState,
  Journal,
  JournalRecord,
  Lease,
  Limits,
  NewJob,
  Queue,
  RecordChange,
  RecordRange,
  Records,
  Store,
  StoredRecord,
  Taken,
  Values,
  Versioned,
} from './store/store.js';
export { fileSource, memorySource, type ContactSource } from './upload/contact-source.js';
export type { Duplicate } from './translate/duplicates.js';
export type { Located, PartLine, Wanted } from './translate/split-lines.js';
export type { ContactTable } from './v2/table.js';
export type { ExportColumn, UploadColumn } from './v2/columns.js';
export type { V2Type } from './v2/names.js';
export type { RequestBody } from './format/body.js';
export type { XmlLimits } from './format/xml-reader.js';
