/**
 * A few bytes to look for at a given place, compared four at a time: names and texts of a document repeat themselves, and
 * most of its bytes are compared with what is expected of them.
 */
export class BytePattern {
  readonly length: number;
  /** The bytes in words of four, the last one filled up with zeros. */
  readonly #words: Int32Array;
  /** The bits of the last word that count. */
  readonly #lastMask: number;

  /** @param bytes one at least. */
  constructor(bytes: Uint8Array) {
    const { length } = bytes;
    this.length = length;
    this.#words = new Int32Array((length + 3) >> 2);
    for (let i = 0; i < length; i++) {
      this.#words[i >> 2] = (this.#words[i >> 2] ?? 0) | ((bytes[i] ?? 0) << (8 * (i & 3)));
    }
    this.#lastMask = (-1 >>> (8 * (3 & -length))) | 0;
  }

  /** Whether the bytes stand at `from`. Up to three bytes behind them are looked at, and must be there. */
  standsAt(view: DataView, from: number): boolean {
    const words = this.#words;
    const last = words.length - 1;
    for (let i = 0; i < last; i++) if (view.getInt32(from + 4 * i, true) !== words[i]) return false;
    return (view.getInt32(from + 4 * last, true) & this.#lastMask) === words[last];
  }
}
