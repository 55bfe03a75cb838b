import type { ContactSource } from '../upload/contact-source.js';

/** A millisecond or two of the most thorough work. */
const PIECE = 16 * 1024;

/**
 * Lets long work go on in short steps, one step of all such work in each turn of the event loop, so that whoever only asks
 * how things are never waits for more than one.
 */
export class Pace {
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is the caller's turn for a step. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(this.#next);
    });
  }

  readonly #next = () => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(this.#next);
  };

  /** The bytes in small pieces, one a turn. */
  async *pieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += PIECE) {
        await this.turn();
        yield chunk.subarray(at, at + PIECE);
      }
    }
  }

  source(source: ContactSource): ContactSource {
    return { ...source, read: (start) => this.pieces(source.read(start)) };
  }
}
