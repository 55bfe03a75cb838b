import { DecodeError, UsageError, type ErrorCode, type SourcePosition } from '../activity/errors.js';
import {
  bytesBefore,
  CLASSES,
  isNcName,
  isQName,
  isReference,
  LEGAL,
  firstBytes,
  NAME,
  NAME_START,
  replaceReferences,
  showByte,
  SPACE,
  TEXT,
  textStops,
  valueStops,
} from './xml-chars.js';
import { DECLARATION_BYTES, foreignEncoding, readDeclaration } from './xml-declaration.js';
import { bindingProblem, QName, QNameTable, Scope, XmlVocabulary, type XmlName } from './xml-names.js';
import { CommonTexts } from './xml-texts.js';
import { ByteWindow } from './xml-window.js';

export { XmlVocabulary, type XmlName } from './xml-names.js';

/**
 * What `read` returns. Comments, processing instructions and the declaration are checked and passed over. Leaf is one of
 * `XmlReaderOptions.leaves`, whole, in place of its StartElement, Text and EndElement.
 */
export const XmlEvent = {
  NeedBytes: 0,
  StartElement: 1,
  EndElement: 2,
  Text: 3,
  EndDocument: 4,
  Leaf: 5,
} as const;
export type XmlEvent = (typeof XmlEvent)[keyof typeof XmlEvent];

/** A document that exceeds one of these is refused with XML_LIMIT. Text, comments and instructions pass in pieces and need none. */
export interface XmlLimits {
  /** Elements open at once. Default 256. */
  readonly depth: number;
  /** Attributes of one element, namespace declarations included. Default 1,000. */
  readonly attributes: number;
  /** Bytes of one tag, from `<` to `>`. Default 1,048,576. */
  readonly tag: number;
  /** Bytes of one name with its prefix, or of one reference. Default 1,000. */
  readonly name: number;
}

const LIMITS: XmlLimits = { depth: 256, attributes: 1000, tag: 1_048_576, name: 1000 };

const LONGEST_LEAF = 65_536;

/** Which names are those of leaves, by their index. */
export type LeafTable = readonly boolean[];

const NO_LEAVES: LeafTable = [false];

/** @param names of one vocabulary. */
export function leafTable(names: readonly XmlName[]): LeafTable {
  const size = Math.max(0, ...names.map(({ index }) => index)) + 1;
  const table = new Array<boolean>(size).fill(false);
  for (const { index } of names) table[index] = index > 0;
  return table;
}

export interface XmlReaderOptions {
  /** The names to compare with; it is not changed. Default: an empty one. */
  readonly vocabulary?: XmlVocabulary | undefined;
  /** Names the input in positions: a path, or a URL without its query. */
  readonly source?: string | undefined;
  readonly limits?: Partial<XmlLimits> | undefined;
  /**
   * The elements that hold text: each is reported by one Leaf event where all of it is at hand, it holds nothing but one
   * piece of text, and that has at most `longestLeaf` bytes. Default: none.
   */
  readonly leaves?: LeafTable | undefined;
  /** Default 65,536. */
  readonly longestLeaf?: number | undefined;
  /** The bytes are UTF-8 whatever their declaration says, having been made so. Default false. */
  readonly transcoded?: boolean | undefined;
}

// What a step may come to besides an event: bytes are missing, or something was read that is no event.
const MORE = 0;
const PASSED = -1;
type Step = XmlEvent | typeof PASSED;

// Where in the document the reader is. Comments, instructions and CDATA sections may be larger than the
// window and pass through it in pieces.
const CONTENT = 0;
const BEGINNING = 1;
const PROLOG = 2;
const EPILOG = 3;
const DONE = 4;
/** Between the two events of an empty-element tag. */
const CLOSING = 5;
/** At a tag that is not complete yet, and whose end was not found so far. */
const SEEKING = 6;
const COMMENT = 7;
const INSTRUCTION = 8;
const CDATA = 9;
type Place = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
const INSIDE: Partial<Record<Place, string>> = {
  [COMMENT]: ' inside a comment',
  [INSTRUCTION]: ' inside a processing instruction',
  [CDATA]: ' inside a CDATA section',
};

// What a piece of text or the value of an attribute needs besides being copied.
const REFERENCES = 1;
const BLANKS = 2;
const WIDE = 4;

/** Marks values among the common texts: white space is replaced in them. */
const VALUE_FLAG = 8;
/** Values up to here are mostly the same from element to element, such as those of `rel` and `xmlns`. Bytes. */
const SHORT_VALUE = 48;

// Instead of where something ends.
const INCOMPLETE = -1;
const INVALID = -2;

interface OpenElement {
  qname: QName;
  name: XmlName;
  /** The scope around the element. */
  scope: Scope;
  byteOffset: number;
}

interface Attribute {
  qname: QName;
  from: number;
  to: number;
  valueFrom: number;
  valueTo: number;
  flags: number;
}

/** A part of the window of the reader that lent it. */
export interface ByteSpan {
  readonly bytes: Uint8Array;
  /** The same bytes. */
  readonly view: DataView;
  readonly from: number;
  readonly to: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const CDATA_START = Buffer.from('<![CDATA[');

const NO_NAME = noName();

/**
 * A strict, streaming pull reader of XML 1.0 (fifth edition) with namespaces, without DTD, in UTF-8.
 *
 * ```ts
 * const reader = new XmlReader({ vocabulary });
 * for (let event = reader.read(); event !== XmlEvent.EndDocument; event = reader.read()) {
 *   if (event === XmlEvent.NeedBytes) …               // push(bytes), or end()
 *   else if (event === XmlEvent.StartElement && reader.name === ENTRY) …
 * }
 * ```
 *
 * What it reports does not depend on how the input is cut into chunks, but for this: the text of one
 * element may come in any number of Text events. No event holds more than some 128 KiB of text.
 *
 * @see https://www.w3.org/TR/xml/ and https://www.w3.org/TR/xml-names/
 */
export class XmlReader {
  readonly #window: ByteWindow;
  readonly #transcoded: boolean;
  readonly #limits: XmlLimits;
  readonly #leaves: LeafTable;
  readonly #longestLeaf: number;
  readonly #qnames = new QNameTable();
  #scope: Scope;
  /** The name of the element that was started last. */
  #started = noName();
  /** Offset in the window of what is read next. */
  #at = 0;
  #place: Place = BEGINNING;
  #rooted = false;
  /** How far the end of an incomplete tag was looked for, and the quotes that are open there. */
  #soughtTo = 0;
  #soughtQuotes = 0;
  /** Where the tag begins that is being read; -1 outside of tags. */
  #tagFrom = -1;
  #error: DecodeError | undefined = undefined;

  /**
   * While true, white space that comes next is passed over without a Text event: for the layout between elements, which is
   * a third of most documents. Set it to false once white space counts: in an element that is no leaf but may hold text, or behind
   * the first Text event of a text that comes in pieces. Default false.
   */
  skipSpace = false;

  readonly #open: OpenElement[] = [];
  #depth = 0;

  #eventOffset = 0;
  #eventPosition: SourcePosition | undefined = undefined;
  #eventName: XmlName | undefined = undefined;
  #eventDepth = 0;
  #textFrom = 0;
  #textTo = 0;
  #textFlags = 0;
  /** Of the text that was scanned last. */
  #scannedFlags = 0;
  readonly #textBytes: Writable<ByteSpan> = {
    bytes: new Uint8Array(0),
    view: new DataView(new ArrayBuffer(0)),
    from: 0,
    to: 0,
  };
  readonly #common = new CommonTexts();

  /** Those of the element just started come first; the others are kept for reuse. */
  readonly #attributes: Attribute[] = [];
  #attributeCount = 0;

  constructor(options: XmlReaderOptions = {}) {
    this.#window = new ByteWindow(options.source);
    this.#transcoded = options.transcoded ?? false;
    const { depth, attributes, tag, name } = options.limits ?? LIMITS;
    this.#limits = {
      depth: depth ?? LIMITS.depth,
      attributes: attributes ?? LIMITS.attributes,
      tag: tag ?? LIMITS.tag,
      name: name ?? LIMITS.name,
    };
    this.#leaves = options.leaves ?? NO_LEAVES;
    this.#longestLeaf = options.longestLeaf ?? LONGEST_LEAF;
    this.#scope = Scope.outermost(options.vocabulary ?? new XmlVocabulary());
  }

  /**
   * Hands over more input. The bytes are copied, but late: they must not change before `read` has returned
   * NeedBytes, EndDocument or thrown. What was taken from the reader until then stays as it is.
   *
   * @throws UsageError OPTION_INVALID after `end`.
   */
  push(bytes: Uint8Array): void {
    if (this.#window.ended) throw new UsageError('OPTION_INVALID', 'push() was called after end()');
    this.#window.push(bytes);
  }

  /**
   * What is pushed next stands at `position` in the source: not at its beginning, or not where the bytes so far ended.
   *
   * @throws UsageError OPTION_INVALID when something that was pushed has not been read yet.
   */
  relocate(position: SourcePosition): void {
    if (!this.#window.relocate(this.#at, position)) {
      throw new UsageError(
        'OPTION_INVALID',
        'relocate() was called before all that was pushed had been read',
      );
    }
  }

  /** Says that there is no more input. */
  end(): void {
    this.#window.close();
  }

  /**
   * The name of the element just started or ended: the object the vocabulary holds for it, if it holds one.
   *
   * @throws UsageError OPTION_INVALID before the first element.
   */
  get name(): XmlName {
    if (this.#eventName === undefined) throw new UsageError('OPTION_INVALID', 'no element was read yet');
    return this.#eventName;
  }

  /** How deep the element just started or ended lies; the root is 1. */
  get depth(): number {
    return this.#eventDepth;
  }

  /** The text of the Text event: references resolved, line ends as line feeds. To be taken before the next `read`. */
  get text(): string {
    const flags = this.#textFlags;
    const text = this.#window.slice(this.#textFrom, this.#textTo, (flags & WIDE) === 0);
    if ((flags & (BLANKS | REFERENCES)) === 0) return text;
    const lines = (flags & BLANKS) === 0 ? text : text.replace(/\r\n?/g, '\n');
    return (flags & REFERENCES) === 0 ? lines : replaceReferences(lines);
  }

  /** `text`, from a small table of texts seen before: for texts that repeat themselves, which then are one string. */
  get commonText(): string {
    const { bytes, view } = this.#window;
    const from = this.#textFrom;
    const to = this.#textTo;
    const flags = this.#textFlags;
    if (from === to) return '';
    const known = this.#common.find(bytes, view, from, to, flags);
    return known ?? this.#common.keep(bytes, from, to, flags, this.text);
  }

  /** Whether `text` has no white space at either end, as nearly always; told from the bytes, and false where they are not the text. */
  get isTrimmed(): boolean {
    const { bytes } = this.#window;
    const isAsIs = (this.#textFlags & REFERENCES) === 0;
    return isAsIs && !isSpace(bytes[this.#textFrom]) && !isSpace(bytes[this.#textTo - 1]);
  }

  /**
   * The bytes of `text`, for what can be told from them without a string; undefined when they are more than the text, as
   * with references. The object is used again: to be read before the next `read`.
   */
  get textBytes(): ByteSpan | undefined {
    if ((this.#textFlags & (BLANKS | REFERENCES)) !== 0) return undefined;
    const span = this.#textBytes;
    span.bytes = this.#window.bytes;
    span.view = this.#window.view;
    span.from = this.#textFrom;
    span.to = this.#textTo;
    return span;
  }

  /** The attributes of the element just started, namespace declarations left out. */
  get attributeCount(): number {
    return this.#attributeCount;
  }

  /** The name of the attribute `index`, from 0 in the order of the document. To be taken before the next `read`. */
  attributeName(index: number): XmlName {
    const { qname, from } = this.#reported(index);
    return this.#scope.attribute(qname) ?? this.#failPrefix(from, qname);
  }

  /** The normalised value of the attribute `index`, from 0 in the order of the document. To be taken before the next `read`. */
  attributeValue(index: number): string {
    return this.#value(this.#reported(index));
  }

  /** The normalised value of this attribute of the element just started; undefined when it has none. To be taken before the next `read`. */
  attribute(local: string, namespace = ''): string | undefined {
    for (let i = 0; i < this.#attributeCount; i++) {
      const attribute = this.#attributeAt(i);
      if (attribute.qname.local !== local) continue;
      const name = attribute.qname.prefix === '' ? '' : this.#scope.attribute(attribute.qname)?.namespace;
      if (name === namespace) return this.#value(attribute);
    }
    return undefined;
  }

  /** Where the current event begins (of a Leaf, its end tag); after NeedBytes, where reading goes on. Columns count characters (code points). */
  get position(): SourcePosition {
    return this.#eventPosition ?? this.#window.position(this.#eventOffset - this.#window.origin);
  }

  /** Offset in the input of the first byte behind the current event. */
  get byteOffset(): number {
    return this.#window.origin + this.#at;
  }

  /**
   * The next event; NeedBytes when the input so far does not hold it.
   *
   * @throws DecodeError XML_NOT_WELL_FORMED, XML_ENCODING (neither UTF-8 nor US-ASCII), XML_DOCTYPE, XML_LIMIT, or
   *   XML_TRUNCATED where the input ended too early. All that stands before that place was reported; reading on
   *   throws the same error.
   */
  read(): XmlEvent {
    for (;;) {
      let step: Step;
      if (this.#place === CONTENT) {
        const { bytes } = this.#window;
        if (this.skipSpace) this.#at = this.#spaceEnd(this.#at);
        const at = this.#at;
        if (bytes[at] === 0x3c) {
          const next = bytes[at + 1] ?? 0;
          if (((CLASSES[next] ?? 0) & NAME_START) !== 0) step = this.#startTag();
          else step = next === 0x2f ? this.#endTag() : this.#markup();
        } else step = this.#text();
      } else step = this.#elsewhere();
      if (step > MORE) return step as XmlEvent;
      if (step === MORE) {
        const moved = this.#window.refill(this.#at);
        if (moved >= 0) {
          this.#at -= moved;
          this.#soughtTo -= moved;
        } else if (!this.#window.final) {
          this.#eventOffset = this.byteOffset;
          return XmlEvent.NeedBytes;
        } else if (this.#place !== SEEKING) return this.#finish();
      }
    }
  }

  /** Where the white space that begins at `from` ends. Much of it is indentation, hence the look at four blanks at once. */
  #spaceEnd(from: number): number {
    const { bytes, view } = this.#window;
    let at = from;
    while (isSpace(bytes[at])) {
      at++;
      while (view.getInt32(at, true) === 0x20202020) at += 4;
    }
    return at;
  }

  // Each of these takes one step; on MORE nothing was consumed that is needed again.

  #elsewhere(): Step {
    if (this.#error !== undefined) throw this.#error;
    switch (this.#place) {
      case BEGINNING:
        return this.#begin();
      case CLOSING:
        return this.#closeElement();
      case SEEKING:
        return this.#seekTagEnd();
      case CDATA:
        return this.#cdata();
      case COMMENT:
      case INSTRUCTION:
        return this.#passOver();
      case DONE:
        return XmlEvent.EndDocument;
      default:
        return this.#misc();
    }
  }

  /** Where reading goes on behind markup that is passed over. */
  #outside(): Place {
    if (this.#depth > 0) return CONTENT;
    return this.#rooted ? EPILOG : PROLOG;
  }

  // --- around the root element ------------------------------------------------------------------

  #begin(): Step {
    const window = this.#window;
    if (window.end === 0 && !window.final) return MORE;
    const { head, bytes, end } = window;
    const encoding = this.#transcoded ? undefined : foreignEncoding(head);
    if (encoding !== undefined) return this.#fail('XML_ENCODING', 0, `expected UTF-8, got ${encoding}`);
    if (this.#at === 0 && head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) {
      this.#at = 3;
      window.skipMark();
    }
    const at = this.#at;
    const start = bytes.toString('latin1', at, Math.min(end, at + 6));
    if (/^<\?xml[ \t\r\n]$/.test(start)) return this.#xmlDeclaration();
    if (!window.final && start.length < 6 && '<?xml '.startsWith(start)) return MORE;
    this.#place = PROLOG;
    return PASSED;
  }

  #xmlDeclaration(): Step {
    const { bytes, end } = this.#window;
    const at = this.#at;
    let to = at;
    while (to < end && to - at < DECLARATION_BYTES && bytes[to] !== 0x3e) to++;
    if (to >= end) return MORE;
    const read = readDeclaration(bytes.toString('latin1', at, to + 1));
    if ('expected' in read)
      return this.#failSyntax(at + read.at, `expected ${read.expected} in the XML declaration`);
    const declared = this.#transcoded ? undefined : read.encoding;
    const encoding = declared?.toLowerCase() ?? 'utf-8';
    if (encoding !== 'utf-8' && encoding !== 'us-ascii') {
      return this.#fail('XML_ENCODING', at, `expected UTF-8, got a document declared as ${quote(encoding)}`);
    }
    this.#at = to + 1;
    this.#place = PROLOG;
    if (encoding === 'us-ascii') this.#window.requireAscii(this.#at);
    return PASSED;
  }

  #misc(): Step {
    const { bytes, end } = this.#window;
    let at = this.#at;
    while (isSpace(bytes[at])) at++;
    this.#at = at;
    if (at >= end) return MORE;
    if (bytes[at] === 0x3c) {
      const next = bytes[at + 1];
      if (next === 0x2f) return this.#endTag();
      return ((CLASSES[next ?? 0] ?? 0) & NAME_START) !== 0 ? this.#startTag() : this.#markup();
    }
    const side = this.#rooted ? 'after' : 'before';
    return this.#failSyntax(at, `${showByte(bytes[at] ?? 0)} ${side} the root element, where no text may be`);
  }

  /** There are no more bytes. */
  #finish(): XmlEvent {
    const { barrier, end, cut } = this.#window;
    if (barrier !== undefined) return this.#fail(barrier.code, end, barrier.message);
    if (this.#place === EPILOG && this.#at === end) {
      if (cut) return this.#failSyntax(end, 'invalid UTF-8');
      this.#place = DONE;
      this.#eventOffset = this.byteOffset;
      return XmlEvent.EndDocument;
    }
    const element = this.#open[this.#depth - 1];
    const inside = INSIDE[this.#place] ?? '';
    const open =
      element === undefined ? '' : `, <${shorten(element.qname.text)}> of byte ${element.byteOffset} is open`;
    const missing = this.#rooted ? '' : ', there is no root element';
    return this.#fail('XML_TRUNCATED', end, `the document ends here${inside}${open}${missing}`);
  }

  // --- text -------------------------------------------------------------------------------------

  #text(): Step {
    const { bytes, end } = this.#window;
    const from = this.#at;
    const at = this.#scanText(from);
    if (at > from) return this.#textEvent(from, at, this.#scannedFlags);
    const byte = bytes[at];
    if (byte === 0x26) return this.#reference(at) === INCOMPLETE ? MORE : this.#failReference(at);
    if (byte === 0x5d && bytes[at + 1] === 0x5d && bytes[at + 2] === 0x3e)
      return this.#failSyntax(at, '"]]>" in text; write "]]&gt;"');
    return byte === 0x5d || byte === 0x0d || at >= end ? MORE : this.#failControl(at);
  }

  /** Where the text that begins at `from` ends, or what is at hand of it; what it needs is in `#scannedFlags`. */
  #scanText(from: number): number {
    const { bytes, view, end, final } = this.#window;
    let at = from;
    let seen = 0;
    let flags = 0;
    for (;;) {
      let word = view.getInt32(at, true);
      let stops = textStops(word);
      while (stops === 0) {
        seen |= word;
        at += 4;
        word = view.getInt32(at, true);
        stops = textStops(word);
      }
      const before = bytesBefore(stops);
      seen |= firstBytes(word, before);
      at += before;
      const byte = bytes[at] ?? 0;
      if (byte === 0x3c) break;
      if (byte === 0x26) {
        const behind = this.#reference(at);
        if (behind < 0) break;
        flags |= REFERENCES;
        at = behind;
      } else if (byte === 0x0d) {
        // A line feed behind it belongs into the same piece.
        if (at + 1 >= end && !final) break;
        flags |= BLANKS;
        at++;
      } else if (byte === 0x5d) {
        const brackets = bytes[at + 1] === 0x5d ? 2 : 1;
        if (brackets === 2 && bytes[at + 2] === 0x3e) break;
        if (at + brackets >= end && !final) break;
        at++;
      } else if (((CLASSES[byte] ?? 0) & TEXT) !== 0) at++;
      else break;
    }
    this.#scannedFlags = (seen & 0x80808080) === 0 ? flags : flags | WIDE;
    return at;
  }

  #cdata(): Step {
    const { bytes, end } = this.#window;
    const from = this.#at;
    const at = this.#scanCdata(from);
    if (at > from) return this.#textEvent(from, at, this.#scannedFlags);
    const byte = bytes[at];
    if (byte === 0x5d && bytes[at + 1] === 0x5d && bytes[at + 2] === 0x3e) {
      this.#place = CONTENT;
      this.#at = at + 3;
      return PASSED;
    }
    return byte === 0x5d || byte === 0x0d || at >= end ? MORE : this.#failControl(at);
  }

  /** Where the CDATA section ends whose text begins at `from`, or what is at hand of it; compare `#scanText`. */
  #scanCdata(from: number): number {
    const { bytes, end, final } = this.#window;
    let at = from;
    let seen = 0;
    let flags = 0;
    for (;;) {
      const byte = bytes[at] ?? 0;
      if (((CLASSES[byte] ?? 0) & LEGAL) === 0) break;
      if (byte === 0x5d) {
        const brackets = bytes[at + 1] === 0x5d ? 2 : 1;
        if (brackets === 2 && bytes[at + 2] === 0x3e) break;
        if (at + brackets >= end && !final) break;
      } else if (byte === 0x0d) {
        if (at + 1 >= end && !final) break;
        flags |= BLANKS;
      }
      seen |= byte;
      at++;
    }
    this.#scannedFlags = seen < 0x80 ? flags : flags | WIDE;
    return at;
  }

  #isCdata(from: number): boolean {
    const { bytes } = this.#window;
    for (let i = 0; i < CDATA_START.length; i++) if (bytes[from + i] !== CDATA_START[i]) return false;
    return true;
  }

  #textEvent(from: number, to: number, flags: number): Step {
    this.#eventOffset = this.#window.origin + from;
    this.#textFrom = from;
    this.#textTo = to;
    this.#textFlags = flags;
    this.#at = to;
    return XmlEvent.Text;
  }

  /** Where the reference that begins at `at` ends; INCOMPLETE or INVALID. */
  #reference(at: number): number {
    const { bytes, end } = this.#window;
    let to = at + 1;
    if (bytes[to] === 0x23) to++;
    while (isName(bytes[to])) to++;
    if (to - at > this.#limits.name) return INVALID;
    if (to >= end) return INCOMPLETE;
    if (bytes[to] !== 0x3b) return INVALID;
    return isReference(bytes, at + 1, to) ? to + 1 : INVALID;
  }

  // --- comments, processing instructions, CDATA sections, DOCTYPE -------------------------------

  /** What begins with "<" and is no tag. */
  #markup(): Step {
    const { bytes, end } = this.#window;
    const at = this.#at;
    if (bytes[at + 1] === 0x3f) return this.#instruction();
    if (this.#isCdata(at)) {
      if (this.#place === CONTENT) return this.#enter(CDATA, at + CDATA_START.length);
      return this.#failSyntax(at, 'a CDATA section outside of the root element');
    }
    const start = bytes.toString('latin1', at, Math.min(end, at + 9));
    if (start.startsWith('<!--')) return this.#enter(COMMENT, at + 4);
    if (start === '<!DOCTYPE') {
      return this.#fail('XML_DOCTYPE', at, 'a DOCTYPE is refused; remove it, and the entities it declares');
    }
    const possible = ['<!--', '<![CDATA[', '<!DOCTYPE'].some((markup) => markup.startsWith(start));
    if (possible && at + start.length >= end) return MORE;
    const byte = bytes[at + 1] ?? 0;
    return byte === 0x21
      ? this.#failSyntax(at, '"<!" begins neither a comment nor a CDATA section')
      : this.#failSyntax(at, `"<" before ${showByte(byte)} begins no tag; write "&lt;" for the character`);
  }

  #instruction(): Step {
    const { bytes, end } = this.#window;
    const from = this.#at + 2;
    let to = from;
    while (isName(bytes[to])) to++;
    if (to - from > this.#limits.name) return this.#failName(from);
    if (to >= end) return MORE;
    const target = bytes.toString('utf8', from, to);
    if (!isNcName(target)) return this.#failSyntax(from, `expected a name after "<?", got ${quote(target)}`);
    if (target === 'xml') {
      return this.#failSyntax(this.#at, 'the XML declaration may stand at the very beginning only');
    }
    if (/^xml$/i.test(target)) return this.#failSyntax(from, `the name ${quote(target)} is reserved`);
    if (isSpace(bytes[to])) return this.#enter(INSTRUCTION, to);
    if (bytes[to] === 0x3f) {
      if (bytes[to + 1] === 0x3e) return this.#enter(INSTRUCTION, to);
      if (to + 1 >= end) return MORE;
    }
    return this.#failExpected(to, 'white space or "?>" in a processing instruction');
  }

  #enter(place: Place, at: number): Step {
    this.#place = place;
    this.#at = at;
    return PASSED;
  }

  /** The rest of a comment or processing instruction. */
  #passOver(): Step {
    const { bytes, end } = this.#window;
    const comment = this.#place === COMMENT;
    const stop = comment ? 0x2d : 0x3f;
    let at = this.#at;
    for (;;) {
      let byte;
      while ((byte = bytes[at] ?? 0) !== stop && ((CLASSES[byte] ?? 0) & LEGAL) !== 0) at++;
      this.#at = at;
      if (byte !== stop) return at >= end ? MORE : this.#failControl(at);
      const dashes = comment && bytes[at + 1] === stop;
      const close = dashes ? at + 2 : at + 1;
      if (close >= end) return MORE;
      if (bytes[close] === 0x3e && (dashes || !comment)) {
        this.#place = this.#outside();
        this.#at = close + 1;
        return PASSED;
      }
      if (dashes) return this.#failSyntax(at, '"--" in a comment');
      at++;
    }
  }

  // --- tags -------------------------------------------------------------------------------------

  #startTag(): Step {
    const { bytes, view, end } = this.#window;
    const start = this.#at;
    this.#tagFrom = start;
    const from = start + 1;
    // Elements follow each other as they did before: the name is compared with the one expected, and only then looked up.
    const guess = this.#started.follower ?? this.#started;
    let at = from;
    let qname: QName | undefined;
    if (guess.pattern.standsAt(view, from)) {
      at += guess.pattern.length;
      if (bytes[at] === 0x3e && at - start < this.#limits.tag && this.#place === CONTENT) {
        return this.#openElement(start, at + 1, guess, 0, false);
      }
      qname = guess;
    }
    if (qname === undefined || isName(bytes[at])) {
      while (isName(bytes[at])) at++;
      qname = this.#qnames.find(bytes, view, from, at);
    }
    const nameTo = at;
    let expected = qname?.attribute;
    let attributes = 0;
    let empty = false;
    while (bytes[at] !== 0x3e) {
      const before = at;
      while (isSpace(bytes[at])) at++;
      const byte = bytes[at] ?? 0;
      if (byte === 0x3e) break;
      if (at >= end) return this.#incompleteTag();
      if (byte === 0x2f) {
        empty = true;
        at++;
        if (bytes[at] === 0x3e) break;
        return at >= end ? this.#incompleteTag() : this.#failExpected(at, '">" after "/"');
      }
      if (((CLASSES[byte] ?? 0) & NAME_START) === 0)
        return this.#failExpected(at, 'an attribute, "/>" or ">"');
      if (before === at) return this.#failExpected(at, 'white space before an attribute');
      at = this.#attribute(attributes, at, expected);
      if (at < 0) return this.#incompleteTag();
      expected = this.#attributeAt(attributes++).qname.attribute;
    }
    at++;
    if (at - start > this.#limits.tag) return this.#failSize();
    if (this.#place === EPILOG) return this.#failSyntax(start, 'a second root element; a document has one');
    return this.#openElement(start, at, qname ?? this.#newName(from, nameTo), attributes, empty);
  }

  /** Notes the attribute that begins at `from`, with its name if that is as `expected`; where it ends, or INCOMPLETE. */
  #attribute(index: number, from: number, expected: QName | undefined): number {
    if (index >= this.#limits.attributes) {
      return this.#fail('XML_LIMIT', from, `more than ${this.#limits.attributes} attributes in one element`);
    }
    const { bytes, view, end } = this.#window;
    let at = from;
    let qname = NO_NAME;
    if (expected?.pattern.standsAt(view, from) === true) {
      at += expected.pattern.length;
      qname = expected;
    }
    if (isName(bytes[at])) {
      while (isName(bytes[at])) at++;
      qname = NO_NAME;
    }
    const to = at;
    while (isSpace(bytes[at])) at++;
    if (at >= end) return INCOMPLETE;
    if (bytes[at] !== 0x3d) return this.#failExpected(at, '"=" after the name of an attribute');
    at++;
    while (isSpace(bytes[at])) at++;
    if (at >= end) return INCOMPLETE;
    const quotes = bytes[at];
    if (quotes !== 0x22 && quotes !== 0x27)
      return this.#failExpected(at, 'the value of an attribute in quotes');
    const valueFrom = ++at;
    let flags = 0;
    let seen = 0;
    for (;;) {
      let word = view.getInt32(at, true);
      let stops = valueStops(word);
      while (stops === 0) {
        seen |= word;
        at += 4;
        word = view.getInt32(at, true);
        stops = valueStops(word);
      }
      const before = bytesBefore(stops);
      seen |= firstBytes(word, before);
      at += before;
      const byte = bytes[at] ?? 0;
      if (byte === quotes) break;
      if (byte === 0x26) {
        const behind = this.#reference(at);
        if (behind === INCOMPLETE) return INCOMPLETE;
        if (behind === INVALID) return this.#failReference(at);
        flags |= REFERENCES;
        at = behind;
      } else if (byte === 0x22 || byte === 0x27) at++;
      else if (isSpace(byte)) {
        flags |= BLANKS;
        at++;
      } else if (at >= end) return INCOMPLETE;
      else if (byte === 0x3c) return this.#failSyntax(at, '"<" in the value of an attribute; write "&lt;"');
      else return this.#failControl(at);
    }
    const attribute = this.#attributeAt(index);
    attribute.qname = qname;
    attribute.from = from;
    attribute.to = to;
    attribute.valueFrom = valueFrom;
    attribute.valueTo = at;
    attribute.flags = (seen & 0x80808080) === 0 ? flags : flags | WIDE;
    return at + 1;
  }

  /** The start tag from `start` to `behind` was read. */
  #openElement(start: number, behind: number, qname: QName, attributes: number, empty: boolean): Step {
    if (this.#started.follower !== qname) this.#started.follower = qname;
    this.#started = qname;
    const outer = this.#scope;
    this.#attributeCount = attributes === 0 ? 0 : this.#resolveAttributes(attributes, qname);
    const name = this.#scope.element(qname) ?? this.#failPrefix(start + 1, qname);
    const depth = this.#depth;
    if (depth >= this.#limits.depth) {
      this.#fail('XML_LIMIT', start, `elements nested deeper than ${this.#limits.depth}`);
    }
    this.#tagFrom = -1;
    this.#eventName = name;
    this.#eventDepth = depth + 1;
    if (depth > 0 && !empty && this.#leaves[name.index] === true && this.#scope === outer) {
      if (this.#leaf(qname, behind)) return XmlEvent.Leaf;
    }
    const byteOffset = this.#window.origin + start;
    const element = this.#open[depth];
    if (element === undefined) this.#open.push({ qname, name, scope: outer, byteOffset });
    else {
      element.qname = qname;
      element.name = name;
      element.scope = outer;
      element.byteOffset = byteOffset;
    }
    this.#rooted = true;
    this.#depth = depth + 1;
    this.#eventOffset = byteOffset;
    this.#at = behind;
    this.#place = empty ? CLOSING : CONTENT;
    return XmlEvent.StartElement;
  }

  /** Whether an element called `qname`, whose content begins at `from`, is a leaf; then it has been read. */
  #leaf(qname: QName, from: number): boolean {
    const { bytes } = this.#window;
    let textFrom = from;
    let textTo = this.#scanText(from);
    let to = textTo;
    if (bytes[to] !== 0x3c) return false;
    if (bytes[to + 1] === 0x21 && to === from && this.#isCdata(from)) {
      textFrom = from + CDATA_START.length;
      textTo = this.#scanCdata(textFrom);
      if (bytes[textTo] !== 0x5d || bytes[textTo + 1] !== 0x5d || bytes[textTo + 2] !== 0x3e) return false;
      to = textTo + 3;
      if (bytes[to] !== 0x3c) return false;
    }
    if (bytes[to + 1] !== 0x2f || textTo - textFrom > this.#longestLeaf) return false;
    const behind = this.#endTagEnd(qname, to);
    if (behind < 0 || behind - to > this.#limits.tag) return false;
    this.#textFrom = textFrom;
    this.#textTo = textTo;
    this.#textFlags = this.#scannedFlags;
    this.#eventOffset = this.#window.origin + to;
    this.#at = behind;
    return true;
  }

  /** Resolves the names of the attributes just read and puts the declarations last; how many others there are. */
  #resolveAttributes(count: number, element: QName): number {
    const texts = count > 12 ? new Set<string>() : undefined;
    let scope = this.#scope;
    let kept = 0;
    let prefixed = false;
    let before = element;
    for (let i = 0; i < count; i++) {
      const attribute = this.#attributeAt(i);
      const { from } = attribute;
      if (attribute.qname === NO_NAME) attribute.qname = this.#qname(from, attribute.to);
      const { qname } = attribute;
      if (before.attribute !== qname) before.attribute = qname;
      before = qname;
      const repeated = texts === undefined ? this.#isRepeated(i) : texts.size === texts.add(qname.text).size;
      if (repeated) return this.#failSyntax(from, `a second attribute ${quote(qname.text)}`);
      if (qname.binds === undefined) {
        if (qname.prefix !== '') prefixed = true;
        this.#attributes[i] = this.#attributeAt(kept);
        this.#attributes[kept++] = attribute;
      } else {
        const namespace = this.#value(attribute);
        const problem = bindingProblem(qname.binds, namespace);
        if (problem !== undefined) return this.#failSyntax(from, problem);
        scope = scope.declare(qname.binds, namespace);
      }
    }
    this.#scope = scope;
    if (prefixed) this.#resolvePrefixes(kept);
    return kept;
  }

  #isRepeated(index: number): boolean {
    const { text } = this.#attributeAt(index).qname;
    for (let i = 0; i < index; i++) if (this.#attributeAt(i).qname.text === text) return true;
    return false;
  }

  #resolvePrefixes(count: number): void {
    const names = new Set<string>();
    for (let i = 0; i < count; i++) {
      const { qname, from } = this.#attributeAt(i);
      if (qname.prefix === '') continue;
      const { namespace, local } = this.#scope.attribute(qname) ?? this.#failPrefix(from, qname);
      if (names.size === names.add(`${local} ${namespace}`).size) {
        this.#failSyntax(from, `a second attribute ${quote(local)} of the namespace ${quote(namespace)}`);
      }
    }
  }

  #endTag(): Step {
    const start = this.#at;
    this.#tagFrom = start;
    const element = this.#open[this.#depth - 1];
    if (element === undefined) return this.#failSyntax(start, 'an end tag outside of the root element');
    const behind = this.#endTagEnd(element.qname, start);
    if (behind < 0) return behind === INCOMPLETE ? this.#incompleteTag() : this.#failEndTag(element);
    if (behind - start > this.#limits.tag) return this.#failSize();
    this.#tagFrom = -1;
    this.#at = behind;
    this.#eventOffset = this.#window.origin + start;
    return this.#closeElement();
  }

  /** Where the end tag that begins at `start` ends if it is that of `qname`; else INCOMPLETE or INVALID. */
  #endTagEnd(qname: QName, start: number): number {
    const { bytes, view, end } = this.#window;
    let at = start + 2;
    const same = qname.pattern.standsAt(view, at);
    if (same) at += qname.pattern.length;
    if (bytes[at] === 0x3e && same) return at + 1;
    if (!same || isName(bytes[at])) {
      while (isName(bytes[at])) at++;
      return at >= end ? INCOMPLETE : INVALID;
    }
    while (isSpace(bytes[at])) at++;
    if (bytes[at] === 0x3e) return at + 1;
    return at >= end ? INCOMPLETE : INVALID;
  }

  #closeElement(): Step {
    const depth = this.#depth;
    const element = this.#open[depth - 1];
    this.#attributeCount = 0;
    this.#eventDepth = depth;
    this.#depth = depth - 1;
    this.#place = depth > 1 ? CONTENT : EPILOG;
    if (element !== undefined) {
      this.#eventName = element.name;
      this.#scope = element.scope;
    }
    return XmlEvent.EndElement;
  }

  /** A tag that is not complete is not read again for every chunk: first its end is looked for. */
  #incompleteTag(): Step {
    const { end, final } = this.#window;
    if (end - this.#at >= this.#limits.tag) return this.#failSize();
    this.#tagFrom = -1;
    if (!final) this.#place = SEEKING;
    this.#soughtTo = this.#at + 1;
    this.#soughtQuotes = 0;
    return MORE;
  }

  /** Goes back to the tag once it is worth reading: its end is there, or will never be. */
  #seekTagEnd(): Step {
    const { bytes, end, final } = this.#window;
    let quotes = this.#soughtQuotes;
    let at = this.#soughtTo;
    let found = final || end - this.#at >= this.#limits.tag;
    while (at < end && !found) {
      const byte = bytes[at++] ?? 0;
      if (quotes !== 0) {
        if (byte === quotes) quotes = 0;
      } else if (byte === 0x22 || byte === 0x27) quotes = byte;
      else found = byte === 0x3e;
    }
    this.#soughtTo = at;
    this.#soughtQuotes = quotes;
    if (!found) return MORE;
    this.#place = this.#outside();
    return PASSED;
  }

  #qname(from: number, to: number): QName {
    const { bytes, view } = this.#window;
    return this.#qnames.find(bytes, view, from, to) ?? this.#newName(from, to);
  }

  #newName(from: number, to: number): QName {
    const { bytes } = this.#window;
    if (to - from > this.#limits.name) return this.#failName(from);
    const text = bytes.toString('utf8', from, to);
    if (!isQName(text)) return this.#failSyntax(from, `${quote(text)} is no name`);
    return this.#qnames.add(text, bytes, from, to);
  }

  #attributeAt(index: number): Attribute {
    return (this.#attributes[index] ??= {
      qname: NO_NAME,
      from: 0,
      to: 0,
      valueFrom: 0,
      valueTo: 0,
      flags: 0,
    });
  }

  #reported(index: number): Attribute {
    if (index >= 0 && index < this.#attributeCount) return this.#attributeAt(index);
    throw new UsageError('OPTION_INVALID', `there is no attribute ${index}`);
  }

  #value({ valueFrom, valueTo, flags }: Attribute): string {
    const { bytes, view } = this.#window;
    const repeated = valueTo > valueFrom && valueTo - valueFrom <= SHORT_VALUE;
    const known = repeated
      ? this.#common.find(bytes, view, valueFrom, valueTo, flags | VALUE_FLAG)
      : undefined;
    if (known !== undefined) return known;
    let value = this.#window.slice(valueFrom, valueTo, (flags & WIDE) === 0);
    if ((flags & BLANKS) !== 0) value = value.replace(/\r\n|[\t\n\r]/g, ' ');
    if ((flags & REFERENCES) !== 0) value = replaceReferences(value);
    return repeated ? this.#common.keep(bytes, valueFrom, valueTo, flags | VALUE_FLAG, value) : value;
  }

  // --- refusals ---------------------------------------------------------------------------------

  /** `decided` is the byte that shows what is wrong `at` another place. */
  #fail(code: ErrorCode, at: number, message: string, decided = at): never {
    this.#eventPosition = this.position;
    // What shows behind the longest tag allowed would not have been seen, had the rest come later.
    const unseen = this.#tagFrom >= 0 && decided - this.#tagFrom >= this.#limits.tag;
    this.#error = unseen
      ? new DecodeError('XML_LIMIT', this.#tooLong(), this.#window.position(this.#tagFrom))
      : new DecodeError(code, message, this.#window.position(at));
    this.#place = DONE;
    throw this.#error;
  }

  #tooLong(): string {
    return `a tag longer than ${this.#limits.tag} bytes`;
  }

  #failSize(): never {
    return this.#fail('XML_LIMIT', this.#tagFrom, this.#tooLong());
  }

  #failSyntax(at: number, message: string, decided = at): never {
    return this.#fail('XML_NOT_WELL_FORMED', at, message, decided);
  }

  #failExpected(at: number, expected: string): never {
    const byte = this.#window.bytes[at] ?? 0;
    return ((CLASSES[byte] ?? 0) & LEGAL) === 0
      ? this.#failControl(at)
      : this.#failSyntax(at, `expected ${expected}, got ${showByte(byte)}`);
  }

  #failControl(at: number): never {
    return this.#failSyntax(
      at,
      `the control character ${showByte(this.#window.bytes[at] ?? 0)} is not allowed`,
    );
  }

  #failName(from: number): never {
    return this.#fail('XML_LIMIT', from, `a name longer than ${this.#limits.name} bytes`);
  }

  #failPrefix(from: number, qname: QName): never {
    return this.#failSyntax(
      from,
      `the prefix of ${quote(qname.text)} is not declared; add xmlns:${shorten(qname.prefix)}="…"`,
    );
  }

  /** The end tag that begins at `#tagFrom` is that of another element, or none. */
  #failEndTag(element: OpenElement): never {
    const { bytes } = this.#window;
    const start = this.#tagFrom;
    let to = start + 2;
    while (isName(bytes[to])) to++;
    if (bytes.toString('utf8', start + 2, to) === element.qname.text) {
      while (isSpace(bytes[to])) to++;
      return this.#failExpected(to, '">" at the end of an end tag');
    }
    const found = shorten(bytes.toString('utf8', start + 2, to));
    const expected = `</${shorten(element.qname.text)}> for the element of byte ${element.byteOffset}`;
    return this.#failSyntax(start, `expected ${expected}, got </${found}>`, to);
  }

  #failReference(at: number): never {
    const { bytes } = this.#window;
    let to = at + 1;
    if (bytes[to] === 0x23) to++;
    while (isName(bytes[to])) to++;
    const { name } = this.#limits;
    if (to - at > name)
      return this.#fail('XML_LIMIT', at, `a reference longer than ${name} bytes`, at + name);
    if (bytes[to] !== 0x3b) {
      return this.#failSyntax(at, '"&" begins no reference; write "&amp;" for the character', to);
    }
    const text = bytes.toString('utf8', at + 1, to);
    const what = text.startsWith('#') ? 'is no character of XML' : 'is declared nowhere';
    return this.#failSyntax(at, `${quote(`&${text};`)} ${what}`, to);
  }
}

/** A name that stands nowhere: its byte is not UTF-8. */
function noName(): QName {
  return new QName('', Uint8Array.of(0xff), 0, 1);
}

/** The first comparison answers for nearly every byte that is asked about: quicker than a look at the table. */
function isSpace(byte = 0): boolean {
  return byte <= 0x20 && ((CLASSES[byte] ?? 0) & SPACE) !== 0;
}

function isName(byte: number | undefined): boolean {
  return ((CLASSES[byte ?? 0] ?? 0) & NAME) !== 0;
}

/** Text of the document in messages is bounded. */
function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function quote(text: string): string {
  return JSON.stringify(shorten(text));
}
