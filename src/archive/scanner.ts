import type { Activity } from '../activity/activity.js';
import { DecodeError, describePosition, type SourcePosition } from '../activity/errors.js';
import { detectEncoding, ENCODING_HEAD, Transcoder, type Encoding } from '../format/transcode.js';
import { ActivityContent } from '../ws/activity-element.js';
import { AtomReader, type DecodedEntry } from '../ws/atom.js';
import { salvageActivity } from '../ws/salvage.js';
import type { ArchivePosition, ArchiveProblem, ArchiveRecord, ArchiveTally } from './record.js';
import { advance, findLandmark, LANDMARK_BYTES, type Landmark, type LineColumn } from './resync.js';
import { Tape } from './tape.js';

export interface ScannerOptions {
  /** Names the source in positions. */
  readonly source: string;
  /** Bytes of one entry. */
  readonly maxEntryBytes: number;
  readonly tally: ArchiveTally;
  readonly onProblem: (problem: ArchiveProblem) => void;
  /** Where the first byte that is pushed stands. Default: the beginning of the source. */
  readonly start?: ScannerPlace | undefined;
}

/** A place of a source where nothing is open but, with `feed`, the root element of a feed. */
export interface ScannerPlace extends LineColumn {
  /** In the source. */
  readonly byteOffset: number;
  /** The feed that the place is inside of, just behind an entry; undefined where a document begins. */
  readonly feed: OpenFeed | undefined;
}

/** A feed in UTF-8 or US-ASCII, whose start tag was read. */
export interface OpenFeed {
  /** Where its document begins. */
  readonly origin: number;
  /** Its document up to the end of its start tag. */
  readonly rootTag: Uint8Array;
  readonly encoding: Encoding;
  /** What its declaration says of the encoding is done with. */
  readonly transcoded: boolean;
}

/** What is done with the bytes that come next. */
type State =
  /** White space between documents is passed over, and the head of the next one gathered. */
  | { readonly at: 'gap'; head: Buffer; readonly from: LineColumn; readonly cutOff?: boolean }
  | { readonly at: 'document'; readonly document: Document }
  /** A place is looked for where reading can go on. */
  | { readonly at: 'damage'; readonly document: Document; readonly damage: Damage }
  | { readonly at: 'end'; readonly place: LineColumn };

/**
 * One document. Offsets are those of its UTF-8, counted on from where it begins in the source: of what is UTF-8 as it
 * stands, they are offsets in the source.
 */
interface Document {
  readonly origin: number;
  readonly transcoder: Transcoder;
  /** Whether what its declaration says of the encoding is done with. */
  readonly transcoded: boolean;
  reader: AtomReader<Activity>;
  /** The UTF-8 that may have to be read again. */
  readonly tape: Tape;
  /** How far of it the reader was given, and how much it gets next: little at first, since damage may begin anew soon. */
  fed: number;
  pace: number;
  /** Bytes at the end of the tape that are no character; only after the last byte. */
  unread: number;
  /** All up to the end of the root's start tag. */
  rootTag: Buffer | undefined;
  closed: boolean;
  /** Whether it is what is left of a document that could not be read as one. */
  readonly remnant: boolean;
  /** All before this offset is accounted for. */
  accounted: number;
  /** Where reading was taken up last, so that the same damage is not met twice. */
  resumed: number;
}

interface Damage {
  readonly error: DecodeError;
  /** `from` as an offset in the source. */
  readonly fromOffset: number;
  /** The first of these bytes, where the rest was let go of. */
  head: Buffer | undefined;
  /** Where the bytes begin that are given up, or salvaged. */
  readonly from: number;
  readonly begin: LineColumn;
  /** Line and column of `known`, an offset that no landmark lies before. */
  place: LineColumn;
  known: number;
  readonly inEntry: boolean;
  /** All before this offset was searched. */
  searched: number;
}

const FIRST_PACE = 4096;
const LAST_PACE = 1_048_576;
/** Bytes of a damaged entry that are looked at; the tree that is made of them takes a hundred times as many. */
const MOST_SALVAGED = 1_048_576;

const START: LineColumn = { line: 1, column: 1 };

/**
 * Reads one source of an archive as its bytes arrive: `push` bytes, then `read` until it gives nothing more; `end`
 * when there are no more bytes, and read on to the last. Every byte is accounted for in the tally, every problem told,
 * and after each problem reading goes on at the next place where it can.
 */
export class ArchiveScanner {
  readonly #options: ScannerOptions;
  readonly #tally: ArchiveTally;
  /** The bytes as they came, by their offsets in the source. */
  readonly #raw: Tape;
  #encoding: Encoding;
  #documents = 0;
  #ended = false;
  #state: State;
  #pauseAt = Infinity;
  #pause: ScannerPlace | undefined;

  constructor(options: ScannerOptions) {
    const { start, tally } = options;
    this.#options = options;
    this.#tally = tally;
    this.#raw = new Tape(start?.byteOffset);
    this.#encoding = start?.feed?.encoding ?? 'UTF-8';
    this.#state =
      start?.feed === undefined
        ? { at: 'gap', head: Buffer.alloc(0), from: start ?? START }
        : { at: 'document', document: insideOf(start.feed, start) };
  }

  /** Where the source ends; once there is nothing more to read. */
  get endPlace(): LineColumn & { readonly byteOffset: number } {
    const { line, column } = this.#state.at === 'end' ? this.#state.place : START;
    return { line, column, byteOffset: this.#raw.end };
  }

  /** Where the reading pauses: the first place at or behind `pauseAt` that another scanner could start from. */
  get pause(): ScannerPlace | undefined {
    return this.#pause;
  }

  /** Goes on, if it pauses, and pauses at or behind this byte of the source. */
  pauseAt(byteOffset: number): void {
    this.#pauseAt = byteOffset;
    this.#pause = undefined;
  }

  /** Hands over more bytes, which must not change before `read` has given nothing. */
  push(bytes: Uint8Array): void {
    this.#tally.bytes += bytes.length;
    this.#raw.push(bytes);
    const state = this.#state;
    if (state.at === 'gap') state.head = Buffer.concat([state.head, bytes]);
    else if (state.at !== 'end') this.#feed(state.document, bytes);
  }

  /** Says that no more bytes come. */
  end(): void {
    this.#ended = true;
    const state = this.#state;
    if (state.at !== 'document' && state.at !== 'damage') return;
    this.#finishInput(state.document);
  }

  /** The next record; undefined when more bytes are needed, or, after `end`, when there are no more, or at a pause. */
  read(): ArchiveRecord | undefined {
    for (;;) {
      if (this.#pause !== undefined) return undefined;
      const state = this.#state;
      const found =
        state.at === 'gap'
          ? this.#readGap(state)
          : state.at === 'document'
            ? this.#readDocument(state.document)
            : state.at === 'damage'
              ? this.#readDamage(state.document, state.damage)
              : 'more';
      if (found === 'more') {
        this.#settle();
        return undefined;
      }
      if (found !== 'on') return found;
    }
  }

  // --- between documents ------------------------------------------------------------------------

  #readGap(state: State & { at: 'gap' }): 'more' | 'on' {
    let blanks = 0;
    // The blanks of UTF-16 have two bytes; its reader passes over them itself.
    if (!this.#encoding.startsWith('UTF-16')) {
      while (blanks < state.head.length && isBlank(state.head[blanks])) blanks++;
    }
    const place = advance(state.from, state.head.subarray(0, blanks));
    const head = state.head.subarray(blanks);
    this.#tally.frameBytes += blanks;
    if (head.length === 0 && this.#ended) {
      if (this.#documents === 0) this.#tellEmpty(place);
      this.#state = { at: 'end', place };
      return 'on';
    }
    if (head.length < ENCODING_HEAD && !this.#ended) {
      this.#state = { ...state, head: Buffer.from(head), from: place };
      return 'more';
    }
    const byteOffset = this.#raw.end - head.length;
    const remnant = state.cutOff === true && !isDeclared(head);
    // What goes on in the encoding of the document before cannot be read without that.
    const goesOn = this.#encoding.startsWith('UTF-16') || (remnant && this.#encoding !== 'UTF-8');
    if (byteOffset >= this.#pauseAt && !goesOn) {
      this.#state = { ...state, head: Buffer.from(head), from: place };
      this.#pauseAt = Infinity;
      this.#pause = { ...place, byteOffset, feed: undefined };
      return 'on';
    }
    this.#begin(head, place, remnant);
    return 'on';
  }

  #tellEmpty(place: LineColumn): void {
    const position = { source: this.#options.source, ...place, byteOffset: this.#raw.end, length: 0 };
    this.#tell({ code: 'XML_TRUNCATED', message: 'there is no document in it', position });
  }

  #begin(head: Buffer, place: LineColumn, remnant: boolean): void {
    const origin = this.#raw.end - head.length;
    const before = this.#encoding;
    const known = this.#encodingOf(head, place, origin, remnant);
    this.#encoding = known ?? 'UTF-8';
    // What the declaration says is done with, but for US-ASCII, which the reader checks byte by byte.
    const transcoded = known !== 'US-ASCII' || !/us-ascii/i.test(head.toString('latin1', 0, ENCODING_HEAD));
    const reader = new AtomReader(new ActivityContent(), { transcoded });
    reader.relocate({ source: undefined, ...place, byteOffset: origin });
    const document: Document = {
      transcoder: new Transcoder(this.#encoding, origin),
      transcoded,
      reader,
      origin,
      tape: new Tape(origin),
      fed: origin,
      pace: FIRST_PACE,
      unread: 0,
      rootTag: undefined,
      closed: false,
      remnant: remnant && known === before,
      accounted: origin,
      resumed: -1,
    };
    this.#documents += 1;
    this.#state = { at: 'document', document };
    this.#feed(document, head);
    if (this.#ended) this.#finishInput(document);
  }

  /** Undefined for an encoding that is not known: that is told, and its bytes are read as UTF-8 as far as they are. */
  #encodingOf(head: Buffer, place: LineColumn, origin: number, remnant: boolean): Encoding | undefined {
    try {
      const found = detectEncoding(head);
      // What follows a document of UTF-16 without a mark or a declaration of its own goes on in it.
      // So does what is left of a document whose beginning is broken.
      const wide = this.#encoding.startsWith('UTF-16') && head.includes(0);
      const goesOn = found === 'UTF-8' && (wide || remnant);
      return goesOn ? this.#encoding : found;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const position = { source: this.#options.source, ...place, byteOffset: origin, length: 0 };
      this.#tell({ code: error.code, message: bareMessage(error), position });
      return undefined;
    }
  }

  #feed({ transcoder, tape }: Document, bytes: Uint8Array): void {
    tape.push(transcoder.push(bytes));
  }

  #finishInput(document: Document): void {
    const rest = document.transcoder.end();
    document.tape.push(rest);
    document.unread = rest.length;
  }

  // --- in a document ----------------------------------------------------------------------------

  #readDocument(document: Document): ArchiveRecord | 'more' | 'on' {
    const { reader } = document;
    try {
      for (;;) {
        const step = reader.read();
        if (step.kind === 'entry') {
          const { position, byteLength } = step.entry;
          // As if it had been met before its end, so that the result does not depend on how the bytes arrived.
          if (byteLength > this.#options.maxEntryBytes) {
            this.#damaged(document, this.#tooLong(position), position);
            return 'on';
          }
          const record = this.#entry(document, step.entry);
          if (reader.root === 'entry') this.#close(document);
          else if (this.#pauseAt < Infinity) this.#pauseBehind(document, step.entry);
          if (record !== undefined) return record;
          if (this.#pause !== undefined) return 'on';
        } else if (step.kind === 'rootEnd') {
          this.#close(document);
        } else if (step.kind === 'end') {
          this.#keepRootTag(document);
          if (document.unread > 0) this.#tellHalf(document);
          this.#account(document, 'frameBytes', document.tape.end);
          this.#state = { at: 'end', place: reader.position };
          return 'on';
        } else if (!this.#feedReader(document)) {
          return 'more';
        }
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#damaged(document, error);
      return 'on';
    }
  }

  /** The root element is read; what follows may be another document. */
  #close(document: Document): void {
    document.closed = true;
    this.#keepRootTag(document);
    this.#account(document, 'frameBytes', document.reader.byteOffset);
  }

  #entry(document: Document, entry: DecodedEntry<Activity>): ArchiveRecord | undefined {
    this.#keepRootTag(document);
    const from = entry.position.byteOffset;
    const to = from + entry.byteLength;
    this.#account(document, 'frameBytes', from);
    this.#account(document, 'recordBytes', to);
    if (entry.value === undefined) {
      this.#tally.otherEntries += 1;
      return undefined;
    }
    const problems =
      entry.problems.length === 0
        ? NO_PROBLEMS
        : entry.problems.map(({ message, position }) => {
            const at = position.byteOffset;
            return this.#tell({
              code: 'RECORD_DOUBTFUL',
              message,
              position: this.#position(document, position, at, at),
            });
          });
    this.#tally.records += 1;
    const position = this.#position(document, entry.position, from, to);
    return { activity: entry.value, position, salvaged: false, problems };
  }

  /** Pauses behind an entry of a feed, if its bytes are UTF-8 as they stand. */
  #pauseBehind(document: Document, { position }: DecodedEntry<Activity>): void {
    const { transcoder, transcoded, remnant, accounted, tape, rootTag = Buffer.alloc(0) } = document;
    const { encoding } = transcoder;
    if (encoding !== 'UTF-8' && (encoding !== 'US-ASCII' || remnant)) return;
    if (this.#offset(document, accounted) < this.#pauseAt) return;
    this.#pauseAt = Infinity;
    this.#pause = {
      ...advance(position, tape.slice(position.byteOffset, accounted)),
      byteOffset: this.#offset(document, accounted),
      feed: { origin: document.origin, rootTag, encoding, transcoded },
    };
  }

  /** Gives the reader more of the tape; false when there is none for now. */
  #feedReader(document: Document): boolean {
    this.#checkSize(document);
    const { reader, tape, fed, pace, unread } = document;
    const end = tape.end - unread;
    if (fed < end) {
      const to = Math.min(end, fed + pace);
      reader.push(tape.slice(fed, to));
      document.fed = to;
      document.pace = Math.min(LAST_PACE, 2 * pace);
      return true;
    }
    if (this.#ended) reader.end();
    return this.#ended;
  }

  #checkSize({ reader, fed }: Document): void {
    const open = reader.openEntry;
    const { maxEntryBytes } = this.#options;
    if (open === undefined || fed - open.byteOffset <= maxEntryBytes) return;
    throw this.#tooLong(open);
  }

  #tooLong(open: SourcePosition): DecodeError {
    return new DecodeError('XML_LIMIT', `an entry longer than ${this.#options.maxEntryBytes} bytes`, open);
  }

  /** The document is whole, but bytes follow it that are no character of its encoding. */
  #tellHalf(document: Document): void {
    const { source } = this.#options;
    const { line, column } = document.reader.position;
    const position = {
      source,
      line,
      column,
      byteOffset: this.#offset(document, document.tape.end),
      length: 0,
    };
    this.#tell({ code: 'XML_TRUNCATED', message: 'the document ends here, inside a character', position });
  }

  // --- after damage -----------------------------------------------------------------------------

  #damaged(document: Document, error: DecodeError, open = document.reader.openEntry): void {
    const { tape } = document;
    const at = error.position ?? { source: undefined, ...START, byteOffset: document.accounted };
    if (document.closed && error.code !== 'XML_TRUNCATED') {
      // What follows the root element is a document of its own.
      this.#beginAgain(document, at.byteOffset, at);
      return;
    }
    this.#keepRootTag(document);
    const begin = open ?? this.#brokenEntry(document, at) ?? { ...at, byteOffset: document.accounted };
    const from = begin.byteOffset;
    const known = open ?? at;
    const searched =
      error.code === 'XML_TRUNCATED'
        ? tape.end
        : open === undefined
          ? Math.max(
              at.byteOffset,
              document.resumed + 1,
              document.rootTag === undefined ? document.origin + 1 : 0,
            )
          : from + 1;
    const damage: Damage = {
      error,
      from,
      fromOffset: this.#offset(document, from),
      head: undefined,
      begin,
      place: known,
      known: known.byteOffset,
      inEntry: open !== undefined,
      searched,
    };
    this.#state = { at: 'damage', document, damage };
  }

  /** Where the entry begins whose start tag is broken at `at`, or which was no entry to the reader for another reason. */
  #brokenEntry(document: Document, at: SourcePosition): SourcePosition | undefined {
    const { accounted, rootTag, tape } = document;
    if (rootTag === undefined || at.byteOffset <= accounted) return undefined;
    const before = tape.slice(accounted, at.byteOffset);
    let found: Landmark | undefined;
    for (let next = findLandmark(before, 0); next !== undefined; next = findLandmark(before, next.at + 1)) {
      if (next.kind === 'entry') found = next;
    }
    if (found === undefined) return undefined;
    const span = advance(START, before.subarray(found.at));
    const lead = advance(START, before.subarray(0, found.at));
    const column = span.line === 1 ? at.column - span.column + 1 : lead.column;
    return { source: at.source, line: at.line - span.line + 1, column, byteOffset: accounted + found.at };
  }

  #readDamage(document: Document, damage: Damage): ArchiveRecord | 'more' | 'on' {
    const { tape } = document;
    let from = damage.searched;
    // The next landmark is near as a rule: what lies behind it must not be looked at once for each damaged entry.
    for (let size = FIRST_PACE; ; size = Math.min(LAST_PACE, 2 * size)) {
      const to = Math.min(tape.end, from + size);
      const landmark = findLandmark(tape.slice(from, to), 0);
      if (landmark !== undefined) return this.#giveUp(document, damage, from + landmark.at, landmark.kind);
      if (to === tape.end) break;
      from = to - LANDMARK_BYTES;
    }
    damage.searched = Math.max(damage.searched, tape.end - LANDMARK_BYTES);
    this.#letGo(document, damage);
    return this.#ended ? this.#giveUp(document, damage, tape.end, undefined) : 'more';
  }

  /** Of more bytes than one entry may have, only the first are kept. */
  #letGo(document: Document, damage: Damage): void {
    const { tape } = document;
    const { from, searched, known } = damage;
    if (tape.end - from <= this.#options.maxEntryBytes) return;
    damage.head ??= Buffer.from(tape.slice(from, from + MOST_SALVAGED));
    this.#account(document, 'frameBytes', from);
    this.#account(document, 'problemBytes', searched);
    if (known >= searched) return;
    damage.place = advance(damage.place, tape.slice(known, searched));
    damage.known = searched;
  }

  /** Takes what can be had of the bytes up to `to`, and reads on there. */
  #giveUp(
    document: Document,
    damage: Damage,
    to: number,
    next: Landmark['kind'] | undefined,
  ): ArchiveRecord | 'on' {
    const { tape } = document;
    const { error, from, inEntry } = damage;
    const place = advance(damage.place, tape.slice(damage.known, to));
    const cutOff = next === 'document' && document.rootTag !== undefined;
    const record = this.#salvage(document, damage, to, place, cutOff);
    this.#account(document, 'frameBytes', from);
    const truncated = cutOff || error.code === 'XML_TRUNCATED';
    const isFrame = record === undefined && !inEntry && truncated && document.rootTag !== undefined;
    this.#account(document, isFrame ? 'frameBytes' : 'problemBytes', to);

    const inFeed = document.reader.root === 'feed' && document.rootTag !== undefined;
    if (next === undefined) this.#state = { at: 'end', place };
    else if (inFeed && next !== 'document') this.#resume(document, to, place);
    else this.#beginAgain(document, to, place);
    return record ?? 'on';
  }

  #salvage(
    document: Document,
    { error, from, fromOffset, head, inEntry, begin }: Damage,
    to: number,
    end: LineColumn,
    cutOff: boolean,
  ): ArchiveRecord | undefined {
    const { source } = this.#options;
    const truncated = cutOff || error.code === 'XML_TRUNCATED';
    const at = truncated ? to : (error.position?.byteOffset ?? from);
    const where = truncated ? end : (error.position ?? begin);
    const what = cutOff
      ? 'the document ends here, where another begins'
      : (document.transcoder.refusal(at - document.origin) ?? bareMessage(error));

    const bytes = head ?? document.tape.slice(from, Math.min(to, from + MOST_SALVAGED));
    const region = bytes.toString('utf8');
    // An entry whose start tag is broken is no entry to the reader, but its Activity may still be there.
    const salvaged =
      inEntry || /<(?:[\w.-]+:)?Activity[\s/>]/.test(region) ? salvageActivity(region) : undefined;
    const length = this.#offset(document, to) - fromOffset;
    const part =
      to - from > MOST_SALVAGED ? `the first ${MOST_SALVAGED} bytes of the entry were` : 'the entry was';
    const outcome =
      salvaged !== undefined
        ? `; ${part} read as far as it can be`
        : inEntry || (length > 0 && !truncated)
          ? `; ${length} ${length === 1 ? 'byte' : 'bytes'} from byte ${fromOffset} on ${length === 1 ? 'is' : 'are'} left out`
          : '';
    const { line, column } = where;
    const position = { source, line, column, byteOffset: this.#offset(document, at), length: 0 };
    const told = this.#tell({
      code: truncated ? 'XML_TRUNCATED' : error.code,
      message: what + outcome,
      position,
    });
    if (salvaged === undefined) return undefined;

    const place = { source, line: begin.line, column: begin.column, byteOffset: fromOffset, length };
    const problems = salvaged.problems.map((message) =>
      this.#tell({ code: 'RECORD_DOUBTFUL', message, position: { ...place, length: 0 } }),
    );
    this.#tally.records += 1;
    this.#tally.salvaged += 1;
    return { activity: salvaged.activity, position: place, salvaged: true, problems: [told, ...problems] };
  }

  /** Goes on inside the same feed. */
  #resume(document: Document, at: number, place: LineColumn): void {
    const { rootTag = Buffer.alloc(0), transcoded } = document;
    const reader = new AtomReader(new ActivityContent(), { transcoded });
    reader.relocate({ source: undefined, ...START, byteOffset: document.origin });
    reader.resume(rootTag, { source: undefined, ...place, byteOffset: at });
    document.fed = at;
    document.pace = FIRST_PACE;
    document.reader = reader;
    document.resumed = at;
    this.#state = { at: 'document', document };
  }

  /** Begins another document where this one ends, or cannot be read on. */
  #beginAgain(document: Document, at: number, { line, column }: LineColumn): void {
    this.#account(document, 'frameBytes', at);
    const head = this.#raw.slice(this.#offset(document, at));
    this.#state = { at: 'gap', head, from: { line, column }, cutOff: !document.closed || document.remnant };
  }

  // --- book-keeping -----------------------------------------------------------------------------

  #settle(): void {
    const state = this.#state;
    if (state.at === 'end') return;
    if (state.at === 'gap') {
      this.#raw.settle(this.#raw.end - state.head.length);
      return;
    }
    const { document } = state;
    this.#keepRootTag(document);
    const keep = this.#keepFrom(state);
    document.tape.settle(keep);
    this.#raw.settle(this.#offset(document, keep));
    document.transcoder.forget(Math.min(keep, document.accounted) - document.origin);
  }

  #keepFrom(state: State & { document: Document }): number {
    const { document } = state;
    if (state.at === 'damage') {
      const { from, searched, known } = state.damage;
      const tooLong = document.tape.end - from > this.#options.maxEntryBytes;
      return Math.min(known, searched, tooLong ? searched : from);
    }
    if (document.rootTag === undefined) return document.origin;
    const { reader, accounted, tape } = document;
    const from = reader.openEntry?.byteOffset ?? accounted;
    return tape.end - from > this.#options.maxEntryBytes ? reader.byteOffset : from;
  }

  #keepRootTag(document: Document): void {
    const { root, rootTagEnd: end } = document.reader;
    // A root that is neither feed nor entry is none to go on inside of.
    if (document.rootTag !== undefined || root === undefined || end === undefined) return;
    document.rootTag = Buffer.from(document.tape.slice(document.origin, end));
    this.#tally.documents += 1;
  }

  #account(document: Document, as: 'frameBytes' | 'recordBytes' | 'problemBytes', to: number): void {
    if (to <= document.accounted) return;
    this.#tally[as] += this.#span(document, document.accounted, to);
    document.accounted = to;
  }

  #offset(document: Document, at: number): number {
    return document.transcoder.sourceOffset(at - document.origin);
  }

  #span(document: Document, from: number, to: number): number {
    return this.#offset(document, to) - this.#offset(document, from);
  }

  #position(document: Document, { line, column }: LineColumn, from: number, to: number): ArchivePosition {
    const byteOffset = this.#offset(document, from);
    return {
      source: this.#options.source,
      line,
      column,
      byteOffset,
      length: this.#offset(document, to) - byteOffset,
    };
  }

  #tell(problem: ArchiveProblem): ArchiveProblem {
    this.#tally.problems += 1;
    this.#options.onProblem(problem);
    return problem;
  }
}

/** A document that is read from `place` on. */
function insideOf(feed: OpenFeed, { line, column, byteOffset }: ScannerPlace): Document {
  const { origin, rootTag, encoding, transcoded } = feed;
  const reader = new AtomReader(new ActivityContent(), { transcoded });
  reader.relocate({ source: undefined, ...START, byteOffset: origin });
  reader.resume(rootTag, { source: undefined, line, column, byteOffset });
  return {
    transcoder: new Transcoder(encoding, origin),
    transcoded,
    reader,
    origin,
    tape: new Tape(byteOffset),
    fed: byteOffset,
    pace: FIRST_PACE,
    unread: 0,
    rootTag: Buffer.from(rootTag),
    closed: false,
    remnant: false,
    accounted: byteOffset,
    resumed: -1,
  };
}

const NO_PROBLEMS: readonly ArchiveProblem[] = Object.freeze([]);

/** Whether a mark or a declaration says that the encoding is the document's own. */
function isDeclared(head: Buffer): boolean {
  return head[0] === 0xef || head.toString('latin1', 0, 5) === '<?xml';
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** The message without its place, which is told in the coordinates of the source. */
function bareMessage(error: DecodeError): string {
  const { position, message } = error;
  return position === undefined ? message : message.slice(describePosition(position).length + 2);
}
