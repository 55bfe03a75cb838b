import type { ParallelJob, Piece } from './parallel-job.js';
import { recordLine } from './record-json.js';
import type { ArchivePosition, ArchiveProblem, ArchiveRecord, ArchiveTally } from './record.js';
import { activityFilter, createdAt } from './select.js';
import { ArchiveStatistics } from './statistics.js';

/** Characters of output, bytes of input, and problems that make a piece. */
const PIECE_TEXT = 256 * 1024;
const PIECE_BYTES = 1024 * 1024;
const PIECE_PROBLEMS = 1000;

const utf8 = new TextEncoder();

/** What becomes of the records of one task. */
export class Sink {
  /** Of the task: whoever reads counts into it. */
  readonly tally: Readonly<ArchiveTally>;
  readonly #job: ParallelJob;
  readonly #read: () => number;
  readonly #accepts: ReturnType<typeof activityFilter>;
  readonly #dated: boolean;
  readonly #statistics: ArchiveStatistics | undefined;
  #text = '';
  #problems: ArchiveProblem[] = [];
  /** `tally.bytes` at the end of the last piece. */
  #passed = 0;
  #chosen = 0;
  #undated = 0;
  #last: ArchivePosition | undefined;

  /** `read` says how many bytes were read so far, before unpacking. Default: those of the tally. */
  constructor(job: ParallelJob, tally: Readonly<ArchiveTally>, read = () => tally.bytes) {
    this.tally = tally;
    this.#read = read;
    this.#job = job;
    this.#accepts = activityFilter(job.filter);
    this.#dated = job.filter.since !== undefined || job.filter.until !== undefined;
    this.#statistics = job.make === 'statistics' ? new ArchiveStatistics() : undefined;
  }

  problem(problem: ArchiveProblem): void {
    this.#problems.push(problem);
  }

  /** Whether there was a problem where none may be. */
  get refuses(): boolean {
    return this.#job.strict && this.#problems.length > 0;
  }

  add(record: ArchiveRecord): void {
    const { after, make } = this.#job;
    const { position, activity } = record;
    if (position.source === after?.source && position.byteOffset <= after.byteOffset) return;
    this.#last = position;
    if (this.#dated && createdAt(activity) === undefined) this.#undated++;
    if (!this.#accepts(activity)) return;
    this.#chosen++;
    if (make === 'ndjson') this.#text += recordLine(record);
    else this.#statistics?.add(record);
  }

  /** Whether there is enough for a piece. */
  get isFull(): boolean {
    return (
      this.#text.length >= PIECE_TEXT ||
      this.tally.bytes - this.#passed >= PIECE_BYTES ||
      this.#problems.length >= PIECE_PROBLEMS
    );
  }

  /** What there is since the last piece. */
  take(isLast: boolean): Piece {
    const bytes = this.#text === '' ? undefined : utf8.encode(this.#text);
    const problems = this.#problems;
    this.#text = '';
    this.#problems = [];
    this.#passed = this.tally.bytes;
    return {
      bytes,
      statistics: isLast ? this.#statistics?.state : undefined,
      problems,
      tally: { ...this.tally },
      read: this.#read(),
      chosen: this.#chosen,
      undated: this.#undated,
      last: this.#last,
    };
  }
}
