import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { CtctError, UsageError } from '../../src/activity/errors.js';
import {
  packError,
  unpackError,
  type FromWorker,
  type Task,
  type TaskEvent,
} from '../../src/archive/parallel-job.js';
import { startHere, startThread, type StartWorker } from '../../src/archive/parallel-threads.js';
import {
  checkInParallel,
  countInParallel,
  ndjsonInParallel,
  type ParallelOptions,
} from '../../src/archive/parallel.js';
import { makeRoom, TaskWork } from '../../src/archive/parallel-work.js';
import { readArchive, type ArchiveOptions } from '../../src/archive/read.js';
import { recordLine } from '../../src/archive/record-json.js';
import type { ArchiveProblem, ArchiveTally } from '../../src/archive/record.js';
import { activityFilter, type ActivityFilter } from '../../src/archive/select.js';
import type { ArchiveSource } from '../../src/archive/sources.js';
import { ArchiveStatistics } from '../../src/archive/statistics.js';
import { encodeEntry, encodeFeed, encodeLists, type DocumentFrame } from '../../src/ws/records.js';
import { accountUris, DOCUMENTED_ORIGIN } from '../../src/ws/uris.js';
import { runs } from '../support/runs.js';
import { aList, anActivity } from '../support/stub-service.js';

const frame: DocumentFrame = {
  uris: accountUris(DOCUMENTED_ORIGIN, 'joesflowers'),
  user: 'joesflowers',
  updated: new Date('2008-04-29T19:31:00.545Z'),
};

const numbered = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => {
    const n = from + index;
    return anActivity({
      id: `a07e1${String(n)}`,
      type: n % 2 === 0 ? 'ADD_CONTACTS' : 'EXPORT_CONTACTS',
      status: 'COMPLETE',
      errors:
        n % 3 === 1
          ? [{ lineNumber: n, emailAddress: 'zoë@example.com', message: `Unknown "Test${n}" – 東京 🌷` }]
          : [],
      transactionCount: n,
      insertTime: n % 5 === 4 ? undefined : new Date(Date.UTC(2008, 3 + (n % 7), 29, 19, n)),
      title: `No. ${n} – €`,
    });
  });

/** All that reading an archive comes to. */
interface Outcome {
  readonly text: string;
  readonly problems: readonly ArchiveProblem[];
  readonly tally: ArchiveTally;
  readonly error: unknown;
}

const plain = (error: unknown) =>
  error instanceof CtctError ? { name: error.name, code: error.code, message: error.message } : error;

async function byOne(
  sources: readonly ArchiveSource[],
  options: ArchiveOptions & { filter?: ActivityFilter } = {},
): Promise<Outcome> {
  const problems: ArchiveProblem[] = [];
  const accepts = activityFilter(options.filter ?? {});
  const reader = readArchive(sources, { ...options, onProblem: (problem) => problems.push(problem) });
  let text = '';
  let error: unknown;
  try {
    for await (const record of reader) if (accepts(record.activity)) text += recordLine(record);
  } catch (thrown) {
    error = plain(thrown);
  }
  return { text, problems, tally: reader.tally, error };
}

async function bySeveral(
  sources: readonly ArchiveSource[],
  options: Partial<ParallelOptions>,
): Promise<Outcome> {
  const problems: ArchiveProblem[] = [];
  const reader = ndjsonInParallel(sources, {
    jobs: 2,
    startWorker: startHere,
    ...options,
    onProblem: (problem) => problems.push(problem),
  });
  let text = '';
  let error: unknown;
  try {
    for await (const bytes of reader) text += Buffer.from(bytes).toString();
  } catch (thrown) {
    error = plain(thrown);
  }
  return { text, problems, tally: reader.tally, error };
}

/** Worker threads that run now. */
const threads = () => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length;

describe('reading on several threads', () => {
  let folder = '';
  let files = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-parallel-'));
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  async function file(content: string | Uint8Array, extension = 'xml'): Promise<string> {
    const path = join(folder, `${String(files++).padStart(6, '0')}.${extension}`);
    await writeFile(path, content);
    return path;
  }

  /** Workers in this thread, and all that they tell. */
  function listened(): { events: FromWorker['event'][]; startWorker: StartWorker } {
    const events: FromWorker['event'][] = [];
    return {
      events,
      startWorker: (onMessage, onFailure) =>
        startHere((message) => {
          events.push(message.event);
          onMessage(message);
        }, onFailure),
    };
  }

  const pretty = encodeFeed(numbered(0, 12), frame).replace(/></g, '>\n  <');
  const feed = encodeFeed(numbered(0, 12), frame);

  describe('comes to what one thread comes to', () => {
    const whole = fc.constantFrom(
      feed,
      pretty,
      pretty.replace(/\n/g, '\r\n'),
      pretty.replace(/\n/g, '\r'),
      `\ufeff${feed}`,
      feed.replace(/^<\?xml.*?\?>/, ''),
      feed.replace('UTF-8', 'us-ascii'),
      feed.replace('UTF-8', 'EBCDIC-XY'),
      encodeFeed(numbered(40, 5), frame),
      encodeFeed([], frame),
      encodeLists([aList('1', 'Roses'), aList('2', 'Tulips')], frame),
      encodeEntry(numbered(50, 1)[0]!, frame),
      feed
        .replaceAll('<entry', '<a:entry')
        .replaceAll('</entry', '</a:entry')
        .replace('<feed', '<feed xmlns:a="http://www.w3.org/2005/Atom"'),
    );
    const put = fc.constantFrom(
      '',
      '<!-- <entry> </entry> <?xml version="1.0"?> <feed> -->',
      '<![CDATA[ </entry><entry> ]]>',
      '<?note </entry> ?>',
      '<!-- </entry>',
      '<![CDATA[ </entry>',
      '</entry>',
      '</entry >\n',
      '<entry>',
      '<entry',
      '</feed>',
      '<?xml version="1.0"?>',
      '<x:entry>',
      '<',
      '&',
      '\0',
      '\ufeff',
      '\u{1f337}',
      '"',
    );
    const change = fc.record({ at: fc.nat({ max: 100_000 }), take: fc.nat({ max: 60 }), put });
    const content = fc
      .tuple(
        fc.array(whole, { minLength: 1, maxLength: 3 }),
        fc.constantFrom('', '\n', '\r\n', ' \n<!-- </entry> -->\n'),
      )
      .map(([documents, between]) => documents.join(between))
      .chain((text) =>
        fc.tuple(fc.constant(Buffer.from(text)), fc.array(change, { maxLength: 3 })).map(([bytes, changes]) =>
          changes.reduce((before, { at, take, put: added }) => {
            const from = at % (before.length + 1);
            return Buffer.concat([
              before.subarray(0, from),
              Buffer.from(added),
              before.subarray(from + take),
            ]);
          }, bytes),
        ),
      );
    const settings = fc.record({
      partBytes: fc.oneof(fc.integer({ min: 60, max: 600 }), fc.integer({ min: 600, max: 8000 })),
      jobs: fc.integer({ min: 1, max: 4 }),
    });

    it('for feeds, damaged or not, however they are cut', async () => {
      await fc.assert(
        fc.asyncProperty(content, settings, async (bytes, { partBytes, jobs }) => {
          const path = await file(bytes);
          expect(await bySeveral([path], { partBytes, jobs })).to.deep.equal(await byOne([path]));
          await rm(path);
        }),
        { numRuns: runs(150) },
      );
    });

    it('for limits that entries exceed, and where the first problem ends all', async () => {
      await fc.assert(
        fc.asyncProperty(
          content,
          settings,
          fc.constantFrom(undefined, 500, 900),
          fc.boolean(),
          async (bytes, { partBytes, jobs }, maxEntryBytes, strict) => {
            const path = await file(bytes);
            const options = { maxEntryBytes, strict };
            const several = await bySeveral([path], { partBytes, jobs, ...options });
            expect(several).to.deep.equal(await byOne([path], options));
            await rm(path);
          },
        ),
        { numRuns: runs(80) },
      );
    });

    it('for several files of any encoding, packed or not', async () => {
      const some = fc.tuple(content, fc.constantFrom('xml', 'latin1', 'utf16le', 'gz', 'cut'));
      await fc.assert(
        fc.asyncProperty(fc.array(some, { minLength: 1, maxLength: 4 }), settings, async (all, options) => {
          const paths: string[] = [];
          for (const [bytes, kind] of all) {
            const text = bytes.toString();
            const written =
              kind === 'latin1'
                ? Buffer.from(text.replaceAll('UTF-8', 'ISO-8859-1'), 'latin1')
                : kind === 'utf16le'
                  ? Buffer.from(`\ufeff${text}`, 'utf16le')
                  : kind === 'gz'
                    ? gzipSync(bytes)
                    : kind === 'cut'
                      ? gzipSync(bytes).subarray(0, 300)
                      : bytes;
            paths.push(await file(written));
          }
          expect(await bySeveral(paths, options)).to.deep.equal(await byOne(paths));
          await Promise.all(paths.map((path) => rm(path)));
        }),
        { numRuns: 60 },
      );
    });

    it('for statistics, and for problems alone', async () => {
      await fc.assert(
        fc.asyncProperty(content, settings, async (bytes, options) => {
          const path = await file(bytes);
          const one = new ArchiveStatistics();
          for await (const record of readArchive(path)) one.add(record);
          const several = new ArchiveStatistics();
          const yielded: Uint8Array[] = [];
          const counting = countInParallel(path, several, { ...options, startWorker: startHere });
          for await (const piece of counting) yielded.push(piece);
          expect(several.toJSON()).to.deep.equal(one.toJSON());

          const problems: ArchiveProblem[] = [];
          const onProblem = (problem: ArchiveProblem) => problems.push(problem);
          const checking = checkInParallel(path, { ...options, startWorker: startHere, onProblem });
          for await (const piece of checking) yielded.push(piece);
          const expected = await byOne([path]);
          expect(problems).to.deep.equal(expected.problems);
          expect(checking.tally).to.deep.equal(expected.tally);
          expect(counting.tally).to.deep.equal(expected.tally);
          expect(Buffer.concat(yielded)).to.have.length(0);
          await rm(path);
        }),
        { numRuns: 40 },
      );
    });

    it('for a filter, which leaves problems and counts as they are', async () => {
      const path = await file(pretty.replace('<TransactionCount>1<', '<TransactionCount>one<'));
      const filter = { types: ['EXPORT_CONTACTS'], since: new Date('2008-05-01T00:00:00Z') };
      const expected = await byOne([path], { filter });
      expect(await bySeveral([path], { partBytes: 1000, filter })).to.deep.equal(expected);
      const reader = ndjsonInParallel(path, { jobs: 3, partBytes: 1000, filter, startWorker: startHere });
      let pieces = 0;
      for await (const piece of reader) pieces += piece.length > 0 ? 1 : 0;
      expect(pieces).to.be.above(1);
      expect(reader.chosen).to.equal(expected.text.split('\n').length - 1);
      expect(reader.undated).to.equal(2);
    });
  });

  describe('the parts of a file', () => {
    it('end where others began, and nothing is read twice', async () => {
      for (const text of [pretty, feed, `\ufeff${feed}`, pretty.replace(/\n/g, '\r\n')]) {
        const path = await file(text);
        const { events, startWorker } = listened();
        // The first worker is this thread itself, and is not listened to.
        const outcome = await bySeveral([path], { partBytes: 1500, jobs: 3, startWorker });
        expect(outcome).to.deep.equal(await byOne([path]));
        expect(events.filter(({ kind }) => kind === 'passed')).to.deep.equal([]);
        expect(events.filter((event) => event.kind === 'done' && event.joined !== undefined)).to.not.be.empty;
      }
    });

    it('are documents, where there are several', async () => {
      const path = await file(
        Array.from({ length: 12 }, (_, n) => encodeFeed(numbered(n, 2), frame)).join('\n'),
      );
      const { events, startWorker } = listened();
      const outcome = await bySeveral([path], { partBytes: 4000, jobs: 3, startWorker });
      expect(outcome).to.deep.equal(await byOne([path]));
      expect(outcome.tally).to.include({ documents: 12, records: 24, problems: 0 });
      expect(events.filter(({ kind }) => kind === 'passed')).to.deep.equal([]);
    });

    it('are read anew where they do not begin what they seem to', async () => {
      const hidden = '<!-- </entry> <entry> -->'.repeat(40);
      const path = await file(feed.replace('</entry><entry>', `</entry>${hidden}<entry>`));
      const reader = ndjsonInParallel(path, { jobs: 2, partBytes: 400, startWorker: startHere });
      let text = '';
      for await (const bytes of reader) text += Buffer.from(bytes).toString();
      expect({ text, tally: reader.tally }).to.deep.include({ text: (await byOne([path])).text });
      expect(reader.tally.bytes).to.equal(Buffer.byteLength(feed) + hidden.length);
    });
  });

  describe('going on', () => {
    it('passes over what a run before has read', async () => {
      const paths = [await file(pretty), await file(feed)];
      const lines = (await byOne(paths)).text.split('\n').filter((line) => line !== '');
      for (const [index, line] of lines.entries()) {
        const { position } = JSON.parse(line) as { position: { source: string; byteOffset: number } };
        const from = position.source === paths[0] ? paths : paths.slice(1);
        const { text } = await bySeveral(from, { partBytes: 900, after: position });
        expect(text.split('\n').filter((rest) => rest !== '')).to.deep.equal(lines.slice(index + 1));
      }
    });

    it('tells the record that was read last, and may be ended anywhere', async () => {
      const path = await file(pretty);
      const reader = ndjsonInParallel(path, { jobs: 2, partBytes: 1000, startWorker: startHere });
      expect(reader.last).to.equal(undefined);
      let text = '';
      for await (const bytes of reader) {
        text += Buffer.from(bytes).toString();
        if (text.split('\n').length > 4) break;
      }
      const lines = text.trimEnd().split('\n');
      expect(reader.last).to.deep.equal((JSON.parse(lines.at(-1) ?? '') as { position: unknown }).position);
      expect((await byOne([path])).text.startsWith(text)).to.equal(true);
    });
  });

  describe('sources that are no files', () => {
    async function* stream(text: string): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < text.length; at += 700) {
        await Promise.resolve();
        yield Buffer.from(text.slice(at, at + 700));
      }
    }

    it('are read in their place by the thread that has them', async () => {
      const path = await file(pretty);
      const damaged = feed.slice(0, -500);
      const sources = () => [
        { name: 'stream', bytes: stream(damaged.replace(/[^\0-\x7f]/g, '?')) },
        path,
        { name: 'packed', bytes: gzipSync(gzipSync(feed)) },
        Buffer.from(feed),
        path,
      ];
      const outcome = await bySeveral(sources(), { partBytes: 2000, jobs: 3 });
      expect(outcome).to.deep.equal(await byOne(sources()));
      expect(outcome.tally.sources).to.equal(5);
    });
  });

  describe('errors', () => {
    it('come where the file stands among the others', async () => {
      const paths = [await file(pretty), await file(feed), join(folder, 'none.xml'), await file(feed)];
      const outcome = await bySeveral(paths, { partBytes: 1500 });
      expect(outcome).to.deep.equal(await byOne(paths));
      expect(outcome.error).to.include({ name: 'UsageError', code: 'FILE_UNREADABLE' });
    });

    it('of a file that goes away are those of reading it', async () => {
      const paths = [await file(feed), await file(feed)];
      const reader = ndjsonInParallel(paths, { jobs: 1, partBytes: 100_000 });
      const iterator = reader[Symbol.asyncIterator]();
      await rm(paths[1] ?? '');
      const thrown: unknown = await iterator
        .next()
        .then(
          () => iterator.next(),
          (error: unknown) => error,
        )
        .catch((error: unknown) => error);
      expect(plain(thrown)).to.include({ name: 'UsageError', code: 'FILE_UNREADABLE' });
    });

    it('of a file that goes away once it is planned are problems', async () => {
      const gone = join(folder, 'gone.xml');
      async function* unreadable(): AsyncGenerator<Uint8Array> {
        await Promise.resolve();
        yield* [];
        throw new UsageError('FILE_UNREADABLE', `${gone}: there is no such file`);
      }
      const { problems, tally } = await byOne([{ name: gone, bytes: unreadable() }]);
      expect(problems.map(({ code }) => code)).to.deep.equal(['XML_TRUNCATED', 'FILE_UNREADABLE']);

      const cut = { path: gone, size: 5000, partBytes: 1000, feed: undefined, marked: false };
      const told = async (task: Task) => {
        const events: TaskEvent[] = [];
        const job = { make: 'problems', filter: {}, after: undefined, strict: false } as const;
        const unlimited = { maxEntryBytes: undefined, maxUnpackedRatio: undefined };
        await new TaskWork({ ...job, ...unlimited }, (event) => events.push(event), makeRoom()).run(task);
        return events;
      };
      for (const task of [
        { kind: 'files', paths: [gone] },
        { kind: 'part', file: cut, part: 0 },
      ] as const) {
        const events = await told(task);
        expect(events.at(-1)).to.deep.equal({ kind: 'done', joined: undefined });
        const pieces = events.flatMap((event) => (event.kind === 'piece' ? [event.piece] : []));
        expect(pieces.flatMap((piece) => piece.problems)).to.deep.equal(problems);
        expect(pieces.at(-1)?.tally).to.deep.equal(tally);
      }
      // Of a part that somebody may rely on, nothing must be left out in silence.
      const [event] = await told({ kind: 'part', file: cut, part: 2 });
      expect(event?.kind).to.equal('failed');
    });

    it('cross to another thread as what they are', () => {
      const usage = new UsageError('FILE_UNREADABLE', 'x.xml: there is no such file');
      const defect = new TypeError('x is not a function');
      for (const error of [usage, defect]) {
        const there = structuredClone(packError(error));
        expect(unpackError(there))
          .to.be.instanceOf(error.constructor)
          .and.include({ message: error.message });
      }
    });

    it('of options are told at once', () => {
      for (const jobs of [-1, 65, 1.5, NaN]) {
        expect(() => ndjsonInParallel('x.xml', { jobs })).to.throw(CtctError, 'jobs must be');
      }
      expect(() => ndjsonInParallel('x.xml', { jobs: 2, partBytes: 0 })).to.throw(
        CtctError,
        'partBytes must be',
      );
    });

    it('of a worker that dies end the reading', async () => {
      const path = await file(pretty);
      const startWorker: StartWorker = (_, onFailure) => {
        queueMicrotask(() => {
          onFailure(new Error('out of memory'));
        });
        const nothing = () => Promise.resolve();
        return { post: () => undefined, end: nothing, kill: nothing };
      };
      const { error } = await bySeveral([path], { partBytes: 1000, startWorker });
      expect(error).to.be.an('error').with.property('message', 'out of memory');
    });
  });

  describe('on threads', () => {
    const onThreads = { jobs: 3, partBytes: 1500, startWorker: startThread };

    it('reads the same, and leaves no thread behind', async () => {
      const before = threads();
      const paths = [
        await file(pretty),
        await file(gzipSync(feed), 'gz'),
        await file(feed.replace('</Activity>', '')),
      ];
      const outcome = await bySeveral(paths, onThreads);
      expect(outcome).to.deep.equal(await byOne(paths));
      expect(threads()).to.equal(before);
    });

    it('as many as there are cores, when none are named', async () => {
      const path = await file(pretty);
      expect(await bySeveral([path], { jobs: 0, partBytes: 3000, startWorker: startThread })).to.deep.equal(
        await byOne([path]),
      );
    });

    it('brings errors over as they are', async () => {
      const before = threads();
      const paths = [await file(pretty), await file(feed)];
      const options = { ...onThreads, partBytes: 100_000, maxUnpackedRatio: 5 };
      const reader = ndjsonInParallel(paths, options);
      const iterator = reader[Symbol.asyncIterator]();
      await rm(paths[1] ?? '');
      let thrown: unknown;
      try {
        while ((await iterator.next()).done !== true);
      } catch (error) {
        thrown = error;
      }
      expect(plain(thrown)).to.include({ name: 'UsageError', code: 'FILE_UNREADABLE' });
      expect(threads()).to.equal(before);
    });

    it('ends them all when it is aborted, or left', async () => {
      const before = threads();
      const path = await file(pretty);
      const abort = new AbortController();
      const reader = ndjsonInParallel(path, { ...onThreads, signal: abort.signal });
      let error: unknown;
      try {
        for await (const bytes of reader) abort.abort(new Error(`after ${bytes.length}`));
      } catch (thrown) {
        error = thrown;
      }
      expect(plain(error)).to.include({ name: 'TransportError', code: 'ABORTED' });
      for await (const bytes of ndjsonInParallel(path, onThreads)) if (bytes.length > 0) break;
      const early = AbortSignal.abort(new Error('before'));
      expect((await bySeveral([path], { ...onThreads, signal: early })).error).to.include({
        code: 'ABORTED',
      });
      expect(threads()).to.equal(before);
    });
  });
});
