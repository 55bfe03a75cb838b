import { findColumn, findV2Column } from '../activity/columns.js';
import { UnsupportedError, UsageError } from '../activity/errors.js';
import { CONTACT_ID, type ActivityRequest, type CheckedRequest, type Contacts } from '../activity/request.js';
import { bytesBody, type RequestBody } from '../format/body.js';
import { formBody } from '../format/form-body.js';
import { encodeForm, type FormParameter } from '../format/form.js';
import { multipartBody, type MultipartPart } from '../format/multipart.js';
import { checkText, type ContactFile } from '../upload/contact-file.js';
import type { Encoding } from './encoding.js';
import { FORM_MEDIA_TYPE } from './names.js';
import { LOSSLESS, type QuirkSet } from './quirks.js';
import { quoted, receive, refusal, type Received } from './received.js';
import { checkUploadForm } from './upload-form.js';
import { accountUris, DOCUMENTED_ORIGIN } from './uris.js';

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
 * @param file the checked contacts, for requests that carry some; let go of by the `close` of the body.
 * @throws UnsupportedError for what only v2 can say.
 * @throws UsageError `OPTION_INVALID` for an .xls file in a urlencoded form, `CONTACTS_INVALID` for a file in one that is
 * not UTF-8.
 * @see the document's "Parameters" tables and example bodies
 */
export async function encodeRequest(
  request: Control | { readonly upload: Upload; readonly file: ContactFile },
  options: EncodeOptions,
): Promise<RequestBody> {
  const encoding = options.encoding ?? 'auto';
  refuseV2(request);
  if (!('upload' in request)) {
    const parameters = controlParameters(request, options.user);
    return encoding === 'multipart' ? multipart(parameters.map(valuePart), options) : form(parameters);
  }
  const { upload, file } = request;
  const activityType: FormParameter = ['activityType', upload.activityType];
  const lists = upload.lists.map((id): FormParameter => ['lists', listUri(options.user, id)]);
  const asMultipart = () =>
    closing(
      file,
      multipart([valuePart(activityType), filePart('dataFile', file), ...lists.map(valuePart)], options),
    );
  if (encoding === 'multipart' || (encoding === 'auto' && prefersMultipart(upload.contacts, file))) {
    return asMultipart();
  }
  if (file.kind === 'xls') {
    throw new UsageError(
      'OPTION_INVALID',
      `encoding: ${file.fileName} is a spreadsheet, which must be sent as multipart, not as a form`,
    );
  }
  try {
    await checkText(file);
  } catch (error) {
    // What is no UTF-8 has no place in a form; as a file it arrives as it is.
    if (encoding === 'auto' && error instanceof UsageError && error.code === 'CONTACTS_INVALID') {
      return asMultipart();
    }
    throw error;
  }
  return closing(file, await formBody(FORM_MEDIA_TYPE, [activityType, ['data', file], ...lists]));
}

/** The body, which lets go of the file when it is let go of. */
function closing(file: ContactFile, body: RequestBody): RequestBody {
  return { ...body, close: () => file.close() };
}

function refuseV2(request: Control | { readonly upload: Upload }): void {
  if ('upload' in request && request.upload.blanksEnabled === true) {
    throw new UnsupportedError('blanksEnabled: ws cannot erase by blank cells, only v2 can; leave it out');
  }
  if ('columns' in request && request.columns.includes(CONTACT_ID)) {
    throw new UnsupportedError(`columns: ws has no ${CONTACT_ID}, only v2 has; leave it out`);
  }
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

/**
 * The request that a POST body asks for, as old clients sent it; `checkRequest` says whether it can be meant.
 * @throws ServiceError 415 for another media type, 400 for a body or parameter that cannot be read.
 * @throws DecodeError `FORM_MALFORMED` for a body that is not what its media type says.
 */
export async function decodeRequest(
  contentType: string | null,
  body: Uint8Array,
  quirks: QuirkSet = LOSSLESS,
): Promise<ActivityRequest> {
  const received = await receive(contentType, body, quirks);
  const activityType = activityTypeOf(received);
  switch (activityType) {
    case 'ADD_CONTACTS':
    case 'SV_ADD':
    case 'ADD_CONTACT_DETAIL':
    case 'REMOVE_CONTACTS_FROM_LISTS':
      if (received.contacts === undefined) throw refusal(`${activityType} needs data or dataFile`);
      await checkUploadForm(received.contacts, quirks);
      return { activityType, contacts: received.contacts, lists: lists(received) };
    case 'CLEAR_CONTACTS_FROM_LISTS':
      return { activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: lists(received) };
    case 'EXPORT_CONTACTS':
      return {
        activityType,
        listId: listUriOf(one(received, 'listId'), quirks),
        fileType: choice(received, 'fileType', { CSV: 'CSV', TXT: 'TXT' }),
        exportOptDate: flag(received, 'exportOptDate'),
        exportOptSource: flag(received, 'exportOptSource'),
        exportListName: flag(received, 'exportListName'),
        sortBy: choice(received, 'sortBy', { EMAIL_ADDRESS: 'EMAIL_ADDRESS', DATE_DESC: 'DATE_DESC' }),
        columns: columns(received),
      };
    default:
      throw refusal(`activityType ${quoted(activityType)} is not known`);
  }
}

/** Quirk: `svClearInt`: a client of production sent this internal name (test/fixtures/ws/quirks/sv-clear-int). */
function activityTypeOf(received: Received): string {
  const type = one(received, 'activityType');
  return type === 'SV_CLEAR_INT' && received.quirks.svClearInt ? 'CLEAR_CONTACTS_FROM_LISTS' : type;
}

/** The document calls the values both repeated and comma-separated; no column name has a comma. */
function columns(received: Received): string[] {
  return several(received, 'columns')
    .flatMap((value) => unquoted(value, received.quirks).split(','))
    .map((name) => unquoted(name, received.quirks))
    .filter((name) => name !== '')
    .map(wsColumn);
}

/**
 * Quirk: `severalListsInOneValue`: one value held several, joined by an encoded `&lists=` or `&columns=`
 * (test/fixtures/ws/quirks/several-lists-in-one-value).
 */
function several(received: Received, name: string): string[] {
  const values = received.values(name).flatMap((value) => value.split(`&${name}=`));
  if (received.quirks.severalListsInOneValue || values.length === received.values(name).length) return values;
  throw refusal(`a value of ${name} holds several; repeat ${name}= for each`);
}

/** The name as given; `CONTACT ID`, which only v2 has, is none here. */
function wsColumn(name: string): string {
  if (findV2Column(name) === findColumn(name)) return name;
  throw refusal(`columns ${quoted(name)} is not known`);
}

function lists(received: Received): string[] {
  const uris = several(received, 'lists')
    .map((value) => unquoted(value, received.quirks))
    .filter((uri) => uri !== '');
  if (uris.length === 0) {
    const bracketed = received.names.find((name) => name.startsWith('lists['));
    throw refusal(
      bracketed === undefined
        ? 'lists is missing: name at least one list by its URI'
        : `${quoted(bracketed)} is not a parameter: repeat lists=, without brackets, for each list`,
    );
  }
  return uris.map((uri) => listUriOf(uri, received.quirks));
}

/** Quirk: `httpsListUris`: clients wrote both schemes, the ids have http: (test/fixtures/ws/quirks/https-list-uris). */
function listUriOf(uri: string, quirks: QuirkSet): string {
  if (quirks.httpsListUris || !/^https:/i.test(uri)) return uri;
  throw refusal(`${quoted(uri)} is not the id of a list, which begins with http:`);
}

function one(received: Received, name: string): string {
  const values = received.values(name);
  const [value] = values;
  if (value === undefined || value.trim() === '') throw refusal(`${name} is missing`);
  if (values.length > 1) throw refusal(`${name} is given ${values.length} times; give it once`);
  return unquoted(value, received.quirks);
}

/**
 * Quirk: `quotedValues`: values stood in double quotes, as the documentation asks for those with a comma
 * (test/fixtures/ws/quirks/quoted-values).
 */
function unquoted(value: string, quirks: QuirkSet): string {
  const text = value.trim();
  if (!quirks.quotedValues) return text;
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).trim() : text;
}

function choice<T extends string>(
  received: Received,
  name: string,
  allowed: Readonly<Record<string, T>>,
): T | undefined {
  const [value] = received.values(name);
  if (value === undefined || value.trim() === '') return undefined;
  const key = unquoted(value, received.quirks).toUpperCase();
  const found = Object.hasOwn(allowed, key) ? allowed[key] : undefined;
  if (found === undefined)
    throw refusal(`${name} ${quoted(value)} is not known; use ${Object.keys(allowed).join(' or ')}`);
  return found;
}

const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  false: false,
  no: false,
  '': false,
};

/** Quirk: `flagSpellings`: flags are as the language prints them (test/fixtures/ws/quirks/flag-spellings). */
function flag(received: Received, name: string): boolean {
  const [value = 'false'] = received.values(name);
  const text = unquoted(value, received.quirks);
  const known = received.quirks.flagSpellings || ['true', 'false', ''].includes(text);
  const key = text.toLowerCase();
  const found = known && Object.hasOwn(FLAGS, key) ? FLAGS[key] : undefined;
  if (found !== undefined) return found;
  throw refusal(`${name} must be true or false, got ${quoted(value)}`);
}
