import { parseInstant, parseInstantBytes } from '../format/instant.js';
import type { XmlReader } from '../format/xml-reader.js';

// What the text of an element says: trimmed, an instant, a count.

/** Without white space as XML knows it (blank, tab, CR, LF) at either end. */
export function trimSpace(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text.charCodeAt(from))) from++;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

/** The text of the leaf that was just read, trimmed. */
export function leafText(reader: XmlReader): string {
  return reader.isTrimmed ? reader.text : trimSpace(reader.text);
}

/** The same, of a text that repeats itself from record to record. */
export function commonLeafText(reader: XmlReader): string {
  return reader.isTrimmed ? reader.commonText : trimSpace(reader.commonText);
}

/** The instant; undefined for an empty element, and, with a problem, for a text that is no date. */
export function readInstant(
  field: string,
  text: string,
  problem: (message: string) => void,
): Date | undefined {
  if (text === '') return undefined;
  const instant = parseInstant(text);
  if (instant === undefined) problem(`${field}: "${text.slice(0, 60)}" is not a date and time`);
  return instant;
}

/** `readInstant` of the leaf that was just read. */
export function leafInstant(
  field: string,
  reader: XmlReader,
  problem: (message: string) => void,
): Date | undefined {
  const span = reader.textBytes;
  const exact =
    span !== undefined && span.to - span.from === 24 ? parseInstantBytes(span.view, span.from) : undefined;
  return exact ?? readInstant(field, leafText(reader), problem);
}

/** The whole number; undefined for an empty element, and, with a problem, for any other text. */
export function readCount(
  field: string,
  text: string,
  problem: (message: string) => void,
): number | undefined {
  if (text === '') return undefined;
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  problem(`${field}: "${text.slice(0, 60)}" is not a whole number`);
  return undefined;
}

/** `readCount` of the leaf that was just read. */
export function leafCount(
  field: string,
  reader: XmlReader,
  problem: (message: string) => void,
): number | undefined {
  const span = reader.textBytes;
  if (span !== undefined && span.to > span.from && span.to - span.from <= 15) {
    const { bytes, to } = span;
    let value = 0;
    let at = span.from;
    for (; at < to; at++) {
      const digit = (bytes[at] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === to) return value;
  }
  return readCount(field, leafText(reader), problem);
}
