import { expect } from 'chai';
import fc from 'fast-check';
import { constants, crc32, deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import { DecodeError } from '../../src/activity/errors.js';
import { openSources, type ArchiveSource, type SourceOptions } from '../../src/archive/sources.js';

interface Unpacked {
  readonly bytes: Buffer;
  readonly error: DecodeError | undefined;
}

/** What a source yields, and the error after that. */
async function unpack(source: ArchiveSource, options?: SourceOptions): Promise<Unpacked> {
  const copies: Buffer[] = [];
  let error: DecodeError | undefined;
  try {
    for await (const opened of openSources(source, options)) {
      for await (const chunk of opened.open()) copies.push(Buffer.from(chunk));
    }
  } catch (caught) {
    expect(caught).to.be.instanceOf(DecodeError);
    error = caught as DecodeError;
  }
  return { bytes: Buffer.concat(copies), error };
}

/** The bytes in pieces of these sizes over and over, in one buffer that is filled again and again. */
async function* pieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const room = Buffer.alloc(Math.max(...sizes));
  for (let at = 0, i = 0; at < bytes.length; i++) {
    await Promise.resolve();
    const part = bytes.subarray(at, at + sizes[i % sizes.length]!);
    room.set(part);
    yield room.subarray(0, part.length);
    room.fill(0xee);
    at += part.length;
  }
}

interface Member {
  readonly content: Uint8Array;
  readonly level: number;
  readonly extra: Uint8Array | undefined;
  readonly name: string | undefined;
  readonly comment: string | undefined;
  readonly headerSum: boolean;
}

/** A member with every part that a header may have; RFC 1952, section 2.3. */
function packMember({ content, level, extra, name, comment, headerSum }: Member): Buffer {
  const flags =
    (headerSum ? 2 : 0) | (extra ? 4 : 0) | (name === undefined ? 0 : 8) | (comment === undefined ? 0 : 16);
  const number = (value: number, bytes: number) => {
    const out = Buffer.alloc(bytes);
    out.writeUIntLE(value, 0, bytes);
    return out;
  };
  const text = (value: string | undefined) => Buffer.from(value === undefined ? '' : `${value}\0`, 'latin1');
  const header = Buffer.concat([
    Buffer.of(0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3),
    ...(extra ? [number(extra.length, 2), extra] : []),
    text(name),
    text(comment),
  ]);
  return Buffer.concat([
    header,
    ...(headerSum ? [number(crc32(header) & 0xffff, 2)] : []),
    deflateRawSync(content, { level }),
    number(crc32(content), 4),
    number(content.length, 4),
  ]);
}

const anyContent = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(fc.string({ maxLength: 30 }), fc.nat({ max: 3000 }))
    .map(([text, n]) => Buffer.from(text.repeat(n))),
);
const anyLabel = fc.option(fc.string({ unit: fc.constantFrom('a', '.', 'é'), maxLength: 5 }), {
  nil: undefined,
});
const anyMember: fc.Arbitrary<Member> = fc.record({
  content: anyContent,
  level: fc.integer({ min: 0, max: 9 }),
  extra: fc.option(fc.uint8Array({ maxLength: 9 }), { nil: undefined }),
  name: anyLabel,
  comment: anyLabel,
  headerSum: fc.boolean(),
});
const anySizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5000 })), {
  minLength: 1,
  maxLength: 5,
});

/** Some text that packs to about a fifth. */
const TEXT = Buffer.from(
  Array.from(
    { length: 600 },
    (_, i) => `<id>http://example.com/a${(i * 7919) % 100_003}</id><n>${Math.sin(i)}</n>\n`,
  ).join(''),
);

describe('packed sources', () => {
  it('yield what was packed: any members, headers and chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyMember, { minLength: 1, maxLength: 3 }),
        fc.nat({ max: 20 }),
        anySizes,
        async (members, zeros, sizes) => {
          const packed = Buffer.concat([...members.map(packMember), Buffer.alloc(zeros)]);
          const expected = Buffer.concat(members.map(({ content }) => content));
          for (const source of [packed, pieces(packed, sizes)]) {
            const { bytes, error } = await unpack(source);
            expect(error).to.equal(undefined);
            expect(bytes.equals(expected)).to.equal(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are told by their first two bytes; everything else passes as it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 9 }),
          fc.uint8Array({ maxLength: 3 }).map((rest) => Buffer.concat([Buffer.of(0x1f), rest])),
        ),
        anySizes,
        async (bytes, sizes) => {
          const plain = Buffer.from(bytes);
          if (plain[0] === 0x1f && plain[1] === 0x8b) plain[1] = 0x8c;
          expect(await unpack(pieces(plain, sizes))).to.deep.equal({ bytes: plain, error: undefined });
        },
      ),
    );
  });

  it('cut off anywhere yield all that zlib can unpack, and name the byte', async () => {
    const packed = gzipSync(TEXT);
    const cuts = Array.from(packed.keys()).filter(
      (at) => at >= 2 && (at < 200 || at % 97 === 0 || at > packed.length - 12),
    );
    for (const cut of cuts) {
      const { bytes, error } = await unpack(packed.subarray(0, cut));
      const expected = gunzipSync(packed.subarray(0, cut), { finishFlush: constants.Z_SYNC_FLUSH });
      expect(bytes.equals(expected), `${cut}`).to.equal(true);
      expect(error?.code).to.equal('GZIP_DAMAGED');
      expect(error?.message).to.equal(
        `buffer 1: the packed data end too early, at byte ${cut}, after ${expected.length} bytes were unpacked`,
      );
    }
  });

  it('damaged anywhere yield the same or an error, and not less than what lies well before', async () => {
    const packed = packMember({
      content: TEXT,
      level: 6,
      extra: Buffer.from('extra'),
      name: 'feed.xml',
      comment: 'a comment',
      headerSum: true,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: packed.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const damaged = Buffer.from(packed);
          damaged[at]! ^= flip;
          if (at < 2) return;
          const { bytes, error } = await unpack(damaged);
          if (error === undefined) expect(bytes.equals(TEXT)).to.equal(true);
          else expect(error.code).to.equal('GZIP_DAMAGED');
          // No more is lost than what a 32nd of the packed bytes, and a hundred more, stand for.
          const sound = packed.subarray(0, Math.max(0, Math.floor((at * 31) / 32) - 100));
          if (sound.length > 100) {
            const before = gunzipSync(sound, { finishFlush: constants.Z_SYNC_FLUSH });
            expect(bytes.subarray(0, before.length).equals(before)).to.equal(true);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('say what is wrong with them', async () => {
    const packed = gzipSync(TEXT);
    const changed = (at: number, byte: number) => {
      const bytes = Buffer.from(packed);
      bytes[at < 0 ? packed.length + at : at] = byte;
      return bytes;
    };
    const all = `at byte ${packed.length}, after ${TEXT.length} bytes were unpacked`;
    const cases: readonly (readonly [Uint8Array, number, string])[] = [
      [changed(2, 7), 0, 'the header of the packed data is damaged, at byte 4, after 0 bytes were unpacked'],
      [
        changed(3, 0x80),
        0,
        'the header of the packed data is damaged, at byte 4, after 0 bytes were unpacked',
      ],
      [changed(10, 7), 0, 'the packed data are damaged, at byte 10, after 0 bytes were unpacked'],
      [changed(-8, packed.at(-8)! ^ 1), TEXT.length, `the packed data do not match their check sum, ${all}`],
      [changed(-1, 1), TEXT.length, `the packed data do not match their check sum, ${all}`],
      [
        Buffer.concat([packed, Buffer.from('<feed/>')]),
        TEXT.length,
        `something else follows the packed data, ${all}`,
      ],
    ];
    for (const [source, length, message] of cases) {
      const { bytes, error } = await unpack({ name: 'a.gz', bytes: source });
      expect(error?.message).to.equal(`a.gz: ${message}`);
      expect(error?.code).to.equal('GZIP_DAMAGED');
      expect(bytes.equals(TEXT.subarray(0, length))).to.equal(true);
    }
    expect((await unpack(changed(10, 7))).error?.cause).to.have.property('code', 'Z_DATA_ERROR');
  });

  it('with a wrong check sum do not keep the members behind them from being read', async () => {
    const wrong = gzipSync('one ');
    wrong[wrong.length - 5]! ^= 1;
    const { bytes, error } = await unpack(Buffer.concat([wrong, gzipSync('two')]));
    expect(bytes.toString()).to.equal('one two');
    expect(error?.message).to.equal(
      `buffer 1: the packed data do not match their check sum, at byte ${wrong.length}, after 4 bytes were unpacked`,
    );
  });

  it('that pack something packed are unpacked once', async () => {
    const packed = gzipSync('<a/>');
    expect((await unpack(gzipSync(packed))).bytes.equals(packed)).to.equal(true);
  });

  it('that unpack to far too much are refused, once there is much of it', async () => {
    const mebibyte = gzipSync(Buffer.alloc(1024 * 1024));
    const some = await unpack(Buffer.concat(new Array<Buffer>(5).fill(mebibyte)), { maxUnpackedRatio: 1 });
    expect(some.error).to.equal(undefined);
    expect(some.bytes.length).to.equal(5 * 1024 * 1024);

    const bomb = Buffer.concat(new Array<Buffer>(90).fill(gzipSync(Buffer.alloc(1024 * 1024))));
    const sizes = { read: 0 };
    for await (const opened of openSources(bomb, { maxUnpackedRatio: 900 })) {
      let error: unknown;
      try {
        for await (const chunk of opened.open()) sizes.read += chunk.length;
      } catch (caught) {
        error = caught;
      }
      expect(error).to.be.instanceOf(DecodeError);
      expect(error).to.have.property('code', 'XML_LIMIT');
      expect(error).to.have.property(
        'message',
        'buffer 1: unpacks to more than 900 times its size; unpack it yourself if that is as it should be',
      );
    }
    expect(sizes.read).to.be.within(64 * 1024 * 1024, 66 * 1024 * 1024);
  });

  it('let go of the stream when the consumer stops', async () => {
    let closed = 0;
    async function* stream(bytes: Uint8Array) {
      try {
        for (;;) {
          await Promise.resolve();
          yield bytes;
        }
      } finally {
        closed++;
      }
    }
    for (const bytes of [gzipSync(TEXT), TEXT]) {
      for await (const opened of openSources(stream(bytes))) {
        for await (const chunk of opened.open()) if (chunk.length > 0) break;
      }
    }
    expect(closed).to.equal(2);
  });
});
