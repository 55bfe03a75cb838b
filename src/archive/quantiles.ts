/**
 * Durations in bounded memory, however many: their quantiles are within 1 % of the exact ones, and two sketches merge
 * into what one sketch of all would be. Plain data. The sketch is DDSketch (Masson, Rim and Lee, VLDB 2019) without its
 * limit on buckets, which whole milliseconds make needless: there are fewer than 2,000.
 */
export interface Durations {
  /** How many were taken. */
  count: number;
  /** Left out because the one or the other time is missing. */
  absent: number;
  /** Left out because the later time is before the earlier one. */
  negative: number;
  min: number;
  max: number;
  /** Durations by the logarithm of their length; -1 holds those of 0 ms. */
  readonly sketch: Map<number, number>;
  /** Counts by `DURATION_EDGES`: the first is of durations under the first edge, the last of those from the last edge on. */
  readonly histogram: number[];
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds at which one bar of the histogram ends and the next begins. */
export const DURATION_EDGES = [
  ...[1, 2, 5, 10, 20, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 20, 30].map((n) => n * MINUTE),
  ...[1, 2, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7].map((n) => n * DAY),
] as readonly number[];

/** Relative error of a bucket; a little is left for the rounding of what is reported. */
const ERROR = 0.0099;
const RATIO = (1 + ERROR) / (1 - ERROR);

export function newDurations(): Durations {
  return {
    count: 0,
    absent: 0,
    negative: 0,
    min: Infinity,
    max: -Infinity,
    sketch: new Map(),
    histogram: new Array<number>(DURATION_EDGES.length + 1).fill(0),
  };
}

export function addDuration(into: Durations, from: Date | undefined, to: Date | undefined): void {
  if (from === undefined || to === undefined) {
    into.absent++;
    return;
  }
  const length = to.getTime() - from.getTime();
  if (length < 0) {
    into.negative++;
    return;
  }
  into.count++;
  into.min = Math.min(into.min, length);
  into.max = Math.max(into.max, length);
  const index = length === 0 ? -1 : Math.ceil(Math.log(length) / Math.log(RATIO));
  into.sketch.set(index, (into.sketch.get(index) ?? 0) + 1);
  const above = DURATION_EDGES.findIndex((edge) => length < edge);
  const bar = above === -1 ? DURATION_EDGES.length : above;
  into.histogram[bar] = (into.histogram[bar] ?? 0) + 1;
}

export function mergeDurations(into: Durations, from: Durations): void {
  into.count += from.count;
  into.absent += from.absent;
  into.negative += from.negative;
  into.min = Math.min(into.min, from.min);
  into.max = Math.max(into.max, from.max);
  for (const [index, count] of from.sketch) into.sketch.set(index, (into.sketch.get(index) ?? 0) + count);
  from.histogram.forEach((count, bar) => (into.histogram[bar] = (into.histogram[bar] ?? 0) + count));
}

/** Milliseconds that the share `q` (0 to 1) of the durations do not exceed, within 1 %; null when there are none. */
export function durationQuantile(durations: Durations, q: number): number | null {
  const { count, min, max, sketch } = durations;
  if (count === 0) return null;
  let rank = Math.max(1, Math.ceil(q * count));
  for (const index of [...sketch.keys()].sort((a, b) => a - b)) {
    rank -= sketch.get(index) ?? 0;
    if (rank > 0) continue;
    const middle = index === -1 ? 0 : (2 * RATIO ** index) / (RATIO + 1);
    return Math.min(max, Math.max(min, Number(middle.toPrecision(6))));
  }
  return max;
}
