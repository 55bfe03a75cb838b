import { DecodeError, TransportError, UsageError, type CtctError } from '../activity/errors.js';
import type { ArchiveProblem, ArchiveRecord, ArchiveTally } from './record.js';
import { ArchiveScanner } from './scanner.js';
import { openSources, type ArchiveSource, type OpenedSource, type SourceOptions } from './sources.js';

/** How an archive is read. */
export interface ArchiveOptions extends SourceOptions {
  /** Throw at the first problem instead of going on behind it. Default false. */
  readonly strict?: boolean | undefined;
  /** Bytes of one entry; a longer one is a problem, and passed over. Default 67,108,864 (64 MiB). */
  readonly maxEntryBytes?: number | undefined;
  /** Ends the reading: the iteration then throws a TransportError `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Told of every problem as it is met, those of records too. Where it returns a promise, no more bytes are read until that
   * is fulfilled: so that somebody who writes problems down need not keep them.
   */
  readonly onProblem?: ((problem: ArchiveProblem) => unknown) | undefined;
}

/** The records of an archive, to be iterated over once, and what was read so far. */
export interface ArchiveReader extends AsyncIterable<ArchiveRecord> {
  readonly tally: Readonly<ArchiveTally>;
}

export const MOST_ENTRY_BYTES = 64 * 1024 * 1024;

export function newTally(): ArchiveTally {
  return {
    sources: 0,
    documents: 0,
    bytes: 0,
    records: 0,
    salvaged: 0,
    otherEntries: 0,
    problems: 0,
    recordBytes: 0,
    frameBytes: 0,
    problemBytes: 0,
  };
}

/**
 * The activities of stored feeds and entries, in the order of the sources and of the bytes in them. A source may hold
 * several documents one after another, in several encodings, packed or not.
 *
 * Nothing is lost in silence: a damaged entry is read as far as possible and marked `salvaged`, reading goes on behind
 * it, and `tally` accounts for every byte. Memory is bounded by the largest entry, whatever the size of the source.
 * @throws UsageError while iterating, for a source that is not there; a file that is there and cannot be read is a
 * problem.
 * @throws DecodeError while iterating, with `strict`, at the first problem.
 */
export function readArchive(
  source: ArchiveSource | readonly ArchiveSource[],
  options: ArchiveOptions = {},
): ArchiveReader {
  return readSources(openSources(source, options), options);
}

/** `readArchive`, of sources that were found already. */
export function readSources(sources: AsyncIterable<OpenedSource>, options: ArchiveOptions): ArchiveReader {
  const tally = newTally();
  return { tally, [Symbol.asyncIterator]: () => new ArchiveIterator(sources, options, tally) };
}

export function archiveAborted(signal: AbortSignal): TransportError {
  return new TransportError('ABORTED', 'the reading of the archive was aborted', {
    sent: 'no',
    cause: signal.reason,
  });
}

/** Written out, since a generator costs as much per record as reading it. */
class ArchiveIterator implements AsyncIterator<ArchiveRecord, undefined> {
  readonly #sources: AsyncIterator<OpenedSource>;
  readonly #options: ArchiveOptions;
  readonly #tally: ArchiveTally;
  readonly #onProblem: (problem: ArchiveProblem) => void;
  #name = '';
  #scanner: ArchiveScanner | undefined;
  #chunks: AsyncIterator<Uint8Array> | undefined;
  #firstProblem: ArchiveProblem | undefined;
  #breakOff: CtctError | undefined;
  /** What `onProblem` wants to be waited for. */
  #told: Promise<unknown>[] = [];

  constructor(sources: AsyncIterable<OpenedSource>, options: ArchiveOptions, tally: ArchiveTally) {
    this.#sources = sources[Symbol.asyncIterator]();
    this.#options = options;
    this.#tally = tally;
    this.#onProblem = (problem) => {
      this.#firstProblem ??= problem;
      const told = options.onProblem?.(problem);
      if (told instanceof Promise) this.#told.push(told);
    };
  }

  next(): Promise<IteratorResult<ArchiveRecord, undefined>> {
    const record = this.#scanner?.read();
    if (record !== undefined && this.#firstProblem === undefined) {
      return Promise.resolve({ done: false, value: record });
    }
    return this.#advance(record);
  }

  async return(): Promise<IteratorResult<ArchiveRecord, undefined>> {
    this.#scanner = undefined;
    await this.#chunks?.return?.();
    this.#chunks = undefined;
    await this.#sources.return?.();
    return { done: true, value: undefined };
  }

  async #advance(found: ArchiveRecord | undefined): Promise<IteratorResult<ArchiveRecord, undefined>> {
    try {
      let record = found;
      for (;;) {
        this.#checkStrict();
        if (record !== undefined) return { done: false, value: record };
        this.#checkAborted();
        const more = await this.#more();
        this.#checkStrict();
        if (!more) return { done: true, value: undefined };
        record = this.#scanner?.read();
      }
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  /** Gets more bytes, or the next source; false when there is none. */
  async #more(): Promise<boolean> {
    if (this.#told.length > 0) {
      await Promise.all(this.#told);
      this.#told = [];
    }
    if (this.#chunks === undefined || this.#scanner === undefined) {
      this.#tellBreakOff();
      return this.#open();
    }
    let step: IteratorResult<Uint8Array>;
    try {
      step = await this.#chunks.next();
    } catch (error) {
      if (!isOfSource(error)) throw error;
      this.#breakOff = error;
      step = { done: true, value: undefined };
    }
    if (step.done === true) {
      this.#scanner.end();
      this.#chunks = undefined;
    } else {
      this.#scanner.push(step.value);
    }
    return true;
  }

  async #open(): Promise<boolean> {
    const step = await this.#sources.next();
    if (step.done === true) return false;
    const { name } = step.value;
    this.#name = name;
    this.#tally.sources += 1;
    this.#scanner = new ArchiveScanner({
      source: name,
      maxEntryBytes: this.#options.maxEntryBytes ?? MOST_ENTRY_BYTES,
      tally: this.#tally,
      onProblem: this.#onProblem,
    });
    this.#chunks = step.value.open()[Symbol.asyncIterator]();
    return true;
  }

  /** What could be read and unpacked was read to its end, which is where the damage is. */
  #tellBreakOff(): void {
    const error = this.#breakOff;
    const place = this.#scanner?.endPlace;
    if (error === undefined || place === undefined) return;
    this.#breakOff = undefined;
    this.#tally.problems += 1;
    this.#onProblem(brokenOff(error, this.#name, place));
  }

  #checkStrict(): void {
    const problem = this.#firstProblem;
    if (this.#options.strict !== true) this.#firstProblem = undefined;
    else if (problem !== undefined) throw new DecodeError(problem.code, problem.message, problem.position);
  }

  #checkAborted(): void {
    const { signal } = this.#options;
    if (signal?.aborted === true) throw archiveAborted(signal);
  }
}

/** The problem that the reading of a source ended before the source did. */
export function brokenOff(
  error: CtctError,
  source: string,
  place: Omit<ArchiveProblem['position'], 'source' | 'length'>,
): ArchiveProblem {
  const message = error.message.replace(`${source}: `, '');
  return { code: error.code, message, position: { source, ...place, length: 0 } };
}

/** A fault of one source, such as a file that cannot be read to its end: the others are read all the same. */
export function isOfSource(error: unknown): error is CtctError {
  return error instanceof DecodeError || (error instanceof UsageError && error.code === 'FILE_UNREADABLE');
}
