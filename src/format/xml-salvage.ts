import type * as FastXmlParser from 'fast-xml-parser';
import { createRequire } from 'node:module';

import { replaceReferences } from './xml-chars.js';

/** An element as it was found in a broken document. */
export interface SalvagedElement {
  /** Without its prefix; namespaces are not looked at. */
  readonly name: string;
  /** By name as written, prefix included. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Child elements. An element that is never closed holds all that follows it. */
  readonly children: readonly SalvagedElement[];
  /** All text directly inside, white space included. */
  readonly text: string;
}

/** fast-xml-parser's own marks; none of them can be the name of an element. */
const TEXT = '#text';
const CDATA = '#cdata';
const ATTRIBUTES = ':@';
/** Put before names, so that none of them is one that objects have a meaning for (`__proto__` …). */
const MARK = '-';
const mark = (name: string): string => (name.startsWith(MARK) ? name : MARK + name);

const OPTIONS = {
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  allowBooleanAttributes: true,
  transformTagName: mark,
  transformAttributeName: mark,
  textNodeName: TEXT,
  cdataPropName: CDATA,
  ignoreDeclaration: true,
  ignorePiTags: true,
  // Values stay the text they are: the parser would turn "007" into 7, drop blanks and expand entities.
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  maxNestedTags: 1000,
  jPath: false,
};

const require = createRequire(import.meta.url);
let parser: FastXmlParser.XMLParser | undefined;

/** Loaded when there is something to salvage: most runs have nothing, and it takes longer than all else that they load. */
function salvageParser(): FastXmlParser.XMLParser {
  const load = () => require('fast-xml-parser') as typeof FastXmlParser;
  return (parser ??= new (load().XMLParser)(OPTIONS));
}

/** Ends of a document that are given up, one after the other, until the rest can be read. */
const CUTS = 4;

/**
 * What can be read of a document that is not well-formed, as a list of root elements; empty when nothing can.
 * Never throws. A text that the document ends in is dropped, since nobody knows how it went on. The five predefined entities and numeric references are replaced, all others stay as written.
 */
export function salvageXml(text: string): SalvagedElement[] {
  let rest = text.slice(0, openSectionAt(text));
  for (let cut = 0; cut <= CUTS && rest !== ''; cut++) {
    try {
      const nodes: unknown = salvageParser().parse(rest);
      return elementsOf(nodes);
    } catch {
      // Most often the document ends inside of markup: what comes before that can be read.
      rest = rest.slice(0, Math.max(0, rest.lastIndexOf('<')));
    }
  }
  return [];
}

const SECTION = /<!--[^]*?-->|<!\[CDATA\[[^]*?\]\]>|<\?[^]*?\?>|(<!--|<!\[CDATA\[|<\?)/g;

/** Where the comment, CDATA section or instruction begins that the text ends inside of; undefined when in none. */
function openSectionAt(text: string): number | undefined {
  for (const match of text.matchAll(SECTION)) if (match[1] !== undefined) return match.index;
  return undefined;
}

/** The parser's nodes are objects with one member named for the node, and one for attributes where there are any. */
function elementsOf(nodes: unknown): SalvagedElement[] {
  return records(nodes).flatMap((node) => {
    const key = nameOf(node);
    return key.startsWith(MARK) ? [elementOf(key.slice(MARK.length), node[ATTRIBUTES], node[key])] : [];
  });
}

function elementOf(qname: string, attributes: unknown, content: unknown): SalvagedElement {
  return {
    name: qname.slice(qname.indexOf(':') + 1),
    attributes: Object.fromEntries(
      Object.entries(isRecord(attributes) ? attributes : {}).map(([name, value]) => [
        name.slice(MARK.length),
        typeof value === 'string' ? replaceReferences(value.replace(/[\t\n]/g, ' ')) : '',
      ]),
    ),
    children: elementsOf(content),
    text: records(content).map(textOf).join(''),
  };
}

function textOf(node: Record<string, unknown>): string {
  const text = node[TEXT];
  if (typeof text === 'string') return replaceReferences(text);
  return records(node[CDATA])
    .map((inner) => inner[TEXT])
    .join('');
}

function nameOf(node: Record<string, unknown>): string {
  return Object.keys(node).find((key) => key !== ATTRIBUTES) ?? '';
}

function records(nodes: unknown): Record<string, unknown>[] {
  return Array.isArray(nodes) ? nodes.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
