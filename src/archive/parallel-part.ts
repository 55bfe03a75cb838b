import { setImmediate as immediate } from 'node:timers/promises';
import type { CtctError } from '../activity/errors.js';
import { fileBytes, readAhead } from './file-bytes.js';
import type { CutFile, ParallelJob } from './parallel-job.js';
import { behind, PartBytes, WINDOW, type Seam } from './parallel-seams.js';
import { Sink } from './parallel-sink.js';
import { brokenOff, isOfSource, MOST_ENTRY_BYTES, newTally } from './read.js';
import type { LineColumn } from './lines.js';
import { ArchiveScanner, type ScannerPlace } from './scanner.js';

/** What the reader of a part says, and is told. Each waits; a task that is cancelled goes no further. */
export interface PartTalk {
  counted(part: number, to: number, lines: LineColumn): void;
  /** Where the part begins. */
  place(): Promise<LineColumn>;
  /** Asks to read on into `part`. */
  passed(part: number): Promise<void>;
  /** Hands over what is in the sink. */
  hand(sink: Sink, isLast?: boolean): Promise<void>;
  checkCancelled(): void;
}

const START: LineColumn = { line: 1, column: 1 };
/** As those of a whole file, chunks end at multiples of this, so that limits are met at the same places. */
const CHUNK = 256 * 1024;

/**
 * Reads a part of a file, from the seam it is taken to begin at up to that of a later part; that part is the result,
 * undefined at the end of the file. The seam is where the reading ends only if nothing else is open there than is taken
 * to be by the reader of that part, who has begun already; otherwise, once it is allowed to, the reading goes on behind
 * it, and what the other one reads is worth nothing.
 *
 * `room` gives memory that nobody else uses meanwhile.
 */
export async function readPart(
  file: CutFile,
  part: number,
  job: ParallelJob,
  talk: PartTalk,
  room: (bytes: number) => Buffer,
): Promise<number | undefined> {
  const bytes = new PartBytes(file);
  await bytes.load(part, room(Math.min(file.partBytes + WINDOW, file.size - part * file.partBytes)));
  const seam = await bytes.seamOf(part);
  if (seam === undefined) return undefined;
  const reader = new PartReader(bytes, seam, talk);
  await reader.lookAhead();
  return reader.read(job, part === 0 ? START : await talk.place());
}

class PartReader {
  readonly #bytes: PartBytes;
  readonly #talk: PartTalk;
  /** The last seam that was passed, and where that is. */
  #seam: Seam;
  #place = START;
  /** The one behind it, and what lies between them. */
  #next: Seam | undefined;
  #lines = START;

  constructor(bytes: PartBytes, seam: Seam, talk: PartTalk) {
    this.#bytes = bytes;
    this.#seam = seam;
    this.#talk = talk;
  }

  /** Finds the seam that comes next, and tells where it is: who reads from there on waits for it. */
  async lookAhead(): Promise<void> {
    try {
      this.#next = await this.#bytes.nextSeam(this.#seam.part + 1);
      if (this.#next === undefined) return;
      this.#lines = await this.#bytes.countLines(this.#seam, this.#next);
    } catch (error) {
      // What cannot be read is read no further than up to there.
      if (!isOfSource(error)) throw error;
      this.#next = undefined;
      return;
    }
    this.#talk.counted(this.#seam.part, this.#next.part, this.#lines);
  }

  async read(job: ParallelJob, place: LineColumn): Promise<number | undefined> {
    this.#place = place;
    const { path, feed } = this.#bytes.file;
    const { part, byteOffset, kind } = this.#seam;
    const tally = newTally();
    if (part === 0) tally.sources = 1;
    const sink = new Sink(job, tally);
    const scanner = new ArchiveScanner({
      source: path,
      maxEntryBytes: job.maxEntryBytes ?? MOST_ENTRY_BYTES,
      tally,
      onProblem: (problem) => {
        sink.problem(problem);
      },
      start: {
        line: place.line,
        column: place.column,
        byteOffset,
        feed: kind === 'entry' ? feed : undefined,
      },
    });
    scanner.pauseAt(this.#next?.byteOffset ?? Infinity);
    let end: 'joined' | 'refused' | undefined;
    let broken: CtctError | undefined;
    const chunks = chunksFrom(this.#bytes, byteOffset);
    while (end === undefined) {
      const step = await chunks.next().catch((error: unknown) => {
        if (!isOfSource(error)) throw error;
        broken = error;
        return { done: true, value: undefined } as const;
      });
      if (step.done === true) scanner.end();
      else scanner.push(step.value);
      end = await this.#drain(scanner, sink);
      if (step.done === true) break;
    }
    await chunks.return();
    if (broken !== undefined && end === undefined) {
      tally.problems += 1;
      sink.problem(brokenOff(broken, path, scanner.endPlace));
    }
    // What was pushed and not read belongs to the part that goes on.
    if (end === 'joined') tally.bytes = tally.recordBytes + tally.frameBytes + tally.problemBytes;
    await this.#talk.hand(sink, true);
    return end === 'joined' ? this.#next?.part : undefined;
  }

  /** Reads what was pushed. Says why the reading ends, if it does: another part goes on here, or there is a problem. */
  async #drain(scanner: ArchiveScanner, sink: Sink): Promise<'joined' | 'refused' | undefined> {
    for (;;) {
      const record = scanner.read();
      if (sink.refuses) {
        if (record !== undefined || scanner.pause === undefined) return 'refused';
        // What one thread reads before it notices, it counts.
        scanner.pauseAt(Infinity);
        continue;
      }
      if (record !== undefined) sink.add(record);
      if (sink.isFull) await this.#talk.hand(sink);
      if (record !== undefined) continue;
      this.#talk.checkCancelled();
      if (scanner.pause === undefined) return undefined;
      if (await this.#joins(scanner.pause)) return 'joined';
      scanner.pauseAt(this.#next?.byteOffset ?? Infinity);
    }
  }

  /** Whether the next seam fits where the reading pauses. If not, those that lie before are passed. */
  async #joins(pause: ScannerPlace): Promise<boolean> {
    for (
      let next = this.#next;
      next !== undefined && next.byteOffset <= pause.byteOffset;
      next = this.#next
    ) {
      const place = behind(this.#place, this.#lines);
      if (this.#fits(next, place, pause)) return true;
      await this.#talk.passed(next.part);
      this.#seam = next;
      this.#place = place;
      await this.lookAhead();
    }
    return false;
  }

  #fits({ byteOffset, kind }: Seam, { line, column }: LineColumn, pause: ScannerPlace): boolean {
    if (byteOffset !== pause.byteOffset || line !== pause.line || column !== pause.column) return false;
    if (kind === 'document' || pause.feed === undefined)
      return kind === 'document' && pause.feed === undefined;
    const { feed } = this.#bytes.file;
    const { origin, rootTag, encoding, transcoded } = pause.feed;
    if (feed?.origin !== origin || feed.encoding !== encoding || feed.transcoded !== transcoded) return false;
    return Buffer.compare(feed.rootTag, rootTag) === 0;
  }
}

async function* chunksFrom(
  { file, start, bytes }: PartBytes,
  from: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const loaded = start + bytes.length;
  let at = from;
  while (at < loaded) {
    const end = at + CHUNK - (at % CHUNK);
    if (end > loaded && loaded < file.size) break;
    yield bytes.subarray(at - start, end - start);
    at = Math.min(end, loaded);
    // Others get their turn, as when each chunk is read from the disk.
    await immediate();
  }
  yield* readAhead(fileBytes(file.path, { start: at, end: Infinity }));
}
