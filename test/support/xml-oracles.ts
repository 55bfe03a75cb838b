import { ParseOption, XmlCData, XmlDocument, XmlElement, XmlText, type XmlNode } from 'libxml2-wasm';
import { SaxesParser, type SaxesTagNS } from 'saxes';

import { endEvent, expanded, startEvent, textEvent } from './xml-events.js';

/** What another parser reads, as events, or why it refuses the document. */
export type Oracle = (bytes: Uint8Array) => readonly string[] | { readonly refusal: string };

export const saxes: Oracle = (bytes) => {
  const events: string[] = [];
  let text = '';
  const flush = (): void => {
    if (text !== '') events.push(textEvent(text));
    text = '';
  };
  const name = ({ uri, local }: { uri: string; local: string }) => ({ namespace: uri, local });
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('text', (more) => (text += more));
  parser.on('cdata', (more) => (text += more));
  parser.on('opentag', (tag: SaxesTagNS) => {
    flush();
    const attributes = Object.values(tag.attributes).filter(
      ({ prefix, name }) => prefix !== 'xmlns' && name !== 'xmlns',
    );
    events.push(
      startEvent(
        name(tag),
        attributes.map((attribute) => [expanded(name(attribute)), attribute.value]),
      ),
    );
  });
  parser.on('closetag', (tag) => {
    flush();
    events.push(endEvent(name(tag)));
  });
  try {
    parser.write(new TextDecoder('utf-8', { fatal: true }).decode(bytes)).close();
  } catch (error) {
    return { refusal: String(error) };
  }
  // White space around the root element is no text of the document.
  return events.filter((event, i) => !event.startsWith('text') || (i > 0 && i < events.length - 1));
};

export const libxml2: Oracle = (bytes) => {
  let document: XmlDocument;
  try {
    document = XmlDocument.fromBuffer(bytes, { option: ParseOption.XML_PARSE_NONET });
  } catch (error) {
    return { refusal: String(error) };
  }
  try {
    const events: string[] = [];
    let text = '';
    const flush = (): void => {
      if (text !== '') events.push(textEvent(text));
      text = '';
    };
    const walk = (node: XmlNode): void => {
      if (node instanceof XmlText || node instanceof XmlCData) text += node.content;
      if (!(node instanceof XmlElement)) return;
      flush();
      const name = { namespace: node.namespaceUri, local: node.name };
      events.push(
        startEvent(
          name,
          node.attrs.map((a) => [expanded({ namespace: a.namespaceUri, local: a.name }), a.value]),
        ),
      );
      for (const child of node.find('* | text()')) walk(child);
      flush();
      events.push(endEvent(name));
    };
    walk(document.root);
    return events;
  } finally {
    document.dispose();
  }
};
