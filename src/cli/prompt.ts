import { createInterface } from 'node:readline';
import type { CliIo } from './io.js';

/** Whether there is a person to ask: one who sees stderr and types on stdin. */
export function canAsk(io: CliIo): boolean {
  return io.stdin.isTTY === true && io.stderr.isTTY === true;
}

/** True when the user types `yes`; anything else, and the end of the input, is a no. */
export async function askYes(io: CliIo, question: string): Promise<boolean> {
  io.stderr.write(question, () => undefined);
  // Not readline's own terminal handling: Ctrl-C must reach the process.
  const lines = createInterface({ input: io.stdin, terminal: false });
  const interrupted = () => {
    io.stderr.write('\n', () => undefined);
    lines.close();
  };
  io.signal?.addEventListener('abort', interrupted, { once: true });
  try {
    for await (const line of lines) return line.trim().toLowerCase() === 'yes';
    return false;
  } finally {
    io.signal?.removeEventListener('abort', interrupted);
    lines.close();
  }
}

/** The first line of stdin; empty at its end. */
export async function firstLine({ stdin, signal }: CliIo): Promise<string> {
  const lines = createInterface({ input: stdin, terminal: false });
  const interrupted = () => {
    lines.close();
  };
  signal?.addEventListener('abort', interrupted, { once: true });
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    signal?.removeEventListener('abort', interrupted);
    lines.close();
  }
}
