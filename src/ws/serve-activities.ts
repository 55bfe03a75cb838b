import type { Activity } from '../activity/activity.js';
import type { ContactList } from '../activity/list.js';
import { atom, decodePath, notFound, type Call, type Route } from './call.js';
import { FeedPages } from './feed-page.js';
import { answerFile } from '../http/file-answer.js';
import { page } from './paging.js';
import { encodeEntry, encodeLists, encodeMinimalEntry, type DocumentFrame } from './records.js';
import { decodeRequest } from './requests.js';
import { lastSegment } from './uris.js';

/** What every account answers to: its activities, their files, and the feed of its lists. */
export const ACTIVITY_ROUTES: readonly Route[] = [
  { method: 'GET', path: /^activities$/, act: listActivities },
  { method: 'POST', path: /^activities$/, act: createActivity },
  { method: 'GET', path: /^activities\/([^/]+)\.(?:csv|txt)$/i, act: downloadFile },
  { method: 'GET', path: /^activities\/([^/]+)$/, act: getActivity },
  { method: 'GET', path: /^lists$/, act: listLists },
];

const PAGES = new FeedPages();

async function listActivities(call: Call): Promise<Response> {
  const known = PAGES.find(call);
  if (known !== undefined) return atom(call, known);
  const version = call.account.activitiesVersion;
  const { items, links } = await page(call, (options) => call.account.list(options));
  return atom(
    call,
    PAGES.write(call, version, items, links, (activity) => publish(activity, call.frame)),
  );
}

async function listLists(call: Call): Promise<Response> {
  const { items, links } = await page<ContactList>(call, (options) => call.account.lists(options));
  return atom(call, encodeLists(items, call.frame, links));
}

async function getActivity(call: Call, id: string): Promise<Response> {
  const activity = await call.account.get(id, { signal: call.request.signal });
  return atom(
    call,
    PAGES.alone(call, activity, (known) => publish(known, call.frame)),
  );
}

/**
 * Quirk: `fullCreatedEntry`: clients read the whole activity from the 201 answer, although the document shows a minimal
 * entry there (test/fixtures/ws/quirks/full-created-entry).
 */
async function createActivity(call: Call): Promise<Response> {
  const { request, account, frame, quirks } = call;
  const asked = await decodeRequest(request.headers.get('content-type'), await call.body(), quirks);
  const activity = publish(await account.create(asked, { signal: request.signal }), frame);
  const entry = (quirks.fullCreatedEntry ? encodeEntry : encodeMinimalEntry)(activity, frame);
  return atom(call, entry, 201, { location: frame.uris.activity(activity.id) });
}

async function downloadFile(call: Call, id: string): Promise<Response> {
  const activity = await call.account.get(id, { signal: call.request.signal });
  const asked = call.url.pathname.slice(call.url.pathname.lastIndexOf('/') + 1).toLowerCase();
  if (fileNameOf(activity)?.toLowerCase() !== decodePath(asked)) throw notFound(call.url.pathname);
  return answerFile(call.request, (resume) =>
    call.account.download(activity, { signal: call.request.signal, resume }),
  );
}

/**
 * The activity as the outside knows it: the file under its URI.
 *
 * Quirk: `absoluteFileName`, `uploadFileName`, `exportTitle`: FileName and title tell of exports by URI, and of uploads
 * little or nothing (test/fixtures/ws/quirks/absolute-file-name).
 */
function publish(activity: Activity, frame: DocumentFrame): Activity {
  const { quirks, uris } = frame;
  const titled =
    activity.type === 'EXPORT_CONTACTS' && activity.title === '' && quirks?.exportTitle === true
      ? { ...activity, title: exportTitle(uris.activity(activity.id)) }
      : activity;
  const fileName = fileNameOf(activity);
  if (fileName !== undefined) {
    const uri = `${uris.activities}/${encodeURIComponent(fileName)}`;
    return {
      ...titled,
      fileName: quirks?.absoluteFileName === false ? fileName : uri,
      editMedia: uri,
    };
  }
  return activity.fileName !== undefined && quirks?.uploadFileName === false
    ? { ...titled, fileName: '' }
    : titled;
}

/** As the document has it: cut off inside the id. */
function exportTitle(uri: string): string {
  const id = uri.length - lastSegment(uri).length;
  return `EXPORT_CONTACTS: ${uri.slice(0, id + 5)}...`;
}

/** The name of an export's file, wherever the service behind keeps it; undefined for activities that have none. */
function fileNameOf({ id, type, fileName }: Activity): string | undefined {
  if (type !== 'EXPORT_CONTACTS' || fileName === undefined || fileName === '') return undefined;
  return `${id}.${/\.txt$/i.test(lastSegment(fileName)) ? 'txt' : 'csv'}`;
}
