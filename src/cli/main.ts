#!/usr/bin/env node
import { EXIT_CODES } from './exit-codes.js';
import { run } from './program.js';

const interrupt = new AbortController();

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second time, whatever still goes on is left as it is.
    if (interrupt.signal.aborted) process.exit(EXIT_CODES.interrupted.code);
    interrupt.abort(new Error('interrupted'));
  });
}

// A reader that went away is told by the write that fails; without listeners it would end the process with a stack.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  folder: process.cwd(),
  signal: interrupt.signal,
});
