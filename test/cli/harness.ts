import { Readable } from 'node:stream';
import type { Clock } from '../../src/clock.js';
import type { CliIo, InStream, OutStream } from '../../src/cli/io.js';
import { run } from '../../src/cli/program.js';
import { createEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/emulator.js';
import { wrongOutput } from '../support/output-schema.js';

/** Text that was written, in place of a terminal or a pipe. */
export class Sink implements OutStream {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  /** Set to have every write fail. */
  failure: Error | undefined;
  #chunks: Buffer[] = [];

  constructor(terminal?: { columns: number }) {
    this.isTTY = terminal !== undefined;
    this.columns = terminal?.columns;
  }

  write(chunk: string | Uint8Array, done: (error?: Error | null) => void): boolean {
    if (this.failure === undefined) this.#chunks.push(Buffer.from(chunk));
    done(this.failure);
    return true;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

/** A clock on which every sleep is over at once, and took as long as it should. */
export function leapingClock(): Clock {
  let now = Date.UTC(2008, 3, 29, 19, 30);
  return {
    now: () => now,
    sleep: async (milliseconds, signal) => {
      await Promise.resolve();
      signal?.throwIfAborted();
      now += milliseconds;
    },
  };
}

export const CREDENTIALS = { CTCT_API_KEY: 'key-1234', CTCT_PASSWORD: 'pass-5678' };

/** Everything a run of the command line can be given, most of it left out. */
export interface Setup extends Partial<CliIo> {
  readonly input?: string;
  readonly terminal?: { columns: number };
  /** A terminal for stderr and stdin. */
  readonly person?: boolean;
}

export interface Ran {
  readonly exit: number;
  readonly stdout: Sink;
  readonly stderr: Sink;
}

/** Runs a command line in this process. */
export async function ctct(argv: readonly string[], setup: Setup = {}): Promise<Ran> {
  const stdout = new Sink(setup.terminal);
  const stderr = new Sink(setup.person === true ? (setup.terminal ?? { columns: 80 }) : undefined);
  const stdin: InStream = Object.assign(Readable.from([Buffer.from(setup.input ?? '')]), {
    isTTY: setup.person === true,
  });
  const exit = await run(argv, {
    stdin,
    stdout,
    stderr,
    env: {},
    ...setup,
  });
  // What any test has put out as JSON is by the schema.
  const wrong = setup.stdout === undefined ? wrongOutput(argv, stdout.text) : undefined;
  if (wrong !== undefined) throw new Error(`${argv.join(' ')}: not by its schema: ${wrong}`);
  return { exit, stdout: (setup.stdout as Sink | undefined) ?? stdout, stderr };
}

/** An emulated account with the lists 2 and 5, and a command line that works on it, without any port. */
export function emulated(options: EmulatorOptions = {}): {
  readonly emulator: Emulator;
  readonly clock: Clock;
  readonly ctct: (argv: readonly string[], setup?: Setup) => Promise<Ran>;
} {
  const clock = leapingClock();
  const emulator = createEmulator({
    accounts: [
      {
        user: 'joesflowers',
        lists: [
          { id: '2', name: 'Spring Newsletter', members: ['fred@example.com', 'joan@example.com'] },
          { id: '5', name: 'Shop Customers' },
        ],
      },
    ],
    clock,
    ...options,
  });
  const fetch = ((request: Request | string | URL, init?: RequestInit) =>
    emulator.fetch(request, init)) as typeof globalThis.fetch;
  const env = { CTCT_USER: 'joesflowers', ...CREDENTIALS };
  return {
    emulator,
    clock,
    ctct: (argv, setup = {}) =>
      ctct(argv, { clock, fetch, random: () => 0, ...setup, env: { ...env, ...setup.env } }),
  };
}

/** What `--output json` wrote. */
export function envelope(ran: Ran): { version: number; kind: string; data: never } {
  return JSON.parse(ran.stdout.text) as { version: number; kind: string; data: never };
}
