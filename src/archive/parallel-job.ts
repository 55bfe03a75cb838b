import { UsageError, type ErrorCode } from '../activity/errors.js';
import type { ArchivePosition, ArchiveProblem, ArchiveTally } from './record.js';
import type { LineColumn } from './lines.js';
import type { OpenFeed } from './document.js';
import type { ActivityFilter } from './select.js';
import type { StatisticsState } from './statistics-state.js';

/** What all workers of a run do. */
export interface ParallelJob {
  /** NDJSON of the records, statistics of them, or nothing but problems and counts. */
  readonly make: 'ndjson' | 'statistics' | 'problems';
  readonly filter: ActivityFilter;
  /** Records of this source that begin at this byte or before it are passed over. */
  readonly after: Pick<ArchivePosition, 'source' | 'byteOffset'> | undefined;
  readonly strict: boolean;
  readonly maxEntryBytes: number | undefined;
  readonly maxUnpackedRatio: number | undefined;
}

/** A large file that is read in parts. A part begins at the first seam in its share of `partBytes` bytes. */
export interface CutFile {
  readonly path: string;
  readonly size: number;
  readonly partBytes: number;
  /** The feed that the file begins with; undefined when it begins with something else, or in another encoding. */
  readonly feed: OpenFeed | undefined;
  /** The file begins with a byte order mark, which is no character of its first line. */
  readonly marked: boolean;
}

/** What one worker reads at a time. */
export type Task =
  | { readonly kind: 'files'; readonly paths: readonly string[] }
  | { readonly kind: 'part'; readonly file: CutFile; readonly part: number };

/** Some of what came of a task, in the order of the archive. */
export interface Piece {
  /** Whole lines of NDJSON. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
  /** Of the whole task, with its last piece. */
  readonly statistics: StatisticsState | undefined;
  readonly problems: readonly ArchiveProblem[];
  /** Of the task so far. */
  readonly tally: Readonly<ArchiveTally>;
  /** Of the task so far: bytes that were read, before unpacking; 0 of sources that the main thread reads. */
  readonly read: number;
  /** Of the task so far: records that the filter let through, and those that tell no date where one was asked for. */
  readonly chosen: number;
  readonly undated: number;
  /** The record that was read last; undefined before the first. */
  readonly last: ArchivePosition | undefined;
}

/** What a worker tells of the task it is at. */
export type TaskEvent =
  /** From the seam of `part` to that of part `to`, so many lines: as if the former stood at line 1, column 1. */
  | { readonly kind: 'counted'; readonly part: number; readonly to: number; readonly lines: LineColumn }
  | { readonly kind: 'piece'; readonly piece: Piece }
  /** The reading got beyond the seam of `part` and could not end there; it asks whether to go on. */
  | { readonly kind: 'passed'; readonly part: number }
  /** `joined` is the part that goes on where this task ended; undefined at the end of the file. */
  | { readonly kind: 'done'; readonly joined: number | undefined }
  | { readonly kind: 'failed'; readonly error: PackedError };

/** What a worker is told of the task it is at. */
export type TaskOrder =
  /** Where the part begins. */
  | { readonly kind: 'place'; readonly place: LineColumn }
  /** So many bytes of output are out of memory. */
  | { readonly kind: 'taken'; readonly bytes: number }
  | { readonly kind: 'goOn' | 'cancel' };

export type ToWorker =
  | { readonly kind: 'job'; readonly job: ParallelJob }
  | { readonly kind: 'task'; readonly id: number; readonly task: Task }
  | { readonly kind: 'order'; readonly id: number; readonly order: TaskOrder }
  | { readonly kind: 'end' };

export interface FromWorker {
  readonly id: number;
  readonly event: TaskEvent;
}

/** An error on its way to another thread, where it becomes one of its class again. Of the family, only these come up. */
export type PackedError =
  { readonly usage: { readonly code: ErrorCode; readonly message: string } } | { readonly other: unknown };

export function packError(error: unknown): PackedError {
  if (!(error instanceof UsageError)) return { other: error };
  return { usage: { code: error.code, message: error.message } };
}

export function unpackError(packed: PackedError): unknown {
  return 'other' in packed ? packed.other : new UsageError(packed.usage.code, packed.usage.message);
}
