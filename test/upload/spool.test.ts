import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect } from 'chai';
import fc from 'fast-check';
import { checkText, openContactFile } from '../../src/upload/contact-file.js';
import { IN_MEMORY, spool } from '../../src/upload/spool.js';
import type { ContactSource } from '../../src/upload/contact-source.js';
import { WsClient } from '../../src/ws/client.js';
import { BASIC, rejection, soon } from '../http/loopback.js';

/** The temporary files that this process holds open, as the paths of their descriptors. */
function heldOpen(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return /\/ctct-[0-9a-f-]+\.tmp/.test(readlinkSync(`/proc/self/fd/${fd}`))
        ? [`/proc/self/fd/${fd}`]
        : [];
    } catch {
      return [];
    }
  });
}

const named = () => readdirSync(tmpdir()).filter((name) => /^ctct-[0-9a-f-]+\.tmp$/.test(name));

async function* pieces(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    await Promise.resolve();
    yield chunk;
  }
}

async function bytesOf(source: ContactSource, start = 0): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.read(start)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const MIB = 1024 * 1024;

/** A contact file of more than 8 MiB, piece by piece. */
function* largeContacts(mebibytes = 9): Generator<Uint8Array> {
  yield Buffer.from('Email Address,First Name\n');
  const rows = Buffer.from('a0123456789@example.com,Ann Brown\n'.repeat(MIB / 32));
  for (let size = 0; size < mebibytes * MIB; size += rows.length) yield rows;
}

describe('spool', () => {
  it('gives the bytes back from any place, time after time, in memory or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.nat(100),
        fc.nat(100),
        async (chunks, inMemory, start) => {
          const all = Buffer.concat(chunks);
          const source = await spool(pieces(chunks), inMemory);
          expect(source.size).to.equal(all.length);
          expect(await bytesOf(source)).to.deep.equal(all);
          expect(await bytesOf(source, start)).to.deep.equal(all.subarray(start));
          expect(heldOpen()).to.have.length(all.length > inMemory ? 1 : 0);
          await source.close();
          await source.close();
          expect(heldOpen()).to.deep.equal([]);
        },
      ),
    );
  });

  it('keeps what is large in a file without a name, which only its owner could read', async () => {
    const source = await spool(pieces([Buffer.alloc(IN_MEMORY), Buffer.from('x')]));
    const [file] = heldOpen();
    expect(statSync(file!).size).to.equal(IN_MEMORY + 1);
    expect(statSync(file!).mode & 0o777).to.equal(0o600);
    expect(statSync(file!).nlink).to.equal(0);
    expect(named()).to.deep.equal([]);
    await source.close();
    const outcome: unknown = await bytesOf(source).catch((error: unknown) => error);
    expect(outcome).to.have.property('code', 'FILE_CHANGED');
    const small = await spool(pieces([Buffer.alloc(IN_MEMORY)]));
    expect(heldOpen()).to.deep.equal([]);
    await small.close();
  });

  it('leaves nothing behind when the stream fails', async () => {
    const failing = async function* () {
      yield* pieces([Buffer.alloc(100)]);
      throw new Error('the pipe broke');
    };
    for (const inMemory of [10, 1000]) {
      const outcome: unknown = await spool(failing(), inMemory).catch((error: unknown) => error);
      expect(outcome).to.have.property('message', 'the pipe broke');
      expect(heldOpen()).to.deep.equal([]);
    }
  });

  it('says where no file can be written, and what to do', async () => {
    const before = process.env.TMPDIR;
    process.env.TMPDIR = '/nowhere/at/all';
    try {
      const error = await rejection(spool(pieces([Buffer.alloc(2)]), 1));
      expect(error.code).to.equal('FILE_UNWRITABLE');
      expect(error.message).to.match(/there is no such folder \(ENOENT\); set TMPDIR to a folder with room$/);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  });
});

describe('contacts that are large', () => {
  it('from a stream or from rows wait in a temporary file, and can be sent again', async () => {
    const stream = await openContactFile({ stream: pieces(largeContacts()) });
    const expected = Buffer.concat([...largeContacts()]);
    expect(stream.length).to.equal(expected.length);
    for (let time = 0; time < 2; time++) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of stream.open()) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(expected)).to.equal(true);
    }
    expect(heldOpen()).to.have.length(1);
    await stream.close();
    const note = 'x'.repeat(MIB);
    const rows = await openContactFile({
      rows: Array.from({ length: 9 }, (_, index) => ({ emailAddress: `${index}@example.com`, note })),
    });
    expect(heldOpen()).to.have.length(1);
    await rows.close();
    expect(heldOpen()).to.deep.equal([]);
  });

  it('are let go of when they cannot be sent', async () => {
    const wrong = async function* () {
      yield Buffer.from('Name\n');
      yield* pieces(largeContacts());
    };
    expect((await rejection(openContactFile({ stream: wrong() }))).code).to.equal('ADDRESS_COLUMN_REQUIRED');
    const controller = new AbortController();
    const aborted = async function* () {
      yield* pieces(largeContacts());
      controller.abort();
      await new Promise(() => undefined);
    };
    const error = await rejection(openContactFile({ stream: aborted() }, { signal: controller.signal }));
    expect(error.code).to.equal('ABORTED');
    expect(heldOpen()).to.deep.equal([]);
  });

  it('are let go of when the call has ended, however it did', async () => {
    const held: number[] = [];
    for (const [encoding, answer] of [
      ['multipart', () => Promise.resolve(new Response('no', { status: 400 }))],
      ['multipart', () => Promise.reject(new TypeError('fetch failed'))],
      ['form', () => Promise.resolve(new Response('no', { status: 400 }))],
    ] as const) {
      const client = new WsClient({
        user: 'joesflowers',
        credentials: BASIC,
        baseUrl: 'http://localhost',
        encoding,
        reconcile: false,
        retry: false,
        fetch: () => {
          held.push(heldOpen().length);
          return answer();
        },
      });
      await rejection(client.addContacts({ contacts: { stream: pieces(largeContacts()) }, lists: ['2'] }));
      await soon();
      expect(heldOpen()).to.deep.equal([]);
    }
    expect(held).to.deep.equal([1, 1, 1]);
  });
});

describe('checkText', () => {
  it('finds the first byte that is not UTF-8, however the file is cut', async () => {
    const good = fc.constantFrom('a', 'é', '€', '😀', '\n');
    const bad = fc.constantFrom(
      [0xff],
      [0xc3],
      [0xe2, 0x82],
      [0xf0, 0x9f, 0x98],
      [0xe9, 0x61],
      [0x80],
      [0xed, 0xa0, 0x80],
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(good),
        fc.option(bad, { nil: undefined }),
        fc.array(good),
        fc.integer({ min: 1, max: 7 }),
        async (before, broken, after, size) => {
          const head = Buffer.from(before.join(''));
          const bytes = Buffer.concat([head, Buffer.from(broken ?? []), Buffer.from(after.join(''))]);
          const file = {
            ...(await openContactFile({ text: 'Email Address\na@example.com\n' })),
            async *open() {
              for (let at = 0; at < bytes.length; at += size) {
                await Promise.resolve();
                yield bytes.subarray(at, at + size);
              }
            },
          };
          const outcome: unknown = await checkText(file).catch((error: unknown) => error);
          if (broken === undefined) expect(outcome).to.equal(undefined);
          else expect(outcome).to.have.property('message').that.includes(`byte ${head.length} is not UTF-8`);
        },
      ),
    );
  });
});
