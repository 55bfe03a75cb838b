import { Readable } from 'node:stream';
import { CtctError, TransportError } from '../activity/errors.js';
import type { RequestBody } from '../format/body.js';

/** Bodies up to this many bytes are sent from memory. */
const SMALL = 65_536;

/** A body on its way out, read once. */
export interface Upload {
  /** The body as a stream, read from the source only as fast as it is taken. */
  readonly stream: ReadableStream<Uint8Array>;
  /** The body in memory, instead of the stream; for bodies that `isSmall`. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** What broke the source of the body, where that happened. */
  failure(): CtctError | undefined;
  /** Lets go of the source. Files it holds open are closed. */
  release(): void;
}

/** True for a body that had better be sent from memory. */
export function isSmall(source: RequestBody | undefined): boolean {
  return source?.length !== undefined && source.length <= SMALL;
}

/**
 * Opens a body for one request. The last of a body of known length is held back until its source has ended there:
 * a body that is shorter or longer than announced is never sent whole, so that the service cannot act on it.
 * @param call such as `POST https://…`, for messages
 * @param onProgress called whenever more of the body is asked for
 */
export function openUpload(source: RequestBody, call: string, onProgress: () => void): Upload {
  const { length } = source;
  let iterable: AsyncIterable<Uint8Array> | undefined;
  let iterator: AsyncIterator<Uint8Array> | undefined;
  let failure: CtctError | undefined;
  let taken = 0;
  /** The same body, opened once more. */
  const again: Upload[] = [];

  function fail(reason: string, cause?: unknown): CtctError {
    return new TransportError('REQUEST_NOT_SENT', `${call} was not sent: ${reason}`, { sent: 'no', cause });
  }

  /** The next bytes of the source; undefined at its end. */
  async function read(): Promise<Uint8Array | undefined> {
    iterable ??= source.open();
    iterator ??= iterable[Symbol.asyncIterator]();
    for (;;) {
      const result = await iterator.next();
      if (result.done === true) return undefined;
      if (result.value.length > 0) return result.value;
    }
  }

  /** The next bytes to send; undefined when all are sent. */
  async function next(): Promise<Uint8Array | undefined> {
    const chunk = await read();
    taken += chunk?.length ?? 0;
    if (chunk === undefined && length !== undefined && taken < length) {
      throw fail(`its body has ${taken} bytes, and ${length} were announced`);
    }
    if (chunk !== undefined && length !== undefined && taken >= length) {
      if (taken > length || (await read()) !== undefined) {
        throw fail(`its body has more than the ${length} bytes announced`);
      }
    }
    return chunk;
  }

  function release() {
    // A generator returns only after its pending read, a stream can be told at once.
    if (iterable instanceof Readable) iterable.destroy();
    iterator?.return?.().catch(() => undefined);
    iterator = undefined;
    for (const upload of again.splice(0)) upload.release();
  }

  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        onProgress();
        try {
          const chunk = await next();
          if (chunk === undefined) controller.close();
          else controller.enqueue(chunk);
        } catch (error) {
          failure =
            error instanceof CtctError
              ? error
              : fail(
                  `its body could not be read: ${error instanceof Error ? error.message : String(error)}`,
                  error,
                );
          controller.error(failure);
        }
      },
      cancel: release,
    },
    { highWaterMark: 0 },
  );

  if (source.replayable) {
    // fetch tees the body of each request, and sends one branch: the other would keep all that was sent, for nobody.
    stream.tee = () => {
      const upload = openUpload(source, call, onProgress);
      again.push(upload);
      return [upload.stream, stream];
    };
  }

  async function bytes() {
    const all = new Uint8Array(length ?? 0);
    let filled = 0;
    for await (const chunk of stream) {
      all.set(chunk, filled);
      filled += chunk.length;
    }
    return all;
  }

  return { stream, bytes, failure: () => failure, release };
}
