import { ServiceError } from '../activity/errors.js';
import type { Contacts } from '../activity/request.js';
import { decodeFormInSteps, type FormParameter } from '../format/form.js';
import { decodeMultipart } from '../format/multipart.js';
import { isContactFileName } from '../upload/contact-file.js';
import { FORM_MEDIA_TYPE } from './names.js';
import type { QuirkSet } from './quirks.js';

/** What a POST body says, in either encoding: parameters by name, and the contacts, if any. */
export interface Received {
  readonly values: (name: string) => readonly string[];
  readonly names: readonly string[];
  readonly contacts: { readonly text: string } | Extract<Contacts, { bytes: Uint8Array }> | undefined;
  readonly quirks: QuirkSet;
}

/**
 * The parameters of a body.
 * @throws ServiceError 415 for a media type that is neither a urlencoded form nor multipart, 400 for what may not stand
 * in a form by the quirks.
 * @throws DecodeError `FORM_MALFORMED` for a body that is not what its media type says.
 */
export async function receive(
  contentType: string | null,
  body: Uint8Array,
  quirks: QuirkSet,
): Promise<Received> {
  const [mediaType = ''] = (contentType ?? '').split(';', 1);
  const type = mediaType.trim().toLowerCase();
  const hasBoundary = /;\s*boundary=/i.test(contentType ?? '');
  // Quirk: `multipartAsForm`: a client called its multipart bodies forms (test/fixtures/ws/quirks/multipart-as-form).
  if (type === 'multipart/form-data' || (hasBoundary && quirks.multipartAsForm)) {
    const named = hasBoundary ? (contentType ?? '') : withBoundary(contentType ?? '', body, quirks);
    return fromParts(await decodeMultipart(body, named), quirks);
  }
  if (type === FORM_MEDIA_TYPE) {
    checkForm(body, quirks);
    return fromParameters(await decodeFormInSteps(body), quirks);
  }
  throw new ServiceError(
    'SERVICE_REFUSED',
    'the request has the wrong Content-Type; send a form, urlencoded or multipart',
    {
      status: 415,
      detail: `Content-Type ${quoted(contentType ?? '')} is not supported; use ${FORM_MEDIA_TYPE} or multipart/form-data`,
    },
  );
}

/**
 * Quirk: `boundaryFromBody`: a Content-Type set by hand is easily without the boundary, which the body's first line is
 * (test/fixtures/ws/quirks/boundary-from-body).
 */
function withBoundary(contentType: string, body: Uint8Array, quirks: QuirkSet): string {
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, 210)).toString('latin1');
  const boundary = /^\s*--([\x21-\x7e]{1,200})\r?\n/.exec(start)?.[1];
  return boundary === undefined || !quirks.boundaryFromBody
    ? contentType
    : `${contentType}; boundary="${boundary}"`;
}

function checkForm(body: Uint8Array, quirks: QuirkSet): void {
  // Quirk: `lineBreakAfterForm`: one client ended each body with CRLF (test/fixtures/ws/quirks/line-break-after-form).
  const last = body.at(-1);
  if (!quirks.lineBreakAfterForm && (last === 0x0a || last === 0x0d)) {
    throw refusal('there is a line break behind the form');
  }
  // Quirk: `unencodedListUris`: one client encoded all but these (test/fixtures/ws/quirks/unencoded-list-uris).
  if (
    !quirks.unencodedListUris &&
    /(?:^|&)list(?:s|Id)=[^&]*[:/]/.test(Buffer.from(body).toString('latin1'))
  ) {
    throw refusal('a list URI is not percent-encoded');
  }
}

function fromParameters(parameters: readonly FormParameter[], quirks: QuirkSet): Received {
  const byName = group(parameters);
  const [data] = byName.get('data') ?? [];
  return received(byName, data === undefined ? undefined : { text: data }, quirks);
}

/**
 * Quirk: `dataInMultipart`: contacts came as a part named `data` too, with a file name or without, and with the names
 * that temporary files have (test/fixtures/ws/quirks/data-in-multipart); what is no name of a contact file is taken for
 * CSV.
 */
function fromParts(parts: Awaited<ReturnType<typeof decodeMultipart>>, quirks: QuirkSet): Received {
  const isContacts = (name: string) => name === 'dataFile' || (name === 'data' && quirks.dataInMultipart);
  const file = parts.find((part) => isContacts(part.name));
  const utf8 = new TextDecoder();
  const byName = group(
    parts
      .filter((part) => !isContacts(part.name))
      .map((part): FormParameter => [part.name, utf8.decode(part.bytes).trim()]),
  );
  return received(
    byName,
    file === undefined ? undefined : { bytes: file.bytes, fileName: contactFileName(file.fileName) },
    quirks,
  );
}

function received(
  byName: ReadonlyMap<string, readonly string[]>,
  contacts: Received['contacts'],
  quirks: QuirkSet,
): Received {
  return { values: (name) => byName.get(name) ?? [], names: [...byName.keys()], contacts, quirks };
}

function contactFileName(name: string | undefined): string | undefined {
  return name !== undefined && isContactFileName(name) ? name : undefined;
}

function group(parameters: readonly FormParameter[]): Map<string, string[]> {
  const byName = new Map<string, string[]>();
  for (const [name, value] of parameters) {
    const values = byName.get(name);
    if (values === undefined) byName.set(name, [value]);
    else values.push(value);
  }
  return byName;
}

export function refusal(detail: string): ServiceError {
  return new ServiceError('SERVICE_REFUSED', `the request cannot be understood: ${detail}`, {
    status: 400,
    detail,
  });
}

export function quoted(text: string): string {
  return `"${text.length > 80 ? `${text.slice(0, 79)}…` : text}"`;
}
