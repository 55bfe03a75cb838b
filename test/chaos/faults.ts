import type { Random } from '../../src/emulator/random.js';
import type { AnswerName, Fault, Point, Side } from '../support/faults.js';
import type { Exchange } from '../support/fault-proxy.js';

/** What faults need to know of the story they befall. */
export interface FaultContext {
  readonly random: Random;
  /** Holds a request back, to be let go within the time in which the client looks for a lost creation. */
  readonly late: (deliver: () => Promise<void>) => void;
}

/** A row of the table: how often it is drawn beside the others, where it makes sense, and how it is made. */
interface Draw {
  readonly weight: number;
  readonly fits?: (exchange: Exchange) => boolean;
  readonly make: (context: FaultContext) => Fault;
}

/** A creation; everything else the campaign sends only asks. */
const creates = ({ method }: Exchange) => method === 'POST';

/**
 * What is no contact file. A wrong byte in a file is the one thing that nobody can tell: the service gives no digest of
 * it, so that only TLS protects it. Faults that change bytes are therefore kept to documents.
 */
const isDocument = ({ path }: Exchange) => !/\.(?:csv|txt)$/.test(path);

const DRAWS = {
  latency: { weight: 2, make: ({ random }) => ({ kind: 'latency', milliseconds: integer(random, 1, 15) }) },
  slices: {
    weight: 2,
    make: ({ random }) => ({ kind: 'slices', bytes: integer(random, 200, 5000), milliseconds: 0 }),
  },
  'stall of the request': {
    weight: 3,
    fits: creates,
    make: ({ random }) => ({ kind: 'stall', side: 'request', at: point(random) }),
  },
  'stall of the answer': {
    weight: 1,
    make: ({ random }) => ({ kind: 'stall', side: 'answer', at: point(random) }),
  },
  'reset in the request': { weight: 3, make: ({ random }) => reset('request', random) },
  'reset in the answer': { weight: 3, make: ({ random }) => reset('answer', random) },
  truncate: { weight: 3, make: ({ random }) => ({ kind: 'truncate', at: point(random) }) },
  'early close': { weight: 3, make: () => ({ kind: 'early-close' }) },
  'half close': { weight: 1, make: () => ({ kind: 'half-close' }) },
  'black hole': { weight: 1, make: () => ({ kind: 'black-hole' }) },
  'bytes twice': {
    weight: 2,
    fits: isDocument,
    make: ({ random }) => ({ kind: 'duplicate', at: point(random), bytes: integer(random, 20, 120) }),
  },
  'damaged head': {
    weight: 2,
    make: ({ random }) => ({ kind: 'corrupt', where: 'head', at: point(random) }),
  },
  'damaged document': {
    weight: 2,
    fits: isDocument,
    make: ({ random }) => ({ kind: 'corrupt', where: 'body', at: point(random) }),
  },
  '5xx by the proxy': {
    weight: 4,
    make: ({ random }) =>
      answer(pick(random, ['internal-error', 'bad-gateway', 'unavailable', 'gateway-timeout'])),
  },
  'too many calls': { weight: 3, make: ({ random }) => answer(pick(random, ['too-many', 'over-qps'])) },
  'daily quota used up': { weight: 1, make: () => answer('over-ratelimit') },
  'login page': { weight: 1, make: () => answer('login-page') },
  redirect: { weight: 1, make: () => answer('redirect') },
  'answer lost': {
    weight: 5,
    make: ({ random }) => ({
      kind: 'lost-answer',
      ending: pick(random, [
        'reset',
        'reset',
        'close',
        'close',
        'stall',
        'bad-gateway',
        'gateway-timeout',
        'internal-error',
        'login-page',
      ]),
    }),
  },
  'arrives late': { weight: 8, fits: creates, make: ({ late }) => ({ kind: 'late', schedule: late }) },
} as const satisfies Record<string, Draw>;

/** Beside what is done to a request, what happens to an operation as a whole. */
export const FAULT_NAMES = [
  ...(Object.keys(DRAWS) as (keyof typeof DRAWS)[]),
  'service down',
  'caller aborts',
] as const;

export type FaultName = (typeof FAULT_NAMES)[number];

/** A fault that fits the exchange and is among those wanted, and its name in the table; undefined when none is. */
export function drawFault(
  exchange: Exchange,
  context: FaultContext,
  wanted: readonly FaultName[] = FAULT_NAMES,
): { name: FaultName; fault: Fault } | undefined {
  const fitting = Object.entries<Draw>(DRAWS).filter(
    ([name, { fits }]) => wanted.includes(name as FaultName) && (fits?.(exchange) ?? true),
  );
  let left = context.random() * fitting.reduce((sum, [, { weight }]) => sum + weight, 0);
  const drawn = fitting.find(([, { weight }]) => (left -= weight) < 0) ?? fitting[0];
  if (drawn === undefined) return undefined;
  const [name, draw] = drawn;
  return { name: name as FaultName, fault: draw.make(context) };
}

function reset(side: Side, random: Random): Fault {
  return { kind: 'reset', side, at: point(random) };
}

function answer(name: AnswerName): Fault {
  return { kind: 'answer', answer: name };
}

/** Anywhere in a message; the very beginning and the very end more often than chance would have it. */
function point(random: Random): Point {
  const share = random() * 1.2 - 0.1;
  return { share: Math.min(1, Math.max(0, share)) };
}

/** From the least to the most, both included. */
export function integer(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

export function pick<const T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)]!;
}
