/** A place where reading can go on after damage. */
export interface Landmark {
  /** Offset in the bytes searched. */
  readonly at: number;
  /** `entry`: an entry begins; `afterEntry`: one was closed just before; `feedEnd`: `</feed>`; `document`: a new one begins. */
  readonly kind: 'entry' | 'afterEntry' | 'feedEnd' | 'document';
}

/** Longer than any tag that is looked for, so that none is missed where two searches meet. */
export const LANDMARK_BYTES = 512;

const TAG = /<(?:\?xml[ \t\r\n]|(\/?)(?:[A-Za-z_][\w.-]{0,200}:)?(entry|feed)(?=[ \t\r\n/>]))/g;

/**
 * The first landmark at or behind `from`; undefined when there is none. Bytes are looked at, not their meaning: a tag in
 * a comment counts too, which is the price of going on after something is broken.
 */
export function findLandmark(bytes: Buffer, from: number): Landmark | undefined {
  // Latin-1 keeps offsets what they are; tags are ASCII.
  const text = bytes.toString('latin1');
  TAG.lastIndex = from;
  for (let match = TAG.exec(text); match !== null; match = TAG.exec(text)) {
    const [, slash, name] = match;
    if (name === undefined) return { at: match.index, kind: 'document' };
    if (slash === '') return { at: match.index, kind: name === 'entry' ? 'entry' : 'document' };
    if (name === 'feed') return { at: match.index, kind: 'feedEnd' };
    const close = text.indexOf('>', match.index);
    if (close >= 0) return { at: close + 1, kind: 'afterEntry' };
  }
  return undefined;
}

/** A place in a text: lines and columns count from 1, columns in characters. */
export interface LineColumn {
  readonly line: number;
  readonly column: number;
}

/** Where one is behind these bytes of UTF-8, having begun at `from`. CR LF is one line end, as CR and LF alone are. */
export function advance(from: LineColumn, bytes: Uint8Array): LineColumn {
  let { line, column } = from;
  let afterReturn = false;
  for (const byte of bytes) {
    if (byte === 0x0a || byte === 0x0d) {
      if (byte === 0x0d || !afterReturn) line += 1;
      column = 1;
    } else if ((byte & 0xc0) !== 0x80) {
      column += 1;
    }
    afterReturn = byte === 0x0d;
  }
  return { line, column };
}
