/** The next number of a sequence, from 0 up to but not 1. */
export type Random = () => number;

/**
 * A sequence that is the same for the same `seed` (mulberry32). `name` tells apart sequences of one seed: each account
 * has its own, so that what one account does moves nothing in another.
 */
export function seededRandom(seed: number, name = ''): Random {
  let state = mix(seed, name);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** FNV-1a over the name, started from the seed. */
function mix(seed: number, name: string): number {
  let hash = (0x811c9dc5 ^ Math.trunc(seed)) | 0;
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return hash;
}
