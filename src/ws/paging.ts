import { createHash } from 'node:crypto';
import { ServiceError } from '../activity/errors.js';
import type { ListOptions } from '../activity/service.js';
import type { PageLinks } from './atom-writer.js';
import { refused, type Call } from './call.js';
import { lastSegment } from './uris.js';

export interface Page<T> {
  readonly items: readonly T[];
  readonly links: PageLinks;
}

/** Parameters that choose what a collection shows, and so go from page to page. */
const FILTERS = new Set(['email', 'listtype', 'listid', 'updatedsince']);

/**
 * The page that the request asks for: its `next` parameter tells the id the page before ended with.
 * @throws ServiceError status 400 where there is no such page.
 */
export async function page<T extends { readonly id: string }>(
  call: Call,
  list: (options: ListOptions) => AsyncIterable<T>,
): Promise<Page<T>> {
  const token = call.url.searchParams.get('next');
  const after = token === null ? undefined : idOf(token, call);
  const items: T[] = [];
  let more = false;
  try {
    for await (const item of list({ after, signal: call.request.signal })) {
      more = items.length === call.pageSize;
      if (more) break;
      items.push(item);
    }
  } catch (error) {
    if (token !== null && error instanceof ServiceError && error.code === 'NOT_FOUND') throw noPage(token);
    throw error;
  }
  const last = more ? items.at(-1) : undefined;
  return { items, links: pageLinks(call, last === undefined ? undefined : tokenOf(last.id, call), token) };
}

/**
 * Without what else stands in the query, such as an access token.
 *
 * Quirk: `relativeNextLink`: the next link began with the collection at first (test/fixtures/ws/quirks/relative-next-link).
 */
function pageLinks(call: Call, next: string | undefined, current: string | null): PageLinks {
  const { pathname, searchParams } = call.url;
  const filters = [...searchParams].filter(([name]) => FILTERS.has(name.toLowerCase()));
  const reference = (path: string, token: string | null) => {
    const query = new URLSearchParams(token === null ? filters : [...filters, ['next', token]]).toString();
    return query === '' ? path : `${path}?${query}`;
  };
  const relative = call.quirks.relativeNextLink && !pathname.endsWith('/');
  const base = relative ? encodeURIComponent(lastSegment(pathname)) : pathname;
  return {
    next: next === undefined ? undefined : reference(base, next),
    first: reference(pathname, null),
    current: reference(pathname, current),
  };
}

/**
 * Quirk: `opaquePageTokens`: tokens are of lower-case letters, digits and hyphens, and a client lower-cased every URL it
 * followed (test/fixtures/ws/quirks/opaque-page-tokens). Here they are the id and a check, so that a token of another
 * collection is refused.
 */
function tokenOf(id: string, call: Call): string {
  return call.quirks.opaquePageTokens ? `${base32(Buffer.from(id))}-${check(id, call)}` : id;
}

function idOf(token: string, call: Call): string {
  if (!call.quirks.opaquePageTokens) return token;
  const [text = '', sum = ''] = token.toLowerCase().split('-', 2);
  const id = fromBase32(text).toString();
  if (sum === '' || sum !== check(id, call)) throw noPage(token);
  return id;
}

function noPage(token: string): ServiceError {
  return refused(400, `next: there is no page "${token.slice(0, 80)}"`);
}

function check(id: string, call: Call): string {
  const collection = lastSegment(call.url.pathname).toLowerCase();
  const hash = createHash('sha256').update(`${collection}/${id}`).digest();
  return base32(hash.subarray(0, 4)).slice(0, 6);
}

const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567';

/** RFC 4648 section 6, in lower case and without padding. */
function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += DIGITS[(value >>> (bits - 5)) & 31] ?? '';
    value &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + (DIGITS[(value << (5 - bits)) & 31] ?? '');
}

function fromBase32(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of text) {
    value = (value << 5) | Math.max(0, DIGITS.indexOf(character));
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >>> bits) & 255);
    value &= (1 << bits) - 1;
  }
  return Buffer.from(bytes);
}
