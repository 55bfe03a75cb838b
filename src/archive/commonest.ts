import { cutText, ownText } from './own-text.js';

/** How many distinct messages are kept when there are more than twice as many. */
export const MESSAGES_KEPT = 10_000;
/** UTF-16 units of a message; what is longer is cut, and counts as one message. */
const MESSAGE_LENGTH = 300;

/**
 * Counts of messages in bounded memory: exact up to 20,000 distinct ones, then those of the commonest 10,000, each too
 * low by at most `uncertainty`, which is at most a ten-thousandth of all messages. Plain data.
 *
 * Misra and Gries, "Finding repeated elements", cut down in batches; merged as in Agarwal et al., "Mergeable summaries".
 */
export interface MessageCounts {
  readonly counts: Map<string, number>;
  uncertainty: number;
}

/** Of messages seen lately, since most come again and again: to look one up takes a tenth of what finding it out does. */
const PATTERNS = new Map<string, string>();
const PATTERNS_KEPT = 2000;

export function newMessageCounts(): MessageCounts {
  return { counts: new Map(), uncertainty: 0 };
}

export function addMessage(into: MessageCounts, message: string): void {
  let pattern = PATTERNS.get(message);
  if (pattern === undefined) {
    pattern = ownText(messagePattern(message), MESSAGE_LENGTH);
    if (PATTERNS.size >= PATTERNS_KEPT) PATTERNS.clear();
    if (message.length <= MESSAGE_LENGTH) PATTERNS.set(ownText(message, MESSAGE_LENGTH), pattern);
  }
  addCount(into, pattern, 1);
}

export function mergeMessages(into: MessageCounts, from: MessageCounts): void {
  into.uncertainty += from.uncertainty;
  for (const [message, count] of from.counts) addCount(into, message, count);
}

/** The commonest messages and their counts; of equally common ones, those that sort first. */
export function commonestMessages(
  { counts }: MessageCounts,
  limit: number,
): { readonly message: string; readonly count: number }[] {
  return [...counts]
    .map(([message, count]) => ({ message, count }))
    .sort((a, b) => b.count - a.count || (a.message < b.message ? -1 : 1))
    .slice(0, limit);
}

/**
 * The message without what differs from row to row: each quoted part becomes `"…"`, runs of white space one blank.
 * `Unknown US/Canadian state/prov "Test2"` and `… "Test3"` are one message.
 */
export function messagePattern(message: string): string {
  // Of a message of megabytes only the beginning is looked at; a quote that is open there is taken as closed.
  const start = cutText(message, 10 * MESSAGE_LENGTH);
  const quoted = start === message ? /"[^"]*"|“[^”]*”/g : /"[^"]*(?:"|$)|“[^”]*(?:”|$)/g;
  return cutText(start.replace(quoted, '"…"').replace(/\s+/g, ' ').trim(), MESSAGE_LENGTH);
}

function addCount(into: MessageCounts, message: string, count: number): void {
  const { counts } = into;
  const before = counts.get(message);
  if (before !== undefined) {
    counts.set(message, before + count);
    return;
  }
  counts.set(ownText(message, MESSAGE_LENGTH), count);
  if (counts.size > 2 * MESSAGES_KEPT) cutDown(into);
}

/** Takes the count of the first message beyond those kept off all, which leaves nothing of it and of the rarer ones. */
function cutDown(into: MessageCounts): void {
  const { counts } = into;
  const cut = [...counts.values()].sort((a, b) => b - a)[MESSAGES_KEPT] ?? 0;
  into.uncertainty += cut;
  for (const [message, count] of counts) {
    if (count > cut) counts.set(message, count - cut);
    else counts.delete(message);
  }
}
