import { wrongOutput } from '../support/output-schema.js';
import { ctct, Sink, type Ran, type Setup } from './harness.js';

/** Calls back with the first line, once it is there. */
class FirstLine extends Sink {
  readonly #then: (line: string) => void;
  #told = false;

  constructor(then: (line: string) => void) {
    super();
    this.#then = then;
  }

  override write(chunk: string | Uint8Array, done: (error?: Error | null) => void): boolean {
    const written = super.write(chunk, done);
    const [line] = this.lines;
    if (line !== undefined && !this.#told) {
      this.#told = true;
      this.#then(line);
    }
    return written;
  }
}

/** Runs a command that serves for as long as `use` takes, which is given the URL that the command prints first. */
export async function served(
  argv: readonly string[],
  use: (url: string) => Promise<void>,
  setup: Setup = {},
): Promise<Ran> {
  const controller = new AbortController();
  let failure: unknown;
  const ran = await ctct(argv, {
    ...setup,
    signal: controller.signal,
    stdout: new FirstLine((line) => {
      use(line.startsWith('{') ? (JSON.parse(line) as { url: string }).url : line)
        .catch((error: unknown) => {
          failure = error;
        })
        .finally(() => {
          controller.abort();
        });
    }),
  });
  if (failure !== undefined) throw failure as Error;
  const wrong = wrongOutput(argv, ran.stdout.text);
  if (wrong !== undefined) throw new Error(`${argv.join(' ')}: not by its schema: ${wrong}`);
  return ran;
}
