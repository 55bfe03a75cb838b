import {
  unpackError,
  type CutFile,
  type FromWorker,
  type ParallelJob,
  type Piece,
  type TaskEvent,
  type TaskOrder,
} from './parallel-job.js';
import type { Step } from './parallel-plan.js';
import { behind } from './parallel-seams.js';
import { startHere, type StartWorker, type WorkerLink } from './parallel-threads.js';
import { makeRoom, TaskWork, type Tell } from './parallel-work.js';
import { archiveAborted } from './read.js';
import type { LineColumn } from './lines.js';

/** How many steps each worker may be ahead of what was taken. */
const AHEAD = 3;

type Counted = TaskEvent & { readonly kind: 'counted' };

/** What is known of a file that is read in parts. */
interface FileState {
  /** All before the seam of this part was read, by whoever did. */
  reached: number;
  /** Where parts begin, as far as that is known. */
  readonly places: Map<number, LineColumn>;
  /** What was counted from a part on whose own place is not known yet. */
  readonly counted: Map<number, Counted>;
}

/** A step that was begun, and what came of it and was not taken yet. */
interface Unit {
  readonly id: number;
  readonly step: Step;
  readonly events: TaskEvent[];
  readonly order: (order: TaskOrder) => void;
  /** Begins what was not begun when it was planned. */
  readonly begin: () => void;
  /** It was told where it begins. */
  placed: boolean;
}

interface Hand {
  readonly link: WorkerLink;
  unit: Unit | undefined;
}

export interface RunOptions {
  readonly job: ParallelJob;
  /** How many workers. */
  readonly jobs: number;
  readonly steps: AsyncGenerator<Step, void, undefined>;
  /** Starts the workers besides the one that is this thread. */
  readonly start: StartWorker;
  readonly signal: AbortSignal | undefined;
}

/** A piece, and the number of the step it came of. */
export interface NumberedPiece extends Piece {
  readonly step: number;
}

/** Has steps done by workers, several at a time, and gives what comes of them in the order of the steps. */
export class ParallelRun {
  readonly #options: RunOptions;
  readonly #hands: Hand[] = [];
  readonly #files = new Map<CutFile, FileState>();
  /** Those begun and not taken to the end yet, in order. */
  #units: Unit[] = [];
  #ids = 0;
  /** No more steps come; because of an error, if there is one. */
  #planned: { readonly failed: boolean; readonly error: unknown } | undefined;
  #failure: { readonly error: unknown } | undefined;
  #wakes: (() => void)[] = [];

  constructor(options: RunOptions) {
    this.#options = options;
  }

  /** What comes of all steps; a piece is let go of when the next is asked for. To be iterated over once. */
  async *pieces(): AsyncGenerator<NumberedPiece, void, undefined> {
    const { signal } = this.#options;
    const abort = () => {
      if (signal !== undefined) this.#fail(archiveAborted(signal));
    };
    signal?.addEventListener('abort', abort);
    if (signal?.aborted === true) abort();
    try {
      void this.#begin();
      for (;;) {
        const unit = await this.#until(() => this.#units[0] ?? this.#planned);
        if (!('step' in unit)) {
          if (unit.failed) throw unit.error;
          await this.#end();
          return;
        }
        yield* this.#piecesOf(unit);
        this.#units = this.#units.filter((other) => other !== unit);
        this.#wake();
      }
    } finally {
      signal?.removeEventListener('abort', abort);
      await this.#kill();
    }
  }

  // --- the steps --------------------------------------------------------------------------------

  /** Gives steps to workers as these get free. */
  async #begin(): Promise<void> {
    const { steps } = this.#options;
    try {
      for (;;) {
        const hand = await this.#until(() => this.#freeHand());
        const { done, value: step } = await steps.next();
        if (done === true) break;
        if (!this.#isPassed(step)) this.#give(hand, step);
      }
      this.#planned = { failed: false, error: undefined };
    } catch (error) {
      this.#planned = { failed: true, error };
    }
    this.#wake();
  }

  #freeHand(): Hand | undefined {
    const { jobs, start } = this.#options;
    if (this.#units.length >= AHEAD * jobs) return undefined;
    const free = this.#hands.find(({ unit }) => unit === undefined);
    if (free !== undefined || this.#hands.length === jobs) return free;
    const hand: Hand = {
      link: (this.#hands.length === 0 ? startHere : start)(
        (message) => {
          this.#receive(hand, message);
        },
        (error) => {
          this.#fail(error);
        },
      ),
      unit: undefined,
    };
    hand.link.post({ kind: 'job', job: this.#options.job });
    this.#hands.push(hand);
    return hand;
  }

  #give(hand: Hand, step: Step): void {
    const id = this.#ids++;
    if (step.kind === 'source') {
      this.#units.push(this.#ownUnit(id, step));
    } else {
      const order = (given: TaskOrder) => {
        hand.link.post({ kind: 'order', id, order: given });
      };
      hand.unit = { id, step, events: [], order, begin: () => undefined, placed: false };
      this.#units.push(hand.unit);
      hand.link.post({ kind: 'task', id, task: step });
      if (step.kind === 'part') this.#place(step.file);
    }
    this.#wake();
  }

  /** What this thread does itself, when its turn has come. */
  #ownUnit(id: number, step: Step): Unit {
    const events: TaskEvent[] = [];
    const tell: Tell = (event) => {
      events.push(event);
      this.#wake();
    };
    const work = new TaskWork(this.#options.job, tell, makeRoom());
    return {
      id,
      step,
      events,
      order: (order) => {
        work.order(order);
      },
      begin: () => void work.run(step),
      placed: false,
    };
  }

  #receive(hand: Hand, { id, event }: FromWorker): void {
    const { unit } = hand;
    if (unit?.id !== id) return;
    if (event.kind === 'counted') this.#count(unit.step, event);
    else unit.events.push(event);
    if (event.kind === 'done' || event.kind === 'failed') hand.unit = undefined;
    this.#wake();
  }

  async *#piecesOf(unit: Unit): AsyncGenerator<NumberedPiece, void, undefined> {
    unit.begin();
    try {
      for (;;) {
        const event = await this.#until(() => unit.events.shift());
        switch (event.kind) {
          case 'piece':
            yield { ...event.piece, step: unit.id };
            unit.order({ kind: 'taken', bytes: event.piece.bytes?.length ?? 0 });
            break;
          case 'passed':
            this.#reach(unit.step, event.part + 1);
            unit.order({ kind: 'goOn' });
            break;
          case 'done':
            this.#reach(unit.step, event.joined ?? Infinity);
            return;
          case 'failed':
            throw unpackError(event.error);
          default:
        }
      }
    } finally {
      if (unit.step.kind === 'source') unit.order({ kind: 'cancel' });
    }
  }

  // --- files in parts ---------------------------------------------------------------------------

  #stateOf(file: CutFile): FileState {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    const made: FileState = {
      reached: 0,
      places: new Map([[0, { line: 1, column: 1 }]]),
      counted: new Map(),
    };
    this.#files.set(file, made);
    return made;
  }

  #isPassed(step: Step): boolean {
    return step.kind === 'part' && step.part < this.#stateOf(step.file).reached;
  }

  /** What was begun behind the reader's back, and is not needed since it read on, is let go of. */
  #reach(step: Step, part: number): void {
    if (step.kind !== 'part') return;
    this.#stateOf(step.file).reached = part;
    const [head, ...others] = this.#units;
    for (const unit of others) if (this.#isPassed(unit.step)) unit.order({ kind: 'cancel' });
    this.#units = this.#units.filter((unit) => unit === head || !this.#isPassed(unit.step));
  }

  #count(step: Step, counted: Counted): void {
    if (step.kind !== 'part') return;
    const state = this.#stateOf(step.file);
    state.counted.set(counted.part, counted);
    for (let next: Counted | undefined = counted; next !== undefined; next = state.counted.get(next.to)) {
      const place = state.places.get(next.part);
      if (place === undefined) break;
      state.places.set(next.to, behind(place, next.lines));
      state.counted.delete(next.part);
    }
    this.#place(step.file);
  }

  /** Tells those that do not know it where they begin, as far as this is known. */
  #place(file: CutFile): void {
    const { places } = this.#stateOf(file);
    for (const unit of this.#units) {
      const { step } = unit;
      if (unit.placed || step.kind !== 'part' || step.file !== file) continue;
      const place = places.get(step.part);
      if (place === undefined) continue;
      unit.placed = true;
      unit.order({ kind: 'place', place });
    }
  }

  // --- waiting, and the end ---------------------------------------------------------------------

  async #until<T>(get: () => T | undefined): Promise<T> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const found = get();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#wakes.push(resolve));
    }
  }

  #wake(): void {
    const wakes = this.#wakes;
    this.#wakes = [];
    for (const wake of wakes) wake();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  /** Lets those end by themselves that have nothing to do. */
  async #end(): Promise<void> {
    const idle = this.#hands.filter(({ unit }) => unit === undefined);
    await Promise.all(idle.map(({ link }) => link.end()));
  }

  async #kill(): Promise<void> {
    this.#fail(undefined);
    await Promise.all(this.#hands.map(({ link }) => link.kill()));
    await this.#options.steps.return();
  }
}
