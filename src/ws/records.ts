import type { Activity } from '../activity/activity.js';
import { DecodeError } from '../activity/errors.js';
import type { ContactList } from '../activity/list.js';
import { activityElement, ActivityContent, type ErrorsForm } from './activity-element.js';
import { AtomReader, decodeDocument, type AtomReaderOptions, type RecordProblem } from './atom.js';
import {
  entryInFeed,
  entryDocument,
  feedDocument,
  type EntryFrame,
  type FeedFrame,
  type PageLinks,
} from './atom-writer.js';
import { contactListElement, ContactListContent } from './list-element.js';
import { LOSSLESS, type QuirkSet } from './quirks.js';
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
  /** The forms of the document. Default: as observed, but with every error a record lists. */
  readonly quirks?: QuirkSet | undefined;
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
  const quirks = frame.quirks ?? LOSSLESS;
  const form = quirks.errorCountInEntry ? 'both' : 'listed';
  return entryDocument(activityFrame(activity, frame.uris, form), activitiesFrame(frame, quirks), quirks);
}

/** The entry that a 201 answer has in the document: links, id, title and time, and nothing of the activity itself. */
export function encodeMinimalEntry(activity: Activity, frame: DocumentFrame): string {
  const entry = activityFrame(activity, frame.uris, 'listed');
  return entryDocument({ ...entry, content: undefined }, undefined, frame.quirks ?? LOSSLESS);
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

/** The entry of an activity as it stands in a feed with Atom's namespace as the default one: see `FeedPages`. */
export function encodeFeedEntry(activity: Activity, frame: DocumentFrame): string {
  const quirks = frame.quirks ?? LOSSLESS;
  const form = quirks.errorCountInFeed ? 'counted' : 'listed';
  return entryInFeed(activityFrame(activity, frame.uris, form), quirks);
}

/** One page of activities as a feed. */
export function encodeFeed(activities: readonly Activity[], frame: DocumentFrame, links?: PageLinks): string {
  const quirks = frame.quirks ?? LOSSLESS;
  const form = quirks.errorCountInFeed ? 'counted' : 'listed';
  const entries = activities.map((activity) => activityFrame(activity, frame.uris, form));
  return feedDocument(activitiesFrame(frame, quirks), entries, links, quirks);
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
  const entries = lists.map((list) => listFrame(list, frame.uris));
  return feedDocument(listsFrame(frame), entries, links, frame.quirks ?? LOSSLESS);
}

/** A single list with its `source`, as the service answers GET of one list. */
export function encodeList(list: ContactList, frame: DocumentFrame): string {
  return entryDocument(listFrame(list, frame.uris), listsFrame(frame), frame.quirks ?? LOSSLESS);
}

function listFrame(list: ContactList, uris: AccountUris): EntryFrame {
  const uri = uris.list(list.id);
  return { uri, title: list.name, updated: list.updated, content: contactListElement(list, uri) };
}

function listsFrame(frame: DocumentFrame): FeedFrame {
  return {
    uri: frame.uris.lists,
    title: `Contact Lists for Customer: ${frame.user}`,
    author: frame.user,
    updated: frame.updated,
  };
}

function activityFrame(activity: Activity, uris: AccountUris, errors: ErrorsForm): EntryFrame {
  const uri = uris.activity(activity.id);
  const { title, updated, editMedia } = activity;
  return { uri, title, updated, editMedia, content: activityElement(activity, uri, errors) };
}

/** Quirk: `customerTitle`: the feed has two titles in the documents (test/fixtures/ws/quirks/customer-title). */
function activitiesFrame(frame: DocumentFrame, quirks: QuirkSet): FeedFrame {
  return {
    uri: frame.uris.activities,
    title: quirks.customerTitle ? `Activity Collection for customer: ${frame.user}` : 'Bulk Activity',
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
