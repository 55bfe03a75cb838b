import { UsageError } from '../activity/errors.js';
import { redact } from './failures.js';

/** True for `localhost`, names under it, 127.0.0.0/8 and ::1, spelled as `URL.hostname` spells them. */
export function isLoopback(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '[::1]' ||
    name === '::1' ||
    /^127(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})){3}$/.test(name)
  );
}

/** Whether a URL leads to this machine. */
export function isLoopbackUrl(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname);
}

/** The hosts in a text that has blanks or commas between them. */
export function readHosts(text: string | undefined): readonly string[] {
  return (text ?? '').split(/[\s,]+/).filter((host) => host !== '');
}

/**
 * The URL a client is made for: https; or http to this machine, or to a host named in `allowHttp`
 * (`gateway.example.com`, with or without its port).
 * @throws UsageError `INSECURE_ORIGIN` for http to any other host; `OPTION_INVALID` for what is no http(s) URL,
 * or has a user, a password, a query or a fragment in it.
 */
export function parseBaseUrl(baseUrl: string, allowHttp: readonly string[] = []): URL {
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch {
    // Without the text itself: somebody may have pasted a password into it.
    throw new UsageError('OPTION_INVALID', 'baseUrl: is no URL; write it as https://api.constantcontact.com');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new UsageError(
      'OPTION_INVALID',
      'baseUrl: must begin with https://, or with http:// where it leads to this machine',
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(
      'OPTION_INVALID',
      `baseUrl: must not hold a user or a password; give credentials apart, and ${url.origin} here`,
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new UsageError('OPTION_INVALID', 'baseUrl: must not have a query (?) or a fragment (#)');
  }
  const allowed = allowHttp.some((host) => [url.hostname, url.host].includes(host.toLowerCase()));
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !allowed) {
    throw new UsageError(
      'INSECURE_ORIGIN',
      `baseUrl: ${url.origin} would send the credentials unencrypted; use https://${url.host}, ` +
        `or allow it by name: allowHttp: ['${url.hostname}']`,
    );
  }
  return url;
}

/**
 * Where a link from the service leads: `href` resolved against the URL of the document it stands in, `from`.
 * Only the origin of `base` is ever returned.
 *
 * Quirk: the service writes `http:` links to itself and answers on https only, so that plain http to the host of
 * an https base is taken for the base's origin (test/fixtures/ws/records/entry-export).
 * @param secrets texts that must not appear in an error
 * @throws UsageError `FOREIGN_ORIGIN` when it leads anywhere else, or is no URL.
 * @see RFC 3986 section 5
 */
export function resolveLink(href: string, from: URL, base: URL, secrets: readonly string[] = []): URL {
  let url: URL;
  try {
    url = new URL(href, from);
  } catch {
    // As of those that are one: without a query, a user or a password.
    const told = redact(href, secrets)
      .replace(/\/\/[^/\s]*@/g, '//***@')
      .replace(/\?[^]*/, '?…')
      .slice(0, 200);
    throw new UsageError('FOREIGN_ORIGIN', `the service gave a link that is no URL: "${told}"`);
  }
  const toSelf = url.hostname === base.hostname && (url.port === '' || url.port === base.port);
  if (toSelf && url.protocol === 'http:' && base.protocol === 'https:') {
    url.protocol = 'https:';
    url.port = base.port;
  }
  if (!isSameOrigin(url, base)) {
    throw new UsageError(
      'FOREIGN_ORIGIN',
      `the service gave a link to ${redact(placeOf(url), secrets)}, which is not at ${base.origin}; it was not followed`,
    );
  }
  url.username = '';
  url.password = '';
  url.hash = '';
  return url;
}

/** Scheme, host and port are the same. Not `URL.origin`, which a `blob:` URL borrows from the URL inside it. */
export function isSameOrigin(url: URL, base: URL): boolean {
  return url.protocol === base.protocol && url.host === base.host;
}

/** The URL as messages show it: never its query, its user or its password; at most 300 characters. */
export function placeOf(url: URL): string {
  const place = url.host === '' ? url.protocol : `${url.protocol}//${url.host}${url.pathname}`;
  return place.length > 300 ? `${place.slice(0, 299)}…` : place;
}

/**
 * The user as one segment of a URL's path.
 *
 * Quirk: old accounts may have blanks and other characters in the user name, all of which are percent-encoded
 * (test/fixtures/ws/records/entry-id-broken).
 * @throws UsageError `OPTION_INVALID` when it is empty, `.` or `..` (however encoded), or has a slash, a backslash,
 * a control character or half a surrogate pair in it.
 */
export function userPath(user: string): string {
  if (/^(?:\.|%2e){1,2}$/i.test(user) || /[/\\\p{Cc}\p{Cs}]/u.test(user) || user.trim() === '') {
    throw new UsageError(
      'OPTION_INVALID',
      `user: must be the name the account logs in with, without slashes, got ${JSON.stringify(user.slice(0, 100))}`,
    );
  }
  return encodeURIComponent(user);
}
