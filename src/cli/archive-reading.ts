import { DecodeError, UsageError } from '../activity/errors.js';
import type { ParallelOptions, ParallelReader } from '../archive/parallel.js';
import type { ArchiveOptions, ArchiveReader, readArchive } from '../archive/read.js';
import type { ArchivePosition, ArchiveProblem, ArchiveRecord, ArchiveTally } from '../archive/record.js';
import type { ArchiveSource, OpenedSource } from '../archive/sources.js';
import { bytesOf } from './contacts-argument.js';
import type { OptionSpec } from './command.js';
import type { Exit } from './exit-codes.js';
import { fileIdentity, streamIdentity } from './file-identity.js';
import { readingLine } from './progress.js';
import type { Session } from './session.js';
import { plainText } from './terminal.js';

/** A place in an archive: `feeds/2011.xml@81920`, the record that begins at this byte of this source. */
export interface ArchivePlace {
  readonly source: string;
  readonly byteOffset: number;
}

/** The option of the commands that can read on several threads. */
export const JOBS = {
  kind: 'number',
  value: 'n',
  from: 0,
  to: 64,
  fallback: 1,
  help: 'read on so many threads; 0 is one for each core',
} as const satisfies OptionSpec;

export interface ReadingOptions {
  readonly strict?: boolean;
  /** Go on behind this place. Sources that come earlier are not read; records up to it, and their problems, pass by. */
  readonly after?: ArchivePlace | undefined;
  /** Told of every problem; where it returns a promise, reading waits for it. */
  readonly onProblem?: (problem: ArchiveProblem) => unknown;
  /** Show how far the reading is. Default true. */
  readonly progress?: boolean;
}

/** The archive that a command reads: its records, what was counted, and how far it came. */
export class ArchiveReading {
  readonly #session: Session;
  readonly #inputs: readonly OpenedSource[];
  /** Bytes on the disk, and those of them that were read; undefined where it is not known how many there are. */
  readonly #size: number | undefined;
  #bytesRead = 0;
  readonly #options: ReadingOptions;
  readonly #progress: boolean;
  readonly #archive: readonly ArchiveSource[];
  readonly #how: ArchiveOptions;
  #reader: Pick<ArchiveReader, 'tally'>;
  readonly #records: ArchiveReader;
  readonly #begun: number;
  #last: ArchivePosition | undefined;
  #interrupted = false;
  #refused: DecodeError | undefined;
  /** Problems that came up, those of records included. */
  problems = 0;

  /**
   * Finds the files first, so that a path that leads nowhere is told before anything is put out.
   * @throws UsageError when a path cannot be read, or `after` names no source.
   */
  static async open(
    session: Session,
    paths: readonly string[],
    options: ReadingOptions = {},
  ): Promise<ArchiveReading> {
    const { openSources } = await import('../archive/sources.js');
    const { readArchive: read } = await import('../archive/read.js');
    const sources: OpenedSource[] = [];
    const { stdin, signal } = session.io;
    if (paths.includes('-') && stdin.isTTY === true) {
      session.talk.note('Reading from the terminal; end it with Ctrl-D.');
    }
    for await (const source of openSources(paths, { stdin: bytesOf(stdin, signal) })) sources.push(source);
    const { after } = options;
    const start = after === undefined ? 0 : sources.findIndex(({ name }) => name === after.source);
    if (start !== -1) return new ArchiveReading(session, sources, start, read, options);
    throw new UsageError(
      'OPTION_INVALID',
      `--after: ${plainText(after?.source ?? '')} is none of the files to be read; give the same paths as before`,
    );
  }

  private constructor(
    session: Session,
    inputs: readonly OpenedSource[],
    start: number,
    read: typeof readArchive,
    options: ReadingOptions,
  ) {
    const sources = inputs.slice(start);
    this.#session = session;
    this.#inputs = inputs;
    this.#size = sources.reduce<number | undefined>(
      (sum, { size }) => (sum === undefined || size === undefined ? undefined : sum + size),
      0,
    );
    this.#options = options;
    // What somebody types is not drawn over.
    const typed = session.io.stdin.isTTY === true && sources.some(({ path }) => path === undefined);
    this.#progress = options.progress !== false && !typed;
    this.#begun = session.clock.now();
    this.#archive = sources.map(({ path, name, ...source }) => path ?? { name, bytes: source.open() });
    this.#how = {
      strict: options.strict === true,
      onRead: (bytes) => {
        this.#bytesRead += bytes;
      },
      ...session.abort,
      onProblem: (problem) => {
        if (this.#isBehind(problem.position)) return undefined;
        this.problems++;
        return options.onProblem?.(problem);
      },
    };
    this.#records = this.#reader = read(this.#archive, this.#how);
  }

  get tally(): Readonly<ArchiveTally> {
    return this.#reader.tally;
  }

  /** Whether the user ended the reading before the archive did. */
  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** Takes it that the user ended the reading. */
  interrupt(): void {
    this.#interrupted = true;
  }

  /** Whether the reading ended before the archive did. */
  get endedEarly(): boolean {
    return this.#interrupted || this.#refused !== undefined;
  }

  /** The problem that the reading stopped at, where it is to be strict. */
  get refused(): DecodeError | undefined {
    return this.#refused;
  }

  /** @throws UsageError `OPTION_INVALID` when the file that `flag` names is one of those that are read. */
  async checkNotRead(flag: string, path: string): Promise<void> {
    const target = await fileIdentity(path);
    if (target === undefined) return;
    const { stdin } = this.#session.io;
    for (const { path: input } of this.#inputs) {
      const read = input === undefined ? streamIdentity(stdin) : await fileIdentity(input);
      if (target !== read) continue;
      throw new UsageError(
        'OPTION_INVALID',
        `${flag}: ${plainText(path)} is one of the files to be read (${plainText(input ?? 'stdin')}); name another`,
      );
    }
  }

  /** The record that was taken last; undefined when none was. */
  get last(): ArchivePlace | undefined {
    return this.#last;
  }

  /** The records, until the archive or the user ends them. Each one that was asked for is taken. */
  async *records(): AsyncGenerator<ArchiveRecord> {
    for await (const record of this.#untilEnded(this.#records)) {
      if (this.#isBehind(record.position)) continue;
      yield record;
      this.#last = record.position;
    }
  }

  /** What `read` makes of the records on several threads, likewise; `taken` is told what it counts, when that is taken. */
  async *onThreads(
    read: (sources: readonly ArchiveSource[], options: Omit<ParallelOptions, 'jobs'>) => ParallelReader,
    taken?: (reader: ParallelReader) => void,
  ): AsyncGenerator<Uint8Array> {
    const reader = read(this.#archive, { ...this.#how, after: this.#options.after });
    this.#reader = reader;
    for await (const piece of this.#untilEnded(reader)) {
      yield piece;
      this.#last = reader.last;
      taken?.(reader);
    }
  }

  async *#untilEnded<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    const { signal } = this.#session.io;
    // A function, since the signal changes while the loop waits.
    const isInterrupted = () => signal?.aborted === true;
    this.showProgress();
    try {
      for await (const item of items) {
        if (isInterrupted()) {
          this.#interrupted = true;
          break;
        }
        yield item;
      }
    } catch (error) {
      if (isInterrupted()) this.#interrupted = true;
      else if (this.#how.strict === true && error instanceof DecodeError) this.#refused = error;
      else throw error;
    } finally {
      this.#session.talk.progressEnds();
    }
  }

  /** Shows how far the reading is, from now on. */
  showProgress(): void {
    if (!this.#progress) return;
    this.#session.talk.progress('reading', () => this.#progressLine(), 'later');
  }

  /** Takes the line of progress away, while something else is written. */
  hideProgress(): void {
    this.#session.talk.progressEnds();
  }

  /**
   * Says how the reading went, and returns the exit it leads to. `partial` says what became of the data where the user
   * ended it.
   */
  end(paths: readonly string[], partial: string): Exit {
    const { talk } = this.#session;
    if (this.#interrupted) talk.error(`interrupted; ${partial}`);
    talk.note(readingSummary(this.tally));
    this.warnOfProblems(paths);
    if (this.#interrupted) return 'interrupted';
    return this.problems > 0 ? 'rows' : 'ok';
  }

  /** Says that there were problems, and which command tells them. */
  warnOfProblems(paths: readonly string[]): void {
    if (this.problems === 0) return;
    const check = this.#session.commandLine('archive', 'check', ...paths);
    this.#session.talk.warn(`${counted(this.problems, 'problem')}; what and where: ${check}`);
  }

  /** Whether the place was passed already by the run that this one goes on. */
  #isBehind({ source, byteOffset }: ArchivePosition): boolean {
    const { after } = this.#options;
    return after?.source === source && byteOffset <= after.byteOffset;
  }

  #progressLine(): string {
    return readingLine(this.#bytesRead, this.#size, this.#session.clock.now() - this.#begun);
  }
}

/** `feeds/2011.xml@81920` as a place. @throws UsageError `OPTION_INVALID`. */
export function parsePlace(flag: string, text: string): ArchivePlace {
  const [, source, bytes] = /^(.+)@(\d{1,15})$/s.exec(text) ?? [];
  if (source !== undefined) return { source, byteOffset: Number(bytes) };
  throw new UsageError(
    'OPTION_INVALID',
    `${flag}: must be a file, @ and a byte, as feed.xml@81920; got "${text}"`,
  );
}

export function showPlace({ source, byteOffset }: ArchivePlace): string {
  return `${source}@${byteOffset}`;
}

/** What was read, in a line: `1,204 records in 14 files, 2 of them salvaged; 3 entries of other kinds`. */
export function readingSummary({ records, sources, salvaged, otherEntries }: Readonly<ArchiveTally>): string {
  const what = `${counted(records, 'record')} in ${counted(sources, 'file')}`;
  return [
    salvaged > 0 ? `${what}, ${salvaged.toLocaleString('en-US')} of them salvaged` : what,
    ...(otherEntries > 0 ? [`${counted(otherEntries, 'entry', 'entries')} of other kinds`] : []),
  ].join('; ');
}

/** `1,204 records`, `1 record`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}
