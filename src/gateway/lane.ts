import { unexpected, type Engine } from './engine.js';
import { send } from './send.js';

/** The activities of one account, sent one after the other, in the order in which they were accepted. */
export class Lane {
  readonly #engine: Engine;
  readonly #sent: (id: string) => void;
  readonly #queue: string[] = [];
  #running: Promise<void> | undefined;

  /** @param sent told of each that was sent, or came to nothing. */
  constructor(engine: Engine, sent: (id: string) => void) {
    this.#engine = engine;
    this.#sent = sent;
  }

  add(id: string): void {
    this.#queue.push(id);
    this.#running ??= this.#run()
      .catch((error: unknown) => {
        // Tried again with the next that is added, or when the gateway begins anew.
        unexpected(this.#engine, error);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    const { stop, ledger } = this.#engine;
    for (;;) {
      const [id] = this.#queue;
      if (id === undefined || stop.aborted) return;
      await send(this.#engine, id);
      const left = ledger.find(id)?.parts.some((part) => (part.upstream ?? part.refused) === undefined);
      // All is to stop.
      if (left === true) return;
      this.#queue.shift();
      this.#sent(id);
    }
  }
}
