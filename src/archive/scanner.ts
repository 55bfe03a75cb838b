import type { Activity } from '../activity/activity.js';
import { DecodeError, type SourcePosition } from '../activity/errors.js';
import { detectEncoding, ENCODING_HEAD, type Encoding } from '../format/transcode.js';
import type { DecodedEntry } from '../ws/atom.js';
import { bareMessage, damageOf, MOST_SALVAGED, outcomeOf, salvageDamage, type Damage } from './damage.js';
import { Document, FIRST_PACE, LAST_PACE, START, type OpenFeed } from './document.js';
import { advance, type LineColumn } from './lines.js';
import type { ArchivePosition, ArchiveProblem, ArchiveRecord, ArchiveTally } from './record.js';
import type { Landmark, Section } from './resync.js';
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

/** What is done with the bytes that come next. */
type State =
  /** White space between documents is passed over, and the head of the next one gathered. */
  | { readonly at: 'gap'; head: Buffer; readonly from: LineColumn; readonly cutOff?: boolean }
  | { readonly at: 'document'; readonly document: Document }
  /** A place is looked for where reading can go on. */
  | { readonly at: 'damage'; readonly document: Document; readonly damage: Damage }
  | { readonly at: 'end'; readonly place: LineColumn };

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
  /** What is read may stand inside of something that is not closed as it must be: up to where this stands. */
  #doubt: { readonly problem: ArchiveProblem; readonly close: string } | undefined;
  /** The encoding of the document is not known. */
  #misread: ArchiveProblem | undefined;

  constructor(options: ScannerOptions) {
    const { start, tally } = options;
    this.#options = options;
    this.#tally = tally;
    this.#raw = new Tape(start?.byteOffset);
    this.#encoding = start?.feed?.encoding ?? 'UTF-8';
    this.#state =
      start?.feed === undefined
        ? { at: 'gap', head: Buffer.alloc(0), from: start ?? START }
        : { at: 'document', document: Document.inside(start.feed, start, this.#raw) };
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
    else if (state.at !== 'end') state.document.push(bytes);
  }

  /** Says that no more bytes come. */
  end(): void {
    this.#ended = true;
    const state = this.#state;
    if (state.at === 'document' || state.at === 'damage') state.document.end();
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
    const goesOn =
      this.#encoding.startsWith('UTF-16') ||
      (remnant && (this.#encoding !== 'UTF-8' || this.#misread !== undefined)) ||
      this.#doubt !== undefined;
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
    const beginning = { origin, encoding: this.#encoding, transcoded, remnant: remnant && known === before };
    const document = Document.begin({ ...beginning, raw: this.#raw }, place);
    this.#documents += 1;
    this.#state = { at: 'document', document };
    document.push(head);
    if (this.#ended) document.end();
  }

  /** Undefined for an encoding that is not known: that is told, and its bytes are read as UTF-8 as far as they are. */
  #encodingOf(head: Buffer, place: LineColumn, origin: number, remnant: boolean): Encoding | undefined {
    if (!remnant) this.#misread = undefined;
    try {
      const found = detectEncoding(head);
      // What follows a document of UTF-16 without a mark or a declaration of its own goes on in it.
      // So does what is left of a document whose beginning is broken.
      const wide = this.#encoding.startsWith('UTF-16') && head.includes(0);
      const goesOn = found === 'UTF-8' && (wide || remnant);
      return goesOn ? this.#encoding : found;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const { line = 1, column = 1, byteOffset = 0 } = error.position ?? {};
      const position = {
        source: this.#options.source,
        line: place.line + line - 1,
        column: line === 1 ? place.column + column - 1 : column,
        byteOffset: origin + byteOffset,
        length: 0,
      };
      const message = `${bareMessage(error)}; read as UTF-8, its records are marked as salvaged`;
      this.#misread = this.#tell({ code: error.code, message, position });
      return undefined;
    }
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
          if (document.endsInside) this.#tellHalf(document);
          this.#account(document, 'frameBytes', document.tape.end);
          this.#state = { at: 'end', place: reader.position };
          return 'on';
        } else {
          this.#checkSize(document);
          if (!document.feedReader(this.#ended)) return 'more';
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
    const marks = this.#marks;
    this.#account(document, 'recordBytes', to);
    if (entry.value === undefined || !entry.hasContent) {
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
    const salvaged = marks.length > 0;
    if (salvaged) this.#tally.salvaged += 1;
    // In one literal: a spread gives each record a hidden class of its own, and all who read records pay for that.
    return {
      activity: entry.value,
      position: this.#position(document, entry.position, from, to),
      salvaged,
      problems: salvaged ? [...marks, ...problems] : problems,
    };
  }

  /** The problems that all records have that are read now. */
  get #marks(): readonly ArchiveProblem[] {
    const doubt = this.#doubt?.problem;
    if (doubt === undefined && this.#misread === undefined) return NO_PROBLEMS;
    return [this.#misread, doubt].filter((problem) => problem !== undefined);
  }

  /** Pauses behind an entry of a feed, if its bytes are UTF-8 as they stand. */
  #pauseBehind(document: Document, { position }: DecodedEntry<Activity>): void {
    const { transcoder, transcoded, remnant, accounted, tape, rootTag = Buffer.alloc(0) } = document;
    const { encoding } = transcoder;
    if (encoding !== 'UTF-8' && (encoding !== 'US-ASCII' || remnant)) return;
    if (this.#marks.length > 0) return;
    if (document.sourceOffset(accounted) < this.#pauseAt) return;
    this.#pauseAt = Infinity;
    this.#pause = {
      ...advance(position, tape.slice(position.byteOffset, accounted)),
      byteOffset: document.sourceOffset(accounted),
      feed: { origin: document.origin, rootTag, encoding, transcoded },
    };
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
      byteOffset: document.sourceOffset(document.tape.end),
      length: 0,
    };
    this.#tell({ code: 'XML_TRUNCATED', message: 'the document ends here, inside a character', position });
  }

  // --- after damage -----------------------------------------------------------------------------

  #damaged(document: Document, error: DecodeError, open = document.reader.openEntry): void {
    const at = error.position ?? { source: undefined, ...START, byteOffset: document.accounted };
    if (document.closed && error.code !== 'XML_TRUNCATED') {
      // What follows the root element is a document of its own.
      this.#beginAgain(document, at.byteOffset, at);
      return;
    }
    this.#keepRootTag(document);
    this.#state = { at: 'damage', document, damage: damageOf(document, error, at, open) };
  }

  #readDamage(document: Document, damage: Damage): ArchiveRecord | 'more' | 'on' {
    const { tape } = document;
    const { search } = damage;
    const isAll = this.#ended || document.astray !== undefined;
    // The next landmark is near as a rule: what lies behind it must not be looked at once for each damaged entry.
    for (let size = FIRST_PACE; ; size = Math.min(LAST_PACE, 2 * size)) {
      const from = search.searched;
      const to = Math.min(tape.end, from + size);
      const landmark = search.next(tape.slice(from, to), to === tape.end && isAll);
      if (landmark !== undefined) return this.#giveUp(document, damage, landmark.at, landmark);
      if (to === tape.end) break;
    }
    this.#letGo(document, damage);
    if (!isAll) return 'more';
    const { astray } = document;
    const next = astray && { at: tape.end, kind: astray.kind, doubt: undefined };
    return this.#giveUp(document, damage, tape.end, next);
  }

  /** Of more bytes than one entry may have, only the first are kept. */
  #letGo(document: Document, damage: Damage): void {
    const { tape } = document;
    const { from, known } = damage;
    const { searched } = damage.search;
    if (tape.end - from <= this.#options.maxEntryBytes) return;
    damage.head ??= Buffer.from(tape.slice(from, from + MOST_SALVAGED));
    this.#account(document, 'frameBytes', from);
    this.#account(document, 'problemBytes', searched);
    if (known >= searched) return;
    damage.place = advance(damage.place, tape.slice(known, searched));
    damage.known = searched;
  }

  /** Takes what can be had of the bytes up to `to`, and reads on there. */
  #giveUp(document: Document, damage: Damage, to: number, next: Landmark | undefined): ArchiveRecord | 'on' {
    const { tape } = document;
    const { error, from, inEntry } = damage;
    const place = advance(damage.place, tape.slice(damage.known, to));
    const cutOff = next?.kind === 'document' && document.rootTag !== undefined;
    const truncated = cutOff || (error.code === 'XML_TRUNCATED' && next === undefined);
    const record = this.#salvage(document, damage, to, { place, cutOff, truncated });
    this.#account(document, 'frameBytes', from);
    const isFrame = record === undefined && !inEntry && truncated && document.rootTag !== undefined;
    this.#account(document, isFrame ? 'frameBytes' : 'problemBytes', to);

    const inFeed = document.reader.root === 'feed' && document.rootTag !== undefined;
    if (next === undefined) this.#state = { at: 'end', place };
    else if (inFeed && next.kind !== 'document') this.#resume(document, to, place);
    else this.#beginAgain(document, to, place);
    if (next?.doubt !== undefined) this.#tellDoubt(document, next.doubt, to, place);
    return record ?? 'on';
  }

  #tellDoubt(document: Document, { name, close }: Section, at: number, place: LineColumn): void {
    const message =
      `what follows may stand inside ${name} that is not closed as it must be; ` +
      `its records are marked as salvaged, up to the next "${close}"`;
    const position = this.#position(document, place, at, at);
    this.#doubt = { close, problem: this.#tell({ code: 'RECORD_DOUBTFUL', message, position }) };
  }

  #salvage(
    document: Document,
    damage: Damage,
    to: number,
    end: { readonly place: LineColumn; readonly cutOff: boolean; readonly truncated: boolean },
  ): ArchiveRecord | undefined {
    const { source } = this.#options;
    const { cutOff, truncated } = end;
    const { error, from, fromOffset, inEntry, begin } = damage;
    const at = truncated ? to : (error.position?.byteOffset ?? from);
    const where = truncated ? end.place : (error.position ?? begin);
    const what = cutOff
      ? 'the document ends here, where another begins'
      : (document.transcoder.refusal(at - document.origin) ?? bareMessage(error));

    const salvaged = salvageDamage(document, damage, to, at);
    const length = document.sourceOffset(to) - fromOffset;
    const isTold = salvaged !== undefined || inEntry || (length > 0 && !truncated);
    const outcome = isTold ? outcomeOf(damage, to, length, salvaged !== undefined) : '';
    const { line, column } = where;
    const position = { source, line, column, byteOffset: document.sourceOffset(at), length: 0 };
    const told = this.#tell({
      code: truncated ? 'XML_TRUNCATED' : error.code,
      message: what + outcome,
      position,
    });
    if (salvaged === undefined) return undefined;

    const marks = this.#marks;
    const place = { source, line: begin.line, column: begin.column, byteOffset: fromOffset, length };
    const problems = salvaged.problems.map((message) =>
      this.#tell({ code: 'RECORD_DOUBTFUL', message, position: { ...place, length: 0 } }),
    );
    this.#tally.records += 1;
    this.#tally.salvaged += 1;
    return {
      activity: salvaged.activity,
      position: place,
      salvaged: true,
      problems: [...marks, told, ...problems],
    };
  }

  /** Goes on inside the same feed. */
  #resume(document: Document, at: number, place: LineColumn): void {
    if (document.astray === undefined || at < document.tape.end) {
      document.resume(at, place);
      this.#state = { at: 'document', document };
      return;
    }
    const byteOffset = document.sourceOffset(at);
    const rest = Document.inside(document.openFeedAt(byteOffset), { ...place, byteOffset }, this.#raw);
    this.#state = { at: 'document', document: rest };
    rest.push(this.#raw.slice(byteOffset));
    if (this.#ended) rest.end();
  }

  /** Begins another document where this one ends, or cannot be read on. */
  #beginAgain(document: Document, at: number, { line, column }: LineColumn): void {
    this.#account(document, 'frameBytes', at);
    const head = this.#raw.slice(document.sourceOffset(at));
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
    this.#raw.settle(document.sourceOffset(keep));
    document.settle(keep);
  }

  #keepFrom(state: State & { document: Document }): number {
    const { document } = state;
    if (state.at === 'damage') {
      const { from, known } = state.damage;
      const { searched } = state.damage.search;
      const tooLong = document.tape.end - from > this.#options.maxEntryBytes;
      return Math.min(known, searched, tooLong ? searched : this.#orDoubt(document, from));
    }
    if (document.rootTag === undefined) return document.origin;
    const { reader, accounted, tape } = document;
    const from = this.#orDoubt(document, reader.openEntry?.byteOffset ?? accounted);
    return tape.end - from > this.#options.maxEntryBytes ? reader.byteOffset : from;
  }

  /** In all that is passed, the end of a doubt is looked for. */
  #orDoubt({ accounted }: Document, from: number): number {
    return this.#doubt === undefined ? from : Math.min(from, accounted);
  }

  #keepRootTag(document: Document): void {
    if (document.keepRootTag()) this.#tally.documents += 1;
  }

  #account(document: Document, as: 'frameBytes' | 'recordBytes' | 'problemBytes', to: number): void {
    if (to <= document.accounted) return;
    if (this.#doubt !== undefined) {
      const passed = document.tape.slice(document.accounted, to);
      if (passed.includes(this.#doubt.close)) this.#doubt = undefined;
    }
    this.#tally[as] += document.sourceOffset(to) - document.sourceOffset(document.accounted);
    document.accounted = to;
  }

  #position(document: Document, { line, column }: LineColumn, from: number, to: number): ArchivePosition {
    const byteOffset = document.sourceOffset(from);
    return {
      source: this.#options.source,
      line,
      column,
      byteOffset,
      length: document.sourceOffset(to) - byteOffset,
    };
  }

  #tell(problem: ArchiveProblem): ArchiveProblem {
    this.#tally.problems += 1;
    this.#options.onProblem(problem);
    return problem;
  }
}

const NO_PROBLEMS: readonly ArchiveProblem[] = Object.freeze([]);

/** Whether a mark or a declaration says that the encoding is the document's own. */
function isDeclared(head: Buffer): boolean {
  return head[0] === 0xef || head.toString('latin1', 0, 5) === '<?xml';
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
