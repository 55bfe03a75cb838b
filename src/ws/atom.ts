import { DecodeError, type SourcePosition } from '../activity/errors.js';
import {
  leafTable,
  XmlEvent,
  XmlReader,
  type LeafTable,
  type XmlLimits,
  type XmlName,
} from '../format/xml-reader.js';
import { ATOM_NAMESPACE, vocabulary } from './names.js';
import { leafInstant, leafText, readInstant, trimSpace } from './text-values.js';

/** Something in a record that could not be taken as it stands; the rest of the record is good. */
export interface RecordProblem {
  readonly message: string;
  readonly position: SourcePosition;
}

/** What one Atom entry says outside its content. */
export interface AtomEntry {
  readonly id: string | undefined;
  readonly title: string | undefined;
  readonly updated: Date | undefined;
  /** Link rel `edit`, as written. */
  readonly edit: string | undefined;
  /** Link rel `edit-media`, as written. */
  readonly editMedia: string | undefined;
}

/**
 * Reads what stands inside `<content>`. `start` is called with the reader at the content's child element and says whether
 * this is the element meant; then every event inside it is handed over, its own end excepted.
 */
export interface ContentDecoder<T> {
  /** Forgets the entry before. */
  reset(): void;
  /** May set `reader.skipSpace` from now on; before, it is false. */
  start(reader: XmlReader): boolean;
  startElement(reader: XmlReader): void;
  /** Adds to the text of the element that is open; its length so far. */
  text(text: string, reader: XmlReader): number;
  endElement(reader: XmlReader, problem: (message: string) => void): void;
  /** The elements that may come in one event, those of `ENTRY_LEAVES` among them. Default: only those. */
  readonly leaves?: LeafTable;
  /** Such an element; as `text`, the length so far of a text that it became part of. Default: the three calls above. */
  leaf?(reader: XmlReader, problem: (message: string) => void): number;
  /** The record of the entry; undefined where it needs content to be one, and there was none. */
  finish(entry: AtomEntry, problem: (message: string) => void): T | undefined;
}

/** One entry of a document. `value` is undefined for an entry whose content is something else, such as a contact. */
export interface DecodedEntry<T> {
  readonly value: T | undefined;
  /** Whether there was content of the kind that is read: without, `value` is made of the entry alone. */
  readonly hasContent: boolean;
  readonly problems: readonly RecordProblem[];
  /** Where the entry's start tag begins. */
  readonly position: SourcePosition;
  /** Bytes from there to the end of its end tag. */
  readonly byteLength: number;
}

export interface AtomLimits extends XmlLimits {
  /** Characters of the text of one element. Default 1,048,576. */
  readonly text: number;
}

const MOST_TEXT = 1_048_576;
/** Texts up to here are taken at once, in bytes. */
const LONGEST_LEAF = 65_536;
/** Of one entry; what goes beyond is counted, not told. */
const MOST_PROBLEMS = 100;

/** How a document is read. */
export interface AtomReaderOptions {
  /** Names the input in positions: a path or a URL without its query. */
  readonly source?: string | undefined;
  /** How large a document may be; the rest by default. */
  readonly limits?: Partial<AtomLimits> | undefined;
  /** The bytes are UTF-8 whatever the XML declaration says, having been made so. Default false. */
  readonly transcoded?: boolean | undefined;
  /** Whether entries tell where they stand, for which all lines are counted. Default true. */
  readonly placed?: boolean | undefined;
}

/** Of entries that do not tell where they stand. */
const UNPLACED: SourcePosition = Object.freeze({ source: undefined, line: 1, column: 1, byteOffset: 0 });

/** `rootEnd` says that the feed or entry is closed; reading on checks that nothing but comments follows. */
type Step<T> =
  | { readonly kind: 'needBytes' | 'rootEnd' | 'end' }
  | { readonly kind: 'entry'; readonly entry: DecodedEntry<T> };

const NEED_BYTES = { kind: 'needBytes' } as const;
const ROOT_END = { kind: 'rootEnd' } as const;
const END = { kind: 'end' } as const;

/** Atom names, with and without their namespace: copies of feeds that lost their `xmlns` are still feeds. */
function atomNames(local: string): readonly XmlName[] {
  return [vocabulary.name(ATOM_NAMESPACE, local), vocabulary.name('', local)];
}

/** Children of an entry that hold text. */
export const ENTRY_LEAVES: readonly XmlName[] = ['id', 'title', 'updated'].flatMap(atomNames);

const [ENTRY, BARE_ENTRY] = [vocabulary.name(ATOM_NAMESPACE, 'entry'), vocabulary.name('', 'entry')];

type Frame = 'feed' | 'entry' | 'link' | 'id' | 'title' | 'updated' | 'content';
const FRAMES: (Frame | undefined)[] = [];
for (const local of ['feed', 'entry', 'link', 'id', 'title', 'updated', 'content'] as const) {
  for (const name of atomNames(local)) FRAMES[name.index] = local;
}

/** What the reader is inside of. `leaf` gathers text; `skip` passes over; `inside` is the content's own element. */
type State = 'document' | 'feed' | 'entry' | 'leaf' | 'content' | 'inside' | 'skip';

/**
 * Reads an Atom feed or a single entry as its bytes arrive: `push` bytes, then `read` until it says `needBytes`.
 * Elements may stand in any order and carry any prefix; foreign elements, and an entry's `source`, are passed over.
 * @throws DecodeError from `read`: XML that is not well-formed, or a root that is neither feed nor entry.
 */
export class AtomReader<T> {
  readonly #xml: XmlReader;
  readonly #content: ContentDecoder<T>;
  /** The root element; undefined before it was read. */
  root: 'feed' | 'entry' | undefined;
  /** The feed's link rel `next`, as written; complete once `read` said `end`. */
  next: string | undefined;

  #state: State = 'document';
  #outer: State = 'document';
  /** Depth of the element that `leaf`, `skip` or `inside` began with. */
  #depth = 0;
  #field: 'id' | 'title' | 'updated' = 'id';
  #text = '';

  #id: string | undefined;
  #title: string | undefined;
  #updated: Date | undefined;
  #edit: string | undefined;
  #editMedia: string | undefined;
  #foreign = false;
  #found = false;
  #position: SourcePosition | undefined;
  #rootTagEnd: number | undefined;
  #problems: RecordProblem[] = [];
  #problemCount = 0;
  readonly #mostText: number;
  readonly #placed: boolean;
  readonly #problem = (message: string): void => {
    if (++this.#problemCount > MOST_PROBLEMS) return;
    const last = this.#problemCount === MOST_PROBLEMS;
    const told = last ? `${message}; what else is wrong in this entry is not listed` : message;
    this.#problems.push({ message: told, position: this.#xml.position });
  };

  constructor(content: ContentDecoder<T>, options: AtomReaderOptions = {}) {
    this.#content = content;
    this.#mostText = options.limits?.text ?? MOST_TEXT;
    this.#placed = options.placed ?? true;
    this.#xml = new XmlReader({
      vocabulary,
      source: options.source,
      limits: options.limits,
      transcoded: options.transcoded,
      leaves: content.leaves ?? leafTable(ENTRY_LEAVES),
      longestLeaf: Math.min(this.#mostText, LONGEST_LEAF),
    });
    this.#xml.skipSpace = true;
  }

  /**
   * Goes on inside a feed that another reader began: `rootTag` is the feed's start tag, and what is pushed next stands at
   * `position`. To be called before anything is pushed.
   * @throws DecodeError when `rootTag` is not the start tag of a feed.
   */
  resume(rootTag: Uint8Array, position: SourcePosition): void {
    this.push(rootTag);
    if (this.read().kind !== 'needBytes' || this.#state !== 'feed') {
      throw new DecodeError('DOCUMENT_UNEXPECTED', 'expected the start tag of a feed', position);
    }
    this.#xml.relocate(position);
  }

  /** What is pushed next stands at `position`, which is not where the bytes so far ended. */
  relocate(position: SourcePosition): void {
    this.#xml.relocate(position);
  }

  /** Offset of the first byte that was not read yet. */
  get byteOffset(): number {
    return this.#xml.byteOffset;
  }

  /** Where the last step began; after `end`, where the document ends. */
  get position(): SourcePosition {
    return this.#xml.position;
  }

  /** Where the entry begins that is being read; undefined between entries. */
  get openEntry(): SourcePosition | undefined {
    return this.#position;
  }

  /** Offset behind the root's start tag; undefined before it was read. */
  get rootTagEnd(): number | undefined {
    return this.#rootTagEnd;
  }

  push(bytes: Uint8Array): void {
    this.#xml.push(bytes);
  }

  end(): void {
    this.#xml.end();
  }

  read(): Step<T> {
    const xml = this.#xml;
    for (;;) {
      switch (xml.read()) {
        case XmlEvent.StartElement:
          if (xml.name === ENTRY || xml.name === BARE_ENTRY) this.#checkPlace(xml);
          if (this.#state === 'inside') this.#content.startElement(xml);
          else this.#start(xml);
          break;
        case XmlEvent.Leaf:
          this.#leaf(xml);
          break;
        case XmlEvent.Text:
          if (this.#state === 'leaf') this.#checkText((this.#text += xml.text).length);
          else if (this.#state === 'inside') this.#checkText(this.#content.text(xml.text, xml));
          break;
        case XmlEvent.EndElement: {
          const entry = this.#end(xml);
          if (entry !== undefined) return { kind: 'entry', entry };
          if (xml.depth === 1) return ROOT_END;
          break;
        }
        case XmlEvent.EndDocument:
          return END;
        default:
          return NEED_BYTES;
      }
    }
  }

  #checkText(length: number): void {
    if (length <= this.#mostText) return;
    const message = `the text of one element is longer than ${this.#mostText} characters`;
    throw new DecodeError('XML_LIMIT', message, this.#xml.position);
  }

  #start(xml: XmlReader): void {
    switch (this.#state) {
      case 'document':
        this.#startRoot(xml);
        return;
      case 'feed':
        switch (FRAMES[xml.name.index]) {
          case 'entry':
            this.#startEntry(xml);
            return;
          case 'link':
            if (xml.attribute('rel') === 'next') this.next ??= xml.attribute('href');
            break;
          default:
        }
        this.#enter('skip', xml);
        return;
      case 'entry':
        this.#startEntryChild(xml);
        return;
      case 'content':
        xml.skipSpace = false;
        if (!this.#found && this.#content.start(xml)) {
          this.#found = true;
          this.#enter('inside', xml);
        } else {
          xml.skipSpace = true;
          this.#foreign = true;
          this.#enter('skip', xml);
        }
        return;
      default:
      // leaf: markup inside text is passed over and its text kept; skip: all of it is passed over
    }
  }

  /**
   * An entry begins where none can: most often the one before was cut off, and would swallow all that follow it. Only
   * content of another kind may hold an entry of its own.
   */
  #checkPlace(xml: XmlReader): void {
    if (this.#state === 'document' || this.#state === 'feed') return;
    if (this.#state === 'skip' && this.#outer === 'content') return;
    throw new DecodeError(
      'DOCUMENT_UNEXPECTED',
      `an <entry> begins inside ${this.#position === undefined ? 'an element of the feed' : 'another <entry>'} that is not closed`,
      xml.position,
    );
  }

  #leaf(xml: XmlReader): void {
    switch (this.#state) {
      case 'inside': {
        const content = this.#content;
        if (content.leaf !== undefined) this.#checkText(content.leaf(xml, this.#problem));
        else {
          content.startElement(xml);
          this.#checkText(content.text(xml.text, xml));
          content.endElement(xml, this.#problem);
        }
        return;
      }
      case 'entry':
        this.#takeLeaf(xml);
        return;
      case 'content':
        this.#foreign = true;
        return;
      case 'leaf':
        this.#checkText((this.#text += xml.text).length);
        return;
      default:
      // passed over
    }
  }

  #startRoot(xml: XmlReader): void {
    this.#rootTagEnd = xml.byteOffset;
    const frame = FRAMES[xml.name.index];
    if (frame === 'feed') {
      this.root = 'feed';
      this.#state = 'feed';
    } else if (frame === 'entry') {
      this.root = 'entry';
      this.#startEntry(xml);
    } else {
      const { namespace, local } = xml.name;
      throw new DecodeError(
        'DOCUMENT_UNEXPECTED',
        `expected an Atom feed or entry, found <${local}>${namespace === '' ? '' : ` of ${namespace}`}` +
          (local.toLowerCase() === 'html' ? '; this looks like the page of a proxy or a login' : ''),
        xml.position,
      );
    }
  }

  #startEntry(xml: XmlReader): void {
    this.#state = 'entry';
    this.#position = this.#placed ? xml.position : UNPLACED;
    this.#problems = [];
    this.#problemCount = 0;
    this.#id = this.#title = this.#edit = this.#editMedia = undefined;
    this.#updated = undefined;
    this.#foreign = this.#found = false;
    this.#content.reset();
  }

  #startEntryChild(xml: XmlReader): void {
    const frame = FRAMES[xml.name.index];
    switch (frame) {
      case 'id':
      case 'title':
      case 'updated':
        this.#field = frame;
        this.#text = '';
        xml.skipSpace = false;
        this.#enter('leaf', xml);
        return;
      case 'content':
        this.#state = 'content';
        return;
      case 'link': {
        const rel = xml.attribute('rel');
        if (rel === 'edit') this.#edit ??= xml.attribute('href');
        else if (rel === 'edit-media') this.#editMedia ??= xml.attribute('href');
        break;
      }
      default:
    }
    this.#enter('skip', xml);
  }

  #enter(state: 'leaf' | 'skip' | 'inside', xml: XmlReader): void {
    this.#outer = this.#state;
    this.#state = state;
    this.#depth = xml.depth;
  }

  #end(xml: XmlReader): DecodedEntry<T> | undefined {
    switch (this.#state) {
      case 'leaf':
        if (xml.depth === this.#depth) {
          this.#takeField();
          this.#state = this.#outer;
          xml.skipSpace = true;
        }
        return undefined;
      case 'skip':
        if (xml.depth === this.#depth) this.#state = this.#outer;
        return undefined;
      case 'inside':
        if (xml.depth !== this.#depth) this.#content.endElement(xml, this.#problem);
        else {
          this.#state = 'content';
          xml.skipSpace = true;
        }
        return undefined;
      case 'content':
        this.#state = 'entry';
        return undefined;
      case 'entry':
        this.#state = this.root === 'feed' ? 'feed' : 'document';
        return this.#finishEntry(xml);
      default:
        this.#state = 'document';
        return undefined;
    }
  }

  #takeLeaf(xml: XmlReader): void {
    const frame = FRAMES[xml.name.index];
    switch (frame) {
      case 'id':
        this.#id ??= leafText(xml);
        return;
      case 'title':
        this.#title ??= leafText(xml);
        return;
      case 'updated':
        this.#updated ??= leafInstant(frame, xml, this.#problem);
        return;
      default:
      // a leaf of the content's, out of its place
    }
  }

  #takeField(): void {
    const text = trimSpace(this.#text);
    switch (this.#field) {
      case 'id':
        this.#id ??= text;
        return;
      case 'title':
        this.#title ??= text;
        return;
      case 'updated':
        this.#updated ??= readInstant('updated', text, this.#problem);
    }
  }

  #finishEntry(xml: XmlReader): DecodedEntry<T> {
    const entry: AtomEntry = {
      id: this.#id,
      title: this.#title,
      updated: this.#updated,
      edit: this.#edit,
      editMedia: this.#editMedia,
    };
    const foreign = this.#foreign && !this.#found;
    const value = foreign ? undefined : this.#content.finish(entry, this.#problem);
    const position = this.#position ?? xml.position;
    this.#position = undefined;
    const byteLength = xml.byteOffset - position.byteOffset;
    return { value, hasContent: this.#found, problems: this.#problems, position, byteLength };
  }
}

/** A whole document at once. */
export interface DecodedDocument<T> {
  readonly root: 'feed' | 'entry';
  readonly entries: readonly Omit<DecodedEntry<T>, 'position' | 'byteLength'>[];
  readonly next: string | undefined;
}

/**
 * All entries of a document that is in memory.
 * @throws DecodeError as `AtomReader.read`.
 */
export function decodeDocument<T>(
  bytes: Uint8Array,
  content: ContentDecoder<T>,
  options?: AtomReaderOptions,
): DecodedDocument<T> {
  const reader = new AtomReader(content, { ...options, placed: false });
  reader.push(bytes);
  reader.end();
  const entries: DecodedEntry<T>[] = [];
  for (;;) {
    const step = reader.read();
    if (step.kind === 'entry') entries.push(step.entry);
    else if (step.kind !== 'rootEnd') break;
  }
  return { root: reader.root ?? 'feed', entries, next: reader.next };
}
