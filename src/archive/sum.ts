/**
 * The sum of two counts, at most 2⁵³ − 1: past that, numbers are no longer exact, and a sum would depend on the order
 * of its parts.
 */
export function sum(a: number, b: number): number {
  return Math.min(a + b, Number.MAX_SAFE_INTEGER);
}
