import { availableParallelism } from 'node:os';
import { DecodeError, UsageError } from '../activity/errors.js';
import type { ParallelJob } from './parallel-job.js';
import { planTasks } from './parallel-plan.js';
import { ParallelRun } from './parallel-run.js';
import { startThread, type StartWorker } from './parallel-threads.js';
import { newTally, type ArchiveOptions } from './read.js';
import type { ArchivePosition, ArchiveTally } from './record.js';
import type { ActivityFilter } from './select.js';
import { openSources, type ArchiveSource } from './sources.js';
import { ArchiveStatistics } from './statistics.js';

/** How an archive is read on several threads. */
export interface ParallelOptions extends ArchiveOptions {
  /** Threads that read, this one among them: 0 to 64; 0 is as many as there are cores for this process. */
  readonly jobs: number;
  /** Which activities; default all. Problems and counts are those of all. */
  readonly filter?: ActivityFilter | undefined;
  /** Records of this source that begin at this byte or before it are passed over. */
  readonly after?: Pick<ArchivePosition, 'source' | 'byteOffset'> | undefined;
  /** Bytes of a part. Files of two parts or more are cut. Default 8,388,608 (8 MiB). */
  readonly partBytes?: number | undefined;
  /** Starts a worker. Default: as a thread. */
  readonly startWorker?: StartWorker | undefined;
}

/** An archive that is read on several threads, to be iterated over once, and what was read of it so far. */
export interface ParallelReader extends AsyncIterable<Uint8Array> {
  readonly tally: Readonly<ArchiveTally>;
  /** Records that were put out. */
  readonly chosen: number;
  /** Records that tell no date, where the filter asks for one. */
  readonly undated: number;
  /** The record that was read last; undefined before the first. */
  readonly last: ArchivePosition | undefined;
}

export const MOST_JOBS = 64;
const NOTHING = new Uint8Array(0);
const PART_BYTES = 8 * 1024 * 1024;

/**
 * The records of an archive as NDJSON, in pieces of whole lines, some of none: byte for byte what `recordLines` makes of what
 * `readArchive` reads; problems are told in the same order, and counted alike. A piece is let go of when the next is
 * asked for, and the workers get no further ahead than 16 MiB of output each.
 * @throws UsageError OPTION_INVALID for `jobs` or `partBytes` out of range; while iterating, what `readArchive` throws.
 */
export function ndjsonInParallel(
  source: ArchiveSource | readonly ArchiveSource[],
  options: ParallelOptions,
): ParallelReader {
  return new Reading(source, 'ndjson', options);
}

/**
 * Tells every problem of an archive to `onProblem`, as `readArchive` does, in the same order. The iteration yields
 * empty pieces, each after the problems that were found by then.
 * @throws as `ndjsonInParallel`
 */
export function checkInParallel(
  source: ArchiveSource | readonly ArchiveSource[],
  options: ParallelOptions,
): ParallelReader {
  return new Reading(source, 'problems', options);
}

/**
 * Adds the records of an archive to `statistics`; the iteration yields empty pieces, and is to be run to its end.
 * @throws as `ndjsonInParallel`
 */
export function countInParallel(
  source: ArchiveSource | readonly ArchiveSource[],
  statistics: ArchiveStatistics,
  options: ParallelOptions,
): ParallelReader {
  return new Reading(source, 'statistics', options, statistics);
}

class Reading implements ParallelReader {
  readonly tally = newTally();
  chosen = 0;
  undated = 0;
  last: ArchivePosition | undefined;
  readonly #source: ArchiveSource | readonly ArchiveSource[];
  readonly #options: ParallelOptions;
  readonly #job: ParallelJob;
  readonly #statistics: ArchiveStatistics;

  constructor(
    source: ArchiveSource | readonly ArchiveSource[],
    make: ParallelJob['make'],
    options: ParallelOptions,
    statistics = new ArchiveStatistics(),
  ) {
    const {
      jobs,
      partBytes = PART_BYTES,
      filter = {},
      after,
      strict = false,
      maxEntryBytes,
      maxUnpackedRatio,
    } = options;
    if (!(Number.isInteger(jobs) && jobs >= 0 && jobs <= MOST_JOBS)) {
      throw new UsageError(
        'OPTION_INVALID',
        `jobs must be a whole number from 0 to ${MOST_JOBS}, got ${jobs}`,
      );
    }
    if (!(Number.isSafeInteger(partBytes) && partBytes > 0)) {
      throw new UsageError('OPTION_INVALID', `partBytes must be a whole number above 0, got ${partBytes}`);
    }
    this.#source = source;
    this.#options = options;
    this.#job = { make, filter, after, strict, maxEntryBytes, maxUnpackedRatio };
    this.#statistics = statistics;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const {
      jobs,
      partBytes = PART_BYTES,
      signal,
      strict,
      onProblem,
      onRead,
      startWorker = startThread,
    } = this.#options;
    const run = new ParallelRun({
      job: this.#job,
      jobs: jobs === 0 ? Math.min(availableParallelism(), MOST_JOBS) : jobs,
      steps: planTasks(openSources(this.#source, this.#options), partBytes),
      start: startWorker,
      signal,
    });
    let before = { step: -1, tally: newTally(), chosen: 0, undated: 0 };
    let read = 0;
    for await (const piece of run.pieces()) {
      if (piece.step !== before.step) {
        read = 0;
        before = { step: piece.step, tally: { ...this.tally }, chosen: this.chosen, undated: this.undated };
      }
      for (const key of TALLY) this.tally[key] = before.tally[key] + piece.tally[key];
      this.chosen = before.chosen + piece.chosen;
      this.undated = before.undated + piece.undated;
      this.last = piece.last ?? this.last;
      if (piece.statistics !== undefined) this.#statistics.merge(new ArchiveStatistics(piece.statistics));
      onRead?.(piece.read - read);
      read = piece.read;
      for (const problem of piece.problems) await onProblem?.(problem);
      yield piece.bytes ?? NOTHING;
      const [problem] = piece.problems;
      if (strict === true && problem !== undefined) {
        throw new DecodeError(problem.code, problem.message, problem.position);
      }
    }
  }
}

const TALLY = Object.keys(newTally()) as (keyof ArchiveTally)[];
