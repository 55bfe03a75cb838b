export {
  ACTIVITY_STATUSES,
  ACTIVITY_TYPES,
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
  type Column,
  type ColumnName,
  type ContactProperty,
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
export type { ActivityService, CallOptions, Download } from './activity/service.js';
export { systemClock, type Clock } from './clock.js';
export { createEmulator, type Emulator, type EmulatorOptions } from './emulator/emulator.js';
export type { AccountSeed } from './emulator/seed.js';
export { createVirtualClock, type VirtualClock } from './emulator/virtual-clock.js';
export type { Credentials } from './http/credentials.js';
export { safeFileName, saveDownload } from './http/download.js';
export type { Timeouts } from './http/timeouts.js';
export { waitForActivity, watchActivity, type WaitOptions } from './wait.js';
export { WsClient, type WsClientOptions, type WsWaitOptions } from './ws/client.js';
export { decodeEntry, decodeFeed, type Decoded, type DecodedFeed } from './ws/records.js';
export type { RecordProblem } from './ws/atom.js';
export type { Encoding } from './ws/encoding.js';
export { salvageActivity, type SalvagedActivity } from './ws/salvage.js';
export { wsServer, type AccountLookup, type WsServerOptions } from './ws/server.js';
export { readArchive, type ArchiveOptions, type ArchiveReader } from './archive/read.js';
export type { ArchivePosition, ArchiveProblem, ArchiveRecord, ArchiveTally } from './archive/record.js';
export type { ArchiveSource } from './archive/sources.js';
