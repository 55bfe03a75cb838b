import type { Activity } from '../activity/activity.js';
import type { ErrorCode } from '../activity/errors.js';

/** A run of bytes of one source. Lines and columns count from 1, bytes from 0; of .gz files, in what is unpacked. */
export interface ArchivePosition {
  /** The path, or what the caller named the input. */
  readonly source: string;
  readonly line: number;
  readonly column: number;
  readonly byteOffset: number;
  /** Bytes; 0 where a problem is a place between two bytes. */
  readonly length: number;
}

/** Something in an archive that is not as it must be. */
export interface ArchiveProblem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly position: ArchivePosition;
}

/** One activity of an archive, and where it stands. */
export interface ArchiveRecord {
  readonly activity: Activity;
  /** The whole entry, from the `<` of its start tag to the `>` of its end tag. */
  readonly position: ArchivePosition;
  /**
   * True when the entry was damaged, and read as far as possible; or when it is doubtful whether it is a record at all, or
   * what it says: `problems` tells.
   */
  readonly salvaged: boolean;
  /** What could not be taken as it stands; empty for most records. */
  readonly problems: readonly ArchiveProblem[];
}

/** What was read so far. `recordBytes + frameBytes + problemBytes` is `bytes`: every byte is accounted for. */
export interface ArchiveTally {
  /** Files, streams and buffers begun. */
  sources: number;
  /** Feeds and single entries begun. */
  documents: number;
  /** Bytes read, after unpacking. */
  bytes: number;
  records: number;
  /** Those of `records` that were damaged, or are doubtful. */
  salvaged: number;
  /** Entries without an Activity, those of contacts and lists above all, passed over. */
  otherEntries: number;
  problems: number;
  /** Bytes of whole entries, of activities and others. */
  recordBytes: number;
  /** Bytes of feeds around their entries: metadata, white space, comments, declarations. */
  frameBytes: number;
  /** Bytes of damaged entries, and of what belongs to no document. */
  problemBytes: number;
}
