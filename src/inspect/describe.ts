import { decodeForm } from '../format/form.js';
import { decodeMultipart } from '../format/multipart.js';
import { readCredentials } from '../http/credentials.js';
import { summariseContacts } from './contacts.js';
import type { JournalContacts, JournalEntry, JournalParameter } from './journal-entry.js';
import { redactedHeaders, redactedUrl, redactedValue, redactionOf, type Redaction } from './redact.js';

/** Where a request leads, as whoever serves it knows. */
export interface Target {
  readonly user?: string | undefined;
  readonly resource?: string | undefined;
  readonly activityId?: string | undefined;
}

export interface DescribeOptions {
  /** Keep contacts and other bodies as they came. Default false: nobody can be told from an entry. */
  readonly recordBodies?: boolean | undefined;
}

/** What an entry tells of the request alone. */
export type DescribedRequest = Pick<
  JournalEntry,
  | 'method'
  | 'url'
  | 'path'
  | 'resource'
  | 'user'
  | 'scheme'
  | 'headers'
  | 'contentType'
  | 'bytes'
  | 'activityType'
  | 'activityId'
  | 'parameters'
  | 'contacts'
  | 'body'
>;

/** Characters that are kept of one value. */
const MOST_KEPT = 1_048_576;
/** Parameters that are kept of one request. */
const MOST_PARAMETERS = 1_000;

const FORM = /^\s*application\/x-www-form-urlencoded\b/i;
const MULTIPART = /^\s*multipart\/form-data\b|;\s*boundary=/i;

/** The request as the journal keeps it: without secrets, and without contacts unless bodies are recorded. */
export async function describeRequest(
  request: Request,
  body: Uint8Array,
  target: Target,
  options: DescribeOptions = {},
): Promise<DescribedRequest> {
  const credentials = readCredentials(request);
  const hide = redactionOf(credentials);
  const keep = options.recordBodies === true;
  const contentType = request.headers.get('content-type') ?? undefined;
  const scheme = credentials?.scheme ?? unreadScheme(request);
  const { user, resource, activityId } = target;
  return {
    method: request.method,
    url: redactedUrl(request.url, hide, keep),
    path: hide(new URL(request.url).pathname),
    ...(resource !== undefined && { resource: hide(resource) }),
    ...(user !== undefined && { user }),
    ...(scheme !== undefined && { scheme }),
    headers: redactedHeaders(request.headers, hide),
    ...(contentType !== undefined && { contentType: hide(contentType) }),
    bytes: body.length,
    ...(activityId !== undefined && { activityId }),
    ...(body.length > 0 && (await describeBody(body, contentType ?? '', hide, keep))),
  };
}

/** How the caller shows who it is, where that cannot be read. */
function unreadScheme(request: Request): string | undefined {
  const header = request.headers.get('authorization') ?? '';
  const scheme = /^\s*([a-z0-9]{1,20})\s/i.exec(header)?.[1]?.toLowerCase();
  return scheme === 'oauth' || request.url.includes('oauth_signature=') ? 'oauth1' : scheme;
}

async function describeBody(
  body: Uint8Array,
  contentType: string,
  hide: Redaction,
  keep: boolean,
): Promise<Pick<DescribedRequest, 'activityType' | 'parameters' | 'contacts' | 'body'>> {
  const parts = await partsOf(body, contentType);
  if (parts === undefined) return keep ? { body: cut(hide(Buffer.from(body).toString('utf8'))) } : {};
  let contacts: JournalContacts | undefined;
  const parameters: JournalParameter[] = [];
  for (const { name, bytes, ...file } of parts) {
    const text = () => Buffer.from(bytes).toString('utf8');
    if (name === 'data' || name === 'dataFile') {
      const summary = await summariseContacts(bytes);
      contacts ??= summary.contacts;
      parameters.push({ name, value: keep ? cut(text()) : summary.stand, ...file });
    } else {
      parameters.push({ name: hide(name), value: cut(redactedValue(name, text(), hide, keep)), ...file });
    }
  }
  const activityType = parameters.find(({ name }) => name === 'activityType')?.value.trim();
  return {
    parameters,
    ...(activityType !== undefined && { activityType }),
    ...(contacts !== undefined && { contacts }),
  };
}

interface Part {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly fileName?: string;
  readonly contentType?: string;
}

/** Undefined for what is no form, or none that can be read. */
async function partsOf(body: Uint8Array, contentType: string): Promise<readonly Part[] | undefined> {
  try {
    if (MULTIPART.test(contentType)) {
      const parts = await decodeMultipart(body, contentType, { maxParts: MOST_PARAMETERS });
      return parts.map((part) => ({
        name: part.name,
        bytes: part.bytes,
        ...(part.fileName !== undefined && { fileName: part.fileName }),
        ...(part.contentType !== undefined && { contentType: part.contentType }),
      }));
    }
    if (!FORM.test(contentType)) return undefined;
    return decodeForm(body, { maxParameters: MOST_PARAMETERS }).map(([name, value]) => ({
      name,
      bytes: Buffer.from(value),
    }));
  } catch {
    // What the server makes of it stands in the entry as the reason it refused.
    return undefined;
  }
}

function cut(text: string): string {
  return text.length > MOST_KEPT ? text.slice(0, MOST_KEPT) : text;
}
