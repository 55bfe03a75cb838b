import { extname } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** A thread that runs the module of that name, which lies beside the module at the URL `beside`. */
export function startWorker(name: string, beside: string, options: WorkerOptions = {}): Worker {
  const extension = extname(new URL(beside).pathname);
  const entry = new URL(`${name}${extension}`, beside);
  // Threads inherit the flags of the program; this one, of `node --input-type=module -e …`, is refused where a file runs.
  const inherited = process.execArgv.some((flag) => flag.startsWith('--input-type')) ? { execArgv: [] } : {};
  if (extension !== '.ts') return new Worker(entry, { ...inherited, ...options });
  // Where this runs from its sources, the loader that compiles them does not reach into threads by itself.
  const load = `import('tsx/esm/api').then(({ register }) => (register(), import('${entry.href}')))`;
  return new Worker(load, { ...inherited, ...options, eval: true });
}
