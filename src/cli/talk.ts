import { redact } from '../http/failures.js';
import type { OutStream } from './io.js';
import { cutTo, isInteractive, painter, widthOf, type Paint } from './terminal.js';

export interface TalkOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Says errors only. */
  readonly quiet: boolean;
  /** Draws and prints progress. */
  readonly progress: boolean;
  /** Texts that must not be printed, whatever else is, as `secretsOf` gives them. */
  readonly secrets: () => readonly string[];
  /** How often progress is shown again; default every 0.1 s where it is drawn, else every 10 s. */
  readonly everyMilliseconds?: number;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const ERASE = '\r\u001b[K';
/** Milliseconds between two drawings of the line of progress. */
const DRAW = 100;
/** Milliseconds between two lines of progress that say the same. */
const REPEAT = 10_000;

/**
 * stderr: what is said beside the data. Progress is one line that is drawn over on a terminal; elsewhere it is a line
 * for each thing new, and one every 10 seconds at most for the rest.
 */
export class Talk {
  readonly paint: Paint;
  readonly #stream: OutStream;
  readonly #options: TalkOptions;
  readonly #interactive: boolean;
  #going: { news: string; text: () => string; frame: number; timer: NodeJS.Timeout } | undefined;

  constructor(stream: OutStream, options: TalkOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#interactive = isInteractive(stream, options.env);
    this.paint = painter(stream, options.env);
  }

  note(text: string): void {
    if (!this.#options.quiet) this.#line(text);
  }

  warn(text: string): void {
    if (!this.#options.quiet) this.#line(`${this.paint('yellow', 'ctct: warning:')} ${text}`);
  }

  /** An error in one line, then a line for each thing the user can do. */
  error(message: string, hints: readonly string[] = []): void {
    this.#line(`${this.paint('red', 'ctct:')} ${message}`);
    for (const hint of hints) this.#line(`  ${this.paint('cyan', hint)}`);
  }

  /**
   * Shows how something goes on, until `progressEnds`. `text` is asked for whenever the line is drawn; where lines
   * cannot be drawn over, it is printed when `news` has changed, and again after 10 seconds.
   * `later` keeps the first of these lines back for those 10 seconds, `drawn` all of them.
   */
  progress(news: string, text: () => string, printed: 'now' | 'later' | 'drawn' = 'now'): void {
    const drawnOnly = printed === 'drawn' && !this.#interactive;
    if (this.#options.quiet || !this.#options.progress || drawnOnly) return;
    const known = this.#going?.news === news;
    if (this.#going !== undefined) Object.assign(this.#going, { news, text });
    else this.#going = { news, text, frame: 0, timer: this.#every(this.#interactive ? DRAW : REPEAT) };
    if (this.#interactive || (!known && printed === 'now')) this.#show();
  }

  /** Ends the progress: takes the drawn line away. */
  progressEnds(): void {
    if (this.#going === undefined) return;
    clearInterval(this.#going.timer);
    this.#going = undefined;
    if (this.#interactive) this.#write(ERASE);
  }

  #every(milliseconds: number): NodeJS.Timeout {
    const timer = setInterval(() => {
      this.#show();
    }, this.#options.everyMilliseconds ?? milliseconds);
    return timer.unref();
  }

  #show(): void {
    if (this.#going === undefined) return;
    if (!this.#interactive) {
      this.#write(`${this.#going.text()}\n`);
      return;
    }
    const frame = SPINNER[this.#going.frame++ % SPINNER.length] ?? '';
    // Some cells are left free: a full line makes terminals scroll.
    const text = cutTo(this.#safe(this.#going.text()), (widthOf(this.#stream) ?? 80) - 3);
    this.#write(`${ERASE}${this.paint('cyan', frame)} ${text}`);
  }

  #line(text: string): void {
    if (this.#going === undefined || !this.#interactive) {
      this.#write(`${text}\n`);
      return;
    }
    this.#write(`${ERASE}${text}\n`);
    this.#show();
  }

  #write(text: string): void {
    // Whoever does not listen any more need not be told: nothing depends on what is said here.
    this.#stream.write(this.#safe(text), () => undefined);
  }

  #safe(text: string): string {
    return redact(text, this.#options.secrets());
  }
}
