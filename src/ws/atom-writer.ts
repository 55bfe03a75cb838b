import type { XmlElement } from '../format/xml-writer.js';
import { formatInstant } from '../format/instant.js';
import { ATOM_NAMESPACE, CONTENT_MEDIA_TYPE } from './names.js';

/** What one entry is made of. */
export interface EntryFrame {
  /** The absolute http URI the entry is known by. */
  readonly uri: string;
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

/** A feed document. Quirk: old clients take the third link for the next page, so that `next` stands before `first`
 * (test/fixtures/ws/records/feed-paged). */
export function feedElement(
  frame: FeedFrame,
  entries: readonly EntryFrame[],
  links: PageLinks | undefined,
): XmlElement {
  const pageLinks = links === undefined ? [] : (['next', 'first', 'current'] as const);
  return {
    name: 'feed',
    attributes: { xmlns: ATOM_NAMESPACE },
    children: [
      ...feedMetadata(frame),
      ...pageLinks.flatMap((rel) => link(links?.[rel], rel)),
      ...entries.map((entry) => entryChildren(entry)).map((children) => ({ name: 'entry', children })),
    ],
  };
}

/** A single entry document, its feed's metadata in `source`; the minimal entry of a 201 answer has no `source`. */
export function entryElement(entry: EntryFrame, source: FeedFrame | undefined): XmlElement {
  return {
    name: 'entry',
    attributes: { xmlns: ATOM_NAMESPACE },
    children: [
      ...entryChildren(entry),
      ...(source === undefined ? [] : [{ name: 'source', children: feedMetadata(source) }]),
    ],
  };
}

function feedMetadata(frame: FeedFrame): XmlElement[] {
  return [
    element('id', frame.uri),
    { name: 'title', attributes: { type: 'text' }, children: [frame.title] },
    // Quirk: the service wrote both references empty (test/fixtures/ws/records/feed-documented).
    { name: 'link', attributes: { href: '' } },
    { name: 'link', attributes: { href: '', rel: 'self' } },
    { name: 'author', children: [element('name', frame.author)] },
    element('updated', formatInstant(frame.updated)),
  ];
}

function entryChildren(entry: EntryFrame): XmlElement[] {
  return [
    // Quirk: edit links are absolute paths, while ids are absolute URIs (test/fixtures/ws/records/feed-documented).
    ...link(new URL(entry.uri).pathname, 'edit'),
    element('id', entry.uri),
    ...(entry.title === undefined
      ? []
      : [{ name: 'title', attributes: { type: 'text' }, children: [entry.title] }]),
    ...(entry.updated === undefined ? [] : [element('updated', formatInstant(entry.updated))]),
    ...(entry.content === undefined
      ? []
      : [{ name: 'content', attributes: { type: CONTENT_MEDIA_TYPE }, children: [entry.content] }]),
    ...link(entry.editMedia, 'edit-media'),
  ];
}

function element(name: string, text: string): XmlElement {
  return { name, children: [text] };
}

function link(href: string | undefined, rel: string): XmlElement[] {
  return href === undefined ? [] : [{ name: 'link', attributes: { href, rel } }];
}
