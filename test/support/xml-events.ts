import { DecodeError, type ErrorCode, type SourcePosition } from '../../src/activity/errors.js';
import { XmlEvent, XmlReader, type XmlName, type XmlReaderOptions } from '../../src/format/xml-reader.js';

/** What a reader made of a document: its events as text, adjacent texts joined, and how it ended. */
export interface Reading {
  readonly events: readonly string[];
  /** Where each event begins. */
  readonly positions: readonly SourcePosition[];
  readonly error:
    | { readonly code: ErrorCode; readonly message: string; readonly position: SourcePosition | undefined }
    | undefined;
}

type ExpandedName = Pick<XmlName, 'namespace' | 'local'>;

/** How a document is cut: the size of the next chunk, at least 1. */
export type Cut = () => number;

/** Reads a document that comes in chunks, and spoils each chunk once the reader asks for the next. */
export function readXml(
  bytes: Uint8Array,
  cut: Cut = () => bytes.length,
  options: XmlReaderOptions = {},
): Reading {
  const reader = new XmlReader(options);
  const events: string[] = [];
  const positions: SourcePosition[] = [];
  let text = '';
  let at = 0;
  let chunk = new Uint8Array(0);
  const flush = (): void => {
    if (text !== '') events.push(textEvent(text));
    text = '';
  };
  try {
    for (;;) {
      const event = reader.read();
      if (event === XmlEvent.NeedBytes) {
        chunk.fill(0x3c);
        chunk = Uint8Array.from(bytes.subarray(at, at + Math.max(1, cut())));
        at += chunk.length;
        if (chunk.length === 0) reader.end();
        else reader.push(chunk);
        continue;
      }
      if (event !== XmlEvent.Text) flush();
      if (text === '') positions.push(reader.position);
      if (event === XmlEvent.Text) text += reader.text;
      else if (event === XmlEvent.EndDocument) return { events, positions, error: undefined };
      else if (event === XmlEvent.EndElement) events.push(endEvent(reader.name));
      else {
        const attributes = Array.from({ length: reader.attributeCount }, (_, i) => {
          return [expanded(reader.attributeName(i)), reader.attributeValue(i)] as const;
        });
        events.push(startEvent(reader.name, attributes));
      }
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    flush();
    return {
      events,
      positions,
      error: { code: error.code, message: error.message, position: error.position },
    };
  }
}

/** Reads a text as UTF-8, whole. */
export function readText(text: string, options: XmlReaderOptions = {}): Reading {
  return readXml(Buffer.from(text), undefined, options);
}

export function startEvent(
  name: ExpandedName,
  attributes: readonly (readonly [name: string, value: string])[],
): string {
  const sorted = [...attributes].sort(([a], [b]) => (a < b ? -1 : 1));
  return `start ${expanded(name)} ${JSON.stringify(sorted)}`;
}

export function endEvent(name: ExpandedName): string {
  return `end ${expanded(name)}`;
}

export function textEvent(text: string): string {
  return `text ${JSON.stringify(text)}`;
}

export function expanded({ namespace, local }: ExpandedName): string {
  return `{${namespace}}${local}`;
}
