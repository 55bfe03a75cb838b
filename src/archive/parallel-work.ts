import { DecodeError } from '../activity/errors.js';
import { packError, type ParallelJob, type TaskEvent, type TaskOrder } from './parallel-job.js';
import { readPart, type PartTalk } from './parallel-part.js';
import type { Step } from './parallel-plan.js';
import { Sink } from './parallel-sink.js';
import { archiveAborted, readSources } from './read.js';
import type { LineColumn } from './lines.js';
import { openFiles, type OpenedSource } from './sources.js';

/** Bytes of output that may wait to be taken. */
const MOST_WAITING = 16 * 1024 * 1024;

export type Tell = (event: TaskEvent, transfer: readonly ArrayBuffer[]) => void;

/** Memory for so many bytes, the same each time. */
export type Room = (bytes: number) => Buffer;

export function makeRoom(): Room {
  let room = Buffer.alloc(0);
  return (bytes) => {
    if (room.length < bytes) room = Buffer.allocUnsafeSlow(bytes);
    return room.subarray(0, bytes);
  };
}

/** The reading of one task: by a worker, or, of what only the main thread has, by that. */
export class TaskWork implements PartTalk {
  readonly #job: ParallelJob;
  readonly #tell: Tell;
  readonly #room: Room;
  readonly #cancel = new AbortController();
  #waiting = 0;
  #place: LineColumn | undefined;
  #allowed = 0;
  #wake: () => void = () => undefined;

  constructor(job: ParallelJob, tell: Tell, room: Room) {
    this.#job = job;
    this.#tell = tell;
    this.#room = room;
  }

  /** Takes what the main thread says. */
  order(order: TaskOrder): void {
    if (order.kind === 'place') this.#place = order.place;
    else if (order.kind === 'taken') this.#waiting -= order.bytes;
    else if (order.kind === 'goOn') this.#allowed++;
    else this.#cancel.abort();
    this.#wake();
  }

  /** Reads, and tells all that comes of it; never throws. */
  async run(step: Step): Promise<void> {
    try {
      const joined = await this.#read(step);
      this.#tell({ kind: 'done', joined }, []);
    } catch (error) {
      this.#tell({ kind: 'failed', error: packError(error) }, []);
    }
  }

  async #read(step: Step): Promise<number | undefined> {
    if (step.kind === 'part') return readPart(step.file, step.part, this.#job, this, this.#room);
    const { maxUnpackedRatio } = this.#job;
    let read = 0;
    const onRead = (bytes: number) => {
      read += bytes;
    };
    const sources =
      step.kind === 'source' ? only(step.source) : openFiles(step.paths, { maxUnpackedRatio, onRead });
    await this.#readWhole(sources, () => read);
    return undefined;
  }

  async #readWhole(sources: AsyncIterable<OpenedSource>, read: () => number): Promise<void> {
    const { strict, maxEntryBytes } = this.#job;
    const reader = readSources(sources, {
      strict,
      maxEntryBytes,
      signal: this.#cancel.signal,
      onProblem: (problem) => {
        sink.problem(problem);
        return sink.isFull ? this.hand(sink) : undefined;
      },
    });
    const sink = new Sink(this.#job, reader.tally, read);
    try {
      for await (const record of reader) {
        sink.add(record);
        if (sink.isFull) await this.hand(sink);
      }
    } catch (error) {
      await this.hand(sink);
      // A problem where none may be was just told as what it is.
      if (!(strict && error instanceof DecodeError)) throw error;
    }
    await this.hand(sink, true);
  }

  counted(part: number, to: number, lines: LineColumn): void {
    this.#tell({ kind: 'counted', part, to, lines }, []);
  }

  place(): Promise<LineColumn> {
    return this.#until(() => this.#place);
  }

  async passed(part: number): Promise<void> {
    const needed = this.#allowed + 1;
    this.#tell({ kind: 'passed', part }, []);
    await this.#until(() => (this.#allowed >= needed ? true : undefined));
  }

  async hand(sink: Sink, isLast = false): Promise<void> {
    const piece = sink.take(isLast);
    const { bytes } = piece;
    this.#waiting += bytes?.length ?? 0;
    this.#tell({ kind: 'piece', piece }, bytes === undefined ? [] : [bytes.buffer]);
    await this.#until(() => (this.#waiting <= MOST_WAITING ? true : undefined));
  }

  checkCancelled(): void {
    const { signal } = this.#cancel;
    if (signal.aborted) throw archiveAborted(signal);
  }

  async #until<T>(get: () => T | undefined): Promise<T> {
    for (;;) {
      this.checkCancelled();
      const found = get();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

async function* only(source: OpenedSource): AsyncGenerator<OpenedSource> {
  await Promise.resolve();
  yield source;
}
