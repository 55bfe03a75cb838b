import { inflateRawSync } from 'node:zlib';

/** A file of an archive. */
export interface PackedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;
/** The end record, and the longest comment behind it. */
const LONGEST_END = 22 + 0xffff;

/**
 * The files of a ZIP archive whose names `wanted` takes, unpacked. What the archive says of their sizes is not believed: no
 * more than `most` bytes come of it, whatever it says.
 * @throws Error in words for a person, for a damaged or encrypted archive, and one that is larger.
 */
export function unpack(
  archive: Buffer,
  wanted: (name: string) => boolean,
  most: number,
): readonly PackedFile[] {
  const files: PackedFile[] = [];
  let left = most;
  for (const { name, packed, method } of entriesOf(archive)) {
    if (!wanted(name)) continue;
    const bytes = method === STORED ? packed : inflated(packed, left, most);
    left -= bytes.length;
    if (left < 0) throw tooLarge(most);
    files.push({ name, bytes });
  }
  return files;
}

function* entriesOf(archive: Buffer): Generator<{ name: string; packed: Buffer; method: number }> {
  const end = endOf(archive);
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  for (let index = 0; index < count; index++) {
    if (at + 46 > archive.length || archive.readUInt32LE(at) !== CENTRAL) throw damaged();
    const flags = archive.readUInt16LE(at + 8);
    const method = archive.readUInt16LE(at + 10);
    const size = archive.readUInt32LE(at + 20);
    const nameLength = archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
    const local = archive.readUInt32LE(at + 42);
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
    if ((flags & 1) !== 0) throw new Error('it is encrypted; save it without a password');
    if (method !== STORED && method !== DEFLATED) throw damaged();
    if (local + 30 > archive.length || archive.readUInt32LE(local) !== LOCAL) throw damaged();
    const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    if (from + size > archive.length) throw damaged();
    yield { name, method, packed: archive.subarray(from, from + size) };
  }
}

function endOf(archive: Buffer): number {
  const first = Math.max(0, archive.length - LONGEST_END);
  for (let at = archive.length - 22; at >= first; at--) if (archive.readUInt32LE(at) === END) return at;
  throw damaged();
}

function inflated(packed: Buffer, left: number, most: number): Uint8Array {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, left) });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(most);
    throw damaged();
  }
}

function tooLarge(most: number): Error {
  return new Error(`unpacked it is more than ${most.toLocaleString('en-US')} bytes`);
}

function damaged(): Error {
  return new Error('it is damaged, or cut short');
}
