import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isFinished, type Activity } from '../../src/activity/activity.js';
import { AmbiguousCreateError, CtctError, ServiceError, TransportError } from '../../src/activity/errors.js';
import type { ActivityRequest, ContactRow, Contacts } from '../../src/activity/request.js';
import type { ResumeAt } from '../../src/activity/service.js';
import { saveDownload } from '../../src/http/download.js';
import { waitForActivities, waitForActivity } from '../../src/wait.js';
import { integer, pick } from './faults.js';
import { MEMBERS, type Breach, type Scene, type Stage } from './stage.js';

/** One call of an operation. */
export interface Act {
  readonly stage: Stage;
  readonly scene: Scene;
  /** The list that is this operation's alone. */
  readonly list: string;
  readonly signal: AbortSignal | undefined;
  /** What can be said only once everything is over. */
  readonly atEnd: (check: () => Promise<void> | void) => void;
}

interface Operation {
  readonly weight: number;
  /** Rejects with what the client did. Reports by `stage.violations` what is not as it is told. */
  readonly run: (act: Act) => Promise<unknown>;
}

export const OPERATIONS = {
  'add (rows)': { weight: 2, run: (act) => add(act, ({ rows }) => ({ rows })) },
  'add (text)': { weight: 2, run: (act) => add(act, ({ text }) => ({ text })) },
  'add (bytes)': { weight: 1, run: (act) => add(act, ({ text }) => ({ bytes: Buffer.from(text) })) },
  'add (file)': {
    weight: 3,
    run: (act) =>
      add(act, async ({ text }) => {
        const file = path.join(act.stage.folder, `upload-${act.list}.csv`);
        await writeFile(file, text);
        return { file };
      }),
  },
  'add (stream)': { weight: 2, run: (act) => add(act, ({ text }) => ({ stream: pieces(text) })) },
  remove: {
    weight: 2,
    run: (act) => {
      const addresses = [MEMBERS[0], MEMBERS[1], 'nobody@example.com'];
      const contacts = { text: `Email Address\n${addresses.join('\n')}\n` };
      const request = { activityType: 'REMOVE_CONTACTS_FROM_LISTS', contacts, lists: [act.list] } as const;
      return create(act, request, { addresses, members: MEMBERS.length - 2 });
    },
  },
  clear: {
    weight: 2,
    run: (act) =>
      create(act, { activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: [act.list] }, { members: 0 }),
  },
  export: {
    weight: 2,
    run: (act) =>
      create(act, { activityType: 'EXPORT_CONTACTS', listId: act.list }, { members: MEMBERS.length }),
  },
  'export and download': {
    weight: 2,
    run: async (act) => {
      const request = { activityType: 'EXPORT_CONTACTS', listId: act.list } as const;
      const { id } = await create(act, request, { members: MEMBERS.length });
      const finished = await wait(act, id);
      await save(act, finished);
    },
  },
  download: { weight: 4, run: async (act) => save(act, await anExport(act.stage)) },
  list: { weight: 2, run: list },
  lists: { weight: 1, run: lists },
  get: { weight: 2, run: get },
  wait: { weight: 2, run: async (act) => wait(act, (await anExport(act.stage)).id) },
  'watch many': {
    weight: 1,
    run: async (act) => {
      const ids: string[] = [];
      for (let count = integer(act.stage.random, 2, 5); count > 0; count--) {
        ids.push((await act.stage.account.create({ activityType: 'EXPORT_CONTACTS', listId: '1' })).id);
      }
      const { clock, random, client } = act.stage;
      const told = await waitForActivities(client, ids, { clock, random, signal: act.signal });
      for (const [index, activity] of told.entries()) await compare(act, ids[index]!, activity);
    },
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;

export const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];

function violate(stage: Stage, breach: Breach, text: string) {
  stage.violations.push({ breach, text });
}

type Upload = (contacts: { rows: ContactRow[]; text: string }) => Contacts | Promise<Contacts>;

async function add(act: Act, upload: Upload): Promise<Activity> {
  const { random } = act.stage;
  const rows = Array.from({ length: pick(random, [1, 3, 30, 300, 4_000]) }, (_, index) => ({
    emailAddress: `new-${index}@example.com`,
    firstName: `Zoë ${index}`,
  }));
  const lines = rows.map(({ emailAddress, firstName }) => `${emailAddress},${firstName}\n`);
  const contacts = await upload({ rows, text: `Email Address,First Name\n${lines.join('')}` });
  const request = { activityType: 'SV_ADD', contacts, lists: [act.list] } as const;
  return create(act, request, {
    addresses: rows.map(({ emailAddress }) => emailAddress),
    members: MEMBERS.length + rows.length,
  });
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += 10_000) {
    await Promise.resolve();
    yield bytes.subarray(start, start + 10_000);
  }
}

/** What the service must have, if the creation took place at all. */
interface Effect {
  readonly addresses?: readonly string[];
  /** Members of the list once the job is done. */
  readonly members: number;
}

async function create(act: Act, request: ActivityRequest, effect: Effect): Promise<Activity> {
  const { stage, list } = act;
  const outcome = await stage.client.create(request, { signal: act.signal }).then(
    (activity) => ({ activity }),
    (error: unknown) => ({ error }),
  );
  act.atEnd(async () => {
    const made = stage.creations.filter((creation) => creation.list === list);
    const what = `${request.activityType} of list ${list}`;
    const [first] = made;
    if (made.length > 1) violate(stage, 'duplicate', `${what} exists ${made.length} times`);
    if ('activity' in outcome) {
      const { id } = outcome.activity;
      if (first === undefined)
        violate(stage, 'falsely done', `${what} does not exist, but was told to be ${id}`);
      else if (first.id !== id)
        violate(stage, 'falsely done', `${what} is ${first.id}, but was told to be ${id}`);
    } else if (first !== undefined && !tellsDoubt(outcome.error)) {
      violate(stage, 'loss', `${what} exists, but its caller was told: ${String(outcome.error)}`);
    }
    if (first === undefined) return;
    if (effect.addresses?.join() !== first.addresses?.join()) {
      violate(stage, 'damaged', `${what} has other contacts than were sent`);
    }
    const members = await membersOf(stage, list);
    if (members !== effect.members) {
      violate(stage, 'damaged', `list ${list} has ${members} members and not ${effect.members}`);
    }
  });
  if ('activity' in outcome) return outcome.activity;
  act.scene.inDoubt = tellsDoubt(outcome.error);
  throw outcome.error;
}

/** Whether who gets this error knows that the activity may exist all the same. */
function tellsDoubt(error: unknown): boolean {
  if (error instanceof AmbiguousCreateError) return true;
  if (error instanceof TransportError) return error.sent === 'maybe';
  return error instanceof ServiceError && error.status >= 500 && error.status !== 503;
}

async function membersOf(stage: Stage, list: string): Promise<number | undefined> {
  for await (const { id, contactCount } of stage.account.lists()) if (id === list) return contactCount;
  return undefined;
}

/** Waits, and looks whether what is told is so. */
async function wait(act: Act, id: string): Promise<Activity> {
  const { stage } = act;
  const { clock, random, client } = stage;
  const told = await waitForActivity(client, id, { clock, random, signal: act.signal });
  await compare(act, id, told);
  return told;
}

/** Whether an activity is as it was told to be. */
async function compare({ stage }: Act, id: string, told: Activity): Promise<void> {
  const real = await stage.account.get(id);
  if (!isFinished(real)) violate(stage, 'falsely done', `${id} is ${real.status}, but was told to be done`);
  if (told.transactionCount !== real.transactionCount) {
    violate(
      stage,
      'falsely done',
      `${id} processed ${real.transactionCount}, and not ${told.transactionCount}`,
    );
  }
}

/** An export that was done before the story began. */
async function anExport({ account, random }: Stage): Promise<Activity> {
  const exports: Activity[] = [];
  for await (const activity of account.list()) {
    if (activity.type === 'EXPORT_CONTACTS' && activity.status === 'COMPLETE') exports.push(activity);
  }
  return pick(random, exports);
}

/** The signal of a caller who has all the time in the world. */
const NEVER = new AbortController().signal;

/** Saves the file of an export, going on after a failure; whatever happens, it is whole or not there. */
async function save(act: Act, { id }: Activity): Promise<void> {
  const { stage, list } = act;
  const target = path.join(stage.folder, `export-${list}.csv`);
  const wanted = await contentOf(stage, id);
  const anew = stage.random() < 0.7;
  const attempt = async (signal = act.signal) => {
    try {
      const { client, clock, random } = stage;
      const activity = await client.get(id, { signal });
      const open = (resume?: ResumeAt) => client.download(activity, { signal, resume });
      await saveDownload(anew ? { id, open } : await open(), target, { signal, clock, random });
    } catch (error) {
      if (existsSync(target)) violate(stage, 'half file', `${id}: there is a file after ${String(error)}`);
      throw error;
    }
    if (!wanted.equals(await readFile(target))) violate(stage, 'damaged', `the file of ${id} is another`);
  };
  act.atEnd(async () => {
    if (existsSync(target)) return;
    // The machine may be busy, and the time-outs are short; a part that stands in the way would stand there for ever.
    for (let tries = 1; !existsSync(target); tries++) {
      await attempt(NEVER).catch((error: unknown) => {
        if (tries < 5) return;
        violate(stage, 'loss', `${id} cannot be downloaded any more: ${String(error)}`);
      });
      if (tries === 5) return;
    }
  });
  for (let tries = 1; ; tries++) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (tries === 3 || !(error instanceof CtctError) || act.signal?.aborted === true) throw error;
    }
  }
}

async function contentOf({ account }: Stage, id: string): Promise<Buffer> {
  const { body } = await account.download(id);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** All activities, each once; a list that breaks off must say so. */
async function list({ stage, signal }: Act): Promise<void> {
  const before: string[] = [];
  for await (const { id } of stage.account.list()) before.push(id);
  const told: string[] = [];
  for await (const { id } of stage.client.list({ signal })) told.push(id);
  const missing = before.filter((id) => !told.includes(id));
  if (missing.length > 0) violate(stage, 'loss', `the list lacks ${missing.length} of ${before.length}`);
  if (new Set(told).size < told.length) violate(stage, 'duplicate', 'the list names an activity twice');
}

async function lists({ stage, signal }: Act): Promise<void> {
  const names: string[] = [];
  for await (const { name } of stage.account.lists()) names.push(name);
  const told: string[] = [];
  for await (const { name } of stage.client.lists({ signal })) told.push(name);
  if (told.join() !== names.join())
    violate(stage, 'loss', `the lists are ${names.join()}, not ${told.join()}`);
}

async function get({ stage, signal }: Act): Promise<void> {
  const { id, type, status, transactionCount } = await anExport(stage);
  const told = await stage.client.get(id, { signal });
  const facts = JSON.stringify([id, type, status, transactionCount]);
  if (JSON.stringify([told.id, told.type, told.status, told.transactionCount]) !== facts) {
    violate(stage, 'damaged', `${facts} was told as ${JSON.stringify(told)}`);
  }
}
