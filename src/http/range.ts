/** A part of a file, in bytes counted from 0; `end` is the first byte that is not in it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The Range header that asks for all bytes from `offset` on. @see RFC 9110 section 14.2 */
export function rangeFrom(offset: number): string {
  return `bytes=${offset}-`;
}

/**
 * The part of a file of `length` bytes that a Range header asks for; `unsatisfiable` when the file has no such bytes.
 * Undefined means the whole file: no header, another unit, several ranges (which need not be served), or none that can
 * be read.
 * @see RFC 9110 section 14.1.2
 */
export function askedSpan(header: string | null, length: number): Span | 'unsatisfiable' | undefined {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const count = Math.min(Number(last), length);
    return count === 0 ? 'unsatisfiable' : { start: length - count, end: length };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= length) return 'unsatisfiable';
  return { start, end: last === '' ? length : Math.min(Number(last) + 1, length) };
}

/** Where a Range header begins, when it asks for one part counted from the start of the file. */
export function askedStart(header: string | null): number | undefined {
  const first = /^bytes=\s*(\d+)-\d*\s*$/i.exec(header ?? '')?.[1];
  return first === undefined ? undefined : Number(first);
}

/** The Content-Range header of a part of a file of `length` bytes. @see RFC 9110 section 14.4 */
export function contentRange({ start, end }: Span, length: number): string {
  return `bytes ${start}-${end - 1}/${length}`;
}

/** What a Content-Range header says, when it names a part and the length of the whole and both can be true. */
export function readContentRange(header: string | null): (Span & { readonly length: number }) | undefined {
  const match = /^bytes\s+(\d+)-(\d+)\/(\d+)$/i.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [start = 0, last = 0, length = 0] = match.slice(1).map(Number);
  return start <= last && last < length ? { start, end: last + 1, length } : undefined;
}

/**
 * What an answer gives to tell by, in an If-Range header, whether the file is still the same to the byte: its entity tag
 * unless that is a weak one, else its Last-Modified where the answer was made at least a minute later.
 * @see RFC 9110 sections 8.8.2.2 and 13.1.5
 */
export function validatorOf(headers: Headers): string | undefined {
  const tag = headers.get('etag')?.trim();
  if (tag !== undefined) return isEntityTag(tag) ? tag : undefined;
  const modified = headers.get('last-modified')?.trim() ?? '';
  const age = Date.parse(headers.get('date') ?? '') - Date.parse(modified);
  return age >= 60_000 ? modified : undefined;
}

/** True for a strong entity tag, `"…"`. */
export function isEntityTag(validator: string): boolean {
  return /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(validator);
}
