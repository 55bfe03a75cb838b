import { CtctError } from '../activity/errors.js';
import type { Clock } from '../clock.js';

/** Milliseconds for which it is believed that the disk still is as it was. */
const BELIEVED = 5_000;
/** Milliseconds after which a tiny write is late: a disk of the network that is gone. */
const LATE = 2_000;

/** Whether anything can be kept, tried by a tiny write of each kind, and so seldom that asking costs nothing. */
export class Writable {
  readonly #clock: Clock;
  readonly #writes: readonly (() => Promise<unknown>)[];
  /** Told of the first failure in a row. */
  readonly #failed: (error: unknown) => void;
  #tried = -Infinity;
  #trying: Promise<void> | undefined;
  #reason: string | undefined;

  constructor(clock: Clock, writes: readonly (() => Promise<unknown>)[], failed: (error: unknown) => void) {
    this.#clock = clock;
    this.#writes = writes;
    this.#failed = failed;
  }

  /** Why nothing can be kept, as far as is known; undefined where it can be. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Finds out, unless that was done a moment ago. */
  async check(): Promise<void> {
    if (this.#clock.now() - this.#tried < BELIEVED) return;
    this.#trying ??= this.#try().finally(() => {
      this.#tried = this.#clock.now();
      this.#trying = undefined;
    });
    const over = new AbortController();
    const late = this.#clock.sleep(LATE, over.signal).then(
      () => {
        this.#reason ??= `a write to the store takes more than ${LATE / 1000} seconds`;
      },
      () => undefined,
    );
    await Promise.race([this.#trying, late]);
    over.abort();
  }

  async #try(): Promise<void> {
    try {
      for (const write of this.#writes) await write();
      this.#reason = undefined;
    } catch (error) {
      if (this.#reason === undefined) this.#failed(error);
      const why = error instanceof CtctError ? `: ${error.message} (${error.code})` : '';
      this.#reason = `nothing can be written to the store${why}`;
    }
  }
}
