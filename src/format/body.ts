/**
 * A request body as a recipe: it can be opened once per attempt, and says beforehand how long it is.
 * Never a spent stream, never a FormData object.
 */
export interface RequestBody {
  /** The Content-Type header, boundary included. */
  readonly contentType: string;
  /** Bytes; undefined when it cannot be known before the end. */
  readonly length: number | undefined;
  /** Whether `open` may be called again and yields the same bytes. */
  readonly replayable: boolean;
  /** The bytes, from the first. */
  open(): AsyncIterable<Uint8Array>;
  /** Lets go of what it is read from, such as a temporary file; it cannot be opened afterwards. */
  close?(): Promise<void>;
}

/** A body that is already in memory. */
export function bytesBody(contentType: string, bytes: Uint8Array): RequestBody {
  return {
    contentType,
    length: bytes.length,
    replayable: true,
    async *open() {
      await Promise.resolve();
      yield bytes;
    },
  };
}
