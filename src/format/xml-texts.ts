import { BytePattern } from './byte-pattern.js';

const SLOTS = 512;
/** Longer texts do not repeat themselves often enough. Bytes. */
const LONGEST = 160;

interface CommonText {
  readonly bytes: BytePattern;
  readonly flags: number;
  readonly text: string;
}

/**
 * Texts by the bytes they were read from: types, statuses and messages, of which archives have few different ones and
 * millions in all. Bounded: each place holds one text, and the last one to come stays.
 */
export class CommonTexts {
  readonly #slots = new Array<CommonText | undefined>(SLOTS);

  /** The text that was kept for the same bytes and flags. */
  find(bytes: Uint8Array, view: DataView, from: number, to: number, flags: number): string | undefined {
    const known = this.#slots[slot(bytes, from, to)];
    if (known?.flags !== flags || known.bytes.length !== to - from) return undefined;
    return known.bytes.standsAt(view, from) ? known.text : undefined;
  }

  keep(bytes: Uint8Array, from: number, to: number, flags: number, text: string): string {
    if (to - from <= LONGEST) {
      this.#slots[slot(bytes, from, to)] = { bytes: new BytePattern(bytes, from, to), flags, text };
    }
    return text;
  }
}

/** A few looks at a text tell most texts apart; those that share a place only take turns in it. */
function slot(bytes: Uint8Array, from: number, to: number): number {
  const length = to - from;
  const mixed =
    length * 29 +
    (bytes[from] ?? 0) * 7 +
    (bytes[from + (length >> 2)] ?? 0) * 61 +
    (bytes[from + (length >> 1)] ?? 0) * 131 +
    (bytes[to - 1] ?? 0) * 17;
  return (mixed ^ (mixed >> 9)) & (SLOTS - 1);
}
