import { CtctError, ServiceError, UsageError } from '../activity/errors.js';
import { readCredentials } from '../http/credentials.js';
import { FORM_MEDIA_TYPE } from '../ws/names.js';
import { LOSSLESS } from '../ws/quirks.js';
import { receive } from '../ws/received.js';
import { decodeRequest } from '../ws/requests.js';
import { lastSegment } from '../ws/uris.js';
import { v2Uris } from '../v2/uris.js';
import type { V2Request } from '../v2/meaning.js';
import { readTargets, type ColumnTargets } from './columns.js';
import type { HttpCall } from './http-call.js';
import { loss, type Loss, type Translation } from './loss.js';
import { translateRequest } from './request.js';
import type { BodyForm } from './body-forms.js';
import { fitsJson, v2Call, V2_ORIGIN, type V2Call } from './v2-call.js';

export interface TranslateCallOptions {
  readonly to: 'v2';
  readonly into?: ColumnTargets | undefined;
  /** How contacts are sent. Default `auto`. */
  readonly body?: BodyForm | undefined;
  readonly now?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a call of ws is about. */
export interface CallSubject {
  readonly method: string;
  /** Below the account, without a slash in front: `activities/a07e…`. */
  readonly resource: string;
  readonly activityType?: string | undefined;
}

export interface CallTranslation extends Translation<readonly V2Call[]> {
  readonly subject: CallSubject;
}

/** The resource below the account that a URL of ws leads to; undefined for any other URL. */
export function wsResource(url: string): string | undefined {
  const path = /^(?:[a-z]+:\/\/[^/?#]*)?([^?#]*)/i.exec(url)?.[1] ?? '';
  const match = /\/ws\/customers\/[^/]+\/*(.*?)\/*$/i.exec(path);
  return match?.[1]?.replace(/\/{2,}/g, '/');
}

/**
 * The calls to v2 that do what a call to ws does, in their order; none where v2 has nothing for it. No secret of the call
 * is in them.
 * @throws UsageError for a request that ws itself does not take, with its reason.
 */
export async function translateCall(call: HttpCall, options: TranslateCallOptions): Promise<CallTranslation> {
  // What is wrong with the options is told as that, and not of the call.
  readTargets(options.into ?? {});
  const resource = wsResource(call.url) ?? '';
  const method = call.method.toUpperCase();
  const losses = credentialLosses(call);
  if (method === 'POST' && resource.toLowerCase() === 'activities') {
    const created = await translateCreation(call, options);
    return {
      subject: { method, resource, activityType: created.activityType },
      counterpart: created.counterpart,
      losses: [...losses, ...created.losses],
    };
  }
  const read = method === 'GET' || method === 'HEAD' ? readingOf(resource, call.url) : undefined;
  return {
    subject: { method, resource },
    counterpart: read === undefined ? [] : [read.call],
    losses: read === undefined ? [...losses, unsupported(method, resource)] : [...losses, ...read.losses],
  };
}

/** The reading calls, by the path below the account. */
function readingOf(resource: string, url: string): { call: V2Call; losses: readonly Loss[] } | undefined {
  const uris = v2Uris(V2_ORIGIN);
  const get = (target: string): V2Call => ({ method: 'GET', url: target });
  if (/^activities\/[^/]+$/i.test(resource)) {
    const name = lastSegment(resource);
    const [, id, extension] = /^(.+)\.(csv|txt)$/i.exec(name) ?? [];
    if (id === undefined) return { call: get(uris.activity(name)), losses: [] };
    const isText = extension?.toLowerCase() === 'txt';
    const message = 'v2 exports CSV only: read the file as CSV';
    return {
      call: get(uris.exportFile(id)),
      losses: isText ? [loss('FILE_TYPE_CHANGED', resource, message)] : [],
    };
  }
  switch (resource.toLowerCase()) {
    case 'activities': {
      const paged = /[?&](?:next|after|pos)=/i.test(url);
      const message = `v2 lists the last 50 activities of 14 days, in no order and on one page${paged ? ', so there is no next one' : ''}; keep a record of your own`;
      return { call: get(uris.activities), losses: [loss('PAGING_GONE', 'pages of activities', message)] };
    }
    case 'lists':
      return { call: get(uris.lists), losses: [] };
    default:
      return undefined;
  }
}

function unsupported(method: string, resource: string): Loss {
  const about = /^activities\//i.test(resource)
    ? 'activities cannot be changed, neither in ws nor in v2'
    : 'this is no call about bulk activities; v2 has contacts and lists of its own under /v2/contacts and /v2/lists';
  return loss('CALL_UNSUPPORTED', `${method} ${resource === '' ? '/' : resource}`, about);
}

async function translateCreation(
  call: HttpCall,
  options: TranslateCallOptions,
): Promise<Translation<readonly V2Call[]> & { readonly activityType: string }> {
  const contentType = call.headers.get('content-type') ?? FORM_MEDIA_TYPE;
  const request = await asked(call, () => decodeRequest(contentType, call.body));
  const { into, now, signal } = options;
  const { counterpart, losses } = await asked(call, () =>
    translateRequest(request, { to: 'v2', into, now, signal }),
  );
  const { names } = await receive(contentType, call.body, LOSSLESS);
  const fromFile = 'contacts' in request && 'bytes' in request.contacts;
  const calls: V2Call[] = [];
  for (const part of counterpart) calls.push(await bodyFor(part, fromFile, options.body ?? 'auto'));
  const madeUp = loss(
    'CONTACTS_MADE_UP',
    'contacts',
    'the journal has made-up contacts in place of the real ones; they were many more, perhaps',
  );
  const marred = loss(
    'CHARACTER_UNREADABLE',
    'recording',
    'has U+FFFD in place of characters that were not UTF-8; take them from the original file',
  );
  return {
    activityType: request.activityType,
    counterpart: calls,
    losses: [
      ...losses,
      ...unusedParameters(names, request.activityType),
      ...(call.madeUp === true && 'contacts' in request ? [madeUp] : []),
      ...(isMarred(call.body) ? [marred] : []),
    ],
  };
}

/** HAR files and the journal keep text, so that bytes of another encoding are gone for good. */
function isMarred(body: Uint8Array): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return ['\ufffd', '%EF%BF%BD', '%ef%bf%bd'].some((mark) => bytes.includes(mark));
}

async function bodyFor(request: V2Request, fromFile: boolean, form: BodyForm): Promise<V2Call> {
  if (form !== 'auto') return v2Call(request, form);
  if (fromFile || !fitsJson(request)) return v2Call(request, 'multipart');
  try {
    return await v2Call(request, 'json');
  } catch (error) {
    // JSON repeats the names of its fields in each contact; a file does not.
    if (!(error instanceof UsageError) || error.code !== 'UPLOAD_TOO_LARGE') throw error;
    return v2Call(request, 'multipart');
  }
}

/** What `act` gives; what ws has against the request is told as that. */
async function asked<T>(call: HttpCall, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof CtctError) || error.code === 'ABORTED') throw error;
    const reason = error instanceof ServiceError ? error.detail : error.message;
    const code = error instanceof UsageError ? error.code : 'OPTION_INVALID';
    throw new UsageError(code, `${call.place}: ws itself does not take this request: ${reason}`, {
      cause: error,
    });
  }
}

const UPLOAD_PARAMETERS = ['activityType', 'data', 'dataFile', 'lists'];
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  CLEAR_CONTACTS_FROM_LISTS: ['activityType', 'lists'],
  EXPORT_CONTACTS: [
    ...['activityType', 'fileType', 'exportOptDate', 'exportOptSource', 'exportListName'],
    ...['sortBy', 'columns', 'listId'],
  ],
};

function unusedParameters(names: readonly string[], activityType: string): Loss[] {
  const used = PARAMETERS[activityType] ?? UPLOAD_PARAMETERS;
  return names
    .filter((name) => !used.includes(name))
    .map((name) =>
      loss(
        'PARAMETER_UNUSED',
        `parameter ${name.slice(0, 60)}`,
        `ws itself passes over it in ${activityType}`,
      ),
    );
}

function credentialLosses(call: HttpCall): Loss[] {
  const headers = new Headers();
  const authorization = call.headers.get('authorization');
  if (authorization !== undefined) headers.set('authorization', authorization.replace(/[^\x20-\x7e]/g, '?'));
  const url = URL.canParse(call.url, V2_ORIGIN) ? new URL(call.url, V2_ORIGIN) : new URL(V2_ORIGIN);
  const credentials = readCredentials(new Request(withoutUser(url), { headers }));
  const tell = (what: string) => [
    loss(
      'CREDENTIALS_CHANGED',
      'credentials',
      `${what}; v2 takes an API key in the query and an OAuth 2 token in the header`,
    ),
  ];
  if (url.username !== '' || credentials?.scheme === 'basic' || /^\s*basic\b/i.test(authorization ?? '')) {
    return tell('the call has a user name and a password');
  }
  if (credentials?.scheme === 'access_token') return tell('the call has its token in the query');
  if (/^\s*digest\b/i.test(authorization ?? '')) return tell('the call is signed by HTTP Digest');
  if (/^\s*oauth\b/i.test(authorization ?? '') || /[?&]oauth_signature=/.test(call.url)) {
    return tell('the call is signed by OAuth 1.0a');
  }
  if (credentials?.scheme === 'bearer') return tell('the call has a token and no API key');
  return [];
}

function withoutUser(url: URL): URL {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  return plain;
}
