import type { Encoding } from '../format/transcode.js';
import type { Landmark } from './resync.js';

/** A tag of UTF-16 whose bytes stand where the second one of a pair should be first, since a byte was lost before it. */
export interface Astray {
  /** Offset in the bytes searched. */
  readonly at: number;
  readonly kind: Landmark['kind'];
}

/** Letters of a prefix that are looked at. */
const PREFIX = 32;
/** No tag that is looked for, with its prefix and the character behind it, has more bytes. */
export const ASTRAY_BYTES = 2 * ('<:entry>'.length + PREFIX);

/**
 * The first start tag of an entry, or declaration, that begins at an offset of this parity; undefined when there is none.
 * Where the text is whole, no such bytes are to be expected: they would be rare Chinese characters, and these ones.
 */
export function findAstray(bytes: Buffer, parity: 0 | 1, encoding: Encoding): Astray | undefined {
  const wide = (text: string) => {
    const pattern = Buffer.from(text, 'utf16le');
    return encoding === 'UTF-16LE' ? pattern : pattern.swap16();
  };
  const unitAt = (at: number) => (encoding === 'UTF-16LE' ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const places = function* (pattern: Buffer): Generator<number> {
    for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + 1)) {
      if (at % 2 === parity) yield at;
    }
  };
  const [document] = places(wide('<?xml'));
  for (const name of places(wide('entry'))) {
    if (document !== undefined && name > document) break;
    const behind = name + 2 * 'entry'.length;
    if (behind + 2 > bytes.length) break;
    if (!/[ \t\r\n/>]/.test(String.fromCharCode(unitAt(behind)))) continue;
    let at = name - 2;
    while (at >= 2 && at > name - 2 * PREFIX && /[\w.:-]/.test(String.fromCharCode(unitAt(at)))) at -= 2;
    if (at >= 0 && unitAt(at) === 0x3c) return { at, kind: 'entry' };
  }
  return document === undefined ? undefined : { at: document, kind: 'document' };
}
