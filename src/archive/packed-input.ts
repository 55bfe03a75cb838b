/**
 * Bytes that come in chunks, taken in pieces of any size, with the offset of the next one. A chunk need not stay as it is
 * for longer than until the next one is asked for.
 */
export class PackedInput {
  /** Bytes taken so far. */
  offset = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next `count` bytes or more, without taking them; fewer if there are no more. */
  async head(count: number): Promise<Uint8Array> {
    let head = this.#chunk.subarray(this.#at);
    while (head.length < count) {
      // The next chunk may take the place of this one.
      const kept = Uint8Array.from(head);
      head = (await this.#next()) ? Buffer.concat([kept, this.#chunk]) : kept;
      this.#chunk = head;
      this.#at = 0;
      if (head === kept) break;
    }
    return head;
  }

  /** The next bytes, at least one and at most `most`, without taking them; undefined at the end. */
  async peek(most: number): Promise<Uint8Array | undefined> {
    while (this.#at === this.#chunk.length) if (!(await this.#next())) return undefined;
    return this.#chunk.subarray(this.#at, this.#at + most);
  }

  /** Takes bytes that were seen. */
  take(count: number): void {
    this.#at += count;
    this.offset += count;
  }

  /** Takes the next byte; undefined at the end. */
  async byte(): Promise<number | undefined> {
    const piece = await this.peek(1);
    if (piece === undefined) return undefined;
    this.take(1);
    return piece[0];
  }

  /** Takes all there is, as it comes. */
  async *rest(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let piece = await this.peek(Infinity); piece !== undefined; piece = await this.peek(Infinity)) {
      this.take(piece.length);
      yield piece;
    }
  }

  /** Says that no more is wanted. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Goes on to the next chunk, if there is one. */
  async #next(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done === true) return false;
    this.#chunk = next.value;
    this.#at = 0;
    return true;
  }
}
