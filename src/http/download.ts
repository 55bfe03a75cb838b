import fs from 'node:fs/promises';
import path from 'node:path';
import { CtctError, TransportError, UsageError } from '../activity/errors.js';
import { systemClock, type Clock } from '../clock.js';
import { unlessAborted } from './abort.js';
import { Part, type Origin } from './part.js';
import { askedPause, isPassing } from './passing.js';

export { safeFileName } from './file-name.js';

/** What can be saved: the file of an export, or anything else of that shape. */
export interface Savable {
  /** Bytes of the whole, where known; then exactly so many must come. */
  readonly length: number | undefined;
  /** Where in the whole `body` begins. Default 0. */
  readonly offset?: number | undefined;
  /** Stands for these very bytes; where it and the length are known, a download that broke off can be gone on with. */
  readonly validator?: string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** Lets go of the connection, when the body is not read to its end. */
  cancel(): Promise<void>;
}

/** What can be begun anew, and gone on with. */
export interface SavableAnew {
  /** Names what is downloaded, such as the activity's id: what is left of anything else is not gone on with. */
  readonly id: string;
  /** Begins the download: at `resume`, if that can be done, else at the start. The `offset` of what it gives tells. */
  open(resume: { readonly offset: number; readonly validator: string } | undefined): Promise<Savable>;
}

/** What becomes of a download on its way, told as it happens. Counts are bytes. */
export type SaveEvent =
  /** The bytes before `offset` are there already, and the download goes on behind them. */
  | { readonly kind: 'resumed'; readonly offset: number }
  /** What was there could not be gone on with, and is gone. */
  | { readonly kind: 'restarted'; readonly discarded: number }
  /** It broke off, and is gone on with after `delay` milliseconds. */
  | { readonly kind: 'broken'; readonly error: CtctError; readonly delay: number }
  /** It failed; the bytes that came are kept in `part`, and the same call goes on with them. */
  | { readonly kind: 'kept'; readonly part: string; readonly bytes: number };

/** How a download is saved. */
export interface SaveOptions {
  /** Replace a file that is there. Default false. A symbolic link is replaced, never followed. */
  readonly overwrite?: boolean | undefined;
  /** Ends it; what came is kept, to be gone on with. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of bytes that are there. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
  /** Told what becomes of it on its way. */
  readonly onEvent?: ((event: SaveEvent) => void) | undefined;
  /**
   * Of what can be begun anew: tries in a row that bring no byte that was not there yet, before the download fails.
   * 1 or more; default 5.
   */
  readonly attempts?: number | undefined;
  /** Default the machine's own. */
  readonly clock?: Clock | undefined;
  /** A number from 0 up to, but not including, 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** A file that was saved. */
export interface SavedFile {
  /** Absolute. */
  readonly path: string;
  /** The size of the file. */
  readonly bytes: number;
  /** How many of them an earlier call had left. */
  readonly resumedAt: number;
}

const DEFAULT_ATTEMPTS = 5;
/** The pause after a break is random, from 0 to this; the range doubles with each try that brings nothing. */
const FIRST_DELAY = 500;
const LONGEST_DELAY = 20_000;
/** A `Retry-After` beyond this ends the call: its part is there for another. */
const LONGEST_ASKED = 60_000;

/**
 * The file that was written; readable by its owner only, since contact data is in it.
 *
 * The bytes go to `<path>.part`, which takes the name `path` once they are all there and on the disk. A file that was
 * there before stays as it was until then. Two downloads to one file at a time are refused.
 *
 * Given something to begin anew, such as `{ id, open: (resume) => service.download(id, { resume }) }`, a download that
 * breaks off is gone on with, in this call as long as tries bring bytes, and in the next one from what `<path>.part` holds:
 * but only from the bytes of the same file, by its validator and length; else it begins anew. Given a download that is open
 * already, or one without a validator, nothing is left behind when it fails.
 * @throws UsageError `FILE_EXISTS`, `FILE_BUSY`, `FILE_UNWRITABLE`, `OPTION_INVALID`
 * @throws TransportError `RESPONSE_LOST` when the bytes are not as many as `length` says; `ABORTED`; or what the
 * download itself throws
 */
export async function saveDownload(
  source: Savable | SavableAnew,
  file: string,
  options: SaveOptions = {},
): Promise<SavedFile> {
  const target = path.resolve(file);
  const once = 'open' in source ? undefined : source;
  try {
    checkAttempts(options.attempts);
    await checkTarget(target, options.overwrite === true);
    const part = await Part.open(target);
    try {
      const resumedAt = await fill(part, source, options);
      const { bytes } = part;
      await part.publish(options.overwrite === true);
      return { path: target, bytes, resumedAt };
    } catch (error) {
      if (once !== undefined) part.spoil();
      const { bytes } = part;
      if (await part.keep()) options.onEvent?.({ kind: 'kept', part: part.path, bytes });
      throw error;
    }
  } catch (error) {
    await once?.cancel().catch(() => undefined);
    throw error;
  }
}

async function checkTarget(target: string, overwrite: boolean) {
  const found = await fs.lstat(target).catch(() => undefined);
  if (found?.isDirectory() === true) {
    throw new UsageError('FILE_UNWRITABLE', `${target} is a folder; name a file`);
  }
  if (found !== undefined && !found.isFile() && !found.isSymbolicLink()) {
    throw new UsageError('FILE_UNWRITABLE', `${target} is a device, a pipe or a socket; name a file`);
  }
  if (found === undefined || overwrite) return;
  throw new UsageError(
    'FILE_EXISTS',
    `${target} is there already; name another file, or allow it to be replaced`,
  );
}

function checkAttempts(attempts = DEFAULT_ATTEMPTS) {
  if (attempts >= 1) return;
  throw new UsageError('OPTION_INVALID', `attempts: must be 1 or more, got ${attempts}`);
}

/** Brings all bytes into the part; returns how many of them were there before. */
async function fill(part: Part, source: Savable | SavableAnew, options: SaveOptions): Promise<number> {
  const { attempts = DEFAULT_ATTEMPTS, clock = systemClock, random = Math.random, signal } = options;
  let furthest: number | undefined;
  let resumedAt = 0;
  for (let vain = 0; ;) {
    let download: Savable | undefined;
    try {
      download = await begin(part, source, options);
      resumedAt = furthest === undefined || part.bytes === 0 ? part.bytes : resumedAt;
      furthest ??= part.bytes;
      await copy(download, part, options);
      return resumedAt;
    } catch (error) {
      await letGo(download, source);
      if (!('open' in source) || furthest === undefined || !isPassing(error)) throw error;
      vain = part.bytes > furthest ? 0 : vain + 1;
      furthest = Math.max(furthest, part.bytes);
      const asked = askedPause(error, clock.now());
      const delay = asked + Math.floor(random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** vain));
      if (vain >= attempts || asked > LONGEST_ASKED) throw error;
      options.onEvent?.({ kind: 'broken', error, delay });
      await unlessAborted(signal, () => clock.sleep(delay, signal), aborted);
    }
  }
}

/** Opens the download, and has the part hold what is before its first byte. */
async function begin(
  part: Part,
  source: Savable | SavableAnew,
  { signal, onEvent }: SaveOptions,
): Promise<Savable> {
  const resume = 'open' in source ? part.resumeAt(source.id) : undefined;
  const download = 'open' in source ? await openUnlessAborted(() => source.open(resume), signal) : source;
  try {
    const { offset = 0 } = download;
    const origin = originOf(download, source);
    if (offset > 0 && resume === undefined) throw beginsMidway(offset);
    if (offset === 0 || (offset === resume?.offset && part.isOf(origin))) {
      const before = part.bytes;
      await part.begin(offset, origin);
      if (offset > 0) onEvent?.({ kind: 'resumed', offset });
      else if (before > 0) onEvent?.({ kind: 'restarted', discarded: before });
      return download;
    }
  } catch (error) {
    await letGo(download, source);
    throw error;
  }
  // The rest of something else.
  await letGo(download, source);
  part.spoil();
  return begin(part, source, { signal, onEvent });
}

/** Of a download that was open before, its owner lets go. */
async function letGo(download: Savable | undefined, source: Savable | SavableAnew) {
  if ('open' in source) await download?.cancel().catch(() => undefined);
}

function originOf({ length, validator }: Savable, source: Savable | SavableAnew): Origin | undefined {
  if (!('open' in source) || length === undefined || validator === undefined) return undefined;
  return { id: source.id, validator, length };
}

async function openUnlessAborted(
  open: () => Promise<Savable>,
  signal: AbortSignal | undefined,
): Promise<Savable> {
  const opening = async () => {
    const download = await open();
    if (signal?.aborted === true) await download.cancel();
    return download;
  };
  return unlessAborted(signal, opening, aborted);
}

function beginsMidway(offset: number): UsageError {
  return new UsageError(
    'OPTION_INVALID',
    `download: begins at byte ${offset} of the file, and none of the bytes before are here; give one without "resume"`,
  );
}

function aborted(): TransportError {
  return new TransportError('ABORTED', 'the download was aborted', { sent: 'maybe' });
}

async function copy(download: Savable, part: Part, options: SaveOptions): Promise<void> {
  const { length } = download;
  if (part.bytes > 0) options.onProgress?.(part.bytes);
  for await (const chunk of abortable(download.body, options.signal)) {
    if (length !== undefined && part.bytes + chunk.length > length) {
      part.spoil();
      throw wrongLength(length, 'more came');
    }
    await part.write(chunk);
    options.onProgress?.(part.bytes);
  }
  if (length !== undefined && part.bytes < length) throw wrongLength(length, `only ${part.bytes} came`);
}

function wrongLength(length: number, came: string): TransportError {
  return new TransportError(
    'RESPONSE_LOST',
    `the download should have ${length} bytes and ${came}; try again`,
    { sent: 'maybe' },
  );
}

/** The chunks of `body`, until the signal says stop; even one that never comes is then not waited for. */
async function* abortable(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const result = await unlessAborted(signal, () => iterator.next(), aborted);
      if (result.done === true) return;
      yield result.value;
    }
  } catch (error) {
    if (error instanceof CtctError) throw error;
    throw new TransportError('RESPONSE_LOST', 'the download broke off', { sent: 'maybe', cause: error });
  } finally {
    iterator.return?.().catch(() => undefined);
  }
}
