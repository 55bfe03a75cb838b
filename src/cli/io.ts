import type { ActivityService } from '../activity/service.js';
import type { Clock } from '../clock.js';
import type { Settings } from './config.js';

/** A stream that text and bytes are written to, a terminal or not. */
export interface OutStream {
  readonly isTTY?: boolean | undefined;
  /** Characters per line, where it is a terminal. */
  readonly columns?: number | undefined;
  write(chunk: string | Uint8Array, done: (error?: Error | null) => void): boolean;
}

/** A stream that lines or bytes are read from, a terminal or not. */
export type InStream = NodeJS.ReadableStream & {
  readonly isTTY?: boolean | undefined;
  /** Ends the stream, whoever reads it. */
  destroy?(): unknown;
};

/** Everything a run of the command line touches outside itself, so that a test can stand in for any of it. */
export interface CliIo {
  readonly stdin: InStream;
  readonly stdout: OutStream;
  readonly stderr: OutStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that the command is run in, where a project's settings are looked for. Default: no settings of a project. */
  readonly folder?: string | undefined;
  /** Aborts when the user interrupts. Default: never. */
  readonly signal?: AbortSignal | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
  /** Makes the service the commands work on. Default: a WsClient. */
  readonly connect?: ((settings: Settings) => ActivityService) | undefined;
}
