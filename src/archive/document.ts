import type { Activity } from '../activity/activity.js';
import { DecodeError, type SourcePosition } from '../activity/errors.js';
import { Transcoder, type Encoding } from '../format/transcode.js';
import { ActivityContent } from '../ws/activity-element.js';
import { AtomReader } from '../ws/atom.js';
import { ASTRAY_BYTES, findAstray, type Astray } from './astray.js';
import { advance, type LineColumn } from './lines.js';
import { LandmarkSearch } from './resync.js';
import { Tape } from './tape.js';

/** A feed whose start tag was read. */
export interface OpenFeed {
  /** Where its document begins. */
  readonly origin: number;
  /** Its document up to the end of its start tag. */
  readonly rootTag: Uint8Array;
  readonly encoding: Encoding;
  /** What its declaration says of the encoding is done with. */
  readonly transcoded: boolean;
}

/** What is known of a document when it begins. */
interface Beginning extends Omit<OpenFeed, 'rootTag'> {
  /** Whether it is what is left of a document that could not be read as one. */
  readonly remnant: boolean;
  /** What comes, as it comes. */
  readonly raw: Tape;
}

export const START: LineColumn = { line: 1, column: 1 };
/** How many bytes a reader gets at once: little at first, since damage may begin anew soon. */
export const FIRST_PACE = 4096;
export const LAST_PACE = 1_048_576;

/**
 * A document on its way from the bytes of a source to the reader. Offsets are those of its UTF-8, counted on from where it
 * begins in the source: of what is UTF-8 as it stands, they are offsets in the source.
 */
export class Document {
  readonly origin: number;
  readonly transcoder: Transcoder;
  readonly transcoded: boolean;
  readonly remnant: boolean;
  /** The UTF-8 that may have to be read again: that of the bytes as they came, or of its own. */
  readonly tape: Tape;
  /** All up to the end of the root's start tag. */
  rootTag: Buffer | undefined;
  closed = false;
  /** All before this offset is accounted for. */
  accounted: number;
  /** Where reading was taken up last, so that the same damage is not met twice. */
  resumed = -1;
  #reader: AtomReader<Activity>;
  /** How far the reader was given the tape, and how much it gets next. */
  #fed: number;
  #pace = FIRST_PACE;
  /** Bytes at the end of the tape that are no character; only after the last byte. */
  #unread = 0;
  /** The last bytes that came, of UTF-16: whether they are where they should be shows with the next ones. */
  #held: Uint8Array = new Uint8Array(0);
  #astray: Astray | undefined;

  private constructor({ origin, encoding, transcoded, remnant, raw }: Beginning, at: number) {
    this.origin = origin;
    this.transcoder = new Transcoder(encoding, origin);
    this.transcoded = transcoded;
    this.remnant = remnant;
    this.tape = this.transcoder.isIdentity ? raw : new Tape(at);
    this.accounted = this.#fed = at;
    this.#reader = new AtomReader(new ActivityContent(), { transcoded });
  }

  /** One that begins at `place`. */
  static begin(beginning: Beginning, place: LineColumn): Document {
    const document = new Document(beginning, beginning.origin);
    document.#reader.relocate({ source: undefined, ...place, byteOffset: beginning.origin });
    return document;
  }

  /** A feed that is read from `place` on. */
  static inside(feed: OpenFeed, place: LineColumn & { readonly byteOffset: number }, raw: Tape): Document {
    const document = new Document({ ...feed, remnant: false, raw }, place.byteOffset);
    document.rootTag = Buffer.from(feed.rootTag);
    document.#readFrom(place.byteOffset, place);
    return document;
  }

  get reader(): AtomReader<Activity> {
    return this.#reader;
  }

  get fed(): number {
    return this.#fed;
  }

  /** Whether bytes follow the document that are no character of its encoding. */
  get endsInside(): boolean {
    return this.#unread > 0;
  }

  /** Where the document goes on at an odd place among the bytes of UTF-16: no more of them are put on the tape. */
  get astray(): Astray | undefined {
    return this.#astray;
  }

  /** Takes bytes that came; those of UTF-8 are on the tape already. */
  push(bytes: Uint8Array): void {
    const { transcoder, tape } = this;
    if (this.#astray !== undefined || transcoder.isIdentity) return;
    if (!transcoder.encoding.startsWith('UTF-16')) {
      tape.push(transcoder.push(bytes));
      return;
    }
    const wide = Buffer.concat([this.#held, bytes]);
    const found = findAstray(wide, transcoder.fed % 2 === 0 ? 1 : 0, transcoder.encoding);
    const ready = found?.at ?? Math.max(0, wide.length - ASTRAY_BYTES);
    tape.push(transcoder.push(wide.subarray(0, ready)));
    this.#held = found === undefined ? wide.subarray(ready) : new Uint8Array(0);
    if (found !== undefined) this.end();
    this.#astray = found;
  }

  /** Says that no more bytes come. */
  end(): void {
    const { transcoder, tape } = this;
    if (this.#astray !== undefined || transcoder.isIdentity) return;
    tape.push(transcoder.push(this.#held));
    const rest = transcoder.end();
    tape.push(rest);
    this.#unread = rest.length;
  }

  /**
   * Gives the reader more of the tape; false when there is none for now. `isEnded` says that no more bytes come.
   * @throws DecodeError where the bytes go astray.
   */
  feedReader(isEnded: boolean): boolean {
    const { tape } = this;
    const end = tape.end - this.#unread;
    if (this.#fed < end) {
      const to = Math.min(end, this.#fed + this.#pace);
      this.#reader.push(tape.slice(this.#fed, to));
      this.#fed = to;
      this.#pace = Math.min(LAST_PACE, 2 * this.#pace);
      return true;
    }
    if (this.#astray !== undefined) {
      const message = 'a byte is missing before this, or there is one too many';
      throw new DecodeError('XML_NOT_WELL_FORMED', message, this.#reader.position);
    }
    if (isEnded) this.#reader.end();
    return isEnded;
  }

  /** Goes on inside the feed behind damage. */
  resume(at: number, place: LineColumn): void {
    this.#reader = new AtomReader(new ActivityContent(), { transcoded: this.transcoded });
    this.#readFrom(at, place);
    this.resumed = at;
  }

  #readFrom(at: number, { line, column }: LineColumn): void {
    this.#reader.relocate({ source: undefined, ...START, byteOffset: this.origin });
    this.#reader.resume(this.rootTag ?? Buffer.alloc(0), { source: undefined, line, column, byteOffset: at });
    this.#fed = at;
    this.#pace = FIRST_PACE;
  }

  /** The feed, to go on with it in bytes that stand at an odd place: from there on they are a document of their own. */
  openFeedAt(origin: number): OpenFeed {
    const { rootTag = Buffer.alloc(0), transcoder, transcoded } = this;
    return { origin, rootTag, encoding: transcoder.encoding, transcoded };
  }

  /** Keeps the root's start tag, once it was read; whether that is now. */
  keepRootTag(): boolean {
    const { root, rootTagEnd: end } = this.#reader;
    // A root that is neither feed nor entry is none to go on inside of.
    if (this.rootTag !== undefined || root === undefined || end === undefined) return false;
    this.rootTag = Buffer.from(this.tape.slice(this.origin, end));
    return true;
  }

  /** Where the entry begins whose start tag is broken at `at`, or which was no entry to the reader for another reason. */
  brokenEntry(at: SourcePosition): SourcePosition | undefined {
    const { accounted, rootTag, tape } = this;
    if (rootTag === undefined || at.byteOffset <= accounted) return undefined;
    const search = new LandmarkSearch(Math.max(accounted, tape.start));
    const start = search.searched;
    const before = tape.slice(start, at.byteOffset);
    let found: number | undefined;
    for (;;) {
      const next = search.next(before.subarray(search.searched - start), true);
      if (next === undefined) break;
      if (next.kind === 'entry' && next.doubt === undefined) found = next.at - start;
    }
    if (found === undefined) return undefined;
    const span = advance(START, before.subarray(found));
    const lead = advance(START, before.subarray(0, found));
    const column = span.line === 1 ? at.column - span.column + 1 : lead.column;
    return { source: at.source, line: at.line - span.line + 1, column, byteOffset: start + found };
  }

  /** The offset in the source of what stands at this offset. */
  sourceOffset(at: number): number {
    return this.transcoder.sourceOffset(at - this.origin);
  }

  /** Lets go of all that stands before `keep`. */
  settle(keep: number): void {
    this.tape.settle(keep);
    this.transcoder.forget(Math.min(keep, this.accounted) - this.origin);
  }
}
