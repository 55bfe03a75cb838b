/**
 * What a byte may be in an XML document, as bits of one table: the reader looks at bytes, not at
 * characters, and every byte of a multi-byte UTF-8 sequence counts as "part of a name" and "plain text".
 */
export const NAME = 1;
export const NAME_START = 2;
/** Blank, tab, line feed, carriage return. */
export const SPACE = 4;
/** Plain character data: everything legal but `<`, `&`, `]` and the carriage return. */
export const TEXT = 8;
/** Legal at all. */
export const LEGAL = 16;

export const CLASSES: Uint8Array = (() => {
  const classes = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) {
    const char = String.fromCharCode(byte);
    const space = /[ \t\n\r]/.test(char);
    const legal = byte >= 0x20 || space;
    const nameStart = /[A-Za-z_:]/.test(char) || byte >= 0x80;
    classes[byte] =
      (nameStart ? NAME_START : 0) |
      (nameStart || /[-.0-9]/.test(char) ? NAME : 0) |
      (space ? SPACE : 0) |
      (legal && !/[<&\]\r]/.test(char) ? TEXT : 0) |
      (legal ? LEGAL : 0);
  }
  return classes;
})();

/**
 * 0 when each of the four bytes of a word is TEXT, told in one go; else the highest bit is set of the first byte that is
 * not, or is a tab or a line feed: then it is for the table to say. Of a word less `n` in each byte, the highest bit that was
 * not set before is set where a byte was below `n`; what is set above the first such bit means nothing.
 */
export function textStops(word: number): number {
  const less = word ^ 0x3c3c3c3c;
  const ampersand = word ^ 0x26262626;
  const bracket = word ^ 0x5d5d5d5d;
  const found =
    ((word - 0x20202020) & ~word) |
    ((less - 0x01010101) & ~less) |
    ((ampersand - 0x01010101) & ~ampersand) |
    ((bracket - 0x01010101) & ~bracket);
  return found & 0x80808080;
}

/**
 * The same for what is plain in the value of an attribute: all that is legal but quotes, `<`, `&` and white space that is
 * normalised. An apostrophe differs from an ampersand in the last bit only.
 */
export function valueStops(word: number): number {
  const less = word ^ 0x3c3c3c3c;
  const ampersand = (word | 0x01010101) ^ 0x27272727;
  const quotes = word ^ 0x22222222;
  const found =
    ((word - 0x20202020) & ~word) |
    ((less - 0x01010101) & ~less) |
    ((ampersand - 0x01010101) & ~ampersand) |
    ((quotes - 0x01010101) & ~quotes);
  return found & 0x80808080;
}

/** How many bytes of the word come before the first one marked in `stops`: 0 to 3. */
export function bytesBefore(stops: number): number {
  return (31 - Math.clz32(stops & -stops)) >> 3;
}

/** The lowest `count` bytes of the word, 0 to 3; zeros above. */
export function firstBytes(word: number, count: number): number {
  return word & ((1 << (8 * count)) - 1);
}

// prettier-ignore
const NAME_START_RANGES: readonly (readonly [number, number])[] = [
  [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a], [0xc0, 0xd6], [0xd8, 0xf6], [0xf8, 0x2ff], [0x370, 0x37d],
  [0x37f, 0x1fff], [0x200c, 0x200d], [0x2070, 0x218f], [0x2c00, 0x2fef], [0x3001, 0xd7ff], [0xf900, 0xfdcf],
  [0xfdf0, 0xfffd], [0x10000, 0xeffff],
];
// prettier-ignore
const NAME_RANGES: readonly (readonly [number, number])[] = [
  ...NAME_START_RANGES, [0x2d, 0x2e], [0x30, 0x39], [0xb7, 0xb7], [0x300, 0x36f], [0x203f, 0x2040],
];

/** Whether `text` is a name without a colon (Namespaces in XML 1.0, production NCName). */
export function isNcName(text: string): boolean {
  return (
    text !== '' &&
    Array.from(text).every((char, i) => {
      const code = char.codePointAt(0) ?? 0;
      return (i === 0 ? NAME_START_RANGES : NAME_RANGES).some(([from, to]) => code >= from && code <= to);
    })
  );
}

/** Whether a document may hold the character with this code point (XML 1.0, production Char). */
export function isXmlChar(code: number): boolean {
  return code < 0x20
    ? code === 0x9 || code === 0xa || code === 0xd
    : code < 0xd800 || (code > 0xdfff && code < 0xfffe) || (code > 0xffff && code < 0x110000);
}

/** What the five predefined entities stand for. */
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/**
 * The character that a reference stands for, `reference` being what is between `&` and `;`.
 * Undefined when it is none that a document without DTD may use.
 */
export function resolveReference(reference: string): string | undefined {
  if (!reference.startsWith('#')) return ENTITIES.get(reference);
  const hexadecimal = reference.startsWith('#x');
  const digits = reference.slice(hexadecimal ? 2 : 1);
  if (!(hexadecimal ? /^[0-9A-Fa-f]+$/ : /^[0-9]+$/).test(digits)) return undefined;
  const code = Number.parseInt(digits, hexadecimal ? 16 : 10);
  return isXmlChar(code) ? String.fromCodePoint(code) : undefined;
}

/** Whether `resolveReference` gives something for the bytes between `&` and `;`; told without a string. */
export function isReference(bytes: Uint8Array, from: number, to: number): boolean {
  const first = bytes[from];
  const second = bytes[from + 1];
  const third = bytes[from + 2];
  if (first === 0x23)
    return isXmlChar(second === 0x78 ? number(bytes, from + 2, to, 16) : number(bytes, from + 1, to, 10));
  switch (to - from) {
    case 2:
      return (first === 0x6c || first === 0x67) && second === 0x74;
    case 3:
      return first === 0x61 && second === 0x6d && third === 0x70;
    case 4:
      return first === 0x71
        ? second === 0x75 && third === 0x6f && bytes[from + 3] === 0x74
        : first === 0x61 && second === 0x70 && third === 0x6f && bytes[from + 3] === 0x73;
    default:
      return false;
  }
}

/** The number that the digits give; 0 when there is none, or one of the bytes is no digit. */
function number(bytes: Uint8Array, from: number, to: number, base: 10 | 16): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    const letter = byte | 0x20;
    const digit =
      byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : base;
    if (digit >= base) return 0;
    value = value * base + digit;
  }
  return value;
}

/** `text` with its references replaced; references that cannot be resolved stay as they are. */
export function replaceReferences(text: string): string {
  let replaced = '';
  let from = 0;
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1)) {
    const end = text.indexOf(';', at);
    const character = end < 0 ? undefined : resolveReference(text.slice(at + 1, end));
    if (character === undefined) continue;
    replaced += text.slice(from, at) + character;
    from = end + 1;
  }
  return replaced + text.slice(from);
}

/**
 * The offset of the first byte of `bytes` that is not part of well-formed UTF-8 (overlong forms,
 * surrogates and code points above 10FFFF are not); -1 when all are. A character cut by the end counts as ill-formed.
 */
export function findInvalidUtf8(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at] ?? 0;
    const length = utf8Length(lead);
    if (length === 0) return at;
    for (let i = 1; i < length; i++) {
      const byte = bytes[at + i] ?? 0;
      const low = i > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
      const high = i > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
      if (byte < low || byte > high) return at;
    }
    at += length;
  }
  return -1;
}

/** Bytes of the UTF-8 sequence that `lead` begins; 0 when none begins with it. */
export function utf8Length(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}

/** A byte as error messages show it: `"x"`, or `0x1F` where it is not a printable ASCII character. */
export function showByte(byte: number): string {
  return byte > 0x20 && byte < 0x7f
    ? JSON.stringify(String.fromCharCode(byte))
    : byte === 0x20
      ? 'a blank'
      : `byte 0x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Whether `text` is a name with at most one prefix (Namespaces in XML 1.0, production QName). */
export function isQName(text: string): boolean {
  if (/^[A-Za-z_][-.\w]*(?::[A-Za-z_][-.\w]*)?$/.test(text)) return true;
  const parts = text.split(':');
  return parts.length <= 2 && parts.every(isNcName);
}
