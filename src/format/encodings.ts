import { DecodeError } from '../activity/errors.js';
import { DECLARATION_BYTES, foreignEncoding } from './xml-declaration.js';

/**
 * The encodings that can be read, and what a declaration may call them: the names and aliases of the IANA
 * register, and a few that are seen without standing there. In lower case.
 */
const NAMES = {
  'UTF-8': ['utf-8', 'csutf8', 'utf8'],
  'US-ASCII': [
    'us-ascii',
    'ansi_x3.4-1968',
    'ansi_x3.4-1986',
    'iso646-us',
    'iso-ir-6',
    'ibm367',
    'cp367',
    'us',
    'csascii',
    'ascii',
  ],
  'UTF-16LE': ['utf-16le', 'csutf16le'],
  'UTF-16BE': ['utf-16be', 'csutf16be', 'utf-16', 'csutf16', 'utf16', 'iso-10646-ucs-2', 'csunicode'],
  'ISO-8859-1': [
    'iso-8859-1',
    'iso_8859-1',
    'iso-ir-100',
    'latin1',
    'l1',
    'ibm819',
    'cp819',
    'csisolatin1',
    'iso8859-1',
    'iso88591',
    'latin-1',
  ],
  'ISO-8859-15': [
    'iso-8859-15',
    'iso_8859-15',
    'latin-9',
    'csiso885915',
    'iso8859-15',
    'iso885915',
    'latin9',
    'l9',
  ],
  'windows-1252': ['windows-1252', 'cswindows1252', 'cp1252', 'x-cp1252'],
} as const satisfies Record<string, readonly string[]>;

/** A character encoding of files. */
export type Encoding = keyof typeof NAMES;

export const ENCODINGS = Object.keys(NAMES) as readonly Encoding[];

const BY_NAME: ReadonlyMap<string, Encoding> = new Map(
  ENCODINGS.flatMap((encoding) => NAMES[encoding].map((name) => [name, encoding] as const)),
);

/** Bytes from the beginning of a document that say everything about its encoding. */
export const ENCODING_HEAD = DECLARATION_BYTES;

/** An encoding declaration, well-formed or not otherwise: a damaged document has an encoding too. */
const DECLARED =
  /^[ \t\r\n]*<\?xml[ \t\r\n][^>]*?\bencoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z][-A-Za-z0-9._]*)"|'([A-Za-z][-A-Za-z0-9._]*)')/;

/**
 * The encoding of the XML document that begins with `head`: by its byte order mark; else by the zero bytes that
 * `<` has in UTF-16; else by the declaration, read as ASCII; else UTF-8. A byte order mark outweighs what is
 * declared. A declaration that can be read as ASCII and says UTF-16 is wrong, and the document UTF-8.
 *
 * `head` is the first ENCODING_HEAD bytes of the document, or all of it; `source` names it in errors.
 * @throws DecodeError XML_ENCODING when it is in none of ENCODINGS, UTF-32 and EBCDIC among others
 * @see XML 1.0, section 4.3.3 and appendix F
 */
export function detectEncoding(head: Uint8Array, source?: string): Encoding {
  const foreign = foreignEncoding([...head.subarray(0, 4)]);
  if (foreign === 'UTF-16') return head[0] === 0xff || head[0] === 0x3c ? 'UTF-16LE' : 'UTF-16BE';
  if (foreign !== undefined) throw unsupported(foreign, '', source);
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const text = bytes.toString('latin1', 0, ENCODING_HEAD);
  const [declaration, double, single] = DECLARED.exec(text) ?? [];
  const name = double ?? single;
  if (declaration === undefined || name === undefined) return 'UTF-8';
  const encoding = BY_NAME.get(name.toLowerCase());
  if (encoding === undefined) throw unsupported(name, declaration.slice(0, -1 - name.length), source);
  return encoding === 'UTF-16LE' || encoding === 'UTF-16BE' ? 'UTF-8' : encoding;
}

/** `before` is what stands in the document before the name. */
function unsupported(name: string, before: string, source: string | undefined): DecodeError {
  const shown = name.length > 40 ? `${name.slice(0, 40)}…` : name;
  const lines = before.split(/\r\n?|\n/);
  return new DecodeError(
    'XML_ENCODING',
    `the encoding ${shown} is not supported; convert the file to UTF-8 (supported: ${ENCODINGS.join(', ')})`,
    {
      source,
      line: lines.length,
      column: (lines.at(-1) ?? '').length + 1,
      byteOffset: before.length,
    },
  );
}
