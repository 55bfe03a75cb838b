import { addressKey, hash } from '../translate/duplicates.js';
import { Buckets } from '../translate/duplicates-buckets.js';

/** Where an address stands. */
export interface Mention {
  readonly source: number;
  /** 0 where the source has no lines. */
  readonly line: number;
}

/** So many mentions are looked at together, more or less. */
const TOGETHER = 50_000;
const MOST_BUCKETS = 4096;
/** Bytes of each bucket in memory. */
const SIZE = 16_384;
/** Characters; no address is so long. */
const LONGEST = 320;

/** Who is mentioned where, over any number of addresses: they go to a temporary file, by their hashes. */
export class Mentions {
  readonly #buckets: Buckets;

  /** @param count mentions that are to be expected, by which memory is divided */
  constructor(count: number) {
    this.#buckets = new Buckets(Math.min(MOST_BUCKETS, Math.ceil((count + 1) / TOGETHER)), SIZE);
  }

  /** A blank address is passed over. A promise when there is something to wait for. */
  add(address: string, source: number, line: number): Promise<void> | undefined {
    const key = addressKey(address).slice(0, LONGEST);
    if (key === '') return undefined;
    const bucket = hash(key) % this.#buckets.count;
    if (this.#buckets.add(bucket, source, line, key)) return undefined;
    return this.#buckets.flush(bucket).then(() => void this.#buckets.add(bucket, source, line, key));
  }

  /** Each address once, in lower case, with its mentions in the order of their sources and lines. */
  async *byAddress(): AsyncGenerator<{ readonly address: string; readonly mentions: readonly Mention[] }> {
    for (let bucket = 0; bucket < this.#buckets.count; bucket++) {
      const entries = await this.#buckets.all(bucket);
      entries.sort((one, other) =>
        one.text === other.text
          ? one.first - other.first || one.second - other.second
          : one.text < other.text
            ? -1
            : 1,
      );
      for (let from = 0; from < entries.length;) {
        const address = entries[from]?.text ?? '';
        let to = from + 1;
        while (entries[to]?.text === address) to++;
        const mentions = entries
          .slice(from, to)
          .map(({ first, second }) => ({ source: first, line: second }));
        yield { address, mentions };
        from = to;
      }
    }
  }

  /** Lets go of the temporary file. */
  close(): Promise<void> {
    return this.#buckets.close();
  }
}
