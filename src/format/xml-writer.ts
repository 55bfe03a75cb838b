import { create } from 'xmlbuilder2';
import type { XMLBuilder } from 'xmlbuilder2/lib/interfaces.js';

import { UsageError } from '../activity/errors.js';
import { isQName } from './xml-chars.js';

/** An element to be written; namespaces are declared by attributes called `xmlns` or `xmlns:prefix`. */
export interface XmlElement {
  /** With its prefix, if it has one. */
  readonly name: string;
  /** By name; those that are undefined are left out. */
  readonly attributes?: Readonly<Record<string, string | undefined>>;
  /** Elements, and strings for text. */
  readonly children?: readonly (XmlElement | string)[];
}

const DECLARATION = "<?xml version='1.0' encoding='UTF-8'?>";

/**
 * The document with this root element, in one line, with the declaration in front. A reader gets back every
 * text and value as it was given, line ends and tabs too; only characters that XML cannot hold become U+FFFD.
 *
 * @throws UsageError OPTION_INVALID when a name is none.
 */
export function writeXml(root: XmlElement): string {
  const document = create();
  write(document, root);
  return DECLARATION + document.end({ headless: true });
}

function write(parent: XMLBuilder, { name, attributes = {}, children = [] }: XmlElement): void {
  const element = parent.ele(checkName(name));
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== undefined) element.att(checkName(attribute), escapeValue(value));
  }
  for (const child of children) {
    if (typeof child !== 'string') write(element, child);
    else if (child !== '') element.txt(escapeText(child));
  }
}

function checkName(name: string): string {
  if (!isQName(name)) throw new UsageError('OPTION_INVALID', `${JSON.stringify(name)} is no XML name`);
  return name;
}

// xmlbuilder2 writes what looks like a reference as it stands: the text "&lt;" would come back as "<". So each "&" is
// escaped here; and for the same reason so can be the white space that a reader would otherwise normalise away.
function escapeText(text: string): string {
  return text.replace(UNWRITABLE, '\uFFFD').replace(/&/g, '&amp;').replace(/\r/g, '&#13;');
}

function escapeValue(value: string): string {
  return escapeText(value).replace(/[\t\n]/g, (space) => `&#${space.charCodeAt(0)};`);
}

const UNWRITABLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
