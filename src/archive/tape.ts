/** A run of bytes of the tape. Borrowed bytes belong to somebody who will use them again. */
interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly borrowed: boolean;
}

/** The last part of a stream of bytes, by their offsets in it: kept for what has to be read again. */
export class Tape {
  #pieces: Piece[] = [];
  /** Offset behind the last byte. */
  end: number;

  constructor(offset = 0) {
    this.end = offset;
  }

  /** Offset of the first byte that is still there. */
  get start(): number {
    return this.#pieces[0]?.offset ?? this.end;
  }

  /** Adds bytes, which must not change before `settle` is called. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push({ offset: this.end, bytes, borrowed: true });
    this.end += bytes.length;
  }

  /** Lets go of all bytes before `keep`, and makes the others its own. */
  settle(keep: number): void {
    this.#pieces = this.#pieces.flatMap((piece) => {
      const { offset, bytes, borrowed } = piece;
      if (offset + bytes.length <= keep) return [];
      if (!borrowed) return [piece];
      const from = Math.max(0, keep - offset);
      return [{ offset: offset + from, bytes: new Uint8Array(bytes.subarray(from)), borrowed: false }];
    });
  }

  /**
   * The bytes from `from` to `to`, or to the end; what was let go of is left out. A view where they stand together, so
   * that it must not be kept.
   */
  slice(from: number, to = this.end): Buffer {
    const parts = this.#pieces.flatMap(({ offset, bytes }) => {
      const part = bytes.subarray(Math.max(0, from - offset), Math.max(0, to - offset));
      return part.length === 0 ? [] : [part];
    });
    const [only] = parts;
    if (parts.length !== 1 || only === undefined) return Buffer.concat(parts);
    return Buffer.from(only.buffer, only.byteOffset, only.length);
  }
}
