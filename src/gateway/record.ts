import fs from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../activity/errors.js';
import { writing } from '../http/disk.js';
import type { FetchHandler } from '../http/serve.js';
import type { JournalEntry } from '../inspect/journal-entry.js';
import type { RequestJournal } from '../inspect/journal.js';
import { recorded } from '../inspect/recorder.js';
import { targetOf } from '../inspect/target.js';
import { encodeFault } from '../ws/faults.js';
import { Pace } from './pace.js';
import { bounded, MOST_AT_ONCE, MOST_EACH } from './room.js';

export interface RecordedOptions {
  readonly journal: RequestJournal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The largest request that is read, in bytes. Default 64 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Bytes of requests that are read at once; beyond it, 503. Default 256 MiB. */
  readonly maxBytesAtOnce?: number | undefined;
}

/**
 * The same handler; what passes through it is written into the journal, without secrets and contacts. Requests are read
 * before anybody knows whose they are, so that there is room for only so many.
 */
export function withJournal(handler: FetchHandler, options: RecordedOptions): FetchHandler {
  const { maxBodyBytes = MOST_EACH, maxBytesAtOnce = MOST_AT_ONCE } = options;
  const read = recorded((request) => handler(request), { ...options, maxBodyBytes, target: targetOf });
  const answer = bounded(read, { most: maxBytesAtOnce, mostEach: maxBodyBytes, pace: new Pace() });
  return (request, peer) => answer(request, peer).catch(encodeFault);
}

export interface RecordingOptions {
  /** Bytes of a file, about, before the next is begun. Default 16 MiB. */
  readonly fileBytes?: number | undefined;
  /** Files that are kept; the oldest go. Default 10. */
  readonly files?: number | undefined;
  /** Told once when a file cannot be written; from then on nothing is. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Reads of the same kind that are written into one file: who polls asks the same over and over. */
const MOST_ALIKE = 20;
/** Entries that wait to be written; what comes beyond is left out. */
const MOST_WAITING = 1_000;

const NAME = /^exchanges-\d{6,}\.ndjson$/;

/**
 * Writes the entries of a journal into files of a folder, as schemas/emulator-journal.schema.json has them, one a line:
 * what `ctct translate` and `ctct migrate guide` read. Files are for the eyes of their owner only, and bounded.
 */
export class Recording {
  readonly #folder: string;
  readonly #options: RecordingOptions;
  #number: number;
  #bytes = 0;
  #alike = new Map<string, number>();
  #waiting = 0;
  #written: Promise<void> = Promise.resolve();
  #failed = false;

  private constructor(folder: string, last: number, options: RecordingOptions) {
    this.#folder = folder;
    this.#number = last + 1;
    this.#options = options;
  }

  /**
   * Begins a file of its own; the folder is made when there is none.
   * @throws UsageError `FILE_UNWRITABLE`; `OPTION_INVALID` for a file in its place.
   */
  static async open(folder: string, options: RecordingOptions = {}): Promise<Recording> {
    await writing(
      folder,
      async () => {
        await fs.mkdir(folder, { recursive: true, mode: 0o700 });
        await fs.access(folder, fs.constants.W_OK);
      },
      () => new UsageError('OPTION_INVALID', `${folder}: is a file; name a folder for what is recorded`),
    );
    const last = (await recordings(folder)).at(-1) ?? '0';
    return new Recording(folder, Number(last.replace(/\D/g, '')), options);
  }

  write(entry: JournalEntry): void {
    if (this.#failed || this.#waiting >= MOST_WAITING || this.#isOneMore(entry)) return;
    this.#waiting++;
    this.#written = this.#written
      .then(() => this.#append(`${JSON.stringify(entry)}\n`))
      .catch((error: unknown) => {
        if (!this.#failed) this.#options.onError?.(error);
        this.#failed = true;
      })
      .finally(() => this.#waiting--);
  }

  /** Resolves when all is written. */
  close(): Promise<void> {
    return this.#written;
  }

  /** Whether it is a read of which enough were written. */
  #isOneMore({ method, resource = '', status, headers, url }: JournalEntry): boolean {
    if (method !== 'GET') return false;
    const asked = [...new URL(url).searchParams.keys()].join();
    const kind = [resource.replace(/[\da-f-]*\d[\da-f-]*/gi, '0'), asked, status, headers['user-agent']].join(
      ' ',
    );
    const before = this.#alike.get(kind) ?? 0;
    if (before < MOST_ALIKE && this.#alike.size < MOST_WAITING) this.#alike.set(kind, before + 1);
    return before >= MOST_ALIKE;
  }

  async #append(line: string): Promise<void> {
    const { fileBytes = 16 * 1024 * 1024, files = 10 } = this.#options;
    const bytes = Buffer.byteLength(line);
    if (this.#bytes > 0 && this.#bytes + bytes > fileBytes) {
      this.#number++;
      this.#bytes = 0;
      this.#alike = new Map();
    }
    const path = join(this.#folder, `exchanges-${String(this.#number).padStart(6, '0')}.ndjson`);
    await writing(path, () => fs.appendFile(path, line, { mode: 0o600 }));
    if (this.#bytes === 0) {
      const old = (await recordings(this.#folder)).slice(0, -files);
      for (const name of old) await fs.rm(join(this.#folder, name), { force: true });
    }
    this.#bytes += bytes;
  }
}

/** The names of files written here, the oldest first. */
async function recordings(folder: string): Promise<string[]> {
  return (await fs.readdir(folder)).filter((name) => NAME.test(name)).sort();
}
