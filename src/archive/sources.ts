import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CtctError, UsageError } from '../activity/errors.js';
import { fileBytes, pipeBytes, readAhead, type ByteRange } from './file-bytes.js';
import { gunzip, isGzip } from './gunzip.js';
import { PackedInput } from './packed-input.js';
import { filesAt, filesNamed } from './source-files.js';

export type { ByteRange } from './file-bytes.js';

/**
 * What an archive is read from. A string is a path, a directory, a glob, or `-` for stdin; a URL is one of the
 * scheme file: and names a path, never a glob.
 */
export type ArchiveSource =
  | string
  | URL
  | Uint8Array
  | AsyncIterable<Uint8Array>
  | { readonly name: string; readonly bytes: Uint8Array | AsyncIterable<Uint8Array> };

export interface SourceOptions {
  /** Read where a source is `-`. Default: that of the process. */
  readonly stdin?: AsyncIterable<Uint8Array | string> | undefined;
  /**
   * How many bytes a packed byte may stand for, once 64 MiB were unpacked of a source. Default 1,000, which only
   * something like a file of zeros gets to.
   */
  readonly maxUnpackedRatio?: number | undefined;
  /** Told how many bytes more were read, before unpacking: for progress. Of all sources these are the sum of the sizes. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

const MOST_RATIO = 1000;

/** One file, stream or buffer. */
export interface OpenedSource {
  /**
   * The path as it was named, or as it follows from the directory or glob that was. For what is no file, the name that
   * was given; else `stdin`, or `buffer 1`, `stream 2` and so on by the place among the sources.
   */
  readonly name: string;
  /** Bytes before unpacking; undefined for streams, pipes, and what cannot be looked at. */
  readonly size: number | undefined;
  /** Undefined for what is no file. */
  readonly path: string | undefined;
  /**
   * The bytes, unpacked where they are packed (by their first two bytes, whatever the name). A chunk stays as it is
   * until the next one is asked for, no longer. Streams can be opened once.
   *
   * With a range: so many bytes of a file or buffer as they stand there, not unpacked; fewer where it is shorter.
   * @throws UsageError OPTION_INVALID for a range that cannot be, and a stream that is opened again; from the
   * iteration FILE_UNREADABLE, and OPTION_INVALID for a stream of something else than bytes
   * @throws DecodeError GZIP_DAMAGED, after what could be unpacked; XML_LIMIT, see `maxUnpackedRatio`
   */
  open(range?: ByteRange): AsyncIterable<Uint8Array>;
}

/**
 * The inputs that `source` means, in the order in which they were named, each looked for when its turn comes. What is
 * named twice is read twice. Directories: all files below whose names end in .xml, .atom or .feed, with or without
 * .gz, sorted by the code units of their paths, those that begin with a dot left out. Globs: the files that match,
 * sorted likewise; a path that exists is never read as a glob. Neither yields a file twice, whatever links there are.
 *
 * Nothing is opened, so the iteration may also be run beforehand to add up the sizes.
 * @throws UsageError FILE_UNREADABLE for a path that is not there, and a directory or glob without files;
 * OPTION_INVALID for what is no source
 */
export async function* openSources(
  source: ArchiveSource | readonly ArchiveSource[],
  options: SourceOptions = {},
): AsyncGenerator<OpenedSource, void, undefined> {
  const { maxUnpackedRatio = MOST_RATIO, onRead } = options;
  const how: Unpacking = { maxRatio: maxUnpackedRatio, onRead };
  if (!(maxUnpackedRatio > 0)) {
    throw new UsageError('OPTION_INVALID', `maxUnpackedRatio must be above 0, got ${maxUnpackedRatio}`);
  }
  let stdinNamed = false;
  for (const [index, one] of (isList(source) ? source : [source]).entries()) {
    if (one === '-') {
      if (stdinNamed) throw new UsageError('OPTION_INVALID', '"-" is named twice; stdin can be read once');
      stdinNamed = true;
      yield streamSource('stdin', options.stdin ?? process.stdin, how);
    } else if (typeof one === 'string' || one instanceof URL) {
      const files = await (typeof one === 'string' ? filesNamed(one) : filesAt(pathOf(one)));
      for (const file of files) yield await fileSource(file, how);
    } else {
      yield givenSource(one, index + 1, how);
    }
  }
}

/** How sources are unpacked. */
interface Unpacking {
  readonly maxRatio: number;
  readonly onRead: ((bytes: number) => void) | undefined;
}

function isList(source: ArchiveSource | readonly ArchiveSource[]): source is readonly ArchiveSource[] {
  return Array.isArray(source);
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    const message = `${url.href}: only file: URLs of this machine can be read; download it first`;
    throw new UsageError('OPTION_INVALID', message, { cause });
  }
}

/** The files of these paths, which were found already. */
export async function* openFiles(
  paths: readonly string[],
  { maxUnpackedRatio = MOST_RATIO, onRead }: SourceOptions,
): AsyncGenerator<OpenedSource, void, undefined> {
  for (const path of paths) yield await fileSource(path, { maxRatio: maxUnpackedRatio, onRead });
}

async function fileSource(path: string, how: Unpacking): Promise<OpenedSource> {
  // What cannot be looked at cannot be opened either, and is reported then.
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isFile() === false) return { ...pipeSource(path, () => pipeBytes(path), how), path };
  return {
    name: path,
    path,
    size: stats?.size,
    open(range) {
      if (range === undefined) return readAhead(unpacked(fileBytes(path), path, how));
      checkRange(range);
      return readAhead(fileBytes(path, range));
    },
  };
}

/** What was handed over as it is; `place` is where it stands among the sources, from 1. */
function givenSource(given: unknown, place: number, how: Unpacking): OpenedSource {
  const { name, bytes } = isNamed(given) ? given : { name: undefined, bytes: given };
  if (bytes instanceof Uint8Array) return bufferSource(name ?? `buffer ${place}`, bytes, how);
  if (isAsyncIterable(bytes)) return streamSource(name ?? `stream ${place}`, bytes, how);
  throw new UsageError(
    'OPTION_INVALID',
    `source ${place}: expected a path, a file: URL, bytes, a stream of bytes, or { name, bytes } of one of these`,
  );
}

function bufferSource(name: string, bytes: Uint8Array, how: Unpacking): OpenedSource {
  return {
    name,
    path: undefined,
    size: bytes.length,
    open(range) {
      if (range === undefined) return unpacked(single(bytes), name, how);
      checkRange(range);
      return single(bytes.subarray(range.start, range.end));
    },
  };
}

function streamSource(name: string, stream: AsyncIterable<unknown>, how: Unpacking): OpenedSource {
  let opened = false;
  const once = () => {
    if (opened) throw new UsageError('OPTION_INVALID', `${name}: a stream can be read once`);
    opened = true;
    return checked(stream, name);
  };
  return pipeSource(name, once, how);
}

/** What comes once, or has no places to go to. */
function pipeSource(name: string, read: () => AsyncIterable<Uint8Array>, how: Unpacking): OpenedSource {
  return {
    name,
    path: undefined,
    size: undefined,
    open(range) {
      if (range === undefined) return unpacked(read(), name, how);
      throw new UsageError('OPTION_INVALID', `${name}: parts can be read of files and buffers only`);
    },
  };
}

function isNamed(given: unknown): given is { readonly name: string; readonly bytes: unknown } {
  return (
    typeof given === 'object' &&
    given !== null &&
    'name' in given &&
    typeof given.name === 'string' &&
    'bytes' in given
  );
}

function isAsyncIterable(given: unknown): given is AsyncIterable<unknown> {
  return typeof given === 'object' && given !== null && Symbol.asyncIterator in given;
}

function checkRange({ start, end }: ByteRange): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= start) return;
  throw new UsageError(
    'OPTION_INVALID',
    `a range must go from 0 or more to no less than that, got ${start} to ${end}`,
  );
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  await Promise.resolve();
  yield bytes;
}

/** The chunks of a stream that someone handed over. */
async function* checked(
  stream: AsyncIterable<unknown>,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of stream) {
      if (!(chunk instanceof Uint8Array)) {
        throw new UsageError(
          'OPTION_INVALID',
          `${name}: the stream must yield bytes (Uint8Array), it yielded ${typeof chunk}`,
        );
      }
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof CtctError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError('FILE_UNREADABLE', `${name}: the stream failed: ${reason}`, { cause });
  }
}

/** The bytes themselves, or what they hold if they are packed. */
async function* unpacked(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  { maxRatio, onRead }: Unpacking,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new PackedInput(onRead === undefined ? chunks : counted(chunks, onRead));
  try {
    if (isGzip(await input.head(2))) yield* gunzip(input, name, maxRatio);
    else yield* input.rest();
  } finally {
    await input.close();
  }
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  onRead: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    onRead(chunk.length);
    yield chunk;
  }
}
