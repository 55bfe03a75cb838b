import { fileBytes } from './file-bytes.js';
import { isGzip } from './gunzip.js';
import type { CutFile, Task } from './parallel-job.js';
import { newTally } from './read.js';
import { ArchiveScanner } from './scanner.js';
import type { OpenedSource } from './sources.js';

/** One step of the order in which an archive is read: a task, or a source that only this thread can read. */
export type Step = Task | { readonly kind: 'source'; readonly source: OpenedSource };

/** Files that are read by one task. */
const MOST_FILES = 256;
/** The first entry of a large file is looked for in so many bytes. */
const HEAD = 1024 * 1024;

/** The sources as tasks: small files together, large ones in parts. An error of the sources comes where it stands among them. */
export async function* planTasks(
  sources: AsyncIterable<OpenedSource>,
  partBytes: number,
): AsyncGenerator<Step, void, undefined> {
  let paths: string[] = [];
  let bytes = 0;
  const together = function* (): Generator<Step> {
    if (paths.length > 0) yield { kind: 'files', paths };
    paths = [];
    bytes = 0;
  };
  const iterator = sources[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = await iterator.next().catch((error: unknown) => ({ error }));
      if ('error' in step || step.done === true) {
        yield* together();
        if ('error' in step) throw step.error;
        return;
      }
      const source = step.value;
      const { path, size = partBytes } = source;
      if (path === undefined) {
        yield* together();
        yield { kind: 'source', source };
        continue;
      }
      const cut = size < 2 * partBytes ? undefined : await cutFile(path, size, partBytes);
      if (cut !== undefined) {
        yield* together();
        const parts = Math.ceil(size / partBytes);
        for (let part = 0; part < parts; part++) yield { kind: 'part', file: cut, part };
        continue;
      }
      paths.push(path);
      bytes += size;
      if (bytes >= partBytes || paths.length === MOST_FILES) yield* together();
    }
  } finally {
    await iterator.return?.();
  }
}

/** How the file is cut; undefined when it is packed, or cannot be read at all, which is told when its turn comes. */
async function cutFile(path: string, size: number, partBytes: number): Promise<CutFile | undefined> {
  const scanner = new ArchiveScanner({
    source: path,
    maxEntryBytes: HEAD,
    tally: newTally(),
    onProblem: () => undefined,
  });
  scanner.pauseAt(1);
  let start: Buffer | undefined;
  try {
    for await (const chunk of fileBytes(path, { start: 0, end: HEAD })) {
      start ??= Buffer.from(chunk.subarray(0, 3));
      if (isGzip(start)) return undefined;
      scanner.push(chunk);
      while (scanner.read() !== undefined);
      if (scanner.pause !== undefined) break;
    }
  } catch {
    return undefined;
  }
  const marked = start?.toString('latin1') === '\xef\xbb\xbf';
  return { path, size, partBytes, feed: scanner.pause?.feed, marked };
}
