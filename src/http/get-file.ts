import { DecodeError } from '../activity/errors.js';
import { isEntityTag, rangeFrom, readContentRange, validatorOf } from './range.js';
import type { HttpResponse } from './transport.js';

/** The answer to a GET of a file, whole or from `offset` on. */
export interface FileAnswer {
  /** Its status is for the caller to judge, where `offset` is 0. */
  readonly response: HttpResponse;
  readonly offset: number;
  /** Bytes of the whole file, where the answer says how many. */
  readonly length: number | undefined;
  /** Only where the file can be gone on with: its length is known, and it has a strong validator. */
  readonly validator: string | undefined;
}

/**
 * The file from `resume.offset` on, where it still is the one that `resume.validator` stands for; else all of it. An
 * answer that is another part than the one asked for, or a refusal of it, is let go, and the whole is asked for.
 * @param get sends the request with these headers
 * @throws DecodeError `DOCUMENT_UNEXPECTED` for a part where the whole was asked for
 * @see RFC 9110 section 13.1.5
 */
export async function getFile(
  get: (headers: Readonly<Record<string, string>>) => Promise<HttpResponse>,
  resume: { readonly offset: number; readonly validator: string } | undefined,
): Promise<FileAnswer> {
  if (resume === undefined || resume.offset === 0) return whole(await get({}));
  const { offset, validator } = resume;
  const response = await get({ range: rangeFrom(offset), 'if-range': validator });
  if (response.status === 206) {
    const range = readContentRange(response.headers.get('content-range'));
    // Servers there are that know Range, and not If-Range.
    const told = response.headers.get(isEntityTag(validator) ? 'etag' : 'last-modified')?.trim();
    const same = told === undefined || told === validator;
    if (same && range?.start === offset && range.end === range.length) {
      return { response, offset, length: range.length, validator };
    }
  } else if (response.status !== 416) {
    return whole(response);
  }
  await response.cancel();
  return whole(await get({}));
}

async function whole(response: HttpResponse): Promise<FileAnswer> {
  if (response.status === 206) {
    await response.cancel();
    const place = response.url.pathname;
    throw new DecodeError('DOCUMENT_UNEXPECTED', `${place}: the whole file was asked for, and a part came`);
  }
  const told = response.headers.get('content-length') ?? '';
  const length = /^\d{1,15}$/.test(told) ? Number(told) : undefined;
  const validator = length === undefined ? undefined : validatorOf(response.headers);
  return { response, offset: 0, length, validator };
}
