import type { Activity } from '../../src/activity/activity.js';
import type { ContactList } from '../../src/activity/list.js';
import { decodeEntry, decodeFeed, decodeLists } from '../../src/ws/records.js';
import { AUTHORIZATION, BASE, type Side } from './sides.js';

/** One thing that an old client, or the owner of the account, can see: what it is, and how it looks. */
export interface Sight {
  /** Such as `entry: status`, without anything that is of this run alone. */
  readonly place: string;
  readonly value: string;
}

/** A request of an old client; it may speak of the activities that were created before it. */
export interface Exchange {
  request(ids: readonly string[]): Request;
}

/** What an old client did, one request after another. */
export interface Scenario {
  readonly name: string;
  readonly exchanges: readonly Exchange[];
}

/**
 * Plays a scenario on a side. Of every activity that is created the entry, the feed and the file are looked at, once it has
 * ended; at last the contacts of the account are.
 */
export async function observe(side: Side, { exchanges }: Scenario): Promise<Sight[]> {
  const sights: Sight[] = [];
  const ids: string[] = [];
  const ask = async (what: string, request: Request): Promise<Buffer> => {
    const response = await side.fetch(request);
    const body = Buffer.from(await response.arrayBuffer());
    sights.push(...answerSights(what, response, body));
    return body;
  };
  const get = (what: string, path: string) =>
    ask(what, new Request(`${BASE}/${path}`, { headers: { authorization: AUTHORIZATION } }));

  for (const exchange of exchanges) {
    const asked = exchange.request(ids);
    const body = await ask('answer', asked);
    const id = asked.method === 'POST' ? createdId(body) : undefined;
    if (id === undefined) continue;
    ids.push(id);
    await side.settle();
    const entry = await get('entry', `activities/${id}`);
    await get('feed', 'activities');
    if (!entry.includes('<Type>EXPORT_CONTACTS</Type>')) continue;
    await get('file', `activities/${id}.csv`);
    await get('text file', `activities/${id}.txt`);
  }
  return [...sights, ...accountSights(side)];
}

function createdId(body: Buffer): string | undefined {
  return body.includes('<Activity ') ? decodeEntry(body).record.id : undefined;
}

function answerSights(what: string, response: Response, body: Buffer): Sight[] {
  const header = (name: string) => ({
    place: `${what}: ${name}`,
    value: withoutRun(response.headers.get(name) ?? 'none'),
  });
  return [
    { place: `${what}: HTTP status`, value: String(response.status) },
    header('content-type'),
    header('location'),
    header('www-authenticate'),
    header('retry-after'),
    ...bodySights(what, body),
  ];
}

function bodySights(what: string, body: Buffer): Sight[] {
  const text = withoutRun(body.toString());
  const whole = { place: `${what}: text`, value: text };
  // The text last: it is looked at where nothing else differs.
  if (/^<\?xml[^>]*>\s*<feed/.test(text)) {
    if (text.includes('/lists</id>')) {
      const lists = decodeLists(body).records.flatMap(({ record }) => listSights(what, record));
      return [...lists, whole];
    }
    const { records } = decodeFeed(body);
    return [...records.flatMap(({ record }) => activitySights(what, record)), whole];
  }
  if (text.includes('<Activity ')) return [...activitySights(what, decodeEntry(body).record), whole];
  if (what.endsWith('file') && !text.startsWith('There is')) return [...tableSights(what, text), whole];
  return [whole];
}

function activitySights(what: string, activity: Activity): Sight[] {
  const { insertTime, runStartTime, runFinishTime, updated, id, ...facts } = activity;
  const times = { insertTime, runStartTime, runFinishTime };
  const given = Object.entries(times).flatMap(([name, time]) => (time === undefined ? [] : [{ name, time }]));
  const ascend = given.every(({ time }, index) => index === 0 || given[index - 1]!.time <= time);
  return [
    ...Object.entries(facts).map(([name, value]) => ({
      place: `${what}: ${name}`,
      value: withoutRun(written(value)),
    })),
    { place: `${what}: id`, value: withoutRun(id) },
    {
      place: `${what}: times`,
      value: `${given.map(({ name }) => name).join(' ')} ${ascend ? 'ascend' : 'do not'}`,
    },
    { place: `${what}: updated`, value: updated === undefined ? 'undefined' : 'a time' },
  ];
}

function listSights(what: string, list: ContactList): Sight[] {
  const { updated, ...facts } = list;
  return [
    ...Object.entries(facts).map(([name, value]) => ({
      place: `${what}: ${name}`,
      value: `${list.id}: ${written(value)}`,
    })),
    { place: `${what}: updated`, value: `${list.id}: ${updated === undefined ? 'undefined' : 'a time'}` },
  ];
}

function tableSights(what: string, text: string): Sight[] {
  const [heading = '', ...rows] = text.split('\r\n');
  return [
    { place: `${what}: heading`, value: heading },
    { place: `${what}: rows`, value: rows.join('\n') },
  ];
}

/** The contacts, column by column: who has what. */
function accountSights({ account }: Side): Sight[] {
  const { contacts } = account.holdings.contacts.state();
  const columns = new Map<string, string[]>();
  const note = (column: string, text: string) => {
    const noted = columns.get(column) ?? [];
    columns.set(column, noted);
    noted.push(text);
  };
  for (const { address, standing, lists = [], values = {} } of contacts) {
    note('addresses', address);
    note('standing', `${address} ${standing}`);
    note(
      'lists',
      `${address} ${lists
        .map(([id]) => id)
        .sort()
        .join(' ')}`,
    );
    for (const [column, value] of Object.entries(values)) note(column, `${address} ${value}`);
  }
  return [...columns].map(([column, texts]) => ({
    place: `contacts: ${column}`,
    value: texts.sort().join('\n'),
  }));
}

function written(value: unknown): string {
  return value === undefined ? 'undefined' : JSON.stringify(value);
}

/** Without ids, page tokens, times and nonces, which no two runs have in common. */
function withoutRun(text: string): string {
  return text
    .replace(/\ba07e[0-9a-z]+/gi, 'ID')
    .replace(/\?next=[a-z0-9-]+/g, '?next=TOKEN')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME')
    .replace(/\d\d\/\d\d\/\d{4} \d\d:\d\d [AP]M E[SD]T/g, 'DATE')
    .replace(/nonce="[^"]*"/g, 'nonce="…"');
}

/** Where two observations differ: at each place, what the one has that the other has not. */
export interface Difference {
  readonly place: string;
  readonly ws: readonly string[];
  readonly gateway: readonly string[];
}

export function differences(ws: readonly Sight[], gateway: readonly Sight[]): Difference[] {
  const [before, after] = [byPlace(ws), byPlace(gateway)];
  const found: Difference[] = [];
  for (const place of new Set([...before.keys(), ...after.keys()])) {
    const [ours, theirs] = [before.get(place) ?? [], after.get(place) ?? []];
    if (JSON.stringify(ours) === JSON.stringify(theirs)) continue;
    const differ = (value: string, index: number, other: readonly string[]) => value !== other[index];
    found.push({
      place,
      ws: ours.filter((value, index) => differ(value, index, theirs)),
      gateway: theirs.filter((value, index) => differ(value, index, ours)),
    });
  }
  // What one side refused and the other did not has no other likeness; the contacts tell what came of it.
  const parted = found.find(({ place }) => place === 'answer: HTTP status');
  if (parted !== undefined) {
    return found.filter((difference) => difference === parted || difference.place.startsWith('contacts: '));
  }
  // A text is as different as what it says; where nothing it says is, the text itself is.
  return found.filter(
    ({ place }) =>
      !place.endsWith(': text') ||
      !found.some((other) => other.place !== place && sameStep(other.place, place)),
  );
}

function sameStep(one: string, other: string): boolean {
  return one.split(':', 1)[0] === other.split(':', 1)[0];
}

function byPlace(sights: readonly Sight[]): Map<string, string[]> {
  const places = new Map<string, string[]>();
  for (const { place, value } of sights) places.set(place, [...(places.get(place) ?? []), value]);
  return places;
}
