import type { Activity } from '../activity/activity.js';
import { DecodeError } from '../activity/errors.js';
import type { ContactList } from '../activity/list.js';
import { writeXml } from '../format/xml-writer.js';
import { activityElement, ActivityContent } from './activity-element.js';
import { AtomReader, decodeDocument, type AtomReaderOptions, type RecordProblem } from './atom.js';
import { entryElement, feedElement, type EntryFrame, type FeedFrame, type PageLinks } from './atom-writer.js';
import { contactListElement, ContactListContent } from './list-element.js';
import type { AccountUris } from './uris.js';

/** A record as read, and what could not be taken as it stands. */
export interface Decoded<T> {
  readonly record: T;
  readonly problems: readonly RecordProblem[];
}

/** One page of a feed. */
export interface DecodedFeed<T> {
  readonly records: readonly Decoded<T>[];
  /** Entries whose content is something else than was asked for. */
  readonly otherEntries: number;
  /** The `next` link as written; undefined on the last page. */
  readonly next: string | undefined;
}

/** What a document of an account says besides its records. */
export interface DocumentFrame {
  readonly uris: AccountUris;
  /** The account's user, written as the feed's author. */
  readonly user: string;
  /** When the feed was made. */
  readonly updated: Date;
}

/** Reads activities from the bytes of a feed or a single entry as they arrive; see `AtomReader`. */
export function activityReader(options?: AtomReaderOptions): AtomReader<Activity> {
  return new AtomReader(new ActivityContent(), options);
}

/**
 * The activity of a single entry: the answer to GET of one activity, or to the POST that made it.
 * @throws DecodeError when it is not well-formed XML, or not the entry of an activity.
 */
export function decodeEntry(bytes: Uint8Array, options?: AtomReaderOptions): Decoded<Activity> {
  const document = decodeDocument(bytes, new ActivityContent(), options);
  if (document.root === 'feed')
    throw unexpected('found a feed where a single entry was expected', options?.source);
  const [entry] = document.entries;
  if (entry?.value === undefined)
    throw unexpected('the content of the entry is not an Activity', options?.source);
  return { record: entry.value, problems: entry.problems };
}

/** A single entry with its `source`, as the service answers GET of one activity. */
export function encodeEntry(activity: Activity, frame: DocumentFrame): string {
  return writeXml(entryElement(activityFrame(activity, frame.uris), activitiesFrame(frame)));
}

/**
 * One page of activities.
 * @throws DecodeError when it is not well-formed XML, or not a feed.
 */
export function decodeFeed(bytes: Uint8Array, options?: AtomReaderOptions): DecodedFeed<Activity> {
  const { root, entries, next } = decodeDocument(bytes, new ActivityContent(), options);
  if (root === 'entry') throw unexpected('found a single entry where a feed was expected', options?.source);
  return page(entries, next);
}

/** One page of activities as a feed. */
export function encodeFeed(activities: readonly Activity[], frame: DocumentFrame, links?: PageLinks): string {
  const entries = activities.map((activity) => activityFrame(activity, frame.uris));
  return writeXml(feedElement(activitiesFrame(frame), entries, links));
}

/**
 * One page of contact lists.
 * @throws DecodeError when it is not well-formed XML, or not a feed.
 */
export function decodeLists(bytes: Uint8Array, options?: AtomReaderOptions): DecodedFeed<ContactList> {
  const { root, entries, next } = decodeDocument(bytes, new ContactListContent(), options);
  if (root === 'entry') throw unexpected('found a single entry where a feed was expected', options?.source);
  return page(entries, next);
}

/** One page of contact lists as a feed. */
export function encodeLists(lists: readonly ContactList[], frame: DocumentFrame, links?: PageLinks): string {
  const feed: FeedFrame = {
    uri: frame.uris.lists,
    title: `Contact Lists for Customer: ${frame.user}`,
    author: frame.user,
    updated: frame.updated,
  };
  const entries = lists.map((list): EntryFrame => {
    const uri = frame.uris.list(list.id);
    return { uri, title: list.name, updated: list.updated, content: contactListElement(list, uri) };
  });
  return writeXml(feedElement(feed, entries, links));
}

function activityFrame(activity: Activity, uris: AccountUris): EntryFrame {
  const uri = uris.activity(activity.id);
  const { title, updated, editMedia } = activity;
  return { uri, title, updated, editMedia, content: activityElement(activity, uri) };
}

function activitiesFrame(frame: DocumentFrame): FeedFrame {
  return {
    uri: frame.uris.activities,
    title: `Activity Collection for customer: ${frame.user}`,
    author: frame.user,
    updated: frame.updated,
  };
}

function page<T>(
  entries: readonly { readonly value: T | undefined; readonly problems: readonly RecordProblem[] }[],
  next: string | undefined,
): DecodedFeed<T> {
  const records = entries.flatMap(({ value, problems }) =>
    value === undefined ? [] : [{ record: value, problems }],
  );
  return { records, otherEntries: entries.length - records.length, next };
}

function unexpected(what: string, source: string | undefined): DecodeError {
  return new DecodeError('DOCUMENT_UNEXPECTED', source === undefined ? what : `${source}: ${what}`);
}
