import { userPath } from '../http/origin.js';

/**
 * The URIs of one account below an origin such as `http://api.constantcontact.com`.
 *
 * Quirk: `httpIds`: the service named everything with http: although it was reached by https: only
 * (test/fixtures/ws/records/feed-documented).
 */
export function accountUris(origin: string, user: string) {
  const account = `${origin}/ws/customers/${userPath(user)}`;
  const activities = `${account}/activities`;
  return {
    activities,
    activity: (id: string) => `${activities}/${encodeURIComponent(id)}`,
    lists: `${account}/lists`,
    list: (id: string) => `${account}/lists/${encodeURIComponent(id)}`,
    contacts: `${account}/contacts`,
    contact: (id: string) => `${account}/contacts/${encodeURIComponent(id)}`,
  };
}

export type AccountUris = ReturnType<typeof accountUris>;

/** The origin that the documented ids and list URIs are written with, wherever the service is reached. */
export const DOCUMENTED_ORIGIN = 'http://api.constantcontact.com';

/**
 * The last path segment of a URI, without white space, query or fragment; '' when there is none.
 *
 * Quirk: ids come with another user than one logs in with, broken by line ends, or with a query stuck on
 * (test/fixtures/ws/records/entry-id-broken), so only the last segment is believed.
 */
export function lastSegment(uri: string): string {
  const path = uri
    .slice(0, MOST_URI)
    .replace(/[\s\u200b\ufeff]+/g, '')
    .replace(/[?#].*$/, '');
  const segment = path.split('/').findLast((part) => part !== '') ?? '';
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** What is longer is no URI of an activity. */
const MOST_URI = 4096;

/** The id in a URI `…/activities/<id>`; undefined for any other URI. */
export function activityIdOf(uri: string): string | undefined {
  const match = /\/activities\/([^/?#]+)\/?$/.exec(uri.slice(0, MOST_URI));
  return match === null ? undefined : lastSegment(match[0]);
}
