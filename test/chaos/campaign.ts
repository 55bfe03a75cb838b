import { readdirSync } from 'node:fs';
import { FAULT_NAMES, type FaultName } from './faults.js';
import type { OperationName } from './operations.js';
import { playStory, type Ending, type Played, type Story, type StoryOptions } from './story.js';
import type { Breach, Violation } from './stage.js';

export interface CampaignOptions extends StoryOptions {
  /** How many stories. */
  readonly runs: number;
  /** Of the first story; the others follow, one more each. */
  readonly seed: number;
  /** Stories that are played at the same time. Default 8. */
  readonly atOnce?: number | undefined;
  readonly onStory?: (story: Story) => void;
}

export type Endings = Readonly<Record<Ending, number>>;

export interface Campaign {
  readonly runs: number;
  readonly operations: number;
  /** Faults as they befell operations: how often, and how the operations they befell ended. */
  readonly faults: ReadonlyMap<FaultName, { readonly injected: number; readonly endings: Endings }>;
  readonly byOperation: ReadonlyMap<OperationName, Endings>;
  /** How often operations failed with each code. */
  readonly codes: ReadonlyMap<string, number>;
  readonly violations: readonly (Violation & { readonly seed: number })[];
}

/** Plays so many stories and says what came of them. */
export async function runCampaign(options: CampaignOptions): Promise<Campaign> {
  const { runs, seed, atOnce = 8 } = options;
  const tally = new Tally();
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  // Whoever else listens (a test runner) would end the process.
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
  try {
    // A test runner starts its own timer once it has our promise.
    await new Promise(setImmediate);
    let open = await openThings();
    for (let done = 0; done < runs; done += atOnce) {
      const seeds = Array.from({ length: Math.min(atOnce, runs - done) }, (_, index) => seed + done + index);
      const stories = await Promise.all(seeds.map((each) => playStory(each, options)));
      for (const story of stories) {
        tally.add(story);
        options.onStory?.(story);
      }
      const left = await openThings(open);
      for (const [kind, count] of left) {
        const before = open.get(kind) ?? 0;
        if (count > before) tally.violate(seeds[0]!, 'leak', `${count - before} more ${kind} than before`);
      }
      for (const reason of unhandled.splice(0)) tally.violate(seeds[0]!, 'unhandled', String(reason));
      open = left;
    }
  } finally {
    process.off('unhandledRejection', note);
    for (const listener of others) process.on('unhandledRejection', listener);
  }
  return tally.campaign();
}

/** Sockets, timers and file descriptors that are open; looked at until there are no more than `before`, or in vain. */
async function openThings(before?: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  for (let tries = 0; ; tries++) {
    const found = new Map<string, number>([['file descriptors', descriptors()]]);
    for (const kind of process.getActiveResourcesInfo()) {
      if (/^TCP|^Timeout$|^FS/.test(kind)) found.set(kind, (found.get(kind) ?? 0) + 1);
    }
    const settled = [...found].every(([kind, count]) => count <= (before?.get(kind) ?? 0));
    if (before === undefined || settled || tries === 100) return found;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** 0 where the system does not tell. */
function descriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

class Tally {
  #runs = 0;
  #operations = 0;
  readonly #faults = new Map<FaultName, { injected: number; endings: Record<Ending, number> }>();
  readonly #byOperation = new Map<OperationName, Record<Ending, number>>();
  readonly #codes = new Map<string, number>();
  readonly #violations: (Violation & { seed: number })[] = [];

  constructor() {
    for (const name of FAULT_NAMES) this.#faults.set(name, { injected: 0, endings: none() });
  }

  add(story: Story) {
    this.#runs++;
    for (const played of story.played) this.#play(played);
    for (const { breach, text } of story.violations) this.violate(story.seed, breach, text);
  }

  #play({ name, ending, code, faults }: Played) {
    this.#operations++;
    const operation = this.#byOperation.get(name) ?? none();
    operation[ending]++;
    this.#byOperation.set(name, operation);
    if (code !== undefined) this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
    for (const fault of faults) this.#faults.get(fault)!.injected++;
    for (const fault of new Set(faults)) this.#faults.get(fault)!.endings[ending]++;
  }

  violate(seed: number, breach: Breach, text: string) {
    this.#violations.push({ seed, breach, text });
  }

  campaign(): Campaign {
    return {
      runs: this.#runs,
      operations: this.#operations,
      faults: this.#faults,
      byOperation: this.#byOperation,
      codes: this.#codes,
      violations: this.#violations,
    };
  }
}

function none(): Record<Ending, number> {
  return { done: 0, 'in doubt': 0, failed: 0 };
}
