import { open, type FileHandle } from 'node:fs/promises';
import { UsageError } from '../activity/errors.js';
import type { JournalEntry } from '../inspect/journal-entry.js';

/** A request and what was made of it, in one line. */
export function requestLine(entry: JournalEntry): string {
  const { at, method, url, status, activityId, fault, refusal, duration } = entry;
  const { pathname, search } = new URL(url);
  const created = status === 201 && activityId !== undefined ? activityId : undefined;
  const parts = [
    at.slice(11, 19),
    method,
    `${pathname}${search}`,
    status ?? 'no answer',
    created,
    `${Math.round(duration)} ms`,
    fault === undefined ? undefined : `fault ${fault.rule} (${fault.action})`,
    refusal === undefined ? undefined : sentences([refusal.reason, refusal.explanation]),
  ];
  return parts.filter((part) => part !== undefined && part !== '').join(' ');
}

/** Texts one behind the other, each but the last with its stop. */
function sentences(texts: readonly (string | undefined)[]): string {
  const said = texts.filter((text): text is string => text !== undefined && text !== '');
  const last = said.pop() ?? '';
  return [...said.map((text) => (/[.!?]$/.test(text) ? text : `${text}.`)), last].join(' ');
}

/** A file that requests are added to as they are answered, readable by its owner only. */
export class JournalFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  #written: Promise<void> = Promise.resolve();
  #failure: unknown;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** @throws UsageError `FILE_UNWRITABLE` */
  static async open(path: string): Promise<JournalFile> {
    try {
      return new JournalFile(path, await open(path, 'a', 0o600));
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  write(entry: JournalEntry): void {
    this.#written = this.#written
      .then(() => this.#handle.appendFile(`${JSON.stringify(entry)}\n`))
      .catch((error: unknown) => {
        this.#failure ??= error;
      });
  }

  /** Waits until all is written. @throws UsageError `FILE_UNWRITABLE` when something could not be. */
  async close(): Promise<void> {
    await this.#written;
    await this.#handle.close();
    if (this.#failure !== undefined) throw unwritable(this.#path, this.#failure);
  }
}

function unwritable(path: string, error: unknown): UsageError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'the write failed';
  return new UsageError('FILE_UNWRITABLE', `--journal: cannot write ${path} (${code})`, { cause: error });
}
