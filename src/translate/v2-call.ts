import { decodeMultipart } from '../format/multipart.js';
import type { RequestBody } from '../format/body.js';
import type { V2Request } from '../v2/meaning.js';
import { JSON_MEDIA_TYPE } from '../v2/names.js';
import { encodeRequest, queryOf } from '../v2/requests.js';
import { v2Uris } from '../v2/uris.js';
import type { BodyForm } from './body-forms.js';
import { freeBoundary } from './http-call.js';

/** Where v2 was. */
export const V2_ORIGIN = 'https://api.constantcontact.com';

/** A request to v2, ready but for the credentials. */
export interface V2Call {
  readonly method: 'GET' | 'POST';
  /** With the query, but the API key. */
  readonly url: string;
  readonly body?: V2CallBody | undefined;
}

export type V2CallBody =
  | {
      readonly form: 'json';
      readonly contentType: string;
      readonly bytes: Uint8Array;
      readonly json: unknown;
    }
  | {
      readonly form: 'multipart';
      readonly contentType: string;
      readonly bytes: Uint8Array;
      readonly fields: readonly { readonly name: string; readonly value: string }[];
      readonly file: { readonly name: string; readonly fileName: string; readonly text: string };
    };

/** The call that asks for it. @throws UsageError `UPLOAD_TOO_LARGE` for contacts that do not fit, as JSON when that is asked for. */
export async function v2Call(request: V2Request, form: Exclude<BodyForm, 'auto'>): Promise<V2Call> {
  const url = new URL(v2Uris(V2_ORIGIN).operation(request.operation));
  url.search = new URLSearchParams(queryOf(request)).toString();
  const isUpload = request.operation === 'addcontacts' || request.operation === 'removefromlists';
  const body = await encodeRequest(request, {
    encoding: form,
    boundary: freeBoundary(isUpload ? textsOf(request) : []),
  });
  return { method: 'POST', url: url.href, body: await describe(body) };
}

/** In JSON the country stands where a code does. */
export function fitsJson(request: V2Request): boolean {
  if (request.operation !== 'addcontacts') return true;
  const index = request.table.columns.findIndex(({ property }) => property === 'country');
  return index === -1 || request.table.rows.every((row) => (row[index] ?? '').length <= 2);
}

function textsOf(request: V2Request): readonly string[] {
  if (request.operation === 'addcontacts') return request.table.rows.flat();
  return request.operation === 'removefromlists' ? request.addresses : [];
}

async function describe(body: RequestBody): Promise<V2CallBody> {
  const { contentType } = body;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.open()) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (contentType === JSON_MEDIA_TYPE) {
    return { form: 'json', contentType, bytes, json: JSON.parse(bytes.toString()) as unknown };
  }
  const parts = await decodeMultipart(bytes, contentType);
  const text = (part: { readonly bytes: Uint8Array }) => Buffer.from(part.bytes).toString();
  const file = parts.find(({ fileName }) => fileName !== undefined);
  return {
    form: 'multipart',
    contentType,
    bytes,
    fields: parts.filter((part) => part !== file).map((part) => ({ name: part.name, value: text(part) })),
    file: {
      name: file?.name ?? '',
      fileName: file?.fileName ?? '',
      text: file === undefined ? '' : text(file),
    },
  };
}
