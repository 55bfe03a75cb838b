import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
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
export function firstLine(io: CliIo): Promise<string> {
  return lineOf(createInterface({ input: io.stdin, terminal: false }), io);
}

/** The line that a person types, who does not see it; empty when the input ends. */
export async function hiddenLine(io: CliIo, question: string): Promise<string> {
  io.stderr.write(question, () => undefined);
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const lines = createInterface({ input: io.stdin, output: nowhere, terminal: true });
  // The terminal gives Ctrl-C to readline, as a key.
  lines.once('SIGINT', () => {
    lines.close();
    process.kill(process.pid, 'SIGINT');
  });
  try {
    return await lineOf(lines, io);
  } finally {
    io.stderr.write('\n', () => undefined);
  }
}

async function lineOf(lines: Interface, { signal }: CliIo): Promise<string> {
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
