import { createHash } from 'node:crypto';

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

/**
 * The beginning of a page that loads nothing, up to its `<main>`: its Content-Security-Policy allows this one style and
 * this one script, so that a value that escaped its escaping would be inert.
 */
export function pageStart({ title, style, script }: PageFrame): Markup {
  const policy = [
    "default-src 'none'",
    `style-src '${hashSource(style)}'`,
    ...(script === undefined ? [] : [`script-src '${hashSource(script)}'`]),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<main>
`;
}

export interface PageFrame {
  readonly title: string;
  readonly style: string;
  /** Default: none may run. */
  readonly script?: string;
}

/** As a Content-Security-Policy names a text it allows. */
function hashSource(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
