/** A place where reading can go on after damage. */
export interface Landmark {
  /** Offset in the bytes searched. */
  readonly at: number;
  /** `entry`: an entry begins; `afterEntry`: one was closed just before; `feedEnd`: `</feed>`; `document`: a new one begins. */
  readonly kind: 'entry' | 'afterEntry' | 'feedEnd' | 'document';
  /** What it may stand inside of, so that it would be text and no tag; undefined where it stands in none. */
  readonly doubt: Section | undefined;
}

/** Markup in which tags are text. */
export interface Section {
  readonly name: string;
  readonly close: string;
  /** The first of these behind its beginning decides: it is closed there, or was broken before. */
  readonly decided: RegExp;
}

const SECTIONS: Readonly<Record<string, Section>> = {
  '<!--': { name: 'a comment', close: '-->', decided: /--(?:>|[^])/g },
  '<![CDATA[': { name: 'a CDATA section', close: ']]>', decided: /\]\]>|<!\[CDATA\[/g },
  '<?': { name: 'a processing instruction', close: '?>', decided: /\?>|<\?/g },
};

/** Longer than any tag that is looked for, so that none is missed where two searches meet. */
export const LANDMARK_BYTES = 512;
/** A section that is longer counts as broken. */
const SECTION_BYTES = 65_536;

const MARK =
  /<!--|<!\[CDATA\[|-->|\]\]>|\?>|<\?xml[ \t\r\n]|<\?|<(\/?)(?:[A-Za-z_][\w.-]{0,200}:)?(entry|feed)(?=[ \t\r\n/>])/g;

/**
 * Looks for landmarks in bytes that arrive. Tags in comments, CDATA sections and instructions are passed over; in one that is
 * not closed as it must be they are landmarks, since it may have been cut off before them, and doubtful ones.
 */
export class LandmarkSearch {
  /** All before this offset was searched. */
  searched: number;
  readonly #from: number;
  readonly #isDoubtful: boolean;
  #doubt: Section | undefined;

  /**
   * Sections are looked for behind `start`, where none must be open, and landmarks from `from` on; only doubtful ones with
   * `isDoubtful`.
   */
  constructor(start: number, from = start, isDoubtful = false) {
    this.searched = start;
    this.#from = from;
    this.#isDoubtful = isDoubtful;
  }

  /** The next landmark in the bytes from `searched` on; undefined when there is none in them. `isAll` says that no more follow. */
  next(bytes: Buffer, isAll: boolean): Landmark | undefined {
    // Latin-1 keeps offsets what they are; tags are ASCII.
    const text = bytes.toString('latin1');
    const origin = this.searched;
    let sure = Math.max(0, isAll ? text.length : text.length - LANDMARK_BYTES);
    MARK.lastIndex = 0;
    for (let match = MARK.exec(text); match !== null; match = MARK.exec(text)) {
      const { index } = match;
      if (index >= sure) break;
      const section = SECTIONS[match[0]];
      if (section !== undefined) {
        const end = sectionEnd(text, index + match[0].length, section, isAll);
        if (end === undefined) {
          this.searched = origin + index;
          return undefined;
        }
        if (end < 0) this.#doubt ??= section;
        else {
          MARK.lastIndex = end;
          sure = Math.max(sure, end);
        }
        continue;
      }
      if (match[0] === this.#doubt?.close) this.#doubt = undefined;
      const landmark = landmarkOf(text, match, origin, this.#doubt);
      if (landmark === undefined || landmark.at < this.#from) continue;
      if (this.#isDoubtful && landmark.doubt === undefined) continue;
      this.searched = origin + index + 1;
      return landmark;
    }
    this.searched = origin + sure;
    return undefined;
  }
}

/** Where the section ends whose inside begins at `from`; -1 when it is broken, undefined when that depends on what follows. */
function sectionEnd(
  text: string,
  from: number,
  { close, decided }: Section,
  isAll: boolean,
): number | undefined {
  const inside = text.slice(from, from + SECTION_BYTES);
  decided.lastIndex = 0;
  const match = decided.exec(inside);
  if (match !== null) return match[0] === close ? from + match.index + close.length : -1;
  return isAll || inside.length === SECTION_BYTES ? -1 : undefined;
}

function landmarkOf(
  text: string,
  { 0: mark, 1: slash, 2: name, index }: RegExpExecArray,
  origin: number,
  doubt: Section | undefined,
): Landmark | undefined {
  const at = origin + index;
  if (mark.startsWith('<?xml')) return { at, kind: 'document', doubt };
  if (name === undefined) return undefined;
  if (slash === '') return { at, kind: name === 'entry' ? 'entry' : 'document', doubt };
  if (name === 'feed') return { at, kind: 'feedEnd', doubt };
  const close = text.slice(index, index + LANDMARK_BYTES).indexOf('>');
  return close < 0 ? undefined : { at: at + close + 1, kind: 'afterEntry', doubt };
}
