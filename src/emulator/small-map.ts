/**
 * A map of few entries, for objects of which there are a million: it takes half the memory of a `Map`, and one that is
 * equal for many can be shared by them, since it never changes. What is looked for is found by going through the entries.
 */
export class SmallMap<K, V> implements ReadonlyMap<K, V> {
  /** Key, value, key, value, in the order they were first set. */
  readonly #flat: readonly unknown[];

  private constructor(flat: readonly unknown[]) {
    this.#flat = flat;
  }

  static readonly #EMPTY = new SmallMap<never, never>([]);

  static empty<K, V>(): SmallMap<K, V> {
    // Sound: it holds neither keys nor values.
    return SmallMap.#EMPTY;
  }

  get size(): number {
    return this.#flat.length / 2;
  }

  get(key: K): V | undefined {
    const at = this.#indexOf(key);
    return at === -1 ? undefined : (this.#flat[at + 1] as V);
  }

  has(key: K): boolean {
    return this.#indexOf(key) !== -1;
  }

  /** The same with these set; itself where that changes nothing. */
  with(entries: Iterable<readonly [K, V]>): SmallMap<K, V> {
    let flat: unknown[] | undefined;
    for (const [key, value] of entries) {
      const now = flat ?? this.#flat;
      const at = indexIn(now, key);
      if (at !== -1 && now[at + 1] === value) continue;
      flat ??= this.#flat.slice();
      if (at === -1) flat.push(key, value);
      else flat[at + 1] = value;
    }
    // slice() drops what room the growing array had to spare.
    return flat === undefined ? this : new SmallMap(flat.slice());
  }

  /** The same without these keys; itself where it has none of them. */
  without(keys: readonly K[]): SmallMap<K, V> {
    if (!keys.some((key) => this.has(key))) return this;
    const flat: unknown[] = [];
    for (const [key, value] of this) {
      if (!keys.includes(key)) flat.push(key, value);
    }
    return flat.length === 0 ? SmallMap.empty() : new SmallMap(flat);
  }

  *[Symbol.iterator](): MapIterator<[K, V]> {
    for (let at = 0; at < this.#flat.length; at += 2) yield [this.#flat[at] as K, this.#flat[at + 1] as V];
  }

  entries(): MapIterator<[K, V]> {
    return this[Symbol.iterator]();
  }

  *keys(): MapIterator<K> {
    for (const [key] of this) yield key;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this) yield value;
  }

  forEach(visit: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) visit(value, key, this);
  }

  #indexOf(key: K): number {
    return indexIn(this.#flat, key);
  }
}

function indexIn(flat: readonly unknown[], key: unknown): number {
  for (let at = 0; at < flat.length; at += 2) {
    if (flat[at] === key) return at;
  }
  return -1;
}
