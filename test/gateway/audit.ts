import { decodeEntry, decodeFeed } from '../../src/ws/records.js';
import type { Activity } from '../../src/activity/activity.js';
import type { UpstreamCreation } from './upstream.js';

/** What an old client asked for, and what it was told. */
export interface Attempt {
  /** Of this attempt alone, exports aside. */
  readonly list: string;
  readonly activityType: string;
  /** What is uploaded, on no other attempt. */
  readonly addresses: readonly string[];
  /** The id of the activity; `refused` when the answer was no; `unanswered` when there was none. */
  readonly outcome: { readonly id: string } | 'refused' | 'unanswered';
}

/** How a promise of the gateway was broken. */
export type Breach = 'lost' | 'twice' | 'invented' | 'failed' | 'changed' | 'incomplete';

export interface Violation {
  readonly breach: Breach;
  readonly text: string;
}

/** A GET of a path. */
export type Ask = (path: string) => Promise<Response>;

const ACTIVITIES = '/ws/customers/joesflowers/activities';

/** All pages of the feed, which tells how many errors there were, and not which. */
export async function readFeed(ask: Ask): Promise<Activity[]> {
  const activities: Activity[] = [];
  for (let path: string | undefined = ACTIVITIES; path !== undefined;) {
    const answer = await ask(path);
    const page = decodeFeed(new Uint8Array(await answer.arrayBuffer()));
    activities.push(...page.records.map(({ record }) => record));
    const next = page.next === undefined ? undefined : new URL(page.next, 'http://gateway.example.com');
    path = next === undefined ? undefined : next.pathname + next.search;
  }
  return activities;
}

export async function readEntry(ask: Ask, id: string): Promise<Activity> {
  const answer = await ask(`${ACTIVITIES}/${id}`);
  return decodeEntry(new Uint8Array(await answer.arrayBuffer())).record;
}

/**
 * What does not agree, once everything has ended: every activity that was accepted ended, v2 got each part of it once, and
 * there is nothing that nobody asked for.
 */
export function audit(
  attempts: readonly Attempt[],
  feed: readonly Activity[],
  creations: readonly UpstreamCreation[],
): Violation[] {
  const violations: Violation[] = [];
  const violate = (breach: Breach, text: string) => violations.push({ breach, text });
  const byId = new Map(feed.map((activity) => [activity.id, activity]));
  if (byId.size < feed.length) violate('twice', 'the feed names an activity twice');

  const ours = new Set<Activity>();
  for (const attempt of attempts) {
    const { list, activityType, addresses, outcome } = attempt;
    const what = `${activityType} of list ${list}`;
    const sent = creations.filter((one) => one.list === list && one.activityType === activityType);
    const arrived = sent.flatMap((one) => one.addresses);
    const isUpload = addresses.length > 0;
    if (isUpload ? new Set(arrived).size < arrived.length : sent.length > 1) {
      violate('twice', `${what}: v2 was asked for it ${sent.length} times`);
    }
    const strange = arrived.find((address) => !addresses.includes(address));
    if (strange !== undefined) violate('invented', `${what}: v2 saw ${strange}, which was not sent`);
    if (outcome === 'refused' && sent.length > 0) violate('invented', `${what}: was refused, and done`);
    if (typeof outcome === 'string') continue;

    const activity = byId.get(outcome.id);
    if (activity === undefined) {
      violate('lost', `${what}: ${outcome.id} is not in the feed`);
      continue;
    }
    if (ours.has(activity)) violate('twice', `${what}: its id ${outcome.id} was given out before`);
    ours.add(activity);
    if (activity.status !== 'COMPLETE') continue;
    if (sent.length === 0 || arrived.length < addresses.length) {
      violate('incomplete', `${what}: v2 saw ${arrived.length} of ${addresses.length} contacts`);
    } else if (isUpload && activity.transactionCount !== addresses.length) {
      violate('changed', `${what}: ${activity.transactionCount ?? 'none'} processed of ${addresses.length}`);
    }
  }
  const others = feed.filter((activity) => !ours.has(activity));
  const unanswered = attempts.filter(({ outcome }) => outcome === 'unanswered').length;
  if (others.length > unanswered) {
    violate(
      'invented',
      `${others.length} activities more than were taken, ${unanswered} requests without answer`,
    );
  }
  const lists = new Set(attempts.map(({ list }) => list));
  for (const { list, activityType } of creations) {
    if (!lists.has(list)) violate('invented', `v2 was asked for ${activityType} of list ${list}`);
  }
  for (const { id, type = 'an activity', status = 'without status', errors } of feed) {
    if (status === 'COMPLETE') continue;
    violate('failed', `${type} ${id} is ${status}: ${errors.map(({ message }) => message).join('; ')}`);
  }
  return violations;
}
