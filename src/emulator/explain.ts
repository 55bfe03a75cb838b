import { readCredentials } from '../http/credentials.js';
import type { DescribedRequest } from '../inspect/describe.js';

/** What an explanation may know of the accounts: the names of their users. */
export type Users = () => readonly string[];

/** What is probably wrong with a request that was refused, and what to do; undefined when the refusal says it all. */
export function explainRefusal(
  seen: DescribedRequest,
  status: number,
  request: Request,
  users: Users,
): string | undefined {
  switch (status) {
    case 400:
      return explainBadRequest(seen);
    case 401:
      return explainUnauthorized(seen, request, users());
    case 404:
      return explainNotFound(seen);
    case 413:
      return 'The emulator takes less in one request than was sent: split the upload, or raise maxBodyBytes.';
    case 415:
      return explainUnsupported(seen);
    default:
      return undefined;
  }
}

function explainBadRequest(seen: DescribedRequest): string | undefined {
  const { parameters, contacts, contentType } = seen;
  const bracketed = parameters?.find(({ name }) => name.includes('['))?.name;
  if (bracketed !== undefined) {
    const name = bracketed.slice(0, bracketed.indexOf('['));
    return `The parameter ${bracketed} came from a helper that writes arrays so. Write ${name}=…&${name}=… instead.`;
  }
  if (seen.method === 'POST' && seen.bytes === 0) return 'The body is empty.';
  if (seen.method === 'POST' && seen.resource === 'activities' && parameters === undefined) {
    return `The body could not be read as the form its Content-Type (${contentType ?? 'none'}) promises.`;
  }
  if (contacts?.rows !== undefined && contacts.heading === undefined) {
    return 'The first row of the contacts is no heading. It has to name the columns, EMAIL ADDRESS among them.';
  }
  if (new URL(seen.url).searchParams.has('next')) {
    return 'Pages are known by the link rel="next" of the page before, in this run of the emulator only.';
  }
  return undefined;
}

function explainUnauthorized(seen: DescribedRequest, request: Request, users: readonly string[]): string {
  const { user } = seen;
  const same = (name: string | undefined) => name?.toLowerCase() === user?.toLowerCase();
  if (user !== undefined && !users.some(same)) {
    const known = users.length === 0 ? 'There are none.' : `There are: ${users.slice(0, 5).join(', ')}.`;
    return `The path names the user ${user}, and no account has that name. ${known}`;
  }
  const credentials = readCredentials(request);
  if (credentials === undefined) {
    if (seen.scheme === undefined && !request.headers.has('authorization')) {
      return 'The request came without credentials. Clients that wait to be asked send it again with them; if yours does not, set user name and password before the first request.';
    }
    if (seen.scheme === 'digest' || seen.scheme === 'oauth1') {
      return `What was signed (${seen.scheme}) does not fit the secrets of the account’s seed, or this request.`;
    }
    return `The Authorization header (scheme ${seen.scheme ?? 'none'}) cannot be read. Basic takes the base64 of <API key>%<user>:<password>.`;
  }
  if (credentials.scheme === 'basic') {
    if (credentials.user.startsWith('25') && same(credentials.user.slice(2))) {
      return 'The percent sign between API key and user name came as %25. It must stand there as it is.';
    }
    if (!same(credentials.user)) {
      return `The credentials are of the user ${credentials.user.slice(0, 80)}, the path is of ${user ?? 'none'}.`;
    }
  }
  return `The account is there, but its seed names other credentials than these (scheme ${credentials.scheme}).`;
}

function explainNotFound(seen: DescribedRequest): string {
  const { resource, path } = seen;
  if (resource === undefined) {
    return `Paths begin with /ws/customers/<user>/. This one is ${path.slice(0, 100)}`;
  }
  const activity = /^activities\/([^/]+?)(\.csv|\.txt)?$/i.exec(resource);
  if (activity?.[2] !== undefined) {
    return 'A file is there once its export is COMPLETE, under the extension of the fileType it was asked for with.';
  }
  if (activity?.[1] !== undefined) {
    return activity[1] === activity[1].toLowerCase()
      ? 'No activity of this account has that id. Ids are those of this run, and a reset takes them away.'
      : 'Ids are of lower-case letters and digits; this one has others.';
  }
  return 'An account has activities, lists and contacts.';
}

function explainUnsupported(seen: DescribedRequest): string {
  const { method, contentType, resource } = seen;
  if (method !== 'GET' && method !== 'POST' && resource?.startsWith('activities') === true) {
    return `The service says 415 to methods it does not take, ${method} here. Activities take GET and POST; none can be changed or deleted.`;
  }
  if (method === 'POST' && resource?.startsWith('activities/') === true) {
    return 'Activities are created by a POST to activities, without anything behind it.';
  }
  return `The body came as ${contentType ?? 'nothing in particular'}. A bulk activity is application/x-www-form-urlencoded or multipart/form-data, all else is application/atom+xml.`;
}
