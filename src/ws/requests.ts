import { UsageError, ServiceError } from '../activity/errors.js';
import type { ActivityRequest, CheckedRequest, Contacts } from '../activity/request.js';
import { bytesBody, type RequestBody } from '../format/body.js';
import { decodeForm, encodeForm, type FormParameter } from '../format/form.js';
import { decodeMultipart, multipartBody, type MultipartPart } from '../format/multipart.js';
import { decodeText, isContactFileName, type ContactFile } from '../upload/contact-file.js';
import type { Encoding } from './encoding.js';
import { accountUris, DOCUMENTED_ORIGIN } from './uris.js';

export const FORM_MEDIA_TYPE = 'application/x-www-form-urlencoded';

const LARGE_DATA = 1024 * 1024;

export interface EncodeOptions {
  /** The user whose lists are meant. */
  readonly user: string;
  /** Default `auto`. */
  readonly encoding?: Encoding | undefined;
  /** The multipart boundary; default random. */
  readonly boundary?: string | undefined;
}

/** A request that carries contacts, and its contact file. */
type Upload = Extract<CheckedRequest, { contacts: Contacts }>;
type Control = Exclude<CheckedRequest, Upload>;

/**
 * The body of the POST that asks for this activity. Parameters stand in the order of the document and repeat by name
 * (`lists=…&lists=…`); lists go out as `http://api.constantcontact.com/ws/customers/<user>/lists/<id>`.
 * @param file the checked contacts, for requests that carry some.
 * @throws UsageError `OPTION_INVALID` for an .xls file in a urlencoded form, `CONTACTS_INVALID` for a file in one that is
 * not UTF-8.
 * @see the document's "Parameters" tables and example bodies
 */
export async function encodeRequest(
  request: Control | { readonly upload: Upload; readonly file: ContactFile },
  options: EncodeOptions,
): Promise<RequestBody> {
  const encoding = options.encoding ?? 'auto';
  if (!('upload' in request)) {
    const parameters = controlParameters(request, options.user);
    return encoding === 'multipart' ? multipart(parameters.map(valuePart), options) : form(parameters);
  }
  const { upload, file } = request;
  const activityType: FormParameter = ['activityType', upload.activityType];
  const lists = upload.lists.map((id): FormParameter => ['lists', listUri(options.user, id)]);
  const asMultipart = () =>
    multipart([valuePart(activityType), filePart('dataFile', file), ...lists.map(valuePart)], options);
  if (encoding === 'multipart' || (encoding === 'auto' && prefersMultipart(upload.contacts, file))) {
    return asMultipart();
  }
  if (file.kind === 'xls') {
    throw new UsageError(
      'OPTION_INVALID',
      `encoding: ${file.fileName} is a spreadsheet, which must be sent as multipart, not as a form`,
    );
  }
  let data: string;
  try {
    data = await decodeText(file);
  } catch (error) {
    // What is no UTF-8 has no place in a form; as a file it arrives as it is.
    if (encoding === 'auto' && error instanceof UsageError && error.code === 'CONTACTS_INVALID') {
      return asMultipart();
    }
    throw error;
  }
  return form([activityType, ['data', data], ...lists]);
}

function prefersMultipart(contacts: Contacts, file: ContactFile): boolean {
  return 'file' in contacts || file.kind === 'xls' || file.length > LARGE_DATA;
}

function controlParameters(request: Control, user: string): FormParameter[] {
  if (request.activityType === 'CLEAR_CONTACTS_FROM_LISTS') {
    return [
      ['activityType', request.activityType],
      ...request.lists.map((id): FormParameter => ['lists', listUri(user, id)]),
    ];
  }
  return [
    ['activityType', request.activityType],
    ['fileType', request.fileType],
    ['exportOptDate', String(request.exportOptDate)],
    ['exportOptSource', String(request.exportOptSource)],
    ['exportListName', String(request.exportListName)],
    ['sortBy', request.sortBy],
    ...request.columns.map((name): FormParameter => ['columns', name]),
    ['listId', listUri(user, request.listId)],
  ];
}

function listUri(user: string, id: string): string {
  return accountUris(DOCUMENTED_ORIGIN, user).list(id);
}

/** Quirk: the document writes the blanks of column names as %20 and all others as + (test/fixtures/ws/requests). */
function form(parameters: readonly FormParameter[]): RequestBody {
  const text = encodeForm(parameters, (name) => (name === 'columns' ? '%20' : '+'));
  return bytesBody(FORM_MEDIA_TYPE, Buffer.from(text, 'latin1'));
}

function multipart(parts: readonly MultipartPart[], options: EncodeOptions): RequestBody {
  return multipartBody(parts, options.boundary === undefined ? {} : { boundary: options.boundary });
}

function valuePart([name, value]: FormParameter): MultipartPart {
  return { name, value };
}

function filePart(name: string, file: ContactFile): MultipartPart {
  const { fileName, contentType, length, replayable } = file;
  return { name, fileName, contentType, length, replayable, open: () => file.open() };
}

/** Where the values of a decoded request come from: parameters by name, and the contacts, if any. */
interface Received {
  readonly values: (name: string) => readonly string[];
  readonly names: readonly string[];
  readonly contacts: Contacts | undefined;
}

/**
 * The request that a POST body asks for, as old clients sent it; `checkRequest` says whether it can be meant.
 * @throws ServiceError 415 for another media type, 400 for a body or parameter that cannot be read.
 * @throws DecodeError `FORM_MALFORMED` for a body that is not what its media type says.
 */
export async function decodeRequest(contentType: string | null, body: Uint8Array): Promise<ActivityRequest> {
  const received = await receive(contentType, body);
  const activityType = one(received, 'activityType');
  switch (activityType) {
    case 'ADD_CONTACTS':
    case 'SV_ADD':
    case 'ADD_CONTACT_DETAIL':
    case 'REMOVE_CONTACTS_FROM_LISTS':
      if (received.contacts === undefined) throw refusal(`${activityType} needs data or dataFile`);
      return { activityType, contacts: received.contacts, lists: lists(received) };
    // Quirk: SV_CLEAR_INT, an internal name, was sent by a production client (test/fixtures/ws/requests/java-internal-clear).
    case 'SV_CLEAR_INT':
    case 'CLEAR_CONTACTS_FROM_LISTS':
      return { activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: lists(received) };
    case 'EXPORT_CONTACTS':
      return {
        activityType,
        listId: one(received, 'listId'),
        fileType: choice(received, 'fileType', { CSV: 'CSV', TXT: 'TXT' }),
        exportOptDate: flag(received, 'exportOptDate'),
        exportOptSource: flag(received, 'exportOptSource'),
        exportListName: flag(received, 'exportListName'),
        sortBy: choice(received, 'sortBy', { EMAIL_ADDRESS: 'EMAIL_ADDRESS', DATE_DESC: 'DATE_DESC' }),
        // The document calls the values both repeated and comma-separated; no column name has a comma.
        // Quirk: several in one value, joined by an encoded &columns= (test/fixtures/ws/requests/ruby-httparty-export).
        columns: received
          .values('columns')
          .flatMap((value) => value.split('&columns='))
          .flatMap((value) => unquoted(value).split(','))
          .map(unquoted)
          .filter((name) => name !== ''),
      };
    default:
      throw refusal(`activityType ${quoted(activityType)} is not known`);
  }
}

async function receive(contentType: string | null, body: Uint8Array): Promise<Received> {
  const [mediaType = ''] = (contentType ?? '').split(';', 1);
  // Quirk: a client sent multipart bodies with the form's media type and a boundary (test/fixtures/ws/requests).
  const isMultipart = /;\s*boundary=/i.test(contentType ?? '');
  if (isMultipart || mediaType.trim().toLowerCase() === 'multipart/form-data') {
    return fromParts(await decodeMultipart(body, contentType ?? ''));
  }
  if (mediaType.trim().toLowerCase() === FORM_MEDIA_TYPE) return fromParameters(decodeForm(body));
  throw new ServiceError(
    'SERVICE_REFUSED',
    'the request has the wrong Content-Type; send a form, urlencoded or multipart',
    {
      status: 415,
      detail: `Content-Type ${quoted(contentType ?? '')} is not supported; use ${FORM_MEDIA_TYPE} or multipart/form-data`,
    },
  );
}

function fromParameters(parameters: readonly FormParameter[]): Received {
  const byName = group(parameters);
  const [data] = byName.get('data') ?? [];
  return {
    values: (name) => byName.get(name) ?? [],
    names: [...byName.keys()],
    contacts: data === undefined ? undefined : { text: data },
  };
}

/**
 * Quirk: contacts came as a part named `data` too, with a file name or without, and with the names that temporary files
 * have (test/fixtures/ws/requests/multipart-*); what is no name of a contact file is taken for CSV.
 */
function fromParts(parts: Awaited<ReturnType<typeof decodeMultipart>>): Received {
  const isContacts = (name: string) => name === 'data' || name === 'dataFile';
  const file = parts.find((part) => isContacts(part.name));
  const utf8 = new TextDecoder();
  const byName = group(
    parts
      .filter((part) => !isContacts(part.name))
      .map((part): FormParameter => [part.name, utf8.decode(part.bytes).trim()]),
  );
  return {
    values: (name) => byName.get(name) ?? [],
    names: [...byName.keys()],
    contacts:
      file === undefined ? undefined : { bytes: file.bytes, fileName: contactFileName(file.fileName) },
  };
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

/** Quirk: one value may hold several lists, joined by an encoded `&lists=` (test/fixtures/ws/requests). */
function lists(received: Received): string[] {
  const uris = received
    .values('lists')
    .flatMap((value) => value.split('&lists='))
    .map(unquoted)
    .filter((uri) => uri !== '');
  if (uris.length === 0) {
    const bracketed = received.names.find((name) => name.startsWith('lists['));
    throw refusal(
      bracketed === undefined
        ? 'lists is missing: name at least one list by its URI'
        : `${quoted(bracketed)} is not a parameter: repeat lists=, without brackets, for each list`,
    );
  }
  return uris;
}

function one(received: Received, name: string): string {
  const values = received.values(name);
  const [value] = values;
  if (value === undefined || value.trim() === '') throw refusal(`${name} is missing`);
  if (values.length > 1) throw refusal(`${name} is given ${values.length} times; give it once`);
  return unquoted(value);
}

/** Quirk: values stood in double quotes, as the documentation asks for those with a comma (test/fixtures/ws/requests/quoted-export). */
function unquoted(value: string): string {
  const text = value.trim();
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).trim() : text;
}

function choice<T extends string>(
  received: Received,
  name: string,
  allowed: Readonly<Record<string, T>>,
): T | undefined {
  const [value] = received.values(name);
  if (value === undefined || value.trim() === '') return undefined;
  const key = unquoted(value).toUpperCase();
  const found = Object.hasOwn(allowed, key) ? allowed[key] : undefined;
  if (found === undefined)
    throw refusal(`${name} ${quoted(value)} is not known; use ${Object.keys(allowed).join(' or ')}`);
  return found;
}

/** Quirk: clients wrote true and false as their language prints them (test/fixtures/ws/requests/coldfusion-export). */
function flag(received: Received, name: string): boolean {
  const [value = 'false'] = received.values(name);
  switch (unquoted(value).toLowerCase()) {
    case 'true':
    case 'yes':
      return true;
    case 'false':
    case 'no':
    case '':
      return false;
    default:
      throw refusal(`${name} must be true or false, got ${quoted(value)}`);
  }
}

function refusal(detail: string): ServiceError {
  return new ServiceError('SERVICE_REFUSED', `the request cannot be understood: ${detail}`, {
    status: 400,
    detail,
  });
}

function quoted(text: string): string {
  return `"${text.length > 80 ? `${text.slice(0, 79)}…` : text}"`;
}
