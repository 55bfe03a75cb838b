/** Text that is HTML already: what `markup` made. Anything else is escaped when it is put into a page. */
export class Markup {
  readonly html: string;

  constructor(html: string) {
    this.html = html;
  }
}

export type MarkupPart = string | number | undefined | Markup | readonly Markup[];

/** A template whose values are escaped, unless they are `Markup` themselves; undefined is nothing. */
export function markup(strings: TemplateStringsArray, ...parts: readonly MarkupPart[]): Markup {
  const html = strings.reduce((before, text, index) => before + shown(parts[index - 1]) + text);
  return new Markup(html);
}

/** What the page never says: nothing at all. */
export const NOTHING = new Markup('');

/** Text from outside, kept apart so that its writing direction stays its own. */
export function foreign(text: string): Markup {
  return markup`<bdi>${text}</bdi>`;
}

function shown(part: MarkupPart): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.html;
  if (typeof part === 'object') return part.map(({ html }) => html).join('');
  return escapeText(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that HTML cannot hold, or that a page must not: controls, and halves of surrogate pairs. */
const UNPRINTABLE = /[^\P{Cc}\t\n\r]|\p{Cs}/gu;

function escapeText(text: string): string {
  return text.replace(UNPRINTABLE, '\ufffd').replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}
