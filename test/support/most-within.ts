/** The most of these times that lie within any stretch that is shorter than so many milliseconds. */
export function mostWithin(times: readonly number[], milliseconds: number): number {
  const ascending = [...times].sort((a, b) => a - b);
  return Math.max(
    0,
    ...ascending.map((from) => times.filter((time) => time >= from && time < from + milliseconds).length),
  );
}
