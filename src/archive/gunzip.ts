import { crc32, createInflateRaw } from 'node:zlib';
import { DecodeError } from '../activity/errors.js';
import type { PackedInput } from './packed-input.js';

/** Whether the bytes begin as packed ones do. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** How much may be unpacked whatever the ratio: 64 MiB. */
const FREE_BYTES = 64 * 1024 * 1024;
/** Most that is unpacked into one chunk. */
const ROOM = 64 * 1024;

/**
 * How many packed bytes are handed over at once. What was unpacked from a piece that turns out to be damaged is lost,
 * so a piece is a small part of what lies before it; large ones are faster.
 */
function pieceAt(offset: number): number {
  return Math.min(32 * 1024, Math.max(64, Math.floor(offset / 64)));
}

/**
 * What the packed input holds; one member after another, zero bytes at the end passed over. A chunk stays as it is.
 *
 * Damaged input yields what can be unpacked before the error is thrown. A member whose check sum is wrong does
 * not keep those behind it from being unpacked.
 *
 * `name` is the input in error messages. `maxRatio` is how many bytes one packed byte may stand for, once 64 MiB
 * were unpacked.
 * @throws DecodeError GZIP_DAMAGED; XML_LIMIT when more would be unpacked than `maxRatio` allows
 * @see RFC 1952
 */
export async function* gunzip(
  input: PackedInput,
  name: string,
  maxRatio: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let unpacked = 0;
  const damaged = (what: string, cause?: unknown): DecodeError =>
    new DecodeError(
      'GZIP_DAMAGED',
      `${name}: ${what}, at byte ${input.offset}, after ${unpacked} bytes were unpacked`,
      undefined,
      { cause },
    );
  let wrong: DecodeError | undefined;

  const next = async (): Promise<number> => {
    const byte = await input.byte();
    if (byte === undefined) throw damaged('the packed data end too early');
    return byte;
  };
  const number32 = async (): Promise<number> =>
    ((await next()) | ((await next()) << 8) | ((await next()) << 16) | ((await next()) << 24)) >>> 0;

  while (await hasMember(input, damaged)) {
    await passHeader(next, damaged);
    let sum = 0;
    let size = 0;
    const inflation = new Inflation();
    try {
      while (!inflation.ended) {
        const piece = await input.peek(pieceAt(input.offset));
        if (piece === undefined) break;
        input.take(await inflation.write(piece));
        for (const bytes of inflation.unpacked()) {
          sum = crc32(bytes, sum);
          size += bytes.length;
          unpacked += bytes.length;
          yield bytes;
        }
        if (inflation.error !== undefined) throw damaged('the packed data are damaged', inflation.error);
        if (unpacked > FREE_BYTES && unpacked > maxRatio * input.offset) {
          throw new DecodeError(
            'XML_LIMIT',
            `${name}: unpacks to more than ${maxRatio} times its size; unpack it yourself if that is as it should be`,
          );
        }
      }
    } finally {
      inflation.close();
    }
    const expectedSum = await number32();
    const expectedSize = await number32();
    if (sum !== expectedSum || size % 2 ** 32 !== expectedSize) {
      wrong ??= damaged('the packed data do not match their check sum');
    }
  }
  if (wrong !== undefined) throw wrong;
}

type Damaged = (what: string, cause?: unknown) => DecodeError;

/** Whether another member begins, of which the first two bytes are taken; zero bytes up to the end do not count. */
async function hasMember(input: PackedInput, damaged: Damaged): Promise<boolean> {
  if (isGzip(await input.head(2))) {
    input.take(2);
    return true;
  }
  for (let piece = await input.peek(1); piece !== undefined; piece = await input.peek(1)) {
    if (piece[0] !== 0) throw damaged('something else follows the packed data');
    input.take(1);
  }
  return false;
}

const HEADER_SUM = 2;
const EXTRA = 4;
const NAME = 8;
const COMMENT = 16;
const RESERVED = 0xe0;
const DEFLATE = 8;

/** Passes over the header of a member, of which the magic bytes were taken. */
async function passHeader(next: () => Promise<number>, damaged: Damaged): Promise<void> {
  const method = await next();
  const flags = await next();
  if (method !== DEFLATE || (flags & RESERVED) !== 0)
    throw damaged('the header of the packed data is damaged');
  const pass = async (count: number) => {
    for (let i = 0; i < count; i++) await next();
  };
  await pass(6);
  if ((flags & EXTRA) !== 0) await pass((await next()) | ((await next()) << 8));
  for (const text of [NAME, COMMENT]) {
    if ((flags & text) !== 0) while ((await next()) !== 0);
  }
  if ((flags & HEADER_SUM) !== 0) await pass(2);
}

/** The packed data of one member being unpacked. */
class Inflation {
  /** Set when the data ended by themselves; what was written last may go on behind them. */
  ended = false;
  error: unknown = undefined;
  readonly #stream = createInflateRaw({ chunkSize: ROOM });
  #unpacked: Uint8Array[] = [];
  #settle: () => void = () => undefined;

  constructor() {
    this.#stream.on('data', (bytes: Uint8Array) => this.#unpacked.push(bytes));
    this.#stream.on('end', () => {
      this.ended = true;
      this.#settle();
    });
    this.#stream.on('error', (error) => {
      this.error = error;
      this.#settle();
    });
  }

  /** How many of the bytes belonged to the data; they may change afterwards. */
  async write(bytes: Uint8Array): Promise<number> {
    const before = this.#stream.bytesWritten;
    await new Promise<void>((resolve) => {
      this.#settle = resolve;
      this.#stream.write(bytes, () => {
        resolve();
      });
    });
    return this.#stream.bytesWritten - before;
  }

  /** What was unpacked since the last call. */
  unpacked(): readonly Uint8Array[] {
    const unpacked = this.#unpacked;
    this.#unpacked = [];
    return unpacked;
  }

  close(): void {
    this.#stream.destroy();
  }
}
