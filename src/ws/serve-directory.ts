import type { ContactDirectory, ContactQuery } from '../activity/directory.js';
import { ServiceError } from '../activity/errors.js';
import { listId } from '../activity/list.js';
import { parseInstant } from '../format/instant.js';
import { atom, refused, xmlAnswer, type Call, type Route } from './call.js';
import {
  decodeContactDraft,
  decodeListDraft,
  encodeContact,
  encodeContacts,
  encodeMembers,
  encodeService,
} from './directory-records.js';
import { ATOM_MEDIA_TYPE, SERVICE_MEDIA_TYPE } from './names.js';
import { page } from './paging.js';
import { encodeList } from './records.js';

/** What every account answers to at its own URI: clients ask it to see whether their credentials are good. */
export const SERVICE_ROUTE: Route = {
  method: 'GET',
  path: /^$/,
  act: (call) => {
    const collections = call.account.directory === undefined ? ['lists' as const] : COLLECTIONS;
    return Promise.resolve(xmlAnswer(call, encodeService(call.frame, collections), SERVICE_MEDIA_TYPE));
  },
};

const COLLECTIONS = ['lists', 'contacts'] as const;

/** A list at the URI by which the feed of lists names it, of an account without a directory. */
export const LIST_ROUTE: Route = {
  method: 'GET',
  path: /^lists\/([^/]+)$/,
  act: async (call, id) => {
    for await (const list of call.account.lists(signalOf(call))) {
      if (list.id === id) return atom(call, encodeList(list, call.frame));
    }
    const detail = `there is no list ${id.slice(0, 40)}`;
    throw new ServiceError('NOT_FOUND', detail, { status: 404, detail });
  },
};

type Act = (call: Call, directory: ContactDirectory, id: string) => Promise<Response>;

const TABLE: readonly (readonly [Route['method'], RegExp, Act])[] = [
  ['POST', /^lists$/, createList],
  ['GET', /^lists\/([^/]+)$/, getList],
  ['PUT', /^lists\/([^/]+)$/, updateList],
  ['DELETE', /^lists\/([^/]+)$/, deleteList],
  ['GET', /^lists\/([^/]+)\/members$/, listMembers],
  ['GET', /^contacts$/, listContacts],
  ['POST', /^contacts$/, createContact],
  ['GET', /^contacts\/([^/]+)$/, getContact],
  ['PUT', /^contacts\/([^/]+)$/, updateContact],
  ['DELETE', /^contacts\/([^/]+)$/, deleteContact],
];

/** What an account with a directory answers to besides. */
export function directoryRoutes(directory: ContactDirectory): readonly Route[] {
  return TABLE.map(([method, path, act]) => ({ method, path, act: (call, id) => act(call, directory, id) }));
}

async function createList(call: Call, directory: ContactDirectory): Promise<Response> {
  const list = await directory.createList(decodeListDraft(await sentEntry(call)), signalOf(call));
  return atom(call, encodeList(list, call.frame), 201, { location: call.frame.uris.list(list.id) });
}

async function getList(call: Call, directory: ContactDirectory, id: string): Promise<Response> {
  return atom(call, encodeList(await directory.getList(id, signalOf(call)), call.frame));
}

async function updateList(call: Call, directory: ContactDirectory, id: string): Promise<Response> {
  await directory.updateList(id, decodeListDraft(await sentEntry(call)), signalOf(call));
  return done();
}

async function deleteList(call: Call, directory: ContactDirectory, id: string): Promise<Response> {
  await directory.deleteList(id, signalOf(call));
  return done();
}

async function listMembers(call: Call, directory: ContactDirectory, id: string): Promise<Response> {
  const { items, links } = await page(call, (options) => directory.members(id, options));
  return atom(call, encodeMembers(items, id, call.frame, links));
}

async function listContacts(call: Call, directory: ContactDirectory): Promise<Response> {
  const query = contactQuery(call.url.searchParams);
  const { items, links } = await page(call, (options) => directory.contacts({ ...query, ...options }));
  return atom(call, encodeContacts(items, call.frame, links));
}

async function createContact(call: Call, directory: ContactDirectory): Promise<Response> {
  const contact = await directory.createContact(decodeContactDraft(await sentEntry(call)), signalOf(call));
  return atom(call, encodeContact(contact, call.frame), 201, {
    location: call.frame.uris.contact(contact.id),
  });
}

async function getContact(call: Call, directory: ContactDirectory, id: string): Promise<Response> {
  return atom(call, encodeContact(await directory.getContact(id, signalOf(call)), call.frame));
}

async function updateContact(call: Call, directory: ContactDirectory, id: string): Promise<Response> {
  await directory.updateContact(id, decodeContactDraft(await sentEntry(call)), signalOf(call));
  return done();
}

async function deleteContact(call: Call, directory: ContactDirectory, id: string): Promise<Response> {
  await directory.optOut(id, signalOf(call));
  return done();
}

/** The body, where it is called an Atom entry, or XML. */
async function sentEntry(call: Call): Promise<Uint8Array> {
  const type = call.request.headers.get('content-type') ?? '';
  if (/^\s*(?:application\/(?:atom\+)?xml|text\/xml)\s*(?:;|$)/i.test(type)) return call.body();
  throw refused(415, `Content-Type "${type.slice(0, 80)}" is not supported; use ${ATOM_MEDIA_TYPE}`);
}

/** The names in any case, as a client lower-cases URLs. */
function contactQuery(parameters: URLSearchParams): ContactQuery {
  const values = (wanted: string) =>
    [...parameters].filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
  // A plus sign that was not encoded came as a blank, which no address has.
  const emails = values('email').map((value) => value.trim().replaceAll(' ', '+'));
  const [list] = [...values('listtype'), ...values('listid')];
  const [since] = values('updatedsince');
  const updatedSince = since === undefined ? undefined : parseInstant(since);
  if (since !== undefined && updatedSince === undefined) {
    throw refused(400, `updatedsince: "${since.slice(0, 60)}" is not a date and time`);
  }
  return {
    emails: emails.length === 0 ? undefined : emails,
    list: list === undefined ? undefined : listId(list),
    updatedSince,
  };
}

function signalOf(call: Call): { signal: AbortSignal } {
  return { signal: call.request.signal };
}

function done(): Response {
  return new Response(null, { status: 204 });
}
