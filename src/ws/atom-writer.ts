import { formatInstant } from '../format/instant.js';
import { writeXml, type XmlElement } from '../format/xml-writer.js';
import { ATOM_NAMESPACE, CONTENT_MEDIA_TYPE } from './names.js';
import type { QuirkSet } from './quirks.js';
import { lastSegment } from './uris.js';

/** What one entry is made of. */
export interface EntryFrame {
  /** The absolute http URI the entry is known by. */
  readonly uri: string;
  /** The URI of its edit link; default `uri`. */
  readonly edit?: string | undefined;
  readonly title: string | undefined;
  readonly updated: Date | undefined;
  readonly editMedia?: string | undefined;
  readonly content: XmlElement | undefined;
}

/** What a feed says of itself; a single entry repeats it in its `source`. */
export interface FeedFrame {
  readonly uri: string;
  readonly title: string;
  readonly author: string;
  readonly updated: Date;
}

/** Where a page stands among the others: references as they are to be written, `next` on all pages but the last. */
export interface PageLinks {
  readonly next: string | undefined;
  readonly first: string;
  readonly current: string;
}

/** A feed document. */
export function feedDocument(
  frame: FeedFrame,
  entries: readonly EntryFrame[],
  links: PageLinks | undefined,
  quirks: QuirkSet,
): string {
  return writeDocument(
    {
      name: 'feed',
      attributes: { xmlns: ATOM_NAMESPACE },
      children: [
        ...feedMetadata(frame, quirks),
        ...(links === undefined ? [] : pageLinks(links, quirks)),
        ...entries.map((entry) => ({ name: 'entry', children: entryChildren(entry, quirks) })),
      ],
    },
    quirks,
  );
}

/** An entry as it stands in a feed whose namespace is the default one. */
export function entryInFeed(entry: EntryFrame, quirks: QuirkSet): string {
  const xml = writeXml({ name: 'entry', children: entryChildren(entry, quirks) });
  return xml.slice(xml.indexOf('?>') + 2);
}

/** A single entry document, its feed's metadata in `source`; the minimal entry of a 201 answer has no `source`. */
export function entryDocument(entry: EntryFrame, source: FeedFrame | undefined, quirks: QuirkSet): string {
  return writeDocument(
    {
      name: 'entry',
      attributes: { xmlns: ATOM_NAMESPACE },
      children: [
        ...entryChildren(entry, quirks),
        ...(source === undefined ? [] : [{ name: 'source', children: feedMetadata(source, quirks) }]),
      ],
    },
    quirks,
  );
}

/**
 * Quirk: `singleQuotedDeclaration` and `defaultNamespaces`: a client cut the namespaces off by their very spelling
 * (test/fixtures/ws/quirks/default-namespaces).
 */
function writeDocument(root: XmlElement, quirks: QuirkSet): string {
  const xml = writeXml(quirks.defaultNamespaces ? root : prefixed(root));
  return quirks.singleQuotedDeclaration
    ? xml
    : xml.replace(/^<\?xml [^>]*\?>/, '<?xml version="1.0" encoding="UTF-8"?>');
}

/** The same with Atom's elements as `atom:…`; elements that declare a namespace of their own stay. */
function prefixed({ name, attributes = {}, children = [] }: XmlElement): XmlElement {
  const { xmlns, ...others } = attributes;
  return {
    name: `atom:${name}`,
    attributes: { 'xmlns:atom': xmlns, ...others },
    children: children.map((child) =>
      typeof child === 'string' || child.attributes?.xmlns !== undefined ? child : prefixed(child),
    ),
  };
}

/**
 * Quirk: `nextLinkThird`: old clients take the third link for the next page, whatever it is
 * (test/fixtures/ws/quirks/next-link-third).
 */
function pageLinks({ next, first, current }: PageLinks, quirks: QuirkSet): XmlElement[] {
  const nextLink = link(next, 'next');
  if (!quirks.firstAndCurrentLinks) return nextLink;
  const others = [...link(first, 'first'), ...link(current, 'current')];
  return quirks.nextLinkThird ? [...nextLink, ...others] : [...others, ...nextLink];
}

function feedMetadata(frame: FeedFrame, quirks: QuirkSet): XmlElement[] {
  // Quirk: `emptySelfLinks`: both references were empty at first (test/fixtures/ws/quirks/empty-self-links).
  const self = quirks.emptySelfLinks ? '' : encodeURIComponent(lastSegment(frame.uri));
  return [
    element('id', frame.uri),
    { name: 'title', attributes: { type: 'text' }, children: [frame.title] },
    { name: 'link', attributes: { href: self } },
    { name: 'link', attributes: { href: self, rel: 'self' } },
    author(frame.author),
    element('updated', formatInstant(frame.updated)),
  ];
}

function entryChildren(entry: EntryFrame, quirks: QuirkSet): XmlElement[] {
  const { uri, edit = uri } = entry;
  return [
    // Quirk: `pathEditLinks`: edit links are paths, while ids are URIs (test/fixtures/ws/quirks/path-edit-links).
    ...link(quirks.pathEditLinks ? new URL(edit).pathname : edit, 'edit'),
    element('id', uri),
    ...(entry.title === undefined
      ? []
      : [{ name: 'title', attributes: { type: 'text' }, children: [entry.title] }]),
    ...(entry.updated === undefined ? [] : [element('updated', formatInstant(entry.updated))]),
    ...(quirks.entryAuthor ? [author('Constant Contact')] : []),
    ...(entry.content === undefined
      ? []
      : [{ name: 'content', attributes: { type: CONTENT_MEDIA_TYPE }, children: [entry.content] }]),
    ...link(entry.editMedia, 'edit-media'),
  ];
}

function author(name: string): XmlElement {
  return { name: 'author', children: [element('name', name)] };
}

function element(name: string, text: string): XmlElement {
  return { name, children: [text] };
}

function link(href: string | undefined, rel: string): XmlElement[] {
  return href === undefined ? [] : [{ name: 'link', attributes: { href, rel } }];
}
