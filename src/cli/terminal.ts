import { stripVTControlCharacters } from 'node:util';
import type { OutStream } from './io.js';

const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const satisfies Record<string, readonly [number, number]>;

export type Style = keyof typeof STYLES;
export type Paint = (style: Style, text: string) => string;

type Env = Readonly<Record<string, string | undefined>>;

/** Colours for a terminal that shows them; none elsewhere, nor with NO_COLOR or TERM=dumb. */
export function painter(stream: OutStream, env: Env): Paint {
  const colour = stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  if (!colour) return (_style, text) => text;
  return (style, text) => {
    const [on, off] = STYLES[style];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  };
}

/** Whether a line on the stream can be drawn over: a terminal with a person before it. */
export function isInteractive(stream: OutStream, env: Env): boolean {
  return stream.isTTY === true && env.TERM !== 'dumb' && (env.CI ?? '') === '';
}

/** The characters that a line of a terminal has; some say 0, which is none that anybody draws on. Undefined elsewhere. */
export function widthOf({ isTTY, columns }: OutStream): number | undefined {
  if (isTTY !== true) return undefined;
  return columns === undefined || columns === 0 ? 80 : columns;
}

// Controls, the escape among them, and the marks that turn the writing direction.
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** The text on one line, with nothing in it that a terminal would act on: what comes from a file or a service may try. */
export function plainText(text: string): string {
  return text.replace(/\r\n?|\n/g, '⏎').replace(UNPRINTABLE, '·');
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const COMBINING = /\p{Mark}|\p{Default_Ignorable_Code_Point}/u;

/** How many cells of a terminal the text takes: 2 for a Chinese character, 0 for a combining mark or a colour. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    if (COMBINING.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

/** The text with blanks on the right (or left) up to that many cells. */
export function padTo(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'left' ? text + blanks : blanks + text;
}

/** The text, cut to that many cells with a `…` at its end where it is longer. */
export function cutTo(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let cut = '';
  for (const character of text) {
    if (displayWidth(cut + character) > width - 1) break;
    cut += character;
  }
  return `${cut}…`;
}
