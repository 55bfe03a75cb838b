import { UsageError } from '../activity/errors.js';
import { timeSpan } from './time-span.js';

/** Milliseconds, or a text such as `2s`: always as many, or drawn anew for each job from the least to the most. */
export type Span = number | string | readonly [least: number | string, most: number | string];

/**
 * How long jobs stay in each status. The defaults give what the document's samples show: 2 to 24 s from insertion to
 * start, 0.6 to 2 s of running. A job also stays QUEUED while another of its account runs.
 */
export interface Latencies {
  /** In PENDING; default 0.5 to 2 s. */
  readonly pending?: Span | undefined;
  /** In QUEUED, at least; default 1.5 to 22 s. */
  readonly queued?: Span | undefined;
  /** In RUNNING; default 0.6 to 2 s. */
  readonly running?: Span | undefined;
}

/** `instant`: a job is done as soon as anybody asks for it. */
export type Latency = Latencies | 'instant';

/** Milliseconds in each status. */
export type Spans = Readonly<Record<keyof Latencies, number>>;

const DEFAULTS = {
  pending: [500, 2000],
  queued: [1500, 22_000],
  running: [600, 2000],
} as const satisfies Record<keyof Latencies, Span>;

const INSTANT: Latencies = { pending: 0, queued: 0, running: 0 };

/** How many numbers `drawSpans` takes from a random sequence. */
export const DRAWS = 3;

/**
 * Draws the latencies of a job from a random sequence.
 * @throws UsageError `OPTION_INVALID` at once, when a latency is none.
 */
export function latencyDraws(latency: Latency = {}): (random: () => number) => Spans {
  const given = latency === 'instant' ? INSTANT : latency;
  const pending = range('pending', given.pending);
  const queued = range('queued', given.queued);
  const running = range('running', given.running);
  return (random) => ({
    pending: draw(pending, random),
    queued: draw(queued, random),
    running: draw(running, random),
  });
}

function draw([least, most]: readonly [number, number], random: () => number): number {
  return Math.round(least + (most - least) * random());
}

function range(status: keyof Latencies, value: Span | undefined): readonly [number, number] {
  const span = value ?? DEFAULTS[status];
  const [from, to] = Array.isArray(span)
    ? (span as readonly [number | string, number | string])
    : [span, span];
  const what = `latency.${status}`;
  const [least, most] = [timeSpan(from as number | string, what), timeSpan(to as number | string, what)];
  if (least <= most) return [least, most];
  throw new UsageError('OPTION_INVALID', `${what}: [least, most] must ascend, got ${JSON.stringify(value)}`);
}
