import { encodeForm } from '../format/form.js';
import { bytesBody } from '../format/body.js';
import { multipartBody, type MultipartPart } from '../format/multipart.js';
import { FORM_MEDIA_TYPE } from '../ws/names.js';

/** One HTTP request, from whatever it was read. */
export interface HttpCall {
  /** Where it stands, as people are told: `calls.har, entry 3`. */
  readonly place: string;
  readonly method: string;
  /** Absolute, or a path. */
  readonly url: string;
  /** By name in lower case; of a name given twice, the last. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** The contacts in it are made up. */
  readonly madeUp?: boolean | undefined;
}

/** A parameter of a form, as HAR files and the journal keep them. */
export interface CallParameter {
  readonly name: string;
  readonly value: string | Uint8Array;
  readonly fileName?: string | undefined;
  readonly contentType?: string | undefined;
}

export interface CallBody {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** The body that has these parameters, in the form that the Content-Type says. */
export async function bodyOf(contentType: string, parameters: readonly CallParameter[]): Promise<CallBody> {
  const isForm = /^\s*application\/x-www-form-urlencoded\s*(?:;|$)/i.test(contentType);
  if (isForm || (contentType === '' && parameters.every(({ fileName }) => fileName === undefined))) {
    const text = encodeForm(
      parameters.map(({ name, value }) => [name, Buffer.from(value).toString()] as const),
    );
    return { contentType: FORM_MEDIA_TYPE, body: Buffer.from(text) };
  }
  const parts = parameters.map(
    ({ name, value, fileName, contentType: type = 'text/plain' }): MultipartPart => {
      const bytes = Buffer.from(value);
      return fileName === undefined
        ? { name, value: bytes.toString() }
        : { name, fileName, ...bytesBody(type, bytes) };
    },
  );
  const boundary = freeBoundary(parameters.map(({ value }) => Buffer.from(value).toString('latin1')));
  const made = multipartBody(parts, { boundary });
  const chunks: Uint8Array[] = [];
  for await (const chunk of made.open()) chunks.push(chunk);
  return { contentType: made.contentType, body: Buffer.concat(chunks) };
}

/** A boundary that stands in none of the texts, the same each time. */
export function freeBoundary(texts: readonly string[]): string {
  for (let number = 1; ; number++) {
    const boundary = `----ctct-part-${number}`;
    if (!texts.some((text) => text.includes(boundary))) return boundary;
  }
}
