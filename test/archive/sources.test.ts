import { expect } from 'chai';
import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { CtctError, UsageError, type ErrorCode } from '../../src/activity/errors.js';
import {
  openSources,
  type ArchiveSource,
  type OpenedSource,
  type SourceOptions,
} from '../../src/archive/sources.js';

async function openAll(
  source: ArchiveSource | readonly ArchiveSource[],
  options?: SourceOptions,
): Promise<OpenedSource[]> {
  const opened = [];
  for await (const one of openSources(source, options)) opened.push(one);
  return opened;
}

const namesOf = async (source: ArchiveSource | readonly ArchiveSource[]) =>
  (await openAll(source)).map(({ name }) => name);

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies = [];
  for await (const chunk of chunks) copies.push(Buffer.from(chunk));
  return Buffer.concat(copies);
}

async function textOf(source: OpenedSource): Promise<string> {
  return (await bytesOf(source.open())).toString();
}

/** The chunks in one buffer that is filled again and again, as careful consumers must expect it. */
async function* reusing(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const room = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    const part = bytes.subarray(at, at + size);
    room.set(part);
    yield room.subarray(0, part.length);
    room.fill(0xee);
  }
}

async function failure(action: () => Promise<unknown>): Promise<CtctError> {
  try {
    await action();
  } catch (error) {
    expect(error).to.be.instanceOf(CtctError);
    return error as CtctError;
  }
  return expect.fail('nothing was thrown');
}

async function expectUsage(action: () => Promise<unknown>, code: ErrorCode, message: string | RegExp) {
  const error = await failure(action);
  expect(error).to.be.instanceOf(UsageError);
  expect(error.code).to.equal(code);
  if (typeof message === 'string') expect(error.message).to.equal(message);
  else expect(error.message).to.match(message);
}

describe('openSources', () => {
  it('opens what is in memory and what streams, in order, by names of their own', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            bytes: fc.uint8Array({ maxLength: 50 }).filter(([first]) => first !== 0x1f),
            size: fc.integer({ min: 1, max: 9 }),
            stream: fc.boolean(),
            name: fc.option(fc.constantFrom('march', 'april'), { nil: undefined }),
          }),
          { maxLength: 5 },
        ),
        async (inputs) => {
          const sources = inputs.map(({ bytes, size, stream, name }) => {
            const given = stream ? reusing(bytes, size) : bytes;
            return name === undefined ? given : { name, bytes: given };
          });
          const opened = await openAll(sources);
          expect(opened.map(({ name, size, path }) => ({ name, size, path }))).to.deep.equal(
            inputs.map(({ bytes, stream, name }, i) => ({
              name: name ?? `${stream ? 'stream' : 'buffer'} ${i + 1}`,
              size: stream ? undefined : bytes.length,
              path: undefined,
            })),
          );
          for (const [i, source] of opened.entries()) {
            expect((await bytesOf(source.open())).equals(inputs[i]!.bytes)).to.equal(true);
          }
        },
      ),
    );
  });

  it('takes one source as well as a list, and streams of any kind', async () => {
    const [buffer] = await openAll(Buffer.from('<a/>'));
    expect(await textOf(buffer!)).to.equal('<a/>');
    expect(await textOf(buffer!), 'again').to.equal('<a/>');
    const [readable, web] = await openAll([
      Readable.from([Buffer.from('<b'), Buffer.from('/>')]),
      new Response('<c/>').body as ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>,
    ]);
    expect(await textOf(readable!)).to.equal('<b/>');
    expect(await textOf(web!)).to.equal('<c/>');
    expect(await openAll([])).to.deep.equal([]);
  });

  it('reads stdin for -, once', async () => {
    const options = { stdin: Readable.from([Buffer.from('<a/>')]) };
    const [source] = await openAll('-', options);
    expect(source).to.deep.include({ name: 'stdin', size: undefined, path: undefined });
    expect(await textOf(source!)).to.equal('<a/>');
    expect(await namesOf('-'), 'that of the process, not read').to.deep.equal(['stdin']);
    await expectUsage(
      () => openAll(['-', '-'], options),
      'OPTION_INVALID',
      '"-" is named twice; stdin can be read once',
    );
  });

  it('opens a stream once', async () => {
    const [source] = await openAll(reusing(Buffer.from('<a/>'), 9));
    await textOf(source!);
    await expectUsage(() => textOf(source!), 'OPTION_INVALID', 'stream 1: a stream can be read once');
  });

  it('says what a stream did wrong, after what came before', async () => {
    const reading = async (stream: AsyncIterable<unknown>) => {
      const [source] = await openAll({ name: 'feed', bytes: stream as AsyncIterable<Uint8Array> });
      let text = '';
      const error = await failure(async () => {
        for await (const chunk of source!.open()) text += Buffer.from(chunk).toString();
      });
      return { text, code: error.code, message: error.message, cause: error.cause };
    };
    async function* failing(what: unknown) {
      yield Buffer.from('<a');
      yield Buffer.from('/>');
      await Promise.resolve();
      throw what;
    }
    const lost = new Error('connection lost');
    expect(await reading(failing(lost))).to.deep.equal({
      text: '<a/>',
      code: 'FILE_UNREADABLE',
      message: 'feed: the stream failed: connection lost',
      cause: lost,
    });
    expect((await reading(failing('gone'))).message).to.equal('feed: the stream failed: gone');
    const ours = new UsageError('OFFLINE', 'no');
    expect((await reading(failing(ours))).message, 'errors of the family stay').to.equal('no');
    expect(await reading(Readable.from([Buffer.from('<a/>'), '<b/>']))).to.deep.include({
      text: '<a/>',
      code: 'OPTION_INVALID',
      message: 'feed: the stream must yield bytes (Uint8Array), it yielded string',
    });
  });

  it('refuses what is no source when its turn comes', async () => {
    for (const wrong of [
      undefined,
      null,
      5,
      {},
      { name: 'x', bytes: 'text' },
      { name: 5, bytes: Buffer.of() },
    ]) {
      const opened: string[] = [];
      await expectUsage(
        async () => {
          for await (const { name } of openSources([Buffer.of(), wrong as unknown as string]))
            opened.push(name);
        },
        'OPTION_INVALID',
        /^source 2: expected a path, a file: URL, bytes, a stream of bytes, or \{ name, bytes \}/,
      );
      expect(opened).to.deep.equal(['buffer 1']);
    }
    for (const maxUnpackedRatio of [0, -1, NaN]) {
      await expectUsage(
        () => openAll(Buffer.of(), { maxUnpackedRatio }),
        'OPTION_INVALID',
        /maxUnpackedRatio/,
      );
    }
  });

  describe('of files', () => {
    let root: string;
    const at = (...names: string[]) => path.join(root, ...names);
    const put = async (name: string, content: string | Uint8Array = name) => {
      await mkdir(path.dirname(at(name)), { recursive: true });
      await writeFile(at(name), content);
    };

    beforeEach(async () => {
      root = await mkdtemp(path.join(os.tmpdir(), 'ctct-sources-'));
    });
    afterEach(() => rm(root, { recursive: true }));

    it('reads a file by its path, of any name, as often as it is named', async () => {
      await put('feed of 2009');
      const file = at('feed of 2009');
      const [first, second, third] = await openAll([file, pathToFileURL(file), file]);
      for (const source of [first, second, third]) {
        expect(source).to.deep.include({ name: file, path: file, size: 12 });
        expect(await textOf(source!)).to.equal('feed of 2009');
        expect(await textOf(source!), 'again').to.equal('feed of 2009');
      }
    });

    it('reads files of every size whole, and leaves each chunk alone until the next is asked for', async () => {
      for (const size of [0, 1, 4095, 4096, 262_143, 262_144, 262_145, 1_300_000]) {
        const content = Buffer.alloc(size, 'the quick brown fox\n');
        for (let i = 0; i < size; i += 997) content[i] = i & 0x7f;
        await put('a.xml', content);
        const [source] = await openAll(at('a.xml'));
        const copies = [];
        for await (const chunk of source!.open()) {
          // Time for the file to be read ahead.
          await new Promise((resolve) => setTimeout(resolve, 1));
          copies.push(Buffer.from(chunk));
        }
        expect(Buffer.concat(copies).equals(content), `${size}`).to.equal(true);
      }
    });

    it('reads a directory: archives at any depth, sorted by code unit, hidden ones left out', async () => {
      const archives = [
        'Z.xml',
        'a-b/1.xml',
        'a.feed',
        'a/1.xml',
        'a/10.atom.gz',
        'a/2.ATOM',
        'a/b/c/d.xml.gz',
        'é.xml',
        '😀.xml',
        '\uff5e.xml',
      ];
      const others = [
        'a/b.txt',
        'notes',
        'x.xml.bak',
        '.xml',
        '.hidden.xml',
        '.git/1.xml',
        'a/.b/1.xml',
        'xml/a.gz',
      ];
      for (const name of [...archives, ...others].reverse()) await put(name);
      await mkdir(at('dir.xml'));
      expect(await namesOf(root)).to.deep.equal(archives.map((name) => at(name)));
      expect(await namesOf(`${root}${path.sep}`)).to.deep.equal(archives.map((name) => at(name)));
      expect(await namesOf(pathToFileURL(at('a')))).to.deep.equal(
        archives.filter((name) => name.startsWith('a/')).map((name) => at(name)),
      );
      for (const { name, path: file, size } of await openAll(root)) {
        expect(file).to.equal(name);
        expect(size).to.equal(Buffer.byteLength(path.relative(root, name)));
      }
    });

    it('names files as the directory was named', async () => {
      await put('sub/a.xml');
      const relative = path.relative(process.cwd(), at('sub'));
      expect(await namesOf(relative)).to.deep.equal([path.join(relative, 'a.xml')]);
      expect(await namesOf(path.join(relative, '*.xml'))).to.deep.equal([path.join(relative, 'a.xml')]);
      const [source] = await openAll(relative);
      expect(await textOf(source!)).to.equal('sub/a.xml');
    });

    it('follows symbolic links, in circles no longer than once, and yields no file twice', async () => {
      await put('real/a.xml');
      await put('real/b.xml');
      await put('elsewhere', '<a/>');
      await symlink('real', at('real/../link'));
      await symlink('..', at('real/up'));
      await symlink('circle', at('circle'));
      await symlink('a.xml', at('real/again.xml'));
      await symlink('elsewhere', at('linked.xml'));
      const expected = [at('link/a.xml'), at('link/b.xml'), at('linked.xml')];
      expect(await namesOf(root)).to.deep.equal(expected);
      expect(await namesOf(at('**/*.xml'))).to.deep.equal(expected);
    });

    it('does not pass over a link that leads nowhere', async () => {
      await put('a.xml');
      await symlink('gone', at('b.xml'));
      await symlink('gone', at('c'));
      const [first, second, ...more] = await openAll(root);
      expect(more).to.deep.equal([]);
      expect(await textOf(first!)).to.equal('a.xml');
      expect(second!.size).to.equal(undefined);
      await expectUsage(() => textOf(second!), 'FILE_UNREADABLE', `${at('b.xml')}: there is no such file`);
    });

    it('says what it looked for in a directory without archives', async () => {
      await put('a.txt');
      await expectUsage(
        () => openAll(root),
        'FILE_UNREADABLE',
        `${root}: no archives in this directory; looked for *.xml, *.atom and *.feed, with or without .gz, ` +
          'in all that is not hidden. Name other files one by one, or by a glob',
      );
    });

    it('reads what a glob matches, sorted, and nothing else', async () => {
      for (const name of [
        '2010/b.xml',
        '2009/z.txt',
        '2009/a.xml',
        '2009/a.txt',
        '.2009/a.txt',
        '2009/x/a.txt',
      ]) {
        await put(name);
      }
      await mkdir(at('2009/dir.txt'));
      expect(await namesOf(at('*/*.txt'))).to.deep.equal([at('2009/a.txt'), at('2009/z.txt')]);
      expect(await namesOf(at('**/a.{xml,txt}'))).to.deep.equal(
        ['2009/a.txt', '2009/a.xml', '2009/x/a.txt'].map((name) => at(name)),
      );
      expect(await namesOf(at('20??/[b-z].*'))).to.deep.equal([at('2009/z.txt'), at('2010/b.xml')]);
      expect(await namesOf(at('.2009/*'))).to.deep.equal([at('.2009/a.txt')]);
      await expectUsage(
        () => openAll(at('*.rss')),
        'FILE_UNREADABLE',
        `${at('*.rss')}: no file matches, and none is called so`,
      );
    });

    it('takes a path that exists for that path, whatever it would match', async () => {
      await put('a[1].xml');
      await put('a1.xml');
      expect(await namesOf(at('a[1].xml'))).to.deep.equal([at('a[1].xml')]);
      expect(await namesOf(at('a[12].xml'))).to.deep.equal([at('a1.xml')]);
      await put('{x,y}/b.xml');
      expect(await namesOf(at('{x,y}'))).to.deep.equal([at('{x,y}/b.xml')]);
      await expectUsage(
        () => openAll(pathToFileURL(at('a*.xml'))),
        'FILE_UNREADABLE',
        /there is no such file$/,
      );
    });

    it('raises what is wrong with a path when its turn comes', async () => {
      await put('a.xml');
      await symlink('circle', at('circle'));
      const wrong = [
        [at('b.xml'), `${at('b.xml')}: there is no such file`],
        [at('a.xml', 'b'), `${at('a.xml', 'b')}: there is no such file`],
        [at('circle'), `${at('circle')}: cannot be read (ELOOP)`],
        ['', ': there is no such file'],
      ] as const;
      for (const [named, message] of wrong) {
        const opened: string[] = [];
        await expectUsage(
          async () => {
            for await (const source of openSources([at('a.xml'), named, at('a.xml')]))
              opened.push(await textOf(source));
          },
          'FILE_UNREADABLE',
          message,
        );
        expect(opened).to.deep.equal(['a.xml']);
      }
    });

    it('raises what goes wrong with a file later from its bytes', async () => {
      await put('a.xml');
      const [source] = await openAll(at('a.xml'));
      await rm(at('a.xml'));
      await expectUsage(() => textOf(source!), 'FILE_UNREADABLE', `${at('a.xml')}: there is no such file`);
      await mkdir(at('a.xml'));
      await expectUsage(() => textOf(source!), 'FILE_UNREADABLE', `${at('a.xml')}: cannot be read (EISDIR)`);
    });

    it('reads file: URLs of this machine only', async () => {
      for (const url of ['https://example.com/feed.xml', 'file://example.com/feed.xml', 'file:///a%2Fb']) {
        await expectUsage(
          () => openAll(new URL(url)),
          'OPTION_INVALID',
          /only file: URLs of this machine can be read/,
        );
      }
    });

    it('reads pipes', async () => {
      execFileSync('mkfifo', [at('pipe')]);
      const [source] = await openAll(at('pipe'));
      expect(source).to.deep.include({ name: at('pipe'), path: at('pipe'), size: undefined });
      const writing = writeFile(at('pipe'), '<a/>');
      expect(await textOf(source!)).to.equal('<a/>');
      await writing;
      await expectUsage(
        () => bytesOf(source!.open({ start: 0, end: 1 })),
        'OPTION_INVALID',
        /parts can be read of files and buffers only/,
      );
      await rm(at('pipe'));
      await expectUsage(() => textOf(source!), 'FILE_UNREADABLE', `${at('pipe')}: there is no such file`);
      expect(await namesOf(root).catch((error: unknown) => (error as CtctError).code)).to.equal(
        'FILE_UNREADABLE',
      );
    });

    it('closes a file also when the consumer stops early, or never begins', async () => {
      await put('big.xml', Buffer.alloc(3_000_000, 0x20));
      const openFiles = () =>
        readdirSync('/proc/self/fd').filter((fd) => {
          try {
            return readlinkSync(`/proc/self/fd/${fd}`).startsWith(root);
          } catch {
            return false;
          }
        });
      const [source] = await openAll(at('big.xml'));
      source!.open();
      let during: string[] = [];
      for await (const chunk of source!.open()) {
        during = openFiles();
        if (chunk.length > 0) break;
      }
      expect(during).to.have.length(1);
      expect(openFiles()).to.deep.equal([]);
      await failure(async () => {
        for await (const chunk of source!.open()) throw new UsageError('ABORTED', `${chunk.length}`);
      });
      expect(openFiles()).to.deep.equal([]);
      await bytesOf(source!.open({ start: 0, end: 10 }));
      expect(openFiles()).to.deep.equal([]);
    });

    it('reads parts of files and buffers as they stand there, packed or not', async () => {
      const content = Buffer.concat([Buffer.of(0x1f, 0x8b), Buffer.alloc(600_000, 'abcdefg\n')]);
      await put('a.gz', content);
      await fc.assert(
        fc.asyncProperty(fc.nat({ max: 600_100 }), fc.nat({ max: 600_100 }), async (a, b) => {
          const range = { start: Math.min(a, b), end: Math.max(a, b) };
          for (const source of await openAll([at('a.gz'), content])) {
            const part = await bytesOf(source.open(range));
            expect(part.equals(content.subarray(range.start, range.end))).to.equal(true);
          }
        }),
        {
          numRuns: 40,
          examples: [
            [0, 2],
            [0, 0],
            [600_002, 700_000],
          ],
        },
      );
      for (const range of [
        { start: -1, end: 5 },
        { start: 5, end: 4 },
        { start: 0.5, end: 1 },
        { start: 0, end: NaN },
      ]) {
        for (const source of await openAll([at('a.gz'), content])) {
          expect(() => source.open(range)).to.throw(UsageError, 'a range must go from');
        }
      }
    });
  });
});
