import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../activity/errors.js';
import { codeOf, READ, renameExclusively, syncFolder, writeDurably, writing } from './disk.js';
import { takeLock, type Lock } from './lock-file.js';

/** Which file the bytes of a part are of. */
export interface Origin {
  /** What is downloaded, such as the activity's id. */
  readonly id: string;
  readonly validator: string;
  /** Bytes of the whole file. */
  readonly length: number;
}

/** Tells the note of a part from other files of its name. */
const FORMAT = 'ctct-download-1';

/** A link, in place of a file of ours, is not followed. Windows knows no such flag. */
const NO_FOLLOW = Reflect.get(constants, 'O_NOFOLLOW') as number | undefined;
const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | (NO_FOLLOW ?? 0);

/**
 * A file in the making, `<path>.part`, with a note beside it of what it is a part of, `<path>.part.json`, and a lock for as
 * long as somebody works on it, `<path>.part.lock`. The note is there before the first byte is, so that a part without
 * one is somebody else's. All are readable by their owner only.
 */
export class Part {
  readonly target: string;
  readonly #lock: Lock;
  #origin: Origin | undefined;
  #handle: fs.FileHandle | undefined;
  #bytes = 0;

  private constructor(target: string, lock: Lock) {
    this.target = target;
    this.#lock = lock;
  }

  /**
   * The part of this file, with what an earlier run has left of it.
   * @throws UsageError `FILE_BUSY` while another run works on it, `FILE_EXISTS` for files that are none of ours,
   * `FILE_UNWRITABLE`.
   */
  static async open(target: string): Promise<Part> {
    const lock = await writing(target, () => takeLock(`${target}.part.lock`));
    if (lock === undefined) throw busy(target);
    const part = new Part(target, lock);
    try {
      await part.#readNote();
      return part;
    } catch (error) {
      await part.#close();
      throw error;
    }
  }

  get path(): string {
    return `${this.target}.part`;
  }

  /** How many bytes are there. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Where the download of `id` can be gone on with. Of a part that is whole the last byte is asked for once more: so the
   * service says whether the file still is the same.
   */
  resumeAt(id: string): { readonly offset: number; readonly validator: string } | undefined {
    if (this.#origin?.id !== id) return undefined;
    const { validator, length } = this.#origin;
    const offset = Math.min(this.#bytes, length - 1);
    return offset > 0 ? { offset, validator } : undefined;
  }

  /** Whether the bytes that are there are of this origin. */
  isOf(origin: Origin | undefined): boolean {
    return (
      origin !== undefined &&
      origin.id === this.#origin?.id &&
      origin.validator === this.#origin.validator &&
      origin.length === this.#origin.length
    );
  }

  /** Keeps the first `offset` bytes, which are of this origin, and lets go of the rest. */
  async begin(offset: number, origin: Origin | undefined): Promise<void> {
    await writing(this.target, async () => {
      if (offset === 0) {
        await this.#handle?.truncate(0);
        await this.#writeNote(origin);
      }
      this.#handle ??= await fs.open(this.path, APPEND | constants.O_EXCL, 0o600);
      await this.#handle.truncate(offset);
    });
    this.#origin = origin;
    this.#bytes = offset;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await writing(this.target, async () => this.#handle?.writeFile(chunk));
    this.#bytes += chunk.length;
  }

  /** Takes back that the bytes can be gone on with. */
  spoil(): void {
    this.#origin = undefined;
  }

  /** Gives the file its name, once its bytes are on the disk. Without `overwrite`, one that has come into being stays. */
  async publish(overwrite: boolean): Promise<void> {
    const { target } = this;
    await writing(target, async () => {
      await this.#handle?.sync();
      await (overwrite ? fs.rename(this.path, target) : renameExclusively(this.path, target));
    });
    await this.#close('note');
    await syncFolder(path.dirname(target));
  }

  /** Ends the work on it: leaves what can be gone on with, and nothing else. True when something is left. */
  async keep(): Promise<boolean> {
    const keeps = this.#origin !== undefined && this.#bytes > 0;
    if (keeps) await this.#handle?.sync().catch(() => undefined);
    await this.#close(keeps ? undefined : 'part');
    return keeps;
  }

  /** Removes the note, or, of a part that was begun, both. */
  async #close(remove?: 'note' | 'part') {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => undefined);
    if (remove === 'part' && handle !== undefined) await fs.rm(this.path, { force: true }).catch(ignored);
    if (remove !== undefined) await fs.rm(`${this.path}.json`, { force: true }).catch(ignored);
    await this.#lock.release().catch(ignored);
  }

  async #readNote() {
    const note = await readNote(`${this.path}.json`);
    if (note === 'none') {
      if (await isThere(this.path)) throw notOurs(this.path);
      return;
    }
    if (note === 'other') throw notOurs(`${this.path}.json`);
    const handle = await this.#openPart();
    if (handle === undefined) return;
    this.#handle = handle;
    const { size } = await handle.stat();
    this.#bytes = size;
    if (note !== 'unknown' && size <= note.length) this.#origin = note;
  }

  /** The part that is there, when it is a file, and of this user. */
  async #openPart(): Promise<fs.FileHandle | undefined> {
    let handle: fs.FileHandle;
    try {
      handle = await fs.open(this.path, APPEND & ~constants.O_CREAT);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw notOurs(this.path);
    }
    const stat = await handle.stat();
    const ours = stat.isFile() && stat.uid === (process.getuid?.() ?? stat.uid);
    if (ours && stat.nlink <= 1) return handle;
    await handle.close();
    if (!ours) throw notOurs(this.path);
    // A run that ended between the two steps of publishing left two names of one file; the other one is published.
    await fs.unlink(this.path);
    return undefined;
  }

  async #writeNote(origin: Origin | undefined) {
    const made = `${this.path}.json.${randomUUID()}`;
    await writeDurably(made, `${JSON.stringify({ format: FORMAT, ...origin })}\n`);
    try {
      await fs.rename(made, `${this.path}.json`);
    } catch (error) {
      await fs.rm(made, { force: true });
      throw error;
    }
  }
}

function ignored(): undefined {
  return undefined;
}

async function isThere(file: string): Promise<boolean> {
  return fs.lstat(file).then(
    () => true,
    () => false,
  );
}

/** `unknown` is our note on bytes that cannot be gone on with, `other` a file that is none of our notes. */
async function readNote(file: string): Promise<Origin | 'none' | 'unknown' | 'other'> {
  let note: unknown;
  try {
    note = JSON.parse(await fs.readFile(file, { encoding: 'utf8', flag: READ }));
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'none' : 'other';
  }
  if (typeof note !== 'object' || note === null || !('format' in note) || note.format !== FORMAT) {
    return 'other';
  }
  const { id, validator, length } = note as Partial<Record<keyof Origin, unknown>>;
  return typeof id === 'string' && typeof validator === 'string' && Number.isSafeInteger(length)
    ? { id, validator, length: length as number }
    : 'unknown';
}

function busy(target: string): UsageError {
  return new UsageError(
    'FILE_BUSY',
    `${target}: another download to this file is under way; wait for it, or name another file ` +
      `(if you know that there is none, remove ${path.basename(target)}.part.lock)`,
  );
}

function notOurs(file: string): UsageError {
  return new UsageError(
    'FILE_EXISTS',
    `${file} is there already, and is not what a download to this file has left; remove it, or name another file`,
  );
}
