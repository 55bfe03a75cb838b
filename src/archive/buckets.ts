import { ownText } from './own-text.js';

/** Values by key for a bounded number of keys. Plain data: it may be posted to another thread. */
export interface Buckets<V> {
  readonly kept: Map<string, V>;
  /** All keys beyond the bound together; undefined while there are none. */
  other: V | undefined;
}

/** What is in the buckets, and which keys are kept. */
export interface BucketKind<V> {
  /** Keys that always have a bucket of their own. */
  readonly known: ReadonlySet<string>;
  /** How many other keys have one. */
  readonly limit: number;
  make(): V;
  /** Adds `from` to `into`, in any order with the same result; keeps no part of `from`. */
  merge(into: V, from: V): void;
}

/** UTF-16 units of a key; what is longer is cut. */
export const KEY_LENGTH = 80;

export function newBuckets<V>(): Buckets<V> {
  return { kept: new Map(), other: undefined };
}

/**
 * The value to add to for this key. Of more keys than `limit`, those with the smallest hashes keep their bucket. Which
 * these are depends on the set of keys alone, and a key that lost its bucket never gets it back: so counts are exact,
 * and the same in whatever order, and in however many parts, the keys came.
 */
export function bucketFor<V>(kind: BucketKind<V>, buckets: Buckets<V>, text: string): V {
  const { kept } = buckets;
  const found = kept.get(text);
  if (found !== undefined) return found;
  const key = ownText(text, KEY_LENGTH);
  const cut = kept.get(key);
  if (cut !== undefined) return cut;
  const value = kind.make();
  kept.set(key, value);
  if (kind.known.has(key)) return value;
  const strangers = [...kept.keys()].filter((name) => !kind.known.has(name));
  if (strangers.length <= kind.limit) return value;

  const last = strangers.reduce((a, b) => (isBefore(a, b) ? b : a));
  const evicted = kept.get(last);
  kept.delete(last);
  buckets.other ??= kind.make();
  if (evicted !== undefined) kind.merge(buckets.other, evicted);
  return last === key ? buckets.other : value;
}

export function mergeBuckets<V>(kind: BucketKind<V>, into: Buckets<V>, from: Buckets<V>): void {
  for (const [key, value] of from.kept) kind.merge(bucketFor(kind, into, key), value);
  if (from.other === undefined) return;
  into.other ??= kind.make();
  kind.merge(into.other, from.other);
}

function isBefore(a: string, b: string): boolean {
  const hashA = hash(a);
  const hashB = hash(b);
  return hashA === hashB ? a < b : hashA < hashB;
}

/** FNV-1a. */
function hash(text: string): number {
  let bits = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    bits = Math.imul(bits ^ text.charCodeAt(index), 0x01000193);
  }
  return bits >>> 0;
}

/** A key with its value, and what sort of key it is. `name` is null for `absent` and `other`. */
export type BucketRow<V> =
  | { readonly kind: 'known' | 'unknown'; readonly name: string; readonly value: V }
  | { readonly kind: 'absent' | 'other'; readonly name: null; readonly value: V };

/** All buckets: the known in their own order, the unknown by name, then the key `''`, then all others as one. */
export function bucketRows<V>(kind: BucketKind<V>, { kept, other }: Buckets<V>): BucketRow<V>[] {
  const unknown = [...kept.keys()].filter((name) => name !== '' && !kind.known.has(name)).sort();
  const row = (sort: 'known' | 'unknown') => (name: string) => {
    const value = kept.get(name);
    return value === undefined || name === '' ? [] : [{ kind: sort, name, value }];
  };
  const absent = kept.get('');
  return [
    ...[...kind.known].flatMap(row('known')),
    ...unknown.flatMap(row('unknown')),
    ...(absent === undefined ? [] : [{ kind: 'absent' as const, name: null, value: absent }]),
    ...(other === undefined ? [] : [{ kind: 'other' as const, name: null, value: other }]),
  ];
}
