/**
 * A few bytes to look for at a given place, compared four at a time: names and texts of a document repeat themselves, and
 * most of its bytes are compared with what is expected of them.
 */
export class BytePattern {
  readonly length: number;
  /** The bytes in words of four, the last one filled up with zeros. A plain array: a typed one takes longer to make than a page has time for. */
  readonly #words: number[] = [];
  /** The bits of the last word that count. */
  readonly #lastMask: number;

  /** The bytes from `from` to `to`: one at least. */
  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.length = to - from;
    for (let at = from; at < to; at += 4) {
      let word = 0;
      for (let i = Math.min(at + 4, to) - 1; i >= at; i--) word = (word << 8) | (bytes[i] ?? 0);
      this.#words.push(word);
    }
    this.#lastMask = (-1 >>> (8 * (3 & -this.length))) | 0;
  }

  /** Whether the bytes stand at `from`. Up to three bytes behind them are looked at, and must be there. */
  standsAt(view: DataView, from: number): boolean {
    const words = this.#words;
    const last = words.length - 1;
    for (let i = 0; i < last; i++) if (view.getInt32(from + 4 * i, true) !== words[i]) return false;
    return (view.getInt32(from + 4 * last, true) & this.#lastMask) === words[last];
  }
}
