const BITS = 32;

/**
 * A set of whole numbers from 0, one bit each: a list of contacts. It is walked in ascending order from any number on, so
 * that a page costs the same wherever it begins, and counted without walking.
 */
export class Roll {
  #words = new Uint32Array(4);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(number: number): boolean {
    return ((this.#words[number >>> 5] ?? 0) & (1 << (number & 31))) !== 0;
  }

  /** False when it was there already. */
  add(number: number): boolean {
    if (this.has(number)) return false;
    const at = number >>> 5;
    if (at >= this.#words.length) {
      const words = new Uint32Array(Math.max(at + 1, this.#words.length * 2));
      words.set(this.#words);
      this.#words = words;
    }
    this.#words[at] = (this.#words[at] ?? 0) | (1 << (number & 31));
    this.#size++;
    return true;
  }

  /** False when it was not there. */
  delete(number: number): boolean {
    if (!this.has(number)) return false;
    const at = number >>> 5;
    this.#words[at] = (this.#words[at] ?? 0) & ~(1 << (number & 31));
    this.#size--;
    return true;
  }

  /** Those above `number`, ascending. Numbers may come and go meanwhile. */
  *after(number: number): Generator<number> {
    let at = (number + 1) >>> 5;
    let seen = (1 << ((number + 1) & 31)) - 1;
    for (; at < this.#words.length; at++, seen = 0) {
      for (;;) {
        const left = (this.#words[at] ?? 0) & ~seen;
        if (left === 0) break;
        const bit = BITS - 1 - Math.clz32(left & -left);
        seen |= (1 << bit) | ((1 << bit) - 1);
        yield at * BITS + bit;
      }
    }
  }
}
