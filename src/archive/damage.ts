import { describePosition, type DecodeError, type SourcePosition } from '../activity/errors.js';
import { salvageActivity, type SalvagedActivity } from '../ws/salvage.js';
import type { Document } from './document.js';
import type { LineColumn } from './lines.js';
import { LandmarkSearch } from './resync.js';

/** Bytes of a damaged entry that are looked at; the tree that is made of them takes a hundred times as many. */
export const MOST_SALVAGED = 1_048_576;

/** What cannot be read of a document, up to where it can be read again. */
export interface Damage {
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
  readonly search: LandmarkSearch;
}

/** The damage that shows by an error at `at`; `open` is where the entry begins that is being read. */
export function damageOf(
  document: Document,
  error: DecodeError,
  at: SourcePosition,
  open: SourcePosition | undefined,
): Damage {
  const { accounted, resumed, rootTag, origin, tape } = document;
  const begin = open ?? document.brokenEntry(at) ?? { ...at, byteOffset: accounted };
  const from = begin.byteOffset;
  const known = open ?? at;
  const first = open === undefined ? Math.max(accounted, tape.start) : from + 1;
  const next = Math.max(at.byteOffset, resumed + 1, rootTag === undefined ? origin + 1 : 0);
  // Up to its end there was no tag to go on with, but what the document ends inside of may have been cut off before.
  const search =
    error.code === 'XML_TRUNCATED'
      ? new LandmarkSearch(first, first, true)
      : new LandmarkSearch(first, open === undefined ? next : first);
  return {
    error,
    from,
    fromOffset: document.sourceOffset(from),
    head: undefined,
    begin,
    place: known,
    known: known.byteOffset,
    inEntry: open !== undefined,
    search,
  };
}

/** What can be had of the bytes of the damage, which ends at `to`; `at` is where the error is. */
export function salvageDamage(
  { tape }: Document,
  { from, head, inEntry }: Damage,
  to: number,
  at: number,
): SalvagedActivity | undefined {
  const bytes = head?.subarray(0, to - from) ?? tape.slice(from, Math.min(to, from + MOST_SALVAGED));
  const text = bytes.toString();
  // An entry whose start tag is broken is no entry to the reader, but its Activity may still be there.
  if (!inEntry && !/<(?:[\w.-]+:)?Activity[\s/>]/.test(text)) return undefined;
  return salvageActivity(text) ?? salvageAround(bytes, at - from);
}

/** Of an entry that cannot be read at one place, by its nesting above all: what comes before, and the content behind. */
function salvageAround(entry: Buffer, place: number): SalvagedActivity | undefined {
  const before = entry.subarray(0, place).toString();
  const behind = entry.subarray(place).toString();
  const content = /<(?:[\w.-]+:)?(?:content|Activity|Status|InsertTime)[\s>]/.exec(behind)?.index;
  return salvageActivity(content === undefined ? before : before + behind.slice(content));
}

/** What became of `length` bytes of the source, as a message goes on to say. */
export function outcomeOf(
  { from, fromOffset }: Damage,
  to: number,
  length: number,
  isSalvaged: boolean,
): string {
  if (!isSalvaged) {
    const [bytes, are] = length === 1 ? ['byte', 'is'] : ['bytes', 'are'];
    return `; ${length} ${bytes} from byte ${fromOffset} on ${are} left out`;
  }
  const part =
    to - from > MOST_SALVAGED ? `the first ${MOST_SALVAGED} bytes of the entry were` : 'the entry was';
  return `; ${part} read as far as it can be`;
}

/** The message without its place, which is told in the coordinates of the source. */
export function bareMessage({ position, message }: DecodeError): string {
  return position === undefined ? message : message.slice(describePosition(position).length + 2);
}
