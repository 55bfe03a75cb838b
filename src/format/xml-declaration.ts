/** Encodings that announce themselves by their first bytes, longer signatures first. */
const SIGNATURES: readonly (readonly [string, ...number[]])[] = [
  ['UTF-32', 0x00, 0x00, 0xfe, 0xff],
  ['UTF-32', 0xff, 0xfe, 0x00, 0x00],
  ['UTF-32', 0x00, 0x00, 0x00, 0x3c],
  ['UTF-32', 0x3c, 0x00, 0x00, 0x00],
  ['EBCDIC', 0x4c, 0x6f, 0xa7, 0x94],
  ['UTF-16', 0xfe, 0xff],
  ['UTF-16', 0xff, 0xfe],
  ['UTF-16', 0x00, 0x3c],
  ['UTF-16', 0x3c, 0x00],
];

/**
 * The encoding, other than UTF-8 and its likes, that the first four bytes of a document give away; undefined when none.
 *
 * @see XML 1.0, appendix F
 */
export function foreignEncoding(head: readonly number[]): string | undefined {
  return SIGNATURES.find(([, ...bytes]) => bytes.every((byte, i) => head[i] === byte))?.[0];
}

/** An XML declaration that did not end after so many bytes is none. */
export const DECLARATION_BYTES = 1000;

export type XmlDeclaration =
  | { readonly encoding: string | undefined }
  /** Where in the text something else was expected. */
  | { readonly at: number; readonly expected: string };

const VERSION = /[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.[0-9]+"|'1\.[0-9]+')/y;
const ENCODING =
  /[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z][-A-Za-z0-9._]*)"|'([A-Za-z][-A-Za-z0-9._]*)')/y;
const STANDALONE = /[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)')/y;
const CLOSE = /[ \t\r\n]*\?>/y;

/** What `text`, from `<?xml` to `>`, declares. Versions 1.x are read as 1.0, as the fifth edition says. */
export function readDeclaration(text: string): XmlDeclaration {
  let at = '<?xml'.length;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  if (match(VERSION) === null) return { at, expected: 'version="1.0"' };
  const encoding = match(ENCODING);
  const standalone = match(STANDALONE);
  if (match(CLOSE) === null) {
    const missing = [
      ...(encoding === null && standalone === null ? ['encoding="UTF-8"'] : []),
      ...(standalone === null ? ['standalone="yes"'] : []),
    ];
    return { at, expected: missing.length === 0 ? '"?>"' : `${missing.join(', ')} or "?>"` };
  }
  return { encoding: encoding?.[1] ?? encoding?.[2] };
}
